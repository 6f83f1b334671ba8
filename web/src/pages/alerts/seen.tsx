// What a rule would have seen: the events of its query over a past, with a mark at each time at which it would have fired.

import { histogram } from "../../api.ts";
import type { Past } from "../../api/alerts.ts";
import { bucketsOf } from "../../explore/buckets.ts";
import { Bars } from "../../explore/level_bars.tsx";
import { useLane } from "../../parts/use_lane.ts";
import { t } from "../../texts.ts";
import { view } from "../../view.ts";

const BUCKETS = 80;
/** Marks that can be told apart. */
const MARKED_MAX = 20;

/** The chart; nothing while there are no counts, as of a query that is not about events. */
export function Seen({
  query,
  groups,
  ms,
  past,
}: {
  query: string;
  groups: readonly string[];
  ms: number;
  past: Past;
}) {
  const { data } = useLane(
    async (signal) => {
      const to = Date.now();
      const scope = { from: new Date(to - ms).toISOString(), to: new Date(to).toISOString(), groups };
      return {
        range: [to - ms, to] as const,
        counts: await histogram(query, scope, view.peek().zone, BUCKETS, signal),
      };
    },
    [past],
  );
  if (data === null) return null;
  const marks = past.alerts.slice(-MARKED_MAX).map(({ starts_at: at }, n) => ({
    kind: "onset",
    id: `${n} ${at}`,
    at,
    text: t("fires"),
    until: null,
    fields: {},
  }));
  return (
    <div class="chart" data-testid="seen">
      <div class="bars">
        <Bars
          all={bucketsOf(data.counts.buckets)}
          interval={data.counts.interval_ms}
          range={data.range}
          marks={marks}
        />
      </div>
    </div>
  );
}
