// The frame of what stands in place of the rows: its head, the wait, what failed, what is missing.

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

import type { Notice, Stats } from "../api.ts";
import { cancel, start, type Lane } from "../ask.ts";
import { count, milliseconds, sentence } from "../format.ts";
import { copyLink } from "../keys.ts";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { t, told } from "../texts.ts";
import { asked, view } from "../view.ts";
import { FieldsButton } from "./fields_button.tsx";
import { PanelSwitch } from "./panel_switch.tsx";
import { Wait } from "./waiting.tsx";

/** What an answer tells of itself. */
interface Answered {
  stats: Partial<Stats>;
  partial: boolean;
  partial_reasons: Notice[];
}

/** Asks whenever the question, or the rest of it that `key` names, has changed. */
export function useAnswer<T>(lane: Signal<Lane<T>>, key: string, ask: (signal: AbortSignal) => Promise<T>): void {
  const of = view.value;
  useEffect(() => {
    void start(lane, ask);
  }, [of.query, of.from, of.to, of.groups.join(","), of.zone, key, asked.value]);
  // Whoever goes elsewhere does not wait for it any more.
  useEffect(
    () => () => {
      cancel(lane);
      lane.value = { state: "idle", data: null, error: null, since: 0 };
    },
    [],
  );
}

interface PanelProps<T> {
  name: string;
  lane: Signal<Lane<T>>;
  head: string;
  /** What the panel can be set to. */
  tools: ComponentChildren;
  testId: string;
  children: ComponentChildren;
}

/** The frame of a panel: head, wait, error, what is missing. */
export function Panel<T extends Answered>({ name, lane, head, tools, testId, children }: PanelProps<T>) {
  const { state, data, error } = lane.value;
  return (
    <section
      class={`result${state === "loading" && data !== null ? " stale" : ""}`}
      aria-label={name}
      aria-busy={state === "loading"}
      data-testid={testId}
      data-state={state}
    >
      <Wait lane={lane} said={(time) => t("comparing… {time}", { time })} testId="panel-loading" />
      <div class="result-head">
        <FieldsButton />
        <PanelSwitch />
        <span role="status" data-testid="panel-head">
          {head}
        </span>
        {tools}
        <span class="dim cost">
          {data?.stats.elapsed_ms === undefined
            ? ""
            : `${count(data.stats.events_scanned ?? 0)} ${t("scanned")} · ${milliseconds(data.stats.elapsed_ms)}`}
        </span>
        <button type="button" class="button quiet" data-testid="panel-link" onClick={copyLink}>
          <Icon name="link" />
          <span>{t("Copy link")}</span>
        </button>
      </div>
      <div class="panel-body">
        {state === "error" && (
          <div class="state" role="alert" data-testid="panel-failed">
            <h2>
              {error?.code === "cancelled"
                ? t("Cancelled")
                : error?.status === 0
                  ? t("The server cannot be reached")
                  : error?.status === 400
                    ? t("The query could not be read")
                    : t("This could not be answered")}
            </h2>
            {error?.code !== "cancelled" && <p>{error?.sentence}</p>}
            {error?.hint && <p class="hint">{error.hint}</p>}
            <p>
              <Button class="button primary" label={t("Try again")} onClick={() => (asked.value += 1)} />
            </p>
          </div>
        )}
        {data?.partial && (
          <div class="partial" role="alert" data-testid="panel-partial">
            <b>{t("This answer is incomplete.")}</b>
            {data.partial_reasons.map((reason, at) => (
              <span key={at}> {sentence(told(reason.code, reason.message))}</span>
            ))}
          </div>
        )}
        {state !== "error" && data === null && (
          <div class="skeleton" aria-hidden="true">
            {Array.from({ length: 8 }, (_, n) => (
              <div key={n} style={{ width: `${88 - ((n * 31) % 45)}%` }} />
            ))}
          </div>
        )}
        {state !== "error" && children}
      </div>
    </section>
  );
}
