// An aggregation by time, drawn as lines, areas or bars above its table. Pointer and arrow keys read the values.

import { useMemo, useState } from "preact/hooks";

import { count, decimal, printable } from "../format.ts";
import type { Rows } from "../rows.ts";
import { t } from "../texts.ts";
import { fullText } from "../time.ts";
import { view, zoom } from "../view.ts";
import { Axis, AXIS, niceTop, useWidth } from "./axis.tsx";
import { stepBy, useBrush } from "./brush.ts";
import { levelClass, NO_LEVEL } from "./levels.ts";
import { MarkLines } from "./mark_lines.tsx";
import { Selection } from "./selection.tsx";
import { NOTHING, path, seriesOf, stack, stepOf, type Series, type Stacked } from "./series.ts";

const TALL = 170;

/** Colours: of levels those that they have everywhere, of other things one after the other. */
function colourOf(all: readonly { name: string }[]): (n: number) => string {
  const areLevels =
    all.some(({ name }) => levelClass(name) !== NO_LEVEL) &&
    all.every(({ name }) => name === NOTHING || levelClass(name) !== NO_LEVEL);
  return (n) => (areLevels ? `level-${levelClass(all[n]?.name ?? "")}` : `series-${n}`);
}

/** How the lines are drawn. */
export type SeriesKind = "line" | "area" | "bar";

interface Drawn {
  x: (ms: number) => number;
  y: (value: number) => number;
  step: number;
  /** Width of a bar. */
  wide: number;
  /** The class that colours a series. */
  colour: (n: number) => string;
}

function Lines({ series, drawn: { x, y, step, colour } }: { series: readonly Series[]; drawn: Drawn }) {
  return (
    <>
      {series.map((one, n) => (
        <path key={one.name} class={`line ${colour(n)}`} d={path(one.points, x, y, step)} />
      ))}
    </>
  );
}

function Areas({ stacked, drawn: { x, y, colour } }: { stacked: readonly Stacked[]; drawn: Drawn }) {
  const edge = (points: Stacked["points"], at: 1 | 2) =>
    points.map((point) => `${x(point[0]).toFixed(1)} ${y(point[at]).toFixed(1)}`).join("L");
  return (
    <>
      {stacked.map((one, n) => (
        <path
          key={one.name}
          class={`area ${colour(n)}`}
          d={`M${edge(one.points, 2)}L${edge([...one.points].reverse(), 1)}Z`}
        />
      ))}
    </>
  );
}

function Bars({ stacked, drawn: { x, y, wide, colour } }: { stacked: readonly Stacked[]; drawn: Drawn }) {
  return (
    <>
      {stacked.map((one, n) => (
        <path
          key={one.name}
          class={`area ${colour(n)}`}
          d={one.points
            .filter(([, from, to]) => to > from)
            .map(
              ([ms, from, to]) =>
                `M${(x(ms) - wide / 2).toFixed(1)} ${y(to).toFixed(1)}h${wide.toFixed(1)}V${y(from).toFixed(1)}h${(-wide).toFixed(1)}Z`,
            )
            .join("")}
        />
      ))}
    </>
  );
}

/** Where things are drawn. */
function drawnOf(series: readonly Series[], stacked: readonly Stacked[], kind: SeriesKind, width: number) {
  const all = series.flatMap((one) => one.points);
  const times = [...new Set(all.map(([ms]) => ms))].sort((a, b) => a - b);
  const [from, to] = [times[0] ?? 0, times.at(-1) ?? 0];
  const values =
    kind === "line" ? all.map(([, value]) => value) : stacked.flatMap((one) => one.points.map((point) => point[2]));
  const top = niceTop(values.reduce((most, value) => Math.max(most, value), 0) || 1);
  const low =
    kind === "line"
      ? Math.min(
          0,
          values.reduce((least, value) => Math.min(least, value), 0),
        )
      : 0;
  const step = stepOf(series);
  const fit = Math.max(1, (to - from) / step + 1);
  const wide = Math.max(1, Math.min(60, ((width - 16) / fit) * 0.8));
  // A bar at an end has to have room for its half.
  const edge = kind === "bar" ? 8 + wide / 2 : 8;
  const x = (ms: number) => edge + ((ms - from) / Math.max(1, to - from)) * (width - 2 * edge);
  const y = (value: number) => TALL - ((value - low) / (top - low)) * (TALL - 6);
  const timeAt = (place: number) =>
    Math.min(to + step, Math.max(from, from + ((place - edge) / Math.max(1, width - 2 * edge)) * (to - from)));
  return { times, from, to, top, low, timeAt, drawn: { x, y, step, wide, colour: colourOf(series) } };
}

