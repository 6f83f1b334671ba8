// What states of issues are called.

import type { IssueState, Restarts } from "../../api/issues.ts";
import { count, oneLine } from "../../format.ts";
import { t, text } from "../../texts.ts";
import { dayClock, distance, type Zone } from "../../time.ts";

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

/** How a program restarts: how often, and since when. */
export function restartsText({ every_ms, since, last, count: n, ongoing }: Restarts, zone: Zone, now: number): string {
  const at = (time: string) => dayClock(Date.parse(time), zone, false, now).replace(/:\d\d$/, "");
  const time = distance(every_ms);
  return ongoing
    ? t("restarts every {time} since {since}", { time, since: at(since) })
    : t("restarted {n} times, every {time}, from {since} to {last}", {
        n: count(n),
        time,
        since: at(since),
        last: at(last),
      });
}

/** The program that restarts, and its host. */
export function restartsWho({ program, host }: Restarts): string {
  return [program, host].flatMap((name) => (name === null ? [] : [oneLine(name, 80)])).join(" · ");
}
