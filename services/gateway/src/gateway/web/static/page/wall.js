// Draws what is known of the wall over its photo, and lets people go from hold to hold.

import { casing, css, nameOf, shown } from "./color.js";
import { byId, shape } from "./dom.js";
import { holdAt, neighbor } from "./geometry.js";
import { text } from "./texts.js";
import { Viewport } from "./viewport.js";

const THUMB_PX = 22;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const pathOf = (polygon) => `M${polygon.map((point) => point.join(" ")).join("L")}Z`;

function labelOf(hold) {
  const name = text[hold.kind](nameOf(hold.color?.name ?? "unknown"));
  if (hold.answered) return `${name}, ${text.corrected}`;
  return hold.color ? `${name}, ${text.sure(hold.color.confidence)}` : name;
}

export class Wall {
  #photo = byId("photo");
  #shade = byId("shade");
  #group = byId("holds");
  #holds = new Map();
  #nodes = new Map();
  #onChoose;

  /** `onChoose` gets the hold that was tapped, or null for the wall beside them. */
  constructor(onChoose) {
    this.#onChoose = onChoose;
    this.view = new Viewport(byId("stage"), byId("canvas"), (point, reach) => this.#tap(point, reach));
    this.#group.addEventListener("keydown", (event) => this.#key(event));
    this.#group.addEventListener("click", (event) => event.detail === 0 && this.#open(event.target)); // assistive technology
    this.#photo.addEventListener("load", () => this.view.show(this.#photo.naturalWidth, this.#photo.naturalHeight));
    this.#photo.addEventListener("error", () => byId("canvas").toggleAttribute("data-unseen", true));
  }

  /** Shows a photo without anything on it. */
  show(url) {
    byId("canvas").removeAttribute("data-unseen");
    this.#photo.src = url;
    this.#holds.clear();
    this.#nodes.clear();
    this.#group.replaceChildren();
    this.spotlight(null);
    this.view.fit();
  }

  /** Draws all outlines; holds that have a color already are drawn in it. */
  outline({ width, height }, holds) {
    this.view.show(width, height);
    this.#holds.clear();
    this.#nodes.clear();
    byId("overlay").setAttribute("viewBox", `0 0 ${width} ${height}`);
    const smallOnTop = [...holds].sort((a, b) => b.area_px - a.area_px);
    for (const hold of smallOnTop) this.#add(hold);
    this.#group.replaceChildren(...this.#nodes.values());
    this.#group.firstElementChild?.setAttribute("tabindex", "0"); // one stop for the tab key; arrows go on from there
    for (const hold of holds) if (hold.color) this.paint(hold.id, hold.color);
  }

  /** Takes the holds of the whole answer in place of those drawn so far. */
  settle(holds) {
    for (const hold of holds) {
      this.#holds.set(hold.id, hold);
      this.paint(hold.id, hold.color);
    }
  }

  paint(id, color) {
    const node = this.#nodes.get(id);
    const rgb = shown(color);
    this.#holds.get(id).color = color;
    node.style.setProperty("--color", css(rgb));
    node.style.setProperty("--casing", casing(rgb));
    node.classList.add("colored");
    node.setAttribute("aria-label", labelOf(this.#holds.get(id)));
  }

  /** Dims all but these holds; null lights everything again. */
  spotlight(ids) {
    const chosen = (ids ?? []).map((id) => this.#holds.get(id));
    for (const [id, node] of this.#nodes) node.classList.toggle("chosen", ids?.includes(id) ?? false);
    byId("overlay").classList.toggle("spotlight", ids !== null);
    if (!ids) return;
    const { width, height } = byId("overlay").viewBox.baseVal;
    this.#shade.setAttribute("d", `M0 0H${width}V${height}H0Z${chosen.map(({ polygon }) => pathOf(polygon)).join("")}`);
  }

  /** Marks one hold, or none. */
  mark(id) {
    for (const [each, node] of this.#nodes) node.classList.toggle("marked", each === id);
    if (id !== null) this.#stop(this.#nodes.get(id));
  }

  focus(id) {
    this.#nodes.get(id)?.focus({ preventScroll: true });
  }

  #add(hold) {
    const outline = { d: pathOf(hold.polygon) };
    const node = shape(
      "g",
      { class: "hold", role: "button", tabindex: "-1", "data-id": hold.id, "aria-label": labelOf(hold) },
      shape("path", { class: "casing", ...outline }),
      shape("path", { class: "line", ...outline }),
    );
    this.#holds.set(hold.id, hold);
    this.#nodes.set(hold.id, node);
  }

  #tap(point, pixel) {
    this.#onChoose(holdAt([...this.#holds.values()], point, THUMB_PX * pixel));
  }

  #open(target) {
    this.#onChoose(this.#holds.get(Number(target.closest(".hold").dataset.id)));
  }

  #key(event) {
    if (event.key === "Enter" || event.key === " ") this.#open(event.target);
    else if (event.key in ARROWS) this.#go(event.target, ARROWS[event.key]);
    else return;
    event.preventDefault();
  }

  #go(node, direction) {
    const next = neighbor([...this.#holds.values()], this.#holds.get(Number(node.dataset.id)), direction);
    if (!next) return;
    this.#stop(this.#nodes.get(next.id));
    this.focus(next.id);
    this.view.reveal(next.box);
  }

  #stop(node) {
    for (const each of this.#nodes.values()) each.setAttribute("tabindex", each === node ? "0" : "-1");
  }
}
