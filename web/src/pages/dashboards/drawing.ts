// What a chart of a panel is made of: its series as they are drawn, its scale, its instants.

import type { BoardPanel } from "../../api/dashboards.ts";
import { stack, type Stacked } from "../../explore/series.ts";
import { geometryOf, linear, type Geometry, type SeriesKind, type ValueScale } from "../../explore/geometry.ts";
import { scaleBetween } from "../../metrics/lines.ts";
import type { BoardRange } from "./ask.ts";
import { byName, distanceOf, largest, thinned, withZeros, type Distances, type PanelSeries } from "./answers.ts";

/** Most lines of a chart: eight colours, three kinds of dashes. */
const LINES_MAX = 24;
/** Most areas or bars: they have colours alone. */
const STACKED_MAX = 8;
/** Limits are drawn where values come as near as this. */
const NEAR = 1.5;

/** A chart as it is drawn. */
export interface Drawing {
  kind: SeriesKind;
  /** What is drawn: of many points those that can be seen. */
  series: PanelSeries[];
  /** The same series with all of their points. */
  whole: PanelSeries[];
  stacked: Stacked[];
  scale: ValueScale;
  geometry: Geometry;
  /** The instants that can be read. */
  instants: number[];
  /** How many series are not drawn. */
  left: number;
}

/** Returns the scale on which equal distances are equal ratios; values must be above zero. */
export function logarithmic(least: number, most: number): ValueScale {
  const low = Math.floor(Math.log10(least));
  const top = Math.max(low + 1, Math.ceil(Math.log10(most)));
  const every = Math.ceil((top - low) / 5);
  const marks = Array.from({ length: Math.floor((top - low) / every) + 1 }, (_, n) => 10 ** (low + n * every));
  const place = (value: number) => (value > 0 ? Math.max(0, (Math.log10(value) - low) / (top - low)) : 0);
  return { low: 10 ** low, top: 10 ** top, marks, place };
}

function isCount(values: readonly number[], { unit = "none" }: BoardPanel): boolean {
  return /^(?:none|count)?$/.test(unit) && values.every((value) => !Number.isFinite(value) || Number.isInteger(value));
}

function scaleFor(values: readonly number[], panel: BoardPanel, isFromZero: boolean): ValueScale {
  let [least, most] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  if (panel.scale === "log") {
    const above = values.filter((value) => value > 0);
    if (above.length > 0)
      return logarithmic(
        above.reduce((a, b) => Math.min(a, b)),
        most,
      );
  }
  for (const { value } of panel.thresholds ?? []) if (value > most && value < most * NEAR) most = value;
  if (isFromZero) least = Math.min(0, least);
  // Of what is counted there is no half.
  const { low, top, marks } = scaleBetween(least, most, isCount(values, panel));
  return linear(low, top, marks);
}

/** Puts bars of several series side by side. */
function sideBySide(series: readonly PanelSeries[], step: number): Stacked[] {
  const each = (step * 0.8) / Math.max(1, series.length);
  return series.map(({ name, points }, n) => ({
    name,
    points: points.map(([ms, value]) => [
      ms + (n - (series.length - 1) / 2) * each,
      Math.min(0, value),
      Math.max(0, value),
    ]),
  }));
}

/** Returns the areas or bars of series. */
function stackedOf(series: readonly PanelSeries[], panel: BoardPanel, step: number): Stacked[] {
  if (panel.stack === true) return stack(series);
  if (panel.kind === "bar") return sideBySide(series, step);
  return series.map(({ name, points }) => ({ name, points: points.map(([ms, value]) => [ms, 0, value]) }));
}

/** Returns the chart of a panel's series. `others` is what the rest is called where there are too many. */
export function drawingOf(
  all: readonly PanelSeries[],
  panel: BoardPanel,
  range: BoardRange,
  distances: Distances,
  size: { width: number; tall: number },
  others: string,
): Drawing {
  const kind: SeriesKind = panel.kind === "area" || panel.kind === "bar" ? panel.kind : "line";
  const distance = distanceOf(all, distances);
  const most = kind === "line" ? LINES_MAX : STACKED_MAX;
  // Lines are left out: a sum of them is no line among them.
  const kept = kind === "line" ? [...all].sort(bySize).slice(0, most).sort(byName) : largest(all, most, others);
  const zeros = panel.nulls === "zero" ? withZeros(kept, { ...range, step: distance }) : kept;
  const series = zeros.map((one) => ({ ...one, points: thinned(one.points, size.width) }));
  const stacked = kind === "line" ? [] : stackedOf(zeros, panel, distance);
  const values =
    kind === "line"
      ? series.flatMap(({ points }) => points.map(([, value]) => value))
      : stacked.flatMap(({ points }) => points.flatMap(([, from, to]) => [from, to]));
  const scale = scaleFor(values, panel, kind !== "line");
  const isSide = kind === "bar" && panel.stack !== true;
  const instants = [...new Set(zeros.flatMap(({ points }) => points.map(([ms]) => ms)))].sort((a, b) => a - b);
  // The first bar may begin before the range.
  const from = kind === "bar" ? Math.min(range.from, instants[0] ?? range.from) : range.from;
  const geometry = geometryOf({ from, to: range.to, step: distance }, scale, {
    ...size,
    isBar: kind === "bar",
    isSide,
  });
  const wide = isSide ? Math.max(1, geometry.wide / Math.max(1, kept.length)) : geometry.wide;
  const gap = panel.nulls === "connect" ? Infinity : distance;
  return {
    kind,
    series,
    whole: zeros,
    stacked,
    scale,
    // A line is broken where it has a gap; one whose points were thinned out has none that is seen.
    geometry: { ...geometry, wide, step: kind === "line" && series.some(isThinned(zeros)) ? Infinity : gap },
    instants,
    left: kind === "line" ? Math.max(0, all.length - most) : 0,
  };
}

const size = ({ points }: PanelSeries) => points.reduce((sum, [, value]) => sum + Math.abs(value), 0);
const bySize = (a: PanelSeries, b: PanelSeries) => size(b) - size(a);

function isThinned(whole: readonly PanelSeries[]): (one: PanelSeries, at: number) => boolean {
  return (one, at) => one.points.length < (whole[at]?.points.length ?? 0);
}

/** Returns the place of the first that is not before an instant, of instants in order. */
function placeOf(length: number, at: (n: number) => number, ms: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(middle) < ms) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Returns the value of a series at an instant. */
export function valueAt({ points }: Pick<PanelSeries, "points">, ms: number): number | undefined {
  const point = points[placeOf(points.length, (n) => points[n]?.[0] ?? 0, ms)];
  return point?.[0] === ms ? point[1] : undefined;
}

/** Returns the instant nearest to one, of instants in order. */
export function nearest(instants: readonly number[], ms: number): number | null {
  const at = placeOf(instants.length, (n) => instants[n] ?? 0, ms);
  const [before, after] = [instants[at - 1], instants[at]];
  if (before === undefined || after === undefined) return before ?? after ?? null;
  return ms - before <= after - ms ? before : after;
}
