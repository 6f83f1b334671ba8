// What the editor needs to know of the language that it holds.

import { format, type ApiError, type Notice, type Scope } from "../api.ts";
import { checkQuery } from "../api/check.ts";
import { PROMQL_TOOLS } from "../metrics/editor_tools.ts";
import { COMMANDS, KEYWORDS, lex, referenceAt, type Token } from "../query/lex.ts";
import { view, type QueryLanguage } from "../view.ts";
import { checked, manualOf } from "./editor_state.ts";
import { askedCompletions, completions, type Suggestion } from "./suggest.tsx";

/** A language in the editor. */
export interface LanguageTools {
  /** Parts of a text and the names of their colours. */
  colours: (text: string) => { start: number; end: number; name: string }[];
  /** What may stand at the caret, as far as the page knows it. */
  completions: (text: string, caret: number) => Suggestion[];
  /** The same, as the server knows it. */
  asked: (text: string, caret: number, signal: AbortSignal, scope?: Scope) => Promise<Suggestion[]>;
  /** The first mistake of a text. */
  check: (text: string, signal: AbortSignal) => Promise<{ error: ApiError | null; warnings: Notice[] }>;
  /** The text in its usual layout. */
  format: (text: string) => Promise<string>;
  /** The address of what is said about a place of the text. */
  reference: (text: string, caret: number) => string;
}

function colour(token: Token, next: Token | undefined, first: boolean): string {
  if (token.kind !== "word") return token.kind;
  const word = token.text.toLowerCase();
  if (first && COMMANDS.has(word)) return "command";
  if (KEYWORDS.has(word)) return "keyword";
  if (next?.text === "(") return "function";
  return token.text.startsWith("@") ? "system" : "name";
}

function colours(text: string): { start: number; end: number; name: string }[] {
  const tokens = lex(text);
  let begins = true;
  return tokens.map((token, at) => {
    const name = colour(token, tokens[at + 1], begins);
    begins =
      token.kind === "pipe" ||
      token.kind === "newline" ||
      (begins && (token.kind === "space" || token.kind === "comment"));
    return { start: token.start, end: token.end, name };
  });
}

const INSIGHTS_TOOLS: LanguageTools = {
  colours,
  completions,
  asked: askedCompletions,
  check: (text, signal) => checkQuery(text, view.peek().zone, signal),
  format,
  reference: referenceAt,
};

/** A language whose texts the page only shows: the server names a mistake when the query is run. */
const OTHER_TOOLS: LanguageTools = {
  colours: (text) => lex(text).map(({ kind, start, end }) => ({ start, end, name: kind === "word" ? "name" : kind })),
  completions: () => [],
  asked: async () => [],
  check: async (text) => {
    const told = checked.peek();
    return told?.text === text ? told : { error: null, warnings: [] };
  },
  format: async (text) => text,
  reference: () => manualOf(view.peek().language),
};

/** Returns the tools of a language; without one, of that which the view takes. */
export function tools(language: QueryLanguage = view.peek().language): LanguageTools {
  return language === "promql" ? PROMQL_TOOLS : language === "insights" ? INSIGHTS_TOOLS : OTHER_TOOLS;
}
