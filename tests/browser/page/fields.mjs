// The sidebar: coverage over the events that match, numbers of a field, fields that are pinned.

import assert from "node:assert/strict";

import { ask, settled } from "./harness.mjs";

const field = (page, name) => page.locator(`[data-testid=field][data-name="${name}"]`);
const coverage = (page, name) => page.locator("li", { has: field(page, name) }).getByTestId("coverage");

async function coversMatches(own) {
  const page = await own.explore();
  const before = await coverage(page, "service").textContent();
  assert.doesNotMatch(before, /100 %/, "of all events only some have it");
  await ask(page, 'filter @level = "error" and ispresent(service)');
  await page.waitForFunction(() => document.querySelector('[data-name="service"] [data-testid=coverage]')?.textContent === "100 %");
  const n = await own.count('filter @level = "error" and ispresent(service)');
  assert.equal(await coverage(page, "service").getAttribute("title"), `in ${n} events`);
  assert.equal(await field(page, "path").count(), 0, "what no match has is not listed");
  // What is counted is what the route says, and the whole of it is what a query counts.
  await ask(page, "filter status >= 400 | stats count(*) by path");
  await page.waitForFunction(() => document.querySelector('[data-name="timeMs"] [data-testid=coverage]')?.textContent === "100 %");
  assert.equal(await coverage(page, "timeMs").getAttribute("title"), `in ${await own.count("filter status >= 400")} events`);
}

async function marksEstimates(own) {
  const page = await own.open("/alerts");
  const fields = [{ name: "guessed", types: ["string"], events: 41, share: 0.5, distinct: null, approximate: true }, { name: "counted", types: ["string"], events: 7, share: 0.25, distinct: 1, approximate: false }];
  await page.route("**/api/v1/fields?*", (route) => route.fulfill({ contentType: "application/json", body: JSON.stringify({ fields, events: 82 }) }));
  await page.goto(`${own.url}/?${own.scope}`);
  await settled(page);
  assert.equal(await coverage(page, "guessed").textContent(), "≈ 50 %");
  assert.equal(await coverage(page, "guessed").getAttribute("title"), "in ≈ 41 events");
  assert.equal(await coverage(page, "counted").textContent(), "25 %");
}

async function showsNumbers(own) {
  const page = await own.explore({ q: "filter status >= 400 | stats count(*) by path" });
  await field(page, "timeMs").click();
  const numbers = page.getByTestId("field-numbers");
  await numbers.waitFor();
  const [[lo, p50, p95, hi]] = (await own.query("filter status >= 400 | stats min(timeMs), pct(timeMs, 50), pct(timeMs, 95), max(timeMs)")).rows;
  const said = (await numbers.locator("dd").allTextContents()).map((one) => Number(one.replace(/[≈ ,]/g, "")));
  // Between two numbers a percentile has more digits than people are shown.
  assert.deepEqual(said, [lo, p50, p95, hi].map((one) => Number(one.toPrecision(12))));
  const bars = await numbers.locator(".spread span").evaluateAll((all) => all.map((one) => Number(one.title)));
  assert.equal(bars.length, 24);
  assert.equal(bars.reduce((sum, n) => sum + n, 0), await own.count("filter status >= 400"), "every value is in a bar");
  await field(page, "path").click();
  await page.getByTestId("values").nth(1).waitFor();
  assert.equal(await numbers.count(), 1, "the field before stays open, and texts have no numbers");
}

async function keepsPins(own) {
  const page = await own.explore();
  const names = () => page.getByTestId("field").evaluateAll((all) => all.map((one) => one.dataset.name));
  assert.equal((await names())[0], "@level");
  await page.getByRole("button", { name: "Pin status" }).focus();
  await page.keyboard.press("Enter");
  assert.equal((await names())[0], "status");
  await page.reload();
  await settled(page);
  assert.equal((await names())[0], "status", "it is kept in the browser");
  await ask(page, "filter ispresent(service)");
  await page.waitForFunction(() => document.querySelector('[data-name="status"] [data-testid=coverage]')?.textContent === "0 %");
  await page.getByRole("button", { name: "Pin status" }).click();
  assert.notEqual((await names())[0], "status");
}

