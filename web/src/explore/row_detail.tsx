// What an open row shows: its fields with what a click on a value can do, the same as JSON, and the text as it came.

import { signal } from "@preact/signals";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Column } from "../api.ts";
import { ExceptionOf } from "../detail/exception_view.tsx";
import { JsonTree } from "../detail/json_tree.tsx";
import { RichText } from "../detail/rich_text.tsx";
import { isTrace, traceQuery, traceIdOf } from "../detail/trace.ts";
import { fullEvent, knownFields, type FieldOfEvent } from "../event.ts";
import { count, cut, printable } from "../format.ts";
import { canShowAround, showAround } from "../keys.ts";
import { Button } from "../parts/button.tsx";
import { copy } from "../parts/layers.tsx";
import { useRove } from "../parts/rove.ts";
import { useLane } from "../parts/use_lane.ts";
import { Way } from "../parts/way.tsx";
import type { EventRow } from "../rows.ts";
import type { Json } from "../query/edit.ts";
import { plural, t } from "../texts.ts";
import { distance, exactText, resolve } from "../time.ts";
import { address, frozen, go, view } from "../view.ts";
import { ValueButtons, valueToText } from "./value_buttons.tsx";

/** Fields that are shown before somebody asks for more, and how many each asking adds. */
const FIELDS_SHOWN = 60;
const FIELDS_STEP = 200;
/** A trace is looked for so far around its event. */
const TRACE_MS = 1_800_000;
const TABS = ["fields", "json", "raw"] as const;

/** The form that was chosen last: the next row opens in it. */
const shownAs = signal<(typeof TABS)[number]>("fields");

function isTime(name: string): boolean {
  return name === "@timestamp" || name === "@ingestionTime";
}

/** Whether a field says what the system field of the same name says. */
function repeats({ name, value }: FieldOfEvent, all: readonly FieldOfEvent[]): boolean {
  const system = all.find((one) => one.name === `@${name}`)?.value;
  if (system === undefined) return false;
  return (
    valueToText(system) === valueToText(value) ||
    (isTime(`@${name}`) && resolve(String(value), 0) === resolve(String(system), 0))
  );
}

/** Whether some field has several lines, as a stack trace has. */
function hasLines(fields: readonly FieldOfEvent[]): boolean {
  return fields.some(
    ({ value }) => Array.isArray(value) || (typeof value === "string" && value.trimEnd().includes("\n")),
  );
}

