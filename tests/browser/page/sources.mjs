// `/sources`: shippers, what they still have to send, and which bytes never arrived.

import assert from "node:assert/strict";

const HOSTILE = '<img src=x onerror="window.__xss=1">';

/** A shipper of this run: a file with a gap of which the end is on its way, and one that is whole. */
async function ship(own) {
  const source = `${own.prefix}-shipper`;
  const piece = (file, start, n_lines) => {
    const header = { source, file, generation: 0, start, host: `host-${own.prefix}`, path: `/var/log/${file}` };
    const body = `${JSON.stringify(header)}\n${"line of 9\n".repeat(n_lines)}`;
    return own.api(`/api/v1/ingest?format=lines&group=${own.prefix}/shipped&stream=s`, { method: "POST", body });
  };
  await piece("torn.log", 0, 10);
  await piece("torn.log", 250, 10);
  await piece("whole.log", 0, 10);
  const file = (name, size, offset) => ({ file: name, path: `/var/log/${name}`, group: `${own.prefix}/shipped`, stream: "s", size, offset });
  await report(own, { files: [file("torn.log", 360, 350), file("whole.log", 100, 100)], inputs: [{ name: "journal", lines: 4711 }], last_error: HOSTILE });
  return { source, piece };
}

function report(own, body) {
  return own.send("POST", `/api/v1/sources/${own.prefix}-shipper`, { host: `host-${own.prefix}`, version: "1.2.3", ...body });
}

const ours = (page, own) => page.getByTestId("source").filter({ hasText: `host-${own.prefix}` });

/** The page with this run's shipper open. */
export async function openSources(own, options) {
  await ship(own);
  const page = await own.open("/sources", options);
  await ours(page, own).getByTestId("source-open").click();
  await page.getByTestId("source-files").waitFor();
  return page;
}

async function namesWhatNeverArrived(own) {
  const { piece } = await ship(own);
  const page = await openSources(own);
  const row = ours(page, own);
  assert.equal(await row.getByTestId("source-state").textContent(), "up");
  const cells = await row.locator("td").allTextContents();
  assert.deepEqual(cells.slice(1, 2), ["10 B"]);
  assert.deepEqual(cells.slice(3, 4), ["150 B"]);
  assert.equal(await page.evaluate(() => window.__xss), undefined);
  const detail = page.getByTestId("source-detail");
  await detail.getByText("Input journal: 4,711 lines").waitFor();
  const file = (name) => page.getByTestId("source-file").filter({ hasText: name }).getByTestId("whole");
  assert.match(await file("torn.log").textContent(), /never arrived: bytes 100–250 \(150 B\)/);
  assert.match(await file("whole.log").textContent(), /complete/);
  await own.picture(page, "sources", true);
  await piece("torn.log", 100, 15);
  await file("torn.log").filter({ hasText: "on its way" }).waitFor();
}

async function findsShippers(own) {
  await ship(own);
  const page = await own.open("/sources");
  await ours(page, own).waitFor();
  const find = page.getByRole("searchbox");
  await find.fill(`${own.prefix}/shipped`);
  assert.equal(await page.getByTestId("source").count(), 1);
  await page.getByTestId("sources-state").selectOption("down");
  await page.getByText(/^None of/).waitFor();
  await page.getByTestId("sources-state").selectOption("up");
  await ours(page, own).waitFor();
}

async function worksByKeysAndOnASmallScreen(own) {
  await ship(own);
  const page = await own.open("/sources", { viewport: { width: 380, height: 760 } });
  const button = ours(page, own).getByTestId("source-open");
  await button.focus();
  await page.keyboard.press("Enter");
  await page.getByTestId("source-files").waitFor();
  assert.equal(await button.getAttribute("aria-expanded"), "true");
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wider <= 0, `${wider} pixels wider than the screen`);
  await own.picture(page, "sources-narrow");
  await page.keyboard.press("Enter");
  await page.getByTestId("source-files").waitFor({ state: "detached" });
}

async function saysWhenNothingIsThereOrNobodyAnswers(own) {
  own.expectsFailures = true;
  const page = await own.open("/");
  let answer = { status: 200, body: '{"sources":[],"forgotten":0}' };
  await page.route("**/api/v1/sources", (route) => route.fulfill({ contentType: "application/json", ...answer }));
  await page.getByTestId("nav-sources").click();
  await page.getByTestId("no-sources").getByText("catat ship --url").waitFor();
  answer = { status: 503, body: '{"error":{"code":"busy","message":"too much is going on"}}' };
  await page.getByRole("alert").getByText(/too much is going on.* The data below is from/).waitFor();
  await page.unroute("**/api/v1/sources");
  await page.getByRole("alert").waitFor({ state: "detached" });
}

export const sourceChecks = [
  ["screen sources: bytes that never arrived are named until they do", namesWhatNeverArrived],
  ["screen sources: shippers are found by host, file, group and state", findsShippers],
  ["screen sources: shippers open by keys, also on a small screen", worksByKeysAndOnASmallScreen],
  ["screen sources: no shippers, and a server that does not answer, are said", saysWhenNothingIsThereOrNobodyAnswers],
];
