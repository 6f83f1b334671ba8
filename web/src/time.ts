// Times of the page: what a person types becomes what the server understands (`now-2h`, RFC 3339), and back.
// The server has the last word on every text; what is not understood here is passed on as it is.

/** A range as the URL and the server have it. */
export interface RangeText {
  from: string;
  to: string;
}

/** The zone that times are shown and typed in. */
export type Zone = "local" | "utc";

/** Ranges offered by name. */
export const PRESETS: readonly { label: string; from: string }[] = [
  { label: "Last 5 minutes", from: "now-5m" },
  { label: "Last 15 minutes", from: "now-15m" },
  { label: "Last hour", from: "now-1h" },
  { label: "Last 6 hours", from: "now-6h" },
  { label: "Last 24 hours", from: "now-24h" },
  { label: "Last 2 days", from: "now-2d" },
  { label: "Last 7 days", from: "now-7d" },
  { label: "Last 30 days", from: "now-30d" },
  { label: "Last 90 days", from: "now-90d" },
  { label: "Today", from: "now/d" },
  { label: "All time", from: "1970-01-01T00:00:00Z" },
];

const UNIT_MS: Record<string, number> = {
  ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, mo: 2_592_000_000, q: 7_776_000_000, y: 31_536_000_000,
};
const UNIT_WORDS: readonly [RegExp, string][] = [
  [/^(?:ms|millis(?:econds?)?)$/, "ms"], [/^(?:s|secs?|seconds?)$/, "s"], [/^(?:m|mins?|minutes?)$/, "m"], [/^(?:h|hrs?|hours?)$/, "h"],
  [/^(?:d|days?)$/, "d"], [/^(?:w|weeks?)$/, "w"], [/^(?:mo|months?)$/, "mo"], [/^(?:q|quarters?)$/, "q"], [/^(?:y|years?)$/, "y"],
];

function unit(word: string): string | undefined {
  return UNIT_WORDS.find(([pattern]) => pattern.test(word))?.[1];
}

function startOf(ms: number, name: string, zone: Zone): number {
  const date = new Date(ms);
  const [y, mo, d, h, m] = zone === "utc"
    ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()]
    : [date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), date.getMinutes()];
  const at = (...parts: [number, number, number, number, number]) => (zone === "utc" ? Date.UTC(...parts) : new Date(...parts).getTime());
  switch (name) {
    case "m": return at(y, mo, d, h, m);
    case "h": return at(y, mo, d, h, 0);
    case "d": return at(y, mo, d, 0, 0);
    case "w": return at(y, mo, d - ((new Date(at(y, mo, d, 12, 0)).getDay() + 6) % 7), 0, 0);
    case "mo": return at(y, mo, 1, 0, 0);
    case "y": return at(y, 0, 1, 0, 0);
    default: return ms;
  }
}

/** The instant that a text stands for in ms since the epoch; `null` for what only the server can read. */
export function resolve(text: string, now: number, zone: Zone = "local"): number | null {
  const relative = /^now((?:[+-]\d+[a-z]+)*)(?:\/([a-z]+))?$/.exec(text.trim());
  if (relative) {
    let at = now;
    for (const [, sign, amount, word] of (relative[1] ?? "").matchAll(/([+-])(\d+)([a-z]+)/g)) {
      const size = UNIT_MS[unit(word ?? "") ?? ""];
      if (size === undefined) return null;
      at += (sign === "-" ? -1 : 1) * Number(amount) * size;
    }
    return relative[2] === undefined ? at : startOf(at, unit(relative[2]) ?? "", zone);
  }
  if (/^\d+(\.\d+)?$/.test(text)) return epoch(Number(text));
  if (/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(text)) {
    const at = Date.parse(text);
    return Number.isNaN(at) ? null : at;
  }
  return null;
}

/** Epoch numbers by magnitude: seconds, ms, µs, ns. */
function epoch(n: number): number {
  if (n < 1e11) return n * 1000;
  if (n < 1e14) return n;
  return n < 1e17 ? n / 1000 : n / 1e6;
}

/** One typed instant, as the server reads it; `null` when it is no time. */
export function instant(typed: string, zone: Zone, now: number): string | null {
  const text = typed.trim().toLowerCase();
  const span = /^-?\s*(\d+)\s*([a-z]+)(?:\s+ago)?$/.exec(text);
  const name = span && unit(span[2] ?? "");
  if (span && name !== undefined) return `now-${span[1]}${name}`;
  if (/^now/.test(text)) {
    const tight = text.replace(/\s+/g, "");
    return resolve(tight, now, zone) === null ? null : tight;
  }
  if (/^\d+(\.\d+)?$/.test(text)) return /^\d{4}$/.test(text) ? null : text;
  const word = /^(today|yesterday)(?:\s+(\d{1,2}:\d\d(?::\d\d)?))?$/.exec(text);
  if (word) {
    const day = startOf(now - (word[1] === "yesterday" ? 86_400_000 : 0), "d", zone);
    return civil(`${dateText(day, zone)} ${word[2] ?? "00:00"}`, zone);
  }
  if (/(z|[+-]\d\d:?\d\d)$/.test(text) && text.includes("t")) {
    return Number.isNaN(Date.parse(text)) ? null : text.toUpperCase();
  }
  const clock = /^\d{1,2}:\d\d(:\d\d(\.\d+)?)?$/.test(text);
  return civil(clock ? `${dateText(now, zone)} ${text}` : text, zone);
}

