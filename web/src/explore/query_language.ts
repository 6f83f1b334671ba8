// The switch between the languages of Explore: events asked in Insights QL, metrics asked in PromQL, and others, each of
// which keeps its own text.

import { draft, go, view, type QueryLanguage } from "../view.ts";

const texts: Partial<Record<QueryLanguage, string>> = {};

/** Switches to a language, from Insights QL to PromQL and back unless another is said. The query of the events becomes that of the log lines below the metrics, and back. */
export function switchLanguage(to: QueryLanguage = view.peek().language === "insights" ? "promql" : "insights"): void {
  const of = view.peek();
  if (of.language === to) return;
  texts[of.language] = draft.peek();
  if (of.language === "promql") texts.insights = of.logs;
  const query = texts[to] ?? "";
  const logs = to === "promql" ? (texts.insights ?? "") : "";
  go({
    live: false,
    row: "",
    around: "",
    selection: "",
    line: "",
    panel: "rows",
    chart: "",
    language: to,
    query,
    logs,
  });
}
