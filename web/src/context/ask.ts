// Asks for what happened around an event, and for more of it on either side.

import { signal } from "@preact/signals";

import { context, type ContextAnswer } from "../api/context.ts";
import { start, type Lane } from "../ask.ts";
import type { Column, Notice } from "../api.ts";
import { addFilter, fieldText, hasFilter, valueText, withRowFields, type Json } from "../query/edit.ts";
import { toRows, type EventRow } from "../rows.ts";
import type { Zone } from "../time.ts";
import type { AroundScope } from "./scope.ts";

/** Lines on either side at first, and how many each asking adds. */
const SIDE = 50;
const MORE = 100;
/** Lines that are shown at most: nobody reads further by scrolling. */
const LINES_MAX = 5000;

/** Names under which senders say on which host something happened. */
const HOSTS = ["host", "hostname", "host.name"] as const;

/** The event in the middle: what it shares with what is shown. */
export interface Origin {
  id: string;
  time: string;
  group: string;
  stream: string;
  /** The name and value of its field for the host, where it has one. */
  host: { name: string; value: Json } | null;
}

/** What is shown around an event. */
export interface Lines {
  /** What was asked. */
  scope: AroundScope;
  columns: readonly string[];
  origin: Origin;
  events: EventRow[];
  /** What the cells of the events are. */
  cells: Column[];
  moreBefore: boolean;
  moreAfter: boolean;
  partial: Notice[];
}

/** Before anything is asked. */
export const NOTHING: Lane<Lines> = { state: "idle", data: null, error: null, since: 0, at: 0 };

/** The lines on screen. */
export const lines = signal<Lane<Lines>>(NOTHING);
/** Whether more are on their way, and on which side. */
export const growing = signal<"" | "before" | "after">("");

let known: Origin | null = null;

/** The query and the groups that a scope stands for. */
function question(
  scope: AroundScope,
  columns: readonly string[],
  origin: Origin | null,
): { query: string; groups: readonly string[] | null } {
  const has = (bond: AroundScope["bonds"][number]) => scope.bonds.includes(bond);
  let text = scope.filter.trim();
  const add = (name: string, value: Json) => {
    if (!hasFilter(text, name, "include", value)) text = addFilter(text, `${fieldText(name)} = ${valueText(value)}`);
  };
  const native = has("stream") && has("group");
  if (origin && has("stream") && !native) add("@logStream", origin.stream);
  if (origin?.host && has("host")) add(origin.host.name, origin.host.value);
  const query = withRowFields(text, [...columns, ...HOSTS]) ?? text;
  return { query, groups: native ? null : has("group") && origin ? [origin.group] : [] };
}

function rowsOf(answer: ContextAnswer, scope: AroundScope, columns: readonly string[]) {
  return toRows(answer, { query: scope.filter, columns: [...columns, ...HOSTS], withFields: true });
}

function originOf(id: string, answer: ContextAnswer): Origin {
  const row = answer.rows[answer.place] ?? [];
  const value = (name: string) => row[answer.columns.findIndex((column) => column.name === name)] ?? null;
  const name = HOSTS.find((one) => value(one) !== null && typeof value(one) !== "object");
  const time = value("@timestamp");
  return {
    id,
    time: typeof time === "string" ? time : "",
    group: answer.middle.group,
    stream: answer.middle.stream,
    host: name === undefined ? null : { name, value: value(name) },
  };
}

/** Asks what is around an event. */
export function askAround(scope: AroundScope, columns: readonly string[], zone: Zone): void {
  growing.value = "";
  void start(lines, async (stop): Promise<Lines> => {
    const { id } = scope;
    const isPlain = scope.bonds.length === 2 && scope.bonds.includes("stream") && scope.bonds.includes("group");
    if (!isPlain && known?.id !== id) {
      const alone = question({ id, bonds: ["stream", "group"], filter: "" }, [], null);
      known = originOf(id, await context({ id, before: 0, after: 0, ...alone, zone }, stop));
    }
    const asked = question(scope, columns, known?.id === id ? known : null);
    const answer = await context({ id, before: SIDE, after: SIDE, ...asked, zone }, stop);
    const origin = originOf(id, answer);
    known = origin.host !== null || known?.id !== id ? origin : known;
    const found = rowsOf(answer, scope, columns);
    return {
      scope,
      columns,
      origin: known,
      events: found.events,
      cells: found.columns,
      moreBefore: answer.moreBefore,
      moreAfter: answer.moreAfter,
      partial: answer.partial ? answer.partial_reasons : [],
    };
  });
}

/** Adds what lies beyond the first or the last line. */
export async function grow(side: "before" | "after", zone: Zone): Promise<void> {
  const data = lines.peek().data;
  const edge = side === "before" ? data?.events[0] : data?.events.at(-1);
  if (!data || !edge || growing.peek() !== "") return;
  growing.value = side;
  const stop = new AbortController();
  // Another question makes this one pointless.
  const unwatch = lines.subscribe((now) => {
    if (now.data !== data || now.state === "loading") stop.abort();
  });
  try {
    const asked = question(data.scope, data.columns, data.origin);
    const answer = await context(
      { id: edge.id, before: side === "before" ? MORE : 0, after: side === "after" ? MORE : 0, ...asked, zone },
      stop.signal,
    );
    if (lines.peek().data !== data) return;
    const fresh = rowsOf(answer, data.scope, data.columns).events.filter((_, at) => at !== answer.place);
    const events = side === "before" ? [...fresh, ...data.events] : [...data.events, ...fresh];
    const more = side === "before" ? { moreBefore: answer.moreBefore } : { moreAfter: answer.moreAfter };
    const partial = answer.partial ? answer.partial_reasons : data.partial;
    lines.value = { ...lines.peek(), data: { ...data, events, ...more, partial } };
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    unwatch();
    if (growing.peek() === side) growing.value = "";
  }
}

/** Whether more lines have room. */
export function hasRoom(of: Lines): boolean {
  return of.events.length < LINES_MAX;
}
