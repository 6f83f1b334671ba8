import assert from "node:assert/strict";
import { test } from "node:test";

import { niceTop } from "./axis.tsx";
import { groupedBy, measuresOf, path, seriesOf } from "./series.ts";

const columns = [
  { name: "bin(5m)", type: "timestamp" },
  { name: "host", type: "string" },
  { name: "n", type: "integer" },
];
const query = "stats count(*) as n by bin(5m), host";
const at = (minute: number) => `2026-11-20T06:${String(minute).padStart(2, "0")}:00Z`;

test("an answer by time and name is a line per name, largest first", () => {
  const table = [
    [at(5), "a", 1],
    [at(0), "a", 2],
    [at(0), "b", 9],
    [at(5), null, 1],
  ];
  const found = seriesOf({ columns, table, query });
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
      query,
      table: [
        ["a", 1],
        ["b", 2],
      ],
    }),
    null,
  );
  assert.equal(seriesOf({ columns, query, table: [[at(0), "a", 1]] }), null);
});

test("scales end at round numbers", () => {
  // Half of a number of events is one, too.
  assert.deepEqual(
    [1, 5, 25].map((n) => niceTop(n, true)),
    [2, 6, 30],
  );
  assert.deepEqual(
    [1, 3, 21, 99, 100, 101].map((n) => niceTop(n)),
    [1, 5, 25, 100, 100, 200],
  );
});

test("each of several numbers by time and name has lines of its own", () => {
  const both = [...columns, { name: "p95", type: "float" }];
  const table = [
    [at(0), "a", 1, 700.5],
    [at(5), "a", 2, 20],
  ];
  assert.deepEqual(measuresOf({ columns: both, table, query }), [2, 3]);
  assert.deepEqual(
    seriesOf({ columns: both, table, query }, 3)?.series[0]?.points.map(([, value]) => value),
    [700.5, 20],
  );
});

test("numbers that a query groups by are names", () => {
  const cases: [query: string, groups: string[]][] = [
    ["stats count(*) as n by bin(1m), status", ["bin(1m)", "status"]],
    ["stats count(*) by floor(a, 2) as f, `x y` | sort f", ["f", "xy"]],
    ["stats count(*) as n by status\nsort n desc", ["status"]],
    ["filter stats = 1 | stats count(*) by host | stats max(n) by status offset 1d", ["status"]],
    ["stats count(*) by host | stats count(*)", []],
    ["timechart span=1m avg(ms) by status", ["status"]],
    ["top 5 path, status by host", ["path", "status", "host"]],
    ["rare status", ["status"]],
    ["stats count(*) as n by status, method | rename status as code", ["code", "method"]],
    ["stats count(*) as n by status | fields status as code, n", ["code"]],
    ["filter status > 400", []],
  ];
  for (const [text, groups] of cases) assert.deepEqual(groupedBy(text), groups, text);
  const esql = "FROM a | WHERE x == 1 | STATS n = COUNT(*) BY BUCKET(@timestamp, 5m), code = status | SORT n";
  assert.deepEqual(groupedBy(esql, "esql"), ["BUCKET(@timestamp,5m)", "code"]);
});

test("by time and a number, each number has a line", () => {
  const byStatus = [
    columns[0] ?? { name: "", type: "" },
    { name: "status", type: "integer" },
    columns[2] ?? { name: "", type: "" },
  ];
  const table = [
    [at(0), 200, 5],
    [at(5), 200, 6],
    [at(0), 500, 1],
  ];
  const found = seriesOf({ columns: byStatus, table, query: "stats count(*) as n by bin(5m), status" });
  assert.deepEqual(
    found?.series.map(({ name, points }) => [name, points.map(([, value]) => value)]),
    [
      ["200", [5, 6]],
      ["500", [1]],
    ],
  );
});

test("a line is broken where values are missing, and a point without neighbours is a dot that is seen", () => {
  const same = (n: number) => n;
  const drawn = path(
    [
      [0, 1],
      [1, 2],
      [2, NaN],
      [3, 4],
      [9, 5],
    ],
    same,
    same,
    1,
  );
  const dot = (x: number, y: number) => `M${x}.0 ${y}.0h0M${x - 2}.5 ${y}.0a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0`;
  assert.equal(drawn, `M0.0 1.0L1.0 2.0${dot(3, 4)}${dot(9, 5)}`);
});
