// Sharing and keeping: columns, links, saved views, files, ways to draw a result, selected rows.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { clean } from "./accessibility.mjs";
import { ask, queryText, rowsOf, settled } from "./harness.mjs";

const CLIPBOARD = { permissions: ["clipboard-read", "clipboard-write"] };

const row = (page) => page.locator("[data-testid=row]");
const heads = (page) => page.locator("[data-testid=column-head] .ellipsis").allTextContents();
const copied = (page) => page.evaluate(() => navigator.clipboard.readText());
const parameter = (page, name) => new URL(page.url()).searchParams.get(name);

/** Waits until something is so: the page draws a moment after the address has changed. */
async function until(look, wanted) {
  let found;
  for (const end = Date.now() + 6000; Date.now() < end; ) {
    found = await look();
    try { assert.deepEqual(found, wanted); return; } catch { await new Promise((then) => setTimeout(then, 20)); }
  }
  assert.deepEqual(found, wanted);
}

async function ordersColumns(own) {
  const page = await own.explore({ q: "filter ispresent(path)", columns: "path,status" });
  await until(() => heads(page), ["path", "status", "Message"]);
  const from = await page.getByTestId("column-status").boundingBox();
  const to = await page.getByTestId("column-path").boundingBox();
  await page.mouse.move(from.x + 10, from.y + 8);
  await page.mouse.down();
  await page.mouse.move(to.x + 40, to.y + 8, { steps: 6 });
  await page.mouse.up();
  await until(() => heads(page), ["status", "path", "Message"]);
  assert.equal(await page.locator(".column-menu .panel").count(), 0, "a drag opens no menu");
  await page.getByTestId("column-Message".replace("Message", "@message")).focus();
  await page.keyboard.press("Enter");
  await page.getByTestId("column-left").click();
  await until(() => heads(page), ["status", "Message", "path"]);
  const other = await own.open(page.url().slice(own.url.length));
  await settled(other);
  await until(() => heads(other), ["status", "Message", "path"]);
  assert.match(await row(other).first().locator("[role=gridcell]").nth(2).textContent(), /^\d{3}$/);
  await other.goBack();
}

async function sizesAndHidesColumns(own) {
  const page = await own.explore({ q: "filter ispresent(path)", columns: "path,status" });
  const sizer = page.locator("[data-testid=column-head]").first().locator(".sizer");
  const width = () => page.locator("[data-testid=column-head]").first().evaluate((head) => head.offsetWidth);
  const before = await width();
  await sizer.focus();
  await page.keyboard.press("ArrowRight");
  await until(width, before + 16);
  const box = await sizer.boundingBox();
  await page.mouse.move(box.x + 4, box.y + 8);
  await page.mouse.down();
  await page.mouse.move(box.x + 64, box.y + 8, { steps: 4 });
  await page.mouse.up();
  await until(async () => Math.abs((await width()) - before - 76) <= 2, true);
  assert.match(parameter(page, "layout"), /^path:\d+,status,@message$/);
  const detail = await page.getByTestId("detail").count();
  assert.equal(detail, 0, "keys on the handle open no row");
  await page.getByTestId("column-@message").click();
  await page.getByTestId("hide-column").click();
  await until(() => heads(page), ["path", "status"]);
  await page.getByTestId("column-path").click();
  await page.getByTestId("show-@message").click();
  await until(() => heads(page), ["path", "status", "Message"]);
  await page.getByTestId("column-status").click();
  await page.getByTestId("hide-column").click();
  await until(() => heads(page), ["path", "Message"]);
  assert.equal(parameter(page, "columns"), "path");
}

async function wrapsAndCondenses(own) {
  const page = await own.explore({ q: 'filter message like "long lorem" or message like "hostile"' });
  const heights = () => row(page).evaluateAll((rows) => rows.map((one) => one.offsetHeight));
  await until(heights, [25, 25]);
  await page.getByTestId("dense").click();
  await until(heights, [20, 20]);
  await page.keyboard.press("w");
  await until(async () => (await heights())[0] > 100, true);
  assert.equal(`${parameter(page, "wrap")}${parameter(page, "dense")}`, "11");
  // The second row stands where the first one ends.
  const gap = () => row(page).evaluateAll(([a, b]) => Math.abs(b.getBoundingClientRect().top - a.getBoundingClientRect().bottom) < 2);
  await until(gap, true);
}

