// What a comparison is about, as the address has it: which events, against which. Nothing here touches the document.

import type { Side } from "../api/cause.ts";
import { addFilter, headOf } from "../query/edit.ts";
import type { View } from "../view.ts";

/** What a selection is compared with: the rest of the range, other events of the same time, the time before. */
export type Baseline = "range" | "rest" | "before";

/** A comparison to ask for. */
export interface Comparison {
  selection: Side;
  baseline: Side | "before" | "rest";
  kind: Baseline;
  /** Baselines that make sense for the selection; the first is the one that suits it best. */
  offered: Baseline[];
}

/** Parses the selected part of the range; `null` if the text is none. */
export function selectedTime(text: string): { from: number; to: number } | null {
  const [a, b, ...rest] = text.split("_").map(Number);
  if (rest.length > 0 || a === undefined || b === undefined || !Number.isFinite(a) || !Number.isFinite(b)) return null;
  return { from: Math.min(a, b), to: Math.max(a, b) };
}

/** The text of a part of the range for the address. */
export function selectionText(from: number, to: number): string {
  return `${Math.round(from)}_${Math.round(to)}`;
}

function iso(ms: number): string {
  // The server refuses years that need more than four digits.
  return new Date(Math.min(Math.max(0, Math.round(ms)), 253_402_300_799_999)).toISOString();
}

/** The comparison that a view shows, whose range is from `start` to `end` in ms since the epoch. */
export function comparisonOf(of: View, [start, end]: readonly [number, number]): Comparison {
  const time = selectedTime(of.selection);
  const [from, to] = time === null ? [start, end] : [time.from, Math.max(time.to, time.from + 1)];
  const base = headOf(of.query);
  const query = of.chosen === "" ? base : addFilter(base, of.chosen);
  const isPart = time !== null && (from > start + 1 || to < end - 1);
  const offered: Baseline[] = [
    ...(isPart || of.chosen !== "" ? (["range"] as const) : []),
    ...(query.trim() === "" ? [] : (["rest"] as const)),
    "before",
  ];
  const kind = offered.find((one) => one === of.baseline) ?? offered[0] ?? "before";
  const scope = { groups: of.groups };
  // An open end lets the server include what runs slightly ahead of its clock.
  const selection =
    time === null ? { query, from: of.from, to: of.to, ...scope } : { query, from: iso(from), to: iso(to), ...scope };
  if (kind !== "range") return { selection, baseline: kind, kind, offered };
  const inTime = isPart ? [`@timestamp >= "${iso(from)}"`, `@timestamp < "${iso(to)}"`] : [];
  const inside = [...(of.chosen === "" ? [] : [of.chosen]), ...inTime].join(" and ");
  const outside = { query: addFilter(base, `not (${inside})`), from: of.from, to: of.to, ...scope };
  return { selection, baseline: outside, kind, offered };
}
