// Dashboards: panels of every kind, making and changing one by keys and by pointer, what is not saved, files, the wallboard.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { clean, inBothThemes } from "./accessibility.mjs";
import { settled } from "./harness.mjs";
import { PAYLOADS } from "./payloads.mjs";

const SMALL = { viewport: { width: 380, height: 800 } };
const HOUR = { from: "now-1h", to: "now" };
/** Where panels send their questions: one, or those of one moment. */
const QUESTIONS = /\/api\/v1\/query(?:\/several)?$/;

let made = 0;

export const panel = (id, kind, [x, y, w, h], query, more = {}) => ({
  id, kind, title: `${kind} ${id}`, x, y, w, h, ...(query === "" ? {} : { queries: [{ id: "a", query }] }), ...more,
});

/** Stores a dashboard of panels about this run's events, and returns its name. */
export async function store(own, panels, more = {}) {
  made += 1;
  const name = `${own.prefix}-board-${made}`;
  const groups = [`${own.prefix}/*`];
  const within = panels.map((one) => ({ ...one, ...(one.queries ? { queries: one.queries.map((query) => ({ ...query, groups })) } : {}) }));
  await own.send("PUT", `/api/v1/dashboards/${name}`, { title: `Shop ${made}`, range: HOUR, panels: within, ...more });
  return name;
}

const BY_HOST = "filter ispresent(host) | stats count(*) as n by bin(2m), host";

/** One panel of every kind. */
export const KINDS = [
  panel("p1", "number", [0, 0, 6, 6], "filter status >= 500 | stats count(*) as n", { thresholds: [{ value: 1, level: "warn" }, { value: 5, level: "error" }] }),
  panel("p2", "pie", [6, 0, 9, 6], "filter ispresent(path) | stats count(*) as n by path"),
  panel("p3", "text", [15, 0, 9, 6], "", { text: "# Read me\n\n**Bold** [bad](javascript:alert(1)) [docs](/docs) <img src=x onerror=\"window.__xss=1\">" }),
  panel("p4", "line", [0, 6, 12, 8], BY_HOST, { legend_values: ["last", "max", "mean"], scale: "log" }),
  panel("p5", "area", [12, 6, 12, 8], "stats count(*) as n by bin(2m), @level", { stack: true, nulls: "zero" }),
  panel("p6", "bar", [0, 14, 12, 8], "filter ispresent(status) | stats count(*) as n by bin($__interval), status", { stack: true }),
  panel("p7", "heatmap", [12, 14, 12, 8], BY_HOST),
  panel("p8", "bar", [0, 22, 12, 8], "stats count(*) as n by host"),
  panel("p9", "table", [12, 22, 12, 8], "stats count(*) as n, avg(timeMs) as mean by path"),
  panel("p10", "logs", [0, 30, 12, 8], 'filter @level = "error"'),
  panel("p11", "map", [12, 30, 12, 8], ""),
  panel("p12", "line", [0, 38, 12, 8], "", {
    queries: [{ id: "a", query: "filter status >= 500 | stats count(*) as n by bin(10m)" }, { id: "b", query: "filter ispresent(status) | stats count(*) as n by bin(10m)" }],
    expression: "a / b * 100", unit: "percent", decimals: 1,
  }),
];

export const at = (page, id) => page.locator(`[data-testid=board-panel][data-id=${id}]`);
export const drawn = (page, id, state = "done") => page.locator(`[data-testid=board-panel][data-id=${id}][data-state=${state}]`).waitFor();
const openMenu = (page, id) => at(page, id).getByTestId("panel-menu").click();

