import assert from "node:assert/strict";
import { test } from "node:test";

import { rateWith } from "./arrivals.ts";

test("events that come in groups are counted over seconds, not over the moment in which one came", () => {
  let rate = 0;
  // Fifteen events once a second, looked at ten times a second.
  for (let at = 0; at <= 12_000; at += 100) rate = rateWith(at % 1000 === 0 ? 15 : 0, at);
  assert.equal(rate, 15);
  rate = rateWith(0, 12_900);
  assert.ok(rate >= 12 && rate <= 16, `${rate}`);
  assert.equal(rateWith(0, 30_000), 0);
});
