// Drives the screens of traces in Chromium against a running server.
//
//   CATAT_URL         the server's address (required)
//   CATAT_CHROMIUM    the browser, the first of `page/launch.mjs` that is installed if not given
//   CATAT_CHECKS      only checks whose name holds this text (optional)

import { runChecks } from "./page/run.mjs";
import { traceChecks } from "./page/traces.mjs";

const url = process.env.CATAT_URL;
if (!url) {
  console.error("CATAT_URL is not set: start a server and give its address, such as http://127.0.0.1:22828");
  process.exit(2);
}

await runChecks(url, [
  ...traceChecks,
  ["row 32, security: no policy was violated and no script failed", (own) => own.noComplaints()],
], { prepare: (own) => own.sendEvents() });
