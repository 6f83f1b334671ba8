// An issue in the list; opened, also where it occurs and what can be decided.

import { useEffect, useRef } from "preact/hooks";

import { splitIssue, type Issue } from "../../api/issues.ts";
import { ExceptionOf } from "../../detail/exception_view.tsx";
import { patternText, Spark } from "../../explore/panel_parts.tsx";
import { count, oneLine, printable } from "../../format.ts";
import { told } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { Way } from "../../parts/way.tsx";
import { plural, rich, t } from "../../texts.ts";
import { go, view, type View } from "../../view.ts";
import { When } from "../alerts/parts.tsx";
import { Decide } from "./decide.tsx";
import { samples } from "./samples.ts";
import { Users } from "./users.tsx";
import { Where } from "./where.tsx";
import { restartsText, restartsWho, stateName } from "./words.ts";

const TITLE_CHARS_MAX = 300;
const LISTED_MAX = 8;
/** Time before the first event that a first look compares with, and the longest time that it looks at. */
const BEFORE_MS = 600_000;
const LOOK_MS_MAX = 24 * 3_600_000;

interface RowProps {
  issue: Issue;
  isOpen: boolean;
  isChosen: boolean;
  onChoose: (is: boolean) => void;
  onChange: () => void;
}

/** The row. */
export function IssueRow({ issue, isOpen, isChosen, onChoose, onChange }: RowProps) {
  const row = useRef<HTMLLIElement>(null);
  const title = patternText(oneLine(issue.title || issue.pattern, TITLE_CHARS_MAX));
  useEffect(() => {
    if (isOpen) row.current?.scrollIntoView({ block: "nearest" });
  }, [isOpen]);
  const sample = oneLine(samples.value.get(issue.id) ?? "", TITLE_CHARS_MAX);
  const loop = issue.restarts.find((one) => one.ongoing);
  const trend = issue.trend.map((n, at): [string, number] => [String(at), n]);
  return (
    <li ref={row} class={`issue state-${issue.state}${isOpen ? " opened" : ""}`} data-testid="issue" data-id={issue.id}>
      <div class="issue-row">
        <input
          type="checkbox"
          id={`choose-${issue.id}`}
          aria-label={t("Select")}
          aria-labelledby={`choose-${issue.id} title-${issue.id}`}
          checked={isChosen}
          data-testid="issue-choose"
          onChange={(event) => onChoose(event.currentTarget.checked)}
        />
        <button
          type="button"
          class="issue-title"
          id={`title-${issue.id}`}
          lang=""
          aria-expanded={isOpen}
          data-testid="issue-open"
          onClick={() => go({ open: isOpen ? "" : issue.id })}
        >
          {title}
        </button>
        <span class={`badge issue-${issue.state}`}>{stateName(issue.state)}</span>
        <span class="issue-trend" title={t("Events of the last 24 hours, by hour")}>
          <Spark counts={trend} level={issue.state === "resolved" || issue.state === "ignored" ? "none" : "error"} />
        </span>
        <span class="number issue-count">
          <b>{count(issue.count)}</b>
        </span>
      </div>
      {sample !== "" && sample !== title && (
        <p class="issue-sample mono dim" lang="" data-testid="issue-sample" title={t("Its newest event")}>
          {isOpen ? oneLine(samples.value.get(issue.id), 2000) : sample}
        </p>
      )}
      <p class="issue-about dim">
        <span lang="">{oneLine([issue.service, issue.group].filter(Boolean).join(" · "), 120)}</span>
        <span>{rich("last {time}", { time: <When time={issue.last_seen} /> })}</span>
        <span>{rich("first {time}", { time: <When time={issue.first_seen} /> })}</span>
        {loop !== undefined && (
          <span class="bad" data-testid="issue-restarts">
            {restartsText(loop, view.value.zone, Date.now())}
          </span>
        )}
        {issue.owner !== null && <span>{t("owner: {name}", { name: printable(issue.owner) })}</span>}
      </p>
      {isOpen && <Open issue={issue} onChange={onChange} />}
    </li>
  );
}

/** The time of an issue as a range to look at: from before its first event, not longer than a day. */
function rangeOf({ first_seen: first, last_seen: last }: Issue): { from: string; to: string } {
  const end = Date.parse(last) || Date.now();
  const begin = Math.max((Date.parse(first) || end) - BEFORE_MS, end - LOOK_MS_MAX);
  return { from: new Date(begin).toISOString(), to: new Date(end + 1000).toISOString() };
}

