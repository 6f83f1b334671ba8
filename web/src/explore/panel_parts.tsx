// What the panels of changes and of patterns share.

import type { ComponentChildren } from "preact";

import type { Counted } from "../api/changes.ts";
import { span } from "../format.ts";
import { addFilter } from "../query/edit.ts";
import { fullText } from "../time.ts";
import { draft, go, view } from "../view.ts";

/** Adds a condition to the query, or its opposite, and shows the rows. */
export function narrow(condition: string, excludes: boolean): void {
  go({
    query: addFilter(draft.peek(), excludes ? `not (${condition})` : condition),
    row: "",
    ...(excludes ? {} : { panel: "rows" }),
  });
}

/** Nothing to show, and what to do about it. */
export function Nothing({ title, hint, children }: { title: string; hint: string; children?: ComponentChildren }) {
  return (
    <div class="state" data-testid="panel-empty">
      <h2>{title}</h2>
      <p>{hint}</p>
      {children}
    </div>
  );
}

/** Stands for the parts of a pattern that differ from line to line, which the server writes as `<*>`. */
const ANY = "…";

/** A pattern, or a sentence of the server with one, as people read it. */
export function patternText(pattern: string): string {
  return pattern.replaceAll("<*>", ANY);
}

/** A pattern's text, its wildcards set back. */
export function PatternText({ pattern }: { pattern: string }) {
  return (
    <>
      {pattern.split("<*>").map((part, at) => (
        <>
          {at > 0 && <span class="any">{ANY}</span>}
          {part}
        </>
      ))}
    </>
  );
}

/** Counts over time as a row of thin bars. */
export function Spark({ counts, level }: { counts: readonly (readonly [string, number])[]; level: string }) {
  const top = counts.reduce((most, [, n]) => Math.max(most, n), 1);
  const width = 90 / Math.max(1, counts.length);
  return (
    <svg
      class={`spark level-${level}`}
      viewBox="0 0 90 18"
      preserveAspectRatio="none"
      width="90"
      height="18"
      aria-hidden="true"
      focusable="false"
    >
      {counts.map(
        ([time, n], at) =>
          n > 0 && (
            <rect
              key={time}
              class="bar"
              x={at * width}
              width={Math.max(1, width - 0.6)}
              y={18 - Math.max(1.5, (n / top) * 18)}
              height={Math.max(1.5, (n / top) * 18)}
            />
          ),
      )}
    </svg>
  );
}

/** A range in words: when, and how long. */
export function lengthText(range: Counted): string {
  const [from, to] = [Date.parse(range.from), Date.parse(range.to)];
  return `${fullText(from, view.value.zone)} (${span(Math.max(1, Math.round((to - from) / 1000) * 1000))})`;
}

/** Opens a row among those around it. */
export function showRow(id: string, time: string): void {
  const at = Date.parse(time);
  const iso = (ms: number) => new Date(ms).toISOString();
  go({ panel: "rows", row: id, from: iso(at - 300_000), to: iso(at + 1000), query: "" });
}
