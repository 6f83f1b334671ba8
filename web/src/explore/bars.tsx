// An aggregation by name: bars side by side, or a list of the largest with their shares.

import { useState } from "preact/hooks";

import { count, cut, decimal, percent, printable } from "../format.ts";
import { filterBy } from "../keys.ts";
import { t } from "../texts.ts";
import { IconButton } from "../parts/icons.tsx";
import type { Rows } from "../rows.ts";
import { niceTop, useWidth } from "./axis.tsx";
import { barsOf, type Bar } from "./kinds.ts";
import { measuresOf } from "./series.ts";

const TALL = 170;
const BARS_MAX = 40;
const LIST_MAX = 25;
/** Room for the labels of the scale. */
const SIDE = 40;

function nameOf(bar: Bar): string {
  return bar.name === "" ? t("(empty)") : printable(cut(bar.name, 120));
}

function Left({ n }: { n: number }) {
  return n > 0 ? <p class="dim">{t("and {n} more in the table", { n: count(n) })}</p> : null;
}

/** Bars, of which the arrow keys read one after the other. */
export function BarChart({ data }: { data: Rows }) {
  const [root, measured] = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const all = barsOf(data);
  const bars = all.slice(0, BARS_MAX);
  const width = Math.max(1, measured);
  const areCounts = bars.every(({ value }) => Number.isInteger(value));
  const top = niceTop(bars.reduce((most, bar) => Math.max(most, Math.abs(bar.value)), 0) || 1, areCounts);
  const each = Math.min(90, (width - SIDE) / Math.max(1, bars.length));
  const y = (value: number) => TALL - (Math.abs(value) / top) * (TALL - 6);
  const read = at === null ? undefined : bars[at];
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    setAt((now) =>
      now === null ? 0 : Math.max(0, Math.min(bars.length - 1, now + (event.key === "ArrowRight" ? 1 : -1))),
    );
    event.preventDefault();
  };
  return (
    <div class="series" data-testid="name-bars">
      <div ref={root} />
      <svg
        width={width}
        height={TALL + 20}
        role="img"
        tabIndex={0}
        aria-label={t("Bars of the table below; use ← and → to read them")}
        onKeyDown={onKeyDown}
        onBlur={() => setAt(null)}
        onPointerLeave={() => setAt(null)}
        onPointerMove={(event) => {
          const n = Math.floor((event.clientX - event.currentTarget.getBoundingClientRect().left - SIDE) / each);
          setAt(n >= 0 && n < bars.length ? n : null);
        }}
      >
        {[0.5, 1].map((part) => (
          <g key={part} class="grid">
            <line x1={0} x2={width} y1={y(top * part)} y2={y(top * part)} />
            <text x={2} y={y(top * part) + 11}>
              {decimal(top * part, 2)}
            </text>
          </g>
        ))}
        <line class="base" x1={0} x2={width} y1={TALL + 0.5} y2={TALL + 0.5} />
        {bars.map((bar, n) => (
          <rect
            key={bar.row}
            class={`area series-0${n === at ? " read" : ""}`}
            x={SIDE + n * each + each * 0.1}
            width={Math.max(1, each * 0.8)}
            y={y(bar.value)}
            height={Math.max(1, TALL - y(bar.value))}
          />
        ))}
        {each >= 26 && (
          <g class="axis">
            {bars.map((bar, n) => (
              <text key={bar.row} x={SIDE + (n + 0.5) * each} y={TALL + 15} text-anchor="middle">
                {cut(nameOf(bar), Math.floor(each / 7))}
              </text>
            ))}
          </g>
        )}
      </svg>
      <div class="legend" role="status">
        {read ? (
          <span class="label series-0">
            <span class="swatch" />
            {nameOf(read)}
            <b>{decimal(read.value, 2)}</b>
          </span>
        ) : (
          <Left n={all.length - bars.length} />
        )}
      </div>
    </div>
  );
}

/** The largest, each with its share of all. */
export function TopList({ data }: { data: Rows }) {
  const all = barsOf(data);
  const sum = all.reduce((total, bar) => total + Math.max(0, bar.value), 0);
  const most = all[0]?.value ?? 1;
  const measures = measuresOf(data);
  const names = data.columns.filter((_, place) => !measures.includes(place));
  const field =
    names.length === 1 && names[0]?.type !== "timestamp" && !/[()\s]/.test(names[0]?.name ?? "(")
      ? names[0]?.name
      : undefined;
  const at = data.columns.findIndex((column) => column.name === field);
  return (
    <div class="top-list" data-testid="top-list">
      <ol>
        {all.slice(0, LIST_MAX).map((bar) => (
          <li key={bar.row}>
            <span
              class="top-bar"
              aria-hidden="true"
              style={{ width: `${Math.max(0.3, (100 * Math.max(0, bar.value)) / Math.max(most, 1e-9))}%` }}
            />
            <span class="ellipsis" title={nameOf(bar)}>
              {nameOf(bar)}
            </span>
            {field !== undefined && (
              <IconButton
                icon="plus"
                aria-label={t("Show only events where {field} is {value}", { field, value: cut(nameOf(bar), 40) })}
                onClick={() => filterBy(field, "include", data.table[bar.row]?.[at] ?? null)}
              />
            )}
            <b class="number">{decimal(bar.value, 2)}</b>
            <span class="dim number">{sum > 0 ? percent(Math.max(0, bar.value) / sum) : ""}</span>
          </li>
        ))}
      </ol>
      <Left n={all.length - LIST_MAX} />
    </div>
  );
}
