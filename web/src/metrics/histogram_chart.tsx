// Native histograms of a query: one of the series as a heatmap over time, and its buckets at one instant as a table with bars.

import { useMemo, useState } from "preact/hooks";

import type { Histogram, HistogramLine, Steps } from "../api/metrics.ts";
import { AXIS, useWidth } from "../explore/axis.tsx";
import { Heatmap, HeatLegend, mostOf, type HeatCell } from "../explore/heatmap.tsx";
import { t } from "../texts.ts";
import { fullText } from "../time.ts";
import { view } from "../view.ts";
import { boundsText, bucketRows, countLines } from "./histograms.ts";
import { Legend } from "./legend.tsx";
import type { Reading } from "./line_chart.tsx";
import { drawnLines, quantity, type DrawnLine } from "./lines.ts";

const TALL = 190;

interface Props extends Steps {
  histograms: readonly HistogramLine[];
  onPick: (reading: Reading) => void;
}

/** The series that is chosen, else that with the most observations; the others are in the list. */
export function HistogramChart({ histograms, onPick, ...steps }: Props) {
  const { drawn, left } = useMemo(() => drawnLines(countLines(histograms)), [histograms]);
  const line = drawn.find(({ name }) => name === view.value.line) ?? drawn[0];
  const shown = line && histograms[line.n];
  const [kept, setKept] = useState<number | null>(null);
  if (!line || !shown) return null;
  const [ms, histogram] = shown.points.find(([at]) => at === kept) ?? shown.points.at(-1) ?? [0, null];
  return (
    <div class="histograms" data-testid="histograms">
      <Over key={line.name} line={line} of={shown} {...steps} onRead={setKept} onPick={onPick} />
      <Legend lines={drawn} left={left} reading={{ ms, line }} onRead={() => undefined} onPick={onPick} />
      {histogram && <Buckets ms={ms} of={histogram} />}
    </div>
  );
}

interface OverProps extends Steps {
  line: DrawnLine;
  of: HistogramLine;
  onRead: (ms: number) => void;
  onPick: (reading: Reading) => void;
}

/** The heatmap. A cell is as wide as a step, and begins at its instant. */
function Over({ line, of, from, to, step, onRead, onPick }: OverProps) {
  const [root, width] = useWidth();
  const [at, setAt] = useState<HeatCell | null>(null);
  const rows = useMemo(() => bucketRows(of), [of]);
  const end = from + (Math.floor((to - from) / step) + 1) * step;
  const row = at === null ? undefined : rows[at.row];
  const point = at === null ? undefined : row?.points[at.n];
  const said =
    row && point
      ? `${quantity(row.lower)} – ${quantity(row.upper)} · ${fullText(point[0], view.value.zone)} · ${quantity(point[1])}`
      : "";
  return (
    <div class="metric-heat">
      <div ref={root} />
      {rows.length > 0 && (
        <Heatmap
          rows={rows}
          from={from}
          to={end}
          distance={step}
          width={width}
          height={TALL + AXIS}
          at={at}
          onRead={(cell) => {
            setAt(cell);
            const ms = cell === null ? undefined : rows[cell.row]?.points[cell.n]?.[0];
            if (ms !== undefined) onRead(ms);
          }}
          zone={view.value.zone}
          onPick={({ row, n }) => {
            const ms = rows[row]?.points[n]?.[0];
            if (ms !== undefined) onPick({ ms, line });
          }}
          label={t(
            "Observations by value and time; arrow keys read the cells, Enter shows the logs of its host and minute. The table below has the buckets of the instant that was read last.",
          )}
          testId="metric-heatmap"
        />
      )}
      <HeatLegend most={quantity(mostOf(rows))} said={said} />
    </div>
  );
}

/** The buckets of one instant, highest values first. */
function Buckets({ ms, of: { count, sum, buckets } }: { ms: number; of: Histogram }) {
  const most = buckets.reduce((top, one) => Math.max(top, one.count), 0);
  return (
    <div class="metric-buckets" tabIndex={0} role="region" aria-label={t("Buckets")} data-testid="buckets">
      <table>
        <caption>
          {t("{time}: {n} observations, average {average}", {
            time: fullText(ms, view.value.zone),
            n: quantity(count),
            average: count === 0 ? "–" : quantity(sum / count),
          })}
        </caption>
        <thead>
          <tr>
            <th scope="col">{t("Bucket")}</th>
            <th scope="col" class="numeric">
              {t("Observations")}
            </th>
            <th scope="col" class="numeric">
              {t("Share")}
            </th>
            <td />
          </tr>
        </thead>
        <tbody>
          {[...buckets].reverse().map((bucket) => (
            <tr key={`${bucket.lower} ${bucket.upper}`} data-testid="bucket">
              <th scope="row">{boundsText(bucket)}</th>
              <td class="numeric">{quantity(bucket.count)}</td>
              <td class="numeric dim">{count > 0 ? `${quantity((100 * bucket.count) / count)} %` : "–"}</td>
              <td class="bucket-bar">
                <span style={{ width: `${most > 0 ? Math.max(0, (100 * bucket.count) / most) : 0}%` }} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
