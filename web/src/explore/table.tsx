// The answer of an aggregation as a table: sortable, numbers on the right with a bar for their size, values that filter.

import { useMemo, useState } from "preact/hooks";

import type { Column } from "../api.ts";
import { count, decimal, oneLine, printable } from "../format.ts";
import { filterBy } from "../keys.ts";
import { IconButton } from "../parts/icons.tsx";
import type { Json } from "../query/edit.ts";
import { commands } from "../query/lex.ts";
import type { Rows } from "../rows.ts";
import { exactText, type Zone } from "../time.ts";
import { adopt } from "../parts/style.ts";
import { compare, SortHead } from "../parts/table.tsx";
import rules from "../style/charts.css?inline";
import { plural, t } from "../texts.ts";
import { go, view } from "../view.ts";
import { BarChart, TopList } from "./bars.tsx";
import { KIND_NAMES, kindOf, kindsOf, type ChartKind } from "./kinds.ts";
import { isNumeric, measuresOf, seriesOf } from "./series.ts";
import { SeriesChart } from "./series_chart.tsx";

adopt(rules);

const STEP = 300;

/** Whether a column's values are those of a field, so that a click on one can filter by it. */
function isField(column: Column): boolean {
  return !isNumeric(column) && column.type !== "timestamp" && !/[()\s]/.test(column.name);
}

function shown(value: Json | undefined, column: Column, zone: Zone) {
  if (value === null || value === undefined) return <span class="dim">–</span>;
  if (typeof value === "number")
    return <>{Number.isInteger(value) ? count(value) : decimal(value, Math.abs(value) < 10 ? 4 : 2)}</>;
  if (column.type === "timestamp" && typeof value === "string") return <>{exactText(value, zone)}</>;
  return <>{value === "" ? <span class="dim">{t("(empty)")}</span> : oneLine(value, 2000)}</>;
}

