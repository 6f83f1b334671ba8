// Explore with PromQL: lines, legend, heatmaps of native histograms, log lines of a host and minute, the metrics by name and
// label, mistakes, other states, rules of a query.

import assert from "node:assert/strict";

import { clean, inBothThemes } from "./accessibility.mjs";
import { queryText, rowsOf, settled, untilQuery } from "./harness.mjs";

const MINUTE = 60_000;
const HOSTS = ["m-web", "m-db"];

/** Waits until lines and log lines of the present question are there. */
async function drawn(page, states = ["done"]) {
  await page.waitForFunction((states) => {
    const now = window.__catat?.metrics;
    const section = document.querySelector("[data-testid=metrics]");
    return now && section?.dataset.state === now.state && states.includes(now.state) && now.logState === "done";
  }, states);
}

const parameter = (page, name) => new URL(page.url()).searchParams.get(name);
const answerOf = (page) => page.evaluate(() => window.__catat.metrics.answer);
const logsOf = (page) => page.evaluate(() => window.__catat.metrics.logs);

/** Names of this run's metrics; half an hour of two hosts, of which one is busy ten minutes ago and says so in its log. */
async function names(own) {
  const stem = own.prefix.replaceAll(/\W/g, "_");
  const made = { gauge: `${stem}_load`, counter: `${stem}_requests_total` };
  if (own.hasMetrics) return made;
  own.hasMetrics = true;
  const now = Math.floor(Date.now() / 15_000) * 15_000;
  const attributes = (of) => Object.entries(of).map(([key, value]) => ({ key, value: { stringValue: value } }));
  const point = (at, value, of) => ({ timeUnixNano: `${at}000000`, startTimeUnixNano: `${now - 60 * MINUTE}000000`, asDouble: value, attributes: attributes(of) });
  for (const host of HOSTS) {
    const load = [];
    const requests = [];
    for (let at = now - 30 * MINUTE; at <= now; at += 15_000) {
      const isBusy = host === "m-db" && at > now - 10 * MINUTE && at <= now - 8 * MINUTE;
      load.push(point(at, isBusy ? 9 : 1, { host }));
      for (const code of ["200", "500"]) requests.push(point(at, (at - now + 60 * MINUTE) / 1000, { host, code, path: '<b onclick="window.__xss=1">' }));
    }
    const metrics = [
      { name: made.gauge, description: "Load of a host.", gauge: { dataPoints: load } },
      { name: made.counter, sum: { isMonotonic: true, aggregationTemporality: 2, dataPoints: requests } },
    ];
    const resource = { attributes: attributes({ "service.name": own.prefix, "service.instance.id": `${host}:9100` }) };
    await own.send("POST", "/v1/metrics", { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] });
  }
  const lines = [];
  for (let n = 0; n < 30; n += 1) {
    const at = new Date(now - 20 * MINUTE + n * 30_000).toISOString();
    for (const host of HOSTS) lines.push({ "@timestamp": at, message: `minute ${n} of ${host}`, level: "info", host });
  }
  for (let n = 1; n <= 12; n += 1) lines.push({ "@timestamp": new Date(now - 10 * MINUTE + n * 10_000).toISOString(), message: `disk busy ${n}`, level: "error", host: "m-db" });
  await own.ingest("hosts", lines);
  return made;
}

/**
 * A native histogram of this run, of half an hour and two hosts: its name and its last nine minutes. m-db has 2 observations each second between 0.5
 * and 1, and 1 between 1 and 2, m-web ten times as many; of m-db there was another one between 16 and 32 until eight minutes ago.
 */
