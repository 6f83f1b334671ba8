// Where traces lie on a plane of time and duration, and what an area of it contains. Nothing here touches the document.

import type { DensityCell, TraceDensity, TraceSummary } from "../../api/traces.ts";

/** An area of the plane: times in ms since the epoch, durations in ms. */
export interface Area {
  from: number;
  to: number;
  min: number;
  max: number;
}

/** Maps times and durations to pixels and back; durations are on a logarithmic scale. */
export interface Plane {
  x: (ms: number) => number;
  y: (duration: number) => number;
  time: (x: number) => number;
  duration: (y: number) => number;
  ticks: number[];
}

/** Parses the text of an area in the address; `null` for anything else. */
export function areaOf(text: string | undefined): Area | null {
  const [from, to, min, max, ...rest] = (text ?? "").split("_").map(Number);
  const all = [from, to, min, max];
  if (rest.length > 0 || !all.every((one): one is number => Number.isFinite(one))) return null;
  const [a, b, c, d] = all as [number, number, number, number];
  return { from: Math.min(a, b), to: Math.max(a, b), min: Math.min(c, d), max: Math.max(c, d) };
}

/** The text of an area for the address. */
export function areaText({ from, to, min, max }: Area): string {
  const digits = (n: number) => String(Number(n.toPrecision(6)));
  return [Math.round(from), Math.round(to), digits(min), digits(max)].join("_");
}

/** Whether a trace lies in an area. */
export function isIn(trace: TraceSummary, area: Area): boolean {
  const at = Date.parse(trace.start);
  return at >= area.from && at <= area.to && trace.duration_ms >= area.min && trace.duration_ms <= area.max;
}

const MINUTE = 60_000;
/** Above a minute people count in minutes, hours and days: `10 min`, not `16 min 40 s`. */
const LONG = [MINUTE, 10 * MINUTE, 60 * MINUTE, 600 * MINUTE, 1440 * MINUTE, 14_400 * MINUTE];

/** The durations with a line across, from `10 ** low` to `10 ** high` ms. */
function ticksOf(low: number, high: number): number[] {
  const decades = Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n));
  const short = decades.filter((ms) => ms < MINUTE);
  const [first = 1, last = 1] = [decades[0], decades.at(-1)];
  const ticks = [...short, ...LONG.filter((ms) => ms >= first && ms <= last)];
  return ticks.length > 1 ? ticks : decades;
}

/** The plane for durations from `min` to `max` ms and times from `from` to `to`, in a box of pixels. */
export function planeOf(
  { from, to }: { from: number; to: number },
  durations: readonly number[],
  box: { left: number; width: number; height: number },
): Plane {
  const positive = durations.filter((one) => one > 0);
  const least = positive.reduce((a, b) => Math.min(a, b), Infinity);
  const most = positive.reduce((a, b) => Math.max(a, b), 0);
  const low = Math.floor(Math.log10(positive.length > 0 ? least : 1));
  const high = Math.max(low + 1, Math.ceil(Math.log10(positive.length > 0 ? most : 100)));
  const length = Math.max(1, to - from);
  const log = (duration: number) => Math.min(high, Math.max(low, Math.log10(Math.max(duration, 1e-9))));
  return {
    x: (ms) => box.left + ((ms - from) / length) * box.width,
    y: (duration) => box.height - ((log(duration) - low) / (high - low)) * box.height,
    time: (x) => from + ((x - box.left) / box.width) * length,
    duration: (y) => 10 ** (low + ((box.height - y) / box.height) * (high - low)),
    ticks: ticksOf(low, high),
  };
}

/** How strongly a cell is drawn, from 0 to 1: by the logarithm, so that a few traces are seen beside many. */
export function strength(n: number, most: number): number {
  return n <= 0 ? 0 : 0.15 + 0.75 * (Math.log1p(n) / Math.log1p(Math.max(n, most)));
}

/** The cell at an instant and a duration. */
export function cellAt(density: TraceDensity, time: number, duration: number): DensityCell | null {
  const isAt = ({ at, min, max }: DensityCell) =>
    at <= time && time < at + density.width && min <= duration && duration < max;
  return density.cells.find(isAt) ?? null;
}

/** A property of traces that is more, or less, frequent inside an area than outside. Shares are from 0 to 1. */
export interface Difference {
  what: "operation" | "service" | "errors";
  value: string;
  inside: number;
  outside: number;
}

/** Compares traces inside an area with the rest: root operations, services on the way, errors; the largest differences first. */
export function differences(inside: readonly TraceSummary[], outside: readonly TraceSummary[]): Difference[] {
  if (inside.length === 0 || outside.length === 0) return [];
  const shares = (traces: readonly TraceSummary[]) => {
    const counts = new Map<string, number>();
    for (const trace of traces) {
      const services = [...new Set(trace.services)].map((service) => `service\n${service}`);
      const all = [`operation\n${trace.root_service}: ${trace.root_name}`, ...services];
      for (const key of [...all, ...(trace.errors > 0 ? ["errors\n"] : [])])
        counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return (key: string) => (counts.get(key) ?? 0) / traces.length;
  };
  const keys = new Set<string>();
  for (const trace of [...inside, ...outside]) {
    keys.add(`operation\n${trace.root_service}: ${trace.root_name}`);
    for (const service of trace.services) keys.add(`service\n${service}`);
  }
  keys.add("errors\n");
  const [of, rest] = [shares(inside), shares(outside)];
  return [...keys]
    .map((key) => {
      const [what = "", value = ""] = key.split("\n", 2);
      return { what: what as Difference["what"], value, inside: of(key), outside: rest(key) };
    })
    .filter((one) => Math.abs(one.inside - one.outside) >= 0.1)
    .sort((a, b) => Math.abs(b.inside - b.outside) - Math.abs(a.inside - a.outside) || (a.value < b.value ? -1 : 1))
    .slice(0, 6);
}
