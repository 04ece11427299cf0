// What can go wrong, as one kind of error: a code of the service's table, or OFFLINE when nobody answers.

import { text } from "./texts.js";

const RETRYABLE = new Set(["RATE_LIMITED", "OVERLOADED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "OFFLINE", "NOT_STORED"]);
const BY_STATUS = { 401: "UNAUTHENTICATED", 413: "IMAGE_TOO_LARGE", 429: "RATE_LIMITED", 502: "UNAVAILABLE", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED" };

export class Failure extends Error {
  constructor(code, { message = "", requestId = "", retryAfterS = 0 } = {}) {
    super(message || code);
    this.code = code;
    this.requestId = requestId;
    this.retryAfterS = retryAfterS;
  }

  get retryable() {
    return RETRYABLE.has(this.code);
  }

  /** A title, and what can be done about it; the service's own sentence where a code is newer than this page. */
  get advice() {
    return text.failures[this.code] ?? [this.message, ""];
  }
}

/** The failure that the service's JSON tells of, or one by status where something else has answered. */
export function failureOf(status, body, retryAfter) {
  try {
    return told(JSON.parse(body).error, retryAfter);
  } catch {
    return new Failure(BY_STATUS[status] ?? "INTERNAL", { retryAfterS: Number(retryAfter) || 0 });
  }
}

/** The failure that an `error` object tells of. */
export function told({ code, message, request_id: requestId, details = {} }, retryAfter = details.retry_after_s) {
  return new Failure(code, { message, requestId, retryAfterS: Math.ceil(Number(retryAfter)) || 0 });
}
