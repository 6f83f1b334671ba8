// What an open row shows: its fields with what a click on a value can do, the same as JSON, and the text as it came.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Column } from "../api.ts";
import { start, stop, type Lane } from "../ask.ts";
import { fullEvent, knownFields, type FieldOfEvent, type FullEvent } from "../event.ts";
import { bytes, cut, printable } from "../format.ts";
import { copy } from "../parts/layers.tsx";
import type { EventRow } from "../rows.ts";
import { ago, exactText, resolve } from "../time.ts";
import { address, frozen, go, view } from "../view.ts";
import { ValueButtons, valueToText } from "./value_buttons.tsx";

/** Characters shown before somebody asks for more. */
const TEXT_CHARS = 4096;
/** Characters that are put on screen at most; the whole text can still be copied. */
const TEXT_CHARS_MAX = 1_000_000;
const FIELDS_SHOWN = 60;
const TABS = ["fields", "json", "raw"] as const;

/** A text of any length: its beginning, and the rest on demand. */
export function LongText({ text, limit = TEXT_CHARS }: { text: string; limit?: number }) {
  const [all, setAll] = useState(false);
  const shown = all ? cut(text, TEXT_CHARS_MAX) : cut(text, limit);
  return (
    <>
      {printable(shown, true)}
      {text.length > shown.length && (
        <button type="button" class="link" data-testid="show-more" onClick={() => setAll(true)}> … show {bytes(text.length - shown.length)} more</button>
      )}
    </>
  );
}

function isTime(name: string): boolean {
  return name === "@timestamp" || name === "@ingestionTime";
}

function FieldTable({ fields, more, unnamed, row }: { fields: readonly FieldOfEvent[]; more: number; unnamed: number; row: EventRow }) {
  const [all, setAll] = useState(false);
  const shown = all ? fields : fields.slice(0, FIELDS_SHOWN);
  const zone = view.value.zone;
  return (
    <>
      <table class="fields" data-testid="fields">
        <tbody>
          {shown.map(({ name, value }) => (
            <tr key={name} data-field={name} data-value={typeof value === "string" ? cut(value, 2000) : JSON.stringify(value)}>
              <th scope="row">{printable(name)}</th>
              <td class="actions"><ValueButtons name={name} value={value} /></td>
              <td class={`value ${typeof value}`}>
                {isTime(name) && typeof value === "string" ? exactText(value, zone) : <LongText text={valueToText(value)} />}
                {name === "@ingestionTime" && typeof value === "string" && !Number.isNaN(row.ms) && <span class="dim"> arrived {arrival(row.ms, value)}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {fields.length > shown.length && <button type="button" class="link" onClick={() => setAll(true)}>Show {fields.length - shown.length} more fields</button>}
      {more > 0 && <p class="dim">The group has {more} further field names; ask for them with <code>fields</code>.</p>}
      {unnamed > 0 && <p class="dim">{unnamed} field {unnamed === 1 ? "name" : "names"} of the group cannot be asked for: a backtick or a line break is in them.</p>}
    </>
  );
}

function arrival(at: number, ingested: string): string {
  const ms = resolve(ingested, 0);
  return ms === null ? "" : ago(at, ms).replace(" ago", " later");
}

function asObject(fields: readonly FieldOfEvent[]): string {
  return JSON.stringify(Object.fromEntries(fields.map(({ name, value }) => [name, value])), null, 2);
}

function Actions({ row, fields }: { row: EventRow; fields: readonly FieldOfEvent[] }) {
  const message = fields.find((field) => field.name === "@message")?.value ?? row.message;
  // The range of the link ends with the event, so that it is among the newest and therefore shown, however much came after it.
  const range = Number.isNaN(row.ms) ? {} : { from: new Date(row.ms - 900_000).toISOString(), to: row.time };
  const link = () => new URL(address({ ...frozen(view.peek()), ...range, row: row.id }), location.href).href;
  const around = () => {
    const at = row.ms;
    go({ query: "", groups: [row.group], from: new Date(at - 60_000).toISOString(), to: new Date(at + 10_000).toISOString(), row: row.id, live: false });
  };
  return (
    <span class="detail-actions">
      {row.group !== "" && !Number.isNaN(row.ms) && <button type="button" class="link" title="What the same group has from a minute before to ten seconds after, without the filters" onClick={around}>Around this</button>}
      <button type="button" class="link" onClick={() => void copy(valueToText(message), "Line")}>Copy line</button>
      <button type="button" class="link" onClick={() => void copy(asObject(fields), "JSON")}>Copy JSON</button>
      <button type="button" class="link" onClick={() => void copy(link(), "Link to this event")}>Copy link</button>
    </span>
  );
}

/** The open row. */
export function RowDetail({ event, columns, onHeight }: { event: EventRow; columns: readonly Column[]; onHeight: (id: string, height: number) => void }) {
  const root = useRef<HTMLDivElement>(null);
  const [tab, setTab] = useState<(typeof TABS)[number]>("fields");
  const full = useSignal<Lane<FullEvent>>({ state: "loading", data: null, error: null, since: 0 });
  useEffect(() => {
    void start(full, (signal) => fullEvent(event, view.peek(), signal));
    return () => stop(full);
  }, [event.id]);
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const measure = () => onHeight(event.id, element.offsetHeight);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, [event.id, onHeight]);
  const found = full.value.data?.fields ?? [];
  const fields = found.length > 0 ? found : knownFields(event, columns);
  const message = valueToText(fields.find((field) => field.name === "@message")?.value ?? event.message);
  return (
    <div class="detail" role="row" aria-level={2} ref={root} data-testid="detail">
      <div role="gridcell">
        <div class="detail-head">
          <div class="tabs" role="group" aria-label="Show the event as">
            {TABS.map((name) => <button key={name} type="button" aria-pressed={tab === name} data-testid={`tab-${name}`} onClick={() => setTab(name)}>{name === "json" ? "JSON" : name === "raw" ? "Raw text" : "Fields"}</button>)}
          </div>
          {full.value.state === "loading" && <span class="dim">loading all fields…</span>}
          {full.value.state === "error" && <span class="note error">Not all fields could be loaded: {full.value.error?.message}</span>}
          <Actions row={event} fields={fields} />
        </div>
        {tab === "fields" && <FieldTable fields={fields} more={full.value.data?.more ?? 0} unnamed={full.value.data?.unnamed ?? 0} row={event} />}
        {tab === "json" && <pre class="block" data-testid="json"><LongText text={asObject(fields)} limit={4 * TEXT_CHARS} /></pre>}
        {tab === "raw" && <pre class="block" data-testid="raw"><LongText text={message} /></pre>}
      </div>
    </div>
  );
}