async function scrollsWrapped(own) {
  const page = await own.explore({ wrap: "1" });
  const box = page.getByTestId("rows");
  for (let n = 0; n < 12; n += 1) {
    await box.evaluate((element) => { element.scrollTop += 900; });
    await page.evaluate(() => new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then))));
  }
  assert.ok((await row(page).count()) <= 80, "only what is in sight is mounted");
  const seen = await row(page).evaluateAll((rows) => {
    const places = rows.map((one) => one.getBoundingClientRect()).sort((a, b) => a.top - b.top);
    return places.every((one, n) => n === 0 || Math.abs(one.top - places[n - 1].bottom) < 2);
  });
  assert.ok(seen, "rows stand below each other");
}

async function sharesTheWholeView(own) {
  const page = await own.explore({ q: "stats count(*) as n by path", chart: "top", sort: "-n" }, CLIPBOARD);
  await page.getByTestId("top-list").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("y");
  const link = new URL(await copied(page));
  assert.match(link.searchParams.get("from"), /^2\d{3}-/);
  const other = await own.open(link.pathname + link.search);
  await settled(other);
  await other.getByTestId("top-list").waitFor();
  assert.equal(await other.locator("th[aria-sort=descending]").textContent(), "n↓");
  assert.equal(await other.getByTestId("top-list").textContent(), await page.getByTestId("top-list").textContent());
}

/** Takes away what earlier runs have left. */
async function withoutViews(own) {
  for (const view of (await own.api("/api/v1/views")).views) await own.api(`/api/v1/views/${view.id}`, { method: "DELETE" });
}

async function save(page, name, { chip = false, star = false, tags = "" } = {}) {
  await page.keyboard.press("Escape");
  await page.keyboard.press("s");
  await page.getByTestId("save-form").waitFor();
  await page.locator("[name=name]").fill(name);
  await page.locator("[name=tags]").fill(tags);
  if (chip) await page.getByTestId("as-chip").check();
  if (star) await page.getByText("Starred").click();
  await page.keyboard.press("Enter");
  await page.getByTestId("save-form").waitFor({ state: "detached" });
}

async function savesAndOpensViews(own) {
  await withoutViews(own);
  const page = await own.explore({ q: "stats count(*) as n by path", chart: "bar" });
  await save(page, "by path", { star: true, tags: "web, oncall" });
  await page.getByTestId("chips").getByText("by path").waitFor();
  const other = await own.explore({ q: "needle" });
  await other.keyboard.press("Escape");
  await other.keyboard.press("v");
  await other.getByTestId("saved-view").waitFor();
  await clean(other);
  await other.keyboard.type("oncall");
  await other.keyboard.press("ArrowDown");
  await other.keyboard.press("Enter");
  await settled(other);
  assert.equal(await queryText(other), "stats count(*) as n by path");
  await other.getByTestId("name-bars").waitFor();
  await other.getByTestId("chips").getByText("All views").click();
  await other.getByRole("button", { name: "Star on by path" }).click();
  await other.getByTestId("chips").waitFor({ state: "detached" });
  await other.getByRole("button", { name: "Delete by path" }).click();
  await other.getByText("Really delete").click();
  await other.getByText("Nothing is saved yet.").waitFor();
  await own.noteViolations(other);
}

