// The width of the bins that a query counts by, as its text says it.

import { lex, type Token } from "./lex.ts";

export const SECOND = 1000;
const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

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
export function binOf({
  query,
  language = "insights",
}: {
  query: string;
  language?: string | undefined;
}): number | null {
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
