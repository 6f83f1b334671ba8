// Times of the page: what the server has read (`now-2h`, RFC 3339) as instants to draw with, and instants in words.
// What a person types is read by the server (`api/time.ts`); what is not understood here is passed on as it is.

import { inUnit } from "./format.ts";
import { t, text } from "./texts.ts";

/** A range as the URL and the server have it. */
export interface RangeText {
  from: string;
  to: string;
}

/** The zone that times are shown and typed in: the browser's (`local`), `utc`, or a name of the tz database. */
export type Zone = string;

/** Ranges offered by name. */
export const PRESETS: readonly { label: string; from: string }[] = [
  { label: text("Last 5 minutes"), from: "now-5m" },
  { label: text("Last 15 minutes"), from: "now-15m" },
  { label: text("Last hour"), from: "now-1h" },
  { label: text("Last 6 hours"), from: "now-6h" },
  { label: text("Last 24 hours"), from: "now-24h" },
  { label: text("Last 2 days"), from: "now-2d" },
  { label: text("Last 7 days"), from: "now-7d" },
  { label: text("Last 30 days"), from: "now-30d" },
  { label: text("Last 90 days"), from: "now-90d" },
  { label: text("Today"), from: "now/d" },
  { label: text("All time"), from: "1970-01-01T00:00:00Z" },
];

const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();
const OFFSETS_MAX = 20_000;

/** The parts of an instant as the zone's clock shows them. */
function formatOf(zone: Zone): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const parts = {
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  } as const;
  const made = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", ...parts });
  formats.set(zone, made);
  return made;
}

/** Whether the browser knows a zone by this name. */
export function isZone(zone: Zone): boolean {
  try {
    // Browsers take distances such as `+05:30`, too; the server wants names.
    return zone === "local" || zone === "utc" || (/^[a-z]/i.test(zone) && formatOf(zone) !== null);
  } catch {
    return false;
  }
}

