// The answer of an aggregation as a table: sortable, numbers on the right with a bar for their size, values that filter.

import { useMemo, useState } from "preact/hooks";

import type { Column } from "../api.ts";
import { count, oneLine } from "../format.ts";
import { filterBy } from "../keys.ts";
import { Icon } from "../parts/icons.tsx";
import type { Json } from "../query/edit.ts";
import type { Rows } from "../rows.ts";
import { exactText, type Zone } from "../time.ts";
import { view } from "../view.ts";
import { SeriesChart } from "./series_chart.tsx";

const STEP = 300;
/** An answer of one row and so many numbers at most is shown large. */
const FIGURES_MAX = 6;
const NUMBER = new Intl.NumberFormat("en-US", { maximumFractionDigits: 4 });

function isNumeric(column: Column): boolean {
  return column.type === "integer" || column.type === "float";
}

function compare(a: Json | undefined, b: Json | undefined): number {
  const none = (value: Json | undefined) => value === null || value === undefined;
  if (none(a) || none(b)) return Number(none(a)) - Number(none(b));
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [x, y] = [String(a), String(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Whether a column's values are those of a field, so that a click on one can filter by it. */
function isField(column: Column): boolean {
  return !isNumeric(column) && column.type !== "timestamp" && !/[()\s]/.test(column.name);
}

function shown(value: Json | undefined, column: Column, zone: Zone) {
  if (value === null || value === undefined) return <span class="dim">–</span>;
  if (typeof value === "number") return <>{Number.isInteger(value) ? count(value) : NUMBER.format(value)}</>;
  if (column.type === "timestamp" && typeof value === "string") return <>{exactText(value, zone)}</>;
  return <>{value === "" ? <span class="dim">(empty)</span> : oneLine(value, 2000)}</>;
}

/** One row of numbers, large. */
function Figures({ data }: { data: Rows }) {
  return (
    <dl class="figures large" data-testid="figures">
      {data.columns.map((column, at) => (
        <div key={column.name}><dt>{column.name}{column.approximate && " ≈"}</dt><dd>{shown(data.table[0]?.[at], column, view.value.zone)}</dd></div>
      ))}
    </dl>
  );
}

/** The answer: large numbers where it is one row of them, else a table. */
export function Result({ data }: { data: Rows }) {
  const isFigures = data.table.length === 1 && data.columns.length <= FIGURES_MAX && data.columns.every((column) => isNumeric(column) || column.type === "any");
  return isFigures ? <Figures data={data} /> : <ResultTable data={data} />;
}

function ResultTable({ data }: { data: Rows }) {
  const [order, setOrder] = useState<{ at: number; down: boolean } | null>(null);
  const [limit, setLimit] = useState(STEP);
  const zone = view.value.zone;
  const sorted = useMemo(() => {
    if (!order) return data.table;
    const sign = order.down ? -1 : 1;
    return [...data.table].sort((a, b) => sign * compare(a[order.at], b[order.at]));
  }, [data.table, order]);
  const tops = useMemo(() => data.columns.map((column, at) => (isNumeric(column)
    ? data.table.reduce((top, row) => Math.max(top, typeof row[at] === "number" ? Math.abs(row[at]) : 0), 0) : 0)), [data]);
  const first = data.columns.findIndex(isNumeric);
  const sort = (at: number) => setOrder((now) => (now?.at === at ? (now.down ? { at, down: false } : null) : { at, down: true }));
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="Result" data-testid="table">
      <SeriesChart data={data} />
      <table>
        <thead>
          <tr>
            {data.columns.map((column, at) => (
              <th key={column.name} scope="col" class={isNumeric(column) ? "numeric" : ""} aria-sort={order?.at === at ? (order.down ? "descending" : "ascending") : "none"}>
                <button type="button" onClick={() => sort(at)}>{column.name}{column.approximate && <span title="approximate"> ≈</span>}
                  <span class="sort" aria-hidden="true">{order?.at === at ? (order.down ? "↓" : "↑") : ""}</span></button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, limit).map((row, n) => (
            <tr key={n}>
              {data.columns.map((column, at) => {
                const value = row[at];
                return (
                  <td key={column.name} class={isNumeric(column) ? "numeric" : ""}>
                    {at === first && typeof value === "number" && (tops[at] ?? 0) > 0 && data.table.length > 1 && <span class="meter" aria-hidden="true"><span style={{ width: `${(100 * Math.abs(value)) / (tops[at] ?? 1)}%` }} /></span>}
                    <span class="table-value">{shown(value, column, zone)}</span>
                    {isField(column) && value !== undefined && (typeof value !== "object" || value === null) && (
                      <span class="value-buttons">
                        <button type="button" class="tiny" aria-label={`Show only events where ${column.name} is ${oneLine(value, 40)}`} title="Include this value" onClick={() => filterBy(column.name, "include", value)}><Icon name="plus" /></button>
                        <button type="button" class="tiny" aria-label={`Hide events where ${column.name} is ${oneLine(value, 40)}`} title="Exclude this value" onClick={() => filterBy(column.name, "exclude", value)}><Icon name="minus" /></button>
                      </span>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {sorted.length > limit && <button type="button" class="link" onClick={() => setLimit(limit + 5 * STEP)}>{count(sorted.length - limit)} more rows</button>}
    </div>
  );
}
