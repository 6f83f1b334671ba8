// The pure parts of the metrics view: texts of PromQL, steps, hosts, lines.

import assert from "node:assert/strict";
import test from "node:test";

import { histogramOf, sampleValue, type HistogramText } from "../api/metrics.ts";
import { boundsText, bucketRows, countLines, ROWS_MAX } from "./histograms.ts";
import { hostOf, logsOfHost } from "./host.ts";
import { drawnLines, quantity, scaleOf, valueAt } from "./lines.ts";
import {
  hasMatcher,
  isCompared,
  lexPromql,
  metricsOf,
  queryFor,
  selector,
  seriesName,
  summedBy,
  toggleMatcher,
  windowOf,
} from "./promql.ts";
import { minuteOf, stepFor, stepsOf } from "./range.ts";

const MINUTE = 60_000;

test("tokens follow each other without a gap", () => {
  for (const text of ['sum by (le) (rate(a:b{x=~"y|\\"z", `k`=\'v\'}[5m])) # end\n> 1e3', 'a{"open', "é$🙂{"])
    assert.equal(
      lexPromql(text)
        .map((token) => token.text)
        .join(""),
      text,
    );
});

test("the metrics that a query names are found", () => {
  assert.deepEqual(
    metricsOf('sum by (host, mode) (rate(cpu_total{mode="idle"}[5m])) / on (host) group_left (os) info'),
    ["cpu_total", "info"],
  );
  assert.deepEqual(metricsOf('{"http.requests", code="500"} and {__name__="x"} unless up'), ["http.requests", "up"]);
  assert.deepEqual(metricsOf("vector(1) + time()"), []);
});

test("a click on a metric makes the query that suits its kind", () => {
  const host = { label: "host", value: 'a"b' };
  assert.equal(queryFor("up", "", [], MINUTE), "up");
  assert.equal(queryFor("node_load1", "gauge", [host], MINUTE), 'node_load1{host="a\\"b"}');
  assert.equal(queryFor("requests_total", "", [], MINUTE), "rate(requests_total[5m])");
  assert.equal(queryFor("requests", "counter", [], 600_000), "rate(requests[20m])");
  assert.equal(queryFor("t_bucket", "", [], 1), "histogram_quantile(0.95, sum by (le) (rate(t_bucket[5m])))");
  assert.equal(queryFor("queue_count", "gauge", [], 1), "queue_count");
  assert.equal(queryFor("latency", "histogram", [], 1), "rate(latency[5m])");
  assert.equal(selector("http.requests", [{ label: "a.b", value: "1" }]), '{"http.requests", "a.b"="1"}');
  assert.deepEqual([MINUTE, 30 * MINUTE, 12 * 60 * MINUTE].map(windowOf), ["5m", "1h", "1d"]);
});

test("a click on a value adds its matcher to every selector of the metric, or takes it back", () => {
  const idle = { label: "mode", value: "idle" };
  const with_ = 'rate(cpu{mode="idle"}[5m]) / cpu{mode="idle"}';
  assert.equal(toggleMatcher("rate(cpu[5m]) / cpu", "cpu", idle), with_);
  assert.equal(hasMatcher(with_, "cpu", idle), true);
  assert.equal(toggleMatcher(with_, "cpu", idle), "rate(cpu[5m]) / cpu");
  assert.equal(toggleMatcher('cpu{a=~"x|y", mode="user"}', "cpu", idle), 'cpu{a=~"x|y", mode="idle"}');
  assert.equal(toggleMatcher('cpu{mode=~"u.*"}', "cpu", idle), 'cpu{mode=~"u.*", mode="idle"}');
  assert.equal(toggleMatcher("sum by (cpu) (up)", "cpu", idle), null);
});

