// Lines, areas or bars of a panel over time. The instant that is read is read in all charts of the dashboard; dragging chooses
// the time of all of them; a click, or Enter, leads to the lines behind a point.

import type { ComponentType } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import type { BoardPanel } from "../../api/dashboards.ts";
import { AXIS } from "../../explore/axis.tsx";
import { stepBy, useDrag, type Part } from "../../explore/drag.ts";
import { cutBins } from "../../explore/geometry.ts";
import { colourOf, TimeChart } from "../../explore/time_chart.tsx";
import { count } from "../../format.ts";
import { lineClass } from "../../metrics/line_chart.tsx";
import { t } from "../../texts.ts";
import { fullText, type Zone } from "../../time.ts";
import type { PanelSeries } from "./answers.ts";
import type { PanelData } from "./ask.ts";
import { crosshair } from "./crosshair.ts";
import { drawingOf, nearest, valueAt, type Drawing } from "./drawing.ts";
import { Legend } from "./legend.tsx";
import { useSize } from "./size.ts";
import { axisTexts, GRADES, withUnit } from "./units.ts";

/** Values listed beside the pointer. */
const TIPPED_MAX = 8;

interface Props {
  panel: BoardPanel;
  series: readonly PanelSeries[];
  answered: PanelData;
  label: string;
  zone: Zone;
  ways: ChartWays | null;
}

/** What a chart of the page leads to, and what else it shows; a file has nothing of it. */
export interface ChartWays {
  /** Leads to the lines behind a part of a series. */
  onPick: (series: PanelSeries | null, part: Part) => void;
  /** Chooses the time of all panels. */
  onZoom: (from: number, to: number) => void;
  /** Alerts and marks. */
  Marks: ComponentType<MarksProps>;
}

/** The chart that marks are drawn in. */
export interface MarksProps {
  from: number;
  to: number;
  step: number;
  x: (ms: number) => number;
  height: number;
}

/** Returns the classes of the series: levels have their colours, lines beyond eight have dashes, the rest is grey. */
function classesOf({ kind, series }: Drawing): (n: number) => string {
  const colour = colourOf(series.filter(({ isRest }) => !isRest));
  return (n) => {
    if (series[n]?.isRest) return "level-none";
    return kind === "line" && colour(n) === `series-${n}` ? lineClass(n) : colour(n);
  };
}