async function renamesViews(own) {
  await withoutViews(own);
  const page = await own.explore({ q: "stats count(*) as n by path" });
  await save(page, "by path", { tags: "web" });
  await page.keyboard.press("v");
  await page.getByRole("button", { name: "Rename by path" }).click();
  const form = page.getByTestId("rename-form");
  await form.waitFor();
  assert.equal(await form.locator("[name=new-name]").inputValue(), "by path");
  await clean(page);
  await form.locator("[name=new-name]").fill("paths of the day");
  await form.locator("[name=new-tags]").fill("web, morning");
  // Escape takes the form back, not the list.
  await page.keyboard.press("Escape");
  await page.getByTestId("saved-view").getByText("by path", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Rename by path" }).click();
  await form.locator("[name=new-name]").fill("paths of the day");
  await form.locator("[name=new-tags]").fill("web, morning");
  await page.keyboard.press("Enter");
  await page.getByTestId("saved-view").getByText("paths of the day").waitFor();
  const [kept] = (await own.api("/api/v1/views")).views;
  assert.deepEqual([kept.name, kept.tags, kept.view.q], ["paths of the day", ["morning", "web"], "stats count(*) as n by path"]);
  // Of two who rename it at once, one is told.
  own.expectsFailures = true;
  await page.getByRole("button", { name: "Rename paths of the day" }).click();
  await own.send("PUT", `/api/v1/views/${kept.id}`, { ...kept, id: undefined, own: undefined, owner: undefined, changed: undefined, created: undefined, name: "meanwhile" });
  await form.locator("[name=new-name]").fill("mine");
  await page.keyboard.press("Enter");
  await page.getByText(/changed meanwhile/).waitFor();
}

/** Views of somebody else have stars of whoever reads them. */
async function starsAreTheReaders(own) {
  const page = await own.open("/reference");
  let asked = "";
  await page.route("**/api/v1/views**", (route) => {
    if (route.request().method() !== "GET") asked = route.request().method();
    const view = { id: "v1", name: "of the night shift", description: "", tags: [], star: true, chip: false, shared: true, version: 3, owner: "ana", own: false, changed: "", view: { q: "needle" } };
    return route.fulfill({ contentType: "application/json", body: JSON.stringify({ views: [view] }) });
  });
  await page.goto(`${own.url}/?${own.scope}`);
  await settled(page);
  assert.equal(await page.getByTestId("chips").count(), 0, "the star of its owner is the owner's");
  await page.keyboard.press("Escape");
  await page.keyboard.press("v");
  await page.getByRole("button", { name: "Star on of the night shift" }).click();
  await page.getByTestId("chips").getByText("of the night shift").waitFor();
  assert.equal(await page.getByRole("button", { name: /Rename|Delete/ }).count(), 0);
  await page.reload();
  await page.getByTestId("chips").getByText("of the night shift").click();
  await page.waitForURL(/q=needle/);
  assert.equal(asked, "", "the view itself is as it was");
}

async function paletteFindsWhatIsKept(own) {
  await withoutViews(own);
  const page = await own.explore({ q: "stats count(*) as n by path" });
  await save(page, "errors at night", { tags: "oncall" });
  await ask(page, "filter status = 404 and timeMs > 100");
  await ask(page, "needle");
  const choose = async (text, name) => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.getByTestId("palette-text").fill(text);
    await page.locator("[data-testid=palette-entry][aria-selected=true]").getByText(name).waitFor();
    await page.keyboard.press("Enter");
    await page.getByTestId("palette").waitFor({ state: "detached" });
  };
  await choose("timems 404", "filter status = 404 and timeMs > 100");
  await page.waitForFunction(() => window.__catat.state.view.query === "filter status = 404 and timeMs > 100");
  await choose("nght", "errors at night");
  await page.waitForFunction(() => window.__catat.state.view.query === "stats count(*) as n by path");
  await choose("oncall", "errors at night");
  // What is only in the letters of a query does not stand for it.
  await page.keyboard.press("Control+k");
  await page.getByTestId("palette-text").fill("nl");
  assert.equal(await page.locator("[data-testid=palette-entry]").getByText("Earlier query").count(), 0);
}

