// From what Explore shows to panels that show the same.

import type { BoardPanel, PanelKind } from "../../api/dashboards.ts";
import { commands, keepsEvents } from "../../query/lex.ts";
import type { View } from "../../view.ts";
import { isSeries } from "./answers.ts";

const DRAWN: readonly PanelKind[] = ["line", "area", "bar", "pie", "number", "heatmap", "table"];

/** Returns the pictures that the answer of a query in another language than Insights QL and PromQL can be; the first suits it best. */
export function picturesOf({ language, query }: Pick<View, "language" | "query">): readonly PanelKind[] {
  if (isSeries({ language, query })) return DRAWN;
  // Rows of ES|QL have columns of their own.
  if (language === "esql")
    return /\bstats\b/i.test(query) ? DRAWN : ["table", ...DRAWN.filter((one) => one !== "table")];
  return ["logs", "table"];
}

/** Returns the picture of a view: the one that was chosen, if the answer can be it. */
export function pictureOf(of: Pick<View, "language" | "query" | "chart">): PanelKind {
  const pictures = picturesOf(of);
  return pictures.find((one) => one === of.chart) ?? pictures[0] ?? "table";
}

/** Returns the panels that show what a view of Explore shows; the first suits it best. */
export function panelsFor(
  of: Pick<View, "language" | "query" | "groups" | "chart">,
  kind: string,
): Omit<BoardPanel, "x" | "y" | "w" | "h">[] {
  const groups = of.groups.length > 0 ? { groups: [...of.groups] } : {};
  const panel = (id: string, as: PanelKind, query: string, more: Partial<BoardPanel> = {}) => ({
    id,
    kind: as,
    queries: [{ id: "a", query, ...groups }],
    ...more,
  });
  if (of.language !== "insights") {
    const best = pictureOf(of);
    const all =
      of.language === "promql"
        ? (["line", "area", "number", "table"] as const)
        : [best, ...picturesOf(of).filter((one) => one !== best)];
    const queries = [{ id: "a", query: of.query, language: of.language, ...groups }];
    return all.map((as) => ({ id: as, kind: as, queries }));
  }
  if (!keepsEvents(of.query)) {
    const drawn: Readonly<Record<string, PanelKind>> = {
      line: "line",
      area: "area",
      bar: "bar",
      top: "bar",
      number: "number",
    };
    const best = drawn[kind] ?? "table";
    const all: PanelKind[] = ["line", "area", "bar", "pie", "number", "heatmap", "table"];
    return [best, ...all.filter((one) => one !== best)].map((as) =>
      panel(as, as, of.query, as === "area" || as === "bar" ? { stack: true } : {}),
    );
  }
  const counted = (by: string) =>
    of.query.trim() === "" ? `stats count(*) as events by ${by}` : `${of.query}\n| stats count(*) as events by ${by}`;
  const isCut = commands(of.query).some(({ name }) => ["limit", "head", "tail", "sort"].includes(name));
  const rowPanel = panel("logs", "logs", of.query);
  // A count of rows that a limit cut would be a count of the limit.
  if (isCut) return [rowPanel];
  return [
    panel("bar", "bar", counted("bin($__interval), @level"), { stack: true, nulls: "zero" }),
    rowPanel,
    { ...panel("number", "number", counted("bin($__interval)"), { unit: "count" }) },
  ];
}
