// What stands in place of lines: no query, no series, an error.

import type { ApiError } from "../api.ts";
import { labelValues, NAME } from "../api/metrics.ts";
import { printable } from "../format.ts";
import { Way } from "../parts/way.tsx";
import { signal } from "@preact/signals";
import { start, type Lane } from "../ask.ts";
import { Button } from "../parts/button.tsx";
import { useEffect } from "preact/hooks";
import { t, text } from "../texts.ts";
import { asked, go, view } from "../view.ts";
import { names } from "./ask.ts";
import { metricsOf } from "./promql.ts";

/** Queries that people ask of hosts, offered where their metrics are there. */
const USUAL: readonly { name: string; metric: string; query: string }[] = [
  {
    name: text("CPU in use"),
    metric: "node_cpu_seconds_total",
    query: '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
  },
  {
    name: text("Memory in use"),
    metric: "node_memory_MemAvailable_bytes",
    query: "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
  },
  {
    name: text("Disk in use"),
    metric: "node_filesystem_avail_bytes",
    query: '1 - node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes',
  },
  {
    name: text("Network, received"),
    metric: "node_network_receive_bytes_total",
    query: 'sum by (instance) (rate(node_network_receive_bytes_total{device!="lo"}[5m]))',
  },
  { name: text("Targets that are down"), metric: "up", query: "up == 0" },
];

const SUGGESTED_MAX = 4;

/** Metrics of all time, asked when the query names one that the range has not. */
const everywhere = signal<Lane<string[]>>({ state: "idle", data: null, error: null, since: 0 });

function ask(query: string): void {
  go({ query, language: "promql", row: "", line: "", selection: "" });
}

function Query({ query, children }: { query: string; children: preact.ComponentChildren }) {
  return (
    <button type="button" class="chip" data-testid="usual-query" title={query} onClick={() => ask(query)}>
      {children}
    </button>
  );
}

/** Number of pairs of neighbouring characters that two names share, of all that they have. */
function likeness(a: string, b: string): number {
  const pairs = (text: string) => new Set(Array.from({ length: text.length - 1 }, (_, n) => text.slice(n, n + 2)));
  const [x, y] = [pairs(a.toLowerCase()), pairs(b.toLowerCase())];
  const both = [...x].filter((pair) => y.has(pair)).length;
  return (2 * both) / Math.max(1, x.size + y.size);
}

/** No lines: because nothing was asked, or because nothing was found. */
export function Empty({ kind, query = "" }: { kind: "no-query" | "no-series"; query?: string }) {
  const known = names.value;
  const isBare = known.state === "done" && known.data?.length === 0;
  const there = new Set((known.data ?? []).map(({ name }) => name));
  if (kind === "no-query")
    return (
      <div class="metric-empty" data-testid="no-query">
        <p>
          {isBare
            ? t("No metric has samples in this range.")
            : t("Choose a metric from the list, or write a query in PromQL.")}
        </p>
        {isBare ? (
          <Senders />
        ) : (
          <p class="chips-line">
            {USUAL.filter(({ metric }) => there.has(metric)).map(({ name, query }) => (
              <Query key={name} query={query}>
                {t(name)}
              </Query>
            ))}
          </p>
        )}
      </div>
    );
  return (
    <div class="metric-empty" role="status" data-testid="no-series">
      <h2>{t("No series")}</h2>
      {isBare ? (
        <Senders />
      ) : (
        metricsOf(query)
          .filter((name) => known.state === "done" && !there.has(name))
          .map((name) => <Unknown key={name} name={name} query={query} there={[...there]} />)
      )}
      {!isBare && <p class="dim">{t("No series of this query has samples in this range.")}</p>}
    </div>
  );
}

/** A metric that has no samples in the range. */
function Unknown({ name, query, there }: { name: string; query: string; there: readonly string[] }) {
  const lane = everywhere.value;
  useEffect(() => {
    void start(everywhere, (signal) => labelValues(NAME, { from: 1, to: Date.now() }, [], signal));
  }, [name, asked.value]);
  const isElsewhere = lane.data?.includes(name) === true;
  const close = there
    .map((one) => ({ one, like: likeness(one, name) }))
    .filter(({ like }) => like > 0.5)
    .sort((a, b) => b.like - a.like)
    .slice(0, SUGGESTED_MAX);
  const replaced = (other: string) =>
    query.replaceAll(new RegExp(`(?<![\\w:])${name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w:])`, "g"), other);
  return (
    <div data-testid="unknown-metric">
      <p>
        {isElsewhere
          ? t("{name} has samples at other times, but not in this range.", { name })
          : t("No metric in this range is called {name}.", { name })}
      </p>
      {!isElsewhere && close.length > 0 && (
        <p class="chips-line">
          <span class="dim">{t("Similar:")}</span>
          {close.map(({ one }) => (
            <Query key={one} query={replaced(one)}>
              <code>{printable(one)}</code>
            </Query>
          ))}
        </p>
      )}
      {isElsewhere && (
        <p class="chips-line">
          <Button class="chip" label={t("Last 7 days")} onClick={() => go({ from: "now-7d", to: "now" })} />
          <Button class="chip" label={t("All time")} onClick={() => go({ from: "0", to: "now" })} />
        </p>
      )}
    </div>
  );
}

/** Where metrics come from. */
function Senders() {
  return (
    <p>
      {t("Metrics come from scrapes, remote write, OpenTelemetry and pushes:")}{" "}
      <a href="docs/sending/scrape" target="_blank" rel="noopener">
        {t("Scrape targets")}
      </a>{" "}
      ·{" "}
      <a href="docs/reading/prometheus" target="_blank" rel="noopener">
        {t("Remote write and pushes")}
      </a>{" "}
      · <Way to={{ page: "start" }}>{t("Send data")}</Way>
    </p>
  );
}

/** The query has no answer. */
export function Failed({ error, hasOld }: { error: ApiError; hasOld: boolean }) {
  const isCancelled = error.code === "cancelled";
  const isQuery = error.status === 400 || error.status === 422;
  const hasVariable = /\$__/.test(view.value.query);
  return (
    <div class="metric-empty" role="alert" data-testid="metrics-failed">
      <h2>
        {isCancelled
          ? t("Cancelled")
          : error.status === 0
            ? t("The server cannot be reached")
            : isQuery && error.start !== null
              ? t("The query could not be read")
              : t("This could not be answered")}
      </h2>
      {!isCancelled && <p>{printable(error.sentence)}</p>}
      {error.hint && <p class="hint">{printable(error.hint)}</p>}
      {hasVariable && (
        <p class="hint">
          {t("Variables of Grafana have no value here: write a duration, such as 5m, instead of $__rate_interval.")}
        </p>
      )}
      {hasOld && <p class="dim">{t("The lines below are those of the query before.")}</p>}
      {!isQuery && (
        <p>
          <Button class="button primary" label={t("Try again")} onClick={() => (asked.value += 1)} />
        </p>
      )}
    </div>
  );
}