async function showsEveryKind(own) {
  const name = await store(own, KINDS);
  const page = await own.open(`/dashboards/${name}`, { viewport: { width: 1440, height: 1500 } });
  for (const { id } of KINDS) await drawn(page, id);
  await at(page, "p1").getByText("bad", { exact: true }).waitFor();
  assert.ok((await at(page, "p2").locator("svg path").count()) >= 5);
  assert.equal(await at(page, "p3").locator("a[href^='javascript']").count(), 0);
  assert.equal(await page.evaluate(() => window.__xss), undefined);
  assert.equal(await at(page, "p4").locator("path.line").count(), 3);
  await at(page, "p4").getByTestId("board-legend").getByText("Mean").waitFor();
  assert.deepEqual(await at(page, "p6").getByTestId("board-legend").locator("button").allTextContents(), ["200", "404", "503"]);
  const cells = await at(page, "p7").locator("path.heat").evaluateAll((paths) => paths.map((path) => path.getAttribute("d")).join("").split("M").length - 1);
  assert.ok(cells > 30, `${cells} cells`);
  await at(page, "p9").getByRole("columnheader", { name: "mean" }).waitFor();
  assert.ok((await at(page, "p10").getByTestId("board-logs").locator("li").count()) > 10);
  await at(page, "p12").getByText("%").first().waitFor();
  // Each chart has its table.
  await openMenu(page, "p4");
  await page.getByTestId("panel-table").click();
  await at(page, "p4").getByRole("columnheader", { name: "web-1" }).waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  await own.noteViolations(page);
  await own.picture(page, "dashboard", true);
}

async function readsAllChartsAtOnce(own) {
  const name = await store(own, [panel("p1", "line", [0, 0, 12, 8], BY_HOST), panel("p2", "area", [12, 0, 12, 8], BY_HOST, { stack: true })]);
  const page = await own.open(`/dashboards/${name}`);
  await drawn(page, "p1");
  await drawn(page, "p2");
  const chart = at(page, "p1").locator(".board-plot svg");
  const box = await chart.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 60);
  await at(page, "p2").locator("line.cursor").waitFor({ state: "attached" });
  const of = (id) => at(page, id).locator("line.cursor").getAttribute("x1").then(Number);
  assert.ok(Math.abs((await of("p1")) - (await of("p2"))) < 3, "the same instant in both");
  // By keys: it is read aloud, Enter leads to the lines behind it.
  await chart.focus();
  for (const key of ["Home", "ArrowRight", "ArrowRight"]) await page.keyboard.press(key);
  await page.waitForFunction(() => /web-\d/.test(document.querySelector("[data-id=p1] [role=status].sr-only")?.textContent ?? ""));
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === "/");
  await settled(page);
  const minutes = await page.evaluate(() => (Date.parse(window.__catat.state.view.to) - Date.parse(window.__catat.state.view.from)) / 60_000);
  assert.equal(minutes, 2, "one bucket");
  await page.goBack();
  await drawn(page, "p1");
  // Dragging chooses the time of all panels.
  const wide = await at(page, "p1").locator(".board-plot svg").boundingBox();
  await page.mouse.move(wide.x + wide.width * 0.3, wide.y + 60);
  await page.mouse.down();
  await page.mouse.move(wide.x + wide.width * 0.6, wide.y + 60, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL(/from=20\d\d-/);
  await drawn(page, "p2");
}

async function keepsErrorsInTheirPanels(own) {
  own.expectsFailures = true;
  const name = await store(own, [
    panel("p1", "line", [0, 0, 12, 8], BY_HOST),
    panel("p2", "number", [12, 0, 12, 8], "filter host = $host | stats count(*) as n"),
    panel("p3", "line", [0, 8, 12, 8], BY_HOST),
  ], { variables: [{ name: "host", values: ["web-0", "web-1"], multiple: false }] });
  const page = await own.open("/start");
  await page.route(QUESTIONS, async (route) => {
    const { queries } = route.request().postDataJSON();
    const at = queries?.findIndex(({ query }) => query.includes('"web-1"')) ?? -1;
    if (at < 0) return route.continue();
    const response = await route.fetch();
    const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line));
    const damaged = { query: at, status: 500, answer: { error: { code: "internal", message: "segment 7 is damaged" } } };
    return route.fulfill({ response, body: lines.map((line) => `${JSON.stringify(line.query === at ? damaged : line)}\n`).join("") });
  });
  await page.goto(`${own.url}/dashboards/${name}`);
  for (const id of ["p1", "p2", "p3"]) await drawn(page, id);
  await page.getByTestId("var-host").locator("select").selectOption("web-1");
  await drawn(page, "p2", "error");
  await at(page, "p2").getByText("segment 7 is damaged").waitFor();
  await at(page, "p2").getByRole("button", { name: "Try again" }).waitFor();
  await drawn(page, "p1");
  assert.match(page.url(), /var\.host=web-1/);
  await page.getByTestId("var-host").locator("select").selectOption("web-0");
  await drawn(page, "p2");
}

