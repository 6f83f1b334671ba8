// The pure parts of dashboards: places, arithmetic, units, steps of changes, and what is drawn of answers.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Answer } from "../../api.ts";
import {
  dataOf,
  largest,
  bandsOf,
  numberOf,
  seriesOf,
  thinned,
  type PanelSeries,
  wholeBuckets,
  withZeros,
} from "./answers.ts";
import type { PanelLanguage } from "../../api/dashboards.ts";
import { panelsFor } from "./from_explore.ts";
import { linkOf } from "./links.ts";
import { slicesOf } from "./slices.ts";
import { binOf } from "../../query/bin_width.ts";
import { panelSteps } from "./bins.ts";
import { evaluated, ExpressionError, whyNoValue } from "./expression.ts";
import { COLUMNS, overlap, panelsOf, placed, roomFor, sectionsOf, settled, stepped, within } from "./grid.ts";
import { csvOf } from "./csv.ts";
import { histogramIn, panelHistograms } from "./histograms.ts";
import { LABELS } from "../../explore/geometry.ts";
import { drawingOf, logarithmic, nearest, valueAt } from "./drawing.ts";
import { storable, withTitles } from "./storable.ts";
import { begun, changedTo, redone, undone } from "./history.ts";
import { boardsOf, freshness, turnsOf } from "./turns.ts";
import { axisTexts, gradeOf, withUnit } from "./units.ts";

const line = (name: string, labels: Record<string, string>, ...values: number[]) => ({
  name,
  labels,
  points: values.map((value, n) => [n, value] as [number, number]),
});

test("arithmetic pairs series with equal labels, point by point", () => {
  const a = [line("a", { s: "x" }, 1, 2), line("a", { s: "y" }, 3, 4)];
  const b = [line("b", { s: "y" }, 6, 8), line("b", { s: "x" }, 2, 0)];
  const ratio = evaluated("a / b * 100", { a, b });
  assert.deepEqual(
    ratio.map(({ labels, points }) => [labels["s"], points]),
    [
      ["x", [[0, 50]]],
      [
        "y",
        [
          [0, 50],
          [1, 50],
        ],
      ],
    ],
  );
  assert.deepEqual(evaluated("-(a - 1) * 2", { a: [line("a", {}, 3)] })[0]?.points, [[0, -4]]);
  assert.deepEqual(
    evaluated("a + total", { a, total: [line("t", {}, 10, 20)] }).map(({ points }) => points[1]?.[1]),
    [22, 24],
  );
  assert.deepEqual(evaluated("1 + 2 * 3", { a: [line("a", {}, 0)] })[0]?.points, [[0, 7]]);
});

const MINUTE = 60_000;

/** A series whose points are at the ends of minutes. */
const atEnds = (...points: [number, number][]) => ({ name: "b", labels: {}, points, ends: MINUTE });

test("a point at the end of a bin is computed with the point at its start", () => {
  const counts = {
    name: "a",
    labels: {},
    points: [0, 1, 2].map((n): [number, number] => [n * MINUTE, n === 1 ? 10 : 1]),
  };
  const rates = atEnds([0, 7], [MINUTE, 10], [2 * MINUTE, 100]);
  const both = { a: [counts], b: [rates] };
  const [ratio] = evaluated("a / b * 100", both);
  // The last bin has no point yet.
  assert.deepEqual(ratio?.points, [
    [0, 10],
    [MINUTE, 10],
  ]);
  assert.deepEqual(evaluated("b / a", both)[0]?.points, [
    [0, 10],
    [MINUTE, 10],
  ]);
  assert.deepEqual(evaluated("(b + b) / 2", both)[0], rates, "points at ends are computed with each other as they are");
  assert.deepEqual(evaluated("a / (b / b)", both)[0]?.points, counts.points.slice(0, 2));
  assert.equal(evaluated("a / (-b + 1)", both)[0]?.points.length, 2);
  const lone = { name: "a", labels: {}, points: [[0, 10]] as [number, number][], only: MINUTE };
  assert.deepEqual(evaluated("a / b", { ...both, a: [lone] })[0]?.points, [[MINUTE, 0.1]], "a lone bin keeps its time");
});

