// The page in Indonesian: chosen in the settings, spoken by every page, kept, and given back.

import assert from "node:assert/strict";

import { clean } from "./accessibility.mjs";
import { settled } from "./harness.mjs";

const PAGES = { explore: "Jelajah", groups: "Grup", sources: "Sumber", alerts: "Peringatan", issues: "Isu", incidents: "Insiden", settings: "Setelan" };

/** Words that no Indonesian sentence of the page has. What events say may be in any language and is not looked at. */
const ENGLISH = /\b(?:the|and|of|is|not|show|find|copy|close|delete|choose|loading|events|fields|groups|keys|users)\b/i;

/** What the page says by itself: headings, buttons, labels, hints, and names for those who do not see. */
function ownTexts(page) {
  return page.evaluate(() => {
    const outside = "[data-testid=rows], code, pre, .field-list .field-button, [lang=en], [lang=\"\"], .CodeMirror, .cm-editor, select";
    const own = [...document.querySelectorAll("h1, h2, h3, th, dt, legend, label, button, p, nav a")].filter((one) => !one.closest(outside) && !one.querySelector("code, select"));
    const named = [...document.querySelectorAll("[aria-label], [title], [placeholder]")].filter((one) => !one.closest(outside));
    return [...own.map((one) => one.textContent ?? ""), ...named.flatMap((one) => ["aria-label", "title", "placeholder"].map((name) => one.getAttribute(name) ?? ""))];
  });
}

const language = (page) => page.evaluate(() => document.documentElement.lang);

async function speaksIndonesian(own) {
  const page = await own.open("/settings");
  await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
  assert.equal(await language(page), "en");
  await page.getByLabel("Bahasa Indonesia").check();
  await page.getByRole("heading", { name: "Setelan", level: 1 }).waitFor();
  assert.equal(await language(page), "id");
  for (const [name, title] of Object.entries(PAGES)) {
    await page.getByTestId(`nav-${name}`).click();
    if (name === "explore") {
      await settled(page);
      await page.getByTestId("run").filter({ hasText: "Jalankan" }).waitFor();
      assert.match(await page.getByTestId("total").textContent(), /^[\d.]+ peristiwa$/);
    } else {
      await page.getByRole("heading", { name: title, level: 1 }).waitFor();
      // The first of what is left, so until nothing waits.
      await page.locator("[role=status]").filter({ hasText: "…" }).first().waitFor({ state: "detached" });
    }
    assert.equal(await page.getByTestId(`nav-${name}`).textContent(), title);
    assert.match(await page.title(), name === "explore" ? /^semua peristiwa · 1 jam terakhir – catat$/ : new RegExp(`^${title} – catat$`));
    assert.deepEqual((await ownTexts(page)).filter((one) => ENGLISH.test(one)), [], name);
    await clean(page);
    await own.picture(page, `language-${name}`);
  }
  await page.reload();
  await page.getByRole("heading", { name: "Setelan", level: 1 }).waitFor();
  assert.equal(await language(page), "id", "the choice is kept");
  await page.getByLabel("English").check();
  await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
  assert.equal(await language(page), "en");
  await page.reload();
  await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
}

async function speaksAsTheBrowser(own) {
  const numbers = "stats count(*) * 1000.5 as n";
  const page = await own.explore({ q: numbers }, { locale: "id-ID" });
  assert.equal(await language(page), "id");
  assert.match(await page.getByTestId("figures").textContent(), /^n[\d.]+\.\d{3}(?:,5)?$/);
  const other = await own.explore({ q: numbers }, { locale: "de-DE" });
  assert.equal(await language(other), "en");
  assert.match(await other.getByTestId("figures").textContent(), /^n[\d,]+,\d{3}(?:\.5)?$/);
}

/** Checks of the language. */
export const languageChecks = [
  ["screen settings: the page speaks Indonesian", speaksIndonesian],
  ["screen settings: a browser that wants Indonesian gets it, any other English", speaksAsTheBrowser],
];