async function asksOnlyWhatIsSeen(own) {
  const panels = Array.from({ length: 20 }, (_, n) => panel(`p${n}`, "line", [0, n * 8, 24, 8], `stats count(*) as n by bin(${n + 1}m)`));
  const name = await store(own, panels);
  const page = await own.open("/start");
  const asked = new Set();
  let requests = 0;
  await page.route(QUESTIONS, async (route) => {
    const body = route.request().postDataJSON();
    for (const { query } of body.queries ?? [body]) asked.add(query);
    requests += 1;
    await new Promise((resolve) => setTimeout(resolve, 60));
    await route.continue().catch(() => undefined);
  });
  await page.goto(`${own.url}/dashboards/${name}`);
  await drawn(page, "p1");
  await page.waitForTimeout(600);
  assert.ok(asked.size >= 2 && asked.size <= 8, `${asked.size} of 20 asked`);
  assert.ok(requests <= 2, `${requests} requests for what is seen first`);
  await at(page, "p19").scrollIntoViewIfNeeded();
  await drawn(page, "p19");
  // What was seen is not asked again because one scrolls back.
  const before = asked.size;
  await at(page, "p0").scrollIntoViewIfNeeded();
  await drawn(page, "p0");
  assert.equal(asked.size, before);
}

async function asksEarlyAndDrawsTogether(own) {
  const name = await store(own, [0, 1, 2].map((n) => panel(`p${n}`, "line", [n * 8, 0, 8, 8], `stats count(*) as n by bin(${n + 1}m)`)));
  const page = await own.open("/start");
  // What a dashboard is made of is asked for while the page's first script is still on its way, and once.
  let letGo;
  const isLet = new Promise((resolve) => (letGo = resolve));
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.route(/\/app\.js/, async (route) => {
    await isLet;
    await route.continue();
  });
  const document = `/api/v1/dashboards/${name}`;
  await Promise.all([page.waitForResponse((one) => one.url().endsWith(document)), page.goto(`${own.url}/dashboards/${name}`, { waitUntil: "commit" })]);
  assert.ok(asked.some((path) => path.startsWith("/dashboards")), asked.join());
  await page.evaluate(() => {
    window.__moments = new Set();
    const see = () => {
      const done = document.querySelectorAll("[data-testid=board-panel][data-state=done]").length;
      if (done > 0) window.__moments.add(done);
    };
    new MutationObserver(see).observe(document, { subtree: true, childList: true, attributes: true });
  });
  letGo();
  for (const id of ["p0", "p1", "p2"]) await drawn(page, id);
  assert.equal(asked.filter((path) => path === document).length, 1);
  // What is asked in one moment goes in one request, and answers that come soon after each other are drawn in one frame.
  assert.deepEqual(asked.filter((path) => QUESTIONS.test(path)), ["/api/v1/query/several"]);
  assert.deepEqual(await page.evaluate(() => [...window.__moments]), [3]);
}

async function choosesSeveralValues(own) {
  const name = await store(own, [panel("p1", "table", [0, 0, 24, 8], "filter host in $host | stats count(*) as n by host")], {
    variables: [{ name: "host", label: "Host", query: "filter ispresent(host) | stats count(*) by host | sort host", groups: [`${own.prefix}/*`], multiple: true, all: true }],
  });
  const page = await own.open(`/dashboards/${name}`);
  await drawn(page, "p1");
  assert.equal(await at(page, "p1").locator("tbody tr").count(), 3);
  await page.getByTestId("var-host-menu").click();
  await page.getByRole("checkbox", { name: "web-1" }).check();
  await page.waitForURL(/var\.host=web-1/);
  await page.getByRole("checkbox", { name: "web-2" }).check();
  await page.waitForFunction(() => document.querySelectorAll("[data-id=p1] tbody tr").length === 2);
  // What somebody writes into the address cannot change the query.
  await page.goto(`${own.url}/dashboards/${name}?var.host=${encodeURIComponent('x"] or true | stats count(*) as n by path #')}`);
  await at(page, "p1").getByTestId("panel-empty").waitFor();
}

