// Theme and language as one chooses them.

import assert from "node:assert/strict";

import { clean } from "./accessibility.mjs";

const background = (page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

async function choosesThemes(own) {
  const page = await own.open("/settings", { colorScheme: "light", reducedMotion: "reduce" });
  const light = await background(page);
  await page.getByRole("radio", { name: "System" }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.getByRole("radio", { name: "Dark" }).isChecked(), true);
  const dark = await background(page);
  assert.notEqual(dark, light);
  await clean(page);
  // What is painted first is dark already.
  await page.addInitScript(() => requestAnimationFrame(() => { window.__first = document.documentElement.dataset.theme; }));
  await page.reload();
  await page.getByTestId("looks").waitFor();
  assert.equal(await page.evaluate(() => window.__first), "dark");
  assert.equal(await background(page), dark);
  await page.getByRole("radio", { name: "System" }).check();
  assert.equal(await background(page), light);
  await page.emulateMedia({ colorScheme: "dark" });
  assert.equal(await background(page), dark, "the system's change is followed");
}

async function choosesLanguages(own) {
  const page = await own.open("/settings");
  await page.getByRole("radio", { name: "Bahasa Indonesia" }).check();
  await page.waitForFunction(() => document.documentElement.lang === "id");
  assert.equal(await page.getByTestId("nav-groups").textContent(), "Grup");
  await page.reload();
  await page.waitForFunction(() => document.documentElement.lang === "id");
  assert.equal(await page.getByRole("radio", { name: "Bahasa Indonesia" }).isChecked(), true);
  await page.getByRole("radio", { name: "English" }).check();
  await page.waitForFunction(() => document.documentElement.lang === "en");
  assert.equal(await page.getByTestId("nav-groups").textContent(), "Groups");
}

export const lookChecks = [
  ["row 23, theme: it is chosen in the settings, is there at the first paint, and follows the system where it shall", choosesThemes],
  ["screen settings: the language is chosen and kept", choosesLanguages],
];
