// Places of the nodes of a service map: callers to the left of what they call, in columns. The same map always has the same
// places, whatever the order of its nodes and the numbers on them. Nothing here touches the document.

import type { Calls, MapEdge, MapNode } from "../../api/traces.ts";

/** Sizes in pixels. */
export const NODE = { width: 168, height: 58, gapX: 170, gapY: 38, margin: 16 };

/** A node at its place. */
export interface PlacedNode {
  node: MapNode;
  column: number;
  x: number;
  y: number;
}

/** An edge between two places. */
export interface PlacedEdge {
  edge: MapEdge;
  from: PlacedNode;
  to: PlacedNode;
}

/** The map, placed. */
export interface PlacedMap {
  nodes: PlacedNode[];
  edges: PlacedEdge[];
  width: number;
  height: number;
}

/** Rounds of sorting columns by the places of neighbours. */
const ROUNDS = 4;

const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Targets of each node without edges that close a cycle: cycles are always cut at the same place. */
function forward(names: readonly string[], targets: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const kept = new Map<string, string[]>(names.map((name) => [name, []]));
  const state = new Map<string, "open" | "done">();
  for (const root of names) {
    if (state.has(root)) continue;
    const stack = [{ name: root, at: 0 }];
    state.set(root, "open");
    while (stack.length > 0) {
      const top = stack.at(-1) as { name: string; at: number };
      const target = targets.get(top.name)?.[top.at++];
      if (target === undefined) {
        state.set(top.name, "done");
        stack.pop();
      } else if (state.get(target) !== "open") {
        kept.get(top.name)?.push(target);
        if (!state.has(target)) {
          state.set(target, "open");
          stack.push({ name: target, at: 0 });
        }
      }
    }
  }
  return kept;
}

/** The column of each node: one more than that of its last caller. */
function columnsOf(names: readonly string[], kept: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const callers = new Map<string, number>(names.map((name) => [name, 0]));
  for (const targets of kept.values()) for (const one of targets) callers.set(one, (callers.get(one) ?? 0) + 1);
  const columns = new Map<string, number>(names.map((name) => [name, 0]));
  const ready = names.filter((name) => callers.get(name) === 0);
  for (let name = ready.shift(); name !== undefined; name = ready.shift()) {
    for (const target of kept.get(name) ?? []) {
      columns.set(target, Math.max(columns.get(target) ?? 0, (columns.get(name) ?? 0) + 1));
      callers.set(target, (callers.get(target) ?? 1) - 1);
      if (callers.get(target) === 0) ready.push(target);
    }
  }
  return columns;
}

/** Sorts each column by the mean place of the neighbours of its nodes. */
function sorted(columns: string[][], neighbours: ReadonlyMap<string, readonly string[]>): void {
  for (let round = 0; round < ROUNDS; round += 1) {
    const places = new Map(
      columns.flatMap((names) => names.map((name, at) => [name, (at + 0.5) / names.length] as const)),
    );
    for (const names of columns) {
      const mean = (name: string) => {
        const all = (neighbours.get(name) ?? []).flatMap((one) => places.get(one) ?? []);
        return all.length === 0 ? (places.get(name) ?? 0) : all.reduce((sum, one) => sum + one, 0) / all.length;
      };
      const means = new Map(names.map((name) => [name, mean(name)]));
      names.sort((a, b) => (means.get(a) ?? 0) - (means.get(b) ?? 0) || byName(a, b));
    }
  }
}

/** Places a map. */
export function placed(nodes: readonly MapNode[], edges: readonly MapEdge[]): PlacedMap {
  const byId = new Map(nodes.map((node) => [node.service, node]));
  const names = [...byId.keys()].sort(byName);
  const real = edges.filter((edge) => byId.has(edge.from) && byId.has(edge.to));
  const [targets, neighbours] = [new Map<string, string[]>(), new Map<string, string[]>()];
  const add = (to: Map<string, string[]>, key: string, value: string) => to.set(key, [...(to.get(key) ?? []), value]);
  for (const { from, to } of [...real].sort((a, b) => byName(a.from, b.from) || byName(a.to, b.to))) {
    if (from === to) continue;
    add(targets, from, to);
    add(neighbours, from, to);
    add(neighbours, to, from);
  }
  // Nodes without callers come first, so that cycles are cut at their far end.
  const called = new Set([...targets.values()].flat());
  const order = [...names.filter((name) => !called.has(name)), ...names.filter((name) => called.has(name))];
  const column = columnsOf(order, forward(order, targets));
  const columns: string[][] = [];
  for (const name of names) (columns[column.get(name) ?? 0] ??= []).push(name);
  const filled = Array.from(columns, (one) => one ?? []);
  sorted(filled, neighbours);
  const tallest = filled.reduce((most, one) => Math.max(most, one.length), 1);
  const { width, height, gapX, gapY, margin } = NODE;
  const places = new Map<string, PlacedNode>();
  filled.forEach((one, at) =>
    one.forEach((name, n) => {
      const top = margin + ((tallest - one.length) * (height + gapY)) / 2;
      const node = byId.get(name) as MapNode;
      places.set(name, { node, column: at, x: margin + at * (width + gapX), y: top + n * (height + gapY) });
    }),
  );
  return {
    nodes: [...places.values()],
    edges: real.map((edge) => ({
      edge,
      from: places.get(edge.from) as PlacedNode,
      to: places.get(edge.to) as PlacedNode,
    })),
    width: 2 * margin + filled.length * (width + gapX) - gapX,
    height: 2 * margin + tallest * (height + gapY) - gapY,
  };
}

