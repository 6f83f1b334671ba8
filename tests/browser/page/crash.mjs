// A tab that dies in the middle of a query, as by a killed renderer, and what its address does when it is opened again there.

import assert from "node:assert/strict";

import { until } from "./flow.mjs";
import { Between } from "./slow.mjs";

/** The tab over the browser's own line, which goes on when the page behind it has died. */
class Tab {
  #waiting = new Map();
  #count = 0;

  static async of(browser, url) {
    const own = new Tab();
    own.line = await browser.newBrowserCDPSession();
    own.line.on("Target.receivedMessageFromTarget", ({ message }) => {
      const { id, result, error } = JSON.parse(message);
      own.#waiting.get(id)?.(error ? { error } : result);
    });
    const { targetInfos } = await own.line.send("Target.getTargets");
    const { targetId } = targetInfos.find((one) => one.type === "page" && one.url.startsWith(url));
    own.session = (await own.line.send("Target.attachToTarget", { targetId, flatten: false })).sessionId;
    return own;
  }

  /** Sends a command; its answer may never come. */
  async send(method, params = {}) {
    const id = (this.#count += 1);
    const answered = new Promise((done) => this.#waiting.set(id, done));
    await this.line.send("Target.sendMessageToTarget", { sessionId: this.session, message: JSON.stringify({ id, method, params }) });
    return answered;
  }

  async evaluate(expression) {
    return (await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true })).result?.value;
  }

  async until(expression) {
    await until(async () => await this.evaluate(expression) === true, expression);
  }
}

async function isNotRunAfterAKilledTab(own) {
  own.expectsFailures = true;
  const between = await Between.before(own.url);
  try {
    const hold = between.rule(/POST .*query/, { hold: true });
    const asked = () => between.of("POST /api/v1/query").length;
    const page = await Object.create(own, { url: { value: between.url } }).open(`/?${own.scope}&q=${encodeURIComponent("filter status >= 200")}`);
    await until(() => asked() === 1, "rows are asked for");
    const tab = await Tab.of(own.browser, between.url);
    const died = new Promise((done) => page.once("crash", done));
    // The answer to this never comes.
    void tab.send("Page.crash");
    await died;
    hold.release();
    void tab.send("Page.reload");
    await tab.until("document.querySelector('[data-testid=held-run]') !== null");
    assert.match(await tab.evaluate("document.querySelector('[data-testid=held]').textContent"), /was running when the page last closed.*Run it.*Change it/);
    assert.equal(await tab.evaluate("window.__catat.state.view.query"), "filter status >= 200", "what was asked is there");
    assert.equal(asked(), 1, "it is not run by itself");
    assert.equal(between.of("/histogram").length, 1, "nor are its counts");
    await tab.evaluate("document.querySelector('[data-testid=held-run]').click()");
    await tab.until("document.querySelector('[data-testid=row]') !== null");
    assert.ok(asked() > 1);
    // Now that it has been survived it is asked as any other.
    await tab.until("sessionStorage.getItem('catat.running') === null");
    void tab.send("Page.reload");
    await tab.until("document.querySelector('[data-testid=row]') !== null && document.querySelector('[data-testid=held]') === null");
  } finally {
    await own.closePages();
    await between.stop();
  }
}

export const crashChecks = [
  ["row 30, crash guard: a query in whose middle the tab was killed is offered, not run", isNotRunAfterAKilledTab],
];
