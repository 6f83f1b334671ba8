// The columns of the list: how wide they are. Their heads, which are dragged, sized and have a menu, are loaded later.

import { oneLine } from "../format.ts";
import type { EventRow } from "../rows.ts";
import { view } from "../view.ts";
import type { Placed } from "./layout.ts";

/** Rows whose content the widths follow. */
const SAMPLE = 100;
/** Characters that a group's name has room for. */
export const GROUP_CHARS_MAX = 30;

/** Widths of the columns: as somebody made them, else from a sample of what they hold. */
export function template(placed: readonly Placed[], events: readonly EventRow[], dateChars: number): string {
  const widths = placed.map(({ column, width }, n) => {
    if (width !== null) return `${width}px`;
    if (column.name === "@message") return "minmax(240px, 1fr)";
    let longest = column.name.length + 3;
    const most = column.name === "@log" ? GROUP_CHARS_MAX : 48;
    for (const event of events.slice(0, SAMPLE))
      longest = Math.max(
        longest,
        Math.min(most, oneLine(column.name === "@log" ? event.group : event.cells[column.name], most).length),
      );
    return n === placed.length - 1
      ? `minmax(${Math.min(longest, 20)}ch, 1fr)`
      : `minmax(6ch, ${Math.max(6, Math.min(36, longest)) + 2}ch)`;
  });
  return `${14 + dateChars + (view.value.nanos ? 6 : 0)}ch 6ch ${widths.join(" ")}`;
}
