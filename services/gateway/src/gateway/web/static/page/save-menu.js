// The menu that saves or shares the wall as a picture.

import { byId } from "./dom.js";
import { asPng, asSvg, download } from "./save.js";
import { text } from "./texts.js";

const baseOf = (name) => name.replace(/\.[^.]*$/, "") || "wall";

/** `sceneNow` gives the wall in sight; `say` tells people what went wrong. */
export function offerSaving(sceneNow, say) {
  const files = {
    png: async ({ name, answer }) => new File([await asPng(byId("photo"), answer)], `${baseOf(name)}-holds.png`, { type: "image/png" }),
    svg: async ({ name, answer }) => new File([await asSvg(byId("photo"), answer)], `${baseOf(name)}-holds.svg`, { type: "image/svg+xml" }),
  };
  const on = (id, work) => byId(id).addEventListener("click", () => {
    byId("save-menu").hidePopover();
    work(sceneNow()).catch((error) => error.name === "AbortError" || say(text.saveFailed));
  });
  on("save-png", async (scene) => download(await files.png(scene)));
  on("save-svg", async (scene) => download(await files.svg(scene)));
  on("share", async (scene) => navigator.share({ files: [await files.png(scene)] }));
  byId("share").hidden = !navigator.canShare?.({ files: [new File([""], "wall.png", { type: "image/png" })] });
}
