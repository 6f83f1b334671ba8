import assert from "node:assert/strict";
import { test } from "node:test";

import { barsOf, kindOf, kindsOf } from "./kinds.ts";
import { stack, unbroken } from "./series.ts";

const time = { name: "bin(5m)", type: "timestamp" };
const name = { name: "service", type: "string" };
const number = { name: "n", type: "integer" };
const at = (minute: number) => `2026-11-20T06:${String(minute).padStart(2, "0")}:00Z`;

test("the shape of an answer says how it can be drawn, and a wish that does not fit is let go", () => {
  assert.deepEqual(kindsOf({ columns: [number], table: [[3]] }), ["number", "table"]);
  assert.deepEqual(
    kindsOf({
      columns: [time, number],
      table: [
        [at(0), 1],
        [at(5), 2],
      ],
    }),
    ["line", "area", "bar", "table"],
  );
  const groups = {
    columns: [name, number],
    table: [
      ["a", 1],
      ["b", 2],
    ],
  };
  assert.deepEqual(kindsOf(groups), ["table", "top", "bar"]);
  assert.deepEqual(kindsOf({ columns: [name], table: [["a"], ["b"]] }), ["table"]);
  assert.equal(kindOf(groups, "top"), "top");
  assert.equal(kindOf(groups, "line"), "table");
  assert.equal(kindOf(groups, "nonsense"), "table");
});

test("bars go by size and know their row", () => {
  assert.deepEqual(
    barsOf({
      columns: [name, number],
      table: [
        ["a", 1],
        [null, 5],
        ["c", null],
      ],
    }),
    [
      { name: "–", value: 5, row: 1 },
      { name: "a", value: 1, row: 0 },
    ],
  );
});

test("areas lie on each other at every instant, also where one has nothing", () => {
  const stacked = stack([
    {
      name: "a",
      points: [
        [0, 1],
        [5, 2],
      ],
    },
    {
      name: "b",
      points: [
        [5, 3],
        [10, 4],
      ],
    },
  ]);
  assert.deepEqual(
    stacked.map((one) => one.points),
    [
      [
        [0, 0, 1],
        [5, 0, 2],
        [10, 0, 0],
      ],
      [
        [0, 1, 1],
        [5, 2, 5],
        [10, 0, 4],
      ],
    ],
  );
});

test("areas are broken where buckets are missing", () => {
  const points: [number, number, number][] = [
    [0, 0, 1],
    [5, 0, 2],
    [20, 0, 3],
    [30, 0, 1],
    [35, 0, 1],
  ];
  const at = (step: number) => unbroken(points, step).map((part) => part.map(([ms]) => ms));
  assert.deepEqual(at(5), [[0, 5], [20], [30, 35]]);
  assert.deepEqual(at(Infinity), [[0, 5, 20, 30, 35]]);
  assert.deepEqual(unbroken([], 5), []);
});
