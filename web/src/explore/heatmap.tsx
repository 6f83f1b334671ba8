// Values by time and name as colours: the darker, the higher. Arrow keys read the cells one after the other.

import { useMemo } from "preact/hooks";

import { adopt } from "../parts/style.ts";
import rules from "../style/heatmap.css?inline";
import type { Zone } from "../time.ts";
import { Axis, AXIS } from "./axis.tsx";

adopt(rules);

const NAMES_PX = 92;
const CHAR_PX = 6.4;
const NAME_TALL = 11;
const FAINTEST = 0.06;
/** Shades that are told apart: cells of one are drawn at once, since a day of many rows has thousands of cells. */
const SHADES = 32;

/** A row of a heatmap, from its top on: a name and values in the order of time. */
export interface HeatRow {
  name: string;
  points: readonly (readonly [ms: number, value: number])[];
}

/** A cell: the places of its row and of its point there. */
export interface HeatCell {
  row: number;
  n: number;
}

interface Props {
  /** Held by the caller as long as they are the same: cells are drawn once for each. */
  rows: readonly HeatRow[];
  /** The time that is shown, in ms. */
  from: number;
  to: number;
  /** The time that a cell covers, in ms. */
  distance: number;
  /** The size of the whole, in pixels. */
  width: number;
  height: number;
  /** Whether colours go by the logarithm of values. */
  isLog?: boolean;
  at: HeatCell | null;
  onRead: (cell: HeatCell | null) => void;
  onPick: (cell: HeatCell) => void;
  label: string;
  zone: Zone;
  testId: string;
}

/** Returns the highest value. */
export function mostOf(rows: readonly HeatRow[]): number {
  return rows.reduce((top, { points }) => points.reduce((most, [, value]) => Math.max(most, value), top), 0);
}

/** How dark a value is: by its size, or by that of its logarithm. */
function shade(value: number, most: number, isLog: boolean): number {
  if (!(value > 0)) return 0;
  const share = isLog ? Math.log1p(value) / Math.log1p(most) : value / most;
  return FAINTEST + (1 - FAINTEST) * Math.min(1, share);
}

/** A length in pixels, as exactly as anybody sees. */
const tenths = (px: number) => Math.round(px * 10) / 10;

/** The point of a row that is nearest to an instant. */
function nearest({ points }: HeatRow, ms: number): number {
  const far = (n: number) => Math.abs((points[n]?.[0] ?? Infinity) - ms);
  return points.reduce((best, _, n) => (far(n) < far(best) ? n : best), 0);
}

/** The cell that an arrow key leads to; `null` for other keys. */
function moved(rows: readonly HeatRow[], at: HeatCell | null, key: string): HeatCell | null {
  const now = at ?? { row: 0, n: key === "ArrowLeft" ? (rows[0]?.points.length ?? 0) : -1 };
  const points = rows[now.row]?.points ?? [];
  const last = points.length - 1;
  if (key === "ArrowRight") return { ...now, n: Math.min(last, now.n + 1) };
  if (key === "ArrowLeft") return { ...now, n: Math.max(0, now.n - 1) };
  if (key === "Home" || key === "End") return { ...now, n: key === "Home" ? 0 : last };
  if (key !== "ArrowDown" && key !== "ArrowUp") return null;
  const row = Math.max(0, Math.min(rows.length - 1, now.row + (key === "ArrowDown" ? 1 : -1)));
  const next = rows[row];
  return next ? { row, n: nearest(next, points[now.n]?.[0] ?? 0) } : null;
}

/** The heatmap. */
export function Heatmap({
  rows,
  from,
  to,
  distance,
  width,
  height,
  isLog = false,
  label,
  zone,
  testId,
  ...rest
}: Props) {
  const { at, onRead, onPick } = rest;
  const left = Math.min(NAMES_PX, width / 3);
  const wide = Math.max(1, width - left);
  const tall = Math.max(20, height - AXIS);
  const each = tall / Math.max(1, rows.length);
  const length = Math.max(1, to - from);
  const x = (ms: number) => left + ((ms - from) / length) * wide;
  const place = (row: number, ms: number) => {
    const [start, end] = [Math.max(left, x(ms)), Math.min(width, x(ms + distance))];
    return { x: start, y: row * each, width: Math.max(1, end - start - 1), height: Math.max(1, each - 1) };
  };
  const cells = useMemo(() => {
    const most = mostOf(rows);
    const shapes = new Map<number, string[]>();
    rows.forEach(({ points }, row) =>
      points.forEach(([ms, value]) => {
        if (!(value > 0)) return;
        const { x: at, y, width: w, height: h } = place(row, ms);
        const level = Math.round(shade(value, most, isLog) * SHADES);
        const shape = `M${tenths(at)} ${tenths(y)}h${tenths(w)}v${tenths(h)}h${tenths(-w)}z`;
        const known = shapes.get(level);
        if (known) known.push(shape);
        else shapes.set(level, [shape]);
      }),
    );
    return [...shapes].map(([level, of]) => (
      <path key={level} class="heat" d={of.join("")} fill-opacity={Math.max(FAINTEST, level / SHADES).toFixed(3)} />
    ));
  }, [rows, from, to, distance, width, height, isLog]);
  const cellAt = (event: MouseEvent): HeatCell | null => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const row = Math.max(0, Math.min(rows.length - 1, Math.floor((event.clientY - box.top) / each)));
    const ms = from + ((event.clientX - box.left - left) / wide) * length;
    const n = rows[row]?.points.findLastIndex(([start]) => start <= ms) ?? -1;
    const start = rows[row]?.points[n]?.[0] ?? -Infinity;
    return ms < start + distance && event.clientY - box.top < tall ? { row, n } : null;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = moved(rows, at, event.key);
    if (next !== null) onRead(next);
    else if (event.key === "Enter" && at !== null) onPick(at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // Names have room for their letters; where rows are lower, some have none.
  const named = Math.max(1, Math.ceil(NAME_TALL / each));
  const chars = Math.max(1, Math.floor(left / CHAR_PX) - 1);
  const read = at === null ? undefined : rows[at.row]?.points[at.n];
  return (
    <svg
      class="heatmap"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      tabIndex={0}
      aria-label={label}
      data-testid={testId}
      onKeyDown={onKeyDown}
      onBlur={() => onRead(null)}
      onPointerMove={(event) => onRead(cellAt(event))}
      onPointerLeave={() => onRead(null)}
      onClick={(event) => {
        const cell = cellAt(event);
        if (cell !== null) onPick(cell);
      }}
    >
      {cells}
      <g class="axis">
        {rows.map(
          ({ name }, n) =>
            (rows.length - 1 - n) % named === 0 && (
              <text key={n} x={left - 6} y={n * each + each / 2 + 4} text-anchor="end">
                {name.length > left / CHAR_PX ? `${name.slice(0, chars)}…` : name}
              </text>
            ),
        )}
      </g>
      {at !== null && read && <rect class="heat read" {...place(at.row, read[0])} />}
      <g transform={`translate(${left} 0)`}>
        <Axis scale={{ from, to, width: wide }} x={(ms) => x(ms) - left} zone={zone} height={tall} />
      </g>
    </svg>
  );
}

/** What colours mean; in their place what a cell that is read says. */
export function HeatLegend({ most, said }: { most: string; said: string }) {
  return (
    <p class="heat-legend dim" role="status">
      {said === "" ? (
        <>
          <span class="number">0</span>
          <span class="heat-scale" aria-hidden="true" />
          <span class="number">{most}</span>
        </>
      ) : (
        said
      )}
    </p>
  );
}
