// The log lines of the chart's time, or of the part of it that was chosen, below the chart.

import type { ComponentType } from "preact";
import { computed } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { FieldsButton } from "../explore/fields_button.tsx";
import type { ListProps } from "../explore/row_list.tsx";
import { RowOptions } from "../explore/row_options.tsx";
import { Failure, Incomplete } from "../explore/waiting.tsx";
import { count, span } from "../format.ts";
import { filtered } from "../keys.ts";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { soughtTexts } from "../query/lex.ts";
import type { Rows } from "../rows.ts";
import { plural, t } from "../texts.ts";
import { clockText, fullText } from "../time.ts";
import { asked, go, view } from "../view.ts";
import { askLogs, logRange, logs } from "./ask.ts";

/** The list of rows: it is the shell's, so this part is given it. */
type List = ComponentType<ListProps>;

/** Time after the last key before a filter is asked about. */
const TYPED_MS = 400;

const text = computed(() => view.value.logs);

function setLogs(next: string): void {
  go({ logs: next, row: "" });
}

/** Has clicks on values edit the query of the log lines. */
function useFilters(): void {
  const { around } = view.value;
  useEffect(() => {
    if (around !== "") return;
    const own = { text, ask: setLogs };
    filtered.value = own;
    return () => {
      if (filtered.peek() === own) filtered.value = null;
    };
  }, [around]);
}

function FilterBox() {
  const now = text.value;
  const [typed, setTyped] = useState(now);
  useEffect(() => setTyped(now), [now]);
  useEffect(() => {
    if (typed === text.peek()) return;
    const timer = setTimeout(() => setLogs(typed), TYPED_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <input
      type="search"
      aria-label={t("Query of the log lines")}
      placeholder={t("All logs; or words, or filter status >= 500")}
      value={typed}
      spellcheck={false}
      data-testid="log-filter"
      onInput={(event) => setTyped(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") setLogs(typed);
      }}
    />
  );
}

function amount(data: Rows): string {
  const n = data.events.length;
  return data.more
    ? plural(n, "newest {n} event", "newest {n} events", count(n))
    : plural(n, "{n} event", "{n} events", count(n));
}

function Head({ data }: { data: Rows | null }) {
  const part = logRange(view.value);
  const zone = view.value.zone;
  return (
    <div class="result-head metric-logs-head">
      <FieldsButton />
      <h2>{t("Logs")}</h2>
      {part ? (
        <button
          type="button"
          class="chip"
          aria-pressed={true}
          data-testid="log-time"
          title={t("Show the logs of the whole range")}
          onClick={() => go({ selection: "", row: "" })}
        >
          {fullText(part.from, zone)} – {clockText(part.to, zone)} ({span(part.to - part.from)})
          <Icon name="close" />
        </button>
      ) : (
        <span class="dim">{t("of the whole range")}</span>
      )}
      <FilterBox />
      <span role="status" class="dim" data-testid="log-count">
        {data?.isWhole && data.kind === "events" ? amount(data) : ""}
      </span>
      <RowOptions />
    </div>
  );
}

function Shown({ List, data }: { List: List; data: Rows }) {
  if (data.kind === "table")
    return (
      <p class="note metric-note">
        {t("This query counts events. Only queries that keep events are shown below a chart of metrics.")}
      </p>
    );
  if (data.events.length === 0)
    return data.isWhole ? (
      <div class="state" data-testid="no-logs">
        <h2>{t("No logs in this time")}</h2>
        <p class="buttons">
          {view.value.logs !== "" && (
            <Button class="button" label={t("Without the filter")} onClick={() => setLogs("")} />
          )}
          {view.value.selection !== "" && (
            <Button class="button" label={t("In the whole range")} onClick={() => go({ selection: "", row: "" })} />
          )}
        </p>
      </div>
    ) : null;
  const openInEvents = () => {
    const part = logRange(view.peek());
    const iso = (ms: number) => new Date(ms).toISOString();
    go({ query: view.peek().logs, ...(part ? { from: iso(part.from), to: iso(part.to - 1) } : {}) });
  };
  return (
    <List
      key={data.query}
      asleep={view.value.around !== ""}
      events={data.events}
      columns={data.columns}
      sought={soughtTexts(data.query)}
      label={t("Events, newest first")}
      footer={
        data.more ? (
          <Button label={t("Open these events in Explore to see older ones")} onClick={openInEvents} />
        ) : (
          t("No more events in this range.")
        )
      }
    />
  );
}

/** The log lines. */
export function LogList({ List }: { List: List }) {
  const of = view.value;
  useFilters();
  useEffect(
    () => askLogs(view.peek()),
    [of.logs, of.selection, of.from, of.to, of.groups.join(","), of.columns.join(","), of.zone, asked.value],
  );
  const lane = logs.value;
  const { data, error } = lane;
  const isRefused = lane.state === "error" && error?.status === 400;
  return (
    <section
      class={`result${lane.state === "loading" && data !== null ? " stale" : ""}`}
      aria-label={t("Logs of the same time")}
      aria-busy={lane.state === "loading"}
      data-testid="metric-logs"
      data-state={lane.state}
    >
      <Head data={data} />
      {lane.state === "error" && (
        <Failure
          what={t("The logs could not be loaded: {message}.", {
            message: error?.clause ?? "",
          })}
          onAgain={() => askLogs(view.peek())}
        />
      )}
      {data?.answer.partial && (
        <Incomplete what={t("This answer is incomplete.")} reasons={data.answer.partial_reasons} />
      )}
      {data && !isRefused ? (
        <Shown List={List} data={data} />
      ) : (
        lane.state !== "error" && (
          <div class="skeleton" aria-hidden="true">
            {Array.from({ length: 8 }, (_, n) => (
              <div key={n} style={{ width: `${92 - ((n * 37) % 55)}%` }} />
            ))}
          </div>
        )
      )}
    </section>
  );
}
