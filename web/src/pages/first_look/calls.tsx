// What spans and other days tell: calls between services that became red since the onset, and how often the same events
// come at this hour.

import type { FirstLook, RedCall } from "../../api/cause.ts";
import { decimal, percent, printable } from "../../format.ts";
import { Heads } from "../../parts/table.tsx";
import { Way } from "../../parts/way.tsx";
import { plural, t } from "../../texts.ts";
import { view } from "../../view.ts";
import { latencyText } from "../map/words.ts";
import { eventsOfQuery } from "./findings.tsx";

/** Time before the onset that the map shows as well. */
const MAP_BEFORE_MS = 15 * 60_000;

/** How often the events come at this hour of other days. */
export function UsualRate({ data: { usual } }: { data: FirstLook }) {
  if (usual === null || usual.days.length === 0) return null;
  const n = (rate: number) => decimal(rate, rate < 10 ? 1 : 0);
  const range =
    usual.least_per_minute === usual.most_per_minute
      ? n(usual.least_per_minute)
      : t("{least} to {most}", { least: n(usual.least_per_minute), most: n(usual.most_per_minute) });
  const days = plural(usual.days.length, "the day before", "{n} days before", `${usual.days.length}`);
  return (
    <p data-testid="usual">
      {t("At this hour {range} per minute on {days}; now {now}.", { range, days, now: n(usual.per_minute) })}
    </p>
  );
}

/** Calls that fail, or take longer, since the onset; the likeliest causes first. */
export function RedCalls({ data: { calls, onset } }: { data: FirstLook }) {
  if (calls.length === 0) return null;
  const began = Date.parse(onset.began ?? "");
  const from = Number.isNaN(began) ? view.value.from : new Date(began - MAP_BEFORE_MS).toISOString();
  return (
    <section aria-labelledby="first-look-calls">
      <h2 id="first-look-calls">{t("Calls between services")}</h2>
      <div class="table-box flat listed" tabIndex={0} role="region" aria-labelledby="first-look-calls">
        <table data-testid="red-calls">
          <Heads of={[[t("Call")], [t("Errors"), "numeric"], ["p95", "numeric"]]} />
          <tbody>
            {calls.map((call) => (
              <Row key={`${call.from} ${call.to}`} call={call} began={onset.began} />
            ))}
          </tbody>
        </table>
      </div>
      <p>
        <Way to={{ page: "map", tab: "", open: "", query: "", from, to: "now" }}>{t("Show the service map")}</Way>
      </p>
    </section>
  );
}

function Row({ call, began }: { call: RedCall; began: string | null }) {
  const name = `${printable(call.from)} → ${printable(call.to)}`;
  return (
    <tr data-testid="red-call">
      <th scope="row">
        {call.query === null ? name : <Way to={eventsOfQuery(call.query, null, began)}>{name}</Way>}
        {!call.last && <div class="dim">{t("what it calls is red, too")}</div>}
      </th>
      <Numbers now={percent(call.error_share)} before={percent(call.before_error_share)} isBad={call.failing} />
      <Numbers now={latencyText(call.p95_ms)} before={latencyText(call.before_p95_ms)} isBad={call.slower} />
    </tr>
  );
}

function Numbers({ now, before, isBad }: { now: string; before: string; isBad: boolean }) {
  return (
    <td class="numeric">
      <span class={isBad ? "bad" : ""}>{now}</span>
      <div class="dim">{t("{before} before", { before })}</div>
    </td>
  );
}
