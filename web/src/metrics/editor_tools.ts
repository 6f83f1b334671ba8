// PromQL in the query's editor: colours, completion, mistakes, layout.

import { effect } from "@preact/signals";

import { checkPromql, formatPromql, labelValues, NAME } from "../api/metrics.ts";
import type { LanguageTools } from "../explore/language_tools.ts";
import type { Suggestion } from "../explore/suggest.tsx";
import { count } from "../format.ts";
import type { Token } from "../query/lex.ts";
import { t } from "../texts.ts";
import { view } from "../view.ts";
import { names, numbers, stepsOfView } from "./ask.ts";
import { AGGREGATIONS, FUNCTIONS, lexPromql, selector, WORDS } from "./promql.ts";

const SUGGESTIONS_MAX = 8;

/** The class of a token's colour. */
function colour(token: Token, next: Token | undefined): string {
  if (token.kind !== "word") return token.kind === "operator" ? "operator" : token.kind;
  if (WORDS.includes(token.text.toLowerCase())) return "keyword";
  if (next?.text === "(" || AGGREGATIONS.includes(token.text)) return "function";
  return next?.text === "{" || next?.text === "[" ? "system" : "name";
}

function colours(text: string): { start: number; end: number; name: string }[] {
  const tokens = lexPromql(text);
  return tokens.map((token, at) => ({ start: token.start, end: token.end, name: colour(token, tokens[at + 1]) }));
}

/** What the caret is in: a name, a label of a metric, or the value of a label. */
interface Place {
  kind: "name" | "label" | "value";
  start: number;
  written: string;
  metric: string;
  label: string;
}

/** Returns what may be completed at the caret; `null` if nothing. */
function placeAt(text: string, caret: number): Place | null {
  const tokens = lexPromql(text.slice(0, caret)).filter(({ kind }) => kind !== "space" && kind !== "newline");
  const last = tokens.at(-1);
  if (last === undefined || last.end !== caret) return null;
  const open = tokens.findLastIndex(({ text: one }) => one === "{");
  const isInside = open >= 0 && !tokens.slice(open).some(({ text: one }) => one === "}");
  const metric = isInside && tokens[open - 1]?.kind === "word" ? (tokens[open - 1]?.text ?? "") : "";
  const before = tokens.at(-2);
  if (
    isInside &&
    last.kind === "string" &&
    before?.kind === "operator" &&
    !/^(["'`])[^]*\1$/.test(last.text.padEnd(2))
  ) {
    const label = tokens.at(-3)?.text ?? "";
    return { kind: "value", start: last.start + 1, written: last.text.slice(1), metric, label };
  }
  if (last.kind !== "word" || /[\p{L}\p{N}_:]/u.test(text[caret] ?? "")) return null;
  const inList = isInside || tokens.some(({ text: one }, at) => one === "(" && isList(tokens, at));
  return { kind: inList ? "label" : "name", start: last.start, written: last.text, metric, label: "" };
}

/** Whether a bracket begins a list of labels that is still open. */
function isList(tokens: readonly Token[], at: number): boolean {
  const isAfter = /^(?:by|without|on|ignoring|group_left|group_right)$/i.test(tokens[at - 1]?.text ?? "");
  return isAfter && !tokens.slice(at).some(({ text }) => text === ")");
}

/** Texts that begin with what is written, then those that contain it. */
function fitting(texts: readonly string[], written: string): string[] {
  const wanted = written.toLowerCase();
  const begins = texts.filter((one) => one.toLowerCase().startsWith(wanted));
  return [...begins, ...texts.filter((one) => !begins.includes(one) && one.toLowerCase().includes(wanted))];
}

function completions(text: string, caret: number): Suggestion[] {
  const place = placeAt(text, caret);
  if (place === null || place.kind === "value") return [];
  const make = (insert: string, label: string, detail: string): Suggestion => ({
    start: place.start,
    end: caret,
    insert,
    label,
    detail,
  });
  const known = numbers.peek().data;
  if (place.kind === "label") {
    const all = (known?.labels ?? []).filter(({ name }) => name !== NAME);
    const found = fitting(
      all.map(({ name }) => name),
      place.written,
    );
    const values = (label: string) => all.find(({ name }) => name === label)?.values ?? 0;
    return found
      .slice(0, SUGGESTIONS_MAX)
      .map((label) => make(label, label, t("{n} values", { n: count(values(label)) })));
  }
  const metrics = fitting(
    (names.peek().data ?? []).map(({ name }) => name),
    place.written,
  );
  const begins = (all: readonly string[]) => all.filter((one) => one.startsWith(place.written.toLowerCase()));
  const found = [
    ...metrics
      .filter((name) => name.startsWith(place.written))
      .slice(0, 5)
      .map((name) => make(name, name, t("metric"))),
    ...begins([...AGGREGATIONS, ...FUNCTIONS]).map((name) => make(`${name}(`, name, t("function"))),
    ...begins(WORDS).map((word) => make(`${word} `, word, t("keyword"))),
    ...metrics.filter((name) => !name.startsWith(place.written)).map((name) => make(name, name, t("metric"))),
    ...metrics
      .filter((name) => name.startsWith(place.written))
      .slice(5)
      .map((name) => make(name, name, t("metric"))),
  ];
  return found.filter(({ insert }) => insert.trim() !== place.written).slice(0, SUGGESTIONS_MAX);
}

/** Waits for the names that are on their way. */
function namesThere(): Promise<void> {
  return new Promise((done) => {
    const stop = effect(() => {
      if (names.value.state === "loading" && names.value.data === null) return;
      queueMicrotask(() => stop());
      done();
    });
  });
}

/** Adds the values of a label, which the server knows. */
async function asked(text: string, caret: number, signal: AbortSignal): Promise<Suggestion[]> {
  const place = placeAt(text, caret);
  if (place?.kind !== "value") {
    await namesThere();
    return completions(text, caret);
  }
  const chosen = place.metric === "" ? [] : [selector(place.metric)];
  const values = await labelValues(place.label, stepsOfView(view.peek()), chosen, signal);
  return fitting(values, place.written)
    .slice(0, SUGGESTIONS_MAX)
    .map((value) => ({
      start: place.start,
      end: caret,
      insert: JSON.stringify(value).slice(1, -1),
      label: value,
      detail: place.label,
    }));
}

/** PromQL for the editor. */
export const PROMQL_TOOLS: LanguageTools = {
  colours,
  completions,
  asked,
  check: async (text, signal) => ({ error: await checkPromql(text, signal), warnings: [] }),
  format: formatPromql,
  reference: () => "docs/reading/prometheus",
};
