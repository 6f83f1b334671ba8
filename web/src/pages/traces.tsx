// Traces: a search by one of their spans, its answer as dots of duration over time, and as a list.

import type { ComponentType } from "preact";
import { useState } from "preact/hooks";

import { fieldValues } from "../api.ts";
import {
  searchTraces,
  traceDensity,
  TRACES_MAX,
  type FoundTraces,
  type TraceDensity,
  type TraceSummary,
} from "../api/traces.ts";
import { Failure, Incomplete } from "../explore/waiting.tsx";
import { count, oneLine, percent, printable, textOf } from "../format.ts";
import { Wrong } from "../parts/attempt.tsx";
import { Button } from "../parts/button.tsx";
import { Status } from "../parts/status.tsx";
import { adopt } from "../parts/style.ts";
import { Heads } from "../parts/table.tsx";
import { useLane } from "../parts/use_lane.ts";
import { Way } from "../parts/way.tsx";
import { valueText } from "../query/edit.ts";
import rules from "../style/traces.css?inline";
import { plural, t } from "../texts.ts";
import { fullText } from "../time.ts";
import { asked, askedAt, go, view, type TraceSearch } from "../view.ts";
import { areaOf, areaText, differences, isIn } from "./traces/scatter.ts";
import { differsOf, durationMs } from "./traces/search.ts";
import { Scatter } from "./traces/scatter.tsx";
import { durationText } from "./trace/words.ts";

adopt(rules);

/** Rows of the list before more are asked for. */
const SHOWN = 100;

/** The page. `Time` is the button of the time range. */
export function Traces({ Time }: { Time: ComponentType }) {
  const { from, to, sought, zone } = view.value;
  const { area: _, through: __, ...body } = sought;
  const { ask, state, data, error } = useLane(
    (signal) => {
      askedAt.value = Date.now();
      return searchTraces(view.peek(), TRACES_MAX, signal);
    },
    [from, to, zone, JSON.stringify(body), asked.value],
  );
  // Where the search returns all traces, the dots are all; `through` chooses among those that it returned.
  const isMore = data !== null && data.traces.length >= TRACES_MAX && (sought.through ?? "") === "";
  const counted = useLane<TraceDensity | null>(
    async (signal) => (isMore ? await traceDensity(view.peek(), signal) : null),
    [isMore, from, to, JSON.stringify(body), asked.value],
  );
  return (
    <main class="page traces-page" data-testid="traces-page" aria-busy={state === "loading"}>
      <div class="page-head">
        <h1>{t("Traces")}</h1>
        <Time />
      </div>
      <Form key={JSON.stringify(body)} sought={sought} />
      {state === "error" && (
        <Failure
          what={
            data
              ? t("These traces are from the previous search: {message}.", { message: error?.message ?? "" })
              : t("The traces could not be loaded: {message}.", { message: error?.message ?? "" })
          }
          onAgain={ask}
        />
      )}
      {data === null && state === "loading" && (
        <Status text={t("Searching for traces…")} data-testid="traces-loading" />
      )}
      {data !== null && <Answer data={data} density={isMore ? counted.data : null} isStale={state === "loading"} />}
    </main>
  );
}

/** Values that are offered for an input. */
const OFFERED_MAX = 50;

/** The most frequent values that a field of spans has in the range, once they are asked for: names are those of the service, if one is chosen. */
function useOffers(field: "service" | "name", service = ""): [string[], () => void] {
  const { from, to, groups } = view.value;
  const [offers, setOffers] = useState<{ key: string; values: string[] }>({ key: "", values: [] });
  const of = field === "name" && service !== "" ? ` and service = ${valueText(service)}` : "";
  const key = `${from} ${to} ${of}`;
  const ask = () => {
    if (offers.key === key) return;
    const query = `filter @type = "span"${of}`;
    fieldValues(field, query, { from, to, groups }, OFFERED_MAX, new AbortController().signal).then(
      ({ values }) => setOffers({ key, values: values.map(({ value }) => textOf(value)) }),
      // Without offers the input is one that is written in.
      () => undefined,
    );
  };
  return [offers.values, ask];
}

function Offers({ id, of }: { id: string; of: readonly string[] }) {
  return (
    <datalist id={id} data-testid={id}>
      {of.map((value) => (
        <option key={value} value={value} />
      ))}
    </datalist>
  );
}

