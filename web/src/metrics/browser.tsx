// The metrics of the range by name and by label, with their numbers of series. A click on a metric makes its query, a click on
// a value of a label narrows the query.

import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { NAME, seriesOf, labelValues, type Labels } from "../api/metrics.ts";
import { Failure } from "../explore/waiting.tsx";
import { compact, count, oneLine } from "../format.ts";
import { Icon } from "../parts/icons.tsx";
import { layer } from "../parts/layers.tsx";
import { useRove } from "../parts/rove.ts";
import { useLane } from "../parts/use_lane.ts";
import { plural, t } from "../texts.ts";
import { asked, draft, go, view } from "../view.ts";
import { about, askAbout, askNames, names, narrowed, numbers, stepsOfView } from "./ask.ts";
import { hasMatcher, kindOf, queryFor, selector, summedBy, toggleMatcher, type Matcher } from "./promql.ts";

/** The texts typed to find a metric and a label: each list keeps its own. */
const soughtMetric = signal("");
const soughtLabel = signal("");
const opened = signal("");
const byLabel = signal(false);

/** Names that are listed at once. */
const SHOWN = 200;
/** Series that are looked at for the labels of a metric. */
const SERIES_MAX = 5000;
const VALUES_SHOWN = 8;
/** Rows of the list that the arrow keys move among. */
const ROWS = ".field-row, .metric-label-head, .values li";

const SIGNS = { counter: "↗", buckets: "▁", histogram: "▁", gauge: "≈" } as const;

/** Shows a query. */
function show(query: string): void {
  if (layer.peek() === "fields") layer.value = "";
  go({ query, language: "promql", line: "", selection: "", row: "" });
}

function saidOf(metric: string): string {
  const all = about.value.data;
  // What is said about a histogram or summary is said under its name without the suffix.
  const found = all?.get(metric) ?? all?.get(metric.replace(/_(?:bucket|count|sum)$/, ""));
  return found?.type ?? "";
}

function choose(metric: string): void {
  opened.value = metric;
  const { step } = stepsOfView(view.peek());
  show(queryFor(metric, saidOf(metric), narrowed.peek(), step));
}

function narrow(matcher: Matcher): void {
  const now = narrowed.peek();
  const rest = now.filter(({ label }) => label !== matcher.label);
  const isThere = now.some(({ label, value }) => label === matcher.label && value === matcher.value);
  narrowed.value = isThere ? rest : [...rest, matcher];
  // All metrics with a label are listed, whatever was typed before.
  if (byLabel.peek()) soughtMetric.value = "";
  byLabel.value = false;
}

/** Narrows the query, which becomes one of this metric if it is about others. */
function filterQuery(metric: string, matcher: Matcher): void {
  const { step } = stepsOfView(view.peek());
  show(
    toggleMatcher(draft.peek(), metric, matcher) ??
      queryFor(metric, saidOf(metric), [...narrowed.peek(), matcher], step),
  );
}

/** The list of metrics. */
export function MetricBrowser() {
  const of = view.value;
  const lane = names.value;
  useEffect(() => askNames(view.peek()), [of.from, of.to, narrowed.value, asked.value]);
  useEffect(askAbout, []);
  const total = numbers.value.data?.series;
  const sought = byLabel.value ? soughtLabel : soughtMetric;
  return (
    <aside
      class={`sidebar metric-browser${lane.state === "loading" ? " loading" : ""}`}
      aria-label={t("Metrics")}
      data-testid="metric-browser"
    >
      <div class="sidebar-head">
        <div class="tabs" role="group" aria-label={t("List by")}>
          <button
            type="button"
            aria-pressed={!byLabel.value}
            data-testid="by-name"
            onClick={() => (byLabel.value = false)}
          >
            {t("Metrics")}
          </button>
          <button
            type="button"
            aria-pressed={byLabel.value}
            data-testid="by-label"
            onClick={() => (byLabel.value = true)}
          >
            {t("Labels")}
          </button>
        </div>
        <span class="dim" title={t("Series with samples in the last hour")} data-testid="series-total">
          {total === undefined ? "" : plural(total, "{n} series", "{n} series", compact(total))}
        </span>
        <input
          type="search"
          aria-label={byLabel.value ? t("Find a label") : t("Find a metric")}
          placeholder={byLabel.value ? t("Find a label") : t("Find a metric")}
          value={sought.value}
          data-testid="metric-text"
          onInput={(event) => (sought.value = event.currentTarget.value)}
        />
        {narrowed.value.map((matcher) => (
          <button
            key={matcher.label}
            type="button"
            class="chip"
            aria-pressed={true}
            data-testid="narrowed"
            title={t("Remove this limit")}
            onClick={() => narrow(matcher)}
          >
            <span class="ellipsis">{oneLine(`${matcher.label}=${matcher.value}`, 60)}</span>
            <Icon name="close" />
          </button>
        ))}
      </div>
      {lane.state === "error" && (
        <Failure
          what={t("The metrics could not be loaded: {message}.", { message: lane.error?.message ?? "" })}
          onAgain={() => askNames(view.peek())}
        />
      )}
      {byLabel.value ? <LabelList /> : <NameList />}
    </aside>
  );
}

