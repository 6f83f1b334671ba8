// Suggestions and pipelines, as the server answers. Answers are read defensively: a missing part is an empty one.

import { json, sent } from "../api.ts";
import type { Json } from "../query/edit.ts";
import { send } from "../session.ts";

/** A field before and after. */
export interface Change {
  field: string;
  before?: Json;
  after?: Json;
}

/** An event that a pipeline concerns. */
export interface Example {
  time: string;
  text: string;
  kept: boolean;
  changes: Change[];
}

/** What a pipeline would do to the events of a range. */
export interface DryRun {
  matched: number;
  kept: number;
  dropped: number;
  sampled_out: number;
  changed: number;
  routed: number;
  bytes_before: number;
  bytes_after: number;
  examples: Example[];
}

/** What may need events. */
export interface Use {
  kind: string;
  /** `null` where one may not know of it. */
  name: string | null;
}

/** A pipeline that may be worth it. */
export interface Suggestion {
  id: string;
  kind: string;
  reason: string;
  title: string;
  pattern: string | null;
  fields: string[];
  events: number;
  event_share: number;
  bytes: number;
  byte_share: number;
  definition?: Json;
  dry_run?: DryRun;
  used_by: Use[];
}

/** What is suggested for a group. */
export interface Suggestions {
  group: string;
  events: number;
  bytes: number;
  suggestions: Suggestion[];
  withheld: Suggestion[];
  note: string | null;
  partial: boolean;
  partial_reasons: { message?: string }[];
}

/** What one step of a pipeline did to a line, or whether the pipeline is for it. */
export interface TriedStep {
  pipeline?: string;
  matched?: boolean;
  /** From 1. */
  step?: number;
  kind?: string;
  done?: string;
  because?: string;
  changes?: Change[];
}

/** A line after a pipeline. */
export interface TriedLine {
  /** From 1. */
  line: number;
  fate: string;
  /** The event as it would be stored; `null` if it would not be. */
  event: { [field: string]: Json } | null;
  recognised: { as?: string };
  steps: TriedStep[];
  /** Why the line is no event. */
  error?: string;
}

/** What a pipeline would do to the stored events of a group, and what may need them. */
export interface Counted {
  events: number;
  dry_run: DryRun;
  used_by: Use[];
  partial: boolean;
}

/** A pipeline with what it did since the start. */
export interface Pipeline {
  name: string;
  definition: Json;
  events: number;
  dropped: number;
  sampled_out: number;
  masked: number;
  routed: number;
  made_by: string | null;
}

const NOTHING: DryRun = {
  matched: 0,
  kept: 0,
  dropped: 0,
  sampled_out: 0,
  changed: 0,
  routed: 0,
  bytes_before: 0,
  bytes_after: 0,
  examples: [],
};

function suggestionOf(of: Partial<Suggestion>): Suggestion {
  const none = { id: "", kind: "", reason: "", title: "", pattern: null, fields: [], used_by: [] };
  const counts = { events: 0, event_share: 0, bytes: 0, byte_share: 0 };
  const dry = of.dry_run === undefined ? {} : { dry_run: { ...NOTHING, ...of.dry_run } };
  return { ...none, ...counts, ...of, ...dry };
}

/** Asks for the suggestions of a group. */
export async function suggestions(group: string, from: string, signal: AbortSignal): Promise<Suggestions> {
  const names = new URLSearchParams({ group, from });
  const found = await json<Partial<Suggestions>>(`api/v1/suggestions?${names}`, { signal });
  return {
    group: found.group ?? group,
    events: found.events ?? 0,
    bytes: found.bytes ?? 0,
    suggestions: (found.suggestions ?? []).map(suggestionOf),
    withheld: (found.withheld ?? []).map(suggestionOf),
    note: found.note ?? null,
    partial: found.partial === true,
    partial_reasons: found.partial_reasons ?? [],
  };
}

/** Makes the pipeline of a suggestion. */
export const makePipeline = (definition: Json) => send<unknown>("POST", "api/v1/pipelines", { definition });

/** Removes a pipeline that was made. */
export const removePipeline = (name: string) => send<unknown>("DELETE", `api/v1/pipelines/${encodeURIComponent(name)}`);

/** All pipelines. */
export async function pipelines(signal: AbortSignal): Promise<Pipeline[]> {
  const answer = await json<{ pipelines?: Partial<Pipeline>[] }>("api/v1/pipelines", { signal });
  const none = {
    name: "",
    definition: null,
    events: 0,
    dropped: 0,
    sampled_out: 0,
    masked: 0,
    routed: 0,
    made_by: null,
  };
  return (answer.pipelines ?? []).map((one) => ({ ...none, ...one }));
}

/** Tries a pipeline on lines of a group; nothing is stored. */
export async function tryPipeline(
  definitions: readonly Json[],
  group: string,
  lines: readonly string[],
  signal: AbortSignal,
): Promise<TriedLine[]> {
  const body = { pipelines: definitions, lines, ...(group === "" ? {} : { group }) };
  const answer = await json<{ events?: Partial<TriedLine>[] }>("api/v1/pipelines/test", sent("POST", body, signal));
  const none = { line: 0, fate: "", event: null, recognised: {}, steps: [] };
  return (answer.events ?? []).map((one) => ({ ...none, ...one }));
}

/** Counts what a pipeline would do to the stored events of a group in the last 24 hours. */
export async function countPipeline(definition: Json, group: string, signal: AbortSignal): Promise<Counted> {
  const body = { definition, dry_run: true, group };
  const answer = await json<Partial<Counted>>("api/v1/pipelines", sent("POST", body, signal));
  return {
    events: answer.events ?? 0,
    dry_run: { ...NOTHING, ...answer.dry_run },
    used_by: answer.used_by ?? [],
    partial: answer.partial === true,
  };
}
