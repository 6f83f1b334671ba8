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