async function isMadeByKeys(own) {
  made += 1;
  const title = `Made by keys ${own.prefix} ${made}`;
  const page = await own.open("/dashboards");
  await page.getByTestId("board-card").first().waitFor();
  await page.keyboard.press("n");
  await page.getByTestId("board-title").fill(title);
  await page.keyboard.press("Enter");
  await page.waitForURL(/edit=1/);
  await page.getByTestId("board-empty").waitFor();
  await page.keyboard.press("a");
  await page.getByTestId("panel-title").fill("By host");
  await page.getByTestId("panel-query-0").fill(`filter host like "web-" | stats count(*) as n by bin(2m), host`);
  await page.getByTestId("panel-kind").selectOption("area");
  await at(page, "p1").getByText("web-1").waitFor();
  await page.getByTestId("panel-done").click();
  await page.keyboard.press("a");
  await page.getByTestId("panel-kind").selectOption("number");
  await page.getByTestId("panel-done").click();
  await at(page, "p2").getByTestId("panel-move").focus();
  const before = await at(page, "p2").boundingBox();
  await page.keyboard.press("Shift+ArrowLeft");
  await page.waitForFunction((width) => document.querySelector("[data-id=p2]").getBoundingClientRect().width < width - 10, before.width);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.waitForFunction(() => document.activeElement?.dataset.testid === "panel-move");
  for (let n = 0; n < 3; n += 1) await page.keyboard.press("u");
  await page.waitForFunction((width) => Math.abs(document.querySelector("[data-id=p2]").getBoundingClientRect().width - width) < 2, before.width);
  await inBothThemes(page, (theme) => clean(page, theme));
  // What is not saved is there after the page was closed, and said.
  await page.reload();
  await page.getByTestId("board-unsaved").getByText("Unsaved changes").waitFor();
  await page.getByTestId("board-save").click();
  await page.getByTestId("board-unsaved").waitFor({ state: "detached" });
  await page.reload();
  await at(page, "p2").waitFor();
  assert.equal(await page.getByTestId("board-unsaved").count(), 0);
  return page;
}

async function isMovedByPointer(own) {
  const name = await store(own, [panel("p1", "line", [0, 0, 12, 6], BY_HOST), panel("p2", "number", [12, 0, 12, 6], "stats count(*) as n")]);
  const page = await own.open(`/dashboards/${name}?edit=1`);
  await drawn(page, "p2");
  const grip = await at(page, "p2").getByTestId("panel-move").boundingBox();
  const first = await at(page, "p1").boundingBox();
  await page.mouse.move(grip.x + 5, grip.y + 5);
  await page.mouse.down();
  await page.mouse.move(grip.x - first.width, grip.y + 5, { steps: 8 });
  await page.mouse.up();
  await page.waitForFunction(() => document.querySelector("[data-id=p1]").getBoundingClientRect().top > document.querySelector("[data-id=p2]").getBoundingClientRect().top + 100);
  const corner = await page.locator(".board-cell:has([data-id=p2])").getByTestId("panel-resize").boundingBox();
  const before = await at(page, "p2").boundingBox();
  await page.mouse.move(corner.x + 12, corner.y + 12);
  await page.mouse.down();
  await page.mouse.move(corner.x + 212, corner.y + 112, { steps: 6 });
  await page.mouse.up();
  await page.waitForFunction((box) => { const now = document.querySelector("[data-id=p2]").getBoundingClientRect(); return now.width > box.width + 100 && now.height > box.height + 60; }, before);
  await page.getByTestId("board-undo").click();
  await page.getByTestId("board-undo").click();
  await page.getByTestId("board-unsaved").getByText("All changes are undone.").waitFor();
}

