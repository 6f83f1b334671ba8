// `/api/v1/dashboards`: documents of panels on a grid. What the server answers is read defensively: a missing part is an empty one.

import { signal } from "@preact/signals";

import { ApiError, json, list, request } from "../api.ts";
import { start, type Lane } from "../ask.ts";
import type { Json } from "../query/edit.ts";
import { send } from "../session.ts";
import { language } from "../texts.ts";
import type { QueryLanguage } from "../view.ts";

/** How a panel is drawn. */
export type PanelKind = "line" | "area" | "bar" | "pie" | "number" | "table" | "logs" | "text" | "heatmap" | "map";

/** The languages of a panel's queries. */
export type PanelLanguage = QueryLanguage;

/** How good or bad a number is. */
export type Grade = "ok" | "info" | "warn" | "error" | "fatal";

/** A number of a series in the legend. */
export type LegendValue = "last" | "max" | "min" | "mean" | "sum";

/** One query of a panel. */
export interface PanelQuery {
  id?: string;
  query: string;
  language?: PanelLanguage;
  groups?: string[];
  /** What its series are called; `{label}` is the value of a label or column. */
  label?: string;
}

/** A value from which on numbers have a grade. */
export interface Threshold {
  value: number;
  level: Grade;
}

/** A picture of what queries return, and its place on the grid. */
export interface BoardPanel {
  id: string;
  title?: string;
  kind: PanelKind;
  x: number;
  y: number;
  w: number;
  h: number;
  queries?: PanelQuery[];
  expression?: string;
  unit?: string;
  decimals?: number;
  thresholds?: Threshold[];
  stack?: boolean;
  scale?: "linear" | "log";
  nulls?: "gap" | "zero" | "connect";
  legend?: "bottom" | "right" | "none";
  legend_values?: LegendValue[];
  text?: string;
  section?: string;
  link?: string;
}

/** A value that is chosen, of a list or of the first column of a query. */
export interface Variable {
  name: string;
  label?: string;
  values?: string[];
  query?: string;
  language?: PanelLanguage;
  groups?: string[];
  multiple?: boolean;
  all?: boolean;
  default?: string[];
}

/** What people write of a dashboard. */
export interface BoardText {
  title: string;
  description?: string;
  tags?: string[];
  range: { from: string; to: string };
  refresh?: string;
  variables?: Variable[];
  panels: BoardPanel[];
}

/** A dashboard as the server keeps it. */
export interface Board {
  name: string;
  text: BoardText;
  version: number;
  owner: string;
  /** Whether the user may change it. */
  own: boolean;
  source: "store" | "file" | "derived";
  changed: string;
}

/** A dashboard as the list has it. */
export interface ListedBoard {
  name: string;
  title: string;
  description: string;
  tags: string[];
  owner: string;
  own: boolean;
  source: Board["source"];
  changed: string;
}

/** An earlier version. */
export interface Version {
  version: number;
  changed: string;
  by: string;
}

/** What an import took of each panel. */
export interface Imported {
  text: BoardText;
  panels: { title: string; taken: boolean; why: string }[];
}

const PATH = "api/v1/dashboards";

const pathOf = (name: string) => `${PATH}/${encodeURIComponent(name)}`;

/** All dashboards. */
export const boards = signal<Lane<ListedBoard[]>>({ state: "idle", data: null, error: null, since: 0 });

const text = (value: Json | undefined) => (typeof value === "string" ? value : "");
const texts = (value: Json | undefined) => (Array.isArray(value) ? value.map(String) : []);

function sourceOf(value: Json | undefined): Board["source"] {
  return value === "file" || value === "derived" ? value : "store";
}

/** What is wrong with files of dashboards. */
export const fileProblems = signal<readonly string[]>([]);

/** Asks for all dashboards. */
export function askBoards(): void {
  void start(boards, async (signal) => {
    const answer = await json<{ dashboards?: Record<string, Json>[]; problems?: unknown[] }>(`${PATH}?derived=true`, {
      signal,
    });
    fileProblems.value = (answer.problems ?? []).map(String);
    return (answer.dashboards ?? []).map((one) => ({
      name: text(one["name"]),
      title: text(one["title"]) || text(one["name"]),
      description: text(one["description"]),
      tags: texts(one["tags"]),
      owner: text(one["owner"]),
      own: one["own"] === true,
      source: sourceOf(one["source"]),
      changed: text(one["changed"]),
    }));
  });
}

/** The keys of a document that people write; the others say what has become of it. */
const WRITTEN = ["title", "description", "tags", "range", "refresh", "variables", "panels"] as const;

