// Traces: the waterfall, the search with its scatter, the service map. Spans that a server stores come by OTLP; large and
// rare answers are made up.

import assert from "node:assert/strict";

import { mapOf, searchOf, traceOf } from "../../../web/mock_traces.mjs";
import { clean } from "./accessibility.mjs";
import { settled } from "./harness.mjs";

const SHOP = "4bf92f3577b34da6a3ce929d0e0e4736";
const LARGE = "f".repeat(32);
const CHARGE = "0000000000000009";
/** More rows than these are not mounted, however many spans there are. */
const MOUNTED_MAX = 80;

/** Opens a page whose answers about traces are `answers` by the end of their path; a function is asked each time. */
async function openWith(own, path, answers, options) {
  const page = await own.open("/start", options);
  const made = { search: () => searchOf({ limit: 1000 }), "service-map": () => mapOf(), [SHOP]: () => traceOf(SHOP), [LARGE]: () => traceOf(LARGE), ...answers };
  await page.route(/\/api\/v1\/(?:traces\/|service-map)/, async (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1);
    // Other names are ids of traces that a search found.
    const answer = await (made[name] ?? (() => traceOf(name)))(route.request());
    const { status = 200, ...body } = answer;
    await route.fulfill({ status, contentType: "application/json", body: JSON.stringify(body) }).catch(() => undefined);
  });
  await page.goto(own.url + path);
  return page;
}

const openTrace = async (own, path = `/trace/${SHOP}`, options = {}) => {
  const page = await openWith(own, path, {}, options);
  await page.getByTestId("span").first().waitFor();
  return page;
};
const row = (page, name) => page.getByTestId("span").filter({ hasText: name }).first();
const focused = (page, id) => page.waitForFunction((expected) => document.activeElement?.dataset.id === expected, id);

async function showsWhatWasSent(own) {
  const now = Date.now();
  const trace = (now * 4096 + 7).toString(16).padStart(32, "a");
  const [web, call, pay] = [1, 2, 3].map((n) => `${n}`.padStart(16, "b"));
  const span = (spanId, parentSpanId, name, kind, from, to, more = {}) => ({
    traceId: trace, spanId, parentSpanId, name, kind,
    startTimeUnixNano: `${now - 60_000 + from}000000`, endTimeUnixNano: `${now - 60_000 + to}000000`, ...more,
  });
  const of = (service, spans) => ({
    resource: { attributes: [{ key: "service.name", value: { stringValue: `${own.prefix}-${service}` } }] },
    scopeSpans: [{ scope: { name: "test" }, spans }],
  });
  const exception = [["exception.type", "CardError"], ["exception.stacktrace", "CardError: declined\n    at charge (pay.js:8)"]];
  const attributes = exception.map(([key, stringValue]) => ({ key, value: { stringValue } }));
  await own.send("POST", "/v1/traces", { resourceSpans: [
    of("web", [span(web, "", "GET /cart", 2, 0, 300), span(call, web, "POST /pay", 3, 50, 250)]),
    of("pay", [span(pay, call, "Charge", 2, 60, 240, { status: { code: 2, message: "declined" }, events: [{ timeUnixNano: `${now - 59_800}000000`, name: "exception", attributes }] })]),
  ] });
  await own.ingest("traced", [{ "@timestamp": new Date(now - 59_850).toISOString(), message: "card refused", level: "error", trace_id: trace, span_id: pay }]);
  const page = await own.open(`/?groups=${own.prefix}/traced`);
  await settled(page);
  await page.locator("[data-testid=row]").first().focus();
  await page.keyboard.press("T");
  await page.waitForURL(new RegExp(`/trace/${trace}#span=${pay}$`));
  await page.getByTestId("span-detail").filter({ hasText: "CardError" }).waitFor();
  assert.equal(await page.getByTestId("span").count(), 3);
  await page.getByTestId("trace-lines").click();
  await page.getByTestId("log-line").filter({ hasText: "card refused" }).waitFor();
  await page.goto(`${own.url}/traces?service=${own.prefix}-pay&errors=1`);
  await page.locator(`[data-testid=trace-row][data-id="${trace}"]`).filter({ hasText: "GET /cart" }).waitFor();
  await page.goto(`${own.url}/map?tab=table`);
  await page.getByTestId("map-edges").getByRole("link", { name: `${own.prefix}-web → ${own.prefix}-pay` }).click();
  await page.locator(`[data-testid=trace-row][data-id="${trace}"]`).waitFor();
}

