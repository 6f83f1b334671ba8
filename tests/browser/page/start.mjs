// The start: lines that are copied from the page and run, what it counts, and a key that it makes. The order matters: the
// store is empty at first, and a key ends the time without keys.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { clean } from "./accessibility.mjs";
import { rowsOf, settled } from "./harness.mjs";

/** The lines that the page shows of a sender. */
async function linesOf(page, name) {
  await page.getByRole("tab", { name, exact: true }).click();
  await page.waitForFunction((text) => document.querySelector("#sender")?.getAttribute("aria-labelledby") === document.querySelector(`[role=tab][aria-selected=true]`)?.id
    && document.querySelector("[role=tab][aria-selected=true]")?.textContent === text, name);
  return page.getByTestId("sender").locator("code").allTextContents();
}

/** Runs lines in a shell, in a directory that has a file `app.log` of two lines. */
function inShell(lines, env = {}) {
  const directory = mkdtempSync(join(tmpdir(), "catat-start-"));
  try {
    writeFileSync(join(directory, "app.log"), "INFO one\nERROR two\n");
    return lines.map((line) => execFileSync("sh", ["-c", line], { cwd: directory, encoding: "utf8", env: { ...process.env, ...env } }));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const received = (page) => page.getByTestId("received");

async function opensOnLargeAndSmall(own) {
  for (const colorScheme of ["light", "dark"]) {
    const page = await own.open("/", { colorScheme, reducedMotion: "reduce" });
    await page.getByTestId("waiting").waitFor();
    await clean(page);
    await own.picture(page, `start-${colorScheme}`);
  }
  const page = await own.open("/start", { viewport: { width: 380, height: 760 }, reducedMotion: "reduce" });
  await page.getByTestId("waiting").waitFor();
  for (const name of await page.getByRole("tab").allTextContents()) {
    await page.getByRole("tab", { name, exact: true }).click();
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${name} is ${over} px too wide`);
  }
  await clean(page);
  await own.picture(page, "start-380", true);
}

async function worksAsWritten(own) {
  const page = await own.open("/");
  await page.getByTestId("waiting").waitFor();
  const lines = await linesOf(page, "curl");
  assert.equal(lines.length, 3);
  assert.ok(lines.every((line) => line.includes(own.url) && !line.includes("KEY")), "the address is filled in, and no key is wanted");
  const answers = inShell(lines).map((answer) => JSON.parse(answer));
  assert.deepEqual(answers.map((answer) => answer.accepted), [1, 1, 2]);
  await received(page).filter({ hasText: "Received 4 events" }).waitFor();
  assert.match(await received(page).textContent(), /in (app, hello|hello, app)/);
  // It goes on counting, and nothing moves away under whoever reads.
  const splunk = inShell((await linesOf(page, "Splunk HEC")).slice(0, 1));
  assert.equal(JSON.parse(splunk[0]).code, 0);
  await received(page).filter({ hasText: "Received 5 events" }).waitFor();
  // The newest are here already, and what is not done yet is offered.
  await page.getByTestId("newest").filter({ hasText: "hello" }).or(page.getByTestId("newest").filter({ hasText: "it works" })).waitFor();
  assert.equal(await page.getByTestId("newest").getByRole("listitem").count(), 3);
  await page.getByTestId("next-channel").waitFor();
  assert.deepEqual(await page.getByTestId("next").getByRole("button").allTextContents(), ["Add a channel", "Create a key", "Set a retention"]);
  await clean(page);
  await page.getByTestId("show-received").click();
  await page.getByTestId("results").waitFor();
  await settled(page);
  const rows = await rowsOf(page);
  assert.deepEqual(rows.map((row) => row.message).sort(), ["ERROR two", "INFO one", `hello from ${new URL(own.url).hostname}`, "it works", "order 7 is paid"].sort());
}

async function shipsAsWritten(own) {
  const page = await own.open("/start");
  await page.getByTestId("waiting").waitFor();
  const [ship, send] = await linesOf(page, "catat");
  // The lines are run in a directory of their own.
  const executable = resolve(process.env.CATAT_EXECUTABLE);
  const as = (line) => line.replace(/\bcatat (?=ship|send)/, `'${executable}' `);
  inShell([as(send).replace("some-job", "printf 'a\\nb\\nc\\n'")]);
  await received(page).filter({ hasText: "Received 3 events in batch/nightly" }).waitFor();
  // The shipper follows for good: it is ended once its line has arrived.
  const directory = mkdtempSync(join(tmpdir(), "catat-ship-"));
  mkdirSync(join(directory, "logs"));
  writeFileSync(join(directory, "logs", "x.log"), "shipped\n");
  const line = as(ship).replace("/var/log", `${directory}/logs`).replace(" --url", ` --state-dir ${directory}/state --url`);
  execFileSync("sh", ["-c", `${line} >/dev/null 2>&1 & echo $! > ${directory}/pid`]);
  try {
    await received(page).filter({ hasText: "Received 4 events" }).waitFor({ timeout: 20_000 });
  } finally {
    execFileSync("sh", ["-c", `kill $(cat ${directory}/pid)`]);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function isReachedLater(own) {
  const page = await own.open("/groups");
  await page.getByTestId("send-data").click();
  await page.getByTestId("start-page").waitFor();
  assert.equal(new URL(page.url()).pathname, "/start");
  assert.match(await page.title(), /Send data/);
  await page.reload();
  await page.getByTestId("waiting").waitFor();
  assert.equal(await page.getByTestId("received").count(), 0, "what was there before is not counted");
}

async function offersWhatIsNotDone(own) {
  const page = await own.open("/start");
  await page.getByTestId("next-channel").getByRole("button").click();
  await page.getByRole("heading", { name: "Channels" }).waitFor();
  assert.match(page.url(), /alerts/);
  await page.goto(`${own.url}/start`);
  await page.getByTestId("next-retention").getByRole("button").click();
  await page.getByRole("heading", { name: /Groups/ }).first().waitFor();
  // What is done is not offered.
  const limit = (age) => fetch(`${own.url}/api/v1/groups/app`, { method: "PUT", headers: { authorization: `Bearer ${own.adminKey}` }, body: JSON.stringify({ retention: { age } }) });
  assert.equal((await limit("30d")).status, 200);
  await page.goto(`${own.url}/start`);
  await page.getByTestId("next-key").waitFor();
  assert.equal(await page.getByTestId("next-retention").count(), 0);
  assert.equal((await limit(null)).status, 200);
}

async function saysWhatIsWrong(own) {
  own.expectsFailures = true;
  const page = await own.open("/start");
  await page.getByTestId("waiting").waitFor();
  let fails = true;
  await page.route("**/api/v1/groups", (route) => (fails ? route.fulfill({ status: 503, contentType: "application/json", body: '{"error":{"code":"busy","message":"no room"}}' }) : route.continue()));
  await page.getByRole("alert").filter({ hasText: "no room" }).waitFor();
  await fetch(`${own.url}/api/v1/ingest?group=later`, { method: "POST", body: "one" });
  fails = false;
  await received(page).filter({ hasText: "Received 1 event in later" }).waitFor();
}

async function goesByKeys(own) {
  const page = await own.open("/start");
  await page.getByRole("tab", { name: "curl" }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  assert.equal(await page.getByRole("tab", { selected: true }).textContent(), "Python logging");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "curl");
  assert.equal(await page.getByRole("tab").count(), 15);
}

async function makesAKey(own) {
  own.expectsFailures = true;
  const page = await own.open("/start");
  await page.getByText("This machine needs no key").click();
  await page.getByTestId("as-admin").click();
  await page.getByTestId("sign-in-other").click();
  await page.getByLabel("Key", { exact: true }).fill(own.adminKey);
  await page.getByRole("button", { name: "Continue" }).click();
  const form = page.getByTestId("make-senders-key");
  await form.waitFor();
  await clean(page);
  await form.getByLabel("Groups it may send to").fill("hello, keyed/*");
  await form.getByRole("button").click();
  await page.getByTestId("key-in-use").waitFor();
  await own.picture(page, "start-key");
  const [line] = await linesOf(page, "curl");
  const key = /Bearer ([^']+)'/.exec(line)[1];
  assert.equal(JSON.parse(inShell([line])[0]).accepted, 1);
  const bare = await fetch(`${own.url}/api/v1/ingest?group=hello`, { method: "POST", body: "x" });
  assert.equal(bare.status, 401, "with the first key the time without keys is over");
  const names = await page.getByRole("tab").allTextContents();
  for (const name of names) {
    const text = (await linesOf(page, name)).join("\n");
    // What signs has the pair; what reads a file of its own, or installs, names no key.
    assert.ok(text.includes(key) || name === "CloudWatch", `${name} has the key`);
    assert.ok(!/\bKEY\b|ACCESS_KEY_ID|undefined/.test(text), `${name} has no gap: ${text}`);
  }
  const { keys } = await (await fetch(`${own.url}/api/v1/keys`, { headers: { Authorization: `Bearer ${own.adminKey}` } })).json();
  const made = keys.find((one) => one.name === "senders");
  assert.deepEqual([made.role, made.groups], ["ingest", ["hello", "keyed/*"]]);
}

async function asksWhoOneIs(own) {
  own.expectsFailures = true;
  const page = await own.open("/start");
  await page.getByRole("dialog", { name: "Sign in" }).waitFor();
  await page.keyboard.press("Escape");
  assert.match((await linesOf(page, "Vector")).join(""), /password = "KEY"/, "a place for the key is left");
  await page.getByTestId("own-key").getByLabel("Your key").fill("abc");
  await page.getByTestId("own-key").getByRole("button").click();
  assert.match((await linesOf(page, "Vector")).join(""), /password = "abc"/);
}

export const startChecks = [
  ["row 27, start: it is accessible in both themes and fits 380 pixels", opensOnLargeAndSmall],
  ["row 27, start: the lines taken from the page work, and what arrives is counted until somebody wants to see it", worksAsWritten],
  ["row 27, start: what it says of catat send and catat ship works", shipsAsWritten],
  ["row 27, start: it has an address of its own and counts from when it is opened", isReachedLater],
  ["start: what is worth doing next is offered until it is done", offersWhatIsNotDone],
  ["row 27, start: a server that fails is told of, and counting goes on", saysWhatIsWrong],
  ["row 27, start: senders are chosen by keys", goesByKeys],
  ["row 27, start: an administrator makes a key, and every line has it", makesAKey],
  ["row 27, start: without access it asks who one is, and leaves a place for the key", asksWhoOneIs],
];
