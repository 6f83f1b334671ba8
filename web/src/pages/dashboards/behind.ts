// From a point of a panel to the lines behind it, in Explore.

import type { BoardPanel } from "../../api/dashboards.ts";
import { selectionText } from "../../explore/comparison.ts";
import { NOTHING } from "../../explore/series.ts";
import { addFilter, canBeNamed, condition, headOf } from "../../query/edit.ts";
import { view, type View } from "../../view.ts";
import type { PanelSeries } from "./answers.ts";
import { askedText, type BoardRange, type PanelData } from "./ask.ts";
import type { Choices } from "./variables.ts";

/** Explore as it opens: nothing of what was chosen there before is meant now. */
const PLAIN: Partial<View> = {
  row: "",
  live: false,
  refresh: 0,
  panel: "rows",
  around: "",
  columns: [],
  layout: [],
  sort: "",
  chart: "",
  find: "",
};

/** Whether a column is a field that can be filtered by, and nothing computed. */
const isField = (name: string) => canBeNamed(name) && !/[()\s]/.test(name);

/** Returns the query of the events that a series counts. */
function narrowed(text: string, series: PanelSeries | null, data: PanelData["data"][number] | undefined): string {
  let query = headOf(text);
  for (const [name, value] of Object.entries(series?.labels ?? {})) {
    const type = data?.columns.find((column) => column.name === name)?.type;
    if (type === undefined || !isField(name)) continue;
    const isNumber = type === "integer" || type === "float";
    query = addFilter(query, condition(name, "include", value === NOTHING ? null : isNumber ? Number(value) : value));
  }
  return query;
}

/** Returns the view of the lines behind a panel, or behind a part of one of its series. */
export function behind(
  panel: BoardPanel,
  choices: Choices,
  range: BoardRange,
  answered: PanelData | null,
  series: PanelSeries | null,
  part: { from: number; to: number } | null,
): Partial<View> {
  const at = series?.query ?? 0;
  const query = panel.queries?.[at] ?? { query: "" };
  const language = query.language ?? "insights";
  const iso = (ms: number) => new Date(Math.round(ms)).toISOString().replace(".000Z", "Z");
  const { from, to } = view.peek();
  const time = part === null ? { from, to } : { from: iso(part.from), to: iso(part.to) };
  const base = { ...PLAIN, page: "explore" as const, language: "insights" as const };
  const groups = query.groups ?? [];
  if (language === "promql") {
    const selection = part === null ? "" : selectionText(part.from, part.to);
    return {
      ...base,
      language,
      query: askedText(panel, query, choices, range),
      groups,
      from,
      to,
      selection,
      logs: "",
      line: "",
    };
  }
  if (language !== "insights")
    return { ...base, ...time, language, groups, chart: panel.kind, query: askedText(panel, query, choices, range) };
  const text = askedText({ kind: "table" }, query, choices, range);
  const isWhole = part === null && series === null;
  return {
    ...base,
    ...time,
    groups,
    ...(isWhole ? { chart: panel.kind } : {}),
    query: isWhole ? text : narrowed(text, series, answered?.data[at]),
  };
}
