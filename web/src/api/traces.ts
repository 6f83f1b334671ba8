// Traces, the search for them, and the service map.

import { json, post, type Notice } from "../api.ts";
import type { Json } from "../query/edit.ts";
import { searchBody } from "../pages/traces/search.ts";
import { askedAt, rangeMs, type View } from "../view.ts";

/** An event of a trace by the names of its fields: a span or a log line. */
export type Fields = Readonly<Record<string, Json>>;

/** A node of the tree; a span that others name as their parent and that is missing has `missing_span_id`. */
export interface TreeNode {
  parent: number | null;
  depth: number;
  self_ms: number;
  critical_ms: number;
  span?: number;
  span_id?: string;
  adjusted_start?: string;
  missing_span_id?: string;
}

/** What is wrong with a trace, or with one span of it. */
export interface TraceProblem {
  code: string;
  span_id: string | null;
  message: string;
}

/** Whether an answer is complete, and why not. */
interface Completeness {
  partial: boolean;
  partial_reasons: Notice[];
}

/** A trace: its spans, their tree in which each node precedes what is below it, and its log lines. */
export interface TraceAnswer extends Completeness {
  trace_id: string;
  start: string;
  duration_ms: number;
  root: { span_id: string; name: string; service: string } | null;
  services: string[];
  n_spans: number;
  errors: number;
  problems: TraceProblem[];
  spans: Fields[];
  tree: TreeNode[];
  logs: Fields[];
}

/** A trace as a search lists it. */
export interface TraceSummary {
  trace_id: string;
  root_service: string;
  root_name: string;
  root_missing: boolean;
  start: string;
  duration_ms: number;
  spans: number;
  errors: number;
  services: string[];
}

/** The traces that a search found. */
export interface FoundTraces extends Completeness {
  traces: TraceSummary[];
  from: string;
  to: string;
}

/** Traces that began within one column of the range and took about as long; times in ms. */
export interface DensityCell {
  at: number;
  min: number;
  max: number;
  traces: number;
  errors: number;
  /** One to open: a failed one, where there is one. */
  example: string | null;
}

/** All traces that a search finds, counted. */
export interface TraceDensity extends Completeness {
  traces: number;
  width: number;
  cells: DensityCell[];
}

/** Calls within a range; percentiles are in milliseconds, `null` where no duration is known. */
export interface Calls {
  requests: number;
  requests_per_s: number;
  errors: number;
  error_share: number;
  p50_ms: number | null;
  p95_ms: number | null;
}

/** A node of the service map. */
export interface MapNode extends Calls {
  service: string;
  kind: "service" | "database" | "queue" | "external";
  logs_only: boolean;
  callers_unknown: number;
  targets_unknown: number;
  before?: Calls;
}

/** The calls of one node to another. */
export interface MapEdge extends Calls {
  from: string;
  to: string;
  before?: Calls;
}

/** The service map of a range. */
export interface ServiceMap extends Completeness {
  from: string;
  to: string;
  compare_from: string | null;
  compare_to: string | null;
  nodes: MapNode[];
  edges: MapEdge[];
}

/** Most traces of one search. */
export const TRACES_MAX = 1000;

/** Asks for a trace. */
export async function trace(id: string, signal: AbortSignal): Promise<TraceAnswer> {
  const answer = await json<Partial<TraceAnswer>>(`api/v1/traces/${encodeURIComponent(id)}`, { signal });
  const none = { services: [], problems: [], spans: [], tree: [], logs: [], partial: false, partial_reasons: [] };
  return { trace_id: id, start: "", duration_ms: 0, root: null, n_spans: 0, errors: 0, ...none, ...answer };
}

/** The range of a view with fixed ends; an end that is now is left out, since events may be slightly ahead. */
function range(of: View): { from: string; to?: string } {
  const [from, to] = rangeMs(of, askedAt.peek());
  const iso = (text: string, ms: number) => (/^now|^\d+(?:\.\d+)?$/.test(text) ? new Date(ms).toISOString() : text);
  return { from: iso(of.from, from), ...(of.to === "now" ? {} : { to: iso(of.to, to) }) };
}

/** Searches the range of a view for traces. */
export async function searchTraces(of: View, limit: number, signal: AbortSignal): Promise<FoundTraces> {
  const answer = await post<Partial<FoundTraces>>(
    "api/v1/traces/search",
    { ...range(of), ...searchBody(of.sought), limit },
    signal,
  );
  return { traces: [], from: "", to: "", partial: false, partial_reasons: [], ...answer };
}

/** Counts all traces that the search of a view finds. */
export async function traceDensity(of: View, signal: AbortSignal): Promise<TraceDensity> {
  const answer = await post<{
    traces?: number;
    width_ms?: number;
    cells?: {
      at: string;
      min_ms: number;
      max_ms: number;
      traces: number;
      errors: number;
      example?: string | null;
      error_example?: string | null;
    }[];
    partial?: boolean;
    partial_reasons?: Notice[];
  }>("api/v1/traces/density", { ...range(of), ...searchBody(of.sought) }, signal);
  return {
    traces: answer.traces ?? 0,
    width: answer.width_ms ?? 1,
    cells: (answer.cells ?? []).map((cell) => ({
      at: Date.parse(cell.at),
      min: cell.min_ms,
      max: cell.max_ms,
      traces: cell.traces,
      errors: cell.errors,
      example: cell.error_example ?? cell.example ?? null,
    })),
    partial: answer.partial === true,
    partial_reasons: answer.partial_reasons ?? [],
  };
}

/** Asks for the map of a view's range, and of the range of the same length before it. */
export async function serviceMap(of: View, signal: AbortSignal): Promise<ServiceMap> {
  const [from, to] = rangeMs(of, askedAt.peek());
  const before = from - (to - from);
  const iso = (ms: number) => new Date(ms).toISOString();
  const compare = before >= 0 ? { compare_from: iso(before), compare_to: iso(from - 1) } : {};
  const text = new URLSearchParams({ ...range(of), ...compare }).toString();
  const answer = await json<Partial<ServiceMap>>(`api/v1/service-map?${text}`, { signal });
  const none = { nodes: [], edges: [], compare_from: null, compare_to: null, partial: false, partial_reasons: [] };
  return { from: "", to: "", ...none, ...answer };
}
