// The numbers of a field among the events that match: the smallest, the middle, the largest, and how they are spread.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import * as api from "../api.ts";
import { ApiError } from "../api.ts";
import type { Lane } from "../ask.ts";
import { count } from "../format.ts";
import { fieldText, headOf, type Json } from "../query/edit.ts";
import { t, text } from "../texts.ts";
import { asked, view } from "../view.ts";

/** Bars of the small histogram. */
const BARS = 24;

const POINTS = [
  ["lo", text("min")],
  ["p50", text("p50")],
  ["p95", text("p95")],
  ["hi", text("max")],
] as const;

interface Numbers {
  /** Value and whether it is an estimate, by the names of `POINTS`. */
  points: ReadonlyMap<string, { value: number; approximate: boolean }>;
  bars: readonly number[];
}

const numeric = (value: Json | undefined) => (typeof value === "number" ? value : null);

/** A number as short as it can be read. */
function written(value: number): string {
  return Number.isInteger(value) ? count(value) : count(Number(value.toPrecision(4)));
}

async function ask(name: string, signal: AbortSignal): Promise<Numbers> {
  const of = view.peek();
  const field = fieldText(name);
  const head = headOf(of.query);
  const behind = (stats: string) => (head === "" ? stats : `${head}\n| ${stats}`);
  const ends = await api.query(
    behind(`stats min(${field}) as lo, pct(${field}, 50) as p50, pct(${field}, 95) as p95, max(${field}) as hi`),
    of,
    of.zone,
    signal,
  );
  const points = new Map<string, { value: number; approximate: boolean }>();
  ends.columns.forEach((column, at) => {
    const value = numeric(ends.rows[0]?.[at]);
    if (value !== null) points.set(column.name, { value, approximate: column.approximate === true });
  });
  const [lo, hi] = [points.get("lo")?.value, points.get("hi")?.value];
  if (lo === undefined || hi === undefined || hi <= lo) return { points, bars: [] };
  const width = (hi - lo) / BARS;
  const spread = await api.query(
    behind(`stats count(*) as n by floor((${field} - ${lo}) / ${width}) as bar`),
    of,
    of.zone,
    signal,
  );
  const bars = Array.from({ length: BARS }, () => 0);
  const [barAt, nAt] = ["bar", "n"].map((wanted) => spread.columns.findIndex((column) => column.name === wanted)) as [
    number,
    number,
  ];
  for (const row of spread.rows) {
    const bar = numeric(row[barAt]);
    // The largest value is the end of the last bar.
    if (bar !== null) bars[Math.min(BARS - 1, Math.max(0, bar))]! += numeric(row[nAt]) ?? 0;
  }
  return { points, bars };
}

/** The part above the most frequent values. */
export function FieldNumbers({ name }: { name: string }) {
  const lane = useSignal<Lane<Numbers>>({ state: "loading", data: null, error: null, since: 0 });
  const of = view.value;
  useEffect(() => {
    const controller = new AbortController();
    lane.value = { ...lane.peek(), state: "loading" };
    ask(name, controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) lane.value = { state: "done", data, error: null, since: 0 };
      },
      (error: unknown) => {
        if (!controller.signal.aborted && error instanceof ApiError)
          lane.value = { ...lane.peek(), state: "error", error };
      },
    );
    return () => controller.abort();
  }, [name, of.query, of.from, of.to, of.groups.join(","), asked.value]);
  const { data, state, error } = lane.value;
  if (state === "error") return <p class="note error">{error?.message}</p>;
  if (data === null) return <p class="dim values-wait">{t("counting…")}</p>;
  if (data.points.size === 0) return null;
  const most = Math.max(1, ...data.bars);
  return (
    <div class={`field-numbers${state === "loading" ? " stale" : ""}`} data-testid="field-numbers">
      {data.bars.length > 0 && (
        <div
          class="spread"
          role="img"
          aria-label={t("Distribution of the values from {min} to {max}", {
            min: written(data.points.get("lo")?.value ?? 0),
            max: written(data.points.get("hi")?.value ?? 0),
          })}
        >
          {data.bars.map((n, at) => (
            <span key={at} title={count(n)} style={{ height: n === 0 ? "0" : `${Math.max(6, (100 * n) / most)}%` }} />
          ))}
        </div>
      )}
      <dl>
        {POINTS.flatMap(([key, label]) => {
          const point = data.points.get(key);
          return point === undefined
            ? []
            : [
                <div key={key}>
                  <dt>{t(label)}</dt>
                  <dd title={String(point.value)}>
                    {point.approximate ? "≈ " : ""}
                    {written(point.value)}
                  </dd>
                </div>,
              ];
        })}
      </dl>
    </div>
  );
}
