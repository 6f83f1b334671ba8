// One trace: what it is, what is wrong with it, and its spans and log lines as a waterfall.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { ApiError } from "../api.ts";
import { trace, type TraceAnswer } from "../api/traces.ts";
import { Failure, Incomplete } from "../explore/waiting.tsx";
import { count, oneLine, printable, sentence } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { copy } from "../parts/layers.tsx";
import { Status } from "../parts/status.tsx";
import { adopt } from "../parts/style.ts";
import { useLane } from "../parts/use_lane.ts";
import { Way } from "../parts/way.tsx";
import rules from "../style/traces.css?inline";
import { plural, t } from "../texts.ts";
import { exactText } from "../time.ts";
import { address, go, view } from "../view.ts";
import { found, modelOf, next, type TraceModel } from "./trace/model.ts";
import { Waterfall } from "./trace/waterfall.tsx";
import { colourOf, durationText } from "./trace/words.ts";

adopt(rules);

/** The page. */
export function TracePage() {
  const id = view.value.trace;
  const { ask, state, data, error } = useLane((signal) => trace(id, signal), [id]);
  const box = useRef<HTMLElement>(null);
  return (
    <main class="page trace-page" ref={box} data-testid="trace-page" aria-busy={state === "loading"}>
      {data !== null ? (
        <TraceView key={data.trace_id} data={data} box={box} />
      ) : state === "error" ? (
        <NotFound id={id} error={error} onAgain={ask} />
      ) : (
        <>
          <h1>{t("Trace {id}", { id: printable(id) })}</h1>
          <Status text={t("Loading the trace…")} data-testid="trace-loading" />
        </>
      )}
    </main>
  );
}

function NotFound({ id, error, onAgain }: { id: string; error: ApiError | null; onAgain: () => void }) {
  const isNone = error?.status === 404 || error?.status === 400;
  return (
    <>
      <h1>{t("Trace {id}", { id: printable(id) })}</h1>
      {isNone ? (
        <div class="state" data-testid="trace-none">
          <h2>{error?.message}</h2>
          {error?.hint && <p>{error.hint}</p>}
          <Way class="button" to={{ page: "traces" }} label={t("Search for traces")} />
        </div>
      ) : (
        <Failure
          what={t("The trace could not be loaded: {message}.", { message: error?.message ?? "" })}
          onAgain={onAgain}
        />
      )}
    </>
  );
}

function Figures({ data, model }: { data: TraceAnswer; model: TraceModel }) {
  const n = model.nodes.filter((node) => node.kind === "span").length;
  const facts = [
    exactText(model.startText, view.value.zone),
    durationText(data.duration_ms),
    plural(n, "{n} span", "{n} spans", count(n)),
    plural(model.services.length, "{n} service", "{n} services", count(model.services.length)),
    plural(data.logs.length, "{n} log line", "{n} log lines", count(data.logs.length)),
  ];
  return (
    <p class="trace-facts" data-testid="trace-facts">
      {facts.map((fact) => (
        <span key={fact}>{fact}</span>
      ))}
    </p>
  );
}

/** The first failed span without a failed span below it, with a link to it. */
function FirstError({ model, reveal }: { model: TraceModel; reveal: (node: number) => void }) {
  // What caused the others has no failed span below it.
  const first = model.errors.map((index) => model.nodes[index]).find((node) => node?.errorsBelow === 0);
  if (first === undefined) return null;
  const n = model.errors.length;
  const message = oneLine(first.fields["status_message"], 200);
  return (
    <p class="trace-errors" data-testid="trace-errors">
      <b>{plural(n, "{n} failed span", "{n} failed spans", count(n))}:</b>{" "}
      <button type="button" class="link" onClick={() => reveal(first.index)}>
        {t("{service}: {name}", { service: printable(first.service), name: oneLine(first.name, 120) })}
      </button>{" "}
      <span>{message === "" ? "" : sentence(message)}</span>{" "}
      <span class="dim">
        {t("Next error:")} <kbd>e</kbd>
      </span>
    </p>
  );
}

function Problems({ data, model, reveal }: { data: TraceAnswer; model: TraceModel; reveal: (node: number) => void }) {
  const [isOpen, setOpen] = useState(false);
  if (data.problems.length === 0) return null;
  const shown = isOpen ? data.problems : data.problems.slice(0, 3);
  return (
    <ul class="trace-problems" aria-label={t("What is missing or wrong in this trace")} data-testid="trace-problems">
      {shown.map((problem, at) => {
        const node = problem.span_id === null ? -1 : model.nodes.findIndex((one) => one.id === problem.span_id);
        return (
          <li key={at}>
            {problem.message} {node >= 0 && <Button label={t("Show")} onClick={() => reveal(node)} />}
          </li>
        );
      })}
      {data.problems.length > shown.length && (
        <li>
          <Button label={t("Show all {n}", { n: count(data.problems.length) })} onClick={() => setOpen(true)} />
        </li>
      )}
    </ul>
  );
}

