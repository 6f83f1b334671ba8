// Filters are text: a click on a value edits the query that everybody sees, never something hidden beside it.
// Every edit is idempotent or toggles: the same click twice leaves the text as it was.

import { COMMANDS, KEYWORDS, commands, type Command, type Token } from "./lex.ts";

/** A value as JSON answers carry it. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What a click asks for. */
export type FilterKind = "include" | "exclude" | "exists" | "missing";

const OPPOSITE: Record<FilterKind, FilterKind> = {
  include: "exclude",
  exclude: "include",
  exists: "missing",
  missing: "exists",
};

/** Commands that a filter may stand behind without changing its meaning. */
const BEFORE_FILTER = new Set(["", "source", "filter", "where", "filterindex", "fields", "parse", "eval"]);

/** Most characters of a value that goes into a filter whole; a longer text is looked for by its beginning. */
const VALUE_CHARS_MAX = 2000;

/** Whether the language can write a field's name: between backticks stands neither one of them nor the end of a line. */
export function canBeNamed(name: string): boolean {
  return name !== "" && !/[`\n\r]/.test(name);
}

/** A field name as the language writes it. */
export function fieldText(name: string): string {
  const plain = /^[\p{L}_@][\p{L}\p{N}_@]*(\.[\p{L}\p{N}_@]+)*$/u.test(name);
  const taken = COMMANDS.has(name.toLowerCase()) || KEYWORDS.has(name.toLowerCase());
  return plain && !taken ? name : `\`${name.replaceAll("`", "")}\``;
}

/** A value as the language writes it; objects and lists by their JSON text. */
export function valueText(value: Json): string {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t")
    .replaceAll("\r", "\\r")
    .replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
  return `"${escaped}"`;
}

/** The condition that a click stands for. */
export function condition(field: string, kind: FilterKind, value: Json): string {
  const name = fieldText(field);
  if (kind === "exists" || (value === null && kind === "exclude")) return `ispresent(${name})`;
  if (kind === "missing" || value === null) return `not ispresent(${name})`;
  if (typeof value === "string" && value.length > VALUE_CHARS_MAX) {
    return `${name} ${kind === "include" ? "like" : "not like"} ${valueText(value.slice(0, VALUE_CHARS_MAX))}`;
  }
  return `${name} ${kind === "include" ? "=" : "!="} ${valueText(value)}`;
}

/** The part of a text that says which events are meant: conditions, and what computes fields for them. */
export function headOf(text: string): string {
  const all = commands(text);
  const end = all.findIndex((command) => !BEFORE_FILTER.has(command.name));
  const head = (end < 0 ? all : all.slice(0, end)).filter((command) => command.name !== "fields");
  return head.map((command) => text.slice(command.start, command.end)).join("\n| ");
}

interface Place {
  command: Command;
  /** Spans of the conditions that `and` joins. */
  parts: { start: number; end: number; text: string }[];
}

/** The filters of a text, taken apart at `and` where that is all that joins them. */
function filters(text: string): Place[] {
  const places: Place[] = [];
  for (const command of commands(text)) {
    if (command.name !== "filter" && command.name !== "where") continue;
    const inner = command.tokens.slice(1);
    let depth = 0;
    let between = false;
    let parts: { start: number; end: number }[] = [];
    let open: { start: number; end: number } | null = null;
    for (const token of inner) {
      const word = token.kind === "word" && depth === 0 ? token.text.toLowerCase() : "";
      if (word === "or") {
        parts = [];
        open = null;
        break;
      }
      if (word === "between") between = true;
      if (word === "and" && !between) {
        if (open) parts.push(open);
        open = null;
        continue;
      }
      if (word === "and") between = false;
      if (/^[([]$/.test(token.text)) depth += 1;
      if (/^[)\]]$/.test(token.text)) depth -= 1;
      open = open ? { start: open.start, end: token.end } : { start: token.start, end: token.end };
    }
    if (open) parts.push(open);
    places.push({ command, parts: parts.map((part) => ({ ...part, text: text.slice(part.start, part.end) })) });
  }
  return places;
}

/** Two conditions are the same when they differ in white space outside of strings at most. */
export function canonical(text: string): string {
  return (
    text
      .match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|[^\s"'`]+/g)
      ?.join(" ")
      .replace(/ ?(==|!=|<=|>=|=) ?/g, "$1")
      .replace("==", "=") ?? ""
  );
}

/** The first of the conditions joined by `and` that is meant. */
export function findPart(text: string, matches: (part: string) => boolean) {
  for (const place of filters(text)) {
    const at = place.parts.findIndex((part) => matches(part.text));
    const part = place.parts[at];
    if (part) return { place, part, at };
  }
  return null;
}

/** Takes one condition out, and its command where nothing is left of it. */
export function remove(text: string, found: NonNullable<ReturnType<typeof findPart>>): string {
  const { place, part, at } = found;
  if (place.parts.length > 1) {
    const next = place.parts[at + 1];
    const before = place.parts[at - 1];
    const [start, end] = next ? [part.start, next.start] : [before?.end ?? part.start, part.end];
    return text.slice(0, start) + text.slice(end);
  }
  return removeCommand(text, place.command);
}

/** Takes a command out with one of the separators beside it. */
export function removeCommand(text: string, command: Command): string {
  const before = text.slice(0, command.start);
  const after = text.slice(command.end);
  const separator = /\s*\|?[^\S\n]*$/.exec(before)?.[0] ?? "";
  const head = before.slice(0, before.length - separator.length);
  const tail = head === "" ? after.replace(/^\s*\|?\s*/, "") : after;
  return (head + tail).trim() === "" ? "" : head + tail;
}

/** Adds a command `filter …` where it means what the click meant: behind what makes fields, before what cuts or groups. */
export function addFilter(text: string, added: string): string {
  const all = commands(text);
  if (all.length === 0) return text.trim() === "" ? `filter ${added}` : `${text}\nfilter ${added}`;
  let behind: Command | undefined;
  for (const command of all) {
    if (!BEFORE_FILTER.has(command.name)) break;
    behind = command;
  }
  if (behind === undefined) {
    const start = all[0]?.start ?? 0;
    return `${text.slice(0, start)}filter ${added}\n| ${text.slice(start)}`;
  }
  return `${text.slice(0, behind.end)}\n| filter ${added}${text.slice(behind.end)}`;
}

/** What a click on a value does to the text: adds the condition, takes it back, or turns its opposite around. */
export function toggleFilter(text: string, field: string, kind: FilterKind, value: Json): string {
  const wanted = condition(field, kind, value);
  const same = findPart(text, (part) => canonical(part) === canonical(wanted));
  if (same) return remove(text, same);
  const contrary = canonical(condition(field, OPPOSITE[kind], value));
  const opposite = findPart(text, (part) => canonical(part) === contrary);
  if (opposite) return text.slice(0, opposite.part.start) + wanted + text.slice(opposite.part.end);
  return addFilter(text, wanted);
}

/** Whether the text holds the condition. */
export function hasFilter(text: string, field: string, kind: FilterKind, value: Json): boolean {
  const wanted = canonical(condition(field, kind, value));
  return findPart(text, (part) => canonical(part) === wanted) !== null;
}

/** Words of a condition that are no field. */
function isField(token: Token, next: Token | undefined): boolean {
  if (token.kind === "field") return true;
  return token.kind === "word" && !KEYWORDS.has(token.text.toLowerCase()) && next?.text !== "(";
}

/** Whether a condition speaks of this field and of no other. */
function isOnlyAbout(tokens: readonly Token[], field: string): boolean {
  const name = fieldText(field);
  const bare = (text: string) => text.replace(/^`(.*)`$/s, "$1");
  const named = tokens.filter((token, at) => isField(token, tokens[at + 1]));
  return named.length > 0 && named.every((token) => bare(token.text) === bare(name));
}

/** The text without the first condition on the field that is not the wanted one; `null` where there is none. */
function withoutOther(text: string, field: string, wanted: string): string | null {
  let seen = false;
  for (const place of filters(text)) {
    const tokens = place.command.tokens.slice(1);
    if (place.parts.length === 0 && isOnlyAbout(tokens, field)) return removeCommand(text, place.command);
    for (const [at, part] of place.parts.entries()) {
      if (
        !isOnlyAbout(
          tokens.filter((token) => token.start >= part.start && token.end <= part.end),
          field,
        )
      )
        continue;
      if (canonical(part.text) !== canonical(wanted) || seen) return remove(text, { place, part, at });
      seen = true;
    }
  }
  return null;
}

/** The text in which this value alone is left of what filters say of the field; the same again changes nothing. */
export function onlyFilter(text: string, field: string, value: Json): string {
  const wanted = condition(field, "include", value);
  let left = text;
  for (let next = withoutOther(left, field, wanted); next !== null; next = withoutOther(left, field, wanted))
    left = next;
  return hasFilter(left, field, "include", value) ? left : addFilter(left, wanted);
}

const LEVELS_FORM = /^@level\s*(?:=\s*(["'])(\w+)\1|in\s*\[([^\]]*)\])$/i;

/** The levels that the text is limited to by `@level = …` or `@level in […]`; empty means all. */
export function levelsOf(text: string): string[] {
  const found = findPart(text, (part) => LEVELS_FORM.test(part.trim()));
  const form = found && LEVELS_FORM.exec(found.part.text.trim());
  if (!form) return [];
  return form[2] !== undefined
    ? [form[2]]
    : [...(form[3] ?? "").matchAll(/["'](\w+)["']/g)].map((match) => match[1] ?? "");
}

/** Adds a level to those shown, or takes it away. */
export function toggleLevel(text: string, level: string): string {
  const now = levelsOf(text);
  const next = now.includes(level) ? now.filter((one) => one !== level) : [...now, level];
  const found = findPart(text, (part) => LEVELS_FORM.test(part.trim()));
  if (found && next.length === 0) return remove(text, found);
  const wanted =
    next.length === 1 ? `@level = "${next[0]}"` : `@level in [${next.map((one) => `"${one}"`).join(", ")}]`;
  if (found) return text.slice(0, found.part.start) + wanted + text.slice(found.part.end);
  return addFilter(text, wanted);
}

/** Every condition of the text, each with the text that is left without it: "which one leaves nothing?" */
export function conditions(text: string): { text: string; without: string }[] {
  const all: { text: string; without: string }[] = [];
  for (const place of filters(text)) {
    if (place.parts.length === 0) {
      all.push({
        text: text.slice(place.command.start, place.command.end).replace(/^\w+\s*/, ""),
        without: removeCommand(text, place.command),
      });
    }
    place.parts.forEach((part, at) => all.push({ text: part.text, without: remove(text, { place, part, at }) }));
  }
  for (const command of commands(text)) {
    if (command.name === "")
      all.push({ text: text.slice(command.start, command.end), without: removeCommand(text, command) });
  }
  return all;
}

/** The columns that rows need to be shown, whatever the query asks for. */
export const ROW_FIELDS = ["@timestamp", "@level", "@log", "@logStream", "@message", "@id"] as const;

/** Adds what the page needs to show a row to a query whose rows are events; `null` where that is not possible. */
export function withRowFields(
  text: string,
  columns: readonly string[],
  needed: readonly string[] = ROW_FIELDS,
): string | null {
  const all = commands(text);
  const shaping = ["stats", "timechart", "top", "rare", "pattern", "diff", "logcompare", "join", "drop"];
  if (all.some((command) => shaping.includes(command.name))) return null;
  const names = [...new Set([...needed, ...columns])];
  const display = all.findLast((command) => command.name === "display");
  if (display) {
    // The last `display` decides alone what is shown, so what rows need joins its list.
    const there = new Set(display.tokens.map((token) => token.text));
    const missing = names.map(fieldText).filter((name) => !there.has(name));
    return missing.length === 0
      ? text
      : `${text.slice(0, display.end)}, ${missing.join(", ")}${text.slice(display.end)}`;
  }
  const added = `fields ${names.map(fieldText).join(", ")}`;
  return all.length === 0 ? added : `${text}\n| ${added}`;
}
