// What changed, the patterns of messages, and what differs: what stands in place of the rows.

import { signal } from "@preact/signals";

import * as api from "../api/changes.ts";
import type { Lane } from "../ask.ts";
import { count } from "../format.ts";
import { later } from "../parts/later.tsx";
import { Options } from "../parts/options.tsx";
import { plural, t, text } from "../texts.ts";
import { go, view } from "../view.ts";
import { ChangeList } from "./changes.tsx";
import { Panel, useAnswer } from "./panel_frame.tsx";
import { PatternTable } from "./patterns.tsx";

const Differs = later(async () => (await import("./differs_panel.tsx")).DiffersPanel);

const changes = signal<Lane<api.Changes>>({ state: "idle", data: null, error: null, since: 0 });
const patterns = signal<Lane<api.Patterns>>({ state: "idle", data: null, error: null, since: 0 });

/** Times that one may compare with. */
const BASELINES: readonly { baseline: string; name: string }[] = [
  { baseline: "previous", name: text("the time just before") },
  { baseline: "previousDay", name: text("the day before") },
  { baseline: "previousWeek", name: text("the week before") },
];

/** The choice of the time to compare with. */
function Against() {
  return (
    <label class="against">
      <span>{t("against")}</span>
      <select
        value={view.value.against}
        data-testid="against"
        onChange={(event) => go({ against: event.currentTarget.value })}
      >
        <Options of={BASELINES.map(({ baseline, name: label }) => [baseline, t(label)])} />
      </select>
    </label>
  );
}

/** The panel that the address names. */
export function Panels() {
  if (view.value.panel === "differs") return <Differs />;
  return view.value.panel === "patterns" ? <PatternsPanel /> : <ChangesPanel />;
}

function scope() {
  const of = view.peek();
  return { from: of.from, to: of.to, groups: of.groups };
}

function ChangesPanel() {
  const of = view.value;
  useAnswer(changes, of.against, (signal) => api.askChanges(of.query, scope(), of.zone, of.against, signal));
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
    <Panel name={t("What changed")} lane={changes} head={head} tools={<Against />} testId="changes">
      {data !== null && <ChangeList data={data} />}
    </Panel>
  );
}

function PatternsPanel() {
  const of = view.value;
  useAnswer(patterns, of.against, (signal) => api.askPatterns(of.query, scope(), of.zone, of.against, signal));
  const data = patterns.value.data;
  const shown = data?.patterns.length ?? 0;
  const head =
    data === null
      ? ""
      : data.more
        ? t("the {n} most frequent patterns", { n: count(shown) })
        : plural(shown, "{n} pattern", "{n} patterns", count(shown));
  return (
    <Panel name={t("Patterns")} lane={patterns} head={head} tools={<Against />} testId="patterns">
      {data !== null && <PatternTable data={data} />}
    </Panel>
  );
}
