// The pipeline editor: lines of a group at the left, steps in the middle, what becomes of the lines at the right. Nothing holds
// before *Make the pipeline*.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { isOwn, query } from "../../api.ts";
import {
  countPipeline,
  makePipeline,
  tryPipeline,
  type Counted,
  type Pipeline,
  type TriedLine,
  type TriedStep,
} from "../../api/suggestions.ts";
import { askGroups, groupList, start, type Lane } from "../../ask.ts";
import { count, cut, oneLine, printable } from "../../format.ts";
import { useAttempt, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { Options } from "../../parts/options.tsx";
import { Status } from "../../parts/status.tsx";
import { plural, t, text } from "../../texts.ts";
import { go, view } from "../../view.ts";
import { CONDITIONS, definitionOf, draftOf, KINDS, mistakesOf, type Draft, type StepDraft } from "./pipeline_draft.ts";
import { AllPipelines, askPipelines, Tried, UsedBy } from "./suggestions.tsx";

/** Lines that are tried, and characters of a value that are shown. */
const LINES = 20;
const VALUE_CHARS = 300;
/** A pause in typing after which the lines are tried again. */
const PAUSE_MS = 250;

const KIND_TITLES: Readonly<Record<StepDraft["kind"], string>> = {
  parse: text("Take fields out of the text"),
  rename: text("Rename fields"),
  set: text("Set fields"),
  mask: text("Mask"),
  drop: text("Drop"),
  sample: text("Keep one of so many"),
  level: text("Level from a field"),
  time: text("Time from a field"),
  route: text("Move to another group"),
  json: text("As JSON"),
};

const KIND_HINTS: Readonly<Record<StepDraft["kind"], string>> = {
  parse: "logfmt, json, combined, grok:%{IP:client}, regex:(?P<client>\\S+)",
  rename: "usr = user",
  set: "env = prod",
  mask: "email\ncard\ntoken\nip\n/[0-9]{6}/",
  drop: "event",
  sample: "10",
  level: "prio",
  time: "when",
  route: "audit/{app}",
  json: '{"drop": "event", "when": {"not": {"has": "user"}}}',
};

const CONDITION_TITLES: Readonly<Record<StepDraft["only"], string>> = {
  "": text("for every event"),
  contains: text("if the text contains"),
  matches: text("if the text matches"),
  has: text("if there is the field"),
  level: text("if the level is"),
};

/** Kinds of steps whose text has a line for each name. */
const WITH_LINES: readonly string[] = ["rename", "set", "mask", "drop", "json"];

const FATES: Readonly<Record<string, string>> = {
  kept: text("kept"),
  dropped: text("dropped"),
  "sampled out": text("left out by sampling"),
};

const NEW: Draft = { name: "", match: "", steps: [], others: {} };

const unasked = <T,>(): Lane<T> => ({ state: "idle", data: null, error: null, since: 0 });

const draft = signal<Draft>(NEW);
const lines = signal("");
const tried = signal<Lane<TriedLine[]>>(unasked());
const counted = signal<Lane<Counted>>(unasked());

const group = () => view.value.open;

function edit(change: Partial<Draft>): void {
  draft.value = { ...draft.peek(), ...change };
  // What was counted was another pipeline.
  counted.value = unasked();
}

const asked = () => lines.value.split("\n").filter((line) => line.trim() !== "");

/** The definition of what is written, for a trial: without a name it can be tried, not made. */
function tryable() {
  const definition = definitionOf(draft.peek());
  return definition["name"] === "" ? { ...definition, name: "new" } : definition;
}

function ask(): void {
  const definitions = draft.peek().steps.length === 0 ? [] : [tryable()];
  void start(tried, (signal) => tryPipeline(definitions, group(), asked(), signal));
}

/** The part. */
export function PipelineEditor() {
  useEffect(() => {
    askGroups();
    askPipelines();
  }, []);
  const key = JSON.stringify([draft.value, lines.value, group()]);
  useEffect(() => {
    if (asked().length === 0) {
      tried.value = unasked();
      return undefined;
    }
    const timer = setTimeout(ask, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [key]);
  const copy = (one: Pipeline) => {
    counted.value = unasked();
    draft.value = { ...draftOf(one.definition), name: `${one.name}-2` };
    document.getElementById("editor")?.focus();
  };
  return (
    <>
      <section aria-labelledby="editor" data-testid="pipeline-editor">
        <h2 id="editor" tabIndex={-1}>
          {t("Pipeline editor")}
        </h2>
        <p class="dim">
          {t("A pipeline changes events on their way in. Try it on lines first: nothing holds before you make it.")}
        </p>
        <div class="pipeline">
          <Lines />
          <Steps />
          <Results />
        </div>
        <Making />
      </section>
      <AllPipelines copy={copy} />
    </>
  );
}

/** The lines that are tried. */
function Lines() {
  const { problem, busy, attempt } = useAttempt();
  const names = (groupList.value.data ?? []).filter((one) => !isOwn(one)).map(({ name }) => name);
  const all = group() === "" || names.includes(group()) ? names : [group(), ...names];
  const load = (name: string) =>
    attempt(async () => {
      const newest = `fields @message | sort @timestamp desc | limit ${LINES}`;
      const scope = { from: "1970-01-01T00:00:00Z", to: "now", groups: [name] };
      const answer = await query(newest, scope, view.peek().zone, new AbortController().signal);
      lines.value = answer.rows.map((row) => oneLine(row[0])).join("\n");
    });
  const pick = (name: string) => {
    go({ open: name });
    if (draft.peek().match === "") edit({ match: name });
    if (lines.peek() === "" && name !== "") void load(name);
  };
  return (
    <div>
      <h3>{t("Log lines")}</h3>
      <label>
        {t("Group")}{" "}
        <select value={group()} onChange={(event) => pick(event.currentTarget.value)} data-testid="pipeline-group">
          <option value="">{t("Choose a group")}</option>
          <Options of={all.sort().map((name) => [name, printable(name)])} />
        </select>
      </label>
      <textarea
        rows={14}
        spellcheck={false}
        lang=""
        aria-label={t("Log lines")}
        placeholder={t("Lines of a program, as it writes them")}
        value={lines.value}
        onInput={(event) => (lines.value = event.currentTarget.value)}
        data-testid="pipeline-lines"
      />
      <Button
        label={t("Take the newest of the group")}
        class="button"
        disabled={busy || group() === ""}
        onClick={() => void load(group())}
        data-testid="pipeline-newest"
      />
      <Wrong text={problem} />
    </div>
  );
}

/** The mistakes in what is tried, by step. */
function mistakes(): Map<number, string[]> {
  const { error } = tried.value;
  return error === null ? new Map() : mistakesOf(error.message);
}

function Steps() {
  const { name, match, steps } = draft.value;
  const found = mistakes();
  const change = (at: number, to: StepDraft | null, from: number = at) => {
    const next = steps.filter((_, index) => index !== from);
    if (to !== null) next.splice(at, 0, to);
    edit({ steps: next });
  };
  return (
    <div>
      <h3>{t("Steps")}</h3>
      <label>
        {t("Name")}{" "}
        <input
          value={name}
          onInput={(event) => edit({ name: event.currentTarget.value })}
          data-testid="pipeline-name"
          autocomplete="off"
        />
      </label>
      <label>
        {t("Groups")}{" "}
        <input
          value={match}
          placeholder={t("all; or a pattern such as shop/*")}
          onInput={(event) => edit({ match: event.currentTarget.value })}
          data-testid="pipeline-match"
          autocomplete="off"
        />
      </label>
      <Wrong text={(found.get(-1) ?? []).join("; ")} />
      <ol class="steps" aria-label={t("Steps")}>
        {steps.map((step, at) => (
          <Step
            key={at}
            at={at}
            step={step}
            wrong={(found.get(at) ?? []).join("; ")}
            change={(to) => change(at, to)}
            up={at === 0 ? null : () => change(at - 1, step, at)}
          />
        ))}
      </ol>
      <Button
        label={t("Add a step")}
        class="button"
        onClick={() => edit({ steps: [...steps, { kind: "parse", text: "", only: "", onlyText: "" }] })}
        data-testid="add-step"
      />
    </div>
  );
}

interface StepProps {
  at: number;
  step: StepDraft;
  wrong: string;
  change: (to: StepDraft | null) => void;
  up: (() => void) | null;
}

function Step({ at, step, wrong, change, up }: StepProps) {
  const title = t("Step {n}", { n: at + 1 });
  const area = {
    value: step.text,
    placeholder: KIND_HINTS[step.kind],
    spellcheck: false,
    lang: "",
    "aria-label": `${title}: ${t(KIND_TITLES[step.kind])}`,
    "aria-invalid": wrong !== "",
    "data-testid": "step-text",
  };
  const pick = (kind: string) => {
    const to = [...KINDS, "json" as const].find((one) => one === kind);
    if (to !== undefined) change({ ...step, kind: to });
  };
  const only = (name: string) => {
    const to = CONDITIONS.find((one) => one === name) ?? "";
    change({ ...step, only: to });
  };
  return (
    <li class={wrong === "" ? "card quiet" : "card"} data-testid="step">
      <div class="acts">
        <select
          value={step.kind}
          aria-label={title}
          onChange={(event) => pick(event.currentTarget.value)}
          data-testid="step-kind"
        >
          <Options of={[...KINDS, "json" as const].map((kind) => [kind, t(KIND_TITLES[kind])])} />
        </select>
        {up !== null && <Button label={t("Move up")} aria-label={`${title}: ${t("Move up")}`} onClick={up} />}
        <Button label={t("Remove")} aria-label={`${title}: ${t("Remove")}`} onClick={() => change(null)} />
      </div>
      {WITH_LINES.includes(step.kind) ? (
        <textarea
          rows={Math.min(8, step.text.split("\n").length + 1)}
          onInput={(event) => change({ ...step, text: event.currentTarget.value })}
          {...area}
        />
      ) : (
        <input onInput={(event) => change({ ...step, text: event.currentTarget.value })} autocomplete="off" {...area} />
      )}
      {step.kind !== "json" && (
        <div class="acts">
          <select
            value={step.only}
            aria-label={`${title}: ${t("Condition")}`}
            onChange={(event) => only(event.currentTarget.value)}
            data-testid="step-only"
          >
            <Options of={(["", ...CONDITIONS] as const).map((one) => [one, t(CONDITION_TITLES[one])])} />
          </select>
          {step.only !== "" && (
            <input
              value={step.onlyText}
              lang=""
              aria-label={`${title}: ${t(CONDITION_TITLES[step.only])}`}
              onInput={(event) => change({ ...step, onlyText: event.currentTarget.value })}
              data-testid="step-only-text"
              autocomplete="off"
            />
          )}
        </div>
      )}
      <Wrong text={wrong} />
    </li>
  );
}

/** What becomes of the lines. */
function Results() {
  const { state, data } = tried.value;
  const n = (fate: string) => (data ?? []).filter((one) => one.fate === fate).length;
  return (
    <div aria-live="polite">
      <h3>{t("What comes out")}</h3>
      {state === "idle" ? (
        <p class="dim">{t("Write or take lines at the left.")}</p>
      ) : data === null ? (
        state === "error" ? (
          <Wrong text={mistakes().size > 0 ? t("The steps have mistakes.") : tried.value.error?.message} />
        ) : (
          <Status text={t("Trying…")} />
        )
      ) : (
        <>
          <p role="status" data-testid="pipeline-summary">
            {t("{kept} kept, {dropped} not stored", {
              kept: count(n("kept")),
              dropped: count(n("dropped") + n("sampled out")),
            })}
            {state === "error" && <> – {t("of the last steps without a mistake")}</>}
          </p>
          <ol class="results" aria-label={t("What comes out")}>
            {data.map((one) => (
              <Result key={one.line} one={one} />
            ))}
          </ol>
        </>
      )}
    </div>
  );
}

const shown = (value: Parameters<typeof oneLine>[0]) =>
  value === undefined || value === null ? "–" : cut(oneLine(value, VALUE_CHARS), VALUE_CHARS);

function Result({ one }: { one: TriedLine }) {
  const fate = FATES[one.fate];
  const did = one.steps.filter((step) => step.step !== undefined && step.done !== "nothing");
  return (
    <li class="card quiet" data-testid="pipeline-result" data-fate={one.fate}>
      <p class="acts">
        <b>{count(one.line)}</b>
        <span class={one.fate === "kept" ? "badge state-ok" : "badge"}>{fate === undefined ? one.fate : t(fate)}</span>
        {one.recognised.as !== undefined && (
          <span class="dim">{t("read as {format}", { format: one.recognised.as })}</span>
        )}
      </p>
      <Wrong text={one.error} />
      {did.length > 0 && (
        <ul class="plain">
          {did.map((step, at) => (
            <Did key={at} step={step} />
          ))}
        </ul>
      )}
      {one.event !== null && (
        <details>
          <summary>{t("The whole event")}</summary>
          <dl class="event" lang="">
            {Object.entries(one.event).map(([field, value]) => (
              <div key={field}>
                <dt>{printable(field)}</dt>
                <dd>{shown(value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </li>
  );
}

/** What one step did. */
function Did({ step }: { step: TriedStep }) {
  const changes = step.changes ?? [];
  const kind = KINDS.find((one) => one === step.kind);
  return (
    <li>
      <span class="dim">
        {t("Step {n}", { n: step.step ?? 0 })}: {kind === undefined ? (step.kind ?? "") : t(KIND_TITLES[kind])}
      </span>{" "}
      {step.done === "not done" && <span class="note error">{printable(step.because ?? "")}</span>}
      {changes.map((change) => (
        <div key={change.field} lang="">
          <code>{printable(change.field)}</code>:{" "}
          {change.before !== null && change.before !== undefined && (
            <>
              <del>{shown(change.before)}</del> →{" "}
            </>
          )}
          <ins>{shown(change.after)}</ins>
        </div>
      ))}
    </li>
  );
}

/** Counting over stored events, and making the pipeline. */
function Making() {
  const { problem, busy, attempt } = useAttempt();
  const { state, data, error } = counted.value;
  const isReady = draft.value.steps.length > 0 && mistakes().size === 0;
  const countAll = () => void start(counted, (signal) => countPipeline(tryable(), group(), signal));
  const make = () =>
    attempt(async () => {
      await makePipeline(definitionOf(draft.peek()));
      tell(t("Pipeline made; it holds for new events"));
      draft.value = NEW;
      counted.value = unasked();
      askPipelines();
    });
  return (
    <>
      <p class="buttons">
        <Button
          label={t("Count over the last 24 hours")}
          class="button"
          disabled={!isReady || group() === "" || state === "loading"}
          onClick={countAll}
          data-testid="count-pipeline"
        />
        <Button
          label={t("Make the pipeline")}
          class="button primary"
          disabled={!isReady || busy || draft.value.name.trim() === ""}
          onClick={() => void make()}
          data-testid="make-drafted"
        />
      </p>
      <Wrong text={problem} />
      {state === "loading" && <Status text={t("Reading all events of the range…")} />}
      {state === "error" && <Wrong text={error?.message} />}
      {state !== "error" && data !== null && (
        <div data-testid="pipeline-counted">
          <p>
            {plural(data.events, "{n} event", "{n} events", count(data.events))}
            {data.partial && <> – {t("Not all events could be read; the numbers are too small:")}</>}
          </p>
          {data.used_by.length > 0 && <UsedBy uses={data.used_by} />}
          <Tried run={data.dry_run} />
        </div>
      )}
    </>
  );
}
