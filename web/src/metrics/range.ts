// The instants of a chart of metrics. They depend on the range alone, so that a link shows everyone the same points.

import type { Steps } from "../api/metrics.ts";

/** Most points of a line. */
const POINTS_MAX = 250;

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Returns a round distance of points, in ms. */
export function stepFor(length: number): number {
  const found = STEPS_S.find((step) => length / (step * 1000) <= POINTS_MAX);
  const day = 86_400_000;
  return found === undefined ? Math.ceil(length / POINTS_MAX / day) * day : found * 1000;
}

/** Returns the instants of a range, at multiples of their distance: a later end moves no point. */
export function stepsOf([from, to]: readonly [number, number]): Steps {
  const step = stepFor(Math.max(1, to - from));
  return { from: Math.floor(from / step) * step, to, step };
}

/** Returns the time whose log lines belong to a point, which speaks of what was before it: the minute that it is in or ends, or its whole step. */
export function minuteOf(ms: number, step: number): { from: number; to: number } {
  const minute = 60_000;
  if (step > minute) return { from: ms - step, to: ms };
  const from = Math.floor((ms - 1) / minute) * minute;
  return { from, to: from + minute };
}
