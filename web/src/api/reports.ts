// `/api/v1/reports`: dashboards, and the ledger of the month before, that are sent by e-mail at times. A missing part of an answer is an empty one.

import { list, request } from "../api.ts";
import type { Json } from "../query/edit.ts";
import { send } from "../session.ts";

/** What became of a letter in one channel. */
export interface Delivery {
  channel: string;
  state: string;
  error: string;
}

/** A report: what is sent, when, and what became of it. */
export interface Report {
  name: string;
  /** The dashboard that is sent; empty for the ledger. */
  dashboard: string;
  ledger: boolean;
  on: string;
  at: string;
  zone: string;
  topic: string;
  own: boolean;
  /** When it is sent next, RFC 3339. */
  next: string;
  channels: string[];
  /** The time that the last letter was for; empty for none. */
  lastDue: string;
  deliveries: Delivery[];
  /** Why the letter that is due cannot be made yet. */
  problem: string;
}

/** What makes a report: a dashboard with what is chosen, or the ledger. */
export interface NewReport {
  dashboard?: string;
  variables?: Readonly<Record<string, readonly string[]>>;
  ledger?: boolean;
  /** Percent, and services with their own behind it. */
  objective?: string;
  on: string;
  at: string;
  time_zone: string;
  topic: string;
  lang: string;
}

const PATH = "api/v1/reports";
const pathOf = (name: string) => `${PATH}/${encodeURIComponent(name)}`;
const text = (value: Json | undefined) => (typeof value === "string" ? value : "");
const texts = (value: Json | undefined) => (Array.isArray(value) ? value.map(String) : []);

function member(value: Json | undefined, name: string): Json | undefined {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? value[name] : undefined;
}

function reportOf(one: Record<string, Json>): Report {
  const deliveries = member(one["last"], "deliveries");
  return {
    name: text(one["name"]),
    dashboard: text(one["dashboard"]),
    ledger: one["ledger"] === true,
    on: text(one["on"]),
    at: text(one["at"]),
    zone: text(one["time_zone"]),
    topic: text(one["topic"]),
    own: one["own"] === true,
    next: text(one["next"]),
    channels: texts(one["channels"]),
    lastDue: text(member(one["last"], "due")),
    deliveries: (Array.isArray(deliveries) ? deliveries : []).map((delivery) => ({
      channel: text(member(delivery, "channel")),
      state: text(member(delivery, "state")),
      error: text(member(delivery, "error")),
    })),
    problem: text(member(one["problem"], "error")),
  };
}

/** Asks for all reports. */
export async function askReports(signal?: AbortSignal): Promise<Report[]> {
  return (await list(PATH, "reports", signal)).map(reportOf);
}

/** Asks for the topics that channels of type `email` name. */
export async function askMailTopics(signal?: AbortSignal): Promise<string[]> {
  const channels = await list("api/v1/channels", "channels", signal);
  const mail = channels.filter((one) => one["type"] === "email");
  return [...new Set(mail.flatMap((one) => texts(member(one["settings"], "topics"))))].sort();
}

/** Makes a report. */
export async function putReport(name: string, of: NewReport): Promise<void> {
  await send("PUT", pathOf(name), of);
}

/** Ends a report. */
export async function deleteReport(name: string): Promise<void> {
  await request(pathOf(name), { method: "DELETE" });
}

/** Sends a report now. */
export async function sendReport(name: string): Promise<void> {
  await request(`${pathOf(name)}/send`, { method: "POST" });
}
