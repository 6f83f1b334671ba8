// Native histograms of a panel: read out of an answer, and as rows of a heatmap, as in the metrics view.

import type { BoardPanel } from "../../api/dashboards.ts";
import { sampleValue, type Histogram, type HistogramLine } from "../../api/metrics.ts";
import { bucketRows, countLines } from "../../metrics/histograms.ts";
import type { Json } from "../../query/edit.ts";
import { seriesOf, type PanelSeries, type QueryData } from "./answers.ts";

/** A histogram as the server writes it: `{count:3, sum:4, [-1,0):1, (1,2]:2}`. */
const WRITTEN = /^\{count:([^,]+), sum:([^,}]+)((?:, [[(][^,]+,[^\])]+[\])]:[^,}]+)*)\}$/;
const BUCKET = /, ([[(])([^,]+),([^\])]+)([\])]):([^,}]+)/g;

/** Rules of bounds by the brackets that are closed, as Prometheus numbers them. */
const RULES: Readonly<Record<string, number>> = { "(]": 0, "[)": 1, "()": 2, "[]": 3 };

/** Returns the native histogram that a cell holds; `null` if it holds none. */
export function histogramIn(cell: Json | undefined): Histogram | null {
  const found = typeof cell === "string" ? WRITTEN.exec(cell) : null;
  if (!found) return null;
  const [, count = "", sum = "", buckets = ""] = found;
  return {
    count: sampleValue(count),
    sum: sampleValue(sum),
    buckets: [...buckets.matchAll(BUCKET)].map(([, open = "", lower = "", upper = "", close = "", n = ""]) => ({
      rule: RULES[open + close] ?? 0,
      lower: sampleValue(lower),
      upper: sampleValue(upper),
      count: sampleValue(n),
    })),
  };
}

/** Returns the native histograms of an answer in PromQL, by their labels. */
export function histogramsIn({ columns, rows }: Pick<QueryData, "columns" | "rows">): HistogramLine[] {
  const value = columns.length - 1;
  // Numbers have a type of their own; a histogram is a text.
  if (columns[value]?.name !== "value" || columns[value].type !== "any") return [];
  const found = new Map<string, HistogramLine>();
  for (const row of rows) {
    const histogram = histogramIn(row[value]);
    if (histogram === null) continue;
    const labels = columns.slice(1, value).map(({ name }, n) => [name, String(row[n + 1] ?? "")] as const);
    const key = JSON.stringify(labels);
    const line = found.get(key) ?? { labels: Object.fromEntries(labels), points: [] };
    line.points.push([Date.parse(String(row[0])), histogram]);
    found.set(key, line);
  }
  return [...found.values()];
}

/** A series of native histograms as a heatmap. */
export interface PanelHistogram {
  name: string;
  /** Its buckets over time, highest values first. */
  rows: PanelSeries[];
}

/** Returns the native histograms of a panel's queries as heatmaps, that with the most observations first. */
export function panelHistograms(panel: Pick<BoardPanel, "queries">, data: readonly QueryData[]): PanelHistogram[] {
  const lines = data.map((one, at) => (panel.queries?.[at]?.language === "promql" ? histogramsIn(one) : []));
  const of = new Map(lines.flat().map((line) => [line.labels, line]));
  const counted = data.map((one, at) => ({
    ...one,
    series: countLines(lines[at] ?? []).map((line) => ({ ...line, name: "value" })),
  }));
  const total = ({ points }: PanelSeries) => points.reduce((sum, [, count]) => sum + count, 0);
  return seriesOf(panel, counted)
    .sort((a, b) => total(b) - total(a))
    .map((series) => {
      // Naming keeps the labels of a series.
      const line = of.get(series.labels) ?? { points: [] };
      const rows = bucketRows(line).map(({ name, points }) => ({ name, points, labels: {}, query: series.query ?? 0 }));
      return { name: series.name, rows };
    });
}
