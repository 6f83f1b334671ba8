// Counts over time, stacked by level: drag to zoom, click a bar for its bucket, click a level to filter by it; the same
// numbers as a table for those who do not see bars.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";

import { askedAt, draft, rangeMs, run, view, zoom, zoomOut } from "../view.ts";
import { askCounts, counts } from "../ask.ts";
import type { Histogram } from "../api.ts";
import { compact, count, span } from "../format.ts";
import { Icon } from "../parts/icons.tsx";
import { levelsOf, toggleFilter, toggleLevel } from "../query/edit.ts";
import { clockText, fullText, type Zone } from "../time.ts";
import { Axis, AXIS, HEIGHT, niceCount, useWidth, type Scale } from "./axis.tsx";
import { rich, t } from "../texts.ts";
import { LEVELS, levelClass, NO_LEVEL } from "./levels.ts";
import { Failure, Incomplete } from "./waiting.tsx";

const asTable = signal(false);

interface Bucket {
  from: number;
  to: number;
  total: number;
  by: Record<string, number>;
}

const ORDER: readonly string[] = [NO_LEVEL, ...LEVELS];

/** Buckets with times as numbers and every level under its canonical name. */
export function bucketsOf(buckets: Histogram["buckets"]): Bucket[] {
  return buckets.map((bucket) => {
    const by: Record<string, number> = {};
    let known = 0;
    for (const [level, n] of Object.entries(bucket.by ?? {})) {
      by[levelClass(level)] = (by[levelClass(level)] ?? 0) + n;
      known += n;
    }
    if (bucket.total > known) by[NO_LEVEL] = (by[NO_LEVEL] ?? 0) + bucket.total - known;
    return { from: Date.parse(bucket.from), to: Date.parse(bucket.to), total: bucket.total, by };
  });
}

function clickLevel(level: string): void {
  draft.value =
    level === NO_LEVEL ? toggleFilter(draft.peek(), "@level", "missing", null) : toggleLevel(draft.peek(), level);
  run();
}

function levelName(level: string): string {
  return level === NO_LEVEL ? t("no level") : level;
}

function Legend({ buckets }: { buckets: readonly Bucket[] }) {
  const totals = new Map<string, number>();
  for (const bucket of buckets)
    for (const [level, n] of Object.entries(bucket.by)) totals.set(level, (totals.get(level) ?? 0) + n);
  const chosen = levelsOf(view.value.query);
  return (
    <div class="legend" role="group" aria-label={t("Levels")}>
      {[...ORDER]
        .reverse()
        .filter((level) => totals.has(level) || chosen.includes(level))
        .map((level) => (
          <button
            key={level}
            type="button"
            class={`chip level-${level}`}
            aria-pressed={chosen.includes(level)}
            data-testid={`legend-${level}`}
            title={
              level === NO_LEVEL
                ? t("Show events without a level")
                : t("Show only {level}, or all levels again", { level })
            }
            onClick={() => clickLevel(level)}
          >
            <span class="swatch" />
            {levelName(level)}
            <span class="number">{compact(totals.get(level) ?? 0)}</span>
          </button>
        ))}
    </div>
  );
}

/** The panel above the rows. */
export function Chart() {
  const lane = counts.value;
  const buckets = bucketsOf(lane.data?.buckets ?? []);
  const total = buckets.reduce((sum, bucket) => sum + bucket.total, 0);
  return (
    <section
      class={`chart${lane.state === "loading" ? " loading" : ""}`}
      aria-label={t("Events over time")}
      data-testid="histogram"
    >
      <div class="chart-head">
        <h2 data-testid="total">
          {lane.data
            ? total === 1
              ? rich("{n} event", { n: <b>{count(total)}</b> })
              : rich("{n} events", { n: <b>{count(total)}</b> })
            : lane.state === "loading"
              ? t("Counting…")
              : t("Events over time")}
        </h2>
        <Legend buckets={buckets} />
        <span class="dim each">
          {lane.data && lane.data.interval_ms > 0 ? t("one bar is {time}", { time: span(lane.data.interval_ms) }) : ""}
        </span>
        <button
          type="button"
          class="button quiet"
          aria-label={t("Zoom out")}
          title={t("Zoom out (z)")}
          onClick={zoomOut}
          data-testid="zoom-out"
        >
          <Icon name="zoomOut" />
        </button>
        <button
          type="button"
          class="button quiet"
          aria-label={t("Show the counts as a table")}
          title={t("Show the counts as a table")}
          aria-pressed={asTable.value}
          onClick={() => (asTable.value = !asTable.value)}
          data-testid="histogram-table-toggle"
        >
          <Icon name="table" />
        </button>
      </div>
      {lane.state === "error" && lane.error?.status !== 400 && (
        <Failure
          what={
            lane.data
              ? t("These counts are from the previous query: {message}.", { message: lane.error?.message ?? "" })
              : t("The counts could not be loaded: {message}.", { message: lane.error?.message ?? "" })
          }
          onAgain={() => askCounts(view.peek())}
        />
      )}
      {lane.data?.partial && (
        <Incomplete what={t("These counts are incomplete.")} reasons={lane.data.partial_reasons} />
      )}
      {asTable.value ? <CountTable buckets={buckets} /> : <Bars buckets={buckets} />}
    </section>
  );
}

