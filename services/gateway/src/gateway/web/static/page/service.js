// How the page talks to the service.

import { Failure, failureOf, told } from "./failure.js";
import { recall, remember } from "./kept.js";
import { EventParser } from "./sse.js";
import { language } from "./texts.js";

const SILENCE_MS = 60_000; // longer than the service takes for anything: the connection is dead
const KEY = "api-key";

export const rememberKey = (key) => remember(KEY, key);

function headers(type) {
  const key = recall(KEY);
  return { "Accept-Language": language, "Content-Type": type, ...(key && { Authorization: `Bearer ${key}` }) };
}

/**
 * Finds at most `maxHolds` holds; gives the whole answer. `on` is told of upload(share), progress, holds and colors.
 * XMLHttpRequest, because fetch tells nothing while it sends, and on a phone's network that is the longest part.
 */
export function analyze(photo, maxHolds, on, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const parser = new EventParser();
    const give = { ...on, result: resolve, error: ({ error }) => reject(told(error)) };
    let taken = 0;
    let silence;
    const hear = () => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), SILENCE_MS);
    };
    const take = () => {
      hear();
      if (request.status !== 200) return;
      const piece = request.responseText.slice(taken);
      taken += piece.length;
      for (const [name, data] of parser.push(piece)) give[name]?.(data);
    };
    const finish = () => {
      if (request.status === 200) take();
      else if (request.status) reject(failureOf(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      reject(new Failure("OFFLINE")); // cut off; does nothing after a result
    };
    request.open("POST", `/api/analyze-stream?max_holds=${maxHolds}`);
    for (const [name, value] of Object.entries(headers(photo.type || "image/heic"))) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      hear();
      on.upload(loaded / Math.max(1, total));
    });
    request.addEventListener("progress", take);
    request.addEventListener("loadend", () => {
      clearTimeout(silence);
      finish();
    });
    signal.addEventListener("abort", () => request.abort());
    hear();
    request.send(photo);
  });
}

/** Sends JSON; gives the answer's JSON. */
export async function post(path, body) {
  const sent = { method: "POST", headers: headers("application/json"), body: JSON.stringify(body) };
  const response = await fetch(path, sent).catch(() => {
    throw new Failure("OFFLINE");
  });
  if (response.ok) return response.json();
  throw failureOf(response.status, await response.text(), response.headers.get("Retry-After"));
}

/** The display color of every color name. */
export async function palette() {
  const response = await fetch("/api/palette", { headers: headers("application/json") });
  if (!response.ok) throw new Failure("UNAVAILABLE");
  return (await response.json()).colors;
}
