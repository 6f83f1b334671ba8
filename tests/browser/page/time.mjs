// The time range: what is typed is read by the server, in the zone that is shown.

import assert from "node:assert/strict";

import { rowsOf, settled } from "./harness.mjs";

const parameter = (page, name) => new URL(page.url()).searchParams.get(name);

async function openTime(page) {
  await page.getByTestId("time").click();
  await page.getByTestId("time-text").waitFor();
}

async function readsWhatTheServerReads(own) {
  const page = await own.explore({ tz: "Asia/Jakarta" });
  const typed = ["2h", "last 15 minutes", "2026-11-20 06:00..07:00", "yesterday", "yesterday 14:00", "1763618400..1763618401500000000"];
  for (const text of typed) {
    await openTime(page);
    await page.getByTestId("time-text").fill(text);
    await page.getByTestId("time-meant").waitFor();
    await page.getByTestId("time-text").press("Enter");
    await page.getByTestId("time-panel").waitFor({ state: "detached" });
    const read = await own.api(`/api/v1/time?time_zone=Asia/Jakarta&text=${encodeURIComponent(text)}`);
    assert.deepEqual([parameter(page, "from"), parameter(page, "to") ?? "now"], [read.from, read.to], text);
  }
  assert.equal(parameter(page, "from"), "2025-11-20T06:00:00Z");
}

async function placesMistakes(own) {
  own.expectsFailures = true;
  const page = await own.explore();
  const before = page.url();
  await openTime(page);
  await page.getByTestId("time-text").fill("yesterday .. soon");
  await page.getByTestId("time-text").press("Enter");
  const error = page.getByTestId("time-error");
  await error.waitFor();
  assert.equal(await error.locator(".wrong").textContent(), "soon");
  assert.match(await error.textContent(), /"soon" is no time write 2h, yesterday 14:00/);
  await page.getByTestId("time-text").fill("now..2h");
  await page.getByTestId("time-text").press("Enter");
  await error.getByText("ends before it begins").waitFor();
  assert.equal(page.url(), before);
}

async function showsAnyZone(own) {
  const page = await own.explore({ q: 'filter message like "needle"' }, { timezoneId: "Europe/Berlin" });
  const shown = () => page.locator("[data-testid=row] .time").first().textContent();
  const time = (await rowsOf(page))[0].time;
  const clock = (timeZone) => new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(time));
  assert.ok((await shown()).includes(clock("Europe/Berlin")), "the browser's");
  await openTime(page);
  for (const [text, zone, label] of [["kathmandu", "Asia/Kathmandu", /Kath?mandu UTC\+5:45/], ["jakarta", "Asia/Jakarta", /Jakarta UTC\+7/], ["america/los_angeles", "America/Los_Angeles", /Los Angeles UTC−/]]) {
    await page.getByTestId("time-zone").fill(text);
    await page.getByTestId("time-zone").press("Enter");
    await page.getByTestId("time").getByText(label).waitFor();
    assert.ok((await shown()).includes(clock(zone)), zone);
    // A browser may know a zone by its old name.
    assert.equal(new Intl.DateTimeFormat("en", { timeZone: parameter(page, "tz") }).resolvedOptions().timeZone, new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone);
  }
  await page.getByTestId("time-zone").fill("Mars/Base");
  await page.getByTestId("time-zone").press("Enter");
  await page.getByText("No time zone is called “Mars/Base”.").waitFor();
  const again = await own.open(new URL(page.url()).pathname + new URL(page.url()).search, { timezoneId: "Europe/Berlin" });
  await settled(again);
  assert.ok((await again.locator("[data-testid=row] .time").first().textContent()).includes(clock("America/Los_Angeles")), "the address has it");
}

async function keepsRangesAndDigits(own) {
  await own.ingest("nanos", [{ "@timestamp": new Date(Date.now() - 60_000).toISOString().replace("Z", "123456Z"), message: "nanos" }]);
  const page = await own.explore({ q: 'filter message = "nanos"' });
  await openTime(page);
  await page.getByTestId("time-text").fill("45m");
  await page.getByTestId("time-text").press("Enter");
  await page.waitForURL(/from=now-45m/);
  await openTime(page);
  await page.getByTestId("nanos").check();
  await page.waitForFunction(() => /\.\d{3}123456$/.test(document.querySelector("[data-testid=row] .time")?.textContent ?? ""));
  await page.getByRole("list", { name: "Ranges" }).getByRole("button", { name: "Last hour" }).click();
  await page.waitForURL((url) => !url.searchParams.has("from") && url.searchParams.get("ns") === "1");
  await openTime(page);
  await page.getByTestId("recent-ranges").getByRole("button", { name: "Last 45 min" }).click();
  await page.waitForURL(/from=now-45m/);
  await settled(page);
}

export const timeChecks = [
  ["row 17, time: what is typed means what the server says that it means", readsWhatTheServerReads],
  ["row 17, time: a mistake is told at its place, and nothing changes", placesMistakes],
  ["row 17, time: any zone, by its name or its city, and it stays in the address", showsAnyZone],
  ["row 17, time: ranges of late are offered again, and rows show nanoseconds where wanted", keepsRangesAndDigits],
];
