// The heads of tables, and the order of values in them.

import type { ComponentChildren } from "preact";

import type { Json } from "../query/edit.ts";

/** The heads of a table's columns, and the classes of each. */
export function Heads({
  of,
  class: own,
}: {
  of: readonly (readonly [head: ComponentChildren, columnClass?: string])[];
  class?: string;
}) {
  return (
    <thead class={own}>
      <tr>
        {of.map(([head, columnClass], at) => (
          <th key={at} scope="col" class={columnClass}>
            {head}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** The order of two cells: numbers by size, others as texts, empty ones last. */
export function compare(a: Json | undefined, b: Json | undefined): number {
  const none = (value: Json | undefined) => value === null || value === undefined;
  if (none(a) || none(b)) return Number(none(a)) - Number(none(b));
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [x, y] = [String(a), String(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The head of a column that sorts the table; `isDown` is `null` if the table is sorted by another column. */
export function SortHead({
  isNumeric,
  isDown,
  onSort,
  children,
}: {
  isNumeric: boolean;
  isDown: boolean | null;
  onSort: () => void;
  children: ComponentChildren;
}) {
  return (
    <th
      scope="col"
      class={isNumeric ? "numeric" : ""}
      aria-sort={isDown === null ? "none" : isDown ? "descending" : "ascending"}
    >
      <button type="button" onClick={onSort}>
        {children}
        <span class="sort" aria-hidden="true">
          {isDown === null ? "" : isDown ? "↓" : "↑"}
        </span>
      </button>
    </th>
  );
}