test("a value without a time counts for every time", () => {
  const total = dataOf(answer([["count(*)", "integer"]], [[30]]), { query: "stats count(*)" }).series;
  const rates = [atEnds([MINUTE, 10], [2 * MINUTE, 15])];
  const [ratio] = evaluated("a / b", { a: total, b: rates });
  assert.deepEqual(ratio?.points, [
    [MINUTE, 3],
    [2 * MINUTE, 2],
  ]);
  assert.equal(ratio?.only, undefined);
  assert.deepEqual(evaluated("b / a * 30", { a: total, b: rates })[0]?.points, rates[0]?.points);
  assert.deepEqual(evaluated("a / a", { a: total })[0]?.points, [[0, 1]]);
});

test("an expression without a value says why", () => {
  const why = (a: PanelSeries[], b: PanelSeries[]) =>
    whyNoValue("a / b", evaluated("a / b", { a, b }), { a, b, c: [] });
  const one = line("a", { s: "x" }, 1);
  assert.equal(why([one], [one]), null);
  assert.equal(why([one], [])?.name, "b");
  assert.match(why([one, line("a", { s: "z" }, 1)], [line("b", { s: "y" }, 1)])?.text ?? "", /same labels/);
  assert.match(why([one], [line("b", { s: "x" }, 0)])?.text ?? "", /same time/);
});

test("the width of bins is read from a query", () => {
  const insights = (query: string) => binOf({ query });
  const esql = (query: string) => binOf({ query, language: "esql" });
  assert.equal(insights("filter a = 1 | stats count(*) by bin(1m)"), MINUTE);
  assert.equal(insights("stats count(*) as n by host, bin(90s) as t # bin(1h)"), 90_000);
  assert.equal(insights("eval t = datefloor(@timestamp, 2h) | stats count(*) by t"), 120 * MINUTE);
  assert.equal(insights("timechart count(*) by host"), 5 * MINUTE);
  assert.equal(insights("timechart span=30s count(*)"), 30_000);
  assert.equal(esql("FROM a | STATS COUNT(*) BY BUCKET(@timestamp, 5 minutes)"), 5 * MINUTE);
  assert.equal(esql("FROM a | STATS n = COUNT(*) BY t = DATE_TRUNC(1 hour, @timestamp)"), 60 * MINUTE);
  for (const query of ["stats count(*)", "fields @timestamp", "stats count(*) by bin(1d)", "stats count(*) by bin(1M)"])
    assert.equal(insights(query), null, query);
  assert.equal(esql("FROM a | STATS COUNT(*) BY BUCKET(@timestamp, 20, 1, 2)"), null);
  assert.equal(binOf({ query: "bin(1m)", language: "promql" }), null);
});

test("an expression asks for series at the ends of bins", () => {
  const counts = { query: "stats count(*) by bin(1m)" };
  const rates = { query: "increase(x[1m])", language: "promql" as const };
  const range = { from: 1_000_000_007, to: 1_000_000_007 + 20 * MINUTE };
  const of = { expression: "a / b" };
  const bins = panelSteps(of, [counts, rates], range, 0);
  assert.deepEqual(bins, { from: 1_000_080_000, to: range.to, step: MINUTE, isBin: true });
  assert.deepEqual(panelSteps(of, [counts, rates], { ...range, from: 1_000_020_000 }, 0), bins);
  const hours = { query: "FROM a | STATS COUNT(*) BY BUCKET(@timestamp, 1 hour)", language: "esql" as const };
  const day = { from: 0, to: 1440 * MINUTE };
  assert.deepEqual(panelSteps(of, [hours, rates], day, 330 * MINUTE).isBin, true, "ES|QL counts in UTC");
  assert.equal(panelSteps(of, [counts, rates], { from: 0, to: 1500.5 * MINUTE }, 0).isBin, true);
  const others = [
    panelSteps({}, [counts, rates], range, 0),
    panelSteps(of, [counts], range, 0),
    panelSteps(of, [rates, { query: "stats count(*)" }], range, 0),
    panelSteps(of, [counts, { query: "stats count(*) by bin(5m)" }, rates], range, 0),
    panelSteps(of, [{ query: "stats count(*) by bin(1h)" }, rates], range, 330 * MINUTE),
  ];
  for (const other of others) assert.deepEqual([other.step, other.isBin], [5000, false]);
  const month = { from: 0, to: 30 * 1440 * MINUTE };
  assert.equal(panelSteps(of, [counts, rates], month, 0).isBin, false);
});

