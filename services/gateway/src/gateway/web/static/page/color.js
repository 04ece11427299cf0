// Colors as they are drawn, the same way as the client's overlay: a line in the color, cased in black or white.

import { recall, remember } from "./kept.js";
import { palette } from "./service.js";
import { text } from "./texts.js";

const UNCOLORED = [160, 160, 160];
const KEPT = "palette";
const known = new Map();

/** Learns the display colors: those of last time now, and those of the service as soon as it tells them. */
export async function learnPalette() {
  learn(recall(KEPT, []));
  const colors = await palette().catch(() => null);
  if (!colors) return;
  learn(colors.map(({ name, rgb }) => [name, rgb]));
  remember(KEPT, [...known]);
}

function learn(colors) {
  known.clear();
  for (const [name, rgb] of colors) known.set(name, rgb);
}

export const knowsPalette = () => known.size > 0;
export const colorNames = () => (knowsPalette() ? [...known.keys()] : Object.keys(text.colors).filter((name) => name !== "unknown"));
export const nameOf = (color) => text.colors[color] ?? color;
export const css = ([red, green, blue]) => `rgb(${red},${green},${blue})`;

/** The RGB to draw a hold's color with. */
export const shown = (color) => known.get(color?.name) ?? color?.rgb ?? UNCOLORED;

/** Black for light colors, white for dark ones. */
export const casing = ([red, green, blue]) => (0.299 * red + 0.587 * green + 0.114 * blue > 96 ? "#000" : "#fff");
