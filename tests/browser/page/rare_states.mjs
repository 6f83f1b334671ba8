// States of the page that pass quickly or are rare, held still to be looked at.

/** Lets no question through from now on. */
async function holdQuestions(page) {
  await page.route("**/api/v1/query", () => undefined);
}

/** Makes answers say that they are not whole. */
async function makePartial(page) {
  await page.route("**/api/v1/query", async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace(/"partial":false/, '"partial":true').replace(/"partial_reasons":\[\]/, '"partial_reasons":[{"code":"damaged","message":"a segment cannot be read"}]');
    await route.fulfill({ response, body });
  });
}

/** States that pass quickly or are rare, each as a page that stays in it. */
export const rareStates = {
  loading: async (own, options) => {
    const page = await own.open("/alerts", options);
    await holdQuestions(page);
    await page.getByTestId("nav-explore").click();
    await page.getByTestId("loading").waitFor();
    return page;
  },
  partial: async (own, options) => {
    const page = await own.open("/alerts", options);
    await makePartial(page);
    await page.getByTestId("nav-explore").click();
    await page.getByTestId("partial").filter({ hasText: "a segment cannot be read" }).waitFor();
    return page;
  },
  stale: async (own, options) => {
    const page = await own.explore({}, options);
    await holdQuestions(page);
    await page.getByTestId("query").fill("limit 7");
    await page.getByTestId("query").press("Enter");
    await page.locator(".result.stale").waitFor();
    return page;
  },
  "the table of counts": async (own, options) => {
    const page = await own.explore({}, options);
    await page.getByRole("button", { name: /table/i }).first().click();
    await page.locator(".count-table").waitFor();
    return page;
  },
  "the share menu": async (own, options) => {
    const page = await own.explore({}, options);
    await page.getByTestId("share").click();
    await page.getByTestId("share-panel").waitFor();
    return page;
  },
  "the groups picker": async (own, options) => {
    const page = await own.explore({}, options);
    await page.getByTestId("groups").click();
    await page.getByTestId("groups-panel").waitFor();
    return page;
  },
  start: async (own, options) => {
    const page = await own.open("/start", options);
    await page.getByTestId("waiting").waitFor();
    return page;
  },
  "numbers of a field": async (own, options) => {
    const page = await own.explore({}, options);
    await page.locator("[data-testid=field][data-name=timeMs]").click();
    await page.getByTestId("field-numbers").waitFor();
    return page;
  },
};
