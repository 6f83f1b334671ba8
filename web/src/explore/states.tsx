// What stands where rows would stand: nothing found, an error, a wait. Each says what to do next.

import { useEffect, useState } from "preact/hooks";

import { cancel, groupList, rows, type Rows } from "../ask.ts";
import { ago, fullText, rangeLabel } from "../time.ts";
import { count, milliseconds } from "../format.ts";
import { Icon } from "../parts/icons.tsx";
import { conditions } from "../query/edit.ts";
import { asked, askedAt, draft, go, rangeMs, run, view, zoom } from "../view.ts";

/** The newest instant of the groups in view. */
function newest(): number | null {
  const chosen = view.value.groups;
  const matches = (name: string) => chosen.length === 0 || chosen.some((pattern) => pattern === name || (pattern.includes("*") && name.startsWith(pattern.split("*")[0] ?? "")));
  const times = (groupList.value.data ?? []).filter((group) => matches(group.name) && group.last !== null).map((group) => Date.parse(group.last ?? ""));
  const known = times.filter((ms) => !Number.isNaN(ms));
  return known.length === 0 ? null : Math.max(...known);
}

/** The query found nothing in the range. */
export function NoMatch({ data }: { data: Rows }) {
  const of = view.value;
  const newestOfAll = newest();
  const [from, to] = rangeMs(of, askedAt.value);
  const last = newestOfAll !== null && (newestOfAll < from || newestOfAll > to) ? newestOfAll : null;
  const parts = conditions(data.query);
  const wider = [["Last 24 hours", "now-24h"], ["Last 7 days", "now-7d"], ["All time", "1970-01-01T00:00:00Z"]] as const;
  return (
    <div class="state" data-testid="no-match">
      <h2>{data.query.trim() === "" ? "No event" : "No event matches"} in “{rangeLabel(of, of.zone)}”</h2>
      {last !== null && (
        <p>The newest event here is from <b>{fullText(last, of.zone)}</b> ({ago(last, Date.now())}).
          {" "}<button type="button" class="button primary" data-testid="jump" onClick={() => zoom(last - 3_600_000, last + 1000)}>Jump to it</button></p>
      )}
      <p class="wider">Look further back: {wider.map(([label, from]) => <button key={from} type="button" class="link" onClick={() => go({ from, to: "now", row: "" })}>{label}</button>)}</p>
      {parts.length > 0 && (
        <>
          <p>Or leave a condition out:</p>
          <ul class="conditions">
            {parts.map((part, at) => (
              <li key={at}><button type="button" class="chip" onClick={() => { draft.value = part.without; run(); }}><code>{part.text.slice(0, 200)}</code><Icon name="close" /><span class="sr-only">leave out</span></button></li>
            ))}
          </ul>
        </>
      )}
      {of.groups.length > 0 && <p>Only {of.groups.join(", ")} was asked. <button type="button" class="link" onClick={() => go({ groups: [], row: "" })}>Ask all groups</button></p>}
    </div>
  );
}

/** The question could not be answered. */
export function Failed() {
  const error = rows.value.error;
  if (!error) return null;
  const title = error.code === "cancelled" ? "Cancelled" : error.status === 401 ? "Sign in to see this" : error.status === 400 ? "The query could not be read" : error.status === 0 ? "The server cannot be reached" : "The query failed";
  return (
    <div class="state" data-testid="failed">
      <h2>{title}</h2>
      {error.code !== "cancelled" && <p>{error.message}</p>}
      {error.hint && <p class="hint">{error.hint}</p>}
      <p><button type="button" class="button primary" onClick={() => (asked.value += 1)}>{error.status === 401 ? "Sign in" : "Try again"}</button></p>
    </div>
  );
}

/** A thin bar while rows are on their way; after a moment also the time it takes and a way to stop it. */
export function Waiting() {
  const lane = rows.value;
  const [now, setNow] = useState(0);
  const busy = lane.state === "loading";
  useEffect(() => {
    if (!busy) return;
    const timer = setInterval(() => setNow(performance.now()), 100);
    return () => clearInterval(timer);
  }, [busy, lane.since]);
  if (!busy) return null;
  const elapsed = now - lane.since;
  return (
    <div class="waiting-bar" data-testid="loading">
      <span class="progress" aria-hidden="true" />
      {elapsed > 400 && <span class="waiting-text" role="status">searching… {milliseconds(elapsed)} <button type="button" class="link" onClick={() => cancel(rows)}>Cancel</button></span>}
    </div>
  );
}

/** Says that an answer is not whole, and why. */
export function PartialNote({ data }: { data: Rows }) {
  if (!data.answer.partial) return null;
  return (
    <div class="partial" role="alert" data-testid="partial">
      <b>This answer is not complete.</b>
      {data.answer.partial_reasons.map((reason, at) => <span key={at}> {reason.message}.</span>)}
    </div>
  );
}

/** One line on what the answer cost. */
export function Cost({ data }: { data: Rows }) {
  const stats = data.answer.stats;
  const parts: string[] = [];
  if (stats.events_scanned !== undefined) parts.push(`${count(stats.events_scanned)} scanned`);
  if (stats.segments_total) parts.push(`${count(stats.segments_opened ?? 0)} of ${count(stats.segments_total)} segments opened`);
  if (stats.elapsed_ms !== undefined) parts.push(milliseconds(stats.elapsed_ms));
  return <span class="dim cost" data-testid="cost">{parts.join(" · ")}</span>;
}
