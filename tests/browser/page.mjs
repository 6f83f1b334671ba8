// Drives the page in Chromium against a running server and says what holds.
//
//   CATAT_URL         the server's address (required)
//   CATAT_SCREENSHOT  where to leave a picture of the page (optional)
//   CATAT_CHROMIUM    the browser, /usr/bin/chromium if not given
//
// It sends its own events into groups of its own, so it may run against a server that holds others. One line
// `ok - …` or `not ok - …` per check, a closing `N passed, N failed`, and 1 as exit code if one failed.

import { chromium } from "playwright-core";

import { accessibilityChecks } from "./page/accessibility.mjs";
import { exploreChecks } from "./page/explore.mjs";
import { Harness } from "./page/harness.mjs";
import { liveChecks } from "./page/live.mjs";
import { otherChecks } from "./page/other.mjs";
import { takeScreenshot } from "./page/screenshot.mjs";

const url = process.env.CATAT_URL;
if (!url) {
  console.error("CATAT_URL is not set: start a server and give its address, such as http://127.0.0.1:22828");
  process.exit(2);
}

const browser = await chromium.launch({
  executablePath: process.env.CATAT_CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
  ],
});
const harness = new Harness(browser, url.replace(/\/$/, ""));
try {
  await harness.sendEvents();
  for (const [name, check] of [...exploreChecks, ...otherChecks, ...liveChecks, ...accessibilityChecks]) await harness.check(name, check);
  await harness.check("no policy was violated and no script failed", (own) => own.noComplaints());
  if (process.env.CATAT_SCREENSHOT) await harness.check("a picture is taken", (own) => takeScreenshot(own, process.env.CATAT_SCREENSHOT));
} finally {
  await browser.close();
}
console.log(`\n${harness.passed} passed, ${harness.failed} failed`);
process.exit(harness.failed > 0 ? 1 : 0);
