// The server's routes, as far as the page uses them. Answers are read defensively: a missing part is an empty one.

import { signal } from "@preact/signals";

import { sentence } from "./format.ts";
import type { Json } from "./query/edit.ts";
import { t, told } from "./texts.ts";
import type { Zone } from "./time.ts";

/** An error as the server tells it in English, with the place in the query where there is one. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly english: string,
    readonly start: number | null = null,
    readonly end: number | null = null,
    readonly line: number | null = null,
    readonly column: number | null = null,
    readonly advice: string | null = null,
  ) {
    super();
  }

  /** What is wrong, in the language of the page. */
  override get message(): string {
    return told(this.code, this.english);
  }

  /** What to do instead, in that language. */
  get hint(): string | null {
    return this.advice && told(this.code, this.advice);
  }

  /** What is wrong, as it stands alone. Only the page's own errors become sentences: the server's may begin with a name. */
  get sentence(): string {
    return this.status === 0 ? sentence(this.message) : this.message;
  }

  /** What is wrong and what to do, on one line. */
  withHint(between: string): string {
    if (!this.hint) return this.sentence;
    return this.status === 0 ? `${this.sentence} ${this.hint}` : this.message + between + this.hint;
  }

  /** What is wrong and what to do, as a part of a sentence, which has no room for the page's own advice. */
  get clause(): string {
    return this.hint && this.status !== 0 ? `${this.message} – ${this.hint}` : this.message;
  }
}

/** What the server says beside an answer. */
export interface Notice {
  code: string;
  message: string;
  line?: number | null;
  column?: number | null;
  hint?: string | null;
}

/** Costs of an answer. */
export interface Stats {
  events_scanned: number;
  events_matched: number;
  events_skipped: number;
  events_cached: number;
  bytes_read: number;
  segments_total: number;
  segments_pruned: number;
  segments_opened: number;
  segments_done: number;
  elapsed_ms: number;
}

/** A column of an answer. */
export interface Column {
  name: string;
  type: string;
  approximate?: boolean;
}

/** An answer to a query. */
export interface Answer {
  columns: Column[];
  rows: Json[][];
  ids?: string[];
  more?: boolean;
  stats: Partial<Stats>;
  partial: boolean;
  partial_reasons: Notice[];
  warnings: Notice[];
}

/** Counts over time. */
export interface Histogram {
  buckets: { from: string; to: string; total: number; by: Record<string, number> }[];
  interval_ms: number;
  stats: Partial<Stats>;
  partial: boolean;
  partial_reasons: Notice[];
}

/** A field as the sidebar lists it. */
export interface Field {
  name: string;
  types: string[];
  events: number;
  share: number;
  distinct?: number | null;
  approximate?: boolean;
}

/** The fields of a scope. */
export interface Fields {
  fields: Field[];
  partial: boolean;
  partial_reasons: Notice[];
}

/** The most frequent values of a field. */
export interface Values {
  values: { value: Json; count: number; share: number }[];
  distinct: number;
  total: number;
  partial: boolean;
  partial_reasons: Notice[];
}

/** A log group. */
export interface Group {
  name: string;
  events: number;
  bytes_raw: number;
  bytes_stored: number;
  first: string | null;
  last: string | null;
  streams: string[];
  /** Where it lies, if it is an archive: nothing of it is stored, and how much it has is not known. */
  archive?: string;
}

/** Reports whether a group is written by catat about itself: what nobody sent. */
export function isOwn({ name }: Pick<Group, "name">): boolean {
  return /^(?:catat\/|metrics\/catat-itself$)/.test(name);
}

/** What a question is asked about. */
export interface Scope {
  from: string;
  to: string;
  groups: readonly string[];
}

const KEY = "catat.key";

/** The server wants to know who asks: what the way in shall say above itself, and `null` while nobody is asked. */
export const keyWanted = signal<string | null>(null);

/** Why a sign-in with a provider failed, by its code; empty if none did. */
export const signInProblem = signal("");

/** Whether something was answered that is not for everybody. */
let hadAccess = false;

/** Number of sign-ins on this page. */
let signIns = 0;

/** Notes that somebody has signed in. */
export function signedIn(): void {
  signIns += 1;
  keyWanted.value = null;
  signInProblem.value = "";
}

/** Returns what identifies the current session; a request passes it to `refusal` if it fails. */
export function asker(): number {
  return signIns;
}

/** Whoever goes, goes with what they could see. */
export function forgetAccess(): void {
  hadAccess = false;
}

/** What is said where no answer comes. */
export function unreachable(): ApiError {
  return new ApiError(
    0,
    "unreachable",
    t("the server does not answer"),
    null,
    null,
    null,
    null,
    t("Is catat still running?"),
  );
}

/**
 * Opens the sign-in form after a request was refused with 401. Ignores refused passwords, which the form itself
 * reports, and requests that were sent before the latest sign-in.
 */
