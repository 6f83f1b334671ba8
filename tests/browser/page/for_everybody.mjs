// The page for everybody, with made-up answers: what it says in each state and language, on paper, by a link.

import assert from "node:assert/strict";

import { answerFor } from "../../../web/mock_for.mjs";
import { clean, inBothThemes } from "./accessibility.mjs";

const SMALL = { viewport: { width: 380, height: 800 } };

/** Opens an address with answers that are made up; `mood` may be `broken`, `empty` or `partial`. */
async function openWith(own, path, options = {}, mood = "full") {
  const page = await own.open("/start", options);
  const state = { mood, links: [] };
  await page.route("**/api/v1/for/**", async (route) => {
    const request = route.request();
    const link = request.headers()["x-catat-link"];
    state.links.push(link ?? "");
    const [answer, status] = answerFor(new URL(request.url()).pathname, request.method(), link, state.mood);
    await route.fulfill({ status, contentType: "application/json", body: JSON.stringify(answer) }).catch(() => undefined);
  });
  await page.goto(own.url + path);
  await page.getByTestId("for-everybody").waitFor();
  return Object.assign(page, { state });
}

const said = (page, part) => page.getByTestId(`for-${part}`).innerText();

async function tellsHowItIs(own) {
  const page = await openWith(own, "/for/checkout");
  await page.getByTestId("for-up").waitFor();
  assert.match(await said(page, "up"), /Partly: there has been a problem since .*\n.*About 12 in 100 requests/s);
  assert.match(await said(page, "speed"), /slower than usual.*3\.1 seconds/s);
  assert.match(await said(page, "wrong"), /There is a problem that is not solved yet.*1,204 errors.*<b>often<\/b>.*Requests fail/s);
  assert.match(await said(page, "people"), /ani and budi.*budi works on the errors/s);
  assert.match(await said(page, "month"), /3 incidents were recorded.*90 minutes.*45 minutes/s);
  await inBothThemes(page, (theme) => clean(page, theme));
  await own.picture(page, "for everybody");
  await page.getByTestId("for-language").selectOption("id");
  await page.getByText("Apakah lambat?").waitFor();
  assert.match(await said(page, "up"), /Sebagian: ada gangguan sejak hari ini pukul|Sebagian: ada gangguan sejak kemarin pukul/);
  assert.match(await said(page, "wrong"), /1\.204 galat/);
  const whole = await page.getByTestId("for-everybody").innerText();
  assert.doesNotMatch(whole, /\bp\d\d\b|\bms\b|percentile|persentil/i, "no percentile and no abbreviation");
  await own.picture(page, "for everybody in Indonesian");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.getByTestId("share").isVisible(), false, "buttons are not printed");
  assert.equal(await page.getByTestId("for-up").isVisible(), true);
}

async function isHonest(own) {
  const page = await openWith(own, "/for/batch", SMALL);
  await page.getByTestId("for-up").waitFor();
  assert.match(await said(page, "up"), /We cannot tell: nothing has been heard since/);
  assert.match(await said(page, "speed"), /We have no measurements of its speed/);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await clean(page);
  const uneven = await openWith(own, "/for/uneven");
  await uneven.getByText("Yes, for some.").waitFor();
  assert.match(await said(uneven, "up"), /Yes, it answers/);
  assert.match(await said(uneven, "speed"), /One in twenty answers takes longer than 5 seconds; usually that is 0\.2 seconds/);
  assert.match(await said(uneven, "wrong"), /There is a problem that is not solved yet.*Answers take longer than usual: not solved yet/s);
  assert.match(await said(uneven, "people"), /Nobody has been named yet/);
  const down = await openWith(own, "/for/stopped");
  await down.getByText(/^No\. Most requests have failed since/).waitFor();
}

async function hasStates(own) {
  own.expectsFailures = true;
  const page = await openWith(own, "/for/checkout", {}, "broken");
  await page.getByRole("alert").getByText("the store cannot be read").waitFor();
  page.state.mood = "partial";
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByTestId("for-partial").waitFor();
  const unknown = await openWith(own, "/for/nobody");
  await unknown.getByTestId("for-unknown").waitFor();
  const expired = await openWith(own, "/for/checkout#link=expired");
  await expired.getByTestId("for-expired").waitFor();
  assert.equal(await expired.getByTestId("for-up").count(), 0);
  assert.equal(await expired.getByRole("navigation").isVisible(), false, "whoever came by a link can go nowhere else");
}

async function isShared(own) {
  const page = await openWith(own, "/for/checkout");
  await page.getByTestId("share").press("Enter");
  await page.getByTestId("lasts").selectOption("30d");
  // While the page asks for the links that there are, the button does nothing.
  await page.locator("[data-testid=make-link]:enabled").press("Enter");
  const link = await page.getByTestId("made-link").inputValue();
  assert.match(link, /\/for\/checkout#link=.+/);
  await clean(page);
  const before = await page.getByTestId("withdraw").count();
  await page.getByTestId("withdraw").first().click();
  await page.waitForFunction((n) => document.querySelectorAll("[data-testid=withdraw]").length < n, before);
  const by = await openWith(own, new URL(link).pathname + new URL(link).hash);
  await by.getByTestId("for-up").waitFor();
  assert.ok(by.state.links.every((one) => one !== ""), "the token goes along as a header");
}

export const forEverybodyChecks = [
  ["for everybody: how a service is, in both languages and on paper", tellsHowItIs],
  ["for everybody: what is not known is said", isHonest],
  ["for everybody: errors, unknown names, expired links", hasStates],
  ["for everybody: shared by a link", isShared],
];
