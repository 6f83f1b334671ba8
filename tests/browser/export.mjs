// A million rows as a file: through the browser, which saves it by itself, and through little memory of the server.
//
//   CATAT_EXECUTABLE   the catat to be started, on a directory of its own (required)
//   CATAT_EXPORT_ROWS  how many rows, 1,000,000 if not given
//   CATAT_CHROMIUM     the browser, the first of `page/launch.mjs` that is installed if not given
//   CATAT_CHECKS       only checks whose name holds this text (optional)

import { exportChecks, sendMany } from "./page/export.mjs";
import { runChecks } from "./page/run.mjs";
import { startServer } from "./page/server.mjs";

const server = await startServer();
await runChecks(server.url, exportChecks(server), { prepare: (own) => sendMany(own), finish: server.stop });
