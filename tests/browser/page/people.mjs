// Who gets in: signing in and out, sessions that end, by keys alone and on small screens.

import assert from "node:assert/strict";

import { clean } from "./accessibility.mjs";
import { ask, queryText, rowsOf, settled } from "./harness.mjs";

/** Gives the harness a key, events, and two users: `boss` may everything, `ani` reads groups that end in `/web`. */
export async function makePeople(own, key) {
  own.key = key;
  await own.sendEvents();
  // Until there is a key, whoever is on this machine needs none.
  await own.send("POST", "/api/v1/keys", { name: "first", role: "ingest" });
  await own.send("POST", "/api/v1/users", { name: "boss", password: "boss of all logs", role: "admin" });
  await own.send("POST", "/api/v1/users", { name: "ani", password: "ani reads the web", role: "read", groups: [`${own.prefix}/web`] });
}

/** Opens an address and signs in there. */
export async function openAs(own, name, password, path = `/?${own.scope}`, options = {}) {
  own.expectsFailures = true;
  const page = await own.open(path, options);
  // Settings are shown to everybody, and offer the way in.
  if (path.startsWith("/settings")) await page.getByTestId("sign-in-open").click();
  await signIn(page, name, password);
  await page.getByTestId("sign-in").waitFor({ state: "detached" });
  return page;
}

/** Fills the form in that is open. */
export async function signIn(page, name, password) {
  const form = page.getByTestId("sign-in");
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Password").fill(password);
  await form.getByRole("button", { name: "Sign in" }).click();
}

/** Goes on with Tab until what has the focus fulfils the condition, as somebody without a mouse does. */
export async function tabTo(page, what, most = 80) {
  for (let step = 0; step < most; step += 1) {
    await page.keyboard.press("Tab");
    const name = await page.evaluate(() => {
      const focus = document.activeElement;
      return `${focus?.getAttribute("data-testid") ?? ""} ${focus?.getAttribute("aria-label") ?? ""} ${focus?.closest("label")?.textContent ?? ""} ${focus?.textContent ?? ""}`;
    });
    if (what.test(name)) return;
  }
  throw new Error(`${what} is not reached by Tab`);
}

async function letsPeopleIn(own) {
  own.expectsFailures = true;
  const page = await own.open(`/?${own.scope}&q=${encodeURIComponent('filter @level = "error"')}`);
  const form = page.getByTestId("sign-in");
  await form.waitFor();
  assert.equal(await page.getByTestId("sign-in-why").count(), 0, "nothing has ended yet");
  assert.equal(await page.locator("[data-testid=row]").count(), 0);
  // The name has the focus, and everything goes by keys.
  await page.keyboard.type("boss");
  await page.keyboard.press("Tab");
  await page.keyboard.type("not his password");
  await page.keyboard.press("Enter");
  await page.getByText("the name or the password is wrong").waitFor();
  assert.equal(await form.getByLabel("Password").inputValue(), "", "a wrong password does not stay");
  assert.equal(await form.getByLabel("Name").inputValue(), "boss");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("name")), "password", "one types on at once");
  await page.keyboard.type("boss of all logs");
  await page.keyboard.press("Enter");
  await form.waitFor({ state: "detached" });
  await settled(page);
  assert.ok((await rowsOf(page)).every((row) => row.level === "error"));
  assert.ok((await rowsOf(page)).length > 0);
  assert.match(page.url(), /q=filter/);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.ok(!/boss of all logs|catat_session/.test(kept), `scripts see neither the password nor the session: ${kept}`);
}

async function letsNobodyElseIn(own) {
  own.expectsFailures = true;
  const page = await own.open(`/?${own.scope}`);
  await signIn(page, "nobody-of-that-name", "whatever it is");
  await page.getByText("the name or the password is wrong").waitFor();
  // What the page would say of a name that exists: the same.
  await page.keyboard.press("Escape");
  await page.getByTestId("failed").waitFor();
  assert.match(await page.getByTestId("failed").textContent(), /Sign in/);
  await page.getByTestId("failed").getByRole("button").click();
  await page.getByTestId("sign-in").waitFor();
}

async function showsOnlyOwnGroups(own) {
  const page = await openAs(own, "ani", "ani reads the web");
  await settled(page);
  const rows = await rowsOf(page);
  assert.ok(rows.length > 0 && rows.every((row) => row.group === `${own.prefix}/web`));
  await page.getByTestId("nav-groups").click();
  await page.getByTestId("group").first().waitFor();
  assert.equal(await page.getByTestId("group").count(), 1);
}

