// Which events a comparison is about.

import assert from "node:assert/strict";
import test from "node:test";

import type { View } from "../view.ts";
import { comparisonOf, selectedTime, selectionText } from "./comparison.ts";

const NOON = Date.parse("2026-11-20T12:00:00Z");
const HOUR = 3_600_000;
const RANGE = [NOON - HOUR, NOON] as const;

function viewWith(change: Partial<View>): View {
  const plain = {
    query: "",
    from: "now-1h",
    to: "now",
    groups: [],
    zone: "utc",
    selection: "",
    chosen: "",
    baseline: "",
  };
  return { ...plain, ...change } as View;
}

test("a part of the range is compared with the rest of the range", () => {
  const selection = selectionText(NOON - HOUR / 4, NOON - HOUR / 6);
  const asked = comparisonOf(viewWith({ selection, groups: ["web/*"] }), RANGE);
  const [from, to] = ["2026-11-20T11:45:00.000Z", "2026-11-20T11:50:00.000Z"];
  assert.deepEqual(asked.selection, { query: "", from, to, groups: ["web/*"] });
  assert.deepEqual(asked.baseline, {
    query: `filter not (@timestamp >= "${from}" and @timestamp < "${to}")`,
    from: "now-1h",
    to: "now",
    groups: ["web/*"],
  });
  assert.deepEqual([asked.kind, asked.offered], ["range", ["range", "before"]]);
});

test("a query over the whole range is compared with the other events of that time", () => {
  const asked = comparisonOf(viewWith({ query: 'filter @level = "error"\n| stats count(*) by host' }), RANGE);
  assert.deepEqual(asked.selection, { query: 'filter @level = "error"', from: "now-1h", to: "now", groups: [] });
  assert.deepEqual([asked.baseline, asked.offered], ["rest", ["rest", "before"]]);
});

test("everything is compared with the time before", () => {
  assert.equal(comparisonOf(viewWith({}), RANGE).baseline, "before");
  const whole = selectionText(NOON - HOUR, NOON);
  assert.equal(comparisonOf(viewWith({ selection: whole }), RANGE).baseline, "before", "a selection of all is no part");
});

test("a chosen condition is taken out of the rest", () => {
  const asked = comparisonOf(viewWith({ query: "filter a = 1", chosen: "duration_ms >= 5" }), RANGE);
  assert.equal(asked.selection.query, "filter a = 1\n| filter duration_ms >= 5");
  assert.ok(typeof asked.baseline === "object");
  assert.equal(asked.baseline.query, "filter a = 1\n| filter not (duration_ms >= 5)");
});

test("the wanted baseline is taken where it makes sense", () => {
  assert.equal(comparisonOf(viewWith({ query: "filter a = 1", baseline: "before" }), RANGE).baseline, "before");
  assert.equal(comparisonOf(viewWith({ baseline: "rest" }), RANGE).baseline, "before");
});

test("a selection out of an address may be anything", () => {
  assert.deepEqual(selectedTime("20_10"), { from: 10, to: 20 });
  for (const text of ["", "1", "a_b", "1_2_3", "NaN_1", "Infinity_2"]) assert.equal(selectedTime(text), null, text);
  const far = comparisonOf(viewWith({ selection: "-5_9e99" }), RANGE);
  assert.equal(far.selection.from, "1970-01-01T00:00:00.000Z");
  assert.equal(far.selection.to, "9999-12-31T23:59:59.999Z");
});
