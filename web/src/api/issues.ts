// Issues, incidents and the ledger, as the server answers. Answers are read defensively: a missing part is an empty one.

import { json } from "../api.ts";
import type { Json } from "../query/edit.ts";
import { send } from "../session.ts";

/** A state of an issue. */
export type IssueState = "open" | "acknowledged" | "resolved" | "ignored" | "regressed";

/** A program that died again and again. */
export interface Restarts {
  program: string | null;
  host: string | null;
  /** Its deaths in a row. */
  count: number;
  since: string;
  last: string;
  /** The usual time from one death to the next. */
  every_ms: number;
  /** Whether the next death is still expected. */
  ongoing: boolean;
}

/** Errors that are one pattern at one place. */
export interface Issue {
  id: string;
  title: string;
  pattern: string;
  frames: string[];
  group: string;
  service: string | null;
  state: IssueState;
  owner: string | null;
  note: string | null;
  until: { count?: number; time?: string } | null;
  version: string | null;
  decided_by: string | null;
  decided_at: string | null;
  regressed_at: string | null;
  regressed_in: string | null;
  first_seen: string;
  last_seen: string;
  last_event: string;
  count: number;
  /** Events of each of the last 24 hours. */
  trend: number[];
  restarts: Restarts[];
  versions: string[];
  hosts: string[];
  version_counts: { version: string; count: number; first_seen: string; last_seen: string }[];
  host_counts: { host: string; count: number }[];
  traces: string[];
  merged: string[];
  query: string;
}

/** What a decision about an issue changes. `null` takes a value away. */
export interface IssueChange {
  state?: IssueState;
  owner?: string | null;
  note?: string | null;
  until?: number | string | null;
  version?: string | null;
}

/** A list of issues. */
export interface FoundIssues {
  issues: Issue[];
  /** All that match, also those beyond the limit. */
  total: number;
  /** Why errors are no longer counted. */
  problem: string | null;
}

const ISSUE: Issue = {
  id: "",
  title: "",
  pattern: "",
  frames: [],
  group: "",
  service: null,
  state: "open",
  owner: null,
  note: null,
  until: null,
  version: null,
  decided_by: null,
  decided_at: null,
  regressed_at: null,
  regressed_in: null,
  first_seen: "",
  last_seen: "",
  last_event: "",
  count: 0,
  trend: [],
  restarts: [],
  versions: [],
  hosts: [],
  version_counts: [],
  host_counts: [],
  traces: [],
  merged: [],
  query: "",
};

const issueAt = (id: string) => `api/v1/issues/${encodeURIComponent(id)}`;

/** Asks for issues of some states; of all without one. */
export async function askIssues(states: readonly IssueState[], signal: AbortSignal): Promise<FoundIssues> {
  const of = states.length > 0 ? `?${new URLSearchParams({ state: states.join(",") }).toString()}` : "";
  const answer = await json<{ issues?: Partial<Issue>[]; total?: number; problem?: string }>(`api/v1/issues${of}`, {
    signal,
  });
  const issues = (answer.issues ?? []).map((one) => ({ ...ISSUE, ...one }));
  return { issues, total: answer.total ?? issues.length, problem: answer.problem ?? null };
}

/** Asks for one issue, also by the id of one that became a part of it. */
export async function askIssue(id: string, signal: AbortSignal): Promise<Issue> {
  return { ...ISSUE, ...(await json<Partial<Issue>>(issueAt(id), { signal })) };
}

/** Users affected by an issue: the different values of a field. */
export interface IssueUsers {
  count: number;
  /** Whether there are more than were counted. */
  more: boolean;
  /** Those with most events. */
  values: { value: Json; events: number }[];
}

/** Asks how many different values a field has among the stored events of an issue. */
export async function askUsers(id: string, field: string, signal: AbortSignal): Promise<IssueUsers> {
  const path = `${issueAt(id)}?${new URLSearchParams({ users: field }).toString()}`;
  const { users } = await json<{ users?: Partial<IssueUsers> }>(path, { signal });
  return { count: users?.count ?? 0, more: users?.more === true, values: users?.values ?? [] };
}

/** Changes an issue, and returns it as it is then. */
export async function changeIssue(id: string, change: IssueChange): Promise<Issue> {
  return { ...ISSUE, ...(await send<Partial<Issue>>("PATCH", issueAt(id), change)) };
}

/** Makes issues parts of the first one. */
export function mergeIssues(ids: readonly string[]): Promise<Partial<Issue>> {
  return send("POST", "api/v1/issues/merge", { ids });
}

/** Undoes the last merge of an issue. */
export function splitIssue(id: string): Promise<unknown> {
  return send("POST", `${issueAt(id)}/split`);
}

/** What stands on the timeline of an incident. */
export type ItemKind = "note" | "alert" | "mark" | "event" | "query" | "issue" | "trace";

/** One entry of a timeline. */
export interface IncidentItem {
  id: string;
  kind: ItemKind;
  at: string;
  until: string | null;
  text: string;
  reference: string | null;
  query: string | null;
  groups: string | null;
  url: string | null;
  by: string;
}

