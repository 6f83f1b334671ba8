// Since when: how sure, how it was before and is since, by the number of events, their share, a percentile, or for each
// pattern of them.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import {
  askOnset,
  askPatternOnsets,
  type Between,
  type Onset,
  type PatternOnset,
  type PatternOnsets,
  type Side,
} from "../../api/cause.ts";
import { start, stop, type Lane } from "../../ask.ts";
import { PatternText } from "../../explore/panel_parts.tsx";
import { Failure } from "../../explore/waiting.tsx";
import { count, decimal, oneLine, percent } from "../../format.ts";
import { Options } from "../../parts/options.tsx";
import { Status } from "../../parts/status.tsx";
import { Heads } from "../../parts/table.tsx";
import { Way } from "../../parts/way.tsx";
import { plural, rich, t } from "../../texts.ts";
import { dayClock, distance, fullText } from "../../time.ts";
import { askedAt, view } from "../../view.ts";
import { eventsOfQuery } from "./findings.tsx";

/** What can be measured; a percentile needs a field as well. */
const MEASURES = ["count", "share", "p50", "p95", "p99", "patterns"] as const;
type Measure = (typeof MEASURES)[number];
/** The field whose percentiles are asked for until another one is named. */
const FIELD = "duration_ms";

type Found = Onset | PatternOnsets;

function measureName(measure: Measure): string {
  switch (measure) {
    case "count":
      return t("number of events");
    case "share":
      return t("share of all events");
    case "patterns":
      return t("each pattern");
    case "p50":
      return t("median of a field");
    default:
      return t("{n}th percentile of a field", { n: measure.slice(1) });
  }
}

/** The beginning, and what else can be measured to find it. `scope` is what is looked at. */
export function Since({ onset, scope }: { onset: Onset; scope: Side }) {
  const measure = useSignal<Measure>("count");
  const field = useSignal(FIELD);
  const lane = useSignal<Lane<Found>>({ state: "idle", data: null, error: null, since: 0 });
  const now = measure.value;
  const isPercentile = now.startsWith("p") && now !== "patterns";
  const ask = () => {
    if (now === "count") return;
    const { zone } = view.peek();
    const of = isPercentile ? `${now}(${field.value})` : now;
    void start<Found>(lane, (signal) =>
      now === "patterns" ? askPatternOnsets(scope, zone, signal) : askOnset(scope, zone, signal, of),
    );
  };
  const key = JSON.stringify(scope);
  useEffect(() => {
    ask();
    return () => void stop(lane);
  }, [now, field.value, key]);
  const { state, data, error } = lane.value;
  return (
    <section aria-label={t("Since when")} class="since-box">
      {now === "count" ? <Began onset={onset} /> : null}
      {now !== "count" && state === "error" && (
        <Failure
          what={t("The beginning could not be found: {message}.", { message: error?.message ?? "" })}
          onAgain={ask}
        />
      )}
      {now !== "count" && state === "loading" && <Status text={t("Searching…")} />}
      {now !== "count" && state === "done" && data !== null && <Answer found={data} />}
      <p class="since-measure">
        <label>
          {t("Measured by")}{" "}
          <select
            value={now}
            data-testid="onset-of"
            onChange={(event) => (measure.value = event.currentTarget.value as Measure)}
          >
            <Options of={MEASURES.map((one) => [one, measureName(one)])} />
          </select>
        </label>{" "}
        {isPercentile && (
          <label>
            {t("Field")}{" "}
            <input
              type="text"
              value={field.value}
              data-testid="onset-field"
              spellcheck={false}
              onChange={(event) => (field.value = event.currentTarget.value.trim() || FIELD)}
            />
          </label>
        )}
      </p>
    </section>
  );
}

function Answer({ found }: { found: Found }) {
  return "patterns" in found ? <Patterns found={found} /> : <Began onset={found} />;
}

