import assert from "node:assert/strict";
import { test } from "node:test";

import { niceTop } from "./axis.tsx";
import { measuresOf, seriesOf } from "./series.ts";

const columns = [
  { name: "bin(5m)", type: "timestamp" },
  { name: "host", type: "string" },
  { name: "n", type: "integer" },
];
const at = (minute: number) => `2026-11-20T06:${String(minute).padStart(2, "0")}:00Z`;

test("an answer by time and name is a line per name, largest first", () => {
  const table = [
    [at(5), "a", 1],
    [at(0), "a", 2],
    [at(0), "b", 9],
    [at(5), null, 1],
  ];
  const found = seriesOf({ columns, table });
  assert.deepEqual(
    found?.series.map((one) => [one.name, one.points.length]),
    [
      ["b", 1],
      ["a", 2],
      ["–", 1],
    ],
  );
  assert.deepEqual(
    found?.series[1]?.points.map(([, value]) => value),
    [2, 1],
  );
});

test("an answer that is not by time is no chart", () => {
  assert.equal(
    seriesOf({
      columns: columns.slice(1),
      table: [
        ["a", 1],
        ["b", 2],
      ],
    }),
    null,
  );
  assert.equal(seriesOf({ columns, table: [[at(0), "a", 1]] }), null);
});

test("scales end at round numbers", () => {
  assert.deepEqual([1, 3, 21, 99, 100, 101].map(niceTop), [1, 5, 25, 100, 100, 200]);
});

test("each of several numbers by time and name has lines of its own", () => {
  const both = [...columns, { name: "p95", type: "float" }];
  const table = [
    [at(0), "a", 1, 700.5],
    [at(5), "a", 2, 20],
  ];
  assert.deepEqual(measuresOf({ columns: both }), [2, 3]);
  assert.deepEqual(measuresOf({ columns }), []);
  assert.deepEqual(
    seriesOf({ columns: both, table }, 3)?.series[0]?.points.map(([, value]) => value),
    [700.5, 20],
  );
});
