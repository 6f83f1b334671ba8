// The instants that a panel's series are asked for. An expression joins series with counts by bins: series then have one
// point a bin, so that a point at the end of a bin can be computed with the count of that bin.

import type { BoardPanel, PanelQuery } from "../../api/dashboards.ts";
import type { Steps } from "../../api/metrics.ts";
import { stepsOf } from "../../metrics/range.ts";
import { lex, type Token } from "../../query/lex.ts";
import { isSeries } from "./answers.ts";

/** A day of minutes: with more points than that, few series fit into one answer. */
const BINS_MAX = 1500;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The span of `timechart` without `span`. */
const TIMECHART = 5 * MINUTE;

/** Units whose length no calendar changes. */
const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^s(?:ecs?|econds?)?$/i, SECOND],
  [/^m(?:ins?|inutes?)?$/, MINUTE],
  [/^(?:mins?|minutes?)$/i, MINUTE],
  [/^h(?:rs?|ours?)?$/i, HOUR],
];

function lengthOf(amount: string, unit: string): number | null {
  const found = UNITS.find(([pattern]) => pattern.test(unit));
  const length = found === undefined ? NaN : Number(amount) * found[1];
  return length > 0 ? length : null;
}

/** Returns the length of time that a token and the one after it name, as `5m` or `5 minutes`. */
function durationAt(tokens: readonly Token[], at: number): number | null {
  const [, amount = "", unit = ""] = /^([\d.]+)([a-z]*)$/i.exec(tokens[at]?.text ?? "") ?? [];
  return lengthOf(amount, unit || (tokens[at + 1]?.text ?? ""));
}

/** Functions that round times down to spans. */
const BINNING = /^(?:bin|datefloor|bucket|tbucket|date_trunc)$/i;

/**
 * Returns the width of the bins that a query counts by, in ms, whatever the zone; `null` if it has none, or if the zone
 * or the calendar decides where they begin.
 */
export function binOf({ query, language = "insights" }: PanelQuery): number | null {
  if (language !== "insights" && language !== "esql") return null;
  const tokens = lex(query).filter(({ kind }) => !["space", "newline", "comment"].includes(kind));
  const stats = tokens.findLastIndex(({ text }) => /^(?:stats|timechart)$/i.test(text));
  const called = tokens.findLastIndex(({ text }, at) => BINNING.test(text) && tokens[at + 1]?.text === "(");
  if (/^timechart$/i.test(tokens[stats]?.text ?? "") && called < stats) {
    const span = tokens.findIndex(({ text }, at) => at > stats && /^span$/i.test(text) && tokens[at + 1]?.text === "=");
    return span < 0 ? TIMECHART : durationAt(tokens, span + 2);
  }
  const end = tokens.findIndex(({ text }, at) => at > called && text === ")");
  if (stats < 0 || called < 0) return null;
  const amount = tokens.findIndex(({ kind }, at) => at > called && at < end && kind === "number");
  return amount < 0 ? null : durationAt(tokens, amount);
}

/** Reports whether a panel computes with the answers to its queries. */
export const hasExpression = ({ expression }: Pick<BoardPanel, "expression">) => (expression ?? "").trim() !== "";

/** Returns the width that all bins of the queries have; `null` if they have none or several. */
function binOfAll(queries: readonly PanelQuery[]): number | null {
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
