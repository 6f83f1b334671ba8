// A panel's values by time and name as colours.

import { useMemo, useState } from "preact/hooks";

import type { BoardPanel } from "../../api/dashboards.ts";
import type { Part } from "../../explore/drag.ts";
import { Heatmap, HeatLegend, mostOf, type HeatCell } from "../../explore/heatmap.tsx";
import { t } from "../../texts.ts";
import { fullText, type Zone } from "../../time.ts";
import { bandsOf, distanceOf, type PanelSeries } from "./answers.ts";
import type { PanelData } from "./ask.ts";
import { useSize } from "./size.ts";
import { withUnit } from "./units.ts";

/** Rows of a heatmap. */
const ROWS_MAX = 60;

/** Returns the name of a row: buckets are called by their upper end, in PromQL `le`, in TraceQL `__bucket`. */
function rowName({ name, labels }: PanelSeries): string {
  const { le, __bucket: end, ...rest } = labels;
  if (le) return `≤ ${le}`;
  return end && Object.keys(rest).length === 0 ? `≤ ${Number(Number(end).toPrecision(3))}` : name;
}

/** Returns the rows: bounds and other numbers from the bottom up, names as they came. */
function rowsOf(series: readonly PanelSeries[]): PanelSeries[] {
  const rows = bandsOf(series).map((one) => ({ ...one, name: rowName(one) }));
  const isNumeric = rows.every(
    ({ name }) => !Number.isNaN(Number.parseFloat(name.replace("≤ ", "").replace("+Inf", "1e99"))),
  );
  const size = (name: string) => Number.parseFloat(name.replace("≤ ", "").replace("+Inf", "1e99"));
  return (isNumeric ? [...rows].sort((a, b) => size(b.name) - size(a.name)) : rows).slice(0, ROWS_MAX);
}

/** The heatmap. Series that are `ordered` are its rows as they are, from the top down. */
export function HeatmapPanel({
  panel,
  series,
  ordered = false,
  answered,
  label,
  zone,
  onPick,
}: {
  panel: BoardPanel;
  series: readonly PanelSeries[];
  ordered?: boolean;
  answered: PanelData;
  label: string;
  zone: Zone;
  /** `null` where nothing is behind a cell. */
  onPick: ((series: PanelSeries, part: Part) => void) | null;
}) {
  const [root, size] = useSize();
  const [at, setAt] = useState<HeatCell | null>(null);
  const rows = useMemo(() => (ordered ? series : rowsOf(series)), [series, ordered]);
  const { range } = answered;
  const distance = distanceOf(series, answered);
  const pick = (cell: HeatCell) => {
    const row = rows[cell.row];
    const point = row?.points[cell.n];
    if (row && point) onPick?.(row, { from: point[0], to: point[0] + distance });
  };
  const row = at === null ? undefined : rows[at.row];
  const point = at === null ? undefined : row?.points[at.n];
  const said =
    row && point ? `${row.name} · ${fullText(point[0], zone)} · ${withUnit(point[1], panel.unit, panel.decimals)}` : "";
  return (
    <div class="board-chart">
      <div class="board-plot series" ref={root}>
        <Heatmap
          rows={rows}
          from={range.from}
          to={range.to}
          distance={distance}
          width={size.width}
          height={size.height}
          isLog={panel.scale === "log"}
          at={at}
          onRead={setAt}
          onPick={pick}
          label={
            onPick === null ? label : `${label} – ${t("arrow keys read the cells, Enter shows the events of one")}`
          }
          zone={zone}
          testId="board-heatmap"
        />
      </div>
      <HeatLegend most={withUnit(mostOf(rows), panel.unit, panel.decimals)} said={said} />
    </div>
  );
}
