// What changed, and patterns: row 15.

import assert from "node:assert/strict";

import { clean } from "./accessibility.mjs";
import { settled } from "./harness.mjs";

const MINUTE = 60_000;

/** An hour as usual and a bad quarter of an hour, each time in groups of its own. */
async function sendIncident(own, group) {
  const end = Date.now() - 5 * MINUTE;
  const begin = end - 15 * MINUTE;
  const line = (time, message, level, service, host) => ({ "@timestamp": new Date(time).toISOString(), message, level, service, host });
  const events = [];
  for (let n = 0; n < 120; n += 1) {
    const time = end - 30 * MINUTE + n * 15_000;
    events.push(line(time, `request ${n} took ${n} ms`, "info", "web", `web-${n % 2}`));
    if (time < begin && n % 5 === 0) events.push(line(time + 1, "cache warmed", "info", "web", "web-0"));
    if (time >= begin || n % 20 === 0) events.push(line(time + 2, `slow answer of db-${n}`, "warn", "web", "web-1"));
    if (time >= begin + 3 * MINUTE) for (let k = 0; k < 4; k += 1) events.push(line(time + 3 + k, `connection to db-${n} refused`, "error", k === 0 ? "cart" : "pay", "web-1"));
  }
  events.push(line(begin + 3 * MINUTE - 2000, "pay starting", "info", "pay", "web-1"), line(begin + 3 * MINUTE - 1000, "pay listening on 0.0.0.0:8080", "info", "pay", "web-1"));
  await own.ingest(group, events);
  return { begin, end, groups: `${own.prefix}/${group}` };
}

/** Opens a panel on the bad quarter of an hour and waits for it. */
async function panel(own, name, { begin, end, groups }, more = {}, options = {}) {
  const search = new URLSearchParams({ groups, from: new Date(begin).toISOString(), to: new Date(end).toISOString(), show: name, ...more });
  const page = await own.open(`/?${search}`, options);
  await done(page, name);
  return page;
}

const done = (page, name) => page.locator(`[data-testid=${name}][data-state=done]`).waitFor();
const entry = (page, pattern) => page.locator(`[data-testid=change][data-pattern="${pattern}"]`);
const parameter = (page, name) => new URL(page.url()).searchParams.get(name);

async function namesWhatChanged(own) {
  const when = await sendIncident(own, "changed");
  const page = await panel(own, "changes", when);
  const all = await page.getByTestId("change").evaluateAll((list) => list.map((one) => [one.dataset.change, one.dataset.pattern]));
  assert.deepEqual(all.slice(0, 2), [["new", "connection to db-<*> refused"], ["up", "slow answer of db-<*>"]]);
  const placeOf = (change, pattern) => all.findIndex((one) => one[0] === change && one[1] === pattern);
  assert.ok(placeOf("gone", "cache warmed") > 1, JSON.stringify(all));
  // What happened once is evidence of little.
  assert.ok(placeOf("new", "pay starting") > placeOf("gone", "cache warmed"), JSON.stringify(all));
  const first = await entry(page, "connection to db-<*> refused").innerText();
  for (const part of ["new", "error", "192", "was 0", "pay", "144", "cart", "web-1", "connection to db-72 refused"]) assert.ok(first.includes(part), `${part} in ${first}`);
  assert.equal(await page.getByTestId("restart").count(), 1);
  assert.match(await page.getByTestId("restart").innerText(), /pay\s+started.*web-1.*pay starting/s);
  assert.equal(await page.getByTestId("restart-mark").count(), 1);
  await own.picture(page, "changes");
  await clean(page);
}

async function opensItsEvents(own) {
  const when = await sendIncident(own, "opened");
  const page = await panel(own, "changes", when);
  await entry(page, "connection to db-<*> refused").getByTestId("change-open").click();
  await settled(page);
  assert.equal(parameter(page, "show"), null);
  assert.match(parameter(page, "q"), /^filter @message like "connection to db-"$/);
  await page.getByText("all 192 events").waitFor();
  await page.goBack();
  await done(page, "changes");
  await entry(page, "cache warmed").getByTestId("change-open").click();
  await settled(page);
  // What is gone is shown where it was.
  await page.getByText("all 12 events").waitFor();
  assert.ok(Date.parse(parameter(page, "to")) <= when.begin);
}

