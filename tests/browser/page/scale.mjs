// Large shapes: an event with as many fields as one may have, ten thousand names of fields, a hundred thousand rows. What is
// counted are nodes and long tasks, not times: a browser hangs on work that grows with what is there, not with what is seen.

import assert from "node:assert/strict";

import { settled } from "./harness.mjs";
import { longAnswer } from "./flow.mjs";
import { Between } from "./slow.mjs";

/** Most fields of one event; the rest is text in `@rest`. */
const FIELDS_MAX = 1000;
const NAMES = 10_000;
const ROWS = 100_000;

let sent = null;

/** One event with ten thousand fields, and eleven whose fields have ten thousand names, sent once. */
async function sendWide(own) {
  sent ??= (async () => {
    const now = Date.now();
    await own.ingest("wide/one", [{ "@timestamp": new Date(now - 60_000).toISOString(), message: "ten thousand", ...Object.fromEntries(Array.from({ length: NAMES }, (_, n) => [`field_${String(n).padStart(5, "0")}`, `value ${n}`])) }]);
    await own.ingest("wide/many", Array.from({ length: 11 }, (_, event) => ({
      "@timestamp": new Date(now - 60_000 - event).toISOString(), message: `wide ${event}`,
      ...Object.fromEntries(Array.from({ length: 990 }, (_, n) => [`f_${String(event * 990 + n).padStart(5, "0")}`, n])),
    })));
  })();
  await sent;
}

/** Notes the milliseconds of each task that keeps the page from answering, from now on. */
async function watchLongTasks(page) {
  await page.evaluate(() => {
    window.__long = [];
    new PerformanceObserver((list) => { window.__long.push(...list.getEntries().map((task) => task.duration)); }).observe({ type: "longtask" });
  });
  return () => page.evaluate(async () => {
    // What was observed is told of in tasks of its own.
    await new Promise((done) => setTimeout(done));
    return window.__long;
  });
}

/**
 * Refuses more than `most` long tasks. On a slow machine more tasks count as long; there, none of them may do most of the
 * work.
 */
function assertDivided(tasks, most) {
  const all = tasks.reduce((sum, task) => sum + task, 0);
  const longest = Math.max(0, ...tasks);
  const isDivided = longest < 100 || longest <= all / 2;
  assert.ok(tasks.length <= most || isDivided, `${tasks.length} long tasks: ${tasks.map(Math.round)} ms`);
}

const nodes = (page) => page.evaluate(() => document.querySelectorAll("*").length);

async function showsAnEventAtTheLimit(own) {
  await sendWide(own);
  const page = await own.open(`/?groups=${own.prefix}/wide/one`);
  await settled(page);
  const long = await watchLongTasks(page);
  const before = await nodes(page);
  await page.locator("[data-testid=row]").first().click();
  const detail = page.getByTestId("detail");
  await detail.locator("[data-field=field_00003]").waitFor();
  assert.ok(await nodes(page) - before < 2000, "few nodes until more is asked for");
  const more = page.getByTestId("more-fields");
  while (await more.count() > 0) await more.click();
  await detail.locator("[data-field='@rest']").waitFor();
  const rows = await detail.locator("[data-testid=fields] tr").count();
  const ownFields = await detail.locator("[data-field^=field_]").count();
  assert.ok(ownFields >= FIELDS_MAX - 10 && ownFields <= FIELDS_MAX, `${ownFields} of its fields`);
  assert.ok(rows > ownFields && rows < FIELDS_MAX + 20, `${rows} in all`);
  assert.match(await detail.locator("[data-field='@rest']").textContent(), /"field_/);
  await page.getByTestId("tab-json").click();
  await page.getByTestId("json").waitFor();
  assert.ok(await nodes(page) - before < 20_000, `${await nodes(page)} nodes as a tree`);
  // Each of the two hundred fields that a click adds is a stretch of its own; none is the work of all.
  assertDivided(await long(), 14);
}

async function findsAmongTenThousandFields(own) {
  await sendWide(own);
  const page = await own.open(`/?groups=${own.prefix}/wide/many&q=${encodeURIComponent("filter ispresent(f_00005) or f_09000 >= 0 or ispresent(message)")}`);
  await settled(page);
  const long = await watchLongTasks(page);
  const sidebar = page.getByTestId("sidebar");
  await sidebar.getByText(/more; type to find one/).waitFor();
  assert.ok(await sidebar.getByTestId("field").count() <= 310, "not all names are drawn");
  assert.ok(await nodes(page) < 6000, `${await nodes(page)} nodes`);
  const search = sidebar.getByLabel("Find a field");
  await search.pressSequentially("f_09");
  await search.fill("f_09421");
  const field = sidebar.locator("[data-testid=field][data-name=f_09421]");
  await field.click();
  await page.getByTestId("values").getByText("511").waitFor();
  assert.equal(await sidebar.getByTestId("field").count(), 1);
  // An event has its own fields and no others, however many names its group has.
  await page.locator("[data-testid=row]").nth(9).click();
  const detail = page.getByTestId("detail");
  await detail.locator("[data-field=f_08910]").waitFor();
  assert.equal(await detail.locator("[data-field=f_00005]").count(), 0);
  assertDivided(await long(), 8);
}

/** What is wrong with what is seen of the list, once it is drawn: nothing, hopefully. */
async function gaps(page) {
  return page.getByTestId("rows").evaluate(async (box) => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
    const seen = box.getBoundingClientRect();
    const places = [...box.querySelectorAll("[data-testid=row]")].map((row) => ({ n: Number(row.getAttribute("aria-rowindex")), ...row.getBoundingClientRect().toJSON() }));
    const head = box.querySelector(".row.head").getBoundingClientRect().bottom;
    const wrong = [];
    if (places.length > 60) wrong.push(`${places.length} rows are mounted`);
    if (places.length === 0 || places[0].top > head + 1) wrong.push(`nothing above ${places[0]?.top}`);
    const end = box.scrollTop + box.clientHeight >= box.scrollHeight - 60;
    if (!end && (places.at(-1)?.bottom ?? 0) < seen.bottom - 1) wrong.push(`nothing below ${places.at(-1)?.bottom}`);
    places.forEach((place, at) => {
      const before = places[at - 1];
      if (before && (place.n !== before.n + 1 || Math.abs(place.top - before.bottom) > 1)) wrong.push(`row ${place.n} comes after ${before.n}`);
    });
    return wrong.slice(0, 3);
  });
}

