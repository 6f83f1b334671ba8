// An aggregation by time, drawn as lines, areas or bars above its table. Pointer and arrow keys read the values.

import { signal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";

import { count, decimal, printable } from "../format.ts";
import type { Rows } from "../rows.ts";
import { t } from "../texts.ts";
import { fullText } from "../time.ts";
import { binOf } from "../query/bin_width.ts";
import { askedAt, rangeMs, view, zoom } from "../view.ts";
import { niceTop, useWidth } from "./axis.tsx";
import { useBrush } from "./brush.ts";
import { stepBy } from "./drag.ts";
import { MarkLines } from "./mark_lines.tsx";
import { Selection } from "./selection.tsx";
import { NOTHING, seriesOf, stack, stepOf, type Series, type Stacked } from "./series.ts";
import { cutBins, geometryOf, linear, type SeriesKind } from "./geometry.ts";
import { colourOf, TimeChart } from "./time_chart.tsx";

const TALL = 170;

/** The instant that is read, in all charts of the answer. */
const reading = signal<number | null>(null);

function valueText(value: number | undefined): string {
  return value === undefined ? NOTHING : decimal(value, 2);
}

/** The instants of the series, and the scale of their values. */
function extentOf(series: readonly Series[], stacked: readonly Stacked[], kind: SeriesKind) {
  const all = series.flatMap((one) => one.points);
  const times = [...new Set(all.map(([ms]) => ms))].sort((a, b) => a - b);
  const values =
    kind === "line" ? all.map(([, value]) => value) : stacked.flatMap((one) => one.points.map((point) => point[2]));
  const areCounts = values.every((value) => Number.isInteger(value));
  const top = niceTop(values.reduce((most, value) => Math.max(most, value), 0) || 1, areCounts);
  const least = kind === "line" ? values.reduce((low, value) => Math.min(low, value), 0) : 0;
  const low = Math.min(0, least);
  return { times, scale: linear(low, top, [low + (top - low) / 2, top]) };
}

/** The chart above the table. Where there are several, `names` are the series of all, so that one has the same colour in each. */
export function SeriesChart({
  data,
  kind = "line",
  measure,
  names,
}: {
  data: Rows;
  kind?: SeriesKind;
  measure?: number;
  names?: readonly string[];
}) {
  const found = useMemo(() => seriesOf(data, measure, names), [data, measure, names]);
  const stacked = useMemo(() => stack(found?.series ?? []), [found]);
  const [root, measured] = useWidth();
  const setAt = (ms: number | null) => (reading.value = ms);
  useEffect(() => () => void setAt(null), []);
  // Where a choice by keys began.
  const [anchor, setAnchor] = useState<number | null>(null);
  const zone = view.value.zone;
  const width = Math.max(1, measured);
  const series = found?.series ?? [];
  const { times, scale } = extentOf(series, stacked, kind);
  const bin = binOf(data);
  const instants = { from: times[0] ?? 0, to: times.at(-1) ?? 0, step: Math.min(stepOf(series), bin ?? Infinity) };
  const at = times.find((ms) => ms === reading.value) ?? null;
  const { from, step } = instants;
  const geometry = geometryOf(instants, scale, { width, tall: TALL, isBar: kind === "bar" });
  const { x } = geometry;
  const colour = colourOf(series);
  const [start, end] = rangeMs(view.value, askedAt.value);
  const cut = bin === null ? [] : cutBins(times, bin, { from: start, to: end });
  const brush = useBrush(geometry.timeAt, () => {
    if (at !== null) zoom(at, at + step - 1);
  });
  if (!found) return null;
  const { left } = found;
  const nearest = (place: number) =>
    times.reduce((best, ms) => (Math.abs(x(ms) - place) < Math.abs(x(best) - place) ? ms : best), from);
  const byKeys =
    at !== null && anchor !== null && anchor !== at
      ? { from: Math.min(at, anchor), to: Math.max(at, anchor) + step }
      : null;
  const onKeyDown = (event: KeyboardEvent) => {
    const next = stepBy(event.key, at === null ? null : times.indexOf(at), times.length);
    if (event.key === "Enter" && at !== null) brush.setPart(byKeys ?? { from: at, to: at + step });
    else if (next === null) return;
    else {
      const ms = times[next] ?? null;
      setAnchor(event.shiftKey ? (anchor ?? at ?? ms) : ms);
      setAt(ms);
    }
    event.preventDefault();
  };
  return (
    <div class="series" data-testid="series" data-kind={kind}>
      <div ref={root} />
      {measure !== undefined && (
        <p class="measure" lang="">
          {printable(data.columns[measure]?.name ?? "")}
        </p>
      )}
      <TimeChart
        kind={kind}
        series={series}
        stacked={stacked}
        colour={colour}
        geometry={geometry}
        scale={scale}
        valueText={(value) => decimal(value, 2)}
        label={t(
          "Chart of the table below; ← and → read it, with Shift they select, Enter opens what to do with the time",
        )}
        cut={cut}
        brush={brush}
        brushed={brush.dragged ?? brush.part ?? byKeys}
        read={at}
        onRead={(place) => {
          if (place !== null) setAnchor(null);
          setAt(place === null ? null : nearest(place));
        }}
        onKeyDown={onKeyDown}
        zone={zone}
        marks={<MarkLines from={geometry.from} to={geometry.to + geometry.step} height={TALL} x={x} />}
      />
      {brush.part && (
        <Selection part={brush.part} left={x(brush.part.from)} width={width} onClose={() => brush.setPart(null)} />
      )}
      <div class="legend" role="status">
        {series.map((one, n) => (
          <span key={one.name} class={`label ${colour(n)}`}>
            <span class="swatch" />
            {one.name}
            {at !== null && <b>{valueText(one.points.find(([ms]) => ms === at)?.[1])}</b>}
          </span>
        ))}
        {left > 0 && <span class="dim">{t("and {n} more in the table", { n: count(left) })}</span>}
        {at !== null && <span class="dim">{fullText(at, zone)}</span>}
      </div>
    </div>
  );
}