function CountTable({ buckets }: { buckets: readonly Bucket[] }) {
  const levels = ORDER.filter((level) => buckets.some((bucket) => (bucket.by[level] ?? 0) > 0));
  return (
    <div class="count-table" tabIndex={0} role="region" aria-label={t("Counts over time")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("From")}</th>
            {levels.map((level) => (
              <th scope="col" key={level}>
                {levelName(level)}
              </th>
            ))}
            <th scope="col">{t("Total")}</th>
          </tr>
        </thead>
        <tbody>
          {buckets
            .filter((bucket) => bucket.total > 0)
            .map((bucket) => (
              <tr key={bucket.from}>
                <th scope="row">
                  <button type="button" class="link" onClick={() => zoom(bucket.from, bucket.to)}>
                    {fullText(bucket.from, view.value.zone)}
                  </button>
                </th>
                {levels.map((level) => (
                  <td key={level}>{count(bucket.by[level] ?? 0)}</td>
                ))}
                <td>{count(bucket.total)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}

function useBrush(scale: Scale, buckets: readonly Bucket[]) {
  const [drag, setDrag] = useState<{ a: number; b: number } | null>(null);
  const timeAt = (x: number) =>
    scale.from + (Math.max(0, Math.min(scale.width, x)) / scale.width) * (scale.to - scale.from);
  const place = (event: PointerEvent) => event.clientX - (event.currentTarget as Element).getBoundingClientRect().left;
  const handlers = {
    onPointerDown(event: PointerEvent) {
      if (event.button !== 0) return;
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      setDrag({ a: place(event), b: place(event) });
    },
    onPointerMove(event: PointerEvent) {
      const b = place(event);
      setDrag((now) => now && { a: now.a, b });
    },
    onPointerUp(event: PointerEvent) {
      if (!drag) return;
      const b = place(event);
      setDrag(null);
      if (Math.abs(b - drag.a) >= 4) return zoom(timeAt(Math.min(drag.a, b)), timeAt(Math.max(drag.a, b)));
      const bucket = buckets.find((one) => one.from <= timeAt(b) && timeAt(b) < one.to);
      if (bucket && bucket.total > 0) zoom(bucket.from, bucket.to - 1);
    },
    onPointerCancel: () => setDrag(null),
    onDblClick: () => zoomOut(),
  };
  return { drag, handlers, timeAt };
}

function Bars({ buckets }: { buckets: readonly Bucket[] }) {
  const [root, width] = useWidth();
  const [hover, setHover] = useState<number | null>(null);
  const zone = view.value.zone;
  const [start, end] = rangeMs(view.value, askedAt.value);
  const full = buckets.filter((bucket) => bucket.total > 0);
  const wide = start <= 0;
  // Of "all time" only the part with events is drawn: fifty empty years say nothing.
  const from = wide ? (full[0]?.from ?? start) : Math.min(start, buckets[0]?.from ?? start);
  const to = wide ? (full.at(-1)?.to ?? end) : Math.max(end, Math.min(buckets.at(-1)?.to ?? end, end + 1));
  const scale = { from, to: Math.max(to, from + 1), width: Math.max(1, width) };
  const x = (ms: number) => ((ms - scale.from) / (scale.to - scale.from)) * scale.width;
  const most = buckets.reduce((top, bucket) => Math.max(top, bucket.total), 0);
  const top = niceCount(most);
  const { drag, handlers, timeAt } = useBrush(scale, buckets);
  const hovered =
    hover === null || drag ? undefined : buckets.find((one) => one.from <= timeAt(hover) && timeAt(hover) < one.to);
  return (
    <div class="bars" ref={root}>
      <svg
        width={scale.width}
        height={HEIGHT + AXIS}
        role="img"
        aria-label={t("Bar chart of {n} events; the button “Show the counts as a table” gives the numbers", {
          n: count(buckets.reduce((n, one) => n + one.total, 0)),
        })}
        data-testid="bars"
        {...handlers}
        onPointerMove={(event) => {
          handlers.onPointerMove(event);
          setHover(event.clientX - event.currentTarget.getBoundingClientRect().left);
        }}
        onPointerLeave={() => setHover(null)}
      >
        {most > 0 &&
          [0.5, 1].map((part) => (
            <g key={part} class="grid">
              <line x1={0} x2={scale.width} y1={HEIGHT * (1 - part) + 0.5} y2={HEIGHT * (1 - part) + 0.5} />
            </g>
          ))}
        {hovered && (
          <rect
            class="hovered"
            x={x(hovered.from)}
            y={0}
            width={Math.max(1, x(hovered.to) - x(hovered.from))}
            height={HEIGHT}
          />
        )}
        {full.map((bucket) => (
          <Stack
            key={bucket.from}
            bucket={bucket}
            left={x(Math.max(bucket.from, scale.from))}
            right={x(Math.min(bucket.to, scale.to))}
            top={top}
          />
        ))}
        {most > 0 &&
          [0.5, 1].map((part) => (
            <g key={part} class="grid">
              <text x={2} y={HEIGHT * (1 - part) + 11}>
                {compact(top * part)}
              </text>
            </g>
          ))}
        <line class="base" x1={0} x2={scale.width} y1={HEIGHT + 0.5} y2={HEIGHT + 0.5} />
        <Axis scale={scale} x={x} zone={zone} />
        {drag && (
          <rect class="brush" x={Math.min(drag.a, drag.b)} y={0} width={Math.abs(drag.b - drag.a)} height={HEIGHT} />
        )}
      </svg>
      {drag && Math.abs(drag.b - drag.a) >= 4 && (
        <p class="tip" style={{ left: `${Math.min(drag.a, drag.b)}px` }}>
          {fullText(timeAt(Math.min(drag.a, drag.b)), zone)} – {clockText(timeAt(Math.max(drag.a, drag.b)), zone)}
        </p>
      )}
      {hovered && <Tip bucket={hovered} left={x(hovered.from)} width={scale.width} zone={zone} />}
    </div>
  );
}

function Stack({ bucket, left, right, top }: { bucket: Bucket; left: number; right: number; top: number }) {
  const gap = right - left > 4 ? 1 : 0;
  let y = HEIGHT;
  return (
    <>
      {ORDER.map((level) => {
        const n = bucket.by[level] ?? 0;
        if (n === 0) return null;
        // Few errors among many events must still be seen.
        const height = Math.max(1.5, (n / top) * HEIGHT);
        y -= height;
        return (
          <rect
            key={level}
            class={`bar level-${level}`}
            x={left}
            y={y}
            width={Math.max(1, right - left - gap)}
            height={height}
          />
        );
      })}
    </>
  );
}

function Tip({ bucket, left, width, zone }: { bucket: Bucket; left: number; width: number; zone: Zone }) {
  const side = left > width / 2 ? { right: `${width - left + 8}px` } : { left: `${left + 16}px` };
  return (
    <div class="tip" style={side}>
      <div class="dim">{fullText(bucket.from, zone)}</div>
      {[...ORDER]
        .reverse()
        .filter((level) => (bucket.by[level] ?? 0) > 0)
        .map((level) => (
          <div key={level} class={`level-${level}`}>
            <span class="swatch" />
            {levelName(level)}
            <b>{count(bucket.by[level] ?? 0)}</b>
          </div>
        ))}
      {bucket.total === 0 && <div>{t("no event")}</div>}
    </div>
  );
}
