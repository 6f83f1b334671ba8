// What is shown around an event, as one part of the address: `ID`, `ID~gh`, `ID~sg~filter status = 500`. The letters are
// the conditions that hold: the same stream, the same group, the same host.

import { decimal, inUnit, tenths } from "../format.ts";

/** A condition that what is shown shares with the event. */
export type Bond = "stream" | "group" | "host";

/** Every condition and its letter. */
export const BONDS: readonly { bond: Bond; letter: string }[] = [
  { bond: "stream", letter: "s" },
  { bond: "group", letter: "g" },
  { bond: "host", letter: "h" },
];

const AT_FIRST: readonly Bond[] = ["stream", "group"];

/** What is shown around which event. */
export interface AroundScope {
  id: string;
  bonds: readonly Bond[];
  filter: string;
}

/** Reads the part of the address. */
export function readScope(text: string): AroundScope {
  const [id = "", letters, ...rest] = text.split("~");
  const bonds =
    letters === undefined ? AT_FIRST : BONDS.filter(({ letter }) => letters.includes(letter)).map(({ bond }) => bond);
  return { id, bonds, filter: rest.join("~") };
}

/** Writes it. */
export function writeScope({ id, bonds, filter }: AroundScope): string {
  const letters = BONDS.filter(({ bond }) => bonds.includes(bond))
    .map(({ letter }) => letter)
    .join("");
  const standard =
    letters ===
    BONDS.filter(({ bond }) => AT_FIRST.includes(bond))
      .map(({ letter }) => letter)
      .join("");
  if (filter !== "") return `${id}~${letters}~${filter}`;
  return standard ? id : `${id}~${letters}`;
}

/** The instant of an event in ms since the epoch, as its id says it; `null` for what is no id. */
export function msOfId(id: string): number | null {
  if (!/^[0-9a-v]{32}$/.test(id)) return null;
  const bits = [...id].map((c) => Number.parseInt(c, 32).toString(2).padStart(5, "0")).join("");
  const ns = BigInt.asIntN(64, BigInt(`0b${bits.slice(32, 96)}`) ^ (1n << 63n));
  return Number(ns / 1_000_000n);
}

/** An RFC 3339 time in ns since the epoch. */
export function nsOf(time: string): bigint | null {
  const ms = Date.parse(time.replace(/\.\d+/, ""));
  if (Number.isNaN(ms)) return null;
  const digits = /\.(\d{1,9})/.exec(time)?.[1] ?? "";
  return BigInt(ms) * 1_000_000n + BigInt(digits.padEnd(9, "0"));
}

/** How far a time is from another: `+0.3 s`, `−12 ms`, `+2 min 5 s`; empty where they are the same. */
export function offsetText(ns: bigint): string {
  if (ns === 0n) return "0";
  const sign = ns < 0n ? "−" : "+";
  const n = Number(ns < 0n ? -ns : ns);
  if (n < 1000) return `${sign}${n} ns`;
  if (n < 1_000_000) return `${sign}${round(n / 1000)} µs`;
  if (n < 100_000_000) return sign + inUnit(round(n / 1e6), "ms");
  const seconds = n / 1e9;
  if (seconds < 59.95) return sign + inUnit(seconds < 10 ? round(seconds) : tenths(seconds), "s");
  const whole = Math.round(seconds);
  if (whole < 3600) return `${sign}${inUnit(Math.floor(whole / 60), "min")} ${inUnit(whole % 60, "s")}`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${sign}${inUnit(Math.floor(minutes / 60), "h")} ${inUnit(minutes % 60, "min")}`;
  return sign + inUnit(Math.round(seconds / 86_400), "d");
}

/** Two digits that count. */
function round(n: number): string {
  return decimal(n, n < 10 ? 1 : 0);
}
