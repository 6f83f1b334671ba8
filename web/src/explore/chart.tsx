// Counts over time, stacked by level: drag to zoom, click a bar for its bucket, click a level to filter by it; the same
// numbers as a table for those who do not see bars.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";

import { askedAt, draft, rangeMs, run, view, zoom, zoomOut } from "../view.ts";
import { askCounts, counts } from "../ask.ts";
import { compact, count, span } from "../format.ts";
import { IconButton } from "../parts/icons.tsx";
import { later } from "../parts/later.tsx";
import { levelsOf, toggleFilter, toggleLevel } from "../query/edit.ts";
import { clockText, fullText, type Zone } from "../time.ts";
import { Axis, AXIS, HEIGHT, niceCount, useWidth } from "./axis.tsx";
import { rich, t } from "../texts.ts";
import { bucketsOf, drawnOf, type Bucket } from "./buckets.ts";
import { stepBy, useBrush } from "./brush.ts";
import { LEVELS, NO_LEVEL } from "./levels.ts";
import { Failure, Incomplete } from "./waiting.tsx";

const MarkLines = later(async () => (await import("./mark_lines.tsx")).MarkLines, true);
const MarkList = later(async () => (await import("./mark_lines.tsx")).MarkList, true);
const Selection = later(async () => (await import("./selection.tsx")).Selection);
const CountTable = later(async () => (await import("./count_table.tsx")).CountTable);
const asTable = signal(false);

const ORDER: readonly string[] = [NO_LEVEL, ...LEVELS];

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
        <IconButton
          icon="zoomOut"
          class="button quiet"
          aria-label={t("Zoom out")}
          title={t("Zoom out (z)")}
          onClick={zoomOut}
          data-testid="zoom-out"
        />
        <IconButton
          icon="table"
          class="button quiet"
          aria-label={t("Show the counts as a table")}
          title={t("Show the counts as a table")}
          aria-pressed={asTable.value}
          onClick={() => (asTable.value = !asTable.value)}
          data-testid="histogram-table-toggle"
        />
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
      {asTable.value ? <CountTable buckets={buckets} levels={ORDER} nameOf={levelName} /> : <Bars all={buckets} />}
      {lane.data && (
        <MarkList from={rangeMs(view.value, askedAt.value)[0]} to={rangeMs(view.value, askedAt.value)[1]} />
      )}
    </section>
  );
}

function Bars({ all }: { all: readonly Bucket[] }) {
  const [root, width] = useWidth();
  const [hover, setHover] = useState<number | null>(null);
  const zone = view.value.zone;
  const { from, to, buckets } = drawnOf(all, ...rangeMs(view.value, askedAt.value));
  const scale = { from, to: Math.max(to, from + 1), width: Math.max(1, width) };
  const x = (ms: number) => ((ms - scale.from) / (scale.to - scale.from)) * scale.width;
  const most = buckets.reduce((top, bucket) => Math.max(top, bucket.total), 0);
  const top = niceCount(most);
  const timeAt = (place: number) =>
    scale.from + (Math.max(0, Math.min(scale.width, place)) / scale.width) * (scale.to - scale.from);
  const bucketAt = (ms: number) => buckets.find((one) => one.from <= ms && ms < one.to);
  const { isBusy, dragged, part, setPart, handlers } = useBrush(timeAt, (ms) => {
    const bucket = bucketAt(ms);
    if (bucket && bucket.total > 0) zoom(bucket.from, bucket.to - 1);
  });
  // By keys: a bar that is read, and the one from which a choice reaches to it.
  const [at, setAt] = useState<{ a: number; b: number } | null>(null);
  const [a, b] = [buckets[Math.min(at?.a ?? -1, at?.b ?? -1)], buckets[Math.max(at?.a ?? -1, at?.b ?? -1)]];
  const onKeyDown = (event: KeyboardEvent) => {
    const next = stepBy(event.key, at?.b ?? null, buckets.length);
    if (next !== null) setAt({ a: event.shiftKey ? (at?.a ?? next) : next, b: next });
    else if (event.key === "Enter" && a && b) setPart({ from: a.from, to: b.to });
    else return;
    event.preventDefault();
  };
  const read = at === null ? undefined : buckets[at.b];
  const hovered = isBusy ? undefined : hover === null ? read : bucketAt(timeAt(hover));
  const brushed = dragged ?? part ?? (at !== null && at.a !== at.b && a && b ? { from: a.from, to: b.to } : null);
  return (
    <div class="bars" ref={root}>
      <svg
        width={scale.width}
        height={HEIGHT + AXIS}
        role="img"
        tabIndex={0}
        aria-label={t(
          "Bar chart of {n} events; “Show the counts as a table” gives the numbers; ← and → read bars, with Shift they select, Enter opens what to do with them",
          { n: count(buckets.reduce((n, one) => n + one.total, 0)) },
        )}
        data-testid="bars"
        {...handlers}
        onDblClick={zoomOut}
        onKeyDown={onKeyDown}
        onBlur={() => setAt(null)}
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
        {buckets.map((bucket) => (
          <Stack
            key={bucket.from}
            bucket={bucket}
            // The last instant belongs to the range, too.
            left={Math.min(x(bucket.from), scale.width - 1)}
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
        <MarkLines from={scale.from} to={scale.to} height={HEIGHT} x={x} />
        {brushed && (
          <rect
            class="brush"
            x={x(brushed.from)}
            y={0}
            width={Math.max(1, x(brushed.to) - x(brushed.from))}
            height={HEIGHT}
          />
        )}
      </svg>
      {dragged && (
        <p class="tip" style={{ left: `${x(dragged.from)}px` }}>
          {fullText(dragged.from, zone)} – {clockText(dragged.to, zone)}
        </p>
      )}
      {part && <Selection part={part} left={x(part.from)} width={scale.width} onClose={() => setPart(null)} />}
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
