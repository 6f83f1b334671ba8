// `/settings`: keys, users, one's own password.

import assert from "node:assert/strict";

import { clean } from "./accessibility.mjs";
import { openAs, tabTo } from "./people.mjs";
import { startServer } from "./server.mjs";

/** The settings of who may do everything. What loads there moves what stands below: it is clicked when all is there. */
async function boss(own, options) {
  const page = await openAs(own, "boss", "boss of all logs", "/settings", options);
  await page.getByTestId("user").first().waitFor();
  await page.waitForFunction(() => document.querySelector("[data-testid=keys]") && !document.querySelector("[data-testid=keys] [role=status]"));
  return page;
}

/** Waits until the key that was just made has the focus. */
async function keyHasFocus(page) {
  await page.getByTestId("made-key").waitFor();
  await page.waitForFunction(() => document.activeElement?.matches("[data-testid=made-key]"));
}

/** What the server answers to a request with a key. */
const statusWith = (own, key, path) => fetch(own.url + path, { headers: { Authorization: `Bearer ${key}` } }).then((answer) => answer.status);

async function makesKeys(own, name = "ci") {
  const page = await boss(own, { permissions: ["clipboard-read", "clipboard-write"] });
  const form = page.getByTestId("make-key");
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Role").selectOption("read");
  await form.getByLabel("Groups").fill(`${own.prefix}/web, other/*`);
  await form.getByRole("button").click();
  await keyHasFocus(page);
  await page.getByTestId("copy-key").click();
  const key = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(key, await page.getByTestId("key-text").textContent());
  assert.equal(await statusWith(own, key, `/api/v1/groups/${encodeURIComponent(`${own.prefix}/web`)}`), 200);
  assert.equal(await statusWith(own, key, `/api/v1/groups/${encodeURIComponent(`${own.prefix}/checkout`)}`), 404, "other groups do not exist for it");
  assert.equal(await statusWith(own, key, "/api/v1/keys"), 403);
  const row = page.getByTestId("key").filter({ hasText: name });
  assert.match(await row.textContent(), new RegExp(`read${own.prefix}/webother/\\*`));
  await own.picture(page, "settings-made-key");
  await page.getByTestId("key-done").click();
  await page.reload();
  await row.waitFor();
  assert.ok(!(await page.content()).includes(key), "it is shown this once");
  return { page, key, row };
}

async function replacesAndRevokesKeys(own) {
  const { page, key, row } = await makesKeys(own, "deploy");
  await row.first().getByRole("button", { name: "Replace" }).click();
  await row.first().getByRole("button", { name: "Confirm: Replace deploy" }).click();
  await page.getByTestId("made-key").waitFor();
  const next = await page.getByTestId("key-text").textContent();
  assert.notEqual(next, key);
  assert.match(await page.getByTestId("made-key").textContent(), /The old key/);
  for (const one of [key, next]) assert.equal(await statusWith(own, one, "/api/v1/groups"), 200);
  const old = page.getByTestId("key").filter({ hasText: "deploy" }).filter({ has: page.locator("td:nth-child(6) time") });
  await old.first().waitFor();
  assert.equal(await old.first().getByRole("button", { name: "Replace" }).count(), 0);
  // Leaving the button is a no.
  await old.first().getByRole("button", { name: "Revoke" }).click();
  await page.getByTestId("key-done").focus();
  await old.first().getByRole("button", { name: "Revoke deploy", exact: true }).dblclick();
  assert.equal(await statusWith(own, key, "/api/v1/groups"), 200, "a double click revokes nothing");
  await old.first().getByRole("button", { name: "Confirm: Revoke deploy" }).click();
  await page.getByText("deploy revoked").waitFor();
  assert.equal(await statusWith(own, key, "/api/v1/groups"), 401);
  assert.equal(await statusWith(own, next, "/api/v1/groups"), 200);
  assert.equal(await page.evaluate(() => document.activeElement.id), "keys", "the focus does not get lost with the row");
}

async function refusesBadKeys(own) {
  const page = await boss(own);
  const form = page.getByTestId("make-key");
  await form.getByLabel("Name").fill("bad");
  await form.getByLabel("Groups").fill("a b\" c<d>");
  await form.getByRole("button").click();
  await form.getByRole("alert").waitFor();
  assert.equal(await form.getByLabel("Name").inputValue(), "bad", "what was typed stays");
  assert.equal(await page.getByTestId("made-key").count(), 0);
}

