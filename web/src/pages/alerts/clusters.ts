// Alerts that began together, which one cause may explain. Nothing here touches the document.

import type { Alert } from "../../api/alerts.ts";

/** Longest time between the first and the last alert of a cluster: in a chain of alerts the last may have nothing to do with the first. */
const TOGETHER_MS_MAX = 10 * 60_000;

/** Alerts that began within minutes; the first began first. */
export interface Cluster {
  since: string;
  alerts: Alert[];
}

/** The clusters of alerts, newest first. */
export function clustersOf(alerts: readonly Alert[]): Cluster[] {
  const began = (alert: Alert) => Date.parse(alert.since) || 0;
  const clusters: Cluster[] = [];
  for (const alert of [...alerts].sort((a, b) => began(a) - began(b))) {
    const last = clusters.at(-1);
    if (last && began(alert) - (Date.parse(last.since) || 0) <= TOGETHER_MS_MAX) last.alerts.push(alert);
    else clusters.push({ since: alert.since, alerts: [alert] });
  }
  return clusters.reverse();
}

/** Alerts of the same failure together, the first one first. */
export function failuresOf(alerts: readonly Alert[]): [Alert, ...Alert[]][] {
  const failures = new Map<string, [Alert, ...Alert[]]>();
  for (const alert of [...alerts].sort((a, b) => (Date.parse(a.since) || 0) - (Date.parse(b.since) || 0))) {
    const key = alert.failure ?? alert.id;
    const known = failures.get(key);
    if (known) known.push(alert);
    else failures.set(key, [alert]);
  }
  return [...failures.values()];
}
