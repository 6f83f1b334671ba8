// Shares of a whole, and the outlines of their slices.

import { numberOf, type PanelSeries } from "./answers.ts";

/** Slices that can be told apart; the rest is one more. */
const SLICES_MAX = 8;
const RADIUS = 46;
const HOLE = 24;

/** A slice: its name, its value, and where it lies, from 0 to 1. */
interface Slice {
  name: string;
  value: number;
  from: number;
  to: number;
  series: PanelSeries | null;
}

/** Returns the slices, largest first, and what is left out: what is not above zero has no share. */
export function slicesOf(series: readonly PanelSeries[], others: string): { slices: Slice[]; left: number } {
  const valued = series.map((one) => ({ name: one.name, value: numberOf(one, "sum"), series: one }));
  const all = valued.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
  const rest = all.slice(SLICES_MAX - 1);
  const kept =
    all.length > SLICES_MAX
      ? [
          ...all.slice(0, SLICES_MAX - 1),
          { name: others, value: rest.reduce((sum, { value }) => sum + value, 0), series: null },
        ]
      : all;
  const sum = kept.reduce((total, { value }) => total + value, 0);
  let at = 0;
  const slices = kept.map(({ name, value, series: of }) => {
    const from = at;
    at += value / sum;
    return { name, value, from, to: at, series: of };
  });
  return { slices, left: series.length - all.length };
}

/** The outline of a slice. */
export function arc(from: number, to: number): string {
  const point = (part: number, radius: number) => {
    const angle = 2 * Math.PI * part - Math.PI / 2;
    return `${(50 + radius * Math.cos(angle)).toFixed(2)} ${(50 + radius * Math.sin(angle)).toFixed(2)}`;
  };
  // An arc that ends where it begins would be none.
  const end = Math.min(to, from + 0.9999);
  const large = end - from > 0.5 ? 1 : 0;
  return `M${point(from, RADIUS)}A${RADIUS} ${RADIUS} 0 ${large} 1 ${point(end, RADIUS)}L${point(end, HOLE)}A${HOLE} ${HOLE} 0 ${large} 0 ${point(from, HOLE)}Z`;
}