test("an expression that cannot be read names the place", () => {
  for (const text of ["a +", "a b", "(a", "a $ 1", "", "constructor", `${"(".repeat(60)}a`])
    assert.throws(() => evaluated(text, { a: [] }), ExpressionError, text);
});

const panel = (id: string, x: number, y: number, w: number, h: number) => ({ id, kind: "line" as const, x, y, w, h });

function apart(panels: readonly { x: number; y: number; w: number; h: number; id: string }[]): boolean {
  return panels.every((a) => a.x + a.w <= COLUMNS && panels.every((b) => a.id === b.id || !overlap(a, b)));
}

test("a panel that is moved pushes others down, and nothing floats or overlaps", () => {
  const panels = [panel("a", 0, 0, 12, 4), panel("b", 12, 0, 12, 4), panel("c", 0, 4, 24, 4)];
  const moved = placed(panels, "c", { x: 0, y: 0, w: 24, h: 4 });
  assert.deepEqual(
    moved.map(({ id, y }) => [id, y]),
    [
      ["a", 4],
      ["b", 4],
      ["c", 0],
    ],
  );
  assert.ok(apart(moved));
  const wide = placed(panels, "a", { x: 0, y: 0, w: 20, h: 6 });
  assert.ok(apart(wide));
  assert.equal(wide.find(({ id }) => id === "b")?.y, 6);
  assert.deepEqual(settled([panel("a", 0, 9, 12, 4)])[0]?.y, 0);
});

test("many moves at random leave the grid in order", () => {
  let seed = 7;
  const random = (most: number) => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % most;
  let panels = Array.from({ length: 14 }, (_, n) =>
    panel(`p${n}`, random(24), random(9), 1 + random(24), 1 + random(9)),
  );
  panels = settled(panels);
  for (let n = 0; n < 300; n += 1) {
    panels = placed(panels, `p${random(14)}`, { x: random(30) - 3, y: random(20), w: random(30), h: random(12) });
    assert.ok(apart(panels), `after ${n} moves`);
  }
});

test("keys move and resize within the grid, down past what is below", () => {
  const a = panel("a", 0, 0, 6, 4);
  assert.deepEqual(stepped([a], a, "ArrowLeft", false), { x: 0, y: 0, w: 6, h: 4 });
  const right = panel("b", 18, 0, 6, 4);
  assert.deepEqual(stepped([right], right, "ArrowRight", true), { x: 18, y: 0, w: 6, h: 4 });
  assert.deepEqual(stepped([a], a, "ArrowDown", true), { x: 0, y: 0, w: 6, h: 5 });
  assert.equal(stepped([a], a, "Enter", false), null);
  const both = [a, panel("b", 0, 4, 12, 10)];
  const down = stepped(both, a, "ArrowDown", false);
  assert.deepEqual(
    placed(both, "a", down ?? a).map(({ id, y }) => [id, y]),
    [
      ["a", 10],
      ["b", 0],
    ],
  );
  assert.deepEqual(within({ x: -4, y: -1, w: 99, h: 0 }), { x: 0, y: 0, w: 24, h: 2 });
  assert.deepEqual(roomFor([panel("a", 0, 0, 12, 4)], 12, 4), { x: 12, y: 0, w: 12, h: 4 });
});

test("sections have rows of their own, and the document has them one below the other", () => {
  const panels = [{ ...panel("a", 0, 20, 24, 4), section: "S" }, panel("b", 0, 0, 24, 3)];
  const sections = sectionsOf(panels);
  assert.deepEqual(
    sections.map(({ name, panels: [first] }) => [name, first?.y]),
    [
      ["", 0],
      ["S", 0],
    ],
  );
  assert.deepEqual(
    panelsOf(sections).map(({ id, y }) => [id, y]),
    [
      ["b", 0],
      ["a", 3],
    ],
  );
});

test("a step can be undone and done again, and typing is one step", () => {
  let of = begun("");
  of = changedTo(of, "a", "title", 1000);
  of = changedTo(of, "ab", "title", 1400);
  of = changedTo(of, "abc", "title", 9000);
  assert.equal(undone(of).now, "ab");
  assert.equal(undone(undone(of)).now, "");
  assert.equal(redone(undone(of)).now, "abc");
  assert.equal(undone(begun("x")).now, "x");
});

