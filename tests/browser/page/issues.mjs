// Issues, incidents and the ledger, with made-up answers that change as the server's would.

import assert from "node:assert/strict";

import { answerOf, INCIDENTS, ISSUES } from "../../../web/mock_issues.mjs";
import { clean, inBothThemes } from "./accessibility.mjs";
import { settled } from "./harness.mjs";

const SMALL = { viewport: { width: 380, height: 800 } };
const fresh = { issues: structuredClone(ISSUES), incidents: structuredClone(INCIDENTS) };

/** Opens an address; `mood` may be `broken` or `empty`. */
async function openWith(own, path, options = {}, mood = "full") {
  ISSUES.splice(0, ISSUES.length, ...structuredClone(fresh.issues));
  INCIDENTS.splice(0, INCIDENTS.length, ...structuredClone(fresh.incidents));
  const page = await own.open("/start", options);
  const state = { mood, sent: [] };
  await page.route(/\/api\/v1\/(?:issues|incidents|ledger|context)(?:[/?]|$)/, async (route) => {
    const request = route.request();
    const url = new URL(request.url());
    const body = request.postData() ? request.postDataJSON() : {};
    if (request.method() !== "GET") state.sent.push([request.method(), url.pathname, body]);
    if (url.pathname.endsWith("post-mortem")) return route.fulfill({ contentType: "text/markdown", body: "# Payments" });
    if (url.searchParams.has("format")) return route.fulfill({ contentType: "text/csv", body: "service\n" });
    const [answer, status = 200] = answerOf(url.pathname, { ...Object.fromEntries(url.searchParams), ...body }, request.method(), state.mood);
    await route.fulfill({ status, contentType: "application/json", body: JSON.stringify(answer) }).catch(() => undefined);
  });
  await page.goto(own.url + path);
  return Object.assign(page, { state });
}

const issue = (page, id) => page.locator(`[data-testid=issue][data-id=${id}]`);

async function decides(own) {
  const page = await openWith(own, "/issues");
  await issue(page, "i1").waitFor();
  assert.equal(await page.getByTestId("issue").count(), 2, "open and those that came back");
  await issue(page, "i1").getByTestId("issue-open").click();
  const detail = page.getByTestId("issue-detail");
  for (const text of ["v4.13.0 1,190", "host-14 1,204"]) await detail.getByText(text).waitFor();
  await detail.getByTestId("users-count").filter({ hasText: "1,312" }).waitFor();
  await detail.getByText("ann@example.com 4").waitFor();
  await detail.getByTestId("users-field").fill("customer");
  await page.keyboard.press("Enter");
  await detail.getByTestId("users-count").filter({ hasText: /^0$/ }).waitFor();
  await detail.getByTestId("users-field").fill("user_id");
  await page.keyboard.press("Enter");
  await detail.getByTestId("users-count").filter({ hasText: "1,312" }).waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  await own.picture(page, "issues");
  await detail.getByTestId("issue-acknowledge").click();
  await issue(page, "i1").waitFor({ state: "detached" }).catch(() => undefined);
  await page.getByTestId("issues-acknowledged").click();
  await issue(page, "i1").getByTestId("issue-open").click();
  await detail.getByLabel("Repaired in version (optional)").fill("v4.13.1");
  await detail.getByTestId("issue-resolve").click();
  await page.getByTestId("issues-resolved").click();
  await issue(page, "i1").getByTestId("issue-open").click();
  await detail.getByText("resolved in v4.13.1").waitFor();
  await detail.getByTestId("issue-reopen").click();
  await page.getByTestId("issues-open").click();
  await issue(page, "i1").getByTestId("issue-open").click();
  await detail.getByLabel("Owner").fill("budi");
  await detail.getByLabel("Note").fill("on it");
  await detail.getByTestId("issue-save").click();
  await issue(page, "i1").getByText("owner: budi").waitFor();
  await detail.getByLabel("Ignore until").selectOption("count");
  await detail.getByRole("textbox", { name: "Further events" }).fill("1000");
  await detail.getByTestId("issue-ignore").click();
  await page.getByTestId("issues-ignored").click();
  await issue(page, "i1").waitFor();
  const changes = page.state.sent.map(([, , body]) => body);
  assert.deepEqual(changes.map((one) => one.state), ["acknowledged", "resolved", "open", undefined, "ignored"]);
  assert.deepEqual([changes[1].version, changes[3].owner, changes[3].note, changes[4].until], ["v4.13.1", "budi", "on it", 1000]);
}

