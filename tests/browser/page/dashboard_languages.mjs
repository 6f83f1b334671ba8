// From a panel's query in TraceQL or ES|QL to Explore, and from there to a dashboard; one expression over several languages.

import assert from "node:assert/strict";

import { clean, inBothThemes } from "./accessibility.mjs";
import { at, drawn, panel } from "./dashboards.mjs";
import { queryText } from "./harness.mjs";

const MINUTE = 60_000;

let made = 0;

/** Sends spans of two services over half an hour, and stores a dashboard with a panel of each language. */
async function storeLanguages(own) {
  made += 1;
  const now = Date.now();
  const spans = Array.from({ length: 120 }, (_, n) => ({
    "@timestamp": new Date(now - 35 * MINUTE + n * 15_000).toISOString(), "@type": "span", message: "Charge", name: "Charge", kind: "server", level: "info",
    service: n % 3 === 0 ? "cart" : "pay", status: n % 10 === 0 ? "error" : "ok", duration_ms: 10 + n, trace_id: `${n}`.padStart(32, "a"), span_id: `${n}`.padStart(16, "b"),
  }));
  await own.ingest("spans", spans);
  const groups = [`${own.prefix}/spans`];
  const query = (language, text, of = { groups }) => ({ queries: [{ id: "a", language, query: text, ...of }] });
  const name = `${own.prefix}-languages-${made}`;
  await own.send("PUT", `/api/v1/dashboards/${name}`, {
    title: "Languages", range: { from: "now-1h", to: "now" }, variables: [{ name: "service", values: ["pay", "cart"], multiple: true, all: true }],
    panels: [
      panel("t", "area", [0, 0, 12, 8], "", query("traceql", '{ resource.service.name =~ "$service" } | count_over_time() by (resource.service.name)')),
      panel("e", "bar", [12, 0, 12, 8], "", query("esql", `FROM "${groups[0]}" | STATS n = COUNT(*) BY BUCKET(@timestamp, $__interval), service`, {})),
    ],
  });
  return name;
}

/** Writes a query and runs it. */
async function ask(page, text) {
  await page.getByTestId("query").fill(text);
  await page.getByTestId("query").press("Enter");
}

/** Opens a panel's query in Explore, and waits for its answer. */
async function toExplore(page, id) {
  await drawn(page, id);
  await at(page, id).getByTestId("panel-menu").click();
  await page.getByTestId("panel-explore").click();
  await page.waitForURL((url) => url.pathname === "/");
  await drawn(page, "answer");
}

async function opensTraceqlInExplore(own) {
  const name = await storeLanguages(own);
  const page = await own.open(`/dashboards/${name}`);
  await toExplore(page, "t");
  assert.equal(await queryText(page), '{ resource.service.name =~ ".*" } | count_over_time() by (resource.service.name)');
  const params = new URL(page.url()).searchParams;
  assert.deepEqual([params.get("lang"), params.get("chart"), params.get("groups")], ["traceql", "area", `${own.prefix}/spans`]);
  await at(page, "answer").getByTestId("board-legend").getByText("pay").waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  await own.picture(page, "explore-traceql");
  // By keys: another picture, which the address has, too.
  await page.getByTestId("picture-table").focus();
  await page.keyboard.press("Enter");
  await at(page, "answer").getByRole("cell", { name: "pay" }).first().waitFor();
  await page.reload();
  await at(page, "answer").getByRole("cell", { name: "pay" }).first().waitFor();
  assert.equal(await page.getByTestId("picture-table").getAttribute("aria-pressed"), "true");
  // The other way: what is shown is added to a dashboard.
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("b");
  await page.getByTestId("add-target").selectOption("");
  await page.getByTestId("add-name").fill(`Of spans ${own.prefix}`);
  await page.getByTestId("add-panel-form").getByRole("cell", { name: "cart" }).first().waitFor();
  await page.getByTestId("add-go").click();
  await page.waitForURL((url) => url.pathname.startsWith("/dashboards/of-spans"));
  await drawn(page, "p1");
  const added = await own.api(`/api/v1${new URL(page.url()).pathname}`);
  assert.deepEqual([added.panels[0].kind, added.panels[0].queries[0].language], ["table", "traceql"]);
  await page.goBack();
  await drawn(page, "answer");
  await page.keyboard.press("p");
  await page.getByTestId("language-insights").and(page.locator("[aria-pressed=true]")).waitFor();
}

async function opensEsqlInExplore(own) {
  own.expectsFailures = true;
  const name = await storeLanguages(own);
  const page = await own.open(`/dashboards/${name}`);
  await toExplore(page, "e");
  assert.match(await queryText(page), /^FROM ".*" \| STATS n = COUNT\(\*\) BY BUCKET\(@timestamp, \d+ ?\w+\), service$/);
  await at(page, "answer").getByTestId("board-legend").getByText("cart").waitFor();
  await own.picture(page, "explore-esql");
  // A mistake is named with its place, and what was right is shown again.
  await ask(page, `FROM "${own.prefix}/spans" | WHERE status == | LIMIT 3`);
  await drawn(page, "answer", "error");
  await page.getByTestId("query-error").getByText(/^Line 1, column \d+: /).waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  await ask(page, `FROM "${own.prefix}/spans" | KEEP service, status | LIMIT 3`);
  await page.getByTestId("query-error").waitFor({ state: "detached" });
  await page.getByTestId("picture-table").click();
  await at(page, "answer").getByRole("columnheader", { name: "status" }).waitFor();
}