/** At a server of its own, without a key: who sends without one is shown, asked about, given time, and cut off. */
async function asksAboutKeylessSenders(own) {
  const server = await startServer();
  try {
    const send = (agent) => fetch(`${server.url}/api/v1/ingest?group=app/web`, { method: "POST", headers: { "User-Agent": agent }, body: '{"message":"a"}' }).then((answer) => answer.status);
    assert.equal(await send("nightly/2 <b>"), 200);
    const headers = { "X-Catat-Key": server.adminKey(), "Content-Type": "application/json" };
    const user = { name: "boss", password: "boss of all logs", role: "admin" };
    assert.equal((await fetch(`${server.url}/api/v1/users`, { method: "POST", headers, body: JSON.stringify(user) })).status, 201);
    const page = await openAs(own, user.name, user.password, "/settings", { base: server.url });
    const form = page.getByTestId("make-key");
    const question = form.getByTestId("grace-question");
    await question.getByText("nightly/2 <b>").waitFor();
    assert.match(await question.textContent(), /127\.0\.0\.1app\/web/);
    assert.equal(await question.getByLabel("Without a key they may send").inputValue(), "7d");
    await clean(page);
    await own.picture(page, "settings-first-key");
    await form.getByLabel("Name").fill("first");
    await form.getByLabel("Expires").selectOption("30d");
    await form.getByRole("button", { name: "Create key" }).click();
    await keyHasFocus(page);
    const key = await page.getByTestId("key-text").textContent();
    await question.waitFor({ state: "detached" });
    assert.match(await page.getByTestId("key").textContent(), /in 30 d|in 29 d/);
    assert.equal(await send("nightly/2 <b>"), 200, "senders may go on");
    assert.equal((await fetch(`${server.url}/api/v1/groups`)).status, 401, "readers may not");
    assert.equal((await fetch(`${server.url}/api/v1/groups`, { headers: { "X-Catat-Key": key } })).status, 200);
    const grace = page.getByTestId("grace-period");
    await grace.getByText("nightly/2 <b>").waitFor();
    await clean(page);
    await own.picture(page, "settings-grace-period");
    const small = await openAs(own, user.name, user.password, "/settings", { base: server.url, viewport: { width: 380, height: 900 } });
    await small.getByTestId("grace-period").getByText("nightly/2 <b>").waitFor();
    assert.ok(await small.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 0, "it fits a small screen");
    await grace.getByRole("button", { name: "End now" }).click();
    await grace.getByRole("button", { name: "Confirm: End now" }).click();
    await grace.waitFor({ state: "detached" });
    assert.equal(await send("nightly/2 <b>"), 401);
  } finally {
    await server.stop();
  }
}

async function makesUsers(own) {
  const page = await boss(own);
  const form = page.getByTestId("make-user");
  const add = async (name, password) => {
    await form.getByLabel("Name").fill(name);
    await form.getByLabel("Password").fill(password);
    await form.getByLabel("Role").selectOption("operate");
    await form.getByLabel("Groups").fill(`${own.prefix}/*`);
    await form.getByRole("button").click();
  };
  await add("no spaces please", "long enough");
  await form.getByText(/a name is/).waitFor();
  await add("budi", "long enough");
  const row = page.getByTestId("user").filter({ hasText: "budi" });
  await row.waitFor();
  assert.match(await row.textContent(), new RegExp(`operate${own.prefix}/\\*`));
  await add("budi", "long enough");
  await form.getByText(/exists/).waitFor();

  const his = await openAs(own, "budi", "long enough", "/settings");
  await his.getByTestId("you").getByText("operate").waitFor();
  assert.equal(await his.getByTestId("users").count() + await his.getByTestId("keys").count(), 0, "only administrators see keys and users");

  await row.getByRole("button", { name: "Set password of budi" }).click();
  const dialog = page.getByRole("dialog", { name: "Password of budi" });
  await dialog.getByLabel("New password", { exact: true }).fill("something else");
  await dialog.getByLabel("New password, again").fill("something else");
  await dialog.getByRole("button", { name: "Change password" }).click();
  await dialog.waitFor({ state: "hidden" });
  await his.getByTestId("nav-groups").click();
  await his.getByTestId("sign-in-why").waitFor();
  const again = await openAs(own, "budi", "something else", "/groups");
  await again.getByTestId("group").first().waitFor();

  await row.getByRole("button", { name: "Remove budi" }).click();
  await row.getByRole("button", { name: "Confirm: Remove budi" }).click();
  await row.waitFor({ state: "detached" });
  await again.getByTestId("nav-settings").click();
  await again.getByText("You are not signed in.").waitFor();
}

