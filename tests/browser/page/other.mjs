// Times, links, keys, states, and the other pages.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

import { ask, isInQuery, queryText, rowsOf, settled, totalOf, untilQuery } from "./harness.mjs";

async function choosesTimes(own) {
  own.expectsFailures = true;
  const page = await own.explore();
  await page.getByTestId("time").click();
  await page.getByTestId("time-text").fill("15m");
  await page.getByTestId("time-text").press("Enter");
  await page.waitForURL(/from=now-15m/);
  await settled(page);
  assert.ok(await totalOf(page) > 0);
  // Fixed times, so that both counts are of the same events.
  const [from, to] = [30, 10].map((minutes) => new Date(Date.now() - minutes * 60_000).toISOString());
  await page.getByTestId("time").click();
  await page.getByTestId("time-text").fill(`${from} .. ${to}`);
  await page.getByTestId("time-text").press("Enter");
  await page.waitForURL(/from=2/);
  await settled(page);
  assert.equal(await totalOf(page), await own.count("", { from, to }));
  await page.getByTestId("time").click();
  await page.getByTestId("time-text").fill("soon");
  await page.getByTestId("time-text").press("Enter");
  await page.getByTestId("time-error").waitFor();
  await page.getByRole("button", { name: "Last 24 hours" }).click();
  await page.waitForURL(/from=now-24h/);
}

async function copiesFrozenLinks(own) {
  const page = await own.explore({ q: 'filter message like "needle"' }, { permissions: ["clipboard-read", "clipboard-write"] });
  await page.getByTestId("share").click();
  await page.getByTestId("copy-link").click();
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  assert.match(link.searchParams.get("from"), /^2\d{3}-/);
  assert.match(link.searchParams.get("to"), /^2\d{3}-/);
  const other = await own.open(link.pathname + link.search);
  await settled(other);
  assert.deepEqual((await rowsOf(other)).map((row) => row.id), (await rowsOf(page)).map((row) => row.id));
}