async function showsTheTree(own) {
  const page = await openTrace(own);
  assert.equal(await page.getByTestId("span").count(), 13, "eleven spans, a missing one, and the lines without a span");
  await row(page, "Missing span 000000000000004d").waitFor();
  const levels = await page.getByTestId("span").evaluateAll((rows) => rows.map((one) => Number(one.getAttribute("aria-level"))));
  assert.deepEqual(levels.slice(0, 5), [1, 2, 3, 3, 2]);
  await page.getByTestId("trace-problems").filter({ hasText: "is missing" }).filter({ hasText: "clock of payment" }).waitFor();
  const [outer, inner] = [await row(page, "PlaceOrder").locator(".span-bar").boundingBox(), await row(page, "Charge").locator(".span-bar").boundingBox()];
  assert.ok(inner.x > outer.x && inner.x + inner.width <= outer.x + outer.width + 1, "the called span lies within its caller");
  assert.equal(await page.evaluate(() => document.querySelectorAll("main img").length), 0, "names are text");
}

async function isReadWithKeys(own) {
  const page = await openTrace(own);
  await focused(page, "0000000000000001");
  const errors = await page.locator("[data-testid=span].failed").evaluateAll((rows) => rows.map((one) => one.dataset.id));
  for (const id of [...errors.slice(1), errors[0]]) {
    await page.keyboard.press("e");
    await focused(page, id);
  }
  await page.keyboard.press("E");
  await focused(page, errors.at(-1));
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowLeft");
  await page.locator("[data-testid=span][aria-expanded=false]").filter({ hasText: "3 errors" }).waitFor();
  assert.equal(await page.getByTestId("span").count(), 1 + 1, "the root and the lines without a span");
  await page.keyboard.press("e");
  await focused(page, errors[1]);
  await page.keyboard.press("Enter");
  await page.waitForURL(new RegExp(`#span=${errors[1]}$`));
  await page.getByTestId("span-detail").waitFor();
  await page.keyboard.press("Escape");
  await page.getByTestId("span-detail").waitFor({ state: "detached" });
  await page.keyboard.press("/");
  await page.keyboard.type("postgresql");
  await page.getByTestId("trace-matches").filter({ hasText: "2 spans match" }).waitFor();
  await page.keyboard.press("Enter");
  await focused(page, "0000000000000004");
  await page.keyboard.press("n");
  await focused(page, "0000000000000005");
  await page.keyboard.press("?");
  await page.locator('[data-testid=key][data-keys=\'["e"]\']').waitFor();
}

async function opensASpan(own) {
  const page = await openTrace(own, `/trace/${SHOP}#span=${CHARGE}`);
  await focused(page, CHARGE);
  const detail = page.getByTestId("span-detail");
  await detail.filter({ hasText: "clock of payment" }).waitFor();
  await detail.getByTestId("span-event").filter({ hasText: "card declined" }).getByTestId("frames").click();
  await detail.getByText("node_modules/retry").waitFor();
  await detail.getByRole("link", { name: /^Span b+ of trace a+$/ }).waitFor();
  await clean(page);
  await own.picture(page, "trace-span");
  await detail.getByRole("link", { name: "Lines and span in Explore" }).click();
  await page.waitForFunction((id) => window.__catat.state.view.query === `filter span_id = "${id}"`, CHARGE);
}

async function showsLines(own) {
  const page = await openTrace(own);
  assert.equal(await row(page, "Charge").locator(".log-tick").count(), 3);
  await row(page, "Charge").click({ position: { x: 4, y: 4 } });
  await page.getByTestId("span-detail").waitFor();
  await page.keyboard.press("l");
  await page.getByTestId("log-line").filter({ hasText: "card gateway: retry 2" }).filter({ hasText: "+300 ms" }).click();
  await page.getByTestId("span-detail").filter({ hasText: "app/shop" }).waitFor();
  await page.getByTestId("trace-lines").click();
  await page.getByTestId("log-line").filter({ hasText: "cart 7731 loaded" }).waitFor();
}

