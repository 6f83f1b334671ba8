// What can be done with a field and one of its values: filter by it, make it a column, copy it.

import { cut } from "../format.ts";
import { filterBy, filtered } from "../keys.ts";
import { IconButton } from "../parts/icons.tsx";
import { copy } from "../parts/layers.tsx";
import { hasFilter, onlyFilter, type Json } from "../query/edit.ts";
import { t } from "../texts.ts";
import { draft, go, view } from "../view.ts";

/** A value as it is copied. */
export function valueToText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function toggleColumn(name: string): void {
  const now = view.peek().columns;
  go({ columns: now.includes(name) ? now.filter((one) => one !== name) : [...now, name] });
}

/** The buttons of a field and value. */
export function ValueButtons({
  name,
  value,
  withColumn = true,
  isWhole = true,
}: {
  name: string;
  value: Json;
  withColumn?: boolean;
  isWhole?: boolean;
}) {
  const simple = typeof value !== "object" || value === null;
  // A branch of dotted names is no field: only what it says can be copied.
  if (!isWhole)
    return (
      <span class="value-buttons">
        <CopyButton name={name} value={value} />
      </span>
    );
  const text = (filtered.value?.text ?? draft).value;
  const shown = view.value.columns.includes(name);
  const short = cut(valueToText(value), 40);
  return (
    <span class="value-buttons">
      {simple && (
        <IconButton
          icon="plus"
          data-testid="include"
          aria-pressed={hasFilter(text, name, "include", value)}
          aria-label={t("Show only events where {field} is {value}", { field: name, value: short })}
          title={t("Include this value")}
          onClick={() => filterBy(name, "include", value)}
        />
      )}
      {simple && (
        <IconButton
          icon="minus"
          data-testid="exclude"
          aria-pressed={hasFilter(text, name, "exclude", value)}
          aria-label={t("Hide events where {field} is {value}", { field: name, value: short })}
          title={t("Exclude this value")}
          onClick={() => filterBy(name, "exclude", value)}
        />
      )}
      {simple && (
        <IconButton
          icon="only"
          data-testid="only"
          aria-pressed={hasFilter(text, name, "include", value) && onlyFilter(text, name, value) === text}
          aria-label={t("Show only {field} {value}, instead of other filters of this field", {
            field: name,
            value: short,
          })}
          title={t("Only this value, instead of other filters on the field")}
          onClick={() => filterBy(name, "only", value)}
        />
      )}
      {withColumn && (
        <IconButton
          icon="exists"
          data-testid="exists"
          aria-pressed={hasFilter(text, name, "exists", value)}
          aria-label={t("Show only events that have {field}", { field: name })}
          title={t("Has this field")}
          onClick={() => filterBy(name, "exists", null)}
        />
      )}
      {withColumn && (
        <IconButton
          icon="column"
          data-testid="column"
          aria-pressed={shown}
          aria-label={t("Show {name} as a column", { name })}
          title={t("Show as a column")}
          onClick={() => toggleColumn(name)}
        />
      )}
      <CopyButton name={name} value={value} />
    </span>
  );
}

function CopyButton({ name, value }: { name: string; value: Json }) {
  return (
    <IconButton
      icon="copy"
      aria-label={t("Copy the value of {name}", { name })}
      title={t("Copy")}
      onClick={() => void copy(valueToText(value), t("Value"))}
    />
  );
}
