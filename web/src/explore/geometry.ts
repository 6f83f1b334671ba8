// Where a chart over time draws its instants and values.

/** How series are drawn. */
export type SeriesKind = "line" | "area" | "bar";

/** The values of a chart: its ends, the values with a line across, and where a value is, from 0 (low) to 1 (top). */
export interface ValueScale {
  low: number;
  top: number;
  marks: readonly number[];
  place: (value: number) => number;
}

/** Where instants and values are drawn. */
export interface Geometry {
  from: number;
  to: number;
  width: number;
  tall: number;
  step: number;
  /** Width of a bar. */
  wide: number;
  x: (ms: number) => number;
  y: (value: number) => number;
  timeAt: (place: number) => number;
}

/** Most pixels of a bar. */
const BAR_MAX = 60;
const EDGE = 8;
/** Room at the left for the labels of values, the same in all charts, so that one instant is at one place in each. */
export const LABELS = 48;

/** Returns the scale on which equal distances are equal differences. */
export function linear(low: number, top: number, marks: readonly number[]): ValueScale {
  return { low, top, marks, place: (value) => (value - low) / (top - low) };
}

/** The bins of a chart that the range cuts, from and to in ms: they have only a part of their events, as if these rose or fell there. */
export function cutBins(
  instants: readonly number[],
  bin: number,
  range: { from: number; to: number },
): { from: number; to: number }[] {
  const [first, last] = [instants[0] ?? NaN, instants.at(-1) ?? NaN];
  const cut = [...(first < range.from ? [first] : []), ...(last + bin > range.to && last !== first ? [last] : [])];
  return instants.length < 2 ? [] : cut.map((at) => ({ from: at, to: at + bin }));
}

/** The instants of a chart. */
interface Instants {
  from: number;
  to: number;
  /** The distance of neighbours. */
  step: number;
}

/** The size of a chart; bars need room at both ends. */
interface Sheet {
  width: number;
  tall: number;
  isBar: boolean;
  /** Whether bars stand side by side, and so take the whole width of a step. */
  isSide?: boolean;
}

/** Returns where things are drawn. */
export function geometryOf(instants: Instants, scale: ValueScale, sheet: Sheet): Geometry {
  const { from, to, step } = instants;
  const { width, tall, isBar, isSide = false } = sheet;
  const fit = Math.max(1, (to - from) / step + 1);
  const most = ((width - LABELS - 2 * EDGE) / fit) * 0.8;
  const wide = Math.max(1, Math.min(BAR_MAX, most));
  // A bar at an end has to have room for its half.
  const edge = isBar ? EDGE + (isSide ? most : wide) / 2 : EDGE;
  const start = LABELS + edge;
  const inner = Math.max(1, width - start - edge);
  return {
    from,
    to,
    width,
    tall,
    step,
    wide,
    x: (ms) => start + ((ms - from) / Math.max(1, to - from)) * inner,
    y: (value) => tall - scale.place(value) * (tall - 6),
    timeAt: (place) => Math.min(to + step, Math.max(from, from + ((place - start) / inner) * (to - from))),
  };
}
