// Drives what the page has for people: signing in and out, keys, users, passwords, suggestions, the fleet, health; by keys alone, on small screens.
//
//   CATAT_EXECUTABLE  the catat to be started, on a directory of its own (required)
//   CATAT_PICTURES    a directory for pictures of every state (optional)
//   CATAT_CHROMIUM    the browser, the first of `page/launch.mjs` that is installed if not given
//   CATAT_CHECKS      only checks whose name holds this text (optional)

import { fleetChecks } from "./page/fleet.mjs";
import { groupChecks } from "./page/groups.mjs";
import { healthChecks } from "./page/health.mjs";
import { peopleChecks, makePeople } from "./page/people.mjs";
import { runChecks } from "./page/run.mjs";
import { settingsChecks } from "./page/settings.mjs";
import { startServer } from "./page/server.mjs";
import { pipelineChecks } from "./page/pipelines.mjs";
import { suggestionChecks } from "./page/suggestions.mjs";

const server = await startServer();
await runChecks(server.url, [
  ...peopleChecks, ...settingsChecks, ...suggestionChecks, ...pipelineChecks, ...fleetChecks, ...healthChecks, ...groupChecks,
  ["row 32, security: no policy was violated and no script failed", async (own) => { if (own.complaints.length > 0) throw new Error(own.complaints.join("\n")); }],
], { prepare: (own) => makePeople(own, server.adminKey()), finish: server.stop });