/** Sends 30 minutes of requests, of which a tenth fail: 10 a minute, 100 in one minute; stores a dashboard that divides them. */
async function storeShares(own) {
  made += 1;
  const stem = own.prefix.replaceAll(/\W/g, "_");
  const now = Math.floor(Date.now() / MINUTE) * MINUTE;
  const busy = now - 10 * MINUTE;
  const dataPoints = [];
  const failures = [];
  let total = 0;
  for (let ms = now - 30 * MINUTE; ms <= now; ms += 15_000) {
    dataPoints.push({ timeUnixNano: `${ms}000000`, startTimeUnixNano: `${now - 60 * MINUTE}000000`, asDouble: total });
    const isBusy = ms >= busy && ms < busy + MINUTE;
    total += isBusy ? 250 : 25;
    for (let n = 0; n < (isBusy ? 100 : 10); n += 1) if (ms < now && ms % MINUTE === 0) failures.push({ "@timestamp": new Date(ms + n * 590 + 300).toISOString(), message: "failed", level: "error" });
  }
  const metric = { name: `${stem}_shares_total`, sum: { isMonotonic: true, aggregationTemporality: 2, dataPoints } };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: `${own.prefix}-shares` } }] };
  await own.send("POST", "/v1/metrics", { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [metric] }] }] });
  await own.ingest("shares", failures);
  const groups = [`${own.prefix}/shares`];
  const ratio = (counts, rates) => ({ queries: [{ id: "a", query: counts, groups }, { id: "b", language: "promql", query: rates }], expression: "a / b * 100" });
  const byMinute = "stats count(*) by bin(1m)";
  const name = `${own.prefix}-shares-${made}`;
  await own.send("PUT", `/api/v1/dashboards/${name}`, {
    title: "Shares", range: { from: new Date(now - 20 * MINUTE).toISOString(), to: new Date(now).toISOString() },
    panels: [
      panel("minutes", "line", [0, 0, 24, 8], "", ratio(byMinute, `sum(increase(${metric.name}[1m]))`)),
      panel("whole", "number", [0, 8, 12, 6], "", ratio("stats count(*)", `sum(increase(${metric.name}[20m]))`)),
      panel("none", "number", [12, 8, 12, 6], "", ratio(byMinute, `${stem}_missing`)),
    ],
  });
  return name;
}

/** A count of events of a minute is divided by the increase over the same minute. */
async function dividesCountsByMetrics(own) {
  const name = await storeShares(own);
  const page = await own.open(`/dashboards/${name}`, { locale: "id-ID" });
  await drawn(page, "minutes");
  await at(page, "minutes").getByTestId("panel-menu").click();
  await page.getByTestId("panel-table").click();
  await at(page, "minutes").getByRole("cell").first().waitFor();
  const cells = await at(page, "minutes").locator("tbody td:last-child").allTextContents();
  assert.ok(cells.length >= 18, `${cells.length} minutes`);
  assert.deepEqual([...new Set(cells.map((text) => text.trim()))], ["10"], "the busy minute, too");
  await drawn(page, "whole");
  assert.match(await at(page, "whole").getByTestId("board-number").textContent(), /^(?:9[,.]\d+|10)/);
  await at(page, "none").getByText("Ekspresi tidak punya nilai: kueri b tidak menemukan angka dalam rentang ini.").waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  await own.picture(page, "dashboard-shares");
}

async function beginsByThePalette(own) {
  await storeLanguages(own);
  const page = await own.open(`/?groups=${own.prefix}/spans`, { locale: "id-ID" });
  await page.getByTestId("run").waitFor();
  await page.keyboard.press("Control+k");
  await page.getByTestId("palette-text").fill("dengan TraceQL");
  await page.getByTestId("palette-entry").first().filter({ hasText: "Jelajah dengan TraceQL" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByText("Tulis kueri dalam TraceQL.").waitFor();
  await ask(page, "{ status = error } | rate()");
  await drawn(page, "answer");
  assert.equal(new URL(page.url()).searchParams.get("lang"), "traceql");
  await page.getByRole("group", { name: "Gambar" }).waitFor();
  await page.setViewportSize({ width: 380, height: 760 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it fits a small screen");
  await page.getByTestId("language-traceql").waitFor();
  await page.goBack();
  await page.getByText("Tulis kueri dalam TraceQL.").waitFor();
}

export const languageChecks = [
  ["dashboards: a panel in TraceQL opens in Explore, and comes back from there", opensTraceqlInExplore],
  ["dashboards: a panel in ES|QL opens in Explore, a mistake has its place", opensEsqlInExplore],
  ["dashboards: counts of events are divided by metrics of the same minutes", dividesCountsByMetrics],
  ["dashboards: Explore takes TraceQL from the palette, in Indonesian", beginsByThePalette],
];
