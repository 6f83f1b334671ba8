// The open row: what a click on a value does, the tree, colours, stack traces, traces; and what one row may cost.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { clean, inBothThemes } from "./accessibility.mjs";
import { queryText, rowsOf, settled } from "./harness.mjs";

const FIELDS = 10_000;
const STACK = `java.lang.IllegalStateException: the cart is empty
\tat com.shop.Cart.add(Cart.java:12)
${Array.from({ length: 14 }, (_, n) => `\tat org.springframework.aop.Proxy${n}.invoke(Proxy${n}.java:${n})`).join("\n")}
\tat com.shop.Main.main(Main.java:3)`;
/** Two runs against one server must not see each other's. */
const TRACE = randomUUID().replaceAll("-", "");

/** Events that rows are opened for; once for all checks. */
async function sendOdd(own) {
  if (own.sentOdd) return;
  own.sentOdd = true;
  const at = (s) => new Date(Date.now() - s * 1000).toISOString();
  await own.ingest("odd/plain", [{ "@timestamp": at(100), message: "an ordinary line", kind: "plain", host: "a", user: { id: 7, address: { city: "Bandung", street: { name: "Braga" } } }, tags: ["x", "y"], note: '{"inner":{"deep":[1,2]}}' }]);
  await own.ingest("odd/plain", [{ "@timestamp": at(99), message: "another line", kind: "plain", host: "b" }]);
  await own.ingest("odd/text", [
    { "@timestamp": at(90), message: "\u001b[31mred\u001b[0m and \u001b[38;2;10;120;200;1mtrue\u001b[0m and \u001b[48;5;22mbehind\u001b[0m <b>not bold</b>", kind: "colours" },
    { "@timestamp": at(89), message: STACK, kind: "stack", level: "error" },
    { "@timestamp": at(88), message: `bramble ${"bramble ".repeat(200)}`, kind: "marks" },
  ]);
  await own.ingest("odd/large", [{ "@timestamp": at(80), message: `${"lorem ipsum ".repeat(85_000)}the end`, kind: "large" }]);
  await own.ingest("odd/wide", [{ "@timestamp": at(70), message: "wide", kind: "wide", ...Object.fromEntries(Array.from({ length: FIELDS }, (_, n) => [`field_${n}`, n])) }]);
  await own.ingest("odd/trace-a", [{ "@timestamp": at(60), message: "begin", trace_id: TRACE }, { "@timestamp": at(59), message: "something else" }]);
  await own.ingest("odd/trace-b", [{ "@timestamp": at(58), message: `proxied request ${TRACE} in 3 ms` }, { "@timestamp": at(57), message: "end", "trace.id": TRACE }]);
}

/** The page on the odd events, the first row of a query open. */
async function opened(own, query, wait = "kind") {
  await sendOdd(own);
  const page = await own.open(`/?groups=${own.prefix}/odd/*&q=${encodeURIComponent(query)}`);
  await settled(page);
  await page.locator("[data-testid=row]").first().click();
  await page.getByTestId("detail").locator(`tr[data-field="${wait}"]`).first().waitFor();
  return page;
}


async function onlyThis(own) {
  const page = await opened(own, 'filter kind in ["plain", "wide"] and host != "b"\n| filter ispresent(host)');
  await page.locator("tr[data-field=host]").getByTestId("only").click();
  await settled(page);
  const text = await queryText(page);
  assert.equal(text, 'filter kind in ["plain", "wide"]\n| filter host = "a"');
  assert.equal((await rowsOf(page)).length, 1);
  const button = page.getByTestId("detail").locator("tr[data-field=host]").getByTestId("only");
  assert.equal(await button.getAttribute("aria-pressed"), "true");
  await button.click();
  await settled(page);
  assert.equal(await queryText(page), text, "once more changes nothing");
}

async function filtersFromTree(own) {
  const page = await opened(own, 'filter kind = "plain" and ispresent(user.id)');
  await page.getByTestId("tab-json").click();
  const city = page.locator('[role=treeitem][data-field="host"]');
  await city.hover();
  await city.getByTestId("include").click();
  await settled(page);
  assert.match(await queryText(page), /host = "a"/);
  for (const [testId, expected] of [["only", /host = "a"/], ["exists", /ispresent\(host\)/], ["exclude", /host != "a"/]]) {
    // The row stays open as a tree, whatever is asked.
    await city.hover();
    await city.getByTestId(testId).click();
    await settled(page);
    assert.match(await queryText(page), expected);
  }
  assert.equal((await rowsOf(page)).length, 0);
}

