// The search form for traces as a request to the server. Nothing here touches the document.

import { selectionText } from "../../explore/comparison.ts";
import { addFilter, condition, type Json } from "../../query/edit.ts";
import type { TraceSearch, View } from "../../view.ts";
import type { Area } from "./scatter.ts";

/** `http.route=/cart retries=2`: attributes and their values, which may be in quotes. */
export function attributesOf(text: string): Record<string, Json> {
  const all: Record<string, Json> = {};
  for (const [, name = "", quoted, bare = ""] of text.matchAll(/([^\s=]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g)) {
    if (quoted !== undefined) all[name] = quoted.replaceAll(/\\(.)/g, "$1");
    else if (/^-?\d+(?:\.\d+)?$/.test(bare)) all[name] = Number(bare);
    else all[name] = bare === "true" || bare === "false" ? bare === "true" : bare;
  }
  return all;
}

/** `250`, `250ms`, `1.5s`, `2min` in milliseconds; `null` for anything else. */
export function durationMs(text: string): number | null {
  const [, n, unit = "ms"] = /^\s*(\d+(?:[.,]\d+)?)\s*(ns|us|µs|ms|s|m|min|h)?\s*$/.exec(text) ?? [];
  if (n === undefined) return null;
  const sizes: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, min: 6e4, h: 36e5 };
  return Number(n.replace(",", ".")) * (sizes[unit] ?? 1);
}

/** The body of a search. */
export function searchBody(sought: TraceSearch): Record<string, Json> {
  const { service, name, kind, where, query, min, max, errors, order } = sought;
  const [least, most] = [durationMs(min ?? ""), durationMs(max ?? "")];
  return {
    ...(service ? { service } : {}),
    ...(name ? { name } : {}),
    ...(kind ? { kind } : {}),
    ...(query ? { query } : {}),
    ...(where ? { attributes: attributesOf(where) } : {}),
    ...(least === null ? {} : { min_duration_ms: least }),
    ...(most === null ? {} : { max_duration_ms: most }),
    ...(errors === "1" ? { errors: true } : {}),
    order: order === "slowest" ? "slowest" : "newest",
  };
}

/** The comparison of the root spans within an area with the other root spans, over all of their fields. */
export function differsOf(area: Area, { service, query }: TraceSearch): Partial<View> {
  const roots = ['@type = "span"', "not ispresent(parent_span_id)"];
  const own = service ? addFilter(query ?? "", condition("service", "include", service)) : (query ?? "");
  const bounds = [
    ...(area.min > 0 ? [`duration_ms >= ${area.min}`] : []),
    ...(area.max < 1e12 ? [`duration_ms <= ${area.max}`] : []),
  ];
  return {
    page: "explore",
    panel: "differs",
    query: addFilter(own, roots.join(" and ")),
    selection: selectionText(area.from, area.to),
    chosen: bounds.join(" and "),
    baseline: "",
    groups: [],
    row: "",
    live: false,
  };
}
