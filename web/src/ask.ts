// Asks the server for rows, counts over time and fields. Each of the three has a lane of its own: it loads, fails and is
// shown independently of the others, and a newer question aborts the one before it in the same lane. Rows are shown as
// they arrive (`stream/`).

import { batch, effect, signal, type Signal } from "@preact/signals";

import * as api from "./api.ts";
import { ApiError, type Fields, type Group, type Histogram, type Stats } from "./api.ts";
import { begins, held, ranLast, survives } from "./guard.ts";
import { withRowFields } from "./query/edit.ts";
import { commands, keepsEvents } from "./query/lex.ts";
import type { Ending, Rows, Shape } from "./rows.ts";
import { ask } from "./stream/ask.ts";
import type { Batch } from "./stream/worker.ts";
import { isAbsolute } from "./time.ts";
import { asked, askedAt, rangeMs, view, type View } from "./view.ts";

/** What a lane holds. The last answer stays (stale) while the next is on its way. */
export interface Lane<T> {
  state: "idle" | "loading" | "done" | "error";
  data: T | null;
  error: ApiError | null;
  /** `performance.now()` of the question. */
  since: number;
  /** `Date.now()` of the answer, or of what went wrong. */
  at?: number;
}

/** Rows that are asked for at first. */
export const ROWS_ASKED = 1000;
/** Rows that are kept in memory. */
export const ROWS_MAX = 100_000;
const TABLE_ROWS_MAX = 10_000;
/** Most events that are asked for at once while somebody scrolls. */
const OLDER_MAX = 10_000;
const LIVE_COUNTS_MS = 5000;

function empty<T>(): Lane<T> {
  return { state: "idle", data: null, error: null, since: 0 };
}

/** The answer's rows. */
export const rows = signal<Lane<Rows>>(empty());
/** Counts over time. */
export const counts = signal<Lane<Histogram>>(empty());
/** Fields of the events that match. */
export const fieldList = signal<Lane<Fields>>(empty());
/** All groups. */
export const groupList = signal<Lane<Group[]>>(empty());
/** The view has changed and will be asked about in a moment. */
export const aboutToAsk = signal(false);
/** Somebody reads further down, or has a row open: nothing may move under them by itself. */
export const isReading = signal(false);
/** How far the server is with the rows; `null` where nothing is asked. */
export const progress = signal<Partial<Stats> | null>(null);
/** Events before the oldest one shown, on their way. */
export const older = signal<Lane<null>>(empty());

const running = new WeakMap<Signal<unknown>, AbortController>();

/** Starts a question in a lane, and aborts the one before. */
export async function start<T>(lane: Signal<Lane<T>>, task: (signal: AbortSignal) => Promise<T>): Promise<void> {
  running.get(lane as Signal<unknown>)?.abort();
  const controller = new AbortController();
  running.set(lane as Signal<unknown>, controller);
  lane.value = { ...lane.peek(), state: "loading", error: null, since: performance.now() };
  try {
    const data = await task(controller.signal);
    if (!controller.signal.aborted)
      lane.value = { state: "done", data, error: null, since: lane.peek().since, at: Date.now() };
  } catch (error) {
    if (controller.signal.aborted) return;
    const told =
      error instanceof ApiError
        ? error
        : new ApiError(0, "page", error instanceof Error ? error.message : String(error));
    lane.value = { ...lane.peek(), state: "error", error: told, at: Date.now() };
  }
}

/** Stops a lane's question, for want of anybody who looks at it. */
export function stop<T>(lane: Signal<Lane<T>>): boolean {
  running.get(lane as Signal<unknown>)?.abort();
  if (lane.peek().state !== "loading") return false;
  lane.value = { ...lane.peek(), state: "idle" };
  return true;
}

/** Stops a lane's question because somebody said so; what was there before stays. */
export function cancel<T>(lane: Signal<Lane<T>>): void {
  running.get(lane as Signal<unknown>)?.abort();
  lane.value = { ...lane.peek(), state: "error", error: new ApiError(0, "cancelled", "cancelled"), at: Date.now() };
}

/** What takes rows as they arrive, and gives all of them that there are. */
type Show = (rows: Rows) => void;

