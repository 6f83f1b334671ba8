// Built-in variables: the distance of points that suits a range. The server computes the same for files.

import type { Choices } from "./variables.ts";

/** How many points a chart has, about. */
const POINTS = 200;

/** Distances that people read easily, in seconds. */
const NICE = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800];
const WEEK_S = 604_800;

/** How often metrics are read, as far as it is not known: `$__rate_interval` has at least four of them. */
const SCRAPE_S = 15;

/** Returns `__interval`, `__rate_interval` and `__range` for a range in ms; the interval is `step` if that is given. */
export function builtIns({ from, to }: { from: number; to: number }, step?: number): Choices {
  const range = Math.max(1, Math.floor((to - from) / 1000));
  const least = Math.floor(range / POINTS);
  const nice = NICE.find((one) => one >= least) ?? WEEK_S * (Math.floor(least / WEEK_S) + 1);
  const interval = Math.max(1, step === undefined ? nice : Math.floor(step / 1000));
  const rate = Math.max(interval + SCRAPE_S, 4 * SCRAPE_S);
  const of = (seconds: number) => ({ values: [`${seconds}s`], isAll: false });
  return { __interval: of(interval), __rate_interval: of(rate), __range: of(range) };
}
