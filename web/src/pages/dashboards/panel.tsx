// A panel: its title, its menu, and what is drawn of its data. What goes wrong stays in it, with what to do.

import { useEffect, useMemo, useState } from "preact/hooks";

import type { ApiError } from "../../api.ts";
import type { BoardPanel } from "../../api/dashboards.ts";
import type { Lane } from "../../ask.ts";
import { count, oneLine } from "../../format.ts";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { isNewestFirst } from "../../query/lex.ts";
import { t } from "../../texts.ts";
import { clockText } from "../../time.ts";
import { asked, go, view } from "../../view.ts";
import { MapGraph } from "../map/graph.tsx";
import { byQuery, namedResults, seriesOf, type PanelSeries } from "./answers.ts";
import { LOGS_MAX, usePanelData, type BoardRange, type PanelData } from "./ask.ts";
import { behind } from "./behind.ts";
import { hasExpression } from "./bins.ts";
import { ChartPanel } from "./chart_panel.tsx";
import { isOfRows, sheetOf, sheetOfRows, type Sheet } from "./csv.ts";
import { evaluated, ExpressionError, whyNoValue } from "./expression.ts";
import { NameBars, NumberPanel } from "./figures.tsx";
import { HeatmapPanel } from "./heatmap.tsx";
import { HistogramChoice, NotDrawn } from "./histogram_parts.tsx";
import { panelHistograms, type PanelHistogram } from "./histograms.ts";
import { LogLines } from "./log_lines.tsx";
import { linkOf } from "./links.ts";
import { Markdown } from "./markdown.tsx";
import { PanelMenu } from "./panel_menu.tsx";
import { PiePanel } from "./pie.tsx";
import { SheetTable } from "./sheet.tsx";
import { useSeen } from "./size.ts";
import { encoded, filledText, type Choices } from "./variables.ts";

/** What a panel is shown with. */
export interface PanelProps {
  panel: BoardPanel;
  choices: Choices;
  range: BoardRange;
  again: number;
  /** Whether the dashboard is being changed. */
  isEdited: boolean;
  /** Whether there is a menu. */
  hasMenu?: boolean;
  /** Whether the panel asks though it is not on screen, as the wallboard does before it shows it. */
  isEager?: boolean;
  /** Tells when a question was answered, and what is wrong where it was not. */
  onAnswer?: (id: string, at: number, error: ApiError | null) => void;
  children?: preact.ComponentChildren;
}

/** What a panel draws. */
interface Drawn {
  series: PanelSeries[];
  /** What is wrong with the expression. */
  problem: string;
  /** Why the expression has no value. */
  noValue: string;
}

/** Returns the series that a panel draws, and why there are none. */
function seriesFor(panel: BoardPanel, answered: PanelData | null): Drawn {
  const drawn: Drawn = { series: [], problem: "", noValue: "" };
  if (answered === null) return drawn;
  if (!hasExpression(panel)) return { ...drawn, series: seriesOf(panel, answered.data) };
  const expression = panel.expression ?? "";
  try {
    const answers = byQuery(panel, answered.data);
    const results = evaluated(expression, answers);
    const why = whyNoValue(expression, results, answers);
    return {
      ...drawn,
      series: namedResults(results, expression),
      noValue: why === null ? "" : t(why.text, { name: why.name }),
    };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { ...drawn, problem: `${t(error.problem)} ${error.named}`.trim() };
  }
}

