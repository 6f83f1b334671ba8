// From an alert, or from the first screen, to the cause of planted incidents; the server finds it, nothing is made up.

import assert from "node:assert/strict";

import { clean } from "./accessibility.mjs";
import { receiver } from "./alerts.mjs";
import { until } from "./flow.mjs";
import { settled } from "./harness.mjs";
import { calls, INCIDENTS, innocent, jumped, planted } from "./planted.mjs";

/** Findings that are read. */
const READ = 3;
/** How long ago the errors began that an alert is about. */
const REFUSED_AGO = 80_000;
/** From an error that is written to the message that tells of it. */
const TOLD_MS_MAX = 5000;
/** A host whose clock jumped is told of once it has been missed for a minute. */
const MISSED_MS = 65_000;
const MINUTE = 60_000;

/** What findings have to say, by the name of the incident. */
const causes = {};
let jump = null;

/** How often what has happened since is sent. */
const FEED_MS = 2000;

/** Sends the events of a group up to now, and returns what is left. */
async function sendUntilNow(own, group, events) {
  const now = new Date().toISOString();
  const [due, rest] = [events.filter((one) => one["@timestamp"] <= now), events.filter((one) => one["@timestamp"] > now)];
  if (due.length > 0) await own.ingest(group, due);
  return rest;
}

/** Sends events when their time has come, until nothing is left or the server has ended. */
async function feed(own, left) {
  while (left.size > 0) {
    await new Promise((done) => { setTimeout(done, FEED_MS).unref(); });
    for (const [group, events] of left) {
      const rest = await sendUntilNow(own, group, events).catch(() => []);
      if (rest.length > 0) left.set(group, rest);
      else left.delete(group);
    }
  }
}

/** Plants every incident in a group of its own, and a day without any. */
export async function plantAll(own, seed) {
  const now = Date.now();
  const { events, late, host } = jumped(seed + 2000, now);
  jump = { since: now, late, host };
  const all = new Map([["clock", events]]);
  for (const [at, name] of Object.keys(INCIDENTS).entries()) {
    const made = planted(name, seed + 10 * at, now);
    causes[name] = made.causes;
    all.set(name, made.events);
  }
  for (const group of ["innocent", "live"]) all.set(group, innocent(seed + 1000, now));
  const left = new Map();
  for (const [group, of] of all) left.set(group, await sendUntilNow(own, group, of));
  void feed(own, left);
}

const titles = (page) => page.getByTestId("finding").locator(".finding-title").allTextContents();

/** Opens the first screen on a group. */
async function opened(own, group) {
  const page = await own.open(`/?groups=${own.prefix}/${group}&from=now-1h`);
  await settled(page);
  return page;
}

/** Waits until a first look is there, and checks that a text is in one of the findings that are read. */
async function names(own, page, name, texts) {
  await page.locator("[data-testid=first-look][aria-busy=false]").waitFor();
  const found = await titles(page);
  assert.ok(found.slice(0, READ).some((title) => texts.some((text) => title.includes(text))), `none of ${texts.join(", ")} in\n${found.join("\n")}`);
  await own.picture(page, `incident-${name}`, true);
}

/** From the first screen to the cause in one click. */
function looked(name, { isError }) {
  return async (own) => {
    const page = await opened(own, name);
    if (isError) {
      const offer = page.getByTestId("offer");
      await offer.filter({ hasText: "Errors rose at" }).waitFor();
      if (name === "deploy") await offer.filter({ hasText: /after pay on node-\d: pay v1\.9\.0 starting/ }).waitFor();
      await page.getByTestId("offer-first-look").click();
    } else {
      await page.getByTestId("panel-first-look").click();
    }
    await names(own, page, name, causes[name]);
    const began = await page.getByTestId("began").evaluateAll((list) => list.map((one) => one.innerText));
    for (const other of Object.keys(INCIDENTS)) if (other !== name) assert.ok(!began.some((text) => text.includes(`/${other}`)), `an alert about ${other} in\n${began.join("\n")}`);
    if (name === "deploy") await clean(page);
  };
}

