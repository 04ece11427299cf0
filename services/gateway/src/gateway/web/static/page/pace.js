// How long people wait, as measures of the browser's own timeline (`make bench-page` reads them).

/** Measures the time from the photo until what has just been drawn is on the screen. */
export function markPainted(name) {
  requestAnimationFrame(() => setTimeout(() => performance.measure(name, "photo"))); // the timeout comes after the frame
}
