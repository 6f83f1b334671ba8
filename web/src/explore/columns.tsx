// The columns of the list: how wide they are, and their heads.

import type { Column } from "../api.ts";
import { oneLine } from "../format.ts";
import type { EventRow } from "../rows.ts";
import { go, view } from "../view.ts";

/** Rows whose content the widths follow. */
const SAMPLE = 100;
/** Characters that a group's name has room for. */
export const GROUP_CHARS_MAX = 30;

/** Widths of the columns, from a sample of what they hold. */
export function template(columns: readonly Column[], events: readonly EventRow[], dated: boolean): string {
  const widths = columns.map((column, at) => {
    if (column.name === "@message") return "minmax(240px, 1fr)";
    let longest = column.name.length + 1;
    const most = column.name === "@log" ? GROUP_CHARS_MAX : 48;
    for (const event of events.slice(0, SAMPLE)) longest = Math.max(longest, Math.min(most, oneLine(column.name === "@log" ? event.group : event.cells[column.name], most).length));
    return at === columns.length - 1 ? `minmax(${Math.min(longest, 20)}ch, 1fr)` : `minmax(6ch, ${Math.max(6, Math.min(36, longest)) + 2}ch)`;
  });
  return `${(dated ? 20 : 14) + (view.value.nanos ? 6 : 0)}ch 6ch ${widths.join(" ")}`;
}

/** The head of a column. */
export function ColumnHead({ column }: { column: Column }) {
  const added = view.value.columns.includes(column.name);
  const remove = () => go({ columns: view.peek().columns.filter((one) => one !== column.name) });
  return (
    <span role="columnheader" class="cell">
      <span class="ellipsis">{column.name === "@message" ? "Message" : column.name === "@log" ? "Group" : column.name}</span>
      {added && <button type="button" class="tiny" aria-label={`Remove the column ${column.name}`} title="Remove this column" onClick={remove}>×</button>}
    </span>
  );
}
