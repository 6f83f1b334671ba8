// Issues: errors that are one pattern at one place, with what was decided about each.

import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { askIssue, askIssues, mergeIssues, type FoundIssues, type Issue, type IssueState } from "../api/issues.ts";
import { start, stop, type Lane } from "../ask.ts";
import { Failure } from "../explore/waiting.tsx";
import { count, printable } from "../format.ts";
import { told } from "../parts/attempt.tsx";
import { Button } from "../parts/button.tsx";
import { tell } from "../parts/layers.tsx";
import { Status } from "../parts/status.tsx";
import { adopt } from "../parts/style.ts";
import { Tabs } from "../parts/tabs.tsx";
import rules from "../style/issues.css?inline";
import { plural, t, text } from "../texts.ts";
import { asked, go, view } from "../view.ts";
import { listed, sortOf, type IssueSort } from "./issues/order.ts";
import { IssueRow } from "./issues/row.tsx";
import { askSamples, samples } from "./issues/samples.ts";

adopt(rules);

const POLL_MS = 15_000;

/** The tabs, and the states that each one shows. */
const TABS: readonly { tab: string; title: string; states: readonly IssueState[] }[] = [
  { tab: "", title: text("Open"), states: ["open", "regressed"] },
  { tab: "acknowledged", title: text("Acknowledged"), states: ["acknowledged"] },
  { tab: "resolved", title: text("Resolved"), states: ["resolved"] },
  { tab: "ignored", title: text("Ignored"), states: ["ignored"] },
  { tab: "all", title: text("All issues"), states: [] },
];

/** The words that the issues shown have. */
const words = signal("");

/** Rows of the list before more are asked for. */
const SHOWN = 100;
/** Issues that are merged at once, at most. */
const MERGED_MAX = 100;

/** The page. */
export function Issues() {
  const lane = useSignal<Lane<FoundIssues>>({ state: "loading", data: null, error: null, since: 0 });
  const single = useSignal<Issue | null>(null);
  const chosen = useSignal<readonly string[]>([]);
  const most = useSignal(SHOWN);
  const { tab, open } = view.value;
  const shown = TABS.find((one) => one.tab === tab) ?? TABS[0];
  const ask = () => void start(lane, (signal) => askIssues(shown?.states ?? [], signal));
  useEffect(() => {
    chosen.value = [];
    ask();
    const timer = setInterval(
      () => document.visibilityState === "visible" && chosen.peek().length === 0 && ask(),
      POLL_MS,
    );
    return () => {
      clearInterval(timer);
      stop(lane);
    };
  }, [tab, asked.value]);
  const { state, data, error } = lane.value;
  const found = data?.issues ?? [];
  const isListed = found.some((one) => one.id === open || one.merged.includes(open));
  // A link leads to an issue whatever its state is, and also to one that became a part of another.
  useEffect(() => {
    single.value = null;
    if (open === "" || isListed || data === null) return;
    const controller = new AbortController();
    askIssue(open, controller.signal).then(
      (found) => (single.value = found),
      (failure: unknown) => controller.signal.aborted || tell(told(failure)),
    );
    return () => controller.abort();
  }, [open, isListed, data === null]);
  const sought = listed(found, words.value, view.value.sort, samples.value);
  const shownOnes = sought.slice(0, most.value);
  const all = single.value === null || isListed ? shownOnes : [single.value, ...shownOnes];
  useEffect(() => void askSamples(all), [all.map(({ id }) => id).join()]);
  return (
    <main class="page issues-page" data-testid="issues-page" aria-busy={state === "loading"}>
      <div class="page-head">
        <h1>{t("Issues")}</h1>
        <Tabs
          of={TABS.map(({ tab, title }) => ({ tab, title: t(title) }))}
          shown={shown?.tab ?? ""}
          testId={(tab) => `issues-${tab || "open"}`}
        />
      </div>
      {state === "error" && (
        <Failure
          what={t("The issues could not be loaded: {message}.", { message: error?.message ?? "" })}
          onAgain={ask}
        />
      )}
      {data?.problem && (
        <p class="note warning" role="alert">
          {t("New errors are not counted: {message}.", { message: data.problem })}
        </p>
      )}
      {data === null && state === "loading" && <Status />}
      {found.length > 0 && <Find />}
      {found.length > 0 && all.length === 0 && <Status text={t("No issue matches.")} />}
      {data !== null && found.length === 0 && all.length === 0 && (
        <div class="state" data-testid="no-issues">
          <h2>{tab === "" ? t("No open issues") : t("No issues here")}</h2>
          <p>
            {t(
              "Errors of the same pattern, group and service become one issue. A resolved issue that returns is opened again.",
            )}
          </p>
        </div>
      )}
      {chosen.value.length > 0 && <MergeBar ids={chosen.value} onDone={() => (chosen.value = [])} again={ask} />}
      {all.length > 0 && <IssueHeads />}
      {all.length > 0 && (
        <ul class="issue-list" data-testid="issue-list">
          {all.map((issue) => (
            <IssueRow
              key={issue.id}
              issue={issue}
              isOpen={issue.id === open || issue.merged.includes(open)}
              isChosen={chosen.value.includes(issue.id)}
              onChoose={(is) =>
                (chosen.value = is
                  ? [...chosen.value, issue.id].slice(0, MERGED_MAX)
                  : chosen.value.filter((one) => one !== issue.id))
              }
              onChange={ask}
            />
          ))}
        </ul>
      )}
      {sought.length > shownOnes.length && (
        <p>
          <Button
            label={t("Show {n} more", { n: count(Math.min(SHOWN, sought.length - shownOnes.length)) })}
            onClick={() => (most.value += SHOWN)}
          />
        </p>
      )}
      {data !== null && data.total > found.length && (
        <p class="dim">{t("{n} of {all} issues", { n: count(found.length), all: count(data.total) })}</p>
      )}
    </main>
  );
}

