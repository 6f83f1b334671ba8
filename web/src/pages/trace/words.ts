// Times of spans in words.

import { decimal, inUnit, milliseconds } from "../../format.ts";
import { t } from "../../texts.ts";

/** `0`, `12 µs`, `1.25 ms`, `83 ms`, `1.2 s`. */
export function durationText(ms: number): string {
  if (ms === 0) return inUnit(0, "ms");
  if (ms < 0.001) return t("{n} ns", { n: decimal(ms * 1e6, 0) });
  if (ms < 1) return t("{n} µs", { n: decimal(ms * 1e3, ms < 0.1 ? 1 : 0) });
  return ms < 10 ? inUnit(decimal(ms, 2), "ms") : milliseconds(ms);
}

/** `+1.2 s`, `−3 ms`: a time from the start of the trace. */
export function offsetText(ms: number): string {
  return `${ms < 0 ? "−" : "+"}${durationText(Math.abs(ms))}`;
}

/** The class with the colour of a service: those of charts, in the order of first spans. */
export function colourOf(services: readonly { name: string }[]): (service: string) => string {
  const places = new Map(services.map(({ name }, at) => [name, at % 7]));
  return (service) => `series-${places.get(service) ?? 0}`;
}
