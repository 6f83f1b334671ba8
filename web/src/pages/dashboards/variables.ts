// Puts the values of variables into a query, each in the form that its place needs, so that no value changes what is asked.
//
// | place of `$name` or `${name}` | one value | several |
// |---|---|---|
// | outside of texts, Insights, ES|QL, Lucene, KQL | `"value"` | after `in` Insights: `["a", "b"]`, ES|QL: `("a", "b")`; Lucene, KQL: `("a" OR "b")` |
// | outside of texts, PromQL, LogQL, TraceQL | the value itself, where it is a name, a number or a duration | an error |
// | in a text or regular expression that is matched as one (`=~`, `!~`, `/…/`, `|~`) | the value, escaped | `(?:a|b)`; all: `.*` |
// | in another text | the value, escaped; in one of three quotes an error | an error |
//
// A name that no variable has stays as it is: the languages have a `$` of their own. So do comments. The server fills
// queries in the same way for files (`export`).

import type { PanelLanguage, Variable } from "../../api/dashboards.ts";
import { text } from "../../texts.ts";

/** What was chosen for a variable: `isAll` for all of the values. */
export interface Choice {
  values: readonly string[];
  isAll: boolean;
}

/** What was chosen, by the names of variables. */
export type Choices = Readonly<Record<string, Choice>>;

/** Why a value cannot stand where its variable is named. */
export class FillError extends Error {
  constructor(
    readonly variable: string,
    readonly problem: string,
  ) {
    super(`${variable}: ${problem}`);
  }
}

/** Stands in the address for all values of a variable. */
export const ALL = "*";

const PROBLEMS = {
  none: text("nothing is chosen"),
  oneInText: text("one value fits here; several need a regular expression or “in”"),
  oneInSeries: text("one value fits here; several need a regular expression, such as =~"),
  word: text("outside of a text, only a name, a number or a duration fits"),
  in: text("several values need “in”, as in: field in $name"),
  backquote: text("a text in backquotes cannot have a backquote"),
  raw: text("a text in three quotes takes no value; write it in one pair of quotes"),
};

type Place =
  | { kind: "bare" | "comment" | "raw" }
  | { kind: "text" | "regex"; quote: string }
  /** A comment between `/*` and its end, within so many others. */
  | { kind: "block"; within: number };

const BARE: Place = { kind: "bare" };

const isSeries = (language: PanelLanguage) => ["promql", "logql", "traceql"].includes(language);

/** Whether comments begin with slashes. */
const hasSlashes = (language: PanelLanguage) => language === "traceql" || language === "esql";

/** A name, a number or a duration. */
const WORD = /^[A-Za-z0-9_:.]+$/;

const NAMED = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/y;

/** Returns the name that stands at a place of a text as `$name` or `${name}`, and where it ends. */
function namedAt(query: string, at: number): { name: string; end: number } | null {
  NAMED.lastIndex = at;
  const found = NAMED.exec(query);
  return found ? { name: found[1] ?? found[2] ?? "", end: at + found[0].length } : null;
}

/** Returns the names of variables that a text names, whether they exist or not. */
export function namesIn(query: string): string[] {
  return [...query.matchAll(new RegExp(NAMED.source, "g"))].map((found) => found[1] ?? found[2] ?? "");
}

