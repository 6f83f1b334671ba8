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

/** What `useAnchor` gives. */
interface Anchor {
  /** Notes a scroll. */
  note: () => void;
  /** Keeps this row at its place, and no longer the one at the top, until the list is scrolled. */
  hold: (index: number) => void;
}

/** Keeps the row at the top of the box at its place, unless the box is at its own top. */
export function useAnchor(
  box: { current: HTMLDivElement | null },
  events: readonly EventRow[],
  rowHeight: number,
  extras: Extras,
  isOn: boolean,
): Anchor {
  const kept = useRef<Kept | null>(null);
  // Where the box was when a row was to be held: elsewhere, it was scrolled since.
  const heldAt = useRef<number | null>(null);
  // Where it was when the row at its top was noted last.
  const notedAt = useRef(0);
  const drawn = useRef({ events, rowHeight, extras });
  const keep = (index: number) => {
    const { events, rowHeight, extras } = drawn.current;
    const event = events[index];
    const top = box.current?.scrollTop ?? 0;
    kept.current = event ? { id: event.id, index, offset: topOf(index, rowHeight, extras) - top } : null;
  };
  const note = () => {
    const { rowHeight, extras } = drawn.current;
    const top = box.current?.scrollTop ?? 0;
    notedAt.current = top;
    if (heldAt.current !== null && Math.abs(top - heldAt.current) < 1) return;
    heldAt.current = null;
    if (top > 0) keep(rowAt(top, rowHeight, extras));
    else kept.current = null;
  };
  const hold = (index: number) => {
    heldAt.current = box.current?.scrollTop ?? 0;
    keep(index);
  };
  useLayoutEffect(() => {
    const element = box.current;
    // Who has scrolled since reads what is there now, also where the browser has not told of it yet.
    if (element && Math.abs(element.scrollTop - notedAt.current) >= 1) note();
    const before = kept.current;
    drawn.current = { events, rowHeight, extras };
    if (element && before && isOn) {
      const index = placeOf(events, before);
      // Rows of another question begin at their beginning.
      const top = index < 0 ? 0 : topOf(index, rowHeight, extras) - before.offset;
      if (Math.abs(element.scrollTop - top) >= 1) element.scrollTop = top;
      if (heldAt.current !== null && index >= 0) return hold(index);
    }
    note();
  }, [events, rowHeight, extras]);
  return { note, hold };
}