/** Moves through a list of `n_rows` by wheel, keys and bar, and looks for gaps: how many moves, and how many long tasks they took. */
async function scrollThrough(own, n_rows) {
  const between = await Between.before(own.url);
  try {
    between.rule(/POST .*query/, { answer: longAnswer(n_rows) });
    const page = await Object.create(own, { url: { value: between.url } }).open(`/?${own.scope}`);
    await settled(page);
    const box = page.getByTestId("rows");
    const top = () => box.evaluate((rows) => rows.scrollTop);
    assert.equal(Number(await box.locator("[role=treegrid]").getAttribute("aria-rowcount")), n_rows + 1);
    const long = await watchLongTasks(page);
    let moves = 0;
    const isWhole = async (what) => {
      moves += 1;
      assert.deepEqual(await gaps(page), [], what);
    };
    await box.hover();
    for (let turn = 0; turn < 30; turn += 1) {
      await page.mouse.wheel(0, turn < 20 ? 700 * (turn + 1) : -2000);
      await isWhole(`the wheel, turn ${turn}`);
    }
    assert.ok(await top() > 100_000, "the wheel has gone a way");
    await page.locator("[data-testid=row]").nth(15).focus();
    for (const key of [...Array(15).fill("PageDown"), ...Array(5).fill("PageUp")]) {
      const before = await top();
      await page.keyboard.press(key);
      await page.waitForFunction((before) => document.querySelector("[data-testid=rows]").scrollTop !== before, before);
      await isWhole(key);
    }
    // The bar: from anywhere to anywhere.
    for (const part of [0.5, 0.01, 0.99, 0.3, 1, 0, 0.72, 0.721, 0.25, 0.9]) {
      await box.evaluate((rows, part) => { rows.scrollTop = rows.scrollHeight * part; }, part);
      await isWhole(`the bar at ${part}`);
    }
    return { moves, long: (await long()).length };
  } finally {
    await own.closePages();
    await between.stop();
  }
}

async function scrollsAHundredThousand(own) {
  const { moves, long } = await scrollThrough(own, ROWS);
  if (long <= moves / 4) return;
  // On a slow machine every move may be a long task. It is where the list is short, too, if the work is that of what is seen.
  const short = await scrollThrough(own, ROWS / 10);
  assert.ok(long <= 1.5 * short.long, `${long} long tasks in ${moves} moves, ${short.long} with a tenth of the rows`);
}

export const scaleChecks = [
  ["row 12, cost cap: an event with ten thousand fields is shown up to its limit, a stretch at a time", showsAnEventAtTheLimit],
  ["row 9, sidebar: a field among ten thousand is found, and an open row has its own", findsAmongTenThousandFields],
  ["row 28, list: a hundred thousand rows go by wheel, page keys and bar without gaps", scrollsAHundredThousand],
];
