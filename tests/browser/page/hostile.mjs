// Hostile texts on every screen: they are shown, and nothing else happens.

import assert from "node:assert/strict";

import { rowsOf, settled } from "./harness.mjs";
import { PAYLOADS } from "./payloads.mjs";
import { signIn } from "./people.mjs";

const PASSWORD = "hostile texts are texts";
/** Checks that the open rows are divided into, and rows that are on screen at once. */
const PARTS = 18;
/** `tests/run all` draws one check of so many, others each time; `tests/run browser` has all. */
const DRAWN_OF = 6;
const DRAWN = process.env.CATAT_SHORT ? Math.floor(Math.random() * DRAWN_OF) : -1;
const ROWS_A_PAGE = 12;
const quoted = (text) => JSON.stringify(text);
/** What names may hold, where control characters are refused. */
const NAMES = PAYLOADS.filter((text) => text.length < 120 && !/[\u0000-\u001f\u007f-\u009f]/.test(text));

/** Rules whose every text is hostile and that fire at once. JSON strings are YAML. */
export const RULES = `groups:
  - name: hostile
    interval: 1s
    rules:
${NAMES.slice(0, 24).map((text, n) => `      - name: ${quoted(`${n} ${text}`)}
        query: ${quoted("stats count(*) as count by @log, user_agent | limit 3")}
        groups: ["*"]
        window: 1h
        condition: count > 0
        labels: { severity: ${quoted(text)} }
        annotations: { summary: ${quoted(text.replaceAll(/[{}%]/g, ""))}, value: "{{ .labels.user_agent }}" }
`).join("")}`;

/** Sends every payload as message, field name, value, stream, and as whatever else a sender names. */
export async function sendHostile(own, key) {
  own.key = key;
  const now = Date.now();
  const events = PAYLOADS.map((text, n) => ({
    "@timestamp": new Date(now - 60_000 - n * 1000).toISOString(), message: text, level: n % 3 === 0 ? text.slice(0, 40) : "warn", n,
    [text.slice(0, 150)]: text.slice(0, 3000), user_agent: text.slice(0, 300), file: `/var/log/${text.slice(0, 200)}`, nested: { [text.slice(0, 60)]: [text.slice(0, 60)] },
  }));
  assert.ok(events.length >= 300, `${events.length} payloads`);
  // Few to a group: an open row shows so many of its group's fields.
  for (let n = 0; n < events.length; n += ROWS_A_PAGE) await own.ingest(`hostile/${n}`, events.slice(n, n + ROWS_A_PAGE));
  for (const text of PAYLOADS.filter((_, n) => n % 9 === 0)) {
    const stream = encodeURIComponent(text.slice(0, 200));
    const line = JSON.stringify({ message: `stream of ${text.slice(0, 100)}`, "@timestamp": new Date(now - 30_000).toISOString() });
    await fetch(`${own.url}/api/v1/ingest?group=${own.prefix}/streams&stream=${stream}&format=ndjson`, { method: "POST", body: line, headers: { Authorization: `Bearer ${key}` } });
  }
  const push = { streams: PAYLOADS.slice(0, 40).map((text) => ({ stream: { job: text, app: text }, values: [[`${now - 20_000}000000`, text]] })) };
  await fetch(`${own.url}/loki/api/v1/push`, { method: "POST", headers: { "Content-Type": "application/json", Authorization: `Bearer ${key}` }, body: JSON.stringify(push) });
  const bulk = PAYLOADS.slice(40, 80).map((text) => `${JSON.stringify({ create: { _index: text.slice(0, 100) } })}\n${JSON.stringify({ "@timestamp": new Date(now - 20_000).toISOString(), message: text })}\n`);
  await fetch(`${own.url}/_bulk`, { method: "POST", headers: { "Content-Type": "application/x-ndjson", Authorization: `Bearer ${key}` }, body: bulk.join("") });
  for (const name of NAMES.slice(0, 60)) await own.send("POST", "/api/v1/keys", { name, role: "ingest" }).catch(() => undefined);
  await own.send("POST", "/api/v1/users", { name: "boss", password: PASSWORD, role: "admin" });
  const cells = PAYLOADS.slice(0, 80).map((text, n) => `${n},"${text.slice(0, 500).replaceAll("\u0000", "").replaceAll('"', '""')}"`);
  await own.api("/api/v1/lookups/hostile", { method: "PUT", headers: { "Content-Type": "text/csv" }, body: `n,cell\n${cells.join("\n")}\n` });
}

