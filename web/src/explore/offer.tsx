// One quiet line above the rows when errors rose: the way to what changed.

import { counts } from "../ask.ts";
import { t } from "../texts.ts";
import { dayClock } from "../time.ts";
import { go, view } from "../view.ts";
import { riseOf } from "./rise.ts";

/** Offers to compare the time since the rise with the time before it. */
export function Offer() {
  const { data, state } = counts.value;
  const of = view.value;
  const rise = data === null || state === "loading" ? null : riseOf(data);
  if (rise === null) return null;
  const at = dayClock(rise.at, of.zone).slice(0, rise.at % 60_000 === 0 ? -3 : undefined);
  const iso = (ms: number) => new Date(ms).toISOString();
  const see = () => go({ panel: "changes", from: iso(rise.from), to: iso(Math.min(rise.end, Date.now())), row: "" });
  return (
    <p class="offer" role="status" data-testid="offer">
      <span class="swatch level-error" aria-hidden="true" />
      <span>{t("Errors rose at {time}.", { time: at })}</span>
      <button type="button" class="link" onClick={see}>
        {t("See what changed")}
      </button>
    </p>
  );
}