async function narrowsByAPattern(own) {
  const when = await sendIncident(own, "narrowed");
  const page = await panel(own, "changes", when);
  await entry(page, "slow answer of db-<*>").getByTestId("change-exclude").click();
  await page.waitForFunction(() => new URL(location.href).searchParams.get("q")?.includes("not ("));
  await entry(page, "slow answer of db-<*>").waitFor({ state: "detached" });
  await entry(page, "connection to db-<*> refused").getByTestId("change-include").click();
  await settled(page);
  await page.getByText("all 192 events").waitFor();
}

async function goesToTheFirstLine(own) {
  const when = await sendIncident(own, "first");
  const page = await panel(own, "changes", when);
  await entry(page, "connection to db-<*> refused").getByTestId("change-first").click();
  await settled(page);
  await page.getByTestId("detail").waitFor();
  assert.match(await page.locator("[data-testid=row].open").innerText(), /connection to db-72 refused/);
}

async function copiesALinkThatStays(own) {
  const { groups } = await sendIncident(own, "linked");
  const context = { permissions: ["clipboard-read", "clipboard-write"] };
  const page = await own.open(`/?${new URLSearchParams({ groups, from: "now-20m", show: "changes", against: "previous" })}`, context);
  await done(page, "changes");
  const here = await page.getByTestId("change").evaluateAll((list) => list.map((one) => one.dataset.pattern));
  await page.getByTestId("panel-link").click();
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(link.searchParams.get("show"), "changes");
  assert.match(link.searchParams.get("from"), /^\d{4}-.*Z$/);
  assert.match(link.searchParams.get("to"), /^\d{4}-.*Z$/);
  const other = await own.open(link.pathname + link.search);
  await done(other, "changes");
  assert.deepEqual(await other.getByTestId("change").evaluateAll((list) => list.map((one) => one.dataset.pattern)), here);
}

async function offersIt(own) {
  const { begin, groups } = await sendIncident(own, "offered");
  const page = await own.open(`/?${new URLSearchParams({ groups, from: "now-40m" })}`);
  await page.getByTestId("offer").getByRole("button").click();
  await done(page, "changes");
  const from = Date.parse(parameter(page, "from"));
  assert.ok(Math.abs(from - (begin + 3 * MINUTE)) <= MINUTE, `${new Date(from).toISOString()} is about when errors rose`);
  assert.equal(await page.getByTestId("change").first().getAttribute("data-pattern"), "connection to db-<*> refused");
  const calm = await own.open(`/?${new URLSearchParams({ groups, from: "now-40m", q: 'filter @level = "info"' })}`);
  await settled(calm);
  await calm.waitForLoadState("networkidle");
  assert.equal(await calm.getByTestId("offer").count(), 0);
}

async function namesAStop(own) {
  const end = Date.now() - 8 * MINUTE;
  const tick = (n) => ({ "@timestamp": new Date(end - n * 1000).toISOString(), message: `tick ${n}`, level: n % 10 === 0 ? "error" : "info" });
  await own.ingest("stopped", Array.from({ length: 2400 }, (_, n) => tick(n)));
  const page = await own.open(`/?${new URLSearchParams({ groups: `${own.prefix}/stopped`, from: "now-1h" })}`);
  const offer = page.getByTestId("offer");
  await offer.filter({ hasText: /^Errors stopped at / }).waitFor();
  await offer.getByRole("button").click();
  await done(page, "changes");
  assert.ok(Math.abs(Date.parse(parameter(page, "from")) - end) <= MINUTE, "the time since they stopped is compared");
}

