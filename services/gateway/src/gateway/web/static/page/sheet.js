// The sheet that tells about one thing: over the wall's lower end on a phone, beside the wall where there is room.

import { byId } from "./dom.js";

export class Sheet {
  #node = byId("sheet");
  #view;

  constructor(view, onClose) {
    this.#view = view;
    byId("sheet-close").addEventListener("click", () => onClose());
    document.addEventListener("keydown", ({ key }) => key === "Escape" && !this.#node.hidden && onClose());
    new ResizeObserver(() => this.#cover()).observe(this.#node);
  }

  /** Shows a title (text or elements) and what belongs to it. */
  open(title, ...content) {
    byId("sheet-title").replaceChildren(...[title].flat());
    byId("sheet-content").replaceChildren(...content);
    byId("sheet-outcome").textContent = "";
    this.#node.hidden = false;
    this.#cover();
  }

  focus() {
    byId("sheet-title").focus({ preventScroll: true });
  }

  close() {
    this.#node.hidden = true;
    this.#cover();
  }

  #cover() {
    const [stage, own] = [byId("stage").getBoundingClientRect(), this.#node.getBoundingClientRect()];
    const beside = own.left >= stage.right || own.right <= stage.left || own.top >= stage.bottom;
    this.#view.cover(this.#node.hidden || beside ? 0 : stage.bottom - own.top);
  }
}