async function switchesChips(own) {
  await withoutViews(own);
  const save_ = async (q, name) => save(await own.explore({ q }), name, { chip: true });
  await save_("filter status = 404", "not found");
  await save_("filter status = 503", "unavailable");
  await save_('filter path = "/cart"', "cart");
  const page = await own.explore();
  const chip = (name) => page.getByTestId("chips").getByRole("button", { name });
  await chip("not found").click();
  await settled(page);
  await chip("unavailable").click();
  await settled(page);
  await chip("cart").click();
  await settled(page);
  const wanted = 'filter status = 404 or status = 503\n| filter path = "/cart"';
  assert.equal(await queryText(page), wanted);
  const shown = await page.evaluate(() => window.__catat.rows.length);
  assert.equal(shown, await own.count('filter (status = 404 or status = 503) and path = "/cart"'));
  assert.equal(await chip("cart").getAttribute("aria-pressed"), "true");
  await clean(page);
  await chip("not found").click();
  await settled(page);
  assert.equal(await queryText(page), 'filter status = 503\n| filter path = "/cart"');
  await chip("unavailable").click();
  await chip("cart").click();
  await settled(page);
  assert.equal(await queryText(page), "");
  await withoutViews(own);
}

/** Whoever follows a link sees what was found, with nothing filtered away; closing the box takes it out of the address. */
async function sharesWhatIsSought(own) {
  const page = await own.explore();
  await page.locator("[data-testid=row]").first().click();
  await page.keyboard.press("Control+f");
  await page.getByTestId("find-text").fill("503 in");
  await page.waitForFunction(() => new URLSearchParams(location.search).get("find") === "503 in");
  const count = await page.getByTestId("find-count").textContent();
  const other = await own.open(new URL(page.url()).pathname + new URL(page.url()).search);
  await settled(other);
  await other.waitForFunction((count) => document.querySelector("[data-testid=find-count]")?.textContent.split(" ").at(-1) === count.split(" ").at(-1), count);
  await other.locator("[data-testid=row].here mark.found").first().waitFor();
  assert.equal((await rowsOf(other)).length, (await rowsOf(page)).length);
  await other.getByTestId("find-text").press("Escape");
  await other.waitForURL((url) => !url.searchParams.has("find"));
  assert.equal(await other.locator("mark.found").count(), 0);
}

/** A file that cannot be had is told of, with what to do. */
async function tellsWhenThereIsNoFile(own) {
  own.expectsFailures = true;
  const page = await own.explore({ q: "needle" });
  const failed = page.getByTestId("export-failed");
  const answers = [(route) => route.fulfill({ status: 503, contentType: "application/json", body: '{"error":{"code":"busy","message":"too many queries run already","hint":"try again in a moment"}}' }), (route) => route.abort()];
  await page.route("**/api/v1/query?*", (route) => (answers.length > 0 ? answers.shift()(route) : route.continue()));
  await page.getByTestId("share").click();
  await page.getByTestId("export").click();
  await failed.waitFor();
  assert.equal(await failed.textContent(), "No file was saved: too many queries run already – try again in a moment. Try again, or copy a command and run it in a shell.");
  await clean(page);
  await page.getByTestId("export").click();
  await failed.filter({ hasNotText: "too many" }).waitFor();
  // The third time there is one.
  const waits = page.waitForEvent("download");
  await page.getByTestId("export").click();
  assert.match((await waits).suggestedFilename(), /\.csv$/);
  await failed.waitFor({ state: "detached" });
}

