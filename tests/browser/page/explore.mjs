// Asking, seeing, narrowing down.

import assert from "node:assert/strict";

import { ask, histogramOf, isInQuery, queryText, rowsOf, settled, totalOf } from "./harness.mjs";

async function opensWithRows(own) {
  const page = await own.explore();
  const rows = await rowsOf(page);
  assert.equal(rows.length, 1000);
  assert.ok(rows.every((row, n) => n === 0 || row.ms <= rows[n - 1].ms), "newest first");
  assert.ok(await page.locator("[data-testid=row]").count() <= 60, "only rows on screen are mounted");
  assert.equal(await totalOf(page), await own.count(""));
}

async function saysWhichEventsTheseAre(own) {
  const page = await own.explore();
  const shown = page.getByTestId("shown");
  assert.equal(await shown.textContent(), "newest 1,000 events");
  await ask(page, "sort @timestamp asc");
  assert.equal(await shown.textContent(), "first 1,000 events");
  // What is old has its whole date.
  await own.ingest("old", [{ "@timestamp": "2005-06-03T22:42:50.123Z", message: "long ago" }]);
  const old = await own.open(`/?${new URLSearchParams({ groups: `${own.prefix}/old`, from: "2005-06-01T00:00:00Z", zone: "utc" })}`);
  await settled(old);
  const time = old.locator("[data-testid=row] .cell.time").first();
  assert.equal(await time.innerText(), "2005-06-03 22:42:50.123");
  assert.ok(await time.evaluate((cell) => cell.scrollWidth <= cell.clientWidth), "nothing of it is cut");
}

async function keepsWhatIsTypedAtOnce(own) {
  const page = await own.open(`/?${own.scope}`);
  await page.getByTestId("query").pressSequentially("needle");
  await settled(page);
  assert.equal(await queryText(page), "needle");
}

async function runsQuery(own) {
  const page = await own.explore();
  await ask(page, 'filter @level = "error"');
  const rows = await rowsOf(page);
  assert.ok(rows.length > 0 && rows.every((row) => row.level === "error"));
  assert.equal(rows.length, await own.count('filter @level = "error"'));
  assert.match(await page.title(), /filter @level = "error" · Last hour/);
  assert.match(page.url(), /q=filter/);
  await page.goBack();
  await settled(page);
  assert.equal(await queryText(page), "");
  await page.goForward();
  await settled(page);
  assert.equal(await queryText(page), 'filter @level = "error"');
}

async function findsPhrase(own) {
  const page = await own.explore();
  await ask(page, "in the haystack");
  const rows = await rowsOf(page);
  assert.equal(rows.length, 3);
  assert.ok(await page.locator("[data-testid=row] mark").count() >= 3, "what was sought is marked");
}

async function locatesErrors(own) {
  own.expectsFailures = true;
  const page = await own.explore();
  await ask(page, "filter status = 200\n| stast count(*) by path");
  const note = page.getByTestId("query-error");
  await note.waitFor();
  assert.match(await note.textContent(), /Line 2, column 3/);
  assert.match(await page.getByTestId("query-hint").textContent(), /stats/);
  assert.match(await page.locator("[data-testid=query] .wrong").first().textContent(), /^stast$/);
  assert.equal(await page.getByTestId("query").getAttribute("aria-invalid"), "true");
  await ask(page, "filter status = 200\n| stats count(*) by path");
  assert.equal(await note.count(), 0);
}

/** What was probably meant is a click away; else the caret is. */
async function mendsErrors(own) {
  own.expectsFailures = true;
  const page = await own.explore();
  await ask(page, "filter status = 200\n| stast count(*) by path");
  await page.getByTestId("write-meant").filter({ hasText: "Write “stats”" }).click();
  await page.getByTestId("table").waitFor();
  assert.equal(await queryText(page), "filter status = 200\n| stats count(*) by path");
  await ask(page, "filter (status = 200");
  assert.equal(await page.getByTestId("write-meant").count(), 0);
  await page.getByTestId("failed-change").click();
  assert.ok(await isInQuery(page));
}

async function expandsRows(own) {
  const page = await own.explore({ q: 'filter message like "needle"' });
  await page.locator("[data-testid=row]").first().click();
  const detail = page.getByTestId("detail");
  await detail.locator("[data-field=service]").waitFor();
  assert.match(page.url(), /row=/);
  await page.getByTestId("tab-json").click();
  assert.match(await page.getByTestId("json").locator("[data-field=service]").textContent(), /service: "checkout"/);
  await page.getByTestId("tab-raw").click();
  assert.match(await page.getByTestId("raw").textContent(), /in the haystack/);
  const again = await own.open(new URL(page.url()).pathname + new URL(page.url()).search);
  await again.getByTestId("detail").waitFor();
}

