// How the page talks to the service.

import { Failure, failureOf, told } from "./failure.js";
import { recall, remember } from "./kept.js";
import { EventParser } from "./sse.js";
import { language } from "./texts.js";

const SILENCE_MS = 60_000; // longer than the service takes for anything: the connection is dead
const RETURNS_MS = [500, 1000, 2000, 4000, 8000]; // the pauses before asking for a lost connection's rest
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
    const give = { ...on, result: resolve, error: ({ error }) => reject(told(error)) };
    const events = new Events(give);
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
      events.push(piece);
    };
    const finish = async () => {
      const job = request.getResponseHeader("Content-Location");
      if (request.status === 200) take();
      else if (request.status) reject(failureOf(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      if (job && !events.ended) await hearRest(job, events, signal);
      reject(new Failure("OFFLINE")); // cut off for good; does nothing after a result
    };
    request.open("POST", `/api/analyze-stream?max_holds=${maxHolds}`);
    for (const [name, value] of Object.entries(headers(photo.type || "image/heic"))) request.setRequestHeader(name, value);
    request.setRequestHeader("Prefer", "respond-async"); // goes on when the connection is lost
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

/** Gives the events of an analysis, over however many connections, to those who wait for them by name. */
class Events {
  #give;
  #parser = new EventParser();
  last = "0"; // the number of the last one
  ended = false;

  constructor(give) {
    this.#give = give;
  }

  push(piece) {
    for (const [name, data, id] of this.#parser.push(piece)) {
      this.last = id ?? this.last;
      this.ended ||= name === "result" || name === "error";
      this.#give[name]?.(data);
    }
  }

  /** Forgets an event that was cut off. */
  reconnect() {
    this.#parser = new EventParser();
  }
}

/** Comes back to an analysis whose connection was lost, for what it told since; the service knows it for a while. */
async function hearRest(job, events, signal) {
  for (const pause of RETURNS_MS) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (signal.aborted) return;
    try {
      events.reconnect();
      const response = await fetch(job, { headers: { ...headers(""), "Last-Event-ID": events.last }, signal });
      if (response.status === 404) return;
      const pieces = response.ok ? response.body.pipeThrough(new TextDecoderStream()).getReader() : null;
      for (let piece = await pieces?.read(); piece && !piece.done; piece = await pieces.read()) events.push(piece.value);
    } catch {} // lost again
    if (events.ended) return;
  }
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
