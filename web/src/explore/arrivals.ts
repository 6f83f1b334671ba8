// How many events a second arrive in the live tail.

/** Time over which events are counted: they come in groups, so that a shorter one would be empty now and then. */
const RATE_MS = 5000;
let counts: { at: number; n: number }[] = [];
let began: number | null = null;

/** Returns the events per second of the last seconds, `n` more of which arrived at `at`. */
export function rateWith(n: number, at: number): number {
  began ??= at;
  if (n > 0) counts.push({ at, n });
  counts = counts.filter((one) => at - one.at < RATE_MS);
  const sum = counts.reduce((all, one) => all + one.n, 0);
  // At first there are no such seconds yet.
  const time = Math.min(RATE_MS, Math.max(1000, at - began));
  return sum === 0 ? 0 : Math.max(1, Math.round((sum * 1000) / time));
}

/** Begins anew. */
export function forgetArrivals(): void {
  counts = [];
  began = null;
}