async function listsPatterns(own) {
  const when = await sendIncident(own, "patterns");
  const page = await panel(own, "patterns", when);
  const row = page.locator('[data-testid=pattern][data-pattern="connection to db-<*> refused"]');
  const text = await row.innerText();
  for (const part of ["192", "error", "new"]) assert.ok(text.includes(part), `${part} in ${text}`);
  assert.equal(await row.locator("svg.spark rect").count() > 3, true);
  await own.picture(page, "patterns");
  await clean(page);
  await row.getByTestId("pattern-include").click();
  await settled(page);
  await page.getByText("all 192 events").waitFor();
}

async function switchesByKeyboard(own) {
  const page = await own.explore();
  await page.getByTestId("panel-changes").focus();
  await page.keyboard.press("Enter");
  await done(page, "changes");
  await page.getByTestId("panel-patterns").focus();
  await page.keyboard.press("Enter");
  await done(page, "patterns");
  await page.goBack();
  await done(page, "changes");
  await page.getByTestId("panel-rows").click();
  await page.getByTestId("results").waitFor();
}

async function hasEveryState(own) {
  const when = await sendIncident(own, "states");
  own.expectsFailures = true;
  const page = await own.open("/");
  let answer = (route) => route.fulfill({ status: 500, contentType: "application/json", body: JSON.stringify({ error: { code: "internal", message: "a disk is gone" } }) });
  await page.route("**/api/v1/changes?*", (route) => answer(route));
  const search = new URLSearchParams({ groups: when.groups, from: new Date(when.begin).toISOString(), to: new Date(when.end).toISOString(), show: "changes" });
  await page.goto(`${own.url}/?${search}`);
  await page.getByTestId("panel-failed").getByText("a disk is gone").waitFor();
  let release;
  answer = async (route) => { await new Promise((resolve) => { release = resolve; }); await route.continue(); };
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByTestId("panel-loading").getByRole("button", { name: "Cancel" }).click();
  await page.getByTestId("panel-failed").getByText("Cancelled").waitFor();
  release();
  answer = (route) => route.fulfill({ json: { range: { from: when.begin, to: when.end, events: 3 }, baseline: null, changes: [], restarts: [], partial: true, partial_reasons: [{ code: "damaged", message: "segment 1 is damaged" }] } });
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByTestId("panel-partial").getByText("segment 1 is damaged").waitFor();
  await page.getByTestId("panel-empty").getByRole("button", { name: "See all patterns" }).click();
  await done(page, "patterns");
}

async function fitsASmallScreen(own) {
  const when = await sendIncident(own, "small");
  for (const name of ["changes", "patterns"]) {
    const page = await panel(own, name, when, {}, { viewport: { width: 380, height: 760 }, colorScheme: "dark" });
    const wide = await page.evaluate(() => [...document.querySelectorAll(".panel-body, #app")].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.className));
    assert.deepEqual(wide, []);
    await clean(page);
    await own.picture(page, `${name}-380`);
  }
}

export const changeChecks = [
  ["row 15, what changed: new, gone and jumping patterns with level, counts, services, hosts and the first line, and restarts", namesWhatChanged],
  ["row 15, what changed: a click shows exactly its events, those of what is gone where they were", opensItsEvents],
  ["row 15, what changed: include and exclude edit the query", narrowsByAPattern],
  ["row 15, what changed: the first line is opened in its row", goesToTheFirstLine],
  ["row 15, what changed: the copied link has fixed times and shows the same", copiesALinkThatStays],
  ["row 15, what changed: a rise of errors offers it, from when they rose", offersIt],
  ["row 15, what changed: errors that stopped are no rise", namesAStop],
  ["row 15, patterns: count, share, trend, level, example and change, and a filter", listsPatterns],
  ["row 15, panels are reached by keys, and back goes back", switchesByKeyboard],
  ["row 15, what changed: failed, waiting, cancelled, partial and empty say what to do", hasEveryState],
  ["row 15, what changed and patterns fit 380 pixels", fitsASmallScreen],
];
