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

interface Told extends Partial<Answer> {
  event?: Record<string, string>;
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