async function takesWhatExploreShows(own) {
  const page = await own.explore({ q: "filter ispresent(status)" });
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("b");
  await page.getByTestId("add-panel-form").waitFor();
  await page.getByTestId("add-target").selectOption("");
  made += 1;
  await page.getByTestId("add-name").fill(`From Explore ${own.prefix} ${made}`);
  await page.getByTestId("add-title").fill("Requests by level");
  await page.getByTestId("add-panel-form").getByTestId("board-legend").getByText("info").waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  await page.getByTestId("add-go").click();
  await page.waitForURL((url) => url.pathname.startsWith("/dashboards/from-explore"));
  await page.getByRole("heading", { name: "Requests by level" }).waitFor();
  await drawn(page, "p1");
}

async function goesBackToAnEarlierVersion(own) {
  const name = await store(own, [panel("p1", "number", [0, 0, 12, 6], "stats count(*) as n")]);
  const { version } = await own.api(`/api/v1/dashboards/${name}`);
  await own.send("PUT", `/api/v1/dashboards/${name}`, { title: "Changed", range: HOUR, version, panels: [panel("p1", "table", [0, 0, 24, 6], "stats count(*) as n by host")] });
  const page = await own.open(`/dashboards/${name}`);
  await page.getByRole("heading", { name: "Changed" }).waitFor();
  await page.getByTestId("board-more").click();
  await page.getByTestId("board-history").click();
  await page.getByTestId("board-versions").getByRole("button", { name: "Restore" }).first().click();
  await page.getByRole("heading", { name: /^Shop/ }).waitFor();
  assert.equal((await own.api(`/api/v1/dashboards/${name}`)).panels[0].kind, "number");
}

async function saysWhoChangedItMeanwhile(own) {
  own.expectsFailures = true;
  const name = await store(own, [panel("p1", "number", [0, 0, 12, 6], "stats count(*) as n")]);
  const page = await own.open(`/dashboards/${name}?edit=settings`);
  await page.getByTestId("settings-title").fill("Mine");
  const { version } = await own.api(`/api/v1/dashboards/${name}`);
  await own.send("PUT", `/api/v1/dashboards/${name}`, { title: "Theirs", range: HOUR, version, panels: [panel("p1", "number", [0, 0, 12, 6], "stats count(*) as n")] });
  await page.getByTestId("board-save").click();
  await page.getByTestId("board-unsaved").getByText("changed by another user").waitFor();
  await page.getByTestId("board-save-copy").click();
  await page.getByTestId("board-copy-form").getByRole("button", { name: "Save a copy" }).click();
  await page.waitForURL((url) => !url.pathname.endsWith(name));
  assert.equal((await own.api(`/api/v1/dashboards/${name}`)).title, "Theirs");
}

async function reportsAnImport(own) {
  const page = await own.open("/dashboards");
  await page.getByTestId("board-import").click();
  await page.getByTestId("board-import-text").fill("{ no json");
  await page.getByTestId("board-import-go").click();
  await page.getByText("Not valid JSON").waitFor();
  const grafana = { title: `Node ${own.prefix}`, panels: [
    { id: 1, type: "timeseries", title: "Load", gridPos: { x: 0, y: 0, w: 12, h: 8 }, datasource: { type: "prometheus" }, targets: [{ refId: "A", expr: "node_load1" }] },
    { id: 2, type: "news", title: "News", gridPos: { x: 12, y: 0, w: 12, h: 8 } },
  ] };
  await page.getByTestId("board-import-text").fill(JSON.stringify(grafana));
  await page.getByTestId("board-import-go").click();
  const report = page.getByTestId("board-import-report");
  await report.getByText("1 of 2 panels can be imported.").waitFor();
  await report.getByText("left out").waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  await page.getByTestId("board-import-go").click();
  await page.getByRole("heading", { name: "Load" }).waitFor();
}

