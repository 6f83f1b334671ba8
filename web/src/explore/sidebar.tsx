// The fields of what matches: how many events have each, and, opened, its numbers and most frequent values. The ones that
// somebody pins stand first, in this browser.

import { signal } from "@preact/signals";

import * as api from "../api.ts";
import type { Field } from "../api.ts";
import { askFields, counts, fieldList } from "../ask.ts";
import { compact, count, cut, oneLine, percent } from "../format.ts";
import { IconButton } from "../parts/icons.tsx";
import { later } from "../parts/later.tsx";
import { useRove } from "../parts/rove.ts";
import { useLane } from "../parts/use_lane.ts";
import { plural, t } from "../texts.ts";
import { asked, go, view } from "../view.ts";
import { bucketsOf } from "./buckets.ts";
import { NO_LEVEL } from "./levels.ts";
import { ValueButtons } from "./value_buttons.tsx";
import { Failure, Incomplete } from "./waiting.tsx";

const FieldNumbers = later(async () => (await import("./field_numbers.tsx")).FieldNumbers);

const PINNED = "catat.pinned";
/** Names of fields that stand first, as they were pinned. */
const pinned = signal<readonly string[]>(keptPins());
const sought = signal("");
const opened = signal<readonly string[]>([]);
const VALUES = 10;
/** Fields that are open at once: each asks for its values. */
const OPEN_MAX = 6;
const SHOWN = 300;
/** So much of the end of a longer name is never cut. */
const NAME_END_CHARS = 12;

/** System fields that are always worth a look. */
const ALWAYS = ["@level", "@log", "@logStream"];

/** Fields that senders call so, and that become system fields. */
const COPIED = ["level", "message", "timestamp"];

const TYPE_SIGNS: Record<string, string> = {
  string: "a",
  integer: "#",
  float: "#",
  boolean: "?",
  list: "[]",
  timestamp: "◷",
};

function keptPins(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(PINNED) ?? "[]");
    return Array.isArray(kept) ? kept.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

function togglePin(name: string): void {
  const now = pinned.peek();
  pinned.value = now.includes(name) ? now.filter((one) => one !== name) : [...now, name];
  try {
    localStorage.setItem(PINNED, JSON.stringify(pinned.peek()));
  } catch {
    // Storage is switched off: it stands first until the page is closed.
  }
}

function sign(types: readonly string[]): string {
  return types.length > 1 ? "*" : (TYPE_SIGNS[types[0] ?? ""] ?? "a");
}

/** A system field that the server does not list: every event has a group, and how many have a level is counted by the chart. */
function systemField(name: string): Field {
  const buckets = bucketsOf(counts.value.data?.buckets ?? []);
  const total = buckets.reduce((sum, one) => sum + one.total, 0);
  const without = name === "@level" ? buckets.reduce((sum, one) => sum + (one.by[NO_LEVEL] ?? 0), 0) : 0;
  const isKnown = name !== "@logStream" && total > 0 && counts.value.state === "done";
  const share = isKnown ? (total - without) / total : -1;
  return { name, types: ["string"], events: total - without, share };
}

/** Whether its values are numbers and nothing else. */
function isNumeric(field: Field): boolean {
  return field.types.length > 0 && field.types.every((type) => type === "integer" || type === "float");
}

/** The fields that are listed at once; copies, which come last, are among them however many others there are. */
function firstOf(found: readonly Field[]): readonly Field[] {
  if (found.length <= SHOWN) return found;
  const isCopy = ({ name }: Field) => COPIED.includes(name) && !pinned.value.includes(name);
  const copies = found.filter(isCopy);
  const others = found.filter((field) => !isCopy(field));
  return [...others.slice(0, SHOWN - copies.length), ...copies];
}

/** The list of fields. */
export function Sidebar() {
  const rove = useRove(".field-row, .values li");
  const lane = fieldList.value;
  const all = lane.data?.fields ?? [];
  const text = sought.value.trim().toLowerCase();
  const matches = (name: string) => name.toLowerCase().includes(text);
  const system = ALWAYS.map((name) => all.find((field) => field.name === name) ?? systemField(name));
  const own = all.filter(
    (field) =>
      !ALWAYS.includes(field.name) && !["@timestamp", "@message", "@id", "@ingestionTime"].includes(field.name),
  );
  // What is mostly a copy of a system field comes last.
  const rank = ({ name }: Field) => Number(COPIED.includes(name));
  const sorted = [...own].sort((a, b) => rank(a) - rank(b) || b.share - a.share || (a.name < b.name ? -1 : 1));
  const listed = [...system, ...sorted];
  // One that is pinned is there, also where no event that matches has it: that is worth knowing.
  const pins = pinned.value.map(
    (name) => listed.find((field) => field.name === name) ?? { name, types: [], events: 0, share: 0 },
  );
  const found = [...pins, ...listed.filter((field) => !pinned.value.includes(field.name))].filter((field) =>
    matches(field.name),
  );
  return (
    <aside
      class={`sidebar${lane.state === "loading" ? " loading" : ""}`}
      aria-label={t("Fields")}
      data-testid="sidebar"
    >
      <div class="sidebar-head">
        <h2>{t("Fields")}</h2>
        <span class="dim">{lane.data ? count(own.length) : ""}</span>
        <input
          type="search"
          aria-label={t("Find a field")}
          placeholder={t("Find a field")}
          value={sought.value}
          onInput={(event) => (sought.value = event.currentTarget.value)}
        />
      </div>
      {lane.state === "error" && (
        <Failure
          what={
            lane.data
              ? t("These fields are from the previous query: {message}.", { message: lane.error?.message ?? "" })
              : t("The fields could not be loaded: {message}.", { message: lane.error?.message ?? "" })
          }
          onAgain={() => askFields(view.peek())}
        />
      )}
      {lane.data?.partial && <Incomplete what={t("Some fields are missing.")} reasons={lane.data.partial_reasons} />}
      <ul class="field-list" {...rove}>
        {firstOf(found).map((field) => (
          <FieldItem key={field.name} field={field} />
        ))}
      </ul>
      {found.length > SHOWN && (
        <p class="dim">{t("{n} more; type to find one.", { n: count(found.length - SHOWN) })}</p>
      )}
      {lane.state === "done" && found.length === 0 && <p class="dim">{t("No field name contains this.")}</p>}
    </aside>
  );
}

