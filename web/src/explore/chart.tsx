// Counts over time, stacked by level: drag to zoom, click a bar for its bucket, click a level to filter by it; the same
// numbers as a table for those who do not see bars.

import { signal } from "@preact/signals";

import { askedAt, draft, isEdited, rangeMs, run, view, zoomOut } from "../view.ts";
import { askCounts, counts } from "../ask.ts";
import { compact, count, span } from "../format.ts";
import { IconButton } from "../parts/icons.tsx";
import { later } from "../parts/later.tsx";
import { levelsOf, toggleFilter, toggleLevel } from "../query/edit.ts";
import { rich, t } from "../texts.ts";
import { bucketsOf, type Bucket } from "./buckets.ts";
import { LEVELS, levelName, NO_LEVEL } from "./levels.ts";
import { Failure, Incomplete } from "./waiting.tsx";

// Asked for at once: it is there before the first counts are.
const bars = import("./level_bars.tsx").then((part) => part.Bars);
bars.catch(() => undefined);
const Bars = later(async () => await bars.catch(async () => (await import("./level_bars.tsx")).Bars), true);
const MarkList = later(async () => (await import("./mark_lines.tsx")).MarkList, true);
const CountTable = later(async () => (await import("./count_table.tsx")).CountTable);
const asTable = signal(false);

/** From light to heavy. */
const ORDER: readonly string[] = [NO_LEVEL, ...LEVELS];

function clickLevel(level: string): void {
  draft.value =
    level === NO_LEVEL ? toggleFilter(draft.peek(), "@level", "missing", null) : toggleLevel(draft.peek(), level);
  run();
}

function Legend({ buckets }: { buckets: readonly Bucket[] }) {
  const totals = new Map<string, number>();
  for (const bucket of buckets)
    for (const [level, n] of Object.entries(bucket.by)) totals.set(level, (totals.get(level) ?? 0) + n);
  const chosen = levelsOf(view.value.query);
  return (
    <div class="legend" role="group" aria-label={t("Levels")}>
      {[...ORDER]
        .reverse()
        .filter((level) => totals.has(level) || chosen.includes(level))
        .map((level) => (
          <button
            key={level}
            type="button"
            class={`chip level-${level}`}
            aria-pressed={chosen.includes(level)}
            data-testid={`legend-${level}`}
            title={
              level === NO_LEVEL
                ? t("Show events without a level")
                : t("Show only {level}, or all levels again", { level })
            }
            onClick={() => clickLevel(level)}
          >
            <span class="swatch" />
            {levelName(level)}
            <span class="number">{compact(totals.get(level) ?? 0)}</span>
          </button>
        ))}
    </div>
  );
}

/** The panel above the rows. */
export function Chart() {
  const lane = counts.value;
  const buckets = bucketsOf(lane.data?.buckets ?? []);
  const [from, to] = rangeMs(view.value, askedAt.value);
  const total = buckets.reduce((sum, bucket) => sum + bucket.total, 0);
  return (
    <section
      class={`chart${lane.state === "loading" ? " loading" : ""}`}
      aria-label={t("Events over time")}
      data-testid="histogram"
    >
      <div class="chart-head">
        <h2 data-testid="total">
          {lane.data
            ? total === 1
              ? rich("{n} event", { n: <b>{count(total)}</b> })
              : rich("{n} events", { n: <b>{count(total)}</b> })
            : lane.state === "loading"
              ? t("Counting…")
              : t("Events over time")}
        </h2>
        <Legend buckets={buckets} />
        <span class="dim each" data-testid="chart-note">
          {isEdited.value
            ? t("of the query before the edit")
            : lane.data && lane.data.interval_ms > 0
              ? t("one bar is {time}", { time: span(lane.data.interval_ms) })
              : ""}
        </span>
        <IconButton
          icon="zoomOut"
          class="button quiet"
          aria-label={t("Zoom out")}
          title={t("Zoom out (z)")}
          onClick={zoomOut}
          data-testid="zoom-out"
        />
        <IconButton
          icon="table"
          class="button quiet"
          aria-label={t("Show the counts as a table")}
          title={t("Show the counts as a table")}
          aria-pressed={asTable.value}
          onClick={() => (asTable.value = !asTable.value)}
          data-testid="histogram-table-toggle"
        />
      </div>
      {lane.state === "error" && lane.error?.status !== 400 && (
        <Failure
          what={
            lane.data
              ? t("These counts are from the previous query: {message}.", { message: lane.error?.message ?? "" })
              : t("The counts could not be loaded: {message}.", { message: lane.error?.message ?? "" })
          }
          onAgain={() => askCounts(view.peek())}
        />
      )}
      {lane.data?.partial && (
        <Incomplete what={t("These counts are incomplete.")} reasons={lane.data.partial_reasons} />
      )}
      {asTable.value ? (
        <CountTable buckets={buckets} levels={ORDER} nameOf={levelName} />
      ) : (
        <div class="bars">
          <Bars all={buckets} interval={lane.data?.interval_ms ?? 0} />
        </div>
      )}
      {lane.data && <MarkList from={from} to={to} hasOnsets />}
    </section>
  );
}
