// What states of issues are called.

import type { IssueState } from "../../api/issues.ts";
import { t, text } from "../../texts.ts";

const NAMES: Readonly<Record<IssueState, string>> = {
  open: text("open"),
  acknowledged: text("acknowledged"),
  resolved: text("resolved"),
  ignored: text("ignored"),
  regressed: text("came back"),
};

/** The name of a state; one that this page does not know by its own name. */
export function stateName(state: IssueState): string {
  return NAMES[state] === undefined ? state : t(NAMES[state]);
}
