// Asks for what the metrics view shows. Lines, log lines, names of metrics and their numbers load and fail independently.

import { signal } from "@preact/signals";

import * as api from "../api/metrics.ts";
import { fields } from "../api.ts";
import { askRows, groupList, ROWS_ASKED, start, stop, type Lane } from "../ask.ts";
import { checked } from "../explore/editor_state.ts";
import { metricLines } from "../hook.ts";
import { addFilter } from "../query/edit.ts";
import type { Rows } from "../rows.ts";
import { ApiError } from "../api.ts";
import { asked, askedAt, rangeMs, view, type View } from "../view.ts";
import { HOST_FIELDS, logsOfHost } from "./host.ts";
import { stepsOf } from "./range.ts";
import type { Matcher } from "./promql.ts";
import { selector } from "./promql.ts";

/** Metrics are events, too, but no log lines: samples, CloudWatch's data and measurements of hosts are in groups of their own. */
const NO_METRICS = '@type != "sample" and @log not like /^metrics\\//';

function idle<T>(): Lane<T> {
  return { state: "idle", data: null, error: null, since: 0 };
}

/** The lines of the query. */
export const lines = signal<Lane<api.Lines>>(idle());
/** The log lines of the same time. */
export const logs = signal<Lane<Rows>>(idle());
/** Names of metrics in the range that the matchers choose, with their numbers of series where these are known. */
export const names = signal<Lane<{ name: string; series: number | undefined }[]>>(idle());
/** Numbers of series of the last hour. */
export const numbers = signal<Lane<api.Cardinality>>(idle());
/** What senders say about their metrics. */
export const about = signal<Lane<ReadonlyMap<string, api.About>>>(idle());
/** Labels that every listed metric has to have. */
export const narrowed = signal<readonly Matcher[]>([]);

metricLines.peek = () => ({ lines: lines.peek(), logs: logs.peek() });

/** Returns the instants of a view's chart. */
export function stepsOfView(of: View): api.Steps {
  const [from, to] = rangeMs(of, askedAt.peek());
  if (from > 0) return stepsOf([from, to]);
  // All time begins with the first sample.
  const firsts = (groupList.peek().data ?? [])
    .filter(({ name }) => name.startsWith("metrics/"))
    .map(({ first }) => Date.parse(first ?? ""))
    .filter((ms) => ms > 0);
  return stepsOf([firsts.length === 0 ? to - 30 * 86_400_000 : Math.min(...firsts), to]);
}

/** The range of the log lines: the chosen part of the chart, or all of it. */
export function logRange(of: View): { from: number; to: number } | null {
  const [from, to] = of.selection.split("_").map(Number);
  return from !== undefined && to !== undefined && to > from ? { from, to } : null;
}

/** Asks for the lines. */
export function askLines(of: View): void {
  if (of.query.trim() === "") {
    stop(lines);
    lines.value = idle();
    return;
  }
  void start(lines, async (signal) => {
    try {
      const found = await api.askLines(of.query, stepsOfView(of), signal);
      checked.value = null;
      return found;
    } catch (error) {
      // The editor marks the place.
      if (error instanceof ApiError && error.status < 500 && error.status >= 400)
        checked.value = { text: of.query, error, warnings: [] };
      throw error;
    }
  });
}

/** Asks for the log lines. */
export function askLogs(of: View): void {
  const part = logRange(of);
  const iso = (ms: number) => new Date(ms).toISOString();
  const scope = {
    from: part ? iso(part.from) : of.from,
    // The end of a range is in it.
    to: part ? iso(part.to - 1) : of.to,
    groups: of.groups,
  };
  const query = addFilter(of.logs, NO_METRICS);
  void start(logs, (signal) =>
    askRows({ ...of, query }, scope, ROWS_ASKED, signal, (data) => {
      logs.value = { ...logs.peek(), data };
    }),
  );
}

/** Asks for names, numbers and what is said about metrics. */
export function askNames(of: View): void {
  const { from, to } = stepsOfView(of);
  const matchers = narrowed.peek();
  void start(numbers, (signal) => api.cardinality(signal));
  void start(names, async (signal) => {
    if (matchers.length === 0) {
      const found = await api.labelValues(api.NAME, { from, to }, [], signal);
      return found.map((name) => ({ name, series: undefined }));
    }
    const chosen = selector("", matchers);
    const [found, counts] = await Promise.all([
      api.labelValues(api.NAME, { from, to }, [chosen], signal),
      api.countsByName(chosen, to, signal),
    ]);
    return found.map((name) => ({ name, series: counts.get(name) }));
  });
}

/** Asks once what senders say about their metrics. */
export function askAbout(): void {
  if (about.peek().data === null) void start(about, (signal) => api.metadata(signal));
}

/** Stops everything, for want of anyone who looks. */
export function leave(): void {
  for (const lane of [lines, logs, names, numbers]) stop(lane as typeof lines);
}

let known: { key: string; names: readonly string[] } = { key: "", names: [] };

/** Returns the query of the log lines of a series' host; the names of their fields are asked once for each range. */
export async function logsOf(labels: api.Labels): Promise<string> {
  const { from, to, groups } = view.peek();
  const key = JSON.stringify([from, to, groups, asked.peek()]);
  if (known.key !== key) {
    const found = await fields({ from, to, groups }, `filter ${NO_METRICS}`, new AbortController().signal);
    known = { key, names: found.fields.map(({ name }) => name).filter((name) => HOST_FIELDS.includes(name)) };
  }
  return logsOfHost(labels, known.names);
}
