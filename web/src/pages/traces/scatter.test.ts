import assert from "node:assert/strict";
import test from "node:test";

import type { TraceSummary } from "../../api/traces.ts";
import { areaOf, areaText, cellAt, differences, isIn, planeOf, strength } from "./scatter.ts";
import { attributesOf, durationMs, searchBody } from "./search.ts";

const AT = Date.parse("2026-11-23T10:00:00Z");
const one = (n: number, more: Partial<TraceSummary> = {}): TraceSummary => ({
  ...{ trace_id: String(n), root_service: "web", root_name: "GET /", root_missing: false, spans: 3, errors: 0 },
  ...{ start: new Date(AT + n * 1000).toISOString(), duration_ms: 10 ** n, services: ["web"], ...more },
});

test("the plane maps to pixels and back, and keeps all durations in its height", () => {
  const plane = planeOf({ from: AT, to: AT + 10_000 }, [0.5, 3, 900, 0], { left: 40, width: 400, height: 100 });
  assert.deepEqual(plane.ticks, [0.1, 1, 10, 100, 1000]);
  const long = planeOf({ from: AT, to: AT + 10_000 }, [500, 3_000_000], { left: 40, width: 400, height: 100 });
  assert.deepEqual(long.ticks, [100, 1000, 10_000, 60_000, 600_000, 3_600_000]);
  assert.equal(plane.x(AT + 5000), 240);
  assert.equal(Math.round(plane.time(240)), AT + 5000);
  assert.ok(Math.abs(plane.duration(plane.y(37)) - 37) < 1e-6);
  assert.equal(plane.y(0), 100, "no duration is at the bottom");
});

test("an area survives the address; what is none is none", () => {
  const area = { from: AT, to: AT + 2000, min: 5, max: 1000 };
  assert.deepEqual(areaOf(areaText(area)), area);
  for (const bad of [undefined, "", "1_2_3", "1_2_3_x", "1_2_3_4_5"]) assert.equal(areaOf(bad), null, bad);
  assert.deepEqual(
    [0, 1, 2, 3].map((n) => isIn(one(n), area)),
    [false, true, true, false],
  );
});

test("what is compared are shares, the largest difference first", () => {
  const slow = [3, 4].map((n) => one(n, { errors: 1, services: ["web", "pay"] }));
  const rest = [0, 1, 2].map((n) => one(n));
  assert.deepEqual(differences(slow, rest), [
    { what: "errors", value: "", inside: 1, outside: 0 },
    { what: "service", value: "pay", inside: 1, outside: 0 },
  ]);
  assert.deepEqual(differences(slow, []), []);
});

test("attributes are texts, numbers or truth values; quotes make anything a text", () => {
  assert.deepEqual(attributesOf('http.route=/cart n=2 ok=true code="503" name="a \\"b\\" c" x='), {
    "http.route": "/cart",
    n: 2,
    ok: true,
    code: "503",
    name: 'a "b" c',
    x: "",
  });
});

test("durations have units, milliseconds where none is written", () => {
  assert.deepEqual(["250", "1.5s", "2 min", "300µs", "soon", ""].map(durationMs), [
    250,
    1500,
    120_000,
    0.3,
    null,
    null,
  ]);
});

test("a search has only what is asked", () => {
  assert.deepEqual(searchBody({}), { order: "newest" });
  assert.deepEqual(searchBody({ service: "pay", min: "1s", errors: "1", order: "slowest", area: "x" }), {
    service: "pay",
    min_duration_ms: 1000,
    errors: true,
    order: "slowest",
  });
});

test("cells are found by time and duration, and few traces are seen beside many", () => {
  const cell = { at: 1_000, min: 10, max: 13, traces: 2, errors: 1, example: "a" };
  const density = { traces: 2, width: 500, cells: [cell], partial: false, partial_reasons: [] };
  assert.equal(cellAt(density, 1_499, 12.9), cell);
  for (const [time, duration] of [
    [999, 12],
    [1_500, 12],
    [1_200, 13],
    [1_200, 9.9],
  ] as const)
    assert.equal(cellAt(density, time, duration), null);
  assert.equal(strength(0, 10), 0);
  assert.ok(strength(1, 10_000) > 0.15 && strength(1, 10_000) < strength(100, 10_000));
  assert.equal(strength(10_000, 10_000), 0.9);
});