test("numbers have their units", () => {
  const cases: [number, string | undefined, number | undefined, string][] = [
    [1234567, "bytes", undefined, "1.23 MB"],
    [3.0412, "percent", undefined, "3.04 %"],
    [0.99951, "ratio", undefined, "99.951 %"],
    [3_453_000, "ms", undefined, "57.6 min"],
    [999.9, "bytes", 0, "1 kB"],
    [0.256, "ratio", undefined, "25.6 %"],
    [12.345, "percent", 1, "12.3 %"],
    [350, "ms", undefined, "350 ms"],
    [90_000, "ms", 1, "1.5 min"],
    [0.5, "s", undefined, "500 ms"],
    [2_000_000, "ns", undefined, "2 ms"],
    [2e6, "bits/s", undefined, "2 Mbit/s"],
    [3, "orders", undefined, "3 orders"],
    [3, undefined, 2, "3.00"],
    [NaN, "ms", undefined, "–"],
  ];
  for (const [n, unit, decimals, said] of cases) assert.equal(withUnit(n, unit, decimals), said);
});

test("the highest threshold that is reached gives the grade", () => {
  const thresholds = [
    { value: 10, level: "error" as const },
    { value: 5, level: "warn" as const },
  ];
  assert.equal(gradeOf(4.9, thresholds), null);
  assert.equal(gradeOf(5, thresholds), "warn");
  assert.equal(gradeOf(11, thresholds), "error");
});

const answer = (columns: [string, string][], rows: Answer["rows"]): Answer => ({
  columns: columns.map(([name, type]) => ({ name, type })),
  rows,
  stats: {},
  partial: false,
  partial_reasons: [],
  warnings: [],
});
const T0 = "2026-11-20T00:00:00Z";
const T1 = "2026-11-20T00:01:00Z";

test("numbers that a query groups by are names", () => {
  const query = "stats count(*) as n by bin(1m), status";
  const columns: [string, string][] = [
    ["bin(1m)", "timestamp"],
    ["status", "integer"],
    ["n", "integer"],
  ];
  const rows = [
    [T0, 200, 5],
    [T1, 200, 6],
    [T0, 500, 1],
  ];
  const data = dataOf(answer(columns, rows), { query });
  const series = seriesOf({ queries: [{ query }] }, [data]);
  assert.deepEqual(
    series.map(({ name, points }) => [name, points.length]),
    [
      ["200", 2],
      ["500", 1],
    ],
  );
});

test("what is not finite in PromQL is a number, and no point", () => {
  const columns: [string, string][] = [
    ["@timestamp", "timestamp"],
    ["__name__", "string"],
    ["host", "string"],
    ["value", "any"],
  ];
  const rows = [
    [T0, "up", "a", 1],
    [T1, "up", "a", "NaN"],
    [T0, "up", "b", "+Inf"],
  ];
  const data = dataOf(answer(columns, rows), { query: "up", language: "promql" });
  assert.deepEqual(
    data.series.map(({ labels, points }) => [labels["host"], points.length]),
    [
      ["a", 1],
      ["b", 0],
    ],
  );
  const [a, b] = seriesOf({ queries: [{ query: "up", language: "promql", label: "host {host}" }] }, [data]);
  assert.deepEqual([a?.name, b?.name], ["host a", "host b"]);
});

test("an answer without times has one value for each name, and several queries are told apart", () => {
  const data = dataOf(
    answer(
      [
        ["s", "string"],
        ["n", "integer"],
      ],
      [
        ["x", 1],
        ["y", 2],
      ],
    ),
    { query: "stats count(*) as n by s" },
  );
  assert.equal(data.isByTime, false);
  const names = seriesOf({ queries: [{ query: "" }, { query: "", label: "old" }] }, [data, data]).map(
    ({ name }) => name,
  );
  assert.deepEqual(names, ["a · x", "a · y", "old · x", "old · y"]);
});

test("gaps become zeros where that is wanted, up to the ends of the range", () => {
  const [filledUp] = withZeros(
    [line("a", {}, 5)].map((one) => ({ ...one, points: [[20, 5]] as [number, number][] })),
    { from: 0, to: 45, step: 10 },
  );
  assert.deepEqual(filledUp?.points, [
    [0, 0],
    [10, 0],
    [20, 5],
    [30, 0],
    [40, 0],
  ]);
});

