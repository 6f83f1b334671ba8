// What differs, when something began, the first look at an alert, and marks, as the server answers. Answers are read
// defensively: a missing part is an empty one.

import { json, post, timeZone, type Notice, type Scope, type Stats } from "../api.ts";
import type { Json } from "../query/edit.ts";
import { send } from "../session.ts";
import type { Zone } from "../time.ts";

/** Events that a comparison is about. */
export interface Side extends Scope {
  query: string;
}

/** A value's events on both sides; shares are of each side's events. */
export interface ValueDifference {
  value: Json;
  selection: number;
  selection_share: number;
  baseline: number;
  baseline_share: number;
  /** `null` where the baseline has no such event. */
  lift: number | null;
}

/** A field whose values are distributed otherwise in the selection than in the baseline. */
export interface FieldDifference {
  field: string;
  score: number;
  values: ValueDifference[];
  /** Quantiles of both sides, as `selection_p50`; `null` for a field that is not numeric. */
  numbers: Readonly<Record<string, number | null>> | null;
  /** Fields that differ in the same events. */
  also: string[];
  query: string | null;
  event: Sample | null;
}

/** One event that shows a difference. */
export interface Sample {
  id: string;
  time: string;
  text: string;
}

/** What differs between a selection and its baseline. */
export interface Differences {
  selection: { events: number };
  baseline: { events: number };
  fields: FieldDifference[];
  /** Why there is nothing to compare, as the server says it. */
  note: string;
  approximate: boolean;
  partial: boolean;
  partial_reasons: Notice[];
  stats: Partial<Stats>;
}

/** Something that began close to the onset. */
export interface AlsoBegan {
  kind: string;
  at: string;
  what: string;
  query: string | null;
}

/** The ends of the time in which something lies with 95 % confidence. */
export type Between = readonly [string, string] | null;

/** When something began. `began` is `null` if nothing did. */
export interface Onset {
  /** What was measured: `count`, `share`, or a percentile as `p95(field)`. */
  measure: string;
  began: string | null;
  began_between: Between;
  ended: string | null;
  ended_between: Between;
  uncertainty_ms: number;
  /** Events per minute, a share from 0 to 1, or the percentile: before it began and since. */
  before: number | null;
  after: number | null;
  before_per_minute: number | null;
  after_per_minute: number | null;
  also: AlsoBegan[];
  /** Why nothing was found, as the server says it. */
  note: string;
}

/** A pattern of messages that began to come more, or less, often than before. */
export interface PatternOnset {
  pattern: string;
  query: string | null;
  events: number;
  began: string;
  began_between: Between;
  ended: string | null;
  ended_between: Between;
  before_per_minute: number;
  after_per_minute: number;
}

/** When each pattern of a scope began, in order of time. */
export interface PatternOnsets {
  patterns: PatternOnset[];
  n_patterns: number;
  /** Why nothing was found, as the server says it. */
  note: string;
}

/** Calls of one service to another that fail, or take longer, since an onset. */
export interface RedCall {
  from: string;
  to: string;
  failing: boolean;
  slower: boolean;
  /** Whether nothing that the called one calls is red itself. */
  last: boolean;
  error_share: number;
  before_error_share: number;
  p95_ms: number | null;
  before_p95_ms: number | null;
  query: string | null;
}

/** How often the same events came at the same time of the days before. */
export interface Usual {
  per_minute: number;
  least_per_minute: number;
  most_per_minute: number;
  days: readonly unknown[];
}

/** One finding of a first look. */
export interface Finding {
  kind: string;
  title: string;
  at: string | null;
  query: string | null;
  url: string | null;
  score: number;
}

/** The first look at an alert or at a query, best findings first. */
export interface FirstLook {
  title: string;
  query: string;
  from: string;
  to: string;
  findings: Finding[];
  onset: Onset;
  differs: Differences;
  calls: RedCall[];
  /** `null` without a day before. */
  usual: Usual | null;
  elapsed_ms: number | null;
  /** When it was computed; `null` if it was computed for this request. */
  computed: string | null;
  partial: boolean;
  partial_reasons: Notice[];
}

/** A deployment, a migration, a flag: something that people or machines did at a time. */
export interface Mark {
  id: string;
  text: string;
  at: string;
  until: string | null;
  fields: Readonly<Record<string, Json>>;
}

type Loose<T> = { [K in keyof T]?: T[K] | null | undefined };

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function sampleOf(value: unknown): Sample | null {
  if (typeof value === "string") return value === "" ? null : { id: value, time: "", text: "" };
  if (typeof value !== "object" || value === null) return null;
  const event = value as Record<string, unknown>;
  const id = text(event["@id"] ?? event["id"]);
  const of = {
    id,
    time: text(event["@timestamp"] ?? event["time"]),
    text: text(event["@message"] ?? event["text"] ?? event["message"]),
  };
  return of.id === "" && of.text === "" ? null : of;
}

