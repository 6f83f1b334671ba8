import assert from "node:assert/strict";
import test from "node:test";

import type { TraceAnswer, TreeNode } from "../../api/traces.ts";
import { above, axisTicks, found, modelOf, next, offsetMs, place, rowsOf } from "./model.ts";

const START = "2026-11-23T10:00:00.000000000Z";
const at = (ns: number) => START.replace("000000000Z", `${String(ns).padStart(9, "0")}Z`);

/** A trace of spans `[id, start in ns, duration in ms, parent's place]`, which are in the order of the tree. */
function traceOf(spans: [string, number, number, number | null][], more: Partial<TraceAnswer> = {}): TraceAnswer {
  const tree: TreeNode[] = [];
  spans.forEach(([span_id, , , parent], span) => {
    const depth = parent === null ? 0 : (tree[parent]?.depth ?? 0) + 1;
    tree.push({ parent, depth, self_ms: 0, critical_ms: 0, span, span_id });
  });
  return {
    ...{ trace_id: "a", start: START, duration_ms: 1, root: null, services: [], n_spans: spans.length, errors: 0 },
    ...{ problems: [], logs: [], partial: false, partial_reasons: [], tree },
    spans: spans.map(([span_id, ns, duration_ms]) => ({
      ...{ "@timestamp": at(ns), span_id, name: `op ${span_id}`, service: "cart", status: "unset", duration_ms },
    })),
    ...more,
  };
}

const FAMILY: [string, number, number, number | null][] = [
  ["root", 0, 10, null],
  ["a", 1_000_000, 4, 0],
  ["a1", 2_000_000, 1, 1],
  ["b", 6_000_000, 3, 0],
];

test("times are exact to the nanosecond, and texts may have any number of digits", () => {
  assert.equal(offsetMs(at(1), START), 0.000001);
  assert.equal(offsetMs("2026-11-23T10:00:01Z", "2026-11-23T10:00:00.5Z"), 500);
});

test("rows are the tree without what is below closed nodes", () => {
  const model = modelOf(traceOf(FAMILY));
  const ids = (closed: number[]) => rowsOf(model, new Set(closed), () => false).map((row) => row.node.id);
  assert.deepEqual(ids([]), ["root", "a", "a1", "b"]);
  assert.deepEqual(ids([1]), ["root", "a", "b"]);
  assert.deepEqual(ids([0]), ["root"]);
  assert.deepEqual(above(model.nodes, 2), [1, 0]);
  assert.equal(model.duration, 10);
});

test("log lines are below the span that they name; the others are kept together", () => {
  const line = (ns: number, span_id?: string) => ({
    ...{ "@timestamp": at(ns), "@message": `line ${ns}`, ...(span_id ? { span_id } : {}) },
  });
  const model = modelOf(traceOf(FAMILY, { logs: [line(1_500_000, "a"), line(2_500_000), line(3_000_000, "gone")] }));
  const rows = rowsOf(model, new Set(), (node) => node.kind !== "span" || node.id === "a");
  assert.deepEqual(
    rows.map((row) => row.log?.message ?? (row.node.id || row.node.kind)),
    ["root", "a", "line 1500000", "a1", "b", "lines", "line 2500000", "line 3000000"],
  );
});

test("a trace of log lines alone has an axis, too", () => {
  const logs = [0, 2_000_000].map((ns) => ({ "@timestamp": at(ns), "@message": "x" }));
  const model = modelOf(traceOf([], { logs }));
  assert.equal(model.duration, 2);
  assert.equal(model.nodes[0]?.kind, "lines");
});

test("a missing span has the time of what is below it, and errors are counted upwards", () => {
  const answer = traceOf(FAMILY);
  answer.tree[1] = { parent: 0, depth: 1, self_ms: 0, critical_ms: 0, missing_span_id: "gone" };
  answer.spans[2] = { ...answer.spans[2], status: "error" };
  const model = modelOf(answer);
  assert.deepEqual([model.nodes[1]?.kind, model.nodes[1]?.start, model.nodes[1]?.duration], ["missing", 2, 1]);
  assert.equal(model.nodes[0]?.errorsBelow, 1);
  assert.deepEqual(model.errors, [2]);
});

test("a span whose clock differs is shown where the answer puts it, and it is told how far that is", () => {
  const answer = traceOf(FAMILY);
  answer.tree[3] = { ...(answer.tree[3] as TreeNode), adjusted_start: at(5_000_000) };
  const model = modelOf(answer);
  assert.deepEqual([model.nodes[3]?.start, model.nodes[3]?.moved], [5, -1]);
});

test("search looks into fields and lines; errors follow each other around the end", () => {
  const model = modelOf(traceOf(FAMILY, { logs: [{ "@timestamp": at(1), "@message": "Needle", span_id: "b" }] }));
  assert.deepEqual(found(model, "OP A1", new Map()), [2]);
  assert.deepEqual(found(model, "needle", new Map()), [3]);
  assert.deepEqual(found(model, "  ", new Map()), []);
  assert.deepEqual([next([2, 5], 2, 1), next([2, 5], 5, 1), next([2, 5], 2, -1), next([], 0, 1)], [5, 2, 5, -1]);
});

test("the axis has round steps, and places stay on it", () => {
  assert.deepEqual(axisTicks(1000, 5), [0, 200, 400, 600, 800, 1000]);
  assert.deepEqual(axisTicks(0.3, 3).length, 4);
  assert.deepEqual([place(-5, 10), place(5, 10), place(50, 10)], [0, 50, 100]);
});

test("ten thousand spans in one line are laid out without recursion", () => {
  const chain = Array.from({ length: 10_000 }, (_, n): [string, number, number, number | null] => [
    `s${n}`,
    n,
    1,
    n === 0 ? null : n - 1,
  ]);
  const model = modelOf(traceOf(chain));
  assert.equal(model.nodes[0]?.end, 10_000);
  assert.equal(above(model.nodes, 9999).length, 9999);
  assert.equal(rowsOf(model, new Set([5000]), () => false).length, 5001);
});
