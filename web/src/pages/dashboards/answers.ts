// What a panel draws of the answers to its queries: series with labels, by time or at one instant, whatever the language.

import type { Answer, Column, Notice } from "../../api.ts";
import type { BoardPanel, LegendValue, PanelQuery } from "../../api/dashboards.ts";
import { levelClass, LEVELS } from "../../explore/levels.ts";
import { measuresOf, NOTHING, numberIn, stepOf } from "../../explore/series.ts";
import { cut, printable, textOf } from "../../format.ts";
import type { Json } from "../../query/edit.ts";

/** A line of a panel, or at one instant a number with a name. */
export interface PanelSeries {
  name: string;
  labels: Readonly<Record<string, string>>;
  /** The place of its query among the panel's. */
  query?: number;
  /** Whether it is the sum of those that are too many. */
  isRest?: boolean;
  /** In the order of time; an answer that is not by time has one point at 0. */
  points: [ms: number, value: number][];
  /** The only time of an answer that is not by time; `null` if it has none. */
  only?: number | null;
  /** The length of the bins whose ends the points are at, in ms; absent if points are at the starts of bins. */
  ends?: number;
}

/** What a query's answer holds. */
export interface QueryData {
  series: PanelSeries[];
  /** Whether the answer is by time. */
  isByTime: boolean;
  columns: readonly Column[];
  rows: readonly Json[][];
  /** Whether the answer has more rows than were asked for. */
  isCut: boolean;
  partial: readonly Notice[] | null;
  warnings: readonly Notice[];
}

/** Events of a panel of logs. */
export const LOGS_MAX = 200;

const NAME_CHARS_MAX = 120;
/** The label that holds the name of a metric. */
const METRIC = "__name__";

