// The live memory of every service against its limit, from /api/health. Everything is drawn here; nothing is loaded.
"use strict";

const EVERY_MS = 1000;
const LIMIT_MS = 3000;
const KEPT = 120;
const WIDTH = 240;
const LEVELS = [0.6, 0.8, 0.9];
const HEIGHTS = { memory: 60, rate: 30 };

const histories = new Map();
const cards = new Map();

async function look() {
  try {
    const answer = await fetch("/api/health", { cache: "no-store", signal: AbortSignal.timeout(LIMIT_MS) });
    const health = await answer.json();
    say(`${health.status}, ${new Date().toLocaleTimeString()}`);
    for (const [name, service] of Object.entries(health.services)) show(name, service);
  } catch {
    say("The gateway does not answer; asking again.");
  }
  setTimeout(look, EVERY_MS);
}

function say(text) {
  document.getElementById("state").textContent = text;
}

function show(name, service) {
  const history = noted(name, service);
  const card = cardOf(name);
  const badge = card.querySelector(".badge");
  badge.textContent = service.serving ? "serving" : "not serving";
  badge.className = `badge ${service.serving ? "up" : "down"}`;
  card.querySelector(".memory").replaceChildren(...memoryWords(service.memory));
  card.querySelector(".models").textContent = [service.version, ...service.models].filter(Boolean).join(", ");
  drawMemory(card.querySelector(".memory-chart"), name, history, service.memory);
  drawRate(card.querySelector(".rate-chart"), name, history);
  card.querySelector(".figures").replaceChildren(...figures(service).map(figure));
}

function noted(name, { memory, lately }) {
  if (!histories.has(name)) histories.set(name, []);
  const history = histories.get(name);
  history.push({ used: memory?.used_bytes ?? 0, rate: lately?.requests_per_s ?? 0 });
  if (history.length > KEPT) history.shift();
  return history;
}

function cardOf(name) {
  if (!cards.has(name)) {
    const card = document.getElementById("service").content.cloneNode(true).firstElementChild;
    card.querySelector(".name").textContent = name;
    document.getElementById("services").append(card);
    cards.set(name, card);
  }
  return cards.get(name);
}

function memoryWords(memory) {
  if (!memory) return [new Text("memory unknown")];
  if (!memory.limit_bytes) return [new Text(`${megabytes(memory.used_bytes)} MB, no limit`)];
  const share = Math.round((100 * memory.used_bytes) / memory.limit_bytes);
  const level = element("span", `level ${memory.level}`, memory.level);
  const words = `${megabytes(memory.used_bytes)} of ${megabytes(memory.limit_bytes)} MB, ${share} %: `;
  return [new Text(words), level];
}

function figures({ in_flight, waiting, lately }) {
  const known = lately ?? { requests_per_s: 0, p50_ms: 0, p99_ms: 0, refused: 0 };
  return [
    ["in flight", in_flight],
    ["waiting", waiting],
    ["refused", known.refused],
    ["requests/s", known.requests_per_s.toFixed(1)],
    ["p50 ms", Math.round(known.p50_ms)],
    ["p99 ms", Math.round(known.p99_ms)],
  ];
}

function figure([name, value]) {
  const pair = element("div", "", "");
  pair.append(element("dt", "", name), element("dd", "", String(value)));
  return pair;
}

function drawMemory(chart, name, history, memory) {
  const peak = Math.max(1, ...history.map((moment) => moment.used));
  const top = memory?.limit_bytes || 1.2 * peak;
  const height = HEIGHTS.memory;
  const bounds = memory?.limit_bytes ? LEVELS.map((share) => level(height * (1 - share), "bound")) : [];
  const floor = memory?.floor_bytes ? [level(height * (1 - memory.floor_bytes / top), "floor")] : [];
  draw(chart, [...bounds, ...floor], history.map((moment) => moment.used / top), height);
  chart.setAttribute("aria-label", `Memory of ${name}: ${megabytes(history.at(-1).used)} MB`);
}

function drawRate(chart, name, history) {
  const top = Math.max(1, ...history.map((moment) => moment.rate));
  draw(chart, [], history.map((moment) => moment.rate / top), HEIGHTS.rate);
  chart.setAttribute("aria-label", `${name}: ${history.at(-1).rate} requests per second`);
}

function draw(chart, lines, shares, height) {
  const step = WIDTH / (KEPT - 1);
  const start = WIDTH - (shares.length - 1) * step;
  const points = shares.map((share, i) => `${start + i * step},${height * (1 - Math.min(1, share))}`);
  const area = shape("polygon", { points: [`${start},${height}`, ...points, `${WIDTH},${height}`].join(" ") }, "area");
  chart.replaceChildren(...lines, area, shape("polyline", { points: points.join(" ") }, "curve"));
}

function level(y, kind) {
  return shape("line", { x1: 0, x2: WIDTH, y1: y, y2: y }, kind);
}

function shape(tag, attributes, kind) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.setAttribute("class", kind);
  return made;
}

function element(tag, kind, text) {
  const made = document.createElement(tag);
  made.className = kind;
  made.textContent = text;
  return made;
}

function megabytes(bytes) {
  return Math.round(bytes / 1e6);
}

look();
