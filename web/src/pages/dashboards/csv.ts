// The data of a panel as a table, and a table as CSV.

import type { BoardPanel } from "../../api/dashboards.ts";
import type { Json } from "../../query/edit.ts";
import type { PanelSeries, QueryData } from "./answers.ts";

/** A table: its columns' names, and its rows. */
export interface Sheet {
  heads: string[];
  rows: Json[][];
}

/** Returns series as a table: an instant a row, or a name a row. */
export function sheetOf(
  series: readonly PanelSeries[],
  isByTime: boolean,
  heads: { time: string; name: string },
): Sheet {
  if (!isByTime)
    return {
      heads: [heads.name, "value"],
      rows: series.map(({ name, points }) => [name, points.at(-1)?.[1] ?? null]),
    };
  const instants = [...new Set(series.flatMap(({ points }) => points.map(([ms]) => ms)))].sort((a, b) => a - b);
  const values = series.map(({ points }) => new Map(points));
  return {
    heads: [heads.time, ...series.map(({ name }) => name)],
    rows: instants.map((ms) => [new Date(ms).toISOString(), ...values.map((one) => one.get(ms) ?? null)]),
  };
}

/** Returns the rows of a query as they came. */
export function sheetOfRows({ columns, rows }: Pick<QueryData, "columns" | "rows">): Sheet {
  return { heads: columns.map(({ name }) => name), rows: rows.map((row) => [...row]) };
}

/** Whether a panel's data are the rows of its query, and no series. */
export function isOfRows({ kind, expression }: Pick<BoardPanel, "kind" | "expression">): boolean {
  return kind === "logs" || (kind === "table" && expression === undefined);
}

/** A text that a spreadsheet would take for a formula begins with an apostrophe; numbers stay numbers. */
function cell(value: Json): string {
  if (value === null) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Writes a table as CSV. */
export function csvOf({ heads, rows }: Sheet): string {
  return [heads, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
