// A part of a chart's time that is dragged over.

import { useState } from "preact/hooks";

/** Shorter movements, in pixels, are clicks. */
const DRAG_MIN = 4;

/** A part of the time of a chart, in ms since the epoch. */
export interface Part {
  from: number;
  to: number;
}

/** The state of the choice, and the handlers for the element that is dragged over. A click that is no drag is given to `onClick`. */
export function useDrag(timeAt: (x: number) => number, onClick: (ms: number) => void) {
  const [drag, setDrag] = useState<{ a: number; b: number } | null>(null);
  const [part, setPart] = useState<Part | null>(null);
  const place = (event: PointerEvent) => event.clientX - (event.currentTarget as Element).getBoundingClientRect().left;
  const partOf = ({ a, b }: { a: number; b: number }) => ({ from: timeAt(Math.min(a, b)), to: timeAt(Math.max(a, b)) });
  const handlers = {
    onPointerDown(event: PointerEvent) {
      if (event.button !== 0) return;
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
      setPart(null);
      setDrag({ a: place(event), b: place(event) });
    },
    onPointerMove(event: PointerEvent) {
      const b = place(event);
      setDrag((now) => now && { a: now.a, b });
    },
    onPointerUp(event: PointerEvent) {
      if (!drag) return;
      const both = { a: drag.a, b: place(event) };
      setDrag(null);
      if (Math.abs(both.b - both.a) < DRAG_MIN) onClick(timeAt(both.b));
      else setPart(partOf(both));
    },
    onPointerCancel: () => setDrag(null),
  };
  const isDrag = drag !== null && Math.abs(drag.b - drag.a) >= DRAG_MIN;
  return { isBusy: drag !== null, dragged: isDrag ? partOf(drag) : null, part, setPart, handlers };
}

/** The place that an arrow key leads to; `null` for other keys. */
export function stepBy(key: string, now: number | null, length: number): number | null {
  const last = length - 1;
  if (key === "ArrowRight") return now === null ? 0 : Math.min(last, now + 1);
  if (key === "ArrowLeft") return now === null ? last : Math.max(0, now - 1);
  return key === "Home" ? 0 : key === "End" ? last : null;
}
