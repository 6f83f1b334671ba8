// `/api/v1/alerts`, `/rules`, `/silences`, `/channels`: what is watched, what it has come to, and who is told.

import { signal, type Signal } from "@preact/signals";

import { json } from "../api.ts";
import { start, type Lane } from "../ask.ts";
import type { Json } from "../query/edit.ts";
import { send } from "../session.ts";

/** A channel that knows of an alert; without a time its message waits. */
export interface Told {
  channel: string;
  delivered_at: string | null;
}

/** The pattern of the lines behind an alert. */
export interface Pattern {
  text: string;
  is_new: boolean | null;
  count?: number;
  before?: number | null;
  /** Where `count` was counted, and the time before it. */ window?: string;
  baseline?: string;
}

/** How many lines came from where. */
export interface Counts {
  field: string;
  values: { value: string; count: number }[];
}

/** A line behind an alert. */
export interface Line {
  "@timestamp"?: string;
  "@message"?: string;
}

/** A label set of a rule that is not well. */
export interface Alert {
  id: string;
  rule: string;
  state: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  value: Json;
  /** The window that the value is of. */
  window?: string;
  since: string;
  /** When its events began to come, where that is known. */
  began?: string | null;
  /** Alerts with the same text here are of one failure. */
  failure?: string;
  /** Since when the condition has not held, while the alert is kept on: the value is of before. */
  quiet_since: string | null;
  url: string;
  silenced_by: string[];
  acknowledged: { by: string; at: string } | null;
  notified: Told[];
  pattern: Pattern | null;
  counts: Counts | null;
  first: Line | null;
  last: Line | null;
}

/** What people write of a rule; keys of its kind stand beside these. */
export interface RuleText {
  name: string;
  kind?: string;
  query?: string;
  [key: string]: Json | undefined;
}

/** A rule, with what it has come to. */
export interface Rule extends RuleText {
  state: string;
  why: string;
  /** Empty where it was made through the API. */
  file: string;
  made_by: string | null;
  enabled: boolean;
  last_evaluation: string | null;
  last_error: string | null;
  n_firing: number;
}

/** What a silence is for. */
export interface Matcher {
  name: string;
  value: string;
  is_regex: boolean;
  is_equal: boolean;
}

/** A time in which nobody is told of some alerts. */
export interface Silence {
  id: string;
  matchers: Matcher[];
  starts_at: string;
  ends_at: string;
  created_by: string;
  comment: string;
  status: "pending" | "active" | "expired";
}

/** Whom alerts are told. Secrets, and most of the address, stay with the server. */
export interface Channel {
  name: string;
  type: string;
  address: string | null;
  settings: Record<string, Json>;
  file: string;
  health: {
    last_success: string | null;
    last_failure: string | null;
    last_error: string | null;
    waiting: number;
    failing: boolean;
  };
}

const unasked = <T>(): Lane<T[]> => ({ state: "idle", data: null, error: null, since: 0 });

export const alerts = signal(unasked<Alert>());
export const rules = signal(unasked<Rule>());
export const silences = signal(unasked<Silence>());
export const channels = signal(unasked<Channel>());

const ALERT: Alert = {
  id: "",
  rule: "",
  state: "",
  labels: {},
  annotations: {},
  value: null,
  since: "",
  quiet_since: null,
  url: "",
  silenced_by: [],
  acknowledged: null,
  notified: [],
  pattern: null,
  counts: null,
  first: null,
  last: null,
};
const RULE: Rule = {
  name: "",
  state: "",
  why: "",
  file: "",
  made_by: null,
  enabled: true,
  last_evaluation: null,
  last_error: null,
  n_firing: 0,
};
const SILENCE: Silence = {
  id: "",
  matchers: [],
  starts_at: "",
  ends_at: "",
  created_by: "",
  comment: "",
  status: "expired",
};
const CHANNEL: Channel = {
  name: "",
  type: "",
  address: null,
  settings: {},
  file: "",
  health: { last_success: null, last_failure: null, last_error: null, waiting: 0, failing: false },
};

function ask<T extends object>(lane: Signal<Lane<T[]>>, name: string, whole: T): Promise<void> {
  return start(lane, async (signal) => {
    const found = (await json<Record<string, Partial<T>[]>>(`api/v1/${name}`, { signal }))[name] ?? [];
    return found.map((one) => ({ ...whole, ...one }));
  });
}

/** Ask for one of the four. */
export const askAlerts = () => ask(alerts, "alerts", ALERT);
export const askRules = () => ask(rules, "rules", RULE);
export const askSilences = () => ask(silences, "silences", SILENCE);
export const askChannels = () => ask(channels, "channels", CHANNEL);

const at = (name: string, of: string) => `api/v1/${name}/${encodeURIComponent(of)}`;

/** Says that somebody is on it, so that nobody is told again; or takes that back. */
export async function acknowledge(of: Alert, is: boolean): Promise<void> {
  await send(is ? "POST" : "DELETE", `${at("alerts", of.id)}/acknowledge`, is ? {} : undefined);
  await askAlerts();
}

/** A rule as it was written, where it was made through the API. */
export async function definitionOf(name: string): Promise<RuleText | null> {
  const { definition } = await json<{ definition?: RuleText | null }>(at("rules", name));
  return definition && definition.name !== undefined ? definition : null;
}

/** Makes a rule, or puts another one in its place. */
export async function saveRule(rule: RuleText, isNew: boolean): Promise<void> {
  await send(isNew ? "POST" : "PUT", isNew ? "api/v1/rules" : at("rules", rule.name), rule);
  await askRules();
}

/** Switches a rule on or off. */
export async function enableRule(name: string, enabled: boolean): Promise<void> {
  await send("PATCH", at("rules", name), { enabled });
  await askRules();
}

/** Takes a rule away; what fires of it is over. */
export async function deleteRule(name: string): Promise<void> {
  await send("DELETE", at("rules", name));
  await askRules();
}

/** When a rule would have fired. */
export interface Past {
  evaluations: number;
  step: string;
  alerts: { labels: Record<string, string>; starts_at: string; ends_at: string | null; peak_value: Json }[];
  n_notifications: number;
  partial?: boolean;
  partial_reasons?: { message: string }[];
}

/** Runs a rule over what is stored. */
export function backtest(rule: RuleText, from: string, to: string): Promise<Past> {
  return send("POST", "api/v1/rules/backtest", { rule, from, to });
}

/** Keeps quiet about what fulfils all matchers. */
export async function makeSilence(matchers: readonly Matcher[], duration: string, comment: string): Promise<void> {
  await send("POST", "api/v1/silences", { matchers, duration, comment });
  await askSilences();
}

/** Ends a silence now. */
export async function endSilence(id: string): Promise<void> {
  await send("DELETE", at("silences", id));
  await askSilences();
}

/** Makes a channel, or puts another one in its place. */
export async function saveChannel(channel: Record<string, Json>, isNew: boolean): Promise<void> {
  await send(isNew ? "POST" : "PUT", isNew ? "api/v1/channels" : at("channels", String(channel["name"])), channel);
  await askChannels();
}

/** Takes a channel away, with what waits for it. */
export async function deleteChannel(name: string): Promise<void> {
  await send("DELETE", at("channels", name));
  await askChannels();
}

/** Tells a channel something now, for a trial; what its receiver says. */
export function tryChannel(name: string): Promise<{ delivered: boolean; error: string | null }> {
  return send("POST", `${at("channels", name)}/test`, {});
}
