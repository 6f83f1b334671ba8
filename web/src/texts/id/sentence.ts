// A sentence of the server in Indonesian: found by the code of the problem and the form of the sentence.

import { ADVICE, FINDINGS as OF_DOCTOR } from "./doctor.ts";
import { FINDINGS, SAME_EVENTS } from "./findings.ts";
import { EXPECTED, HINTS, PROBLEMS, type Sentences } from "./problems.ts";

interface Matcher {
  shape: RegExp;
  names: string[];
  indonesian: string;
}

/** A form of sentences, read from `{name}` places. */
function matcher([english, indonesian]: [string, string]): Matcher {
  const pieces = english.split(/\{(\w+)\}/);
  const escape = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const source = pieces.map((piece, at) => (at % 2 === 0 ? escape(piece) : "([^]+?)")).join("");
  return { shape: new RegExp(`^${source}$`), names: pieces.filter((_, at) => at % 2 === 1), indonesian };
}

const matchersOf = (sentences: Sentences): Matcher[] => Object.entries(sentences).map(matcher);
const HINT_MATCHERS = matchersOf(HINTS);
const FINDING_MATCHERS = matchersOf({ ...SAME_EVENTS, ...FINDINGS });
const PROBLEM_MATCHERS = new Map(
  Object.entries({ ...PROBLEMS, doctor: { ...OF_DOCTOR, ...ADVICE } }).map(([code, sentences]) => [
    code,
    matchersOf(sentences),
  ]),
);

/** The sentence by the first form that it has, else `null`. */
function matched(matchers: readonly Matcher[], english: string): string | null {
  for (const { shape, names, indonesian } of matchers) {
    const found = shape.exec(english);
    if (found === null) continue;
    const values = new Map(names.map((name, at) => [name, found[at + 1] ?? ""]));
    return indonesian.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value = values.get(name) ?? "";
      if (name === "hint") return hinted(value) ?? value;
      if (name === "said") return matched(FINDING_MATCHERS, value) ?? value;
      if (/^n\d?$/.test(name)) return value.replace(".", ",");
      return name === "or" ? value.replaceAll(" or ", " atau ") : value;
    });
  }
  return null;
}

/** Words of prose after "write": such a hint is more than what is to be written. */
const PROSE =
  /\b(?:the|an|lists?|texts?|fields?:|conditions?|numbers?|words?|brackets|quotes|values?|names?|of|before|without|under|alone|for a)(?![\w(])/;

/** What to do instead; `null` where there is no Indonesian for it. */
function hinted(english: string): string | null {
  const said = matched(HINT_MATCHERS, english);
  if (said !== null) return said;
  const code = /^write ([^]+)$/.exec(english)?.[1];
  return code === undefined || PROSE.test(code) ? null : `tulis ${code.replaceAll(", or ", ", atau ")}`;
}

/** What was expected, one kind after the other; `null` where one of them is not known. */
function expectedKinds(english: string): string | null {
  const known = Object.keys(EXPECTED).sort((a, b) => b.length - a.length);
  const all: string[] = [];
  let rest = english;
  while (rest !== "") {
    const kind = known.find((one) => rest.startsWith(one)) ?? /^`[^`]+`|^[a-zA-Z]+(?=,| or |$)/.exec(rest)?.[0];
    if (kind === undefined) return null;
    all.push(EXPECTED[kind] ?? kind);
    const between = /^(?:, | or |$)/.exec(rest.slice(kind.length))?.[0];
    if (between === undefined) return null;
    rest = rest.slice(kind.length + between.length);
  }
  return all.length > 2 ? `${all.slice(0, -1).join(", ")}, atau ${all.at(-1)}` : all.join(" atau ");
}

/** `… stands where … was expected`; `null` where what was expected is not known. */
function unexpected(english: string): string | null {
  const found = /^(?:the query ends|(`[^]+?`) stands) where ([^]+) was expected$/.exec(english);
  const kinds = found === null ? null : expectedKinds(found[2] ?? "");
  if (kinds === null) return null;
  const at = found?.[1];
  return at === undefined ? `kueri berakhir, padahal diharapkan ${kinds}` : `ada ${at}, padahal diharapkan ${kinds}`;
}

/** A sentence of the server about what has a code, in Indonesian where it is known, else as it is. */
export function sentence(code: string, english: string): string {
  if (code === "finding") return matched(FINDING_MATCHERS, english) ?? english;
  const matchers = PROBLEM_MATCHERS.get(code);
  const problem = matchers === undefined ? null : matched(matchers, english);
  return problem ?? (code === "syntax" ? unexpected(english) : null) ?? hinted(english) ?? english;
}
