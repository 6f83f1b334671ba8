// One quiet line above the rows when errors rose, fell or stopped, or are high since before the range: since when, after
// what, and the ways to what changed and to the first look.

import { useEffect, useMemo } from "preact/hooks";

import { askOnset, type Side } from "../api/cause.ts";
import { counts, rows, start, stop } from "../ask.ts";
import { count, oneLine } from "../format.ts";
import { editFilters } from "../keys.ts";
import { Button } from "../parts/button.tsx";
import { Way } from "../parts/way.tsx";
import { addFilter, headOf, toggleFilter } from "../query/edit.ts";
import { plural, rich, t, text } from "../texts.ts";
import { dayClock, distance } from "../time.ts";
import { askedAt, go, rangeMs, view } from "../view.ts";
import { answered, found, onset, shown } from "./onset.ts";
import { switchLanguage } from "./query_language.ts";
import { hasErrors, searchFrom, type Told } from "./rise.ts";

/** The same view is asked about again after this time at the soonest, however often its rows are. */
const AGAIN_MS_MIN = 60_000;
const WHAT_CHARS_MAX = 120;
const TOGETHER_MS = 1000;

/** The errors whose onset is asked for: those in the range, and before it where they rose in no bar. */
function errorsIn(isRise: boolean): Side {
  const of = view.peek();
  const [from, to] = rangeMs(of, askedAt.peek());
  const begin = Math.max(0, isRise ? from : searchFrom(from, to));
  return {
    query: addFilter(headOf(of.query), '@level >= "error"'),
    from: new Date(begin).toISOString(),
    to: of.to,
    groups: of.groups,
  };
}

/** What is offered above the rows. */
export function Offer() {
  return (
    <>
      <Rise />
      <Others />
    </>
  );
}

/** Takes spans and samples of metrics out of what a query finds. */
function logsAlone(text: string): string {
  return ["sample", "span"].reduce((now, type) => toggleFilter(now, "@type", "exclude", type), text);
}

/** Spans and samples of metrics are events, too, and many: offers the logs without them, and the lines of metrics. */
function Others() {
  const { query, groups, live } = view.value;
  const data = rows.value.data;
  const [spans, samples] = useMemo(() => {
    const of = (prefix: string) => data?.events.filter(({ group }) => group.startsWith(prefix)).length ?? 0;
    return [of("traces/"), of("metrics/")];
  }, [data]);
  const n = spans + samples;
  if (n === 0 || live || groups.length > 0 || query.includes("@type") || data?.isWhole !== true) return null;
  return (
    <p class="offer" data-testid="samples-offer">
      <span>
        {plural(
          n,
          "{n} of these rows is no log line but a span or a sample of a metric.",
          "{n} of these rows are no log lines but spans or samples of metrics.",
          count(n),
        )}
      </span>
      <Button label={t("Show logs alone")} data-testid="hide-samples" onClick={() => editFilters(logsAlone)} />
      {samples > 0 && <Button label={t("Show metrics as lines")} onClick={() => switchLanguage("promql")} />}
      {spans > 0 && <Way to={{ page: "traces", sought: {} }}>{t("Show traces")}</Way>}
    </p>
  );
}

/** Offers to compare the time since errors changed with the time before. */
function Rise() {
  const { data, state } = counts.value;
  const of = view.value;
  const { from, to, rise, told } = found.value;
  const isDone = state === "done";
  const isWanted = data !== null && isDone && !of.live && from > 0 && hasErrors(data);
  const about = shown.value;
  const key = isWanted ? `${about} ${Math.floor(askedAt.value / AGAIN_MS_MIN)}` : "";
  useEffect(() => {
    if (key === "") return;
    void start(onset, (signal) => askOnset(errorsIn(rise !== null), of.zone, signal)).then(() => {
      if (onset.peek().state === "done") answered.value = about;
    });
    return () => void stop(onset);
  }, [key]);
  if (!isDone || told === null) return null;
  const iso = (ms: number) => new Date(ms).toISOString();
  const end = Math.min(rise?.end ?? to, Date.now());
  const began = told.kind === "rose" ? Math.min(rise?.from ?? told.at, told.at) : told.at;
  const see = () => go({ panel: "changes", from: iso(began), to: iso(told.until ?? end), row: "" });
  return (
    <p class="offer" role="status" data-testid="offer">
      <span class="swatch level-error" aria-hidden="true" />
      <span>{sentence(told, of.zone)}</span>
      <Button label={t("See what changed")} onClick={see} />
      <Way
        to={{ page: "first-look", open: "", query: errorsIn(false).query, from: iso(from), to: iso(end) }}
        data-testid="offer-first-look"
      >
        {t("First look")}
      </Way>
    </p>
  );
}

/** What happened, and after what. */
const SENTENCES: Readonly<Record<Told["kind"], readonly [alone: string, caused: string, together: string]>> = {
  rose: [
    text("Errors rose at {time}."),
    text("Errors rose at {time}, {after} after {what}."),
    text("Errors rose at {time}, together with {what}."),
  ],
  high: [
    text("Errors have been high since {time}."),
    text("Errors have been high since {time}, {after} after {what}."),
    text("Errors have been high since {time}, together with {what}."),
  ],
  fell: [
    text("Errors fell at {time}."),
    text("Errors fell at {time}, {after} after {what}."),
    text("Errors fell at {time}, together with {what}."),
  ],
  stopped: [
    text("Errors stopped at {time}."),
    text("Errors stopped at {time}, {after} after {what}."),
    text("Errors stopped at {time}, together with {what}."),
  ],
};

/** What happened, in one sentence. */
function sentence({ kind, at, cause }: Told, zone: string) {
  // So close to each other, nobody knows which came first.
  const isTogether = cause !== null && cause.before < TOGETHER_MS;
  const clock = dayClock(at, zone).slice(0, at % 60_000 === 0 ? -3 : undefined);
  const [alone, caused, together] = SENTENCES[kind];
  if (cause === null) return t(alone, { time: clock });
  const said = isTogether ? together : caused;
  const what = <b lang="">{oneLine(cause.what, WHAT_CHARS_MAX)}</b>;
  return rich(said, { time: clock, after: distance(cause.before), what });
}