/** A point in pixels. */
export interface Point {
  x: number;
  y: number;
}

/** The four points of a cubic curve. */
type Curve = readonly [Point, Point, Point, Point];

/** The curve of an edge: between the sides that face each other, or a loop below for calls back. */
function curveOf({ from, to }: PlacedEdge): Curve {
  const { width, height, gapX, gapY } = NODE;
  if (to.column > from.column) {
    const [a, b] = [
      { x: from.x + width, y: from.y + height / 2 },
      { x: to.x, y: to.y + height / 2 },
    ];
    const bend = Math.max(36, (b.x - a.x) / 2);
    return [a, { x: a.x + bend, y: a.y }, { x: b.x - bend, y: b.y }, b];
  }
  const below = Math.max(from.y, to.y) + height + gapY * 0.9;
  const [x1, x2] = from === to ? [from.x + width * 0.7, to.x + width * 0.3] : [from.x + width / 2, to.x + width / 2];
  const [a, b] = [
    { x: x1, y: from.y + height },
    { x: x2, y: to.y + height },
  ];
  return [a, { x: x1 + gapX / 3, y: below }, { x: x2 - gapX / 3, y: below }, b];
}

function pointAt([a, b, c, d]: Curve, t: number): Point {
  const u = 1 - t;
  const of = (axis: "x" | "y") =>
    u ** 3 * a[axis] + 3 * u * u * t * b[axis] + 3 * u * t * t * c[axis] + t ** 3 * d[axis];
  return { x: of("x"), y: of("y") };
}

/** Size of the numbers on an edge, and their possible places on its curve, the best one first. */
const LABEL = { width: 92, height: 28, places: [0.5, 0.38, 0.62, 0.3, 0.7] };

/** The line of an edge and the place of its numbers; crowded if other edges occupy all possible places. */
export interface Line {
  path: string;
  label: Point;
  isCrowded: boolean;
}

/** The lines of edges. Edges that got worse get places first, then those with the most calls. */
export function linesOf(edges: readonly PlacedEdge[]): Line[] {
  const isWorse = ({ edge }: PlacedEdge) => Object.values(worse(edge, edge.before)).includes(true);
  const order = [...edges].sort((a, b) => Number(isWorse(b)) - Number(isWorse(a)) || b.edge.requests - a.edge.requests);
  const taken: Point[] = [];
  const lines = new Map<PlacedEdge, Line>();
  for (const one of order) {
    const curve = curveOf(one);
    const [a, b, c, d] = curve;
    const points = LABEL.places.map((t) => pointAt(curve, t));
    const free = points.find(({ x, y }) =>
      taken.every((other) => Math.abs(other.x - x) >= LABEL.width || Math.abs(other.y - y) >= LABEL.height),
    );
    if (free !== undefined) taken.push(free);
    const path = `M${a.x} ${a.y}C${b.x} ${b.y} ${c.x} ${c.y} ${d.x} ${d.y}`;
    lines.set(one, { path, label: free ?? (points[0] as Point), isCrowded: free === undefined });
  }
  return edges.map((one) => lines.get(one) as Line);
}

/** With fewer requests than this, a change is not significant. */
const REQUESTS_MIN = 20;
const ERRORS_MIN = 3;

/** What got worse against the time before: the error share by one point and by half, the 95th percentile by half. */
export function worse(now: Calls, before: Calls | undefined): { errors: boolean; latency: boolean } {
  if (before === undefined || now.requests < REQUESTS_MIN) return { errors: false, latency: false };
  const grew = now.error_share >= before.error_share + 0.01 && now.error_share >= before.error_share * 1.5;
  const [p95, earlier] = [now.p95_ms ?? 0, before.p95_ms ?? 0];
  return {
    errors: now.errors >= ERRORS_MIN && before.requests > 0 && grew,
    latency: before.requests >= REQUESTS_MIN && earlier > 0 && p95 >= earlier * 1.5 && p95 >= earlier + 1,
  };
}