function refused(path: string, error: ApiError, by: number): void {
  if (path === "api/v1/session" || error.code === "bad-credentials" || keyWanted.peek() !== null) return;
  if (by !== signIns) return;
  if (storedKey() !== "") keyWanted.value = t("The key no longer works: {message}.", { message: error.message });
  else keyWanted.value = hadAccess ? t("Your session has ended. Sign in to continue; your input is kept.") : "";
}

/** The key that this tab sends, if one was typed in; it goes with the tab. */
export function storedKey(): string {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

/** Remembers a key until the tab is closed. */
export function storeKey(key: string): void {
  try {
    sessionStorage.setItem(KEY, key);
  } catch {
    // Storage is switched off: the key will be asked for again.
  }
}

/** How long the zone of the machine is taken for the same, in ms: to look it up takes as long as to write a question. */
const ZONE_MS = 10_000;
let local = { zone: "", until: 0 };

/** The zone sent along: days begin at midnight of the person who asks. */
export function timeZone(zone: Zone): string {
  if (zone !== "local") return zone === "utc" ? "UTC" : zone;
  const now = Date.now();
  if (now >= local.until)
    local = { zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC", until: now + ZONE_MS };
  return local.zone;
}

/** Returns the error of a failed request; a 401 opens the sign-in form. `by` is the value of `asker` at the request. */
export function refusal(path: string, status: number, statusText: string, text: string, by: number): ApiError {
  const error = toldError(status, statusText, text);
  if (status === 401) refused(path, error, by);
  return error;
}

function toldError(status: number, statusText: string, text: string): ApiError {
  try {
    const { error, errorType } = JSON.parse(text) as { error: Record<string, unknown> | string; errorType?: string };
    // The form of Prometheus' API.
    if (typeof error === "string") return new ApiError(status, errorType ?? "", error);
    const number = (value: unknown) => (typeof value === "number" ? value : null);
    return new ApiError(
      status,
      String(error["code"] ?? ""),
      String(error["message"] ?? statusText),
      number(error["start"]),
      number(error["end"]),
      number(error["line"]),
      number(error["column"]),
      typeof error["hint"] === "string" ? error["hint"] : null,
    );
  } catch {
    return new ApiError(
      status,
      "http",
      text.trim() || t("the server answered {status}", { status: `${status} ${statusText}` }),
    );
  }
}

/** The header that says who asks, where a key was typed in. */
export function authorization(): Record<string, string> {
  const key = storedKey();
  return key === "" ? {} : { Authorization: `Bearer ${key}` };
}

/** Notes that something was answered that is not for everybody. */
export function granted(): void {
  hadAccess = true;
}

declare global {
  interface Window {
    /** What `early.js` has asked for before the scripts of the page were there. */
    catatEarly?: { path: string; answer: Promise<Response> } | undefined;
  }
}

/** Takes the answer that was asked for early, once. */
function early(path: string, { method = "GET" }: RequestInit): Promise<Response> | null {
  const asked = window.catatEarly;
  if (asked?.path !== path || method !== "GET") return null;
  window.catatEarly = undefined;
  return asked.answer;
}

/** A request under the page's base address; throws `ApiError`. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(authorization())) headers.set(name, value);
  const by = asker();
  let response: Response;
  try {
    response = await (early(path, init) ??
      fetch(new URL(path, document.baseURI), { ...init, headers, cache: "no-store" }));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (!response.ok) {
    const text = (await response.text()).slice(0, 4000);
    throw refusal(path, response.status, response.statusText, text, by);
  }
  hadAccess ||= path !== "api/v1/session";
  return response;
}

/** The JSON that a request is answered with. */
export async function json<T>(path: string, init: RequestInit = {}): Promise<T> {
  return (await (await request(path, init)).json()) as T;
}

/** A request that sends JSON; without a body it sends none. */
export function sent(method: string, body?: unknown, signal?: AbortSignal): RequestInit {
  return {
    method,
    headers: { "Content-Type": "application/json" },
    ...(signal ? { signal } : {}),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
}

/** Sends JSON, and returns the JSON that is answered. */
export function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  return json<T>(path, sent("POST", body, signal));
}

/** The parameters of a question, for the address of a GET. */
export function parameters(scope: Scope, more: Record<string, string>): string {
  const all = new URLSearchParams({ from: scope.from });
  if (scope.to !== "now") all.set("to", scope.to);
  if (scope.groups.length > 0) all.set("groups", scope.groups.join(","));
  for (const [name, value] of Object.entries(more)) if (value !== "") all.set(name, value);
  return all.toString();
}

/** The body of a question, for a POST. */
export function queryBody(query: string, scope: Scope, zone: Zone, limit?: number): Record<string, unknown> {
  return {
    // Without an end the server takes in what runs slightly ahead of its clock, too.
    query,
    from: scope.from,
    ...(scope.to === "now" ? {} : { to: scope.to }),
    language: "insights",
    time_zone: timeZone(zone),
    ...(scope.groups.length > 0 ? { groups: scope.groups } : {}),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** Asks a question. */
export async function query(
  text: string,
  scope: Scope,
  zone: Zone,
  signal: AbortSignal,
  limit?: number,
): Promise<Answer> {
  const answer = await post<Partial<Answer>>("api/v1/query", queryBody(text, scope, zone, limit), signal);
  return { columns: [], rows: [], stats: {}, partial: false, partial_reasons: [], warnings: [], ...answer };
}

/** How the server comes to an answer. */
export interface Explanation {
  steps: {
    stage: string;
    operator: string;
    index?: { field: string; literal: string; exact: boolean; blocks: number; events: number };
  }[];
  estimated: {
    blocks: number;
    events: number;
    blocks_asked: number;
    blocks_possible: number;
    events_possible: number;
    uses_counts: boolean;
  };
  actual: { events_scanned: number; events_matched: number; rows: number };
  text: string;
}

/** Asks a question once more, for how it is answered. */
export async function explain(
  text: string,
  scope: Scope,
  zone: Zone,
  limit: number,
  signal: AbortSignal,
): Promise<Explanation> {
  const body = { ...queryBody(text, scope, zone, limit), explain: true };
  const answer = await post<{ explain: Explanation }>("api/v1/query", body, signal);
  return answer.explain;
}

/** The whole answer as a file. */
export async function download(text: string, scope: Scope, zone: Zone, accept: string): Promise<Blob> {
  const response = await request("api/v1/query", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: accept },
    body: JSON.stringify(queryBody(text, scope, zone)),
  });
  return response.blob();
}

/** Counts over time by level. */
export async function histogram(
  text: string,
  scope: Scope,
  zone: Zone,
  buckets: number,
  signal: AbortSignal,
): Promise<Histogram> {
  const path = `api/v1/histogram?${parameters(scope, { query: text, buckets: String(buckets), by: "@level", time_zone: timeZone(zone) })}`;
  const answer = await json<Partial<Histogram>>(path, { signal });
  return { buckets: [], interval_ms: 0, stats: {}, partial: false, partial_reasons: [], ...answer };
}

/** The fields that events in a scope have, of those that a query finds; where it is no query, of all. */
export async function fields(scope: Scope, query: string, signal: AbortSignal): Promise<Fields> {
  const ask = async (query: string): Promise<Fields> => {
    const answer = await json<Partial<Fields>>(`api/v1/fields?${parameters(scope, { query })}`, { signal });
    return { fields: [], partial: false, partial_reasons: [], ...answer };
  };
  try {
    return await ask(query);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 400 || query === "") throw error;
    return ask("");
  }
}

/** The most frequent values of a field among the events that a query finds. */
export async function fieldValues(
  name: string,
  text: string,
  scope: Scope,
  limit: number,
  signal: AbortSignal,
): Promise<Values> {
  const path = `api/v1/fields/${encodeURIComponent(name)}/values?${parameters(scope, { query: text, limit: String(limit) })}`;
  const answer = await json<Partial<Values>>(path, { signal });
  return { values: [], distinct: 0, total: 0, partial: false, partial_reasons: [], ...answer };
}

/** What may stand at a cursor, which counts UTF-16 units as the browser does. */
export interface Completion {
  start: number;
  end: number;
  items: {
    kind: string;
    label: string;
    insert: string;
    detail: string;
    share?: number;
    count?: number;
    see?: string;
  }[];
}

/** Asks what may stand at a cursor. */
export async function complete(
  query: string,
  cursor: number,
  scope: Scope,
  zone: Zone,
  signal: AbortSignal,
): Promise<Completion> {
  const { language: _, ...body } = queryBody(query, scope, zone);
  const answer = await post<Partial<Completion>>("api/v1/complete", { ...body, cursor }, signal);
  return { start: cursor, end: cursor, items: [], ...answer };
}

/** The query in the one layout. */
export async function format(query: string): Promise<string> {
  const answer = await post<{ query?: string }>("api/v1/format", { query });
  return answer.query ?? query;
}

/** All groups. */
export async function groups(signal?: AbortSignal): Promise<Group[]> {
  const answer = await json<{ groups?: Partial<Group>[] } | Partial<Group>[]>(
    "api/v1/groups",
    signal ? { signal } : {},
  );
  const list = Array.isArray(answer) ? answer : (answer.groups ?? []);
  return list.map((one) => ({
    name: "",
    events: 0,
    bytes_raw: 0,
    bytes_stored: 0,
    first: null,
    last: null,
    ...one,
    streams: Array.isArray(one.streams) ? one.streams : [],
  }));
}

/** A list that the server gives under a name, or bare. */
export async function list(path: string, name: string, signal?: AbortSignal): Promise<Record<string, Json>[]> {
  const answer = await json<Record<string, unknown> | unknown[]>(path, signal ? { signal } : {});
  const found = Array.isArray(answer) ? answer : answer[name];
  return Array.isArray(found) ? (found as Record<string, Json>[]) : [];
}