async function savesFiles(own) {
  const name = await store(own, [panel("p1", "line", [0, 0, 24, 10], BY_HOST, { title: "=Load" })]);
  const page = await own.open(`/dashboards/${name}`);
  await drawn(page, "p1");
  await openMenu(page, "p1");
  const [csv] = await Promise.all([page.waitForEvent("download"), page.getByTestId("panel-csv").click()]);
  const text = await readFile(await csv.path(), "utf8");
  assert.match(text, /^Time,web-\d,web-\d,web-\d\r\n20\d\d-/);
  assert.ok(text.split("\r\n").length > 20);
  await openMenu(page, "p1");
  const [png] = await Promise.all([page.waitForEvent("download"), page.getByTestId("panel-png").click()]);
  const bytes = await readFile(await png.path());
  assert.equal(bytes.subarray(1, 4).toString(), "PNG");
  assert.ok(bytes.readUInt32BE(16) > 1000 && bytes.length > 8000, `${bytes.readUInt32BE(16)} pixels, ${bytes.length} bytes`);
  await own.noteViolations(page);
}

async function hangsOnAWall(own) {
  own.expectsFailures = true;
  const name = await store(own, [panel("p1", "number", [0, 0, 24, 8], "stats count(*) as n"), panel("p2", "line", [0, 8, 24, 12], BY_HOST)], { refresh: "5s" });
  const page = await own.open("/start", { viewport: { width: 1920, height: 1080 } });
  await page.clock.install();
  await page.goto(`${own.url}/dashboards/${name}?wall=1`);
  await drawn(page, "p2");
  assert.equal(await page.getByRole("navigation").count(), 0);
  const height = await at(page, "p1").locator(".board-number-value").evaluate((one) => one.getBoundingClientRect().height);
  assert.ok(height > 90, `${height} pixels high`);
  await inBothThemes(page, (theme) => clean(page, theme));
  await page.route("**/api/**", (route) => route.abort());
  await page.clock.runFor(12_000);
  await page.getByTestId("wall-lost").getByText("No connection").waitFor();
  await drawn(page, "p1", "error");
  await page.clock.fastForward(3 * 3_600_000);
  await page.clock.runFor(3_000);
  await page.getByTestId("wall-lost").getByText("hidden").waitFor();
  assert.equal(await page.getByTestId("board-number").count(), 0, "old numbers are not shown");
  await page.unroute("**/api/**");
  await page.clock.runFor(12_000);
  await page.keyboard.press("w");
  await page.waitForURL((url) => !url.search.includes("wall="));
}

async function showsOnePanelAfterTheOther(own) {
  const name = await store(own, [panel("p1", "number", [0, 0, 12, 8], "stats count(*) as n"), panel("p2", "line", [12, 0, 12, 8], BY_HOST)]);
  const page = await own.open(`/dashboards/${name}?wall=panels&every=3`);
  await drawn(page, "p1");
  await page.getByText("1/2").waitFor();
  await drawn(page, "p2");
  assert.equal(await at(page, "p1").count(), 0);
}

async function isFound(own) {
  const name = await store(own, [panel("p1", "number", [0, 0, 12, 6], "stats count(*) as n")], { tags: ["zebra"], description: "what <b>matters</b>" });
  const page = await own.explore();
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.waitForURL((url) => url.pathname === "/dashboards");
  await page.getByTestId("board-find").fill(`zebra ${name}`);
  await page.getByTestId("board-card").getByText("what <b>matters</b>").first().waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  await page.keyboard.press("Control+k");
  const { title } = await own.api(`/api/v1/dashboards/${name}`);
  await page.getByTestId("palette-text").fill(title);
  await page.getByTestId("palette-entry").filter({ hasText: "Dashboard" }).first().click();
  await page.waitForURL(/\/dashboards\/.+/);
}

