// What every check uses: events that are sent, pages that are opened, and what the browser complained of.

import assert from "node:assert/strict";

/** Longest that a check may take; a page that hangs fails one check, not the run. */
const CHECK_MS_MAX = 60_000;
const LINES = 1500;
const MINUTE = 60_000;

/** The beginning of an error's text. */
function lines(error) {
  return String(error?.stack ?? error).split("\n").slice(0, 12).join("\n    ");
}

export class Harness {
  passed = 0;
  failed = 0;
  /** Of those that passed: at the second try. */
  unsteady = 0;
  complaints = [];
  /** The check that runs now. */
  running = { expectsFailures: false };

  constructor(browser, url) {
    this.browser = browser;
    this.url = url;
    // Two runs against one server must not see each other's events.
    this.rename(`shop-${Date.now().toString(36)}`);
  }

  /** Names the groups of this run; a server of one's own needs no name of its own. */
  rename(prefix) {
    this.prefix = prefix;
    this.scope = `groups=${prefix}/*`;
  }

  /** Set by a check that provokes failing requests on purpose. */
  set expectsFailures(expects) {
    this.running.expectsFailures = expects;
  }

  /** Runs a check; what fails is tried once more, and told of also where it then holds: a race is a fault, but hides no other. */
  async check(name, run) {
    const began = Date.now();
    const first = await this.attempt(name, run);
    const again = first === null ? null : await this.attempt(name, run);
    if (first !== null) console.log(`${again === null ? "unsteady" : "not ok"} - ${name}\n    ${lines(first)}${again === null ? "" : `\n  and again\n    ${lines(again)}`}`);
    if (again === null) {
      this.passed += 1;
      if (first !== null) this.unsteady += 1;
      console.log(`ok - ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    } else this.failed += 1;
  }

  /** Runs a check once, on pages of its own; what it failed with. */
  async attempt(name, run) {
    this.opened = [];
    this.running = { name, expectsFailures: false };
    let timer;
    const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error(`took longer than ${CHECK_MS_MAX / 1000} s`)), CHECK_MS_MAX); });
    try {
      await Promise.race([run(this), late]);
      return null;
    } catch (error) {
      return error;
    } finally {
      clearTimeout(timer);
      await this.closePages();
    }
  }

  /** Closes what the check has opened: also before a server in between goes, as the pages would complain of that. */
  async closePages() {
    for (const context of this.opened.splice(0)) await context.close();
  }

  /** Calls the API, with the harness's key where there is one. */
  async api(path, init = {}) {
    const headers = { ...init.headers, ...(this.key ? { Authorization: `Bearer ${this.key}` } : {}) };
    const response = await fetch(this.url + path, { ...init, headers });
    const text = await response.text();
    assert.ok(response.ok, `${path}: ${response.status} ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }

  /** Sends JSON to the API. */
  send(method, path, body) {
    return this.api(path, { method, headers: { "Content-Type": "application/json" }, ...(body ? { body: JSON.stringify(body) } : {}) });
  }

  /** Leaves a picture for people to look at, where they want some. */
  async picture(page, name, fullPage = false) {
    const directory = process.env.CATAT_PICTURES;
    // To hide the caret would take a style that the policy forbids.
    if (directory) await page.screenshot({ path: `${directory}/${name}.png`, fullPage, caret: "initial" });
  }

  query(text, more = {}) {
    const body = JSON.stringify({ query: text, from: "now-1h", groups: [`${this.prefix}/*`], ...more });
    return this.api("/api/v1/query", { method: "POST", headers: { "Content-Type": "application/json" }, body });
  }

  async count(text, more) {
    const answer = await this.query(`${text}${text ? " | " : ""}stats count(*) as n`, more);
    return answer.rows[0][0];
  }

  ingest(group, events) {
    const body = events.map((event) => JSON.stringify(event)).join("\n");
    return this.api(`/api/v1/ingest?group=${encodeURIComponent(`${this.prefix}/${group}`)}&stream=browser-test&format=ndjson`, { method: "POST", body });
  }

  /**
   * Forty minutes of a small shop: every-day lines, an incident twenty minutes ago, three needles, hostile and long lines. All checks ask
   * for the last hour, and the last ones come a quarter of an hour later.
   */
  async sendEvents() {
    const now = Date.now();
    const at = (ms) => new Date(ms).toISOString();
    const web = [];
    const checkout = [];
    const paths = ["/", "/cart", "/api/orders", "/login", "/search"];
    for (let n = 0; n < LINES; n += 1) {
      const time = now - 40 * MINUTE + (n * 39 * MINUTE) / LINES;
      const status = n % 97 === 0 ? 503 : n % 23 === 0 ? 404 : 200;
      const level = status >= 500 ? "error" : status >= 400 ? "warn" : "info";
      web.push({ "@timestamp": at(time), message: `GET ${paths[n % 5]} ${status} in ${(n * 7) % 900} ms`, level, status, path: paths[n % 5], timeMs: (n * 7) % 900, host: `web-${n % 3}` });
    }
    for (let n = 0; n < 200; n += 1) {
      checkout.push({ "@timestamp": at(now - 22 * MINUTE + n * 600), message: "connection refused by db-1:5432", level: "error", service: "checkout", user: { id: n % 7 }, "foo-bar": n % 2 === 0 });
    }
    for (let n = 0; n < 3; n += 1) checkout.push({ "@timestamp": at(now - (30 + n) * MINUTE), message: `needle ${n} in the haystack`, level: "info", service: "checkout" });
    checkout.push({ "@timestamp": at(now - 40_000), message: '<img src=x onerror="window.__xss=1"><script>window.__xss=1</script> hostile', level: "warn", service: '<b onclick="window.__xss=1">bold</b>' });
    checkout.push({ "@timestamp": at(now - 35_000), message: `long ${"lorem ipsum ".repeat(20_000)}`, level: "debug", service: "checkout" });
    await this.ingest("web", web);
    await this.ingest("checkout", checkout);
  }

  /** Opens an address of the page in a fresh browser profile, at another server where `base` names one. */
  async open(path, { base = this.url, ...options } = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1440, height: 860 }, ...options });
    this.opened.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(8000);
    // What a page complains of may be heard when the next check runs.
    const { running } = this;
    page.on("pageerror", (error) => this.complaints.push(`${running.name}: script: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" && !running.expectsFailures) this.complaints.push(`${running.name}: console: ${message.text()} ${message.location().url}`);
    });
    await page.addInitScript(() => {
      window.__violations = [];
      addEventListener("securitypolicyviolation", (event) => window.__violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    });
    const response = await page.goto(base + path);
    this.headers = response.headers();
    return page;
  }

  /** Opens the page on this run's own events and waits for its rows. */
  async explore(params = {}, options = {}) {
    const search = new URLSearchParams(params).toString();
    const page = await this.open(`/?${this.scope}${search ? `&${search}` : ""}`, options);
    await settled(page);
    return page;
  }

  /** Notes what the page's policy forbade. */
  async noteViolations(page) {
    for (const violation of await page.evaluate(() => window.__violations)) this.complaints.push(`policy: ${violation}`);
  }

  /** The whole run: nothing was complained of, and the policy was there. */
  async noComplaints() {
    const page = await this.explore();
    await page.locator("[data-testid=row]").first().click();
    await page.getByTestId("detail").waitFor();
    await this.noteViolations(page);
    assert.match(this.headers["content-security-policy"] ?? "", /default-src 'self'/);
    assert.deepEqual(this.complaints, []);
  }
}

/** Waits until rows and histogram of the present question are there. */
export async function settled(page) {
  await page.waitForFunction(() => {
    const state = window.__catat?.state;
    const ready = (lane) => lane === "done" || lane === "error";
    // The list is a part of its own: rows that are there are drawn a moment later.
    const isDrawn = state?.rows !== "done" || state.view.live || (state.view.panel ?? "rows") !== "rows" || !window.__catat.rows[0]?.id || document.querySelector("[data-testid=row]") !== null;
    return isDrawn && state && (state.view.page !== "explore" || (ready(state.rows) && ready(state.histogram)));
  });
}

/** What the editor holds, be it the text area that is there at once or the editor that takes its place. */
export function queryText(page) {
  return page.getByTestId("query").evaluate((box) => {
    if ("value" in box) return box.value;
    return [...box.querySelectorAll(".cm-line")].map((line) => line.querySelector(".cm-placeholder") ? "" : line.textContent).join("\n");
  });
}

/** Whether the caret is in the query. */
export function isInQuery(page) {
  return page.getByTestId("query").evaluate((box) => box.getRootNode().activeElement === box);
}

/** Waits until the editor holds a text. */
export async function untilQuery(page, text) {
  while (await queryText(page) !== text);
}

/** Writes a query into the editor and runs it. */
export async function ask(page, text) {
  await page.getByTestId("query").fill(text);
  await page.getByTestId("query").press("Enter");
  await settled(page);
}

export const rowsOf = (page) => page.evaluate(() => window.__catat.rows);
export const histogramOf = (page) => page.evaluate(() => window.__catat.histogram);
export const totalOf = async (page) => (await histogramOf(page)).reduce((sum, bucket) => sum + bucket.total, 0);
