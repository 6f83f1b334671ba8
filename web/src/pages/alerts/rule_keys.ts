// What a rule of each kind may say, and how it is typed. The server knows what is right; this only shows it.

import type { RuleText } from "../../api/alerts.ts";
import type { Json } from "../../query/edit.ts";
import { text } from "../../texts.ts";

/** How a value is typed: as it is, a number, names with commas between them, or `name = text` on lines. */
export type Typed = "text" | "number" | "list" | "lines" | "pairs" | "choice" | "flag" | "json";

/** One key of a rule. */
export interface RuleKey {
  key: string;
  label: string;
  typed: Typed;
  placeholder?: string;
  choices?: readonly string[];
}

const WINDOW: RuleKey = { key: "window", label: text("Over"), typed: "text", placeholder: "5m" };
const CONDITION: RuleKey = { key: "condition", label: text("Fires when"), typed: "text" };
const BY: RuleKey = { key: "by", label: text("Fields that name it"), typed: "list", placeholder: "host" };
const MIN_COUNT: RuleKey = { key: "min_count", label: text("Minimum count"), typed: "number", placeholder: "10" };
const BAD: RuleKey = { key: "bad", label: text("Bad events"), typed: "text", placeholder: "status >= 500" };

/** Kinds, with what people call them, and the keys that not every kind has. */
export const KINDS: readonly { kind: string; title: string; keys: readonly RuleKey[] }[] = [
  {
    kind: "threshold",
    title: text("a number beyond a limit"),
    keys: [WINDOW, { ...CONDITION, placeholder: "count > 5" }],
  },
  {
    kind: "pattern",
    title: text("lines never seen before, or far more of them"),
    keys: [
      WINDOW,
      { key: "baseline", label: text("Compared with the time before"), typed: "text", placeholder: "24h" },
      { key: "jump", label: text("Factor"), typed: "number", placeholder: "5" },
      MIN_COUNT,
      BY,
      { key: "limit", label: text("Separate alerts, at most"), typed: "number", placeholder: "20" },
    ],
  },
  {
    kind: "absence",
    title: text("something that went silent"),
    keys: [
      WINDOW,
      BY,
      { key: "expect", label: text("Must be there"), typed: "json", placeholder: '[{"host": "db-1"}]' },
      { key: "forget", label: text("Forgotten after"), typed: "text", placeholder: "24h" },
    ],
  },
  {
    kind: "ratio",
    title: text("a share of bad events"),
    keys: [WINDOW, BAD, { ...CONDITION, placeholder: "value > 0.05" }, BY, MIN_COUNT],
  },
  {
    kind: "burn_rate",
    title: text("an objective at risk"),
    keys: [
      { key: "objective", label: text("Objective"), typed: "number", placeholder: "0.999" },
      BAD,
      BY,
      MIN_COUNT,
      {
        key: "windows",
        label: text("Long and short windows"),
        typed: "json",
        placeholder: '[{"long": "1h", "short": "5m", "factor": 14.4}]',
      },
    ],
  },
  {
    kind: "anomaly",
    title: text("a number that is unusual for that time"),
    keys: [
      WINDOW,
      { key: "season", label: text("Repeats every"), typed: "choice", choices: ["1d", "1w"] },
      { key: "history", label: text("Looks back"), typed: "text", placeholder: "7d" },
      { key: "band", label: text("Deviations"), typed: "number", placeholder: "3" },
      { key: "direction", label: text("Direction"), typed: "choice", choices: ["both", "up", "down"] },
    ],
  },
  {
    kind: "composite",
    title: text("a combination of rules"),
    keys: [{ key: "when", label: text("Fires when"), typed: "text", placeholder: '"errors" and not "deploy"' }],
  },
];

const GROUPS: RuleKey = { key: "groups", label: text("Groups"), typed: "list", placeholder: "*" };

