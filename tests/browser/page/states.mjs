// Every state that rows, counts and fields can be in, forced by what the server says or does not say, under axe in both themes.

import assert from "node:assert/strict";

import { clean } from "./accessibility.mjs";
import { settled } from "./harness.mjs";
import { Between } from "./slow.mjs";

const QUERY = /POST .*\/query/;
const HISTOGRAM = /\/histogram/;
const FIELDS = /GET .*\/fields\?/;

const json = (value) => `${JSON.stringify(value)}\n`;
const COLUMNS = json({ columns: ["@timestamp", "@level", "@log", "@logStream", "@message", "@id"].map((name) => ({ name, type: "any" })) });
const row = (n) => json([new Date(Date.now() - n * 1000).toISOString(), "info", "app/web", "s", `line ${n}`, `id${n}`]);
const ROWS = COLUMNS + row(1) + row(2) + row(3);
const end = (more = {}) => json({ stats: { events_scanned: 3, elapsed_ms: 4 }, more: false, partial: false, partial_reasons: [], warnings: [], ...more });
const PARTIAL = { partial: true, partial_reasons: [{ code: "damaged", message: "segment 7.seg could not be read" }] };
const failure = (message, hint) => ({ status: 503, type: "application/json", answer: json({ error: { code: "busy", message, hint } }) });