async function nativeHistogram(own) {
  const name = `${own.prefix.replaceAll(/\W/g, "_")}_latency`;
  if (own.histograms) return own.histograms;
  const now = Math.floor(Date.now() / 15_000) * 15_000;
  const attributes = (of) => Object.entries(of).map(([key, value]) => ({ key, value: { stringValue: value } }));
  const begin = now - 60 * MINUTE;
  for (const [host, each] of [["m-web", 10], ["m-db", 1]]) {
    const dataPoints = [];
    for (let at = now - 30 * MINUTE; at <= now; at += 15_000) {
      const n = ((at - begin) / 1000) * each;
      const slow = host === "m-db" ? Math.max(0, Math.min(240, (at - now + 12 * MINUTE) / 1000)) : 0;
      // Buckets of the scale 0 from (0.5, 1] on: 2^-1 to 2^0, and so on.
      dataPoints.push({ timeUnixNano: `${at}000000`, startTimeUnixNano: `${begin}000000`, attributes: attributes({ host }), scale: 0, zeroCount: 0, sum: n * 3 + slow * 20, count: n * 3 + slow, positive: { offset: -1, bucketCounts: [n * 2, n, 0, 0, 0, slow] } });
    }
    const metric = { name, description: "Time of a request.", exponentialHistogram: { aggregationTemporality: 2, dataPoints } };
    const resource = { attributes: attributes({ "service.name": name, "service.instance.id": `${host}:9100` }) };
    await own.send("POST", "/v1/metrics", { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [metric] }] }] });
  }
  await names(own);
  own.histograms = { name, range: { from: new Date(now - 9 * MINUTE).toISOString(), to: new Date(now).toISOString() } };
  return own.histograms;
}

/** Opens the view with a query over this run's metrics and log lines. */
async function promql(own, q, params = {}, options = {}) {
  const search = new URLSearchParams({ lang: "promql", q, ...params });
  return own.open(`/?${search}&groups=${own.prefix}/hosts`, options);
}

async function drawsLines(own) {
  const { gauge } = await names(own);
  const page = await promql(own, gauge);
  await drawn(page);
  const { lines, step } = await answerOf(page);
  assert.equal(lines.length, 2);
  assert.equal(step, 15_000);
  const rows = page.getByTestId("legend-line");
  assert.equal(await rows.count(), 2);
  assert.match(await rows.first().textContent(), /m-db.*1.*9/, "the highest line is first");
  assert.match(await page.getByTestId("shared").textContent(), new RegExp(gauge));
  // The crosshair: values of all lines at its time.
  const box = await page.getByTestId("metric-lines").boundingBox();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2);
  await page.locator(".metric-chart .cursor").waitFor({ state: "attached" });
  const value = await rows.last().getByTestId("legend-value").textContent();
  assert.equal(value, "1");
  assert.deepEqual([...new Set((await logsOf(page)).map((row) => row.group))], [`${own.prefix}/hosts`], "samples are no log lines");
  await own.picture(page, "metrics");
}

async function drawsHistograms(own) {
  const { name, range } = await nativeHistogram(own);
  const page = await promql(own, `rate(${name}[2m])`, range);
  await drawn(page);
  const { lines, histograms, series } = await answerOf(page);
  assert.deepEqual([lines.length, histograms.length, series], [0, 2, 2], "histograms are no lines");
  assert.equal(await page.getByTestId("metric-lines").count(), 0);
  const rows = page.getByTestId("legend-line");
  assert.match(await rows.first().textContent(), /m-web/, "the most observations are first");
  assert.match(await rows.first().getAttribute("class"), /read/, "and drawn");
  assert.equal(await page.locator(".heatmap .axis text").filter({ hasText: "≤ 2" }).count(), 1);
  // The table has the buckets of the last instant: 20 and 10 of 30 in a second.
  const buckets = page.getByTestId("bucket");
  const cells = (row) => row.locator("th, td").allTextContents();
  assert.deepEqual(await Promise.all((await buckets.all()).map(cells)), [["(1, 2]", "10", "33.33 %", ""], ["(0.5, 1]", "20", "66.67 %", ""]]);
  assert.match(await page.getByTestId("buckets").locator("caption").textContent(), /30 observations, average 1$/);
  // Keys read the cells, and the table stays with the instant that was read last.
  await rows.filter({ hasText: "m-db" }).locator("th button").click();
  await page.waitForFunction(() => location.search.includes("line="));
  const heatmap = page.getByTestId("metric-heatmap");
  await page.locator(".heatmap .axis text").filter({ hasText: "≤ 32" }).waitFor();
  await heatmap.focus();
  await page.keyboard.press("ArrowRight");
  await page.locator(".heat-legend").getByText(/16 – 32 · .* · 1$/).waitFor();
  await page.locator(".heatmap .heat.read").waitFor({ state: "attached" });
  await page.getByTestId("buckets").focus();
  await page.locator(".heatmap .heat.read").waitFor({ state: "detached" });
  assert.deepEqual(await cells(buckets.first()), ["(16, 32]", "1", "25 %", ""]);
  // A cell leads to the log lines of its host and minute.
  await heatmap.focus();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.waitForURL(/sel=/);
  assert.equal(parameter(page, "logs"), 'filter host = "m-db"');
  await page.waitForFunction(() => window.__catat.metrics.logState === "done");
  await own.picture(page, "metrics-histogram");
  // The pointer reads what is below it.
  const box = await heatmap.boundingBox();
  await page.mouse.move(box.x + box.width * 0.55, box.y + box.height - 25);
  await page.locator(".heat-legend").getByText(/^0\.5 – 1 · .* · 2$/).waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  // A histogram that became a number is drawn as both; the list of metrics makes a rate of one.
  const both = await promql(own, "", range);
  await both.route("**/prometheus/api/v1/query_range*", async (route) => {
    const answer = await (await route.fetch()).json();
    const [one] = answer.data.result;
    answer.data.result = [{ ...one, values: one.histograms.slice(0, 9).map(([at, { count }]) => [at, count]), histograms: one.histograms.slice(9) }];
    await route.fulfill({ contentType: "application/json", body: JSON.stringify(answer) });
  });
  await both.getByTestId("query").fill(name);
  await both.getByTestId("query").press("Enter");
  await drawn(both);
  await both.getByTestId("metric-lines").waitFor();
  await both.getByTestId("metric-heatmap").waitFor();
  await both.getByTestId("metric-text").fill(name);
  await both.getByTestId("metric").click();
  await untilQuery(both, `rate(${name}[5m])`);
  // The answer to it is still on its way through the route above.
  await both.unrouteAll({ behavior: "wait" });
}

