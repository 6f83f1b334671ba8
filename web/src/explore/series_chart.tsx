// An aggregation by time, drawn as lines above its table.

import { useMemo, useState } from "preact/hooks";

import { count } from "../format.ts";
import type { Rows } from "../rows.ts";
import { fullText } from "../time.ts";
import { view, zoom } from "../view.ts";
import { Axis, AXIS, niceTop, useWidth } from "./axis.tsx";
import { path, seriesOf, stepOf } from "./series.ts";

const TALL = 170;
const NUMBER = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/** The chart above the table. */
export function SeriesChart({ data }: { data: Rows }) {
  const found = useMemo(() => seriesOf(data), [data]);
  const [root, width] = useWidth();
  const [hover, setHover] = useState<number | null>(null);
  if (!found) return null;
  const { series, left } = found;
  const zone = view.value.zone;
  const all = series.flatMap((one) => one.points);
  const from = all.reduce((least, [ms]) => Math.min(least, ms), Number.POSITIVE_INFINITY);
  const to = all.reduce((most, [ms]) => Math.max(most, ms), 0);
  const top = niceTop(all.reduce((most, [, value]) => Math.max(most, value), 0) || 1);
  const low = Math.min(0, all.reduce((least, [, value]) => Math.min(least, value), 0));
  const scale = { from, to, width: Math.max(1, width) };
  const step = stepOf(series);
  const x = (ms: number) => 8 + ((ms - from) / Math.max(1, to - from)) * (scale.width - 16);
  const y = (value: number) => TALL - ((value - low) / (top - low)) * (TALL - 6);
  const at = hover === null ? null : all.reduce((best, [ms]) => (Math.abs(x(ms) - hover) < Math.abs(x(best) - hover) ? ms : best), from);
  return (
    <div class="series" data-testid="series">
      <div ref={root} />
      <svg width={scale.width} height={TALL + AXIS} role="img" aria-label="Line chart of the table below" onPointerLeave={() => setHover(null)}
        onPointerMove={(event) => setHover(event.clientX - event.currentTarget.getBoundingClientRect().left)} onClick={() => { if (at !== null) zoom(at, at + step - 1); }}>
        {[0.5, 1].map((part) => {
          const value = low + (top - low) * part;
          return <g key={part} class="grid"><line x1={0} x2={scale.width} y1={y(value)} y2={y(value)} /><text x={2} y={y(value) + 11}>{NUMBER.format(value)}</text></g>;
        })}
        <line class="base" x1={0} x2={scale.width} y1={TALL + 0.5} y2={TALL + 0.5} />
        {at !== null && <line class="cursor" x1={x(at)} x2={x(at)} y1={0} y2={TALL} />}
        {series.map((one, n) => <path key={one.name} class={`line series-${n}`} d={path(one.points, x, y, step)} />)}
        <Axis scale={scale} x={x} zone={zone} height={TALL} />
      </svg>
      <div class="legend">
        {series.map((one, n) => <span key={one.name} class={`label series-${n}`}><span class="swatch" />{one.name}{at !== null && <b>{NUMBER.format(one.points.find(([ms]) => ms === at)?.[1] ?? 0)}</b>}</span>)}
        {left > 0 && <span class="dim">and {count(left)} more in the table</span>}
        {at !== null && <span class="dim">{fullText(at, zone)}</span>}
      </div>
    </div>
  );
}
