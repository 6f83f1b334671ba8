// What changed, and the patterns of messages: what stands in place of the rows.

import { signal, type Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import * as api from "../api/changes.ts";
import { cancel, start, type Lane } from "../ask.ts";
import { count, milliseconds } from "../format.ts";
import { copyLink } from "../keys.ts";
import { Icon } from "../parts/icons.tsx";
import { plural, t, text } from "../texts.ts";
import { asked, go, view } from "../view.ts";
import { ChangeList } from "./changes.tsx";
import { FieldsButton } from "./fields_button.tsx";
import { PanelSwitch } from "./panel_switch.tsx";
import { PatternTable } from "./patterns.tsx";

const changes = signal<Lane<api.Changes>>({ state: "idle", data: null, error: null, since: 0 });
const patterns = signal<Lane<api.Patterns>>({ state: "idle", data: null, error: null, since: 0 });

/** Times that one may compare with. */
const BASELINES: readonly { baseline: string; name: string }[] = [
  { baseline: "previous", name: text("the time just before") },
  { baseline: "previousDay", name: text("the day before") },
  { baseline: "previousWeek", name: text("the week before") },
];

/** Asks whenever what is asked about has changed. */
function useAnswer<T>(lane: Signal<Lane<T>>, ask: (signal: AbortSignal) => Promise<T>): void {
  const of = view.value;
  useEffect(() => {
    void start(lane, ask);
  }, [of.query, of.from, of.to, of.groups.join(","), of.zone, of.against, asked.value]);
  // Whoever goes elsewhere does not wait for it any more.
  useEffect(
    () => () => {
      cancel(lane);
      lane.value = { state: "idle", data: null, error: null, since: 0 };
    },
    [],
  );
}

/** The panel that the address names. */
export function Panels() {
  return view.value.panel === "patterns" ? <PatternsPanel /> : <ChangesPanel />;
}

function scope() {
  const of = view.peek();
  return { from: of.from, to: of.to, groups: of.groups };
}

function ChangesPanel() {
  const of = view.value;
  useAnswer(changes, (signal) => api.askChanges(of.query, scope(), of.zone, of.against, signal));
  const data = changes.value.data;
  const head =
    data === null
      ? ""
      : data.changes.length === 0
        ? t("nothing changed")
        : data.more
          ? t("the {n} most important changes", { n: count(data.changes.length) })
          : plural(data.changes.length, "{n} change", "{n} changes", count(data.changes.length));
  return (
    <Panel name={t("What changed")} lane={changes} head={head} testId="changes">
      {data !== null && <ChangeList data={data} />}
    </Panel>
  );
}

function PatternsPanel() {
  const of = view.value;
  useAnswer(patterns, (signal) => api.askPatterns(of.query, scope(), of.zone, of.against, signal));
  const data = patterns.value.data;
  const shown = data?.patterns.length ?? 0;
  const head =
    data === null
      ? ""
      : data.more
        ? t("the {n} most frequent patterns", { n: count(shown) })
        : plural(shown, "{n} pattern", "{n} patterns", count(shown));
  return (
    <Panel name={t("Patterns")} lane={patterns} head={head} testId="patterns">
      {data !== null && <PatternTable data={data} />}
    </Panel>
  );
}

interface PanelProps<T> {
  name: string;
  lane: Signal<Lane<T>>;
  head: string;
  testId: string;
  children: ComponentChildren;
}

/** The frame of both: head, wait, error, what is missing. */
function Panel<T extends api.Told>({ name, lane, head, testId, children }: PanelProps<T>) {
  const { state, data, error } = lane.value;
  return (
    <section
      class={`result${state === "loading" && data !== null ? " stale" : ""}`}
      aria-label={name}
      aria-busy={state === "loading"}
      data-testid={testId}
      data-state={state}
    >
      <Wait lane={lane} />
      <div class="result-head">
        <FieldsButton />
        <PanelSwitch />
        <span role="status" data-testid="panel-head">
          {head}
        </span>
        <label class="against">
          <span>{t("against")}</span>
          <select
            value={view.value.against}
            data-testid="against"
            onChange={(event) => go({ against: event.currentTarget.value })}
          >
            {BASELINES.map(({ baseline, name: label }) => (
              <option key={baseline} value={baseline}>
                {t(label)}
              </option>
            ))}
          </select>
        </label>
        <span class="dim cost">
          {data?.stats.elapsed_ms === undefined
            ? ""
            : `${count(data.stats.events_scanned ?? 0)} ${t("scanned")} · ${milliseconds(data.stats.elapsed_ms)}`}
        </span>
        <button type="button" class="button quiet" data-testid="panel-link" onClick={copyLink}>
          <Icon name="link" />
          <span>{t("Copy link")}</span>
        </button>
      </div>
      <div class="panel-body">
        {state === "error" && (
          <div class="state" role="alert" data-testid="panel-failed">
            <h2>
              {error?.code === "cancelled"
                ? t("Cancelled")
                : error?.status === 0
                  ? t("The server cannot be reached")
                  : error?.status === 400
                    ? t("The query could not be read")
                    : t("This could not be answered")}
            </h2>
            {error?.code !== "cancelled" && <p>{error?.message}</p>}
            {error?.hint && <p class="hint">{error.hint}</p>}
            <p>
              <button type="button" class="button primary" onClick={() => (asked.value += 1)}>
                {t("Try again")}
              </button>
            </p>
          </div>
        )}
        {data?.partial && (
          <div class="partial" role="alert" data-testid="panel-partial">
            <b>{t("This answer is incomplete.")}</b>
            {data.partial_reasons.map((reason, at) => (
              <span key={at}> {reason.message}.</span>
            ))}
          </div>
        )}
        {state !== "error" && data === null && (
          <div class="skeleton" aria-hidden="true">
            {Array.from({ length: 8 }, (_, n) => (
              <div key={n} style={{ width: `${88 - ((n * 31) % 45)}%` }} />
            ))}
          </div>
        )}
        {state !== "error" && children}
      </div>
    </section>
  );
}

/** A thin bar while the answer is on its way; after a moment the time it takes and a way to stop it. */
function Wait<T>({ lane }: { lane: Signal<Lane<T>> }) {
  const { state, since } = lane.value;
  const [now, setNow] = useState(0);
  const busy = state === "loading";
  useEffect(() => {
    if (!busy) return;
    const timer = setInterval(() => setNow(performance.now()), 200);
    return () => clearInterval(timer);
  }, [busy, since]);
  if (!busy) return null;
  const elapsed = now - since;
  return (
    <div class="waiting-bar" data-testid="panel-loading">
      <span class="progress" aria-hidden="true" />
      {elapsed > 400 && (
        <span class="waiting-text" role="status">
          {t("comparing… {time}", { time: milliseconds(elapsed) })}{" "}
          <button type="button" class="link" onClick={() => cancel(lane)}>
            {t("Cancel")}
          </button>
        </span>
      )}
    </div>
  );
}
