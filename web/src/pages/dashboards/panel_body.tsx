// What is drawn of the answers to a panel's queries: on the page, and in a file, where nothing can be asked and nothing leads
// anywhere.

import type { ComponentChildren, ComponentType } from "preact";
import { useMemo, useState } from "preact/hooks";

import type { BoardPanel } from "../../api/dashboards.ts";
import { count } from "../../format.ts";
import { isNewestFirst } from "../../query/lex.ts";
import { t } from "../../texts.ts";
import type { Zone } from "../../time.ts";
import { byQuery, LOGS_MAX, namedResults, seriesOf, type PanelSeries } from "./answers.ts";
import type { PanelData } from "./ask.ts";
import { hasExpression } from "./bins.ts";
import { ChartPanel, type ChartWays } from "./chart_panel.tsx";
import { isOfRows, sheetOf, sheetOfRows, type Sheet } from "./csv.ts";
import { evaluated, ExpressionError, whyNoValue } from "./expression.ts";
import { NameBars, NumberPanel } from "./figures.tsx";
import { HeatmapPanel } from "./heatmap.tsx";
import { HistogramChoice, NotDrawn } from "./histogram_parts.tsx";
import { panelHistograms, type PanelHistogram } from "./histograms.ts";
import { LogLines, type EventLinkProps } from "./log_lines.tsx";
import { Markdown } from "./markdown.tsx";
import { PiePanel } from "./pie.tsx";
import { SheetTable } from "./sheet.tsx";
import type { Choices } from "./variables.ts";

/** Where a picture leads, and what the page shows in it beside the answers. */
export interface Ways extends Omit<ChartWays, "onPick"> {
  /** Leads to the lines behind a series, or a part of it. */
  onPick: (series: PanelSeries | null, part: { from: number; to: number } | null) => void;
  EventLink: ComponentType<EventLinkProps>;
}

/** What a panel draws of its answers. */
export interface Drawn {
  series: PanelSeries[];
  /** What is wrong with the expression. */
  problem: string;
  /** Why the expression has no value. */
  noValue: string;
  histograms: readonly PanelHistogram[];
  /** The native histogram that is drawn instead of the series. */
  histogram: PanelHistogram | null;
  choose: (histogram: string) => void;
  isByTime: boolean;
  /** Makes the table of the same numbers. */
  sheet: (() => Sheet) | null;
}

/** Returns the series that a panel draws, and why there are none. */
function seriesFor(panel: BoardPanel, answered: PanelData | null): Pick<Drawn, "series" | "problem" | "noValue"> {
  const drawn = { series: [] as PanelSeries[], problem: "", noValue: "" };
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

/** What is drawn of the answers to a panel's queries. */
export function useDrawn(panel: BoardPanel, answered: PanelData | null): Drawn {
  const { series, problem, noValue } = useMemo(() => seriesFor(panel, answered), [panel, answered]);
  const histograms = useMemo(() => panelHistograms(panel, answered?.data ?? []), [panel, answered]);
  const [chosen, choose] = useState("");
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
  return { series, problem, noValue, histograms, histogram, choose, isByTime, sheet };
}

interface Props {
  panel: BoardPanel;
  choices: Choices;
  answered: PanelData | null;
  drawn: Drawn;
  title: string;
  asTable: boolean;
  zone: Zone;
  /** What is shown before there is an answer. */
  waiting: ComponentChildren;
  /** What is shown where nothing was found. */
  nothing: ComponentChildren;
  /** `null` in a file. */
  ways: Ways | null;
}

/** The picture of a panel, with what is to be known of it. */
export function PanelBody(props: Props) {
  const { panel, drawn } = props;
  const { problem, histograms, histogram, choose } = drawn;
  return (
    <>
      {histogram !== null && <HistogramChoice {...{ histograms, histogram }} onChoose={choose} />}
      {histogram === null && histograms.length > 0 && panel.kind !== "logs" && panel.kind !== "table" && (
        <NotDrawn hasExpression={hasExpression(panel)} kind={panel.kind} />
      )}
      <div class="board-panel-body">
        {problem !== "" ? (
          <p class="note error" role="alert">
            {t("The expression cannot be evaluated: {problem}.", { problem })}
          </p>
        ) : (
          <Body {...props} />
        )}
      </div>
    </>
  );
}

function Body({ panel, choices, answered, drawn, title, asTable, zone, waiting, nothing, ways }: Props) {
  const { series, noValue, histograms, histogram, isByTime, sheet } = drawn;
  // It is said elsewhere why there is nothing to draw.
  const isSaid = histograms.length > 0;
  if (panel.kind === "text") return <Markdown text={panel.text ?? ""} choices={choices} hasPages={ways !== null} />;
  if (panel.kind !== "map" && (panel.queries ?? []).length === 0)
    return <p class="board-nothing dim">{t("This panel has no query yet.")}</p>;
  if (answered === null) return <>{waiting}</>;
  const rows = answered.data.reduce((sum, one) => sum + one.rows.length, 0);
  if (rows === 0) return <>{nothing}</>;
  const named = { title: title || t("Panel") };
  const label =
    ways === null
      ? t("{title}: chart; its numbers are in the table below", named)
      : t("{title}: chart; the menu shows it as a table", named);
  const onPick = ways && ((one: PanelSeries | null) => ways.onPick(one, null));
  if (panel.kind === "logs") {
    const [first] = answered.data;
    return (
      <>
        {first && <LogLines data={first} query={panel.queries?.[0]} zone={zone} Link={ways && ways.EventLink} />}
        {ways && first && (first.isCut || first.rows.length === LOGS_MAX) && (
          <p class="dim board-more">
            {isNewestFirst(panel.queries?.[0]?.query ?? "")
              ? t("The newest {n}; the rest is in Explore.", { n: count(first.rows.length) })
              : t("The first {n}; the rest is in Explore.", { n: count(first.rows.length) })}
          </p>
        )}
      </>
    );
  }
  if (noValue !== "" && !isSaid)
    return (
      <p class="board-nothing dim" data-testid="panel-no-value">
        {noValue}
      </p>
    );
  if (sheet && (asTable || panel.kind === "table"))
    return <SheetTable made={sheet} panel={panel} label={title || t("Table")} zone={zone} />;
  const heatmap = { panel, answered, label, zone, onPick: ways && ways.onPick };
  if (histogram !== null) return <HeatmapPanel {...heatmap} series={histogram.rows} ordered />;
  if (series.length === 0)
    return isSaid ? null : (
      <p class="board-nothing dim">
        {answered.data.every(({ rows }) => rows.length === 0)
          ? t("Nothing was found in this range.")
          : t("The answer has no numbers to draw. Show it as a table, or count something with stats.")}
      </p>
    );
  if (panel.kind === "number") return <NumberPanel {...{ panel, series, answered, onPick }} />;
  if (panel.kind === "pie") return <PiePanel {...{ panel, series, label, onPick }} />;
  if (!isByTime) return <NameBars {...{ panel, series, onPick }} />;
  if (panel.kind === "heatmap") return <HeatmapPanel {...heatmap} series={series} />;
  return <ChartPanel {...{ panel, series, answered, label, zone, ways }} />;
}