async function savesFiles(own) {
  const page = await own.explore({ q: 'filter message like "needle"', columns: "service", tz: "utc" }, CLIPBOARD);
  const texts = {};
  for (const format of ["csv", "tsv", "ndjson", "text"]) {
    await page.getByTestId("share").click();
    await page.getByTestId(`format-${format}`).click();
    assert.match(await page.getByTestId("export-size").textContent(), format === "text" ? /^3 rows, about/ : /^3 rows$/);
    if (format === "csv") await clean(page);
    const waits = page.waitForEvent("download");
    await page.getByTestId("export").click();
    const download = await waits;
    assert.match(download.suggestedFilename(), /^catat-\d{8}T\d{6}Z-\d{8}T\d{6}Z\.(csv|tsv|ndjson|txt)$/);
    texts[format] = readFileSync(await download.path(), "utf8");
  }
  // What the list shows comes first, then the other fields of these events.
  const [heads, ...lines] = texts.csv.trim().split("\r\n");
  assert.match(heads, /^@timestamp,@level,@log,@logStream,@message,service,/);
  assert.deepEqual(heads.split(",").slice(6).sort(), ["@id", "@ingestionTime", "level", "message"]);
  assert.match(lines[0], /^2\d{3}-.*Z,info,/);
  assert.ok(texts.ndjson.trim().split("\n").every((line) => JSON.parse(line).service === "checkout"));
  assert.equal(texts.csv.split("\r\n").length, 5);
  assert.deepEqual(texts.ndjson.trim().split("\n").map((line) => JSON.parse(line)["@message"]).sort(), [0, 1, 2].map((n) => `needle ${n} in the haystack`));
  assert.equal(texts.tsv.trim().split("\n").length, 4);
  assert.match(texts.text, /needle \d in the haystack {2}service=checkout\n/);
  await page.getByTestId("share").click();
  await page.getByTestId("format-tsv").click();
  await page.getByTestId("copy-command").click();
  assert.match(await copied(page), / -o tsv /);
  await page.getByTestId("share").click();
  await page.getByTestId("format-text").click();
  await page.getByTestId("copy-command").click();
  const command = await copied(page);
  assert.match(command, new RegExp(`^catat query --url ${own.url.replaceAll("/", "\\/")} --tz UTC --from 2`));
  assert.ok(command.includes(`--group '${own.prefix}/*'`) && command.includes("-o lines"), command);
  await page.getByTestId("share").click();
  await page.getByTestId("format-text").click();
  await page.getByTestId("copy-curl").click();
  assert.match(await copied(page), /^curl -sSfGOJ http.*--data-urlencode format=text/s);
}

async function savesFilesWithAKey(own) {
  const page = await own.explore({ q: 'filter message like "needle"' });
  // A key of the tab cannot go with a link; the browser of the checks gives no file to write into.
  await page.evaluate(() => { sessionStorage.setItem("catat.key", "any"); delete Window.prototype.showSaveFilePicker; delete window.showSaveFilePicker; });
  await page.getByTestId("share").click();
  await page.getByTestId("format-ndjson").click();
  const asked = page.waitForRequest((request) => request.url().includes("format=ndjson"));
  const waits = page.waitForEvent("download");
  await page.getByTestId("export").click();
  assert.equal((await asked).headers().authorization, "Bearer any");
  assert.equal(readFileSync(await (await waits).path(), "utf8").trim().split("\n").length, 3);
}

async function drawsResults(own) {
  const page = await own.explore({ q: "stats count(*) as n by bin(5m), path" });
  const kinds = () => page.getByTestId("chart-kinds").getByRole("button").allTextContents();
  await until(kinds, ["Lines", "Areas", "Bars", "Table"]);
  for (const kind of ["line", "area", "bar"]) {
    await page.getByTestId(`chart-${kind}`).click();
    await page.locator(`[data-testid=series][data-kind=${kind}]`).waitFor();
    assert.equal(parameter(page, "chart"), kind === "line" ? null : kind);
    if (kind === "area") await clean(page);
  }
  const chart = page.getByTestId("series").locator("svg");
  await chart.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await until(async () => /\d/.test(await page.getByTestId("series").locator(".legend b").first().textContent()), true);
  await page.getByTestId("chart-table").click();
  await page.getByTestId("series").waitFor({ state: "detached" });
  await page.getByTestId("table").waitFor();
}

