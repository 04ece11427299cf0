// Sends a photo to /api/analyze-stream and draws what comes back as it comes.

const TEXTS = {
  en: {
    choose: "Choose a photo",
    hint: "Take or drop a photo of a climbing wall: holds, colors and problems appear on it.",
    found: (holds, problems, ms) => `${holds} holds, ${problems} problems in ${(ms / 1000).toFixed(1)} s`,
    uncolored: "The colors could not be told this time.",
    offline: "The service cannot be reached. Please check the connection and try again.",
  },
  ko: {
    choose: "사진 선택",
    hint: "클라이밍 벽 사진을 찍거나 끌어다 놓으면 홀드와 색, 문제를 표시합니다.",
    found: (holds, problems, ms) => `홀드 ${holds}개, 문제 ${problems}개 (${(ms / 1000).toFixed(1)}초)`,
    uncolored: "이번에는 색을 구분하지 못했습니다.",
    offline: "서비스에 연결할 수 없습니다. 연결을 확인하고 다시 시도해 주세요.",
  },
};
const language = navigator.language.startsWith("ko") ? "ko" : "en";
const text = TEXTS[language];
const byId = (id) => document.getElementById(id);
const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;
const palette = new Map();
let running = new AbortController();

async function analyze(file) {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  reset(file);
  try {
    const response = await fetch("/api/analyze-stream", {
      method: "POST",
      body: file,
      headers: { "Content-Type": file.type || "image/heic", "Accept-Language": language },
      signal,
    });
    if (!response.ok) return say((await response.json()).error.message);
    for await (const [name, data] of events(response.body)) show[name]?.(data);
  } catch {
    if (!signal.aborted) say(text.offline);
  } finally {
    if (!signal.aborted) byId("progress").hidden = true;
  }
}

// Cuts a text/event-stream into [name, data].
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    const whole = (rest + value).split("\n\n");
    rest = whole.pop();
    for (const event of whole) {
      const fields = new Map(event.split("\n").map((line) => line.split(/: (.*)/s, 2)));
      yield [fields.get("event"), JSON.parse(fields.get("data"))];
    }
  }
}

const show = {
  progress({ percent, message }) {
    byId("progress").value = percent;
    say(message);
  },
  holds({ image, holds }) {
    byId("overlay").setAttribute("viewBox", `0 0 ${image.width} ${image.height}`);
    byId("overlay").replaceChildren(...holds.map(outline));
  },
  colors({ colors }) {
    for (const { hold_id, color } of colors) paint(hold_id, color);
  },
  result({ holds, problems, degraded, timings_ms }) {
    say(text.found(holds.length, problems.length, timings_ms.total));
    byId("facts").textContent = degraded.length ? text.uncolored : "";
    byId("problems").replaceChildren(...problems.map(chip));
  },
  error({ error }) {
    say(error.message);
  },
};

function outline(hold) {
  const polygon = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
  polygon.id = `hold-${hold.id}`;
  polygon.setAttribute("points", hold.polygon.map((point) => point.join(",")).join(" "));
  polygon.setAttribute("stroke", "white");
  polygon.setAttribute("fill", "white");
  return polygon;
}

function paint(holdId, color) {
  const shown = css(palette.get(color.name) ?? color.rgb ?? [255, 255, 255]);
  byId(`hold-${holdId}`).setAttribute("stroke", shown);
  byId(`hold-${holdId}`).setAttribute("fill", shown);
}

function chip(problem) {
  const button = document.createElement("button");
  const dot = document.createElement("i");
  dot.style.background = css(palette.get(problem.color) ?? [128, 128, 128]);
  button.append(dot, `${problem.id} · ${problem.hold_count}`);
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => choose(button, problem));
  return button;
}

// Dims all but one problem; the second tap shows all again.
function choose(button, problem) {
  const chosen = button.getAttribute("aria-pressed") === "false";
  for (const other of byId("problems").children) other.setAttribute("aria-pressed", String(chosen && other === button));
  byId("overlay").classList.toggle("chosen", chosen);
  for (const polygon of byId("overlay").children) polygon.classList.remove("chosen");
  if (chosen) for (const id of problem.hold_ids) byId(`hold-${id}`).classList.add("chosen");
}

function reset(file) {
  URL.revokeObjectURL(byId("photo").src);
  byId("photo").src = URL.createObjectURL(file);
  byId("wall").hidden = byId("progress").hidden = false;
  byId("progress").value = 0;
  byId("hint").hidden = true;
  byId("facts").textContent = "";
  byId("overlay").classList.remove("chosen");
  byId("overlay").replaceChildren();
  byId("problems").replaceChildren();
}

function say(message) {
  byId("status").textContent = message;
}

document.documentElement.lang = language;
for (const node of document.querySelectorAll("[data-text]")) node.textContent = text[node.dataset.text];
byId("file").addEventListener("change", ({ target }) => target.files[0] && analyze(target.files[0]));
for (const [name, dragging] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dragging", dragging);
    if (name === "drop" && event.dataTransfer.files[0]) analyze(event.dataTransfer.files[0]);
  });
}
const known = await fetch("/api/palette").then((response) => (response.ok ? response.json() : { colors: [] }));
for (const color of known.colors) palette.set(color.name, color.rgb);
