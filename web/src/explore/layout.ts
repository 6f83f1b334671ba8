// How columns are laid out: in which order, how wide, and which are not shown. All of it is in the address; columns that
// it does not name stand where the answer has them, before the message.

import type { Column } from "../api.ts";

/** A column as it is shown. */
export interface Placed {
  column: Column;
  /** Pixels; `null` for what suits its content. */
  width: number | null;
}

/** Narrowest and widest column that somebody can make. */
export const WIDTH_MIN = 48;
export const WIDTH_MAX = 1600;

/** A column as the address names it. */
export interface Entry {
  name: string;
  width: number | null;
  hidden: boolean;
}

/** What the address says of a column. */
export function entryOf(text: string): Entry {
  const sized = /^(.+):(\d{1,4})$/.exec(text);
  const name = sized?.[1] ?? text;
  const width = sized ? Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, Number(sized[2]))) : null;
  return name.startsWith("-") ? { name: name.slice(1), width, hidden: true } : { name, width, hidden: false };
}

/** The columns in the order in which they are shown. */
export function arrange(columns: readonly Column[], layout: readonly string[]): Placed[] {
  const entries = layout.map(entryOf);
  const there = new Map(columns.map((column) => [column.name, column]));
  const named = entries.flatMap(({ name, width, hidden }): Placed[] => {
    const column = there.get(name);
    return column === undefined || hidden ? [] : [{ column, width }];
  });
  const known = new Set(entries.map(({ name }) => name));
  const rest = columns.flatMap((column): Placed[] => (known.has(column.name) ? [] : [{ column, width: null }]));
  const last = named.at(-1);
  const placed = last?.column.name === "@message" ? [...named.slice(0, -1), ...rest, last] : [...named, ...rest];
  // Something has to be seen of an event.
  return placed.length > 0 ? placed : columns.slice(-1).map((column) => ({ column, width: null }));
}
