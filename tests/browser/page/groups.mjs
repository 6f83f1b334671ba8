// Groups: what is said of them, their limits with what a change would do, and what is deleted of them.

import assert from "node:assert/strict";

import { clean } from "./accessibility.mjs";
import { openAs } from "./people.mjs";

const DAY = 86_400_000;
const BOSS = ["boss", "boss of all logs"];
const row = (page, name) => page.locator(`[data-testid=group][data-name="${name}"]`);
const eventsOf = async (own, name) => (await own.send("POST", "/api/v1/query", { query: "stats count(*) as n", groups: [name], from: "now-30d" })).rows[0]?.[0] ?? 0;

/** Opens Groups as an administrator, with one of them open. */
async function openManaged(own, name, options) {
  const page = await openAs(own, ...BOSS, "/", options);
  await page.goto(`${own.url}/groups`);
  await row(page, name).waitFor();
  if (name !== "") await row(page, name).getByTestId("manage").click();
  await page.getByTestId("manage-panel").waitFor();
  return page;
}

async function saysWhatIsStored(own) {
  const name = `${own.prefix}/sized`;
  await own.ingest("sized", Array.from({ length: 3000 }, (_, n) => ({ message: `GET /cart/${n} 200`, n })));
  await own.send("POST", "/api/v1/status/flush?compact=true");
  await own.send("PUT", `/api/v1/groups/${encodeURIComponent(name)}`, { retention: { age: "30d", size: "5GiB" } });
  const page = await openAs(own, ...BOSS, "/");
  await page.goto(`${own.url}/groups`);
  await row(page, name).waitFor();
  const said = await row(page, name).textContent();
  assert.match(said, /3,000/);
  assert.match(said, /[\d.]+ : 1/, "the ratio of raw to stored");
  assert.match(said, /30d, 5GiB/);
  assert.match(said, /oldest deleted in (29|30) d|full in/);
  await page.getByTestId("groups-figures").getByText("Room").waitFor();
  const names = () => page.getByTestId("group").evaluateAll((rows) => rows.map((one) => one.dataset.name));
  const { groups } = await own.api("/api/v1/groups");
  await page.getByRole("columnheader", { name: "Group" }).getByRole("button").click();
  const sorted = groups.map((group) => group.name).sort();
  assert.deepEqual((await names()).filter((one) => sorted.includes(one)), sorted);
  await page.getByRole("columnheader", { name: "Raw" }).getByRole("button").click();
  assert.equal(await page.getByRole("columnheader", { name: "Raw" }).getAttribute("aria-sort"), "descending");
  const bySize = [...groups].sort((a, b) => b.bytes_raw - a.bytes_raw);
  assert.equal((await names())[0], bySize[0].name);
  await page.getByRole("searchbox", { name: "Find a group" }).fill("no such group");
  await page.getByText("No group name contains this.").waitFor();
}

async function previewsLimits(own) {
  const name = `${own.prefix}/kept`;
  const at = (days, n) => ({ "@timestamp": new Date(Date.now() - days * DAY).toISOString(), message: `line ${n}` });
  await own.ingest("kept", [...Array.from({ length: 6 }, (_, n) => at(10, n)), ...Array.from({ length: 4 }, (_, n) => at(0, n))]);
  await own.send("POST", "/api/v1/status/flush");
  assert.equal(await eventsOf(own, name), 10);
  const page = await openManaged(own, name);
  const form = page.getByTestId("limits");
  await form.getByLabel("Age").fill("soon");
  await form.getByRole("button").click();
  await form.getByRole("alert").filter({ hasText: /age/ }).waitFor();
  assert.equal(await page.getByTestId("apply-limits").count(), 0, "nothing is set that was not looked at");
  await form.getByLabel("Age").fill("3d");
  await form.getByRole("button").click();
  await page.getByTestId("effect").filter({ hasText: /6 events .* go/ }).waitFor();
  await page.getByTestId("effect").getByText("more than half of the group").waitFor();
  assert.equal(await eventsOf(own, name), 10, "looking changes nothing");
  await form.getByLabel("Age").fill("4d");
  assert.equal(await page.getByTestId("apply-limits").count(), 0, "another limit is to be looked at, too");
  await form.getByLabel("Age").fill("3d");
  await clean(page);
  await own.picture(page, "groups-preview");
  await page.getByTestId("apply-limits").click();
  await page.getByTestId("undo-limits").waitFor();
  assert.equal(await eventsOf(own, name), 4);
  await row(page, name).getByText("3d").waitFor();
  await page.getByTestId("undo-limits").click();
  await page.getByTestId("effect").filter({ hasText: /6 events \([^)]*\) are restored/ }).waitFor();
  assert.equal(await eventsOf(own, name), 10);
}