test("thinned lines keep their ends, highs and lows", () => {
  const points = Array.from(
    { length: 100_000 },
    (_, n) => [n, n === 61_234 ? 1e6 : n === 1 ? -9 : n % 7] as [number, number],
  );
  const kept = thinned(points, 600);
  assert.ok(kept.length <= 2404, String(kept.length));
  assert.ok(kept.some(([, value]) => value === 1e6) && kept.some(([, value]) => value === -9));
  assert.deepEqual([kept[0], kept.at(-1)], [points[0], points.at(-1)]);
});

test("what is too many becomes one series, and the sum stays", () => {
  const series = Array.from({ length: 12 }, (_, n) => line(`s${n}`, {}, n, n));
  const kept = largest(series, 8, "others");
  assert.equal(kept.length, 8);
  assert.equal(kept.at(-1)?.name, "others");
  const sum = (of: typeof kept) => of.reduce((total, one) => total + numberOf(one, "sum"), 0);
  assert.equal(sum(kept), sum(series));
});

test("a bucket that has only begun is no last value, and cumulative buckets become bands", () => {
  assert.equal(
    wholeBuckets(
      [
        [0, 5],
        [60, 1],
      ],
      60,
      70,
    ).length,
    1,
  );
  assert.equal(
    wholeBuckets(
      [
        [0, 5],
        [60, 1],
      ],
      60,
      120,
    ).length,
    2,
  );
  const bands = bandsOf([line("x", { le: "+Inf" }, 9), line("x", { le: "1" }, 4), line("x", { le: "5" }, 6)]);
  assert.deepEqual(
    bands.map(({ labels, points }) => [labels["le"], points[0]?.[1]]),
    [
      ["1", 4],
      ["5", 2],
      ["+Inf", 3],
    ],
  );
});

test("a wallboard shows what is too tall in parts, and cuts no panel", () => {
  const sections = sectionsOf([
    panel("a", 0, 0, 12, 10),
    panel("b", 12, 0, 12, 14),
    panel("c", 0, 14, 24, 12),
    panel("d", 0, 26, 24, 4),
  ]);
  const ids = (wall: string) =>
    turnsOf("x", sections, wall).map((turn) =>
      turn.sections.map((one) => one.panels.map(({ id }) => id).join("")).join("/"),
    );
  assert.deepEqual(ids("1"), ["ab", "cd"]);
  assert.deepEqual(ids("panels"), ["a", "b", "c", "d"]);
  assert.deepEqual(boardsOf("one,two", "zero"), ["zero", "one", "two"]);
  assert.deepEqual(boardsOf("1", "zero"), ["zero"]);
});

test("old data are said to be old, and yesterday's are not shown", () => {
  const now = 10_000_000;
  assert.equal(freshness(now - 20_000, now, 30_000, true), "fresh");
  assert.equal(freshness(now - 200_000, now, 30_000, true), "late");
  assert.equal(freshness(now - 4_000_000, now, 30_000, true), "hidden");
  assert.equal(freshness(now - 200_000, now, 30_000, false), "hidden");
  assert.equal(freshness(now - 20_000, now, 30_000, false), "fresh");
});

test("cells that a spreadsheet would run are disarmed, numbers stay", () => {
  const csv = csvOf({
    heads: ["a", "=b"],
    rows: [
      ["=1+1", -5],
      ['say "x"', null],
      ["@sum", "a,b"],
    ],
  });
  assert.equal(csv, `a,'=b\r\n'=1+1,-5\r\n"say ""x""",\r\n'@sum,"a,b"\r\n`);
});

test("links of a text lead to this server, to http and to mail, and nowhere else", () => {
  assert.equal(linkOf("/docs/x"), "docs/x");
  assert.equal(linkOf("https://example.org/a"), "https://example.org/a");
  for (const bad of [
    "javascript:alert(1)",
    "//evil.example",
    "/\\evil.example",
    "data:text/html,x",
    "vbscript:x",
    "docs",
  ])
    assert.equal(linkOf(bad), null, bad);
});

test("slices are at most eight with the rest, and their shares are whole", () => {
  const { slices, left } = slicesOf(
    [...Array.from({ length: 11 }, (_, n) => line(`s${n}`, {}, n + 1)), line("z", {}, -4)],
    "others",
  );
  assert.equal(slices.length, 8);
  assert.equal(left, 1);
  assert.ok(Math.abs((slices.at(-1)?.to ?? 0) - 1) < 1e-9);
  assert.equal(
    slices.reduce((sum, { value }) => sum + value, 0),
    66,
  );
});

