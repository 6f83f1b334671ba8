// From the alert to the cause: what differs, the first look, marks, the banner. The answers about causes are made up here
// unless a check says that it asks the server.

import assert from "node:assert/strict";

import { clean, inBothThemes } from "./accessibility.mjs";
import { queryText, settled } from "./harness.mjs";

const SMALL = { viewport: { width: 380, height: 800 } };
const MINUTE = 60_000;
const iso = (ms) => new Date(ms).toISOString();
const parameter = (page, name) => new URL(page.url()).searchParams.get(name);

const value = (name, selection, baseline) => ({ value: name, selection, selection_share: selection / 200, baseline, baseline_share: baseline / 1000, lift: baseline === 0 ? null : (selection / 200) / (baseline / 1000) });

/** What differs: a host, a duration, a pattern, a hostile value. */
const differs = (more = {}) => ({
  selection: { events: 200 },
  baseline: { events: 1000 },
  fields: [
    { field: "host", score: 0.9, values: [value("web-14", 196, 70), value("web-2", 0, 400)], same_events: ["version"], query: 'filter host = "web-14"', event: { "@id": "E1", "@timestamp": iso(Date.now() - 60_000), "@message": "pool exhausted" } },
    { field: "took", score: 0.7, values: [], numbers: { selection_p5: 900, selection_p50: 4200, selection_p95: 5000, baseline_p5: 5, baseline_p50: 21, baseline_p95: 80, threshold: 800, selection_share_above: 0.97, baseline_share_above: 0.01 }, query: "filter took >= 900" },
    { field: "@pattern", score: 0.5, values: [value("connection to <*> refused", 150, 0)], query: 'filter @message like "connection to "' },
    { field: "user", score: 0.1, values: [value('<img src=x onerror="window.__xss=1">\u202e', 40, 10)], query: null },
  ],
  approximate: false, partial: false, stats: { events_scanned: 1200, elapsed_ms: 9 }, ...more,
});

/** How long before the onset something restarted, in ms. */
const RESTARTED_BEFORE = 36_000;

/** An onset `ago` ms before now, and what began with it. */
const onset = (ago, now = Date.now()) => ({
  began: iso(now - ago), ended: null, uncertainty_ms: 2000, before_per_minute: 0.5, after_per_minute: 90,
  also: [
    { kind: "restart", at: iso(now - ago - RESTARTED_BEFORE), what: "payment v4.13.0 on host-14", query: 'filter service = "payment"' },
    { kind: "pattern", at: iso(now - ago), what: "pool <*> exhausted", query: "filter @message like \"pool \"" },
    { kind: "mark", at: iso(now - ago - 20 * MINUTE), what: "migration 7", query: null },
  ],
});

/** A first look whose restart is the same, at the same time, among its findings and in its onset. */
const firstLook = (more = {}, now = Date.now()) => ({
  title: "errors", query: 'filter @level >= "error"',
  findings: [
    { kind: "restart", title: "payment v4.13.0 on host-14 restarted 36 s before", at: iso(now - 10 * MINUTE - RESTARTED_BEFORE), query: 'filter service = "payment"', url: null, score: 0.9 },
    { kind: "trace", title: "POST /pay failed", at: null, query: null, url: "/trace/4bf92f3577b34da6a3ce929d0e0e4736", score: 0.4 },
    { kind: "differs", title: "elsewhere", at: null, query: null, url: "https://example.org/x", score: 0.1 },
  ],
  onset: onset(10 * MINUTE, now), differs: differs(), elapsed_ms: 41,
  calls: [
    { from: "payment", to: "orders-db<b>", failing: true, slower: true, last: true, requests: 840, before_requests: 900, error_share: 0.42, before_error_share: 0.003, p95_ms: 5020, before_p95_ms: 14, query: 'filter service = "payment" and kind = "client"' },
    { from: "web", to: "payment", failing: true, slower: false, last: false, requests: 900, before_requests: 950, error_share: 0.36, before_error_share: 0.002, p95_ms: 90, before_p95_ms: 80, query: null },
  ],
  usual: { per_minute: 90, median_per_minute: 0.5, least_per_minute: 0.1, most_per_minute: 1.2, days: [{}, {}, {}] },
  ...more,
});

