// A dashboard as one file, by e-mail, in Indonesian where nobody made it, of another range; numbers in little room.

import assert from "node:assert/strict";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { clean, inBothThemes } from "./accessibility.mjs";
import { at, drawn, KINDS, panel, store } from "./dashboards.mjs";

/** Saves the dashboard that a page shows; returns the file's name, and where it is. */
async function saved(page) {
  await page.getByTestId("board-more").click();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByTestId("board-html").click()]);
  const path = join(await mkdtemp(join(tmpdir(), "board-")), file.suggestedFilename());
  await file.saveAs(path);
  return { name: file.suggestedFilename(), path };
}

/** Opens a file without a network; whatever it asks for, and whatever its policy forbids, is a complaint. */
async function opened(own, path, options) {
  const context = await own.browser.newContext({ offline: true, viewport: { width: 1280, height: 900 }, ...options });
  own.opened.push(context);
  const page = await context.newPage();
  page.on("request", (request) => request.url().startsWith("file:") || own.complaints.push(`the file asks for ${request.url()}`));
  page.on("console", (message) => message.type() === "error" && own.complaints.push(`the file: ${message.text()}`));
  page.on("pageerror", (error) => own.complaints.push(`the file: ${error.message}`));
  if (options?.javaScriptEnabled !== false)
    await page.addInitScript(() => {
      window.__forbidden = [];
      addEventListener("securitypolicyviolation", (event) => window.__forbidden.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
    });
  await page.goto(pathToFileURL(path).href);
  return page;
}

/** What a file has drawn of a panel, by the panel's place on the board. */
const inFile = (page, n) => page.locator(`[data-panel="${n}"]`);

/** Every panel of `KINDS` is drawn, as on the page. */
async function drawsEveryKind(file, page) {
  const places = Object.fromEntries(KINDS.map(({ id }, n) => [id, inFile(file, n)]));
  await places.p4.locator("path.line").first().waitFor({ state: "attached" });
  const marks = {
    p2: "path.area", p3: ".markdown > *", p4: "path.line", p5: "path.area", p6: "path.area", p7: "path.heat", p8: ".board-bars li", p9: "tbody tr", p10: ".board-logs li", p12: "path.line",
  };
  for (const [id, mark] of Object.entries(marks)) {
    const [there, here] = await Promise.all([at(page, id).locator(mark).count(), places[id].locator(mark).count()]);
    // The page draws the events on its screen, and shades follow from where bins begin.
    assert.ok(here > 0 && (["p7", "p10"].includes(id) ? here >= there / 2 : here === there), `${id}: ${here} ${mark}, on the page ${there}`);
  }
  for (const [id, text] of [["p1", ".board-number-value"], ["p1", ".grade-word"], ["p2", "tbody"], ["p3", ".markdown"], ["p8", "ol"]])
    assert.deepEqual(await places[id].locator(text).allTextContents(), await at(page, id).locator(text).allTextContents(), `${id}: ${text}`);
  assert.equal(await places.p11.count(), 0);
  await places.p12.locator(".grid text", { hasText: "%" }).first().waitFor({ state: "attached" });
  // Its values are read under the pointer, in all charts at once.
  await places.p4.locator("svg").first().hover();
  await places.p4.locator(".tip b").first().waitFor();
  await places.p5.locator("line.cursor").waitFor({ state: "attached" });
  await file.mouse.move(0, 0);
}

async function savesItsData(own) {
  const hostile = '<img src=x onerror="window.__xss=1"></script><script>window.__xss=1</script>';
  const name = await store(own, [...KINDS, panel("h", "table", [0, 50, 24, 6], "stats count(*) as n by path", { title: hostile, unit: hostile })]);
  const page = await own.open(`/dashboards/${name}`, { viewport: { width: 1440, height: 2000 } });
  for (const { id } of KINDS) await drawn(page, id);
  const { name: fileName, path } = await saved(page);
  assert.match(fileName, /^Shop-\d+\.html$/);
  const html = await readFile(path, "utf8");
  assert.ok(html.match(/<script/g).length === 2 && !html.includes("<img") && html.includes("&lt;img src=x"), "hostile texts are texts");
  for (const colorScheme of ["light", "dark"]) {
    const offline = await opened(own, path, { colorScheme });
    await offline.getByRole("heading", { name: "number p1" }).waitFor();
    assert.equal(await offline.locator(".board-sheet > section").count(), KINDS.length + 1);
    await offline.getByRole("heading", { name: hostile }).waitFor();
    await drawsEveryKind(offline, page);
    assert.ok((await inFile(offline, KINDS.length).locator("td.numeric").first().textContent()).includes(hostile), "a hostile unit is text");
    // Each picture has its rows below it.
    const line = offline.locator("section", { hasText: "line p4" });
    assert.equal(await line.locator("details").evaluate((one) => one.open), false);
    await line.locator("summary").click();
    await line.getByRole("cell", { name: "web-1" }).first().waitFor();
    assert.deepEqual(await offline.evaluate(() => [window.__xss, window.__forbidden]), [undefined, []]);
    await clean(offline);
    await own.picture(offline, `dashboard-file-${colorScheme}`, true);
  }
  const small = await opened(own, path, { viewport: { width: 380, height: 800 } });
  await inFile(small, 3).locator("path.line").first().waitFor({ state: "attached" });
  assert.ok(await small.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it fits a small screen");
  await own.picture(small, "dashboard-file-small", true);
  await small.emulateMedia({ media: "print" });
  assert.ok(await small.evaluate(() => getComputedStyle(document.documentElement).backgroundColor === "rgb(255, 255, 255)"), "it is printed on white");
  // Who runs no scripts has every value.
  const still = await opened(own, path, { javaScriptEnabled: false });
  await still.locator("noscript").waitFor();
  await still.locator("section", { hasText: "line p4" }).getByRole("cell", { name: "web-1" }).first().waitFor();
  await still.getByText("**Bold** [bad](javascript:alert(1))").waitFor();
  await own.picture(still, "dashboard-file-still", true);
}

async function savesWhatIsChosen(own) {
  const name = await store(own, [panel("p1", "table", [0, 0, 24, 8], "filter host = $host | stats count(*) as n by host")], {
    variables: [{ name: "host", values: ["web-0", "web-1"] }],
  });
  const page = await own.open(`/dashboards/${name}?var.host=web-1`, { locale: "id-ID" });
  await drawn(page, "p1");
  const file = await opened(own, (await saved(page)).path);
  assert.equal(await file.locator("html").getAttribute("lang"), "id");
  assert.deepEqual(await file.locator("details td").first().allTextContents(), ["web-1"]);
  assert.deepEqual(await inFile(file, 0).locator("tbody td").first().allTextContents(), ["web-1"]);
  // It speaks the page's language where the script speaks, too.
  const figure = await store(own, [panel("p1", "number", [0, 0, 12, 6], "stats count(*) as n", { thresholds: [{ value: 1, level: "error" }] })]);
  const other = await own.open(`/dashboards/${figure}`, { locale: "id-ID" });
  await drawn(other, "p1");
  await inFile(await opened(own, (await saved(other)).path), 0).getByText("buruk", { exact: true }).waitFor();
}

async function isSentByMail(own) {
  own.expectsFailures = true;
  const name = await store(own, [panel("p1", "number", [0, 0, 12, 6], "stats count(*) as n")]);
  const page = await own.open(`/dashboards/${name}`);
  await drawn(page, "p1");
  const menu = async () => {
    await page.getByTestId("board-more").click();
    await page.getByTestId("board-mail").click();
  };
  // Without a channel, the way to one.
  await page.route("**/api/v1/channels", (route) => route.fulfill({ contentType: "application/json", body: '{"channels":[]}' }));
  await menu();
  await page.getByTestId("reports").getByText("To send it, add a channel of type email").waitFor();
  await page.keyboard.press("Escape");
  await page.unroute("**/api/v1/channels");
  await page.route("**/api/v1/channels", (route) => route.fulfill({ contentType: "application/json", body: '{"channels":[{"name":"mail","type":"email","settings":{"topics":["reports"]}}]}' }));
  await menu();
  const form = page.getByTestId("report-form");
  await form.locator("select").first().selectOption("monday");
  await form.locator("input[type=time]").fill("06:30");
  await form.getByRole("button", { name: "Send at this time" }).click();
  const line = page.getByTestId("report-line");
  await line.getByText(/^Every Monday at 06:30/).waitFor();
  await line.getByText("No channel of type email names this topic.").waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  await own.picture(page, "dashboard-mail");
  // What became of a letter.
  const reports = "**/api/v1/reports";
  await page.route(reports, async (route) => {
    const answer = await (await route.fetch()).json();
    for (const one of answer.reports) one.last = { due: new Date().toISOString(), deliveries: [{ channel: "mail", state: "failed", at: null, error: "550 no such person" }] };
    await route.fulfill({ contentType: "application/json", body: JSON.stringify(answer) });
  });
  await line.getByRole("button", { name: "Send now" }).click();
  await line.getByText(/mail: failed – 550 no such person/).waitFor();
  await page.unroute(reports);
  await line.getByRole("button", { name: /^Stop sending/ }).click();
  await line.getByRole("button", { name: /^Confirm/ }).click();
  await page.getByText("It is not sent yet.").waitFor();
}

async function followsRangeAndLanguage(own) {
  const group = `group:${own.prefix}/web`;
  const page = await own.open(`/dashboards/${encodeURIComponent(group)}`, { locale: "id-ID" });
  await page.getByRole("heading", { name: "Ikhtisar" }).waitFor();
  const asked = page.waitForRequest((request) => request.url().includes("/api/v1/dashboards/group") && request.url().includes("from=now-15m"));
  await page.evaluate(() => {
    const url = new URL(location.href);
    url.searchParams.set("from", "now-15m");
    history.pushState(null, "", url);
    dispatchEvent(new PopStateEvent("popstate"));
  });
  await asked;
  await page.getByRole("heading", { name: "Ikhtisar" }).waitFor();
}

async function fitsLittleRoom(own) {
  const thresholds = [{ value: 0, level: "warn" }];
  const name = await store(own, [2, 3, 4].map((h, n) => panel(`p${h}`, "number", [n * 6, 0, 6, h], "stats count(*) as n", { thresholds })));
  const page = await own.open(`/dashboards/${name}`);
  for (const h of [2, 3, 4]) {
    await drawn(page, `p${h}`);
    const [word, frame] = await Promise.all([at(page, `p${h}`).locator(".grade-word"), at(page, `p${h}`)].map((one) => one.boundingBox()));
    assert.ok(word.y >= frame.y && word.y + word.height <= frame.y + frame.height, `the word of ${h} rows: ${JSON.stringify({ word, frame })}`);
  }
  await own.picture(page, "dashboard-little-room");
}

export const dashboardFileChecks = [
  ["dashboards: a file has the data, opens offline, in both themes, on a small screen and on paper", savesItsData],
  ["dashboards: a file has what is chosen, in the page’s language", savesWhatIsChosen],
  ["dashboards: by e-mail, with what became of the letter", isSentByMail],
  ["dashboards: a ready-made one follows the range and speaks Indonesian", followsRangeAndLanguage],
  ["dashboards: numbers in little room keep their word", fitsLittleRoom],
];
