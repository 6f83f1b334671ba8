// What tests may look at; nothing can be changed through it.

import { aboutToAsk, counts, rows, type Lane } from "./ask.ts";
import { bucketsOf } from "./explore/buckets.ts";
import { view } from "./view.ts";

/** The live tail, once it is loaded. */
export const liveTail: { peek: () => { events: readonly unknown[]; state: string } } = {
  peek: () => ({ events: [], state: "off" }),
};

/** Lets tests look. */
export function showTests(): void {
  const hook = {
    get rows() {
      const data = view.peek().live ? { events: liveTail.peek().events, table: [] } : rows.peek().data;
      return structuredClone(data?.events.length ? data.events : (data?.table ?? []));
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
