// The list of completions of one editor: what is in it, which one is chosen, and what keys do with it.

import { signal, type ReadonlySignal } from "@preact/signals";

import type { CodeEditor } from "./code_mirror.ts";
import type { Suggestion } from "./suggest.tsx";

// Fast typing asks once, at its end.
const SUGGEST_AFTER_MS = 60;

/** The list, and what can be done with it. */
export interface Suggesting {
  all: ReadonlySignal<readonly Suggestion[]>;
  /** The place of the one that is chosen; -1 for none. */
  chosen: ReadonlySignal<number>;
  /** Suggests what may stand at the caret: what the page knows at once, and what the server knows when it has said so. */
  at: (text: string, caret: number) => void;
  /** Closes the list; an answer that is on its way does not open it again. */
  close: () => void;
  /** Does what a key does while the list is shown; whether it was taken. */
  onKey: (event: KeyboardEvent, editor: CodeEditor) => boolean;
  /** Writes a suggestion. */
  pick: (at: number, editor: CodeEditor) => boolean;
  /** The suggestion that is read: the one that is chosen, else the first. */
  read: () => Suggestion | undefined;
}

/** Makes the list of an editor. */
export function makeSuggesting(
  known: (text: string, caret: number) => readonly Suggestion[],
  asked: (text: string, caret: number, signal: AbortSignal) => Promise<readonly Suggestion[]>,
): Suggesting {
  const all = signal<readonly Suggestion[]>([]);
  const chosen = signal(-1);
  let asking = new AbortController();
  const close = (): void => {
    asking.abort();
    all.value = [];
  };
  const pick = (at: number, editor: CodeEditor): boolean => {
    const suggestion = all.peek()[at];
    if (!suggestion) return false;
    editor.replace(suggestion.start, suggestion.end, suggestion.insert);
    close();
    return true;
  };
  const at = (text: string, caret: number): void => {
    asking.abort();
    const { signal } = (asking = new AbortController());
    chosen.value = -1;
    all.value = known(text, caret);
    setTimeout(() => {
      if (signal.aborted) return;
      asked(text, caret, signal).then(
        (found) => {
          if (signal.aborted) return;
          const picked = all.peek()[chosen.peek()]?.label;
          all.value = found;
          chosen.value = picked === undefined ? -1 : found.findIndex((one) => one.label === picked);
        },
        () => undefined,
      );
    }, SUGGEST_AFTER_MS);
  };
  const onKey = (event: KeyboardEvent, editor: CodeEditor): boolean => {
    const n = all.peek().length;
    if (n === 0) return false;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      chosen.value = (chosen.peek() + step + n + (chosen.peek() < 0 && step < 0 ? 1 : 0)) % n;
      return true;
    }
    if (event.key === "Escape") {
      close();
      return true;
    }
    if (event.key === "Tab" && !event.shiftKey) return pick(Math.max(chosen.peek(), 0), editor);
    return event.key === "Enter" && !event.ctrlKey && !event.metaKey && pick(chosen.peek(), editor);
  };
  return { all, chosen, at, close, onKey, pick, read: () => all.peek()[Math.max(chosen.peek(), 0)] };
}
