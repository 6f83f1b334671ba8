// Limits and expectations of groups in words.

import type { KeptGroup, Retention } from "../../api/groups.ts";
import { t } from "../../texts.ts";
import { distance } from "../../time.ts";

/** `12 d`, `3 h`: how long it is until then, in one unit. */
export function inTime(time: string): string {
  return distance(Math.max(60_000, Date.parse(time) - Date.now()));
}

/** `7d`, `7d, 6MiB`, or that there is no limit of its own. */
export function limits({ age, size }: Retention): string {
  const both = [age, size].filter((one) => one !== null);
  return both.length === 0 ? t("store default") : both.join(", ");
}

/** When events will go next, where that is known. */
export function expected({ forecast: { next, reason } }: KeptGroup): string {
  if (next === null) return "";
  return reason === "size"
    ? t("full in {time}", { time: inTime(next) })
    : t("oldest deleted in {time}", { time: inTime(next) });
}
