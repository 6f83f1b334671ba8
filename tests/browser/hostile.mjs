// Sends three hundred texts that want to be more than text through every door, and looks at every screen.
//
//   CATAT_EXECUTABLE  the catat to be started, on a directory of its own (required)
//   CATAT_CHROMIUM    the browser, the first of `page/launch.mjs` that is installed if not given
//   CATAT_CHECKS      only checks whose name holds this text (optional)

import { headerChecks } from "./page/headers.mjs";
import { hostileChecks, RULES, sendHostile } from "./page/hostile.mjs";
import { runChecks } from "./page/run.mjs";
import { startServer } from "./page/server.mjs";

const server = await startServer({ "catat.toml": '[alerts]\nrules_dir = "DIRECTORY/rules"\n', "rules/hostile.yaml": RULES });
await runChecks(server.url, [...hostileChecks, ...headerChecks], { prepare: (own) => sendHostile(own, server.adminKey()), finish: server.stop });
