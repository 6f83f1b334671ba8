// Counts over time as the chart draws them.

import type { Histogram } from "../api.ts";
import { levelClass, NO_LEVEL } from "./levels.ts";

/** A bar: its time and its events by level. */
export interface Bucket {
  from: number;
  to: number;
  total: number;
  by: Record<string, number>;
}

/** Buckets with times as numbers and every level under its canonical name. */
export function bucketsOf(buckets: Histogram["buckets"]): Bucket[] {
  return buckets.map((bucket) => {
    const by: Record<string, number> = {};
    let known = 0;
    for (const [level, n] of Object.entries(bucket.by ?? {})) {
      by[levelClass(level)] = (by[levelClass(level)] ?? 0) + n;
      known += n;
    }
    if (bucket.total > known) by[NO_LEVEL] = (by[NO_LEVEL] ?? 0) + bucket.total - known;
    return { from: Date.parse(bucket.from), to: Date.parse(bucket.to), total: bucket.total, by };
  });
}

/** Returns how many errors a bar has. */
export function errorsOf({ by }: Pick<Bucket, "by">): number {
  return (by["error"] ?? 0) + (by["fatal"] ?? 0);
}

/** A day on which clocks change is shorter than others, and whole. */
const WHOLE = 0.95;

/** Reports whether the range cuts a bar, so that it has only a part of its events: as if they rose or fell there. */
export function isPart({ from, to }: Pick<Bucket, "from" | "to">, interval: number): boolean {
  return to - from < interval * WHOLE;
}

/** What the chart shows: the ends of its axis, in ms since the epoch, and its bars, read from left to right. */
export interface Drawn {
  from: number;
  to: number;
  buckets: readonly Bucket[];
}

/**
 * The bars of a range from `start` to `end`. "Until now" counts events slightly ahead of the clock, too: where there are
 * such, the axis goes on to their bar, and ends at `end` otherwise.
 */
export function drawnOf(buckets: readonly Bucket[], start: number, end: number): Drawn {
  const first = buckets.findIndex((bucket) => bucket.total > 0);
  const last = buckets.findLastIndex((bucket) => bucket.total > 0);
  // Of "all time" only the part with events is drawn: fifty empty years say nothing.
  if (start <= 0 && first >= 0) {
    const shown = buckets.slice(first, last + 1);
    return { from: shown[0]?.from ?? start, to: shown.at(-1)?.to ?? end, buckets: shown };
  }
  const shown = buckets.filter((bucket, n) => n <= last || bucket.from < end);
  const tail = shown.at(-1);
  return {
    from: Math.min(start, shown[0]?.from ?? start),
    to: tail && tail.from >= end ? Math.max(end, tail.to) : end,
    buckets: shown,
  };
}