/** The search form; empty fields set no condition. */
function Form({ sought }: { sought: TraceSearch }) {
  const [draft, setDraft] = useState<TraceSearch>(sought);
  const [isWrong, setWrong] = useState(false);
  const set = (name: keyof TraceSearch) => (event: { currentTarget: { value: string } }) =>
    setDraft({ ...draft, [name]: event.currentTarget.value });
  const [services, askServices] = useOffers("service", draft.service);
  const [names, askNames] = useOffers("name", draft.service);
  const submit = (event: Event) => {
    event.preventDefault();
    const wrong = [draft.min, draft.max].some((text) => (text ?? "").trim() !== "" && durationMs(text ?? "") === null);
    setWrong(wrong);
    if (wrong) return;
    const { area: _, ...next } = draft;
    asked.value += 1;
    go({ sought: Object.fromEntries(Object.entries(next).filter(([, text]) => text !== "")) });
  };
  return (
    <form class="make trace-search" role="search" onSubmit={submit} data-testid="trace-search">
      <label>
        {t("Service")}
        <input
          name="service"
          list="trace-services"
          autocomplete="off"
          value={draft.service ?? ""}
          onFocus={askServices}
          onInput={set("service")}
        />
        <Offers id="trace-services" of={services} />
      </label>
      <label>
        {t("Name of a span")}
        <input
          name="name"
          list="trace-names"
          autocomplete="off"
          value={draft.name ?? ""}
          onFocus={askNames}
          onInput={set("name")}
        />
        <Offers id="trace-names" of={names} />
      </label>
      <label class="long">
        {t("Attributes")}
        <input name="where" placeholder="http.route=/cart" value={draft.where ?? ""} onInput={set("where")} />
      </label>
      <label class="short">
        {t("At least")}
        <input name="min" placeholder="100ms" value={draft.min ?? ""} onInput={set("min")} />
      </label>
      <label class="short">
        {t("At most")}
        <input name="max" placeholder="5s" value={draft.max ?? ""} onInput={set("max")} />
      </label>
      <label class="short">
        {t("Order")}
        <select name="order" value={draft.order ?? ""} onChange={set("order")}>
          <option value="">{t("newest")}</option>
          <option value="slowest">{t("slowest")}</option>
        </select>
      </label>
      <label class="check">
        <input
          type="checkbox"
          name="errors"
          checked={draft.errors === "1"}
          onChange={(event) => setDraft({ ...draft, errors: event.currentTarget.checked ? "1" : "" })}
        />
        {t("Only errors")}
      </label>
      <Button type="submit" class="button primary" label={t("Search")} />
      {isWrong && <Wrong text={t("A duration is a number with a unit, such as 250ms or 1.5s.")} />}
      <Limits sought={sought} />
    </form>
  );
}

/** Conditions that the form has no fields for: set by a link of the map, removed one by one. */
function Limits({ sought }: { sought: TraceSearch }) {
  const all: [keyof TraceSearch, string][] = [
    ["kind", sought.kind ?? ""],
    ["query", sought.query ?? ""],
    ["through", sought.through ?? ""],
  ];
  const set = all.filter(([, value]) => value !== "");
  if (set.length === 0) return null;
  return (
    <p class="trace-limits" data-testid="trace-limits">
      {set.map(([name, value]) => (
        <button
          key={name}
          type="button"
          class="chip"
          aria-pressed="true"
          title={t("Remove this condition")}
          onClick={() => go({ sought: { ...view.peek().sought, [name]: "" } })}
        >
          {name === "kind"
            ? t("kind: {kind}", { kind: value })
            : name === "through"
              ? t("with a span of {service}", { service: printable(value) })
              : printable(value)}{" "}
          <span aria-hidden="true">×</span>
        </button>
      ))}
    </p>
  );
}

function Answer({ data, density, isStale }: { data: FoundTraces; density: TraceDensity | null; isStale: boolean }) {
  const sought = view.value.sought;
  const through = sought.through ?? "";
  const area = areaOf(sought.area);
  const traces = through === "" ? data.traces : data.traces.filter((trace) => trace.services.includes(through));
  const inside = area === null ? traces : traces.filter((trace) => isIn(trace, area));
  const range = { from: Date.parse(data.from), to: Date.parse(data.to) };
  const setArea = (next: Parameters<typeof areaText>[0] | null) =>
    go({
      sought: {
        ...view.peek().sought,
        area: next === null ? "" : areaText({ ...next, max: Math.min(next.max, 1e12) }),
      },
    });
  const n = inside.length;
  if (traces.length === 0)
    return (
      <>
        {data.partial && <Incomplete what={t("This answer is incomplete.")} reasons={data.partial_reasons} />}
        <div class="state" data-testid="traces-none">
          <h2>{t("No trace found")}</h2>
          <p>
            {t(
              "No span in this range meets all conditions. Widen the range or remove conditions; spans arrive by OTLP, Zipkin or X-Ray.",
            )}
          </p>
          <Way class="button" to={{ page: "start" }} label={t("Send data")} />
        </div>
      </>
    );
  return (
    <section class={isStale ? "stale" : ""}>
      {data.partial && <Incomplete what={t("This answer is incomplete.")} reasons={data.partial_reasons} />}
      {density?.partial && (
        <Incomplete what={t("Not all traces could be counted.")} reasons={density.partial_reasons} />
      )}
      <Scatter
        traces={traces}
        range={range}
        area={area}
        onArea={setArea}
        unseen={density === null ? unseenOf(data, sought) : null}
        density={density}
      />
      <p role="status" data-testid="traces-count">
        {area === null
          ? plural(density?.traces ?? n, "{n} trace", "{n} traces", count(density?.traces ?? n))
          : t("{n} of {all} traces in the area", { n: count(n), all: count(traces.length) })}
        {data.traces.length >= TRACES_MAX && (
          <span class="dim">
            {" "}
            {density === null
              ? t("(the most that one search returns; there may be more)")
              : sought.order === "slowest"
                ? t("(the slowest {n} are listed)", { n: count(traces.length) })
                : t("(the newest {n} are listed)", { n: count(traces.length) })}
          </span>
        )}{" "}
        {area !== null && (
          <>
            <Button label={t("Show all")} data-testid="clear-area" onClick={() => setArea(null)} />{" "}
            <button
              type="button"
              class="link"
              onClick={() =>
                go({
                  from: new Date(area.from).toISOString(),
                  to: new Date(area.to).toISOString(),
                  sought: { ...sought, area: "" },
                })
              }
            >
              {t("Search this range of time")}
            </button>{" "}
            <Way class="button small" to={differsOf(area, sought)} data-testid="area-differs">
              {t("What differs")}
            </Way>
          </>
        )}
      </p>
      {area !== null && <Comparison inside={inside} outside={traces.filter((trace) => !isIn(trace, area))} />}
      <List traces={inside} />
    </section>
  );
}