test("series are summed by labels, and the same click takes it back", () => {
  assert.equal(summedBy("rate(a[5m])", "host"), "sum by (host) (rate(a[5m]))");
  assert.equal(summedBy("sum by (host) (rate(a[5m]))", "mode"), "sum by (host, mode) (rate(a[5m]))");
  assert.equal(summedBy("sum by (host) (rate(a[5m]))", "host"), "rate(a[5m])");
  const quantile = (of: string) => `histogram_quantile(0.95, ${of})`;
  const [byBound, byBoth] = ["sum by (le) (rate(t_bucket[5m]))", "sum by (le, env) (rate(t_bucket[5m]))"].map(quantile);
  assert.equal(summedBy(byBound ?? "", "env"), byBoth, "buckets are summed, not their quantile");
  assert.equal(summedBy(byBoth ?? "", "env"), byBound);
  assert.equal(summedBy(quantile("rate(t_bucket[5m])"), "env"), byBoth);
  assert.equal(summedBy(quantile("rate(latency[5m])"), "env"), quantile("sum by (env) (rate(latency[5m]))"));
  const ratio = `${quantile("a_bucket")} / ${quantile("b_bucket")}`;
  assert.equal(summedBy(ratio, "env"), `sum by (env) (${ratio})`);
  assert.equal(summedBy("sum by (x) (a) / sum by (x) (b)", "y"), "sum by (y) (sum by (x) (a) / sum by (x) (b))");
});

test("points are at multiples of a round step", () => {
  assert.equal(stepFor(60 * MINUTE), 15_000);
  assert.equal(stepFor(24 * 60 * MINUTE), 600_000);
  assert.deepEqual(stepsOf([1_000_007, 1_000_007 + 60 * MINUTE]), { from: 990_000, to: 4_600_007, step: 15_000 });
  assert.ok(stepFor(10 * 365 * 86_400_000) % 86_400_000 === 0);
});

test("a point's log lines are those of the time that it speaks of", () => {
  assert.deepEqual(minuteOf(150_000, 15_000), { from: 120_000, to: 180_000 });
  assert.deepEqual(minuteOf(120_000, 15_000), { from: 60_000, to: 120_000 });
  assert.deepEqual(minuteOf(1_200_000, 600_000), { from: 600_000, to: 1_200_000 });
});

test("the host of a series is found, and its log lines", () => {
  assert.equal(hostOf({ instance: "db-1:9100", job: "node" }), "db-1");
  assert.equal(hostOf({ instance: "http://db-1.example.com:9100/metrics" }), "db-1.example.com");
  assert.equal(hostOf({ instance: "[::1]:9100" }), "::1");
  assert.equal(hostOf({ instance: "10.0.0.1:9100", node: "n1" }), "n1");
  assert.equal(hostOf({ job: "x" }), "");
  assert.equal(logsOfHost({ job: "x" }, ["host"]), "");
  assert.equal(logsOfHost({ instance: "db-1:9100" }, ["host", "status"]), 'filter host = "db-1"');
  assert.equal(
    logsOfHost({ instance: "db-1.example.com:9100" }, ["host", "host.name"]),
    'filter host in ["db-1.example.com", "db-1"] or host.name in ["db-1.example.com", "db-1"]',
  );
  assert.equal(logsOfHost({ instance: "db-1:9100" }, ["instance"]), 'filter instance in ["db-1", "db-1:9100"]');
  assert.equal(logsOfHost({ instance: 'a"b:1' }, []), 'filter @message like "a\\"b"');
});

test("lines have short names, the highest first, and numbers that are none break them", () => {
  const line = (host: string, values: number[]) => ({
    labels: { __name__: "load", job: "node", host },
    points: values.map((value, n): [number, number] => [n * 1000, value]),
  });
  const { drawn, left } = drawnLines([line("a", [1, 2]), line("b", [NaN, 5, Infinity]), line("c", [NaN])]);
  assert.equal(left, 0);
  assert.deepEqual(
    drawn.map(({ short, max, peak, last }) => [short, max, peak, last]),
    [
      ['host="b"', 5, 1000, Infinity],
      ['host="a"', 2, 1000, 2],
      ['host="c"', -Infinity, 0, NaN],
    ],
  );
  assert.equal(drawn[0] && valueAt(drawn[0], 1000), 5);
  assert.equal(drawn[0] && valueAt(drawn[0], 1500), undefined);
  assert.equal(drawnLines(Array.from({ length: 250 }, (_, n) => line(String(n), [n]))).left, 50);
  assert.equal(seriesName({ __name__: "load", b: "1", a: "x" }), 'load{a="x", b="1"}');
  assert.deepEqual(scaleOf(drawn.slice(0, 2)), { low: 0, top: 6, marks: [0, 2, 4, 6] });
  assert.deepEqual(scaleOf([]), { low: 0, top: 1, marks: [0, 1] });
});

