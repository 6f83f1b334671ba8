// What changed against an earlier time, and the patterns of messages, as the server tells them.

import { json, parameters, timeZone, type Notice, type Scope, type Stats } from "../api.ts";
import type { Zone } from "../time.ts";

/** How a pattern changed. */
export type ChangeKind = "new" | "gone" | "up" | "down" | "unchanged";

/** A service, a host or a group, with the field that names it. */
export interface Origin {
  field: string;
  name: string;
  count: number;
  previous: number;
}

/** An event that is shown by its text. */
export interface Shown {
  id: string;
  time: string;
  text: string;
}

/** A pattern that changed. */
export interface Change {
  id: string;
  pattern: string;
  change: ChangeKind;
  description: string;
  count: number;
  previous: number;
  level: string | null;
  services: Origin[];
  hosts: Origin[];
  first: Shown | null;
  last: string | null;
  counts: [string, number][];
  condition: string;
  exact: boolean;
  query: string | null;
}

/** Something that began anew. */
export interface Restart {
  kind: "boot" | "unit" | "program" | "process";
  name: string;
  service: { field: string; name: string } | null;
  host: { field: string; name: string } | null;
  group: string;
  first: Shown;
  events: number;
}

/** A range of time with how many events it has. */
export interface Counted {
  from: string;
  to: string;
  events: number;
}

/** What an answer says about itself. */
export interface Told {
  more: boolean;
  stats: Partial<Stats>;
  partial: boolean;
  partial_reasons: Notice[];
}

/** What changed. */
export interface Changes extends Told {
  range: Counted;
  baseline: Counted | null;
  changes: Change[];
  restarts: Restart[];
  more_restarts: boolean;
}

/** A pattern with its counts. */
export interface Pattern {
  id: string;
  pattern: string;
  count: number;
  ratio: number;
  level: string | null;
  sample: string | null;
  counts: [string, number][];
  previous: number;
  change: ChangeKind;
  description: string;
  first: string | null;
  last: string | null;
  first_id: string | null;
  condition: string | null;
}

/** All patterns. */
export interface Patterns extends Told {
  patterns: Pattern[];
}

const NOTHING: Told = { more: false, stats: {}, partial: false, partial_reasons: [] };

/** Most patterns that the page lists. */
const PATTERNS_MAX = 300;

/** Asks what changed against `baseline`. */
export async function askChanges(
  query: string,
  scope: Scope,
  zone: Zone,
  baseline: string,
  signal: AbortSignal,
): Promise<Changes> {
  const path = `api/v1/changes?${parameters(scope, { query, baseline, time_zone: timeZone(zone) })}`;
  const answer = await json<Partial<Changes>>(path, { signal });
  const range = answer.range ?? { from: scope.from, to: scope.to, events: 0 };
  return { ...NOTHING, baseline: null, changes: [], restarts: [], more_restarts: false, ...answer, range };
}

/** Asks for all patterns, with those of `baseline` beside them. */
export async function askPatterns(
  query: string,
  scope: Scope,
  zone: Zone,
  baseline: string,
  signal: AbortSignal,
): Promise<Patterns> {
  const path = `api/v1/patterns?${parameters(scope, { query, baseline, limit: String(PATTERNS_MAX), time_zone: timeZone(zone) })}`;
  const answer = await json<Partial<Patterns>>(path, { signal });
  return { ...NOTHING, patterns: [], ...answer };
}
