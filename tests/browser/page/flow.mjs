// It never hangs, and says so: rows that arrive as a stream, questions that are given up, servers that are slow or die.

import assert from "node:assert/strict";

import { ask, isInQuery, rowsOf, settled } from "./harness.mjs";
import { Between } from "./slow.mjs";

const LINES = 6000;
const LINE_CHARS = 2000;
/** More rows than catat holds for a stream that nobody reads, so that its query waits for its reader. */
const ALL = `limit ${LINES}`;

let sent = null;

/** Six thousand long lines of one group, sent once. */
async function sendLines(own) {
  sent ??= (async () => {
    const now = Date.now();
    for (let from = 0; from < LINES; from += 1500) {
      const events = Array.from({ length: 1500 }, (_, n) => ({ "@timestamp": new Date(now - 60_000 - (from + n)).toISOString(), message: `flow ${from + n} ${"x".repeat(LINE_CHARS)}`, level: "info", turn: (from + n) % 7 }));
      await own.ingest("flow", events);
    }
    await own.ingest("huge", [{ "@timestamp": new Date(now - 60_000).toISOString(), message: `huge ${"y".repeat(999_900)} end`, level: "info" }]);
  })();
  await sent;
}

/** Runs a check with a server in between; `open` opens the page through it. */
function through(check) {
  return async (own) => {
    await sendLines(own);
    const between = await Between.before(own.url);
    const mine = Object.create(own, { url: { value: between.url } });
    const open = async (params = {}, options = {}) => {
      const search = new URLSearchParams({ groups: `${own.prefix}/flow`, ...params }).toString();
      return mine.open(`/?${search}`, options);
    };
    try {
      await check({ own, mine, between, open });
    } finally {
      await own.closePages();
      await between.stop();
    }
  };
}

