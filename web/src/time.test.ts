import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes, cut, milliseconds, percent, printable } from "./format.ts";
import { exactText, range, rangeLabel, resolve, ticks } from "./time.ts";

const NOW = Date.UTC(2026, 10, 20, 9, 30, 15);

test("typed ranges become what the server reads", () => {
  const check = (typed: string, from: string, to = "now") => assert.deepEqual(range(typed, "utc", NOW), { from, to }, typed);
  check("2h", "now-2h");
  check("last 15 minutes", "now-15m");
  check("last hour", "now-1h");
  check("now-2h", "now-2h");
  check("now/d", "now/d");
  check("now-2d..now-1d", "now-2d", "now-1d");
  check("yesterday 14:00", "2026-11-19T14:00:00Z");
  check("yesterday", "2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z");
  check("2026-11-20 06:00..07:00", "2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z");
  check("06:00 to 07:30:05.25", "2026-11-20T06:00:00Z", "2026-11-20T07:30:05.25Z");
  check("2026-11-18", "2026-11-18T00:00:00Z", "2026-11-18T23:59:59Z");
  check("1763618400", "1763618400");
  check("all time", "1970-01-01T00:00:00Z");
});

test("what is no range is refused", () => {
  for (const typed of ["", "soon", "2026", "now-1h..now-2h", "25:00", "2026-13-01", "1..2..3"]) assert.equal(range(typed, "utc", NOW), null, typed);
});

test("instants resolve as far as the page can know", () => {
  assert.equal(resolve("now-90m", NOW), NOW - 5_400_000);
  assert.equal(resolve("now/d", NOW, "utc"), Date.UTC(2026, 10, 20));
  assert.equal(resolve("1763618400", 0), 1_763_618_400_000);
  assert.equal(resolve("1763618400000000000", 0), 1_763_618_400_000);
  assert.equal(resolve("next week", NOW), null);
});

test("times keep their digits and labels are short", () => {
  assert.equal(exactText("2026-11-20T06:47:13.123456789Z", "utc"), "2026-11-20 06:47:13.123456789 UTC");
  assert.equal(rangeLabel({ from: "now-1h", to: "now" }, "utc"), "Last hour");
  assert.equal(rangeLabel({ from: "2026-11-20T06:00:00Z", to: "2026-11-20T07:00:00Z" }, "utc"), "2026-11-20 06:00:00 – 07:00:00");
  assert.deepEqual(ticks(0, 3_600_000, 4, "utc"), [0, 900_000, 1_800_000, 2_700_000, 3_600_000]);
  const years = ticks(Date.UTC(2004, 11, 23), Date.UTC(2026, 10, 20), 6, "utc");
  assert.deepEqual(years.map((ms) => new Date(ms).toISOString().slice(0, 10)), ["2005-01-01", "2010-01-01", "2015-01-01", "2020-01-01", "2025-01-01"]);
});

test("numbers are written for people", () => {
  assert.deepEqual([bytes(999), bytes(1400), bytes(250_000_000)], ["999 B", "1.4 kB", "250 MB"]);
  assert.deepEqual([percent(1), percent(0.0001), percent(0.9999), percent(0.423), percent(0.0423)], ["100 %", "< 0.1 %", "> 99.9 %", "42 %", "4.2 %"]);
  assert.deepEqual([milliseconds(0.42), milliseconds(83.2), milliseconds(200_000)], ["0.4 ms", "83 ms", "3 min 20 s"]);
});

test("hostile texts become visible and harmless", () => {
  assert.equal(printable("\u001b[31mred\u001b[0m\u0000\u202e\n"), "red␀[U+202E] ↵ ");
  assert.equal(printable("a\n\tb", true), "a\n\tb");
  assert.equal(cut("ab\u{1f600}", 3), "ab");
});
