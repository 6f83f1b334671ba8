// The events that a first look is about, over time, with their beginning and the restarts around it: the rise is seen before it
// is read.

import { useMemo } from "preact/hooks";

import { histogram } from "../../api.ts";
import type { FirstLook, Side } from "../../api/cause.ts";
import { bucketsOf } from "../../explore/buckets.ts";
import { Bars } from "../../explore/level_bars.tsx";
import type { Shown } from "../../explore/mark_lines.tsx";
import { useLane } from "../../parts/use_lane.ts";
import { t } from "../../texts.ts";
import { view } from "../../view.ts";

const BUCKETS = 80;
/** Time before the beginning that shows what was usual. */
const BEFORE_MS = 30 * 60_000;

/** The beginning, and what restarted then. */
function marksOf({ onset, findings }: FirstLook): Shown[] {
  const mark = (kind: string, at: string, text: string) => ({
    kind,
    id: kind + at + text,
    at,
    text,
    until: null,
    fields: {},
  });
  const restarts = [...onset.also, ...findings.map(({ kind, at, title }) => ({ kind, at: at ?? "", what: title }))]
    .filter(({ kind, at }) => kind === "restart" && !Number.isNaN(Date.parse(at)))
    .map(({ at, what }) => mark("restart", at, what));
  const times = new Set<string>();
  const each = restarts.filter(({ at }) => !times.has(at) && times.add(at));
  return onset.began === null ? each : [...each, mark("onset", onset.began, t("Onset"))];
}

/** The chart; nothing while there are no counts. */
export function RiseChart({ data, scope }: { data: FirstLook; scope: Side }) {
  const began = Date.parse(data.onset.began ?? "");
  const from = Math.min(Date.parse(scope.from), Number.isNaN(began) ? Infinity : began - BEFORE_MS);
  const range = [from, Date.parse(scope.to)] as const;
  const [start, end] = range;
  const { data: counts } = useLane(
    (signal) => {
      const [from, to] = range.map((ms) => new Date(ms).toISOString()) as [string, string];
      return histogram(scope.query, { from, to, groups: scope.groups }, view.peek().zone, BUCKETS, signal);
    },
    [scope.query, start, end, scope.groups.join()],
  );
  const marks = useMemo(() => marksOf(data), [data]);
  if (!counts || !(end > start)) return null;
  return (
    <section class="chart first-look-box" aria-label={t("Events over time")} data-testid="first-look-chart">
      <div class="bars">
        <Bars all={bucketsOf(counts.buckets)} interval={counts.interval_ms} range={range} marks={marks} />
      </div>
    </section>
  );
}
