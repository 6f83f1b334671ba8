// A picture of the page for people: the last hours of the demo's groups, or of our own, with a row and a field open.

import { settled } from "./harness.mjs";

export async function takeScreenshot(own, path) {
  const { groups } = await own.api("/api/v1/groups");
  const scope = groups.some((group) => group.name.startsWith("demo/")) ? "groups=demo/*&from=now-6h" : own.scope;
  const page = await own.open(`/?${scope}`, { viewport: { width: 1440, height: 900 }, deviceScaleFactor: 1 });
  await settled(page);
  await page.locator("[data-testid=field][data-name='@level']").click();
  await page.getByTestId("values").waitFor();
  await page.locator("[data-testid=row]").nth(3).click();
  await page.getByTestId("detail").locator("[data-field='@timestamp']").waitFor();
  await page.mouse.move(1, 1);
  await page.screenshot({ path });
}
