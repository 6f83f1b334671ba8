// Cuts a query into tokens and commands: enough to colour it and to edit its filters as text, and no more.
// What a query means is the server's business; whatever this file does not understand passes through untouched.

/** What a token is. */
export type TokenKind =
  | "space"
  | "newline"
  | "comment"
  | "pipe"
  | "string"
  | "regex"
  | "number"
  | "field"
  | "word"
  | "operator"
  | "punctuation";

/** A piece of the text; the tokens of a text follow each other without a gap. */
export interface Token {
  kind: TokenKind;
  start: number;
  end: number;
  text: string;
}

/** One command with its place in the text, without the separator and white space around it. */
export interface Command {
  /** Lower-case keyword; "" where the text begins with none, as a phrase does. */
  name: string;
  start: number;
  end: number;
  tokens: Token[];
}

/** Words that begin a command. */
export const COMMANDS = new Set([
  "fields",
  "display",
  "filter",
  "where",
  "filterindex",
  "parse",
  "sort",
  "order",
  "limit",
  "head",
  "tail",
  "stats",
  "timechart",
  "top",
  "rare",
  "dedup",
  "pattern",
  "diff",
  "logcompare",
  "anomaly",
  "unnest",
  "lookup",
  "join",
  "source",
  "fillmissing",
  "filldown",
  "addtotals",
  "autoregress",
  "sessionize",
  "outlier",
  "appendcols",
  "mvexpand",
  "rename",
  "drop",
  "eval",
]);

/** Words with a meaning of their own inside a command. */
export const KEYWORDS = new Set([
  "and",
  "or",
  "not",
  "in",
  "like",
  "has",
  "between",
  "as",
  "by",
  "asc",
  "desc",
  "true",
  "false",
  "null",
  "with",
  "offset",
  "on",
]);

const OPEN_ENDED = new Set(["and", "or", "not", "in", "like", "has", "between", "as", "by"]);

