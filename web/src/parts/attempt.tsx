// What a form starts, and what is said when it fails.

import { useState } from "preact/hooks";

import { ApiError } from "../api.ts";
import { t } from "../texts.ts";

/** What went wrong, and what to do. */
export function told(error: unknown): string {
  return error instanceof ApiError ? error.withHint(": ") : t("something went wrong on this page");
}

/** One task at a time: whether it runs, and what went wrong with the last one. */
export function useAttempt(problemOf: (error: unknown) => string = told) {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const attempt = async (task: () => Promise<unknown>) => {
    setBusy(true);
    setProblem("");
    try {
      await task();
    } catch (error) {
      setProblem(problemOf(error));
    }
    setBusy(false);
  };
  return { problem, busy, attempt };
}

/** Says what went wrong, if anything did. */
export function Wrong({ text = "", class: own = "" }: { text?: string | undefined; class?: string }) {
  if (text === "") return null;
  return (
    <p class={`note error ${own}`} role="alert">
      {text}
    </p>
  );
}