function FieldTable({
  fields: all,
  unnamed,
  row,
}: {
  fields: readonly FieldOfEvent[];
  unnamed: number;
  row: EventRow;
}) {
  const rove = useRove("tr");
  const [most, setMost] = useState(FIELDS_SHOWN);
  const repeated = all.filter((field) => repeats(field, all)).map(({ name }) => name);
  // The trace of a text is the text itself.
  const message = all.find(({ name }) => name === "@message")?.value;
  const isText = ({ name, value }: FieldOfEvent) => name === "exception.stacktrace" && value === message;
  const fields = all.filter((field) => !repeated.includes(field.name) && !isText(field));
  const shown = fields.slice(0, most);
  const zone = view.value.zone;
  return (
    <>
      <table class="fields" data-testid="fields">
        <tbody {...rove}>
          {shown.map(({ name, value }) => (
            <tr
              key={name}
              data-field={name}
              data-value={typeof value === "string" ? cut(value, 2000) : JSON.stringify(value)}
            >
              <th scope="row">{printable(name)}</th>
              <td class="actions">
                <ValueButtons name={name} value={value} />
              </td>
              <td class={`value ${typeof value}`}>
                {isTime(name) && typeof value === "string" ? (
                  exactText(value, zone)
                ) : (
                  <RichText text={valueToText(value)} />
                )}
                {isTrace(name, value) && (
                  <>
                    {" "}
                    <TraceButton row={row} name={name} value={value} />{" "}
                    <TraceLink trace={traceIdOf(name, value)} fields={fields} />
                  </>
                )}
                {name === "@ingestionTime" && typeof value === "string" && !Number.isNaN(row.ms) && (
                  <span class="dim"> {arrival(row.ms, value)}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {fields.length > shown.length && (
        <button type="button" class="link" data-testid="more-fields" onClick={() => setMost(most + FIELDS_STEP)}>
          {t("Show {n} more of {all} fields", {
            n: count(Math.min(FIELDS_STEP, fields.length - shown.length)),
            all: count(fields.length),
          })}
        </button>
      )}
      {repeated.length > 0 && (
        <p class="dim" data-testid="repeated">
          {t("Sent with the same value as the field with @: {names}", {
            names: repeated.map((one) => printable(one)).join(", "),
          })}
        </p>
      )}
      {unnamed > 0 && (
        <p class="dim">
          {plural(
            unnamed,
            "{n} field cannot be queried: its name contains a backtick or line break.",
            "{n} fields cannot be queried: their names contain a backtick or line break.",
            count(unnamed),
          )}
        </p>
      )}
    </>
  );
}

function arrival(at: number, ingested: string): string {
  const ms = resolve(ingested, 0);
  if (ms === null) return "";
  const time = distance(ms - at);
  return ms >= at ? t("arrived {time} later", { time }) : t("arrived {time} earlier", { time });
}

function asObject(fields: readonly FieldOfEvent[]): string {
  return JSON.stringify(Object.fromEntries(fields.map(({ name, value }) => [name, value])), null, 2);
}

function Actions({ row, fields }: { row: EventRow; fields: readonly FieldOfEvent[] }) {
  const message = fields.find((field) => field.name === "@message")?.value ?? row.message;
  // The range of the link ends with the event, so that it is among the newest and therefore shown, however much came after it.
  const range = Number.isNaN(row.ms) ? {} : { from: new Date(row.ms - 900_000).toISOString(), to: row.time };
  const link = () => new URL(address({ ...frozen(view.peek()), ...range, row: row.id }), location.href).href;
  const trace = fields.find(({ name, value }) => isTrace(name, value));
  return (
    <span class="detail-actions">
      {canShowAround(row.id) && (
        <button
          type="button"
          class="button small"
          title={t("The lines before and after it in the same stream (c)")}
          data-testid="around"
          onClick={() => showAround(row.id)}
        >
          {t("Show around this")}
        </button>
      )}
      {trace && <TraceButton row={row} name={trace.name} value={trace.value} isButton />}
      <TraceLink
        trace={fields.map(({ name, value }) => traceIdOf(name, value)).find(Boolean) ?? ""}
        fields={fields}
        isButton
      />
      <Button label={t("Copy line")} onClick={() => void copy(valueToText(message), t("Line"))} />
      <Button label={t("Copy JSON")} onClick={() => void copy(asObject(fields), "JSON")} />
      <Button label={t("Copy link")} onClick={() => void copy(link(), t("Link to this event"))} />
    </span>
  );
}

/** Asks all groups for the trace or the request that an event belongs to. */
function TraceButton({
  row,
  name,
  value,
  isButton = false,
}: {
  row: EventRow;
  name: string;
  value: Json;
  isButton?: boolean;
}) {
  const show = () => {
    const iso = (ms: number) => new Date(ms).toISOString();
    const range = Number.isNaN(row.ms) ? {} : { from: iso(row.ms - TRACE_MS), to: iso(row.ms + TRACE_MS) };
    go({ query: traceQuery(name, value), groups: [], ...range, row: row.id, live: false, around: "", panel: "rows" });
  };
  return (
    <button
      type="button"
      class={isButton ? "button small" : "link"}
      data-testid={isButton ? "trace" : "trace-of-field"}
      title={t("All events with this {name}, in all groups", { name: printable(name) })}
      onClick={show}
    >
      {isButton || /trace/i.test(name)
        ? t("All lines of this trace")
        : t("All lines with this {name}", { name: printable(name) })}
    </button>
  );
}

/** A link to the page of a trace, and there to the event's span. */
function TraceLink({
  trace,
  fields,
  isButton = false,
}: {
  trace: string;
  fields: readonly FieldOfEvent[];
  isButton?: boolean;
}) {
  if (trace === "") return null;
  const span = fields.find(({ name }) => name === "span_id")?.value;
  return (
    <Way
      class={isButton ? "button small" : "link"}
      data-testid={isButton ? "open-trace" : "open-trace-of-field"}
      to={{ page: "trace", trace, span: typeof span === "string" ? span : "", find: "" }}
    >
      {t("Open trace (T)")}
    </Way>
  );
}

/** The open row. */
export function RowDetail({
  event,
  columns,
  onHeight,
}: {
  event: EventRow;
  columns: readonly Column[];
  onHeight: (id: string, height: number) => void;
}) {
  const root = useRef<HTMLDivElement>(null);
  const tab = shownAs.value;
  const { lane: full } = useLane((signal) => fullEvent(event, view.peek(), signal), [event.id]);
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
          <div class="tabs" role="group" aria-label={t("Show the event as")}>
            {TABS.map((name) => (
              <button
                key={name}
                type="button"
                aria-pressed={tab === name}
                data-testid={`tab-${name}`}
                onClick={() => (shownAs.value = name)}
              >
                {name === "json" ? "JSON" : name === "raw" ? t("Raw text") : t("Fields")}
              </button>
            ))}
          </div>
          {full.value.state === "loading" && <span class="dim">{t("loading all fields…")}</span>}
          {full.value.state === "error" && (
            <span class="note error">
              {t("Not all fields could be loaded: {message}", { message: full.value.error?.message ?? "" })}
            </span>
          )}
          <Actions row={event} fields={fields} />
        </div>
        {tab !== "json" && hasLines(fields) && <ExceptionOf id={event.id} />}
        {tab === "fields" && <FieldTable fields={fields} unnamed={full.value.data?.unnamed ?? 0} row={event} />}
        {tab === "json" && <JsonTree fields={fields} />}
        {tab === "raw" && (
          <pre class="block" data-testid="raw">
            <RichText text={message} />
          </pre>
        )}
      </div>
    </div>
  );
}
