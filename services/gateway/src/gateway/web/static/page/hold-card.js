// What is known of one hold, and "it is pink" in two taps.

import { colorNames, nameOf } from "./color.js";
import { button, element } from "./dom.js";
import { patch, titleOf } from "./problems.js";
import { text } from "./texts.js";

export const holdTitle = (hold) => [patch(hold.color), text[hold.kind](nameOf(hold.color?.name ?? "unknown"))];

/** The card's content; `onCorrect` gets the name that a person says. */
export function holdCard(hold, problems, onCorrect) {
  const choice = element("div");
  if (hold.color) choice.append(question(hold, choice, onCorrect));
  return [element("p", { className: "quiet" }, summary(hold, problems)), choice];
}

function summary(hold, problems) {
  const problem = problems.find(({ hold_ids: ids }) => ids.includes(hold.id));
  const sure = hold.answered ? text.corrected : hold.color && text.sure(hold.color.confidence);
  return [sure, problem ? text.partOf(titleOf(problem, problems)) : text.alone].filter(Boolean).join(" · ");
}

function question(hold, choice, onCorrect) {
  const ask = button({ className: "plain" }, text.wrongColor);
  ask.addEventListener("click", () => {
    choice.replaceChildren(element("h3", {}, text.whichColor), swatches(hold, onCorrect));
    choice.querySelector("button").focus({ preventScroll: true });
  });
  return ask;
}

function swatches(hold, onCorrect) {
  const names = [...colorNames(), "unknown"].filter((name) => name !== hold.color.name);
  const buttons = names.map((name) => {
    const swatch = button({ className: "swatch" }, patch({ name }), nameOf(name));
    swatch.addEventListener("click", () => onCorrect(name));
    return swatch;
  });
  return element("div", { className: "swatches", role: "group", "aria-label": text.whichColor }, ...buttons);
}