/** Opens an address with made-up answers, by the name of their route; a function is asked each time and is given the body. */
async function openWith(own, path, answers, options) {
  const page = await own.open("/start", options);
  const made = { marks: { marks: [] }, onset: { began: null, also: [] }, ...answers };
  await page.route(/\/api\/v1\/(?:differs|onset|first-look|marks|alerts)(?:\?|$)/, async (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1);
    if (made[name] === undefined) return route.continue();
    const answer = typeof made[name] === "function" ? await made[name](route.request()) : made[name];
    const { status = 200, ...body } = answer;
    await route.fulfill({ status, contentType: "application/json", body: JSON.stringify(body) }).catch(() => undefined);
  });
  await page.goto(own.url + path);
  return page;
}

const explore = async (own, answers, more = "", options = {}) => {
  const page = await openWith(own, `/?${own.scope}${more}`, answers, options);
  await settled(page);
  return page;
};

const differsDone = (page) => page.locator("[data-testid=differs][data-state=done]").waitFor();

/** Drags over a part of an element. */
async function drag(page, locator, from, to) {
  const box = await locator.boundingBox();
  await page.mouse.move(box.x + box.width * from, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, box.y + 40, { steps: 5 });
  await page.mouse.up();
}

async function comparesADraggedTime(own) {
  let asked;
  const page = await explore(own, { differs: (request) => { asked = request.postDataJSON(); return differs(); } });
  await drag(page, page.getByTestId("bars"), 0.5, 0.75);
  await page.getByTestId("selection-menu").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "selection-zoom", "Enter zooms");
  assert.equal(parameter(page, "from"), null, "nothing is zoomed by itself");
  await page.getByTestId("selection-differs").click();
  await differsDone(page);
  const [from, to] = parameter(page, "sel").split("_").map(Number);
  assert.ok(Math.abs((to - from) / 3_600_000 - 0.25) < 0.02, `${(to - from) / 60_000} min of the hour`);
  assert.deepEqual([asked.selection.from, asked.selection.to], [iso(from), iso(to)]);
  assert.match(asked.baseline.query, /^filter not \(@timestamp >= "/);
  assert.deepEqual([asked.selection.groups, asked.baseline.groups], [[`${own.prefix}/*`], [`${own.prefix}/*`]]);
  assert.deepEqual(Object.keys(asked), ["selection", "baseline"]);
  const all = page.getByTestId("difference");
  assert.deepEqual(await all.evaluateAll((list) => list.map((one) => one.dataset.field)), ["host", "took", "@pattern", "user"]);
  const host = await all.first().innerText();
  for (const part of ["web-14", "98 %", "7.0 %", "×14", "not here", "version", "pool exhausted"]) assert.ok(host.includes(part), `${part} in ${host}`);
  assert.match(await all.nth(1).innerText(), /above 800: 97 % of the selection, 1 % of the baseline/);
  assert.match(await all.nth(1).innerText(), /median 4,200\s+.*median 21/s);
  assert.match(await all.nth(2).innerText(), /only here/);
  assert.equal(await page.evaluate(() => window.__xss), undefined);
  await inBothThemes(page, (theme) => clean(page, theme));
  await own.picture(page, "differs");
  // The link shows the same, with its selection and its baseline.
  await page.getByTestId("baseline").selectOption("before");
  await page.waitForFunction(() => new URL(location.href).searchParams.get("base") === "before");
  await differsDone(page);
  assert.equal(asked.baseline, "before");
  const again = await openWith(own, new URL(page.url()).pathname + new URL(page.url()).search, { differs: differs() });
  await differsDone(again);
  assert.equal(await again.getByTestId("baseline").inputValue(), "before");
  assert.match(await again.getByTestId("differs-selected").innerText(), /^Selected: /);
}

async function narrowsByAClick(own) {
  const page = await explore(own, { differs: differs() }, "&show=differs&q=connection");
  await differsDone(page);
  await page.locator('[data-value="web-14"]').getByTestId("difference-include").click();
  await settled(page);
  assert.match(await queryText(page), /^connection\n\| filter host = "web-14"$/);
  await page.goBack();
  await differsDone(page);
  await page.locator('[data-value="web-2"]').getByTestId("difference-exclude").click();
  await settled(page);
  assert.match(await queryText(page), /filter host != "web-2"$/);
  await page.goBack();
  await differsDone(page);
  await page.locator("[data-field='@pattern']").getByTestId("difference-include").click();
  await settled(page);
  assert.equal(await queryText(page), 'filter @message like "connection to "');
}

async function selectsByKeys(own) {
  const page = await explore(own, { differs: differs() });
  await page.getByTestId("bars").focus();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("Enter");
  await page.getByTestId("selection-menu").waitFor();
  await page.keyboard.press("Escape");
  await page.getByTestId("selection-menu").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "bars");
  for (const key of ["End", "Shift+ArrowLeft", "Enter"]) await page.keyboard.press(key);
  await page.waitForFunction(() => document.activeElement.dataset.testid === "selection-zoom");
  for (const key of ["Tab", "Enter"]) await page.keyboard.press(key);
  await differsDone(page);
  assert.match(parameter(page, "sel"), /^\d+_\d+$/);
}

