// The page of alerts: a rule from its first word to its end, silences, channels.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";

import { clean, inBothThemes } from "./accessibility.mjs";
import { until } from "./flow.mjs";

const remove = (own, path) => fetch(`${own.url}/api/v1/${path}`, { method: "DELETE" });

/** Takes what channels post; `bodies` holds what came. */
export async function receiver() {
  const bodies = [];
  const server = createServer(async (request, answer) => {
    let body = "";
    for await (const part of request) body += part;
    bodies.push(JSON.parse(body));
    answer.writeHead(200).end("ok");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { bodies, url: `http://127.0.0.1:${server.address().port}/hook`, stop: () => { server.close(); server.closeAllConnections(); } };
}

/** A rule that fires at once, of this run's own events. */
async function firing(own, name) {
  await own.ingest("alerts", [{ level: "info", message: `disk on fire for ${name}`, host: "a" }]);
  await own.send("POST", "/api/v1/rules", { name, query: `filter message like "${name}"`, groups: [`${own.prefix}/*`], window: "1h", interval: "1s", annotations: { summary: "{{ .value }} on fire" } });
}

/** The alert of a rule: lines of others may speak of it. */
const cardOf = (page, name) => page.getByTestId("alert").filter({ has: page.locator(".card-head b").getByText(name, { exact: true }) });

/** An alert that is kept on after its condition: the value of before is not told as one of now. */
async function saysSinceWhenItIsQuiet(own) {
  const name = `${own.prefix} quiet`;
  const rule = { name, query: `filter message like "${name}"`, groups: [`${own.prefix}/*`], window: "2s", interval: "1s", keep_firing_for: "1h" };
  await own.send("POST", "/api/v1/rules", rule);
  await own.ingest("alerts", [{ level: "info", message: `a spark of ${name}`, host: "a" }]);
  const page = await own.open("/alerts");
  const card = cardOf(page, name);
  await card.waitFor();
  await card.getByTestId("quiet").filter({ hasText: /^condition not met since / }).waitFor({ timeout: 20_000 });
  assert.equal(await card.getByText("last 2s").count(), 0);
  await remove(own, `rules/${encodeURIComponent(name)}`);
}

async function makesARule(own) {
  const name = `${own.prefix} made`;
  await own.ingest("alerts", [{ level: "info", message: `line for ${name}`, host: "a" }]);
  const page = await own.explore({ q: `filter message like "line for ${own.prefix}"` });
  await page.getByTestId("share").click();
  await page.getByTestId("make-rule").click();
  const form = page.getByTestId("rule-form");
  await form.waitFor();
  assert.match(await form.getByTestId("rule-query").textContent(), /line for/, "what was asked is what is watched");
  assert.equal(await form.locator("input:visible, select:visible, textarea:visible").count(), 2, "a name and a condition are enough");
  assert.match(await form.getByLabel("Name", { exact: true }).inputValue(), /line for/, "a name is suggested");
  await form.getByLabel("Fires when").fill("count >> 0");
  await form.getByLabel("Name", { exact: true }).fill(name);
  own.expectsFailures = true;
  await form.getByRole("button", { name: "Create rule" }).click();
  await form.getByRole("alert").getByText("condition").waitFor();
  await form.getByLabel("Fires when").fill("count > 0");
  await form.getByRole("button", { name: "The last 1 h" }).click();
  await form.getByTestId("fired").getByText(/would have fired/).waitFor();
  await form.getByTestId("seen").getByTestId("bars").locator("rect.bar").first().waitFor();
  await form.getByTestId("rule-more").locator("summary").click();
  // The query is written as in Explore, also by who types fast.
  await form.getByTestId("rule-query").click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(" and @lev");
  await form.getByRole("option", { name: /^@level/ }).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.type(' = "info"');
  assert.match(await form.getByTestId("rule-query").textContent(), / and @level = "info"$/);
  await form.getByLabel("Evaluations that have to fire").fill("1");
  await form.getByLabel("Evaluations looked at").fill("1");
  await form.getByLabel("Every", { exact: true }).fill("1s");
  await form.getByRole("button", { name: "Create rule" }).click();
  const row = page.getByTestId("rule").filter({ hasText: name });
  await row.waitFor();
  await page.getByTestId("tab-active").click();
  await cardOf(page, name).waitFor();
  await page.getByTestId("tab-rules").click();
  await row.getByRole("button", { name: "Switch off" }).click();
  await row.getByText("off", { exact: true }).waitFor();
  await row.getByRole("link", { name }).click();
  await page.getByTestId("rule-form").getByRole("button", { name: "Delete" }).click();
  await page.getByTestId("rule-form").getByRole("button", { name: /Confirm: Delete .*/ }).click();
  await page.getByTestId("rule").first().waitFor();
  await row.waitFor({ state: "detached" });
}

async function silencesAndAcknowledges(own) {
  const name = `${own.prefix} fire`;
  await firing(own, name);
  try {
    const page = await own.open("/alerts");
    await cardOf(page, name).getByTestId("evidence").getByText(`disk on fire for ${name}`).waitFor();
    await cardOf(page, name).getByTestId("acknowledge").click();
    await cardOf(page, name).getByText("is on it").waitFor();
    await cardOf(page, name).getByRole("button", { name: "Undo" }).click();
    await cardOf(page, name).getByTestId("acknowledge").waitFor();
    await cardOf(page, name).getByTestId("silence").click();
    const form = page.getByTestId("make-silence");
    await until(async () => (await form.getByLabel("Labels").inputValue()).includes(`alertname="${name}"`), "the alert's labels are filled in");
    await form.getByLabel("Why").fill("we know");
    await form.getByRole("button", { name: "Silence" }).click();
    const silence = page.getByTestId("silence").filter({ hasText: name });
    await silence.getByText("active").waitFor();
    await page.getByTestId("tab-active").click();
    await cardOf(page, name).getByRole("link", { name: "silenced" }).click();
    await silence.getByRole("button", { name: "End now" }).click();
    await silence.getByRole("button", { name: /Confirm: End now .*/ }).click();
    await silence.getByText("ended", { exact: true }).waitFor();
    await followsLinks(own, name);
  } finally {
    await remove(own, `rules/${encodeURIComponent(name)}`);
  }
}

/** What messages lead to. */
async function followsLinks(own, name) {
  const { id } = (await own.api("/api/v1/alerts")).alerts.find(({ rule }) => rule === name);
  const silence = await own.open(`/alerts?silence=${id}`);
  await until(async () => (await silence.getByTestId("make-silence").getByLabel("Labels").inputValue()).includes(name), "the form is filled in");
  const taken = await own.open(`/alerts?acknowledge=${id}`);
  await until(() => taken.evaluate(() => document.activeElement?.dataset.testid === "acknowledge"), "the button has the focus");
  await taken.keyboard.press("Enter");
  await cardOf(taken, name).getByText("is on it").waitFor();
}

async function triesAChannel(own) {
  const name = `${own.prefix} hook`;
  const hook = await receiver();
  try {
    const page = await own.open("/alerts?tab=channels");
    const form = page.getByTestId("make-channel");
    await form.getByLabel("Name").fill(name);
    await form.getByLabel("Topics").fill("nobody");
    await form.getByLabel("Address").fill("nonsense");
    own.expectsFailures = true;
    await form.getByRole("button", { name: "Create channel" }).click();
    await form.getByRole("alert").waitFor();
    await form.getByLabel("Address").fill(hook.url);
    await form.getByRole("textbox", { name: "Secret" }).fill("s3cret");
    await form.getByRole("button", { name: "Create channel" }).click();
    const card = page.getByTestId("channel").filter({ hasText: name });
    await card.getByRole("button", { name: "Test" }).click();
    await card.getByTestId("tried").getByText("Delivered.").waitFor();
    assert.equal(hook.bodies.length, 1);
    assert.ok(!(await page.content()).includes("s3cret"), "a secret is shown to nobody");
    await card.getByRole("button", { name: "Edit" }).click();
    assert.deepEqual([await form.getByLabel("Topics").inputValue(), await form.getByLabel("Address").inputValue()], ["nobody", ""]);
    await form.getByLabel("Topics").fill("nobody, nothing");
    await form.getByLabel("Address").fill(`${hook.url}2`);
    await form.getByRole("button", { name: "Save channel" }).click();
    await card.getByText("nobody, nothing").waitFor();
    await card.getByRole("button", { name: "Test" }).click();
    await card.getByTestId("tried").getByText("Delivered.").waitFor();
    assert.equal(hook.bodies.length, 2);
    await card.getByRole("button", { name: "Delete" }).click();
    await card.getByRole("button", { name: /Confirm: Delete .*/ }).click();
    await card.waitFor({ state: "detached" });
  } finally {
    await remove(own, `channels/${encodeURIComponent(name)}`);
    hook.stop();
  }
}

async function isAccessible(own, viewport) {
  const name = `${own.prefix} seen`;
  await firing(own, name);
  try {
    for (const path of ["/alerts", "/alerts?tab=rules", "/alerts?tab=rule", "/alerts?tab=silences", "/alerts?tab=channels"]) {
      const page = await own.open(path, { viewport });
      if (path === "/alerts") await cardOf(page, name).waitFor();
      else if (path.endsWith("rules")) await page.getByTestId("rule").first().waitFor();
      else await page.locator("form").first().waitFor();
      await inBothThemes(page, (theme) => Promise.all([clean(page, theme), own.picture(page, `${path.replaceAll(/\W+/g, "-")}-${theme}-${viewport.width}`, true)]));
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${path} is ${over} px too wide`);
      await own.noteViolations(page);
    }
  } finally {
    await remove(own, `rules/${encodeURIComponent(name)}`);
  }
}

/** Alerts of one failure are one card; taking it on takes on all of them. */
async function bringsAFailureTogether(own) {
  const page = await own.open("/start");
  const alert = (id, log, failure, message) => ({
    id, failure, rule: "new error pattern", state: "alarm", labels: { "@log": log, pattern: "order <*> failed" }, annotations: {}, value: 3,
    since: new Date(Date.now() - 60_000).toISOString(), began: new Date(Date.now() - 90_000).toISOString(), url: "", notified: [],
    silenced_by: [], acknowledged: null, last: { "@message": message },
  });
  const alerts = [alert("a", "app/pay", "a", "order 17 failed"), alert("b", "traces/pay", "a", "POST /pay"), alert("c", "db", "c", "disk full")];
  const taken = [];
  await page.route("**/api/v1/alerts", (route) => route.fulfill({ json: { alerts } }));
  await page.route("**/api/v1/alerts/*/acknowledge", (route) => {
    taken.push(new URL(route.request().url()).pathname.split("/").at(-2));
    return route.fulfill({ json: {} });
  });
  await page.goto(`${own.url}/alerts`);
  const card = page.getByTestId("alert").filter({ hasText: "order 17 failed" });
  await card.getByText(/^1 more alert of the same failure: traces\/pay$/).waitFor();
  assert.equal(await page.getByText("POST /pay").isVisible(), false);
  assert.equal((await page.getByTestId("together").innerText()).includes("<*>"), false);
  await card.getByText(/1 more alert of the same failure/).click();
  await page.getByText("POST /pay").waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  await card.getByTestId("acknowledge").first().click();
  await page.waitForFunction(() => document.querySelector("[data-testid=together]") !== null);
  while (taken.length < 2) await page.waitForTimeout(20);
  assert.deepEqual(taken, ["a", "b"]);
  await page.goto(`${own.url}/alerts?open=b`);
  await page.getByText("POST /pay").waitFor();
}

async function saysThatThereIsNoPage(own) {
  own.expectsFailures = true;
  const page = await own.open("/start");
  const answer = await page.goto(`${own.url}/nonsense/deep?q=1`);
  assert.equal(answer.status(), 404);
  await page.getByTestId("nowhere").filter({ hasText: "/nonsense/deep" }).waitFor();
  await clean(page);
  await page.getByTestId("nowhere").getByText("Go to Explore").click();
  await page.getByTestId("nowhere").waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).pathname, "/");
}

export const alertChecks = [
  ["alerts: those of one failure are one card", bringsAFailureTogether],
  ["an address that no page has says so", saysThatThereIsNoPage],
  ["row 22, alerts: a rule is made of what is asked, tried over the past, switched off and deleted", makesARule],
  ["row 22, alerts: one that is kept on says since when its condition is not met", saysSinceWhenItIsQuiet],
  ["row 22, alerts: somebody is on it, silences it, and ends the silence", silencesAndAcknowledges],
  ["row 22, alerts: a channel is made, tried, changed and deleted", triesAChannel],
  ["row 24, accessible: alerts, the form of a rule, silences, channels, 1280 px", (own) => isAccessible(own, { width: 1280, height: 800 })],
  ["row 24, accessible: alerts, the form of a rule, silences, channels, 380 px", (own) => isAccessible(own, { width: 380, height: 760 })],
];