/** `2026-11-20 14:00[:05[.123]]` in a zone, as RFC 3339 in UTC. */
function civil(text: string, zone: Zone): string | null {
  const form = /^(\d{4})-(\d\d?)-(\d\d?)(?:[ t](\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?$/.exec(text);
  if (!form) return null;
  const [y, mo, d, h, m, s] = [1, 2, 3, 4, 5, 6].map((at) => Number(form[at] ?? 0)) as [number, number, number, number, number, number];
  if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || m > 59 || s > 60) return null;
  const ms = zone === "utc" ? Date.UTC(y, mo - 1, d, h, m, s) : new Date(y, mo - 1, d, h, m, s).getTime();
  if (Number.isNaN(ms)) return null;
  const whole = new Date(ms).toISOString().slice(0, 19);
  return form[7] === undefined ? `${whole}Z` : `${whole}.${form[7]}Z`;
}

/** A typed range: `2h`, `now-2h`, `yesterday 14:00`, `A..B`, `A to B`. */
export function range(typed: string, zone: Zone, now: number): RangeText | null {
  const text = typed.trim().replace(/^last\s+(?=\d)/i, "").replace(/^last\s+/i, "1 ");
  const parts = text.split(/\s*\.\.\s*|\s+to\s+|\s+until\s+|\s+[–—]\s+/i);
  if (parts.length > 2 || text === "") return null;
  if (/^all(\s+time)?$/i.test(text)) return { from: "1970-01-01T00:00:00Z", to: "now" };
  if (/^yesterday$/i.test(text)) {
    const from = instant("yesterday", zone, now);
    const to = instant("today", zone, now);
    return from && to ? { from, to } : null;
  }
  const from = instant(parts[0] ?? "", zone, now);
  let second = parts[1] ?? "now";
  const day = /^(\d{4}-\d\d-\d\d)[ t]/i.exec(parts[0] ?? "")?.[1];
  if (day !== undefined && /^\d{1,2}:\d\d/.test(second)) second = `${day} ${second}`;
  const to = /^\d{4}-\d\d-\d\d$/.test(parts[0] ?? "") && parts.length === 1 ? instant(`${parts[0]} 23:59:59`, zone, now) : instant(second, zone, now);
  if (from === null || to === null) return null;
  const [a, b] = [resolve(from, now, zone), resolve(to, now, zone)];
  return a !== null && b !== null && a > b ? null : { from, to };
}

function pad(n: number, width = 2): string {
  return String(n).padStart(width, "0");
}

/** `2026-11-20`. */
export function dateText(ms: number, zone: Zone): string {
  const d = new Date(ms);
  return zone === "utc"
    ? `${pad(d.getUTCFullYear(), 4)}-${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())}`
    : `${pad(d.getFullYear(), 4)}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
}

/** `14:02:13`, with milliseconds where asked. */
export function clockText(ms: number, zone: Zone, withMillis = false): string {
  const d = new Date(ms);
  const [h, m, s] = zone === "utc" ? [d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()] : [d.getHours(), d.getMinutes(), d.getSeconds()];
  return `${pad(h)}:${pad(m)}:${pad(s)}${withMillis ? `.${pad(d.getUTCMilliseconds(), 3)}` : ""}`;
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
  const minutes = zone === "utc" ? 0 : -new Date(ms).getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const [h, m] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? "−" : "+"}${h}${m === 0 ? "" : `:${pad(m)}`}`;
}

/** A range in words: the preset's name, or from and to. */
export function rangeLabel(range: RangeText, zone: Zone): string {
  const preset = PRESETS.find((one) => one.from === range.from && range.to === "now");
  if (preset) return preset.label;
  const [a, b] = [absolute(range.from), absolute(range.to)];
  if (a !== null && b !== null && dateText(a, zone) === dateText(b, zone)) return `${fullText(a, zone)} – ${clockText(b, zone)}`;
  const side = (ms: number | null, text: string) => (ms === null ? text : fullText(ms, zone));
  return range.to === "now" && a === null ? `${range.from} – now` : `${side(a, range.from)} – ${side(b, range.to)}`;
}

function absolute(text: string): number | null {
  return text.startsWith("now") ? null : resolve(text, 0);
}

/** `3 s ago`, `in 2 h`. */
export function ago(ms: number, now: number): string {
  const distance = Math.abs(now - ms);
  const [size, name] = distance < 60_000 ? [1000, "s"] : distance < 3_600_000 ? [60_000, "min"] : distance < 86_400_000 ? [3_600_000, "h"] : [86_400_000, "d"];
  const text = `${Math.round(distance / size)} ${name}`;
  return now >= ms ? `${text} ago` : `in ${text}`;
}

const MONTH_MS = 2_629_800_000;

/** First days of months or years inside a range, for ranges of many months. */
function monthTicks(from: number, to: number, most: number, zone: Zone): number[] {
  const step = [1, 3, 6, 12, 24, 60, 120, 240].find((one) => (to - from) / MONTH_MS / one <= most) ?? 600;
  const year = new Date(from).getUTCFullYear();
  const first = step >= 12 ? Math.floor((year * 12) / step) * step : year * 12;
  const all: number[] = [];
  for (let month = first; all.length < 50; month += step) {
    const parts = [Math.floor(month / 12), month % 12, 1] as const;
    const at = zone === "utc" ? Date.UTC(...parts) : new Date(...parts).getTime();
    if (at > to) break;
    if (at >= from) all.push(at);
  }
  return all;
}

/** Steps for an axis: at most `most` round times inside a range. */
export function ticks(from: number, to: number, most: number, zone: Zone): number[] {
  if ((to - from) / most > 14 * 86_400_000) return monthTicks(from, to, most, zone);
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 12096e5];
  const step = steps.find((one) => (to - from) / one <= most) ?? (to - from);
  const offset = zone === "utc" ? 0 : new Date(from).getTimezoneOffset() * 60_000;
  const all: number[] = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to && all.length < 50; at += step) all.push(at);
  return all;
}