async function signsOut(own) {
  const page = await openAs(own, "ani", "ani reads the web");
  await settled(page);
  await page.getByTestId("nav-settings").click();
  await page.getByTestId("sign-out").click();
  await page.getByTestId("sign-in").waitFor();
  assert.equal(await page.getByTestId("sign-in-why").count(), 0, "who signs out knows why");
  for (let steps = 0; steps < 2; steps += 1) {
    await page.goBack();
    await page.getByTestId("sign-in").or(page.getByTestId("sign-in-open")).waitFor();
    assert.equal(await page.locator("[data-testid=row], [data-testid=group]").count(), 0, "going back shows nothing");
  }
}

/** Gives `ani` another password, which ends her sessions, for as long as `run` takes. */
async function withAnotherPassword(own, run) {
  const set = (password) => own.send("PUT", "/api/v1/users/ani/password", { password });
  await set("ani has another one");
  try {
    await run();
  } finally {
    await set("ani reads the web");
  }
}

async function keepsTheQueryWhenTheSessionEnds(own) {
  const page = await openAs(own, "ani", "ani reads the web");
  await ask(page, "filter status = 404");
  const draft = "filter status = 503\n| stats count(*) by path";
  await page.getByTestId("query").fill(draft);
  await withAnotherPassword(own, async () => {
    // The next question tells of it, whichever it is: the completions of what was just written, or this.
    await page.keyboard.press("Enter");
    await page.getByTestId("sign-in-why").waitFor();
    assert.match(await page.getByTestId("sign-in-why").textContent(), /session has ended/);
    assert.equal(await queryText(page), draft);
    await signIn(page, "ani", "ani has another one");
    await page.getByTestId("sign-in").waitFor({ state: "detached" });
    assert.equal(await queryText(page), draft);
    await page.getByTestId("query").press("Enter");
    await page.getByTestId("table").waitFor();
  });
}

async function forgetsTheSessionBefore(own) {
  const page = await openAs(own, "ani", "ani reads the web");
  await settled(page);
  let release;
  const signedIn = new Promise((resolve) => { release = resolve; });
  // The answer that says of a session that it has ended, on its way for as long as signing in takes.
  await page.route("**/api/v1/check", async (route) => {
    const answer = await route.fetch();
    await signedIn;
    await route.fulfill({ response: answer });
  });
  await withAnotherPassword(own, async () => {
    const sent = page.waitForRequest("**/api/v1/check");
    await page.getByTestId("query").fill("filter status = 503");
    const late = (await sent).response();
    await page.keyboard.press("Enter");
    await page.getByTestId("sign-in-why").waitFor();
    await signIn(page, "ani", "ani has another one");
    await page.getByTestId("sign-in").waitFor({ state: "detached" });
    await settled(page);
    release();
    const answer = await late;
    assert.equal(answer.status(), 401);
    await answer.finished();
    // Two frames later the page has drawn whatever it makes of the answer.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    assert.equal(await page.getByTestId("sign-in").count(), 0, "whoever has just signed in is not asked to");
  });
}

async function keepsNothingForSomebodyElse(own) {
  const page = await openAs(own, "boss", "boss of all logs");
  await settled(page);
  await page.waitForFunction((n) => window.__catat.rows.some((row) => row.group === n), `${own.prefix}/checkout`);
  await own.send("PUT", "/api/v1/users/boss/password", { password: "boss of all logs" });
  await page.getByTestId("run").click();
  await page.getByTestId("sign-in-why").waitFor();
  await signIn(page, "ani", "ani reads the web");
  await page.getByTestId("sign-in").waitFor({ state: "detached" });
  await settled(page);
  await page.waitForFunction((n) => window.__catat.rows.length > 0 && window.__catat.rows.every((row) => row.group === n), `${own.prefix}/web`);
}

async function tailAsksAgain(own) {
  const page = await openAs(own, "ani", "ani reads the web", `/?${own.scope}&live=1`);
  await page.waitForFunction(() => window.__catat.state.live === "open");
  await withAnotherPassword(own, async () => {
    await page.getByTestId("sign-in-why").waitFor();
    await signIn(page, "ani", "ani has another one");
    await page.waitForFunction(() => window.__catat.state.live === "open");
    await own.ingest("web", [{ "@timestamp": new Date().toISOString(), message: "after signing in again", level: "info" }]);
    await page.getByText("after signing in again").waitFor();
  });
}

