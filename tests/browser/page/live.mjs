// The live tail.

import assert from "node:assert/strict";
import { createServer, request } from "node:http";

async function live(own, q = "", options = {}) {
  const page = await own.open(`/?${own.scope}&live=1${q ? `&q=${encodeURIComponent(q)}` : ""}`, options);
  await page.waitForFunction(() => window.__catat?.state.live === "open");
  return page;
}

const line = (message, level = "info") => ({ "@timestamp": new Date().toISOString(), message, level });

async function showsWhatArrives(own) {
  const page = await live(own, 'filter message like "tailed"');
  await own.ingest("live", [line("tailed one"), line("not this"), line("tailed two")]);
  await page.waitForFunction(() => window.__catat.rows.length === 2);
  await page.getByText("tailed two").waitFor();
  await page.getByTestId("live").click();
  await page.getByTestId("results").waitFor();
}

/** Scrolls to the first lines, as a reader does: the list has followed its last line to the end before, which would undo it. */
async function scrollUp(page) {
  await page.waitForFunction(() => {
    const rows = document.querySelector("[data-testid=rows]");
    return rows.scrollTop > 0 && rows.scrollTop + rows.clientHeight >= rows.scrollHeight - 1;
  });
  const box = page.getByTestId("rows");
  await box.evaluate((rows) => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(rows.scrollTop = 50)))));
  await page.locator("[data-testid=row][aria-rowindex='2']").waitFor();
  return box;
}

async function standsStillWhileRead(own) {
  const page = await live(own);
  await page.waitForFunction(() => window.__catat.rows.length >= 50);
  const box = await scrollUp(page);
  const before = await page.locator("[data-testid=row]").first().getAttribute("data-id");
  await own.ingest("live", Array.from({ length: 20 }, (_, n) => line(`later ${n}`)));
  await page.getByTestId("pill").waitFor();
  assert.equal(await box.evaluate((rows) => rows.scrollTop), 50);
  assert.equal(await page.locator("[data-testid=row]").first().getAttribute("data-id"), before);
  await page.getByTestId("pill").click();
  await page.getByText("later 19").waitFor();
  assert.equal(await page.getByTestId("pill").count(), 0);
}

const many = (n, name) => Array.from({ length: n }, (_, at) => line(`${name} ${at}`));
const waiting = (page, n) => page.getByTestId("pill").getByText(`${new Intl.NumberFormat("en").format(n)} new`).waitFor();
const firstRow = (page) => page.locator("[data-testid=row]").first().getAttribute("data-id");

async function standsStillWhileSelected(own) {
  const page = await live(own, 'filter message like "select"');
  await own.ingest("live", many(5, "select early"));
  await page.getByText("select early 4").waitFor();
  const selected = () => page.evaluate(() => getSelection().toString());
  await page.evaluate(() => getSelection().selectAllChildren(document.querySelectorAll("[data-testid=row] .message")[1]));
  const before = [await firstRow(page), await selected()];
  assert.match(before[1], /^select early/);
  await own.ingest("live", many(40, "select late"));
  await waiting(page, 40);
  assert.deepEqual([await firstRow(page), await selected()], before);
  await page.evaluate(() => getSelection().removeAllRanges());
  await page.getByText("select late 39").waitFor();
  assert.equal(await page.getByTestId("pill").count(), 0, "what waited came by itself");
}

async function pausesBySpace(own) {
  const page = await live(own, 'filter message like "pause"');
  await page.getByTestId("live-state").getByText("live", { exact: true }).waitFor();
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press("Space");
  await page.getByTestId("live-state").getByText("paused").waitFor();
  await own.ingest("live", many(3, "pause"));
  await waiting(page, 3);
  assert.equal((await page.evaluate(() => window.__catat.rows)).length, 0);
  await page.keyboard.press("Space");
  await page.getByText("pause 2").waitFor();
  await page.getByTestId("live-state").getByText("live", { exact: true }).waitFor();
}

