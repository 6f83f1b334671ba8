// What happened around an event: its neighbours, chips, filter, finding, more on either side, and the way back.

import assert from "node:assert/strict";

import { ask, queryText, settled } from "./harness.mjs";

const LINES = 300;
const QUESTION = "the line in question";

/** Lines of two streams of one group and of another group, a third of a second apart; once for all checks. */
async function sendStreams(own) {
  if (own.sentStreams) return;
  own.sentStreams = true;
  const base = Date.now() - 40 * 60_000;
  const stream = async (group, name, host, shift) => {
    const events = Array.from({ length: LINES }, (_, n) => ({
      "@timestamp": new Date(base + n * 1000 + shift).toISOString(), message: group === "app" && name === "one" && n === 150 ? QUESTION : `${group} ${name} line ${n}`, host, n, parity: n % 2 === 0 ? "even" : "odd", level: n % 10 === 0 ? "error" : "info",
    }));
    const body = events.map((event) => JSON.stringify(event)).join("\n");
    await own.api(`/api/v1/ingest?group=${own.prefix}-around/${group}&stream=${name}&format=ndjson`, { method: "POST", body });
  };
  await stream("app", "one", "h1", 0);
  await stream("app", "two", "h2", 300);
  await stream("nginx", "web", "h1", 600);
}

async function explore(own, query, more = "") {
  await sendStreams(own);
  const page = await own.open(`/?groups=${own.prefix}-around/*&q=${encodeURIComponent(query)}${more}`);
  await settled(page);
  return page;
}

const around = (page) => page.getByTestId("around-view");
const lineTexts = (page) => around(page).locator("[data-testid=row] .message").allTextContents();
const counted = (page, n) => page.waitForFunction((wanted) => document.querySelector("[data-testid=around-count]")?.textContent?.startsWith(`${wanted} line`), n);

/** The context of the line in question. */
async function opened(own) {
  const page = await explore(own, `filter @message = "${QUESTION}"`);
  await page.locator("[data-testid=row]").first().click();
  await page.getByTestId("around").click();
  await around(page).locator("[data-testid=row]").first().waitFor();
  return page;
}

/** Where the marked line stands on the screen, and whether all of it is inside of the list. */
async function marked(page) {
  const row = await around(page).locator("[data-testid=row][aria-current=true]").boundingBox();
  const box = await around(page).getByTestId("rows").boundingBox();
  assert.ok(row && row.y >= box.y && row.y + row.height <= box.y + box.height, "the original line is in view");
  return row.y;
}

async function showsNeighbours(own) {
  const page = await opened(own);
  await counted(page, 101);
  assert.match(page.url(), /around=[0-9a-v]{32}/);
  const texts = await lineTexts(page);
  assert.ok(texts.length > 5 && texts.length <= 60, `${texts.length} rows are mounted`);
  assert.ok(texts.every((text) => text === QUESTION || text.startsWith("app one")), "only lines of the same stream");
  await marked(page);
  const offsets = await around(page).locator("[data-testid=row] .cell:nth-child(3)").allTextContents();
  const at = texts.indexOf(QUESTION);
  assert.deepEqual(offsets.slice(at - 2, at + 3), ["−2 s", "−1 s", "0", "+1 s", "+2 s"]);
  assert.match(await around(page).getByRole("heading").textContent(), /^Around \d\d:\d\d:\d\d/);
}

async function showsMore(own) {
  const page = await opened(own);
  await counted(page, 101);
  await page.getByTestId("more-before").click();
  await counted(page, 201);
  const y = await marked(page);
  assert.ok(y > 0);
  await around(page).getByText("Nothing before.").waitFor();
  await page.getByTestId("more-after").click();
  await counted(page, 300);
  assert.ok(Math.abs(await marked(page) - y) <= 40, "what comes before and after does not move the line");
  await around(page).getByText("Nothing after.").waitFor();
}