/** Completes the answer to a comparison. */
export function differencesOf(answer: Loose<Differences> | null | undefined): Differences {
  const fields = Array.isArray(answer?.fields)
    ? (answer.fields as (Loose<FieldDifference> & { event?: unknown; same_events?: unknown })[])
    : [];
  return {
    selection: answer?.selection ?? { events: 0 },
    baseline: answer?.baseline ?? { events: 0 },
    fields: fields.map((one) => ({
      field: text(one.field),
      score: one.score ?? 0,
      values: Array.isArray(one.values) ? one.values : [],
      numbers: one.numbers ?? null,
      also: Array.isArray(one.same_events) ? one.same_events.filter((name) => typeof name === "string") : [],
      query: one.query ?? null,
      event: sampleOf(one.event),
    })),
    note: text(answer?.note),
    approximate: answer?.approximate === true,
    partial: answer?.partial === true,
    partial_reasons: answer?.partial_reasons ?? [],
    stats: answer?.stats ?? {},
  };
}

/** Completes the answer about an onset. */
export function onsetOf(answer: Loose<Onset> | null | undefined): Onset {
  return {
    measure: text(answer?.measure) || "count",
    began: answer?.began ?? null,
    began_between: answer?.began_between ?? null,
    ended: answer?.ended ?? null,
    ended_between: answer?.ended_between ?? null,
    before: answer?.before ?? answer?.before_per_minute ?? null,
    after: answer?.after ?? answer?.after_per_minute ?? null,
    uncertainty_ms: answer?.uncertainty_ms ?? 0,
    before_per_minute: answer?.before_per_minute ?? null,
    after_per_minute: answer?.after_per_minute ?? null,
    also: (answer?.also ?? []).filter((one) => !Number.isNaN(Date.parse(one.at))),
    note: text(answer?.note),
  };
}

/** Completes a first look. */
function firstLookOf(answer: Loose<FirstLook> & { signal?: unknown }): FirstLook {
  return {
    title: text(answer.title),
    query: text(answer.query) || text(answer.signal),
    from: text(answer.from),
    to: text(answer.to),
    findings: (answer.findings ?? []).map((one) => ({
      kind: text(one.kind),
      title: text(one.title),
      at: one.at ?? null,
      query: one.query ?? null,
      url: one.url ?? null,
      score: one.score,
    })),
    onset: onsetOf(answer.onset),
    differs: differencesOf(answer.differs),
    calls: answer.calls ?? [],
    usual: answer.usual ?? null,
    elapsed_ms: answer.elapsed_ms ?? null,
    computed: answer.computed ?? null,
    partial: answer.partial === true || answer.differs?.partial === true,
    partial_reasons: [...(answer.partial_reasons ?? []), ...(answer.differs?.partial_reasons ?? [])],
  };
}

/** A side in a request; without an end it reaches to the server's present. */
function sideBody({ query, from, to, groups }: Side, zone: Zone): Record<string, Json> {
  return {
    query,
    from,
    ...(to === "now" ? {} : { to }),
    ...(groups.length > 0 ? { groups: [...groups] } : {}),
    time_zone: timeZone(zone),
  };
}

/** Asks what differs between a selection and a baseline. */
export async function askDiffers(
  selection: Side,
  baseline: Side | "before" | "rest",
  zone: Zone,
  signal: AbortSignal,
): Promise<Differences> {
  const body = {
    selection: sideBody(selection, zone),
    baseline: typeof baseline === "string" ? baseline : sideBody(baseline, zone),
  };
  return differencesOf(await post<Loose<Differences>>("api/v1/differs", body, signal));
}

/** Asks when the events of a query began to be more frequent, and what else began then; or their share, or a percentile. */
export async function askOnset(of: Side, zone: Zone, signal: AbortSignal, measure = "count"): Promise<Onset> {
  const body = { ...sideBody(of, zone), ...(measure === "count" ? {} : { of: measure }) };
  return onsetOf(await post<Loose<Onset>>("api/v1/onset", body, signal));
}

/** Asks when each pattern of a query's events began to come more, or less, often. */
export async function askPatternOnsets(of: Side, zone: Zone, signal: AbortSignal): Promise<PatternOnsets> {
  const body = { ...sideBody(of, zone), of: "patterns" };
  const answer = await post<Loose<PatternOnsets>>("api/v1/onset", body, signal);
  return { patterns: answer.patterns ?? [], n_patterns: answer.n_patterns ?? 0, note: text(answer.note) };
}

/** Asks for the first look at an alert, by its id, or at a query. */
export async function askFirstLook(of: { alert: string } | Side, zone: Zone, signal: AbortSignal): Promise<FirstLook> {
  const body = "alert" in of ? { alert: of.alert } : sideBody(of, zone);
  return firstLookOf(await post<Loose<FirstLook>>("api/v1/first-look", body, signal));
}

/** Asks for the marks of a range. */
export async function askMarks(from: number, to: number, signal: AbortSignal): Promise<Mark[]> {
  const range = new URLSearchParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  const { marks = [] } = await json<{ marks?: Loose<Mark>[] }>(`api/v1/marks?${range.toString()}`, { signal });
  return marks
    .map((mark) => ({
      id: text(mark.id),
      text: text(mark.text),
      at: text(mark.at),
      until: mark.until ?? null,
      fields: mark.fields ?? {},
    }))
    .filter((mark) => !Number.isNaN(Date.parse(mark.at)))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** Adds a mark. */
export async function addMark(mark: Omit<Mark, "id">): Promise<void> {
  const { until, ...rest } = mark;
  await send("POST", "api/v1/marks", until === null ? rest : { ...rest, until });
}
