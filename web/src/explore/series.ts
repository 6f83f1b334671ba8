// What of an answer is measured, and lines out of an aggregation by time: one per number, or one per value of the other columns.

import type { Column } from "../api.ts";
import { cut, printable, textOf } from "../format.ts";
import type { Json } from "../query/edit.ts";
import { commands, type Token } from "../query/lex.ts";

const SERIES_MAX = 8;
/** Stands for a value that is not there. */
export const NOTHING = "–";
const POINTS_MAX = 5000;

/** A line: its name and its points by time. */
export interface Series {
  name: string;
  points: [ms: number, value: number][];
}

/** The rows of an answer, and its query. */
export interface Answered {
  columns: readonly Column[];
  table: readonly (readonly Json[])[];
  query: string;
}

const NOT_FINITE: Readonly<Record<string, number>> = { NaN, "+Inf": Infinity, "-Inf": -Infinity };

/** Returns the number that a cell holds; `undefined` if it holds none. JSON has no number that is not finite: these are texts. */
export function numberIn(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && Object.hasOwn(NOT_FINITE, value) ? NOT_FINITE[value] : undefined;
}

/** Whether a cell is empty, or holds a native histogram, which has no number of its own. */
const hasNoNumber = (value: Json | undefined) =>
  value === null || value === undefined || (typeof value === "string" && value.startsWith("{count:"));

/** Whether a column holds numbers. */
export function isNumeric(column: Column): boolean {
  return column.type === "integer" || column.type === "float";
}

function hasNumbers(column: Column, at: number, table: Answered["table"]): boolean {
  if (column.type !== "any") return isNumeric(column);
  const values = table.map((row) => row[at]).filter((value) => !hasNoNumber(value));
  return values.length > 0 && values.every((value) => numberIn(value) !== undefined);
}

/** The parts of a list, each as what it is and what its column is called. */
function named(tokens: readonly Token[], isNameFirst: boolean): [what: string, name: string][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.text === "(") depth += 1;
    if (token.text === ")") depth -= 1;
    if (depth === 0 && /^(?:,|by)$/i.test(token.text)) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  const joined = (part: readonly Token[]) => part.map(({ text }) => plain(text)).join("");
  return parts.map((part) => {
    const as = part.findIndex(({ text }) => /^as$/i.test(text));
    const is = isNameFirst ? part.findIndex(({ text }) => text === "=") : -1;
    if (as >= 0) return [joined(part.slice(0, as)), joined(part.slice(as + 1))];
    return [joined(part.slice(is + 1)), joined(is >= 0 ? part.slice(0, is) : part)];
  });
}

const plain = (name: string) => name.replaceAll(/[\s`]/g, "");

/** Returns the names of the columns that a query in Insights or ES|QL groups by, without spaces and backticks. */
export function groupedBy(query: string, language: "insights" | "esql" = "insights"): string[] {
  let groups: string[] = [];
  for (const { name, tokens } of commands(query)) {
    const end = /^offset$/i.test(tokens.at(-2)?.text ?? "") ? -2 : tokens.length;
    // ES|QL has the name first: `BY host = TO_LOWER(host.name)`.
    const parts = (from: number) => named(tokens.slice(from, end), language === "esql");
    const by = tokens.findIndex(({ text }) => /^by$/i.test(text));
    if (name === "stats" || name === "timechart") groups = by < 0 ? [] : parts(by + 1).map(([, own]) => own);
    else if (name === "top" || name === "rare")
      groups = parts(tokens[1]?.kind === "number" ? 2 : 1).map(([, own]) => own);
    else if (name === "rename" || name === "fields" || name === "display") {
      const renamed = new Map(parts(1));
      groups = groups.map((group) => renamed.get(group) ?? group);
    }
  }
  return groups;
}

/** Returns the places of the columns that an answer measures: all numbers except those that the query groups by. */
export function measuresOf({ columns, table, query }: Answered, language = "insights"): number[] {
  const groups = new Set(language === "insights" || language === "esql" ? groupedBy(query, language) : []);
  return columns.flatMap((column, at) =>
    !groups.has(plain(column.name)) && hasNumbers(column, at, table) ? [at] : [],
  );
}

/** The lines of an answer; `null` where it is not by time. `left` is how many were left out. Where it has names, the lines are of one number: of the column `measure`, else of the first; `only` names the series and their order. */
export function seriesOf(
  data: Answered,
  measure?: number,
  only?: readonly string[],
): { series: Series[]; left: number } | null {
  const { columns, table } = data;
  const time = columns.findIndex((column) => column.type === "timestamp");
  const numbers = measuresOf(data);
  const names = columns.flatMap((_, at) => (at !== time && !numbers.includes(at) ? [at] : []));
  const times = new Set(table.map((row) => row[time]));
  if (time < 0 || numbers.length === 0 || times.size < 2 || table.length > POINTS_MAX) return null;
  if (names.length === 0 && times.size < table.length) return null;
  const found = new Map<string, Series>();
  const add = (name: string, row: readonly Json[], at: number) => {
    const value = row[at];
    const ms = Date.parse(String(row[time]));
    if (typeof value !== "number" || Number.isNaN(ms)) return;
    const series = found.get(name) ?? { name, points: [] };
    series.points.push([ms, value]);
    found.set(name, series);
  };
  for (const row of table) {
    if (names.length > 0)
      add(names.map((at) => printable(cut(textOf(row[at], NOTHING), 60))).join(" · "), row, measure ?? numbers[0] ?? 0);
    else for (const at of numbers) add(columns[at]?.name ?? "", row, at);
  }
  const size = (series: Series) => series.points.reduce((sum, [, value]) => sum + Math.abs(value), 0);
  const all = only
    ? only.map((name) => found.get(name) ?? { name, points: [] })
    : [...found.values()].sort((a, b) => size(b) - size(a));
  for (const series of all) series.points.sort((a, b) => a[0] - b[0]);
  return all.length === 0 ? null : { series: all.slice(0, SERIES_MAX), left: Math.max(0, found.size - SERIES_MAX) };
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

/** A line that is broken where buckets are missing, or their values not finite; a point without neighbours is a dot. */
export function path(
  points: Series["points"],
  x: (ms: number) => number,
  y: (value: number) => number,
  step: number,
): string {
  const known = points.filter(([, value]) => Number.isFinite(value));
  const at = ([ms, value]: [number, number], left = 0) => `${(x(ms) - left).toFixed(1)} ${y(value).toFixed(1)}`;
  // The middle, and a ring around it: a line has no area to fill.
  const dot = (one: [number, number]) => `M${at(one)}h0M${at(one, 1.5)}a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0`;
  return unbroken(known, step)
    .map((part) => (part.length === 1 ? part.map(dot).join("") : `M${part.map((one) => at(one)).join("L")}`))
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
