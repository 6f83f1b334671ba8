// Asks the server for rows, counts over time and fields. Each of the three has a lane of its own: it loads, fails and is
// shown independently of the others, and a newer question aborts the one before it in the same lane.

import { effect, signal, type Signal } from "@preact/signals";

import * as api from "./api.ts";
import { ApiError, type Answer, type Column, type Field, type Group, type Histogram } from "./api.ts";
import { withRowFields, ROW_FIELDS, type Json } from "./query/edit.ts";
import { commands, keepsEvents } from "./query/lex.ts";
import { asked, askedAt, rangeMs, view, type View } from "./view.ts";

/** What a lane holds. The last answer stays (stale) while the next is on its way. */
export interface Lane<T> {
  state: "idle" | "loading" | "done" | "error";
  data: T | null;
  error: ApiError | null;
  /** `performance.now()` of the question. */
  since: number;
}

/** An event as a row shows it. */
export interface EventRow {
  id: string;
  time: string;
  ms: number;
  level: string;
  group: string;
  stream: string;
  message: string;
  cells: Json[];
}

/** The answer to the view's query. */
export interface Rows {
  /** Events, or rows of an aggregation. */
  kind: "events" | "table";
  columns: Column[];
  events: EventRow[];
  table: Json[][];
  more: boolean;
  answer: Answer;
  /** The text that was asked about. */
  query: string;
}

const ROWS_LIMIT = 1000;
const ROWS_MAX = 20_000;
const LIVE_COUNTS_MS = 5000;

function empty<T>(): Lane<T> {
  return { state: "idle", data: null, error: null, since: 0 };
}

/** The answer's rows. */
export const rows = signal<Lane<Rows>>(empty());
/** Counts over time. */
export const counts = signal<Lane<Histogram>>(empty());
/** Fields of the groups in the range. */
export const fieldList = signal<Lane<Field[]>>(empty());
/** All groups. */
export const groupList = signal<Lane<Group[]>>(empty());
/** The view has changed and will be asked about in a moment. */
export const aboutToAsk = signal(false);
/** Somebody reads further down, or has a row open: nothing may move under them by itself. */
export const isReading = signal(false);
/** Older events are on their way. */
export const loadingOlder = signal(false);

const running = new Map<Signal<unknown>, AbortController>();

/** Starts a question in a lane, and aborts the one before. */
export async function start<T>(lane: Signal<Lane<T>>, task: (signal: AbortSignal) => Promise<T>): Promise<void> {
  running.get(lane as Signal<unknown>)?.abort();
  const controller = new AbortController();
  running.set(lane as Signal<unknown>, controller);
  lane.value = { ...lane.peek(), state: "loading", error: null, since: performance.now() };
  try {
    const data = await task(controller.signal);
    if (!controller.signal.aborted) lane.value = { state: "done", data, error: null, since: lane.peek().since };
  } catch (error) {
    if (controller.signal.aborted) return;
    const told = error instanceof ApiError ? error : new ApiError(0, "page", error instanceof Error ? error.message : String(error));
    lane.value = { ...lane.peek(), state: "error", error: told };
  }
}

/** Stops a lane's question; what was there before stays. */
export function cancel<T>(lane: Signal<Lane<T>>): void {
  running.get(lane as Signal<unknown>)?.abort();
  const now = lane.peek();
  lane.value = now.data === null
    ? { ...now, state: "error", error: new ApiError(0, "cancelled", "cancelled") }
    : { ...now, state: "done" };
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : value === null || value === undefined ? "" : JSON.stringify(value);
}

/** The part of a JSON line that people read, where the line is one. */
function readable(message: string): string {
  if (message.charCodeAt(0) !== 0x7b || message.length > 65_536) return message;
  try {
    const object = JSON.parse(message) as Record<string, Json>;
    const part = object["message"] ?? object["msg"];
    return typeof part === "string" && part !== "" ? part : message;
  } catch {
    return message;
  }
}

