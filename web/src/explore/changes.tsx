// What changed: each pattern that is new, gone or jumped, with where it comes from and its first line; and restarts.

import { useState } from "preact/hooks";

import type { Change, Changes, Counted, Origin, Restart } from "../api/changes.ts";
import { count, oneLine } from "../format.ts";
import { filterBy } from "../keys.ts";
import { Button } from "../parts/button.tsx";
import { IconButton } from "../parts/icons.tsx";
import { addFilter } from "../query/edit.ts";
import { t } from "../texts.ts";
import { dayClock, exactText } from "../time.ts";
import { draft, go, view } from "../view.ts";
import { levelClass } from "./levels.ts";
import { lengthText, narrow, Nothing, PatternText, showRow, Spark } from "./panel_parts.tsx";

/** Restarts that are listed before one asks for all. */
const RESTARTS_FIRST = 6;
const LINE_CHARS_MAX = 400;

/** Shows the events of a change; those of one that is gone where they were. */
function showEvents(change: Change, baseline: Counted | null): void {
  const query = change.query ?? addFilter(draft.peek(), change.condition);
  const range = change.change === "gone" && baseline !== null ? { from: baseline.from, to: baseline.to } : {};
  go({ query, row: "", panel: "rows", ...range });
}

/** Everything that changed. */
export function ChangeList({ data }: { data: Changes }) {
  const { baseline, range } = data;
  return (
    <div class="changes">
      <p class="compared dim">
        {t("{n} events now, {m} in the time compared with", {
          n: count(range.events),
          m: count(baseline?.events ?? 0),
        })}
        {baseline !== null && <>: {lengthText(baseline)}</>}
      </p>
      {baseline !== null && baseline.events === 0 && range.events > 0 && (
        <p class="note warning" data-testid="no-baseline">
          {t(
            "The time compared with has no events, so everything is new. Compare with another time above, or choose a shorter range.",
          )}
        </p>
      )}
      {data.restarts.length > 0 && <Restarts data={data} />}
      {data.changes.length === 0 ? (
        <Nothing
          title={range.events === 0 ? t("No event matches here") : t("No pattern changed")}
          hint={
            range.events === 0
              ? t("Choose a longer range or remove a condition.")
              : t("All messages are about as frequent as before. Compare with another time, or see all patterns.")
          }
        >
          <Button class="button" label={t("See all patterns")} onClick={() => go({ panel: "patterns" })} />
        </Nothing>
      ) : (
        <ol class="change-list" aria-label={t("What changed")}>
          {data.changes.map((change) => (
            <Entry key={change.id} change={change} baseline={baseline} />
          ))}
        </ol>
      )}
    </div>
  );
}

/** `×8` for `up 8×`. */
function State({ change }: { change: Change }) {
  const factor = /[\d.]+/.exec(change.description)?.[0] ?? "";
  const name = { new: t("new"), gone: t("gone"), up: `×${factor}`, down: `÷${factor}`, unchanged: "" }[change.change];
  const said = {
    new: t("new"),
    gone: t("gone"),
    up: t("{n} times as many", { n: factor }),
    down: t("{n} times fewer", { n: factor }),
    unchanged: "",
  }[change.change];
  return (
    <span class={`change-state ${change.change}`} title={said}>
      <span aria-hidden="true">{name}</span>
      <span class="sr-only">{said}</span>
    </span>
  );
}

