// Panels of numbers: large, with the grade as colour and word, and the course below; and names with a bar each.

import type { BoardPanel, Grade } from "../../api/dashboards.ts";
import { path } from "../../explore/series.ts";
import { count } from "../../format.ts";
import { t } from "../../texts.ts";
import { distanceOf, numberOf, thinned, wholeBuckets, type PanelSeries } from "./answers.ts";
import type { PanelData } from "./ask.ts";
import { GRADES, gradeOf, withUnit } from "./units.ts";

/** Numbers side by side in one panel. */
const FIGURES_MAX = 12;
/** Names with a bar. */
const BARS_MAX = 100;
/** A shorter number is written no larger than one of so many characters. */
const CHARS_MIN = 4;
const SPARK_TALL = 100;
const SPARK_WIDE = 300;

/** Returns the points that a panel of a number is about: of a range that ends now those of whole buckets alone. */
function settledPoints(series: PanelSeries, answered: PanelData): PanelSeries["points"] {
  const { range } = answered;
  return range.isOpen ? wholeBuckets(series.points, distanceOf([series], answered), range.to) : series.points;
}

/** A grade as a word, for those who do not see its colour. */
export function GradeWord({ grade }: { grade: Grade | null }) {
  return grade === null ? null : <span class={`grade-word grade-${grade}`}>{t(GRADES[grade])}</span>;
}

/** The panel of numbers. */
export function NumberPanel({
  panel,
  series,
  answered,
  onPick,
}: {
  panel: BoardPanel;
  series: readonly PanelSeries[];
  answered: PanelData;
  /** `null` where nothing is behind a number. */
  onPick: ((series: PanelSeries) => void) | null;
}) {
  const shown = series.slice(0, FIGURES_MAX);
  return (
    <div class={`board-numbers${shown.length > 1 ? " many" : ""}`}>
      {shown.map((one) => (
        <Figure
          key={one.name}
          panel={panel}
          series={one}
          answered={answered}
          isAlone={shown.length === 1}
          onPick={onPick && (() => onPick(one))}
        />
      ))}
      {series.length > shown.length && (
        <p class="dim">{t("and {n} more in the table", { n: count(series.length - shown.length) })}</p>
      )}
    </div>
  );
}

function Figure({
  panel,
  series,
  answered,
  isAlone,
  onPick,
}: {
  panel: BoardPanel;
  series: PanelSeries;
  answered: PanelData;
  isAlone: boolean;
  onPick: (() => void) | null;
}) {
  const settled = settledPoints(series, answered);
  const value = numberOf({ points: settled }, "last");
  const written = withUnit(value, panel.unit, panel.decimals);
  const grade = gradeOf(value, panel.thresholds);
  const points = thinned(settled, SPARK_WIDE);
  const shown = (
    <>
      {!isAlone && <span class="board-number-name ellipsis">{series.name}</span>}
      <span class="board-number-value" style={{ "--chars": String(Math.max(CHARS_MIN, written.length)) }}>
        {written}
      </span>
      <GradeWord grade={grade} />
      {points.length > 1 && <Spark points={points} range={answered.range} step={distanceOf([series], answered)} />}
    </>
  );
  const own = { class: `board-number grade-${grade ?? "none"}`, "data-testid": "board-number" };
  if (onPick === null) return <div {...own}>{shown}</div>;
  return (
    <button type="button" title={t("Show its events in Explore")} onClick={onPick} {...own}>
      {shown}
    </button>
  );
}

function Spark({ points, range, step }: { points: PanelSeries["points"]; range: PanelData["range"]; step: number }) {
  const values = points.map(([, value]) => value);
  const low = Math.min(0, ...values);
  const top = values.reduce((most, value) => Math.max(most, value), low + 1e-9);
  const x = (ms: number) => ((ms - range.from) / Math.max(1, range.to - range.from)) * SPARK_WIDE;
  const y = (value: number) => SPARK_TALL - ((value - low) / (top - low)) * (SPARK_TALL - 4) - 2;
  return (
    <svg
      class="board-spark"
      viewBox={`0 0 ${SPARK_WIDE} ${SPARK_TALL}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path class="line" d={path(points, x, y, step)} />
    </svg>
  );
}

/** Names with a bar each, largest first. */
export function NameBars({
  panel,
  series,
  onPick,
}: {
  panel: BoardPanel;
  series: readonly PanelSeries[];
  onPick: ((series: PanelSeries) => void) | null;
}) {
  const all = series
    .map((one) => ({ one, value: numberOf(one, "last") }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => b.value - a.value);
  const most = all.reduce((top, { value }) => Math.max(top, Math.abs(value)), 1e-12);
  return (
    <div class="top-list board-bars" tabIndex={0} role="region" aria-label={t("Values by name")}>
      <ol>
        {all.slice(0, BARS_MAX).map(({ one, value }) => {
          const grade = gradeOf(value, panel.thresholds);
          return (
            <li key={one.name} class={`grade-${grade ?? "none"}`}>
              <span class="top-bar" aria-hidden="true" style={{ width: `${(100 * Math.abs(value)) / most}%` }} />
              {onPick === null ? (
                <span class="ellipsis" title={one.name}>
                  {one.name}
                </span>
              ) : (
                <button type="button" class="ellipsis" title={one.name} onClick={() => onPick(one)}>
                  {one.name}
                </button>
              )}
              <GradeWord grade={grade} />
              <b class="number">{withUnit(value, panel.unit, panel.decimals)}</b>
            </li>
          );
        })}
      </ol>
      {all.length > BARS_MAX && (
        <p class="dim">{t("and {n} more in the table", { n: count(all.length - BARS_MAX) })}</p>
      )}
    </div>
  );
}