/** Shows a long name with its middle cut out, since related names often differ only at the end. */
function FieldName({ name, title }: { name: string; title: string }) {
  const letters = [...name];
  const least = letters.length - NAME_END_CHARS;
  const end = least > 0 ? Math.max(letters.lastIndexOf("."), least) : letters.length;
  return (
    <span class="field-name" title={title}>
      <span class="ellipsis">{letters.slice(0, end).join("")}</span>
      {letters.slice(end).join("")}
    </span>
  );
}

function FieldItem({ field }: { field: Field }) {
  const open = opened.value.includes(field.name);
  const shown = view.value.columns.includes(field.name);
  const isPinned = pinned.value.includes(field.name);
  const toggle = () => {
    const now = view.peek().columns;
    go({ columns: shown ? now.filter((one) => one !== field.name) : [...now, field.name] });
  };
  return (
    <li class={open ? "open" : ""}>
      <div class="field-row">
        <button
          type="button"
          class="field-button"
          aria-expanded={open}
          data-testid="field"
          data-name={field.name}
          onClick={() =>
            (opened.value = open
              ? opened.peek().filter((name) => name !== field.name)
              : [...opened.peek(), field.name].slice(-OPEN_MAX))
          }
        >
          <span class="type" title={field.types.join(", ")} aria-hidden="true">
            {sign(field.types)}
          </span>
          <FieldName name={oneLine(field.name, 200)} title={oneLine(field.name, 500)} />
          {field.share >= 0 && (
            <span
              class="dim number"
              data-testid="coverage"
              title={plural(
                field.events,
                "in {n} event",
                "in {n} events",
                `${field.approximate ? "≈ " : ""}${count(field.events)}`,
              )}
            >
              {field.approximate ? "≈ " : ""}
              {percent(Math.min(1, field.share))}
            </span>
          )}
        </button>
        <span class="field-acts">
          <IconButton
            icon="pin"
            data-testid="pin"
            aria-pressed={isPinned}
            aria-label={t("Pin {field}", { field: field.name })}
            title={isPinned ? t("Pinned: shown first") : t("Pin: show first")}
            onClick={() => togglePin(field.name)}
          />
          <IconButton
            icon="column"
            aria-pressed={shown}
            aria-label={t("Show {name} as a column", { name: field.name })}
            title={t("Show as a column")}
            onClick={toggle}
          />
        </span>
      </div>
      {open && isNumeric(field) && <FieldNumbers name={field.name} />}
      {open && <TopValues field={field} />}
    </li>
  );
}

function TopValues({ field }: { field: Field }) {
  const of = view.value;
  const { lane, ask } = useLane(
    (abort) => api.fieldValues(field.name, of.query, of, VALUES, abort),
    [field.name, of.query, of.from, of.to, of.groups.join(","), asked.value],
  );
  const data = lane.value.data;
  if (lane.value.state === "error")
    return (
      <Failure
        what={t("The values could not be counted: {message}.", { message: lane.value.error?.message ?? "" })}
        onAgain={ask}
      />
    );
  if (!data) return <p class="dim values-wait">{t("counting…")}</p>;
  if (data.values.length === 0) return <p class="dim values-wait">{t("No matching event has this field.")}</p>;
  return (
    <div class="values" data-testid="values">
      <ol>
        {data.values.map(({ value, count: n, share }) => (
          <li
            key={JSON.stringify(value)}
            data-field={field.name}
            data-value={typeof value === "string" ? cut(value, 2000) : JSON.stringify(value)}
          >
            <div class="value-line">
              <span class="ellipsis" title={oneLine(value, 500)}>
                {value === "" ? t("(empty)") : oneLine(value, 200)}
              </span>
              <span class="number" title={t("{n} of {all} events", { n: count(n), all: count(data.total) })}>
                {compact(n)}
              </span>
              <span class="dim number">{percent(share)}</span>
              <ValueButtons name={field.name} value={value} withColumn={false} />
            </div>
            <span class="meter" aria-hidden="true">
              <span style={{ width: `${100 * Math.min(1, share)}%` }} />
            </span>
          </li>
        ))}
      </ol>
      {data.partial && <Incomplete what={t("These counts are incomplete.")} reasons={data.partial_reasons} />}
      <p class="dim">
        {field.approximate ? "≈ " : ""}
        {t("{n} distinct in {all} events", { n: count(data.distinct), all: count(data.total) })}
      </p>
    </div>
  );
}
