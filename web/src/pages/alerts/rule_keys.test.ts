// That a rule comes out of its form as it went in.

import assert from "node:assert/strict";
import test from "node:test";

import { keysOf, ruleOf, typedOf, valueOf, suggestedName } from "./rule_keys.ts";

const RULE = {
  name: "slow",
  kind: "ratio",
  query: "filter a = 1\n| fields b",
  bad: "ms > 100",
  condition: "ratio > 0.5",
  min_count: 3,
  groups: ["app/*", "web"],
  window: "1h",
  interval: "1m",
  datapoints: { to_alarm: 2, of: 3 },
  labels: { severity: "page" },
  annotations: { summary: "{{ .value }} = much" },
  topics: ["ops"],
  enabled: false,
  notify: false,
  maker_note: 7,
};

test("a rule that nobody changes stays as it is, also what no input shows", () => {
  const typed = Object.fromEntries([
    ["name", RULE.name],
    ["kind", RULE.kind],
    ["query", RULE.query],
    ...keysOf("ratio").map(({ key, typed }) => [key, typedOf((RULE as never)[key], typed)]),
  ]);
  assert.deepEqual(ruleOf(RULE, typed), RULE);
});

test("another kind takes nothing along that it does not have", () => {
  const typed = { name: "slow", kind: "composite", query: "x", when: '"a" and "b"', bad: "ms > 100", window: "1h" };
  assert.deepEqual(ruleOf(RULE, typed), {
    name: "slow",
    kind: "composite",
    when: '"a" and "b"',
    enabled: false,
    maker_note: 7,
  });
});

test("what is typed and is no JSON goes to the server, which says what is wrong with it", () => {
  assert.equal(valueOf("{of: 3", "json"), "{of: 3");
  assert.equal(valueOf("many", "number"), "many");
  assert.equal(valueOf("  ", "number"), undefined);
  assert.deepEqual(valueOf("a, ,b,", "list"), ["a", "b"]);
  assert.deepEqual(valueOf("a = b = c\n\nd", "pairs"), { a: "b = c", d: "" });
});

test("a suggested name says what is watched, and is free", () => {
  assert.equal(suggestedName('filter @level >= "error"', ["app/*"], []), "errors in app/*");
  assert.equal(suggestedName("filter status = 500", [], ["status = 500"]), "status = 500 2");
  assert.equal(suggestedName("", [], []), "events");
});