async function findsNothing(own) {
  const page = await opened(own, "innocent");
  await page.getByTestId("row").first().waitFor();
  assert.equal(await page.getByTestId("offer").count(), 0, "nothing is offered");
  await page.getByTestId("panel-first-look").click();
  await page.getByTestId("first-look-none").waitFor();
  assert.deepEqual(await titles(page), []);
  await own.picture(page, "incident-none", true);
}

/** An error is written; the message that tells of it has candidates, and the alert leads to all of them by one click. */
async function tellsTheCandidates(own) {
  const hook = await receiver();
  const name = `${own.prefix} refused`;
  await own.send("POST", "/api/v1/channels", { name: "on-call", type: "webhook", url: hook.url });
  try {
    const spans = calls(1, Date.now(), Date.now() - REFUSED_AGO);
    await own.api("/api/v1/ingest?group=traces/pay&format=ndjson", { method: "POST", body: spans.map((span) => JSON.stringify(span)).join("\n") });
    await own.send("POST", "/api/v1/rules", { name, query: 'filter @level >= "error" and message like "refused"', groups: [`${own.prefix}/live`], window: "5m", interval: "1s" });
    const written = Date.now();
    const errors = Array.from({ length: 40 }, (_, n) => ({ "@timestamp": new Date(written - (n * REFUSED_AGO) / 40).toISOString(), message: `charge ${1000 + n} refused by the bank`, level: "error", service: "pay", host: "node-3", version: "v2.0.0" }));
    await own.ingest("live", errors);
    const of = () => hook.bodies.find(({ rule }) => rule === name);
    await until(of, "a message");
    assert.ok(Date.now() - written < TOLD_MS_MAX, `the message came after ${Date.now() - written} ms`);
    const { first_look: look, text } = of();
    assert.ok(look?.findings?.length > 0, `no candidates in ${JSON.stringify(of()).slice(0, 1000)}`);
    const told = look.findings.map(({ title }) => title);
    for (const cause of ["refused by the bank", "v2.0.0", "calls pay → postgresql: "]) assert.ok(told.some((title) => title.includes(cause)), `${cause} in ${told.join("\n")}`);
    assert.ok(Math.abs(Date.parse(look.began) - (written - REFUSED_AGO)) < MINUTE, look.began);
    if (text !== undefined) for (const title of told) assert.ok(text.includes(title), text);
    const page = await own.open("/alerts");
    const card = page.getByTestId("alert").filter({ has: page.locator(".card-head b").getByText(name, { exact: true }) });
    await card.waitFor();
    await own.picture(page, "incident-alerts", true);
    await card.getByTestId("first-look-link").click();
    await names(own, page, "alert", ["v2.0.0", "refused by the bank"]);
  } finally {
    await fetch(`${own.url}/api/v1/rules/${encodeURIComponent(name)}`, { method: "DELETE" });
    await fetch(`${own.url}/api/v1/channels/on-call`, { method: "DELETE" });
    hook.stop();
  }
}

/** Events of a host arrive with times that have passed: it is not silent. */
async function namesTheClock(own) {
  const left = () => jump.since + MISSED_MS - 20_000 - Date.now();
  await new Promise((done) => setTimeout(done, Math.max(0, left())));
  await own.ingest("clock", jump.late);
  const page = await opened(own, "clock");
  await page.getByTestId("panel-first-look").click();
  await names(own, page, "clock", [`host ${jump.host}: its clock jumped`]);
  const badges = await page.getByTestId("finding").filter({ hasText: "its clock jumped" }).locator(".badge").allInnerTexts();
  assert.deepEqual(badges, badges.map(() => "clock jumped"), "what still sends is not said to be silent");
}

/** Checks of the way to the cause; the clock comes last, as it takes its time. */
export const incidentChecks = [
  ...Object.entries(INCIDENTS).map(([name, of]) => [`incident: ${of.title} is named by the first three findings`, looked(name, of)]),
  ["incident: a day without one has no finding", findsNothing],
  ["incident: an error, the message with its candidates, all of them one click from the alert", tellsTheCandidates],
  ["incident: a clock that jumped is named by the first three findings", namesTheClock],
  ["row 32, security: no policy was violated and no script failed", async (own) => { if (own.complaints.length > 0) throw new Error(own.complaints.join("\n")); }],
];
