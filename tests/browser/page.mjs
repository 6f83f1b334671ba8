// Drives the page in Chromium against a running server and says what holds.
//
//   CATAT_URL         the server's address (required)
//   CATAT_SCREENSHOT  where to leave a picture of the page (optional)
//   CATAT_CHROMIUM    the browser, the first of `page/launch.mjs` that is installed if not given
//   CATAT_CHECKS      only checks whose name holds this text (optional)
//
// It sends its own events into groups of its own, so it may run against a server that holds others. One line
// `ok - …` or `not ok - …` per check (what fails once and then holds is told of as `unsteady - …`), a closing
// `N passed, N failed, N unsteady`, and 1 as exit code if one failed.
// `screens.mjs` has every screen under axe, `traces.mjs` the screens of traces, `speed.mjs` what measures time. `people.mjs`,
// `hostile.mjs`, `start.mjs`, `export.mjs` and `incidents.mjs` beside it start servers of their own from CATAT_EXECUTABLE.

import { alertChecks } from "./page/alerts.mjs";
import { causeChecks } from "./page/cause.mjs";
import { changeChecks } from "./page/changes.mjs";
import { contextChecks } from "./page/context.mjs";
import { crashChecks } from "./page/crash.mjs";
import { detailChecks } from "./page/detail.mjs";
import { editorChecks } from "./page/editor.mjs";
import { exploreChecks } from "./page/explore.mjs";
import { fieldChecks } from "./page/fields.mjs";
import { forEverybodyChecks } from "./page/for_everybody.mjs";
import { glanceChecks } from "./page/glance.mjs";
import { issueChecks } from "./page/issues.mjs";
import { keyChecks } from "./page/keys.mjs";
import { flowChecks } from "./page/flow.mjs";
import { languageChecks } from "./page/language.mjs";
import { liveChecks } from "./page/live.mjs";
import { metricChecks } from "./page/metrics.mjs";
import { otherChecks } from "./page/other.mjs";
import { lookChecks } from "./page/looks.mjs";
import { partChecks } from "./page/parts.mjs";
import { proofChecks } from "./page/proof.mjs";
import { runChecks } from "./page/run.mjs";
import { takeScreenshot } from "./page/screenshot.mjs";
import { shareChecks } from "./page/share.mjs";
import { sourceChecks } from "./page/sources.mjs";
import { stateChecks } from "./page/states.mjs";
import { timeChecks } from "./page/time.mjs";

const url = process.env.CATAT_URL;
if (!url) {
  console.error("CATAT_URL is not set: start a server and give its address, such as http://127.0.0.1:22828");
  process.exit(2);
}

const picture = process.env.CATAT_SCREENSHOT;
await runChecks(url, [
  ...editorChecks,
  ...timeChecks,
  ...detailChecks, ...contextChecks,
  ...shareChecks,
  ...exploreChecks, ...fieldChecks, ...otherChecks, ...partChecks, ...sourceChecks, ...lookChecks, ...languageChecks,
  ...glanceChecks,
  ...changeChecks, ...metricChecks, ...causeChecks, ...issueChecks, ...forEverybodyChecks, ...alertChecks,
  ...keyChecks, ...liveChecks, ...flowChecks, ...stateChecks, ...proofChecks, ...crashChecks,
  ["row 32, security: no policy was violated and no script failed", (own) => own.noComplaints()],
  ...(picture ? [["a picture is taken", (own) => takeScreenshot(own, picture)]] : []),
], { prepare: (own) => own.sendEvents() });
