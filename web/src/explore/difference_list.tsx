// Fields that differ between two sets of events: each value with its share on both sides, numbers as two ranges. A click
// narrows the query to a value.

import type { Differences, FieldDifference, ValueDifference } from "../api/cause.ts";
import { count, decimal, oneLine, percent } from "../format.ts";
import { showAround } from "../keys.ts";
import { Button } from "../parts/button.tsx";
import { IconButton } from "../parts/icons.tsx";
import { adopt } from "../parts/style.ts";
import { addFilter, condition, canBeNamed } from "../query/edit.ts";
import rules from "../style/cause.css?inline";
import { rich, t } from "../texts.ts";
import { dayClock } from "../time.ts";
import { go, view } from "../view.ts";
import { PatternText, showRow } from "./panel_parts.tsx";

adopt(rules);

/** Values shown of each field. */
const VALUES_MAX = 4;
const NAME_CHARS_MAX = 300;

/** The events that a click narrows: what the query finds, in a range. */
export interface Narrowed {
  query: string;
  from: string;
  to: string;
}

/** Whether a name is that of a pattern, which is no field that a filter could name. */
function isPattern(field: string): boolean {
  return field === "@pattern" || field === "pattern";
}

/** Shows the events with a value, or without it. */
function narrow(of: Narrowed, found: FieldDifference, value: ValueDifference | null, excludes: boolean): void {
  const own = value === null || isPattern(found.field) || !canBeNamed(found.field) ? found.query : null;
  const query =
    own ?? addFilter(of.query, condition(found.field, excludes ? "exclude" : "include", value?.value ?? null));
  go({ page: "explore", panel: "rows", row: "", live: false, query, from: of.from, to: of.to });
}

/** `×12`, or a word where one side has none. */
function liftText({ selection, baseline, lift }: ValueDifference): string {
  if (baseline === 0) return t("only here");
  if (selection === 0) return t("not here");
  const factor = lift ?? 0;
  if (factor >= 1) return `×${decimal(factor, factor < 10 ? 1 : 0)}`;
  return factor > 0 ? `÷${decimal(1 / factor, 1 / factor < 10 ? 1 : 0)}` : "";
}

/** The list; best findings first, as the server orders them. */
export function DifferenceList({ data, of }: { data: Differences; of: Narrowed }) {
  return (
    <ol class="differences" aria-label={t("What differs")}>
      {data.fields.map((found) => (
        <li key={found.field} class="difference" data-testid="difference" data-field={found.field}>
          <h3 class="mono" lang="">
            {isPattern(found.field) ? t("pattern") : oneLine(found.field, NAME_CHARS_MAX)}
          </h3>
          <div class="difference-values">
            {found.values.slice(0, VALUES_MAX).map((value) => (
              <Value key={JSON.stringify(value.value)} value={value} found={found} of={of} />
            ))}
            {found.numbers !== null && <Numbers found={found} of={of} />}
            <More found={found} />
          </div>
        </li>
      ))}
    </ol>
  );
}

function Value({ value, found, of }: { value: ValueDifference; found: FieldDifference; of: Narrowed }) {
  const name = value.value === "" ? t("(empty)") : oneLine(value.value, NAME_CHARS_MAX) || t("(missing)");
  const said = t("{name}: {share} of the selection, {other} of the baseline", {
    name,
    share: percent(value.selection_share),
    other: percent(value.baseline_share),
  });
  return (
    <div class="difference-value" data-testid="difference-value" data-value={oneLine(value.value, NAME_CHARS_MAX)}>
      <button
        type="button"
        class="difference-open mono"
        title={`${t("Show its events")}\n${said}`}
        data-testid="difference-include"
        onClick={() => narrow(of, found, value, false)}
      >
        {isPattern(found.field) ? <PatternText pattern={name} /> : name}
      </button>
      <Shares value={value} />
      <span class="lift number">{liftText(value)}</span>
      <IconButton
        icon="minus"
        aria-label={t("Hide events where {field} is {value}", { field: found.field, value: name })}
        title={t("Exclude this value")}
        data-testid="difference-exclude"
        disabled={isPattern(found.field) || !canBeNamed(found.field)}
        onClick={() => narrow(of, found, value, true)}
      />
    </div>
  );
}

