// Keeps what somebody reads where it is, whatever is added above it: newer rows, older rows, an open row that grows.

import { useLayoutEffect, useRef } from "preact/hooks";

import type { EventRow } from "../rows.ts";
import { rowAt, topOf, type Extras } from "./window.ts";

interface Kept {
  id: string;
  index: number;
  offset: number;
}

/** Where a row of this id stands now; -1 where it is gone. */
function placeOf(events: readonly EventRow[], kept: Kept): number {
  return events[kept.index]?.id === kept.id ? kept.index : events.findIndex((event) => event.id === kept.id);
}

/** Keeps the row at the top of the box at its place, unless the box is at its own top; gives what notes a scroll. */
export function useAnchor(
  box: { current: HTMLDivElement | null },
  events: readonly EventRow[],
  rowHeight: number,
  extras: Extras,
  isOn: boolean,
): () => void {
  const kept = useRef<Kept | null>(null);
  const drawn = useRef({ events, rowHeight, extras });
  const note = () => {
    const { events, rowHeight, extras } = drawn.current;
    const top = box.current?.scrollTop ?? 0;
    const index = rowAt(top, rowHeight, extras);
    const event = events[index];
    kept.current = top > 0 && event ? { id: event.id, index, offset: topOf(index, rowHeight, extras) - top } : null;
  };
  useLayoutEffect(() => {
    const [element, before] = [box.current, kept.current];
    if (element && before && isOn) {
      const index = placeOf(events, before);
      // Rows of another question begin at their beginning.
      const top = index < 0 ? 0 : topOf(index, rowHeight, extras) - before.offset;
      if (Math.abs(element.scrollTop - top) >= 1) element.scrollTop = top;
    }
    drawn.current = { events, rowHeight, extras };
    note();
  }, [events, rowHeight, extras]);
  return note;
}
