// Takes pictures of every screen, for people to look at: light, dark, and 380 pixels wide.
//
//   CATAT_EXECUTABLE  the catat to be started, on a directory of its own (required)
//   CATAT_PICTURES    the directory for the pictures (required)
//   CATAT_README      the directory of the two that README.md shows, such as web (optional)
//   CATAT_CHROMIUM    the browser, the first of `page/launch.mjs` that is installed if not given
//   CATAT_CHECKS      only screens whose name holds this text (optional)

import { mkdirSync } from "node:fs";

import { pictureChecks } from "./page/pictures.mjs";
import { runChecks } from "./page/run.mjs";
import { startServer } from "./page/server.mjs";

const directory = process.env.CATAT_PICTURES;
if (!directory) {
  console.error("CATAT_PICTURES is not set: name the directory for the pictures");
  process.exit(2);
}
mkdirSync(directory, { recursive: true });
const server = await startServer();
await runChecks(server.url, pictureChecks, {
  prepare: async (own) => {
    own.key = server.adminKey();
    own.rename("shop");
    await own.sendEvents();
    await own.send("POST", "/api/v1/status/flush?compact=true");
  },
  finish: server.stop,
});
