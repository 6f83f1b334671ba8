// What the query's editor shares with the page around it, be it the plain text area or the editor that takes its place.

import { signal } from "@preact/signals";

import type { ApiError, Notice } from "../api.ts";
import { t, text } from "../texts.ts";
import { draft, go, LANGUAGE_NAMES, run, view, type QueryLanguage } from "../view.ts";

const HISTORY = "catat.history";
const HISTORY_MAX = 50;

const PLACEHOLDERS: Partial<Record<QueryLanguage, string>> = {
  insights: text('Search: connection refused · filter @level >= "error" · stats count(*) by host'),
  promql: text('PromQL: up == 0 · rate(http_requests_total{code="500"}[5m])'),
};

const MANUAL: Partial<Record<QueryLanguage, string>> = {
  promql: "prometheus",
  logql: "loki",
  traceql: "traceql",
  "filter-pattern": "cloudwatch",
};

/** Returns where the manual describes a language other than Insights QL. */
export function manualOf(language: QueryLanguage): string {
  return `docs/reading/${MANUAL[language] ?? "elasticsearch"}`;
}

/** Shown while nothing is written. */
export function placeholder(): string {
  const { language } = view.value;
  return t(PLACEHOLDERS[language] ?? LANGUAGE_NAMES[language]);
}

/** What the server says about a text that was not run. */
export interface Checked {
  text: string;
  error: ApiError | null;
  warnings: Notice[];
}

/** What was said last. */
export const checked = signal<Checked | null>(null);

/** The editor has taken the place of the plain text area. */
export const isEquipped = signal(false);

/** What was asked before the present query, to go back to. */
export const queryBefore = signal<string | null>(null);

let focus = (): void => undefined;

/** Whoever holds the text says how it gets the focus. */
export function focusBy(how: () => void): void {
  focus = how;
}

/** Puts the caret into the query. */
export function focusQuery(): void {
  focus();
}

/** Each language has a history of its own. */
function historyOf(language: QueryLanguage): string {
  return language === "insights" ? HISTORY : `${HISTORY}.${language}`;
}

/** Queries that were run here, the last one first. */
export function pastQueries(language = view.peek().language): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(historyOf(language)) ?? "[]");
    return Array.isArray(stored) ? stored.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}

function remember(text: string): void {
  if (text.trim() === "" || text.length > 4000) return;
  try {
    localStorage.setItem(
      historyOf(view.peek().language),
      JSON.stringify([text, ...pastQueries().filter((one) => one !== text)].slice(0, HISTORY_MAX)),
    );
  } catch {
    // Storage is switched off or full: no history then.
  }
}

/** Asks what the editor holds. */
export function submit(): void {
  const before = view.peek().query;
  if (before !== draft.peek()) queryBefore.value = before;
  remember(draft.peek());
  run();
}

/** Asks again what was asked before. */
export function undoQuery(): void {
  const before = queryBefore.peek();
  if (before === null) return;
  queryBefore.value = null;
  go({ query: before, language: view.peek().language, row: "" });
  focusQuery();
}
