import assert from "node:assert/strict";
import { test } from "node:test";

import { drawnOf, errorsOf, isPart, type Bucket } from "./buckets.ts";

/** Bars of a minute each, the first one at `from`, with so many events; the last one may be cut. */
function bars(from: number, totals: readonly number[], to = from + totals.length * 60_000): Bucket[] {
  return totals.map((total, n) => {
    const at = from + n * 60_000;
    return { from: at, to: Math.min(at + 60_000, to), total, by: {} };
  });
}

const START = 600_000;
const END = START + 5 * 60_000;

test("without events ahead of the clock, the axis ends with the range", () => {
  const all = bars(START, [1, 0, 2, 0, 1, 0]);
  assert.deepEqual(drawnOf(all, START, END), { from: START, to: END, buckets: all.slice(0, 5) });
  // A bar that the end divides is cut there.
  assert.equal(drawnOf(all, START, END - 20_000).to, END - 20_000);
  assert.equal(drawnOf(all, START, END - 20_000).buckets.length, 5);
});

test("events ahead of the clock are drawn at their time, on an axis that reaches them", () => {
  const all = bars(START, [1, 0, 2, 0, 1, 7], END + 50_000);
  assert.deepEqual(drawnOf(all, START, END), { from: START, to: END + 50_000, buckets: all });
  const apart = bars(START, [1, 0, 0, 0, 0, 0, 7, 0]);
  assert.deepEqual(drawnOf(apart, START, END), { from: START, to: END + 120_000, buckets: apart.slice(0, 7) });
});

test("events at the very end of a range do not make it longer", () => {
  const all = [...bars(START, [1, 0, 0, 0, 0]), { from: END, to: END, total: 3, by: {} }];
  assert.deepEqual(drawnOf(all, START, END), { from: START, to: END, buckets: all });
});

test("of all time only the part with events is drawn", () => {
  const all = bars(0, [0, 0, 3, 0, 1, 0]);
  assert.deepEqual(drawnOf(all, 0, END), { from: 120_000, to: 300_000, buckets: all.slice(2, 5) });
  assert.deepEqual(drawnOf([], 0, END), { from: 0, to: END, buckets: [] });
});

test("a bar that the range cuts is known, and a day of 23 hours is whole", () => {
  const hour = 3_600_000;
  assert.deepEqual(
    [24, 23, 12].map((hours) => isPart({ from: 0, to: hours * hour }, 24 * hour)),
    [false, false, true],
  );
  assert.equal(errorsOf({ by: { info: 900, error: 2, fatal: 1 } }), 3);
});
