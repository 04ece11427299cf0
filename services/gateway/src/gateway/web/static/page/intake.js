// Photos come in: taken, chosen, dropped or pasted.

import { byId } from "./dom.js";

export function takeIn(onPhoto) {
  for (const input of document.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      const [photo] = input.files;
      input.value = ""; // the same file may be chosen again
      if (photo) onPhoto(photo);
    });
  }
  const drag = (on) => document.body.toggleAttribute("data-dragging", on);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drag(event.dataTransfer.types.includes("Files"));
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget ?? drag(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drag(false);
    const [photo] = event.dataTransfer.files;
    if (photo) onPhoto(photo);
  });
  document.addEventListener("paste", ({ clipboardData }) => {
    const [photo] = clipboardData.files;
    if (photo) onPhoto(photo);
  });
}

/** Opens the dialog of the input for any photo. */
export const choosePhoto = () => byId("choose").click();
