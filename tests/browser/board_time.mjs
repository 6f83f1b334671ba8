// How long the panels of a dashboard take in Chromium: prints a JSON list of milliseconds, of the first opening and of those that follow.
//
//   board_time.mjs URL NAME N_PANELS N_TIMES
//
// An opening is a page load of its own, from its beginning until the last panel is drawn. All panels are within the window.

import { launch } from "./page/launch.mjs";

const [url, name, nPanels, nTimes] = process.argv.slice(2);
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1600, height: 900 } });
// The page notes itself when its last panel was drawn: what drives it would add its own pauses.
await page.addInitScript((n) => {
  const watch = () => {
    const panels = [...document.querySelectorAll("[data-testid=board-panel]")];
    if (panels.length === n && panels.every((panel) => panel.dataset.state === "done")) window.__drawn = performance.now();
    else requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);
}, Number(nPanels));
const times = [];
for (let time = 0; time < Number(nTimes); time += 1) {
  await page.goto(`${url}/dashboards/${name}`);
  await page.waitForFunction(() => window.__drawn !== undefined, undefined, { timeout: 120_000 });
  times.push(await page.evaluate(() => window.__drawn));
  if (process.env.CATAT_PICTURES) await page.screenshot({ path: `${process.env.CATAT_PICTURES}/board_time.png` });
}
console.log(JSON.stringify(times));
await browser.close();
