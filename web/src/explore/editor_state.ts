// What the query's editor shares with the page around it, be it the plain text area or the editor that takes its place.

import { signal } from "@preact/signals";

import type { ApiError, Notice } from "../api.ts";
import { text } from "../texts.ts";
import { draft, go, run, view } from "../view.ts";

const HISTORY = "catat.history";
const HISTORY_MAX = 50;

/** Shown while nothing is written. */
export const PLACEHOLDER = text('Search: connection refused · filter @level >= "error" · stats count(*) by host');

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

/** Queries that were run here, the last one first. */
export function pastQueries(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(HISTORY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}

function remember(text: string): void {
  if (text.trim() === "" || text.length > 4000) return;
  try {
    localStorage.setItem(
      HISTORY,
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
  go({ query: before, row: "" });
  focusQuery();
}
