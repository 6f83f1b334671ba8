// Explore with PromQL: the metrics of the range at the side, the lines of the query, and the log lines of the same time below.

import type { ComponentType } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import type { Lines } from "../api/metrics.ts";
import type { Part } from "../explore/drag.ts";
import { selectionText } from "../explore/comparison.ts";
import { MarkList } from "../explore/mark_lines.tsx";
import type { ListProps } from "../explore/row_list.tsx";
import { Incomplete, Wait } from "../explore/waiting.tsx";
import { count, cut, printable, span } from "../format.ts";
import { IconButton } from "../parts/icons.tsx";
import { layer, tell } from "../parts/layers.tsx";
import { SkipLink } from "../parts/skip_link.tsx";
import { adopt } from "../parts/style.ts";
import causeRules from "../style/cause.css?inline";
import rules from "../style/metrics.css?inline";
import { plural, t } from "../texts.ts";
import { asked, askedAt, go, view, zoomOut } from "../view.ts";
import { askLines, leave, lines, logsOf, logRange } from "./ask.ts";
import { MetricBrowser } from "./browser.tsx";
import { HistogramChart } from "./histogram_chart.tsx";
import { Legend } from "./legend.tsx";
import { LineChart, type Reading } from "./line_chart.tsx";
import { drawnLines, sharedLabels } from "./lines.ts";
import { LogList } from "./log_list.tsx";
import { seriesName } from "./promql.ts";
import { minuteOf } from "./range.ts";
import { Empty, Failed } from "./states.tsx";

adopt(causeRules);
adopt(rules);

type List = ComponentType<ListProps>;

/** Shows the log lines of a part of the time. */
function showPart(part: Part): void {
  go({ selection: selectionText(part.from, part.to), row: "" });
}

/** Shows the log lines of a line's host in the minute that is read. */
async function showLogs({ ms, line }: Reading, step: number): Promise<void> {
  const { from, to } = minuteOf(ms, step);
  const selection = selectionText(from, to);
  if (line === null) return go({ selection, row: "" });
  try {
    const logs = await logsOf(line.labels);
    go({ selection, row: "", ...(logs === "" ? {} : { logs }) });
  } catch (error) {
    go({ selection, row: "" });
    tell(error instanceof Error ? error.message : String(error));
  }
}

/** The work area of Explore while it takes PromQL; it is given the shell's list of rows. */
export function MetricsExplore({ List }: { List: List }) {
  const of = view.value;
  useEffect(() => {
    askedAt.value = Date.now();
    askLines(view.peek());
  }, [of.query, of.from, of.to, of.zone, asked.value]);
  useEffect(() => leave, []);
  return (
    <div class={`work${layer.value === "fields" ? " with-fields" : ""}`} inert={of.around !== ""}>
      <SkipLink />
      <MetricBrowser />
      <div class="results">
        <Chart />
        <LogList List={List} />
      </div>
    </div>
  );
}

function Chart() {
  const { state, data, error } = lines.value;
  const isOld = state === "error" || (state === "loading" && data !== null);
  return (
    <section
      class={`chart metrics${state === "loading" ? " loading" : ""}`}
      aria-label={t("Metrics over time")}
      aria-busy={state === "loading"}
      data-testid="metrics"
      data-state={state}
    >
      <Wait lane={lines} said={(time) => t("evaluating… {time}", { time })} testId="lines-loading" />
      {state === "error" && error && <Failed error={error} hasOld={data !== null} />}
      {view.value.query.trim() === "" ? (
        <Empty kind="no-query" />
      ) : data === null ? (
        state === "loading" && <div class="metric-skeleton skeleton" aria-hidden="true" />
      ) : data.series === 0 && state !== "error" ? (
        <>
          <Missing data={data} />
          <Empty kind="no-series" query={data.query} />
        </>
      ) : (
        data.series > 0 && (
          <div class={isOld ? "stale" : ""}>
            <Drawn key={data.query} data={data} />
          </div>
        )
      )}
    </section>
  );
}

function Missing({ data }: { data: Lines }) {
  return (
    <>
      {data.missing.length > 0 && <Incomplete what={t("Samples may be missing.")} reasons={data.missing} />}
      {data.isCut && (
        <p class="note warning" data-testid="lines-cut">
          {t("Only {n} series are looked at. Narrow the query, or use topk or sum by.", {
            n: count(data.series),
          })}
        </p>
      )}
      {data.notes.slice(0, 3).map((note) => (
        <p key={note} class="note warning" data-testid="metric-note">
          {printable(cut(note, 400))}
        </p>
      ))}
    </>
  );
}

function Drawn({ data }: { data: Lines }) {
  const [reading, setReading] = useState<Reading | null>(null);
  const { drawn, left } = useMemo(() => drawnLines(data.lines), [data]);
  const shared = useMemo(() => (data.series > 1 ? sharedLabels([...data.lines, ...data.histograms]) : []), [data]);
  const only = view.value.line;
  const shown = useMemo(
    () => (drawn.some(({ name }) => name === only) ? drawn.filter(({ name }) => name === only) : drawn),
    [drawn, only],
  );
  // What was read of an earlier answer is not in this one.
  const read = reading && reading.line && !drawn.includes(reading.line) ? null : reading;
  const pick = (at: Reading) => void showLogs(at, data.step);
  return (
    <>
      <div class="chart-head">
        <h2 data-testid="series-count">{plural(data.series, "{n} series", "{n} series", count(data.series))}</h2>
        {shared.length > 0 && (
          <span class="dim ellipsis shared" title={t("What all lines have in common")} data-testid="shared">
            {printable(cut(seriesName(Object.fromEntries(shared)), 300))}
          </span>
        )}
        <span class="dim each">{t("one point every {time}", { time: span(data.step) })}</span>
        <IconButton
          icon="zoomOut"
          class="button quiet"
          aria-label={t("Zoom out")}
          title={t("Zoom out (z)")}
          onClick={zoomOut}
          data-testid="zoom-out"
        />
      </div>
      <Missing data={data} />
      {drawn.length > 0 && (
        <>
          <LineChart
            lines={shown}
            from={data.from}
            to={data.to}
            step={data.step}
            chosen={logRange(view.value)}
            reading={read}
            onRead={setReading}
            onPick={pick}
            onLogs={showPart}
          />
          <Legend lines={drawn} left={left} reading={read} onRead={setReading} onPick={pick} />
        </>
      )}
      {data.histograms.length > 0 && (
        <HistogramChart histograms={data.histograms} from={data.from} to={data.to} step={data.step} onPick={pick} />
      )}
      <MarkList from={data.from} to={data.to} />
    </>
  );
}