/** Makes rows of events out of an answer. */
export function toRows(answer: Answer, query: string, columns: readonly string[], withFields: boolean): Rows {
  const index = new Map<string, number>();
  answer.columns.forEach((column, at) => {
    if (!index.has(column.name)) index.set(column.name, at);
  });
  const idAt = index.get("@id");
  const isEvents = keepsEvents(query) && (answer.ids !== undefined || idAt !== undefined);
  if (!isEvents) {
    return { kind: "table", columns: answer.columns, events: [], table: answer.rows, more: answer.more === true, answer, query };
  }
  const at = (name: string) => index.get(name) ?? -1;
  const [time, level, log, stream, message] = ROW_FIELDS.map(at) as [number, number, number, number, number];
  let own = ownColumns(answer, query, columns, withFields);
  const mixed = new Set(answer.rows.slice(0, 200).map((row) => row[log])).size > 1;
  // Where events of several groups meet, each row says whose it is.
  if (mixed && own.length === 1 && own[0]?.name === "@message") own = [{ name: "@log", type: "string" }, ...own];
  const places = own.map((column) => at(column.name));
  const events = answer.rows.map((row, n): EventRow => ({
    id: answer.ids?.[n] ?? (text(idAt === undefined ? null : row[idAt]) || `#${n}`),
    time: text(row[time]), ms: Date.parse(text(row[time])), level: text(row[level]), group: text(row[log]), stream: text(row[stream]),
    message: readable(text(row[message])), cells: places.map((place) => row[place] ?? null),
  }));
  return { kind: "events", columns: own, events, table: [], more: answer.more === true, answer, query };
}

/** The columns to show: those the query names, those added by hand, else the message alone. */
function ownColumns(answer: Answer, query: string, columns: readonly string[], withFields: boolean): Column[] {
  const all = answer.columns.filter((column) => column.name !== "@id");
  const named = commands(query).some((command) => command.name === "fields" || command.name === "display");
  const wanted = (withFields ? ownNames(all.map((column) => column.name), columns) : all.map((column) => column.name))
    .filter((name) => name !== "@timestamp" && name !== "@level");
  const names = [...wanted, ...columns];
  if (!named || wanted.length === 0) names.push("@message");
  return [...new Set(names)].flatMap((name) => all.find((column) => column.name === name) ?? []);
}

/** The names before those that the page has added itself, which stand at the end in the page's order. */
function ownNames(all: readonly string[], columns: readonly string[]): readonly string[] {
  for (let end = 0; end <= all.length; end += 1) {
    const own = all.slice(0, end);
    const added = [...new Set([...ROW_FIELDS, ...columns])].filter((name) => !own.includes(name));
    if (all.length - end === added.length && added.every((name, n) => all[end + n] === name)) return own;
  }
  return [];
}

async function askRows(of: View, scope: api.Scope, limit: number, signal: AbortSignal): Promise<Rows> {
  const extended = keepsEvents(of.query) ? withRowFields(of.query, of.columns) : null;
  if (extended !== null) {
    try {
      return toRows(await api.query(extended, scope, of.zone, signal, limit), of.query, of.columns, true);
    } catch (error) {
      // The query's own error, with its own places, comes from asking the query as it was written.
      if (!(error instanceof ApiError) || error.status !== 400) throw error;
    }
  }
  return toRows(await api.query(of.query, scope, of.zone, signal, keepsEvents(of.query) ? limit : undefined), of.query, of.columns, false);
}

/** The query says itself how many rows there shall be, or in which order: then there are no older ones to add. */
export function isCut(query: string): boolean {
  return commands(query).some((command) => ["limit", "head", "tail", "sort", "order", "dedup", "join"].includes(command.name));
}