async function comesBack(own) {
  const page = await explore(own, "");
  const asked = [];
  page.on("request", (request) => { if (/\/api\/v1\/(query|histogram)/.test(request.url())) asked.push(request.postData() ?? request.url()); });
  const box = page.getByTestId("rows").first();
  const first = await page.locator(".body [data-testid=row]").first().getAttribute("data-id");
  await box.evaluate((element) => { element.scrollTop = 4000; });
  // Rows are mounted in the frame after.
  await page.waitForFunction((id) => document.querySelector(`.body [data-id="${id}"]`) === null, first);
  const id = await page.locator(".body [data-testid=row]").nth(14).getAttribute("data-id");
  await page.locator(`.body [data-testid=row][data-id="${id}"]`).click();
  await page.getByTestId("detail").locator("[data-field=n]").first().waitFor();
  const top = await box.evaluate((element) => element.scrollTop);
  asked.length = 0;
  for (const way of ["Escape", "back", "button"]) {
    await page.locator(`.work [data-testid=row][data-id="${id}"]`).focus();
    await page.keyboard.press("c");
    await around(page).locator("[data-testid=row][aria-current=true]").waitFor();
    assert.equal(await page.locator(".work").evaluate((element) => element.inert), true, "what lies below is out of reach");
    if (way === "Escape") {
      // The open row is closed first.
      await page.keyboard.press("ArrowRight");
      await around(page).getByTestId("detail").waitFor();
      await page.keyboard.press("Escape");
      await around(page).getByTestId("detail").waitFor({ state: "detached" });
      await page.keyboard.press("Escape");
    } else if (way === "back") await page.goBack();
    else await page.getByTestId("around-back").click();
    await around(page).waitFor({ state: "detached" });
    assert.equal(await page.getByTestId("rows").evaluate((element) => element.scrollTop), top, `${way}: the same scroll place`);
    assert.equal(await page.getByTestId("detail").count(), 1, `${way}: what was open is open`);
    await page.waitForFunction((wanted) => document.activeElement?.getAttribute("data-id") === wanted, id);
    assert.match(page.url(), new RegExp(`row=${id}`));
  }
  const again = asked.filter((body) => !body.includes("@id ="));
  assert.deepEqual(again, [], "nothing is asked again");
}

async function removesBonds(own) {
  const page = await opened(own);
  await counted(page, 101);
  await page.getByTestId("bond-stream").click();
  await page.waitForFunction(() => [...document.querySelectorAll(".around [data-testid=row] .message")].some((cell) => cell.textContent?.startsWith("app two")));
  assert.ok((await lineTexts(page)).every((text) => !text.startsWith("nginx")));
  await marked(page);
  await page.getByTestId("bond-host").click();
  await page.waitForFunction(() => ![...document.querySelectorAll(".around [data-testid=row] .message")].some((cell) => cell.textContent?.startsWith("app two")));
  await page.getByTestId("bond-group").click();
  await page.waitForFunction(() => [...document.querySelectorAll(".around [data-testid=row] .message")].some((cell) => cell.textContent?.startsWith("nginx")));
  assert.ok((await lineTexts(page)).every((text) => !text.startsWith("app two")), "the same host, in all groups");
  await around(page).locator("[data-testid=row][aria-current=true]").focus();
  await page.keyboard.press("a");
  await page.waitForFunction(() => { const texts = [...document.querySelectorAll(".around [data-testid=row] .message")].map((cell) => cell.textContent ?? ""); return ["app two", "nginx", "app one"].every((start) => texts.some((text) => text.startsWith(start))); });
  assert.equal(await page.getByTestId("bond-none").getAttribute("aria-pressed"), "true");
  await marked(page);
  await page.keyboard.press("a");
  await counted(page, 101);
  assert.equal(await page.getByTestId("bond-stream").getAttribute("aria-pressed"), "true");
}