test("numbers have four digits at most", () => {
  assert.deepEqual([0, 6.00612, 0.034219, 12_345, 1_234_567, 9999, 2e13].map(quantity), [
    "0",
    "6.006",
    "0.03422",
    "12.35 k",
    "1.235 M",
    "9,999",
    "20 T",
  ]);
  assert.deepEqual([NaN, Infinity, -Infinity, 1e-7].map(quantity), ["NaN", "+∞", "−∞", "1.00e-7"]);
  assert.deepEqual(["+Inf", "-Inf", "1.5"].map(sampleValue), [Infinity, -Infinity, 1.5]);
});

/** The points of a series of histograms, one every second. */
function points(...all: HistogramText["buckets"][]) {
  return all.map((buckets, n): [number, ReturnType<typeof histogramOf>] => [
    n * 1000,
    histogramOf({ count: "9", sum: "3", ...(buckets && { buckets }) }),
  ]);
}

test("a native histogram is read with its bounds and what is in them", () => {
  const [[, histogram] = [0, null]] = points([
    [3, "-0.001", "0.001", "1"],
    [0, "0.5", "1", "2.5"],
    [1, "-Inf", "-1", "4"],
    [2, "8", "+Inf", "1"],
  ]);
  assert.deepEqual(histogram && [histogram.count, histogram.sum], [9, 3]);
  assert.deepEqual(histogram?.buckets.map(boundsText), ["[-0.001, 0.001]", "(0.5, 1]", "[−∞, -1)", "(8, +∞)"]);
  assert.deepEqual(histogramOf({ count: "0", sum: "0" }).buckets, []);
  assert.deepEqual(countLines([{ labels: { a: "b" }, points: points([]) }]), [
    { labels: { a: "b" }, points: [[0, 9]] },
  ]);
});

test("buckets become rows, the highest values first; coarser ones are shared by the rows that they cover", () => {
  const rows = bucketRows({
    points: points([[0, "1", "2", "3"]], undefined, [
      [3, "0", "0", "7"],
      [0, "1", "4", "6"],
      [0, "4", "+Inf", "2"],
    ]),
  });
  assert.deepEqual(
    rows.map(({ name, points }) => [name, ...points.map(([, count]) => count)]),
    [
      ["≤ +∞", 0, 0, 2],
      ["≤ 4", 0, 0, 3],
      ["≤ 2", 3, 0, 3],
      ["≤ 1", 0, 0, 0],
      ["0", 0, 0, 7],
    ],
  );
  assert.deepEqual(bucketRows({ points: points(undefined) }), []);
});

test("more buckets than rows are put together, and none is lost", () => {
  const many = Array.from({ length: 101 }, (_, n): [number, string, string, string] => [0, `${n}`, `${n + 1}`, "2"]);
  const rows = bucketRows({ points: points(many) });
  assert.ok(rows.length <= ROWS_MAX);
  assert.equal(
    rows.reduce((sum, { points }) => sum + (points[0]?.[1] ?? 0), 0),
    202,
  );
  assert.deepEqual([rows[0]?.upper, rows.at(-1)?.lower], [101, 0]);
});

test("a comparison outside all brackets is a condition", () => {
  for (const query of ["up == 0", "sum by (a) (rate(x[5m])) >= 2 and y", 'a{b!="c"} < 1'])
    assert.ok(isCompared(query), query);
  for (const query of ['a{b!="c"}', "up == bool 0", "sum(up == 0)", "x </ 2", "rate(x[5m])", "# a > b"])
    assert.ok(!isCompared(query), query);
});
