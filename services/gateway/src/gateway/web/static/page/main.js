// The page: a photo comes in, the service tells step by step what it sees, people look closely.

import { knowsPalette, learnPalette } from "./color.js";
import { sendKept } from "./correction.js";
import { byId } from "./dom.js";
import { hideFailure, showFailure } from "./failure-card.js";
import { choosePhoto, takeIn } from "./intake.js";
import { Look } from "./look.js";
import { markPainted } from "./pace.js";
import { listRecent, thumbOf } from "./recent.js";
import { offerSaving } from "./save-menu.js";
import { analyze } from "./service.js";
import * as store from "./store.js";
import { text, translate } from "./texts.js";

const UPLOAD_PERCENT = 30; // of the whole way; the service's own percent are the rest

const HOLDS = 100; // more than most walls have; a service that is asked for more works for fewer people at once
const MOST_HOLDS = 300;

let scene = null; // the wall in sight: { key, name, at, photo, thumb, maxHolds, answer }
let running = new AbortController();
let turns = 0; // of what is in sight; what has been waited for may come too late for its turn
const look = new Look((corrected) => store.keep(corrected));

function say(message, percent = null) {
  if (byId("status").textContent !== message) byId("status").textContent = message; // else it would be read out again
  byId("progress").hidden = percent === null;
  byId("progress").value = percent ?? 0;
}

/** Shows a wall, of which as yet only the photo may be known. */
function enter(next) {
  turns += 1;
  running.abort();
  running = new AbortController();
  hideFailure();
  URL.revokeObjectURL(byId("photo").src);
  scene = next;
  document.body.dataset.view = "wall";
  byId("save").disabled = byId("more").hidden = byId("again").hidden = true;
  say("");
  look.begin(scene);
  look.wall.show(URL.createObjectURL(scene.photo));
}

function finish() {
  const { holds, problems, degraded, timings_ms: timings } = scene.answer;
  const sentences = [text.found(holds.length, problems.length, timings.total)];
  if (!holds.length) sentences.splice(0, 1, text.nothing);
  else if (degraded.includes("colors")) sentences.push(text.uncolored);
  else if (degraded.includes("resolution")) sentences.push(text.reduced);
  else if (!problems.length) sentences.push(text.loneHolds);
  if (degraded.includes("damaged")) sentences.push(text.damaged);
  say(sentences.join(" "));
  byId("save").disabled = false;
  byId("again").hidden = !degraded.some((lack) => lack !== "damaged");
  byId("more").hidden = holds.length < scene.maxHolds || scene.maxHolds === MOST_HOLDS;
  look.complete();
}

function again(maxHolds) {
  enter({ ...scene, maxHolds, answer: { holds: [], problems: [] } });
  return analyzeScene();
}

function take(photo) {
  performance.mark("photo");
  const key = `${photo.name}-${photo.size}-${photo.lastModified}`;
  if (history.state?.key !== key) history.pushState({ key }, "");
  enter({ key, name: photo.name, at: Date.now(), photo, thumb: null, maxHolds: HOLDS, answer: { holds: [], problems: [] } });
  return analyzeScene();
}

async function analyzeScene() {
  hideFailure();
  if (!knowsPalette()) learnPalette(); // there may have been no network before, or no key
  const { signal } = running;
  const current = scene;
  const heard = (tell) => (data) => signal.aborted || tell(data);
  try {
    const on = Object.fromEntries(Object.entries(steps).map(([name, tell]) => [name, heard(tell)]));
    const answer = await analyze(current.photo, current.maxHolds, on, signal);
    if (signal.aborted) return;
    steps.result(answer);
  } catch (failure) {
    if (signal.aborted) return;
    say("");
    return showFailure(failure, { retry: analyzeScene, choose: choosePhoto });
  }
  await keep(current);
}

const steps = {
  upload(share) {
    say(text.uploading, UPLOAD_PERCENT * share);
  },
  progress({ percent, message }) {
    say(message, UPLOAD_PERCENT + ((100 - UPLOAD_PERCENT) * percent) / 100);
  },
  holds({ image, holds }) {
    scene.answer = { ...scene.answer, image, holds };
    look.wall.outline(image, holds);
    markPainted("outlines");
  },
  colors({ colors }) {
    for (const { hold_id: id, color } of colors) look.wall.paint(id, color);
  },
  result({ receipts, ...answer }) {
    scene.answer = answer;
    look.wall.settle(answer.holds);
    finish();
    markPainted("result");
  },
};

async function keep(current) {
  current.thumb = await thumbOf(byId("photo"));
  await store.keep(current);
}

async function showStart() {
  running.abort();
  scene = null;
  document.body.dataset.view = "start";
  await listRecent(open);
}

function open(key) {
  history.pushState({ key }, "");
  return follow();
}

/** Shows what the browser's history says: the start, or a wall that is kept on this device. */
async function follow() {
  const turn = ++turns;
  const key = history.state?.key;
  const kept = key && (await store.wall(key));
  if (turn !== turns) return;
  if (!kept) return showStart();
  enter(kept);
  look.wall.outline(kept.answer.image, kept.answer.holds);
  finish();
}

translate();
takeIn(take);
offerSaving(() => scene, say);
byId("back").addEventListener("click", () => history.back());
byId("more").addEventListener("click", () => again(MOST_HOLDS));
byId("again").addEventListener("click", () => again(scene.maxHolds));
byId("zoom-in").addEventListener("click", () => look.wall.view.zoomBy(1.5));
byId("zoom-out").addEventListener("click", () => look.wall.view.zoomBy(1 / 1.5));
byId("zoom-fit").addEventListener("click", () => look.wall.view.fit());
addEventListener("popstate", follow);
addEventListener("online", sendKept);
navigator.serviceWorker?.register("/worker.js").catch(() => {}); // in private windows, say: all but offline works without
const learned = learnPalette();
follow();
performance.mark("interactive");
await learned;
sendKept();