/** The panel. */
export function Panel(props: PanelProps) {
  const { panel, choices, range, again, isEdited, hasMenu = true } = props;
  const [root, isSeen] = useSeen();
  const [asTable, setTable] = useState(false);
  const lane = usePanelData(panel, choices, range, again, isSeen || props.isEager === true);
  const { state, data: answered, error, at } = lane.value;
  const { series, problem, noValue } = useMemo(() => seriesFor(panel, answered), [panel, answered]);
  const histograms = useMemo(() => panelHistograms(panel, answered?.data ?? []), [panel, answered]);
  const [chosen, setChosen] = useState("");
  const histogram =
    panel.kind === "heatmap" && !hasExpression(panel)
      ? (histograms.find(({ name }) => name === chosen) ?? histograms[0] ?? null)
      : null;
  const isByTime = answered?.data.some((one) => one.isByTime) ?? false;
  // Made when somebody looks at it: a day of a chart is thousands of cells.
  const sheet = useMemo((): (() => Sheet) | null => {
    const [first] = answered?.data ?? [];
    if (!first) return null;
    if (isOfRows(panel)) return () => sheetOfRows(first);
    const drawn = histogram === null ? series : histogram.rows;
    return () => sheetOf(drawn, histogram !== null || isByTime, { time: t("Time"), name: t("Name") });
  }, [answered, series, histogram, panel]);
  const title = filledText(panel.title ?? "", choices, t("all"));
  useEffect(() => {
    if (at !== undefined) props.onAnswer?.(panel.id, at, error);
  }, [at, state]);
  const link = panel.link === undefined ? null : linkOf(filledText(panel.link, encoded(choices), "*"));
  return (
    <section
      ref={root}
      class={`board-panel kind-${panel.kind}${state === "loading" && answered ? " asking" : ""}${state === "error" ? " failed" : ""}`}
      aria-label={title === "" ? t("Panel without a title") : title}
      aria-busy={state === "loading"}
      data-testid="board-panel"
      data-id={panel.id}
      data-state={panel.kind === "text" ? "done" : state}
    >
      <header class="board-panel-head">
        <h3 class="ellipsis" title={title}>
          {link === null ? oneLine(title, 200) : <a href={link}>{oneLine(title, 200)}</a>}
        </h3>
        {state === "loading" && answered && <span class="board-asking" aria-hidden="true" />}
        <span class="grow" />
        {hasMenu && (
          <PanelMenu
            panel={panel}
            title={title}
            sheet={sheet}
            asTable={asTable}
            onTable={panel.kind === "text" || panel.kind === "logs" ? null : () => setTable(!asTable)}
            isEdited={isEdited}
            onExplore={() => lead(panel, choices, range, answered, null, null)}
          />
        )}
        {props.children}
      </header>
      <Trouble lane={lane.value} />
      <Remarks panel={panel} answered={answered} />
      {histogram !== null && <HistogramChoice {...{ histograms, histogram }} onChoose={setChosen} />}
      {histogram === null && histograms.length > 0 && panel.kind !== "logs" && panel.kind !== "table" && (
        <NotDrawn hasExpression={hasExpression(panel)} kind={panel.kind} />
      )}
      <div class="board-panel-body">
        {problem !== "" ? (
          <p class="note error" role="alert">
            {t("The expression cannot be evaluated: {problem}.", { problem })}
          </p>
        ) : (
          <Body
            {...{ panel, choices, answered, series, noValue, histogram, isByTime, sheet, title, asTable }}
            isSaid={histograms.length > 0}
            isWaiting={state === "loading" || state === "idle"}
            hasFailed={error !== null}
          />
        )}
      </div>
    </section>
  );
}

/** Leads to Explore; says why where a variable does not fit. */
function lead(
  panel: BoardPanel,
  choices: Choices,
  range: BoardRange,
  answered: PanelData | null,
  series: PanelSeries | null,
  part: { from: number; to: number } | null,
): void {
  try {
    go(behind(panel, choices, range, answered, series, part));
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
  }
}

/** The question failed: why, whether what is shown is older, and what to do. */
function Trouble({ lane: { state, data, error, at } }: { lane: Lane<PanelData> }) {
  if (state !== "error" || error === null) return null;
  const time = clockText(at ?? 0, view.value.zone);
  return (
    <div class="board-trouble" role="alert" data-testid="panel-failed">
      <p>
        {data === null ? error.sentence : t("Not updated at {time}: {message}.", { time, message: error.message })}
        {error.hint && <b> {error.hint}</b>}
      </p>
      <NextStep error={error} />
    </div>
  );
}

function NextStep({ error }: { error: ApiError }) {
  if (error.code === "variable") return <p class="dim">{t("Choose another value above.")}</p>;
  if (error.status === 403)
    return <p class="dim">{t("Your key or user may not read these groups; ask an administrator.")}</p>;
  return <Button label={t("Try again")} onClick={() => (asked.value += 1)} />;
}

/** What is said of an answer that is not whole. */
function Remarks({ panel, answered }: { panel: BoardPanel; answered: PanelData | null }) {
  if (answered === null) return null;
  const partial = [
    ...answered.data.flatMap((one) => one.partial ?? []),
    ...(answered.map?.partial ? answered.map.partial_reasons : []),
  ];
  const isPartial = answered.data.some((one) => one.partial !== null) || answered.map?.partial === true;
  const cut = answered.data.find((one) => one.isCut);
  return (
    <>
      {isPartial && (
        <p class="board-remark" role="status" data-testid="panel-partial">
          <b>{t("This answer is incomplete.")}</b> {partial.slice(0, 2).map((one) => `${one.message}. `)}
        </p>
      )}
      {cut && panel.kind !== "logs" && (
        <p class="board-remark" role="status" data-testid="panel-cut">
          {t("Only the first {n} rows are shown. Use longer buckets, fewer series or a limit.", {
            n: count(cut.rows.length),
          })}
        </p>
      )}
    </>
  );
}

