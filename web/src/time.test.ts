import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes, cut, milliseconds, percent, printable } from "./format.ts";
import { shortTimes } from "./texts.ts";
import {
  clockText,
  dayClock,
  exactText,
  isZone,
  nanosText,
  rangeLabel,
  resolve,
  ticks,
  zoneLabel,
  distance,
} from "./time.ts";

const NOW = Date.UTC(2026, 10, 20, 9, 30, 15);

test("instants resolve as far as the page can know", () => {
  assert.equal(resolve("now-90m", NOW), NOW - 5_400_000);
  assert.equal(resolve("now/d", NOW, "utc"), Date.UTC(2026, 10, 20));
  assert.equal(resolve("1763618400", 0), 1_763_618_400_000);
  assert.equal(resolve("1763618400000000000", 0), 1_763_618_400_000);
  assert.equal(resolve("next week", NOW), null);
  assert.equal(resolve("now-1d/d", NOW, "utc"), Date.UTC(2026, 10, 19));
  assert.equal(resolve("now-1h-30m", NOW), NOW - 5_400_000);
  assert.equal(resolve("now-1mo/mo", NOW, "utc"), Date.UTC(2026, 9, 1));
  assert.equal(resolve("now-1parsec", NOW), null);
  assert.equal(resolve("now-1h30m", NOW), NOW - 5_400_000);
  assert.equal(resolve("1h30m", NOW), NOW - 5_400_000);
  assert.equal(resolve("-15m", NOW), NOW - 900_000);
  assert.equal(resolve("yesterday", NOW, "utc"), Date.UTC(2026, 10, 19));
  assert.equal(resolve("Yesterday 14:00", NOW, "utc"), Date.UTC(2026, 10, 19, 14));
  assert.equal(resolve("today", NOW, "Asia/Jakarta"), Date.UTC(2026, 10, 19, 17));
  assert.equal(resolve("06:30:15.5", NOW, "utc"), Date.UTC(2026, 10, 20, 6, 30, 15, 500));
  assert.equal(resolve("25:00", NOW), null);
  assert.equal(resolve("", NOW), null);
  assert.equal(resolve("2005-12-04", NOW, "utc"), Date.UTC(2005, 11, 4));
  assert.equal(resolve("2005-12", NOW, "utc"), Date.UTC(2005, 11, 1));
  assert.equal(resolve("2005-12-04 06:30", NOW, "Europe/Berlin"), Date.UTC(2005, 11, 4, 5, 30));
  assert.equal(resolve("2005-12-04T06:30:15.25", NOW, "utc"), Date.UTC(2005, 11, 4, 6, 30, 15, 250));
  assert.equal(resolve("2005-13-01", NOW, "utc"), null);
});

test("days are those of the zone, also where its clock is changed", () => {
  const after = Date.UTC(2026, 9, 26, 7);
  assert.equal(resolve("now-1d/d", after, "Europe/Berlin"), Date.UTC(2026, 9, 24, 22));
  assert.equal(resolve("now/d", after, "Europe/Berlin"), Date.UTC(2026, 9, 25, 23));
  assert.equal(resolve("now-1d", Date.UTC(2026, 9, 25, 20), "Europe/Berlin"), Date.UTC(2026, 9, 24, 19));
  assert.equal(resolve("now/d", NOW, "Asia/Kathmandu"), Date.UTC(2026, 10, 19, 18, 15));
  assert.equal(resolve("now/w", NOW, "America/Los_Angeles"), Date.UTC(2026, 10, 16, 8));
  assert.equal(clockText(Date.UTC(2026, 9, 25, 0, 30), "Europe/Berlin"), "02:30:00");
  assert.equal(clockText(Date.UTC(2026, 9, 25, 1, 30), "Europe/Berlin"), "02:30:00");
  assert.equal(clockText(Date.UTC(2026, 2, 29, 1), "Europe/Berlin"), "03:00:00");
  assert.equal(zoneLabel(NOW, "America/Los_Angeles"), "Los Angeles UTC−8");
  assert.deepEqual(
    [isZone("Asia/Jakarta"), isZone("utc"), isZone("Mars/Base"), isZone(""), isZone("+05:30")],
    [true, true, false, false, false],
  );
});