const NO_ENDING: Ending = { stats: {}, partial: false, partial_reasons: [], warnings: [] };

/** Puts a batch to the rows that are there. */
function added(rows: Rows, { kind, columns, events, table, replaces }: Batch): Rows {
  const isFirst = rows.events.length + rows.table.length === 0;
  return {
    ...rows,
    kind,
    columns: isFirst || replaces || kind === "events" ? columns : rows.columns,
    events: isFirst ? events : [...rows.events, ...events],
    table: isFirst || replaces ? table : [...rows.table, ...table],
  };
}

/** Asks for the rows of a text, and shows what has arrived again and again. */
async function stream(
  text: string,
  of: View,
  scope: api.Scope,
  limit: number,
  shape: Shape,
  signal: AbortSignal,
  show: Show,
): Promise<Rows> {
  let found: Rows = {
    kind: keepsEvents(shape.query) ? "events" : "table",
    columns: [],
    events: [],
    table: [],
    more: false,
    answer: NO_ENDING,
    query: of.query,
    isWhole: false,
  };
  const taker = {
    batch: (batch: Batch) => {
      if (!signal.aborted) show((found = added(found, batch)));
    },
    progress: (stats: Partial<Stats>) => {
      if (!signal.aborted) progress.value = stats;
    },
  };
  // Ids stand beside the rows of one form only; where the text cannot be given `@id`, that form is asked for.
  const accept = shape.withFields || !keepsEvents(of.query) ? "application/x-ndjson" : "application/json";
  const end = await ask(api.queryBody(text, scope, of.zone, limit), accept, shape, taker, signal);
  const { more, schema, stats = {}, partial = false, partial_reasons = [], warnings = [] } = end;
  const columns = schema && found.kind === "table" ? schema : found.columns;
  return {
    ...found,
    columns,
    more: more === true,
    answer: { stats, partial, partial_reasons, warnings },
    isWhole: true,
  };
}

/** Asks for the events that the query of a view finds in a scope; `show` takes them as they arrive. */
export async function askRows(
  of: View,
  scope: api.Scope,
  limit: number,
  signal: AbortSignal,
  show: Show,
): Promise<Rows> {
  const shape = { query: of.query, columns: of.columns };
  const extended = keepsEvents(of.query) ? withRowFields(of.query, of.columns) : null;
  if (extended !== null) {
    try {
      return await stream(extended, of, scope, limit, { ...shape, withFields: true }, signal, show);
    } catch (error) {
      // The query's own error, with its own places, comes from asking the query as it was written.
      if (!(error instanceof ApiError) || error.status !== 400) throw error;
    }
  }
  return stream(
    of.query,
    of,
    scope,
    keepsEvents(of.query) ? limit : TABLE_ROWS_MAX,
    { ...shape, withFields: false },
    signal,
    show,
  );
}

/** Asks for the view's rows. */
function askView(of: View, scope: api.Scope): void {
  const question = questionOf(of);
  begins(question);
  progress.value = null;
  stop(older);
  older.value = empty();
  void start(rows, async (signal) => {
    try {
      return await askRows(of, scope, ROWS_ASKED, signal, (data) => {
        rows.value = { ...rows.peek(), data };
        survives(question);
      });
    } finally {
      survives(question);
    }
  });
}

/** What tells one question from another. */
function questionOf(of: View): string {
  return JSON.stringify([of.query, of.from, of.to, of.groups]);
}

/** The query says itself how many rows there shall be, or in which order: then there are no older ones to add. */
export function isCut(query: string): boolean {
  return commands(query).some((command) =>
    ["limit", "head", "tail", "sort", "order", "dedup", "join"].includes(command.name),
  );
}