const loaded = (page) => page.evaluate(() => window.__catat.rows.length);
const stateOf = (page) => page.evaluate(() => window.__catat.state.rows);
/** Waits until something holds here, outside of the page. */
export async function until(holds, what) {
  for (let turn = 0; turn < 400; turn += 1) {
    if (await holds()) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  assert.fail(`in vain: ${what}`);
}

const firstRowsComeEarly = through(async ({ between, open }) => {
  const stall = between.rule(/POST .*api\/v1\/query/, { stall: 400_000 });
  const page = await open({ q: ALL });
  await page.locator("[data-testid=row]").first().waitFor();
  assert.equal(await stateOf(page), "loading");
  const n = await loaded(page);
  assert.ok(n > 0 && n < LINES, `${n} rows`);
  await page.getByTestId("progress").waitFor();
  assert.match(await page.getByTestId("shown").textContent(), /so far/);
  stall.release();
  await settled(page);
  assert.equal(await loaded(page), LINES);
  assert.ok(await page.locator("[data-testid=row]").count() <= 60);
});

const cancelReachesTheServer = through(async ({ own, between, open }) => {
  const running = async () => (await own.api("/api/v1/queries")).queries.filter((one) => one.query.includes("turn < 900"));
  const stall = between.rule(/turn < 900/, { stall: 400_000 });
  const page = await open({ q: `filter turn < 900 | ${ALL}` });
  await page.locator("[data-testid=row]").first().waitFor();
  await until(async () => (await running()).length === 1, "the query runs at the server");
  await page.getByTestId("cancel").click();
  await until(async () => (await running()).length === 0, "the query is gone at the server");
  assert.match(await page.getByTestId("broken").textContent(), /Cancelled at \d\d:\d\d:\d\d.*after [\d,]+ rows/);
  assert.ok(await loaded(page) > 0, "the rows stay");
  stall.release();
  await page.getByTestId("broken").getByRole("button").click();
  await settled(page);
  assert.equal(await loaded(page), LINES);
});

const newQuestionsEndOldOnes = through(async ({ between, open }) => {
  const hold = between.rule(/turn(?:\+%3D| =)/, { hold: true });
  const page = await open();
  await settled(page);
  await page.getByTestId("query").fill("filter turn = 3");
  await page.getByTestId("query").press("Enter");
  const held = () => between.of("turn").filter((one) => /api\/v1\/(?:query|histogram|fields\?)/.test(one.path));
  await until(() => held().length === 3, "rows, counts and fields are asked for");
  await ask(page, "");
  await until(() => held().every((one) => one.isLost), "all three are given up");
  hold.release();

  // Older rows, the values of a field, an open row.
  const older = between.rule(/POST .*query.*"to":"20/, { hold: true });
  const box = page.getByTestId("rows");
  await box.evaluate((rows) => { rows.scrollTop = rows.scrollHeight; });
  const asked = () => between.of('"to":"20').filter((one) => one.path.includes("/query"));
  await until(() => asked().length === 1, "older rows are asked for");
  await ask(page, "limit 50");
  await until(() => asked().every((one) => one.isLost), "older rows are given up");
  older.release();
  const values = between.rule(/\/values/, { hold: true });
  await page.locator("[data-testid=field][data-name=turn]").click();
  await until(() => between.of("/values").length === 1, "values are asked for");
  await page.locator("[data-testid=field][data-name=turn]").click();
  await until(() => between.of("/values")[0].isLost, "values are given up");
  values.release();
  const detail = between.rule(/filter @id/, { hold: true });
  await page.locator("[data-testid=row]").first().click();
  await until(() => between.of("filter @id").length === 1, "a row's fields are asked for");
  await page.locator("[data-testid=row]").first().click();
  await until(() => between.of("filter @id")[0].isLost, "a row's fields are given up");
  detail.release();
});

const leavingEndsQuestions = through(async ({ between, open }) => {
  const hold = between.rule(/POST .*query/, { hold: true, times: 1 });
  const page = await open();
  await until(() => between.of("POST /api/v1/query").length === 1, "rows are asked for");
  await page.getByTestId("nav-alerts").click();
  await until(() => between.of("POST /api/v1/query")[0].isLost, "they are given up");
  hold.release();
  await page.getByTestId("nav-explore").click();
  await page.locator("[data-testid=row]").first().waitFor();
});

const saysWhenTheServerDies = through(async ({ own, between, open }) => {
  own.expectsFailures = true;
  const stall = between.rule(/POST .*query/, { stall: 400_000, times: 1 });
  const page = await open({ q: ALL });
  await page.locator("[data-testid=row]").first().waitFor();
  stall.breakOff();
  const note = page.getByTestId("broken");
  await note.waitFor();
  assert.match(await note.textContent(), /broke off at \d\d:\d\d:\d\d.*after [\d,]+ rows/);
  const n = await loaded(page);
  assert.ok(n > 0 && n < LINES, `${n} rows stay`);
  await page.locator("[data-testid=row]").first().waitFor();
  await note.getByRole("button", { name: "Try again" }).click();
  await settled(page);
  assert.equal(await note.count(), 0);
  assert.equal(await loaded(page), LINES);
});

const saysErrorsOfTheMiddle = through(async ({ between, open }) => {
  const lines = [{ columns: ["@timestamp", "@level", "@log", "@logStream", "@message", "@id"].map((name) => ({ name, type: "any" })) },
    [new Date().toISOString(), "info", "g", "s", "the one that came", "id1"], { error: { code: "memory", message: "query needs more memory" } }];
  between.rule(/POST .*query/, { answer: lines.map((line) => `${JSON.stringify(line)}\n`).join("") });
  const page = await open();
  assert.match(await page.getByTestId("broken").textContent(), /after 1 rows?: query needs more memory/);
  await page.getByText("the one that came").waitFor();
});

const previewsAggregations = through(async ({ between, open }) => {
  const columns = [{ name: "host", type: "any" }, { name: "n", type: "any" }];
  const head = [{ columns }, { progress: { events_scanned: 1_200_000, bytes_read: 3_000_000, segments_total: 8, segments_done: 2, rows: [["web-1", 7]] } }];
  const stall = between.rule(/POST .*query/, { answer: head.map((line) => `${JSON.stringify(line)}\n`).join(""), stall: true });
  const page = await open({ q: "stats count(*) as n by host" });
  await page.getByTestId("table").getByText("web-1").waitFor();
  assert.equal(await stateOf(page), "loading");
  assert.match(await page.getByTestId("progress").textContent(), /3.0 MB read · 1.2M events scanned · 2 of 8 segments/);
  // A page that is still there would complain of an answer without its end.
  await page.close();
  stall.release();
});

const longLinesAreCheap = through(async ({ own, open }) => {
  const page = await open({ groups: `${own.prefix}/huge` });
  await settled(page);
  const [row] = await rowsOf(page);
  assert.ok(row.message.length <= 4096, `${row.message.length} characters are kept`);
  assert.ok(await page.locator("[data-testid=row] *").count() <= 40, "few nodes");
  assert.ok((await page.locator("[data-testid=row]").textContent()).length < 1200);
  await page.locator("[data-testid=row]").click();
  await page.getByTestId("show-more").first().waitFor();
  await page.getByTestId("tab-raw").click();
  // More comes in steps.
  const more = page.getByTestId("raw").getByTestId("show-more");
  while (await more.count() > 0) await more.click();
  assert.match(await page.getByTestId("raw").textContent(), /y end$/);
});

/** An answer of so many rows, as the server writes it. */
export function longAnswer(n) {
  const now = Date.now();
  const columns = ["@timestamp", "@level", "@log", "@logStream", "@message", "@id"].map((name) => ({ name, type: "any" }));
  const rows = Array.from({ length: n }, (_, at) => JSON.stringify([new Date(now - at).toISOString(), "info", "g", "s", `row ${at} of many`, `id${at}`]));
  return [JSON.stringify({ columns }), ...rows, JSON.stringify({ stats: {}, more: false, partial: false, warnings: [] }), ""].join("\n");
}

const holdsAHundredThousand = through(async ({ between, open }) => {
  between.rule(/POST .*query/, { answer: longAnswer(100_000) });
  const page = await open();
  await settled(page);
  assert.equal(await loaded(page), 100_000);
  const box = page.getByTestId("rows");
  for (const part of [0, 0.37, 0.8, 1]) {
    await box.evaluate((rows, part) => { rows.scrollTop = rows.scrollHeight * part; }, part);
    await page.waitForFunction((part) => {
      const first = document.querySelector("[data-testid=row]");
      return Math.abs(Number(first.getAttribute("aria-rowindex")) - 100_000 * part) < 200;
    }, part);
    assert.ok(await page.locator("[data-testid=row]").count() <= 60, "few rows are mounted");
  }
  await page.getByText("row 99999 of many").waitFor();
  // Finding looks through all of them, mounted or not, and filters nothing away.
  await box.evaluate((rows) => { rows.scrollTop = 0; });
  await page.locator("[data-testid=row]").first().click();
  await page.keyboard.press("Control+f");
  await page.getByTestId("find-text").fill("ROW 7654");
  await page.waitForFunction(() => document.querySelector("[data-testid=find-count]").textContent === "1 of 11");
  await page.locator("[data-testid=row].here mark.found").getByText("row 7654").waitFor();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("[data-testid=find-count]").textContent === "2 of 11");
  await page.getByTestId("find-next").click();
  assert.equal(await loaded(page), 100_000);
  await page.locator("[data-testid=row].here").focus();
  await page.keyboard.press("N");
  await page.waitForFunction(() => document.querySelector("[data-testid=find-count]").textContent === "2 of 11");
  await page.keyboard.press("n");
  await page.waitForFunction(() => document.querySelector("[data-testid=find-count]").textContent === "3 of 11");
  await page.locator("[data-testid=row].here").getByText("row 76541 of many").waitFor();
  await page.getByTestId("find-text").press("Escape");
  assert.equal(await page.getByTestId("find").count(), 0);
});

const standsWhenRowsAboveGrow = through(async ({ between, open }) => {
  const hold = between.rule(/filter @id/, { hold: true });
  const page = await open();
  await settled(page);
  await page.locator("[data-testid=row]").first().click();
  await page.getByTestId("detail").waitFor();
  const box = page.getByTestId("rows");
  await box.evaluate((rows) => { rows.scrollTop = rows.querySelector("[data-testid=detail]").offsetHeight + 25 + 60; });
  /** The first row that is wholly seen and how far from the top it is, once it is drawn. */
  const place = () => box.evaluate(async (rows) => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
    const top = rows.getBoundingClientRect().top + 30;
    const seen = [...rows.querySelectorAll("[data-testid=row]")].find((row) => row.getBoundingClientRect().top >= top);
    return `${seen?.dataset.id} ${Math.round((seen?.getBoundingClientRect().top ?? 0) - top)}`;
  });
  const before = await place();
  const tall = await box.evaluate((rows) => rows.scrollHeight);
  // The open row is just above what is seen, and still drawn, when the rest of its fields arrives.
  hold.release();
  await page.waitForFunction((tall) => document.querySelector("[data-testid=rows]").scrollHeight > tall, tall);
  assert.equal(await place(), before);
  // Older rows come below: what is read stays.
  await box.evaluate((rows) => { rows.scrollTop = rows.scrollHeight - rows.clientHeight - 1000; });
  const read = await place();
  await page.waitForFunction(() => window.__catat.rows.length > 1000);
  assert.equal(await place(), read);
});

