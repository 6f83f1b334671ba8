// Plants eight kinds of incidents among noise, and looks for their causes as a person on duty would: from the first screen, from an alert.
//
//   CATAT_EXECUTABLE  the catat to be started, on a directory of its own (required)
//   CATAT_PICTURES    a directory for pictures of every first look (optional)
//   CATAT_CHROMIUM    the browser, the first of `page/launch.mjs` that is installed if not given
//   CATAT_CHECKS      only checks whose name holds this text (optional)
//   CATAT_SEED        the number that decides the noise, 1 if not given

import { incidentChecks, plantAll } from "./page/incidents.mjs";
import { runChecks } from "./page/run.mjs";
import { startServer } from "./page/server.mjs";

const server = await startServer();
await runChecks(server.url, incidentChecks, { prepare: (own) => plantAll(own, Number(process.env.CATAT_SEED ?? 1)), finish: server.stop });
