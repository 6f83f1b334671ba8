// What is seen at a glance: few errors among many events, when they rose, what is not whole, and what was not run.

import assert from "node:assert/strict";

import { densityOf, mapOf, searchOf } from "../../../web/mock_traces.mjs";
import { clean } from "./accessibility.mjs";
import { ask, isInQuery, queryText, settled } from "./harness.mjs";

const MINUTE = 60_000;
const SMALL = { viewport: { width: 380, height: 760 } };

/** Two hours with an error in a thousand events, and ten in a thousand for the last half hour, after a restart. */
async function sendRise(own, group) {
  const now = Date.now();
  const event = (ms, level, message, more = {}) => ({ "@timestamp": new Date(ms).toISOString(), level, message, service: "pay", host: "a", ...more });
  const events = [];
  for (let n = 0; n < 40_000; n += 1) {
    const at = now - 119 * MINUTE + n * 177;
    const isError = n % (at > now - 30 * MINUTE ? 100 : 1000) === 0;
    events.push(event(at, isError ? "error" : "info", isError ? `order ${n} failed: pool timeout` : `order ${n} received`));
  }
  events.push(event(now - 30 * MINUTE - 4000, "info", "starting pay v2.4.1", { version: "2.4.1" }));
  await own.ingest(group, events);
  return `groups=${own.prefix}/${group}`;
}

async function showsFewErrors(own) {
  const scope = await sendRise(own, "rise");
  const page = await own.open(`/?${scope}&from=now-2h`);
  await settled(page);
  await page.getByTestId("error-strip").waitFor();
  const heights = await page.getByTestId("bars").evaluate((svg) => {
    const base = Math.max(...[...svg.querySelectorAll("rect.level-error")].map((bar) => bar.y.baseVal.value + bar.height.baseVal.value));
    const onStrip = [...svg.querySelectorAll("rect.level-error")].filter((bar) => Math.abs(bar.y.baseVal.value + bar.height.baseVal.value - base) < 1);
    return onStrip.map((bar) => bar.height.baseVal.value);
  });
  assert.ok(Math.max(...heights) >= 25, `the rise is high: ${heights}`);
  const usual = heights.filter((height) => height <= 8).length;
  assert.ok(usual > heights.length / 2, `what was usual is low: ${heights}`);
  const mark = page.getByTestId("marks").locator(".onset button");
  await mark.filter({ hasText: "Errors rose" }).waitFor();
  await page.getByTestId("marks").locator(".restart").filter({ hasText: "starting pay v2.4.1" }).waitFor();
  assert.equal(await page.getByTestId("bars").locator(".onset[data-testid=mark-line]").count(), 1);
  await clean(page);
  await own.picture(page, "few-errors");
  const flag = await page.getByTestId("bars").locator(".onset .mark-target").boundingBox();
  await page.mouse.click(flag.x + flag.width / 2, flag.y + flag.height / 2);
  await page.waitForURL(/from=2/);
  await settled(page);
}

/** Where errors are most of what is drawn, they need no strip. */
async function needsNoStrip(own) {
  const page = await own.explore({ q: 'filter @level = "error"' });
  assert.equal(await page.getByTestId("error-strip").count(), 0);
}

async function marksWhatWasNotRun(own) {
  const page = await own.explore();
  assert.equal(await page.locator("[data-testid=run].edited").count(), 0);
  await page.getByTestId("query").fill("filter status = 503");
  await page.locator("[data-testid=run].edited").waitFor();
  await page.getByTestId("chart-note").filter({ hasText: "of the query before the edit" }).waitFor();
  await page.locator(".explore.edited").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  assert.equal(await isInQuery(page), false);
  for (const [key, place] of [["b", "add-panel-form"], ["s", "save-form"]]) {
    await page.keyboard.press(key);
    await page.getByTestId(place).getByTestId("not-run").filter({ hasText: "all events" }).waitFor();
    if (key === "b") await clean(page);
    await page.keyboard.press("Escape");
    await page.getByTestId(place).waitFor({ state: "detached" });
  }
  await page.keyboard.press("y");
  await page.getByText("Link to what was run, not to the edited query, copied").waitFor();
  await page.getByTestId("share").click();
  await page.getByTestId("share-panel").getByTestId("not-run").waitFor();
  await page.getByTestId("run-edited").click();
  await page.waitForFunction(() => window.__catat.state.view.query === "filter status = 503");
  assert.equal(await page.getByTestId("not-run").count(), 0);
}

async function runsByEnterAfterEscape(own) {
  const page = await own.explore();
  await page.getByTestId("query").fill("filter status = 404");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => window.__catat.state.view.query === "filter status = 404");
  await settled(page);
  assert.equal(await page.getByTestId("detail").count(), 0, "no row was opened");
  assert.equal(await queryText(page), "filter status = 404");
}

async function pausesAfterAClick(own) {
  const page = await own.explore();
  await page.getByTestId("live").click();
  await page.waitForFunction(() => window.__catat.state.live === "open");
  await page.keyboard.press("Space");
  await page.locator("[data-testid=pause][aria-pressed=true]").waitFor();
  assert.match(page.url(), /live=1/);
}