/** Adds the events before the oldest one shown. */
export async function loadOlder(): Promise<void> {
  const data = rows.peek().data;
  const oldest = data?.events.at(-1);
  if (!data || !oldest || loadingOlder.peek() || data.events.length >= ROWS_MAX || isCut(data.query)) return;
  const of = view.peek();
  const known = new Set(data.events.filter((event) => event.time === oldest.time).map((event) => event.id));
  loadingOlder.value = true;
  try {
    const limit = Math.min(10_000, ROWS_LIMIT + known.size);
    const [from] = rangeMs(of, askedAt.peek());
    const scope = { from: of.from.startsWith("now") ? new Date(from).toISOString() : of.from, to: oldest.time, groups: of.groups };
    const next = await askRows(of, scope, limit, new AbortController().signal);
    if (rows.peek().data !== data) return;
    const fresh = next.events.filter((event) => !known.has(event.id));
    rows.value = { ...rows.peek(), data: { ...data, events: [...data.events, ...fresh], more: next.more && fresh.length > 0 } };
  } catch (error) {
    if (error instanceof ApiError && rows.peek().data === data) rows.value = { ...rows.peek(), state: "error", error };
  } finally {
    loadingOlder.value = false;
  }
}

/** Asks for the groups again. */
export function askGroups(): void {
  void start(groupList, (signal) => api.groups(signal));
}

/** Asks for the counts over time, in as many buckets as the page has room for. */
export function askCounts(of: View): void {
  const width = document.documentElement.clientWidth;
  const buckets = Math.max(30, Math.min(120, Math.floor((width > 700 ? width - 300 : width) / 9)));
  void start(counts, async (signal) => {
    const from = await firstOf(of);
    return api.histogram(of.query, { from, to: of.to, groups: of.groups }, of.zone, buckets, signal);
  });
}

/** Where counting begins: for "all time" with the first event, so that the bars show the years in which there is something. */
async function firstOf(of: View): Promise<string> {
  if (rangeMs(of, askedAt.peek())[0] > 0) return of.from;
  const known = groupList.peek().data ?? (await api.groups());
  const firsts = known.flatMap((group) => (group.first === null || Number.isNaN(Date.parse(group.first)) ? [] : [Date.parse(group.first)]));
  return firsts.length === 0 ? of.from : new Date(Math.max(0, Math.min(...firsts))).toISOString();
}

/** Asks everything that the view shows. */
function askAll(of: View): void {
  aboutToAsk.value = false;
  askedAt.value = Date.now();
  const scope = { from: of.from, to: of.to, groups: of.groups };
  if (!of.live) void start(rows, (signal) => askRows(of, scope, ROWS_LIMIT, signal));
  askCounts(of);
  void start(fieldList, (signal) => api.fields(scope, signal));
}

/** Asks whenever what the address says has changed; quick steps (zoom, shift) within 150 ms are one question. */
export function followView(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = "";
  let lastAt = 0;
  effect(() => {
    const of = view.value;
    const key = JSON.stringify([of.query, of.from, of.to, of.groups, of.columns, of.zone, of.live, asked.value]);
    if (of.page !== "explore" || key === last) return;
    last = key;
    aboutToAsk.value = true;
    clearTimeout(timer);
    const quick = performance.now() - lastAt < 150;
    lastAt = performance.now();
    timer = setTimeout(() => askAll(of), quick ? 150 : 0);
  });
  setInterval(() => {
    const { live, page, refresh } = view.peek();
    const busy = rows.peek().state === "loading" || counts.peek().state === "loading" || aboutToAsk.peek();
    if (page !== "explore" || busy || document.visibilityState !== "visible") return;
    const age = Date.now() - askedAt.peek();
    if (live && age >= LIVE_COUNTS_MS) {
      // The counts above a live tail keep up with it.
      askedAt.value = Date.now();
      askCounts(view.peek());
    } else if (!live && refresh > 0 && !isReading.peek() && age >= refresh * 1000) {
      asked.value += 1;
    }
  }, 500);
}
