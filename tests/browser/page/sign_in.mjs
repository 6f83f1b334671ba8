// A provider of OpenID Connect, a server that is set up for it by the manual's own example, and what people see of both.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { Provider } from "oidc-provider";

import { clean } from "./accessibility.mjs";
import { settled } from "./harness.mjs";
import { signIn, tabTo } from "./people.mjs";
import { startServer } from "./server.mjs";

const MANUAL = new URL("../../../docs/security.md", import.meta.url);

/** Everyone at the provider, with their groups. */
const ACCOUNTS = { ani: ["staff"], budi: ["developers"], citra: ["guests"] };

/** A port that nothing listens on just now. */
function freePort() {
  return new Promise((found) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}

/** The steps of the manual's section: the addresses to register, and the settings. */
function manualSteps() {
  const section = /## Sign in with a provider\n([^]*?)\n## /.exec(readFileSync(MANUAL, "utf8"))[1];
  const settings = /```toml\n([^]*?)```/.exec(section)[1].replaceAll(/^ {3}/gm, "");
  const redirect = /`(https:\/\/logs\.example\.org\/api\/[^`]*)`/.exec(section)[1];
  const home = /after sign-out[^`]*`(https:\/\/logs\.example\.org\/)`/.exec(section.replaceAll("\n", " "))[1];
  return { settings, redirect, home };
}

/** Starts a provider that knows the application. Its own pages take any password. */
async function startProvider(port, client) {
  const provider = new Provider(`http://localhost:${port}`, {
    clients: [client],
    claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
    findAccount: (_, id) => id in ACCOUNTS && { accountId: id, claims: () => ({ sub: `id-of-${id}`, preferred_username: id, groups: ACCOUNTS[id] }) },
    cookies: { keys: ["of this test"] },
  });
  provider.on("server_error", (_, error) => console.log(`the provider failed: ${error.stack}`));
  const state = { isAway: false };
  provider.use((context, next) => (state.isAway && context.path === "/token" ? context.req.socket.destroy() : next()));
  let listener;
  await new Promise((done) => { listener = provider.listen(port, "localhost", done); });
  state.close = () => new Promise((done) => { listener.close(done); listener.closeAllConnections(); });
  return state;
}

/** Does what the manual says. Its addresses become those of this machine; nothing else of it changes but the roles, which name its groups. */
export async function startWithProvider() {
  const { settings, redirect, home } = manualSteps();
  const [port, providerPort] = [await freePort(), await freePort()];
  const here = (text) => text.replaceAll("https://logs.example.org", `http://127.0.0.1:${port}`).replaceAll("https://id.example.org", `http://localhost:${providerPort}`);
  const client = { client_id: "catat", client_secret: "a secret of this test", redirect_uris: [here(redirect)], post_logout_redirect_uris: [here(home)] };
  const provider = await startProvider(providerPort, client);
  const directory = mkdtempSync(join(tmpdir(), "catat-sign-in-"));
  const secret = join(directory, "oidc.secret");
  writeFileSync(secret, `${client.client_secret}\n`, { mode: 0o600 });
  const written = here(settings).replace("/etc/catat/oidc.secret", secret);
  const roles = 'roles = ["user:ani = admin", "developers = operate app/* web/*", "* = read app/*"]';
  assert.ok(written.includes(roles), "the roles of the manual");
  // Someone whom no rule fits, beside those of the manual.
  const config = written.replace(', "* = read app/*"', ', "staff = read app/*"');
  const path = join(directory, "catat.toml");
  writeFileSync(path, config);
  const { stdout: check } = await promisify(execFile)(process.env.CATAT_EXECUTABLE, ["check", "--config", path, "--data-dir", join(directory, "data")]);
  assert.match(check, /^configuration is valid/);
  const server = await startServer({ "catat.toml": config }, port);
  const stop = async () => {
    await server.stop();
    await provider.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { server, provider, stop };
}

/** Gives the harness a key, events, and a user with a password. */
export async function prepareAccounts(own, key) {
  own.key = key;
  own.rename("app");
  await own.sendEvents();
  await own.send("POST", "/api/v1/users", { name: "keeper", password: "keeps a way in", role: "admin" });
}

/** Opens an address and goes to the provider from there. */
async function atProvider(own, path = `/?${own.scope}`, options = {}) {
  own.expectsFailures = true;
  const page = await own.open(path, options);
  await page.getByTestId("sign-in-provider").click();
  return page;
}

/** Signs in at the provider, and agrees to what the application asks for. */
async function passProvider(page, name) {
  await page.locator("input[name=login]").fill(name);
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await page.getByText("Continue", { exact: true }).click();
}

async function entersWithAnAccount(own) {
  const query = 'filter @level = "error"';
  const page = await atProvider(own, `/?${own.scope}&q=${encodeURIComponent(query)}`);
  assert.equal(await page.evaluate(() => location.hostname), "localhost", "the provider is another site");
  await passProvider(page, "ani");
  await page.getByTestId("account").waitFor();
  await settled(page);
  assert.ok(new URL(page.url()).searchParams.get("q") === query, `one is where one was: ${page.url()}`);
  assert.equal((await page.context().cookies()).filter(({ name }) => name === "catat_sign_in").length, 0, "the cookie of the way is gone");
  const [session] = (await page.context().cookies()).filter(({ name }) => name === "catat_session");
  assert.deepEqual([session.httpOnly, session.sameSite], [true, "Strict"]);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
  assert.ok(!/eyJ|catat_session|code=/.test(kept), `scripts see no token: ${kept}`);
  await page.getByTestId("account").click();
  await page.getByTestId("account-panel").getByText("Signed in as ani, role admin, for all groups.").waitFor();
  await clean(page);
  await own.picture(page, "sign-in-account");
  await page.reload();
  await page.getByTestId("account").waitFor();
}

async function rolesAreThoseOfTheGroups(own) {
  const page = await atProvider(own);
  await passProvider(page, "budi");
  await page.getByTestId("account").click();
  await page.getByTestId("account-panel").getByText("Signed in as budi, role operate, for app/*, web/*.").waitFor();
  const users = (await own.api("/api/v1/users")).users.filter(({ sign_in: way }) => way === "provider");
  assert.deepEqual(users.map(({ name, role }) => [name, role]), [["ani", "admin"], ["budi", "operate"]]);
}

async function leavesBoth(own) {
  const page = await atProvider(own);
  await passProvider(page, "ani");
  await page.getByTestId("account").click();
  await page.getByTestId("account-sign-out").click();
  await page.getByRole("button", { name: /yes, sign me out/i }).click();
  await page.getByTestId("sign-in").waitFor();
  assert.equal(await page.getByTestId("account").count(), 0);
  // The provider does not know them any more either.
  await page.getByTestId("sign-in-provider").click();
  await page.locator("input[name=login]").waitFor();
}

async function byKeysAlone(own) {
  own.expectsFailures = true;
  const page = await own.open(`/?${own.scope}`);
  await page.getByTestId("sign-in-provider").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("name")), "name", "the name keeps the focus");
  await clean(page);
  await own.picture(page, "sign-in-form");
  await tabTo(page, /sign-in-provider/);
  await page.keyboard.press("Enter");
  await passProvider(page, "ani");
  await page.getByTestId("account").waitFor();
  await tabTo(page, /^account /);
  await page.keyboard.press("Enter");
  await tabTo(page, /account-sign-out/);
}

