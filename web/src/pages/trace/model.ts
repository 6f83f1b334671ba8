// A trace as the waterfall shows it: nodes with times from its start, the rows on screen, search, errors, the axis.
// Nothing here touches the document.

import type { Fields, TraceAnswer } from "../../api/traces.ts";
import { textOf } from "../../format.ts";
import type { Json } from "../../query/edit.ts";

/** Length of the axis in ms of a trace that has none of its own, as that of a log line alone. */
const LENGTH_OF_NONE = 1;

/** A log line of a trace. */
export interface LogLine {
  /** Milliseconds from the start of the trace by its own clock. */
  at: number;
  level: string;
  message: string;
  fields: Fields;
}

/** A row of the tree: a span, a span that is missing, or the lines that belong to no span. Times are in milliseconds. */
export interface TraceNode {
  index: number;
  kind: "span" | "missing" | "lines";
  /** Its id; empty where it has none. */
  id: string;
  parent: number;
  depth: number;
  /** One past the last node below it. */
  end: number;
  name: string;
  service: string;
  spanKind: string;
  isError: boolean;
  /** From the start of the trace. */
  start: number;
  /** The difference between the time at which it is shown and its own, since clocks differ. */
  moved: number;
  duration: number;
  self: number;
  critical: number;
  /** Failed spans below it. */
  errorsBelow: number;
  logs: LogLine[];
  fields: Fields;
}

/** A trace, ready to be drawn. */
export interface TraceModel {
  nodes: TraceNode[];
  /** When the earliest span begins, by the clock of the trace, as RFC 3339. */
  startText: string;
  duration: number;
  /** Services in the order of their first span. */
  services: { name: string; spans: number; errors: number }[];
  /** Indexes of the failed spans, in the order of rows. */
  errors: number[];
}

/** What a row shows. */
export interface TraceRow {
  node: TraceNode;
  /** The log line, on a row of its own. */
  log?: LogLine;
  key: string;
}

/** Fields of log lines that name their span. */
const SPAN_FIELDS = ["span_id", "span.id", "spanId", "spanID", "SpanId"] as const;

function numberOf(value: Json | undefined): number {
  const n = Number(value);
  return Number.isFinite(n) ? n : 0;
}

/** Milliseconds from `base` to `time`, both RFC 3339 in UTC, exact to the nanosecond within days. */
export function offsetMs(time: string, base: string): number {
  const parts = (text: string): [number, number] => {
    const digits = (/\.(\d+)/.exec(text)?.[1] ?? "").padEnd(9, "0").slice(0, 9);
    return [Date.parse(text.replace(/\.\d+/, "")), Number(digits)];
  };
  const [[ms, ns], [baseMs, baseNs]] = [parts(time), parts(base)];
  return ms - baseMs + (ns - baseNs) / 1e6;
}

/** Returns the earlier of two instants, whose fractions may have different numbers of digits. */
const earlier = (a: string, b: string) => (b === "" || offsetMs(a, b) < 0 ? a : b);

function logsOf(answer: TraceAnswer, base: string): Map<string, LogLine[]> {
  const bySpan = new Map<string, LogLine[]>();
  for (const fields of answer.logs) {
    const id = textOf(fields[SPAN_FIELDS.find((name) => textOf(fields[name]) !== "") ?? "span_id"]);
    const line = {
      at: offsetMs(textOf(fields["@timestamp"]), base),
      level: textOf(fields["@level"]),
      message: textOf(fields["@message"]),
      fields,
    };
    bySpan.set(id, [...(bySpan.get(id) ?? []), line]);
  }
  return bySpan;
}

/** Makes the model of an answer. */
export function modelOf(answer: TraceAnswer): TraceModel {
  const times = answer.tree.flatMap((node) => {
    const own = node.span === undefined ? undefined : answer.spans[node.span]?.["@timestamp"];
    return node.adjusted_start ?? (typeof own === "string" ? own : []);
  });
  const startText = times.reduce(earlier, "") || answer.start;
  const logs = logsOf(answer, startText);
  const nodes: TraceNode[] = answer.tree.map((node, index) => {
    const fields = answer.spans[node.span ?? -1] ?? {};
    const own = offsetMs(textOf(fields["@timestamp"]), startText);
    const start = node.adjusted_start === undefined ? own : offsetMs(node.adjusted_start, startText);
    const id = node.missing_span_id ?? node.span_id ?? "";
    const found = id === "" ? [] : (logs.get(id) ?? []);
    if (id !== "") logs.delete(id);
    return {
      index,
      kind: node.missing_span_id === undefined ? "span" : "missing",
      id,
      parent: node.parent ?? -1,
      depth: node.depth,
      end: index + 1,
      name: textOf(fields["name"]),
      service: textOf(fields["service"]),
      spanKind: textOf(fields["kind"]),
      isError: textOf(fields["status"]).toLowerCase() === "error",
      start,
      moved: start - own,
      duration: Math.max(0, numberOf(fields["duration_ms"])),
      self: node.self_ms,
      critical: node.critical_ms,
      errorsBelow: 0,
      logs: found,
      fields,
    };
  });
  measure(nodes);
  const left = [...logs.values()].flat().sort((a, b) => a.at - b.at);
  if (left.length > 0) nodes.push(linesNode(nodes.length, left));
  const spans = nodes.filter((node) => node.kind === "span");
  const shown = spans.length > 0 ? spans.map((node) => node.start + node.duration) : left.map((line) => line.at);
  return {
    nodes,
    startText,
    duration: shown.reduce((most, end) => Math.max(most, end), 0) || LENGTH_OF_NONE,
    services: servicesOf(spans),
    errors: spans.filter((node) => node.isError).map((node) => node.index),
  };
}

