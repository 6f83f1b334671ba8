// The lines of metrics over time. Pointer and arrow keys read them; a click on a line, or Enter, leads to the log lines of its
// host and minute; dragging, or Shift with arrow keys, selects a time.

import { useMemo, useRef, useState } from "preact/hooks";

import { Axis, AXIS, useWidth } from "../explore/axis.tsx";
import { useBrush } from "../explore/brush.ts";
import { stepBy, type Part } from "../explore/drag.ts";
import { MarkLines } from "../explore/mark_lines.tsx";
import { Selection } from "../explore/selection.tsx";
import { path } from "../explore/series.ts";
import { t } from "../texts.ts";
import { fullText } from "../time.ts";
import { view } from "../view.ts";
import { hostOf } from "./host.ts";
import { quantity, scaleOf, valueAt, type DrawnLine } from "./lines.ts";

const TALL = 190;
/** Room at both sides of the lines. */
const EDGE = 8;
/** How near to a line, in pixels, is on it. */
const NEAR_PX = 48;
/** Beyond this many colours lines are dashed. */
const COLOURS = 8;

/** What is read: an instant, and the line that is meant there. */
export interface Reading {
  ms: number;
  line: DrawnLine | null;
}

interface Props {
  lines: readonly DrawnLine[];
  /** The instants of the chart. */
  from: number;
  to: number;
  step: number;
  /** The part of the time whose log lines are shown. */
  chosen: Part | null;
  reading: Reading | null;
  onRead: (reading: Reading | null) => void;
  onPick: (reading: Reading) => void;
  onLogs: (part: Part) => void;
}

/** The classes of a line: its colour, and its dashes. */
export function lineClass(n: number): string {
  return `series-${n % COLOURS} dash-${Math.floor(n / COLOURS) % 3}`;
}

/** The distance of a point from the part of a line around an instant, in pixels. */
function distanceTo(line: DrawnLine, ms: number, { x, y, step, at }: Place): number {
  const corners = [ms - step, ms, ms + step].flatMap((one): [number, number][] => {
    const value = valueAt(line, one);
    return value === undefined || !Number.isFinite(value) ? [] : [[x(one), y(value)]];
  });
  const far = corners.map(([left, top], n) => {
    const [right, bottom] = corners[n + 1] ?? [left, top];
    const length = (right - left) ** 2 + (bottom - top) ** 2;
    const along = length === 0 ? 0 : ((at.x - left) * (right - left) + (at.y - top) * (bottom - top)) / length;
    const part = Math.max(0, Math.min(1, along));
    return Math.hypot(at.x - left - part * (right - left), at.y - top - part * (bottom - top));
  });
  return Math.min(Infinity, ...far);
}

/** Where things are drawn, and the pointer. */
interface Place {
  x: (ms: number) => number;
  y: (value: number) => number;
  step: number;
  at: { x: number; y: number };
}

/** The line that is nearest to the pointer at an instant. */
function nearest(lines: readonly DrawnLine[], ms: number, place: Place): DrawnLine | null {
  if (lines.length === 1) return lines[0] ?? null;
  const [best] = lines
    .map((line) => ({ line, far: distanceTo(line, ms, place) }))
    .filter(({ far }) => far < NEAR_PX)
    .sort((a, b) => a.far - b.far);
  return best?.line ?? null;
}

/** The next line at an instant, by height. */
function neighbour(lines: readonly DrawnLine[], { ms, line }: Reading, up: boolean): DrawnLine | null {
  const there = lines
    .filter((one) => Number.isFinite(valueAt(one, ms)))
    .sort((a, b) => (valueAt(b, ms) ?? 0) - (valueAt(a, ms) ?? 0));
  const at = line === null ? (up ? there.length : -1) : there.indexOf(line);
  return there[Math.max(0, Math.min(there.length - 1, at + (up ? -1 : 1)))] ?? null;
}

