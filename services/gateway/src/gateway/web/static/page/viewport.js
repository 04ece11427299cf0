// Fits the wall into its stage, zooms and moves it by fingers, wheel, mouse and keys, and tells of taps.

import { centerOf } from "./geometry.js";

const MOST = 12;
const STEP = 1.5;
const TAP_PX = 8;
const DOUBLE_TAP_MS = 300;
const KEY_PX = 64;
const KEYS = {
  "+": (view) => view.zoomBy(STEP),
  "=": (view) => view.zoomBy(STEP),
  "-": (view) => view.zoomBy(1 / STEP),
  0: (view) => view.fit(),
  ArrowLeft: (view) => view.moveBy(KEY_PX, 0),
  ArrowRight: (view) => view.moveBy(-KEY_PX, 0),
  ArrowUp: (view) => view.moveBy(0, KEY_PX),
  ArrowDown: (view) => view.moveBy(0, -KEY_PX),
};

export class Viewport {
  #stage;
  #canvas;
  #onTap;
  #size = [1, 1];
  #fitted = 1; // screen pixels of one pixel of the photo when the whole wall is shown
  #at = { x: 0, y: 0, zoom: 1 };
  #covered = 0;
  #pointers = new Map();
  #start = [0, 0];
  #moved = false;
  #lastTap = { time: 0, x: 0, y: 0 };

  /** `onTap` gets the point on the photo, and how many of its pixels one on the screen is. */
  constructor(stage, canvas, onTap) {
    this.#stage = stage;
    this.#canvas = canvas;
    this.#onTap = onTap;
    new ResizeObserver(() => this.#refit()).observe(stage);
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => this.#up(event));
    stage.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Shows a wall of this size in pixels, whole. */
  show(width, height) {
    if (width === this.#size[0] && height === this.#size[1]) return;
    this.#size = [width, height];
    this.#refit();
    this.fit();
  }

  fit() {
    this.#set({ zoom: 1, x: 0, y: 0 });
  }

  /** Keeps this many pixels at the bottom free, which something else covers. */
  cover(height) {
    this.#covered = height;
    this.#set({});
  }

  /** Moves a box of the photo into sight. */
  reveal(box) {
    const [x, y] = centerOf(box).map((value) => value * this.#fitted * this.#at.zoom);
    const { width, height } = this.#room();
    const margin = 48;
    const into = (at, low, high) => Math.max(low - at, Math.min(0, high - at));
    this.moveBy(into(x + this.#at.x, margin, width - margin), into(y + this.#at.y, margin, height - margin));
  }

  zoomBy(factor, [x, y] = this.#middle()) {
    const zoom = Math.min(MOST, Math.max(1, this.#at.zoom * factor));
    const ratio = zoom / this.#at.zoom;
    this.#set({ zoom, x: x - (x - this.#at.x) * ratio, y: y - (y - this.#at.y) * ratio });
  }

  moveBy(dx, dy) {
    this.#set({ x: this.#at.x + dx, y: this.#at.y + dy });
  }

  #room() {
    return { width: this.#stage.clientWidth, height: this.#stage.clientHeight - this.#covered };
  }

  #middle() {
    const { width, height } = this.#room();
    return [width / 2, height / 2];
  }

  #refit() {
    const [width, height] = this.#size;
    this.#fitted = Math.min(this.#stage.clientWidth / width, this.#stage.clientHeight / height);
    this.#canvas.style.width = `${width * this.#fitted}px`;
    this.#canvas.style.height = `${height * this.#fitted}px`;
    this.#set({});
  }

  #set(change) {
    const { zoom, x, y } = { ...this.#at, ...change };
    const scale = this.#fitted * zoom;
    const { width, height } = this.#room();
    const keep = (at, size, room, whole) => {
      const rest = room - size;
      if (rest < 0) return Math.min(0, Math.max(rest, at)); // no gap at either side
      return Math.min(rest, (whole - size) / 2); // in the middle, or higher where the bottom is covered
    };
    this.#at = {
      zoom,
      x: keep(x, this.#size[0] * scale, width, width),
      y: keep(y, this.#size[1] * scale, height, this.#stage.clientHeight),
    };
    this.#canvas.style.transform = `translate(${this.#at.x}px, ${this.#at.y}px) scale(${zoom})`;
    this.#canvas.style.setProperty("--zoom", zoom);
    this.#stage.toggleAttribute("data-zoomed", zoom > 1);
  }

  #place({ clientX, clientY }) {
    const { left, top } = this.#stage.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  #wheel(event) {
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), this.#place(event));
  }

  #down(event) {
    if (event.target.closest("button")) return;
    this.#stage.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#place(event));
    this.#moved = this.#pointers.size > 1;
    this.#start = this.#place(event);
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#place(event);
    this.#moved ||= Math.hypot(now[0] - this.#start[0], now[1] - this.#start[1]) > TAP_PX;
    if (!this.#moved) return;
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    if (!other) return this.moveBy(now[0] - before[0], now[1] - before[1]);
    const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    this.zoomBy(apart(now) / Math.max(1, apart(before)), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
    this.moveBy((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
  }

  #up(event) {
    if (!this.#pointers.delete(event.pointerId) || this.#moved || event.type === "pointercancel") return;
    const [x, y] = this.#place(event);
    const last = this.#lastTap;
    this.#lastTap = { time: event.timeStamp, x, y };
    const again = event.timeStamp - last.time < DOUBLE_TAP_MS && Math.hypot(x - last.x, y - last.y) < 3 * TAP_PX;
    if (again) return this.#at.zoom > 1 ? this.fit() : this.zoomBy(3, [x, y]);
    const scale = this.#fitted * this.#at.zoom;
    this.#onTap([(x - this.#at.x) / scale, (y - this.#at.y) / scale], 1 / scale);
  }

  #key(event) {
    if (event.target !== this.#stage || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key](this);
  }
}