/** What every rule may say beside. */
export const REST: readonly RuleKey[] = [
  { key: "interval", label: text("Every"), typed: "text", placeholder: "30s" },
  { key: "for", label: text("Must hold for"), typed: "text", placeholder: "0s" },
  { key: "keep_firing_for", label: text("Keeps firing for"), typed: "text", placeholder: "0s" },
  {
    key: "missing",
    label: text("Missing data counts as"),
    typed: "choice",
    choices: ["ok", "alarm", "keep", "insufficient"],
  },
  { key: "datapoints", label: text("M of N evaluations"), typed: "json", placeholder: '{"to_alarm": 3, "of": 5}' },
  {
    key: "language",
    label: text("Language"),
    typed: "choice",
    choices: ["insights", "logql", "lucene", "kql", "filter-pattern", "promql"],
  },
  { key: "notify", label: text("Notifies"), typed: "flag", choices: ["true", "false"] },
  { key: "topics", label: text("Topics"), typed: "list", placeholder: "ops" },
  { key: "labels", label: text("Labels"), typed: "pairs", placeholder: "severity = page" },
  {
    key: "annotations",
    label: text("Texts for people"),
    typed: "pairs",
    placeholder: "summary = {{ .value }} errors in {{ index .labels `@log` }}",
  },
];

/** A value as it is typed. */
export function typedOf(value: Json | undefined, typed: Typed): string {
  if (value === undefined || value === null) return "";
  if (typed === "list" && Array.isArray(value)) return value.map(String).join(", ");
  if (typed === "pairs" && typeof value === "object" && !Array.isArray(value))
    return Object.entries(value)
      .map(([name, one]) => `${name} = ${typeof one === "string" ? one.replaceAll("\n", " ") : JSON.stringify(one)}`)
      .join("\n");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What was typed as a value; nothing where nothing was. What is no JSON stays a text, and the server says what is wrong with it. */
export function valueOf(text: string, typed: Typed): Json | undefined {
  if (text.trim() === "") return undefined;
  if (typed === "list")
    return text
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== "");
  if (typed === "pairs") {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return Object.fromEntries(
      lines.map((line) => {
        const at = line.indexOf("=");
        return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
      }),
    );
  }
  if (typed === "text" || typed === "choice") return text.trim();
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text.trim();
  }
}

/** Every key that a rule of a kind may have, in the order of the form. */
export function keysOf(kind: string): readonly RuleKey[] {
  const own = KINDS.find((one) => one.kind === kind)?.keys ?? [];
  return [GROUPS, ...own, ...REST];
}

/** What the form holds, as a rule; keys that no input shows stay as they were. */
export function ruleOf(
  before: Readonly<Record<string, Json | undefined>>,
  typed: Readonly<Record<string, string>>,
): RuleText {
  const kind = typed["kind"] ?? "threshold";
  const all = new Set(KINDS.flatMap((one) => keysOf(one.kind)).map(({ key }) => key));
  const kept = Object.entries(before).filter(
    ([name, value]) => value !== undefined && !all.has(name) && !["name", "kind", "query"].includes(name),
  );
  const rule: RuleText = { ...Object.fromEntries(kept), name: (typed["name"] ?? "").trim() };
  if (kind !== "threshold") rule.kind = kind;
  if (kind !== "composite") rule.query = typed["query"] ?? "";
  for (const { key, typed: how } of keysOf(kind)) {
    const value = valueOf(typed[key] ?? "", how);
    if (value !== undefined) rule[key] = value;
  }
  return rule;
}

/** Whether a key is asked for at once; the others are under *More*. */
export function isMain({ key }: RuleKey): boolean {
  return key === "condition" || key === "when" || key === "objective";
}

/** Longest part of a query in a suggested name. */
const NAME_CHARS_MAX = 50;

/** A name for a rule that watches a query, which no other rule has. */
export function suggestedName(query: string, groups: readonly string[], taken: readonly string[]): string {
  const isErrors = /@level\s*>=\s*"error"|@level\s*=\s*"error"/.test(query);
  const text = query.replaceAll(/\s+/g, " ").replace(/^\s*filter\s+/, "");
  const what = isErrors ? "errors" : text.trim().slice(0, NAME_CHARS_MAX).trim();
  const name = [what || "events", ...(groups.length > 0 ? [groups.join(", ")] : [])].join(" in ");
  for (let n = 1; ; n += 1) {
    const tried = n === 1 ? name : `${name} ${n}`;
    if (!taken.includes(tried)) return tried;
  }
}
