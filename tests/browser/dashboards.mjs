// Drives the dashboards of the page in Chromium against a running server.
//
//   CATAT_URL         the server's address (required)
//   CATAT_PICTURES    a directory for pictures of every state (optional)
//   CATAT_CHROMIUM    the browser, the first of `page/launch.mjs` that is installed if not given
//   CATAT_CHECKS      only checks whose name holds this text (optional)

import { dashboardFileChecks } from "./page/dashboard_files.mjs";
import { languageChecks } from "./page/dashboard_languages.mjs";
import { dashboardChecks } from "./page/dashboards.mjs";
import { runChecks } from "./page/run.mjs";

const url = process.env.CATAT_URL;
if (!url) {
  console.error("CATAT_URL is not set: start a server and give its address, such as http://127.0.0.1:22828");
  process.exit(2);
}

await runChecks(url, [
  ...dashboardChecks,
  ...dashboardFileChecks,
  ...languageChecks,
  ["dashboards: no policy was violated and no script failed", (own) => own.noComplaints()],
], { prepare: (own) => own.sendEvents() });
