// What every screen owes to everybody: 200 % zoom, 380 pixels, and no mouse.

import assert from "node:assert/strict";

import { clean } from "./accessibility.mjs";
import { ask, queryText, rowsOf, settled } from "./harness.mjs";

const SMALL = { viewport: { width: 380, height: 760 }, reducedMotion: "reduce" };

/** Nothing hangs over the edge: neither the page nor what lies over it. */
async function fits(page, what) {
  const over = await page.evaluate(() => {
    const panels = [...document.querySelectorAll(".panel, dialog[open], .sidebar")].filter((one) => one.checkVisibility());
    const beyond = panels.map((one) => one.getBoundingClientRect()).filter((box) => box.left < -1 || box.right > innerWidth + 1).length;
    return [document.documentElement.scrollWidth - innerWidth, beyond];
  });
  assert.ok(over[0] <= 0 && over[1] === 0, `${what}: ${over[0]} px too wide, ${over[1]} panels beyond the edge`);
}

// Faces differ between machines; readers may ask for wide letters (WCAG 1.4.12).
const WIDE_LETTERS = ".top nav a { letter-spacing: 0.12em !important; word-spacing: 0.16em !important }";

/** Every page is in sight in the navigation, whichever is shown, in both languages and however wide the letters are. */
async function showsAllPages(own) {
  for (const language of ["en", "id"]) {
    const page = await own.open("/", SMALL);
    await page.evaluate((name) => localStorage.setItem("catat.language", name), language);
    for (const path of ["/", "/alerts", "/settings"]) {
      await page.goto(own.url + path);
      await page.locator(`html[lang=${language}]`).waitFor();
      await page.locator("nav a[aria-current]").waitFor();
      for (const style of ["", WIDE_LETTERS]) {
        await page.evaluate((text) => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(text);
          document.adoptedStyleSheets = [sheet];
        }, style);
        const hidden = await page.locator("header").evaluate((header) => {
          const whole = header.getBoundingClientRect();
          const isInside = (box) => box.right <= innerWidth + 0.5 && box.bottom <= whole.bottom + 0.5;
          return [...header.querySelectorAll("nav a, button")].filter((one) => !isInside(one.getBoundingClientRect())).map((one) => one.textContent);
        });
        assert.deepEqual(hidden, [], `${language} ${path} ${style}`);
      }
    }
  }
}

async function fitsPhones(own) {
  const page = await own.explore({}, SMALL);
  await page.locator("[data-testid=row]").nth(1).click();
  await page.getByTestId("detail").locator("[data-field='@timestamp']").waitFor();
  await fits(page, "an open row");
  await page.keyboard.press("Escape");
  for (const name of ["time", "groups", "share"]) {
    await page.getByTestId(name).click();
    await page.getByTestId(`${name}-panel`).waitFor();
    await fits(page, `the menu ${name}`);
    await page.keyboard.press("Escape");
  }
  await page.locator("[data-layer=fields]").click();
  await page.getByTestId("sidebar").waitFor();
  await fits(page, "the fields");
  await page.keyboard.press("Escape");
  await ask(page, "stats count(*) as n, pct(timeMs, 95) as p95, max(timeMs) as longest by path, host, @level");
  await page.getByTestId("table").waitFor();
  await fits(page, "a table");
  const live = await own.open(`/?${own.scope}&live=1`, SMALL);
  await live.getByTestId("live-results").waitFor();
  await fits(live, "the live tail");
  for (const path of ["/settings", "/start", "/sources"]) {
    const other = await own.open(path, SMALL);
    await other.locator("main h1").waitFor();
    await fits(other, path);
  }
}

async function isReadableAtTwiceTheSize(own) {
  // What a window of 1280 × 860 shows at 200 %.
  const zoomed = { viewport: { width: 640, height: 430 }, deviceScaleFactor: 2, reducedMotion: "reduce" };
  const page = await own.explore({}, zoomed);
  await fits(page, "Explore");
  assert.ok(await page.locator("[data-testid=row]").first().isVisible());
  await page.locator("[data-testid=row]").first().click();
  await page.getByTestId("detail").waitFor();
  await fits(page, "an open row");
  await clean(page);
  for (const path of ["/alerts", "/groups", "/sources", "/settings", "/start"]) {
    const other = await own.open(path, zoomed);
    await other.locator("main h1").waitFor();
    await fits(other, path);
    await clean(other);
  }
}

/** Goes on with Tab until the element is in focus. */
function tabTo(page, locator, most = 60) {
  return pressTo(page, locator, "Tab", most);
}

async function pressTo(page, locator, key, most = 60) {
  for (let step = 0; step < most; step += 1) {
    if (await locator.evaluateAll((all) => all.some((one) => one === document.activeElement))) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${locator} is not reached by ${key}`);
}

async function goesWithoutAMouse(own) {
  const page = await own.explore();
  // Whoever comes may write at once.
  await page.waitForFunction(() => document.activeElement !== document.body);
  await page.keyboard.type('filter @level = "error"');
  // Enter may take a completion that is offered; this always runs.
  await page.keyboard.press("Control+Enter");
  await settled(page);
  assert.ok((await rowsOf(page)).every((row) => row.level === "error"));
  // The time, through its menu.
  await tabTo(page, page.getByTestId("time"));
  await page.keyboard.press("Enter");
  await page.getByTestId("time-panel").waitFor();
  await tabTo(page, page.getByRole("button", { name: "Last 24 hours" }));
  await page.keyboard.press("Enter");
  await page.waitForURL(/from=now-24h/);
  await settled(page);
  // A field, its value, the filter by it.
  await tabTo(page, page.getByTestId("field"));
  await pressTo(page, page.locator("[data-testid=field][data-name=service]"), "ArrowDown");
  await page.keyboard.press("Enter");
  const value = page.getByTestId("values").locator("li[data-value=checkout]");
  await value.waitFor();
  await pressTo(page, value.getByTestId("include"), "ArrowDown");
  await page.keyboard.press("Enter");
  await settled(page);
  assert.match(await queryText(page), /service = "checkout"/);
  // A row, its tabs, and back.
  await tabTo(page, page.locator("[data-testid=row]"), 120);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByTestId("detail").waitFor();
  await tabTo(page, page.getByTestId("tab-json"));
  await page.keyboard.press("Enter");
  await page.getByTestId("json").waitFor();
  await page.keyboard.press("Escape");
  await page.getByTestId("detail").waitFor({ state: "detached" });
  assert.ok(await page.evaluate(() => document.activeElement !== document.body), "the focus is not lost");
}

export const proofChecks = [
  ["row 33, small screens: the navigation shows every page at 380 pixels, in both languages", showsAllPages],
  ["row 33, small screens: open rows, menus, fields, tables, the live tail and every page fit 380 pixels", fitsPhones],
  ["row 24, accessible: at 200 % nothing is lost", isReadableAtTwiceTheSize],
  ["row 24, accessible: Explore goes without a mouse from the question to the open row", goesWithoutAMouse],
];