const fewRequestsForQuickSteps = through(async ({ between, open }) => {
  const page = await open();
  await settled(page);
  await page.locator("[data-testid=row]").first().waitFor();
  await page.evaluate(() => document.activeElement?.blur());
  const before = between.of("/histogram").length;
  const steps = 10;
  await page.evaluate((steps) => {
    for (let step = 0; step < steps; step += 1) document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", altKey: true, bubbles: true, cancelable: true }));
  }, steps);
  await settled(page);
  const asked = between.of("/histogram").slice(before);
  assert.ok(asked.length <= 2, `${asked.length} requests for ${steps} steps`);
  const from = new URL(page.url()).searchParams.get("from");
  assert.equal(new URL(asked.at(-1).path, "http://x").searchParams.get("from"), from, "the last one is about what is shown");
});

const lanesAreApart = through(async ({ own, between, open }) => {
  own.expectsFailures = true;
  const hold = between.rule(/\/histogram/, { hold: true });
  const page = await open();
  await page.locator("[data-testid=row]").first().waitFor();
  await page.locator("[data-testid=field][data-name=turn]").waitFor();
  assert.equal(await page.evaluate(() => window.__catat.state.histogram), "loading");
  assert.match(await page.getByTestId("total").textContent(), /Counting/);
  hold.release();
  await settled(page);
  // What fails later leaves what was there, and says that it is not the answer.
  const broken = between.rule(/\/(?:histogram|fields\?)/, { status: 500, type: "application/json", answer: '{"error":{"code":"x","message":"no counts today"}}' });
  await ask(page, "filter turn = 1");
  await page.getByTestId("histogram").getByText("These counts are from the previous query: no counts today.").waitFor();
  await page.getByTestId("sidebar").getByText("These fields are from the previous query: no counts today.").waitFor();
  assert.ok((await rowsOf(page)).length > 800, "the rows are there");
  broken.release();
  await page.getByTestId("histogram").getByRole("button", { name: "Try again" }).click();
  await page.getByTestId("sidebar").getByRole("button", { name: "Try again" }).click();
  await settled(page);
  await page.getByText("from the previous query").first().waitFor({ state: "detached" });
});

