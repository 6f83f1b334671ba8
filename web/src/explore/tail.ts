// Live tail: events as they are accepted, newest at the end. Nothing moves while somebody reads further up: what arrives
// then waits, counted, until the end is shown again. Everything kept is bounded.

import { effect, signal, untracked } from "@preact/signals";

import * as api from "../api.ts";
import { ApiError, type Column } from "../api.ts";
import { liveTail } from "../hook.ts";
import { ROW_FIELDS, withRowFields, type Json } from "../query/edit.ts";
import { commands, keepsEvents } from "../query/lex.ts";
import { toRows, type EventRow } from "../rows.ts";
import { MessageCutter } from "../sse.ts";
import { asked, view, type View } from "../view.ts";
import { forgetArrivals, rateWith } from "./arrivals.ts";
import { paused } from "./paused.ts";

const KEPT_MAX = 10_000;
const PAST = 100;
const PAINT_MS = 100;
const RETRY_MS_MAX = 10_000;

/** What the tail shows. */
export interface Tail {
  state: "off" | "connecting" | "open" | "waiting";
  events: EventRow[];
  columns: Column[];
  /** Arrived while somebody was reading further up. */
  pending: EventRow[];
  /** Not sent by the server because this page or the line was too slow, or pushed out here. */
  dropped: number;
  /** Events in a second, as of the last few. */
  rate: number;
  error: string;
  /** How often the connection broke and was taken up again after the last event received. */
  reconnected: number;
}

const OFF: Tail = {
  state: "off",
  events: [],
  columns: [{ name: "@message", type: "string" }],
  pending: [],
  dropped: 0,
  rate: 0,
  error: "",
  reconnected: 0,
};

/** The tail. */
export const tail = signal<Tail>(OFF);
/** The end of the list is on screen. */
export const following = signal(true);

let arrived: EventRow[] = [];
let known = new Set<string>();
let lastId = "";

function toEvent(data: Record<string, Json>, id: string, columns: readonly Column[]): EventRow {
  const row = toRows(
    {
      columns: ROW_FIELDS.map((name) => ({ name, type: "any" })),
      rows: [ROW_FIELDS.map((name) => data[name] ?? null)],
      ids: [id],
      stats: {},
      partial: false,
      partial_reasons: [],
      warnings: [],
    },
    { query: "", columns: [], withFields: true },
  ).events[0] as EventRow;
  return { ...row, cells: cellsOf(data, columns) };
}

function cellsOf(data: Record<string, Json>, columns: readonly Column[]): EventRow["cells"] {
  return Object.fromEntries(
    columns.filter(({ name }) => name !== "@message" && name !== "@log").map(({ name }) => [name, data[name] ?? null]),
  );
}

/** Whether a text in the list is selected: it would be lost if its row moved. */
function isSelecting(): boolean {
  const selection = getSelection();
  if (selection === null || selection.isCollapsed) return false;
  const list = document.querySelector("[data-testid=rows]");
  return list !== null && [selection.anchorNode, selection.focusNode].some((node) => list.contains(node));
}

/** Puts what has arrived into the list, or among what waits. */
function paint(): void {
  const now = tail.peek();
  const isStill = !following.peek() || paused.peek() || isSelecting();
  const fresh = arrived;
  arrived = [];
  const rate = rateWith(fresh.length, performance.now());
  if (fresh.length === 0 && rate === now.rate && (isStill || now.pending.length === 0)) return;
  const target = isStill ? now.events : [...now.events, ...now.pending, ...fresh];
  const pending = isStill ? [...now.pending, ...fresh] : [];
  const over = Math.max(0, pending.length - KEPT_MAX);
  tail.value = {
    ...now,
    rate,
    events: target.length > KEPT_MAX ? target.slice(-KEPT_MAX) : target,
    pending: over > 0 ? pending.slice(over) : pending,
    dropped: now.dropped + over,
  };
  if (known.size > 4 * KEPT_MAX) known = new Set(tail.peek().events.map((event) => event.id));
}

/** Shows what waits. */
export function catchUp(): void {
  following.value = true;
  paused.value = false;
  const now = tail.peek();
  tail.value = { ...now, events: [...now.events, ...now.pending].slice(-KEPT_MAX), pending: [] };
}

function columnsFor(of: View, data: Record<string, Json>): Column[] {
  const named = commands(of.query).some((command) => command.name === "fields" || command.name === "display");
  const own = named
    ? Object.keys(data).filter((name) => !(ROW_FIELDS as readonly string[]).includes(name) && name !== "@id")
    : [];
  const names = [...new Set([...own, ...of.columns])].filter((name) => name !== "@message");
  if (!named && names.length === 0) names.push("@log");
  return [...names, "@message"].map((name) => ({ name, type: "any" }));
}

