// Alerts that began together, which one cause may explain. Nothing here touches the document.

import type { Alert } from "../../api/alerts.ts";

/** Longest time between an alert and the next one that belongs to the same cluster. */
const BETWEEN_MS_MAX = 10 * 60_000;

/** Alerts that began one soon after the other; the first began first. */
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
    const before = last?.alerts.at(-1);
    if (last && before && began(alert) - began(before) <= BETWEEN_MS_MAX) last.alerts.push(alert);
    else clusters.push({ since: alert.since, alerts: [alert] });
  }
  return clusters.reverse();
}
