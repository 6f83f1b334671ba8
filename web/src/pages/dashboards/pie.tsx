// Shares of a whole as a pie, with the table that has the same numbers.

import { useState } from "preact/hooks";

import type { BoardPanel } from "../../api/dashboards.ts";
import { percent } from "../../format.ts";
import { t } from "../../texts.ts";
import { numberOf, type PanelSeries } from "./answers.ts";
import { withUnit } from "./units.ts";

/** Slices that can be told apart; the rest is one more. */
const SLICES_MAX = 8;
const RADIUS = 46;
const HOLE = 24;

/** A slice: its name, its value, and where it lies, from 0 to 1. */
export interface Slice {
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

/** The pie and its table. */
export function PiePanel({
  panel,
  series,
  label,
  onPick,
}: {
  panel: BoardPanel;
  series: readonly PanelSeries[];
  label: string;
  onPick: (series: PanelSeries) => void;
}) {
  const [read, setRead] = useState("");
  const { slices, left } = slicesOf(series, t("others"));
  const sum = slices.reduce((total, { value }) => total + value, 0);
  return (
    <div class="board-pie">
      <svg viewBox="0 0 100 100" role="img" aria-label={label} data-testid="board-pie">
        {slices.map((slice, n) => (
          <path
            key={slice.name}
            class={`area ${slice.series ? `series-${n}` : "level-none"}${read === slice.name ? " read" : ""}`}
            d={arc(slice.from, slice.to)}
            onPointerEnter={() => setRead(slice.name)}
            onPointerLeave={() => setRead("")}
            onClick={() => slice.series && onPick(slice.series)}
          >
            <title>{`${slice.name}: ${withUnit(slice.value, panel.unit, panel.decimals)}`}</title>
          </path>
        ))}
      </svg>
      <div class="board-legend" tabIndex={0} role="region" aria-label={t("Values by name")}>
        <table>
          <thead class="sr-only">
            <tr>
              <th scope="col">{t("Name")}</th>
              <th scope="col">{t("Value")}</th>
              <th scope="col">{t("Share")}</th>
            </tr>
          </thead>
          <tbody>
            {slices.map((slice, n) => (
              <tr
                key={slice.name}
                class={read === slice.name ? "read" : ""}
                onPointerEnter={() => setRead(slice.name)}
                onPointerLeave={() => setRead("")}
              >
                <th scope="row">
                  {slice.series ? (
                    <button
                      type="button"
                      class={`series-${n}`}
                      title={slice.name}
                      onClick={() => slice.series && onPick(slice.series)}
                    >
                      <span class="swatch" />
                      <span class="ellipsis">{slice.name}</span>
                    </button>
                  ) : (
                    <span class="rest level-none">
                      <span class="swatch" />
                      <span class="ellipsis">{slice.name}</span>
                    </span>
                  )}
                </th>
                <td class="numeric">{withUnit(slice.value, panel.unit, panel.decimals)}</td>
                <td class="numeric dim">{percent(slice.value / sum)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {left > 0 && <p class="dim">{t("Values that are not above zero have no share: {n}", { n: left })}</p>}
      </div>
    </div>
  );
}
