import assert from "node:assert/strict";
import { test } from "node:test";

import { msOfId, nsOf, offsetText, readScope, writeScope } from "./scope.ts";

test("what is shown around an event is one part of the address, and comes back as it was", () => {
  assert.deepEqual(readScope("abc"), { id: "abc", bonds: ["stream", "group"], filter: "" });
  assert.deepEqual(readScope("abc~"), { id: "abc", bonds: [], filter: "" });
  assert.deepEqual(readScope("abc~hg~a ~ b"), { id: "abc", bonds: ["group", "host"], filter: "a ~ b" });
  for (const text of ["abc", "abc~", "abc~g", "abc~sgh", "abc~sg~x", "abc~~x~y"])
    assert.equal(writeScope(readScope(text)), text);
  assert.deepEqual(readScope(""), { id: "", bonds: ["stream", "group"], filter: "" });
});

test("an id says its instant", () => {
  // Group 7, 2026-11-20T12:00:00.123456789Z, sequence 9.
  const ns = BigInt(Date.UTC(2026, 10, 20, 12)) * 1_000_000n + 123_456_789n;
  const bits = (7n << 128n) | ((ns ^ (1n << 63n)) << 64n) | 9n;
  const id = bits.toString(32).padStart(32, "0");
  assert.equal(msOfId(id), Date.UTC(2026, 10, 20, 12) + 123);
  for (const text of ["", "nonsense", "w".repeat(32), id.slice(1)]) assert.equal(msOfId(text), null);
});

test("distances in time have two digits that count", () => {
  const check = (a: string, b: string, expected: string) => {
    const [from, to] = [nsOf(a), nsOf(b)];
    assert.ok(from !== null && to !== null);
    assert.equal(offsetText(to - from), expected);
  };
  check("2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z", "0");
  check("2026-11-20T12:00:00Z", "2026-11-20T12:00:00.3Z", "+0.3 s");
  check("2026-11-20T12:00:00.100000001Z", "2026-11-20T12:00:00.1Z", "−1 ns");
  check("2026-11-20T12:00:00Z", "2026-11-20T12:00:00.0000855Z", "+86 µs");
  check("2026-11-20T12:00:00.012Z", "2026-11-20T12:00:00Z", "−12 ms");
  check("2026-11-20T12:00:00Z", "2026-11-20T12:00:59.98Z", "+1 min 0 s");
  check("2026-11-20T12:00:00Z", "2026-11-20T12:02:05.2Z", "+2 min 5 s");
  check("2026-11-20T12:00:00Z", "2026-11-20T18:30:00Z", "+6 h 30 min");
  check("2026-11-20T12:00:00Z", "2026-11-10T12:00:00Z", "−10 d");
  assert.equal(nsOf("soon"), null);
});