test("times keep their digits and labels are short", () => {
  assert.equal(exactText("2026-11-20T06:47:13.123456789Z", "utc"), "2026-11-20 06:47:13.123456789 UTC");
  assert.equal(nanosText("2026-11-20T06:47:13.12Z", "Asia/Jakarta"), "13:47:13.120000000");
  assert.equal(rangeLabel({ from: "now-1h", to: "now" }, "utc"), "Last hour");
  assert.equal(
    rangeLabel({ from: "2026-11-20T06:00:00Z", to: "2026-11-20T07:00:00Z" }, "utc"),
    "2026-11-20 06:00 – 07:00",
  );
  assert.equal(
    rangeLabel({ from: "2026-11-20T06:00:00Z", to: "2026-11-21T07:00:05Z" }, "utc"),
    "2026-11-20 06:00:00 – 2026-11-21 07:00:05",
  );
  assert.equal(rangeLabel({ from: "now-3h", to: "now" }, "utc"), "Last 3 h");
  assert.equal(rangeLabel({ from: "now-90m", to: "now-5m" }, "utc"), "now-90m – now-5m");
  assert.equal(rangeLabel({ from: "yesterday 14:00", to: "2h" }, "utc"), "yesterday 14:00 – 2h");
  assert.deepEqual(ticks(0, 3_600_000, 4, "utc"), [0, 900_000, 1_800_000, 2_700_000, 3_600_000]);
  const years = ticks(Date.UTC(2004, 11, 23), Date.UTC(2026, 10, 20), 6, "utc");
  assert.deepEqual(
    years.map((ms) => new Date(ms).toISOString().slice(0, 10)),
    ["2005-01-01", "2010-01-01", "2015-01-01", "2020-01-01", "2025-01-01"],
  );
});

test("numbers are written for people", () => {
  assert.deepEqual([bytes(999), bytes(1400), bytes(250_000_000)], ["999 B", "1.4 kB", "250 MB"]);
  assert.deepEqual(
    [percent(1), percent(0.0001), percent(0.9999), percent(0.423), percent(0.0423)],
    ["100 %", "< 0.1 %", "> 99.9 %", "42 %", "4.2 %"],
  );
  assert.deepEqual([milliseconds(0.42), milliseconds(83.2), milliseconds(200_000)], ["0.4 ms", "83 ms", "3 min 20 s"]);
  assert.deepEqual([milliseconds(3_600_000), milliseconds(946_080_000_000)], ["1 h 0 min", "10950 d 0 h"]);
});

test("what is far away is said in months and years", () => {
  const day = 86_400_000;
  assert.deepEqual([3000, 89 * day, 200 * day, 2443 * day, 7848 * day].map(distance), [
    "3 s",
    "89 d",
    "7 months",
    "7 years",
    "21 years",
  ]);
});

test("sentences of the server have no fractions of seconds, and an end of a range leaves nothing out", () => {
  assert.equal(
    shortTimes("dated after 2026-11-28T12:05:48.991177568Z; ask with to=2026-11-28T12:05:59.5Z"),
    "dated after 2026-11-28T12:05:48Z; ask with to=2026-11-28T12:06:00Z",
  );
});

test("hostile texts become visible and harmless", () => {
  assert.equal(printable("\u001b[31mred\u001b[0m\u0000\u202e\n"), "red␀[U+202E] ↵ ");
  assert.equal(printable("a\n\tb", true), "a\n\tb");
  assert.equal(cut("ab\u{1f600}", 3), "ab");
});

test("what was not today says its day", () => {
  const now = Date.parse("2026-11-21T10:00:00Z");
  assert.equal(dayClock(Date.parse("2026-11-21T09:30:00Z"), "utc", false, now), "09:30:00");
  assert.equal(dayClock(Date.parse("2026-11-20T22:00:05.120Z"), "utc", true, now), "11-20 22:00:05.120");
  assert.equal(dayClock(Date.parse("2026-11-20T22:00:05Z"), "Asia/Jakarta", false, now), "05:00:05");
  assert.equal(dayClock(Date.parse("2025-11-21T09:30:00Z"), "utc", false, now), "2025-11-21 09:30:00");
});