async function keysOfTheTree(own) {
  const page = await opened(own, 'filter @message = "an ordinary line"');
  await page.getByTestId("tab-json").click();
  const tree = page.getByTestId("json");
  const item = (field) => tree.locator(`[role=treeitem][data-field="${field}"]`);
  assert.equal(await item("user.id").count(), 1, "the second depth is open");
  assert.equal(await item("user.address.city").count(), 0, "below it is not on the page at all");
  assert.equal(await tree.locator(".value-buttons").count(), 0, "buttons are for the value that one is at");
  await tree.locator("[role=treeitem][tabindex='0']").focus();
  assert.equal(await tree.locator(".value-buttons").count(), 1);
  await page.keyboard.press("End");
  await page.keyboard.press("Home");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-field"));
  for (let n = 0; n < 40 && await focused() !== "user.address"; n += 1) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  await item("user.address.city").waitFor();
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(), "user.address.city");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await focused(), "user.address");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await item("user.address.city").count(), 0);
  await page.keyboard.press("Enter");
  await item("user.address.city").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Shift+I");
  await settled(page);
  assert.match(await queryText(page), /user\.address\.city = "Bandung"/);
  // A text that is JSON opens as such, and nothing inside of it can be asked for.
  await page.locator("[data-testid=row]").first().waitFor();
  const note = page.locator('[role=treeitem][data-field="note"]');
  await note.locator(".turn").click();
  assert.equal(await note.locator("[role=treeitem]").count(), 1);
  assert.equal(await note.locator("[role=treeitem][data-field]").count(), 0);
}

async function opensByArrows(own) {
  await sendOdd(own);
  const page = await own.open(`/?groups=${own.prefix}/odd/*&q=${encodeURIComponent('filter kind = "plain"')}`);
  await settled(page);
  await page.keyboard.press("j");
  await page.locator("[data-testid=row]").nth(1).focus();
  await page.keyboard.press("ArrowRight");
  await page.getByTestId("detail").waitFor();
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getByTestId("detail").count(), 1, "what is open stays open");
  await page.keyboard.press("ArrowLeft");
  await page.getByTestId("detail").waitFor({ state: "detached" });
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await page.getByTestId("detail").waitFor();
  await page.keyboard.press("Enter");
  await page.getByTestId("detail").waitFor({ state: "detached" });
}

async function coloursText(own) {
  const page = await opened(own, 'filter kind = "colours"');
  await page.getByTestId("tab-raw").click();
  const raw = page.getByTestId("raw");
  assert.equal(await raw.textContent(), "red and true and behind <b>not bold</b>");
  const of = (text) => raw.locator(".ansi", { hasText: text }).evaluate((element) => ({ classes: element.className, color: getComputedStyle(element).color, ground: getComputedStyle(element).backgroundColor, ink: element.style.getPropertyValue("--ink"), weight: getComputedStyle(element).fontWeight }));
  const plain = await raw.evaluate((element) => getComputedStyle(element).color);
  const red = await of("red");
  assert.match(red.classes, /ansi-1/);
  assert.notEqual(red.color, plain);
  const exact = await of("true");
  assert.deepEqual([exact.ink, exact.weight], ["rgb(10,120,200)", "700"]);
  assert.notEqual((await of("behind")).ground, "rgba(0, 0, 0, 0)");
  assert.equal(await raw.locator("b").count(), 0);
  await own.noteViolations(page);
}

async function foldsStacks(own) {
  const page = await opened(own, 'filter kind = "stack"');
  await page.getByTestId("tab-raw").click();
  const raw = page.getByTestId("raw");
  const button = raw.getByTestId("frames");
  assert.equal(await button.textContent(), "14 frames");
  assert.doesNotMatch(await raw.textContent(), /springframework/);
  assert.match(await raw.textContent(), /Cart\.java:12[^]*Main\.java:3/);
  await button.focus();
  await page.keyboard.press("Enter");
  assert.equal((await raw.textContent()).match(/springframework/g).length, 14);
  assert.equal(await button.getAttribute("aria-expanded"), "true");
}