async function changesOwnPassword(own) {
  const page = await openAs(own, "ani", "ani reads the web", "/settings");
  const other = await openAs(own, "ani", "ani reads the web", "/groups");
  await other.getByTestId("group").first().waitFor();
  await page.getByTestId("change-password").click();
  const form = page.getByTestId("password-form");
  const fill = async (current, next, again) => {
    await form.getByLabel("Current password").fill(current);
    await form.getByLabel("New password", { exact: true }).fill(next);
    await form.getByLabel("New password, again").fill(again);
    await form.getByRole("button", { name: "Change password" }).click();
  };
  await fill("ani reads the web", "one of them", "other of them");
  await form.getByText("the new passwords differ").waitFor();
  await fill("not it", "one of them", "one of them");
  await form.getByText("the current password is wrong").waitFor();
  assert.equal(await page.getByTestId("sign-in").count(), 0, "a wrong password ends no session");
  await fill("ani reads the web", "one of them", "one of them");
  await page.getByText("Your password was changed").waitFor();
  await page.getByTestId("nav-groups").click();
  await page.getByTestId("group").first().waitFor();
  await other.getByTestId("sign-in-why").waitFor();
  await own.send("PUT", "/api/v1/users/ani/password", { password: "ani reads the web" });
}

async function makesKeysWithoutAMouse(own) {
  const page = await boss(own);
  await page.getByTestId("make-key").waitFor();
  await tabTo(page, /^ {2}Name/);
  await page.keyboard.type("typed");
  await page.keyboard.press("Tab");
  await page.keyboard.type("ingest");
  await page.keyboard.press("Tab");
  await page.keyboard.type("typed/*");
  await page.keyboard.press("Enter");
  await keyHasFocus(page);
  await tabTo(page, /key-done/, 4);
  await page.keyboard.press("Enter");
  await page.getByTestId("made-key").waitFor({ state: "detached" });
  await tabTo(page, /Revoke typed/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.getByText("typed revoked").waitFor();
}

async function looksRight(own, colorScheme) {
  const page = await boss(own, { colorScheme, reducedMotion: "reduce" });
  await own.send("POST", "/api/v1/keys", { name: `a key with a rather long name, ${colorScheme}`, role: "ingest", groups: ["one/*", "two/of/them/*", "three"] });
  await page.reload();
  await page.getByTestId("key").first().waitFor();
  await page.getByTestId("user").first().waitFor();
  await clean(page);
  await own.picture(page, `settings-${colorScheme}`);
  await page.getByTestId("change-password").click();
  await clean(page);
  await own.picture(page, `settings-password-${colorScheme}`);
  await page.getByTestId("theme").click();
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark", "the theme is remembered here too");
  const small = await boss(own, { colorScheme, viewport: { width: 380, height: 900 } });
  await small.getByTestId("user").first().waitFor();
  const over = await small.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${over} px too wide`);
  await own.picture(small, `settings-small-${colorScheme}`, true);
  await clean(small);
}

export const settingsChecks = [
  ["screen settings: a key is made for some groups, shown once and copied", (own) => makesKeys(own)],
  ["screen settings: a key is replaced and revoked, asked twice", replacesAndRevokesKeys],
  ["screen settings: a key that cannot be is refused, and what was typed stays", refusesBadKeys],
  ["screen settings: the first key asks about those who send without one", asksAboutKeylessSenders],
  ["screen settings: users are made, get another password, and are removed", makesUsers],
  ["screen settings: one's own password is changed, and other sessions end", changesOwnPassword],
  ["screen settings: keys are made and revoked without a mouse", makesKeysWithoutAMouse],
  ["screen settings: the settings are accessible and fit small screens, light", (own) => looksRight(own, "light")],
  ["screen settings: the settings are accessible and fit small screens, dark", (own) => looksRight(own, "dark")],
];
