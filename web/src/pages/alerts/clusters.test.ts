// Which alerts belong together.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Alert } from "../../api/alerts.ts";
import { clustersOf, failuresOf } from "./clusters.ts";

const alert = (id: string, minute: number) =>
  ({ id, since: new Date(Date.parse("2026-11-20T12:00:00Z") + minute * 60_000).toISOString() }) as Alert;
const idsOf = (alerts: readonly Alert[]) => clustersOf(alerts).map((one) => one.alerts.map(({ id }) => id).join(" "));

test("alerts that began within minutes are together, newest clusters first", () => {
  assert.deepEqual(idsOf([alert("c", 10), alert("a", 0), alert("d", 60), alert("b", 9)]), ["d", "a b c"]);
  assert.deepEqual(
    idsOf([alert("a", 0), alert("b", 9), alert("c", 18), alert("d", 27)]),
    ["c d", "a b"],
    "a chain has an end",
  );
  assert.deepEqual(idsOf([]), []);
  assert.deepEqual(idsOf([alert("a", 0), alert("b", 11)]), ["b", "a"]);
});

test("alerts of one failure are one, the first one first", () => {
  const of = (id: string, minute: number, failure?: string) => ({ ...alert(id, minute), failure }) as Alert;
  const failures = failuresOf([of("c", 3, "a"), of("a", 1, "a"), of("b", 2, "b"), of("d", 0)]);
  assert.deepEqual(
    failures.map((all) => all.map(({ id }) => id).join(" ")),
    ["d", "a c", "b"],
  );
});