async function staysFluid(own) {
  const page = await openTrace(own, `/trace/${LARGE}`);
  await page.getByTestId("trace-facts").filter({ hasText: "10,000 spans" }).waitFor();
  const seen = await page.evaluate(async () => {
    const box = document.querySelector("[data-testid=trace-page]");
    let most = 0;
    for (let n = 0; n < 60; n += 1) {
      box.scrollTop += 4000;
      await new Promise((done) => requestAnimationFrame(done));
      most = Math.max(most, document.querySelectorAll("[data-testid=span]").length);
    }
    return { most, atEnd: box.scrollTop + box.clientHeight >= box.scrollHeight - 4000 * 10 };
  });
  assert.ok(seen.most > 10 && seen.most <= MOUNTED_MAX, `${seen.most} rows are mounted`);
  await page.keyboard.press("End");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-rowindex") === "10001");
  await page.getByTestId("trace-find").fill("item 4500 failed");
  await page.keyboard.press("Enter");
  await focused(page, (4500).toString(16).padStart(16, "0"));
}

async function saysHowATraceIs(own) {
  own.expectsFailures = true;
  let answer = () => new Promise(() => undefined);
  const page = await openWith(own, `/trace/${SHOP}`, { [SHOP]: () => answer() });
  await page.getByTestId("trace-loading").waitFor();
  await clean(page);
  answer = () => ({ status: 500, error: { code: "x", message: "the disk is away" } });
  await page.reload();
  await page.getByRole("alert").filter({ hasText: "the disk is away" }).waitFor();
  answer = () => ({ status: 404, error: { code: "not-found", message: "no event has the trace id", hint: "it may be older" } });
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByTestId("trace-none").filter({ hasText: "it may be older" }).waitFor();
  await clean(page);
  answer = () => ({ ...traceOf(SHOP), partial: true, partial_reasons: [{ code: "damaged", message: "block 7 is damaged" }] });
  await page.reload();
  await page.getByTestId("partial").filter({ hasText: "block 7 is damaged" }).waitFor();
  answer = () => traceOf("e".repeat(32));
  await page.reload();
  await page.getByTestId("log-line").nth(2).waitFor();
}

async function searches(own) {
  const bodies = [];
  const page = await openWith(own, "/traces", {
    search: (request) => {
      bodies.push(request.postDataJSON());
      return searchOf(bodies.at(-1));
    },
  });
  await page.getByTestId("traces-count").filter({ hasText: "700 traces" }).waitFor();
  const form = page.getByTestId("trace-search");
  await form.getByLabel("Service").fill("payment");
  await form.getByLabel("Attributes").fill('http.route=/cart code="503" n=2');
  await form.getByLabel("At least").fill("soon");
  await form.getByRole("button", { name: "Search" }).click();
  await form.getByRole("alert").waitFor();
  await form.getByLabel("At least").fill("1.5s");
  await form.getByLabel("Only errors").check();
  await form.getByLabel("Order").selectOption("slowest");
  await page.keyboard.press("Enter");
  await page.waitForURL(/order=slowest/);
  await page.getByTestId("traces-count").filter({ hasNotText: "700" }).waitFor();
  const { from, ...asked } = bodies.at(-1);
  assert.ok(Math.abs(Date.parse(from) - (Date.now() - 3_600_000)) < 60_000);
  assert.deepEqual(asked, { service: "payment", attributes: { "http.route": "/cart", code: "503", n: 2 }, min_duration_ms: 1500, errors: true, order: "slowest", limit: 1000 });
  await page.getByTestId("trace-row").first().getByRole("link").click();
  await page.waitForURL(/\/trace\//);
  await page.goBack();
  assert.equal(await form.getByLabel("Attributes").inputValue(), 'http.route=/cart code="503" n=2');
}

async function narrowsByDragging(own) {
  const page = await openWith(own, "/traces", {});
  await page.getByTestId("traces-count").filter({ hasText: "700 traces" }).waitFor();
  const box = await page.getByTestId("scatter").locator("svg").boundingBox();
  await page.mouse.move(box.x + 200, box.y + 4);
  await page.mouse.down();
  await page.mouse.move(box.x + 900, box.y + 60, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/area=/);
  const n = Number(/^(\d+) of 700/.exec(await page.getByTestId("traces-count").textContent())[1]);
  assert.equal(await page.getByTestId("trace-row").count(), Math.min(n, 100));
  assert.ok(n > 0 && n < 100, `${n} traces are above the others`);
  await page.getByTestId("trace-compare").filter({ hasText: "passes through payment: 100 %" }).waitFor();
  await clean(page);
  await page.getByTestId("clear-area").click();
  await page.getByTestId("traces-count").filter({ hasText: "700 traces" }).waitFor();
  const dot = await page.locator(".dot.failed").first().boundingBox();
  await page.mouse.click(dot.x + dot.width / 2, dot.y + dot.height / 2);
  await page.waitForURL(/\/trace\/[0-9a-f]{32}/);
}

async function drawsTheMap(own) {
  const asked = [];
  const page = await openWith(own, "/map", { "service-map": (request) => {
    asked.push(new URL(request.url()).searchParams);
    return mapOf();
  } });
  await page.getByTestId("map-node").nth(8).waitFor();
  const [range] = asked;
  assert.equal(Date.parse(range.get("compare_to")) - Date.parse(range.get("compare_from")), 3_600_000 - 1, "the hour before");
  assert.equal(Date.parse(range.get("from")) - Date.parse(range.get("compare_to")), 1);
  const boxes = await page.getByTestId("map-node").locator(".shape").evaluateAll((nodes) => nodes.map((one) => one.getBoundingClientRect().toJSON()));
  for (const [n, a] of boxes.entries()) for (const b of boxes.slice(n + 1)) assert.ok(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top, "no node covers another");
  assert.equal(await page.locator(".map-node.worse").count(), 3);
  await page.locator("[data-testid=map-edge][aria-label^='web calls checkout']").focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/traces\?service=checkout&.*through=web/);
  await page.getByTestId("trace-limits").getByRole("button", { name: /with a span of web/ }).click();
  await page.waitForURL((url) => !url.search.includes("through"));
  await page.goBack();
  await page.goBack();
  await page.getByTestId("map-tab-table").click();
  const cells = await page.getByTestId("map-nodes").getByRole("row").filter({ hasText: "120 requests name callers that sent no span" }).textContent();
  assert.match(cells, /checkout.*9\.5 %.*900 ms/s);
  assert.equal(await page.getByTestId("map-edges").getByTestId("map-row").count(), mapOf().edges.length);
}

