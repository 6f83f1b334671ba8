// Values by time and name as colours: the darker, the higher. Arrow keys read the fields one after the other.

import { useState } from "preact/hooks";

import type { BoardPanel } from "../../api/dashboards.ts";
import { Axis, AXIS } from "../../explore/axis.tsx";
import { t } from "../../texts.ts";
import { fullText } from "../../time.ts";
import { view } from "../../view.ts";
import { bandsOf, distanceOf, type PanelSeries } from "./answers.ts";
import type { PanelData } from "./ask.ts";
import { useSize } from "./size.ts";
import { withUnit } from "./units.ts";

/** Rows of a heatmap. */
const ROWS_MAX = 60;
const NAMES_PX = 92;
const CHAR_PX = 6.4;
const FAINTEST = 0.06;

/** Returns the rows: bounds and other numbers from the bottom up, names as they came. */
function rowsOf(series: readonly PanelSeries[]): PanelSeries[] {
  const rows = bandsOf(series).map((one) => ({ ...one, name: one.labels["le"] ? `≤ ${one.labels["le"]}` : one.name }));
  const isNumeric = rows.every(
    ({ name }) => !Number.isNaN(Number.parseFloat(name.replace("≤ ", "").replace("+Inf", "1e99"))),
  );
  const size = (name: string) => Number.parseFloat(name.replace("≤ ", "").replace("+Inf", "1e99"));
  return (isNumeric ? [...rows].sort((a, b) => size(b.name) - size(a.name)) : rows).slice(0, ROWS_MAX);
}

/** How dark a value is: by its size, or by that of its logarithm. */
function shade(value: number, most: number, isLog: boolean): number {
  if (value <= 0) return 0;
  const share = isLog ? Math.log1p(value) / Math.log1p(most) : value / most;
  return FAINTEST + (1 - FAINTEST) * Math.min(1, share);
}

/** The heatmap. */
export function HeatmapPanel({
  panel,
  series,
  answered: { range, step },
  label,
  onPick,
}: {
  panel: BoardPanel;
  series: readonly PanelSeries[];
  answered: PanelData;
  label: string;
  onPick: (series: PanelSeries, part: { from: number; to: number }) => void;
}) {
  const [root, size] = useSize();
  const [at, setAt] = useState<{ row: number; n: number } | null>(null);
  const rows = rowsOf(series);
  const distance = distanceOf(series, step);
  const most = rows.reduce((top, { points }) => points.reduce((m, [, value]) => Math.max(m, value), top), 0);
  const left = Math.min(NAMES_PX, size.width / 3);
  const width = Math.max(1, size.width - left);
  const tall = Math.max(20, size.height - AXIS);
  const each = tall / Math.max(1, rows.length);
  const x = (ms: number) => left + ((ms - range.from) / Math.max(1, range.to - range.from)) * width;
  const wide = Math.max(1, (distance / Math.max(1, range.to - range.from)) * width);
  const isLog = panel.scale === "log";
  const row = at === null ? undefined : rows[at.row];
  const point = at === null ? undefined : row?.points[at.n];
  const pick = () => row && point && onPick(row, { from: point[0], to: point[0] + distance });
  const onKeyDown = (event: KeyboardEvent) => {
    const now = at ?? { row: 0, n: -1 };
    const length = rows[now.row]?.points.length ?? 0;
    if (event.key === "ArrowRight") setAt({ ...now, n: Math.min(length - 1, now.n + 1) });
    else if (event.key === "ArrowLeft") setAt({ ...now, n: Math.max(0, now.n - 1) });
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const next = Math.max(0, Math.min(rows.length - 1, now.row + (event.key === "ArrowDown" ? 1 : -1)));
      const instant = rows[now.row]?.points[now.n]?.[0] ?? range.from;
      const points = rows[next]?.points ?? [];
      const near = points.reduce(
        (best, [ms], n) => (Math.abs(ms - instant) < Math.abs((points[best]?.[0] ?? 0) - instant) ? n : best),
        0,
      );
      setAt({ row: next, n: near });
    } else if (event.key === "Enter") pick();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const said =
    row && point
      ? `${row.name} · ${fullText(point[0], view.value.zone)} · ${withUnit(point[1], panel.unit, panel.decimals)}`
      : "";
  return (
    <div class="board-chart">
      <div class="board-plot series" ref={root}>
        <svg
          class="board-heatmap"
          width={size.width}
          height={size.height}
          role="img"
          tabIndex={0}
          aria-label={`${label} – ${t("arrow keys read the cells, Enter shows the events of one")}`}
          data-testid="board-heatmap"
          onKeyDown={onKeyDown}
          onBlur={() => setAt(null)}
          onPointerLeave={() => setAt(null)}
          onClick={pick}
        >
          {rows.map((one, n) => (
            <g key={one.name} class="axis">
              {each >= 9 && (
                <text x={left - 6} y={n * each + each / 2 + 4} text-anchor="end">
                  {one.name.length > left / CHAR_PX
                    ? `${one.name.slice(0, Math.max(1, Math.floor(left / CHAR_PX) - 1))}…`
                    : one.name}
                </text>
              )}
              {one.points.map(([ms, value], cell) => (
                <rect
                  key={ms}
                  class={`heat${at?.row === n && at.n === cell ? " read" : ""}`}
                  x={Math.max(left, x(ms))}
                  y={n * each}
                  width={Math.max(1, wide - 1)}
                  height={Math.max(1, each - 1)}
                  fill-opacity={shade(value, most, isLog).toFixed(3)}
                  onPointerEnter={() => setAt({ row: n, n: cell })}
                />
              ))}
            </g>
          ))}
          <g transform={`translate(${left} 0)`}>
            <Axis scale={{ ...range, width }} x={(ms) => x(ms) - left} zone={view.value.zone} height={tall} />
          </g>
        </svg>
      </div>
      <p class="board-heat-legend dim" role="status">
        {said === "" ? (
          <>
            <span class="number">0</span>
            <span class="heat-scale" aria-hidden="true" />
            <span class="number">{withUnit(most, panel.unit, panel.decimals)}</span>
          </>
        ) : (
          said
        )}
      </p>
    </div>
  );
}
