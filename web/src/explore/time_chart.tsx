// What is drawn over time in every chart of an answer: lines, areas or bars on one scale, marks, the part that is chosen, and
// the instant that is read. Whoever shows it decides what reading and choosing lead to.

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";

import { t } from "../texts.ts";
import type { Zone } from "../time.ts";
import { Axis, AXIS } from "./axis.tsx";
import type { Part, useDrag } from "./drag.ts";
import { levelClass, NO_LEVEL } from "./levels.ts";
import { LABELS, type Geometry, type SeriesKind, type ValueScale } from "./geometry.ts";
import { NOTHING, path, unbroken, type Series, type Stacked } from "./series.ts";

/** Colours: of levels those that they have everywhere, of other things one after the other. */
export function colourOf(all: readonly { name: string }[]): (n: number) => string {
  const areLevels =
    all.some(({ name }) => levelClass(name) !== NO_LEVEL) &&
    all.every(({ name }) => name === NOTHING || levelClass(name) !== NO_LEVEL);
  return (n) => (areLevels ? `level-${levelClass(all[n]?.name ?? "")}` : `series-${n}`);
}

function Lines({ series, colour, at }: { series: readonly Series[]; colour: (n: number) => string; at: Geometry }) {
  return (
    <>
      {series.map((one, n) => (
        <path key={one.name} class={`line ${colour(n)}`} d={path(one.points, at.x, at.y, at.step)} />
      ))}
    </>
  );
}

function Areas({ stacked, colour, at }: { stacked: readonly Stacked[]; colour: (n: number) => string; at: Geometry }) {
  const edge = (points: Stacked["points"], end: 1 | 2) =>
    points.map((point) => `${at.x(point[0]).toFixed(1)} ${at.y(point[end]).toFixed(1)}`).join("L");
  const part = (points: Stacked["points"]) => {
    const [[ms, from, to] = [0, 0, 0], ...more] = points;
    // What stands alone has no width of its own.
    if (more.length === 0) return `M${(at.x(ms) - 1).toFixed(1)} ${at.y(to).toFixed(1)}h2V${at.y(from).toFixed(1)}h-2Z`;
    return `M${edge(points, 2)}L${edge([...points].reverse(), 1)}Z`;
  };
  return (
    <>
      {stacked.map((one, n) => (
        <path key={one.name} class={`area ${colour(n)}`} d={unbroken(one.points, at.step).map(part).join("")} />
      ))}
    </>
  );
}

function Bars({ stacked, colour, at }: { stacked: readonly Stacked[]; colour: (n: number) => string; at: Geometry }) {
  const { x, y, wide } = at;
  return (
    <>
      {stacked.map((one, n) => (
        <path
          key={one.name}
          class={`area ${colour(n)}`}
          d={one.points
            .filter(([, from, to]) => to > from)
            .map(
              ([ms, from, to]) =>
                `M${(x(ms) - wide / 2).toFixed(1)} ${y(to).toFixed(1)}h${wide.toFixed(1)}V${y(from).toFixed(1)}h${(-wide).toFixed(1)}Z`,
            )
            .join("")}
        />
      ))}
    </>
  );
}

/** Dims the bins that the range cuts. */
function CutBins({ cut, kind, at }: { cut: readonly Part[]; kind: SeriesKind; at: Geometry }) {
  return cut.map(({ from, to }) => {
    // A bar stands around its instant; a line leads to the instant of the last bin, and from that of the first.
    const shift = kind === "bar" ? (to - from) / 2 : from > at.from ? to - from : 0;
    const left = Math.max(LABELS, at.x(from - shift));
    return (
      <rect
        key={from}
        class="begun"
        data-testid="cut-bin"
        x={left}
        y={0}
        width={Math.max(0, Math.min(at.width, at.x(to - shift)) - left)}
        height={at.tall}
      >
        <title>{t("Only a part of this bin is in the range")}</title>
      </rect>
    );
  });
}

interface Props {
  kind: SeriesKind;
  /** What lines draw. */
  series: readonly Series[];
  /** What areas and bars draw. */
  stacked: readonly Stacked[];
  colour: (n: number) => string;
  geometry: Geometry;
  scale: ValueScale;
  valueText: (value: number) => string;
  label: string;
  /** The bins that the range cuts. */
  cut: readonly Part[];
  brush: ReturnType<typeof useDrag>;
  brushed: Part | null;
  /** The instant that is read. */
  read: number | null;
  onRead: (place: number | null) => void;
  onKeyDown: (event: KeyboardEvent) => void;
  zone: Zone;
  /** Marks of instants. */
  marks?: ComponentChildren;
  /** Drawn above the rest, as limits are. */
  children?: ComponentChildren;
}

/** How many charts were made: each has a name for its outline, which `useId` gives anew to each tree of components. */
let nClips = 0;

/** The chart. */
export function TimeChart(props: Props) {
  const { kind, series, stacked, colour, geometry, scale, valueText, brush, brushed, read } = props;
  const { x, y, width, tall, from, to } = geometry;
  // What lies before the range is not drawn over the labels.
  const id = useMemo(() => `clip-${(nClips += 1)}`, []);
  const marks = scale.marks.filter((value) => value !== scale.low);
  // What is read moves often; what is drawn stays.
  const shapes = useMemo(() => {
    if (kind === "line") return <Lines series={series} colour={colour} at={geometry} />;
    if (kind === "area") return <Areas stacked={stacked} colour={colour} at={geometry} />;
    return <Bars stacked={stacked} colour={colour} at={geometry} />;
  }, [kind, series, stacked, colour, geometry]);
  return (
    <svg
      width={width}
      height={tall + AXIS}
      viewBox={`0 0 ${width} ${tall + AXIS}`}
      role="img"
      tabIndex={0}
      aria-label={props.label}
      {...brush.handlers}
      onKeyDown={props.onKeyDown}
      onBlur={() => props.onRead(null)}
      onPointerLeave={() => props.onRead(null)}
      onPointerMove={(event) => {
        brush.handlers.onPointerMove(event);
        props.onRead(event.clientX - event.currentTarget.getBoundingClientRect().left);
      }}
    >
      {marks.map((value) => (
        <g key={value} class="grid">
          <line x1={0} x2={width} y1={y(value)} y2={y(value)} />
        </g>
      ))}
      <line class="base" x1={0} x2={width} y1={tall + 0.5} y2={tall + 0.5} />
      <clipPath id={id}>
        <rect x={LABELS} width={Math.max(0, width - LABELS)} height={tall} />
      </clipPath>
      <g clip-path={`url(#${id})`}>{shapes}</g>
      <CutBins cut={props.cut} kind={kind} at={geometry} />
      {props.children}
      {marks.map((value) => (
        <g key={value} class="grid">
          <text x={2} y={y(value) + 11}>
            {valueText(value)}
          </text>
        </g>
      ))}
      {props.marks}
      {brushed && (
        <rect
          class="brush"
          x={x(brushed.from)}
          y={0}
          width={Math.max(1, Math.min(width, x(brushed.to)) - x(brushed.from))}
          height={tall}
        />
      )}
      {read !== null && <line class="cursor" x1={x(read)} x2={x(read)} y1={0} y2={tall} />}
      <Axis scale={{ from, to, width }} x={x} zone={props.zone} height={tall} />
    </svg>
  );
}