test("what is stored has no empty keys, no queries of texts, and thresholds in order", () => {
  const query = [{ id: "a", query: "stats count(*)", label: "" }];
  const text = {
    title: "T",
    description: "",
    range: { from: "now-1h", to: "now" },
    variables: [{ name: "v", values: ["a"], default: [] }],
    panels: [
      { ...panel("p1", 0, 0, 12, 4), kind: "text" as const, text: "x", queries: query },
      {
        ...panel("p2", 0, 4, 12, 4),
        queries: query,
        stack: false,
        thresholds: [
          { value: 9, level: "error" as const },
          { value: 5, level: "warn" as const },
          { value: 5, level: "info" as const },
        ],
      },
    ],
  };
  const { panels, variables, ...rest } = storable(text);
  assert.deepEqual(rest, { title: "T", range: text.range });
  assert.deepEqual(variables, [{ name: "v", values: ["a"] }]);
  assert.deepEqual(panels[0], { ...panel("p1", 0, 0, 12, 4), kind: "text", text: "x" });
  assert.deepEqual(panels[1]?.queries, [{ id: "a", query: "stats count(*)" }]);
  assert.deepEqual(panels[1]?.thresholds, [
    { value: 5, level: "info" },
    { value: 9, level: "error" },
  ]);
  assert.equal(
    withTitles("panels[1].expression: x", {
      panels: [panel("a", 0, 0, 2, 2), { ...panel("b", 0, 0, 2, 2), title: "B" }],
    }),
    "“B” (panels[1]).expression: x",
  );
});

test("the nearest instant and the value at one are found by halving", () => {
  const instants = [0, 10, 20, 50];
  assert.deepEqual(
    [-5, 4, 6, 20, 36, 99].map((ms) => nearest(instants, ms)),
    [0, 0, 10, 20, 50, 50],
  );
  assert.equal(nearest([], 5), null);
  const series = { points: instants.map((ms) => [ms, ms * 2] as [number, number]) };
  assert.deepEqual(
    [0, 20, 50, 15].map((ms) => valueAt(series, ms)),
    [0, 40, 100, undefined],
  );
});

test("a logarithmic scale has decades, and values without a logarithm lie at its low end", () => {
  const { low, top, marks, place } = logarithmic(3, 4200);
  assert.deepEqual([low, top], [1, 10_000]);
  assert.deepEqual(marks, [1, 10, 100, 1000, 10_000]);
  assert.deepEqual([place(0), place(1), place(100), place(10_000)], [0, 0, 0.5, 1]);
});

test("no bar covers the labels of values, be it the first one, which begins before the range", () => {
  const step = 600_000;
  const bars = (name: string): PanelSeries => ({ name, labels: {}, points: [1, 2, 3].map((n) => [n * step, 5]) });
  const range = { from: 1.7 * step, to: 4 * step, isOpen: true };
  for (const stack of [false, true]) {
    const panel = { id: "a", kind: "bar" as const, x: 0, y: 0, w: 12, h: 8, stack };
    const { geometry, stacked } = drawingOf(
      ["a", "b", "c"].map(bars),
      panel,
      range,
      { step },
      { width: 500, tall: 150 },
      "",
    );
    const left = stacked.flatMap(({ points }) => points.map(([ms]) => geometry.x(ms) - geometry.wide / 2));
    assert.ok(Math.min(...left) >= LABELS, `${Math.min(...left)}`);
  }
});

test("bars far apart are as wide as their bins, and an axis of counts has no fractions", () => {
  const hour = 3_600_000;
  const points = [10, 40, 90].map((n): [number, number] => [n * hour, 1]);
  const panel = { id: "a", kind: "bar" as const, x: 0, y: 0, w: 12, h: 8, stack: true };
  const range = { from: 0, to: 96 * hour, isOpen: false };
  const draw = (bin: number | null) =>
    drawingOf([{ name: "n", labels: {}, points }], panel, range, { step: hour, bin }, { width: 1000, tall: 150 }, "");
  assert.ok(draw(null).geometry.wide > 60 - 1);
  assert.ok(draw(hour / 2).geometry.wide < 5);
  assert.deepEqual(draw(hour).scale.marks, [0, 1]);
});

