// The page that one lives in: ask, see when, see what, narrow down.

import { useEffect, useState } from "preact/hooks";

import { isOwn } from "../api.ts";
import { askGroups, groupList, isCut, loadOlder, older, ROWS_MAX, rows } from "../ask.ts";
import { count } from "../format.ts";
import { held } from "../guard.ts";
import { toggleLive } from "../keys.ts";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { later } from "../parts/later.tsx";
import { layer } from "../parts/layers.tsx";
import { SkipLink } from "../parts/skip_link.tsx";
import { isNewestFirst, soughtTexts } from "../query/lex.ts";
import type { Rows } from "../rows.ts";
import { plural, rich, t } from "../texts.ts";
import { asked, go, isEdited, LANGUAGE_NAMES, view } from "../view.ts";
import { Chart } from "./chart.tsx";
import { Editor } from "./editor.tsx";
import { submit } from "./editor_state.ts";
import { FieldsButton } from "./fields_button.tsx";
import { GroupPicker } from "./group_picker.tsx";
import { switchLanguage } from "./query_language.ts";
import { RowOptions } from "./row_options.tsx";
import { PanelSwitch } from "./panel_switch.tsx";
import { Share } from "./share.tsx";
import { TimePicker } from "./time_picker.tsx";
import { Incomplete, Waiting } from "./waiting.tsx";

const Onboarding = later(async () => (await import("../pages/start.tsx")).Onboarding);
const Around = later(async () => (await import("../context/around.tsx")).Around, true);
const LiveRows = later(async () => (await import("./live_rows.tsx")).LiveRows);
// These two are asked for at once: they are there before the first answer.
const rowList = import("./row_list.tsx").then((part) => part.RowList);
rowList.catch(() => undefined);
const RowList = later(async () => await rowList.catch(async () => (await import("./row_list.tsx")).RowList), true);
const sidebar = import("./sidebar.tsx").then((part) => part.Sidebar);
sidebar.catch(() => undefined);
const Sidebar = later(async () => await sidebar.catch(async () => (await import("./sidebar.tsx")).Sidebar), true);
const Metrics = later(async () => (await import("../metrics/explore.tsx")).MetricsExplore);
const Other = later(async () => (await import("./other_language.tsx")).OtherLanguage);
const Saved = later(async () => (await import("./saved.tsx")).Saved, true);
const Panels = later(async () => (await import("./panels.tsx")).Panels);
const Offer = later(async () => (await import("./offer.tsx")).Offer, true);
const Result = later(async () => (await import("./table.tsx")).Result, true);
const Trouble = later(async () => (await import("./trouble.tsx")).Trouble, true);
const Insight = later(async () => (await import("./insight.tsx")).Insight, true);

/** Whether nobody has sent anything yet. */
function isEmptyStore(): boolean {
  const lane = groupList.value;
  return (
    lane.data !== null &&
    lane.data.every((group) => (group.events === 0 && group.archive === undefined) || isOwn(group))
  );
}

/** The whole page. */
export function Explore() {
  useEffect(askGroups, []);
  const empty = isEmptyStore();
  const [isStarting, setStarting] = useState(false);
  useEffect(() => {
    if (empty) setStarting(true);
  }, [empty]);
  useEffect(() => {
    // Whoever asks has seen how one begins.
    if (!empty) setStarting(false);
  }, [asked.value]);
  return (
    <main class={`explore${isEdited.value ? " edited" : ""}`}>
      <h1 class="sr-only">{t("Explore")}</h1>
      <QueryBar />
      <Saved />
      {view.value.language === "promql" ? (
        <Metrics List={RowList} />
      ) : view.value.language !== "insights" ? (
        <Other />
      ) : empty || isStarting ? (
        <Onboarding onShow={() => setStarting(false)} />
      ) : (
        <div class={`work${layer.value === "fields" ? " with-fields" : ""}`} inert={view.value.around !== ""}>
          <SkipLink />
          <Sidebar />
          <div class="results">
            <Chart />
            {!view.value.live && view.value.panel !== "rows" ? <Panels /> : <Results />}
          </div>
        </div>
      )}
      <Around wanted={view.value.around !== ""} List={RowList} />
    </main>
  );
}

function QueryBar() {
  const { live, language } = view.value;
  return (
    <div class="query-bar" role="search">
      <Languages />
      {language !== "esql" && <GroupPicker />}
      <Editor />
      <TimePicker />
      <button
        type="button"
        class={`button primary run${isEdited.value ? " edited" : ""}`}
        onClick={submit}
        data-testid="run"
        title={isEdited.value ? t("The edited query was not run yet (Enter)") : t("Run (Enter)")}
      >
        <Icon name="play" />
        <span>{t("Run")}</span>
      </button>
      {language === "insights" && (
        <button
          type="button"
          class={`button live${live ? " on" : ""}`}
          aria-pressed={live}
          onClick={(event) => {
            toggleLive();
            // The space bar pauses; pressed by the pointer, this button would take it.
            if (event.detail > 0) event.currentTarget.blur();
          }}
          data-testid="live"
          title={t("Live tail (l)")}
        >
          <Icon name={live ? "stop" : "live"} />
          <span>{t("Live")}</span>
        </button>
      )}
      <Share />
    </div>
  );
}

