// `/settings?tab=fleet`: nodes, what each does, what waits and costs; a server that is in no fleet; a database that is away.

import assert from "node:assert/strict";

import { clean, inBothThemes } from "./accessibility.mjs";
import { openAs, tabTo } from "./people.mjs";

const HOSTILE = '<img src=x onerror="window.__xss=1">';

const node = (name, epoch, more) => ({
  node: name, epoch, address: `https://${name}.example.org:22828`, roles: "ingest,query,upkeep,alert,page", zone: "a", joined_s: 7200, silent_s: 2.5,
  leases: [], answers_this: false, ...more,
});

/** What a server answers: the least, and everything. */
const SMALL = { nodes: [node("n-1", 1, { answers_this: true })], objects_waiting: 3, object_bytes_waiting: 2_000_000, objects_written: 4711 };
export const LARGE = {
  ...SMALL,
  nodes: [
    node("n-1", 1, { answers_this: true, leases: ["upkeep"], changes_behind: 0, does: { parts_answered: 1234 } }),
    node("n-2", 2, { silent_s: 900, changes_behind: null }),
    node("n-2", 4, { leases: ["alerts"], changes_behind: 1200 }),
    node("n-3", 3, { draining: true, zone: "", roles: "ingest" }),
    node(HOSTILE, 5, { silent_s: 60 }),
  ],
  bytes_stored: 1.84e12, puts_per_day: 186_400.4, cost_per_day_usd: 2.405,
};

const away = { status: 503, body: { error: { code: "unavailable", message: "the database is away" } } };

/** Lets the page hear `answer.now` about the fleet, and counts how often it asks. */
export async function answerWith(page, now) {
  const answer = { now, asked: 0 };
  await page.route("**/api/v1/fleet", (route) => {
    answer.asked += 1;
    const { status = 200, body = answer.now } = answer.now.status ? answer.now : {};
    return route.fulfill({ status, contentType: "application/json", body: JSON.stringify(body) });
  });
  return answer;
}

/** The part as an administrator sees it, with a clock that stands still until it is moved. */
async function openFleet(own, now, options) {
  const page = await openAs(own, "boss", "boss of all logs", "/settings", options);
  await page.getByTestId("keys").waitFor();
  const answer = await answerWith(page, now);
  await page.clock.install();
  await page.getByTestId("tab-fleet").click();
  return { page, answer };
}

const states = (page) => page.getByTestId("node-state").allTextContents();

async function openLargeFleet(own, options) {
  const { page } = await openFleet(own, LARGE, options);
  await page.getByTestId("node").first().waitFor();
  return page;
}

async function showsNodes(own) {
  const { page, answer } = await openFleet(own, SMALL);
  await page.getByTestId("node").waitFor();
  assert.deepEqual(await states(page), ["up"]);
  assert.equal(await page.getByTestId("fleet-figures").innerText(), "Up\n1\nObjects in no segment yet\n3 (2.0 MB)\nObjects written by this server\n4,711");
  assert.deepEqual(await page.getByRole("columnheader").allTextContents(), ["Node", "State", "Leases", "Roles", "Joined"]);
  answer.now = LARGE;
  await page.clock.runFor(5000);
  await page.getByTestId("node").nth(4).waitFor();
  assert.deepEqual(await states(page), ["up", "replaced", "up", "draining", "silent"]);
  const rows = await page.getByTestId("node").allInnerTexts();
  assert.match(rows[0], /^n-1 \(answers you\)\s+https:\/\/n-1\.example\.org:22828, a\s+up\s+upkeep\s+ingest, query, upkeep, alert, page\s+–\s+2 h ago\s+parts answered 1,234$/);
  assert.match(rows[1], /replaced\s+15 min ago\s+–.*not known yet/s);
  assert.match(rows[2], /alerts.*1,200 changes/s);
  assert.ok(rows[4].startsWith(HOSTILE));
  assert.equal(await page.evaluate(() => window.__xss), undefined);
  assert.match(await page.getByTestId("fleet-figures").innerText(), /Stored\n1\.8 TB\nPUTs per day\n186,400\nCost per day\n\$2\.4[01]$/);
}

async function saysWhatIsAway(own) {
  const { page, answer } = await openFleet(own, away);
  await page.getByRole("alert").getByText("the database is away. Retried every 5 seconds.").waitFor();
  assert.equal(await page.getByTestId("node").count(), 0);
  answer.now = SMALL;
  await page.clock.runFor(5000);
  await page.getByTestId("node").waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
  answer.now = away;
  await page.clock.runFor(5000);
  await page.getByRole("alert").getByText("The data below is older.").waitFor();
  assert.equal(await page.getByTestId("node").count(), 1, "what was known stays");
}

/** This server is in no fleet: it answers by itself. */
async function saysHowToStartOne(own) {
  const page = await openAs(own, "boss", "boss of all logs", "/settings?tab=fleet", { permissions: ["clipboard-read", "clipboard-write"] });
  await page.getByTestId("no-fleet").waitFor();
  await page.getByRole("button", { name: "Copy: configuration" }).click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^\[storage\]\nobject_store = .*\[fleet\]\ndatabase = /s);
  await page.getByTestId("no-fleet").getByRole("link").click();
  await page.waitForURL(/\/docs\/fleet$/);
  await page.getByRole("heading", { name: "A fleet", level: 1 }).waitFor();
}

async function isForAdministrators(own) {
  const page = await openAs(own, "ani", "ani reads the web", "/settings");
  const answer = await answerWith(page, LARGE);
  await page.getByTestId("tab-fleet").click();
  await page.getByTestId("not-shown").getByText("catat fleet status").waitFor();
  await page.reload();
  await page.getByTestId("not-shown").getByText("catat fleet status").waitFor();
  assert.equal(await page.getByTestId("fleet").count() + answer.asked, 0);
}

async function worksByKeys(own) {
  const page = await openAs(own, "boss", "boss of all logs", "/settings");
  await answerWith(page, LARGE);
  await tabTo(page, /^tab-fleet/);
  await page.keyboard.press("Enter");
  await page.getByTestId("node").first().waitFor();
  assert.match(page.url(), /\/settings\?tab=fleet$/);
  assert.equal(await page.getByTestId("tab-fleet").getAttribute("aria-current"), "page");
  await page.reload();
  await page.getByTestId("node").first().waitFor();
  await page.goBack();
  await page.getByTestId("keys").waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  assert.match(page.url(), /\/settings$/);
}

async function looksRight(own) {
  const page = await openLargeFleet(own, { reducedMotion: "reduce" });
  await inBothThemes(page, async (theme) => {
    await clean(page, theme);
    await own.picture(page, `fleet-${theme}`);
  });
  const small = await openLargeFleet(own, { viewport: { width: 390, height: 844 } });
  await small.evaluate(() => localStorage.setItem("catat.language", "id"));
  await small.reload();
  await small.getByText("tidak terdengar").waitFor();
  const over = await small.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${over} px too wide`);
  await clean(small);
  await own.picture(small, "fleet-small", true);
}

export const fleetChecks = [
  ["screen fleet: nodes, their states and the figures are shown and kept current", showsNodes],
  ["screen fleet: a database that is away is told of, and what was known stays", saysWhatIsAway],
  ["screen fleet: a server that is in no fleet says what to set", saysHowToStartOne],
  ["screen fleet: it is for administrators", isForAdministrators],
  ["screen fleet: it is reached by keys and by its address", worksByKeys],
  ["screen fleet: it is accessible in both themes and fits small screens in Indonesian", looksRight],
];