/** Adds the events before the oldest one shown, as they arrive. */
export function loadOlder(): void {
  const data = rows.peek().data;
  const oldest = data?.events.at(-1);
  if (
    !data?.isWhole ||
    !data.more ||
    !oldest ||
    older.peek().state === "loading" ||
    data.events.length >= ROWS_MAX ||
    isCut(data.query)
  )
    return;
  const of = view.peek();
  const known = new Set(data.events.filter((event) => event.time === oldest.time).map((event) => event.id));
  // The further somebody has gone, the more is fetched at once.
  const wanted = Math.min(Math.max(ROWS_ASKED, data.events.length >> 1), OLDER_MAX, ROWS_MAX - data.events.length);
  const [from] = rangeMs(of, askedAt.peek());
  const scope = {
    from: isAbsolute(of.from) ? of.from : new Date(from).toISOString(),
    to: oldest.time,
    groups: of.groups,
  };
  const shown = (next: Rows): Rows => {
    const fresh = next.events.filter((event) => !known.has(event.id));
    const columns = next.columns.length > data.columns.length ? next.columns : data.columns;
    return {
      ...data,
      columns,
      events: [...data.events, ...fresh],
      more: next.isWhole ? next.more && fresh.length > 0 : true,
    };
  };
  void start(older, async (signal) => {
    const show = (next: Rows) => {
      rows.value = { ...rows.peek(), data: shown(next) };
    };
    show(await askRows(of, scope, wanted + known.size, signal, show));
    return null;
  });
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
    const from = await firstOf(of, signal);
    return api.histogram(of.query, { from, to: of.to, groups: of.groups }, of.zone, buckets, signal);
  });
}

/** Asks for the fields of what is in range. */
export function askFields(of: View): void {
  void start(fieldList, (signal) => api.fields({ from: of.from, to: of.to, groups: of.groups }, of.query, signal));
}

/** Where counting begins: for "all time" with the first event, so that the bars show the years in which there is something. */
async function firstOf(of: View, signal: AbortSignal): Promise<string> {
  if (rangeMs(of, askedAt.peek())[0] > 0) return of.from;
  const known = groupList.peek().data ?? (await api.groups(signal));
  const firsts = known.flatMap((group) =>
    group.first === null || Number.isNaN(Date.parse(group.first)) ? [] : [Date.parse(group.first)],
  );
  return firsts.length === 0 ? of.from : new Date(Math.max(0, Math.min(...firsts))).toISOString();
}

/** Asks everything that the view shows. */
function askAll(of: View): void {
  aboutToAsk.value = false;
  askedAt.value = Date.now();
  const scope = { from: of.from, to: of.to, groups: of.groups };
  held.value = false;
  if (of.live) stop(rows);
  else askView(of, scope);
  askCounts(of);
  askFields(of);
}

/** Stops everything that is asked; whether there was something. */
function leave(): boolean {
  const stopped = batch(() => [stop(rows), stop(counts), stop(fieldList), stop(older), aboutToAsk.peek()]);
  aboutToAsk.value = false;
  return stopped.includes(true);
}

/** Asks whenever what the address says has changed; quick steps (zoom, shift) within 150 ms are one question. */
export function followView(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = "";
  let lastAt = 0;
  effect(() => {
    const of = view.value;
    const key = JSON.stringify([of.query, of.from, of.to, of.groups, of.columns, of.zone, of.live, asked.value]);
    if (of.page !== "explore" || of.language !== "insights") {
      clearTimeout(timer);
      // Nobody looks any more; whoever comes back asks again.
      if (leave() || of.language !== "insights") last = "";
      return;
    }
    if (key === last) return;
    const isFirst = last === "";
    last = key;
    if (isFirst && !of.live && ranLast(questionOf(of))) {
      held.value = true;
      return;
    }
    aboutToAsk.value = true;
    clearTimeout(timer);
    const quick = performance.now() - lastAt < 150;
    lastAt = performance.now();
    timer = setTimeout(() => askAll(of), quick ? 150 : 0);
  });
  setInterval(() => {
    const { live, page, refresh, around } = view.peek();
    const busy =
      held.peek() || rows.peek().state === "loading" || counts.peek().state === "loading" || aboutToAsk.peek();
    if (page !== "explore" || busy || document.visibilityState !== "visible") return;
    const age = Date.now() - askedAt.peek();
    if (live && age >= LIVE_COUNTS_MS) {
      // The counts above a live tail keep up with it.
      askedAt.value = Date.now();
      askCounts(view.peek());
    } else if (!live && refresh > 0 && around === "" && !isReading.peek() && age >= refresh * 1000) {
      asked.value += 1;
    }
  }, 500);
}
