// What can be done with the columns of the list. All of it goes into the address.

import type { Column } from "../api.ts";
import { go, view } from "../view.ts";
import { entryOf, WIDTH_MAX, WIDTH_MIN, type Entry, type Placed } from "./layout.ts";

function textOf({ name, width, hidden }: Entry): string {
  return `${hidden ? "-" : ""}${name}${width === null ? "" : `:${width}`}`;
}

/** Columns of the answer that are not shown. */
export function hiddenOf(columns: readonly Column[], layout: readonly string[]): string[] {
  const names = layout
    .map(entryOf)
    .filter(({ hidden }) => hidden)
    .map(({ name }) => name);
  return columns.map(({ name }) => name).filter((name) => names.includes(name));
}

function entriesOf(placed: readonly Placed[]): Entry[] {
  const hidden = view
    .peek()
    .layout.map(entryOf)
    .filter((entry) => entry.hidden && !placed.some(({ column }) => column.name === entry.name));
  return [...placed.map(({ column, width }) => ({ name: column.name, width, hidden: false })), ...hidden];
}

function put(entries: readonly Entry[], replace = false): void {
  go({ layout: entries.map(textOf) }, replace);
}

/** Puts a column in another place. */
export function moveColumn(placed: readonly Placed[], name: string, to: number): void {
  const from = placed.findIndex(({ column }) => column.name === name);
  const moved = placed[from];
  if (!moved || from === to || to < 0 || to >= placed.length) return;
  const rest = placed.filter((one) => one !== moved);
  put(entriesOf([...rest.slice(0, to), moved, ...rest.slice(to)]));
}

/** Makes a column so wide; `null` for what suits its content. */
export function resizeColumn(placed: readonly Placed[], name: string, width: number | null): void {
  const fitting = width === null ? null : Math.round(Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, width)));
  put(entriesOf(placed.map((one) => (one.column.name === name ? { ...one, width: fitting } : one))), true);
}

/** Takes a column away: one that was added goes for good, another is hidden. */
export function hideColumn(placed: readonly Placed[], name: string): void {
  const { columns } = view.peek();
  const left = entriesOf(placed.filter(({ column }) => column.name !== name));
  if (columns.includes(name))
    go({
      columns: columns.filter((one) => one !== name),
      layout: view.peek().layout.length === 0 ? [] : left.map(textOf),
    });
  else put([...left, { name, width: null, hidden: true }]);
}

/** Shows a hidden column again, at the end. */
export function showColumn(placed: readonly Placed[], name: string): void {
  put([...entriesOf(placed).filter((entry) => entry.name !== name), { name, width: null, hidden: false }]);
}