async function saysHowTheyAre(own) {
  own.expectsFailures = true;
  for (const [path, name, none, about] of [["/traces", "search", "traces-none", { traces: [] }], ["/map", "service-map", "map-none", { nodes: [], edges: [] }]]) {
    let answer = () => new Promise(() => undefined);
    const page = await openWith(own, path, { [name]: () => answer() });
    await page.getByTestId(path === "/map" ? "map-loading" : "traces-loading").waitFor();
    answer = () => ({ status: 500, error: { code: "x", message: "the disk is away" } });
    await page.reload();
    await page.getByRole("alert").filter({ hasText: "the disk is away" }).waitFor();
    answer = () => ({ ...about, partial: true, partial_reasons: [{ code: "damaged", message: "block 7 is damaged" }] });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByTestId(none).waitFor();
    await page.getByTestId("partial").filter({ hasText: "block 7 is damaged" }).waitFor();
    await clean(page);
  }
}

async function fits(own, colorScheme, width) {
  // As many traces as a list has at most in sight: axe takes its time for each dot.
  const answers = { search: () => searchOf({ limit: 40 }) };
  for (const [name, path, ready] of [["trace", `/trace/${SHOP}`, "span"], ["traces", "/traces", "trace-row"], ["map", "/map", "map-node"], ["map-table", "/map?tab=table", "map-row"]]) {
    const page = await openWith(own, path, answers, { viewport: { width, height: 860 }, colorScheme, reducedMotion: "reduce" });
    await page.getByTestId(ready).first().waitFor();
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${name} is ${over} px too wide at ${width}`);
    await clean(page, colorScheme);
    await own.picture(page, `${name}-${width}-${colorScheme}`);
  }
}

export const traceChecks = [
  ["traces: spans sent by OTLP are a waterfall, opened by a key from a log line, found and on the map", showsWhatWasSent],
  ["traces: the waterfall is a tree on a common axis, and says what is missing", showsTheTree],
  ["traces: errors, levels and matches are reached by keys", isReadWithKeys],
  ["traces: a link opens a span with its exception, links and clock", opensASpan],
  ["traces: log lines are ticks, and rows where wanted", showsLines],
  ["traces: ten thousand spans mount a screen of rows", staysFluid],
  ["traces: waiting, failing, missing, partial and lines alone are said", saysHowATraceIs],
  ["traces: a search asks what the form has, and is in the address", searches],
  ["traces: dragging narrows the list and compares, a dot opens its trace", narrowsByDragging],
  ["traces: the map leads to the traces of an edge, and is a table too", drawsTheMap],
  ["traces: search and map say that they wait, fail and have nothing", saysHowTheyAre],
  ...["light", "dark"].flatMap((scheme) => [1280, 380].map((width) => [`traces: accessible and not too wide at ${width}, ${scheme}`, (own) => fits(own, scheme, width)])),
];