async function findsAndSorts(own) {
  const page = await openWith(own, "/issues?tab=all");
  await page.getByTestId("issue").first().waitFor();
  const titles = () => page.getByTestId("issue-open").allTextContents();
  const before = await titles();
  assert.ok(before.length > 2 && !before.some((title) => title.includes("<*>")), `${before}`);
  await page.getByTestId("sort-title").click();
  await page.waitForURL(/sort=title/);
  assert.deepEqual(await titles(), [...before].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
  const counts = () => page.locator(".issue-list .issue-count").allTextContents();
  await page.getByTestId("sort-count").click();
  await page.waitForURL(/sort=count/);
  const sorted = (await counts()).map((one) => Number(one.replaceAll(",", "")));
  assert.deepEqual(sorted, [...sorted].sort((a, b) => b - a));
  await page.getByTestId("find-issue").fill(before[0].split(/\s+/)[0]);
  await page.getByTestId("issue").first().waitFor();
  assert.ok((await titles()).includes(before[0]));
  await page.getByTestId("find-issue").fill("nothing has these words");
  await page.getByText("No issue matches.").waitFor();
}

async function merges(own) {
  const page = await openWith(own, "/issues");
  for (const id of ["i1", "i2"]) await issue(page, id).getByTestId("issue-choose").check();
  await page.getByTestId("merge").click();
  await issue(page, "i1").getByText("1 issue was merged into this one.").waitFor();
  assert.deepEqual(page.state.sent.at(-1), ["POST", "/api/v1/issues/merge", { ids: ["i1", "i2"] }]);
  // A link to the part leads to the whole.
  await page.goto(`${own.url}/issues?open=i2`);
  await issue(page, "i1").getByTestId("split").click();
  await page.getByTestId("split").waitFor({ state: "detached" });
  assert.equal(page.state.sent.at(-1)[1], "/api/v1/issues/i1/split");
  // Now the part is open, with what its last event says of the failure.
  await issue(page, "i2").getByTestId("trace-frames").getByText("charge payment.js:12").waitFor();
}

async function leadsOn(own) {
  const page = await openWith(own, "/issues?open=i3");
  await issue(page, "i3").waitFor();
  assert.equal(await page.getByTestId("issue").count(), 3, "an issue of another state is shown with the open ones");
  await issue(page, "i3").getByTestId("issue-events").click();
  await settled(page);
  assert.equal(new URL(page.url()).searchParams.get("q"), 'filter @level = "fatal"');
  await page.goBack();
  await issue(page, "i3").getByTestId("issue-incident").click();
  await page.getByLabel("Title").fill("Mailer is down");
  await page.getByRole("button", { name: "Create incident" }).click();
  await page.getByRole("heading", { name: "Mailer is down", level: 1 }).waitFor();
  const [, , body] = page.state.sent.at(-1);
  assert.deepEqual(body.items, [{ kind: "issue", reference: "i3" }]);
}

async function keepsATimeline(own) {
  const page = await openWith(own, "/incidents/c1");
  await page.getByTestId("timeline-item").nth(3).waitFor();
  const kinds = await page.getByTestId("timeline").locator("> li").evaluateAll((list) => list.map((one) => one.dataset.kind ?? "moment"));
  assert.deepEqual(kinds, ["mark", "moment", "issue", "moment", "alert", "note", "moment"]);
  assert.match(await page.getByTestId("incident-times").innerText(), /Detected\s+after 2 min[^]*Mitigated\s+after 21 min[^]*Remediated\s+–/);
  await inBothThemes(page, (theme) => clean(page, theme));
  await own.picture(page, "incident");
  await page.getByTestId("timeline-add").getByRole("textbox", { name: "Note" }).fill("watching");
  await page.getByRole("button", { name: "Add to the timeline" }).click();
  await page.getByTestId("timeline-item").filter({ hasText: "watching" }).waitFor();
  await page.getByTestId("now-remediated").click();
  await page.getByTestId("now-remediated").waitFor({ state: "detached" });
  const [, , change] = page.state.sent.at(-1);
  assert.equal(change.version, 3, "a change names the version that it changes");
  await page.getByRole("button", { name: "Remove watching from the timeline" }).click();
  await page.getByTestId("timeline-item").filter({ hasText: "watching" }).waitFor({ state: "detached" });
  const download = page.waitForEvent("download");
  await page.getByTestId("post-mortem").click();
  assert.equal((await download).suggestedFilename(), "incident-c1.md");
}

async function showsTheLedger(own) {
  const page = await openWith(own, "/ledger?month=2026-10");
  await page.getByTestId("ledger-row").first().waitFor();
  assert.match(await page.getByTestId("ledger-row").first().innerText(), /payment\s+2\s+1 min 30 s\s+18 min 20 s\s+1 d 1 h\s+36 min 40 s\s+99\.931 %\s+−14 min 21 s of 22 min 19 s/);
  await page.getByTestId("objective").fill("99.5, payment=99.95");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => localStorage.getItem("catat.objective") === "99.5, payment=99.95");
  await inBothThemes(page, (theme) => clean(page, theme));
  await own.picture(page, "ledger");
  const download = page.waitForEvent("download");
  await page.getByTestId("ledger-csv").click();
  assert.equal((await download).suggestedFilename(), "ledger-2026-10.csv");
  await page.getByTestId("month").fill("2026-09");
  await page.waitForURL(/month=2026-09/);
}

