// PromQL as text: its tokens for colours and completion, the query that a click on a metric makes, and the edits that clicks
// on labels make. What a query means is the server's business.

import { NAME } from "../api/metrics.ts";
import type { Token, TokenKind } from "../query/lex.ts";

/** Operators over series. */
export const AGGREGATIONS: readonly string[] = [
  "sum",
  "avg",
  "min",
  "max",
  "count",
  "topk",
  "bottomk",
  "quantile",
  "stddev",
  "stdvar",
  "group",
  "count_values",
];

/** Functions, the usual ones first. */
export const FUNCTIONS: readonly string[] = (
  "rate increase irate histogram_quantile avg_over_time max_over_time min_over_time sum_over_time count_over_time " +
  "quantile_over_time last_over_time present_over_time absent_over_time stddev_over_time stdvar_over_time delta idelta " +
  "deriv predict_linear changes resets abs absent ceil floor round clamp clamp_max clamp_min exp ln log2 log10 sqrt sgn " +
  "label_replace label_join scalar vector time timestamp sort sort_desc day_of_month day_of_week day_of_year " +
  "days_in_month hour minute month year histogram_avg histogram_count histogram_sum histogram_fraction pi"
).split(" ");

/** Words with a meaning of their own. */
export const WORDS: readonly string[] = [
  "by",
  "without",
  "on",
  "ignoring",
  "group_left",
  "group_right",
  "bool",
  "offset",
  "anchored",
  "smoothed",
  "and",
  "or",
  "unless",
];

const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ["newline", /\n/y],
  ["space", /[^\S\n]+/y],
  ["comment", /#[^\n]*/y],
  ["string", /"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`[^`]*`?/y],
  ["number", /\d[\d.]*(?:[eE][+-]?\d+)?(?:[a-z]+\d*)*/y],
  ["word", /[\p{L}_:][\p{L}\p{N}_:.]*/uy],
  ["operator", /=~|!~|==|!=|<=|>=|[=<>+\-*/%^@]/y],
];

/** Cuts a query into tokens, which follow each other without a gap. */
export function lexPromql(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at = tokens.at(-1)?.end ?? text.length) {
    let token: Token = { kind: "punctuation", start: at, end: at + 1, text: text[at] ?? "" };
    for (const [kind, pattern] of RULES) {
      pattern.lastIndex = at;
      const found = pattern.exec(text)?.[0];
      if (found === undefined) continue;
      token = { kind, start: at, end: at + found.length, text: found };
      break;
    }
    tokens.push(token);
  }
  return tokens;
}

/** Tokens other than space and comments. */
function solid(text: string): Token[] {
  return lexPromql(text).filter(({ kind }) => !["space", "newline", "comment"].includes(kind));
}

/** A text between quotes. */
export function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
}

/** A label whose value is given. */
export interface Matcher {
  label: string;
  value: string;
}

const isPlainLabel = (name: string) => /^[A-Za-z_]\w*$/.test(name);

function matcherText({ label, value }: Matcher): string {
  return `${isPlainLabel(label) ? label : quoted(label)}=${quoted(value)}`;
}

/** The text that chooses the series of a metric. */
export function selector(metric: string, matchers: readonly Matcher[] = []): string {
  const isPlain = /^[A-Za-z_:][\w:]*$/.test(metric);
  const inner = [...(isPlain || metric === "" ? [] : [quoted(metric)]), ...matchers.map(matcherText)].join(", ");
  return `${isPlain ? metric : ""}${inner === "" ? "" : `{${inner}}`}`;
}