function linesNode(index: number, logs: LogLine[]): TraceNode {
  const [start, end] = [logs[0]?.at ?? 0, logs.at(-1)?.at ?? 0];
  const numbers = { start, duration: end - start, moved: 0, self: 0, critical: 0, errorsBelow: 0 };
  const texts = { id: "", name: "", service: "", spanKind: "", isError: false };
  return { index, kind: "lines", parent: -1, depth: 0, end: index + 1, ...texts, ...numbers, logs, fields: {} };
}

/** Adds up what is below each node, from the last to the first; gives missing spans the time of what is below them. */
function measure(nodes: TraceNode[]): void {
  for (const node of [...nodes].reverse()) {
    const parent = nodes[node.parent];
    if (parent === undefined || parent.index >= node.index) continue;
    parent.end = Math.max(parent.end, node.end);
    parent.errorsBelow += node.errorsBelow + (node.isError ? 1 : 0);
    if (parent.kind === "missing") {
      const end = Number.isNaN(parent.start) ? 0 : parent.start + parent.duration;
      parent.start = Number.isNaN(parent.start) ? node.start : Math.min(parent.start, node.start);
      parent.duration = Math.max(end, node.start + node.duration) - parent.start;
      parent.moved = 0;
    }
  }
}

function servicesOf(spans: readonly TraceNode[]): TraceModel["services"] {
  const all = new Map<string, { name: string; spans: number; errors: number }>();
  for (const { service, isError } of spans) {
    const one = all.get(service) ?? { name: service, spans: 0, errors: 0 };
    all.set(service, { ...one, spans: one.spans + 1, errors: one.errors + (isError ? 1 : 0) });
  }
  return [...all.values()];
}

/** The rows to show: nodes whose ancestors are open, each followed by its log lines where these are shown. */
export function rowsOf(
  { nodes }: TraceModel,
  closed: ReadonlySet<number>,
  showsLogs: (node: TraceNode) => boolean,
): TraceRow[] {
  const rows: TraceRow[] = [];
  for (let at = 0; at < nodes.length;) {
    const node = nodes[at] as TraceNode;
    rows.push({ node, key: String(at) });
    if (showsLogs(node)) node.logs.forEach((log, n) => rows.push({ node, log, key: `${at}.${n}` }));
    at = closed.has(at) ? Math.max(node.end, at + 1) : at + 1;
  }
  return rows;
}

/** The nodes above one, which have to be expanded to show it. */
export function above(nodes: readonly TraceNode[], index: number): number[] {
  const all: number[] = [];
  for (let at = nodes[index]?.parent ?? -1; at >= 0 && all.length <= nodes.length; at = nodes[at]?.parent ?? -1)
    all.push(at);
  return all;
}

/** The next of ascending indexes after `from`, or the previous one, wrapping around; -1 if there are none. */
export function next(all: readonly number[], from: number, by: 1 | -1): number {
  if (all.length === 0) return -1;
  if (by > 0) return all.find((index) => index > from) ?? (all[0] as number);
  return all.findLast((index) => index < from) ?? (all.at(-1) as number);
}

/** Nodes that contain a text in the name or value of a field, or in a log line, ignoring case. */
export function found({ nodes }: TraceModel, text: string, texts: Map<number, string>): number[] {
  const sought = text.trim().toLowerCase();
  if (sought === "") return [];
  const of = (node: TraceNode) => {
    const known = texts.get(node.index);
    if (known !== undefined) return known;
    const fields = Object.entries(node.fields).map(([name, value]) => `${name}=${textOf(value)}`);
    const made = [node.id, ...fields, ...node.logs.map((log) => log.message)].join("\n").toLowerCase();
    texts.set(node.index, made);
    return made;
  };
  return nodes.filter((node) => of(node).includes(sought)).map((node) => node.index);
}

/** Round instants of an axis from 0 to `duration`, at most `most` of them after 0. */
export function axisTicks(duration: number, most: number): number[] {
  const rough = duration / Math.max(1, most);
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * size >= rough) ?? 10) * size;
  return Array.from({ length: Math.floor(duration / step + 1e-9) + 1 }, (_, n) => n * step);
}

/** Where a time lies between 0 and the end, in percent; what lies outside is at the edge. */
export function place(at: number, duration: number): number {
  return Math.min(100, Math.max(0, (100 * at) / duration));
}