async function fitsHistograms(own) {
  const { name, range } = await nativeHistogram(own);
  const page = await promql(own, `rate(${name}[2m])`, range, { viewport: { width: 380, height: 760 }, locale: "id-ID", colorScheme: "dark", hasTouch: true });
  await drawn(page);
  await page.getByRole("columnheader", { name: "Pengamatan" }).waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  assert.ok((await page.getByTestId("metric-heatmap").boundingBox()).width > 300);
  await own.picture(page, "metrics-histogram-380-dark-id");
  await inBothThemes(page, (theme) => clean(page, theme));
}

/** Classic buckets of this run: their name. */
async function classicHistogram(own) {
  const name = `${own.prefix.replaceAll(/\W/g, "_")}_classic`;
  const now = Math.floor(Date.now() / 15_000) * 15_000;
  const dataPoints = [];
  for (let at = now - 20 * MINUTE; at <= now; at += 15_000)
    for (const env of ["prod", "test"]) {
      const n = (at - now + 60 * MINUTE) / 1000;
      const attributes = [{ key: "env", value: { stringValue: env } }];
      dataPoints.push({ timeUnixNano: `${at}000000`, startTimeUnixNano: `${now - 60 * MINUTE}000000`, attributes, count: n * 10, sum: n * 3, bucketCounts: [n * 5, n * 3, n * 2], explicitBounds: [0.1, 1] });
    }
  const metric = { name, histogram: { aggregationTemporality: 2, dataPoints } };
  const resource = { attributes: [{ key: "service.name", value: { stringValue: name } }] };
  await own.send("POST", "/v1/metrics", { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [metric] }] }] });
  return `${name}_bucket`;
}

/** A quantile by label is that of buckets summed by label; their bounds are no label to sum by. */
async function sumsBuckets(own) {
  const name = await classicHistogram(own);
  const page = await promql(own, "");
  await page.getByTestId("metric-text").fill(name);
  await page.getByTestId("metric").click();
  await untilQuery(page, `histogram_quantile(0.95, sum by (le) (rate(${name}[5m])))`);
  const sums = page.getByTestId("sum-by");
  await sums.first().waitFor();
  assert.deepEqual(await sums.evaluateAll((all) => all.map((one) => one.dataset.label)), ["env"]);
  await sums.click();
  await untilQuery(page, `histogram_quantile(0.95, sum by (le, env) (rate(${name}[5m])))`);
  await drawn(page);
  assert.deepEqual((await answerOf(page)).lines.map(({ labels }) => labels.env).sort(), ["prod", "test"]);
  await sums.click();
  await untilQuery(page, `histogram_quantile(0.95, sum by (le) (rate(${name}[5m])))`);
}

