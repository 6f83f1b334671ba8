// How an answer can be drawn, by its shape, and what suits it best.

import { textOf } from "../format.ts";
import { text } from "../texts.ts";
import { measuresOf, NOTHING, seriesOf, type Answered } from "./series.ts";

/** A way to draw an answer. */
export type ChartKind = "table" | "line" | "area" | "bar" | "top" | "number";

/** What the ways are called. */
export const KIND_NAMES: Readonly<Record<ChartKind, string>> = {
  table: text("Table"),
  line: text("Lines"),
  area: text("Areas"),
  bar: text("Bars"),
  top: text("Top list"),
  number: text("Numbers"),
};

/** An answer of one row and so many numbers at most is shown large. */
const FIGURES_MAX = 6;

/** The ways that fit an answer; the first is the one that suits it best. */
export function kindsOf(data: Answered): ChartKind[] {
  const measures = measuresOf(data);
  if (
    data.table.length === 1 &&
    data.columns.length <= FIGURES_MAX &&
    data.columns.every((column, at) => measures.includes(at) || column.type === "any")
  )
    return ["number", "table"];
  if (seriesOf(data)) return ["line", "area", "bar", "table"];
  const isNamed = measures.length > 0 && measures.length < data.columns.length;
  return isNamed && data.table.length > 1 ? ["table", "top", "bar"] : ["table"];
}

/** The way that is wanted where it fits, else the best. */
export function kindOf(data: Answered, wanted: string): ChartKind {
  const kinds = kindsOf(data);
  return kinds.find((kind) => kind === wanted) ?? kinds[0] ?? "table";
}

/** A row's name and its number, for bars and lists. */
export interface Bar {
  name: string;
  value: number;
  /** Its place in the table. */
  row: number;
}

/** The rows by what they measure first, largest first. */
export function barsOf(data: Answered): Bar[] {
  const measures = measuresOf(data);
  const names = data.columns.flatMap((_, n) => (measures.includes(n) ? [] : [n]));
  const bars = data.table.flatMap((row, n): Bar[] => {
    const value = row[measures[0] ?? -1];
    const name = names.map((place) => textOf(row[place], NOTHING)).join(" · ");
    return typeof value === "number" ? [{ name, value, row: n }] : [];
  });
  return bars.sort((a, b) => b.value - a.value);
}
