// Drives the page of a server that holds nothing yet: what it teaches, and whether that works.
//
//   CATAT_EXECUTABLE  the catat to be started, on a directory of its own (required)
//   CATAT_PICTURES    a directory for pictures of every state (optional)
//   CATAT_CHROMIUM    the browser, the first of `page/launch.mjs` that is installed if not given
//   CATAT_CHECKS      only checks whose name holds this text (optional)

import { runChecks } from "./page/run.mjs";
import { startServer } from "./page/server.mjs";
import { snippetChecks } from "./page/snippets.mjs";
import { startChecks } from "./page/start.mjs";

const server = await startServer();
await runChecks(server.url, [
  ...snippetChecks, ...startChecks,
  ["row 32, security: no policy was violated and no script failed", async (own) => { if (own.complaints.length > 0) throw new Error(own.complaints.join("\n")); }],
], { prepare: (own) => { own.adminKey = server.adminKey(); }, finish: server.stop });
