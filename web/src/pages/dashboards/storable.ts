// A document as the server stores it: without what its panels do not use, and without what is empty.

import type { BoardPanel, BoardText, Variable } from "../../api/dashboards.ts";

/** Returns an object without empty texts and lists, and without what says nothing. */
function lean<T extends object>(of: T): T {
  const isEmpty = (value: unknown) =>
    value === undefined || value === "" || value === false || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(of).filter(([, value]) => !isEmpty(value))) as T;
}

function panelOf(panel: BoardPanel): BoardPanel {
  const { queries, expression, thresholds, text, ...rest } = panel;
  const asks = panel.kind !== "text" && panel.kind !== "map";
  const ascending = [...(thresholds ?? [])].sort((a, b) => a.value - b.value);
  return lean({
    ...rest,
    ...(asks && queries ? { queries: queries.map((one) => ({ ...lean(one), query: one.query })) } : {}),
    ...(asks && expression !== undefined ? { expression } : {}),
    // Of two thresholds at one value the later one is meant.
    ...(asks ? { thresholds: ascending.filter(({ value }, at) => ascending[at + 1]?.value !== value) } : {}),
    ...(panel.kind === "text" && text !== undefined ? { text } : {}),
  });
}

const variableOf = (variable: Variable) => lean(variable);

/** Returns the document to store. */
export function storable(of: BoardText): BoardText {
  return {
    ...lean({ ...of, variables: (of.variables ?? []).map(variableOf) }),
    title: of.title,
    panels: of.panels.map(panelOf),
  };
}

/** Adds the titles of panels to a message that names their places, as `panels[3].queries[0]: …`. */
export function withTitles(message: string, { panels }: Pick<BoardText, "panels">): string {
  return message.replace(/^panels\[(\d+)\]/, (place, at: string) => {
    const title = panels[Number(at)]?.title ?? "";
    return title === "" ? place : `“${title}” (${place})`;
  });
}