async function drawsNamesAndNumbers(own) {
  const page = await own.explore({ q: "filter ispresent(path)\n| stats count(*) as n by path" });
  await page.getByTestId("chart-top").click();
  const items = page.getByTestId("top-list").locator("li");
  assert.equal(await items.count(), 5);
  assert.match(await items.first().textContent(), /\d+20 %|\d+\d %/);
  await clean(page);
  await page.getByTestId("chart-bar").click();
  await page.getByTestId("name-bars").locator("svg").focus();
  await page.keyboard.press("ArrowRight");
  await until(async () => /\d/.test(await page.getByTestId("name-bars").locator(".legend").textContent()), true);
  assert.equal(await page.locator("th").last().getAttribute("aria-sort"), "descending", "the largest first, where nobody chose an order");
  await page.locator("th").last().getByRole("button").click();
  assert.equal(parameter(page, "sort"), "n");
  const one = await own.explore({ q: "stats count(*) as n" });
  await one.getByTestId("figures").waitFor();
  await one.getByTestId("chart-table").click();
  await one.getByTestId("table").waitFor();
}

async function selectsRows(own) {
  const page = await own.explore({ q: "filter ispresent(path)", columns: "path" }, CLIPBOARD);
  await row(page).nth(1).click({ modifiers: ["Control"] });
  await row(page).nth(4).click({ modifiers: ["Shift"] });
  await page.getByText("4 rows selected").waitFor();
  assert.equal(await page.getByTestId("detail").count(), 0, "selecting opens nothing");
  await clean(page);
  await page.keyboard.press("Shift+ArrowDown");
  await page.getByText("5 rows selected").waitFor();
  const events = await page.evaluate(() => window.__catat.rows.slice(1, 6));
  await page.getByTestId("copy-json").click();
  assert.deepEqual(JSON.parse(await copied(page)).map((one) => one["@id"]), events.map((one) => one.id));
  await page.getByTestId("copy-markdown").click();
  const table = (await copied(page)).split("\n");
  assert.equal(table[0], "| Time | Level | path | Message |");
  assert.equal(table.length, 7);
  await page.getByTestId("copy-text").click();
  assert.deepEqual((await copied(page)).split("\n").map((line) => line.split("  ").at(-1)), events.map((one) => one.message));
  // The list unmounts the rows and mounts them again.
  const box = page.getByTestId("rows");
  await box.evaluate((element) => { element.scrollTop = 9000; });
  await until(() => page.locator("[data-testid=row][aria-selected=true]").count(), 0);
  await box.evaluate((element) => { element.scrollTop = 0; });
  await until(() => page.locator("[data-testid=row][aria-selected=true]").count(), 5);
  await row(page).nth(2).focus();
  await page.keyboard.press("Escape");
  await page.getByTestId("select-bar").waitFor({ state: "detached" });
  await page.keyboard.press(" ");
  await page.getByText("1 row selected").waitFor();
}

export const shareChecks = [
  ["row 18, share: what is sought among the rows is in the link", sharesWhatIsSought],
  ["row 20, export: a file that cannot be had is told of, with the next step", tellsWhenThereIsNoFile],
  ["row 16, columns: heads are dragged and moved by their menu, and the address keeps the order", ordersColumns],
  ["row 16, columns: sized by pointer and keys, hidden and shown again", sizesAndHidesColumns],
  ["row 16, columns: lines are broken and rows condensed, in the address", wrapsAndCondenses],
  ["row 16, columns: broken lines scroll without a gap", scrollsWrapped],
  ["row 18, share: a link has the whole view, the way to draw and the order too", sharesTheWholeView],
  ["row 19, saved: a view is kept, found by its tag, opened, starred and deleted by keys", savesAndOpensViews],
  ["row 19, saved: a view is renamed, and of two at once one is told", renamesViews],
  ["row 19, saved: a star on somebody's view is its reader's", starsAreTheReaders],
  ["row 25, palette: saved views and earlier queries are found", paletteFindsWhatIsKept],
  ["row 19, saved: filters of one field are alternatives, of others hold too, in the text", switchesChips],
  ["row 20, export: every kind of file has all rows, and the commands are the same question", savesFiles],
  ["row 20, export: a key in the tab goes along with the question", savesFilesWithAKey],
  ["charts: an answer by time as lines, areas and bars, read by keys", drawsResults],
  ["charts: an answer by name as a list and bars, sorted in the address, numbers large", drawsNamesAndNumbers],
  ["row 34, selection: several rows by pointer and keys, copied three ways, kept while scrolling", selectsRows],
];