async function saysWhatIsMissing(own) {
  own.expectsFailures = true;
  const ALL = /\/api\/v1\/dashboards(?:\?|$)/;
  const page = await own.open("/dashboards/there-is-none");
  await page.getByTestId("board-missing").waitFor();
  const other = await own.open("/start");
  await other.route(ALL, (route) => route.fulfill({ status: 500, contentType: "application/json", body: '{"error":{"code":"internal","message":"the catalog is locked"}}' }));
  await other.goto(`${own.url}/dashboards`);
  await other.getByText("The dashboards could not be loaded: the catalog is locked.").waitFor();
  await other.unroute(ALL);
  await other.route(ALL, (route) => route.fulfill({ contentType: "application/json", body: '{"dashboards":[]}' }));
  await other.getByRole("button", { name: "Try again" }).click();
  await other.getByTestId("no-boards").waitFor();
  await inBothThemes(other, (theme) => clean(other, theme));
}

async function isRefusedAndDeleted(own) {
  own.expectsFailures = true;
  const name = await store(own, [panel("p1", "number", [0, 0, 12, 6], "stats count(*) as n")]);
  const page = await own.open(`/dashboards/${name}?edit=1`);
  await drawn(page, "p1");
  await page.getByTestId("section-add").click();
  await page.getByTestId("section-fold").click();
  assert.equal(await page.getByTestId("section-fold").getAttribute("aria-expanded"), "false");
  await page.getByTestId("board-save").click();
  await page.getByTestId("board-unsaved").waitFor({ state: "detached" });
  await page.getByTestId("panel-add").click();
  await page.getByTestId("panel-title").fill("Mistaken");
  await page.getByTestId("panel-query-0").fill("stats count(");
  await page.getByTestId("board-save").click();
  await page.getByTestId("board-unsaved").getByRole("alert").filter({ hasText: "“Mistaken” (panels[" }).waitFor();
  await page.getByTestId("board-unsaved").getByRole("button", { name: /^Discard/ }).click();
  await page.getByTestId("board-unsaved").getByRole("button", { name: /^Confirm/ }).click();
  await page.getByTestId("board-unsaved").waitFor({ state: "detached" });
  await page.getByTestId("board-more").click();
  await page.getByRole("button", { name: /^Delete/ }).click();
  await page.getByRole("button", { name: /^Confirm/ }).click();
  await page.waitForURL((url) => url.pathname === "/dashboards");
  assert.equal((await fetch(`${own.url}/api/v1/dashboards/${name}`)).status, 404);
}

/** Texts that a title may be: the server takes no control characters there. */
const NAMES = PAYLOADS.filter((text) => text.trim() !== "" && text.length < 120 && !/[\u0000-\u001f\u007f-\u009f]/.test(text));