/** A sentence of the server. */
function Note({ note }: { note: string }) {
  return note === "" ? null : (
    <span class="dim" lang="en" data-testid="onset-note">
      {oneLine(note, 300)}
    </span>
  );
}

/** `between 11:39:58 and 11:40:03`. */
function betweenText(between: Between): string {
  if (between === null) return "";
  const [from, to] = between.map((one) => fullText(Date.parse(one), view.value.zone));
  return t("with 95 % confidence between {from} and {to}", { from: from ?? "", to: to ?? "" });
}

/** Values as the measure has them. */
function valueText(measure: string, value: number): string {
  if (measure === "share") return percent(value);
  const shown = decimal(value, Math.abs(value) < 10 ? 1 : 0);
  return measure === "count" ? t("{n}/min", { n: shown }) : shown;
}

function Began({ onset }: { onset: Onset }) {
  const zone = view.value.zone;
  const { measure, began, ended, uncertainty_ms: unsure, before, after } = onset;
  if (began === null)
    return (
      <p data-testid="since">
        {measure === "count"
          ? t("No beginning was found: the events are about as frequent as before.")
          : t("No beginning was found.")}{" "}
        <Note note={onset.note} />
      </p>
    );
  return (
    <p class="since" data-testid="since">
      {rich("Since {time}", {
        time: (
          <b>
            <time dateTime={began}>{fullText(Date.parse(began), zone)}</time>
          </b>
        ),
      })}{" "}
      {unsure > 0 && <span title={betweenText(onset.began_between)}>± {distance(Math.max(1000, unsure))}</span>}{" "}
      <span class="dim">
        {t("{time} ago", { time: distance(askedAt.value - Date.parse(began)) })}
        {ended !== null && (
          <span title={betweenText(onset.ended_between)}>
            {" "}
            · {t("ended {time}", { time: fullText(Date.parse(ended), zone) })}
          </span>
        )}
        {before !== null && after !== null && (
          <>
            {" "}
            ·{" "}
            {t("{before} before, {after} since", {
              before: valueText(measure, before),
              after: valueText(measure, after),
            })}
          </>
        )}
      </span>
    </p>
  );
}

function Patterns({ found: { patterns, n_patterns: n, note } }: { found: PatternOnsets }) {
  if (patterns.length === 0)
    return (
      <p data-testid="since">
        {t("No pattern began or ended.")} <Note note={note} />
      </p>
    );
  return (
    <>
      <p class="dim">{plural(n, "of {n} pattern that was searched", "of {n} patterns that were searched", count(n))}</p>
      <div
        class="table-box flat listed"
        tabIndex={0}
        role="region"
        aria-label={t("Patterns")}
        data-testid="pattern-onsets"
      >
        <table>
          <Heads of={[[t("Began")], [t("Pattern")], [t("Before"), "numeric"], [t("Since"), "numeric"], [t("Ended")]]} />
          <tbody>
            {patterns.map((one) => (
              <PatternRow key={one.pattern} one={one} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function PatternRow({ one }: { one: PatternOnset }) {
  const text = (
    <span class="mono" lang="">
      <PatternText pattern={oneLine(one.pattern, 300)} />
    </span>
  );
  return (
    <tr data-testid="pattern-onset">
      <td>
        <Time at={one.began} between={one.began_between} />
      </td>
      <td>{one.query === null ? text : <Way to={eventsOfQuery(one.query, one.began, null)}>{text}</Way>}</td>
      <td class="numeric">{valueText("count", one.before_per_minute)}</td>
      <td class="numeric">{valueText("count", one.after_per_minute)}</td>
      <td>{one.ended === null ? "–" : <Time at={one.ended} between={one.ended_between} />}</td>
    </tr>
  );
}

function Time({ at, between }: { at: string; between: Between }) {
  const { zone } = view.value;
  return (
    <time class="number" dateTime={at} title={`${fullText(Date.parse(at), zone)} · ${betweenText(between)}`}>
      {dayClock(Date.parse(at), zone)}
    </time>
  );
}
