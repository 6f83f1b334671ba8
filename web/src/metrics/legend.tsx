// The lines by name, with their values where the chart is read, else the last ones; each leads to the log lines of its peak.

import { useState } from "preact/hooks";

import { count } from "../format.ts";
import { Heads } from "../parts/table.tsx";
import { plural, t } from "../texts.ts";
import { clockText } from "../time.ts";
import { go, view } from "../view.ts";
import { lineClass, type Reading } from "./line_chart.tsx";
import { quantity, valueAt, type DrawnLine } from "./lines.ts";

/** Lines listed before more are asked for. */
const LISTED = 30;

interface Props {
  lines: readonly DrawnLine[];
  /** Lines that are not drawn. */
  left: number;
  reading: Reading | null;
  onRead: (reading: Reading | null) => void;
  onPick: (reading: Reading) => void;
}

/** The table below the chart. */
export function Legend({ lines, left, reading, onRead, onPick }: Props) {
  const [most, setMost] = useState(LISTED);
  const { line: only, zone } = view.value;
  return (
    <div class="metric-legend" tabIndex={0} role="region" aria-label={t("Lines")} data-testid="metric-legend">
      <table>
        <Heads
          of={[
            [t("Line")],
            [reading ? clockText(reading.ms, zone) : t("Last"), "numeric"],
            [t("Lowest"), "numeric wide"],
            [t("Highest"), "numeric"],
            [<span class="sr-only">{t("Logs")}</span>],
          ]}
        />
        <tbody>
          {lines.slice(0, most).map((line) => {
            const value = reading ? valueAt(line, reading.ms) : line.last;
            const isHidden = only !== "" && only !== line.name;
            return (
              <tr
                key={line.name}
                class={`${reading?.line === line ? "read" : ""}${isHidden ? " hidden-line" : ""}`}
                data-testid="legend-line"
                onPointerEnter={() => onRead({ ms: reading?.ms ?? line.peak, line })}
                onPointerLeave={() => onRead(null)}
              >
                <th scope="row">
                  <button
                    type="button"
                    class={lineClass(line.n)}
                    aria-pressed={only === line.name}
                    title={`${line.name}\n${t("Show only this line, or all again")}`}
                    onClick={() => go({ line: only === line.name ? "" : line.name }, true)}
                  >
                    <span class="swatch" />
                    <span class="ellipsis">{line.short || t("result")}</span>
                  </button>
                </th>
                <td class="numeric" data-testid="legend-value">
                  {value === undefined ? "–" : quantity(value)}
                </td>
                <td class="numeric wide dim">{Number.isFinite(line.min) ? quantity(line.min) : "–"}</td>
                <td class="numeric dim">{Number.isFinite(line.max) ? quantity(line.max) : "–"}</td>
                <td>
                  <button
                    type="button"
                    class="link"
                    data-testid="logs-at-peak"
                    title={t("Logs of its host in the minute of its highest value, {time}", {
                      time: clockText(line.peak, zone),
                    })}
                    aria-label={t("Logs at peak of {line}", { line: line.short })}
                    onClick={() => onPick({ ms: line.peak, line })}
                  >
                    {t("Logs at peak")}
                  </button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {lines.length > most && (
        <button type="button" class="link" onClick={() => setMost(lines.length)}>
          {plural(lines.length - most, "{n} more line", "{n} more lines", count(lines.length - most))}
        </button>
      )}
      {left > 0 && (
        <p class="note warning" data-testid="lines-left">
          {plural(
            left,
            "{n} line with lower values is not drawn. Narrow the query, or use topk or sum by.",
            "{n} lines with lower values are not drawn. Narrow the query, or use topk or sum by.",
            count(left),
          )}
        </p>
      )}
    </div>
  );
}
