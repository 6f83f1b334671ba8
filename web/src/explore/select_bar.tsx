// What can be done with selected rows: copied as text, JSON or a table for a ticket.

import { useEffect } from "preact/hooks";

import { count, printable, textOf } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { copy } from "../parts/layers.tsx";
import { adopt } from "../parts/style.ts";
import type { Json } from "../query/edit.ts";
import type { EventRow } from "../rows.ts";
import rules from "../style/columns.css?inline";
import { plural, t } from "../texts.ts";
import { exactText } from "../time.ts";
import { view } from "../view.ts";
import { columnTitle } from "./column_title.ts";
import type { Placed } from "./layout.ts";
import { clearSelection, selected } from "./select.ts";

adopt(rules);

/** Texts so long are not whole in a row. */
const CUT_CHARS = 4095;

function cellOf(event: EventRow, { column }: Placed): Json {
  return column.name === "@message"
    ? event.message
    : column.name === "@log"
      ? event.group
      : (event.cells[column.name] ?? null);
}

/** A line each: time, level, and the columns as they are shown. */
export function asText(events: readonly EventRow[], placed: readonly Placed[]): string {
  const zone = view.peek().zone;
  return events
    .map((event) =>
      [exactText(event.time, zone), event.level, ...placed.map((one) => textOf(cellOf(event, one)))]
        .filter((part) => part !== "")
        .join("  "),
    )
    .join("\n");
}

/** An array of what the rows hold. */
export function asJson(events: readonly EventRow[], placed: readonly Placed[]): string {
  return JSON.stringify(
    events.map((event) => ({
      "@timestamp": event.time,
      "@level": event.level,
      "@log": event.group,
      "@logStream": event.stream,
      ...Object.fromEntries(placed.map((one) => [one.column.name, cellOf(event, one)])),
      "@id": event.id,
    })),
    null,
    2,
  );
}

/** A table as tickets and chats show it. */
export function asMarkdown(events: readonly EventRow[], placed: readonly Placed[]): string {
  const cell = (text: string) =>
    printable(text).replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("`", "\\`");
  const row = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  const zone = view.peek().zone;
  const head = [t("Time"), t("Level"), ...placed.map(({ column }) => columnTitle(column.name))];
  return [
    row(head),
    `|${head.map(() => " --- |").join("")}`,
    ...events.map((event) =>
      row([exactText(event.time, zone), event.level, ...placed.map((one) => textOf(cellOf(event, one)))]),
    ),
  ].join("\n");
}

/** The bar above the list. */
export function SelectBar({ events, placed }: { events: readonly EventRow[]; placed: readonly Placed[] }) {
  const ids = selected.value;
  const chosen = () => events.filter((event) => ids.has(event.id));
  useEffect(() => {
    // The browser's own key copies the rows, unless some text is marked.
    const onCopy = (event: ClipboardEvent) => {
      if (
        getSelection()?.isCollapsed === false ||
        (event.target instanceof HTMLElement && /^(INPUT|TEXTAREA)$/.test(event.target.tagName))
      )
        return;
      event.clipboardData?.setData("text/plain", asText(chosen(), placed));
      event.preventDefault();
    };
    document.addEventListener("copy", onCopy);
    return () => document.removeEventListener("copy", onCopy);
  });
  const shown = chosen();
  const take = (make: (events: readonly EventRow[], placed: readonly Placed[]) => string) => () =>
    void copy(make(shown, placed), plural(shown.length, "{n} row", "{n} rows", count(shown.length)));
  return (
    <div class="select-bar" role="group" aria-label={t("Selected rows")} data-testid="select-bar">
      <span role="status">{plural(shown.length, "{n} row selected", "{n} rows selected", count(shown.length))}</span>
      <Button label={t("Copy as text")} data-testid="copy-text" onClick={take(asText)} />
      <Button label={t("Copy as JSON")} data-testid="copy-json" onClick={take(asJson)} />
      <Button label={t("Copy as Markdown")} data-testid="copy-markdown" onClick={take(asMarkdown)} />
      <Button label={t("Clear (Esc)")} onClick={() => clearSelection()} />
      {shown.some((event) => event.message.length >= CUT_CHARS) && (
        <span class="dim">{t("texts above 4 KB are cut in the copy; save them as a file")}</span>
      )}
    </div>
  );
}
