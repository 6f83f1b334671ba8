// The switch between events, asked in Insights QL, and metrics, asked in PromQL. Each language keeps its own text.

import { draft, go, view } from "../view.ts";

let promql = "";

/** Switches to the other language. The query of the events becomes that of the log lines below the metrics, and back. */
export function switchLanguage(): void {
  const of = view.peek();
  const rest = { live: false, row: "", around: "", selection: "", line: "" };
  if (of.language === "promql") {
    promql = draft.peek();
    go({ ...rest, language: "insights", query: of.logs, logs: "" });
  } else go({ ...rest, language: "promql", query: promql, logs: draft.peek(), panel: "rows" });
}