async function worksByKeys(own) {
  const page = await own.explore({ q: 'filter @level = "info"' });
  await page.keyboard.press("/");
  assert.ok(await isInQuery(page));
  await page.keyboard.press("Escape");
  for (const key of ["j", "j", "k", "Enter"]) await page.keyboard.press(key);
  await page.getByTestId("detail").waitFor();
  const rows = await rowsOf(page);
  assert.equal(new URL(page.url()).searchParams.get("row"), rows[1].id);
  await page.keyboard.press("Escape");
  await page.getByTestId("detail").waitFor({ state: "detached" });
  await page.keyboard.press("x");
  await settled(page);
  assert.equal(await queryText(page), 'filter @level != "info"');
  await page.keyboard.press("?");
  await page.getByTestId("help-dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByTestId("help-dialog").waitFor({ state: "detached" });
  await page.keyboard.press("t");
  await page.getByTestId("time-panel").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("z");
  await page.waitForURL(/from=2/);
}

async function writesQueries(own) {
  const page = await own.explore();
  const box = page.getByTestId("query");
  await ask(page, "limit 3");
  await box.fill("");
  await box.press("ArrowUp");
  assert.equal(await queryText(page), "limit 3");
  await box.fill("");
  await box.pressSequentially("fil");
  await page.getByTestId("suggestions").waitFor();
  await box.press("Tab");
  await box.pressSequentially("stat");
  await box.press("Tab");
  await box.pressSequentially(" = 404");
  await box.press("Shift+Enter");
  await box.pressSequentially("| limit 5");
  assert.equal(await queryText(page), "filter status = 404\n| limit 5");
  await box.press("Control+Enter");
  await settled(page);
  assert.equal((await rowsOf(page)).length, 5);
}

async function laysQueriesOut(own) {
  const page = await own.explore();
  const box = page.getByTestId("query");
  const written = "filter   status=404|stats count(*)   by path";
  await box.fill(written);
  await page.getByTestId("format").click();
  const laidOut = "filter status = 404\n| stats count(*) by path";
  await untilQuery(page, laidOut);
  await page.keyboard.press("Control+z");
  assert.equal(await queryText(page), written, "the editor's undo takes it back");
  await page.keyboard.press("Shift+Alt+KeyF");
  await untilQuery(page, laidOut);
  await box.press("Enter");
  await settled(page);
}

async function readsTheReference(own) {
  const page = await own.explore();
  await page.getByTestId("help").click();
  await page.getByTestId("reference").click();
  await page.waitForURL(/\/reference$/);
  const find = page.getByRole("searchbox");
  await page.keyboard.press("/");
  await find.pressSequentially("isipinsubnet");
  const rows = page.locator("tbody tr:visible");
  await page.waitForFunction(() => document.getElementById("found").textContent.startsWith("1 of"));
  assert.equal(await rows.count(), 1);
  await find.press("Escape");
  assert.ok(await rows.count() > 100);
  await page.getByRole("navigation", { name: "Sections" }).getByRole("link", { name: "sessionize" }).click();
  await page.waitForURL(/#sessionize$/);
  const example = page.locator("section:has(#sessionize) .example");
  const text = (await example.locator("code").innerText()).trim();
  await example.getByRole("link", { name: "Try it" }).click();
  await page.waitForURL(/\?q=sessionize/);
  await settled(page);
  assert.equal(await queryText(page), text);
  assert.equal(await page.getByTestId("query-error").count(), 0);
}

async function readsTheManual(own) {
  const page = await own.explore();
  await page.getByTestId("help").click();
  await page.getByTestId("manual").click();
  await page.waitForURL(/\/docs$/);
  await page.keyboard.press("/");
  await page.keyboard.type("disk full");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/docs\?q=disk/);
  await page.locator(".results a").first().click();
  await page.waitForURL(/\/docs\/running#disk-full$/);
  assert.equal(await page.locator("h2:target").innerText(), "Disk full");
  assert.equal(await page.locator("aside [aria-current]").innerText(), "Running catat");
  await page.getByRole("navigation", { name: "Pages of the manual" }).getByRole("link", { name: "Troubleshooting" }).click();
  assert.equal(await page.locator("main").getByText("bad-key", { exact: true }).count() > 0, true);
}

async function leadsToTheReference(own) {
  own.expectsFailures = true;
  const page = await own.explore({ q: "fields a | stast count(*)" });
  assert.match(await page.getByTestId("query-see").getAttribute("href"), /reference#stats$/);
  const box = page.getByTestId("query");
  const opened = async (key) => {
    const [other] = await Promise.all([page.context().waitForEvent("page"), box.press(key)]);
    await other.waitForLoadState();
    const url = new URL(other.url());
    assert.equal(await other.locator(":target").count(), 1, url.hash);
    return url.pathname + url.hash;
  };
  await box.fill("filter strlen(a) > 1 | sort a");
  await box.press("End");
  assert.equal(await opened("F1"), "/reference#sort");
  for (let step = 0; step < 19; step += 1) await box.press("ArrowLeft");
  assert.equal(await opened("F1"), "/reference#strlen");
}

async function saysWhatToDoWithoutMatch(own) {
  const page = await own.explore({ q: 'filter status = 200 and host = "nowhere"' });
  await page.getByTestId("no-match").waitFor();
  await page.getByTestId("no-match").getByRole("button", { name: /nowhere/ }).click();
  await settled(page);
  assert.equal(await queryText(page), "filter status = 200");
  assert.ok((await rowsOf(page)).length > 0);
  const old = await own.explore({ from: "2001-01-01T00:00:00Z", to: "2001-01-02T00:00:00Z" });
  await old.getByTestId("no-match").waitFor();
  const offered = ["Last 24 hours", "Last 7 days", "All time"].map((name) => old.locator(".wider").getByText(name).count());
  assert.deepEqual(await Promise.all(offered), [0, 0, 1], "only what reaches further back");
  await old.getByTestId("jump").click();
  await settled(old);
  assert.ok((await rowsOf(old)).length > 0, "the jump finds the newest events");
}

async function teachesTheFirstStep(own) {
  const page = await own.open("/alerts");
  let empty = true;
  await page.route("**/api/v1/groups", (route) => (empty ? route.fulfill({ contentType: "application/json", body: '{"groups":[]}' }) : route.continue()));
  await page.getByTestId("nav-explore").click();
  await page.getByTestId("onboarding").waitFor();
  await page.getByTestId("waiting").waitFor();
  const line = await page.getByTestId("sender").locator("code").first().textContent();
  assert.ok(line.includes(own.url), line);
  const sent = line.replace("group=hello", `group=${encodeURIComponent(`${own.prefix}/hello`)}`);
  const answer = JSON.parse(execFileSync("sh", ["-c", sent], { encoding: "utf8" }));
  assert.equal(answer.accepted, 1);
  empty = false;
  await page.getByTestId("show-received").click();
  await page.getByTestId("results").waitFor();
  await settled(page);
  assert.ok((await rowsOf(page)).length > 0);
}

async function listsAlerts(own) {
  const page = await own.open("/alerts?tab=rules");
  const { rules } = await own.api("/api/v1/rules");
  if (rules.length > 0) {
    await page.getByTestId("rule").first().waitFor();
    assert.equal(await page.getByTestId("rule").count(), rules.length);
    assert.match(await page.getByTestId("rule").first().getByTestId("state").textContent(), /ok|pending|alarm|insufficient data/);
  } else {
    await page.getByText("No rules yet").waitFor();
  }
  await page.getByTestId("tab-active").click();
  // A rule may begin to fire at any moment: what the page was told is what it has to show.
  const told = await page.waitForResponse((response) => new URL(response.url()).pathname === "/api/v1/alerts");
  const { alerts } = await told.json();
  await page.waitForFunction((n) => document.querySelectorAll("[data-testid=alert]").length === n, alerts.length);
  assert.equal(await page.getByTestId("no-alerts").count(), alerts.length === 0 ? 1 : 0);
}

async function listsGroups(own) {
  const page = await own.open("/groups");
  const row = page.getByTestId("group").filter({ hasText: `${own.prefix}/web` });
  await row.waitFor();
  assert.match(await row.textContent(), /1,500/);
  await row.getByRole("link").click();
  await settled(page);
  assert.equal(new URL(page.url()).searchParams.get("groups"), `${own.prefix}/web`);
  assert.ok((await rowsOf(page)).length > 0);
}

async function picksGroups(own) {
  const page = await own.open("/");
  await page.getByTestId("groups").click();
  await page.getByTestId("group-text").fill(`${own.prefix}/check*`);
  await page.getByTestId("group-text").press("Enter");
  await page.waitForURL(/groups=/);
  await settled(page);
  assert.ok((await rowsOf(page)).every((row) => row.group === `${own.prefix}/checkout`));
}

async function remembersTheme(own) {
  const page = await own.explore();
  await page.getByTestId("theme").click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
}

async function fitsSmallScreens(own) {
  for (const path of [`/?${own.scope}`, "/alerts", "/groups"]) {
    const page = await own.open(path, { viewport: { width: 380, height: 760 } });
    await settled(page);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${path} is ${over} px too wide`);
  }
}

async function paintsSoon(own) {
  const page = await own.explore();
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  console.log(`     first contentful paint after ${Math.round(paint)} ms`);
  assert.ok(paint < 2000, `${paint} ms`);
}

export const otherChecks = [
  ["row 17, time: times are chosen by name and by text, and nonsense is refused", choosesTimes],
  ["row 18, share: a copied link has fixed times and shows the same rows", copiesFrozenLinks],
  ["row 25, keys: everything is reachable by keys", worksByKeys],
  ["row 3, editor: the editor has history, completion and several lines", writesQueries],
  ["row 3, editor: a query is laid out by button and key, and undo takes it back", laysQueriesOut],
  ["row 4, reference: the reference is found, narrowed and tried out", readsTheReference],
  ["row 4, manual: it is found from ?, searched by key and read", readsTheManual],
  ["row 4, reference: mistakes and F1 lead to their place in the reference", leadsToTheReference],
  ["row 26, states: without a match it says which condition, and where the newest event is", saysWhatToDoWithoutMatch],
  ["row 27, start: without data it says what to do, and the line it shows works", teachesTheFirstStep],
  ["row 22, alerts: the alerts page lists rules with their state", listsAlerts],
  ["screen groups: the groups page lists groups with their sizes", listsGroups],
  ["row 18, groups: groups are picked by pattern", picksGroups],
  ["row 23, theme: the theme is remembered", remembersTheme],
  ["row 33, small screens: 380 pixels are enough", fitsSmallScreens],
];

/** What measures time. */
export const paintChecks = [["row 1, first paint: the first paint comes soon", paintsSoon]];
