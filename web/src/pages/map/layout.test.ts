import assert from "node:assert/strict";
import test from "node:test";

import type { Calls, MapEdge, MapNode } from "../../api/traces.ts";
import { linesOf, placed, worse } from "./layout.ts";

const CALLS: Calls = { requests: 100, requests_per_s: 1, errors: 1, error_share: 0.01, p50_ms: 5, p95_ms: 20 };
const node = (service: string): MapNode => ({
  ...{ ...CALLS, service, kind: "service", logs_only: false, callers_unknown: 0, targets_unknown: 0 },
});
const edge = (from: string, to: string): MapEdge => ({ ...CALLS, from, to });
const columns = (nodes: string[], edges: [string, string][]) => {
  const map = placed(
    nodes.map(node),
    edges.map(([from, to]) => edge(from, to)),
  );
  return Object.fromEntries(map.nodes.map((one) => [one.node.service, one.column]));
};

test("callers are to the left of everything they call", () => {
  const all = columns(
    ["db", "web", "cart", "pay"],
    [
      ["web", "cart"],
      ["web", "pay"],
      ["cart", "pay"],
      ["pay", "db"],
    ],
  );
  assert.deepEqual(all, { web: 0, cart: 1, pay: 2, db: 3 });
});

test("cycles, calls to itself and unknown ends do not matter", () => {
  assert.deepEqual(
    columns(
      ["a", "b", "c"],
      [
        ["a", "b"],
        ["b", "c"],
        ["c", "b"],
        ["b", "b"],
        ["b", "gone"],
      ],
    ),
    { a: 0, b: 1, c: 2 },
  );
  assert.deepEqual(
    columns(
      ["a", "b"],
      [
        ["a", "b"],
        ["b", "a"],
      ],
    ),
    { a: 0, b: 1 },
  );
  assert.deepEqual(columns([], []), {});
});

test("places do not depend on the order of the answer, and no two nodes share one", () => {
  const names = Array.from({ length: 50 }, (_, n) => `s${n}`);
  const edges = names.flatMap((name, n) => [3, 7].map((by) => edge(name, `s${(n * by + 1) % 50}`)));
  const one = placed(names.map(node), edges);
  const other = placed([...names].reverse().map(node), [...edges].reverse());
  const places = (map: typeof one) => map.nodes.map(({ node: { service }, x, y }) => `${service} ${x} ${y}`).sort();
  assert.deepEqual(places(one), places(other));
  assert.equal(new Set(one.nodes.map(({ x, y }) => `${x} ${y}`)).size, 50);
  for (const { x, y } of one.nodes) assert.ok(x >= 0 && y >= 0 && x < one.width && y < one.height);
  for (const line of linesOf(one.edges)) assert.doesNotMatch(line.path, /NaN/);
});

test("numbers that are shown stand apart; what got worse has a place before others", () => {
  const names = ["a", "b"].flatMap((name) => [1, 2, 3].map((n) => `${name}${n}`));
  const edges = [1, 2, 3].flatMap((n) => [1, 2, 3].map((to) => edge(`a${n}`, `b${to}`)));
  edges[8] = { ...(edges[8] as MapEdge), errors: 50, error_share: 0.5, before: CALLS };
  const lines = linesOf(placed(names.map(node), edges).edges);
  assert.equal(lines[8]?.isCrowded, false);
  assert.ok(
    lines.some((line) => line.isCrowded),
    "nine edges do not all have room",
  );
  const shown = lines.filter((line) => !line.isCrowded).map((line) => line.label);
  shown.forEach((one, n) =>
    shown.slice(n + 1).forEach((other) => {
      assert.ok(Math.abs(one.x - other.x) >= 92 || Math.abs(one.y - other.y) >= 28, JSON.stringify(shown));
    }),
  );
});

test("worse is what grew by half and matters", () => {
  const now = (more: Partial<Calls>) => worse({ ...CALLS, ...more }, CALLS);
  assert.deepEqual(now({}), { errors: false, latency: false });
  assert.deepEqual(now({ errors: 9, error_share: 0.09 }), { errors: true, latency: false });
  assert.deepEqual(now({ p95_ms: 40 }), { errors: false, latency: true });
  assert.deepEqual(now({ requests: 3, errors: 3, error_share: 1, p95_ms: 900 }), { errors: false, latency: false });
  assert.deepEqual(worse(CALLS, undefined), { errors: false, latency: false });
});