/** Returns what people write of an answer. */
export function textOf(answer: Record<string, unknown>): BoardText {
  const written = Object.fromEntries(
    WRITTEN.flatMap((key) => (answer[key] === undefined || answer[key] === null ? [] : [[key, answer[key]]])),
  ) as Partial<BoardText>;
  const range = { from: "now-24h", to: "now", ...written.range };
  return { title: "", panels: [], ...written, range };
}

function boardOf(name: string, answer: Record<string, Json>): Board {
  return {
    name: text(answer["name"]) || name,
    text: textOf(answer),
    version: typeof answer["version"] === "number" ? answer["version"] : 0,
    owner: text(answer["owner"]),
    own: answer["own"] === true,
    source: sourceOf(answer["source"]),
    changed: text(answer["changed"]),
  };
}

/** Reports whether a dashboard is one that nobody has to make. */
export const isDerived = (name: string) => name.includes(":");

/** Asks for a dashboard, as it is or as it was in an earlier version; a ready-made one of what there is in a range. */
export async function askBoard(
  name: string,
  signal?: AbortSignal,
  { version, range }: { version?: number; range?: { from: string; to: string } } = {},
): Promise<Board> {
  const asked = new URLSearchParams();
  if (version !== undefined) asked.set("version", String(version));
  if (range && isDerived(name)) {
    asked.set("from", range.from);
    if (range.to !== "") asked.set("to", range.to);
  }
  // What is ready-made has titles of the server's.
  if (isDerived(name)) asked.set("lang", language.peek());
  const path = pathOf(name) + (asked.size === 0 ? "" : `?${asked}`);
  return boardOf(name, await json<Record<string, Json>>(path, signal ? { signal } : {}));
}

/** Stores a dashboard. `version` is that of what is changed, and absent for a new one; 409 if it was changed meanwhile. */
export async function saveBoard(name: string, of: BoardText, version?: number): Promise<Board> {
  const body = version === undefined ? of : { ...of, version };
  return boardOf(name, await send<Record<string, Json>>("PUT", pathOf(name), body));
}

/** Deletes a dashboard. */
export async function deleteBoard(name: string): Promise<void> {
  await request(pathOf(name), { method: "DELETE" });
}

/** Asks for a dashboard as one file of HTML with its data: `named` are the parameters of its address. */
export async function askPage(name: string, named: readonly (readonly [string, string])[]): Promise<Blob> {
  const parameters = new URLSearchParams([["format", "html"], ...named.map(([key, value]) => [key, value])]);
  return (await request(`${pathOf(name)}/export?${parameters.toString()}`)).blob();
}

/** Asks for the versions of a dashboard, newest first. */
export async function askVersions(name: string, signal: AbortSignal): Promise<Version[]> {
  const found = await list(`${pathOf(name)}/history`, "versions", signal);
  return found
    .map((one) => ({ version: Number(one["version"] ?? 0), changed: text(one["changed"]), by: text(one["by"]) }))
    .sort((a, b) => b.version - a.version);
}

/** Makes a dashboard of another program's; nothing is stored. */
export async function importBoard(format: "grafana" | "cloudwatch", body: unknown): Promise<Imported> {
  const answer = await send<{ dashboard?: Record<string, unknown>; panels?: Record<string, Json>[] }>(
    "POST",
    `${PATH}/import`,
    { format, body },
  );
  return {
    text: textOf(answer.dashboard ?? {}),
    panels: (answer.panels ?? []).map((one) => ({
      title: text(one["title"]),
      taken: one["taken"] === true,
      why: text(one["why"]),
    })),
  };
}

/** Names that are tried for a new dashboard: those of others, which the user may not see, may be taken. */
const NAMES_MAX = 20;

/** Stores a new dashboard under a name made of its title, and returns the name. */
export async function saveNewBoard(of: BoardText): Promise<string> {
  const taken = (boards.peek().data ?? []).map(({ name }) => name);
  for (let n = 0; ; n += 1) {
    const name = suggestedName(of.title, taken);
    try {
      await saveBoard(name, of);
      return name;
    } catch (error) {
      const isTaken = error instanceof ApiError && error.status === 409;
      if (!isTaken || n >= NAMES_MAX) throw error;
      taken.push(name);
    }
  }
}

/** Returns a name for the address: of the title's letters and digits, and one that is not taken. */
export function suggestedName(title: string, taken: readonly string[]): string {
  const plain = title
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60);
  const first = plain === "" ? "dashboard" : plain;
  let name = first;
  for (let n = 2; taken.includes(name); n += 1) name = `${first}-${n}`;
  return name;
}
