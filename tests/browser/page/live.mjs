// The live tail.

import assert from "node:assert/strict";

async function live(own, q = "") {
  const page = await own.open(`/?${own.scope}&live=1${q ? `&q=${encodeURIComponent(q)}` : ""}`);
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

async function standsStillWhileRead(own) {
  const page = await live(own);
  await page.waitForFunction(() => window.__catat.rows.length >= 50);
  const box = page.getByTestId("rows");
  await page.waitForFunction(() => { const rows = document.querySelector("[data-testid=rows]"); return rows.scrollTop > 0; });
  await box.evaluate((rows) => { rows.scrollTop = 50; });
  await page.locator("[data-testid=row][aria-rowindex='2']").waitFor();
  const before = await page.locator("[data-testid=row]").first().getAttribute("data-id");
  await own.ingest("live", Array.from({ length: 20 }, (_, n) => line(`later ${n}`)));
  await page.getByTestId("pill").waitFor();
  assert.equal(await box.evaluate((rows) => rows.scrollTop), 50);
  assert.equal(await page.locator("[data-testid=row]").first().getAttribute("data-id"), before);
  await page.getByTestId("pill").click();
  await page.getByText("later 19").waitFor();
  assert.equal(await page.getByTestId("pill").count(), 0);
}

export const liveChecks = [
  ["the live tail shows what arrives and matches", showsWhatArrives],
  ["the live tail stands still while somebody reads, and counts", standsStillWhileRead],
];