async function deletesEvents(own) {
  const name = `${own.prefix}/people`;
  await own.ingest("people", ["ann", "bob", "ann"].map((user) => ({ message: `${user} came`, user })));
  const page = await openManaged(own, name);
  const form = page.getByTestId("delete-events");
  await form.getByLabel("Query").fill("filter user = ");
  await form.getByRole("button").click();
  await form.getByRole("alert").waitFor();
  await form.getByLabel("Query").fill('filter user = "ann"');
  await form.getByLabel("Reason").fill("asked to be forgotten");
  await form.getByRole("button").click();
  await page.getByTestId("counted").filter({ hasText: "2 events match." }).waitFor();
  assert.equal(await eventsOf(own, name), 3, "counting deletes nothing");
  const confirm = page.getByTestId("confirm-events");
  assert.equal(await confirm.getByRole("button").isDisabled(), true);
  await confirm.getByRole("textbox").fill(name);
  await clean(page);
  await own.picture(page, "groups-delete-events");
  await confirm.getByRole("button", { name: "Delete 2 events" }).click();
  await page.getByTestId("receipt").filter({ hasText: "asked to be forgotten" }).waitFor();
  assert.match(await page.getByTestId("receipt").textContent(), /2 events/);
  assert.equal(await eventsOf(own, name), 1);
}

async function deletesGroups(own) {
  const name = `${own.prefix}/gone`;
  await own.ingest("gone", [{ message: "one" }]);
  const page = await openManaged(own, name);
  await page.getByTestId("delete-group").click();
  await page.getByTestId("group-counted").filter({ hasText: "1 event in 1 stream" }).waitFor();
  const confirm = page.getByTestId("confirm-group");
  await confirm.getByRole("textbox").fill(`${own.prefix}/g`);
  assert.equal(await confirm.getByRole("button").isDisabled(), true, "another name does not do");
  await confirm.getByRole("textbox").fill(name);
  await page.keyboard.press("Enter");
  await row(page, name).waitFor({ state: "detached" });
  const { groups } = await own.api("/api/v1/groups");
  assert.ok(!groups.some((group) => group.name === name));
}

async function tellsOthersHow(own) {
  const page = await openAs(own, "ani", "ani reads the web", "/");
  await page.goto(`${own.url}/groups`);
  const name = `${own.prefix}/web`;
  await row(page, name).getByTestId("manage").click();
  await page.getByTestId("not-admin").waitFor();
  assert.equal(await page.getByTestId("limits").count(), 0);
  await clean(page);
  await page.getByTestId("not-admin").getByRole("button").click();
  await page.getByRole("dialog", { name: "Sign in" }).waitFor();
}

async function saysHowItIs(own) {
  own.expectsFailures = true;
  const page = await openAs(own, ...BOSS, "/alerts");
  let answer = null;
  let asked;
  const isAsked = new Promise((done) => { asked = done; });
  await page.route("**/api/v1/groups", async (route) => {
    asked();
    if (answer === null) return undefined;
    return route.fulfill({ contentType: "application/json", ...answer });
  });
  await page.getByTestId("nav-groups").click();
  await isAsked;
  // What was known before is shown; whoever begins here waits.
  await page.reload();
  await page.getByTestId("groups-loading").waitFor();
  await clean(page);
  answer = { status: 500, body: '{"error":{"code":"x","message":"the catalog is away"}}' };
  await page.getByRole("alert").filter({ hasText: "the catalog is away" }).waitFor();
  answer = { status: 200, body: '{"groups":[]}' };
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByTestId("no-groups").waitFor();
  await clean(page);
  await page.getByTestId("no-groups").getByRole("link", { name: "Send data" }).click();
  await page.getByTestId("start-page").waitFor();
}

async function fits(own, colorScheme) {
  for (const width of [1280, 380]) {
    const page = await openManaged(own, `${own.prefix}/web`, { viewport: { width, height: 800 }, colorScheme, reducedMotion: "reduce" });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${over} px too wide at ${width}`);
    const box = await page.locator(".group-table").evaluate((one) => one.scrollWidth - one.clientWidth);
    assert.ok(box <= 0, `the table is ${box} px too wide at ${width}`);
    await clean(page);
    await own.picture(page, `groups-${width}-${colorScheme}`);
    await page.getByTestId("limits").getByLabel("Age").fill("1d");
    await page.getByTestId("limits").getByRole("button").first().click();
    await page.getByTestId("effect").waitFor();
    await clean(page);
    await own.picture(page, `groups-preview-${width}-${colorScheme}`);
  }
}

export const groupChecks = [
  ["screen groups: sizes, ratio, times, limits and what is expected, sorted and found", saysWhatIsStored],
  ["screen groups: what new limits would take is shown before they are set, and they are set back", previewsLimits],
  ["screen groups: events are counted, deleted by whoever types the name, and receipted", deletesEvents],
  ["screen groups: a group is deleted by whoever types its name", deletesGroups],
  ["screen groups: others are told how to become an administrator", tellsOthersHow],
  ["screen groups: waiting, failing and having none are said, each with a next step", saysHowItIs],
  ["screen groups: it is accessible and fits small screens, light", (own) => fits(own, "light")],
  ["screen groups: it is accessible and fits small screens, dark", (own) => fits(own, "dark")],
];