async function showsHostileTextsAsTexts(own) {
  own.expectsFailures = true;
  await own.ingest("hostile", NAMES.slice(0, 60).map((text, n) => ({ message: text, level: "error", who: text, "@timestamp": new Date(Date.now() - n * 1000).toISOString() })));
  const texts = NAMES.slice(0, 40).map((text, n) => panel(`t${n}`, "text", [(n % 4) * 6, Math.floor(n / 4) * 5, 6, 5], "", { title: text, text: `# ${text}\n\n${text}\n- ${text}\n[${text}](${text}) $who`, section: NAMES[Math.floor(n / 10)] }));
  const drawnOnes = ["pie", "bar", "table", "logs", "heatmap", "line"].map((kind, n) => panel(`d${n}`, kind, [(n % 2) * 12, Math.floor(n / 2) * 8, 12, 8], kind === "logs" ? 'filter ispresent(who)' : kind === "heatmap" || kind === "line" ? "filter ispresent(who) | stats count(*) as n by bin(1m), who" : "filter ispresent(who) | stats count(*) as n by who", { unit: NAMES[n] }));
  const name = await store(own, [...drawnOnes, panel("v", "table", [0, 24, 24, 6], "filter who = $who | stats count(*) as n by who"), ...texts], {
    title: NAMES[3], description: NAMES[4], tags: NAMES.slice(0, 5), variables: [{ name: "who", label: NAMES[5], values: NAMES.slice(0, 60) }],
  });
  const page = await own.open("/start", { viewport: { width: 1440, height: 3600 } });
  page.on("dialog", (dialog) => { own.complaints.push(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
  await page.goto(`${own.url}/dashboards/${name}`);
  for (const { id } of drawnOnes) await drawn(page, id);
  for (const n of [0, 7, 19, 31, 43]) {
    await page.getByTestId("var-who").locator("select").selectOption({ index: n });
    await page.waitForFunction(() => document.querySelector("[data-id=v]").dataset.state === "done" && document.querySelectorAll("[data-id=v] tbody tr").length === 1);
  }
  const made = await page.evaluate(() => [...document.querySelectorAll("*")].filter((one) => [...one.attributes].some(({ name, value }) => name.startsWith("on") || (/^(?:href|src|action)$/.test(name) && /^\s*(?:javascript|data|vbscript):/i.test(value)))).map((one) => one.outerHTML.slice(0, 100)));
  assert.deepEqual(made, []);
  assert.equal(await page.evaluate(() => window.__xss), undefined);
  await page.goto(`${own.url}/dashboards`);
  await page.getByTestId("board-card").first().waitFor();
  await own.noteViolations(page);
}

/** Views of a dashboard, by what follows its name. */
const VIEWS = ["", "?edit=1", "?edit=1&panel=p4", "?edit=settings", "?panel=p4"];

function fitsASmallScreen(view) {
  return async (own) => {
    const name = view === null ? "" : await store(own, KINDS);
    const page = await own.open(view === null ? "/dashboards" : `/dashboards/${name}${view}`, SMALL);
    await page.locator("[data-testid=board-card], [data-testid=board-panel], [data-testid=board-settings-form]").first().waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.querySelector("main").scrollWidth <= document.querySelector("main").clientWidth));
    await inBothThemes(page, (theme) => clean(page, theme));
    await own.picture(page, `dashboard-small${view?.replaceAll(/\W/g, "-") ?? "-list"}`);
  };
}

async function speaksIndonesian(own) {
  const name = await store(own, [panel("p1", "number", [0, 0, 12, 6], "filter status >= 500 | stats count(*) as n", { thresholds: [{ value: 1, level: "error" }] })]);
  const page = await own.open(`/dashboards/${name}`, { locale: "id-ID" });
  await at(page, "p1").getByText("buruk", { exact: true }).waitFor();
  await page.getByTestId("nav-dashboards").getByText("Dasbor").waitFor();
}

export const dashboardChecks = [
  ["dashboards: every kind of panel shows the server’s data, accessible", showsEveryKind],
  ["dashboards: one instant is read in all charts, a drag zooms all, Enter leads to the lines", readsAllChartsAtOnce],
  ["dashboards: an error stays in its panel, with its next step", keepsErrorsInTheirPanels],
  ["dashboards: only what is on screen is asked, a few at once", asksOnlyWhatIsSeen],
  ["dashboards: asked for early, drawn together", asksEarlyAndDrawsTogether],
  ["dashboards: several values of a variable, and hostile ones", choosesSeveralValues],
  ["dashboards: one is made by keys; what is not saved is kept and said", isMadeByKeys],
  ["dashboards: panels are moved and resized by pointer, and it can be undone", isMovedByPointer],
  ["dashboards: what Explore shows is added", takesWhatExploreShows],
  ["dashboards: an earlier version comes back", goesBackToAnEarlierVersion],
  ["dashboards: two who change one are told", saysWhoChangedItMeanwhile],
  ["dashboards: an import is reported panel by panel", reportsAnImport],
  ["dashboards: CSV and PNG of a panel", savesFiles],
  ["dashboards: a wallboard says that the connection is lost, and hides old numbers", hangsOnAWall],
  ["dashboards: a wallboard shows one panel after the other", showsOnePanelAfterTheOther],
  ["dashboards: found by name, key and palette", isFound],
  ["dashboards: what is missing, and what fails, is said", saysWhatIsMissing],
  ...[null, ...VIEWS].map((view) => [`dashboards: a small screen, accessible: ${view ?? "the list"}`, fitsASmallScreen(view)]),
  ["dashboards: a mistake is named by its panel, sections fold, deletion asks twice", isRefusedAndDeleted],
  ["dashboards: hostile texts are texts, and as values find only themselves", showsHostileTextsAsTexts],
  ["dashboards: in Indonesian", speaksIndonesian],
];
