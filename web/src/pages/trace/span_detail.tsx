// What is known of one span, or of one log line: times, fields, events with their stacks, links.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

import type { Fields, TraceProblem } from "../../api/traces.ts";
import { RichText } from "../../detail/rich_text.tsx";
import { oneLine, printable, textOf } from "../../format.ts";
import { Button } from "../../parts/button.tsx";
import { copy } from "../../parts/layers.tsx";
import { Way } from "../../parts/way.tsx";
import { valueText, type Json } from "../../query/edit.ts";
import { t } from "../../texts.ts";
import { exactText } from "../../time.ts";
import { address, view } from "../../view.ts";
import { offsetMs, type LogLine, type TraceNode } from "./model.ts";
import { durationText, offsetText } from "./words.ts";

/** Fields that the head or a part of its own shows. */
const SHOWN = [
  "events",
  "links",
  "name",
  "service",
  "kind",
  "status",
  "duration_ms",
  "span_id",
  "parent_span_id",
  "trace_id",
  "@timestamp",
  "@message",
];
const FIELDS_MAX = 300;
const EVENTS_MAX = 100;

type Members = Readonly<Record<string, Json>>;

function objects(value: Json | undefined): Members[] {
  return Array.isArray(value)
    ? value.filter((one): one is Record<string, Json> => typeof one === "object" && one !== null && !Array.isArray(one))
    : [];
}

function membersOf(value: Json | undefined): [string, Json][] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function FieldTable({ fields, label }: { fields: readonly (readonly [string, Json])[]; label: string }) {
  if (fields.length === 0) return null;
  return (
    <table class="fields" aria-label={label}>
      <tbody>
        {fields.slice(0, FIELDS_MAX).map(([name, value]) => (
          <tr key={name} data-field={name}>
            <th scope="row">{printable(name)}</th>
            <td class={`value ${typeof value}`}>
              <RichText text={textOf(value)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The sender's fields by name, then those of the system. */
function ordered(fields: Fields, without: readonly string[]): [string, Json][] {
  const rank = (name: string) => (name.startsWith("@") ? 1 : 0);
  return Object.entries(fields)
    .filter(([name]) => !without.includes(name))
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function Events({ node, base }: { node: TraceNode; base: string }) {
  const events = objects(node.fields["events"]);
  if (events.length === 0) return null;
  return (
    <section aria-label={t("Events")}>
      <h2>{t("Events")}</h2>
      <ol class="span-events">
        {events.slice(0, EVENTS_MAX).map((event, at) => (
          <li key={at} data-testid="span-event">
            <span class="dim number">{offsetText(offsetMs(textOf(event["timestamp"]), base))}</span>{" "}
            <b>{oneLine(event["name"])}</b>
            <FieldTable fields={membersOf(event["attributes"])} label={oneLine(event["name"])} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Links({ node }: { node: TraceNode }) {
  const links = objects(node.fields["links"]);
  if (links.length === 0) return null;
  return (
    <section aria-label={t("Links")}>
      <h2>{t("Links")}</h2>
      <ul class="span-events">
        {links.slice(0, EVENTS_MAX).map((link, at) => {
          const [trace, span] = [textOf(link["trace_id"]), textOf(link["span_id"])];
          return (
            <li key={at}>
              <Way to={{ page: "trace", trace, span }}>
                {t("Span {span} of trace {trace}", { span: printable(span), trace: printable(trace) })}
              </Way>
              <FieldTable fields={membersOf(link["attributes"])} label={t("Links")} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** A part below a row whose height the list needs to know. */
function DetailRow({ children, onHeight }: { children: ComponentChildren; onHeight: (height: number) => void }) {
  const root = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const measure = () => onHeight(element.offsetHeight);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, [onHeight]);
  return (
    <div class="span-detail" role="row" ref={root} data-testid="span-detail">
      <div role="gridcell">{children}</div>
    </div>
  );
}

/** The link that shows the same span to others. */
function linkTo(span: string): string {
  return new URL(address({ ...view.peek(), span }), location.href).href;
}

/** Lines of a trace or a span in Explore, from a minute before it to a minute after. */
function linesOf(condition: string, time: string, duration: number) {
  const at = Date.parse(time);
  const iso = (ms: number) => new Date(ms).toISOString();
  const range = Number.isNaN(at) ? {} : { from: iso(at - 60_000), to: iso(at + duration + 60_000) };
  return { page: "explore" as const, query: `filter ${condition}`, groups: [], row: "", live: false, ...range };
}

/** An open span. */
export function SpanDetail({
  node,
  base,
  problems,
  onHeight,
}: {
  node: TraceNode;
  base: string;
  problems: readonly TraceProblem[];
  onHeight: (height: number) => void;
}) {
  const time = textOf(node.fields["@timestamp"]);
  const facts: [string, string][] = [
    [t("Begins"), `${offsetText(node.start)} · ${exactText(time, view.value.zone)}`],
    [t("Duration"), durationText(node.duration)],
    [t("Self time"), durationText(node.self)],
    [t("On the critical path"), node.critical > 0 ? durationText(node.critical) : t("no")],
    [t("Kind"), node.spanKind],
    [t("Status"), [textOf(node.fields["status"]), textOf(node.fields["status_message"])].filter(Boolean).join(": ")],
    [t("Span"), node.id],
  ];
  const said = problems.filter((problem) => problem.span_id === node.id && node.id !== "");
  return (
    <DetailRow onHeight={onHeight}>
      <div class="detail-head">
        <b>{oneLine(node.name)}</b>
        <span class="detail-actions">
          <button
            type="button"
            class="link"
            data-testid="copy-span"
            onClick={() => void copy(linkTo(node.id), t("Link to this span"))}
          >
            {t("Copy link")}
          </button>
          <Way to={linesOf(`span_id = ${valueText(node.id)}`, time, node.duration)}>
            {t("Lines and span in Explore")}
          </Way>
          <Button label={t("Copy JSON")} onClick={() => void copy(JSON.stringify(node.fields, null, 2), "JSON")} />
        </span>
      </div>
      {said.map((problem, at) => (
        <p key={at} class="note warning">
          {problem.message}
        </p>
      ))}
      <dl class="span-facts">
        {facts
          .filter(([, value]) => value !== "")
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{printable(value)}</dd>
            </div>
          ))}
      </dl>
      <Events node={node} base={base} />
      <Links node={node} />
      <FieldTable fields={ordered(node.fields, SHOWN)} label={t("Fields")} />
    </DetailRow>
  );
}

/** An open log line. */
export function LineDetail({ log, onHeight }: { log: LogLine; onHeight: (height: number) => void }) {
  const [time, group] = [textOf(log.fields["@timestamp"]), textOf(log.fields["@log"])];
  const at = { from: time, to: time, groups: group === "" ? [] : [group] };
  const id = textOf(log.fields["@id"]);
  return (
    <DetailRow onHeight={onHeight}>
      <div class="detail-head">
        <span class="dim">{exactText(time, view.value.zone)}</span>
        {id !== "" && (
          <span class="detail-actions">
            <Way to={{ ...linesOf(`@id = ${valueText(id)}`, time, 0), ...at, row: id, around: id }}>
              {t("Show around this")}
            </Way>
          </span>
        )}
      </div>
      <pre class="block">
        <RichText text={log.message} />
      </pre>
      <FieldTable fields={ordered(log.fields, ["@message"])} label={t("Fields")} />
    </DetailRow>
  );
}
