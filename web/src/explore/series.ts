// Lines out of an aggregation by time: one per number, or one per value of the other columns.

import type { Column } from "../api.ts";
import { cut, printable } from "../format.ts";
import type { Json } from "../query/edit.ts";

const SERIES_MAX = 8;
/** Stands for a value that is not there. */
export const NOTHING = "–";
const POINTS_MAX = 5000;

/** A line: its name and its points by time. */
export interface Series {
  name: string;
  points: [ms: number, value: number][];
}

/** The places of the columns with numbers that have a chart of their own: of an answer by time and names with several. */
export function measuresOf({ columns }: { columns: readonly Column[] }): number[] {
  const numbers = columns.flatMap((column, at) => (column.type === "integer" || column.type === "float" ? [at] : []));
  const hasNames = columns.some((column, at) => column.type !== "timestamp" && !numbers.includes(at));
  return hasNames && numbers.length > 1 ? numbers : [];
}

/** The lines of an answer; `null` where it is not by time. `left` is how many were left out. Where it has names, the lines are of one number: of the column `measure`, else of the first. */
export function seriesOf(
  data: { columns: readonly Column[]; table: readonly Json[][] },
  measure?: number,
): { series: Series[]; left: number } | null {
  const { columns, table } = data;
  const time = columns.findIndex((column) => column.type === "timestamp");
  const numbers = columns.flatMap((column, at) => (column.type === "integer" || column.type === "float" ? [at] : []));
  const names = columns.flatMap((_, at) => (at !== time && !numbers.includes(at) ? [at] : []));
  const times = new Set(table.map((row) => row[time]));
  if (time < 0 || numbers.length === 0 || times.size < 2 || table.length > POINTS_MAX) return null;
  if (names.length === 0 && times.size < table.length) return null;
  const found = new Map<string, Series>();
  const add = (name: string, row: Json[], at: number) => {
    const value = row[at];
    const ms = Date.parse(String(row[time]));
    if (typeof value !== "number" || Number.isNaN(ms)) return;
    const series = found.get(name) ?? { name, points: [] };
    series.points.push([ms, value]);
    found.set(name, series);
  };
  for (const row of table) {
    if (names.length > 0)
      add(
        names.map((at) => (row[at] === null ? NOTHING : printable(cut(String(row[at]), 60)))).join(" · "),
        row,
        measure ?? numbers[0] ?? 0,
      );
    else for (const at of numbers) add(columns[at]?.name ?? "", row, at);
  }
  const size = (series: Series) => series.points.reduce((sum, [, value]) => sum + Math.abs(value), 0);
  const all = [...found.values()].sort((a, b) => size(b) - size(a));
  for (const series of all) series.points.sort((a, b) => a[0] - b[0]);
  return all.length === 0 ? null : { series: all.slice(0, SERIES_MAX), left: Math.max(0, all.length - SERIES_MAX) };
}

/** The distance of neighbouring points: the bucket's width. */
export function stepOf(series: readonly Series[]): number {
  const times = [...new Set(series.flatMap((one) => one.points.map(([ms]) => ms)))].sort((a, b) => a - b);
  return times.slice(1).reduce((least, ms, at) => Math.min(least, ms - (times[at] ?? 0)), Number.POSITIVE_INFINITY);
}

/** The points in parts: a new one begins where buckets are missing. */
export function unbroken<P extends readonly [ms: number, ...rest: number[]]>(
  points: readonly P[],
  step: number,
): P[][] {
  const parts: P[][] = [];
  let last: P | undefined;
  for (const point of points) {
    const part = parts.at(-1);
    if (part && last && point[0] - last[0] <= step * 1.5) part.push(point);
    else parts.push([point]);
    last = point;
  }
  return parts;
}

/** A line that is broken where buckets are missing. */
export function path(
  points: Series["points"],
  x: (ms: number) => number,
  y: (value: number) => number,
  step: number,
): string {
  const point = ([ms, value]: [number, number], at: number) =>
    `${at === 0 ? "M" : "L"}${x(ms).toFixed(1)} ${y(value).toFixed(1)}h0`;
  return unbroken(points, step)
    .map((part) => part.map(point).join(""))
    .join("");
}

/** A line with what lies below it: at each instant from where to where it reaches. */
export interface Stacked {
  name: string;
  points: [ms: number, from: number, to: number][];
}

/** The lines on top of each other, at every instant that one of them has; what is missing is nothing. */
export function stack(series: readonly Series[]): Stacked[] {
  const times = [...new Set(series.flatMap((one) => one.points.map(([ms]) => ms)))].sort((a, b) => a - b);
  const reached = new Map<number, number>();
  return series.map(({ name, points }) => {
    const values = new Map(points);
    return {
      name,
      points: times.map((ms) => {
        const from = reached.get(ms) ?? 0;
        const to = from + Math.max(0, values.get(ms) ?? 0);
        reached.set(ms, to);
        return [ms, from, to];
      }),
    };
  });
}
