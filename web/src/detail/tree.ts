// The fields of an event as a tree: dotted names become branches again. Whatever keys are called, they are only keys.

import type { FieldOfEvent } from "../event.ts";
import type { Json } from "../query/edit.ts";

/** A branch made of dotted names. */
export type Branch = Map<string, Grown>;
/** What a key stands for. */
export type Grown = Json | Branch;

/** A key, where it stands, and what it stands for. */
export interface Twig {
  key: string;
  /** The name of the field; `null` where no query can ask for it. */
  path: string | null;
  value: Grown;
}

/** Longest text that is looked at for being JSON itself. */
const TEXT_CHARS_MAX = 2_000_000;

/** Grows the tree of some fields. */
export function grow(fields: readonly FieldOfEvent[]): Branch {
  const root: Branch = new Map();
  for (const { name, value } of fields) {
    const parts = name.startsWith("@") ? [name] : name.split(".");
    let branch = root;
    let at = 0;
    for (; at < parts.length - 1; at += 1) {
      const key = parts[at] ?? "";
      const next = branch.get(key) ?? new Map<string, Grown>();
      // The same name is a value already: what is below it keeps its dots.
      if (!(next instanceof Map)) break;
      branch.set(key, next);
      branch = next;
    }
    const key = parts.slice(at).join(".");
    const there = branch.get(key);
    if (there instanceof Map) there.set("", value);
    else branch.set(key, value);
  }
  return root;
}

function parsed(text: string): Json | undefined {
  if (!/^\s*[{[]/.test(text) || text.length > TEXT_CHARS_MAX) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Whether there may be something below a value; texts that begin like JSON are only read when they are opened. */
export function mayHold(value: Grown): boolean {
  if (value instanceof Map) return value.size > 0;
  if (typeof value === "string")
    return /^\s*(?:\{\s*["}]|\[\s*[["{\d}-])/.test(value) && value.length <= TEXT_CHARS_MAX && value.length > 2;
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

/** How many things are below a value. */
export function sizeOf(value: Grown): number {
  return value instanceof Map
    ? value.size
    : typeof value === "object" && value !== null
      ? Object.keys(value).length
      : 0;
}

/** What is below a value. */
export function twigs(value: Grown, path: string | null): Twig[] {
  const below = (key: string) => (path === null ? null : path === "" ? key : `${path}.${key}`);
  if (value instanceof Map)
    return [...value].map(([key, one]) => ({ key, path: key === "" ? path : below(key), value: one }));
  // What is inside of a text has no name that a query could ask for.
  if (typeof value === "string") return twigs(parsed(value) ?? null, null);
  if (Array.isArray(value)) return value.map((one, at) => ({ key: String(at), path: below(String(at)), value: one }));
  if (typeof value === "object" && value !== null)
    return Object.entries(value).map(([key, one]) => ({ key, path: below(key), value: one }));
  return [];
}

/** A branch as JSON again, for copying. */
export function asJson(value: Grown): Json {
  if (!(value instanceof Map)) return value;
  const entries = [...value].map(([key, one]) => [key, asJson(one)] as const);
  return Object.fromEntries(entries) as Json;
}