test("what Explore shows becomes panels: the way it is drawn first, and no count of what a limit has cut", () => {
  const of = (query: string, kind = "", language: PanelLanguage = "insights", chart = "") =>
    panelsFor({ query, language, groups: ["app/*"], chart }, kind);
  const [counts, rows] = of('filter @level = "error"');
  assert.deepEqual(counts?.queries, [
    {
      id: "a",
      query: 'filter @level = "error"\n| stats count(*) as events by bin($__interval), @level',
      groups: ["app/*"],
    },
  ]);
  assert.equal(rows?.kind, "logs");
  assert.deepEqual(
    of("filter a = 1 | limit 5").map(({ kind }) => kind),
    ["logs"],
  );
  assert.equal(of("stats count(*) by host", "top")[0]?.kind, "bar");
  assert.equal(of("stats count(*) by bin(5m)", "area")[0]?.kind, "area");
  assert.equal(of("up", "", "promql")[0]?.queries?.[0]?.language, "promql");
  const kinds = (query: string, language: PanelLanguage, chart = "") =>
    of(query, "", language, chart)
      .slice(0, 2)
      .map(({ kind }) => kind);
  assert.deepEqual(kinds("{ } | rate()", "traceql"), ["line", "area"]);
  assert.deepEqual(kinds("{ } | rate()", "traceql", "number"), ["number", "line"]);
  assert.deepEqual(kinds("FROM * | LIMIT 5", "esql", "none"), ["table", "line"]);
  assert.deepEqual(kinds("FROM * | STATS COUNT(*)", "esql"), ["line", "area"]);
  assert.deepEqual(kinds("level:error", "lucene", "line"), ["logs", "table"]);
  assert.equal(of("{ } | rate()", "", "traceql")[0]?.queries?.[0]?.language, "traceql");
  assert.equal(of("")[0]?.queries?.[0]?.query, "stats count(*) as events by bin($__interval), @level");
});

test("marks of an axis have as many digits as tell them apart", () => {
  assert.deepEqual([...axisTexts([1, 2, 3], "percent").values()], ["1 %", "2 %", "3 %"]);
  assert.deepEqual([...axisTexts([2.79594, 2.79596, 2.79598]).values()], ["2.79594", "2.79596", "2.79598"]);
});

test("native histograms are read as the server writes them, and drawn by their buckets", () => {
  assert.deepEqual(histogramIn("{count:6, sum:1e-07, [-0.001,0.001]:2, (1,2]:1, (2,+Inf]:3}"), {
    count: 6,
    sum: 1e-7,
    buckets: [
      { rule: 3, lower: -0.001, upper: 0.001, count: 2 },
      { rule: 0, lower: 1, upper: 2, count: 1 },
      { rule: 0, lower: 2, upper: Infinity, count: 3 },
    ],
  });
  assert.deepEqual(histogramIn("{count:0, sum:0}"), { count: 0, sum: 0, buckets: [] });
  for (const other of ["NaN", "{count:1}", 5, null, undefined]) assert.equal(histogramIn(other), null);
  const columns: [string, string][] = [
    ["@timestamp", "timestamp"],
    ["__name__", "string"],
    ["route", "string"],
    ["value", "any"],
  ];
  const rows = [
    [T0, "took", "/a", "{count:1, sum:1, (0,1]:1}"],
    [T0, "took", "/b", "{count:5, sum:9, (0,1]:1, (1,2]:4}"],
    [T1, "took", "/b", "{count:2, sum:4, (2,4]:2}"],
    [T1, "took", "/c", 7],
  ];
  const query = { query: "took", language: "promql" as const };
  const data = dataOf(answer(columns, rows), query);
  assert.deepEqual(
    data.series.map(({ labels, points }) => [labels["route"], points[0]?.[1]]),
    [["/c", 7]],
    "numbers beside histograms are drawn as before",
  );
  const found = panelHistograms({ queries: [query] }, [data]);
  assert.deepEqual(
    found.map(({ name }) => name),
    ["/b", "/a"],
  );
  assert.deepEqual(
    found[0]?.rows.map(({ name, points }) => [name, points.map(([, count]) => count)]),
    [
      ["≤ 4", [0, 2]],
      ["≤ 2", [4, 0]],
      ["≤ 1", [1, 0]],
    ],
  );
  const insights = dataOf(answer(columns, rows), { query: "fields @timestamp" });
  assert.deepEqual(panelHistograms({ queries: [{ query: "fields @timestamp" }] }, [insights]), []);
});