/** Watches from the first script on: elements that a payload made, attributes that would run, addresses that lead elsewhere. */
function watch() {
  window.__made = [];
  const runs = (element) => {
    const bad = [...element.attributes].filter(({ name, value }) => name === "evil" || name.startsWith("on") || (/^(href|src|action|formaction|data|srcdoc)$/.test(name) && /^\s*(java\s*script|data:text)|evil\.invalid/i.test(value) && !/^\/|^\?|^http:\/\/127/.test(value)));
    return bad.length > 0 || /^(iframe|object|embed|marquee|math|video|audio|base|template|foreignobject)$/i.test(element.tagName) && !element.matches('base[href="/"]');
  };
  const look = (node) => {
    if (node.nodeType !== 1) return;
    for (const element of [node, ...node.querySelectorAll("*")]) if (runs(element)) window.__made.push(element.outerHTML.slice(0, 200));
  };
  new MutationObserver((changes) => {
    for (const change of changes) { change.addedNodes.forEach(look); if (change.type === "attributes") look(change.target); }
  }).observe(document, { childList: true, subtree: true, attributes: true });
}

/** A page that is signed in and watched; `done` tells what happened that should not. */
async function opened(own, path) {
  own.expectsFailures = true;
  const found = [];
  const page = await own.open("/settings", { reducedMotion: "reduce" });
  page.on("dialog", (dialog) => { found.push(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
  page.context().on("request", (request) => { if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== own.url) found.push(`request: ${request.url()}`); });
  page.context().on("page", (other) => found.push(`window: ${other.url()}`));
  await page.addInitScript(watch);
  await page.getByTestId("sign-in-open").click();
  await signIn(page, "boss", PASSWORD);
  await page.getByTestId("sign-in").waitFor({ state: "detached" });
  const complaints = own.complaints.length;
  const done = async () => {
    const seen = await page.evaluate(() => ({ xss: window.__xss ?? null, made: window.__made, violations: window.__violations }));
    assert.deepEqual({ ...seen, found, scripts: own.complaints.slice(complaints) }, { xss: null, made: [], violations: [], found: [], scripts: [] });
    const text = await page.evaluate(() => document.body.textContent);
    const raw = /[\u0000\u001b\u009b\u202e\u2066\u200b]/.exec(text);
    assert.equal(raw && text.slice(Math.max(0, raw.index - 60), raw.index + 60), null, "nothing invisible or turning is put on the screen");
  };
  const go = async (to) => {
    await page.goto(own.url + to);
    await settled(page);
  };
  await go(path ?? "/settings");
  return { page, done, go };
}

const at = (own, query, more = "") => `/?groups=${own.prefix}/hostile/*&q=${encodeURIComponent(query)}${more}`;

async function showsRows(own) {
  const { page, done } = await opened(own, at(own, ""));
  const rows = await rowsOf(page);
  assert.equal(rows.length, PAYLOADS.length);
  const box = page.getByTestId("rows");
  for (let top = 0; top < 12_000; top += 600) {
    await box.evaluate((element, y) => { element.scrollTop = y; }, top);
    await page.evaluate(() => new Promise((next) => requestAnimationFrame(next)));
  }
  await done();
}

/** One part of the rows, each opened in all forms. */
async function opensRows(own, part, of) {
  const { page, done, go } = await opened(own);
  const [from, to] = [part, part + 1].map((n) => Math.floor((n * PAYLOADS.length) / of));
  for (let n = from; n < to; n += ROWS_A_PAGE) {
    await go(at(own, `filter n >= ${n} and n < ${Math.min(to, n + ROWS_A_PAGE)}`));
    const rows = page.locator("[data-testid=row]");
    assert.equal(await rows.count(), Math.min(to, n + ROWS_A_PAGE) - n);
    for (let row = 0; row < await rows.count(); row += 1) {
      await rows.nth(row).click();
      const detail = page.getByTestId("detail");
      // The form chosen for the row before stays.
      await page.getByTestId("tab-fields").click();
      await detail.locator("[data-field=file]").first().waitFor();
      assert.ok(await detail.locator("tr[data-field]").count() >= 8, "other fields are there beside a hostile name");
      await page.getByTestId("tab-json").click();
      await page.getByTestId("json").locator("[role=treeitem]").nth(3).hover();
      await page.getByTestId("tab-raw").click();
      await rows.nth(row).click();
      await detail.waitFor({ state: "detached" });
    }
    await done();
  }
}

async function listsFields(own) {
  const { page, done } = await opened(own, at(own, ""));
  const fields = page.locator("[data-testid=field]");
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=field]").length > 20);
  for (let n = 0; n < Math.min(40, await fields.count()); n += 1) {
    await fields.nth(n).click();
    await page.getByTestId("values").or(page.locator(".values-wait")).first().waitFor();
    await fields.nth(n).click();
  }
  await page.locator("[data-testid=field][data-name=user_agent]").click();
  await page.getByTestId("values").locator("li").first().waitFor();
  await done();
}

async function tabulates(own) {
  const { page, done, go } = await opened(own);
  for (const query of [
    "stats count(*) by message | limit 1000", "stats count(*) by bin(5m), user_agent", "stats latest(message), max(user_agent)", "pattern @message", "stats count(*) by @logStream, level",
    "lookup hostile n | stats count(*) by cell", "fields user_agent as `<b evil>x</b>`, file | limit 50", "fields nested | limit 50", "dedup level | fields level, n",
  ]) {
    await go(at(own, query));
    await done();
  }
  await go(at(own, "", `&columns=${PAYLOADS.slice(0, 30).map((text) => encodeURIComponent(text.slice(0, 150).replaceAll("%", "%25").replaceAll(",", "%2C"))).join(",")}`));
  await done();
  await page.getByTestId("groups").click();
  await page.getByTestId("group-text").waitFor();
  await done();
}

async function takesHostileAddresses(own) {
  const { page, go, done } = await opened(own);
  for (const text of PAYLOADS.filter((one, n) => one.length < 400 && n % 11 === 0)) {
    const part = encodeURIComponent(text);
    await go(`/?q=${part}&groups=${part}&columns=${part}&row=${part}&around=${part}&from=${part}&to=${part}&tz=${part}&refresh=${part}#${part}`);
    const seen = await page.evaluate(() => ({ xss: window.__xss ?? null, made: window.__made, violations: window.__violations }));
    assert.deepEqual(seen, { xss: null, made: [], violations: [] }, text);
  }
  await go("/");
  await done();
}

async function completes(own) {
  const { page, done } = await opened(own, at(own, ""));
  const list = page.getByTestId("suggestions");
  // A word that was begun, a name in quotes, a value.
  for (const start of ["filter u", "filter `", "stats count(*) by `<", "fields `<i", 'filter user_agent = "']) {
    await page.getByTestId("query").fill("");
    await page.getByTestId("query").pressSequentially(start);
    await list.getByText(/evil|__xss/).first().waitFor();
    await done();
    await page.keyboard.press("Escape");
    await list.waitFor({ state: "detached" });
  }
}

async function tails(own) {
  const { page, done } = await opened(own);
  await page.goto(`${own.url}/?groups=${own.prefix}/*&live=1`);
  await page.waitForFunction(() => window.__catat.state.live === "open");
  await own.ingest("tailed", PAYLOADS.slice(0, 300).map((message) => ({ message, [message.slice(0, 100)]: message.slice(0, 300), "@timestamp": new Date().toISOString() })));
  await own.ingest("tailed", [{ message: "the last of them", "@timestamp": new Date().toISOString() }]);
  await page.getByText("the last of them").first().waitFor();
  await done();
}

async function looksAround(own) {
  const { page, done } = await opened(own, at(own, "filter n < 12"));
  await page.locator("[data-testid=row]").nth(4).click();
  await page.getByTestId("around").click();
  const view = page.getByTestId("around-view");
  await view.locator("[data-testid=row][aria-current=true]").waitFor();
  await page.getByTestId("bond-none").click();
  await view.locator("[data-testid=row][aria-current=true]").click();
  await view.getByTestId("detail").locator("[data-field=file]").first().waitFor();
  await view.getByTestId("tab-json").click();
  await page.getByTestId("around-find").click();
  for (const text of PAYLOADS.filter((one, n) => one.length < 200 && n % 17 === 0)) {
    await page.getByTestId("find-text").fill(text);
    await page.getByTestId("around-filter").fill(text);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector(".around")?.getAttribute("aria-busy") === "false");
  }
  await done();
}