/** What is explored: events, or metrics; the name of another language while its query is shown. */
function Languages() {
  const now = view.value.language;
  const isOther = now !== "insights" && now !== "promql";
  return (
    <div class="tabs languages" role="group" aria-label={t("Explore")}>
      {(["insights", "promql", ...(isOther ? [now] : [])] as const).map((language) => (
        <button
          key={language}
          type="button"
          aria-pressed={now === language}
          data-testid={`language-${language}`}
          title={
            language === "promql"
              ? t("Metrics, in PromQL (p)")
              : language === "insights"
                ? t("Events, in Insights QL (p)")
                : undefined
          }
          onClick={() => switchLanguage(language)}
        >
          {language === "promql" ? t("Metrics") : language === "insights" ? t("Logs") : LANGUAGE_NAMES[language]}
        </button>
      ))}
    </div>
  );
}

function Results() {
  if (view.value.live) return <LiveRows />;
  const lane = rows.value;
  const { data, error } = lane;
  const failed = lane.state === "error";
  // Rows of a question that cannot be read, or that this person may not ask, are nobody's answer.
  const isRefused = failed && (!data || error?.status === 400 || error?.status === 401);
  const isEarlier = lane.state === "loading" && data?.isWhole === true;
  return (
    <section
      class={`result${isEarlier ? " stale" : ""}`}
      aria-label={t("Results")}
      data-testid="results"
      aria-busy={lane.state === "loading"}
    >
      <Waiting />
      <Offer />
      {held.value ? (
        <Trouble kind="held" data={null} />
      ) : isRefused ? (
        <Trouble kind="failed" data={null} />
      ) : (
        <>
          {failed && <Trouble kind="broken" data={data} />}
          {data ? <Answered data={data} isBroken={failed} /> : <Skeleton />}
        </>
      )}
    </section>
  );
}

function Skeleton() {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: 12 }, (_, n) => (
        <div key={n} style={{ width: `${92 - ((n * 37) % 55)}%` }} />
      ))}
    </div>
  );
}

/** How many rows there are, and whether these are all. */
function amount(data: Rows, n: number): string {
  const isEvents = data.kind === "events";
  if (!data.isWhole)
    return isEvents
      ? plural(n, "{n} event so far", "{n} events so far", count(n))
      : plural(n, "{n} row so far", "{n} rows so far", count(n));
  if (data.more && isEvents)
    return isNewestFirst(data.query)
      ? plural(n, "newest {n} event", "newest {n} events", count(n))
      : plural(n, "first {n} event", "first {n} events", count(n));
  if (data.more) return plural(n, "first {n} row", "first {n} rows", count(n));
  if (isEvents && n > 1 && !isCut(data.query)) return t("all {n} events", { n: count(n) });
  return isEvents ? plural(n, "{n} event", "{n} events", count(n)) : plural(n, "{n} row", "{n} rows", count(n));
}

/** What stands below the last row. */
function End({ data }: { data: Rows }) {
  const oldest = data.events.at(-1);
  if (!data.isWhole) return <>{rows.value.state === "loading" ? t("loading more events…") : ""}</>;
  if (older.value.state === "loading") return <>{t("loading older events…")}</>;
  if (older.value.state === "error")
    return (
      <span class="note error">
        {t("Older events could not be loaded: {message}.", { message: older.value.error?.message ?? "" })}{" "}
        <Button label={t("Try again")} onClick={loadOlder} />
      </span>
    );
  if (data.more && isCut(data.query)) return <>{t("The rest is cut off here.")}</>;
  if (data.more && data.events.length >= ROWS_MAX && oldest) {
    return (
      <>
        {rich("Showing at most {n} events. {link}", {
          n: count(data.events.length),
          link: <Button label={t("Continue from the oldest")} onClick={() => go({ to: oldest.time, row: "" })} />,
        })}
      </>
    );
  }
  return <>{data.more || isCut(data.query) ? "" : t("No more events in this range.")}</>;
}

function Answered({ data, isBroken }: { data: Rows; isBroken: boolean }) {
  const n = data.kind === "events" ? data.events.length : data.table.length;
  const { partial, partial_reasons: reasons } = data.answer;
  return (
    <>
      {partial && <Incomplete what={t("This answer is incomplete.")} reasons={reasons} />}
      {n === 0 ? (
        data.isWhole ? (
          <>
            <div class="result-head">
              <FieldsButton />
              <PanelSwitch />
            </div>
            <Trouble kind="empty" data={data} />
          </>
        ) : (
          !isBroken && <Skeleton />
        )
      ) : (
        <>
          <div class="result-head">
            <FieldsButton />
            <PanelSwitch />
            <span role="status" data-testid="shown">
              {amount(data, n)}
            </span>
            {data.isWhole && <Insight data={data} />}
            {data.kind === "events" && <RowOptions />}
          </div>
          {data.kind === "events" ? (
            <RowList
              key={data.query}
              asleep={view.value.around !== ""}
              events={data.events}
              columns={data.columns}
              sought={soughtTexts(data.query)}
              label={isNewestFirst(data.query) ? t("Events, newest first") : t("Events")}
              onEnd={() => {
                if (older.peek().state !== "error") loadOlder();
              }}
              footer={<End data={data} />}
            />
          ) : (
            <Result key={data.query} data={data} />
          )}
        </>
      )}
    </>
  );
}
