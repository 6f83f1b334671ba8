// Which fields say to which request or trace an event belongs, and the question for everything that belongs to it.

import { fieldText, valueText, type Json } from "../query/edit.ts";

/** The last parts of a name, whatever joins them: `dd.trace_id`, `traceId`, `headers.x-request-id`. */
const NAMES = /(?:^|[._-])(?:trace[._-]?id|request[._-]?id|req[._-]?id|correlation[._-]?id|amzn[._-]?trace[._-]?id)$/i;
const CAMEL = /(?:[tT]race|[rR]equest|[cC]orrelation)(?:Id|ID)$/;

/** Shorter values are no ids of the whole world: then only the same field is asked about. */
const UNIQUE_CHARS_MIN = 12;

/** Whether a field and its value tell a trace or a request. */
export function isTrace(name: string, value: Json): boolean {
  if (name.startsWith("@") && name !== "@requestId") return false;
  if (!NAMES.test(name) && !CAMEL.test(name)) return false;
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
  return text.length >= 3 && text.length <= 200 && !/^[0-]+$/.test(text);
}

/** The query for all events of a trace: wherever the id stands, as services call it by many names. */
export function traceQuery(name: string, value: Json): string {
  const text = String(value);
  return text.length >= UNIQUE_CHARS_MIN && typeof value === "string"
    ? `filter @any like ${valueText(text)}`
    : `filter ${fieldText(name)} = ${valueText(value)}`;
}

/** Fields that the server treats as trace ids. */
const TRACE_FIELDS: readonly string[] = ["trace_id", "trace.id", "traceId", "traceID", "TraceId"];

/** The trace id in a field; empty if the field has none. */
export function traceIdOf(name: string, value: Json): string {
  return TRACE_FIELDS.includes(name) &&
    typeof value === "string" &&
    /^[0-9a-f]{16,32}$/i.test(value) &&
    !/^0+$/.test(value)
    ? value
    : "";
}