function take(messages: ReturnType<MessageCutter["push"]>, of: View): void {
  for (const message of messages) {
    if (message.event === "dropped") {
      const n = Number((JSON.parse(message.data || "{}") as { count?: number }).count ?? 0);
      tail.value = { ...tail.peek(), dropped: tail.peek().dropped + n };
      continue;
    }
    if (message.event !== "event" || message.data === "") continue;
    const data = JSON.parse(message.data) as Record<string, Json>;
    const id = message.id || (typeof data["@id"] === "string" ? data["@id"] : `${performance.now()}-${arrived.length}`);
    if (message.id) lastId = message.id;
    if (known.has(id)) continue;
    known.add(id);
    if (tail.peek().columns.length < 2) tail.value = { ...tail.peek(), columns: columnsFor(of, data) };
    arrived.push(toEvent(data, id, tail.peek().columns));
    if (arrived.length > KEPT_MAX) {
      arrived.shift();
      tail.value = { ...tail.peek(), dropped: tail.peek().dropped + 1 };
    }
  }
}

/** The last events before now, so that the list does not begin empty. */
async function past(of: View, signal: AbortSignal): Promise<void> {
  const text = withRowFields(of.query, of.columns);
  const answer = await api.query(
    text ?? of.query,
    { from: "now-1h", to: "now", groups: of.groups },
    of.zone,
    signal,
    PAST,
  );
  const found = toRows(answer, { query: of.query, columns: of.columns, withFields: text !== null });
  const index = new Map(answer.columns.map((column, at) => [column.name, at]));
  const events = found.events
    .map((event, n) => {
      const data = Object.fromEntries([...index].map(([name, at]) => [name, answer.rows[n]?.[at] ?? null]));
      if (tail.peek().columns.length < 2) tail.value = { ...tail.peek(), columns: columnsFor(of, data) };
      return { ...event, cells: cellsOf(data, tail.peek().columns) };
    })
    .reverse()
    .filter((event) => !known.has(event.id));
  for (const event of events) known.add(event.id);
  // A tail that breaks before its first event is taken up after these; what comes twice is known.
  if (lastId === "") lastId = events.at(-1)?.id ?? "";
  tail.value = { ...tail.peek(), events: [...events, ...tail.peek().events] };
}

async function connect(of: View, text: string, signal: AbortSignal): Promise<void> {
  const params = new URLSearchParams({ query: text });
  if (of.groups.length > 0) params.set("groups", of.groups.join(","));
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (lastId !== "") headers["Last-Event-ID"] = lastId;
  const response = await api.request(`api/v1/tail?${params.toString()}`, { signal, headers });
  const now = tail.peek();
  tail.value = { ...now, state: "open", error: "", reconnected: now.reconnected + (now.state === "waiting" ? 1 : 0) };
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const cutter = new MessageCutter();
  for (;;) {
    const piece = await reader?.read();
    // A tail has no end of its own: the server, or something on the way, has closed it.
    if (!piece || piece.done) throw new Error("the stream ended");
    take(cutter.push(piece.value), of);
  }
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        done();
      },
      { once: true },
    );
  });
}

async function follow(of: View, signal: AbortSignal): Promise<void> {
  forgetArrivals();
  tail.value = { ...OFF, state: "connecting" };
  following.value = true;
  paused.value = false;
  known = new Set();
  arrived = [];
  lastId = "";
  void past(of, signal).catch(() => undefined);
  let pause = 500;
  let text = (keepsEvents(of.query) ? withRowFields(of.query, of.columns) : null) ?? of.query;
  while (!signal.aborted) {
    const began = performance.now();
    try {
      await connect(of, text, signal);
    } catch (error) {
      if (signal.aborted) return;
      const told = error instanceof ApiError ? error : null;
      const asWritten = told?.status === 400 && text !== of.query;
      if (asWritten) text = of.query;
      else if (told && told.status >= 400 && told.status < 500 && told.status !== 429) {
        tail.value = { ...tail.peek(), state: "waiting", error: `${told.message}${told.hint ? ` ${told.hint}` : ""}` };
        return;
      }
      if (asWritten) continue;
      tail.value = { ...tail.peek(), state: "waiting", error: told?.status === 429 ? told.message : "" };
    }
    pause = performance.now() - began > 5000 ? 500 : Math.min(RETRY_MS_MAX, pause * 2);
    await wait(pause, signal);
  }
}

/** Starts and stops the tail with the view. */
function followLive(): void {
  let controller: AbortController | null = null;
  let timer: ReturnType<typeof setInterval> | undefined;
  let last = "";
  let lastAsked = asked.peek();
  let isOver = false;
  effect(() => {
    const of = view.value;
    const on = of.live && of.page === "explore";
    const key = on ? JSON.stringify([of.query, of.groups, of.columns]) : "";
    // A tail that was refused begins again when everything is asked again, as after signing in.
    const again = asked.value !== lastAsked && isOver;
    lastAsked = asked.value;
    if (key === last && !(again && on)) return;
    last = key;
    isOver = false;
    controller?.abort();
    clearInterval(timer);
    controller = null;
    if (!on) {
      tail.value = OFF;
      return;
    }
    const own = (controller = new AbortController());
    timer = setInterval(paint, PAINT_MS);
    void follow(of, own.signal).then(() => (isOver ||= !own.signal.aborted));
  });
}

// This is loaded when somebody first wants to see a tail, and follows the view from then on.
followLive();
effect(() => {
  if (!paused.value) untracked(catchUp);
});
liveTail.peek = () => tail.peek();