function NameList() {
  const rove = useRove(ROWS);
  const lane = names.value;
  const text = soughtMetric.value.trim().toLowerCase();
  const counts = numbers.value.data?.byName;
  const found = (lane.data ?? []).filter(({ name }) => name.toLowerCase().includes(text));
  if (lane.data === null) return lane.state === "error" ? null : <p class="dim">{t("loading…")}</p>;
  return (
    <>
      <ul class="field-list" {...rove}>
        {found.slice(0, SHOWN).map(({ name, series }) => (
          <MetricItem
            key={name}
            name={name}
            series={series ?? (narrowed.value.length === 0 ? counts?.get(name) : undefined)}
          />
        ))}
      </ul>
      {found.length > SHOWN && (
        <p class="dim">{t("{n} more; type to find one.", { n: count(found.length - SHOWN) })}</p>
      )}
      {lane.state === "done" && found.length === 0 && (
        <p class="dim">
          {text === "" ? t("No metric has samples in this range.") : t("No metric name contains this.")}
        </p>
      )}
    </>
  );
}

function MetricItem({ name, series }: { name: string; series: number | undefined }) {
  const open = opened.value === name;
  const said = about.value.data?.get(name);
  const kind = kindOf(name, saidOf(name));
  return (
    <li class={open ? "open" : ""}>
      <div class="field-row">
        <button
          type="button"
          class="field-button"
          aria-expanded={open}
          data-testid="metric"
          data-name={name}
          title={[name, said?.help ?? ""].filter(Boolean).join("\n")}
          onClick={() => (open ? (opened.value = "") : choose(name))}
        >
          <span class="type" aria-hidden="true">
            {SIGNS[kind]}
          </span>
          <span class="ellipsis">{oneLine(name, 200)}</span>
          {series !== undefined && (
            <span
              class="dim number"
              data-testid="metric-series"
              title={plural(series, "{n} series", "{n} series", count(series))}
            >
              {compact(series)}
            </span>
          )}
        </button>
      </div>
      {open && <MetricDetail name={name} />}
    </li>
  );
}

interface LabelOfMetric {
  label: string;
  values: { value: string; series: number }[];
}

/** The labels of some series, those with several values first, and their values by the number of series. */
function labelsOf(series: readonly Labels[]): LabelOfMetric[] {
  const byLabel = new Map<string, Map<string, number>>();
  for (const labels of series)
    for (const [label, value] of Object.entries(labels)) {
      if (label === NAME) continue;
      const values = byLabel.get(label) ?? new Map<string, number>();
      byLabel.set(label, values.set(value, (values.get(value) ?? 0) + 1));
    }
  return [...byLabel]
    .map(([label, values]) => ({
      label,
      values: [...values]
        .map(([value, series]) => ({ value, series }))
        .sort((a, b) => b.series - a.series || (a.value < b.value ? -1 : 1)),
    }))
    .sort((a, b) => Number(b.values.length > 1) - Number(a.values.length > 1) || (a.label < b.label ? -1 : 1));
}

function MetricDetail({ name }: { name: string }) {
  const of = view.value;
  const { lane, ask } = useLane(
    (signal) => seriesOf(selector(name, narrowed.peek()), stepsOfView(view.peek()), SERIES_MAX, signal),
    [name, of.from, of.to, narrowed.value, asked.value],
  );
  const said = about.value.data?.get(name) ?? about.value.data?.get(name.replace(/_(?:bucket|count|sum)$/, ""));
  const data = lane.value.data;
  if (lane.value.state === "error")
    return (
      <Failure
        what={t("The series could not be counted: {message}.", { message: lane.value.error?.message ?? "" })}
        onAgain={ask}
      />
    );
  if (data === null) return <p class="dim values-wait">{t("counting…")}</p>;
  return (
    <div class="values metric-detail" data-testid="metric-detail">
      {said !== undefined && said.help !== "" && <p>{oneLine(said.help, 300)}</p>}
      <p class="dim" data-testid="metric-count">
        {data.length >= SERIES_MAX
          ? t("more than {n} series", { n: count(SERIES_MAX - 1) })
          : plural(data.length, "{n} series", "{n} series", count(data.length))}
        {said !== undefined && said.type !== "unknown" ? ` · ${said.type}` : ""}
        {said?.unit ? ` · ${said.unit}` : ""}
      </p>
      {labelsOf(data).map((of) => (
        <LabelOf key={of.label} metric={name} of={of} />
      ))}
    </div>
  );
}

