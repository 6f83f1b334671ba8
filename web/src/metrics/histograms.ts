// Native histograms as rows of a heatmap: buckets that differ from point to point share rows.

import type { Bucket, HistogramLine, Line } from "../api/metrics.ts";
import { quantity } from "./lines.ts";

/** Rows of a heatmap; finer ones are put together. */
export const ROWS_MAX = 40;

/** Values between two bounds and the observations of them over time. */
export interface BucketRow {
  name: string;
  lower: number;
  upper: number;
  points: [ms: number, count: number][];
}

/** Returns the bounds of rows, lowest first: what lies between bounds that any bucket has, and zero where only zero counts. */
function boundsOf(buckets: readonly Bucket[]): [lower: number, upper: number][] {
  const exact = new Set(buckets.filter(({ lower, upper }) => lower === upper).map(({ lower }) => lower));
  const edges = [...new Set(buckets.flatMap(({ lower, upper }) => [lower, upper]))].sort((a, b) => a - b);
  return edges.flatMap((edge, n): [number, number][] => {
    const next = edges[n + 1];
    return [
      ...(exact.has(edge) ? [[edge, edge] as [number, number]] : []),
      ...(next === undefined ? [] : [[edge, next] as [number, number]]),
    ];
  });
}

/** Returns the places of the bounds that a bucket covers; `first` has the first place of each lower bound. */
function covered(
  bounds: readonly [number, number][],
  first: ReadonlyMap<number, number>,
  { lower, upper }: Bucket,
): number[] {
  const found: number[] = [];
  for (let n = first.get(lower) ?? bounds.length; n < bounds.length; n += 1) {
    const [start, end] = bounds[n] ?? [Infinity, Infinity];
    if (end > upper) break;
    if ((start === end) === (lower === upper)) found.push(n);
  }
  return found;
}

/** Returns the rows, highest values first. A bucket that covers several gives each the same: bounds of exponential buckets grow evenly. */
export function bucketRows({ points }: Pick<HistogramLine, "points">): BucketRow[] {
  const bounds = boundsOf(points.flatMap(([, { buckets }]) => buckets));
  const first = new Map([...bounds.entries()].reverse().map(([n, [lower]]) => [lower, n]));
  const together = Math.max(1, Math.ceil(bounds.length / ROWS_MAX));
  const rows = Array.from({ length: Math.ceil(bounds.length / together) }, (_, n): BucketRow => {
    const [lowest, highest] = [bounds[n * together], bounds[Math.min(bounds.length, (n + 1) * together) - 1]];
    const [lower, upper] = [lowest?.[0] ?? 0, highest?.[1] ?? 0];
    return { name: lower === upper ? quantity(upper) : `≤ ${quantity(upper)}`, lower, upper, points: [] };
  });
  for (const [ms, { buckets }] of points) {
    const counts = new Array<number>(rows.length).fill(0);
    for (const bucket of buckets) {
      const places = covered(bounds, first, bucket);
      for (const place of places) {
        const row = Math.floor(place / together);
        counts[row] = (counts[row] ?? 0) + bucket.count / places.length;
      }
    }
    rows.forEach((row, n) => row.points.push([ms, counts[n] ?? 0]));
  }
  return rows.reverse();
}

/** Returns the numbers of observations as lines. */
export function countLines(lines: readonly HistogramLine[]): Line[] {
  return lines.map(({ labels, points }) => ({ labels, points: points.map(([ms, { count }]) => [ms, count]) }));
}

/** The values of a bucket: `(0.5, 1]`. */
export function boundsText({ rule, lower, upper }: Bucket): string {
  const isClosed = { lower: rule === 1 || rule === 3, upper: rule === 0 || rule === 3 };
  return `${isClosed.lower ? "[" : "("}${quantity(lower)}, ${quantity(upper)}${isClosed.upper ? "]" : ")"}`;
}