async function comparesFromOtherCharts(own) {
  const page = await explore(own, { differs: differs(), marks: { marks: [{ id: "m", text: "deploy 7", at: iso(Date.now() - 30 * MINUTE), fields: {} }] } }, "&q=stats+count(*)+as+n+by+bin(5m)");
  await page.getByTestId("series").locator("[data-testid=mark-line]").waitFor({ state: "attached" });
  await drag(page, page.getByTestId("series").locator("svg"), 0.3, 0.6);
  await page.getByTestId("selection-menu").waitFor();
  await page.getByTestId("selection-differs").click();
  await differsDone(page);
  assert.equal(await page.getByTestId("difference").count(), 4);
}

async function hasEveryStateOfDiffers(own) {
  own.expectsFailures = true;
  let answer = { status: 500, error: { code: "internal", message: "block 7 could not be read" } };
  const page = await explore(own, { differs: () => answer }, "&show=differs");
  await page.getByTestId("panel-failed").filter({ hasText: "block 7 could not be read" }).waitFor();
  answer = differs({ partial: true, partial_reasons: [{ code: "damaged", message: "a segment cannot be read" }] });
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByTestId("panel-partial").filter({ hasText: "a segment cannot be read" }).waitFor();
  for (const [counts, text] of [[[200, 1000], "Nothing differs significantly"], [[0, 1000], "No event is selected"], [[200, 0], "The baseline has no events"]]) {
    answer = differs({ fields: [], selection: { events: counts[0] }, baseline: { events: counts[1] } });
    await page.keyboard.press("Escape");
    await page.getByTestId("run").click();
    await page.getByTestId("panel-empty").filter({ hasText: text }).waitFor();
    await clean(page);
  }
  answer = new Promise(() => undefined);
  await page.getByTestId("run").click();
  await page.getByTestId("panel-loading").getByRole("button", { name: "Cancel" }).click();
  await page.getByTestId("panel-failed").filter({ hasText: "Cancelled" }).waitFor();
}

