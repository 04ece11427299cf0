// Looking closely: one problem in the light, one hold on its card, one color put right.

import { nameOf } from "./color.js";
import { recolor, report } from "./correction.js";
import { byId } from "./dom.js";
import { holdCard, holdTitle } from "./hold-card.js";
import { factsOf, patch, Problems, titleOf } from "./problems.js";
import { Sheet } from "./sheet.js";
import { text } from "./texts.js";
import { Wall } from "./wall.js";

export class Look {
  wall = new Wall((hold) => this.#pickHold(hold));
  #sheet = new Sheet(this.wall.view, () => this.close());
  #problems = new Problems((problem) => this.#pickProblem(problem));
  #scene = null;
  #onCorrected;
  #hold = null;
  #problem = null;

  /** `onCorrected` is told when a hold of the scene has another color than before. */
  constructor(onCorrected) {
    this.#onCorrected = onCorrected;
  }

  /** Starts with a scene { photo, answer }, of which as yet only the photo may be known. */
  begin(scene) {
    this.#scene = scene;
    this.#problems.clear();
    this.close();
  }

  /** The answer is whole: shows the problems. */
  complete() {
    this.#problems.show(this.#scene.answer);
    if (!this.#hold) return;
    this.#mark(this.#scene.answer.holds.find(({ id }) => id === this.#hold.id));
    this.#card();
  }

  close() {
    this.#light(null);
    this.#mark(null);
    this.#sheet.close();
  }

  #pickProblem(problem) {
    this.#mark(null);
    this.#light(problem);
    if (!problem) return this.#sheet.close();
    const name = titleOf(problem, this.#scene.answer.problems);
    this.#sheet.open([patch({ name: problem.color, rgb: problem.rgb }), name], factsOf(problem));
  }

  #pickHold(hold) {
    if (!hold) return this.close();
    if (this.#problem && !this.#problem.hold_ids.includes(hold.id)) this.#light(null);
    this.#mark(hold);
    this.#card();
    this.#sheet.focus();
    this.wall.view.reveal(hold.box);
  }

  #card(said = "") {
    const content = holdCard(this.#hold, this.#scene.answer.problems, (name) => this.#correct(this.#hold, name));
    this.#sheet.open(holdTitle(this.#hold), ...content);
    byId("sheet-outcome").textContent = said;
  }

  async #correct(hold, name) {
    const { answer } = this.#scene;
    recolor(answer, hold, name);
    this.wall.paint(hold.id, hold.color);
    this.#problems.show(answer);
    this.#light(null);
    this.#card();
    this.#sheet.focus();
    this.#onCorrected(this.#scene);
    const outcome = await report(answer, hold, await this.#photoSha256());
    const said = { sent: text.thanks(nameOf(name)), kept: text.keptForLater, refused: text.notTaken }[outcome];
    if (this.#hold === hold) this.#card(said);
  }

  async #photoSha256() {
    if (!crypto.subtle) return null; // only over HTTPS and on localhost
    const digest = await crypto.subtle.digest("SHA-256", await this.#scene.photo.arrayBuffer());
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  #light(problem) {
    this.#problem = problem;
    this.#problems.mark(problem);
    this.wall.spotlight(problem && problem.hold_ids);
  }

  #mark(hold) {
    const before = this.#hold;
    this.#hold = hold;
    this.wall.mark(hold && hold.id);
    if (!hold && before && byId("sheet").contains(document.activeElement)) this.wall.focus(before.id);
  }
}
