// The browser of the checks.

import { existsSync } from "node:fs";

import { chromium } from "playwright-core";

/** First the one without windows of its own: it is the same engine, and takes about half of the processor time. */
const EXECUTABLES = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];

/** Starts the browser: `CATAT_CHROMIUM`, or the first of `EXECUTABLES` that is installed. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CATAT_CHROMIUM ?? EXECUTABLES.find((path) => existsSync(path)),
    // Nothing of the page needs a graphics processor, and to imitate one takes long.
    ignoreDefaultArgs: ["--enable-unsafe-swiftshader"],
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-software-rasterizer", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
}