async function showsOtherPages(own) {
  const { page, done, go } = await opened(own);
  await page.getByTestId("key").nth(30).waitFor();
  await page.getByTestId("key").nth(5).getByRole("button", { name: /^Replace/ }).click();
  await page.getByTestId("key").nth(5).getByRole("button", { name: /^Confirm: Replace/ }).click();
  await page.getByTestId("made-key").waitFor();
  await page.getByTestId("key").nth(6).getByRole("button", { name: /^Revoke/ }).click();
  await page.getByTestId("key").nth(6).getByRole("button", { name: /^Confirm: Revoke/ }).click();
  await page.locator(".told span").waitFor();
  await done();
  await go("/alerts?tab=rules");
  await page.getByTestId("rule").nth(20).waitFor();
  await done();
  await go("/alerts");
  await page.getByTestId("alert").first().waitFor({ timeout: 25_000 });
  await done();
  await go("/groups");
  await page.getByTestId("group").nth(3).waitFor();
  await done();
  await page.getByTestId("help").click();
  await page.getByTestId("help-dialog").waitFor();
  await done();
  await page.goto(`${own.url}/reference?q=${encodeURIComponent(PAYLOADS[0])}#${encodeURIComponent(PAYLOADS[3])}`);
  await page.getByRole("searchbox").fill(PAYLOADS[0]);
  const seen = await page.evaluate(() => ({ xss: window.__xss ?? null, made: window.__made, violations: window.__violations }));
  assert.deepEqual(seen, { xss: null, made: [], violations: [] });
}


export const hostileChecks = [
  ["row 32, hostile texts: texts are rows", showsRows],
  ...Array.from({ length: PARTS }, (_, n) => [`row 32, hostile texts: texts in open rows, ${n + 1} of ${PARTS}`, (own) => opensRows(own, n, PARTS)]).filter((_, n) => DRAWN < 0 || n % DRAWN_OF === DRAWN),
  ["row 32, hostile texts: names of fields and their values", listsFields],
  ["row 32, hostile texts: texts in tables, charts, patterns, lookups and columns", tabulates],
  ["row 32, hostile texts: addresses", takesHostileAddresses],
  ["row 32, hostile texts: names among completions", completes],
  ["row 32, hostile texts: texts in the live tail", tails],
  ["row 13, context: hostile texts around an event, in its filter and among what is found", looksAround],
  ["row 32, hostile texts: names of keys, rules, alerts and groups; the reference", showsOtherPages],
];