function Entry({ change, baseline }: { change: Change; baseline: Counted | null }) {
  const level = levelClass(change.level ?? "");
  const zone = view.value.zone;
  const { first } = change;
  return (
    <li class={`change level-${level}`} data-testid="change" data-change={change.change} data-pattern={change.pattern}>
      <State change={change} />
      <span class="change-level">{change.level ?? ""}</span>
      <div class="change-text">
        <button
          type="button"
          class="change-open mono"
          title={t("Show its events")}
          data-testid="change-open"
          onClick={() => showEvents(change, baseline)}
        >
          <PatternText pattern={oneLine(change.pattern, LINE_CHARS_MAX)} />
        </button>
        {first !== null && (
          <p class="change-first">
            <span class="dim">{change.change === "gone" ? t("was first") : t("first")}</span>{" "}
            <button
              type="button"
              class="link"
              title={t("Go to this line")}
              data-testid="change-first"
              onClick={() => showRow(first.id, first.time)}
            >
              <time dateTime={first.time}>{dayClock(Date.parse(first.time), zone, true)}</time>
            </button>{" "}
            <span class="mono">{oneLine(first.text, LINE_CHARS_MAX)}</span>
          </p>
        )}
        <p class="origins">
          <Origins origins={change.services} />
          <Origins origins={change.hosts} />
          {!change.exact && (
            <span class="dim" title={t("This pattern is general: the query may also find other events.")}>
              ≈
            </span>
          )}
        </p>
      </div>
      <Spark counts={change.counts} level={level} />
      <span class="change-count">
        <b class="number">{count(change.count)}</b>{" "}
        <span class="dim number">{t("was {n}", { n: count(change.previous) })}</span>
      </span>
      <span class="change-acts">
        <IconButton
          icon="plus"
          aria-label={t("Only events like this")}
          title={t("Only events like this")}
          data-testid="change-include"
          onClick={() => narrow(change.condition, false)}
        />
        <IconButton
          icon="minus"
          aria-label={t("Exclude events like this")}
          title={t("Exclude events like this")}
          data-testid="change-exclude"
          onClick={() => narrow(change.condition, true)}
        />
      </span>
    </li>
  );
}

/** Names with counts, each a filter. */
function Origins({ origins }: { origins: readonly Origin[] }) {
  const [first] = origins;
  if (first === undefined) return null;
  return (
    <span class="origin-list">
      {origins.slice(0, 3).map((origin) => (
        <button
          key={`${origin.field} ${origin.name}`}
          type="button"
          class="origin"
          title={`${origin.field} = ${origin.name}: ${t("{n} now, {m} before", { n: count(origin.count), m: count(origin.previous) })}`}
          onClick={() => filterBy(origin.field, "include", origin.name)}
        >
          {oneLine(origin.name, 40)}{" "}
          <span class="dim number">{count(Math.max(origin.count, origin.count === 0 ? origin.previous : 0))}</span>
        </button>
      ))}
      {origins.length > 3 && <span class="dim">{t("and more")}</span>}
    </span>
  );
}

function kindText(kind: Restart["kind"]): string {
  return { boot: t("machine started"), unit: t("unit started"), program: t("started"), process: t("new process") }[
    kind
  ];
}

/** What began anew: marks on a line of time, and one line each. */
function Restarts({ data }: { data: Changes }) {
  const [all, setAll] = useState(false);
  const zone = view.value.zone;
  const [from, to] = [Date.parse(data.range.from), Date.parse(data.range.to)];
  const place = (one: Restart) =>
    `${Math.min(100, Math.max(0, ((Date.parse(one.first.time) - from) / Math.max(1, to - from)) * 100))}%`;
  const shown = all ? data.restarts : data.restarts.slice(-RESTARTS_FIRST);
  return (
    <section class="restarts" aria-label={t("Restarts")} data-testid="restarts">
      <h3>
        {t("Restarts")}{" "}
        <span class="dim number">
          {count(data.restarts.length)}
          {data.more_restarts ? "+" : ""}
        </span>
      </h3>
      <div class="time-line" aria-hidden="true">
        <span class="ends">
          <span>{dayClock(from, zone)}</span>
          <span>{dayClock(to, zone)}</span>
        </span>
        {data.restarts.map((one) => (
          <i
            key={one.first.id}
            class={`restart-mark ${one.kind}`}
            style={{ left: place(one) }}
            data-testid="restart-mark"
          />
        ))}
      </div>
      <ul>
        {shown.map((one) => (
          <li key={one.first.id} class="restart" data-testid="restart" data-kind={one.kind}>
            <button
              type="button"
              class="link"
              title={t("Go to this line")}
              onClick={() => showRow(one.first.id, one.first.time)}
            >
              <time dateTime={one.first.time} title={exactText(one.first.time, zone)}>
                {dayClock(Date.parse(one.first.time), zone)}
              </time>
            </button>
            <b>{oneLine(one.name, 60)}</b>{" "}
            <span>
              {kindText(one.kind)}
              {one.host !== null && <span class="dim"> · {oneLine(one.host.name, 60)}</span>}
            </span>
            <span class="mono dim ellipsis">{oneLine(one.first.text, LINE_CHARS_MAX)}</span>
          </li>
        ))}
      </ul>
      {!all && data.restarts.length > RESTARTS_FIRST && (
        <Button label={t("Show all {n}", { n: count(data.restarts.length) })} onClick={() => setAll(true)} />
      )}
    </section>
  );
}