/** Each state: how it comes about, and what must be said then. */
const states = {
  "loading": async (open, between) => {
    between.rule(QUERY, { hold: true });
    const page = await open();
    await page.getByTestId("progress").waitFor();
    assert.match(await page.getByTestId("loading").textContent(), /Searching….*Cancel/);
    return page;
  },
  "loading, with rows so far": async (open, between) => {
    between.rule(QUERY, { answer: ROWS + json({ progress: { events_scanned: 12_000_000, bytes_read: 9_100_000_000, segments_total: 40, segments_done: 13 } }), stall: true });
    const page = await open();
    await page.getByText("line 3").waitFor();
    await page.waitForFunction(() => /9.1 GB read · 12M events scanned · 13 of 40 segments/.test(document.querySelector("[data-testid=progress]")?.textContent ?? ""));
    assert.match(await page.getByTestId("shown").textContent(), /3 events so far/);
    return page;
  },
  "cancelled": async (open, between) => {
    between.rule(QUERY, { hold: true });
    const page = await open();
    await page.getByTestId("cancel").click();
    assert.match(await page.getByTestId("failed").textContent(), /Cancelled.*Try again/);
    return page;
  },
  "partial, in every lane": async (open, between) => {
    between.rule(QUERY, { answer: ROWS + end(PARTIAL) });
    between.rule(HISTOGRAM, { type: "application/json", answer: json({ buckets: [], interval_ms: 60_000, stats: {}, ...PARTIAL }) });
    between.rule(FIELDS, { type: "application/json", answer: json({ fields: [], ...PARTIAL }) });
    const page = await open();
    await settled(page);
    for (const [part, said] of [["results", "This answer is incomplete."], ["histogram", "These counts are incomplete."], ["sidebar", "Some fields are missing."]]) {
      const note = page.getByTestId(part).getByTestId("partial");
      await note.waitFor({ state: "attached" });
      assert.equal(await note.textContent(), `${said} Segment 7.seg could not be read.`);
    }
    return page;
  },
  "failed, in every lane": async (open, between) => {
    for (const lane of [QUERY, HISTOGRAM, FIELDS]) between.rule(lane, failure("too many queries run already", "try again in a moment"));
    const page = await open();
    assert.match(await page.getByTestId("failed").textContent(), /The query failed.*too many queries.*try again in a moment.*Try again/);
    for (const part of ["histogram", "sidebar"]) await page.getByTestId(part).locator("button", { hasText: "Try again" }).waitFor({ state: "attached" });
    return page;
  },
  "stale": async (open, between) => {
    const first = between.rule(QUERY, { answer: ROWS + end() });
    const page = await open();
    await settled(page);
    first.release();
    between.rule(QUERY, failure("too many queries run already"));
    await page.getByTestId("run").click();
    assert.match(await page.getByTestId("broken").textContent(), /failed at \d\d:\d\d:\d\d.*too many queries.*from the previous query.*Try again/);
    await page.getByText("line 3").waitFor();
    return page;
  },
  "broken off": async (open, between) => {
    const answer = between.rule(QUERY, { answer: ROWS, stall: true });
    const page = await open();
    await page.getByText("line 3").waitFor();
    answer.release();
    assert.match(await page.getByTestId("broken").textContent(), /broke off at .*after 3 rows/);
    await page.getByText("line 3").waitFor();
    return page;
  },
  "no match": async (open, between) => {
    const newest = "2026-01-02T03:04:05Z";
    between.rule(/filter a = 1 and b = 2\\n\| fields/, { answer: COLUMNS + end({ warnings: [{ code: "newest-event", message: "", hint: newest }] }) });
    between.rule(/"filter b = 2\\n\| stats/, { type: "application/json", answer: json({ columns: [{ name: "n", type: "integer" }], rows: [[0]], stats: {} }) });
    between.rule(/"filter a = 1\\n\| stats/, { type: "application/json", answer: json({ columns: [{ name: "n", type: "integer" }], rows: [[1234]], stats: {} }) });
    const page = await open({ q: "filter a = 1 and b = 2", tz: "utc" });
    await page.waitForFunction(() => [...document.querySelectorAll("[data-testid=without]")].map((one) => one.textContent).join() === "0 events,1,234 events");
    assert.match(await page.getByTestId("newest").textContent(), /2026-01-02 03:04:05/);
    return page;
  },
  "held": async (open) => {
    const page = await open({ q: "filter a = 1" });
    await settled(page);
    await page.waitForFunction(() => sessionStorage.getItem("catat.running") === null);
    // As it is when a page has ended in the middle of a query.
    const at = await page.evaluate(() => {
      const view = window.__catat.state.view;
      sessionStorage.setItem("catat.running", JSON.stringify([view.query, view.from, view.to, view.groups]));
      return performance.now();
    });
    // Who loads a page anew as soon as it was asked has waited for nothing.
    await page.waitForFunction((begun) => performance.now() > begun + 1500, at);
    await page.reload();
    assert.match(await page.getByTestId("held").textContent(), /was running when the page last closed.*Run it.*Change it/);
    assert.doesNotMatch(await page.getByTestId("total").textContent(), /Counting/);
    return page;
  },
  "explained": async (open) => {
    const page = await open({ q: "filter @message like 'haystack' | stats count(*) by service" });
    await settled(page);
    await page.getByTestId("cost").click();
    await page.getByTestId("plan").waitFor();
    return page;
  },
  "finding": async (open, between) => {
    between.rule(QUERY, { answer: ROWS + end() });
    const page = await open();
    await page.getByText("line 3").waitFor();
    await page.getByText("line 1").click();
    await page.keyboard.press("Control+f");
    await page.getByTestId("find-text").fill("line");
    await page.waitForFunction(() => document.querySelector("[data-testid=find-count]").textContent === "1 of 3");
    return page;
  },
};

function story(name, make, colorScheme, viewport) {
  return async (own) => {
    own.expectsFailures = true;
    const between = await Between.before(own.url);
    const mine = Object.create(own, { url: { value: between.url } });
    try {
      const page = await make((params = {}) => mine.open(`/?${own.scope}&${new URLSearchParams(params)}`, { colorScheme, reducedMotion: "reduce", viewport }), between);
      await clean(page);
      await own.noteViolations(page);
      await own.picture(page, `state-${name.replaceAll(/\W+/g, "-")}-${colorScheme}-${viewport.width}`);
    } finally {
      await own.closePages();
      await between.stop();
    }
  };
}

export const stateChecks = Object.entries(states).flatMap(([name, make]) => [
  [`row 26, states: ${name}, light`, story(name, make, "light", { width: 1280, height: 800 })],
  [`row 26, states: ${name}, dark, on a small screen`, story(name, make, "dark", { width: 380, height: 760 })],
]);