async function makesARule(own) {
  const { gauge } = await names(own);
  const name = `${own.prefix} load`;
  const page = await promql(own, `${gauge} > 0`);
  await drawn(page);
  await page.getByTestId("share").click();
  await page.getByTestId("make-rule").click();
  const form = page.getByTestId("rule-form");
  await form.waitFor();
  assert.match(page.url(), /\/alerts\?lang=promql/);
  await page.reload();
  await form.waitFor();
  assert.equal(await form.getByTestId("rule-query").textContent(), `${gauge} > 0`);
  assert.equal(await form.getByLabel("Language").inputValue(), "promql");
  assert.equal(await form.getByLabel("Fires when").inputValue(), "", "the comparison is the condition");
  assert.match(await form.locator(".rule-about").textContent(), /^Samples:/);
  await clean(page);
  await form.getByLabel("Name", { exact: true }).fill(name);
  await form.getByRole("button", { name: "The last 1 h" }).click();
  await form.getByTestId("fired").getByText(/would have fired 2 times/).waitFor();
  try {
    await form.getByRole("button", { name: "Create rule" }).click();
    await page.getByTestId("rule").filter({ hasText: name }).waitFor();
    const { rules } = await own.api("/api/v1/rules");
    const rule = rules.find((one) => one.name === name);
    assert.deepEqual([rule.language, rule.query, rule.kind ?? "threshold"], ["promql", `${gauge} > 0`, "threshold"]);
  } finally {
    await fetch(`${own.url}/api/v1/rules/${encodeURIComponent(name)}`, { method: "DELETE" });
  }
  // Without a comparison the form has one, over the value.
  const plain = await promql(own, gauge);
  await drawn(plain);
  await plain.getByTestId("share").click();
  await plain.getByTestId("make-rule").click();
  assert.equal(await plain.getByTestId("rule-form").getByLabel("Fires when").inputValue(), "value > 5");
}

async function leadsToLogs(own) {
  const { gauge } = await names(own);
  const page = await promql(own, gauge);
  await drawn(page);
  const peak = page.getByTestId("legend-line").first().getByTestId("logs-at-peak");
  await peak.click();
  await page.waitForURL(/sel=/);
  const [from, to] = parameter(page, "sel").split("_").map(Number);
  assert.equal(to - from, MINUTE);
  // Of that minute.
  await page.waitForFunction(([from, to]) => {
    const { logs } = window.__catat.metrics;
    return logs.length > 0 && logs.every(({ ms }) => ms >= from && ms < to);
  }, [from, to]);
  const rows = await logsOf(page);
  assert.equal(parameter(page, "logs"), 'filter host = "m-db"');
  assert.ok(rows.every(({ message }) => /m-db|disk busy/.test(message)), "of that host");
  // The same by a click on the line itself.
  await page.getByTestId("log-time").click();
  await page.waitForFunction(() => !location.search.includes("sel="));
  const { from: start, to: end, step, lines } = await answerOf(page);
  const last = start + Math.floor((end - start) / step) * step;
  const spike = lines.find((one) => one.labels.host === "m-db").points.find(([, v]) => v === 9)[0] + 60_000;
  const chart = page.getByTestId("metric-lines");
  const box = await chart.boundingBox();
  const x = box.x + 8 + ((spike - start) / (last - start)) * (box.width - 16);
  await page.mouse.move(x, box.y + 25);
  await page.locator(".line.read").waitFor();
  await page.mouse.click(x, box.y + 25);
  await page.waitForURL(/sel=/);
  // The cause is one click from the spike.
  await page.waitForFunction(() => window.__catat.metrics.logs.length < 20 && window.__catat.metrics.logs.some(({ message }) => message.startsWith("disk busy")));
  // The link shows the same elsewhere.
  const other = await own.open(new URL(page.url()).pathname + new URL(page.url()).search);
  await drawn(other);
  await drawn(page);
  assert.deepEqual((await logsOf(other)).map(({ id }) => id), (await logsOf(page)).map(({ id }) => id));
  assert.equal(await queryText(other), gauge);
}

