// Numbers of panels with their units, and the grade that thresholds give them.

import type { Grade, Threshold } from "../../api/dashboards.ts";
import { decimal, fixed, inUnit } from "../../format.ts";
import { quantity } from "../../metrics/lines.ts";
import { t, text } from "../../texts.ts";

/** The units that the form offers, by what they are called. */
export const UNITS: readonly { unit: string; name: string }[] = [
  { unit: "none", name: text("Plain number") },
  { unit: "count", name: text("Count") },
  { unit: "percent", name: text("Percent (0–100)") },
  { unit: "ratio", name: text("Share (0–1, as %)") },
  { unit: "bytes", name: text("Bytes") },
  { unit: "bytes/s", name: text("Bytes per second") },
  { unit: "bits/s", name: text("Bits per second") },
  { unit: "ms", name: text("Milliseconds") },
  { unit: "s", name: text("Seconds") },
  { unit: "ns", name: text("Nanoseconds") },
  { unit: "per_second", name: text("Per second") },
  { unit: "per_minute", name: text("Per minute") },
];

function scaled(n: number, signs: readonly string[], size: number, decimals: number | undefined): string {
  let at = 0;
  let value = n;
  while (Math.abs(value) >= size * 0.9995 && at < signs.length - 1) {
    value /= size;
    at += 1;
  }
  return `${rounded(value, decimals)} ${signs[at] ?? ""}`;
}

function digits(n: number, decimals: number | undefined): string {
  if (decimals === undefined) return quantity(n);
  return fixed(n, decimals);
}

/** Digits of a number with a unit that nobody has asked for more of: more would claim what no measurement knows. */
const SIGNIFICANT = 3;

/** A number of a unit: `2.75`, `57.6`, `312`. */
function rounded(n: number, decimals: number | undefined): string {
  if (decimals !== undefined || n === 0 || Math.abs(n) >= 10_000 || Math.abs(n) < 1e-4) return digits(n, decimals);
  const whole = Math.floor(Math.log10(Math.abs(n))) + 1;
  return decimal(n, Math.max(0, SIGNIFICANT - whole));
}

/** A percentage: close to a hundred, what is missing is what counts. */
function percentage(n: number, decimals: number | undefined): string {
  if (decimals !== undefined || n <= 99 || n >= 100) return rounded(n, decimals);
  return decimal(n, Math.min(4, 1 - Math.floor(Math.log10(100 - n))));
}

/** A time in the unit that suits it. */
function duration(ms: number, decimals: number | undefined): string {
  const size = Math.abs(ms);
  if (size < 1 && size > 0)
    return size < 0.001 ? `${rounded(ms * 1e6, decimals)} ns` : `${rounded(ms * 1e3, decimals)} µs`;
  if (size < 1000) return inUnit(rounded(ms, decimals), "ms");
  if (size < 60_000) return inUnit(rounded(ms / 1000, decimals), "s");
  if (size < 3_600_000) return inUnit(rounded(ms / 60_000, decimals), "min");
  if (size < 172_800_000) return inUnit(rounded(ms / 3_600_000, decimals), "h");
  return inUnit(rounded(ms / 86_400_000, decimals), "d");
}

/** Most digits behind the point of an axis' marks. */
const DECIMALS_MAX = 9;

/** Whole numbers below this are written with all of their digits. */
const WHOLE_MAX = 1e6;

const BYTES = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const BITS = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];

/** Writes a number with its unit: `1.2 MB`, `12 %`, `350 ms`. */
export function withUnit(n: number, unit = "none", decimals?: number): string {
  if (Number.isNaN(n)) return "–";
  if (!Number.isFinite(n)) return quantity(n);
  switch (unit) {
    case "":
    case "none":
      return decimals === undefined && Number.isInteger(n) && Math.abs(n) < WHOLE_MAX
        ? decimal(n, 0)
        : digits(n, decimals);
    case "count":
      return Math.abs(n) < WHOLE_MAX ? decimal(n, decimals ?? 0) : digits(n, decimals);
    case "percent":
      return `${percentage(n, decimals)} %`;
    case "ratio":
      return `${percentage(n * 100, decimals)} %`;
    case "bytes":
      return scaled(n, BYTES, 1000, decimals);
    case "bytes/s":
      return scaled(n, BYTES, 1000, decimals) + t("/s");
    case "bits/s":
      return scaled(n, BITS, 1000, decimals);
    case "ms":
      return duration(n, decimals);
    case "s":
      return duration(n * 1000, decimals);
    case "ns":
      return duration(n / 1e6, decimals);
    case "per_second":
      return rounded(n, decimals) + t("/s");
    case "per_minute":
      return rounded(n, decimals) + t("/min");
    default:
      return `${rounded(n, decimals)} ${unit}`;
  }
}

/** Returns how the marks of an axis are written: with as many digits as tell them apart. */
export function axisTexts(marks: readonly number[], unit?: string): ReadonlyMap<number, string> {
  const written = (decimals?: number) => marks.map((mark) => withUnit(mark, unit, decimals));
  let texts = written();
  for (let decimals = 1; decimals <= DECIMALS_MAX && new Set(texts).size < texts.length; decimals += 1)
    texts = written(decimals);
  return new Map(marks.map((mark, at) => [mark, texts[at] ?? ""]));
}

/** Returns the grade of a number: that of the highest threshold which it reaches. */
export function gradeOf(n: number, thresholds: readonly Threshold[] = []): Grade | null {
  const reached = thresholds.filter(({ value }) => n >= value).sort((a, b) => b.value - a.value);
  return reached[0]?.level ?? null;
}

/** What a grade is called: a colour alone tells nothing to those who do not see it. */
export const GRADES: Readonly<Record<Grade, string>> = {
  ok: text("fine"),
  info: text("notice"),
  warn: text("warning"),
  error: text("bad"),
  fatal: text("critical"),
};
