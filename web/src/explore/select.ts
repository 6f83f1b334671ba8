// Rows that are selected, by their ids: the list may mount and unmount them as it likes. Part of the core, as the list
// and what copies the rows, which is loaded later, share it.

import { signal } from "@preact/signals";

import type { EventRow } from "../rows.ts";

/** Ids of the selected rows. */
export const selected = signal<ReadonlySet<string>>(new Set());

/** Where a stretch of rows begins that Shift extends. */
let anchor = "";

/** Selects nothing any more; says whether something was. */
export function clearSelection(): boolean {
  const was = selected.peek().size > 0;
  if (was) selected.value = new Set();
  anchor = "";
  return was;
}

/** Selects a row, or no more. */
export function toggleSelected(id: string): void {
  const next = new Set(selected.peek());
  if (!next.delete(id)) next.add(id);
  anchor = id;
  selected.value = next;
}

/** Selects the rows from where the selection began to this one. */
export function selectTo(id: string, from: string, events: readonly EventRow[]): void {
  if (selected.peek().size === 0 || anchor === "") anchor = from;
  const [a, b] = [events.findIndex((event) => event.id === anchor), events.findIndex((event) => event.id === id)];
  if (b < 0) return;
  const [first, last] = a < 0 ? [b, b] : [Math.min(a, b), Math.max(a, b)];
  selected.value = new Set(events.slice(first, last + 1).map((event) => event.id));
}
