// Prometheus' API of the server, as far as the page uses it: lines of a query, names of metrics and labels, and their numbers.

import { ApiError, json, post, type Notice } from "../api.ts";

const PREFIX = "prometheus/api/v1/";

/** The label that holds the name of a metric. */
export const NAME = "__name__";

/** Most series of an answer that the page reads. */
const LINES_MAX = 1000;
/** What the server remarks about an answer with more. */
const CUT = "results truncated due to limit";

/** Labels of a series; `__name__` is the name of its metric. */
export type Labels = Readonly<Record<string, string>>;

/** A series of a range: its labels and its points, in the order of time. */
export interface Line {
  labels: Labels;
  points: [ms: number, value: number][];
}

/** A bucket of a native histogram: its bounds, which of them are in it, and its observations. */
export interface Bucket {
  /** 0 if the upper bound is in it, 1 if the lower one is, 2 if none is, 3 if both are. */
  rule: number;
  lower: number;
  upper: number;
  count: number;
}

/** A native histogram: all observations, their sum, and the buckets that have some, in the order of their bounds. */
export interface Histogram {
  count: number;
  sum: number;
  buckets: Bucket[];
}

/** A series of native histograms: its labels and its points, in the order of time. */
export interface HistogramLine {
  labels: Labels;
  points: [ms: number, histogram: Histogram][];
}

/** The instants at which a query is evaluated, in ms. */
export interface Steps {
  from: number;
  to: number;
  step: number;
}

/** The answer to a query over a range. */
export interface Lines extends Steps {
  query: string;
  /** How many series there are, of numbers or histograms. */
  series: number;
  lines: Line[];
  histograms: HistogramLine[];
  /** Whether there are more series than are read. */
  isCut: boolean;
  /** Why samples may be missing. */
  missing: Notice[];
  /** What the evaluation remarks about the query. */
  notes: string[];
}

/** What senders say about a metric. */
export interface About {
  type: string;
  help: string;
  unit: string;
}

/** Numbers of series, as of the last hour. */
export interface Cardinality {
  series: number;
  byName: ReadonlyMap<string, number>;
  /** Distinct values of each label, most first. */
  labels: { name: string; values: number }[];
  /** Series by `label=value`. */
  byPair: ReadonlyMap<string, number>;
}

interface Answer<T> {
  data: T;
  warnings?: string[];
  infos?: string[];
}

function get<T>(path: string, params: readonly (readonly [string, string])[], signal?: AbortSignal) {
  const search = new URLSearchParams(params.map(([name, value]) => [name, value])).toString();
  return json<Answer<T>>(`${PREFIX}${path}${search === "" ? "" : `?${search}`}`, signal ? { signal } : {});
}

const seconds = (ms: number) => String(ms / 1000);

/** A number as Prometheus writes it. */
export function sampleValue(text: string): number {
  return text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text);
}

/** A native histogram as Prometheus writes it. */
export interface HistogramText {
  count: string;
  sum: string;
  buckets?: [rule: number, lower: string, upper: string, count: string][];
}

/** Reads a native histogram. */
export function histogramOf({ count, sum, buckets = [] }: HistogramText): Histogram {
  return {
    count: sampleValue(count),
    sum: sampleValue(sum),
    buckets: buckets.map(([rule, lower, upper, count]) => ({
      rule,
      lower: sampleValue(lower),
      upper: sampleValue(upper),
      count: sampleValue(count),
    })),
  };
}

/** A series of a range as Prometheus writes it: numbers, histograms, or one after the other. */
interface MatrixRow {
  metric?: Labels;
  values?: [number, string][];
  histograms?: [number, HistogramText][];
}

/** The same error with its place in the query: Prometheus' API has no room for it. */
async function located(error: unknown, query: string, to: number, signal: AbortSignal): Promise<unknown> {
  if (!(error instanceof ApiError) || (error.status !== 400 && error.status !== 422)) return error;
  try {
    await post("api/v1/query", { query, language: "promql", to: new Date(to).toISOString(), limit: 1 }, signal);
  } catch (again) {
    if (again instanceof ApiError && again.start !== null) return again;
  }
  return error;
}

