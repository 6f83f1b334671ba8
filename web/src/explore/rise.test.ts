import assert from "node:assert/strict";
import { test } from "node:test";

import { riseOf } from "./rise.ts";

const BEGIN = Date.parse("2026-11-20T14:00:00Z");

/** Bars of a minute with so many errors each, and ten other events. */
function bars(errors: readonly number[]) {
  const iso = (minute: number) => new Date(BEGIN + minute * 60_000).toISOString();
  const buckets = errors.map((n, at) => ({
    from: iso(at),
    to: iso(at + 1),
    total: n + 10,
    by: { error: n, info: 10 },
  }));
  return { buckets };
}

test("errors that rise clearly are a rise, at its first bar", () => {
  const rise = riseOf(bars([0, 1, 0, 1, 0, 1, 30, 40, 35, 2]));
  assert.deepEqual(rise, { from: BEGIN + 5 * 60_000, at: BEGIN + 6 * 60_000, end: BEGIN + 10 * 60_000 });
  assert.equal(riseOf(bars([20, 22, 19, 21, 20, 95]))?.at, BEGIN + 5 * 60_000);
});

test("what is as usual, too little, or there from the beginning is no rise", () => {
  assert.equal(riseOf(bars([0, 1, 0, 2, 0, 4, 3, 1])), null);
  assert.equal(riseOf(bars([20, 25, 18, 22, 31, 28, 20])), null);
  assert.equal(riseOf(bars([40, 41, 39, 40, 42])), null);
  assert.equal(riseOf(bars([0, 0, 50])), null);
  assert.equal(riseOf({ buckets: [] }), null);
});
