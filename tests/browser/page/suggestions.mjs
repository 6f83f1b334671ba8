// `/settings?tab=suggestions`: what is suggested for a group, its dry run, and the pipelines that are made of it.

import assert from "node:assert/strict";

import { clean } from "./accessibility.mjs";
import { openAs, tabTo } from "./people.mjs";

const WORDS = ["stored", "sent", "opened", "closed", "joined", "moved"];
const THINGS = ["a receipt", "the basket", "one parcel", "every label", "some stock"];
const ENDS = ["hand", "mail", "truck", "air"];

/** A group with noise, a card number, and lines that nothing is to be done about; some of it hostile. */
async function fill(own, group) {
  const lines = [];
  for (let n = 0; n < 800; n += 1) lines.push(`INFO GET /healthz 200 ${n % 90}`);
  for (let n = 0; n < 800; n += 1) lines.push(`INFO ${WORDS[n % 6]} ${THINGS[(n / 6 | 0) % 5]} by ${ENDS[(n / 30 | 0) % 4]}`);
  lines.push("INFO charged 4111 1111 1111 1111 <img src=x onerror=alert(1)> \u202e\u001b[31m");
  const answer = await fetch(`${own.url}/api/v1/ingest?group=${group}&format=text`, { method: "POST", headers: { "x-catat-key": own.key }, body: lines.join("\n") });
  assert.equal(answer.status, 200, await answer.text());
}

/** The page about a group, of somebody who may do everything. */
const boss = (own, group, options) =>
  openAs(own, "boss", "boss of all logs", `/settings?tab=suggestions${group === "" ? "" : `&open=${encodeURIComponent(group)}`}`, options);

const offered = (page, reason) => page.locator(`[data-testid=suggestion][data-reason=${reason}]`);

async function makesAndUndoes(own) {
  const group = `${own.prefix}/noisy`;
  await fill(own, group);
  const page = await boss(own, "");
  await page.getByTestId("suggest-group").selectOption(group);
  const health = offered(page, "health_check");
  await health.waitFor();
  assert.match(await health.textContent(), /800 events \(50 %\)/);
  await health.getByText("Dry run").click();
  assert.match(await health.locator("dl").textContent(), /Matched800Dropped800/);
  assert.ok(await health.getByText("is not stored").first().isVisible());
  const card = offered(page, "card");
  await card.getByText("Dry run").click();
  assert.match(await card.textContent(), /charged \[card\]/);
  assert.equal(await page.locator("[data-testid=suggestions] img").count(), 0, "texts of events are texts");
  await own.picture(page, "suggestions");
  await health.getByTestId("make-pipeline").click();
  await health.getByText("Made", { exact: true }).waitFor();
  const row = page.getByTestId("pipeline").filter({ hasText: "health-check" });
  await row.waitFor();
  await fill(own, group);
  await page.reload();
  await page.getByTestId("suggest-note").waitFor();
  assert.equal(await offered(page, "health_check").count(), 0, "what was made is not offered again");
  await row.getByText("800 dropped").waitFor();
  await row.getByRole("button", { name: "Remove" }).click();
  await row.getByRole("button", { name: "Confirm: Remove" }).click();
  await row.waitFor({ state: "detached" });
  await health.waitFor();
}

async function withholdsWhatIsNeeded(own) {
  const group = `${own.prefix}/needed`;
  await fill(own, group);
  await own.send("POST", "/api/v1/rules", {
    name: `checks of ${group}`, query: 'filter @message like "/healthz"', groups: [group], window: "5m", condition: "count > 0",
  });
  const page = await boss(own, group);
  const withheld = page.locator("[data-testid=withheld][data-reason=health_check]");
  await withheld.waitFor();
  assert.match(await withheld.textContent(), new RegExp(`May be needed by alert rule checks of ${group}`));
  assert.equal(await withheld.getByRole("button").count(), 0);
  assert.equal(await offered(page, "health_check").count(), 0);
  await own.picture(page, "suggestions-withheld");
}

async function saysWhyThereIsNothing(own) {
  const page = await boss(own, `${own.prefix}/nowhere`);
  await page.getByText("There are no events of this group in the range.").waitFor();
  await page.getByText("There are no pipelines.").waitFor();
  const wrong = await boss(own, "catat/audit");
  await wrong.getByTestId("suggest-error").waitFor();
  const other = await openAs(own, "ani", "ani reads the web", "/settings?tab=suggestions");
  await other.getByTestId("not-shown").getByText("catat suggestions").waitFor();
}

async function worksWithoutAMouse(own) {
  const group = `${own.prefix}/noisy`;
  await fill(own, group);
  const page = await boss(own, group);
  await offered(page, "health_check").waitFor();
  await tabTo(page, /Dry run/);
  await page.keyboard.press("Enter");
  await page.locator("[data-testid=suggestion] details[open]").waitFor();
  await tabTo(page, /make-pipeline/);
  await page.keyboard.press("Enter");
  // The focus stays where it was, on the button that undoes it.
  await page.locator("[data-testid=undo-pipeline]:focus").waitFor();
  await page.keyboard.press("Enter");
  await page.getByText("There are no pipelines.").waitFor();
}

async function looksRight(own, colorScheme) {
  const group = `${own.prefix}/noisy`;
  await fill(own, group);
  const page = await boss(own, group, { colorScheme, reducedMotion: "reduce" });
  await offered(page, "health_check").waitFor();
  await clean(page);
  await own.picture(page, `suggestions-${colorScheme}`);
  const small = await boss(own, group, { colorScheme, viewport: { width: 380, height: 900 } });
  await offered(small, "health_check").getByText("Dry run").click();
  const over = await small.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${over} px too wide`);
  await clean(small);
  await own.picture(small, `suggestions-small-${colorScheme}`, true);
}

export const suggestionChecks = [
  ["screen suggestions: noise and secrets are suggested, tried, made with a click, and removed", makesAndUndoes],
  ["screen suggestions: what a rule may need is named and has no button", withholdsWhatIsNeeded],
  ["screen suggestions: an empty group, a wrong one and a reader are told why", saysWhyThereIsNothing],
  ["screen suggestions: everything goes without a mouse", worksWithoutAMouse],
  ["screen suggestions: accessible and fits small screens, light", (own) => looksRight(own, "light")],
  ["screen suggestions: accessible and fits small screens, dark", (own) => looksRight(own, "dark")],
];
