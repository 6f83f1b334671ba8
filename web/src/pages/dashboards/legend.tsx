// The series of a chart by name, with their numbers, or their values where the chart is read. A click shows one alone.

import type { BoardPanel, LegendValue } from "../../api/dashboards.ts";
import { count } from "../../format.ts";
import { Heads } from "../../parts/table.tsx";
import { plural, t, text } from "../../texts.ts";
import { clockText, type Zone } from "../../time.ts";
import { numberOf, type PanelSeries } from "./answers.ts";
import { valueAt } from "./drawing.ts";
import { withUnit } from "./units.ts";

/** What the numbers are called. */
export const LEGEND_VALUES: Readonly<Record<LegendValue, string>> = {
  last: text("Last"),
  max: text("Highest"),
  min: text("Lowest"),
  mean: text("Mean"),
  sum: text("Sum"),
};

interface Props {
  panel: BoardPanel;
  series: readonly PanelSeries[];
  colour: (n: number) => string;
  read: number | null;
  only: string;
  onOnly: (name: string) => void;
  left: number;
  /** The bucket that has only begun: its values are no last ones. */
  begun: number | null;
  zone: Zone;
}

/** The legend. */
export function Legend({ panel, series, colour, read, only, onOnly, left, begun, zone }: Props) {
  const numbers = panel.legend_values ?? [];
  const text = (value: number) => withUnit(value, panel.unit, panel.decimals);
  return (
    <div class="board-legend" tabIndex={0} role="region" aria-label={t("Legend")} data-testid="board-legend">
      {numbers.length > 0 ? (
        <table>
          <Heads
            of={[
              [<span class="sr-only">{t("Line")}</span>],
              ...(read === null ? [] : [[clockText(read, zone), "numeric"] as const]),
              ...numbers.map((one) => [t(LEGEND_VALUES[one]), "numeric"] as const),
            ]}
          />
          <tbody>
            {series.map((one, n) => (
              <tr key={one.name}>
                <th scope="row">
                  <Name name={one.name} colour={colour(n)} only={only} onOnly={onOnly} />
                </th>
                {read !== null && <td class="numeric">{text(valueAt(one, read) ?? NaN)}</td>}
                {numbers.map((of) => (
                  <td key={of} class="numeric">
                    {text(numberOf(of === "last" ? { points: one.points.filter(([ms]) => ms !== begun) } : one, of))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <ul>
          {series.map((one, n) => (
            <li key={one.name}>
              <Name name={one.name} colour={colour(n)} only={only} onOnly={onOnly} />
              {read !== null && <b class="number">{text(valueAt(one, read) ?? NaN)}</b>}
            </li>
          ))}
        </ul>
      )}
      {left > 0 && (
        <p class="dim">
          {plural(left, "{n} more line is only in the table", "{n} more lines are only in the table", count(left))}
        </p>
      )}
    </div>
  );
}

function Name({
  name,
  colour,
  only,
  onOnly,
}: {
  name: string;
  colour: string;
  only: string;
  onOnly: (name: string) => void;
}) {
  return (
    <button
      type="button"
      class={`${colour}${only !== "" && only !== name ? " off" : ""}`}
      aria-pressed={only === name}
      title={`${name}\n${t("Show only this line, or all again")}`}
      onClick={() => onOnly(name)}
    >
      <span class="swatch" />
      <span class="ellipsis">{name}</span>
    </button>
  );
}
