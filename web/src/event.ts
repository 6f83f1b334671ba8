// All fields of one event. A row holds only what its query asked for, so the names come from the fields of that one event,
// however many others its group has, and the values from queries for it.

import * as api from "./api.ts";
import type { EventRow } from "./rows.ts";
import { canBeNamed, fieldText, valueText, type Json } from "./query/edit.ts";
import type { View } from "./view.ts";

/** System fields that an event may have. */
const SYSTEM = [
  "@timestamp",
  "@message",
  "@level",
  "@log",
  "@logStream",
  "@ingestionTime",
  "@id",
  "@type",
  "@rest",
  "@fieldsDropped",
  "@part",
  "@partOf",
  "@encoding",
  "@timestampRejected",
  "@timestampZone",
  "@group",
];
const NAMES_PER_QUERY = 400;
const QUERY_CHARS_MAX = 40_000;

/** A field of an event. */
export interface FieldOfEvent {
  name: string;
  value: Json;
}

/** The fields of an event. */
export interface FullEvent {
  fields: FieldOfEvent[];
  /** Fields whose names no query can write. */
  unnamed: number;
}

function chunks(names: readonly string[]): string[][] {
  const all: string[][] = [];
  let now: string[] = [];
  let length = 0;
  for (const name of names) {
    if (now.length >= NAMES_PER_QUERY || length + name.length > QUERY_CHARS_MAX) {
      all.push(now);
      now = [];
      length = 0;
    }
    now.push(name);
    length += name.length + 4;
  }
  return now.length > 0 ? [...all, now] : all;
}

/** Asks for all fields of a row's event. */
export async function fullEvent(row: EventRow, of: View, signal: AbortSignal): Promise<FullEvent> {
  const scope = {
    from: row.time === "" ? of.from : row.time,
    to: row.time === "" ? of.to : row.time,
    groups: row.group === "" ? of.groups : [row.group],
  };
  const event = `filter @id = ${valueText(row.id)}`;
  const own = (await api.fields(scope, event, signal)).fields
    .map((field) => field.name)
    .filter((name) => !SYSTEM.includes(name));
  // One name that cannot be written must not cost the others.
  const named = own.filter(canBeNamed);
  const values = new Map<string, Json>();
  for (const names of chunks([...SYSTEM, ...named])) {
    const text = `${event}\n| fields ${names.map(fieldText).join(", ")}`;
    const answer = await api.query(text, scope, of.zone, signal, 1);
    answer.columns.forEach((column, at) => {
      const value = answer.rows[0]?.[at];
      if (value !== null && value !== undefined) values.set(column.name, value);
    });
  }
  // The text first, then the sender's fields, then the system's.
  const rank = (name: string) => (name === "@message" ? 0 : name.startsWith("@") ? 2 : 1);
  const order = [...values.keys()].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return {
    fields: order.map((name) => ({ name, value: values.get(name) ?? null })),
    unnamed: own.length - named.length,
  };
}

/** What the row itself knows, for the time until the rest has arrived. */
export function knownFields(row: EventRow, columns: readonly api.Column[]): FieldOfEvent[] {
  const own = columns.flatMap(({ name, type }) =>
    Object.hasOwn(row.cells, name) && type !== "offset" ? [{ name, value: row.cells[name] ?? null }] : [],
  );
  const system: FieldOfEvent[] = [
    { name: "@timestamp", value: row.time },
    { name: "@level", value: row.level },
    { name: "@log", value: row.group },
    { name: "@logStream", value: row.stream },
    { name: "@message", value: row.message },
  ];
  const all = [...own, ...system.filter((field) => !own.some((one) => one.name === field.name))];
  return all.filter((field) => field.value !== null && field.value !== "");
}
