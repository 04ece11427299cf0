// The last walls as pictures to tap.

import { button, byId, element, icon } from "./dom.js";
import * as store from "./store.js";
import { language, text } from "./texts.js";

const THUMB_PX = 360;
const when = (at) => new Date(at).toLocaleString(language, { dateStyle: "short", timeStyle: "short" });

export async function listRecent(onOpen) {
  const walls = await store.walls();
  for (const image of byId("recent-list").querySelectorAll("img")) URL.revokeObjectURL(image.src);
  byId("recent-list").replaceChildren(...walls.map((wall) => entry(wall, onOpen)));
  byId("recent").hidden = walls.length === 0;
}

function entry(wall, onOpen) {
  const name = text.wallOf(when(wall.at), wall.answer.holds.length);
  const picture = wall.thumb ? element("img", { src: URL.createObjectURL(wall.thumb), alt: "" }) : icon("photo");
  const opens = button({ className: "thumb", "aria-label": text.open(name) }, picture, element("span", {}, when(wall.at)));
  const removes = button({ className: "round", "aria-label": text.remove(name), title: text.forget }, icon("close"));
  opens.addEventListener("click", () => onOpen(wall.key));
  removes.addEventListener("click", () => store.remove(wall.key).then(() => listRecent(onOpen)));
  return element("li", {}, opens, removes);
}

/** A small JPEG of a shown photo, or null where the browser cannot show it. */
export async function thumbOf(image) {
  if (!image.naturalWidth) return null;
  const scale = THUMB_PX / Math.max(image.naturalWidth, image.naturalHeight);
  const canvas = element("canvas", { width: image.naturalWidth * scale, height: image.naturalHeight * scale });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.8));
}
