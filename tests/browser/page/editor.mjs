// The query's editor: the plain text area that is there at once, the editor that takes its place, and what it says.

import assert from "node:assert/strict";

import { ask, queryText, rowsOf, settled, untilQuery } from "./harness.mjs";

/** Holds back the editor's script until `release` is called. */
async function heldBack(own, params = {}) {
  const page = await own.open("/alerts");
  let release;
  const released = new Promise((done) => { release = done; });
  const search = new URLSearchParams(params).toString();
  // The part may have been fetched already when the browser had nothing else to do: a fresh page asks for it again.
  await page.route("**/query_editor.js*", async (route) => { await released; await route.continue(); });
  await page.goto(`${own.url}/?${own.scope}${search ? `&${search}` : ""}`);
  await settled(page);
  return { page, release };
}

const equipped = (page) => page.locator(".code-editor .cm-content").waitFor();
const requests = (page, path) => page.evaluate((part) => performance.getEntriesByType("resource").filter((one) => new URL(one.name).pathname === part).length, path);

async function handsOver(own) {
  const { page, release } = await heldBack(own);
  const area = page.locator("textarea[data-testid=query]");
  await area.pressSequentially("filter stat = 404");
  for (let step = 0; step < " = 404".length; step += 1) await area.press("ArrowLeft");
  release();
  await equipped(page);
  assert.equal(await area.count(), 0);
  await page.keyboard.type("us");
  assert.equal(await queryText(page), "filter status = 404", "text, caret and focus are those of the text area");
  await page.keyboard.press("Enter");
  await settled(page);
  assert.ok((await rowsOf(page)).length > 0);
  await own.noteViolations(page);
}

async function worksWithoutTheEditor(own) {
  own.expectsFailures = true;
  const page = await own.open("/alerts");
  await page.route("**/query_editor.js*", (route) => route.abort());
  await page.goto(`${own.url}/?${own.scope}`);
  await settled(page);
  await ask(page, "in the haystack");
  assert.equal((await rowsOf(page)).length, 3);
}

async function closesBrackets(own) {
  const page = await own.explore();
  await equipped(page);
  const box = page.getByTestId("query");
  await box.pressSequentially("stats count(");
  assert.equal(await queryText(page), "stats count()");
  await box.pressSequentially('*) by coalesce(path, "none")');
  assert.equal(await queryText(page), 'stats count(*) by coalesce(path, "none")', "what was closed already is written over");
  await page.keyboard.press("Escape");
  await page.locator(".cm-matchingBracket").first().waitFor();
  await box.press("Control+Enter");
  await page.getByTestId("table").waitFor();
}

async function completesInsideQuotes(own) {
  const page = await own.explore();
  await equipped(page);
  const box = page.getByTestId("query");
  await box.pressSequentially('filter path = "/car');
  await page.getByTestId("suggestions").getByText("/cart").waitFor();
  await page.waitForFunction(() => / %/.test(document.querySelector("[data-testid=suggestions]")?.textContent ?? ""));
  await box.press("Tab");
  assert.equal(await queryText(page), 'filter path = "/cart"');
  await box.press("Enter");
  await settled(page);
  assert.ok((await rowsOf(page)).length > 0);
}

async function listsEarlierQueries(own) {
  const page = await own.explore();
  await ask(page, "limit 2");
  await ask(page, "limit 4");
  const box = page.getByTestId("query");
  await box.fill("");
  await box.press("ArrowUp");
  await box.press("ArrowUp");
  assert.equal(await queryText(page), "limit 2");
  await box.press("ArrowDown");
  assert.equal(await queryText(page), "limit 4");
  await page.getByTestId("history").click();
  await page.getByTestId("past-query").first().waitFor();
  assert.deepEqual(await page.getByTestId("past-query").allTextContents(), ["limit 4", "limit 2"]);
  await page.getByTestId("past-query").last().click();
  await page.waitForURL(/q=limit\+2/);
  await settled(page);
  assert.equal((await rowsOf(page)).length, 2);
  assert.equal(await queryText(page), "limit 2");
}

async function tellsMistakesBeforeRunning(own) {
  const page = await own.explore();
  await equipped(page);
  const before = [page.url(), await requests(page, "/api/v1/query")];
  const box = page.getByTestId("query");
  await box.pressSequentially("filter status = 200");
  await box.press("Shift+Enter");
  await box.pressSequentially("| stast count(");
  await page.getByTestId("query-error").waitFor();
  assert.match(await page.getByTestId("query-error").textContent(), /Line 2, column 3/);
  assert.equal(await page.locator("[data-testid=query] .wrong").first().textContent(), "stast");
  assert.equal(await page.getByTestId("query").getAttribute("aria-invalid"), "true");
  assert.deepEqual([page.url(), await requests(page, "/api/v1/query")], before, "nothing was run");
  await box.fill("filter status = 200\n| stats count(*)");
  await page.getByTestId("query-error").waitFor({ state: "detached" });
  assert.equal(await page.locator("[data-testid=query] .wrong").count(), 0);
}

async function undoesAPhrase(own) {
  const page = await own.explore({ q: "filter status = 404" });
  await ask(page, "in the haystack");
  assert.match(await page.getByTestId("query-warning").textContent(), /^Searched as a phrase\..*filter @any like "in the haystack"/);
  await page.getByTestId("undo-query").click();
  await untilQuery(page, "filter status = 404");
  await settled(page);
  assert.ok((await rowsOf(page)).every((row) => row.message.includes(" 404 ")));
  assert.equal(await page.getByTestId("query-warning").count(), 0);
}

export const editorChecks = [
  ["row 2, editor: text, caret and focus are handed over by the plain text area", handsOver],
  ["row 2, editor: without its part the plain text area asks all the same", worksWithoutTheEditor],
  ["row 3, editor: brackets and quotes are closed, written over and matched", closesBrackets],
  ["row 3, editor: values are completed inside quotes, with their share", completesInsideQuotes],
  ["row 3, editor: earlier queries by the arrow and in a list", listsEarlierQueries],
  ["row 3, editor: a mistake is told at its place before the query is run", tellsMistakesBeforeRunning],
  ["row 5, phrase: words that are no query are searched, said in one line, and undone by one click", undoesAPhrase],
];