/** Two bars: the share on each side. */
function Shares({ value }: { value: ValueDifference }) {
  const side = (share: number, n: number, name: string, which: string) => (
    <span class={`share ${which}`} title={`${name}: ${count(n)}`}>
      <span class="share-bar" aria-hidden="true">
        <i style={{ width: `${Math.min(100, Math.max(share > 0 ? 1 : 0, 100 * share))}%` }} />
      </span>
      <span class="number">
        <span class="sr-only">{name} </span>
        {percent(share)}
      </span>
    </span>
  );
  return (
    <span class="shares">
      {side(value.selection_share, value.selection, t("selection"), "here")}
      {side(value.baseline_share, value.baseline, t("baseline"), "there")}
    </span>
  );
}

/** The quantiles of a side in order, by the part of the events below them. */
function quantilesOf(numbers: NonNullable<FieldDifference["numbers"]>, side: string): Map<number, number> {
  const found = Object.entries(numbers).flatMap(([name, value]): [number, number][] => {
    const part = new RegExp(`^${side}_(?:p(\\d+)|(min)|(max))$`).exec(name);
    if (part === null || typeof value !== "number" || !Number.isFinite(value)) return [];
    return [[part[2] ? 0 : part[3] ? 100 : Number(part[1]), value]];
  });
  return new Map(found.sort((a, b) => a[0] - b[0]));
}

/** Two ranges on one scale, each from its lowest quantile to its highest with its median. */
function Numbers({ found, of }: { found: FieldDifference; of: Narrowed }) {
  const numbers = found.numbers ?? {};
  const sides = [
    { name: t("selection"), which: "here", quantiles: quantilesOf(numbers, "selection") },
    { name: t("baseline"), which: "there", quantiles: quantilesOf(numbers, "baseline") },
  ];
  const { threshold, selection_share_above: above, baseline_share_above: aboveBefore } = numbers;
  const all = sides.flatMap(({ quantiles }) => [...quantiles.values()]);
  if (all.length === 0) return null;
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const x = (value: number) => (high > low ? (100 * (value - low)) / (high - low) : 50);
  const number = (value: number) => decimal(value, Math.abs(value) < 10 ? 2 : 0);
  return (
    <div class="difference-value" data-testid="difference-numbers">
      <button
        type="button"
        class="difference-open"
        title={t("Show its events")}
        data-testid="difference-include"
        disabled={found.query === null}
        onClick={() => narrow(of, found, null, false)}
      >
        {typeof threshold === "number" && typeof above === "number" && typeof aboveBefore === "number"
          ? t("above {n}: {share} of the selection, {other} of the baseline", {
              n: number(threshold),
              share: percent(above),
              other: percent(aboveBefore),
            })
          : t("its numbers")}
      </button>
      <span class="ranges">
        {sides.map(({ name, which, quantiles }) => {
          const values = [...quantiles.values()];
          const [least, most, median] = [values[0] ?? 0, values.at(-1) ?? 0, quantiles.get(50)];
          const parts = [...quantiles].map(([part, value]) => `p${part} ${number(value)}`);
          return (
            <span key={which} class={`range ${which}`} title={`${name}: ${parts.join(", ")}`}>
              <span class="range-line" aria-hidden="true">
                <i style={{ left: `${x(least)}%`, width: `${Math.max(1, x(most) - x(least))}%` }} />
                {median !== undefined && <b style={{ left: `${x(median)}%` }} />}
              </span>
              <span class="number">
                <span class="sr-only">{name} </span>
                {median === undefined ? `${number(least)} – ${number(most)}` : t("median {n}", { n: number(median) })}
              </span>
            </span>
          );
        })}
      </span>
      <span class="lift" />
    </div>
  );
}

/** Fields that say the same, and one event. */
function More({ found }: { found: FieldDifference }) {
  const { event, also } = found;
  const at = Date.parse(event?.time ?? "");
  return (
    <>
      {also.length > 0 && (
        <p class="dim note">
          {rich("The same events differ in {fields}, too.", {
            fields: <span class="mono">{oneLine(also.join(", "), NAME_CHARS_MAX)}</span>,
          })}
        </p>
      )}
      {event !== null && event.id !== "" && Number.isNaN(at) && (
        <p class="difference-event">
          <Button label={t("Show one event")} data-testid="difference-event" onClick={() => showAround(event.id)} />{" "}
          <span class="mono">{oneLine(event.text, NAME_CHARS_MAX)}</span>
        </p>
      )}
      {event !== null && event.id !== "" && !Number.isNaN(at) && (
        <p class="difference-event">
          <button
            type="button"
            class="link"
            data-testid="difference-event"
            onClick={() => showRow(event.id, event.time)}
          >
            <time dateTime={event.time}>{dayClock(at, view.value.zone, true)}</time>
          </button>{" "}
          <span class="mono">{oneLine(event.text, NAME_CHARS_MAX)}</span>
        </p>
      )}
    </>
  );
}