async function filtersLines(own) {
  own.expectsFailures = true;
  const page = await opened(own);
  await counted(page, 101);
  const query = await queryText(page);
  await page.getByTestId("around-filter").fill('filter parity = "odd"');
  await page.waitForFunction(() => [...document.querySelectorAll(".around [data-testid=row]:not([aria-current]) .message")].every((cell) => /[13579]$/.test(cell.textContent ?? "")) && document.querySelector(".around:not([aria-busy=true])") !== null && location.search.includes("parity"));
  assert.ok((await lineTexts(page)).includes(QUESTION), "the original stays though it is even");
  await marked(page);
  assert.equal(await queryText(page), query, "the question above is another one");
  await page.getByTestId("around-filter").fill("filter parity ==== 1");
  await page.getByTestId("around-error").waitFor();
  assert.ok((await lineTexts(page)).includes(QUESTION), "the lines before the mistake stay");
  await page.getByTestId("around-filter").fill("");
  await page.getByTestId("around-error").waitFor({ state: "detached" });
  await counted(page, 101);
  // A click on a value edits this filter.
  await around(page).locator("[data-testid=row][aria-current=true]").click();
  await around(page).locator("tr[data-field=parity]").getByTestId("exclude").click();
  await page.waitForFunction(() => document.querySelector("[data-testid=around-filter]").value === 'filter parity != "even"');
  await page.waitForFunction(() => [...document.querySelectorAll(".around [data-testid=row]:not([aria-current]) .message")].every((cell) => /[13579]$/.test(cell.textContent ?? "")));
  assert.equal(await queryText(page), query);
  await page.reload();
  await around(page).locator("[data-testid=row][aria-current=true]").waitFor();
  assert.equal(await page.getByTestId("around-filter").inputValue(), 'filter parity != "even"', "the address has it all");
}

async function findsInPlace(own) {
  const page = await opened(own);
  await counted(page, 101);
  await page.getByTestId("around-find").click();
  await page.getByTestId("find-text").fill("line 16");
  const here = () => page.evaluate(() => document.querySelector(".around [data-testid=row].here .message")?.textContent);
  const at = (text) => page.waitForFunction((wanted) => document.querySelector(".around [data-testid=row].here .message")?.textContent === wanted, text);
  await at("app one line 160");
  assert.ok(await around(page).locator("mark").count() >= 1, "what is looked for is marked");
  await around(page).locator("[data-testid=row].here").focus();
  await page.keyboard.press("n");
  await at("app one line 161");
  await page.keyboard.press("Shift+N");
  await at("app one line 160");
  await page.keyboard.press("Shift+N");
  await at("app one line 169");
  await page.waitForFunction(() => document.querySelector("[data-testid=find-count]")?.textContent === "10 of 10");
  await counted(page, 101);
  assert.equal(await here(), "app one line 169");
}

async function saysWhatIsGone(own) {
  own.expectsFailures = true;
  await sendStreams(own);
  // Group 4294967295, ten minutes ago.
  const ns = BigInt(Date.now() - 600_000) * 1_000_000n;
  const id = ((0xffffffffn << 128n) | ((ns ^ (1n << 63n)) << 64n) | 1n).toString(32);
  const page = await own.open(`/?groups=${own.prefix}-around/*&around=${id}`);
  await page.getByTestId("around-failed").getByText("This event is no longer here").waitFor();
  await page.getByTestId("around-failed").getByRole("button", { name: /around that time/ }).click();
  await around(page).waitFor({ state: "detached" });
  assert.match(page.url(), /from=2/);
  const wrong = await own.open(`/?groups=${own.prefix}-around/*&around=nonsense`);
  await wrong.getByTestId("around-failed").getByText(/no @id of an event/).waitFor();
  await wrong.keyboard.press("Escape");
  await around(wrong).waitFor({ state: "detached" });
}

async function leavesForAnotherQuestion(own) {
  const page = await opened(own);
  await counted(page, 101);
  await ask(page, "filter n = 7");
  await around(page).waitFor({ state: "detached" });
  await settled(page);
  assert.equal(await page.locator("[data-testid=row]").count(), 3);
}

export const contextChecks = [
  ["row 13, context: fifty lines of the same stream on either side, the original marked and in view, with offsets", showsNeighbours],
  ["row 13, context: more on either side, and the original stays where it is", showsMore],
  ["row 13, context: Escape, Back and the button come back to the same rows and the same place", comesBack],
  ["row 13, context: chips of stream, group and host can be removed, and one key removes all", removesBonds],
  ["row 13, context: its own filter never loses the original and leaves the query alone", filtersLines],
  ["row 13, context: finding marks and moves without filtering", findsInPlace],
  ["row 13, context: an event that is gone, and an id that is none", saysWhatIsGone],
  ["row 13, context: another question above leaves it", leavesForAnotherQuestion],
];