async function speaksIndonesian(own) {
  const page = await atProvider(own, `/?${own.scope}`, { locale: "id-ID" });
  await passProvider(page, "citra");
  await page.getByText("Akun Anda tidak memiliki peran di server ini. Admin dapat memberikannya.").waitFor();
  assert.equal(await page.getByTestId("sign-in-provider").textContent(), "Masuk dengan Example");
}

async function tellsWhoHasNoRole(own) {
  const page = await atProvider(own, `/alerts`);
  await passProvider(page, "citra");
  await page.getByText("Your account has no role on this server. An administrator can give it one.").waitFor();
  assert.ok(!page.url().includes("sign_in_problem") && page.url().endsWith("/alerts"), page.url());
  assert.equal(await page.getByTestId("account").count(), 0);
  await clean(page);
}

async function tellsWhoDeclined(own) {
  const page = await atProvider(own);
  await page.getByText("[ Cancel ]").click();
  await page.getByText("The provider refused the sign-in.").waitFor();
}

async function goesOnWithoutTheProvider(own, provider) {
  const page = await atProvider(own);
  await page.locator("input[name=login]").waitFor();
  const back = new URL("/api/v1/session/oidc/callback", own.url);
  const cookie = (await page.context().cookies(back.href)).find(({ name }) => name === "catat_sign_in");
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, "Lax", "/api/v1/session/oidc/callback"]);
  await page.locator("input[name=login]").fill("ani");
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await page.getByText("Continue", { exact: true }).waitFor();
  // Between the code and its exchange.
  provider.isAway = true;
  try {
    await page.getByText("Continue", { exact: true }).click();
    await page.getByText("The provider does not answer. Try again, or sign in with a password.").waitFor();
    await own.picture(page, "sign-in-away");
    await signIn(page, "keeper", "keeps a way in");
    await page.getByTestId("account").getByText("keeper").waitFor();
    assert.equal(await page.getByTestId("sign-in").count(), 0);
  } finally {
    provider.isAway = false;
  }
}

export const signInChecks = (provider) => [
  ["an account at the provider signs in, and one is where one was", entersWithAnAccount],
  ["roles are those of the provider's groups", rolesAreThoseOfTheGroups],
  ["signing out ends both sessions", leavesBoth],
  ["everything goes by keys alone", byKeysAlone],
  ["whoever has no role is told so", tellsWhoHasNoRole],
  ["whoever declines is told so", tellsWhoDeclined],
  ["in Indonesian", speaksIndonesian],
  ["while the provider is away passwords work", (own) => goesOnWithoutTheProvider(own, provider)],
];
