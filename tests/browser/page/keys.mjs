// The keys: what the list behind `?` says is what they do, and everything is found by its name.

import assert from "node:assert/strict";

import { histogramOf, queryText, rowsOf, settled } from "./harness.mjs";

/** Presses keys as the page's table names them. */
async function press(page, name) {
  const parts = /^. .$/.test(name) && name !== " " ? name.split(" ") : [name];
  for (const part of parts) await page.keyboard.press(part === " " ? "Space" : part.replace(/^Mod\+/, "Control+"));
}

const parameter = (page, name) => new URL(page.url()).searchParams.get(name);
const opened = (page, id) => page.getByTestId(id).waitFor();
const focuses = (page, at) => page.waitForFunction((n) => window.__catat.rows[n].id === document.activeElement?.dataset.id, at);
const reaches = (page, text) => page.waitForFunction((expected) => window.__catat.state.view.query === expected, text);

/** From a fresh page with rows, the first of them in focus: what each line of the list does. */
const LINES = {
  "/": (page) => page.waitForFunction(() => document.activeElement !== document.body && window.__catat.state.view.page === "explore" && !document.activeElement.dataset.id),
  "Mod+k": (page) => opened(page, "palette"),
  h: (page) => opened(page, "history-panel"),
  p: (page) => page.waitForURL(/lang=promql/),
  t: (page) => opened(page, "time-panel"),
  o: (page) => opened(page, "groups-panel"),
  r: async (page, key, before) => { await page.waitForFunction((n) => performance.getEntriesByType("resource").filter((one) => one.name.includes("/api/v1/histogram")).length > n, before.asked); },
  j: (page) => focuses(page, 1),
  k: (page) => focuses(page, 0),
  PageDown: (page) => page.waitForFunction(() => window.__catat.rows.findIndex((row) => row.id === document.activeElement?.dataset.id) > 5),
  PageUp: async (page) => {
    await page.keyboard.press("PageDown");
    await page.waitForFunction(() => document.activeElement?.dataset.id && document.activeElement.dataset.id !== window.__catat.rows[0].id);
    await page.keyboard.press("PageUp");
    await focuses(page, 0);
  },
  Home: async (page) => {
    await page.keyboard.press("PageDown");
    await page.keyboard.press("PageDown");
    await page.keyboard.press("Home");
    await focuses(page, 0);
  },
  End: async (page) => {
    // What is loaded when the end comes near is after it.
    await page.waitForFunction(() => window.__catat.rows.findIndex((row) => row.id === document.activeElement?.dataset.id) >= 999);
  },
  Enter: (page) => opened(page, "detail"),
  ArrowRight: (page) => opened(page, "detail"),
  ArrowLeft: async (page) => {
    await page.keyboard.press("ArrowRight");
    await opened(page, "detail");
    await page.keyboard.press("ArrowLeft");
    await page.getByTestId("detail").waitFor({ state: "detached" });
  },
  T: (page) => page.getByRole("status").filter({ hasText: "this event has no trace id" }).waitFor(),
  i: (page, key, before) => reaches(page, `filter @level = "${before.level}"`),
  I: (page, key, before) => reaches(page, `filter @level = "${before.level}"`),
  x: (page, key, before) => reaches(page, `filter @level != "${before.level}"`),
  1: (page, key) => reaches(page, `filter @level = "${["fatal", "error", "warn", "info", "debug", "trace"][Number(key) - 1]}"`),
  0: async (page) => {
    await page.keyboard.press("2");
    await reaches(page, 'filter @level = "error"');
    await page.keyboard.press("0");
    await reaches(page, "");
  },
  l: (page) => page.waitForURL(/live=1/),
  " ": async (page) => {
    await page.keyboard.press("l");
    await page.waitForFunction(() => window.__catat.state.live === "open" && window.__catat.rows.length > 0);
    await page.keyboard.press("Space");
    await page.locator("[data-testid=pause][aria-pressed=true]").waitFor();
    await page.keyboard.press("Space");
    await page.locator("[data-testid=pause][aria-pressed=false]").waitFor();
  },
  "Mod+f": (page) => opened(page, "find"),
  z: (page) => page.waitForURL(/from=2/),
  "Alt+ArrowLeft": (page) => page.waitForURL(/from=2/),
  "Alt+ArrowRight": (page) => page.waitForURL(/from=2/),
  y: (page) => page.getByText("Link with fixed times copied").waitFor(),
  J: (page) => page.getByText("2 rows selected").waitFor(),
  K: (page) => page.getByText("1 row selected").waitFor(),
  w: (page) => page.waitForURL(/wrap=1/),
  d: (page) => page.waitForURL(/dense=1/),
  s: (page) => opened(page, "save-form"),
  v: (page) => opened(page, "views-dialog"),
  b: (page) => opened(page, "add-panel-form"),
  "g e": (page) => page.waitForURL((url) => url.pathname === "/"),
  "g d": (page) => page.waitForURL((url) => url.pathname === "/dashboards"),
  "g a": (page) => page.waitForURL((url) => url.pathname === "/alerts"),
  "g g": (page) => page.waitForURL((url) => url.pathname === "/groups"),
  "g s": (page) => page.waitForURL((url) => url.pathname === "/sources"),
  "g r": (page) => page.waitForURL((url) => url.pathname === "/traces"),
  "g m": (page) => page.waitForURL((url) => url.pathname === "/map"),
  "g i": (page) => page.waitForURL((url) => url.pathname === "/issues"),
  "g n": (page) => page.waitForURL((url) => url.pathname === "/incidents"),
  "g t": (page) => page.waitForURL((url) => url.pathname === "/settings"),
  "?": (page) => opened(page, "help-dialog"),
  Escape: async (page) => {
    await page.keyboard.press("t");
    await opened(page, "time-panel");
    await page.keyboard.press("Escape");
    await page.getByTestId("time-panel").waitFor({ state: "detached" });
  },
};

