// Which rows of a long list are mounted. Closed rows have one fixed height; the few open ones have an extra, measured one.
// All places follow from that by arithmetic, so nothing moves unless a row above is opened.

/** Rows that are open, by index in ascending order, with the height of what they show. */
export type Extras = readonly (readonly [index: number, height: number])[];

/** A stretch of rows to mount. */
export interface Stretch {
  first: number;
  /** One past the last. */
  end: number;
}

/** Where a row begins. */
export function topOf(index: number, rowHeight: number, extras: Extras): number {
  let top = index * rowHeight;
  for (const [at, height] of extras) {
    if (at >= index) break;
    top += height;
  }
  return top;
}

/** The row at a place. */
export function rowAt(place: number, rowHeight: number, extras: Extras): number {
  let passed = 0;
  for (const [at, height] of extras) {
    const end = (at + 1) * rowHeight + passed + height;
    if (place < end) return Math.min(Math.floor((place - passed) / rowHeight), at);
    passed += height;
  }
  return Math.floor((place - passed) / rowHeight);
}

/** The rows to mount for a scroll position, with a few more on both sides. */
export function stretch(
  scrollTop: number,
  viewport: number,
  count: number,
  rowHeight: number,
  extras: Extras,
  spare = 8,
): Stretch {
  const first = Math.max(0, rowAt(Math.max(0, scrollTop), rowHeight, extras) - spare);
  const end = Math.min(count, rowAt(scrollTop + viewport, rowHeight, extras) + 1 + spare);
  return { first: Math.min(first, Math.max(0, count - 1)), end };
}