/** One row of numbers, large. */
function Figures({ data }: { data: Rows }) {
  return (
    <dl class="figures large" data-testid="figures">
      {data.columns.map((column, at) => (
        <div key={column.name}>
          <dt>
            {column.name}
            {column.approximate && " ≈"}
          </dt>
          <dd>{shown(data.table[0]?.[at], column, view.value.zone)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The choice between the ways that fit the answer. */
function Kinds({ kinds, now }: { kinds: readonly ChartKind[]; now: ChartKind }) {
  return (
    <div class="chart-kinds">
      <div class="choices" role="group" aria-label={t("Show the result as")} data-testid="chart-kinds">
        {kinds.map((kind, n) => (
          <button
            key={kind}
            type="button"
            aria-pressed={kind === now}
            data-testid={`chart-${kind}`}
            onClick={() => go({ chart: n === 0 ? "" : kind })}
          >
            {t(KIND_NAMES[kind])}
          </button>
        ))}
      </div>
    </div>
  );
}

/** Most numbers that are drawn, each in a chart of its own. */
const MEASURES_MAX = 4;

function Picture({ data, kind }: { data: Rows; kind: ChartKind }) {
  if (kind === "line" || kind === "area" || (kind === "bar" && seriesOf(data))) {
    const measures = measuresOf(data);
    const hasNames = data.columns.some(({ type }, at) => type !== "timestamp" && !measures.includes(at));
    // Numbers of different units have no scale in common.
    if (!hasNames || measures.length < 2) return <SeriesChart data={data} kind={kind} />;
    const names = seriesOf(data, measures[0])?.series.map(({ name }) => name);
    const left = measures.slice(MEASURES_MAX).map((at) => printable(data.columns[at]?.name ?? ""));
    return (
      <>
        {measures.slice(0, MEASURES_MAX).map((at) => (
          <SeriesChart key={at} data={data} kind={kind} measure={at} {...(names ? { names } : {})} />
        ))}
        {left.length > 0 && <p class="dim note">{t("Only in the table: {names}", { names: left.join(", ") })}</p>}
      </>
    );
  }
  return kind === "bar" ? <BarChart data={data} /> : kind === "top" ? <TopList data={data} /> : null;
}

/** The answer as it is wanted, or as it suits its shape: numbers, a table, a chart above its table. */
export function Result({ data }: { data: Rows }) {
  const kinds = useMemo(() => kindsOf(data), [data]);
  const kind = kindOf(data, view.value.chart);
  return (
    <>
      {kinds.length > 1 && <Kinds kinds={kinds} now={kind} />}
      {kind === "number" ? <Figures data={data} /> : <ResultTable data={data} kind={kind} />}
    </>
  );
}

/** The column that the address sorts by, and in which direction. */
function orderOf(data: Rows, sort: string): { at: number; down: boolean } | null {
  const down = sort.startsWith("-");
  const at = data.columns.findIndex((column) => column.name === (down ? sort.slice(1) : sort));
  return sort === "" || at < 0 ? null : { at, down };
}

/** Commands that put rows into an order. */
const ORDERING = ["sort", "order", "top", "rare", "pattern", "diff", "logcompare", "anomaly", "limit", "head", "tail"];

/** The order of an answer in which nobody chose one: of groups with measures the largest first, elsewhere the server's. */
function usualOrder(data: Rows): { at: number; down: boolean } | null {
  const measures = measuresOf(data);
  const [at] = measures;
  const isByTime = data.columns.some((column) => column.type === "timestamp");
  const isChosen = commands(data.query).some(({ name }) => ORDERING.includes(name));
  const hasNames = measures.length < data.columns.length;
  return at === undefined || isByTime || isChosen || !hasNames || data.more ? null : { at, down: true };
}

function ResultTable({ data, kind }: { data: Rows; kind: ChartKind }) {
  const wish = view.value.sort;
  const order = useMemo(() => orderOf(data, wish) ?? usualOrder(data), [data, wish]);
  const [limit, setLimit] = useState(STEP);
  const zone = view.value.zone;
  const sorted = useMemo(() => {
    if (!order) return data.table;
    const sign = order.down ? -1 : 1;
    return [...data.table].sort((a, b) => sign * compare(a[order.at], b[order.at]));
  }, [data.table, order]);
  // What is measured first has bars of its size.
  const [first, top] = useMemo(() => {
    const [at = -1] = measuresOf(data);
    const sizes = data.table.map((row) => (typeof row[at] === "number" ? Math.abs(row[at]) : 0));
    return [at, sizes.reduce((most, size) => Math.max(most, size), 0)];
  }, [data]);
  const sort = (at: number) => {
    const name = data.columns[at]?.name ?? "";
    go({ sort: order?.at === at ? (order.down ? name : orderOf(data, wish) ? "" : `-${name}`) : `-${name}` });
  };
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={t("Result")} data-testid="table">
      <Picture data={data} kind={kind} />
      <table>
        <thead>
          <tr>
            {data.columns.map((column, at) => (
              <SortHead
                key={column.name}
                isNumeric={isNumeric(column)}
                isDown={order?.at === at ? order.down : null}
                onSort={() => sort(at)}
              >
                {column.name}
                {column.approximate && <span title={t("approximate")}> ≈</span>}
              </SortHead>
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
                    {at === first && typeof value === "number" && top > 0 && data.table.length > 1 && (
                      <span class="meter" aria-hidden="true">
                        <span style={{ width: `${(100 * Math.abs(value)) / top}%` }} />
                      </span>
                    )}
                    <span class="table-value">{shown(value, column, zone)}</span>
                    {isField(column) && value !== undefined && (typeof value !== "object" || value === null) && (
                      <span class="value-buttons">
                        <IconButton
                          icon="plus"
                          aria-label={t("Show only events where {field} is {value}", {
                            field: column.name,
                            value: oneLine(value, 40),
                          })}
                          title={t("Include this value")}
                          onClick={() => filterBy(column.name, "include", value)}
                        />
                        <IconButton
                          icon="minus"
                          aria-label={t("Hide events where {field} is {value}", {
                            field: column.name,
                            value: oneLine(value, 40),
                          })}
                          title={t("Exclude this value")}
                          onClick={() => filterBy(column.name, "exclude", value)}
                        />
                      </span>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {sorted.length > limit && (
        <button type="button" class="link" onClick={() => setLimit(limit + 5 * STEP)}>
          {plural(sorted.length - limit, "{n} more row", "{n} more rows", count(sorted.length - limit))}
        </button>
      )}
    </div>
  );
}