/** The lines of the list, each by its keys. */
async function listed(own) {
  const page = await own.explore();
  await page.getByTestId("help").click();
  await page.getByTestId("help-dialog").waitFor();
  return page.getByTestId("key").evaluateAll((lines) => lines.map((line) => JSON.parse(line.dataset.keys)));
}

async function knowsEveryLine(own) {
  const lines = await listed(own);
  const untried = lines.map(([first]) => first).filter((first) => !(first in LINES) && !ELSEWHERE.includes(first));
  assert.deepEqual(untried, [], "a key is listed that no check tries");
  assert.deepEqual(Object.keys(LINES).filter((first) => !lines.some((keys) => keys[0] === first)), [], "a key is tried that is not listed");
  const all = lines.flat();
  assert.equal(new Set(all).size, all.length, "no key means two things");
}

/** Tried where what they belong to is tried. */
const ELSEWHERE = ["c", "a", "n", "N"];

/** Every `of`-th line of the list, beginning with `part`: a check has only so much time. */
function doesWhatIsListed(part, of) {
  return async (own) => {
    // In the other groups others may have sent events without a level meanwhile.
    const page = await own.open(`/?groups=${own.prefix}/web`);
    await settled(page);
    const start = page.url();
    for (const keys of (await listed(own)).filter(([first], n) => n % of === part && first in LINES)) {
      for (const key of keys) {
        await page.goto(start);
        await settled(page);
        await page.evaluate(() => document.activeElement?.blur());
        await page.keyboard.press("j");
        await page.keyboard.press("k");
        await page.waitForFunction(() => document.activeElement?.dataset.id === window.__catat.rows[0].id);
        const before = await page.evaluate(() => ({ level: window.__catat.rows[0].level, asked: performance.getEntriesByType("resource").filter((one) => one.name.includes("/api/v1/histogram")).length }));
        await press(page, key);
        await LINES[keys[0]](page, key, before).catch((error) => { throw new Error(`${key}: ${error.message}`); });
      }
    }
  };
}

async function staysOutOfTexts(own) {
  const page = await own.explore();
  const before = page.url();
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await page.keyboard.type("gljzy10 tx");
  assert.equal(page.url(), before);
  assert.equal(await queryText(page), "gljzy10 tx");
  await page.keyboard.press("Control+k");
  await page.getByTestId("palette").waitFor();
  await page.keyboard.type("jlz");
  assert.equal(await page.getByTestId("palette-text").inputValue(), "jlz");
  await page.keyboard.press("Escape");
  await page.getByTestId("palette").waitFor({ state: "detached" });
  assert.equal(page.url(), before);
}

async function findsByName(own) {
  const page = await own.explore();
  const choose = async (text, name) => {
    await page.keyboard.press("Control+k");
    await page.getByTestId("palette-text").fill(text);
    await page.locator("[data-testid=palette-entry][aria-selected=true]").getByText(name).waitFor();
    await page.keyboard.press("Enter");
    await page.getByTestId("palette").waitFor({ state: "detached" });
  };
  await choose("last 15", "Last 15 minutes");
  await page.waitForURL(/from=now-15m/);
  await choose("lvl err", "Level error");
  await reaches(page, 'filter @level = "error"');
  await choose(`${own.prefix}/chck`, `${own.prefix}/checkout`);
  await page.waitForURL(/groups=.*checkout/);
  await choose("setti", "Go to Settings");
  await page.waitForURL(/\/settings/);
  await page.keyboard.press("Control+k");
  await page.getByTestId("palette-text").fill("live tail");
  assert.equal(await page.getByTestId("palette-entry").count(), 0, "what belongs to Explore is offered there only");
  await page.getByText("No match for “live tail”.").waitFor();
  await page.getByTestId("palette-text").fill("explore");
  await page.keyboard.press("Enter");
  await settled(page);
  assert.ok((await rowsOf(page)).length >= 0 && (await histogramOf(page)).length > 0);
  assert.equal(parameter(page, "from"), "now-15m");
}

export const keyChecks = [
  ["row 25, keys: the list shows every key, none twice, and each is tried", knowsEveryLine],
  ...[0, 1, 2, 3].map((part) => [`row 25, keys: each does what the list says, part ${part + 1}`, doesWhatIsListed(part, 4)]),
  ["row 25, keys: letters typed into a text stay there", staysOutOfTexts],
  ["row 25, palette: commands, levels, ranges, groups and pages are found by some letters", findsByName],
];
