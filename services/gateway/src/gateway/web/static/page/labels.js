// Where the problems' labels go on a saved picture, as the client's overlay places them: beside a hold of their problem,
// on as little of anything else as possible.

const OTHER_LABEL_WEIGHT = 20; // covering a label is worse than covering a hold

/** The upper left corner of each problem's label; `sizes` are [width, height] by problem id, all in pixels of the photo. */
export function placeLabels({ image, holds, problems }, sizes) {
  const boxes = new Map(holds.map(({ id, box }) => [id, box]));
  const labels = [];
  return problems.map(({ id, hold_ids: ids }) => {
    const own = ids.map((hold) => boxes.get(hold)).sort((a, b) => b[3] - a[3]); // problems start at the lowest hold
    const spots = own.flatMap((box) => around(box, sizes.get(id))).map((spot) => inside(spot, image));
    const cost = (spot) => covered(spot, [...boxes.values()]) + OTHER_LABEL_WEIGHT * covered(spot, labels);
    const best = spots.reduce((a, b) => (cost(b) < cost(a) ? b : a));
    labels.push(best);
    return [id, best];
  });
}

function around([x0, y0, x1, y1], [width, height]) {
  const gap = height / 4;
  const [middleX, middleY] = [(x0 + x1 - width) / 2, (y0 + y1 - height) / 2];
  const corners = [[middleX, y1 + gap], [middleX, y0 - gap - height], [x1 + gap, middleY], [x0 - gap - width, middleY]];
  return corners.map(([x, y]) => [x, y, x + width, y + height]);
}

function inside([x0, y0, x1, y1], image) {
  const x = Math.max(0, Math.min(x0, image.width - (x1 - x0)));
  const y = Math.max(0, Math.min(y0, image.height - (y1 - y0)));
  return [x, y, x + x1 - x0, y + y1 - y0];
}

function covered([x0, y0, x1, y1], boxes) {
  const overlap = ([a0, b0, a1, b1]) => Math.max(0, Math.min(x1, a1) - Math.max(x0, a0)) * Math.max(0, Math.min(y1, b1) - Math.max(y0, b0));
  return boxes.reduce((sum, box) => sum + overlap(box), 0);
}
