// Whether errors rose or stopped in what the bars show, or have been high since before, and what led to it.

import type { Histogram } from "../api.ts";
import type { AlsoBegan, Onset } from "../api/cause.ts";

/** Bars before a rise that tell what is usual. */
const BEFORE_MIN = 4;
/** Errors of a bar from which on a rise is worth a word, how many times the usual, and how many deviations above it. */
const ERRORS_MIN = 5;
const TIMES_MIN = 3;
const DEVIATIONS_MIN = 5;
/** Time before an onset in which a restart or a mark may have led to it. */
const CAUSE_MS_MAX = 15 * 60_000;
/** How far back an onset is searched for that lies before the range: so many lengths of it, within these bounds. */
const LENGTHS_BACK = 4;
const BACK_MS_MIN = 3_600_000;
const BACK_MS_MAX = 24 * 3_600_000;

/**
 * A rise of errors: the begin of its first bar, that of the bar before it, where what led to it may be, and the end of
 * what was counted, in ms since the epoch.
 */
export interface Rise {
  from: number;
  at: number;
  end: number;
}

function errorsOf(histogram: Pick<Histogram, "buckets">): number[] {
  return histogram.buckets.map((bucket) =>
    Object.entries(bucket.by ?? {}).reduce((sum, [level, n]) => sum + (/^(?:error|fatal)$/i.test(level) ? n : 0), 0),
  );
}

/** Whether there are enough errors to ask since when. */
export function hasErrors(histogram: Pick<Histogram, "buckets">): boolean {
  return errorsOf(histogram).reduce((sum, n) => sum + n, 0) >= ERRORS_MIN;
}

/** The first bar with clearly more errors than those before it; `null` where there is none. */
export function riseOf(histogram: Pick<Histogram, "buckets">): Rise | null {
  const errors = errorsOf(histogram);
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

/** From when on an onset is searched for: of a range that may be bad as a whole, also before it. */
export function searchFrom(from: number, to: number): number {
  return from - Math.min(BACK_MS_MAX, Math.max(BACK_MS_MIN, LENGTHS_BACK * (to - from)));
}

/** What the banner says: when errors rose, fell or stopped, or since when they are high. */
export interface Told {
  kind: "rose" | "high" | "fell" | "stopped";
  at: number;
  /** When it was over; `null` where it is not. */
  until: number | null;
  /** The restart or the mark that preceded it, and how long before. */
  cause: { what: string; before: number } | null;
}

/** The mark or restart closest before an onset. */
export function causeOf(onset: Pick<Onset, "began" | "uncertainty_ms" | "also">): Told["cause"] {
  const began = Date.parse(onset.began ?? "");
  const causes = onset.also
    .filter(({ kind }) => kind === "mark" || kind === "restart")
    .map((one: AlsoBegan) => ({ what: one.what, before: began - Date.parse(one.at) }))
    // A cause may seem to follow its effect by as much as the onset is uncertain.
    .filter(({ before }) => before >= -onset.uncertainty_ms && before <= CAUSE_MS_MAX)
    .sort((a, b) => Math.abs(a.before) - Math.abs(b.before));
  const [first] = causes;
  return first === undefined ? null : { what: first.what, before: Math.max(0, first.before) };
}

/** Combines the bars with the server's answer about the onset, which may be missing: of both, what came last. */
export function toldOf(rise: Rise | null, onset: Onset | null, from: number): Told | null {
  const inBars: Told | null = rise === null ? null : { kind: "rose", at: rise.at, until: null, cause: null };
  const at = Date.parse(onset?.began ?? "");
  if (onset === null || Number.isNaN(at)) return inBars;
  const until = onset.ended === null ? null : Date.parse(onset.ended);
  const after = onset.after ?? 0;
  const found = { at, until, cause: causeOf(onset) };
  if (after < (onset.before ?? 0)) {
    // Errors that were fewer for a while are as usual again.
    const isNews = at >= from && until === null && (rise === null || rise.at < at);
    return isNews ? { kind: after === 0 ? "stopped" : "fell", ...found } : inBars;
  }
  if (at >= from) return { kind: "rose", ...found };
  const isOver = until !== null && until <= from;
  return inBars ?? (isOver ? null : { kind: "high", ...found });
}