/** Returns how far a zone's clock is ahead of UTC, in ms. */
export function offset(ms: number, zone: Zone): number {
  if (zone === "utc" || Number.isNaN(ms)) return 0;
  if (zone === "local") return -new Date(ms).getTimezoneOffset() * 60_000;
  // Clocks are changed on quarters of an hour.
  const quarter = Math.floor(ms / 900_000) * 900_000;
  const key = `${zone} ${quarter}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const of = Object.fromEntries(
    formatOf(zone)
      .formatToParts(quarter)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const found =
    Date.UTC(
      of["year"] ?? 0,
      (of["month"] ?? 1) - 1,
      of["day"] ?? 1,
      of["hour"] ?? 0,
      of["minute"] ?? 0,
      of["second"] ?? 0,
    ) - quarter;
  if (offsets.size >= OFFSETS_MAX) offsets.clear();
  offsets.set(key, found);
  return found;
}

/** A date whose UTC parts are those of the zone's clock. */
function wall(ms: number, zone: Zone): Date {
  return new Date(ms + offset(ms, zone));
}

/** The first instant at which the zone's clock shows what `at` shows in UTC. */
function instantOf(at: number, zone: Zone): number {
  const day = 86_400_000;
  const both = [at - offset(at - day, zone), at - offset(at + day, zone)].sort((a, b) => a - b);
  return both.find((ms) => wall(ms, zone).getTime() === at) ?? at - offset(at - day, zone);
}

const DAY_MS = 86_400_000;
const FIXED_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const MONTHS: Record<string, number> = { mo: 1, M: 1, q: 3, y: 12 };

/** So many units later; days and longer are those of the zone's calendar. */
function step(ms: number, count: number, unit: string, zone: Zone): number | null {
  const fixed = FIXED_MS[unit];
  if (fixed !== undefined) return ms + count * fixed;
  const at = wall(ms, zone);
  const months = MONTHS[unit];
  if (months !== undefined) {
    const day = at.getUTCDate();
    at.setUTCDate(1);
    at.setUTCMonth(at.getUTCMonth() + count * months);
    at.setUTCDate(Math.min(day, new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate()));
  } else if (unit === "d" || unit === "w") at.setUTCDate(at.getUTCDate() + count * (unit === "w" ? 7 : 1));
  else return null;
  return instantOf(at.getTime(), zone);
}

/** Start of the unit that an instant lies in; weeks begin on Monday. */
function floor(ms: number, unit: string, zone: Zone): number | null {
  const fixed = FIXED_MS[unit];
  if (fixed !== undefined && unit !== "h") return Math.floor(ms / fixed) * fixed;
  const at = wall(ms, zone);
  const [y, mo, d] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  const months = MONTHS[unit];
  if (months !== undefined) return instantOf(Date.UTC(y, mo - (mo % months), 1), zone);
  if (unit === "h") return instantOf(Date.UTC(y, mo, d, at.getUTCHours()), zone);
  if (unit === "d" || unit === "w")
    return instantOf(Date.UTC(y, mo, d - (unit === "w" ? (at.getUTCDay() + 6) % 7 : 0)), zone);
  return null;
}

/** `-1h30m`, `/d`: steps from an instant; a sign holds for the lengths up to the next one. */
function stepped(text: string, from: number, zone: Zone): number | null {
  let [at, sign]: [number | null, number] = [from, -1];
  for (const [, mark, amount, unit = ""] of text.matchAll(/([+/-]?)(\d*)([a-zM]+)/g)) {
    if (at === null) break;
    if (mark === "+" || mark === "-") sign = mark === "-" ? -1 : 1;
    at = mark === "/" ? floor(at, unit, zone) : step(at, sign * Number(amount), unit, zone);
  }
  return at;
}

/** `today`, `yesterday 14:00`, `06:30:15.5`. */
function ofDay(text: string, now: number, zone: Zone): number | null {
  const written = /^(?:(today|yesterday)(?: +|$))?(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?$/i.exec(text);
  if (written === null || text === "") return null;
  const [, day = "today", clock = "00:00"] = written;
  const at = Date.parse(`${dateText(now, zone)}T${clock}Z`) - (day.toLowerCase() === "today" ? 0 : DAY_MS);
  return Number.isNaN(at) ? null : instantOf(at, zone);
}

/** The instant that a text stands for in ms since the epoch; `null` for what only the server can read. */
export function resolve(text: string, now: number, zone: Zone = "local"): number | null {
  if (/^now(?:[+-](?:\d+[a-zM]+)+|\/[a-zM]+)*$/.test(text)) return stepped(text.slice(3), now, zone);
  if (/^-?(?:\d+[a-zM]+)+$/.test(text)) return stepped(text, now, zone);
  if (/^\d+(\.\d+)?$/.test(text)) return epoch(Number(text));
  // RFC 3339, or a date of the zone's calendar with or without a time of day.
  const written = /^(\d{4}-\d\d)(-\d\d)?(?:[T ](\d\d:.*?)(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  if (written === null) return ofDay(text, now, zone);
  const [, month, day = "-01", clock = "00:00", own] = written;
  const at = Date.parse(`${month}${day}T${clock}${own ?? "Z"}`);
  if (Number.isNaN(at)) return null;
  return own ? at : instantOf(at, zone);
}

/** Epoch numbers by magnitude: seconds, ms, µs, ns. */
function epoch(n: number): number {
  if (n < 1e11) return n * 1000;
  if (n < 1e14) return n;
  return n < 1e17 ? n / 1000 : n / 1e6;
}

function pad(n: number, width = 2): string {
  return String(n).padStart(width, "0");
}

/** `2026-11-20`. */
export function dateText(ms: number, zone: Zone): string {
  const at = wall(ms, zone);
  return `${pad(at.getUTCFullYear(), 4)}-${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`;
}

/** `14:02:13`, with milliseconds where asked. */
export function clockText(ms: number, zone: Zone, withMillis = false): string {
  const at = wall(ms, zone);
  const text = `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`;
  return withMillis ? `${text}.${pad(at.getUTCMilliseconds(), 3)}` : text;
}

/** The time of day, and of what was not today the day before it: `11-20 14:02:13`. */
export function dayClock(ms: number, zone: Zone, withMillis = false, now = Date.now()): string {
  const day = dateText(ms, zone);
  const today = dateText(now, zone);
  const before = day === today ? "" : `${day.slice(0, 4) === today.slice(0, 4) ? day.slice(5) : day} `;
  return before + clockText(ms, zone, withMillis);
}

/** `14:02:13.123456789`: all digits of an event's time. */
export function nanosText(rfc3339: string, zone: Zone): string {
  return `${clockText(Date.parse(rfc3339), zone)}.${(/\.(\d*)/.exec(rfc3339)?.[1] ?? "").padEnd(9, "0")}`;
}

/** `2026-11-20 14:02:13`. */
export function fullText(ms: number, zone: Zone): string {
  return `${dateText(ms, zone)} ${clockText(ms, zone)}`;
}

/** A time of an event with all of its digits, in a zone. */
export function exactText(rfc3339: string, zone: Zone): string {
  const ms = Date.parse(rfc3339);
  if (Number.isNaN(ms)) return rfc3339;
  const digits = /\.(\d*[1-9])/.exec(rfc3339)?.[1] ?? "";
  return `${fullText(ms, zone)}${digits === "" ? "" : `.${digits}`} ${zoneText(ms, zone)}`;
}

/** `UTC`, `UTC+7`. */
export function zoneText(ms: number, zone: Zone): string {
  const minutes = Math.round(offset(ms, zone) / 60_000);
  if (minutes === 0) return "UTC";
  const [h, m] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "−" : "+"}${h}${m === 0 ? "" : `:${pad(m)}`}`;
}

/** `UTC+7`, of a named zone `Jakarta UTC+7`. */
export function zoneLabel(ms: number, zone: Zone): string {
  const city = zone.includes("/") ? `${zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ")} ` : "";
  return city + zoneText(ms, zone);
}

/** A range in words: the preset's name, or from and to. */
export function rangeLabel(range: RangeText, zone: Zone): string {
  const preset = PRESETS.find((one) => one.from === range.from && range.to === "now");
  if (preset) return t(preset.label);
  if (range.from === "now-1d/d" && range.to === "now/d") return t("Yesterday");
  const [, n, unit] = /^now-(\d+)([smhd])$/.exec(range.to === "now" ? range.from : "") ?? [];
  if (n && unit) return t("Last {time}", { time: inUnit(Number(n), unit === "m" ? "min" : (unit as "s" | "h" | "d")) });
  const [a, b] = [absolute(range.from), absolute(range.to)];
  // Seconds are said where they say something.
  const exact = [a, b].some((ms) => ms !== null && ms % 60_000 !== 0);
  const cut = (text: string) => (exact ? text : text.slice(0, -3));
  if (a !== null && b !== null && dateText(a, zone) === dateText(b, zone))
    return `${cut(fullText(a, zone))} – ${cut(clockText(b, zone))}`;
  const side = (ms: number | null, text: string) => (ms === null ? text : cut(fullText(ms, zone)));
  return range.to === "now" && a === null
    ? t("{from} – now", { from: range.from })
    : `${side(a, range.from)} – ${side(b, range.to)}`;
}

/** Reports whether a text stands for the same instant whenever it is read. */
export function isAbsolute(text: string): boolean {
  return /^(?:\d{4}-|\d+(?:\.\d+)?$)/.test(text);
}

/** The instant that a text stands for whenever it is read; `null` for one that counts from now. */
export function absolute(text: string): number | null {
  return isAbsolute(text) ? resolve(text, 0) : null;
}

const YEAR_MS = 365.25 * DAY_MS;

/** `3 s`, `2 h`, `7 months`: how far two instants are apart, in one unit. */
export function distance(ms: number): string {
  const far = Math.abs(ms);
  const [size, name] =
    far < 60_000
      ? ([1000, "s"] as const)
      : far < 3_600_000
        ? ([60_000, "min"] as const)
        : far < DAY_MS
          ? ([3_600_000, "h"] as const)
          : far < 90 * DAY_MS
            ? ([DAY_MS, "d"] as const)
            : far < 2 * YEAR_MS
              ? ([YEAR_MS / 12, "mo"] as const)
              : ([YEAR_MS, "y"] as const);
  return inUnit(Math.round(far / size), name);
}

/** `3 s ago`, `in 2 h`. */
export function ago(ms: number, now: number): string {
  const time = distance(now - ms);
  return now >= ms ? t("{time} ago", { time }) : t("in {time}", { time });
}

const MONTH_MS = 2_629_800_000;

/** First days of months or years inside a range, for ranges of many months. */
function monthTicks(from: number, to: number, most: number, zone: Zone): number[] {
  const step = [1, 3, 6, 12, 24, 60, 120, 240].find((one) => (to - from) / MONTH_MS / one <= most) ?? 600;
  const year = new Date(from).getUTCFullYear();
  const first = step >= 12 ? Math.floor((year * 12) / step) * step : year * 12;
  const all: number[] = [];
  for (let month = first; all.length < 50; month += step) {
    const at = instantOf(Date.UTC(Math.floor(month / 12), month % 12, 1), zone);
    if (at > to) break;
    if (at >= from) all.push(at);
  }
  return all;
}

/** Steps for an axis: at most `most` round times inside a range. */
export function ticks(from: number, to: number, most: number, zone: Zone): number[] {
  if ((to - from) / most > 14 * 86_400_000) return monthTicks(from, to, most, zone);
  const steps = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5,
    108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 12096e5,
  ];
  const step = steps.find((one) => (to - from) / one <= most) ?? to - from;
  const ahead = offset(from, zone);
  const all: number[] = [];
  for (let at = Math.ceil((from + ahead) / step) * step - ahead; at <= to && all.length < 50; at += step) all.push(at);
  return all;
}
