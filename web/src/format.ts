// Numbers, sizes, spans of time and hostile texts, written for people.

import type { Json } from "./query/edit.ts";
import { language, t, text } from "./texts.ts";

let spoken = {
  language: "",
  grouped: new Intl.NumberFormat("en"),
  compact: new Intl.NumberFormat("en"),
  tenths: new Intl.NumberFormat("en"),
  /** By most digits behind the point. */
  decimals: [] as Intl.NumberFormat[],
};

/** Returns a text as a sentence: with a capital, and a full stop where it has no other end. */
export function sentence(text: string): string {
  const [first = "", ...rest] = text;
  return `${first.toUpperCase()}${rest.join("")}${/[.!?…]$/.test(text) ? "" : "."}`;
}

/** How numbers are written in the language spoken now. */
function written() {
  const now = language.value;
  if (spoken.language !== now) {
    spoken = {
      language: now,
      grouped: new Intl.NumberFormat(now),
      compact: new Intl.NumberFormat(now, { notation: "compact", maximumFractionDigits: 1 }),
      tenths: new Intl.NumberFormat(now, { minimumFractionDigits: 1, maximumFractionDigits: 1, useGrouping: false }),
      decimals: [],
    };
  }
  return spoken;
}

/** `12,431`. */
export function count(n: number): string {
  return written().grouped.format(n);
}

/** `12.4K`. */
export function compact(n: number): string {
  return n < 10_000 ? count(n) : written().compact.format(n);
}

/** `0.4`: one digit behind the point. */
export function tenths(n: number): string {
  return written().tenths.format(n);
}

/** `1,234.57`: at most so many digits behind the point. */
export function decimal(n: number, digits: number): string {
  const { language, decimals } = written();
  // Making one takes as long as a hundred uses.
  decimals[digits] ??= new Intl.NumberFormat(language, { maximumFractionDigits: digits });
  return decimals[digits].format(n);
}

/** `1,234.50`: so many digits behind the point. */
export function fixed(n: number, digits: number): string {
  const { language } = written();
  return n.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const UNITS = {
  y: text("{n} years"),
  mo: text("{n} months"),
  d: text("{n} d"),
  h: text("{n} h"),
  min: text("{n} min"),
  s: text("{n} s"),
  ms: text("{n} ms"),
};

/** Units of time. */
export type Unit = keyof typeof UNITS;

/** `5 min`: a number of one unit of time. */
export function inUnit(n: number | string, unit: Unit): string {
  return t(UNITS[unit], { n });
}

/** `1.4 MB`, in powers of 1000. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : tenths(value)} ${units[unit]}`;
}

/** `0.4 ms`, `83 ms`, `1.2 s`, `3 min 20 s`, `5 h 20 min`, `3 d 4 h`. */
export function milliseconds(ms: number): string {
  if (ms < 10) return inUnit(tenths(ms), "ms");
  if (ms < 1000) return inUnit(Math.round(ms), "ms");
  if (ms < 60_000) return inUnit(tenths(ms / 1000), "s");
  const [size, name, part, below]: [number, Unit, number, Unit] =
    ms < 3_600_000
      ? [60_000, "min", 1000, "s"]
      : ms < 86_400_000
        ? [3_600_000, "h", 60_000, "min"]
        : [86_400_000, "d", 3_600_000, "h"];
  return `${inUnit(Math.floor(ms / size), name)} ${inUnit(Math.floor((ms % size) / part), below)}`;
}

/** `5 min`, `1 h`, `2 d`: the width of a bucket or the length of a range. */
export function span(ms: number): string {
  const units: [number, Unit][] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
    [1000, "s"],
    [1, "ms"],
  ];
  for (const [size, name] of units) {
    if (ms >= size) {
      const value = ms / size;
      return inUnit(Number.isInteger(value) ? value : tenths(value), name);
    }
  }
  return inUnit(ms, "ms");
}

/** `42 %`, `0.3 %`, `< 0.1 %`, of a share from 0 to 1. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.1) return `< ${tenths(0.1)} %`;
  if (value >= 99.95 && share < 1) return `> ${tenths(99.9)} %`;
  return value >= 10 || Number.isInteger(value) ? `${Math.round(value)} %` : `${tenths(value)} %`;
}

/** An escape of a terminal. */
// eslint-disable-next-line no-control-regex
export const ANSI = /\u001b(?:\[[0-9;:?]{0,64}[ -/]{0,4}[@-~]|\][^\u0007\u001b]{0,512}(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** Takes terminal escapes out and makes every other invisible or order-changing character visible. */
export function printable(text: string, keepLines = false): string {
  return text
    .replace(ANSI, "")
    .replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (c) => {
      if (keepLines && (c === "\n" || c === "\t")) return c;
      const code = c.charCodeAt(0);
      if (c === "\n") return " ↵ ";
      if (c === "\t") return "  ";
      if (c === "\r") return "";
      if (code === 0x7f) return "␡";
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : `[U+${code.toString(16).toUpperCase()}]`;
    });
}

/** Cuts a text without leaving half a surrogate pair. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** Longest text of a closed row. */
const LINE_CHARS_MAX = 1000;

/** The text of a value: lists and objects as JSON, `missing` for one that is not there. */
export function textOf(value: Json | undefined, missing = ""): string {
  return typeof value === "string" ? value : value === null || value === undefined ? missing : JSON.stringify(value);
}

/** A value as one line. */
export function oneLine(value: Json | undefined, length = LINE_CHARS_MAX): string {
  const text = textOf(value);
  return printable(cut(text, length)) + (text.length > length ? " …" : "");
}
