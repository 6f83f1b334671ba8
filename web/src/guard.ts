// A question that a page did not survive is not asked again by itself when the page is opened anew. What runs is noted
// for this tab before it is asked, and forgotten once its rows are on screen.

import { signal } from "@preact/signals";

const KEPT = "catat.running";
/** Whoever loads a page anew this soon after asking has not waited for anything. */
const SOON_MS = 1000;

/** The question that ran when the page last ended is shown, not asked. */
export const held = signal(false);

let since = 0;

function keep(question: string | null): void {
  try {
    if (question === null) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, question);
  } catch {
    // Storage is switched off: then nothing is known of earlier pages.
  }
}

/** Notes that a question is about to be asked. */
export function begins(question: string): void {
  held.value = false;
  since = performance.now();
  keep(question);
}

/** Whether a question ran when the page last ended. */
export function ranLast(question: string): boolean {
  try {
    return sessionStorage.getItem(KEPT) === question;
  } catch {
    return false;
  }
}

/** Notes that a question is not under way any more, or that its first rows will be on screen in a moment. */
export function survives(question: string): void {
  // Two frames: the second begins when the first was drawn. By then something else may have been asked.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      if (ranLast(question)) keep(null);
    }),
  );
}

addEventListener("pagehide", () => {
  if (performance.now() - since < SOON_MS) keep(null);
});
