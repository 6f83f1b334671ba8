// The bars of the histogram, stacked by level. Where errors are few among many events they also stand on a strip of their
// own below, with a scale of their own: a rise of them is seen there, and is a hair among all events.

import { useState } from "preact/hooks";

import { askedAt, rangeMs, view, zoom, zoomOut } from "../view.ts";
import { compact, count } from "../format.ts";
import { clockText, fullText, type Zone } from "../time.ts";
import { t } from "../texts.ts";
import { Axis, AXIS, niceCount, useWidth } from "./axis.tsx";
import { drawnOf, errorsOf, isPart, type Bucket } from "./buckets.ts";
import { useBrush } from "./brush.ts";
import { stepBy } from "./drag.ts";
import { LABELS } from "./geometry.ts";
import { LEVELS, levelName, NO_LEVEL } from "./levels.ts";
import { MarkLines, type Shown } from "./mark_lines.tsx";
import { Selection } from "./selection.tsx";

/** Height of the chart without its axis, in pixels. */
const TALL = 104;
/** Height of the strip of errors, and its distance from the bars above it. */
const STRIP = 30;
const GAP = 5;
/** Errors that are higher than this among all events need no strip. */
const SEEN_PIXELS = 26;
/** Room at the left for the labels of values. */
const LEFT = LABELS - 8;
/** From the base up: errors are on the base, where they can be compared. */
const UPWARD: readonly string[] = [...[...LEVELS].reverse(), NO_LEVEL];

/** The bars, an interval of `interval` ms each but for those that the range cuts. */
export function Bars({
  all,
  interval,
  range = rangeMs(view.value, askedAt.value),
  marks,
}: {
  all: readonly Bucket[];
  interval: number;
  /** That of the view if none is given. */
  range?: readonly [from: number, to: number];
  /** Marks instead of those of the onset in Explore. */
  marks?: readonly Shown[];
}) {
  const [root, width] = useWidth();
  const [hover, setHover] = useState<number | null>(null);
  const zone = view.value.zone;
  const { from, to, buckets } = drawnOf(all, ...range);
  const scale = { from, to: Math.max(to, from + 1), width: Math.max(1, width) };
  const inner = Math.max(1, scale.width - LEFT);
  const x = (ms: number) => LEFT + ((ms - scale.from) / (scale.to - scale.from)) * inner;
  const most = buckets.reduce((top, bucket) => Math.max(top, bucket.total), 0);
  const top = niceCount(most);
  const mostErrors = buckets.reduce((top, bucket) => Math.max(top, errorsOf(bucket)), 0);
  const hasStrip = mostErrors > 0 && (mostErrors / top) * TALL < SEEN_PIXELS;
  const tall = hasStrip ? TALL - STRIP - GAP : TALL;
  const timeAt = (place: number) =>
    scale.from + (Math.max(0, Math.min(inner, place - LEFT)) / inner) * (scale.to - scale.from);
  const bucketAt = (ms: number) => buckets.find((one) => one.from <= ms && ms < one.to);
  const { isBusy, dragged, part, setPart, handlers } = useBrush(timeAt, (ms) => {
    const bucket = bucketAt(ms);
    if (bucket && bucket.total > 0) zoom(bucket.from, bucket.to - 1);
  });
  // By keys: a bar that is read, and the one from which a choice reaches to it.
  const [at, setAt] = useState<{ a: number; b: number } | null>(null);
  const [a, b] = [buckets[Math.min(at?.a ?? -1, at?.b ?? -1)], buckets[Math.max(at?.a ?? -1, at?.b ?? -1)]];
  const onKeyDown = (event: KeyboardEvent) => {
    const next = stepBy(event.key, at?.b ?? null, buckets.length);
    if (next !== null) setAt({ a: event.shiftKey ? (at?.a ?? next) : next, b: next });
    else if (event.key === "Enter" && a && b) setPart({ from: a.from, to: b.to });
    else return;
    event.preventDefault();
  };
  const read = at === null ? undefined : buckets[at.b];
  const hovered = isBusy ? undefined : hover === null ? read : bucketAt(timeAt(hover));
  const brushed = dragged ?? part ?? (at !== null && at.a !== at.b && a && b ? { from: a.from, to: b.to } : null);
  return (
    <div ref={root}>
      <svg
        width={scale.width}
        height={TALL + AXIS}
        role="img"
        tabIndex={0}
        aria-label={t(
          "Bar chart of {n} events; “Show the counts as a table” gives the numbers; ← and → read bars, with Shift they select, Enter opens what to do with them",
          { n: count(buckets.reduce((n, one) => n + one.total, 0)) },
        )}
        data-testid="bars"
        {...handlers}
        onDblClick={zoomOut}
        onKeyDown={onKeyDown}
        onBlur={() => setAt(null)}
        onPointerMove={(event) => {
          handlers.onPointerMove(event);
          setHover(event.clientX - event.currentTarget.getBoundingClientRect().left);
        }}
        onPointerLeave={() => setHover(null)}
      >
        {most > 0 &&
          [0.5, 1].map((part) => (
            <g key={part} class="grid">
              <line x1={LEFT} x2={scale.width} y1={tall * (1 - part) + 0.5} y2={tall * (1 - part) + 0.5} />
              <text x={LEFT - 5} y={tall * (1 - part) + (part === 1 ? 9 : 4)} text-anchor="end">
                {compact(top * part)}
              </text>
            </g>
          ))}
        {hovered && (
          <rect
            class="hovered"
            x={x(hovered.from)}
            y={0}
            width={Math.max(1, x(hovered.to) - x(hovered.from))}
            height={TALL}
          />
        )}
        {buckets.map((bucket) => {
          // The last instant belongs to the range, too.
          const left = Math.min(x(bucket.from), scale.width - 1);
          const right = x(Math.min(bucket.to, scale.to));
          return (
            <g key={bucket.from} class={isPart(bucket, interval) ? "part" : undefined}>
              <Stack bucket={bucket} left={left} right={right} top={top} tall={tall} />
              {hasStrip && <ErrorBar bucket={bucket} left={left} right={right} top={mostErrors} />}
            </g>
          );
        })}
        {hasStrip && (
          <g class="grid errors" data-testid="error-strip">
            <line class="base" x1={LEFT} x2={scale.width} y1={tall + 0.5} y2={tall + 0.5} />
            <text x={LEFT - 5} y={TALL - STRIP + 10} text-anchor="end">
              {compact(mostErrors)}
            </text>
            <text x={LEFT - 5} y={TALL} text-anchor="end">
              {t("errors")}
            </text>
          </g>
        )}
        <line class="base" x1={LEFT} x2={scale.width} y1={TALL + 0.5} y2={TALL + 0.5} />
        <Axis scale={scale} x={x} zone={zone} height={TALL} />
        <MarkLines
          from={scale.from}
          to={scale.to}
          height={TALL}
          x={x}
          {...(marks ? { more: marks } : { hasOnsets: true })}
        />
        {brushed && (
          <rect
            class="brush"
            x={x(brushed.from)}
            y={0}
            width={Math.max(1, x(brushed.to) - x(brushed.from))}
            height={TALL}
          />
        )}
      </svg>
      {dragged && (
        <p class="tip" style={{ left: `${x(dragged.from)}px` }}>
          {fullText(dragged.from, zone)} – {clockText(dragged.to, zone)}
        </p>
      )}
      {part && <Selection part={part} left={x(part.from)} width={scale.width} onClose={() => setPart(null)} />}
      {hovered && <Tip bucket={hovered} left={x(hovered.from)} width={scale.width} zone={zone} interval={interval} />}
    </div>
  );
}

