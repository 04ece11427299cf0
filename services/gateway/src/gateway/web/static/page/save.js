// The wall with its outlines as a file: an SVG with the photo inside, or the same as a PNG.

import { casing, css, shown } from "./color.js";
import { element, shape } from "./dom.js";
import { placeLabels } from "./labels.js";
import { titleOf } from "./problems.js";

const LONGER_SIDE_PX = 2048;

/** The outlines and labels as an SVG element, in pixels of the photo. */
function drawing(answer, [width, height]) {
  const line = Math.max(answer.image.width, answer.image.height) / 640;
  const holds = [...answer.holds].sort((a, b) => b.area_px - a.area_px).map((hold) => outline(hold, line));
  const viewBox = `0 0 ${answer.image.width} ${answer.image.height}`;
  return shape("svg", { viewBox, width, height }, ...holds, ...labels(answer, 10 * line));
}

function outline({ polygon, color }, line) {
  const rgb = shown(color);
  const d = `M${polygon.map((point) => point.join(" ")).join("L")}Z`;
  const common = { d, "stroke-linejoin": "round" };
  return shape(
    "g",
    {},
    shape("path", { ...common, fill: css(rgb), "fill-opacity": 0.22, stroke: casing(rgb), "stroke-width": 3 * line }),
    shape("path", { ...common, fill: "none", stroke: css(rgb), "stroke-width": 1.5 * line }),
  );
}

function labels(answer, size) {
  const names = new Map(answer.problems.map((problem) => [problem.id, titleOf(problem, answer.problems)]));
  const pen = element("canvas").getContext("2d");
  pen.font = `${size}px sans-serif`;
  const sizes = new Map([...names].map(([id, name]) => [id, [pen.measureText(name).width + size, 1.5 * size]]));
  const colors = new Map(answer.problems.map(({ id, color, rgb }) => [id, shown({ name: color, rgb })]));
  return placeLabels(answer, sizes).map(([id, box]) => label(names.get(id), box, colors.get(id), size));
}

function label(name, [x0, y0, x1, y1], rgb, size) {
  const frame = { x: x0, y: y0, width: x1 - x0, height: y1 - y0, rx: size / 3, fill: css(rgb), stroke: casing(rgb), "stroke-width": size / 10 };
  const place = { x: (x0 + x1) / 2, y: (y0 + y1) / 2, "text-anchor": "middle", "dominant-baseline": "central" };
  const word = shape("text", { ...place, "font-family": "sans-serif", "font-size": size, fill: casing(rgb) }, name);
  return shape("g", {}, shape("rect", frame), word);
}

/** The photo, upright, on a canvas no larger than a picture needs to be. */
function canvasOf(photo, image) {
  const scale = Math.min(1, LONGER_SIDE_PX / Math.max(image.width, image.height));
  const canvas = element("canvas", { width: image.width * scale, height: image.height * scale });
  if (photo.naturalWidth) canvas.getContext("2d").drawImage(photo, 0, 0, canvas.width, canvas.height);
  return canvas;
}

const sizeOf = ({ width, height }) => [width, height];
const serialized = (node) => new Blob([new XMLSerializer().serializeToString(node)], { type: "image/svg+xml" });

export async function asSvg(photo, answer) {
  const canvas = canvasOf(photo, answer.image);
  const picture = drawing(answer, sizeOf(canvas));
  const { width, height } = answer.image;
  picture.prepend(shape("image", { href: canvas.toDataURL("image/jpeg", 0.9), width, height }));
  return serialized(picture);
}

export async function asPng(photo, answer) {
  const canvas = canvasOf(photo, answer.image);
  const url = URL.createObjectURL(serialized(drawing(answer, sizeOf(canvas))));
  const overlay = element("img", { src: url });
  await overlay.decode();
  canvas.getContext("2d").drawImage(overlay, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(url);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

export function download(file) {
  const url = URL.createObjectURL(file);
  element("a", { href: url, download: file.name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