/** Asks a query over a range. */
export async function askLines(query: string, { from, to, step }: Steps, signal: AbortSignal): Promise<Lines> {
  let answer: Answer<{ result?: MatrixRow[] }>;
  try {
    answer = await get(
      "query_range",
      [
        ["query", query],
        ["start", seconds(from)],
        ["end", seconds(to)],
        ["step", seconds(step)],
        ["limit", String(LINES_MAX)],
      ],
      signal,
    );
  } catch (error) {
    throw await located(error, query, to, signal);
  }
  const remarks = [...(answer.warnings ?? []), ...(answer.infos ?? [])];
  const isAboutQuery = (text: string) => text.startsWith("PromQL ");
  const rows = answer.data.result ?? [];
  const ms = (at: number) => Math.round(at * 1000);
  return {
    query,
    from,
    to,
    step,
    series: rows.length,
    lines: rows
      .filter(({ values, histograms }) => values || !histograms)
      .map(({ metric = {}, values = [] }) => ({
        labels: metric,
        points: values.map(([at, value]) => [ms(at), sampleValue(value)]),
      })),
    histograms: rows.flatMap(({ metric = {}, histograms }) =>
      histograms ? [{ labels: metric, points: histograms.map(([at, one]) => [ms(at), histogramOf(one)]) }] : [],
    ),
    isCut: remarks.includes(CUT),
    missing: remarks
      .filter((one) => !isAboutQuery(one) && one !== CUT)
      .map((message) => ({ code: "samples-missing", message: message.replace(/\.$/, "") })),
    notes: remarks.filter(isAboutQuery).map((one) => one.replace(/^PromQL (?:warning|info): /, "")),
  };
}

/** Finds the first mistake of a query; `null` if there is none. */
export async function checkPromql(query: string, signal: AbortSignal): Promise<ApiError | null> {
  try {
    await get("format_query", [["query", query]], signal);
    return null;
  } catch (error) {
    const found = await located(error, query, Date.now(), signal);
    return found instanceof ApiError && found.status === 400 ? found : null;
  }
}

/** Returns the query in its usual layout. */
export async function formatPromql(query: string): Promise<string> {
  return (await get<string>("format_query", [["query", query]])).data;
}

/** The parameters of a range, and of the series that selectors choose in it. */
function within({ from, to }: { from: number; to: number }, selectors: readonly string[]): [string, string][] {
  return [
    ["start", seconds(from)],
    ["end", seconds(to)],
    ...selectors.map((one): [string, string] => ["match[]", one]),
  ];
}

/** Returns the values of a label in a range, in alphabetical order. */
export async function labelValues(
  label: string,
  range: { from: number; to: number },
  selectors: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  // A name with other characters than those of an identifier is escaped as Prometheus does it.
  const plain = /^[A-Za-z_]\w*$/.test(label) && !label.startsWith("U__");
  const escaped = (character: string) => (character === "_" ? "__" : `_${character.codePointAt(0)?.toString(16)}_`);
  const name = plain ? label : `U__${label.replaceAll(/[^A-Za-z0-9]/gu, escaped)}`;
  return (await get<string[]>(`label/${name}/values`, within(range, selectors), signal)).data;
}

/** Returns the labels of the series that a selector chooses in a range, at most `limit`. */
export async function seriesOf(
  selector: string,
  range: { from: number; to: number },
  limit: number,
  signal: AbortSignal,
): Promise<Labels[]> {
  const params: [string, string][] = [...within(range, [selector]), ["limit", String(limit)]];
  return (await get<Labels[]>("series", params, signal)).data;
}

/** Returns the numbers of series by name that a selector chooses in the hour before an instant. */
export async function countsByName(
  selector: string,
  at: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const params: [string, string][] = [
    ["query", `count by (${NAME}) (last_over_time(${selector}[1h]))`],
    ["time", seconds(at)],
  ];
  const { data } = await get<{ result?: { metric: Labels; value?: [number, string] }[] }>("query", params, signal);
  return new Map((data.result ?? []).map(({ metric, value }) => [metric[NAME] ?? "", Number(value?.[1] ?? 0)]));
}

/** Returns the numbers of series of the last hour. */
export async function cardinality(signal: AbortSignal): Promise<Cardinality> {
  type Rows = { name: string; value: number }[];
  const { data } = await get<{
    headStats?: { numSeries?: number };
    seriesCountByMetricName?: Rows;
    labelValueCountByLabelName?: Rows;
    seriesCountByLabelValuePair?: Rows;
  }>("status/tsdb", [["limit", "10000"]], signal);
  const map = (rows: Rows = []) => new Map(rows.map(({ name, value }) => [name, value]));
  return {
    series: data.headStats?.numSeries ?? 0,
    byName: map(data.seriesCountByMetricName),
    labels: (data.labelValueCountByLabelName ?? []).map(({ name, value }) => ({ name, values: value })),
    byPair: map(data.seriesCountByLabelValuePair),
  };
}

/** Returns what senders say about their metrics. */
export async function metadata(signal: AbortSignal): Promise<ReadonlyMap<string, About>> {
  const { data } = await get<Record<string, Partial<About>[]>>("metadata", [], signal);
  return new Map(
    Object.entries(data).map(([name, [one]]) => [
      name,
      { type: one?.type ?? "unknown", help: one?.help ?? "", unit: one?.unit ?? "" },
    ]),
  );
}