async function sendsTheLedger(own) {
  const page = await openWith(own, "/ledger?month=2026-10", { locale: "id-ID" });
  const channels = '{"channels":[{"name":"mail","type":"email","settings":{"topics":["reports"]}}]}';
  await page.route("**/api/v1/channels", (route) => route.fulfill({ contentType: "application/json", body: channels }));
  await page.getByTestId("ledger-row").first().waitFor();
  const before = page.waitForResponse(/\/api\/v1\/reports$/);
  await page.getByTestId("ledger-mail").click();
  const known = (await (await before).json()).reports.filter((report) => report.ledger).length;
  const form = page.getByTestId("report-form");
  assert.equal(await form.locator("select").first().inputValue(), "1", "the first of each month is offered first");
  await form.getByText("Surat memuat buku insiden bulan sebelumnya").waitFor();
  await form.locator("input[type=time]").fill("06:30");
  const put = page.waitForRequest((request) => request.method() === "PUT");
  await form.getByRole("button", { name: "Kirim pada waktu ini" }).click();
  const { ledger, objective, dashboard, on, lang } = (await put).postDataJSON();
  assert.deepEqual([ledger, objective, dashboard, on, lang], [true, "99.9", undefined, "1", "id"]);
  const lines = page.getByTestId("report-line");
  await lines.nth(known).waitFor();
  await inBothThemes(page, (theme) => clean(page, theme));
  await own.picture(page, "ledger-mail");
  const line = lines.filter({ hasText: "Setiap tanggal satu pukul 06:30" }).first();
  await line.getByRole("button", { name: /^Berhenti mengirim/ }).click();
  await line.getByRole("button", { name: /^Konfirmasi/ }).click();
  await lines.nth(known).waitFor({ state: "detached" });
}

async function hasEveryState(own) {
  own.expectsFailures = true;
  const empty = await openWith(own, "/issues", {}, "empty");
  await empty.getByTestId("no-issues").waitFor();
  await clean(empty);
  await empty.goto(`${own.url}/incidents`);
  await empty.getByTestId("no-incidents").waitFor();
  await empty.goto(`${own.url}/ledger`);
  await empty.getByTestId("ledger-none").waitFor();
  for (const path of ["/issues", "/incidents", "/incidents/c1", "/ledger"]) {
    const page = await openWith(own, path, {}, "broken");
    await page.getByRole("alert").filter({ hasText: "the store does not answer" }).waitFor();
    page.state.mood = "full";
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("alert").waitFor({ state: "detached" });
  }
}

async function fitsASmallScreen(own) {
  for (const path of ["/issues?open=i1", "/incidents", "/incidents/c1", "/ledger"]) {
    const page = await openWith(own, path, SMALL);
    await page.getByTestId(/^(?:issue-detail|incident|timeline|ledger)$/).first().waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} is wider than the screen`);
    await clean(page);
  }
}

/** Checks of issues, incidents and the ledger. */
export const issueChecks = [
  ["issues: they are found by words and sorted by columns, without wildcards in titles", findsAndSorts],
  ["issues: acknowledged, resolved in a version, reopened, owned, ignored", decides],
  ["issues: merged, found by the part’s link, split", merges],
  ["issues: lead to their events and to an incident", leadsOn],
  ["incidents: a timeline with its times, to which notes are added", keepsATimeline],
  ["incidents: the ledger of a month, and its files", showsTheLedger],
  ["incidents: the ledger is sent by e-mail on the first of each month, also in Indonesian", sendsTheLedger],
  ["issues: empty and failed are said in words, for incidents and the ledger, too", hasEveryState],
  ["issues: issues, incidents and the ledger fit 380 pixels", fitsASmallScreen],
];
