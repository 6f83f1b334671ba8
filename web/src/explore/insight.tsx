// What an answer cost, in one line, and how the server came to it.

import { useSignal } from "@preact/signals";

import { ROWS_ASKED } from "../ask.ts";
import * as api from "../api.ts";
import type { Explanation } from "../api.ts";
import { bytes, compact, count, milliseconds, percent } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { copy, Dialog } from "../parts/layers.tsx";
import { useLane } from "../parts/use_lane.ts";
import type { Rows } from "../rows.ts";
import { plural, t, text } from "../texts.ts";
import { view } from "../view.ts";

/** One line on what the answer cost, which opens the explanation. */
export function Insight({ data }: { data: Rows }) {
  const open = useSignal(false);
  const {
    events_scanned: scanned = 0,
    events_skipped: skipped = 0,
    bytes_read: read = 0,
    events_cached: cached = 0,
    elapsed_ms: elapsed,
  } = data.answer.stats;
  const parts = [plural(scanned, "{n} event scanned", "{n} events scanned", compact(scanned))];
  if (read > 0) parts.push(t("{bytes} read", { bytes: bytes(read) }));
  if (skipped > 0) parts.push(t("{share} skipped by the index", { share: percent(skipped / Math.max(scanned, 1)) }));
  if (cached > 0) parts.push(t("{share} cached", { share: percent(cached / Math.max(scanned, 1)) }));
  if (elapsed !== undefined) parts.push(milliseconds(elapsed));
  return (
    <>
      <button
        type="button"
        class="link dim cost"
        data-testid="cost"
        title={t("How the server ran this query")}
        onClick={() => (open.value = true)}
      >
        {parts.join(" · ")}
      </button>
      <Dialog open={open.value} onClose={() => (open.value = false)} label={t("How the server ran this query")}>
        <Explained data={data} />
      </Dialog>
    </>
  );
}

/** Asks again, with the explanation. */
function Explained({ data }: { data: Rows }) {
  const { lane, ask } = useLane(
    (signal) => api.explain(data.query, view.peek(), view.peek().zone, ROWS_ASKED, signal),
    [data],
  );
  const { state, data: found, error } = lane.value;
  return (
    <div class="explained" data-testid="explained">
      <h2>{t("How the server ran this query")}</h2>
      {state === "loading" && !found && <p class="dim">{t("Loading…")}</p>}
      {state === "error" && (
        <p class="note error">
          {error?.message} <Button label={t("Try again")} onClick={ask} />
        </p>
      )}
      {found && <Plan found={found} />}
    </div>
  );
}

const STAGES: readonly { stage: string; title: string }[] = [
  { stage: "block", title: text("In each block, as it is read") },
  { stage: "merge", title: text("Combined results of the blocks") },
  { stage: "rows", title: text("On the rows of the answer") },
];

/** What the index could say beforehand. */
function IndexUse({ index, all }: { index: NonNullable<Explanation["steps"][number]["index"]>; all: number }) {
  const what = { field: index.field, literal: index.literal };
  if (index.events >= all) return <>{t("“{literal}” in {field}: not indexed here; all events are scanned.", what)}</>;
  const where = plural(index.blocks, "in {n} block", "in {n} blocks", count(index.blocks));
  return (
    <>
      {t("“{literal}” in {field}: the index leaves", what)}{" "}
      {plural(index.events, "{n} event", "{n} events", count(index.events))} {where}
      {index.exact ? "" : `, ${t("all of which are scanned")}`}.
    </>
  );
}

function Plan({ found }: { found: Explanation }) {
  const { steps, estimated, actual } = found;
  const numbers: [string, string, string][] = [
    [t("Blocks in the range"), count(estimated.blocks), ""],
    [t("Events in them"), count(estimated.events), t("{n} scanned", { n: count(actual.events_scanned) })],
    [
      t("Blocks that may match"),
      t("{n} of {all} queried", { n: count(estimated.blocks_possible), all: count(estimated.blocks_asked) }),
      "",
    ],
    [
      t("Events that may match"),
      count(estimated.events_possible),
      t("{n} matched", { n: count(actual.events_matched) }),
    ],
    [t("Rows"), "", count(actual.rows)],
  ];
  return (
    <>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">{t("Estimated by the index")}</th>
            <th scope="col">{t("Actual")}</th>
          </tr>
        </thead>
        <tbody>
          {numbers.map(([name, before, after]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">{before}</td>
              <td class="number">{after}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {estimated.uses_counts && <p>{t("Answered from stored counts; only the ends of the range are read.")}</p>}
      <ol class="plan" data-testid="plan">
        {STAGES.filter(({ stage }) => steps.some((step) => step.stage === stage)).map(({ stage, title }) => (
          <li key={stage}>
            <b>{t(title)}</b>
            <ul>
              {steps
                .filter((step) => step.stage === stage)
                .map((step, at) => (
                  <li key={at}>
                    <code>{step.operator}</code>
                    {step.index && (
                      <div class="dim">
                        <IndexUse index={step.index} all={estimated.events} />
                      </div>
                    )}
                  </li>
                ))}
            </ul>
          </li>
        ))}
      </ol>
      <form method="dialog" class="buttons">
        <Button class="button" label={t("Copy as text")} onClick={() => void copy(found.text, t("Explanation"))} />
        <button class="button primary" data-testid="explained-close">
          {t("Close")}
        </button>
      </form>
    </>
  );
}
