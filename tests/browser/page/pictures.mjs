// Every screen as somebody sees it who works with it.

import assert from "node:assert/strict";
import { copyFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { answerWith, LARGE } from "./fleet.mjs";
import { settled } from "./harness.mjs";
import { openSources } from "./sources.mjs";

/** What README.md shows, by the names of pictures. */
const README = { "explore-row-light": "screenshot.png", "groups-dark": "screenshot-dark.png" };
/** Most bytes of a picture that is kept in the repository. */
const README_BYTES_MAX = 250_000;

const SIZES = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  380: { viewport: { width: 380, height: 760 }, colorScheme: "light" },
};

/** Opens an address as an administrator. */
async function openAsAdmin(own, path, options) {
  const page = await own.open("/reference", options);
  await page.evaluate((key) => sessionStorage.setItem("catat.key", key), own.key);
  await page.goto(own.url + path);
  return page;
}

/** Opens Explore and waits for its rows. */
async function explore(own, query, options) {
  const page = await openAsAdmin(own, `/?${own.scope}${query === "" ? "" : `&q=${encodeURIComponent(query)}`}`, options);
  await settled(page);
  return page;
}

const screens = {
  explore: (own, options) => explore(own, "", options),
  "explore-row": async (own, options) => {
    const page = await explore(own, 'filter @level = "error"', options);
    const field = page.locator("[data-testid=field][data-name=timeMs]");
    if (await field.isVisible()) {
      await field.click();
      await page.getByTestId("field-numbers").waitFor();
    }
    await page.locator("[data-testid=row]").nth(2).click();
    await page.getByTestId("detail").locator("[data-field=service], [data-field=status]").first().waitFor();
    return page;
  },
  "explore-chart": async (own, options) => {
    const page = await explore(own, "stats count(*) as n by bin(2m), @level", options);
    await page.getByTestId("results").waitFor();
    return page;
  },
  "explore-nothing": (own, options) => explore(own, 'filter status = 200 and host = "nowhere"', options),
  groups: async (own, options) => {
    const page = await openAsAdmin(own, "/groups", options);
    await page.locator(`[data-testid=group][data-name="${own.prefix}/web"]`).getByTestId("manage").click();
    await page.getByTestId("limits").getByLabel("Age").fill("30d");
    await page.getByTestId("limits").getByRole("button").click();
    await page.getByTestId("effect").waitFor();
    return page;
  },
  sources: openSources,
  alerts: async (own, options) => {
    const page = await openAsAdmin(own, "/alerts?tab=rules", options);
    await page.getByTestId("rule").first().waitFor();
    return page;
  },
  settings: async (own, options) => {
    const page = await openAsAdmin(own, "/settings", options);
    await page.getByTestId("keys").waitFor();
    return page;
  },
  fleet: async (own, options) => {
    const page = await openAsAdmin(own, "/settings", options);
    await answerWith(page, LARGE);
    await page.getByTestId("tab-fleet").click();
    await page.getByTestId("node").first().waitFor();
    return page;
  },
  start: async (own, options) => {
    const page = await openAsAdmin(own, "/start", options);
    await page.getByTestId("waiting").waitFor();
    await page.getByRole("tab", { name: "OpenTelemetry" }).click();
    return page;
  },
};

/** Leaves the picture, and puts it beside README.md where that shows it. */
async function take(own, page, name) {
  await page.mouse.move(1, 1);
  await own.picture(page, name);
  const kept = README[name];
  if (kept === undefined || !process.env.CATAT_README) return;
  const path = join(process.env.CATAT_PICTURES, `${name}.png`);
  const { size } = statSync(path);
  assert.ok(size <= README_BYTES_MAX, `${name} has ${size} bytes`);
  copyFileSync(path, join(process.env.CATAT_README, kept));
}

export const pictureChecks = Object.entries(screens).flatMap(([screen, open]) => Object.entries(SIZES).map(([size, options]) => [
  `a picture of ${screen}-${size}`,
  async (own) => {
    own.expectsFailures = true;
    await take(own, await open(own, { ...options, reducedMotion: "reduce" }), `${screen}-${size}`);
  },
]));
