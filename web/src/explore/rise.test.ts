import assert from "node:assert/strict";
import { test } from "node:test";

import type { Onset } from "../api/cause.ts";
import { causeOf, riseOf, searchFrom, toldOf } from "./rise.ts";

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

const MINUTE = 60_000;
const NOON = Date.parse("2026-11-20T12:00:00Z");

function onsetAt(
  ms: number,
  also: { kind: string; at: number; what: string }[] = [],
  ended: number | null = null,
  [before, after]: readonly [number, number] = [1, 60],
): Onset {
  const iso = (at: number) => new Date(at).toISOString();
  return {
    measure: "count",
    began: iso(ms),
    began_between: null,
    ended_between: null,
    before,
    after,
    ended: ended === null ? null : iso(ended),
    uncertainty_ms: 2000,
    before_per_minute: before,
    after_per_minute: after,
    also: also.map((one) => ({ ...one, at: iso(one.at), query: null })),
    note: "",
  };
}

test("the cause is the restart or the mark closest before the onset", () => {
  const onset = onsetAt(NOON, [
    { kind: "mark", at: NOON - 10 * MINUTE, what: "migration 7" },
    { kind: "restart", at: NOON - 36_000, what: "payment v4.13.0 on host-14" },
    { kind: "pattern", at: NOON - 1000, what: "pool exhausted" },
    { kind: "restart", at: NOON + 5000, what: "checkout" },
  ]);
  assert.deepEqual(toldOf(null, onset, NOON - 5 * MINUTE), {
    kind: "rose",
    at: NOON,
    until: null,
    cause: { what: "payment v4.13.0 on host-14", before: 36_000 },
  });
  assert.equal(causeOf(onsetAt(NOON, [{ kind: "mark", at: NOON - 20 * MINUTE, what: "old" }])), null);
  assert.deepEqual(causeOf(onsetAt(NOON, [{ kind: "mark", at: NOON + 1500, what: "flag" }])), {
    what: "flag",
    before: 0,
  });
});

test("errors that are high in the whole range are told of with their beginning before it", () => {
  assert.equal(toldOf(null, onsetAt(NOON - 70 * MINUTE), NOON - 60 * MINUTE)?.kind, "high");
  assert.equal(toldOf(null, onsetAt(NOON - 90 * MINUTE, [], NOON - 70 * MINUTE), NOON - 60 * MINUTE), null);
  const rise = { from: NOON - 3 * MINUTE, at: NOON - 2 * MINUTE, end: NOON };
  assert.equal(
    toldOf(rise, onsetAt(NOON - 90 * MINUTE), NOON - 60 * MINUTE)?.at,
    rise.at,
    "a rise in sight comes first",
  );
});

test("errors that became fewer have not risen", () => {
  const from = NOON - 60 * MINUTE;
  const at = NOON - 13 * MINUTE;
  const fallen = (after: number, began = at, ended: number | null = null) => onsetAt(began, [], ended, [6, after]);
  const riseAt = (ms: number) => ({ from: ms - MINUTE, at: ms, end: NOON });
  assert.deepEqual(toldOf(null, fallen(0), from), { kind: "stopped", at, until: null, cause: null });
  assert.equal(toldOf(null, fallen(1.5), from)?.kind, "fell");
  assert.equal(toldOf(null, fallen(0, from - MINUTE), from), null, "they stopped before the range");
  assert.equal(toldOf(null, fallen(0, at, NOON - MINUTE), from), null, "they are as usual again");
  assert.equal(toldOf(riseAt(NOON - 48 * MINUTE), fallen(0), from)?.kind, "stopped");
  assert.deepEqual(toldOf(riseAt(NOON - 2 * MINUTE), fallen(0), from)?.at, NOON - 2 * MINUTE, "a later rise counts");
});

test("without an onset the bars decide", () => {
  assert.equal(toldOf(null, null, NOON), null);
  assert.deepEqual(toldOf({ from: NOON - 1, at: NOON, end: NOON + 1 }, null, NOON - 5), {
    kind: "rose",
    at: NOON,
    until: null,
    cause: null,
  });
});

test("an onset is searched for up to a day before the range", () => {
  assert.equal(searchFrom(NOON - MINUTE, NOON), NOON - MINUTE - 60 * MINUTE);
  assert.equal(searchFrom(NOON - 120 * MINUTE, NOON), NOON - 600 * MINUTE);
  assert.equal(searchFrom(0, 40 * 86_400_000), -86_400_000);
});
