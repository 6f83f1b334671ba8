// Marks of the range shown, and the one that is being made.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { askMarks, type Mark } from "../api/cause.ts";
import { start, type Lane } from "../ask.ts";
import { asked, askedAt, rangeMs, view } from "../view.ts";

/** The time that a new mark begins with: an instant, or a range. */
export const newMark = signal<{ from: number; to: number | null } | null>(null);

/** Marks within the range that the address names. */
export const marks = signal<Lane<Mark[]>>({ state: "idle", data: null, error: null, since: 0 });

let shownFor = "";

/** Asks for the marks of the view's range. */
export function askForMarks(): void {
  const [from, to] = rangeMs(view.peek(), Date.now());
  void start(marks, (signal) => askMarks(from, to, signal));
}

/** The marks of the range shown; charts that show the same range share one request. */
export function useMarks(): readonly Mark[] {
  const { from, to, zone, live } = view.value;
  const key = JSON.stringify([from, to, zone, asked.value, live ? 0 : askedAt.value]);
  useEffect(() => {
    if (key === shownFor) return;
    shownFor = key;
    askForMarks();
  }, [key]);
  // A server without marks, or one that fails, leaves charts as they are: marks only annotate them.
  return marks.value.data ?? [];
}
