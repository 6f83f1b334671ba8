import assert from "node:assert/strict";
import { test } from "node:test";

import { fuzzy } from "./fuzzy.ts";

const NAMES = [
  "Go to Groups",
  "Last 15 minutes",
  "Live tail on or off",
  "app/checkout",
  "app/web",
  "Show a level only",
];

test("some letters in their order are enough, and the best comes first", () => {
  const find = (sought: string) => fuzzy(NAMES, sought, (name) => name);
  assert.deepEqual(find(""), NAMES);
  assert.equal(find("live")[0], "Live tail on or off");
  assert.equal(find("15m")[0], "Last 15 minutes");
  assert.equal(find("apchk")[0], "app/checkout");
  assert.equal(find("groups go")[0], "Go to Groups");
  assert.deepEqual(find("zzz"), []);
});
