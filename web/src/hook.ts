// What tests may look at; nothing can be changed through it.

import { aboutToAsk, counts, rows, type Lane } from "./ask.ts";
import { bucketsOf } from "./explore/buckets.ts";
import type { Rows } from "./rows.ts";
import { view } from "./view.ts";

/** The live tail, once it is loaded. */
export const liveTail: { peek: () => { events: readonly unknown[]; state: string } } = {
  peek: () => ({ events: [], state: "off" }),
};

/** Lines of metrics and the log lines below them, once they are loaded. */
export const metricLines: { peek: () => { lines: Lane<unknown>; logs: Lane<Rows> } | null } = { peek: () => null };

/** Lets tests look. */
export function showTests(): void {
  const hook = {
    get rows() {
      const data = view.peek().live ? { events: liveTail.peek().events, table: [] } : rows.peek().data;
      return structuredClone(data?.events.length ? data.events : (data?.table ?? []));
    },
    get metrics() {
      const now = metricLines.peek();
      return structuredClone(
        now && {
          state: now.lines.state,
          logState: now.logs.state,
          answer: now.lines.data,
          logs: now.logs.data?.events ?? [],
        },
      );
    },
    get histogram() {
      return bucketsOf(counts.peek().data?.buckets ?? []);
    },
    get state() {
      const of = <T>(lane: Lane<T>) => (aboutToAsk.peek() ? "loading" : lane.state);
      return {
        view: { ...view.peek() },
        rows: of(rows.peek()),
        histogram: of(counts.peek()),
        live: liveTail.peek().state,
      };
    },
  };
  Object.defineProperty(window, "__catat", { value: Object.freeze(hook), writable: false });
}
