// The instants that a panel's series are asked for. An expression joins series with counts by bins: series then have one
// point a bin, so that a point at the end of a bin can be computed with the count of that bin.

import type { BoardPanel, PanelQuery } from "../../api/dashboards.ts";
import type { Steps } from "../../api/metrics.ts";
import { stepsOf } from "../../metrics/range.ts";
import { binOf, DAY, HOUR, SECOND } from "../../query/bin_width.ts";
import { isSeries } from "./answers.ts";

/** A day of minutes: with more points than that, few series fit into one answer. */
const BINS_MAX = 1500;
/** Reports whether a panel computes with the answers to its queries. */
export const hasExpression = ({ expression }: Pick<BoardPanel, "expression">) => (expression ?? "").trim() !== "";

/** Returns the width that all bins of the queries have; `null` if they have none or several. */
export function binOfAll(queries: readonly PanelQuery[]): number | null {
  const widths = new Set(queries.filter((query) => !isSeries(query)).map(binOf));
  widths.delete(null);
  const [width = null] = widths;
  return widths.size === 1 ? width : null;
}

/**
 * Returns the instants that a panel's series are asked for, and whether these are the ends of its bins. `queries` have
 * their values filled in; `ahead` is how far the zone's clock is ahead of UTC, in ms.
 */
export function panelSteps(
  panel: Pick<BoardPanel, "expression">,
  queries: readonly PanelQuery[],
  range: { from: number; to: number },
  ahead: number,
): Steps & { isBin: boolean } {
  const own = stepsOf([range.from, range.to]);
  const width = hasExpression(panel) && queries.some(isSeries) ? binOfAll(queries) : null;
  // Longer bins follow the clock of the zone, in ES|QL that of UTC, and steps count from the epoch.
  const ofZone = queries.some((query) => query.language !== "esql" && binOf(query) !== null) ? ahead : 0;
  const isAligned = width !== null && width % SECOND === 0 && (width < HOUR || (width < DAY && ofZone % HOUR === 0));
  if (!isAligned || Math.floor((range.to - range.from) / width) > BINS_MAX) return { ...own, isBin: false };
  // The end of the first bin that lies wholly in the range: a bin that the range cuts has only a part of its events.
  const from = Math.ceil(range.from / width) * width + width;
  return from <= range.to ? { from, to: range.to, step: width, isBin: true } : { ...own, isBin: false };
}