/** The exception of an open row: by keys, its text as it was written, and where it leads. */
async function showsException(own) {
  const page = await opened(own, 'filter kind = "stack"');
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const shown = page.getByTestId("exception");
  await shown.waitFor();
  assert.match(await shown.innerText(), /java\.lang\.IllegalStateException: the cart is empty[^]*com\.shop\.Cart\.add Cart\.java:12\s+com\.shop\.Main\.main Main\.java:3\s/);
  const others = shown.getByTestId("other-frames");
  assert.equal(await others.innerText(), "14 frames of the runtime and libraries");
  await others.focus();
  await page.keyboard.press("Enter");
  assert.equal(await shown.getByTestId("trace-frames").locator("li").count(), 16);
  await inBothThemes(page, (theme) => clean(page, theme));
  await shown.getByTestId("exception-copy").click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), STACK);
  await shown.getByTestId("exception-before").click();
  await settled(page);
  assert.match(await queryText(page), /^filter /);
  const lines = (await rowsOf(page)).map((row) => row.message.split("\n")[0]);
  assert.equal(lines.some((line) => line.startsWith("java.lang.IllegalStateException")), true);
  assert.equal(lines.some((line) => line === "an ordinary line"), false, "a line of another group");
  await page.goBack();
  await settled(page);
  await shown.getByTestId("exception-issue").click();
  await page.getByTestId("issue-detail").getByTestId("exception").waitFor();
  await page.setViewportSize({ width: 380, height: 800 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "wider than the screen");
}

async function copiesAll(own) {
  const page = await opened(own, 'filter @message = "an ordinary line"');
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const copied = async (name) => {
    await page.getByTestId("detail").getByRole("button", { name, exact: true }).first().click();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  assert.equal(await copied("Copy line"), "an ordinary line");
  assert.equal(JSON.parse(await copied("Copy JSON"))["user.id"], 7);
  assert.match(await copied("Copy link"), /row=[0-9a-v]{32}/);
  assert.equal(await copied("Copy the value of host"), "a");
}

async function followsTrace(own) {
  const page = await opened(own, 'filter ispresent(trace_id)', "trace_id");
  assert.equal(await page.getByTestId("trace-of-field").count(), 1);
  await page.getByTestId("trace").click();
  await settled(page);
  const rows = await rowsOf(page);
  assert.deepEqual(rows.map((row) => row.message), ["end", `proxied request ${TRACE} in 3 ms`, "begin"], "in whatever field or text, in all groups");
  assert.doesNotMatch(page.url(), /groups=/);
  assert.match(page.url(), /from=2[^&]*&to=2/);
  await page.goBack();
  await settled(page);
  assert.match(await queryText(page), /ispresent/);
}

/** Longest task while something is done. */
async function longest(page, run) {
  await page.evaluate(() => {
    window.__tasks = [];
    window.__watch?.disconnect();
    window.__watch = new PerformanceObserver((entries) => window.__tasks.push(...entries.getEntries().map((entry) => entry.duration)));
    window.__watch.observe({ type: "longtask" });
  });
  await run();
  await page.evaluate(() => new Promise((next) => requestAnimationFrame(() => setTimeout(next, 0))));
  return page.evaluate(() => Math.max(0, ...window.__tasks));
}

const nodes = (locator) => locator.evaluate((element) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  let n = 0;
  for (let node = walker.currentNode; node; node = walker.nextNode()) n += 1;
  return n;
});

async function longLine(own) {
  await sendOdd(own);
  const page = await own.open(`/?groups=${own.prefix}/odd/*&q=${encodeURIComponent('filter kind in ["plain", "large"] and not ispresent(note)')}`);
  await settled(page);
  const [large, plain] = [page.locator("[data-testid=row]").first(), page.locator("[data-testid=row]").nth(1)];
  assert.ok(await nodes(large) <= 40 && (await large.textContent()).length < 1200, "a closed row costs as much as any other");
  const detail = page.getByTestId("detail");
  const openRow = (row) => longest(page, async () => {
    await row.click();
    await page.getByTestId("tab-fields").click();
    await detail.locator("tr[data-field=kind]").waitFor();
    await page.getByTestId("tab-raw").click();
    await page.getByTestId("raw").waitFor();
    await row.click();
    await detail.waitFor({ state: "detached" });
  });
  // What an ordinary row takes here tells how fast this machine is today.
  const ordinary = await openRow(plain);
  const long = await openRow(large);
  assert.ok(long <= Math.max(100, 3 * ordinary), `a task of ${long} ms, an ordinary row ${ordinary} ms`);
  await large.click();
  const raw = page.getByTestId("raw");
  assert.ok((await raw.textContent()).length < 4300, "4 KB at first");
  await raw.getByTestId("show-more").getByText(/more of/).waitFor();
  assert.match(await raw.getByTestId("show-more").textContent(), /show 262 kB more of 1\.0 MB/);
  for (let n = 0; n < 4; n += 1) await raw.getByTestId("show-more").click();
  assert.match(await raw.textContent(), /the end$/, "all of it is there for who asks");
  assert.equal(await raw.getByTestId("show-more").count(), 0);
}

