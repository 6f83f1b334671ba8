import assert from "node:assert/strict";
import test from "node:test";

import { fieldOf, isOn, toggleChip } from "./chips.ts";

const SAVED = [
  'service = "api"',
  'service = "web"',
  '@level >= "error"',
  'status >= 500 and path like "/api"',
  "status = 404",
];
const [API, WEB, ERRORS, FAILED, GONE] = SAVED as [string, string, string, string, string];

test("chips of one field are alternatives, chips of others hold too", () => {
  let text = toggleChip("", API, SAVED);
  assert.equal(text, 'filter service = "api"');
  text = toggleChip(text, WEB, SAVED);
  assert.equal(text, 'filter service = "api" or service = "web"');
  text = toggleChip(text, ERRORS, SAVED);
  assert.equal(text, 'filter service = "api" or service = "web"\n| filter @level >= "error"');
  assert.ok([API, WEB, ERRORS].every((one) => isOn(text, one, SAVED)) && !isOn(text, GONE, SAVED));
  text = toggleChip(text, API, SAVED);
  assert.equal(text, 'filter service = "web"\n| filter @level >= "error"');
  text = toggleChip(toggleChip(text, WEB, SAVED), ERRORS, SAVED);
  assert.equal(text, "");
});

test("a condition of several parts stays one, and what somebody wrote is left alone", () => {
  const text = toggleChip('filter service = "own"\n| stats count(*)', FAILED, SAVED);
  assert.equal(text, 'filter service = "own"\n| filter (status >= 500 and path like "/api")\n| stats count(*)');
  assert.equal(toggleChip(text, FAILED, SAVED), 'filter service = "own"\n| stats count(*)');
  assert.equal(
    toggleChip(text, GONE, SAVED),
    'filter service = "own"\n| filter (status >= 500 and path like "/api") or status = 404\n| stats count(*)',
  );
  assert.equal(
    toggleChip('filter service = "own" or x = 1', API, SAVED),
    'filter service = "own" or x = 1\n| filter service = "api"',
  );
  assert.ok(isOn('filter x = 1 and service="api"', API, SAVED));
  assert.equal(toggleChip('filter x = 1 and service = "api"', API, SAVED), "filter x = 1");
});

test("the field of a condition", () => {
  assert.equal(fieldOf("not ispresent(`a b`)"), "a b");
  assert.equal(fieldOf("service like /x/"), "service");
});
