// When errors rose, fell or stopped in the range shown, and which restarts preceded that: told in the line above the rows, and
// marked on the chart.

import { computed, signal } from "@preact/signals";

import type { Mark, Onset } from "../api/cause.ts";
import { counts, type Lane } from "../ask.ts";
import { t, text } from "../texts.ts";
import { askedAt, rangeMs, view } from "../view.ts";
import { riseOf, toldOf, type Told } from "./rise.ts";

/** What the server says about the onset. */
export const onset = signal<Lane<Onset>>({ state: "idle", data: null, error: null, since: 0 });

/** The view whose errors the present onset is about. */
export const answered = signal("");

/** The view on screen, as far as an onset depends on it. */
export const shown = computed(() => {
  const { query, groups, from, to, zone } = view.value;
  return JSON.stringify([query, groups, from, to, zone]);
});

/** What the bars say, and what the server says where it was asked about this view: what was found a moment ago stays until there is something newer. */
export const found = computed(() => {
  const { data } = counts.value;
  const [from, to] = rangeMs(view.value, askedAt.value);
  const rise = data === null ? null : riseOf(data);
  const known = answered.value === shown.value ? onset.value.data : null;
  return { from, to, rise, known, told: toldOf(rise, known, from) };
});

const NAMES: Readonly<Record<Told["kind"], string>> = {
  rose: text("Errors rose"),
  high: text("Errors rose"),
  fell: text("Errors fell"),
  stopped: text("Errors stopped"),
};

/** What was found as marks, in order of time; those that people made are not among them. */
export const onsetMarks = computed<readonly (Mark & { kind: string })[]>(() => {
  const { told, known } = found.value;
  if (told === null || view.value.live) return [];
  const mark = (kind: string, at: number, said: string) => ({
    kind,
    id: `${kind} ${at} ${said}`,
    text: said,
    at: new Date(at).toISOString(),
    until: null,
    fields: {},
  });
  const restarts = (known?.also ?? [])
    .filter(({ kind }) => kind === "restart")
    .map(({ at, what }) => mark("restart", Date.parse(at), t("Restart: {what}", { what })));
  return [...restarts, mark("onset", told.at, t(NAMES[told.kind]))].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
});
