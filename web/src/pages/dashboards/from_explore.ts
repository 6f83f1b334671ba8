// From what Explore shows to panels that show the same.

import type { BoardPanel, PanelKind } from "../../api/dashboards.ts";
import { commands, keepsEvents } from "../../query/lex.ts";
import type { View } from "../../view.ts";

/** Returns the panels that show what a view of Explore shows; the first suits it best. */
export function panelsFor(
  of: Pick<View, "language" | "query" | "groups">,
  kind: string,
): Omit<BoardPanel, "x" | "y" | "w" | "h">[] {
  const groups = of.groups.length > 0 ? { groups: [...of.groups] } : {};
  const panel = (id: string, as: PanelKind, query: string, more: Partial<BoardPanel> = {}) => ({
    id,
    kind: as,
    queries: [{ id: "a", query, ...groups }],
    ...more,
  });
  if (of.language === "promql")
    return (["line", "area", "number", "table"] as const).map((as) => ({
      id: as,
      kind: as,
      queries: [{ id: "a", query: of.query, language: "promql" as const, ...groups }],
    }));
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