async function locatesMistakes(own) {
  own.expectsFailures = true;
  const { gauge } = await names(own);
  const page = await promql(own, `sum(rate(${gauge}[5m])`);
  await drawn(page, ["error"]);
  await page.getByTestId("metrics-failed").waitFor();
  assert.match(await page.getByTestId("query-error").textContent(), /Line 1, column 4: .*not closed/);
  await page.waitForFunction(() => document.querySelector(".code-editor")?.shadowRoot?.querySelector(".wrong")?.textContent === "(");
  await page.getByTestId("query").fill(gauge);
  await page.getByTestId("query").press("Enter");
  await drawn(page);
  assert.equal(await page.getByTestId("query-error").count(), 0);
}

async function saysWhyThereIsNothing(own) {
  const { gauge } = await names(own);
  const page = await promql(own, `${gauge.slice(0, -1)}b`);
  await drawn(page);
  await page.getByTestId("no-series").waitFor();
  await page.getByTestId("unknown-metric").getByRole("button", { name: gauge }).click();
  await drawn(page);
  assert.equal((await answerOf(page)).lines.length, 2);
  await page.getByTestId("query").fill("");
  await page.getByTestId("query").press("Enter");
  await page.getByTestId("no-query").waitFor();
}

/** Loading with a way to stop it, an answer that is not whole, a server that fails: the log lines stay. */
async function showsItsStates(own) {
  own.expectsFailures = true;
  const { gauge } = await names(own);
  const page = await promql(own, "");
  await page.getByTestId("no-query").waitFor();
  let mood = "slow";
  let release = () => undefined;
  await page.route("**/prometheus/api/v1/query_range*", async (route) => {
    if (mood === "slow") await new Promise((done) => { release = done; });
    if (mood === "broken") return route.fulfill({ status: 500, contentType: "application/json", body: '{"status":"error","errorType":"internal","error":"a disk is gone"}' });
    const answer = await route.fetch();
    const body = { ...(await answer.json()), warnings: ["segment 7 is damaged", "PromQL warning: the bucket label is odd (1:1)"] };
    await route.fulfill({ contentType: "application/json", body: JSON.stringify(body) });
  });
  await page.getByTestId("query").fill(gauge);
  await page.getByTestId("query").press("Enter");
  await page.getByTestId("lines-loading").getByTestId("cancel").click();
  await page.getByTestId("metrics-failed").getByText("Cancelled").waitFor();
  mood = "broken";
  release();
  await page.getByTestId("metrics-failed").getByRole("button", { name: "Try again" }).click();
  await page.getByText("a disk is gone").waitFor();
  assert.ok((await logsOf(page)).length > 0);
  mood = "partial";
  await page.getByTestId("metrics-failed").getByRole("button", { name: "Try again" }).click();
  await page.getByTestId("metric-chart").waitFor();
  assert.match(await page.getByTestId("partial").first().textContent(), /segment 7 is damaged/i);
  assert.match(await page.getByTestId("metric-note").textContent(), /the bucket label is odd/);
}

async function browsesMetrics(own) {
  const { counter } = await names(own);
  const page = await promql(own, "");
  await page.getByTestId("metric-text").fill(counter);
  const metric = page.getByTestId("metric");
  await metric.waitFor();
  assert.equal(await metric.getByTestId("metric-series").textContent(), "4");
  await metric.click();
  await drawn(page);
  await untilQuery(page, `rate(${counter}[5m])`);
  assert.equal((await answerOf(page)).lines.length, 4);
  assert.match(await page.getByTestId("metric-count").textContent(), /4 series · counter/);
  await page.getByTestId("metric-value").filter({ hasText: "500" }).click();
  await untilQuery(page, `rate(${counter}{code="500"}[5m])`);
  await page.locator("[data-testid=sum-by][data-label=host]").click();
  await untilQuery(page, `sum by (host) (rate(${counter}{code="500"}[5m]))`);
  await drawn(page);
  assert.equal((await answerOf(page)).lines.length, 2);
  // By label: a value lists the metrics that have it. Each list keeps its own text.
  await page.getByTestId("by-label").click();
  assert.equal(await page.getByTestId("metric-text").inputValue(), "");
  await page.getByTestId("metric-text").fill("job");
  await page.locator("[data-testid=label][data-name=job]").click();
  await page.getByTestId("label-value").filter({ hasText: own.prefix }).click();
  await page.getByTestId("narrowed").waitFor();
  assert.equal(await page.getByTestId("metric-text").inputValue(), "", "all metrics with the label are listed");
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=metric]").length === 2);
  assert.equal(await page.evaluate(() => window.__xss), undefined);
}

