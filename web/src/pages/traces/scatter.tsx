// Traces as dots of time and duration: a click opens one, dragging chooses an area. The list below has the same. Behind them, cells
// have the numbers of all traces, where there are more than dots.

import { useRef, useState } from "preact/hooks";

import type { DensityCell, TraceDensity, TraceSummary } from "../../api/traces.ts";
import { Axis, AXIS, useWidth } from "../../explore/axis.tsx";
import { MarkLines, MarkList } from "../../explore/mark_lines.tsx";
import { count, oneLine, printable, span } from "../../format.ts";
import { plural, t } from "../../texts.ts";
import { clockText, fullText } from "../../time.ts";
import { go, view } from "../../view.ts";
import { durationText } from "../trace/words.ts";
import { cellAt, planeOf, strength, type Area, type Plane } from "./scatter.ts";

const MINUTE = 60_000;
const TALL = 200;
/** Room for `16 min 40 s`. */
const LEFT = 72;
/** Distance in pixels within which a click hits a dot. */
const NEAR = 12;
/** Shorter movements are clicks. */
const DRAG_MIN = 5;

interface Point {
  x: number;
  y: number;
}

/** The chart. */
export function Scatter({
  traces,
  range,
  area,
  onArea,
  unseen,
  density,
}: {
  traces: readonly TraceSummary[];
  range: { from: number; to: number };
  area: Area | null;
  onArea: (area: Area | null) => void;
  /** Before this instant there may be traces that are not drawn; `null` if all are. */
  unseen: number | null;
  /** All traces, counted; `null` where the dots are all. */
  density: TraceDensity | null;
}) {
  const [root, measured] = useWidth();
  const [drag, setDrag] = useState<{ a: Point; b: Point } | null>(null);
  const [near, setNear] = useState<TraceSummary | null>(null);
  const [over, setOver] = useState<DensityCell | null>(null);
  const svg = useRef<SVGSVGElement>(null);
  const zone = view.value.zone;
  const width = Math.max(1, measured);
  const box = { left: LEFT, width: Math.max(1, width - LEFT - 10), height: TALL };
  const durations = [
    ...traces.map((trace) => trace.duration_ms),
    ...(density?.cells ?? []).flatMap(({ min, max }) => [min, max]),
  ];
  const plane = planeOf(range, durations, box);
  const point = (event: PointerEvent | MouseEvent): Point => {
    const of = svg.current?.getBoundingClientRect();
    return { x: event.clientX - (of?.left ?? 0), y: event.clientY - (of?.top ?? 0) };
  };
  const nearest = ({ x, y }: Point): TraceSummary | null => {
    let best: TraceSummary | null = null;
    let least = NEAR;
    for (const trace of traces) {
      const far = Math.hypot(plane.x(Date.parse(trace.start)) - x, plane.y(trace.duration_ms) - y);
      if (far <= least) [best, least] = [trace, far];
    }
    return best;
  };
  const cell = ({ x, y }: Point) =>
    density === null || y < 0 || y > TALL ? null : cellAt(density, plane.time(x), plane.duration(y));
  const end = (event: PointerEvent) => {
    if (drag === null) return;
    const [a, b] = [drag.a, point(event)];
    setDrag(null);
    if (Math.hypot(a.x - b.x, a.y - b.y) < DRAG_MIN) {
      const id = nearest(b)?.trace_id ?? cell(b)?.example;
      if (id) go({ page: "trace", trace: id, span: "", find: "" });
      else if (area !== null) onArea(null);
      return;
    }
    const [x1, x2] = [Math.min(a.x, b.x), Math.max(a.x, b.x)];
    const [y1, y2] = [Math.max(0, Math.min(a.y, b.y)), Math.min(TALL, Math.max(a.y, b.y))];
    const at = { from: plane.time(Math.max(LEFT, x1)), to: plane.time(x2) };
    onArea({ ...at, min: y2 >= TALL ? 0 : plane.duration(y2), max: y1 <= 0 ? Infinity : plane.duration(y1) });
  };
  const chosen =
    drag !== null
      ? {
          x: Math.min(drag.a.x, drag.b.x),
          y: Math.min(drag.a.y, drag.b.y),
          w: Math.abs(drag.a.x - drag.b.x),
          h: Math.abs(drag.a.y - drag.b.y),
        }
      : area !== null
        ? {
            x: plane.x(area.from),
            y: plane.y(area.max),
            w: plane.x(area.to) - plane.x(area.from),
            h: plane.y(area.min) - plane.y(area.max),
          }
        : null;
  return (
    <div class="scatter" data-testid="scatter">
      <div ref={root} />
      <svg
        ref={svg}
        width={width}
        height={TALL + AXIS}
        role="img"
        aria-label={t("Duration of the traces over time; the table below has the same traces")}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ a: point(event), b: point(event) });
        }}
        onPointerMove={(event) => {
          const at = point(event);
          if (drag !== null) setDrag({ ...drag, b: at });
          else {
            setNear(nearest(at));
            setOver(cell(at));
          }
        }}
        onPointerUp={end}
        onPointerCancel={() => setDrag(null)}
        onPointerLeave={() => {
          setNear(null);
          setOver(null);
        }}
      >
        {plane.ticks.map((tick) => (
          <g key={tick} class="grid">
            <line x1={LEFT} x2={width - 10} y1={plane.y(tick)} y2={plane.y(tick)} />
            <text x={LEFT - 6} y={Math.max(10, plane.y(tick) + 4)} text-anchor="end">
              {tick < MINUTE ? durationText(tick) : span(tick)}
            </text>
          </g>
        ))}
        {density !== null && <Cells density={density} plane={plane} />}
        {unseen !== null && (
          <g class="unseen" data-testid="traces-unseen">
            <rect x={LEFT} y={0} width={Math.max(0, plane.x(unseen) - LEFT)} height={TALL} />
            <text x={LEFT + 8} y={16}>
              {t("Traces before {time} are not drawn", { time: clockText(unseen, zone) })}
            </text>
          </g>
        )}
        {chosen !== null && (
          <rect class="area" x={chosen.x} y={chosen.y} width={Math.max(0, chosen.w)} height={Math.max(0, chosen.h)} />
        )}
        {traces.map((trace) => (
          <circle
            key={trace.trace_id}
            class={trace.errors > 0 ? "dot failed" : "dot"}
            cx={plane.x(Date.parse(trace.start))}
            cy={plane.y(trace.duration_ms)}
            r={trace === near ? 6 : trace.errors > 0 ? 4 : 3.5}
          />
        ))}
        <MarkLines from={range.from} to={range.to} height={TALL} x={plane.x} />
        <line class="base" x1={LEFT} x2={width - 10} y1={TALL + 0.5} y2={TALL + 0.5} />
        <Axis scale={{ ...range, width }} x={plane.x} zone={zone} height={TALL} />
      </svg>
      <MarkList from={range.from} to={range.to} />
      <p class="dim near" aria-hidden="true">
        {near === null && over !== null
          ? [
              plural(over.traces, "{n} trace", "{n} traces", count(over.traces)),
              t("{n} with errors", { n: count(over.errors) }),
              `${durationText(over.min)}–${durationText(over.max)}`,
              fullText(over.at, zone),
            ].join(" · ")
          : near === null
            ? density === null
              ? t("Click a dot to open its trace, drag to choose an area.")
              : t(
                  "Cells count all traces, red ones those with errors. Click a dot or a cell to open a trace, drag to choose an area.",
                )
            : [
                `${printable(near.root_service)}: ${oneLine(near.root_name, 120)}`,
                durationText(near.duration_ms),
                plural(near.errors, "{n} error", "{n} errors", String(near.errors)),
                fullText(Date.parse(near.start), zone),
              ].join(" · ")}
      </p>
    </div>
  );
}

/** The cells: all traces, and in the right half of each those with errors. */
function Cells({ density: { cells, width }, plane }: { density: TraceDensity; plane: Plane }) {
  const most = cells.reduce((top, { traces }) => Math.max(top, traces), 1);
  return (
    <g class="cells" data-testid="trace-cells" aria-hidden="true">
      {cells.map((cell) => {
        const box = {
          x: plane.x(cell.at),
          y: plane.y(cell.max),
          width: Math.max(1, plane.x(cell.at + width) - plane.x(cell.at)),
          height: Math.max(1, plane.y(cell.min) - plane.y(cell.max)),
        };
        return (
          <g key={`${cell.at} ${cell.min}`}>
            <rect {...box} class="cell" style={{ fillOpacity: strength(cell.traces, most) }} />
            {cell.errors > 0 && (
              <rect
                {...box}
                class="cell failed"
                x={box.x + box.width / 2}
                width={box.width / 2}
                style={{ fillOpacity: strength(cell.errors, most) }}
              />
            )}
          </g>
        );
      })}
    </g>
  );
}
