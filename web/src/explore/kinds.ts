// How an answer can be drawn, by its shape, and what suits it best.

import type { Column } from "../api.ts";
import { text } from "../texts.ts";
import type { Json } from "../query/edit.ts";
import { seriesOf } from "./series.ts";

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

/** Whether a column holds numbers. */
export function isNumeric(column: Column): boolean {
  return column.type === "integer" || column.type === "float";
}

interface Answered {
  columns: readonly Column[];
  table: readonly Json[][];
}

/** The ways that fit an answer; the first is the one that suits it best. */
export function kindsOf(data: Answered): ChartKind[] {
  const numbers = data.columns.filter(isNumeric);
  if (
    data.table.length === 1 &&
    data.columns.length <= FIGURES_MAX &&
    data.columns.every((column) => isNumeric(column) || column.type === "any")
  )
    return ["number", "table"];
  if (seriesOf(data)) return ["line", "area", "bar", "table"];
  const names = data.columns.filter((column) => !isNumeric(column));
  return numbers.length > 0 && names.length > 0 && data.table.length > 1 ? ["table", "top", "bar"] : ["table"];
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

/** The rows by their first number, largest first. */
export function barsOf(data: Answered): Bar[] {
  const at = data.columns.findIndex(isNumeric);
  const names = data.columns.flatMap((column, n) => (isNumeric(column) ? [] : [n]));
  const bars = data.table.flatMap((row, n): Bar[] => {
    const value = row[at];
    const name = names
      .map((place) => {
        const part = row[place];
        return part === null || part === undefined ? "–" : typeof part === "string" ? part : JSON.stringify(part);
      })
      .join(" · ");
    return typeof value === "number" ? [{ name, value, row: n }] : [];
  });
  return bars.sort((a, b) => b.value - a.value);
}