async function worksByKeys(own) {
  const { gauge } = await names(own);
  const page = await own.explore();
  await page.getByTestId("query").press("Escape");
  await page.keyboard.press("p");
  await page.waitForURL(/lang=promql/);
  await page.keyboard.press("/");
  // The text area that is there before the editor suggests nothing.
  await page.locator(".code-editor .cm-content:focus").waitFor();
  await page.keyboard.type(gauge.slice(0, -2));
  await page.getByTestId("suggestions").waitFor();
  await page.keyboard.press("Tab");
  await untilQuery(page, gauge);
  await page.keyboard.press("Enter");
  await drawn(page);
  await page.getByTestId("metric-lines").focus();
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowUp");
  await page.locator(".line.read").waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/sel=/);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("Shift+ArrowLeft");
  await page.keyboard.press("Enter");
  await page.getByTestId("selection-logs").waitFor();
  await page.keyboard.press("Escape");
  // The list of metrics is one stop; arrows move in it.
  await page.getByTestId("metric").first().focus();
  await page.keyboard.press("ArrowDown");
  assert.ok(await page.getByTestId("metric").nth(1).evaluate((item) => item === document.activeElement));
  await page.keyboard.press("p");
  await page.waitForFunction(() => !location.search.includes("lang="));
  await settled(page);
  await page.keyboard.press("p");
  await page.waitForURL(/lang=promql/);
  assert.equal(parameter(page, "q"), gauge, "each language keeps its text");
}

async function fitsAndSpeaks(own) {
  const { counter } = await names(own);
  const page = await promql(own, `rate(${counter}[5m])`, {}, { viewport: { width: 380, height: 760 }, locale: "id-ID", colorScheme: "dark", hasTouch: true });
  await drawn(page);
  await page.getByRole("button", { name: /^Log di puncak/ }).first().waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  assert.ok((await page.getByTestId("metric-lines").boundingBox()).width > 300);
  await own.picture(page, "metrics-380-dark-id");
  await page.getByTestId("metric-logs").getByRole("button", { name: "Metrik", exact: true }).click();
  await page.getByTestId("metric").first().waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
}

/** On phones nothing covers the box with the query of the log lines. */
async function keepsTheLogQueryFree(own) {
  const { gauge } = await names(own);
  for (const [width, height, colorScheme] of [[375, 667, "light"], [375, 667, "dark"], [375, 740, "light"], [375, 740, "dark"]]) {
    const page = await promql(own, gauge, {}, { viewport: { width, height }, colorScheme, hasTouch: true });
    await drawn(page);
    await page.getByTestId("logs-at-peak").first().click();
    await page.waitForURL(/sel=/);
    await drawn(page);
    await page.locator("[data-testid=metric-logs] [data-testid=row]").first().waitFor();
    const isFree = await page.getByTestId("log-filter").evaluate((input) => {
      const { x, y, width, height } = input.getBoundingClientRect();
      return document.elementFromPoint(x + width / 2, y + height / 2) === input;
    });
    assert.ok(isFree, `${width} × ${height}`);
    await own.picture(page, `metrics-logs-${width}-${height}`);
  }
}

/** What a host or CloudWatch measures is no log line, whatever its events look like. */
async function leavesMetricsOut(own) {
  const { gauge } = await names(own);
  // Before the half-hour in which another check expects nothing but samples and log lines.
  const at = new Date(Date.now() - 45 * MINUTE).toISOString();
  const measured = [["host", { "@timestamp": at, host: "m-db", "cpu.user": 0.5 }], ["cloudwatch", { "@timestamp": at, "@type": "datum", name: "load", sum: 3 }]];
  for (const [group, event] of measured)
    await own.api(`/api/v1/ingest?group=metrics/${own.prefix}/${group}&format=ndjson`, { method: "POST", body: JSON.stringify(event) });
  const groups = [`${own.prefix}/hosts`, `metrics/${own.prefix}/*`];
  const page = await own.open(`/?${new URLSearchParams({ lang: "promql", q: gauge, groups })}`);
  await drawn(page);
  assert.deepEqual([...new Set((await logsOf(page)).map(({ group }) => group))], [`${own.prefix}/hosts`]);
}