/** The chart above the table. */
export function SeriesChart({ data, kind = "line", measure }: { data: Rows; kind?: SeriesKind; measure?: number }) {
  const found = useMemo(() => seriesOf(data, measure), [data, measure]);
  const stacked = useMemo(() => stack(found?.series ?? []), [found]);
  const [root, measured] = useWidth();
  const [at, setAt] = useState<number | null>(null);
  // Where a choice by keys began.
  const [anchor, setAnchor] = useState<number | null>(null);
  const zone = view.value.zone;
  const width = Math.max(1, measured);
  const series = found?.series ?? [];
  const { times, from, to, top, low, timeAt, drawn } = drawnOf(series, stacked, kind, width);
  const brush = useBrush(timeAt, () => {
    if (at !== null) zoom(at, at + drawn.step - 1);
  });
  if (!found) return null;
  const { left } = found;
  const { x, y, step } = drawn;
  const nearest = (place: number) =>
    times.reduce((best, ms) => (Math.abs(x(ms) - place) < Math.abs(x(best) - place) ? ms : best), from);
  const byKeys =
    at !== null && anchor !== null && anchor !== at
      ? { from: Math.min(at, anchor), to: Math.max(at, anchor) + step }
      : null;
  const onKeyDown = (event: KeyboardEvent) => {
    const next = stepBy(event.key, at === null ? null : times.indexOf(at), times.length);
    if (event.key === "Enter" && at !== null) brush.setPart(byKeys ?? { from: at, to: at + step });
    else if (next === null) return;
    else {
      const ms = times[next] ?? null;
      setAnchor(event.shiftKey ? (anchor ?? at ?? ms) : ms);
      setAt(ms);
    }
    event.preventDefault();
  };
  const brushed = brush.dragged ?? brush.part ?? byKeys;
  return (
    <div class="series" data-testid="series" data-kind={kind}>
      <div ref={root} />
      {measure !== undefined && (
        <p class="measure" lang="">
          {printable(data.columns[measure]?.name ?? "")}
        </p>
      )}
      <svg
        width={width}
        height={TALL + AXIS}
        role="img"
        tabIndex={0}
        aria-label={t(
          "Chart of the table below; ← and → read it, with Shift they select, Enter opens what to do with the time",
        )}
        {...brush.handlers}
        onKeyDown={onKeyDown}
        onBlur={() => setAt(null)}
        onPointerLeave={() => setAt(null)}
        onPointerMove={(event) => {
          brush.handlers.onPointerMove(event);
          setAnchor(null);
          setAt(nearest(event.clientX - event.currentTarget.getBoundingClientRect().left));
        }}
      >
        {[0.5, 1].map((part) => {
          const value = low + (top - low) * part;
          return (
            <g key={part} class="grid">
              <line x1={0} x2={width} y1={y(value)} y2={y(value)} />
              <text x={2} y={y(value) + 11}>
                {decimal(value, 2)}
              </text>
            </g>
          );
        })}
        <line class="base" x1={0} x2={width} y1={TALL + 0.5} y2={TALL + 0.5} />
        {kind === "line" ? (
          <Lines series={series} drawn={drawn} />
        ) : kind === "area" ? (
          <Areas stacked={stacked} drawn={drawn} />
        ) : (
          <Bars stacked={stacked} drawn={drawn} />
        )}
        <MarkLines from={from} to={to + step} height={TALL} x={x} />
        {brushed && (
          <rect
            class="brush"
            x={x(brushed.from)}
            y={0}
            width={Math.max(1, Math.min(width, x(brushed.to)) - x(brushed.from))}
            height={TALL}
          />
        )}
        {at !== null && <line class="cursor" x1={x(at)} x2={x(at)} y1={0} y2={TALL} />}
        <Axis scale={{ from, to, width }} x={x} zone={zone} height={TALL} />
      </svg>
      {brush.part && (
        <Selection part={brush.part} left={x(brush.part.from)} width={width} onClose={() => brush.setPart(null)} />
      )}
      <div class="legend" role="status">
        {series.map((one, n) => (
          <span key={one.name} class={`label ${drawn.colour(n)}`}>
            <span class="swatch" />
            {one.name}
            {at !== null && <b>{decimal(one.points.find(([ms]) => ms === at)?.[1] ?? 0, 2)}</b>}
          </span>
        ))}
        {left > 0 && <span class="dim">{t("and {n} more in the table", { n: count(left) })}</span>}
        {at !== null && <span class="dim">{fullText(at, zone)}</span>}
      </div>
    </div>
  );
}
