// The page in Indonesian: every text of the page, and what it says there, by the part of the page that says it. A text
// that several parts say stands with the first of them.

import { ALERTS } from "./id/alerts.ts";
import { CAUSE } from "./id/cause.ts";
import { DASHBOARDS } from "./id/dashboards.ts";
import { EVENTS } from "./id/events.ts";
import { EXPLORE } from "./id/explore.ts";
import { FOR_EVERYBODY } from "./id/for_everybody.ts";
import { ISSUES } from "./id/issues.ts";
import { METRICS } from "./id/metrics.ts";
import { PAGES } from "./id/pages.ts";
import { SETTINGS } from "./id/settings.ts";
import { SHELL } from "./id/shell.ts";
import { TRACES } from "./id/traces.ts";

export { sentence } from "./id/sentence.ts";

/** English texts and their Indonesian. */
export const INDONESIAN: Readonly<Record<string, string>> = {
  ...SHELL,
  ...EXPLORE,
  ...EVENTS,
  ...FOR_EVERYBODY,
  ...PAGES,
  ...ALERTS,
  ...SETTINGS,
  ...TRACES,
  ...CAUSE,
  ...ISSUES,
  ...METRICS,
  ...DASHBOARDS,
};