/** The chart. */
export function LineChart({ lines, from, to, step, chosen, reading, onRead, onPick, onLogs }: Props) {
  const [root, measured] = useWidth();
  const width = Math.max(1, measured);
  const [anchor, setAnchor] = useState<number | null>(null);
  const pointer = useRef({ x: 0, y: 0 });
  const zone = view.value.zone;
  const last = from + Math.floor((to - from) / step) * step;
  const x = (ms: number) => EDGE + ((ms - from) / Math.max(1, last - from)) * (width - 2 * EDGE);
  const { low, top, marks } = useMemo(() => scaleOf(lines), [lines]);
  const y = (value: number) => TALL - ((value - low) / (top - low)) * (TALL - 8);
  const timeAt = (place: number) =>
    Math.max(from, Math.min(to, from + ((place - EDGE) / Math.max(1, width - 2 * EDGE)) * (last - from)));
  const instantAt = (place: number) => from + Math.round((timeAt(place) - from) / step) * step;
  const read = (event: PointerEvent): Reading => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    pointer.current = { x: event.clientX - box.left, y: event.clientY - box.top };
    const ms = Math.min(last, instantAt(pointer.current.x));
    return { ms, line: nearest(lines, ms, { x, y, step, at: pointer.current }) };
  };
  const brush = useBrush(timeAt, () => {
    const ms = Math.min(last, instantAt(pointer.current.x));
    onPick({ ms, line: nearest(lines, ms, { x, y, step, at: pointer.current }) });
  });
  const paths = useMemo(
    () => lines.map((line) => ({ line, path: path(line.points, x, y, step) })),
    [lines, width, low, top, from, to, step],
  );
  const byKeys =
    reading !== null && anchor !== null && anchor !== reading.ms
      ? { from: Math.min(reading.ms, anchor), to: Math.max(reading.ms, anchor) }
      : null;
  const onKeyDown = (event: KeyboardEvent) => {
    const steps = Math.round((last - from) / step);
    const at = reading === null ? null : Math.round((reading.ms - from) / step);
    const next = stepBy(event.key, at, steps + 1);
    if (event.key === "Enter" && reading !== null) {
      if (byKeys) brush.setPart(byKeys);
      else onPick(reading);
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const now = reading ?? { ms: last, line: null };
      onRead({ ms: now.ms, line: neighbour(lines, now, event.key === "ArrowUp") });
    } else if (next !== null) {
      const ms = from + next * step;
      setAnchor(event.shiftKey ? (anchor ?? reading?.ms ?? ms) : ms);
      onRead({ ms, line: reading?.line ?? lines[0] ?? null });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const shown = brush.dragged ?? brush.part ?? byKeys;
  const value = reading?.line ? valueAt(reading.line, reading.ms) : undefined;
  return (
    <div class="metric-chart" data-testid="metric-chart">
      <div ref={root} />
      <svg
        width={width}
        height={TALL + AXIS}
        role="img"
        tabIndex={0}
        aria-label={t(
          "Lines over time; ← and → read them, ↑ and ↓ change the line, Enter shows the logs of its host and minute, Shift with ← and → selects a time",
        )}
        data-testid="metric-lines"
        {...brush.handlers}
        onKeyDown={onKeyDown}
        onBlur={() => {
          setAnchor(null);
          onRead(null);
        }}
        onPointerDown={(event) => {
          read(event);
          brush.handlers.onPointerDown(event);
        }}
        onPointerMove={(event) => {
          brush.handlers.onPointerMove(event);
          setAnchor(null);
          onRead(read(event));
        }}
        onPointerLeave={() => onRead(null)}
      >
        {marks.map((mark) => (
          <g key={mark} class="grid">
            <line x1={0} x2={width} y1={y(mark)} y2={y(mark)} />
          </g>
        ))}
        {chosen && (
          <rect
            class="chosen"
            x={x(Math.max(from, chosen.from))}
            y={0}
            width={Math.max(2, x(Math.min(last, chosen.to)) - x(Math.max(from, chosen.from)))}
            height={TALL}
            data-testid="chosen-time"
          />
        )}
        <g class={reading?.line ? "with-reading" : ""}>
          {paths.map(({ line, path }) => (
            <path
              key={line.name}
              class={`line ${lineClass(line.n)}${reading?.line === line ? " read" : ""}`}
              d={path}
            />
          ))}
        </g>
        {marks.map((mark) => (
          <g key={mark} class="grid">
            <text x={2} y={y(mark) + (mark === low ? -3 : 11)}>
              {quantity(mark)}
            </text>
          </g>
        ))}
        <MarkLines from={from} to={last} height={TALL} x={x} />
        {shown && (
          <rect class="brush" x={x(shown.from)} y={0} width={Math.max(1, x(shown.to) - x(shown.from))} height={TALL} />
        )}
        {reading && <line class="cursor" x1={x(reading.ms)} x2={x(reading.ms)} y1={0} y2={TALL} />}
        {reading?.line && value !== undefined && Number.isFinite(value) && (
          <circle class={`dot ${lineClass(reading.line.n)}`} cx={x(reading.ms)} cy={y(value)} r={4} />
        )}
        <line class="base" x1={0} x2={width} y1={TALL + 0.5} y2={TALL + 0.5} />
        <Axis scale={{ from, to: last, width }} x={x} zone={zone} height={TALL} />
      </svg>
      {reading && !brush.isBusy && !brush.part && <Tip reading={reading} left={x(reading.ms)} width={width} />}
      {brush.part && (
        <Selection
          part={brush.part}
          left={x(brush.part.from)}
          width={width}
          onClose={() => brush.setPart(null)}
          onLogs={() => brush.part && onLogs(brush.part)}
        />
      )}
      <p class="sr-only" role="status">
        {reading === null
          ? ""
          : `${fullText(reading.ms, zone)} ${reading.line ? `${reading.line.short} ${quantity(value ?? NaN)}` : ""}`}
      </p>
    </div>
  );
}

function Tip({ reading: { ms, line }, left, width }: { reading: Reading; left: number; width: number }) {
  const side = left > width / 2 ? { right: `${width - left + 10}px` } : { left: `${left + 10}px` };
  const value = line ? valueAt(line, ms) : undefined;
  const host = line ? hostOf(line.labels) : "";
  return (
    <div class="tip metric-tip" style={side} aria-hidden="true">
      <div class="dim">{fullText(ms, view.value.zone)}</div>
      {line && (
        <div class={lineClass(line.n)}>
          <span class="swatch" />
          <span class="ellipsis">{line.short}</span>
          <b>{value === undefined ? "–" : quantity(value)}</b>
        </div>
      )}
      <div class="dim">
        {host === "" ? t("Click: logs of this minute") : t("Click: logs of {host} in this minute", { host })}
      </div>
    </div>
  );
}
