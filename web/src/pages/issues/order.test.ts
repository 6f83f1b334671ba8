import assert from "node:assert/strict";
import { test } from "node:test";

import type { Issue } from "../../api/issues.ts";
import { listed } from "./order.ts";

const issue = (id: string, change: Partial<Issue>): Issue =>
  ({
    id,
    title: id,
    pattern: id,
    group: "app",
    service: null,
    owner: null,
    note: null,
    frames: [],
    hosts: [],
    count: 1,
    first_seen: "2026-11-28T10:00:00Z",
    last_seen: "2026-11-28T11:00:00Z",
    ...change,
  }) as Issue;

const ISSUES = [
  issue("pool timeout", { count: 5, service: "checkout", last_seen: "2026-11-28T11:20:00Z" }),
  issue("bad order", { count: 40, first_seen: "2026-11-27T10:00:00Z" }),
  issue("disk full", { hosts: ["db-1"] }),
];

const ids = (...of: Parameters<typeof listed>) => listed(...of).map(({ id }) => id);

test("issues are found by all words, in whatever they say, also in their line", () => {
  assert.deepEqual(ids(ISSUES, "", ""), ["pool timeout", "bad order", "disk full"]);
  assert.deepEqual(ids(ISSUES, "POOL checkout", ""), ["pool timeout"]);
  assert.deepEqual(ids(ISSUES, "db-1", ""), ["disk full"]);
  assert.deepEqual(ids(ISSUES, "order 4711", "", new Map([["bad order", "bad order 4711"]])), ["bad order"]);
});

test("issues are sorted as the address says, and as the server has them where it says nothing that is known", () => {
  assert.deepEqual(ids(ISSUES, "", "count"), ["bad order", "pool timeout", "disk full"]);
  assert.deepEqual(ids(ISSUES, "", "-title"), ["pool timeout", "disk full", "bad order"]);
  assert.equal(ids(ISSUES, "", "last")[0], "pool timeout");
  assert.equal(ids(ISSUES, "", "-first")[0], "bad order");
  assert.deepEqual(ids(ISSUES, "", "-duration_ms"), ["pool timeout", "bad order", "disk full"]);
});