/** Whether the answer is a series of numbers, at instants that are asked for: PromQL, TraceQL, and LogQL's metric queries. */
export function isSeries({ language, query }: Pick<PanelQuery, "language" | "query">): boolean {
  return (
    language === "promql" || language === "traceql" || (language === "logql" && !/^(?:\s|#[^\n]*\n)*\{/.test(query))
  );
}

/** Returns the series of an answer. */
export function dataOf(answer: Answer, { query, language = "insights" }: PanelQuery): QueryData {
  const { columns, rows } = answer;
  const numbers = measuresOf({ columns, table: rows, query }, language);
  const time = columns.findIndex((column) => column.type === "timestamp");
  const labels = columns.flatMap((_, at) => (at !== time && !numbers.includes(at) ? [at] : []));
  // Events have a time, too; their numbers are points.
  const isByTime = time >= 0 && rows.some((row) => row[time] !== rows[0]?.[time]);
  const only = time >= 0 ? Date.parse(String(rows[0]?.[time])) : null;
  // By labels, and by the places of numbers among the columns.
  const found = new Map<string, Map<number, PanelSeries>>();
  const series: PanelSeries[] = [];
  for (const row of rows) {
    const ms = isByTime ? Date.parse(String(row[time])) : 0;
    if (Number.isNaN(ms)) continue;
    const texts = labels.map((at) => textOf(row[at], NOTHING));
    const key = texts.length === 1 ? (texts[0] ?? "") : JSON.stringify(texts);
    const ofLabels = found.get(key) ?? new Map<number, PanelSeries>();
    if (ofLabels.size === 0) found.set(key, ofLabels);
    for (const at of numbers) {
      const value = numberIn(row[at]);
      if (value === undefined) continue;
      let one = ofLabels.get(at);
      if (one === undefined) {
        const named = labels.map((label, n) => [columns[label]?.name ?? "", texts[n] ?? ""] as const);
        one = { name: columns[at]?.name ?? "", labels: Object.fromEntries(named), points: [] };
        if (!isByTime) one.only = only;
        ofLabels.set(at, one);
        series.push(one);
      }
      if (Number.isFinite(value)) one.points.push([ms, value]);
    }
  }
  for (const one of series) one.points.sort((a, b) => a[0] - b[0]);
  return {
    series,
    isByTime,
    columns,
    rows,
    isCut: answer.more === true,
    partial: answer.partial ? answer.partial_reasons : null,
    warnings: answer.warnings,
  };
}

/** Returns the data with series whose points are at the ends of bins of a width in ms. */
export function withEnds(data: QueryData, ends: number): QueryData {
  return { ...data, series: data.series.map((one) => ({ ...one, ends })) };
}

/** Writes a series' name by a template in which `{label}` stands for the label's value. */
function templated(template: string, labels: PanelSeries["labels"]): string {
  return template.replaceAll(/\{([^{}]+)\}/g, (place, name: string) => labels[name.trim()] ?? place);
}

/** Names the series of a query by what tells them apart. `prefix` tells its series from those of other queries. */
function named(all: readonly PanelSeries[], query: PanelQuery, prefix: string): PanelSeries[] {
  const measures = new Set(all.map(({ name }) => name));
  const isShared = (label: string, value: string) => all.every(({ labels }) => labels[label] === value);
  return all.map((one) => {
    const own = Object.entries(one.labels)
      .filter(([label, value]) => value !== "" && (all.length === 1 ? label !== METRIC : !isShared(label, value)))
      .map(([, value]) => value);
    const measure = measures.size > 1 || own.length === 0 ? (one.labels[METRIC] ?? one.name) : "";
    const label = query.label ?? "";
    const name = label.includes("{")
      ? templated(label, one.labels)
      : [label || prefix, ...own, label === "" ? measure : ""].filter((part) => part !== "").join(" · ");
    return { ...one, name: printable(cut(name || one.name, NAME_CHARS_MAX)) };
  });
}

/** Returns the name of a query in its panel's expression. */
export function queryId(query: PanelQuery, at: number): string {
  return query.id ?? String.fromCharCode(97 + at);
}

/** Gives every series a name of its own. */
function distinct(series: readonly PanelSeries[]): PanelSeries[] {
  const taken = new Map<string, number>();
  return series.map((one) => {
    const n = (taken.get(one.name) ?? 0) + 1;
    taken.set(one.name, n);
    return n === 1 ? one : { ...one, name: `${one.name} (${n})` };
  });
}

const names = new Intl.Collator("en", { numeric: true });

/** The order of names: levels by their weight, numbers in names by their size. It stays when values change, and so do colours. */
export function byName(a: { name: string }, b: { name: string }): number {
  const weight = ({ name }: { name: string }) => LEVELS.findIndex((level) => level === levelClass(name));
  const [one, other] = [weight(a), weight(b)];
  return one >= 0 && other >= 0 ? one - other : names.compare(a.name, b.name);
}

/** Returns the series of a panel's queries, named; `prefix` where there are several queries. */
export function seriesOf(panel: Pick<BoardPanel, "queries">, data: readonly QueryData[]): PanelSeries[] {
  const queries = panel.queries ?? [];
  return distinct(
    data.flatMap(({ series }, at) => {
      const query = queries[at] ?? { query: "" };
      const prefix = queries.length > 1 ? queryId(query, at) : "";
      return named(series, query, prefix)
        .sort(byName)
        .map((one) => ({ ...one, query: at }));
    }),
  );
}

/** Returns the series by the ids of their queries, for an expression. */
export function byQuery(
  panel: Pick<BoardPanel, "queries">,
  data: readonly QueryData[],
): Readonly<Record<string, PanelSeries[]>> {
  const queries = panel.queries ?? [];
  return Object.fromEntries(data.map(({ series }, at) => [queryId(queries[at] ?? { query: "" }, at), series]));
}

/** Names the series that an expression gave. */
export function namedResults(series: readonly PanelSeries[], expression: string): PanelSeries[] {
  const results = series.map((one) => ({ ...one, name: expression }));
  return distinct(named(results, { query: "" }, "").sort(byName));
}

/** Returns the distance of points: that of the bins, which may be far apart, else the least that there is, and the step that was asked for where there is none. */
export function distanceOf(series: readonly PanelSeries[], { step, bin = null }: Distances): number {
  const least = Math.min(stepOf(series), bin ?? Infinity);
  return Number.isFinite(least) ? least : step;
}

/** What is known of the distance of points before there are any: the step asked for, and the width of bins. */
export interface Distances {
  step: number;
  bin?: number | null;
}

/** Puts zeros where a series has no value, at every step of the range. */
export function withZeros(
  series: readonly PanelSeries[],
  { from, to, step }: { from: number; to: number; step: number },
): PanelSeries[] {
  const first = series.reduce((least, { points }) => Math.min(least, points[0]?.[0] ?? Infinity), Infinity);
  if (!Number.isFinite(first) || !(step > 0)) return [...series];
  const start = first - Math.floor((first - from) / step) * step;
  const instants: number[] = [];
  for (let ms = start; ms <= to && instants.length < 20_000; ms += step) instants.push(ms);
  return series.map((one) => {
    const values = new Map(one.points);
    const all = new Set([...instants, ...values.keys()]);
    return { ...one, points: [...all].sort((a, b) => a - b).map((ms) => [ms, values.get(ms) ?? 0]) };
  });
}

/** Returns at most about four points for each of `columns` pixels: the first, the lowest, the highest and the last of each. */
export function thinned(points: PanelSeries["points"], columns: number): PanelSeries["points"] {
  if (points.length <= 4 * columns) return points;
  const [from, to] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  const each = Math.max(1, (to - from) / columns);
  const kept: PanelSeries["points"] = [];
  let part: PanelSeries["points"] = [];
  const end = () => {
    const [first, last] = [part[0], part.at(-1)];
    if (!first || !last) return;
    const low = part.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = part.reduce((a, b) => (b[1] > a[1] ? b : a));
    kept.push(...[...new Set([first, low, high, last])].sort((a, b) => a[0] - b[0]));
    part = [];
  };
  let column = 0;
  for (const point of points) {
    const at = Math.floor((point[0] - from) / each);
    if (at !== column) end();
    column = at;
    part.push(point);
  }
  end();
  return kept;
}

/** Keeps the largest series; the others become one, so that a stack keeps its height. */
export function largest(series: readonly PanelSeries[], most: number, others: string): PanelSeries[] {
  if (series.length <= most) return [...series];
  const size = ({ points }: PanelSeries) => points.reduce((sum, [, value]) => sum + Math.abs(value), 0);
  const sorted = [...series].sort((a, b) => size(b) - size(a));
  const sums = new Map<number, number>();
  for (const { points } of sorted.slice(most - 1))
    for (const [ms, value] of points) sums.set(ms, (sums.get(ms) ?? 0) + value);
  return [
    ...sorted.slice(0, most - 1).sort(byName),
    { name: others, labels: {}, isRest: true, points: [...sums].sort((a, b) => a[0] - b[0]) },
  ];
}

/** Returns a number of a series; NaN of one without points. */
export function numberOf({ points }: Pick<PanelSeries, "points">, of: LegendValue): number {
  const values = points.map(([, value]) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  if (values.length === 0) return NaN;
  switch (of) {
    case "last":
      return values.at(-1) ?? NaN;
    case "max":
      return values.reduce((most, value) => Math.max(most, value), -Infinity);
    case "min":
      return values.reduce((least, value) => Math.min(least, value), Infinity);
    case "mean":
      return sum / values.length;
    case "sum":
      return sum;
  }
}

/** Returns the points of whole buckets: the last one has only begun where the range ends within it. */
export function wholeBuckets(points: PanelSeries["points"], step: number, end: number): PanelSeries["points"] {
  const last = points.at(-1);
  return last && points.length > 1 && last[0] + step > end ? points.slice(0, -1) : points;
}

/** Turns Prometheus' cumulative buckets (`le`) into counts of each; other series stay as they are. */
export function bandsOf(series: readonly PanelSeries[]): PanelSeries[] {
  const bound = (one: PanelSeries) => (one.labels["le"] === "+Inf" ? Infinity : Number(one.labels["le"] ?? NaN));
  if (series.length < 2 || series.some((one) => Number.isNaN(bound(one)))) return [...series];
  const sorted = [...series].sort((a, b) => bound(a) - bound(b));
  return sorted.map((one, at) => {
    const below = new Map(sorted[at - 1]?.points ?? []);
    return { ...one, points: one.points.map(([ms, value]) => [ms, Math.max(0, value - (below.get(ms) ?? 0))]) };
  });
}