async function closedRows(own) {
  await sendOdd(own);
  const page = await own.open(`/?groups=${own.prefix}/odd/*&q=${encodeURIComponent('filter @message like "bramble" or @message like "line" or kind = "wide"')}`);
  await settled(page);
  const rows = page.locator("[data-testid=row]");
  assert.ok(await rows.count() >= 4);
  for (let n = 0; n < await rows.count(); n += 1) assert.ok(await nodes(rows.nth(n)) <= 40, `row ${n} has ${await nodes(rows.nth(n))} nodes`);
  const yesterday = new Date(Date.now() - 86_400_000).toISOString();
  await own.ingest("older", [{ "@timestamp": yesterday, message: "bramble ".repeat(200) }]);
  const dated = await own.open(`/?from=now-2d&groups=${own.prefix}/older&q=${encodeURIComponent('filter @message like "bramble"')}`);
  await settled(dated);
  const row = dated.locator("[data-testid=row]").first();
  await row.locator(".date").waitFor();
  assert.ok(await nodes(row) <= 40, `a row with its day has ${await nodes(row)} nodes`);
}

async function manyFields(own) {
  const page = await opened(own, 'filter kind = "wide"', "field_0");
  const detail = page.getByTestId("detail");
  assert.equal(await detail.locator("tr[data-field]").count(), 60);
  assert.ok(await nodes(detail) < 3000, `${await nodes(detail)} nodes`);
  await page.getByTestId("more-fields").click();
  assert.equal(await detail.locator("tr[data-field]").count(), 260, "so many more, not all at once");
  await page.getByTestId("tab-json").click();
  const tree = page.getByTestId("json");
  assert.ok(await tree.locator("[role=treeitem]").count() <= 120);
  assert.ok(await nodes(tree) < 1500, `${await nodes(tree)} nodes`);
  await tree.getByTestId("tree-more").first().click();
  assert.ok(await tree.locator("[role=treeitem]").count() > 190);
  // What is beyond the fields of an event is kept as a text, and opens like any other branch.
  for (let n = 0; n < 12 && await tree.locator('[data-field="@rest"]').count() === 0; n += 1) await tree.getByTestId("tree-more").last().click();
  await tree.locator('[data-field="@rest"] > .twig .turn').click();
  assert.ok(await tree.locator('[data-field="@rest"] [role=treeitem]').count() >= 100);
  assert.ok(await nodes(tree) < 12_000, `${await nodes(tree)} nodes`);
}

export const detailChecks = [
  ["row 10, filter: only this value, in place of all that was said of the field", onlyThis],
  ["row 10, filter: include, exclude, only and exists from the tree", filtersFromTree],
  ["row 11, open row: right opens, left closes, Enter does both", opensByArrows],
  ["row 11, open row: the tree by keys, lazy below the second depth", keysOfTheTree],
  ["row 11, open row: colours of terminals are classes and properties", coloursText],
  ["row 11, open row: frames of libraries are folded", foldsStacks],
  ["row 11, open row: the exception, its own frames first, and where it leads", showsException],
  ["row 11, open row: line, JSON, link and value are copied", copiesAll],
  ["row 12, cost: a closed row has forty nodes at most", closedRows],
  ["row 12, cost: ten thousand fields in one event", manyFields],
  ["row 13, trace: all lines of a trace, in all groups and under any name", followsTrace],
];

/** What measures time. */
export const longLineChecks = [["row 12, cost: a line of 1 MB costs no more than another until it is asked for", longLine]];
