// `/settings?tab=health`: what `catat doctor` finds, worst first, with what to do; what is right is folded away.

import assert from "node:assert/strict";

import { clean, inBothThemes } from "./accessibility.mjs";
import { openAs } from "./people.mjs";

const HOSTILE = '<img src=x onerror="window.__xss=1">';
const finding = (severity, check, message, advice = "") => ({ severity, check, message, advice });
const FINDINGS = [
  finding("problem", "sync", "/data is in memory (tmpfs): everything is lost when the machine stops", "choose a directory on a disk in storage.dir"),
  finding("note", "files", `not read: ${HOSTILE}: named by no input`, "add an [[input]] if they matter"),
  finding("ok", "clock", "the clock is synchronised"),
];

async function openHealth(own, findings, options) {
  const page = await openAs(own, "boss", "boss of all logs", "/settings", options);
  await page.route("**/api/v1/doctor", (route) => route.fulfill({ contentType: "application/json", body: JSON.stringify({ findings }) }));
  await page.getByTestId("tab-health").click();
  await page.getByTestId("health").getByText("Look again").waitFor();
  return page;
}

async function showsFindings(own) {
  const page = await openHealth(own, FINDINGS);
  const cards = await page.getByTestId("finding").allTextContents();
  assert.equal(cards.length, 3);
  assert.match(cards[0], /^Problem.*sync.*in memory.*choose a directory/s);
  assert.ok(cards[1].includes(HOSTILE) && (await page.evaluate(() => window.__xss)) === undefined);
  assert.equal(await page.getByText("the clock is synchronised").isVisible(), false);
  await page.getByText("1 check found nothing").click();
  assert.equal(await page.getByText("the clock is synchronised").isVisible(), true);
}

/** What the server itself finds, which has a check for each part. */
async function asksTheServer(own) {
  const page = await openAs(own, "boss", "boss of all logs", "/settings?tab=health");
  await page.getByText(/checks? found nothing/).click();
  await page.getByTestId("finding").filter({ hasText: "ready" }).waitFor();
}

async function isForAdministrators(own) {
  const page = await openAs(own, "ani", "ani reads the web", "/settings?tab=health");
  await page.getByTestId("not-shown").getByText("catat doctor").waitFor();
}

async function looksRight(own) {
  const page = await openHealth(own, FINDINGS, { reducedMotion: "reduce" });
  await inBothThemes(page, (theme) => clean(page, theme));
  const small = await openHealth(own, FINDINGS, { viewport: { width: 390, height: 844 } });
  await small.evaluate(() => localStorage.setItem("catat.language", "id"));
  await small.reload();
  await small.getByText("semuanya hilang saat mesin berhenti").waitFor();
  const over = await small.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${over} px too wide`);
  await clean(small);
}

export const healthChecks = [
  ["screen health: findings are shown with what to do, and what is right is folded away", showsFindings],
  ["screen health: the server is asked", asksTheServer],
  ["screen health: it is for administrators", isForAdministrators],
  ["screen health: it is accessible in both themes and fits small screens in Indonesian", looksRight],
];
