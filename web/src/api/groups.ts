// Log groups and what can be done with them.

import { json, sent, type Group } from "../api.ts";

/** How long, and how much, of a group is kept; `null` is without a limit of its own. */
export interface Retention {
  age: string | null;
  size: string | null;
}

/** What is expected of a group, as things stand. */
export interface Forecast {
  bytes_per_day: number | null;
  next: string | null;
  reason: "size" | "age" | null;
}

/** A group with all that the list says of it. */
export interface KeptGroup extends Group {
  retention: Retention;
  forecast: Forecast;
}

/** What is expected of the whole store. */
export interface StoreForecast {
  bytes_left: number;
  bytes_per_day: number;
  full_at: string | null;
  then: string;
}

/** Events that go or come back. */
export interface Removal {
  events: number;
  bytes: number;
  runs: number;
  first: string | null;
  last: string | null;
}

/** What a change of limits does, or would do. */
export interface Change {
  removes: Removal;
  restores: Removal;
  undo_until: string;
  warnings: string[];
}

/** A deletion of events by a query, and how far it is. */
export interface Receipt {
  id: string | null;
  matched: number;
  deleted: number;
  state: "invisible" | "reclaimed" | null;
  created?: string;
  reclaimed?: string | null;
  from?: string | null;
  to?: string | null;
  all_time?: boolean;
  requested_by?: string;
  reason?: string;
  segments_left?: number;
}

/** Which events are to be deleted. */
export interface Order {
  query: string;
  from?: string;
  to?: string;
  all_time?: boolean;
  dry_run?: boolean;
  reason?: string;
  time_zone?: string;
}

const path = (name: string) => `api/v1/groups/${encodeURIComponent(name)}`;

/** What the list of groups says beside what every page needs of them. */
export function kept(group: Group): KeptGroup {
  const { retention, forecast } = group as Partial<KeptGroup>;
  return {
    ...group,
    retention: retention ?? { age: null, size: null },
    forecast: forecast ?? { bytes_per_day: null, next: null, reason: null },
  };
}

/** What is expected of the store; nothing where that may not be known. */
export async function storeForecast(signal: AbortSignal): Promise<StoreForecast | null> {
  return (await json<{ forecast?: StoreForecast }>("api/v1/status", { signal })).forecast ?? null;
}

/** Sets the limits of a group, or tells what that would do. */
export function setRetention(name: string, retention: Retention, isPreview: boolean): Promise<Change> {
  return json<Change>(`${path(name)}${isPreview ? "?preview=true" : ""}`, sent("PUT", { retention }));
}

/** A source whose events are steadily dated before or after their arrival. */
export interface Clock {
  group: string;
  stream: string;
  offset_seconds: number;
  certain: boolean;
  time_zone: string | null;
}

/** The sources whose clock or time zone is off. */
export async function clocks(signal: AbortSignal): Promise<Clock[]> {
  return (await json<{ clocks?: Clock[] }>("api/v1/status", { signal })).clocks ?? [];
}

/** Has times of a group that name no zone read in this one from now on. */
export function setTimeZone(name: string, zone: string): Promise<unknown> {
  return json(path(name), sent("PUT", { time_zone: zone }));
}

/** Deletes a group with all of its events. */
export function deleteGroup(name: string): Promise<unknown> {
  return json(path(name), { method: "DELETE" });
}

/** Deletes the events that a query chooses, or counts them. */
export function deleteEvents(name: string, order: Order): Promise<Receipt> {
  return json<Receipt>(`${path(name)}/delete-events`, sent("POST", order));
}

/** The deletions of events of a group so far, newest first. */
export async function deletions(name: string, signal: AbortSignal): Promise<Receipt[]> {
  return (await json<{ deletions?: Receipt[] }>(`${path(name)}/delete-events`, { signal })).deletions ?? [];
}
