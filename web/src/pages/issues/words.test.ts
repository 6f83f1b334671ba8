import assert from "node:assert/strict";
import { test } from "node:test";

import type { Restarts } from "../../api/issues.ts";
import { restartsText, restartsWho } from "./words.ts";

const loop: Restarts = {
  program: "shop.service",
  host: "web-1",
  count: 12,
  since: "2026-11-28T03:12:09Z",
  last: "2026-11-28T03:20:00Z",
  every_ms: 40_120,
  ongoing: true,
};
const now = Date.parse("2026-11-28T03:20:10Z");

test("a loop says how often and since when, and one that is over how often and until when", () => {
  assert.equal(restartsText(loop, "UTC", now), "restarts every 40 s since 03:12");
  assert.equal(
    restartsText({ ...loop, every_ms: 301_000, since: "2026-11-27T23:00:00Z" }, "UTC", now),
    "restarts every 5 min since 11-27 23:00",
  );
  assert.equal(
    restartsText({ ...loop, ongoing: false }, "UTC", now),
    "restarted 12 times, every 40 s, from 03:12 to 03:20",
  );
});

test("who restarts is named as far as it is known", () => {
  assert.equal(restartsWho(loop), "shop.service · web-1");
  assert.equal(restartsWho({ ...loop, host: null }), "shop.service");
  assert.equal(restartsWho({ ...loop, program: null, host: null }), "");
});