async function takesKeys(own) {
  own.expectsFailures = true;
  const page = await own.open(`/?${own.scope}`);
  await page.getByTestId("sign-in-other").click();
  await page.getByLabel("Key", { exact: true }).fill("catat_no_such_key");
  await page.keyboard.press("Enter");
  await page.getByTestId("sign-in-why").waitFor();
  assert.match(await page.getByTestId("sign-in-why").textContent(), /key no longer works/);
  const made = await own.send("POST", "/api/v1/keys", { name: "page", role: "read", groups: [`${own.prefix}/web`] });
  await page.getByLabel("Key", { exact: true }).fill(made.key);
  await page.keyboard.press("Enter");
  await settled(page);
  await page.waitForFunction(() => window.__catat.rows.length > 0);
  await page.getByTestId("nav-settings").click();
  await page.getByTestId("you").getByText(/^With the key .*page/).waitFor();
  assert.equal(await page.getByTestId("change-password").count(), 0, "a key has no password");
  await page.getByTestId("sign-out").click();
  await page.getByTestId("sign-in").waitFor();
  await own.send("DELETE", `/api/v1/keys/${made.id}`);
}

async function worksWithoutAMouse(own) {
  own.expectsFailures = true;
  const page = await own.open(`/?${own.scope}`);
  await page.getByTestId("sign-in").waitFor();
  await page.keyboard.type("ani");
  await page.keyboard.press("Tab");
  await page.keyboard.type("ani reads the web");
  await page.keyboard.press("Enter");
  await page.getByTestId("sign-in").waitFor({ state: "detached" });
  await settled(page);
  await tabTo(page, /nav-settings/);
  await page.keyboard.press("Enter");
  await page.getByTestId("change-password").waitFor();
  await tabTo(page, /change-password/);
  await page.keyboard.press("Enter");
  await page.getByTestId("password-form").waitFor();
  assert.match(await page.evaluate(() => document.activeElement.closest("label")?.textContent ?? ""), /Current password/);
  for (const text of ["ani reads the web", "ani reads the web too", "ani reads the web too"]) {
    await page.keyboard.type(text);
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await page.getByText("Your password was changed").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("data-testid")), "change-password", "the focus is where it was");
  await own.send("PUT", "/api/v1/users/ani/password", { password: "ani reads the web" });
}

async function isAccessible(own, colorScheme) {
  own.expectsFailures = true;
  const page = await own.open(`/?${own.scope}`, { colorScheme, reducedMotion: "reduce" });
  await page.getByTestId("sign-in").waitFor();
  await clean(page);
  await own.picture(page, `sign-in-${colorScheme}`);
  await signIn(page, "boss", "nope");
  await page.getByText("the name or the password is wrong").waitFor();
  await own.picture(page, `sign-in-wrong-${colorScheme}`);
  await clean(page);
  const small = await own.open(`/?${own.scope}`, { colorScheme, viewport: { width: 380, height: 760 } });
  await small.getByTestId("sign-in").waitFor();
  const over = await small.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${over} px too wide`);
  await own.picture(small, `sign-in-small-${colorScheme}`);
}

export const peopleChecks = [
  ["screen access: people sign in by keys alone, a wrong password is told, the question stays", letsPeopleIn],
  ["screen access: an unknown name is told like a wrong password, and the way in opens again", letsNobodyElseIn],
  ["screen access: who may see some groups sees these", showsOnlyOwnGroups],
  ["screen access: signing out leaves nothing on the screen, nor behind the back button", signsOut],
  ["screen access: a session that ended elsewhere is told of, and what was written stays", keepsTheQueryWhenTheSessionEnds],
  ["screen access: an answer for the session before does not end the new one", forgetsTheSessionBefore],
  ["screen access: who signs in after somebody else sees nothing of theirs", keepsNothingForSomebodyElse],
  ["screen access: the live tail goes on after signing in again", tailAsksAgain],
  ["screen access: a key instead of a password, and what is wrong with it", takesKeys],
  ["screen access: everything about oneself goes without a mouse", worksWithoutAMouse],
  ["screen access: the way in is accessible and fits small screens, light", (own) => isAccessible(own, "light")],
  ["screen access: the way in is accessible and fits small screens, dark", (own) => isAccessible(own, "dark")],
];