interface BodyProps {
  panel: BoardPanel;
  choices: Choices;
  answered: PanelData | null;
  series: readonly PanelSeries[];
  /** Why the expression has no value. */
  noValue: string;
  /** The native histogram that is drawn instead of the series. */
  histogram: PanelHistogram | null;
  /** Whether it is said elsewhere why there is nothing to draw. */
  isSaid: boolean;
  isByTime: boolean;
  sheet: (() => Sheet) | null;
  title: string;
  asTable: boolean;
  isWaiting: boolean;
  hasFailed: boolean;
}

function Body(props: BodyProps) {
  const { panel, choices, answered, series, noValue, histogram, isByTime, sheet, title, asTable } = props;
  if (panel.kind === "text") return <Markdown text={panel.text ?? ""} choices={choices} />;
  if (panel.kind !== "map" && (panel.queries ?? []).length === 0)
    return <p class="board-nothing dim">{t("This panel has no query yet.")}</p>;
  if (answered === null)
    return props.isWaiting ? (
      <div class="board-skeleton skeleton" aria-hidden="true" />
    ) : props.hasFailed ? null : (
      <p class="board-nothing dim">{t("Not loaded yet.")}</p>
    );
  if (panel.kind === "map") return <MapBody answered={answered} />;
  const rows = answered.data.reduce((sum, one) => sum + one.rows.length, 0);
  if (rows === 0) return <Nothing />;
  const label = t("{title}: chart; the menu shows it as a table", { title: title || t("Panel") });
  const pick = (one: PanelSeries | null, part: { from: number; to: number } | null = null) =>
    lead(panel, choices, answered.range, answered, one, part);
  if (panel.kind === "logs") {
    const [first] = answered.data;
    return (
      <>
        {first && <LogLines data={first} query={panel.queries?.[0]} />}
        {first && (first.isCut || first.rows.length === LOGS_MAX) && (
          <p class="dim board-more">
            {isNewestFirst(panel.queries?.[0]?.query ?? "")
              ? t("The newest {n}; the rest is in Explore.", { n: count(first.rows.length) })
              : t("The first {n}; the rest is in Explore.", { n: count(first.rows.length) })}
          </p>
        )}
      </>
    );
  }
  if (noValue !== "" && !props.isSaid)
    return (
      <p class="board-nothing dim" data-testid="panel-no-value">
        {noValue}
      </p>
    );
  if (sheet && (asTable || panel.kind === "table"))
    return <SheetTable made={sheet} panel={panel} label={title || t("Table")} />;
  if (histogram !== null)
    return <HeatmapPanel {...{ panel, answered, label }} series={histogram.rows} ordered onPick={pick} />;
  if (series.length === 0)
    return props.isSaid ? null : (
      <p class="board-nothing dim">
        {answered.data.every(({ rows }) => rows.length === 0)
          ? t("Nothing was found in this range.")
          : t("The answer has no numbers to draw. Show it as a table, or count something with stats.")}
      </p>
    );
  if (panel.kind === "number")
    return <NumberPanel panel={panel} series={series} answered={answered} onPick={(one) => pick(one)} />;
  if (panel.kind === "pie") return <PiePanel panel={panel} series={series} label={label} onPick={(one) => pick(one)} />;
  if (!isByTime) return <NameBars panel={panel} series={series} onPick={(one) => pick(one)} />;
  if (panel.kind === "heatmap")
    return <HeatmapPanel panel={panel} series={series} answered={answered} label={label} onPick={pick} />;
  return <ChartPanel panel={panel} series={series} answered={answered} label={label} onPick={pick} />;
}

function Nothing() {
  const { from, to } = view.value;
  return (
    <div class="board-nothing dim" data-testid="panel-empty">
      <p>{t("Nothing in this range.")}</p>
      {(from !== "now-24h" || to !== "now") && (
        <Button label={t("Show the last 24 hours")} onClick={() => go({ from: "now-24h", to: "now" })} />
      )}
    </div>
  );
}

function MapBody({ answered: { map } }: { answered: PanelData }) {
  return map === null || map.nodes.length === 0 ? <Nothing /> : <MapGraph map={map} />;
}