/** All fields are one stop of the Tab key; what the system's own field says as well comes last. */
async function isOneStop(own) {
  const page = await own.explore();
  await field(page, "status").waitFor();
  const stops = () => page.getByTestId("sidebar").locator(".field-list button").evaluateAll((all) => all.filter((one) => one.tabIndex === 0).length);
  assert.equal(await stops(), 1);
  await page.getByTestId("field").first().focus();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "pin");
  await page.keyboard.press("ArrowLeft");
  const last = await page.getByTestId("field").evaluateAll((all) => all.slice(-2).map((one) => one.dataset.name));
  assert.deepEqual(last.sort(), ["level", "message"]);
  assert.match(await coverage(page, "@level").textContent(), /^(?:9\d|100) %$/);
  assert.equal(await stops(), 1);
}

/** An open row has a field once where the sender's and the system's are the same; its buttons are seen when they are wanted. */
async function listsFieldsOnce(own) {
  const page = await own.explore({ q: 'filter message like "needle"' });
  await page.locator("[data-testid=row]").first().click();
  const detail = page.getByTestId("detail");
  await detail.getByTestId("repeated").waitFor();
  assert.match(await detail.getByTestId("repeated").textContent(), /level, message$/);
  assert.equal(await detail.locator('tr[data-field="message"]').count(), 0);
  const service = detail.locator('tr[data-field="service"]');
  const opacity = () => service.getByTestId("include").evaluate((button) => getComputedStyle(button).opacity);
  assert.equal(await opacity(), "0");
  await service.hover();
  assert.equal(await opacity(), "1");
}

async function tellsLongNamesApart(own) {
  const names = ["telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version", "deployment.environment.name"];
  await own.ingest("long-names", [{ message: "a span", ...Object.fromEntries(names.map((name) => [name, "x"])) }]);
  const page = await own.open(`/?groups=${own.prefix}/long-names`);
  await settled(page);
  for (const name of names) {
    await field(page, name).waitFor();
    const row = page.locator(".field-row", { has: field(page, name) });
    assert.equal(await row.locator(".field-name").textContent(), name);
    const [end, share, whole] = await row.evaluate((box) => {
      const range = document.createRange();
      range.selectNode(box.querySelector(".field-name").lastChild);
      return [range, box.querySelector("[data-testid=coverage]"), box].map((one) => one.getBoundingClientRect().right);
    });
    assert.ok(end <= share && whole - share < 12, `${name}: its end is seen, and nothing is left free: ${[end, share, whole]}`);
  }
}

/** On a phone the language that is not the present one was all that was to be seen. */
async function namesTheLanguageOnAPhone(own) {
  for (const language of ["insights", "promql"]) {
    const page = await own.open(`/?${own.scope}&lang=${language}`, { viewport: { width: 380, height: 760 } });
    const now = page.getByTestId(`language-${language}`);
    await now.waitFor();
    assert.equal(await now.getAttribute("aria-pressed"), "true");
    const [tabs, editor] = await Promise.all([page.locator(".languages"), page.locator(".query-bar .editor")].map((one) => one.boundingBox()));
    assert.ok(editor.x > tabs.x + tabs.width && editor.y < tabs.y + tabs.height, `the query stands next to it: ${JSON.stringify([tabs, editor])}`);
  }
}

export const fieldChecks = [
  ["row 9, fields: long names of one family are told apart", tellsLongNamesApart],
  ["row 9, languages: logs and metrics are both named at 380 pixels", namesTheLanguageOnAPhone],
  ["row 9, fields: coverage is that of all events that match", coversMatches],
  ["row 9, fields: what is estimated says so", marksEstimates],
  ["row 9, fields: numbers have their smallest, middle and largest, and a histogram, of all that match", showsNumbers],
  ["row 9, fields: pinned ones stand first, in this browser", keepsPins],
  ["row 24, accessible: the fields are one stop of the Tab key", isOneStop],
  ["row 11, open row: a field is listed once, and its buttons come with the pointer", listsFieldsOnce],
];
