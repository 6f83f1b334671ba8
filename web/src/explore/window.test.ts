import assert from "node:assert/strict";
import { test } from "node:test";

import { rowAt, stretch, topOf, type Extras } from "./window.ts";

test("place and row are inverse, whatever is open", () => {
  const extras: Extras = [
    [0, 100],
    [3, 37],
    [90, 400],
  ];
  for (let row = 0; row < 200; row += 1) {
    const top = topOf(row, 24, extras);
    assert.equal(rowAt(top, 24, extras), row);
    assert.equal(rowAt(top + 23, 24, extras), row);
  }
});

test("as many rows are mounted as are seen, however long the list", () => {
  const { first, end } = stretch(24 * 50_000, 480, 100_000, 24, []);
  assert.deepEqual([first, end], [49_992, 50_029]);
  assert.deepEqual(stretch(0, 480, 3, 24, []), { first: 0, end: 3 });
  assert.deepEqual(stretch(0, 480, 0, 24, []), { first: 0, end: 0 });
});
