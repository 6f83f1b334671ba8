// Suggestions for a group: what each concerns, its dry run, and the button that makes the pipeline. Below them all
// pipelines, those made here with a button that removes them.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import {
  makePipeline,
  pipelines,
  removePipeline,
  suggestions,
  type DryRun,
  type Example,
  type Pipeline,
  type Suggestion,
  type Suggestions as Found,
  type Use,
} from "../../api/suggestions.ts";
import { askGroups, groupList, start, type Lane } from "../../ask.ts";
import { bytes, count, cut, oneLine, percent, printable } from "../../format.ts";
import { told, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { Options } from "../../parts/options.tsx";
import { Status } from "../../parts/status.tsx";
import type { Json } from "../../query/edit.ts";
import { plural, t, text } from "../../texts.ts";
import { exactText } from "../../time.ts";
import { go, view } from "../../view.ts";
import { Listed, Sure, type Item } from "./parts.tsx";

/** Characters of a value that are shown of an example. */
const VALUE_CHARS = 300;

/** Groups whose events pass no pipelines. */
const NO_LINES = /^(?:catat\/|metrics\/)/;

const RANGES = [
  { from: "now-1h", title: text("the last hour") },
  { from: "now-24h", title: text("the last 24 hours") },
  { from: "now-7d", title: text("the last 7 days") },
] as const;

const TITLES: Readonly<Record<string, string>> = {
  email: text("Mask e-mail addresses"),
  card: text("Mask card numbers"),
  token: text("Mask tokens, keys and passwords"),
  debug: text("Drop events of levels debug and trace"),
  health_check: text("Drop health checks"),
  constant: text("Drop a message that never changes"),
  frequent: text("Keep one of ten events of a frequent message"),
  json: text("Extract fields from JSON in the message"),
  key_value: text("Extract key=value fields"),
  variables: text("Extract the variables of a message"),
  services: text("Split by service"),
  formats: text("Split by format"),
};

const USES: Readonly<Record<string, string>> = {
  rule: text("alert rule"),
  metric: text("metric"),
  issue: text("issue"),
  view: text("saved view"),
  dashboard: text("dashboard"),
  "metric filter": text("metric filter"),
  "subscription filter": text("subscription filter"),
};

const lane = signal<Lane<Found>>({ state: "idle", data: null, error: null, since: 0 });
const known = signal<Lane<Pipeline[]>>({ state: "idle", data: null, error: null, since: 0 });
const from = signal<string>("now-24h");
/** Ids of suggestions whose pipelines were made since they were asked for. */
const made = signal<ReadonlySet<string>>(new Set());

const group = () => view.value.open;
export const askPipelines = () => void start(known, pipelines);

function ask(): void {
  const name = group();
  if (name === "") return;
  made.value = new Set();
  void start(lane, (signal) => suggestions(name, from.value, signal));
}

/** The part. */
export function Suggestions() {
  useEffect(() => {
    askGroups();
    askPipelines();
  }, []);
  useEffect(() => {
    // The answer about another group says nothing about this one.
    if (lane.peek().data?.group !== group()) lane.value = { ...lane.peek(), data: null };
    ask();
  }, [view.value.open, from.value]);
  return (
    <>
      <section aria-labelledby="suggestions" data-testid="suggestions">
        <h2 id="suggestions" tabIndex={-1}>
          {t("Suggestions")}
        </h2>
        <p class="dim">
          {t(
            "Pipelines that may be worth it, counted over all events of the range. Events that a rule, a metric, an issue, a saved view or a dashboard may need are never offered for dropping.",
          )}
        </p>
        <Choice />
        {group() !== "" && <Answer />}
      </section>
      <AllPipelines />
    </>
  );
}

function Choice() {
  const names = (groupList.value.data ?? []).map((one) => one.name).filter((name) => !NO_LINES.test(name));
  const all = group() === "" || names.includes(group()) ? names : [group(), ...names];
  const pick = (event: Event) => go({ open: (event.currentTarget as HTMLSelectElement).value });
  return (
    <div class="make">
      <label>
        {t("Group")}{" "}
        <select value={group()} onChange={pick} data-testid="suggest-group">
          {group() === "" && <option value="">{t("Choose a group")}</option>}
          <Options of={all.sort().map((name) => [name, printable(name)])} />
        </select>
      </label>
      <label>
        {t("Events of")}{" "}
        <select
          value={from.value}
          onChange={(event) => (from.value = event.currentTarget.value)}
          data-testid="suggest-range"
        >
          <Options of={RANGES.map((range) => [range.from, t(range.title)])} />
        </select>
      </label>
      {groupList.value.state === "error" && <Wrong text={groupList.value.error?.message} />}
    </div>
  );
}

function Answer() {
  const { state, data, error } = lane.value;
  if (state === "error")
    return (
      <p class="note error" role="alert" data-testid="suggest-error">
        {told(error)} <Button label={t("Try again")} onClick={ask} />
      </p>
    );
  if (state === "loading" || data === null)
    return <Status text={t("Reading all events of the range…")} data-testid="suggest-loading" />;
  return (
    <>
      {data.partial && (
        <p class="note error" role="alert" data-testid="suggest-partial">
          {t("Not all events could be read; the numbers are too small:")}{" "}
          {data.partial_reasons.map((one) => one.message ?? "").join("; ")}
        </p>
      )}
      <p role="status" data-testid="suggest-note">
        {data.events > 0 &&
          t("{events} with {bytes} of text and fields.", {
            events: plural(data.events, "{n} event", "{n} events", count(data.events)),
            bytes: bytes(data.bytes),
          })}{" "}
        {noteOf(data)}
      </p>
      {data.suggestions.length > 0 && (
        <ul class="advice" aria-label={t("Suggestions")}>
          {data.suggestions.map((one) => (
            <Offered key={one.id} one={one} />
          ))}
        </ul>
      )}
      {data.withheld.length > 0 && (
        <>
          <h3>{t("Not offered, because the events may be needed")}</h3>
          <ul class="advice" aria-label={t("Not offered")}>
            {data.withheld.map((one) => (
              <Withheld key={one.id} one={one} />
            ))}
          </ul>
        </>
      )}
    </>
  );
}

/** Why there is nothing, in the language of the page; what else the server says as it says it. */
function noteOf(found: Found): string {
  if (found.events === 0 && !found.partial) return t("There are no events of this group in the range.");
  const isNothing = found.suggestions.length + found.withheld.length === 0;
  if (found.note === null) return "";
  if (isNothing && found.note.includes("too few")) return t("Too few events to suggest anything.");
  return isNothing && found.note.includes("worth") ? t("Nothing in this range is worth a pipeline.") : found.note;
}

function Head({ one }: { one: Suggestion }) {
  const title = TITLES[one.reason];
  return (
    <>
      <h3 id={`s-${one.id}`}>{title === undefined ? printable(one.title) : t(title)}</h3>
      {one.pattern !== null && <code class="pattern">{cut(printable(one.pattern), VALUE_CHARS)}</code>}
      {one.fields.length > 0 && (
        <p class="labels">
          {one.fields.map((field) => (
            <code key={field} class="label">
              {cut(printable(field), VALUE_CHARS)}
            </code>
          ))}
        </p>
      )}
      <p>
        {t("{events} ({share}), {bytes} ({byteShare})", {
          events: plural(one.events, "{n} event", "{n} events", count(one.events)),
          share: percent(one.event_share),
          bytes: bytes(one.bytes),
          byteShare: percent(one.byte_share),
        })}
      </p>
    </>
  );
}

function Offered({ one }: { one: Suggestion }) {
  const isMade = made.value.has(one.id);
  const note = (next: (ids: Set<string>) => void) => {
    const ids = new Set(made.peek());
    next(ids);
    made.value = ids;
    askPipelines();
  };
  const run = async (work: () => Promise<unknown>, next: (ids: Set<string>) => void, done: string) => {
    try {
      await work();
      note(next);
      tell(done);
    } catch (error) {
      tell(told(error));
    }
  };
  const make = () =>
    run(
      () => makePipeline(one.definition ?? null),
      (ids) => ids.add(one.id),
      t("Pipeline made; it holds for new events"),
    );
  const undo = () =>
    run(
      () => removePipeline(one.id),
      (ids) => ids.delete(one.id),
      t("Pipeline removed"),
    );
  return (
    <li class="card" data-testid="suggestion" data-reason={one.reason} aria-labelledby={`s-${one.id}`}>
      <Head one={one} />
      <details>
        <summary>{t("Dry run")}</summary>
        {one.dry_run && <Tried run={one.dry_run} />}
      </details>
      <details>
        <summary>{t("Definition")}</summary>
        <pre class="definition" tabIndex={0} aria-label={t("Definition")}>
          {printable(JSON.stringify(one.definition, null, 2), true)}
        </pre>
      </details>
      <p class="buttons">
        {isMade && <span class="badge state-ok">{t("Made")}</span>} {/* One button, so that the focus stays on it. */}
        <button
          key="act"
          type="button"
          class={isMade ? "button" : "button primary"}
          data-testid={isMade ? "undo-pipeline" : "make-pipeline"}
          aria-describedby={`s-${one.id}`}
          onClick={() => void (isMade ? undo() : make())}
        >
          {isMade ? t("Undo") : t("Make the pipeline")}
        </button>
      </p>
    </li>
  );
}

function Withheld({ one }: { one: Suggestion }) {
  return (
    <li class="card quiet" data-testid="withheld" data-reason={one.reason}>
      <Head one={one} />
      <UsedBy uses={one.used_by} />
    </li>
  );
}

/** What may need the events that a pipeline takes away. */
export function UsedBy({ uses }: { uses: readonly Use[] }) {
  const named = (kind: string) => (USES[kind] === undefined ? printable(kind) : t(USES[kind]));
  return (
    <p>
      {t("May be needed by")}{" "}
      {uses.map((use, at) => (
        <span key={at}>
          {at > 0 && ", "}
          {named(use.kind)} <b>{use.name === null ? t("(not visible to you)") : printable(use.name)}</b>
        </span>
      ))}
    </p>
  );
}

/** What the pipeline would have done. */
export function Tried({ run }: { run: DryRun }) {
  const figures: [string, number][] = [
    [t("Matched"), run.matched],
    [t("Dropped"), run.dropped + run.sampled_out],
    [t("Changed"), run.changed - run.routed],
    [t("Moved"), run.routed],
  ];
  return (
    <>
      <dl class="figures">
        {figures
          .filter(([, n], at) => at === 0 || n > 0)
          .map(([title, n]) => (
            <div key={title}>
              <dt>{title}</dt>
              <dd>{count(n)}</dd>
            </div>
          ))}
        <div>
          <dt>{t("Bytes before and after")}</dt>
          <dd>
            {bytes(run.bytes_before)} → {bytes(run.bytes_after)}
          </dd>
        </div>
      </dl>
      <ul class="examples" aria-label={t("Examples")}>
        {run.examples.map((example, at) => (
          <BeforeAfter key={at} example={example} />
        ))}
      </ul>
    </>
  );
}

const shown = (value: Json | undefined) =>
  value === undefined || value === null ? "–" : cut(oneLine(value, VALUE_CHARS), VALUE_CHARS);

function BeforeAfter({ example }: { example: Example }) {
  return (
    <li>
      <time class="dim" dateTime={example.time}>
        {exactText(example.time, view.value.zone)}
      </time>
      {example.kept ? (
        example.changes.map((change) => (
          <div key={change.field}>
            <code>{printable(change.field)}</code>: <del>{shown(change.before)}</del> → <ins>{shown(change.after)}</ins>
          </div>
        ))
      ) : (
        <div>
          <del>{shown(example.text)}</del> {t("is not stored")}
        </div>
      )}
    </li>
  );
}

/** All pipelines, with a button for those that were made, and one that copies a pipeline where that is of use. */
export function AllPipelines({ copy }: { copy?: (one: Pipeline) => void }) {
  const remove = async (name: string) => {
    await removePipeline(name);
    tell(t("Pipeline removed"));
    askPipelines();
    if (copy === undefined) ask();
  };
  const did = (one: Pipeline) =>
    [
      one.dropped + one.sampled_out > 0 && t("{n} dropped", { n: count(one.dropped + one.sampled_out) }),
      one.masked > 0 && t("{n} masked", { n: count(one.masked) }),
      one.routed > 0 && t("{n} moved", { n: count(one.routed) }),
    ]
      .filter(Boolean)
      .join(", ");
  const items = known.value.data?.map((one) => ({ ...one }) as unknown as Item) ?? null;
  return (
    <section aria-labelledby="pipelines" data-testid="pipelines">
      <h2 id="pipelines" tabIndex={-1}>
        {t("Pipelines")}
      </h2>
      <Listed
        lane={{ ...known.value, data: items }}
        empty={t("There are no pipelines.")}
        label={t("List of pipelines")}
        heads={[t("Name"), t("Events"), t("Made by"), t("What it did")]}
        row={(item) => {
          const one = item as unknown as Pipeline;
          return (
            <tr key={one.name} data-testid="pipeline">
              <th scope="row">{printable(one.name)}</th>
              <td>{count(one.events)}</td>
              <td>{one.made_by === null ? <span class="dim">{t("configuration")}</span> : printable(one.made_by)}</td>
              <td class="wide">{did(one) || <span class="dim">–</span>}</td>
              <td class="act">
                {copy !== undefined && (
                  <Button
                    label={t("Copy")}
                    aria-label={`${t("Copy")}: ${printable(one.name)}`}
                    onClick={() => copy(one)}
                    data-testid="copy-pipeline"
                  />
                )}{" "}
                {one.made_by !== null && (
                  <Sure what={t("Remove")} name={printable(one.name)} run={() => remove(one.name)} />
                )}
              </td>
            </tr>
          );
        }}
      />
    </section>
  );
}
