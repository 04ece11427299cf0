// The problems as chips, and what is known of one.

import { casing, css, nameOf, shown } from "./color.js";
import { button, byId, element } from "./dom.js";
import { text } from "./texts.js";

const FACTS = ["hold_count", "height_span", "reach_max", "small_share", "confidence"];

/** A problem's name: its color, and a number where there are more of that color. */
export function titleOf(problem, problems) {
  const alike = problems.filter(({ color }) => color === problem.color);
  return alike.length > 1 ? `${nameOf(problem.color)} ${alike.indexOf(problem) + 1}` : nameOf(problem.color);
}

/** A round patch of a color. */
export function patch(color) {
  const rgb = shown(color);
  const node = element("span", { className: "patch", "aria-hidden": "true" });
  node.style.setProperty("--color", css(rgb));
  node.style.setProperty("--casing", casing(rgb));
  return node;
}

/** What is known of a problem, as a list of short sentences; facts that an answer lacks are left out. */
export function factsOf(problem) {
  const known = FACTS.filter((fact) => typeof problem[fact] === "number");
  return element("ul", { className: "facts" }, ...known.map((fact) => element("li", {}, text.problemFacts[fact](problem[fact]))));
}

export class Problems {
  #row = byId("problems");
  #onPick;

  /** `onPick` gets a problem, or null for all holds. */
  constructor(onPick) {
    this.#onPick = onPick;
  }

  clear() {
    this.#row.replaceChildren();
  }

  show({ holds, problems }) {
    if (!problems.length) return this.clear();
    const chips = problems.map((problem) =>
      this.#chip(problem, patch({ name: problem.color, rgb: problem.rgb }), `${titleOf(problem, problems)} · ${problem.hold_count}`),
    );
    this.#row.replaceChildren(this.#chip(null, text.all(holds.length)), ...chips);
    this.mark(null);
  }

  /** Presses the chip of a problem, or the one of all holds. */
  mark(problem) {
    for (const chip of this.#row.children) {
      const pressed = chip.dataset.id === (problem?.id ?? "");
      chip.setAttribute("aria-pressed", String(pressed));
      if (pressed) chip.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }

  #chip(problem, ...content) {
    const chip = button({ className: "chip", "data-id": problem?.id ?? "" }, ...content);
    chip.addEventListener("click", () => this.#onPick(chip.getAttribute("aria-pressed") === "true" ? null : problem));
    return chip;
  }
}
