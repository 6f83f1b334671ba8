// Shares of a whole as a pie, with the table that has the same numbers.

import { useState } from "preact/hooks";

import type { BoardPanel } from "../../api/dashboards.ts";
import { percent } from "../../format.ts";
import { Heads } from "../../parts/table.tsx";
import { t } from "../../texts.ts";
import type { PanelSeries } from "./answers.ts";
import { arc, slicesOf } from "./slices.ts";
import { withUnit } from "./units.ts";

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
  /** `null` where nothing is behind a slice. */
  onPick: ((series: PanelSeries) => void) | null;
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
            onClick={() => slice.series && onPick?.(slice.series)}
          >
            <title>{`${slice.name}: ${withUnit(slice.value, panel.unit, panel.decimals)}`}</title>
          </path>
        ))}
      </svg>
      <div class="board-legend" tabIndex={0} role="region" aria-label={t("Values by name")}>
        <table>
          <Heads class="sr-only" of={[[t("Name")], [t("Value")], [t("Share")]]} />
          <tbody>
            {slices.map((slice, n) => (
              <tr
                key={slice.name}
                class={read === slice.name ? "read" : ""}
                onPointerEnter={() => setRead(slice.name)}
                onPointerLeave={() => setRead("")}
              >
                <th scope="row">
                  {slice.series && onPick ? (
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
                    <span class={`rest ${slice.series ? `series-${n}` : "level-none"}`}>
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
        {left > 0 && <p class="dim">{t("Values of zero or less, left out: {n}", { n: left })}</p>}
      </div>
    </div>
  );
}
