// Saved conditions as switches: those about one field are alternatives, those about different fields hold all. What is
// switched on stands in the query's text, where everybody sees it; nothing is kept beside it.

import { addFilter, canonical, findPart, remove, removeCommand } from "./edit.ts";
import { commands, type Command, type Token } from "./lex.ts";

interface Alternatives {
  command: Command;
  /** The conditions that `or` joins, as they are written. */
  parts: string[];
}

function words(condition: string): Token[] {
  return commands(`filter ${condition}`)[0]?.tokens.slice(1) ?? [];
}

/** The field that a condition is about: the first name in it that is no function. */
export function fieldOf(condition: string): string {
  const tokens = words(condition);
  const name = tokens.find(
    (token, at) =>
      (token.kind === "field" || token.kind === "word") &&
      tokens[at + 1]?.text !== "(" &&
      token.text.toLowerCase() !== "not",
  );
  return name?.text.replaceAll("`", "") ?? "";
}

/** A condition as one part among others. */
function part(condition: string): string {
  let depth = 0;
  for (const token of words(condition)) {
    if (/^[([]$/.test(token.text)) depth += 1;
    if (/^[)\]]$/.test(token.text)) depth -= 1;
    if (depth === 0 && /^(and|or)$/i.test(token.text)) return `(${condition.trim()})`;
  }
  return condition.trim();
}

/** The filters of a text that are nothing but saved conditions with `or` between them. */
function alternatives(text: string, saved: readonly string[]): Alternatives[] {
  const known = new Set(saved.map((one) => canonical(part(one))));
  return commands(text).flatMap((command) => {
    if (command.name !== "filter" && command.name !== "where") return [];
    const parts: string[] = [];
    let [depth, from, end] = [0, -1, -1];
    for (const token of command.tokens.slice(1)) {
      if (depth === 0 && token.text.toLowerCase() === "or" && from >= 0) {
        parts.push(text.slice(from, end));
        from = -1;
        continue;
      }
      if (/^[([]$/.test(token.text)) depth += 1;
      if (/^[)\]]$/.test(token.text)) depth -= 1;
      if (from < 0) from = token.start;
      end = token.end;
    }
    if (from >= 0) parts.push(text.slice(from, end));
    return parts.length > 0 && parts.every((one) => known.has(canonical(one))) ? [{ command, parts }] : [];
  });
}

function isSame(one: string, other: string): boolean {
  return canonical(one) === canonical(other);
}

/** Whether a saved condition holds in a text. */
export function isOn(text: string, condition: string, saved: readonly string[]): boolean {
  const wanted = part(condition);
  return (
    findPart(text, (one) => isSame(one, wanted)) !== null ||
    alternatives(text, saved).some(({ parts }) => parts.some((one) => isSame(one, wanted)))
  );
}

/** Switches a saved condition on or off. */
export function toggleChip(text: string, condition: string, saved: readonly string[]): string {
  const wanted = part(condition);
  const there = findPart(text, (one) => isSame(one, wanted));
  if (there) return remove(text, there);
  const all = alternatives(text, saved);
  const put = ({ command }: Alternatives, parts: readonly string[]) =>
    `${text.slice(0, command.start)}filter ${parts.join(" or ")}${text.slice(command.end)}`;
  const holding = all.find(({ parts }) => parts.some((one) => isSame(one, wanted)));
  if (holding) {
    const left = holding.parts.filter((one) => !isSame(one, wanted));
    return left.length === 0 ? removeCommand(text, holding.command) : put(holding, left);
  }
  const beside = all.find(({ parts }) => parts.every((one) => fieldOf(one.replace(/^\(/, "")) === fieldOf(condition)));
  return beside ? put(beside, [...beside.parts, wanted]) : addFilter(text, wanted);
}