/** The metrics that a query names, in its order. */
export function metricsOf(query: string): string[] {
  const tokens = solid(query);
  let depth = 0;
  const found = tokens.flatMap((token, at) => {
    if (token.text === "{") depth += 1;
    if (token.text === "}") depth -= 1;
    if (token.kind === "string" && depth > 0 && /^[{,]$/.test(tokens[at - 1]?.text ?? "")) {
      return /^[,}]$/.test(tokens[at + 1]?.text ?? "}") ? [token.text.slice(1, -1)] : [];
    }
    if (token.kind !== "word" || depth > 0 || WORDS.includes(token.text.toLowerCase())) return [];
    const isCall = tokens[at + 1]?.text === "(" || AGGREGATIONS.includes(token.text);
    return isCall || isLabelList(tokens, at) ? [] : [token.text];
  });
  return [...new Set(found)];
}

/** Whether a token stands in the list of labels after `by`, `on` and so on. */
function isLabelList(tokens: readonly Token[], at: number): boolean {
  for (let n = at - 1; n > 0; n -= 1) {
    const text = tokens[n]?.text ?? "";
    if (text === "(") return WORDS.slice(0, 6).includes(tokens[n - 1]?.text.toLowerCase() ?? "");
    if (text !== "," && tokens[n]?.kind !== "word" && tokens[n]?.kind !== "string") return false;
  }
  return false;
}

/** What a metric measures, as its sender says or its name tells. A histogram without a suffix is a native one. */
export function kindOf(metric: string, said: string): "counter" | "buckets" | "histogram" | "gauge" {
  if (/_bucket$/.test(metric) && said !== "gauge") return "buckets";
  if (said === "counter" || /_total$/.test(metric)) return "counter";
  if (/_(?:count|sum)$/.test(metric) && said !== "gauge") return "counter";
  return said === "histogram" ? "histogram" : "gauge";
}

/** The window of a rate: five minutes, or two steps where these are longer. */
export function windowOf(step: number): string {
  const minutes = Math.ceil((2 * step) / 60_000);
  if (minutes <= 5) return "5m";
  return minutes % 1440 === 0 ? `${minutes / 1440}d` : minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
}

/** The query that shows a metric. */
export function queryFor(metric: string, said: string, matchers: readonly Matcher[], step: number): string {
  const chosen = selector(metric, matchers);
  const kind = kindOf(metric, said);
  if (kind === "gauge") return chosen;
  const rate = `rate(${chosen}[${windowOf(step)}])`;
  return kind === "buckets" ? `histogram_quantile(0.95, sum by (le) (${rate}))` : rate;
}

/** Returns the query with the series of a metric summed by a label; the same again takes it back. */
export function summedBy(query: string, label: string): string {
  // A quantile has no sum: its buckets are summed, and keep their bounds.
  const [, head = "", buckets = ""] = /^(histogram_quantile\(\s*[\d.e+-]+\s*,\s*)([^]*)\)$/i.exec(query.trim()) ?? [];
  if (buckets === "" || !isBalanced(buckets)) return toggledSum(query.trim(), label, []);
  const bounds = metricsOf(buckets).some((metric) => kindOf(metric, "") === "buckets") ? ["le"] : [];
  return `${head}${toggledSum(buckets.trim(), label, bounds)})`;
}

/** Returns the query with its sum by one label more or less; a sum that begins has the labels `always`. */
function toggledSum(query: string, label: string, always: readonly string[]): string {
  const name = isPlainLabel(label) ? label : quoted(label);
  const form = /^sum by \(([^()]*)\) \(([^]*)\)$/.exec(query);
  const inner = form?.[2] ?? "";
  const isOne = form !== null && isBalanced(inner);
  const names = isOne ? (form[1] ?? "").split(",").map((one) => one.trim()) : always;
  const next = names.includes(name) ? names.filter((one) => one !== name) : [...names, name];
  if (isOne && next.length === 0) return inner;
  return `sum by (${next.join(", ")}) (${isOne ? inner : query})`;
}