const shapedRowsHaveIds = through(async ({ between, open }) => {
  const page = await open({ q: "drop turn | limit 20" });
  await settled(page);
  const ids = (await rowsOf(page)).map((row) => row.id);
  assert.equal(new Set(ids).size, 20);
  assert.ok(ids.every((id) => /^[0-9a-z]{20,}$/.test(id)), `${ids[0]} is an id`);
  assert.equal(between.of("POST /api/v1/query").length, 1);
});

const isNotRunAgainAfterACrash = through(async ({ between, open }) => {
  const hold = between.rule(/POST .*query/, { hold: true });
  const page = await open({ q: "filter turn >= 0" });
  await until(() => between.of("POST /api/v1/query").length === 1, "rows are asked for");
  // Whoever loads a page anew at once has not waited for anything: some time passes.
  await page.waitForFunction(() => performance.now() > 3000);
  await page.reload();
  await page.getByTestId("held").waitFor();
  assert.equal(between.of("POST /api/v1/query").length, 1, "it is not run again by itself");
  assert.equal(between.of("/histogram").length, 1, "nor are its counts");
  hold.release();
  await page.getByTestId("held-change").click();
  assert.ok(await isInQuery(page));
  await page.getByTestId("held-run").click();
  await page.locator("[data-testid=row]").first().waitFor();
  await settled(page);
  // Its rows are on screen: from now on it is asked again.
  await page.waitForFunction(() => sessionStorage.getItem("catat.running") === null);
  await page.reload();
  await page.locator("[data-testid=row]").first().waitFor();
});

