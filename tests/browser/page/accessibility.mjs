// axe-core on every page and state, in both themes: nothing serious, nothing critical.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { settled } from "./harness.mjs";
import { rareStates } from "./rare_states.mjs";
import { openSources } from "./sources.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The rules of axe that look at colours. */
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];

/** Fails where axe finds something serious or critical. The dark theme differs from the light one, which is looked at before, in its colours. */
export async function clean(page, theme = "light") {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const options = { resultTypes: ["violations"], ...(theme === "dark" ? { runOnly: COLOUR_RULES } : {}) };
  const { violations } = await page.evaluate((options) => window.axe.run(document, options), options);
  const grave = violations.filter((one) => one.impact === "serious" || one.impact === "critical");
  const told = grave.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).join(" | ")}`);
  assert.deepEqual(told, []);
}

const states = {
  rows: (own, options) => own.explore({}, options),
  "an open row": async (own, options) => {
    const page = await own.explore({ q: 'filter @level = "error" and ispresent(status)' }, options);
    await page.locator("[data-testid=row]").nth(1).click();
    await page.getByTestId("detail").locator("[data-field=status]").waitFor();
    await page.locator("[data-testid=field][data-name=status]").click();
    await page.getByTestId("values").waitFor();
    return page;
  },
  "an open row as JSON": async (own, options) => {
    const page = await own.explore({ q: "filter ispresent(user.id)" }, options);
    await page.locator("[data-testid=row]").nth(1).click();
    await page.getByTestId("tab-json").click();
    await page.getByTestId("json").locator("[role=treeitem][data-field]").nth(1).focus();
    return page;
  },
  "colours of a terminal": async (own, options) => {
    await own.ingest("colours", [{ message: Array.from({ length: 16 }, (_, n) => `\u001b[${n < 8 ? 30 + n : 82 + n}mcolour ${n}\u001b[0m \u001b[${n < 8 ? 40 + n : 92 + n}mground ${n}\u001b[0m \u001b[2mfaint\u001b[0m \u001b[38;5;${16 + n * 14}mcube\u001b[0m`).join(" "), colours: true }]);
    const page = await own.explore({ q: "filter ispresent(colours)" }, options);
    await page.locator("[data-testid=row]").first().click();
    await page.getByTestId("tab-raw").click();
    return page;
  },
  "what is around an event": async (own, options) => {
    const page = await own.explore({ q: "needle" }, options);
    await page.locator("[data-testid=row]").first().click();
    await page.getByTestId("around").click();
    await page.getByTestId("around-view").locator("[data-testid=row][aria-current=true]").click();
    await page.getByTestId("around-view").getByTestId("detail").waitFor();
    return page;
  },
  "around an event that is gone": async (own, options) => {
    own.expectsFailures = true;
    const page = await own.open(`/?around=${"v".repeat(6)}${"g".repeat(26)}`, options);
    await page.getByTestId("around-failed").waitFor();
    return page;
  },
  "a table": (own, options) => own.explore({ q: "stats count(*) by path" }, options),
  "a chart": (own, options) => own.explore({ q: "stats count(*) as n by bin(5m)" }, options),
  "what changed": async (own, options) => {
    const page = await own.explore({ show: "changes" }, options);
    await page.locator("[data-testid=changes][data-state=done]").waitFor();
    return page;
  },
  patterns: async (own, options) => {
    const page = await own.explore({ show: "patterns" }, options);
    await page.getByTestId("pattern").first().waitFor();
    return page;
  },
  "an error": async (own, options) => {
    own.expectsFailures = true;
    return own.explore({ q: "stast count(*)" }, options);
  },
  "no match": (own, options) => own.explore({ q: "filter status = 999" }, options),
  "the time picker": async (own, options) => {
    const page = await own.explore({}, options);
    await page.getByTestId("time").click();
    return page;
  },
  help: async (own, options) => {
    const page = await own.explore({}, options);
    await page.getByTestId("help").click();
    await page.getByTestId("help-dialog").waitFor();
    return page;
  },
  "the completions": async (own, options) => {
    const page = await own.explore({}, options);
    await page.getByTestId("query").pressSequentially("stats cou");
    await page.getByTestId("suggestions").getByRole("link").waitFor();
    return page;
  },
  "the reference": (own, options) => own.open("/reference", options),
  "the manual": (own, options) => own.open("/docs/running", options),
  "the manual's search on a small screen": (own, options) => own.open("/docs?q=disk", { ...options, viewport: { width: 380, height: 760 } }),
  "the reference on a small screen": (own, options) => own.open("/reference", { ...options, viewport: { width: 380, height: 760 } }),
  alerts: (own, options) => own.open("/alerts", options),
  groups: (own, options) => own.open("/groups", options),
  sources: openSources,
  "sources on a small screen": (own, options) => openSources(own, { ...options, viewport: { width: 380, height: 760 } }),
  "the live tail": (own, options) => own.open(`/?${own.scope}&live=1`, options),
  ...rareStates,
  "a small screen": (own, options) => own.explore({}, { ...options, viewport: { width: 380, height: 760 } }),
};

/** What is looked at while it is under way. */
const NEVER_SETTLED = new Set(["loading", "stale", "the live tail"]);

/** Looks at one page in both themes; that a page is loaded once saves half of the time. */
export async function inBothThemes(page, look) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    try {
      await look(colorScheme);
    } catch (error) {
      throw new Error(`in the ${colorScheme} theme: ${error.message}`, { cause: error });
    }
  }
}

export const accessibilityChecks = Object.entries(states).map(([name, open]) => [
  `row 24, accessible: ${name}, light and dark`,
  async (own) => {
    const page = await open(own, { colorScheme: "light", reducedMotion: "reduce" });
    // A page of text alone asks for nothing.
    if (!NEVER_SETTLED.has(name) && await page.evaluate(() => window.__catat !== undefined)) await settled(page).catch(() => undefined);
    await inBothThemes(page, (theme) => clean(page, theme));
    await own.noteViolations(page);
  },
]);
