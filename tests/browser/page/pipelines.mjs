// `/settings?tab=pipelines`: lines at the left, steps in the middle, what comes out at the right; nothing holds before it is made.

import assert from "node:assert/strict";

import { clean } from "./accessibility.mjs";
import { openAs, tabTo } from "./people.mjs";

const LINES = [
  "INFO paid by ann@example.org ms=17",
  "DEBUG GET /healthz 200",
  "INFO <img src=x onerror=alert(1)> \u202e\u001b[31m",
];

async function fill(own, group) {
  const answer = await fetch(`${own.url}/api/v1/ingest?group=${group}&format=text`, { method: "POST", headers: { "x-catat-key": own.key }, body: LINES.join("\n") });
  assert.equal(answer.status, 200, await answer.text());
}

const boss = (own, group, options) =>
  openAs(own, "boss", "boss of all logs", `/settings?tab=pipelines${group === "" ? "" : `&open=${encodeURIComponent(group)}`}`, options);

const step = (page, n) => page.getByTestId("step").nth(n);
const result = (page, n) => page.getByTestId("pipeline-result").nth(n);

/** Takes the group's lines and masks addresses in them. */
async function masks(page, name) {
  await page.getByTestId("pipeline-newest").click();
  await result(page, 2).waitFor();
  await page.getByTestId("pipeline-name").fill(name);
  await page.getByTestId("add-step").click();
  await step(page, 0).getByTestId("step-kind").selectOption("mask");
  await step(page, 0).getByTestId("step-text").fill("email");
  await page.getByText("[email]").first().waitFor();
}

async function triesAndMakes(own) {
  const group = `${own.prefix}/tried`;
  const name = `${own.prefix.replaceAll("/", "-")}-tried`;
  await fill(own, group);
  const page = await boss(own, "");
  await page.getByTestId("pipeline-group").selectOption(group);
  assert.equal(await page.getByTestId("pipeline-match").inputValue(), group);
  await masks(page, name);
  assert.equal(await page.locator("[data-testid=pipeline-editor] img").count(), 0, "texts of events are texts");
  // A mistake stands at its step, and what came out before stays.
  await step(page, 0).getByTestId("step-text").fill("emial");
  await step(page, 0).getByText('did you mean "email"').waitFor();
  assert.ok(await page.getByTestId("make-drafted").isDisabled());
  assert.equal(await page.getByTestId("pipeline-result").count(), 3);
  await step(page, 0).getByTestId("step-text").fill("email");
  await page.getByTestId("add-step").click();
  await step(page, 1).getByTestId("step-kind").selectOption("drop");
  await step(page, 1).getByTestId("step-text").fill("event");
  await step(page, 1).getByTestId("step-only").selectOption("level");
  await step(page, 1).getByTestId("step-only-text").fill("debug");
  await page.getByText("2 kept, 1 not stored").waitFor();
  // What a step before might change could be needed: the drop comes first.
  await page.getByRole("button", { name: "Step 2: Move up" }).click();
  await page.getByText("Step 2: Mask").first().waitFor();
  await own.picture(page, "pipelines");
  await page.getByTestId("count-pipeline").click();
  await page.getByTestId("pipeline-counted").getByText("Dropped").waitFor();
  await page.getByTestId("make-drafted").click();
  const row = page.getByTestId("pipeline").filter({ hasText: name });
  await row.waitFor();
  // It holds: the next events are without addresses, and the row says so.
  await fill(own, group);
  await page.reload();
  await row.getByText("1 dropped, 1 masked").waitFor();
  await row.getByTestId("copy-pipeline").click();
  assert.equal(await page.getByTestId("pipeline-name").inputValue(), `${name}-2`);
  assert.equal(await step(page, 0).getByTestId("step-only-text").inputValue(), "debug");
  await row.getByRole("button", { name: "Remove" }).click();
  await row.getByRole("button", { name: "Confirm: Remove" }).click();
  await row.waitFor({ state: "detached" });
}

async function refusesByName(own) {
  const group = `${own.prefix}/needed`;
  await fill(own, group);
  await own.send("POST", "/api/v1/rules", {
    name: `checks of ${group}`, query: 'filter @message like "/healthz"', groups: [group], window: "5m", condition: "count > 0",
  });
  const page = await boss(own, group);
  await masks(page, "needed");
  await step(page, 0).getByTestId("step-kind").selectOption("json");
  await step(page, 0).getByTestId("step-text").fill('{"drop":"event","when":{"contains":"/healthz"}}');
  await page.getByText("2 kept, 1 not stored").waitFor();
  await page.getByTestId("make-drafted").click();
  await page.getByText(`needed by`).first().waitFor();
  const other = await openAs(own, "ani", "ani reads the web", "/settings?tab=pipelines");
  await other.getByTestId("not-shown").getByText("catat check").waitFor();
}

async function worksWithoutAMouse(own) {
  const group = `${own.prefix}/keys`;
  await fill(own, group);
  const page = await boss(own, group);
  await tabTo(page, /pipeline-newest/);
  await page.keyboard.press("Enter");
  await result(page, 2).waitFor();
  await tabTo(page, /add-step/);
  await page.keyboard.press("Space");
  await step(page, 0).waitFor();
}

async function looksRight(own, colorScheme) {
  const group = `${own.prefix}/looks`;
  await fill(own, group);
  const page = await boss(own, group, { colorScheme, reducedMotion: "reduce" });
  await masks(page, "looks");
  await clean(page);
  await own.picture(page, `pipelines-${colorScheme}`);
  const small = await boss(own, group, { colorScheme, viewport: { width: 380, height: 900 } });
  await masks(small, "looks");
  const over = await small.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${over} px too wide`);
  await clean(small);
}

export const pipelineChecks = [
  ["screen pipelines: lines are tried, mistakes stand at their step, and what is made holds", triesAndMakes],
  ["screen pipelines: what a rule needs is refused by name, and a reader is told where else it goes", refusesByName],
  ["screen pipelines: everything goes without a mouse", worksWithoutAMouse],
  ["screen pipelines: accessible and fits small screens, light", (own) => looksRight(own, "light")],
  ["screen pipelines: accessible and fits small screens, dark", (own) => looksRight(own, "dark")],
];