/** 5,000 lines a second, as fast as they are taken; the page keeps the newest 10,000 and says how many it does not show. */
async function keepsUpWithMany(own) {
  const page = await live(own, 'filter message like "flood"');
  await own.ingest("live", many(100, "flood early"));
  await page.getByText("flood early 99").waitFor();
  const box = await scrollUp(page);
  const before = await firstRow(page);
  for (let n = 0; n < 15; n += 1) await own.ingest("live", many(1000, `flood ${n}`));
  await waiting(page, 10_000);
  const told = () => page.getByTestId("dropped").textContent();
  await page.waitForFunction(() => document.querySelector("[data-testid=dropped]")?.textContent.startsWith("5,000 "), null, { timeout: 20_000 }).catch(async () => assert.fail(await told()));
  assert.equal(await box.evaluate((rows) => rows.scrollTop), 50, "nothing has moved");
  assert.equal(await firstRow(page), before);
  assert.ok(await page.locator("[data-testid=row]").count() <= 60);
  await page.getByTestId("pill").click();
  await page.getByText("flood 14 999").waitFor();
  assert.equal((await page.evaluate(() => window.__catat.rows)).length, 10_000);
  assert.ok(await page.locator("[data-testid=row]").count() <= 60);
}

/** Stands between page and server; a tail through it can be cut and is refused until it is mended. */
async function proxyTo(target) {
  const tails = new Set();
  let isCut = false;
  const server = createServer((from, to) => {
    const isTail = from.url.startsWith("/api/v1/tail");
    if (isTail && isCut) return from.socket.destroy();
    if (isTail) tails.add(from.socket);
    const on = request(target + from.url, { method: from.method, headers: from.headers }, (answer) => {
      to.writeHead(answer.statusCode, answer.headers);
      answer.on("error", () => to.destroy()).pipe(to);
    });
    on.on("error", () => to.destroy());
    from.socket.on("close", () => on.destroy());
    from.pipe(on);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    cut: () => { isCut = true; for (const socket of tails) socket.destroy(); tails.clear(); },
    mend: () => { isCut = false; },
    close: () => { server.close(); server.closeAllConnections(); },
  };
}

async function goesOnAfterACut(own) {
  own.expectsFailures = true;
  const proxy = await proxyTo(own.url);
  try {
    const page = await live(own, 'filter message like "cut"', { base: proxy.url });
    await own.ingest("live", many(2, "before the cut"));
    await page.getByText("before the cut 1").waitFor();
    proxy.cut();
    await page.getByTestId("live-state").getByText("connection lost, retrying…").waitFor();
    await own.ingest("live", many(3, "during the cut"));
    proxy.mend();
    await page.getByText("during the cut 2").waitFor({ timeout: 15_000 });
    await page.getByTestId("live-state").getByText("live", { exact: true }).waitFor();
    await page.getByTestId("reconnected").getByText("reconnected once").waitFor();
    const messages = await page.evaluate(() => window.__catat.rows.map((row) => row.message));
    assert.deepEqual(messages.sort(), ["before the cut 0", "before the cut 1", "during the cut 0", "during the cut 1", "during the cut 2"], "nothing is lost, nothing comes twice");
  } finally {
    proxy.close();
  }
}

export const liveChecks = [
  ["row 14, live tail: the live tail shows what arrives and matches", showsWhatArrives],
  ["row 14, live tail: the live tail stands still while somebody reads, and counts", standsStillWhileRead],
  ["row 14, live tail: it stands still while text is selected, and catches up by itself", standsStillWhileSelected],
  ["row 14, live tail: Space pauses it and lets it go on", pausesBySpace],
  ["row 14, live tail: thousands of lines a second move nothing under the reader, and what is dropped is told", keepsUpWithMany],
  ["row 14, live tail: a cut connection is told and taken up again without loss", goesOnAfterACut],
];
