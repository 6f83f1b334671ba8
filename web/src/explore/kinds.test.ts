import assert from "node:assert/strict";
import { test } from "node:test";

import { barsOf, kindOf, kindsOf } from "./kinds.ts";
import { stack, unbroken } from "./series.ts";

const time = { name: "bin(5m)", type: "timestamp" };
const name = { name: "service", type: "string" };
const number = { name: "n", type: "integer" };
const query = "stats count(*) as n by service";
const at = (minute: number) => `2026-11-20T06:${String(minute).padStart(2, "0")}:00Z`;

test("the shape of an answer says how it can be drawn, and a wish that does not fit is let go", () => {
  assert.deepEqual(kindsOf({ columns: [number], table: [[3]], query: "stats count(*) as n" }), ["number", "table"]);
  assert.deepEqual(
    kindsOf({
      columns: [time, number],
      query: "stats count(*) as n by bin(5m)",
      table: [
        [at(0), 1],
        [at(5), 2],
      ],
    }),
    ["line", "area", "bar", "table"],
  );
  const groups = {
    columns: [name, number],
    query,
    table: [
      ["a", 1],
      ["b", 2],
    ],
  };
  assert.deepEqual(kindsOf(groups), ["table", "top", "bar"]);
  assert.deepEqual(kindsOf({ columns: [name], query, table: [["a"], ["b"]] }), ["table"]);
  assert.equal(kindOf(groups, "top"), "top");
  assert.equal(kindOf(groups, "line"), "table");
  assert.equal(kindOf(groups, "nonsense"), "table");
});

test("bars go by size and know their row", () => {
  assert.deepEqual(
    barsOf({
      columns: [name, number],
      query,
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

test("a number that the query groups by is a name, not the size of a bar", () => {
  const status = { name: "status", type: "integer" };
  const answer = {
    columns: [status, number],
    table: [
      [500, 3],
      [200, 40],
    ],
    query: "stats count(*) as n by status | sort n",
  };
  assert.deepEqual(kindsOf(answer), ["table", "top", "bar"]);
  assert.deepEqual(kindsOf({ ...answer, table: [[500, 3]] }), ["table"]);
  assert.deepEqual(
    barsOf(answer).map((bar) => [bar.name, bar.value]),
    [
      ["200", 40],
      ["500", 3],
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
