// A pipeline while it is edited: its steps as people write them, and as the server reads them. A step with more than the form
// knows stays as it is, as JSON.

import type { Json } from "../../query/edit.ts";

type Record_ = { [key: string]: Json };

/** The kinds of steps. */
export const KINDS = ["parse", "rename", "set", "mask", "drop", "sample", "level", "time", "route"] as const;
export type Kind = (typeof KINDS)[number];

/** The conditions that the form has; others are JSON. */
export const CONDITIONS = ["contains", "matches", "has", "level"] as const;
export type Condition = (typeof CONDITIONS)[number];

/** A step as it is written. */
export interface StepDraft {
  kind: Kind | "json";
  /** What it does: in one line, or a line for each name. */
  text: string;
  /** The condition; none without one. */
  only: Condition | "";
  onlyText: string;
}

/** A pipeline as it is written. */
export interface Draft {
  name: string;
  match: string;
  steps: StepDraft[];
  /** What else a definition has: other conditions, `stop`. */
  others: Record_;
}

const isRecord = (value: Json | undefined): value is Record_ =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const lines = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** Returns a value as it is written: numbers and `true` without quotes. */
function valueOf(text: string): Json {
  return /^(?:true|false|-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?)$/.test(text) ? (JSON.parse(text) as Json) : text;
}

/** `a = b` on each line. */
function pairsOf(text: string, valued: (text: string) => Json): Record_ {
  return Object.fromEntries(
    lines(text).map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line, ""] : [line.slice(0, at).trim(), valued(line.slice(at + 1).trim())];
    }),
  );
}

/** One rule on each line; `/…/` is an expression of one's own. */
function maskOf(text: string): Json {
  return lines(text).map((line) => {
    const own = /^\/(.+)\/$/.exec(line);
    return own === null ? line : { pattern: own[1] ?? "" };
  });
}

/** Returns a step as the server reads it. JSON that is none is sent as a text, which the server refuses by name. */
export function stepOf(draft: StepDraft): Json {
  if (draft.kind === "json") {
    try {
      return JSON.parse(draft.text) as Json;
    } catch {
      return draft.text;
    }
  }
  const text = draft.text.trim();
  const what: Record<Kind, () => Json> = {
    parse: () => text,
    rename: () => pairsOf(text, (to) => to),
    set: () => pairsOf(text, valueOf),
    mask: () => maskOf(text),
    drop: () => (text === "event" ? text : lines(text)),
    sample: () => valueOf(text),
    level: () => text,
    time: () => text,
    route: () => text,
  };
  const step: Record_ = { [draft.kind]: what[draft.kind]() };
  if (draft.only !== "") {
    const several = lines(draft.onlyText);
    const one = draft.only === "matches" || several.length < 2;
    step["when"] = { [draft.only]: one ? draft.onlyText.trim() : several };
  }
  return step;
}

const written = (value: Json | undefined): string => {
  if (Array.isArray(value))
    return value.map((one) => (isRecord(one) ? `/${String(one["pattern"])}/` : String(one))).join("\n");
  if (isRecord(value))
    return Object.entries(value)
      .map(([name, one]) => `${name} = ${String(one)}`)
      .join("\n");
  return value === undefined ? "" : String(value);
};

/** Returns a step as people write it; as JSON where nothing else says all of it. */
export function draftOfStep(step: Json): StepDraft {
  const kind = isRecord(step) ? KINDS.find((one) => one in step) : undefined;
  if (kind !== undefined && isRecord(step)) {
    const when = isRecord(step["when"]) ? step["when"] : {};
    const only = CONDITIONS.find((one) => one in when) ?? "";
    const onlyText = only === "" ? "" : written(when[only]);
    const draft: StepDraft = { kind, text: written(step[kind]), only, onlyText };
    if (isSame(stepOf(draft), step)) return draft;
  }
  return { kind: "json", text: JSON.stringify(step, null, 1), only: "", onlyText: "" };
}

/** Reports whether two values are the same, whatever the order of keys. */
function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, at) => isSame(one, b[at]));
  if (isRecord(a) && isRecord(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]));
  }
  return a === b;
}

/** Returns the definition of a draft, as the server reads it. */
export function definitionOf({ name, match, steps, others }: Draft): Record_ {
  const groups = match
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  const elsewhere = isRecord(others["match"]) ? others["match"] : {};
  const group = groups.length === 0 ? {} : { group: groups.length === 1 ? (groups[0] ?? "") : groups };
  const matched: Record_ = { ...elsewhere, ...group };
  const rest = Object.fromEntries(Object.entries(others).filter(([key]) => key !== "match"));
  return {
    name: name.trim(),
    ...(Object.keys(matched).length === 0 ? {} : { match: matched }),
    steps: steps.map(stepOf),
    ...rest,
  };
}

/** Returns the draft of a definition. */
export function draftOf(definition: Json): Draft {
  const of = isRecord(definition) ? definition : {};
  const match = isRecord(of["match"]) ? of["match"] : {};
  const { group, ...elsewhere } = match;
  const others = Object.fromEntries(Object.entries(of).filter(([key]) => !["name", "match", "steps"].includes(key)));
  return {
    name: written(of["name"]),
    match: Array.isArray(group) ? group.map(String).join(", ") : written(group),
    steps: (Array.isArray(of["steps"]) ? of["steps"] : []).map(draftOfStep),
    others: Object.keys(elsewhere).length === 0 ? others : { ...others, match: elsewhere },
  };
}

/** The server's words about mistakes, by step; those about the pipeline as a whole are at -1. */
export function mistakesOf(message: string): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const line of message.split("\n")) {
    const [, step, rest] = /^pipeline(?:\[\d+\])?(?:\.steps\[(\d+)\])?\.?(.*)$/.exec(line) ?? [];
    const at = step === undefined ? -1 : Number(step);
    found.set(at, [...(found.get(at) ?? []), (rest ?? line).replace(/^: /, "")]);
  }
  return found;
}