function Open({ issue, onChange }: { issue: Issue; onChange: () => void }) {
  const events: Partial<View> = {
    page: "explore",
    panel: "rows",
    row: "",
    live: false,
    tab: "",
    open: "",
    groups: [issue.group],
    query: issue.query,
    ...rangeOf(issue),
  };
  return (
    <div class="issue-detail" data-testid="issue-detail">
      {issue.note !== null && <p class="issue-note">{printable(issue.note, true)}</p>}
      <Decision issue={issue} />
      {issue.pattern !== issue.title && (
        <p class="mono" lang="">
          {patternText(oneLine(issue.pattern, 600))}
        </p>
      )}
      {issue.frames.length > 0 && (
        <ExceptionOf
          id={issue.last_event}
          isOnIssue
          instead={
            <ol class="trace-frames mono" lang="" aria-label={t("Stack trace")}>
              {issue.frames.slice(0, LISTED_MAX).map((frame, at) => (
                <li key={at}>{oneLine(frame, 200)}</li>
              ))}
            </ol>
          }
        />
      )}
      {issue.restarts.length > 0 && (
        <ul data-testid="restarts">
          {issue.restarts.slice(0, LISTED_MAX).map((one) => (
            <li key={`${one.program}/${one.host}`}>
              <span lang="">{restartsWho(one)}</span> {restartsText(one, view.value.zone, Date.now())}
            </li>
          ))}
        </ul>
      )}
      <Where
        title={t("Versions")}
        all={
          issue.version_counts.length > 0
            ? issue.version_counts.map((one) => [one.version, one.count])
            : issue.versions.map((one) => [one, null])
        }
      />
      <Where
        title={t("Hosts")}
        all={
          issue.host_counts.length > 0
            ? issue.host_counts.map((one) => [one.host, one.count])
            : issue.hosts.map((one) => [one, null])
        }
      />
      <Users id={issue.id} />
      <p class="buttons">
        <Way class="button small" to={events} data-testid="issue-events" label={t("Show its events")} />
        <Way class="button small" to={{ ...events, page: "first-look", panel: "rows" }} data-testid="issue-look">
          {t("First look")}
        </Way>
        {issue.traces.slice(-1).map((trace) => (
          <Way key={trace} class="button small" to={{ page: "trace", trace, span: "", find: "" }}>
            {t("Newest trace")}
          </Way>
        ))}
        <Way
          class="button small"
          to={{ page: "alerts", tab: "rule", open: "", query: issue.query, groups: [issue.group] }}
        >
          {t("Alert on this…")}
        </Way>
        <Way
          class="button small"
          to={{ page: "incidents", open: "new", tab: "", query: "", find: issue.id }}
          data-testid="issue-incident"
        >
          {t("Start an incident…")}
        </Way>
      </p>
      {issue.merged.length > 0 && <Merged issue={issue} onChange={onChange} />}
      <Decide key={issue.state} issue={issue} onChange={onChange} />
    </div>
  );
}

/** Who decided what, and what that waits for. */
function Decision({ issue }: { issue: Issue }) {
  const { decided_by: by, decided_at: at, until, version, regressed_at: back, regressed_in: backIn } = issue;
  const parts = [
    ...(version !== null && issue.state === "resolved"
      ? [t("resolved in {version}", { version: printable(version) })]
      : []),
    ...(version !== null && issue.state === "ignored"
      ? [t("ignored until {version}", { version: printable(version) })]
      : []),
    ...(until?.count !== undefined ? [t("ignored for {n} more events", { n: count(until.count) })] : []),
  ];
  return (
    <p class="dim note">
      {by !== null && rich("{name} decided {time}.", { name: <b>{printable(by)}</b>, time: <When time={at} /> })}{" "}
      {parts.join(", ")}{" "}
      {until?.time !== undefined && rich("ignored until {time}", { time: <When time={until.time} /> })}{" "}
      {back !== null && rich("It came back {time}.", { time: <When time={back} /> })}{" "}
      {backIn !== null && t("in {version}", { version: printable(backIn) })}
    </p>
  );
}

function Merged({ issue, onChange }: { issue: Issue; onChange: () => void }) {
  const split = async () => {
    try {
      await splitIssue(issue.id);
      tell(t("The last merge was undone"));
      onChange();
    } catch (error) {
      tell(told(error));
    }
  };
  return (
    <p>
      {plural(
        issue.merged.length,
        "{n} issue was merged into this one.",
        "{n} issues were merged into this one.",
        count(issue.merged.length),
      )}{" "}
      <Button label={t("Undo the last merge")} data-testid="split" onClick={() => void split()} />
    </p>
  );
}