/** Searches the list. */
function Find() {
  return (
    <input
      type="search"
      class="find"
      data-testid="find-issue"
      aria-label={t("Find an issue by its text, service, group or host")}
      placeholder={t("Find by text, service, group, host")}
      value={words.value}
      onInput={(event) => (words.value = event.currentTarget.value)}
    />
  );
}

/** What the columns of the list are, and the buttons that sort by them. */
function IssueHeads() {
  const now = sortOf(view.value.sort);
  const head = (by: IssueSort, label: string, place: string) => {
    const isNow = now?.by === by;
    return (
      <button
        type="button"
        class={`${place}${isNow ? " on" : ""}`}
        data-testid={`sort-${by}`}
        aria-pressed={isNow}
        title={t("Sort by this")}
        onClick={() => go({ sort: !isNow ? by : now.isTurned ? "" : `-${by}` }, true)}
      >
        {label}
        <span aria-hidden="true">{isNow ? ((by === "title") === now.isTurned ? " ↓" : " ↑") : ""}</span>
      </button>
    );
  };
  return (
    <div class="issue-row issue-heads" role="group" aria-label={t("Sort by")}>
      <span class="issue-sorts">
        {head("title", t("Issue"), "")} {head("last", t("Newest"), "")} {head("first", t("First seen"), "")}
      </span>
      <span>{t("State")}</span>
      <span>{t("Last 24 hours")}</span>
      {head("count", t("Events"), "number")}
    </div>
  );
}

/** What can be done with several issues. */
function MergeBar({ ids, onDone, again }: { ids: readonly string[]; onDone: () => void; again: () => void }) {
  const merge = async () => {
    try {
      const issue = await mergeIssues(ids);
      onDone();
      tell(t("{n} issues merged", { n: ids.length }));
      go({ open: issue.id ?? ids[0] ?? "" });
      again();
    } catch (error) {
      tell(printable(told(error)));
    }
  };
  return (
    <div class="merge-bar" data-testid="merge-bar">
      <span role="status">{plural(ids.length, "{n} issue selected", "{n} issues selected", count(ids.length))}</span>
      <button type="button" class="button" disabled={ids.length < 2} data-testid="merge" onClick={() => void merge()}>
        {t("Merge into the first one")}
      </button>
      <Button class="button quiet" label={t("Cancel")} onClick={onDone} />
    </div>
  );
}
