// The first look at an alert or at a query: since when, what was found, best first, on one axis of time with everything
// that began then, what differs, and the patterns that changed.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { alerts, askAlerts } from "../api/alerts.ts";
import { askFirstLook, type FirstLook } from "../api/cause.ts";
import { start, stop, type Lane } from "../ask.ts";
import { DifferenceList } from "../explore/difference_list.tsx";
import { patternText } from "../explore/panel_parts.tsx";
import { Failure, Incomplete } from "../explore/waiting.tsx";
import { milliseconds, oneLine, printable } from "../format.ts";
import { copyLink } from "../keys.ts";
import { Icon } from "../parts/icons.tsx";
import { Status } from "../parts/status.tsx";
import { adopt } from "../parts/style.ts";
import { Way } from "../parts/way.tsx";
import rules from "../style/cause.css?inline";
import { t } from "../texts.ts";
import { fullText, rangeLabel } from "../time.ts";
import { asked, askedAt, rangeMs, view, type View } from "../view.ts";
import { RedCalls, UsualRate } from "./first_look/calls.tsx";
import { Findings } from "./first_look/findings.tsx";
import { Lanes } from "./first_look/lanes.tsx";
import { RiseChart } from "./first_look/rise.tsx";
import { Since } from "./first_look/since.tsx";

adopt(rules);

/** The page. */
export function FirstLookPage() {
  const lane = useSignal<Lane<FirstLook>>({ state: "loading", data: null, error: null, since: 0 });
  const { open, query, from, to, zone } = view.value;
  const groups = view.value.groups.join(",");
  const ask = () => {
    askedAt.value = Date.now();
    void start(lane, (signal) => {
      const of = view.peek();
      const what =
        of.open === "" ? { query: of.query, from: of.from, to: of.to, groups: of.groups } : { alert: of.open };
      return askFirstLook(what, of.zone, signal);
    });
  };
  useEffect(() => {
    ask();
    if (open !== "") void askAlerts();
    return () => void stop(lane);
  }, [open, query, from, to, groups, zone, asked.value]);
  const { state, data, error } = lane.value;
  return (
    <main class="page first-look" data-testid="first-look" aria-busy={state === "loading"}>
      <div class="page-head">
        <h1>{t("First look")}</h1>
        <button type="button" class="button quiet" onClick={copyLink}>
          <Icon name="link" />
          <span>{t("Copy link")}</span>
        </button>
      </div>
      <Subject data={data} />
      {state === "error" && (
        <Failure
          what={
            error?.status === 404 && open !== ""
              ? t("This alert no longer exists: {message}.", { message: error.message })
              : t("The first look could not be computed: {message}.", { message: error?.message ?? "" })
          }
          onAgain={ask}
        />
      )}
      {data === null && state === "loading" && (
        <Status text={t("Comparing with the time before…")} data-testid="first-look-loading" />
      )}
      {data !== null && <Answer data={data} isStale={state === "loading"} />}
    </main>
  );
}

/** What the look is at. */
function Subject({ data }: { data: FirstLook | null }) {
  const of = view.value;
  const alert = of.open === "" ? undefined : alerts.value.data?.find((one) => one.id === of.open);
  const title = alert === undefined ? (data?.title ?? "") : (alert.labels["pattern"] ?? alert.rule);
  const query = of.open === "" ? of.query : (data?.query ?? "");
  return (
    <p class="first-look-of" data-testid="first-look-of">
      {title !== "" && <b lang="">{patternText(printable(title))} </b>}
      {query.trim() !== "" && <code>{oneLine(query, 300)}</code>}{" "}
      {of.open === "" && of.groups.length > 0 && (
        <span>{t("in {groups}", { groups: printable(of.groups.join(", ")) })} </span>
      )}
      {of.open === "" && <span class="dim">{rangeLabel(of, of.zone)}</span>}{" "}
      {of.open !== "" && <Way to={{ page: "alerts", tab: "", open: of.open }}>{t("The alert")}</Way>}
    </p>
  );
}

/** The events that the look is at. */
function scopeOf(data: FirstLook): { query: string; from: string; to: string } {
  const of = view.value;
  const [from, to] = rangeMs(of, askedAt.value);
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    query: data.query || of.query,
    from: data.from || data.onset.began || iso(from),
    to: data.to || iso(of.open === "" ? to : askedAt.value),
  };
}

function Answer({ data, isStale }: { data: FirstLook; isStale: boolean }) {
  const scope = scopeOf(data);
  const isQuiet = data.findings.length === 0 && data.onset.began === null && data.differs.fields.length === 0;
  const shown: Partial<View> = { page: "explore", panel: "rows", row: "", live: false, ...scope };
  return (
    <div class={`first-look-answer${isStale ? " stale" : ""}`}>
      {data.partial && <Incomplete what={t("This answer is incomplete.")} reasons={data.partial_reasons} />}
      {isQuiet ? (
        <div class="state" data-testid="first-look-none">
          <h2>{t("Nothing stands out")}</h2>
          <p>{t("Nothing began in this range, no pattern is new or jumped, and no field differs significantly.")}</p>
          <Way class="button" to={shown} label={t("Show its events")} />
        </div>
      ) : (
        <>
          <Since onset={data.onset} scope={{ ...scope, groups: view.value.groups }} />
          <RiseChart data={data} scope={{ ...scope, groups: view.value.groups }} />
          <UsualRate data={data} />
          <Findings data={data} />
          <Lanes data={data} />
          <RedCalls data={data} />
          <section aria-labelledby="first-look-differs">
            <h2 id="first-look-differs">{t("What differs")}</h2>
            {data.differs.fields.length === 0 ? (
              <p class="dim">{t("No field differs significantly from the time before.")}</p>
            ) : (
              <div class="first-look-box">
                <DifferenceList data={data.differs} of={scope} />
              </div>
            )}
          </section>
          <p class="buttons">
            <Way class="button" to={shown} label={t("Show its events")} />
            <Way class="button" to={{ ...shown, panel: "changes" }} label={t("See what changed")} />
          </p>
        </>
      )}
      <Cost data={data} />
    </div>
  );
}

/** When it was computed, and how long that took. */
function Cost({ data: { elapsed_ms: ms, computed, differs } }: { data: FirstLook }) {
  const parts = [
    ...(computed === null ? [] : [t("computed {time}", { time: fullText(Date.parse(computed), view.value.zone) })]),
    ...(ms === null ? [] : [milliseconds(ms)]),
    ...(differs.approximate ? [t("from a sample")] : []),
  ];
  return <p class="dim note">{parts.join(" · ")}</p>;
}