/** The end of the time of which no trace was found because the newest ones were the most that a search returns; `null` if there is none. */
function unseenOf({ traces }: FoundTraces, { order }: TraceSearch): number | null {
  if (traces.length < TRACES_MAX || order === "slowest") return null;
  return traces.reduce((first, { start }) => Math.min(first, Date.parse(start)), Infinity);
}

/** How traces in the area differ from the others that were found. */
function Comparison({ inside, outside }: { inside: readonly TraceSummary[]; outside: readonly TraceSummary[] }) {
  const all = differences(inside, outside);
  if (inside.length === 0 || outside.length === 0) return null;
  return (
    <div class="compare" data-testid="trace-compare">
      <h2>{t("In the area, compared with the other traces found")}</h2>
      {all.length === 0 ? (
        <p class="dim">{t("Root operations, services and errors are as frequent as in the others.")}</p>
      ) : (
        <ul>
          {all.map(({ what, value, inside: a, outside: b }) => (
            <li key={what + value}>
              {what === "errors"
                ? t("contains errors")
                : what === "service"
                  ? t("passes through {service}", { service: printable(value) })
                  : oneLine(value, 120)}
              : <b>{percent(a)}</b> <span class="dim">{t("{share} of the others", { share: percent(b) })}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function List({ traces }: { traces: readonly TraceSummary[] }) {
  const [most, setMost] = useState(SHOWN);
  const zone = view.value.zone;
  const longest = traces.reduce((top, trace) => Math.max(top, trace.duration_ms), 1e-9);
  return (
    <>
      <div class="table-box flat listed" tabIndex={0} role="region" aria-label={t("Traces found")}>
        <table data-testid="trace-list">
          <Heads
            of={[
              [t("Trace")],
              [t("Duration"), "numeric"],
              [t("Spans"), "numeric wide"],
              [t("Errors"), "numeric"],
              [t("Services"), "wide"],
              [t("Start"), "wide"],
            ]}
          />
          <tbody>
            {traces.slice(0, most).map((trace) => (
              <tr key={trace.trace_id} data-testid="trace-row" data-id={trace.trace_id}>
                <th scope="row">
                  <Way to={{ page: "trace", trace: trace.trace_id, span: "", find: "" }}>
                    {printable(trace.root_service)}: {oneLine(trace.root_name, 160) || t("no name")}
                  </Way>
                  {trace.root_missing && <span class="dim"> {t("(its root is missing)")}</span>}
                </th>
                <td class="numeric">
                  <span class="meter wide" aria-hidden="true">
                    <span style={{ width: `${(100 * trace.duration_ms) / longest}%` }} />
                  </span>
                  <span class="table-value">{durationText(trace.duration_ms)}</span>
                </td>
                <td class="numeric wide">{count(trace.spans)}</td>
                <td class="numeric">
                  {trace.errors > 0 ? (
                    <span class="span-error">{count(trace.errors)}</span>
                  ) : (
                    <span class="dim">0</span>
                  )}
                </td>
                <td class="wide">{oneLine(trace.services.join(", "), 120)}</td>
                <td class="wide">{fullText(Date.parse(trace.start), zone)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {traces.length > most && (
        <button type="button" class="link" onClick={() => setMost(most + 300)}>
          {t("Show {n} more", { n: count(Math.min(300, traces.length - most)) })}
        </button>
      )}
    </>
  );
}
