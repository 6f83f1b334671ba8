// What differs: the fields by which the selected events differ from the others.

import { signal } from "@preact/signals";

import { askDiffers, type Differences } from "../api/cause.ts";
import type { Lane } from "../ask.ts";
import { count } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { Options } from "../parts/options.tsx";
import { plural, t, text } from "../texts.ts";
import { clockText, fullText } from "../time.ts";
import { askedAt, go, rangeMs, view } from "../view.ts";
import { comparisonOf, selectedTime, type Baseline, type Comparison } from "./comparison.ts";
import { DifferenceList } from "./difference_list.tsx";
import { Panel, useAnswer } from "./panel_frame.tsx";
import { Nothing } from "./panel_parts.tsx";

const lane = signal<Lane<Differences>>({ state: "idle", data: null, error: null, since: 0 });

const BASELINES: Readonly<Record<Baseline, string>> = {
  range: text("the rest of this range"),
  rest: text("other events of this time"),
  before: text("the time just before"),
};

/** Fewer events than this allow no conclusion. */
const EVENTS_MIN = 5;

/** The panel. */
export function DiffersPanel() {
  const of = view.value;
  const comparison = comparisonOf(of, rangeMs(of, askedAt.value));
  const key = [of.selection, of.chosen, of.baseline].join("\n");
  useAnswer(lane, key, (signal) => {
    const { selection, baseline } = comparisonOf(view.peek(), rangeMs(view.peek(), askedAt.peek()));
    return askDiffers(selection, baseline, view.peek().zone, signal);
  });
  const data = lane.value.data;
  const n = data?.fields.length ?? 0;
  const head =
    data === null
      ? ""
      : n === 0
        ? t("no difference found")
        : plural(n, "{n} field differs", "{n} fields differ", count(n));
  return (
    <Panel
      name={t("What differs")}
      lane={lane}
      head={head}
      tools={<Against comparison={comparison} />}
      testId="differs"
    >
      <Selected />
      {data !== null && <Found data={data} comparison={comparison} />}
    </Panel>
  );
}

/** The choice of the baseline. */
function Against({ comparison: { kind, offered } }: { comparison: Comparison }) {
  return (
    <label class="against">
      <span>{t("against")}</span>
      <select
        value={kind}
        data-testid="baseline"
        onChange={(event) => {
          const wish = event.currentTarget.value;
          go({ baseline: wish === offered[0] ? "" : wish });
        }}
      >
        <Options of={offered.map((one) => [one, t(BASELINES[one])])} />
      </select>
    </label>
  );
}

/** What is selected, with a way to select everything again. */
function Selected() {
  const { selection, chosen, zone } = view.value;
  const time = selectedTime(selection);
  if (time === null && chosen === "") return null;
  return (
    <p class="differs-selected" data-testid="differs-selected">
      {t("Selected:")}{" "}
      {time !== null && (
        <b>
          {fullText(time.from, zone)} – {clockText(time.to, zone)}
        </b>
      )}{" "}
      {chosen !== "" && <code>{chosen}</code>}{" "}
      <Button label={t("Select everything shown")} onClick={() => go({ selection: "", chosen: "", baseline: "" })} />
    </p>
  );
}

function Found({ data, comparison }: { data: Differences; comparison: Comparison }) {
  const { selection, baseline } = data;
  const few = Math.min(selection.events, baseline.events);
  return (
    <div class="differs">
      <p class="compared dim" data-testid="differs-compared">
        {t("{n} events selected, {m} in the baseline", {
          n: count(selection.events),
          m: count(baseline.events),
        })}
        {data.approximate && <> · {t("from a sample")}</>}
      </p>
      {data.fields.length > 0 ? (
        <DifferenceList data={data} of={comparison.selection} />
      ) : (
        <Nothing
          title={
            selection.events === 0
              ? t("No event is selected")
              : baseline.events === 0
                ? t("The baseline has no events")
                : t("Nothing differs significantly")
          }
          hint={
            data.note !== ""
              ? data.note
              : few >= EVENTS_MIN
                ? t("Every field is distributed as in the baseline, within what chance explains.")
                : t("Select a longer time, or choose another baseline above.")
          }
        />
      )}
    </div>
  );
}
