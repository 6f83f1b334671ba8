// What charts over time share: their scale, its labels, and a width that follows the page's.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { clockText, dateText, ticks, type Zone } from "../time.ts";

/** Height of the labels below. */
export const AXIS = 18;

/** Instants and the pixels that they are spread over. */
export interface Scale {
  from: number;
  to: number;
  width: number;
}

/** Width of an element, followed. */
export function useWidth(): [{ current: HTMLDivElement | null }, number] {
  const root = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  return [root, width];
}

/** A round number at or above `n`; of counts half of it is whole, too. */
export function niceTop(n: number, isCount = false): number {
  if (isCount) return niceCount(n);
  const size = 10 ** Math.floor(Math.log10(Math.max(1, n)));
  return ([1, 2, 2.5, 5, 10].find((one) => one * size >= n) ?? 10) * size;
}

/** A round number of events at or above `n`, and half of it is one, too. */
export function niceCount(n: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, n)));
  return ([1, 2, 3, 4, 5, 6, 8, 10].find((one) => one * size >= n && (one * size) % 2 === 0) ?? 10) * size;
}

/** Labels of time. */
export function Axis({
  scale,
  x,
  zone,
  height,
}: {
  scale: Scale;
  x: (ms: number) => number;
  zone: Zone;
  /** Of what is drawn above the labels. */
  height: number;
}) {
  const length = scale.to - scale.from;
  const most = Math.max(2, Math.floor(scale.width / 110));
  const text = (ms: number) => {
    if (length > 4 * 86_400_000) return dateText(ms, zone).slice(length > 300 * 86_400_000 ? 0 : 5);
    const clock = clockText(ms, zone, length < 5000);
    const short = length < 5000 ? clock : length < 600_000 ? clock : clock.slice(0, 5);
    return short === "00:00" ? dateText(ms, zone).slice(5) : short;
  };
  return (
    <g class="axis">
      {ticks(scale.from, scale.to, most, zone).map((ms) => (
        <g key={ms}>
          <line x1={x(ms)} x2={x(ms)} y1={height} y2={height + 4} />
          <text
            x={Math.min(Math.max(x(ms), text(ms).length * 3.4), scale.width - text(ms).length * 3.4)}
            y={height + 15}
            text-anchor="middle"
          >
            {text(ms)}
          </text>
        </g>
      ))}
    </g>
  );
}
