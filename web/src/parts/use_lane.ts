// A question that a part of the page asks while it is shown.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { start, stop, type Lane } from "../ask.ts";

/** Asks at first and whenever `of` changes, and stops when the part goes. `ask` asks again. */
export function useLane<T>(task: (signal: AbortSignal) => Promise<T>, of: readonly unknown[]) {
  const lane = useSignal<Lane<T>>({ state: "loading", data: null, error: null, since: 0 });
  const ask = () => void start(lane, task);
  useEffect(() => {
    ask();
    return () => void stop(lane);
  }, [...of]);
  return { lane, ask, ...lane.value };
}

/** Does something at first, and again and again while the page is visible. */
export function usePoll(ask: () => unknown, everyMs: number): void {
  useEffect(() => {
    ask();
    const timer = setInterval(() => document.visibilityState === "visible" && ask(), everyMs);
    return () => clearInterval(timer);
  }, []);
}