const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ["newline", /\n/y],
  ["space", /[^\S\n]+/y],
  ["comment", /#[^\n]*/y],
  ["string", /"(?:[^"\\]|\\[\s\S])*"?|'(?:[^'\\]|\\[\s\S])*'?/y],
  ["field", /`[^`]*`?/y],
  ["number", /\d[\d.]*(?:[eE][+-]?\d+|[a-zA-Z]+)?/y],
  ["word", /[\p{L}_@][\p{L}\p{N}_@.]*/uy],
  ["pipe", /\|/y],
  ["operator", /=~|!~|==|!=|<=|>=|[=<>+\-*/%^]/y],
];
const REGEX = /\/(?:[^/\\\n]|\\.)*(?:\/[a-z]*)?/y;

function isGap(token: Token): boolean {
  return token.kind === "space" || token.kind === "newline" || token.kind === "comment";
}

/** A slash opens a regular expression after these; elsewhere it divides. */
function opensRegex(last: Token | undefined, command: string): boolean {
  if (last === undefined) return false;
  const text = last.text.toLowerCase();
  return text === "like" || text === "=~" || text === "!~" || (command === "parse" && last.kind !== "number");
}

/** Cuts a text into tokens. */
export function lex(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let last: Token | undefined;
  let command = "";
  while (at < text.length) {
    const rule: readonly (readonly [TokenKind, RegExp])[] =
      text[at] === "/" && opensRegex(last, command) ? [["regex", REGEX]] : RULES;
    let token: Token = { kind: "punctuation", start: at, end: at + 1, text: text[at] ?? "" };
    for (const [kind, pattern] of rule) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found) {
        token = { kind, start: at, end: at + found[0].length, text: found[0] };
        break;
      }
    }
    tokens.push(token);
    at = token.end;
    if (!isGap(token)) {
      const begins =
        last === undefined ||
        last.kind === "pipe" ||
        tokens.at(-2)?.kind === "newline" ||
        tokens.at(-3)?.kind === "newline";
      if (token.kind === "word" && begins && COMMANDS.has(token.text.toLowerCase())) command = token.text.toLowerCase();
      last = token;
    }
  }
  return tokens;
}

function separates(tokens: readonly Token[], at: number, last: Token | undefined, depth: number): boolean {
  const token = tokens[at];
  if (token === undefined || depth > 0) return false;
  if (token.kind === "pipe") return true;
  if (token.kind !== "newline" || last === undefined) return false;
  if (
    last.text === "," ||
    last.kind === "operator" ||
    (last.kind === "word" && OPEN_ENDED.has(last.text.toLowerCase()))
  )
    return false;
  const next = tokens.slice(at + 1).find((following) => !isGap(following));
  return next?.kind === "word" && COMMANDS.has(next.text.toLowerCase());
}

/** Cuts a text into its commands. */
export function commands(text: string): Command[] {
  const tokens = lex(text);
  const found: Command[] = [];
  let own: Token[] = [];
  let depth = 0;
  let last: Token | undefined;
  const finish = () => {
    const solid = own.filter((token) => !isGap(token));
    const first = solid[0];
    const end = solid.at(-1)?.end;
    own = [];
    if (first === undefined || end === undefined) return;
    const word = first.kind === "word" ? first.text.toLowerCase() : "";
    found.push({ name: COMMANDS.has(word) ? word : "", start: first.start, end, tokens: solid });
  };
  tokens.forEach((token, at) => {
    if (separates(tokens, at, last, depth)) {
      finish();
      last = undefined;
      return;
    }
    if (/^[([]$/.test(token.text)) depth += 1;
    if (/^[)\]]$/.test(token.text)) depth = Math.max(0, depth - 1);
    own.push(token);
    if (!isGap(token)) last = token;
  });
  finish();
  return found;
}

/** The place in the reference that speaks of what stands at a place of the text: a call, or the command around it. */
export function referenceAt(text: string, at: number): string {
  const command = commands(text).findLast((one) => one.start <= at);
  const place = command?.tokens.findLastIndex((token) => token.start <= at) ?? -1;
  const token = command?.tokens[place];
  const isCall = token?.kind === "word" && at <= token.end && command?.tokens[place + 1]?.text === "(";
  return `reference#${(isCall ? token.text.toLowerCase() : command?.name) || "commands"}`;
}

const GROUPING = new Set(["stats", "timechart", "top", "rare", "pattern", "diff", "logcompare"]);

/** Whether the rows of the answer are still events, as far as the text tells. */
export function keepsEvents(text: string): boolean {
  return !commands(text).some((command) => GROUPING.has(command.name));
}

/** Whether the events of an answer are in the server's own order, newest first. */
export function isNewestFirst(query: string): boolean {
  const order = commands(query).findLast(({ name }) => ["sort", "order", "tail", "join"].includes(name));
  const text = order?.tokens.map((token) => token.text).join(" ") ?? "";
  return order === undefined || /^(?:sort|order by) `?@timestamp`? desc$/i.test(text);
}

/** Texts that the query looks for, to be marked in the rows. */
export function soughtTexts(text: string): string[] {
  const sought: string[] = [];
  for (const command of commands(text)) {
    if (command.name === "") {
      sought.push(text.slice(command.start, command.end).replace(/^["']|["']$/g, ""));
      continue;
    }
    if (command.name !== "filter" && command.name !== "where") continue;
    command.tokens.forEach((token, at) => {
      const before = command.tokens[at - 1];
      const negated = command.tokens[at - 2]?.text.toLowerCase() === "not";
      if (before?.text.toLowerCase() !== "like" || negated) return;
      if (token.kind === "string") sought.push(unquote(token.text));
      if (token.kind === "regex" && /^\/[\w \-:]+\/i?$/.test(token.text)) sought.push(token.text.split("/")[1] ?? "");
    });
  }
  return sought.filter((part) => part.length > 1 && part.length <= 200);
}

function unquote(text: string): string {
  return text
    .slice(1, -1)
    .replace(/\\([\s\S])/g, (_, c: string) => (c === "n" ? "\n" : c === "t" ? "\t" : c === "r" ? "\r" : c));
}