const saysWhatItCost = through(async ({ between, open }) => {
  const stats = { events_scanned: 1_000_000, events_skipped: 980_000, events_matched: 1, bytes_read: 12_400_000_000, segments_total: 9, segments_opened: 9, elapsed_ms: 83 };
  const lines = longAnswer(2).split("\n");
  lines[3] = JSON.stringify({ stats, more: false, partial: false, warnings: [] });
  const rule = between.rule(/POST .*query/, { answer: lines.join("\n") });
  const page = await open();
  await settled(page);
  assert.equal(await page.getByTestId("cost").textContent(), "1M events scanned · 12.4 GB read · 98 % skipped by the index · 83 ms");
  rule.release();
  await ask(page, "filter @message like 'flow 42 ' | fields turn");
  await page.getByTestId("cost").click();
  const plan = page.getByTestId("plan");
  await plan.waitFor();
  assert.match(await plan.textContent(), /flow 42/);
  const table = await page.getByTestId("explained").getByRole("table").textContent();
  assert.match(table, /Estimated by the index.*Actual.*matched/);
  await page.getByTestId("explained-close").click();
  await page.getByTestId("explained").waitFor({ state: "detached" });
});

export const flowChecks = [
  ["row 29, stream: the first rows are shown before the query ends", firstRowsComeEarly],
  ["row 29, stream: cancelling reaches the server, and the rows stay", cancelReachesTheServer],
  ["row 29, stream: a newer question ends the one before, in every lane", newQuestionsEndOldOnes],
  ["row 29, stream: who leaves the page ends its questions, and who comes back asks them", leavingEndsQuestions],
  ["row 29, stream: rows stay when the server dies, and it is said when", saysWhenTheServerDies],
  ["row 29, stream: an error in the middle is said above the rows", saysErrorsOfTheMiddle],
  ["row 29, stream: what an aggregation has so far is shown with its progress", previewsAggregations],
  ["row 8, partial results: each lane loads, fails and is asked again without the others", lanesAreApart],
  ["row 29, stream: rows of a text that cannot be given ids have them all the same", shapedRowsHaveIds],
  ["row 29, requests: quick steps through time are few requests", fewRequestsForQuickSteps],
  ["row 28, list: a line of a megabyte costs no more than another", longLinesAreCheap],
  ["row 28, list: a hundred thousand rows, few of them mounted, found in place", holdsAHundredThousand],
  ["row 28, list: what is read stays where it is when rows are added or grow", standsWhenRowsAboveGrow],
  ["row 30, crash guard: a query that was running when the page ended is not run by itself", isNotRunAgainAfterACrash],
  ["row 31, insight: what the answer cost, and how it came about", saysWhatItCost],
];
