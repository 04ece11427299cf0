// A hold gets the color that a person says: here at once, at the service as soon as it can be reached.

import { centerOf } from "./geometry.js";
import { recall, remember } from "./kept.js";
import { post } from "./service.js";

const UNSENT = "unsent-corrections";
const MOST = 200;
const FINAL = new Set(["INVALID_PARAMETER", "NOT_FOUND", "METHOD_NOT_ALLOWED"]);

/** Changes the answer: the hold's color, and the problem that it belongs to. */
export function recolor(answer, hold, name) {
  hold.answered ??= hold.color;
  hold.color = { name, confidence: 1, rgb: hold.answered.rgb };
  move(answer.problems, hold.id, nearest(answer, hold, name));
}

function nearest({ holds, problems }, hold, name) {
  const [x, y] = centerOf(hold.box);
  const away = ({ hold_ids: ids }) =>
    Math.min(...holds.filter(({ id }) => ids.includes(id)).map(({ box }) => Math.hypot(centerOf(box)[0] - x, centerOf(box)[1] - y)));
  const alike = problems.filter(({ color, hold_ids: ids }) => color === name && ids.length);
  return alike.sort((a, b) => away(a) - away(b))[0];
}

function move(problems, id, into) {
  for (const problem of problems) {
    const had = problem.hold_ids.includes(id);
    if (had === (problem === into)) continue;
    problem.hold_ids = problem.hold_ids.filter((each) => each !== id).concat(had ? [] : [id]);
    problem.hold_count = problem.hold_ids.length;
    for (const fact of ["height_span", "reach_mean", "reach_max", "small_share", "confidence"]) delete problem[fact]; // of other holds
  }
}

/** Tells the service. Gives "sent", "kept" (to be sent later) or "refused" (there is nobody who takes it). */
export async function report(answer, hold, photoSha256) {
  const { name, confidence, rgb } = hold.answered;
  const body = { request_id: answer.request_id, hold_id: hold.id, color: hold.color.name, was: name, confidence, rgb, box: hold.box, image: answer.image };
  return send(photoSha256 ? { ...body, photo_sha256: photoSha256 } : body);
}

/** Sends what could not be sent before; the rest stays kept. */
export async function sendKept() {
  for (const body of kept()) {
    forget(body);
    if ((await send(body)) === "kept") return;
  }
}

async function send(body) {
  try {
    await post("/api/feedback", body);
    forget(body);
    return "sent";
  } catch (failure) {
    if (FINAL.has(failure.code)) return "refused";
    postpone(body);
    return "kept";
  }
}

const kept = () => recall(UNSENT, []);
const others = ({ request_id, hold_id }) => kept().filter((each) => each.request_id !== request_id || each.hold_id !== hold_id);
const keep = (bodies) => remember(UNSENT, bodies.slice(-MOST));
const forget = (body) => keep(others(body));
const postpone = (body) => keep([...others(body), body]);
