// What lies over the page, and its rarer pages, under axe in both themes, wide and small, fully drawn and within the window.

import assert from "node:assert/strict";

import { clean, inBothThemes } from "./accessibility.mjs";
import { ask, settled } from "./harness.mjs";

const WIDE = { width: 1280, height: 800 };
const SMALL = { width: 380, height: 760 };

/** Explore with a menu or dialog opened by its key. */
const byKey = (key, testId, params = {}) => async (own, options) => {
  const page = await own.explore(params, options);
  await page.keyboard.press("Escape");
  await page.keyboard.press(key);
  await page.getByTestId(testId).waitFor();
  return page;
};

const shows = (params, testId) => async (own, options) => {
  const page = await own.explore(params, options);
  await page.getByTestId(testId).first().waitFor();
  return page;
};

const COUNTS = "stats count(*) as n by bin(5m), @level";

/** Each: what is opened, and whether there is such a thing on small screens. */
const layers = {
  "the palette": [byKey("Control+k", "palette")],
  "the palette, when nothing is found": [async (own, options) => {
    const page = await byKey("Control+k", "palette")(own, options);
    await page.getByTestId("palette-text").fill("qqqqqqqq");
    await page.getByText("No match for").waitFor();
    return page;
  }],
  "earlier queries": [async (own, options) => {
    const page = await own.explore({}, options);
    await ask(page, 'filter status >= 400 and path like "/api/orders" | stats count(*) as n by host, path');
    await ask(page, "needle");
    await page.keyboard.press("Escape");
    await page.getByTestId("history").click();
    await page.getByTestId("history-panel").getByText("stats count(*)").waitFor();
    return page;
  }],
  // The heads of columns are for rows of one line.
  "the menu of a column": [async (own, options) => {
    const page = await own.explore({ columns: "host,status" }, options);
    await page.locator("[data-testid='column-host']").click();
    await page.getByTestId("hide-column").waitFor();
    return page;
  }, "wide only"],
  "the menu of views and files": [async (own, options) => {
    const page = await own.explore({}, options);
    await page.getByTestId("share").click();
    await page.getByTestId("share-panel").getByTestId("save-all").waitFor();
    return page;
  }],
  "saved views": [byKey("v", "views-dialog")],
  "saving a view": [byKey("s", "save-form", { q: "filter status = 404" })],
  start: [async (own, options) => {
    const page = await own.open("/start", options);
    await page.getByTestId("waiting").waitFor();
    await page.getByRole("tab", { name: "rsyslog" }).click();
    return page;
  }],
  "what changed": [async (own, options) => {
    const page = await own.explore({ show: "changes" }, options);
    await page.locator("[data-testid=changes][data-state=done]").waitFor();
    return page;
  }],
  patterns: [shows({ show: "patterns" }, "pattern")],
  context: [async (own, options) => {
    const page = await own.explore({ q: "needle" }, options);
    await page.locator("[data-testid=row]").first().click();
    await page.getByTestId("around").click();
    await page.getByTestId("around-view").locator("[data-testid=row]").first().waitFor();
    return page;
  }],
  "lines of levels": [shows({ q: COUNTS }, "series")],
  "areas of levels": [shows({ q: COUNTS, chart: "area" }, "series")],
  "bars over time": [shows({ q: COUNTS, chart: "bar" }, "series")],
  "bars by name": [shows({ q: "stats count(*) as n by path", chart: "bar" }, "name-bars")],
  "a list of the most": [shows({ q: "stats count(*) as n by path", chart: "top" }, "top-list")],
  "a number": [shows({ q: "stats count(*) as n" }, "figures")],
};

/** Neither the page nor what lies over it goes over an edge, or has to be moved sideways. */
async function fits(page) {
  const over = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll("dialog[open], .panel")].map((one) => one.scrollWidth - one.clientWidth).filter((px) => px > 1));
  assert.deepEqual(over, [], "px too wide");
}

function check(name, open, viewport) {
  return async (own) => {
    const page = await open(own, { colorScheme: "light", viewport, reducedMotion: "reduce" });
    await settled(page);
    await inBothThemes(page, async (colorScheme) => {
      await fits(page);
      await clean(page, colorScheme);
      await own.picture(page, `layer-${name.replaceAll(/\W+/g, "-")}-${colorScheme}-${viewport.width}`);
    });
    await own.noteViolations(page);
  };
}

export const layerChecks = Object.entries(layers).flatMap(([name, [open, isWideOnly]]) => [WIDE, SMALL].filter((viewport) => viewport === WIDE || !isWideOnly)
  .map((viewport) => [`row 24, accessible: ${name}, light and dark, ${viewport.width} px`, check(name, open, viewport)]));
