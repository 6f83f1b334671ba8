// What is loaded when: a small shell, and parts that come when they are needed.

import assert from "node:assert/strict";
import { brotliCompressSync } from "node:zlib";

import { ask, settled } from "./harness.mjs";

/** Most bytes of the shell under brotli: what the page names and what that imports. */
const SHELL_BYTES_MAX = 45_000;

/** The files of the shell, by following what names what, as a browser does before it shows anything. */
async function shellOf(own) {
  const text = async (path) => (await fetch(`${own.url}/${path}`)).text();
  // What no first paint waits for is no part of it.
  const page = (await text("")).replaceAll(/<link[^>]*data-parts[^>]*>/g, "");
  const files = new Map([["", page]]);
  const open = [...page.matchAll(/(?:href|src)="([^"]+\?v=[^"]+)"/g)].map((found) => found[1]);
  while (open.length > 0) {
    const path = open.pop();
    if (files.has(path)) continue;
    const script = await text(path);
    files.set(path, script);
    if (path.includes(".js")) open.push(...[...script.matchAll(/\bfrom\s*["'`]\.\/([^"'`]+)["'`]/g)].map((found) => found[1]));
  }
  return files;
}

async function shellIsSmall(own) {
  const files = await shellOf(own);
  const sizes = [...files].map(([path, text]) => [path.split("?")[0] || "index.html", brotliCompressSync(text).length]);
  const sum = sizes.reduce((all, [, bytes]) => all + bytes, 0);
  console.log(`     ${sum} bytes under brotli: ${sizes.map(([path, bytes]) => `${path} ${bytes}`).join(", ")}`);
  assert.ok(sizes.some(([path]) => path === "core.js") && sizes.some(([path]) => path === "style.css"), "the whole shell was found");
  assert.ok(sum <= SHELL_BYTES_MAX, `${sum} bytes`);
}

async function partsComeOnce(own) {
  const page = await own.open("/");
  const scripts = () => page.evaluate(() => performance.getEntriesByType("resource").map((one) => new URL(one.name)).filter((url) => url.pathname.endsWith(".js")).map((url) => url.pathname + url.search));
  await settled(page);
  assert.ok((await scripts()).every((path) => !/settings|alerts|groups|sources|help|sign_in/.test(path)), "nothing of other pages");
  for (const name of ["settings", "alerts", "groups", "sources"]) {
    await page.getByTestId(`nav-${name}`).click();
    await page.getByTestId(`${name}-page`).waitFor();
  }
  await page.getByTestId("help").click();
  await page.getByTestId("help-dialog").waitFor();
  const all = await scripts();
  assert.ok(all.every((path) => /\?v=[0-9a-f]{10}$/.test(path)), `every script is named by its content: ${all}`);
  const names = [...new Set(all)].map((path) => path.split("?")[0]);
  assert.equal(new Set(names).size, names.length, "none is there in two versions");
}

async function saysWhenAPartIsMissing(own) {
  own.expectsFailures = true;
  const page = await own.open("/alerts");
  await page.getByTestId("alerts-page").waitFor();
  let isUpdated = true;
  await page.route("**/settings.js**", (route) => (isUpdated ? route.fulfill({ status: 404, contentType: "application/json", body: "{}" }) : route.continue()));
  await page.getByTestId("nav-settings").click();
  await page.getByTestId("later-failed").waitFor();
  isUpdated = false;
  await page.getByRole("button", { name: "Reload the page" }).click();
  await page.getByTestId("settings-page").waitFor();
  const old = await fetch(`${own.url}/settings.js?v=000000000000`);
  assert.equal(old.status, 404, "a version of another executable is not there");
}

async function detailsAndTablesComeBeforeTheyAreOpened(own) {
  const page = await own.explore();
  await page.waitForFunction(() => ["row_detail", "table"].every((name) => performance.getEntriesByType("resource").some((one) => one.name.includes(`/${name}.js`))));
  // What they import comes after them.
  await page.waitForLoadState("networkidle");
  // The server may be gone by then: they are there.
  await page.route("**/*.js*", (route) => route.abort());
  await ask(page, "stats count(*) by path");
  await page.getByTestId("table").waitFor();
}

export const partChecks = [
  ["row 1, first paint: the shell is small", shellIsSmall],
  ["row 2, lazy parts: parts are loaded when they are needed, in one version", partsComeOnce],
  ["row 2, lazy parts: a part that is not there any more is told of, and the page can be loaded anew", saysWhenAPartIsMissing],
  ["row 2, lazy parts: open rows and tables are loaded before somebody asks for them", detailsAndTablesComeBeforeTheyAreOpened],
];