/** What failed, when, and what was done. */
export interface Incident {
  id: string;
  version: number;
  title: string;
  summary: string;
  services: string[];
  groups: string[];
  state: "open" | "mitigated" | "remediated";
  began: string | null;
  detected: string | null;
  mitigated: string | null;
  remediated: string | null;
  ttd_ms: number | null;
  ttm_ms: number | null;
  ttr_ms: number | null;
  items: IncidentItem[];
  created_by: string;
  created: string;
}

/** What is written of an incident. */
export type IncidentChange = Partial<
  Pick<
    Incident,
    "title" | "summary" | "services" | "groups" | "began" | "detected" | "mitigated" | "remediated" | "version"
  >
> & { items?: NewItem[] };

/** An entry to add. */
export interface NewItem {
  kind: ItemKind;
  at?: string;
  text?: string;
  reference?: string;
  query?: string;
  groups?: string;
  url?: string;
}

const INCIDENT: Incident = {
  id: "",
  version: 0,
  title: "",
  summary: "",
  services: [],
  groups: [],
  state: "open",
  began: null,
  detected: null,
  mitigated: null,
  remediated: null,
  ttd_ms: null,
  ttm_ms: null,
  ttr_ms: null,
  items: [],
  created_by: "",
  created: "",
};

const incidentAt = (id: string) => `api/v1/incidents/${encodeURIComponent(id)}`;
const whole = (one: Partial<Incident>): Incident => ({ ...INCIDENT, ...one });

/** Asks for all incidents, the newest first. */
export async function askIncidents(signal: AbortSignal): Promise<Incident[]> {
  const { incidents = [] } = await json<{ incidents?: Partial<Incident>[] }>("api/v1/incidents", { signal });
  return incidents.map(whole);
}

/** Asks for one incident with its timeline. */
export async function askIncident(id: string, signal: AbortSignal): Promise<Incident> {
  return whole(await json<Partial<Incident>>(incidentAt(id), { signal }));
}

/** Makes an incident. */
export async function makeIncident(incident: IncidentChange): Promise<Incident> {
  return whole(await send<Partial<Incident>>("POST", "api/v1/incidents", incident));
}

/** Changes an incident, if nobody else has since the version that the change names. */
export async function changeIncident(id: string, change: IncidentChange): Promise<Incident> {
  return whole(await send<Partial<Incident>>("PATCH", incidentAt(id), change));
}

/** Removes an incident. */
export function deleteIncident(id: string): Promise<unknown> {
  return send("DELETE", incidentAt(id));
}

/** Adds an entry to a timeline. */
export async function addItem(id: string, item: NewItem): Promise<Incident> {
  return whole(await send<Partial<Incident>>("POST", `${incidentAt(id)}/items`, item));
}

/** Removes an entry of a timeline. */
export async function removeItem(id: string, item: string): Promise<Incident> {
  return whole(await send<Partial<Incident>>("DELETE", `${incidentAt(id)}/items/${encodeURIComponent(item)}`));
}

/** A month of a service: means in ms, and the share of the time without an incident. */
export interface LedgerRow {
  service: string;
  incidents: number;
  ttd_ms: number | null;
  ttm_ms: number | null;
  ttr_ms: number | null;
  availability: number | null;
  downtime_ms: number | null;
  /** Percent of the month in which the service is to work, and the time that this leaves for incidents. */
  objective: number | null;
  budget_ms: number | null;
  /** Negative where it is overdrawn. */
  budget_left_ms: number | null;
}

/** The ledger of a month. */
export interface Ledger {
  month: string;
  services: LedgerRow[];
}

/** Asks for the ledger of a month, the current one without a name. `objective` is as `99.9,pay=99.95`. */
export async function askLedger(
  month: string,
  timeZone: string,
  objective: string,
  signal: AbortSignal,
): Promise<Ledger> {
  const path = ledgerPath(month, timeZone, { objective });
  const answer = await json<{ month?: string; services?: Partial<LedgerRow>[] }>(path, { signal });
  const budget = { objective: null, budget_ms: null, budget_left_ms: null };
  const none = { service: "", incidents: 0, ttd_ms: null, ttm_ms: null, ttr_ms: null, ...budget };
  return {
    month: answer.month ?? month,
    services: (answer.services ?? []).map((one) => ({ ...none, availability: null, downtime_ms: null, ...one })),
  };
}

/** The address of a month's ledger in a format. */
export function ledgerPath(month: string, timeZone: string, more: Record<string, string> = {}): string {
  const parameters = new URLSearchParams({ ...(month === "" ? {} : { month }), time_zone: timeZone, ...more });
  return `api/v1/ledger?${parameters.toString()}`;
}

/** A file of the server, as a download of the page: a link would send no key. */
export async function saveFile(
  path: string,
  name: string,
  request: (path: string) => Promise<Response>,
): Promise<void> {
  const blob = await (await request(path)).blob();
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
