// `/api/v1/for/{name}`: how a group or service is, in few words. Answers are read defensively: a missing part is an empty one.

import { json } from "../api.ts";
import { send } from "../session.ts";

/** Whether it works. */
export interface Up {
  state: "up" | "trouble" | "down" | "silent";
  since: string | null;
  last: string | null;
  failed_of_100: number | null;
  known_by: "requests" | "lines";
}

/** Whether it is slow. */
export interface Speed {
  state: "usual" | "slower" | "slower-for-some" | "faster" | "earlier" | "unknown";
  ms: number | null;
  usual_ms: number | null;
  slow_ms: number | null;
  usual_slow_ms: number | null;
}

/** Something that went wrong. */
export interface Wrong {
  kind: "incident" | "alert" | "requests" | "slow" | "silent" | "errors";
  text: string | null;
  since: string | null;
  until: string | null;
  open: boolean;
  count: number | null;
  different: number | null;
  sudden: boolean;
}

/** Who works on what. */
export interface Person {
  name: string;
  what: "incident" | "alert" | "errors";
}

/** The month before. */
export interface LastMonth {
  month: string;
  incidents: number;
  down_ms: number | null;
  repair_ms: number | null;
}

/** How something is. */
export interface HowItIs {
  name: string;
  kind: string;
  at: string;
  up: Up;
  speed: Speed;
  /** Whether something of `wrong` is open; every sentence goes by it. */
  open: boolean;
  wrong: Wrong[];
  people: Person[];
  month: LastMonth;
  partial: boolean;
  may_share: boolean;
}

/** A link by which people without a key see the page. */
export interface SharedLink {
  id: string;
  by: string;
  created: string;
  expires: string;
}

const UP: Up = { state: "silent", since: null, last: null, failed_of_100: null, known_by: "lines" };
const SPEED: Speed = { state: "unknown", ms: null, usual_ms: null, slow_ms: null, usual_slow_ms: null };
const WRONG: Wrong = {
  kind: "errors",
  text: null,
  since: null,
  until: null,
  open: false,
  count: null,
  different: null,
  sudden: false,
};
const MONTH: LastMonth = { month: "", incidents: 0, down_ms: null, repair_ms: null };

function path(name: string): string {
  return `api/v1/for/${encodeURIComponent(name)}`;
}

/** Asks how something is; with a link's token, for whoever has no key. */
export async function askHowItIs(name: string, zone: string, token: string, signal: AbortSignal): Promise<HowItIs> {
  const of = token === "" ? path(name) : `${path(name)}/by-link`;
  const headers: Record<string, string> = token === "" ? {} : { "X-Catat-Link": token };
  const answer = await json<Partial<HowItIs>>(`${of}?time_zone=${encodeURIComponent(zone)}`, { headers, signal });
  return {
    name: answer.name ?? name,
    kind: answer.kind ?? "",
    at: answer.at ?? new Date().toISOString(),
    up: { ...UP, ...answer.up },
    speed: { ...SPEED, ...answer.speed },
    open: answer.open === true,
    wrong: (answer.wrong ?? []).map((one) => ({ ...WRONG, ...one })),
    people: answer.people ?? [],
    month: { ...MONTH, ...answer.month },
    partial: answer.partial === true,
    may_share: answer.may_share === true,
  };
}

/** Makes a link that lasts for a length of time, as `7d`; its token is told only now. */
export function makeLink(name: string, lasts: string): Promise<{ id: string; token: string; expires: string }> {
  return send("POST", `${path(name)}/links`, { expires_in: lasts });
}

/** The links that one has made to a page. */
export async function askLinks(name: string): Promise<SharedLink[]> {
  return (await json<{ links?: SharedLink[] }>(`${path(name)}/links`)).links ?? [];
}

/** Withdraws a link. */
export async function withdrawLink(name: string, id: string): Promise<void> {
  await send("DELETE", `${path(name)}/links/${encodeURIComponent(id)}`);
}