async function fitsASmallScreen(own) {
  const page = await explore(own, { differs: differs(), onset: onset(5 * MINUTE) }, "&show=differs", SMALL);
  await differsDone(page);
  const look = await openWith(own, "/first-look?alert=a1", { "first-look": firstLook(), alerts: { alerts: [] } }, SMALL);
  await look.getByTestId("finding").first().waitFor();
  for (const one of [page, look]) {
    assert.ok(await one.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than the screen");
    await inBothThemes(one, (theme) => clean(one, theme));
  }
}

async function looksFirst(own) {
  let asked;
  const page = await openWith(own, "/first-look?alert=a1", { "first-look": (request) => { asked = request.postDataJSON(); return firstLook(); }, alerts: { alerts: [{ id: "a1", rule: "errors", state: "alarm", labels: {}, annotations: {}, value: 1, since: iso(Date.now()), url: "" }] } });
  await page.getByTestId("finding").first().waitFor();
  assert.deepEqual(asked, { alert: "a1" });
  assert.match(await page.getByTestId("since").innerText(), /^Since \d{4}-.* ± 2 s .*10 min ago.*0\.5\/min before, 90\/min since/);
  assert.deepEqual(await page.getByTestId("finding").evaluateAll((list) => list.map((one) => one.dataset.kind)), ["restart", "trace", "differs"]);
  assert.match(await page.getByTestId("finding").first().innerText(), /36 s before the onset/);
  assert.match(await page.getByTestId("finding").nth(1).getByRole("link").getAttribute("href"), /\/trace\/4bf9/);
  assert.equal(await page.getByTestId("finding").nth(2).getByRole("link").count(), 0, "an address of another server is no link");
  assert.deepEqual(await page.getByTestId("began").evaluateAll((list) => list.map((one) => one.dataset.kind)), ["mark", "restart", "pattern"]);
  assert.equal(await page.getByTestId("lanes").locator("circle").count(), 3);
  assert.equal(await page.getByTestId("difference").count(), 4);
  assert.match(await page.getByTestId("usual").innerText(), /^At this hour 0\.1 to 1\.2 per minute on 3 days before; now 90\./);
  const calls = page.getByTestId("red-call");
  assert.match(await calls.first().innerText(), /payment → orders-db<b>\s+42 %\s+0\.3 % before\s+5\.0\d? s\s+14 ms before/);
  assert.match(await calls.nth(1).innerText(), /what it calls is red, too/);
  assert.equal(await calls.nth(1).getByRole("link").count(), 0);
  await inBothThemes(page, (theme) => clean(page, theme));
  await own.picture(page, "first-look", true);
  await page.getByTestId("finding").first().getByRole("link").click();
  await settled(page);
  assert.equal(await queryText(page), 'filter service = "payment"');
  const restarted = Date.parse(firstLook().findings[0].at);
  assert.ok(Date.parse(parameter(page, "from")) < restarted && restarted < Date.parse(parameter(page, "to")), "the range has the finding");
  await page.goBack();
  await page.getByTestId("finding").first().waitFor();
}

async function looksAtAQuery(own) {
  own.expectsFailures = true;
  let asked;
  let answer = firstLook({ findings: [], calls: [], usual: null, onset: { began: null, also: [], note: "the events came neither twice nor half as often as before, beyond chance" }, differs: differs({ fields: [] }) });
  const page = await openWith(own, "/first-look?query=filter+a%3D1&from=now-2h&to=now-1h", { "first-look": (request) => { asked = request.postDataJSON(); return answer; } });
  await page.getByTestId("first-look-none").filter({ hasText: "Nothing stands out" }).waitFor();
  assert.deepEqual([asked.query, asked.from, asked.to], ["filter a=1", "now-2h", "now-1h"]);
  await clean(page);
  answer = { status: 503, error: { code: "busy", message: "try again soon" } };
  await page.reload();
  await page.getByRole("alert").filter({ hasText: "try again soon" }).waitFor();
  answer = firstLook();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByTestId("finding").first().waitFor();
}

/** Since when, measured in other ways: the members of such answers, and a sentence where nothing is found. */
async function measuresTheBeginning(own) {
  const began = Date.now() - 10 * MINUTE;
  const asked = [];
  const nothing = "percentile 95 of ms, over 812 numbers, did not change beyond chance";
  const answers = {
    share: { measure: "share", began: iso(began), began_between: [iso(began - 4000), iso(began + 4000)], ended: iso(began + 5 * MINUTE), ended_between: [iso(began + 4 * MINUTE), iso(began + 6 * MINUTE)], uncertainty_ms: 4000, before: 0.01, after: 0.25, before_per_minute: null, after_per_minute: null, note: null, also: [] },
    "p95(ms)": { measure: "p95(ms)", began: null, note: nothing, also: [] },
    "p95(duration_ms)": { measure: "p95(duration_ms)", began: iso(began), began_between: null, ended: null, uncertainty_ms: 0, before: 80.4, after: 5020, note: null, also: [] },
    patterns: { measure: "patterns", n_patterns: 41, note: null, also: [], patterns: [{ pattern: "pool <*> <img src=x onerror='window.__xss=1'>", query: "filter a = 1", events: 600, began: iso(began), began_between: [iso(began - 2000), iso(began + 2000)], ended: null, ended_between: null, before_per_minute: 0, after_per_minute: 28 }] },
  };
  const page = await openWith(own, "/first-look?query=filter+a%3D1&from=now-1h&to=now", { "first-look": firstLook(), onset: (request) => { asked.push(request.postDataJSON().of); return answers[asked.at(-1)]; } });
  const measure = page.getByTestId("onset-of");
  await measure.selectOption("share");
  const since = page.getByTestId("since");
  await since.filter({ hasText: "1 % before, 25 % since" }).waitFor();
  assert.match(await since.locator("span[title]").first().getAttribute("title"), /^with 95 % confidence between /);
  assert.match(await since.innerText(), /ended \d{4}-/);
  await measure.selectOption("p95");
  await since.filter({ hasText: "80 before, 5,020 since" }).waitFor();
  await page.getByTestId("onset-field").fill("ms");
  await page.keyboard.press("Enter");
  await page.getByTestId("onset-note").filter({ hasText: nothing }).waitFor();
  await clean(page);
  await measure.selectOption("patterns");
  await page.getByTestId("pattern-onset").filter({ hasText: "28/min" }).waitFor();
  assert.match(await page.locator(".since-box").innerText(), /of 41 patterns that were searched/);
  assert.deepEqual(asked, ["share", "p95(duration_ms)", "p95(ms)", "patterns"]);
  assert.equal(await page.evaluate(() => window.__xss), undefined);
  await inBothThemes(page, (theme) => clean(page, theme));
}

async function namesTheCause(own) {
  const page = await explore(own, { onset: onset(20 * MINUTE), "first-look": firstLook() });
  await page.getByTestId("offer").filter({ hasText: /Errors rose at .*, 36 s after payment v4\.13\.0 on host-14\./ }).waitFor();
  await page.getByTestId("offer-first-look").click();
  await page.getByTestId("finding").first().waitFor();
  assert.match(parameter(page, "q"), /@level >= "error"/);
  // The whole of the range is bad: the banner stays.
  let asked;
  const first = Date.parse((await own.query('filter @message = "connection refused by db-1:5432" | stats min(@timestamp) as t')).rows[0][0]);
  const range = `&from=${iso(first)}&to=${iso(first + 110_000)}`;
  const bad = await explore(own, { onset: (request) => { asked = request.postDataJSON(); return onset(Date.now() - first + 48 * MINUTE); } }, range);
  await bad.getByTestId("offer").filter({ hasText: /Errors have been high since .*, 36 s after payment/ }).waitFor();
  assert.ok(Date.parse(asked.from) <= first - 59 * MINUTE, "it is asked about the time before the range");
}

async function marks(own) {
  const made = [{ id: "m1", text: "migration 42 <b>x</b>", at: iso(Date.now() - 40 * MINUTE), until: iso(Date.now() - 30 * MINUTE), fields: { db: "orders" } }];
  let sent;
  const answer = (request) => {
    if (request.method() !== "POST") return { marks: made };
    sent = request.postDataJSON();
    made.push({ id: "m2", until: null, fields: {}, ...sent });
    return { status: 201, ...made.at(-1) };
  };
  const page = await explore(own, { marks: answer });
  await page.getByTestId("marks").filter({ hasText: "migration 42 <b>x</b>" }).waitFor();
  assert.equal(await page.getByTestId("bars").locator("[data-testid=mark-line]:not(.onset, .restart)").count(), 1);
  await drag(page, page.getByTestId("bars"), 0.5, 0.75);
  await page.getByTestId("selection-mark").click();
  await page.getByTestId("mark-form").waitFor();
  await page.getByLabel("Text").fill("deploy pay 1.4.2");
  await page.getByLabel("Fields (optional)").fill("service=pay version=1.4.2");
  await clean(page);
  await page.getByRole("button", { name: "Add the mark" }).click();
  await page.getByTestId("marks").filter({ hasText: "deploy pay 1.4.2" }).waitFor();
  assert.deepEqual([sent.text, sent.fields], ["deploy pay 1.4.2", { service: "pay", version: "1.4.2" }]);
  assert.ok(Date.parse(sent.until) > Date.parse(sent.at));
}

async function skipsToTheResults(own) {
  const page = await own.explore();
  await page.getByTestId("row").first().waitFor();
  await page.locator(".work [data-testid=skip]").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("j");
  await page.waitForFunction(() => document.activeElement.dataset.testid === "row");
}

/** Checks of the way from the alert to the cause. */
export const causeChecks = [
  ["cause: a time that is dragged over is compared with the rest, and the link keeps it", comparesADraggedTime],
  ["cause: a click on what differs narrows the query", narrowsByAClick],
  ["cause: a time is selected and compared by keys", selectsByKeys],
  ["cause: charts of answers offer the comparison and draw marks", comparesFromOtherCharts],
  ["cause: what differs fails, waits, is partial or empty in words", hasEveryStateOfDiffers],
  ["cause: what differs and the first look fit 380 pixels", fitsASmallScreen],
  ["cause: the first look at an alert: since when, findings, one axis of time", looksFirst],
  ["cause: the first look at a query: nothing found, failed, asked again", looksAtAQuery],
  ["cause: since when, by share, percentile and pattern, with intervals and a sentence for nothing", measuresTheBeginning],
  ["cause: the banner names what came before, and stays while the whole range is bad", namesTheCause],
  ["cause: marks are drawn and added", marks],
  ["row 24, a link leads past the fields to the rows", skipsToTheResults],
];
