// What is drawn and listed of an answer: names that tell lines apart, their numbers, and the scale of their values.

import { NAME, type Labels, type Line } from "../api/metrics.ts";
import { cut, decimal, printable } from "../format.ts";
import { seriesName } from "./promql.ts";

/** Most lines that are drawn. */
export const DRAWN_MAX = 200;

/** A line as it is drawn and listed. */
export interface DrawnLine {
  /** Its metric and all labels: what the address names it by. */
  name: string;
  /** The labels that tell it from the others. */
  short: string;
  labels: Labels;
  /** Place in the order of the answer, which gives it its colour. */
  n: number;
  points: Line["points"];
  last: number;
  min: number;
  max: number;
  /** When it is highest. */
  peak: number;
}

/** Returns the labels that all lines have with the same value. */
export function sharedLabels(lines: readonly Pick<Line, "labels">[]): [name: string, value: string][] {
  const [first, ...rest] = lines;
  return Object.entries(first?.labels ?? {}).filter(([name, value]) =>
    rest.every(({ labels }) => labels[name] === value),
  );
}

function drawn({ labels, points }: Line, n: number, shared: ReadonlySet<string>): DrawnLine {
  const finite = points.filter(([, value]) => Number.isFinite(value));
  const [min, max] = finite.reduce(
    ([least, most], [, value]) => [Math.min(least, value), Math.max(most, value)],
    [Infinity, -Infinity],
  );
  const differing = seriesName(labels, shared).replace(/^\{(.*)\}$/s, "$1");
  return {
    name: seriesName(labels),
    short: printable(cut(differing || (labels[NAME] ?? ""), 160)),
    labels,
    n,
    points,
    last: points.at(-1)?.[1] ?? NaN,
    min,
    max,
    peak: finite.find(([, value]) => value === max)?.[0] ?? points.at(-1)?.[0] ?? 0,
  };
}

/** Returns the lines to show, highest first, and how many were left out. */
export function drawnLines(lines: readonly Line[]): { drawn: DrawnLine[]; left: number } {
  const shared = new Set(lines.length > 1 ? sharedLabels(lines).map(([name]) => name) : []);
  const height = (line: DrawnLine) => (Number.isFinite(line.max) ? line.max : -Infinity);
  const all = lines.map((line, n) => drawn(line, n, shared)).sort((a, b) => height(b) - height(a) || a.n - b.n);
  return { drawn: all.slice(0, DRAWN_MAX), left: Math.max(0, all.length - DRAWN_MAX) };
}

/** Returns the value at an instant. */
export function valueAt({ points }: DrawnLine, ms: number): number | undefined {
  let [low, high] = [0, points.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [at, value] = points[middle] ?? [0, NaN];
    if (at === ms) return value;
    if (at < ms) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

/** Returns the ends of the value axis and its marks: from zero, unless all values are far from it. */
export function scaleOf(lines: readonly DrawnLine[]): { low: number; top: number; marks: number[] } {
  const finite = lines.filter(({ max }) => Number.isFinite(max));
  return scaleBetween(
    finite.reduce((low, { min }) => Math.min(low, min), Infinity),
    finite.reduce((top, { max }) => Math.max(top, max), -Infinity),
  );
}

/** Returns the ends and the marks of an axis with values between two; without values from 0 to 1. Of whole numbers the marks are whole, too. */
export function scaleBetween(
  least: number,
  most: number,
  isWhole = false,
): { low: number; top: number; marks: number[] } {
  if (!Number.isFinite(least) || !Number.isFinite(most)) return { low: 0, top: 1, marks: [0, 1] };
  if (least >= 0 && least < most * 0.75) least = 0;
  if (most <= 0 && most > least * 0.75) most = 0;
  if (least === most) [least, most] = least === 0 ? [0, 1] : [least - Math.abs(least) / 2, most + Math.abs(most) / 2];
  const rough = (most - least) / 4;
  const size = 10 ** Math.floor(Math.log10(rough));
  const nice = ([1, 2, 2.5, 5].find((one) => one * size >= rough) ?? 10) * size;
  const step = isWhole && !Number.isInteger(nice) ? Math.max(1, Math.ceil(rough)) : nice;
  const [low, top] = [Math.floor(least / step), Math.ceil(most / step)];
  return {
    low: low * step,
    top: top * step,
    marks: Array.from({ length: top - low + 1 }, (_, n) => (low + n) * step),
  };
}

const PREFIXES: readonly (readonly [size: number, sign: string])[] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e4, "k"],
];

/** `1.2 M`, `0.0342`: a number of four digits at most. */
export function quantity(n: number): string {
  if (Number.isNaN(n)) return "NaN";
  if (!Number.isFinite(n)) return n > 0 ? "+∞" : "−∞";
  const size = Math.abs(n);
  for (const [unit, sign] of PREFIXES) {
    const of = sign === "k" ? 1e3 : unit;
    if (size >= unit) return `${digits(n / of)} ${sign}`;
  }
  if (size !== 0 && size < 1e-4) return n.toExponential(2);
  return digits(n);
}

function digits(n: number): string {
  const whole = Math.max(1, Math.floor(Math.log10(Math.abs(n) || 1)) + 1);
  const most = Math.abs(n) >= 1 || n === 0 ? Math.max(0, 4 - whole) : 3 - Math.floor(Math.log10(Math.abs(n)));
  return decimal(n, Math.min(most, 8));
}
