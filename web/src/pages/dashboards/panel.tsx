// A panel: its title, its menu, and what is drawn of its data. What goes wrong stays in it, with what to do.

import { useEffect, useState } from "preact/hooks";

import type { ApiError } from "../../api.ts";
import type { BoardPanel } from "../../api/dashboards.ts";
import type { Lane } from "../../ask.ts";
import type { Part } from "../../explore/drag.ts";
import { MarkLines } from "../../explore/mark_lines.tsx";
import { count, oneLine } from "../../format.ts";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { Way } from "../../parts/way.tsx";
import { t } from "../../texts.ts";
import { clockText } from "../../time.ts";
import { asked, go, view, zoom } from "../../view.ts";
import { MapGraph } from "../map/graph.tsx";
import { AlertLines } from "./alert_lines.tsx";
import type { PanelSeries } from "./answers.ts";
import { usePanelData, type BoardRange, type PanelData } from "./ask.ts";
import { behind } from "./behind.ts";
import type { MarksProps } from "./chart_panel.tsx";
import { linkOf } from "./links.ts";
import type { EventLinkProps } from "./log_lines.tsx";
import { PanelBody, useDrawn, type Ways } from "./panel_body.tsx";
import { PanelMenu } from "./panel_menu.tsx";
import { useSeen } from "./size.ts";
import { encoded, filledText, type Choices } from "./variables.ts";

/** Time around an event that its link shows. */
const AROUND_MS = 300_000;

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

/** The panel. */
export function Panel(props: PanelProps) {
  const { panel, choices, range, again, isEdited, hasMenu = true } = props;
  const [root, isSeen] = useSeen();
  const [asTable, setTable] = useState(false);
  const lane = usePanelData(panel, choices, range, again, isSeen || props.isEager === true);
  const { state, data: answered, error, at } = lane.value;
  const drawn = useDrawn(panel, answered);
  const { sheet } = drawn;
  const title = filledText(panel.title ?? "", choices, t("all"));
  useEffect(() => {
    if (at !== undefined) props.onAnswer?.(panel.id, at, error);
  }, [at, state]);
  const ways: Ways = {
    onPick: (one: PanelSeries | null, part: Part | null) =>
      lead(panel, choices, answered?.range ?? range, answered, one, part),
    onZoom: zoom,
    Marks,
    EventLink,
  };
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
      {panel.kind === "map" && answered !== null ? (
        <div class="board-panel-body">
          <MapBody answered={answered} />
        </div>
      ) : (
        <PanelBody
          {...{ panel, choices, answered, drawn, title, asTable, ways }}
          zone={view.value.zone}
          waiting={<Waiting isOver={state !== "loading" && state !== "idle"} hasFailed={error !== null} />}
          nothing={<Nothing />}
        />
      )}
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
  part: Part | null,
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

/** The placeholder of a picture that is not loaded. */
function Waiting({ isOver, hasFailed }: { isOver: boolean; hasFailed: boolean }) {
  if (!isOver) return <div class="board-skeleton skeleton" aria-hidden="true" />;
  return hasFailed ? null : <p class="board-nothing dim">{t("Not loaded yet.")}</p>;
}

/** Alerts and marks in a chart over time. */
function Marks({ from, to, step, x, height }: MarksProps) {
  return (
    <>
      <AlertLines {...{ from, to, x, height }} />
      <MarkLines {...{ from, x, height }} to={to + step} />
    </>
  );
}

/** Leads to an event in Explore, with what happened around it. */
function EventLink({ ms, id, groups, children }: EventLinkProps) {
  const iso = (of: number) => new Date(of).toISOString();
  const at = { from: iso(ms - AROUND_MS), to: iso(ms + AROUND_MS), row: id, groups };
  return (
    <Way to={{ ...at, page: "explore", panel: "rows", language: "insights", query: "", refresh: 0 }} class="number">
      {children}
    </Way>
  );
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