/** Whether the next slash begins a regular expression in Insights, and is no division. */
function beginsRegex(before: string): boolean {
  const trimmed = before.trimEnd();
  if (/[(,=~]$/.test(trimmed)) return true;
  const words = trimmed.split(/[\s|]/);
  const last = words.pop() ?? "";
  const previous = words.reverse().find((word) => word !== "") ?? "";
  return /^(?:like|parse)$/i.test(last) || /^parse$/i.test(previous);
}

/** Returns the place after a character that is not escaped; `before` is what precedes it. */
function placeAfter(place: Place, character: string, before: string, language: PanelLanguage): Place {
  if (place.kind === "comment") return character === "\n" ? BARE : place;
  if (place.kind === "text" || place.kind === "regex") return character === place.quote ? BARE : place;
  if (place.kind === "raw") return character === '"' && before.endsWith('""') ? BARE : place;
  if (place.kind === "block") {
    if (character === "*" && language === "esql" && before.endsWith("/")) return { ...place, within: place.within + 1 };
    // The star that began a comment does not end it.
    if (character !== "/" || !before.endsWith("*") || before.endsWith("/*")) return place;
    return place.within === 0 ? BARE : { ...place, within: place.within - 1 };
  }
  if (hasSlashes(language)) {
    if (character === "/" && before.endsWith("/")) return { kind: "comment" };
    if (character === "*" && before.endsWith("/")) return { kind: "block", within: 0 };
    if (character === '"' && language === "esql" && before.endsWith('""')) return { kind: "raw" };
  } else if (character === "#" && language !== "lucene" && language !== "kql") return { kind: "comment" };
  if (character === '"' || character === "'" || character === "`") {
    const isRegex = isSeries(language) && /(?:=~|!~|\|~)$/.test(before.trimEnd());
    return { kind: isRegex ? "regex" : "text", quote: character };
  }
  if (character === "/" && (language === "lucene" || (language === "insights" && beginsRegex(before))))
    return { kind: "regex", quote: "/" };
  return place;
}

function inQuotes(value: string, quote: string): string {
  if (quote === "`") {
    if (value.includes("`")) throw new Error(PROBLEMS.backquote);
    return value;
  }
  const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  return value.replaceAll(/[\\\n\r\t"'/]/g, (c) => escapes[c] ?? (c === quote ? `\\${c}` : c));
}

const quoted = (value: string) => `"${inQuotes(value, '"')}"`;

/** Writes a text so that a regular expression matches it alone. */
function escaped(value: string): string {
  return value.replaceAll(/[\\.+*?()|[\]{}^$#&\-~]/g, "\\$&");
}

function asRegex({ values, isAll }: Choice, quote: string): string {
  if (isAll) return ".*";
  if (values.length === 0) throw new Error(PROBLEMS.none);
  const expression = values.length === 1 ? escaped(values[0] ?? "") : `(?:${values.map(escaped).join("|")})`;
  if (quote !== "/") return inQuotes(expression, quote);
  return expression.replaceAll("/", "\\/").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}

/** Writes what was chosen outside of texts. */
function asBare(choice: Choice, language: PanelLanguage, isAfterIn: boolean): string {
  const { values } = choice;
  const one = !choice.isAll && values.length === 1 ? (values[0] ?? "") : null;
  if (isSeries(language)) {
    if (one === null) throw new Error(PROBLEMS.oneInSeries);
    if (!WORD.test(one)) throw new Error(PROBLEMS.word);
    return one;
  }
  const hasLists = language === "insights" || language === "esql";
  if (one !== null && !(hasLists && isAfterIn)) return quoted(one);
  if (values.length === 0) throw new Error(PROBLEMS.none);
  if (!hasLists) return `(${values.map(quoted).join(" OR ")})`;
  if (!isAfterIn) throw new Error(PROBLEMS.in);
  const listed = values.map(quoted).join(", ");
  return language === "esql" ? `(${listed})` : `[${listed}]`;
}

function written(choice: Choice, language: PanelLanguage, place: Place, before: string): string {
  if (place.kind === "regex") return asRegex(choice, place.quote);
  if (place.kind === "text") {
    if (choice.isAll || choice.values.length !== 1)
      throw new Error(choice.values.length === 0 ? PROBLEMS.none : PROBLEMS.oneInText);
    return inQuotes(choice.values[0] ?? "", place.quote);
  }
  if (place.kind === "raw") throw new Error(PROBLEMS.raw);
  return asBare(choice, language, /(?:^|\s)in$/i.test(before.trimEnd()));
}

/** Returns a query with the values of the variables that it names; throws `FillError` where a value does not fit its place. */
export function filled(query: string, language: PanelLanguage, choices: Choices): string {
  let answer = "";
  let place = BARE;
  let at = 0;
  while (at < query.length) {
    const named = place.kind === "comment" || place.kind === "block" ? null : namedAt(query, at);
    const choice = named && Object.hasOwn(choices, named.name) ? choices[named.name] : undefined;
    if (named && choice) {
      try {
        // A built-in one is a duration, which no language has in quotes.
        const isPlain = named.name.startsWith("__") && WORD.test(choice.values[0] ?? "");
        answer += isPlain ? choice.values[0] : written(choice, language, place, query.slice(0, at));
      } catch (error) {
        throw new FillError(named.name, error instanceof Error ? error.message : String(error));
      }
      at = named.end;
      continue;
    }
    const isEscape = (place.kind === "text" || place.kind === "regex") && place.quote !== "`" && query[at] === "\\";
    if (!isEscape) place = placeAfter(place, query[at] ?? "", query.slice(0, at), language);
    const length = isEscape ? 2 : 1;
    answer += query.slice(at, at + length);
    at += length;
  }
  return answer;
}

/** Returns a title or a text with the values of the variables that it names, which people read; `all` is what all are called. */
export function filledText(of: string, choices: Choices, all: string): string {
  return of.replaceAll(new RegExp(NAMED.source, "g"), (place, braced?: string, plain?: string) => {
    const choice = choices[braced ?? plain ?? ""];
    return choice === undefined ? place : choice.isAll ? all : choice.values.join(", ");
  });
}

/** Returns the choices as they stand in an address. */
export function encoded(choices: Choices): Choices {
  return Object.fromEntries(
    Object.entries(choices).map(([name, choice]) => [
      name,
      { ...choice, values: choice.values.map(encodeURIComponent) },
    ]),
  );
}

/** Returns what is chosen of a variable: what the address says (`*` for all), else its default, else all or the first of what it `offers`. */
export function chosen(
  variable: Pick<Variable, "default" | "all" | "multiple">,
  offers: readonly string[],
  asked: readonly string[] | undefined,
): Choice {
  const wanted = asked ?? variable.default ?? [];
  if (variable.all && (wanted.includes(ALL) || wanted.length === 0)) return { values: offers, isAll: true };
  if (wanted.length > 0) return { values: variable.multiple ? wanted : wanted.slice(0, 1), isAll: false };
  return { values: offers.slice(0, 1), isAll: false };
}
