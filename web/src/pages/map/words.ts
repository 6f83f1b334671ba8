// Numbers of the service map in words, and where its edges lead.

import type { Calls, MapEdge, MapNode } from "../../api/traces.ts";
import { count, decimal, percent } from "../../format.ts";
import { valueText } from "../../query/edit.ts";
import { plural, t } from "../../texts.ts";
import type { View } from "../../view.ts";
import { durationText } from "../trace/words.ts";

/** Fields that name what a call goes to, in the order in which the map looks at them. */
const TARGET_FIELDS =
  "peer.service, db.system.name, db.system, messaging.system, server.address, net.peer.name, network.peer.address, http.host, net.peer.ip";

/** `12/s`, `0.4/s`, `3/min`, `2/h`. */
export function rateText(perSecond: number): string {
  if (perSecond === 0 || perSecond >= 0.1) return t("{n}/s", { n: decimal(perSecond, perSecond < 10 ? 1 : 0) });
  if (perSecond >= 0.1 / 60) return t("{n}/min", { n: decimal(perSecond * 60, 1) });
  return t("{n}/h", { n: decimal(perSecond * 3600, 1) });
}

/** `23 ms`; a dash where no duration is known. */
export function latencyText(ms: number | null): string {
  return ms === null ? "–" : durationText(ms);
}

/** All numbers of a node or an edge, and those before. */
export function callsText(calls: Calls): string {
  const parts = [rateText(calls.requests_per_s), t("{share} errors", { share: percent(calls.error_share) })];
  return [...parts, t("p50 {p50}, p95 {p95}", { p50: latencyText(calls.p50_ms), p95: latencyText(calls.p95_ms) })].join(
    ", ",
  );
}

/** What a node is. */
export function kindText(node: MapNode): string {
  switch (node.kind) {
    case "database":
      return t("Database");
    case "queue":
      return t("Queue");
    case "external":
      return t("Outside service");
    default:
      return node.logs_only ? t("Service known from log lines only") : t("Service");
  }
}

/** The gaps in what the map knows about a node. */
export function gapsText(node: MapNode): string[] {
  const { callers_unknown: callers, targets_unknown: targets } = node;
  return [
    ...(callers > 0
      ? [
          plural(
            callers,
            "{n} request names a caller that sent no span",
            "{n} requests name callers that sent no span",
            count(callers),
          ),
        ]
      : []),
    ...(targets > 0
      ? [
          plural(
            targets,
            "{n} call has no answering span and names no target",
            "{n} calls have no answering span and name no target",
            count(targets),
          ),
        ]
      : []),
  ];
}

/** The search for the traces behind an edge. */
export function tracesOf(edge: MapEdge, to: MapNode | undefined): Partial<View> {
  if (to === undefined || to.kind === "service") {
    const query = 'filter kind in ["server", "consumer"]';
    return { page: "traces", sought: { service: edge.to, through: edge.from, query } };
  }
  const name = edge.to.startsWith(`${to.kind}:`) ? edge.to.slice(to.kind.length + 1) : edge.to;
  const query = `filter kind in ["client", "producer"] and coalesce(${TARGET_FIELDS}) = ${valueText(name)}`;
  return { page: "traces", sought: { service: edge.from, query } };
}

/** The search for the traces through a node. */
export function tracesThrough(node: MapNode, edges: readonly MapEdge[]): Partial<View> {
  const edge = edges.find((one) => one.to === node.service);
  if (node.kind === "service" || edge === undefined) return { page: "traces", sought: { service: node.service } };
  const { sought } = tracesOf(edge, node);
  return { page: "traces", sought: { query: sought?.query ?? "" } };
}