async function filtersByValue(own) {
  const page = await own.explore({ q: "filter ispresent(service)" });
  const before = await queryText(page);
  await page.locator("[data-testid=row]").nth(2).click();
  const field = page.getByTestId("detail").locator("[data-field=service]");
  await field.getByTestId("include").click();
  await settled(page);
  assert.match(await queryText(page), /filter service = "/);
  assert.ok((await rowsOf(page)).length > 0);
  const open = page.getByTestId("detail").locator("[data-field=service]");
  await open.getByTestId("exclude").click();
  await settled(page);
  assert.match(await queryText(page), /filter service != "/);
  await page.goBack();
  await page.goBack();
  await settled(page);
  assert.equal(await queryText(page), before);
}

async function drawsAndZooms(own) {
  const page = await own.explore();
  const before = await totalOf(page);
  const buckets = await histogramOf(page);
  assert.ok(buckets.length >= 10 && buckets.length <= 120, `${buckets.length} buckets`);
  assert.equal(buckets.reduce((sum, bucket) => sum + (bucket.by.error ?? 0), 0), await own.count('filter @level = "error"'));
  const box = await page.getByTestId("bars").boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + 40, { steps: 5 });
  await page.mouse.up();
  await page.getByTestId("selection-zoom").click();
  await page.waitForURL(/from=2/);
  await settled(page);
  const zoomed = await totalOf(page);
  assert.ok(zoomed > 0 && zoomed < before, `${zoomed} of ${before}`);
  await page.getByTestId("zoom-out").click();
  await settled(page);
  assert.ok(await totalOf(page) > zoomed);
  await page.goBack();
  await page.waitForFunction((n) => window.__catat.histogram.reduce((sum, one) => sum + one.total, 0) === n, zoomed);
}

async function filtersByLegend(own) {
  const page = await own.explore();
  await page.getByTestId("legend-error").click();
  await settled(page);
  assert.equal(await queryText(page), 'filter @level = "error"');
  await page.getByTestId("legend-error").click();
  await settled(page);
  assert.equal(await queryText(page), "");
  await page.getByTestId("histogram-table-toggle").click();
  await page.locator(".count-table tbody tr").nth(5).waitFor();
}

async function showsTopValues(own) {
  const page = await own.explore();
  await page.locator("[data-testid=field][data-name=status]").click();
  const values = page.getByTestId("values").locator("li");
  await values.first().waitFor();
  const expected = await own.count("filter status = 200");
  assert.equal(await values.count(), 3);
  assert.match(await values.first().locator(".number[title*=' of ']").getAttribute("title"), new RegExp(`^${new Intl.NumberFormat("en-US").format(expected)} of `));
  await values.nth(1).hover();
  await values.nth(1).getByTestId("exclude").click();
  await settled(page);
  assert.match(await queryText(page), /^filter status != 404$/);
}

async function tabulatesStats(own) {
  const page = await own.explore();
  await ask(page, "stats count(*) as n by path\n| sort path asc");
  const answer = await own.query("stats count(*) as n by path\n| sort path asc");
  const rows = page.getByTestId("table").locator("tbody tr");
  await rows.nth(answer.rows.length - 1).waitFor();
  assert.equal(await rows.count(), answer.rows.length);
  assert.match(await rows.first().textContent(), new RegExp(new Intl.NumberFormat("en-US").format(answer.rows[0][1])));
  await page.getByTestId("table").getByRole("button", { name: "n", exact: true }).click();
  assert.equal(await page.locator("th[aria-sort=descending]").count(), 1);
}

async function drawsStatsByTime(own) {
  const page = await own.explore();
  await ask(page, "stats count(*) as n by bin(5m), @level");
  await page.getByTestId("series").waitFor();
  assert.ok(await page.getByTestId("series").locator("path.line").count() >= 3, "a line per level");
  await ask(page, "stats count(*) as n");
  const shown = await page.getByTestId("figures").textContent();
  assert.match(shown.replaceAll(",", ""), new RegExp(`n${await own.count("")}$`));
}

async function addsColumns(own) {
  const page = await own.explore({ q: "filter ispresent(status)" });
  await page.getByRole("button", { name: "Show path as a column" }).click();
  await page.getByRole("columnheader", { name: "path" }).waitFor();
  assert.match(page.url(), /columns=path/);
  await settled(page);
  assert.match(await page.locator("[data-testid=row]").first().textContent(), /\//);
}

async function loadsOlder(own) {
  const page = await own.explore();
  const all = await own.count("");
  for (let n = 0; n < 5 && (await rowsOf(page)).length < all; n += 1) {
    const before = (await rowsOf(page)).length;
    await page.getByTestId("rows").evaluate((box) => { box.scrollTop = box.scrollHeight; });
    await page.waitForFunction((known) => window.__catat.rows.length > known, before);
  }
  const rows = await rowsOf(page);
  assert.equal(rows.length, all);
  assert.equal(new Set(rows.map((row) => row.id)).size, all, "no event twice");
  assert.ok(await page.locator("[data-testid=row]").count() <= 60);
}

async function failsApart(own) {
  own.expectsFailures = true;
  const page = await own.open("/alerts");
  await page.route("**/api/v1/histogram**", (route) => route.fulfill({ status: 500, contentType: "application/json", body: '{"error":{"code":"x","message":"no counts today"}}' }));
  await page.route("**/api/v1/fields?**", (route) => route.abort());
  await page.getByTestId("nav-explore").click();
  await settled(page);
  assert.ok((await rowsOf(page)).length > 0, "rows are there all the same");
  await page.getByText("no counts today").waitFor();
}

async function treatsTextAsText(own) {
  const page = await own.explore({ q: 'filter message like "hostile"' });
  await page.locator("[data-testid=row]").first().click();
  await page.getByTestId("detail").locator("[data-field=service]").waitFor();
  for (const tab of ["json", "raw"]) await page.getByTestId(`tab-${tab}`).click();
  await page.locator("[data-testid=field][data-name=service]").click();
  await page.getByTestId("values").locator("li").first().waitFor();
  assert.equal(await page.evaluate(() => window.__xss), undefined);
  assert.equal(await page.locator("[data-testid=results] img, [data-testid=results] script").count(), 0);
  await own.noteViolations(page);
}

async function capsLongLines(own) {
  const page = await own.explore({ q: 'filter message like "lorem"' });
  assert.ok((await page.locator("[data-testid=row]").first().textContent()).length < 1200);
  await page.locator("[data-testid=row]").first().click();
  await page.getByTestId("tab-raw").click();
  const raw = page.getByTestId("raw");
  assert.ok((await raw.textContent()).length < 5000);
  await raw.getByTestId("show-more").click();
  assert.ok((await raw.textContent()).length > 200_000);
}

export const exploreChecks = [
  ["row 28, list: the page opens on the last hour, newest first, and mounts only what is seen", opensWithRows],
  ["row 28, list: which events these are, and when, is said whole", saysWhichEventsTheseAre],
  ["row 2, lazy parts: what is typed before everything has loaded stays", keepsWhatIsTypedAtOnce],
  ["row 18, address: a query runs, is in the address, and back and forward work", runsQuery],
  ["row 5, phrase: plain words are a phrase search and are marked", findsPhrase],
  ["row 4, located errors: an error is shown at its place, with a hint", locatesErrors],
  ["row 4, located errors: the word that was meant is written by a click", mendsErrors],
  ["row 11, open row: a row opens with its fields, JSON and text, and its link opens it again", expandsRows],
  ["row 10, click to filter: a click on a value edits the query's text", filtersByValue],
  ["row 7, brush: the histogram counts what the query counts; drag zooms, back returns", drawsAndZooms],
  ["row 6, histogram: a level of the legend filters and unfilters; counts are there as a table", filtersByLegend],
  ["row 9, fields: a field shows its most frequent values of all matches", showsTopValues],
  ["screen results: an aggregation is a table that sorts", tabulatesStats],
  ["screen results: an aggregation by time is a chart, a single number is shown large", drawsStatsByTime],
  ["row 16, columns: a field becomes a column, in the address too", addsColumns],
  ["row 28, list: scrolling loads older events, none twice", loadsOlder],
  ["row 8, partial results: rows, histogram and fields fail apart", failsApart],
  ["row 32, security: hostile lines are text", treatsTextAsText],
  ["row 12, row cost: a long line is cut until more is asked for", capsLongLines],
];