/** The chart and its legend. */
export function ChartPanel({ panel, series: all, answered, label, zone, ways }: Props) {
  const [root, size] = useSize();
  const [only, setOnly] = useState("");
  const [anchor, setAnchor] = useState<number | null>(null);
  const [isHere, setHere] = useState(false);
  const series = useMemo(
    () => (all.some(({ name }) => name === only) ? all.filter(({ name }) => name === only) : all),
    [all, only],
  );
  const tall = Math.max(40, size.height - AXIS);
  const width = Math.max(1, size.width);
  const { range, step } = answered;
  const whole = useMemo(
    () => drawingOf(all, panel, range, answered, { width, tall }, t("others")),
    [all, panel, answered, width, tall],
  );
  const drawing = useMemo(
    () => (series === all ? whole : drawingOf(series, panel, range, answered, { width, tall }, t("others"))),
    [series, whole],
  );
  const { geometry, instants, scale } = drawing;
  const wholeClass = useMemo(() => classesOf(whole), [whole]);
  const colour = useMemo(() => {
    // A series keeps its colour when it is alone.
    const places = drawing.series.map(({ name }) => whole.series.findIndex((one) => one.name === name));
    return (n: number) => wholeClass((places[n] ?? -1) < 0 ? n : (places[n] ?? n));
  }, [drawing, whole]);
  const marks = useMemo(() => axisTexts(scale.marks, panel.unit), [scale, panel.unit]);
  const at = crosshair.value;
  const read = at === null ? null : nearest(instants, at.ms);
  const isNear = read !== null && at !== null && Math.abs(read - at.ms) <= Math.max(geometry.step, step) * 1.5;
  const shown = isNear ? read : null;
  const say = (ms: number | null) => (crosshair.value = ms === null ? null : { ms, panel: panel.id });
  const distance = Number.isFinite(geometry.step) ? geometry.step : step;
  const picked = (ms: number) => ({ from: ms, to: ms + distance });
  const brush = useDrag(geometry.timeAt, (ms) => {
    const instant = nearest(instants, ms);
    if (instant !== null) ways?.onPick(series.length === 1 ? (series[0] ?? null) : null, picked(instant));
  });
  const dragged = brush.part;
  useEffect(() => {
    if (dragged === null) return;
    brush.setPart(null);
    ways?.onZoom(dragged.from, dragged.to);
  }, [dragged]);
  const byKeys =
    isHere && shown !== null && anchor !== null && anchor !== shown
      ? { from: Math.min(shown, anchor), to: Math.max(shown, anchor) }
      : null;
  const onKeyDown = (event: KeyboardEvent) => {
    const next = stepBy(event.key, shown === null ? null : instants.indexOf(shown), instants.length);
    if (event.key === "Enter" && shown !== null) {
      if (byKeys) ways?.onZoom(byKeys.from, byKeys.to);
      else ways?.onPick(series.length === 1 ? (series[0] ?? null) : null, picked(shown));
    } else if (next !== null) {
      const ms = instants[next] ?? null;
      setHere(true);
      setAnchor(event.shiftKey ? (anchor ?? shown ?? ms) : ms);
      say(ms);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  // Counts of a bucket that has only begun look like a fall.
  const newest = instants.at(-1) ?? 0;
  const language = panel.queries?.[0]?.language;
  // In TraceQL a point stands at the end of the interval that it counts.
  const ahead = language === "traceql" ? distance : 0;
  // A point of PromQL is of one instant, whatever the range.
  const cut =
    language === "promql" ? [] : cutBins(instants, distance, { from: range.from + ahead, to: range.to + ahead });
  const isBegun = range.isOpen && cut.at(-1)?.from === newest;
  const text = (value: number) => withUnit(value, panel.unit, panel.decimals);
  return (
    <div class={`board-chart legend-${panel.legend ?? "bottom"}`}>
      <div class="board-plot series" ref={root} data-testid="board-chart" data-kind={drawing.kind}>
        {size.width > 0 && (
          <TimeChart
            kind={drawing.kind}
            series={drawing.series}
            stacked={drawing.stacked}
            colour={colour}
            geometry={geometry}
            scale={scale}
            valueText={(value) => marks.get(value) ?? ""}
            label={label}
            cut={cut}
            brush={brush}
            brushed={ways && (brush.dragged ?? byKeys)}
            read={shown}
            onRead={(place) => {
              setHere(place !== null);
              if (place !== null) setAnchor(null);
              say(place === null ? null : nearest(instants, geometry.timeAt(place)));
            }}
            onKeyDown={onKeyDown}
            zone={zone}
            marks={
              ways && <ways.Marks from={range.from} to={range.to} step={geometry.step} x={geometry.x} height={tall} />
            }
          >
            <Limits panel={panel} drawing={drawing} />
          </TimeChart>
        )}
        {isHere && shown !== null && !brush.isBusy && (
          <Tip
            ms={shown}
            series={drawing.whole}
            colour={colour}
            left={geometry.x(shown)}
            width={width}
            text={text}
            zone={zone}
          />
        )}
      </div>
      {panel.legend !== "none" && (
        <Legend
          panel={panel}
          series={whole.whole}
          begun={isBegun ? newest : null}
          colour={wholeClass}
          read={shown}
          only={only}
          onOnly={(name) => setOnly(name === only ? "" : name)}
          left={whole.left}
          zone={zone}
        />
      )}
      <p class="sr-only" role="status">
        {isHere && shown !== null
          ? `${fullText(shown, zone)}: ${drawing.whole
              .slice(0, TIPPED_MAX)
              .flatMap((one) => {
                const value = valueAt(one, shown);
                return value === undefined ? [] : [`${one.name} ${text(value)}`];
              })
              .join(", ")}`
          : ""}
      </p>
    </div>
  );
}

/** Lines across the chart at the thresholds, with their words. */
function Limits({ panel, drawing: { geometry, scale } }: { panel: BoardPanel; drawing: Drawing }) {
  const within = (panel.thresholds ?? []).filter(({ value }) => value >= scale.low && value <= scale.top);
  return (
    <g class="limits">
      {within.map(({ value, level }, at) => (
        <g key={at} class={`grade-${level}`}>
          <line x1={0} x2={geometry.width} y1={geometry.y(value)} y2={geometry.y(value)} />
          <text x={geometry.width - 4} y={geometry.y(value) - 4} text-anchor="end">
            {`${t(GRADES[level])} ${withUnit(value, panel.unit, panel.decimals)}`}
          </text>
        </g>
      ))}
    </g>
  );
}

function Tip({
  ms,
  series,
  colour,
  left,
  width,
  text,
  zone,
}: {
  ms: number;
  series: readonly PanelSeries[];
  colour: (n: number) => string;
  left: number;
  width: number;
  text: (value: number) => string;
  zone: Zone;
}) {
  const side = left > width / 2 ? { right: `${width - left + 10}px` } : { left: `${left + 10}px` };
  const values = series
    .flatMap((one, n) => {
      const value = valueAt(one, ms);
      return value === undefined ? [] : [{ name: one.name, n, value }];
    })
    .sort((a, b) => b.value - a.value);
  return (
    <div class="tip metric-tip" style={side} aria-hidden="true">
      <div class="dim">{fullText(ms, zone)}</div>
      {values.slice(0, TIPPED_MAX).map(({ name, n, value }) => (
        <div key={name} class={colour(n)}>
          <span class="swatch" />
          <span class="ellipsis">{name}</span>
          <b>{text(value)}</b>
        </div>
      ))}
      {values.length > TIPPED_MAX && (
        <div class="dim">{t("and {n} more", { n: count(values.length - TIPPED_MAX) })}</div>
      )}
    </div>
  );
}