function LabelOf({ metric, of: { label, values } }: { metric: string; of: LabelOfMetric }) {
  const most = useSignal(VALUES_SHOWN);
  // Without its bounds a histogram has no quantiles, and every query of it keeps them.
  const isBound = label === "le" && kindOf(metric, saidOf(metric)) === "buckets";
  return (
    <div class="metric-label">
      <div class="metric-label-head">
        <b class="ellipsis">{oneLine(label, 80)}</b>
        <span class="dim number">{count(values.length)}</span>
        {values.length > 1 && !isBound && (
          <button
            type="button"
            class="link"
            data-testid="sum-by"
            data-label={label}
            title={t("Sum the series by {label}, or take it back", { label })}
            onClick={() => show(summedBy(draft.peek(), label))}
          >
            {t("sum by")}
          </button>
        )}
      </div>
      <ul>
        {values.slice(0, most.value).map(({ value, series }) => {
          const on = hasMatcher(view.value.query, metric, { label, value });
          return (
            <li key={value}>
              <button
                type="button"
                class="metric-value"
                aria-pressed={on}
                data-testid="metric-value"
                title={t("Show only series with {label} {value}, or all again", { label, value: oneLine(value, 60) })}
                onClick={() => filterQuery(metric, { label, value })}
              >
                <span class="ellipsis">{value === "" ? t("(empty)") : oneLine(value, 120)}</span>
                <span class="dim number">{compact(series)}</span>
              </button>
            </li>
          );
        })}
      </ul>
      {values.length > most.value && (
        <button type="button" class="link" onClick={() => (most.value = values.length)}>
          {plural(values.length - most.value, "{n} more value", "{n} more values", count(values.length - most.value))}
        </button>
      )}
    </div>
  );
}

function LabelList() {
  const rove = useRove(ROWS);
  const lane = numbers.value;
  const text = soughtLabel.value.trim().toLowerCase();
  const found = (lane.data?.labels ?? []).filter(({ name }) => name !== NAME && name.toLowerCase().includes(text));
  if (lane.state === "error")
    return (
      <Failure
        what={t("The labels could not be loaded: {message}.", { message: lane.error?.message ?? "" })}
        onAgain={() => askNames(view.peek())}
      />
    );
  return (
    <>
      <ul class="field-list" {...rove}>
        {found.slice(0, SHOWN).map(({ name, values }) => (
          <LabelItem key={name} name={name} values={values} />
        ))}
      </ul>
      {lane.state === "done" && found.length === 0 && (
        <p class="dim">{t("No label of the last hour contains this.")}</p>
      )}
    </>
  );
}

function LabelItem({ name, values }: { name: string; values: number }) {
  const open = useSignal(false);
  return (
    <li class={open.value ? "open" : ""}>
      <div class="field-row">
        <button
          type="button"
          class="field-button"
          aria-expanded={open.value}
          data-testid="label"
          data-name={name}
          onClick={() => (open.value = !open.value)}
        >
          <span class="ellipsis">{oneLine(name, 200)}</span>
          <span class="dim number" title={plural(values, "{n} value", "{n} values", count(values))}>
            {compact(values)}
          </span>
        </button>
      </div>
      {open.value && <ValuesOfLabel name={name} />}
    </li>
  );
}

function ValuesOfLabel({ name }: { name: string }) {
  const most = useSignal(30);
  const of = view.value;
  const { lane, ask } = useLane(
    (signal) => labelValues(name, stepsOfView(view.peek()), [], signal),
    [name, of.from, of.to, asked.value],
  );
  const pairs = numbers.value.data?.byPair;
  if (lane.value.state === "error")
    return (
      <Failure
        what={t("The values could not be loaded: {message}.", { message: lane.value.error?.message ?? "" })}
        onAgain={ask}
      />
    );
  if (lane.value.data === null) return <p class="dim values-wait">{t("loading…")}</p>;
  const series = (value: string) => pairs?.get(`${name}=${value}`);
  const all = [...lane.value.data].sort((a, b) => (series(b) ?? 0) - (series(a) ?? 0));
  return (
    <div class="values">
      <ul>
        {all.slice(0, most.value).map((value) => (
          <li key={value}>
            <button
              type="button"
              class="metric-value"
              data-testid="label-value"
              aria-pressed={narrowed.value.some((one) => one.label === name && one.value === value)}
              title={t("List the metrics with {label} {value}", { label: name, value: oneLine(value, 60) })}
              onClick={() => narrow({ label: name, value })}
            >
              <span class="ellipsis">{oneLine(value, 120)}</span>
              <span class="dim number">{series(value) === undefined ? "" : compact(series(value) ?? 0)}</span>
            </button>
          </li>
        ))}
      </ul>
      {all.length > most.value && (
        <button type="button" class="link" onClick={() => (most.value += 200)}>
          {plural(all.length - most.value, "{n} more value", "{n} more values", count(all.length - most.value))}
        </button>
      )}
    </div>
  );
}
