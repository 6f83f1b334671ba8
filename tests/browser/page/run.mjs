// Runs checks in Chromium and says what holds: what every program of this directory does in the end.

import { Harness } from "./harness.mjs";
import { launch } from "./launch.mjs";

/** Runs `checks` against the server at `url`, with `prepare` before them; the exit code is 1 where one failed. */
export async function runChecks(url, checks, { prepare = async () => undefined, finish = async () => undefined } = {}) {
  const browser = await launch();
  const harness = new Harness(browser, url.replace(/\/$/, ""));
  const only = process.env.CATAT_CHECKS;
  try {
    await prepare(harness);
    for (const [name, check] of checks) if (!only || name.includes(only)) await harness.check(name, check);
  } finally {
    await browser.close();
    await finish();
  }
  console.log(`\n${harness.passed} passed, ${harness.failed} failed, ${harness.unsteady} unsteady`);
  process.exitCode = harness.failed > 0 ? 1 : 0;
}
