// From a series to the log lines of the same host: the host that its labels name, and the condition on log lines.

import type { Labels } from "../api/metrics.ts";
import { fieldText, valueText } from "../query/edit.ts";

/** Labels that name a host, the most certain one first. */
const HOST_LABELS = [
  "host",
  "hostname",
  "host_name",
  "nodename",
  "node",
  "instance",
  "kubernetes_node",
  "exported_instance",
];

/** Fields of log lines that hold the name of a host. */
export const HOST_FIELDS: readonly string[] = [
  "host",
  "hostname",
  "host.name",
  "instance",
  "node",
  "nodename",
  "k8s.node.name",
  "kubernetes.node_name",
  "kubernetes.host",
];

/** Returns the host that labels name, without a port; `""` if they name none. */
export function hostOf(labels: Labels): string {
  const text = HOST_LABELS.map((name) => labels[name] ?? "").find((value) => value !== "") ?? "";
  const address = /^(?:[a-z]+:\/\/)?(\[[^\]]+\]|[^:/]+)(?::\d+)?(?:\/.*)?$/i.exec(text)?.[1] ?? text;
  return address.replace(/^\[(.*)\]$/, "$1");
}

/** Returns the spellings under which log lines name a host: as it is, and without its domain. */
function spellings(host: string, labels: Labels): string[] {
  const isAddress = /^[\d.]+$|:/.test(host);
  const short = isAddress ? host : (host.split(".")[0] ?? host);
  const whole = labels["instance"] ?? "";
  return [...new Set([host, short, ...(whole.startsWith(`${host}:`) ? [whole] : [])])];
}

/** Returns the query of the log lines of a host, by the fields that log lines have; by its name in the text if they have none. */
export function logsOfHost(labels: Labels, fields: readonly string[]): string {
  const host = hostOf(labels);
  if (host === "") return "";
  const names = HOST_FIELDS.filter((name) => fields.includes(name));
  if (names.length === 0) return `filter @message like ${valueText(host)}`;
  const values = (name: string) =>
    spellings(host, labels).filter((value) => name === "instance" || !value.includes(":") || value === host);
  const one = (name: string) => {
    const [first = "", ...more] = values(name);
    const all = [first, ...more].map(valueText);
    return more.length === 0 ? `${fieldText(name)} = ${all[0]}` : `${fieldText(name)} in [${all.join(", ")}]`;
  };
  return `filter ${names.map(one).join(" or ")}`;
}
