// The route for what happened around an event.

import { json, timeZone, type Answer } from "../api.ts";
import type { Zone } from "../time.ts";

/** The event in the middle. */
export interface Middle {
  group: string;
  stream: string;
}

/** Events in the order of time, and where among them the one in the middle stands. */
export interface ContextAnswer extends Answer {
  middle: Middle;
  place: number;
  moreBefore: boolean;
  moreAfter: boolean;
}

/** What is asked for around an event. */
export interface ContextQuestion {
  id: string;
  before: number;
  after: number;
  /** Groups around the instant, none for all; `null` for the stream of the event alone. */
  groups: readonly string[] | null;
  query: string;
  zone: Zone;
}

/** A function through which an exception passed. */
export interface Frame {
  function: string;
  file: string;
  line: number | null;
  /** Whether it is the program's own, not the runtime's or a library's. */
  own: boolean;
}

/** An exception; the one after it is its cause. */
export interface Exception {
  type: string;
  message: string;
  /** The innermost first. */
  frames: Frame[];
  /** The number of the member of a group that it belongs to. */
  member: number | null;
}

/** What an event says of a failure. */
export interface EventException {
  exceptions: Exception[];
  thread: string | null;
  runtime: string | null;
  runtime_version: string | null;
  issue: string | null;
  /** A query for the lines of its program. */
  program: string;
  /** The text with the stack trace, as it was written. */
  text: string;
  /** Where and when it happened. */
  group: string;
  time: string;
}

interface Told extends Partial<Answer> {
  event?: { "@log"?: string; "@logStream"?: string; "@timestamp"?: string; exception?: Partial<EventException> | null };
  place?: number;
  more_before?: boolean;
  more_after?: boolean;
}

/** Asks what happened around an event. */
export async function context(of: ContextQuestion, signal: AbortSignal): Promise<ContextAnswer> {
  const parameters = new URLSearchParams({
    id: of.id,
    before: String(of.before),
    after: String(of.after),
    query: of.query,
    time_zone: timeZone(of.zone),
  });
  if (of.groups !== null) parameters.set("stream", "*");
  if (of.groups !== null && of.groups.length > 0) parameters.set("groups", of.groups.join(","));
  const told = await json<Told>(`api/v1/context?${parameters}`, { signal });
  return {
    columns: [],
    rows: [],
    stats: {},
    partial: false,
    partial_reasons: [],
    warnings: [],
    ...told,
    middle: { group: told.event?.["@log"] ?? "", stream: told.event?.["@logStream"] ?? "" },
    place: told.place ?? 0,
    moreBefore: told.more_before === true,
    moreAfter: told.more_after === true,
  };
}

/** Asks what an event says of a failure; `null` where it has no stack trace. */
export async function askException(id: string, signal: AbortSignal): Promise<EventException | null> {
  const parameters = new URLSearchParams({ id, before: "0", after: "0", query: "fields @id" });
  const { event } = await json<Told>(`api/v1/context?${parameters}`, { signal });
  if (!event?.exception) return null;
  const none = { exceptions: [], thread: null, runtime: null, runtime_version: null, issue: null };
  const place = { group: event["@log"] ?? "", time: event["@timestamp"] ?? "" };
  return { ...none, program: "", text: "", ...event.exception, ...place };
}