function Services({ model }: { model: TraceModel }) {
  const colour = colourOf(model.services);
  return (
    <ul class="trace-services" aria-label={t("Services")}>
      {model.services.slice(0, 12).map(({ name, spans, errors }) => (
        <li key={name} class={colour(name)}>
          <span class="swatch" />
          {printable(name)} <span class="dim number">{count(spans)}</span>
          {errors > 0 && <span class="span-error">{plural(errors, "{n} error", "{n} errors", count(errors))}</span>}
        </li>
      ))}
      {model.services.length > 12 && <li class="dim">{t("and {n} more", { n: count(model.services.length - 12) })}</li>}
    </ul>
  );
}

function Top({ data: { root, trace_id: id } }: { data: TraceAnswer }) {
  return (
    <div class="trace-top">
      <h1 class="ellipsis">{root === null ? t("Trace") : `${printable(root.service)}: ${oneLine(root.name, 200)}`}</h1>
      <button type="button" class="link" onClick={() => void copy(id, t("Trace id"))} title={t("Copy the trace id")}>
        <code>{id}</code>
      </button>
    </div>
  );
}

/** What the waterfall shows in addition to spans: rows of log lines, the critical path. */
interface Look {
  lines: boolean;
  path: boolean;
}

function Tools({
  data,
  look,
  onLook,
  matches,
  show,
}: {
  data: TraceAnswer;
  look: Look;
  onLook: (look: Look) => void;
  matches: readonly number[];
  show: (node: number) => void;
}) {
  const sought = view.value.find;
  const [match, setMatch] = useState(-1);
  const step = (by: 1 | -1) => {
    const to = next(matches, match, by);
    setMatch(to);
    if (to >= 0) show(to);
  };
  return (
    <div class="trace-tools" role="search">
      <input
        type="search"
        aria-label={t("Search in names, attributes and log lines")}
        placeholder={t("Search in names, attributes and log lines (/)")}
        data-testid="trace-find"
        value={sought}
        onInput={(event) => {
          setMatch(-1);
          go({ find: event.currentTarget.value }, true);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
        }}
      />
      <span class="dim" role="status" data-testid="trace-matches">
        {sought.trim() === ""
          ? ""
          : plural(matches.length, "{n} span matches", "{n} spans match", count(matches.length))}
      </span>
      <span class="grow" />
      {data.logs.length > 0 && (
        <button
          type="button"
          class="chip"
          aria-pressed={look.lines}
          data-testid="trace-lines"
          onClick={() => onLook({ ...look, lines: !look.lines })}
        >
          {t("Log lines")}
        </button>
      )}
      {data.spans.length > 1 && (
        <button
          type="button"
          class="chip"
          aria-pressed={look.path}
          title={t("Underlined: the spans that the end of the trace waited for. Dims the others.")}
          data-testid="trace-path"
          onClick={() => onLook({ ...look, path: !look.path })}
        >
          {t("Critical path")}
        </button>
      )}
      <button
        type="button"
        class="chip"
        onClick={() => void copy(new URL(address(view.peek()), location.href).href, t("Link to this trace"))}
      >
        {t("Copy link")}
      </button>
    </div>
  );
}

function TraceView({ data, box }: { data: TraceAnswer; box: { current: HTMLElement | null } }) {
  const model = useMemo(() => modelOf(data), [data]);
  const texts = useMemo(() => new Map<number, string>(), [data]);
  const sought = view.value.find;
  const matches = useMemo(() => found(model, sought, texts), [model, sought]);
  const [look, setLook] = useState({ lines: false, path: false });
  const reveal = useRef<(node: number) => void>(() => undefined);
  const show = (node: number) => reveal.current(node);
  const root = data.root;
  useEffect(() => {
    document.title = `${oneLine(root?.name ?? data.trace_id, 60)} · ${durationText(data.duration_ms)} – catat`;
  }, [data, view.value]);
  return (
    <>
      <Top data={data} />
      <Figures data={data} model={model} />
      {data.partial && <Incomplete what={t("This trace is incomplete.")} reasons={data.partial_reasons} />}
      <FirstError model={model} reveal={show} />
      <Problems data={data} model={model} reveal={show} />
      <Services model={model} />
      <Tools data={data} look={look} onLook={setLook} matches={matches} show={show} />
      <Waterfall
        model={model}
        problems={data.problems}
        box={box}
        found={matches}
        showsLines={look.lines}
        showsPath={look.path}
        reveal={reveal}
      />
    </>
  );
}
