// Points, boxes [x0, y0, x1, y1] and polygons [[x, y], …] in pixels of the photo.

export const centerOf = ([x0, y0, x1, y1]) => [(x0 + x1) / 2, (y0 + y1) / 2];

/** Whether a point is inside, by counting the edges that a ray to the right crosses. */
export function contains(polygon, [x, y]) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [[xi, yi], [xj, yj]] = [polygon[i], polygon[j]];
    if (yi > y !== yj > y && x < xi + ((y - yi) / (yj - yi)) * (xj - xi)) inside = !inside;
  }
  return inside;
}

function distanceToBox([x0, y0, x1, y1], [x, y]) {
  return Math.hypot(Math.max(x0 - x, 0, x - x1), Math.max(y0 - y, 0, y - y1));
}

/** The hold that a thumb at a point means: the smallest one under it, else the nearest within `reach` pixels. */
export function holdAt(holds, point, reach) {
  const under = holds.filter(({ polygon }) => contains(polygon, point)).sort((a, b) => a.area_px - b.area_px);
  if (under.length) return under[0];
  const near = holds.map((hold) => [distanceToBox(hold.box, point), hold]).sort(([a], [b]) => a - b)[0];
  return near && near[0] <= reach ? near[1] : null;
}

/** The next hold from one in a direction [dx, dy]: near, and not far off the direction. */
export function neighbor(holds, from, [dx, dy]) {
  const [x, y] = centerOf(from.box);
  let best = null;
  let least = Infinity;
  for (const hold of holds) {
    const [hx, hy] = centerOf(hold.box);
    const along = (hx - x) * dx + (hy - y) * dy;
    const aside = Math.abs((hx - x) * dy) + Math.abs((hy - y) * dx);
    const cost = along + 2 * aside;
    if (along > 0 && aside <= 2 * along && cost < least) [best, least] = [hold, cost];
  }
  return best;
}