async function sharesColoursAndInstant(own) {
  const page = await own.explore();
  // The order by size differs between the measures.
  await ask(page, 'filter ispresent(host) | stats count(*) as n, max(timeMs * if(host = "web-2", 9, 1)) as slow by bin(5m), host');
  const charts = page.getByTestId("series");
  await charts.nth(1).waitFor();
  const legend = (chart) => chart.locator(".legend .label").evaluateAll((all) => all.map((one) => [one.textContent, [...one.classList].find((name) => name.startsWith("series-"))]));
  assert.deepEqual(await legend(charts.nth(1)), await legend(charts.nth(0)), "a host has one colour");
  const box = await charts.nth(0).locator("svg").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 60);
  await charts.nth(1).locator(".cursor").waitFor({ state: "attached" });
  assert.ok(await page.getByTestId("cut-bin").count() > 0, "a bin that the range cuts is dimmed");
}

/** Few events far apart: each bar is as wide as its bin, and there is no half of an event. */
async function drawsSparseBars(own) {
  const days = [0.2, 1.3, 2.9].map((days) => Date.now() - days * 24 * 60 * MINUTE);
  await own.ingest("sparse", days.map((ms) => ({ "@timestamp": new Date(ms).toISOString(), level: "error", message: "nightly job failed" })));
  const page = await own.open(`/?groups=${own.prefix}/sparse&from=now-4d&q=${encodeURIComponent("stats count(*) as n by bin(30m)")}&chart=bar`);
  await settled(page);
  const chart = page.getByTestId("series");
  await chart.waitFor();
  const width = await chart.locator("path.area").evaluate((path) => Number(/h([\d.]+)V/.exec(path.getAttribute("d"))[1]));
  assert.ok(width < 20, `half an hour of four days is ${width} px wide`);
  for (const text of await chart.locator(".grid text").allTextContents()) assert.match(text, /^\d+$/);
}

/** No page is longer or wider than the screen: what is scrolled lies within it. */
async function scrollsIntoNothing(own, options) {
  for (const path of [`/first-look?${own.scope}&q=${encodeURIComponent('filter @level >= "error"')}`, "/alerts", "/alerts?tab=rules", "/issues", "/incidents", "/groups", "/sources", "/settings", "/dashboards", "/map", `/?${own.scope}`]) {
    const page = await own.open(path, options);
    await page.locator("main").first().waitFor();
    await page.waitForLoadState("networkidle");
    const over = await page.evaluate(() => [document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight, ...[...document.querySelectorAll("main")].map((one) => one.scrollWidth - one.clientWidth)]);
    assert.ok(Math.max(...over) <= 1, `${path}: ${over}`);
    await page.getByTestId("theme").click();
    await page.context().close();
  }
}

async function saysWhichTracesAreNotDrawn(own) {
  own.expectsFailures = true;
  const page = await own.open("/start");
  const found = searchOf({ limit: 1000 });
  while (found.traces.length < 1000) found.traces.push(...found.traces.slice(0, 1000 - found.traces.length).map((one, n) => ({ ...one, trace_id: `${n}-${found.traces.length}` })));
  await page.route(/\/api\/v1\/(?:traces\/search|service-map)/, (route) => route.fulfill({ json: route.request().url().includes("map") ? mapOf() : found }));
  const early = { at: new Date(Date.now() - 3_500_000).toISOString(), min_ms: 40_000, max_ms: 53_000, traces: 4200, errors: 70, example: null, error_example: "0123456789abcdef0123456789abcdef" };
  const counted = { ...densityOf({}), traces: 61_234, width_ms: 60_000, cells: [early] };
  let isCounting = false;
  await page.route("**/api/v1/traces/density", (route) => (isCounting ? route.fulfill({ json: counted }) : route.abort()));
  await page.goto(`${own.url}/traces`);
  await page.getByTestId("traces-unseen").filter({ hasText: /^Traces before \d\d:\d\d:\d\d are not drawn$/ }).waitFor();
  isCounting = true;
  await page.goto(`${own.url}/traces?order=slowest`);
  await page.getByTestId("trace-row").first().waitFor();
  assert.equal(await page.getByTestId("traces-unseen").count(), 0);
  await page.goto(`${own.url}/traces`);
  await page.getByTestId("traces-count").filter({ hasText: /61,234 traces.*the newest 1,000 are listed/ }).waitFor();
  assert.equal(await page.getByTestId("traces-unseen").count(), 0);
  const cell = await page.getByTestId("trace-cells").locator("rect.failed").boundingBox();
  await own.picture(page, "all traces of a range as cells");
  await page.mouse.click(cell.x + cell.width / 2, cell.y + cell.height / 2);
  await page.waitForURL(/\/trace\/0123456789abcdef0123456789abcdef/);
  await page.goto(`${own.url}/map`);
  await page.getByTestId("map-legend").filter({ hasText: "95th percentile" }).waitFor();
}

export const glanceChecks = [
  ["glance: a rise of few errors among many events is seen, with its onset and the restart before it", showsFewErrors],
  ["glance: errors that are high need no strip of their own", needsNoStrip],
  ["glance: an edited query that was not run is marked wherever the one before it is used", marksWhatWasNotRun],
  ["glance: Enter runs an edited query, also after Escape", runsByEnterAfterEscape],
  ["glance: Space pauses the live tail after a click on its button", pausesAfterAClick],
  ["glance: charts of one query share colours and the instant that is read, and cut bins are dimmed", sharesColoursAndInstant],
  ["glance: bars are as wide as their bins, and counts have no fractions", drawsSparseBars],
  ["glance: no page scrolls into nothing, 1440 px", (own) => scrollsIntoNothing(own, {})],
  ["glance: no page scrolls into nothing, and the theme can be changed, 380 px", (own) => scrollsIntoNothing(own, SMALL)],
  ["glance: traces say which of the range are not drawn, the map what its numbers are", saysWhichTracesAreNotDrawn],
];