async function sharesIt(own) {
  const { gauge } = await names(own);
  const page = await promql(own, gauge, {}, { permissions: ["clipboard-read", "clipboard-write"] });
  await drawn(page);
  await page.getByTestId("share").click();
  const csv = await fetch(await page.getByTestId("export").getAttribute("href")).then((answer) => answer.text());
  const [head, ...rows] = csv.trim().split(/\r?\n/);
  assert.match(head, /@timestamp.*host.*value/);
  assert.ok(rows.length >= 2 * 110, `${rows.length} rows`);
  await page.getByTestId("copy-command").click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), new RegExp(`--language promql --from 2.* --step 15s -o csv ${gauge}$`));
}

/** Samples and spans are events: the page says so, and one click leaves them out, visibly. */
async function leavesSamplesOut(own) {
  await names(own);
  const page = await own.open("/?from=now-30m");
  await settled(page);
  await page.getByTestId("hide-samples").click();
  await page.waitForFunction(() => /@type.*sample.*span/s.test(window.__catat.state.view.query));
  await settled(page);
  assert.ok((await rowsOf(page)).every(({ group }) => !group.startsWith("metrics/")));
  assert.equal(await page.getByTestId("samples-offer").count(), 0);
}

async function isAccessible(own) {
  own.expectsFailures = true;
  const { gauge, counter } = await names(own);
  for (const viewport of [{ width: 1280, height: 800 }, { width: 380, height: 760 }]) {
    const page = await promql(own, `rate(${counter}[5m])`, {}, { viewport });
    await drawn(page);
    await inBothThemes(page, (theme) => clean(page, theme));
    await page.getByTestId("metric-lines").focus();
    await page.keyboard.press("End");
    await inBothThemes(page, (theme) => clean(page, theme));
    await own.noteViolations(page);
    const wrong = await promql(own, `sum(${gauge}`, {}, { viewport });
    await wrong.getByTestId("metrics-failed").waitFor();
    await inBothThemes(wrong, (theme) => clean(wrong, theme));
  }
  const page = await promql(own, "");
  await page.getByTestId("metric-text").fill(counter);
  await page.getByTestId("metric").click();
  await page.getByTestId("metric-value").first().click();
  await drawn(page);
  await inBothThemes(page, (theme) => clean(page, theme));
}

export const metricChecks = [
  ["metrics: PromQL is drawn as lines with a legend and a crosshair", drawsLines],
  ["metrics: native histograms are drawn as a heatmap, with the buckets of an instant as a table", drawsHistograms],
  ["metrics: a heatmap in 380 pixels, dark, in Indonesian", fitsHistograms],
  ["metrics: a query in PromQL becomes a rule", makesARule],
  ["metrics: one click leads from a spike to the logs of its host and minute, and a link shows the same", leadsToLogs],
  ["metrics: a mistake is marked where it is", locatesMistakes],
  ["metrics: without series it says why, and what is similar", saysWhyThereIsNothing],
  ["metrics: it can be stopped, may lack samples, and may fail without the log lines", showsItsStates],
  ["metrics: they are listed by name and label with their numbers; clicks make and narrow the query", browsesMetrics],
  ["metrics: a quantile is summed by label with its buckets", sumsBuckets],
  ["metrics: events of metrics are no log lines", leavesMetricsOut],
  ["metrics: on phones the query of the log lines is not covered", keepsTheLogQueryFree],
  ["metrics: everything is done by keys", worksByKeys],
  ["metrics: 380 pixels, dark, in Indonesian", fitsAndSpeaks],
  ["metrics: accessible, light and dark, wide and small", isAccessible],
  ["metrics: files and commands ask the same", sharesIt],
  ["metrics: samples among the events are left out by a click", leavesSamplesOut],
];