/** Where a bar is drawn, and the number of events that is as high as the chart. */
interface BarPlace {
  bucket: Bucket;
  left: number;
  right: number;
  top: number;
}

const widthOf = ({ left, right }: BarPlace) => Math.max(1, right - left - (right - left > 4 ? 1 : 0));

/** The events of a bar by level. */
function Stack({ tall, ...place }: BarPlace & { tall: number }) {
  const { bucket, left, top } = place;
  let y = tall;
  return (
    <>
      {UPWARD.map((level) => {
        const n = bucket.by[level] ?? 0;
        if (n === 0) return null;
        // Few errors among many events must still be seen.
        const height = Math.max(1.5, (n / top) * tall);
        y -= height;
        return <rect key={level} class={`bar level-${level}`} x={left} y={y} width={widthOf(place)} height={height} />;
      })}
    </>
  );
}

/** The errors of a bar on their strip. */
function ErrorBar(place: BarPlace) {
  const n = errorsOf(place.bucket);
  if (n === 0) return null;
  const height = Math.max(2, (n / place.top) * STRIP);
  return <rect class="bar level-error" x={place.left} y={TALL - height} width={widthOf(place)} height={height} />;
}

function Tip({
  bucket,
  left,
  width,
  zone,
  interval,
}: {
  bucket: Bucket;
  left: number;
  width: number;
  zone: Zone;
  interval: number;
}) {
  const side = left > width / 2 ? { right: `${width - left + 8}px` } : { left: `${left + 16}px` };
  return (
    <div class="tip" style={side}>
      <div class="dim">{fullText(bucket.from, zone)}</div>
      {UPWARD.filter((level) => (bucket.by[level] ?? 0) > 0).map((level) => (
        <div key={level} class={`level-${level}`}>
          <span class="swatch" />
          {levelName(level)}
          <b>{count(bucket.by[level] ?? 0)}</b>
        </div>
      ))}
      {bucket.total === 0 && <div>{t("no event")}</div>}
      {isPart(bucket, interval) && <div class="dim">{t("only a part of this bar is in the range")}</div>}
    </div>
  );
}
