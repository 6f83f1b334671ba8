// Whether errors rose in what the bars show, and when: from the counts that the page already has.

import type { Histogram } from "../api.ts";

/** Bars before a rise that tell what is usual. */
const BEFORE_MIN = 4;
/** Errors of a bar from which on a rise is worth a word, how many times the usual, and how many deviations above it. */
const ERRORS_MIN = 5;
const TIMES_MIN = 3;
const DEVIATIONS_MIN = 5;

/**
 * A rise of errors: the begin of its first bar, that of the bar before it, where what led to it may be, and the end of
 * what was counted, in ms since the epoch.
 */
export interface Rise {
  from: number;
  at: number;
  end: number;
}

/** The first bar with clearly more errors than those before it; `null` where there is none. */
export function riseOf(histogram: Pick<Histogram, "buckets">): Rise | null {
  const errors = histogram.buckets.map((bucket) =>
    Object.entries(bucket.by ?? {}).reduce((sum, [level, n]) => sum + (/^(?:error|fatal)$/i.test(level) ? n : 0), 0),
  );
  // What was usual before there were events at all says nothing.
  const begin = histogram.buckets.findIndex((bucket) => bucket.total > 0);
  let sum = 0;
  for (let at = Math.max(0, begin); at < errors.length; at += 1) {
    const n = errors[at] ?? 0;
    const usual = sum / Math.max(1, at - begin);
    const isRise = n >= ERRORS_MIN && n >= TIMES_MIN * usual && n - usual >= DEVIATIONS_MIN * Math.sqrt(usual);
    const [before, bucket, last] = [histogram.buckets[at - 1], histogram.buckets[at], histogram.buckets.at(-1)];
    if (begin >= 0 && at - begin >= BEFORE_MIN && isRise && before && bucket && last) {
      return { from: Date.parse(before.from), at: Date.parse(bucket.from), end: Date.parse(last.to) };
    }
    sum += n;
  }
  return null;
}