/** Whether every bracket of a text has its other half in it. */
function isBalanced(text: string): boolean {
  let depth = 0;
  for (const { text: one } of lexPromql(text)) {
    if (one === "(") depth += 1;
    if (one === ")") depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** Whether a query gives only the series that a comparison outside all brackets leaves. */
export function isCompared(query: string): boolean {
  const tokens = solid(query);
  let depth = 0;
  return tokens.some(({ text, end }, n) => {
    if ("({[".includes(text)) depth += 1;
    if (")}]".includes(text)) depth -= 1;
    const next = tokens[n + 1];
    // `</` and `>/` trim histograms.
    const isTrim = next?.text === "/" && next.start === end;
    const isBool = next?.text.toLowerCase() === "bool";
    return depth === 0 && ["==", "!=", "<", "<=", ">", ">="].includes(text) && !isTrim && !isBool;
  });
}

/** A selector in a query: the metric's name, and the place of its braces where it has them. */
interface Place {
  end: number;
  braces: { start: number; end: number; matchers: { text: string; start: number; end: number }[] } | null;
}

/** The selectors of a metric in a query. */
function placesOf(query: string, metric: string): Place[] {
  const tokens = solid(query);
  return tokens.flatMap((token, at): Place[] => {
    const isNamed = token.kind === "word" && token.text === metric && tokens[at + 1]?.text !== "(";
    if (!isNamed || isLabelList(tokens, at)) return [];
    if (tokens[at + 1]?.text !== "{") return [{ end: token.end, braces: null }];
    const close = tokens.findIndex((one, n) => n > at && one.text === "}");
    const last = tokens[close];
    if (!last) return [];
    const parts: { text: string; start: number; end: number }[] = [];
    for (let n = at + 2; n + 2 <= close; n += 1) {
      const [name, , value] = tokens.slice(n, n + 3);
      if (!name || !value) break;
      parts.push({
        text: query.slice(name.start, value.end).replaceAll(/\s+(?=[=!~"'`])/g, ""),
        start: name.start,
        end: value.end,
      });
      n += 3;
    }
    return [{ end: token.end, braces: { start: tokens[at + 1]?.start ?? 0, end: last.end, matchers: parts } }];
  });
}

/** Whether every selector of a metric in the query has the matcher. */
export function hasMatcher(query: string, metric: string, matcher: Matcher): boolean {
  const wanted = matcherText(matcher);
  const places = placesOf(query, metric);
  return places.length > 0 && places.every(({ braces }) => braces?.matchers.some(({ text }) => text === wanted));
}

/** The query with a matcher in every selector of a metric; without it where all have it. `null` if it does not name the metric. */
export function toggleMatcher(query: string, metric: string, matcher: Matcher): string | null {
  const places = placesOf(query, metric);
  if (places.length === 0) return null;
  const wanted = matcherText(matcher);
  const takes = hasMatcher(query, metric, matcher);
  let text = query;
  for (const { end, braces } of places.reverse()) {
    // Another value of the same label is replaced.
    const others = (braces?.matchers ?? [])
      .filter(({ text: one }) => !takesPlace(one, matcher.label))
      .map((one) => one.text);
    const inner = [...others, ...(takes ? [] : [wanted])].join(", ");
    text = `${text.slice(0, end)}${inner === "" ? "" : `{${inner}}`}${text.slice(braces?.end ?? end)}`;
  }
  return text;
}

/** Whether a matcher gives a label one value, which another one then replaces. */
function takesPlace(text: string, label: string): boolean {
  return [label, quoted(label)].some((name) => text.startsWith(`${name}=`) && text[name.length + 1] !== "~");
}

/** The name of a series: its metric and labels. */
export function seriesName(labels: Readonly<Record<string, string>>, without: ReadonlySet<string> = new Set()): string {
  const names = Object.keys(labels).filter((name) => name !== NAME && !without.has(name));
  const inner = names.sort().map((name) => `${name}=${quoted(labels[name] ?? "")}`);
  return `${without.has(NAME) ? "" : (labels[NAME] ?? "")}${inner.length === 0 ? "" : `{${inner.join(", ")}}`}`;
}
