// States, kinds and lengths of incidents in words. Nothing here touches the document.

import type { Incident, IncidentItem, ItemKind } from "../../api/issues.ts";
import { inUnit } from "../../format.ts";
import { t, text } from "../../texts.ts";

const STATES: Readonly<Record<Incident["state"], string>> = {
  open: text("open"),
  mitigated: text("mitigated"),
  remediated: text("remediated"),
};

/** The name of a state. */
export function incidentState(state: Incident["state"]): string {
  return STATES[state] === undefined ? state : t(STATES[state]);
}

const KINDS: Readonly<Record<ItemKind, string>> = {
  note: text("note"),
  alert: text("alert"),
  mark: text("mark"),
  event: text("event"),
  query: text("query"),
  issue: text("issue"),
  trace: text("trace"),
};

/** The name of a kind of entry. */
export function itemKind(kind: ItemKind): string {
  return KINDS[kind] === undefined ? kind : t(KINDS[kind]);
}

/** `2 d 3 h`, `1 h 12 min`, `4 min 10 s`; a dash where it is not known. */
export function durationText(ms: number | null): string {
  if (ms === null) return "–";
  const s = Math.round(ms / 1000);
  const parts: [number, "d" | "h" | "min" | "s"][] = [
    [Math.floor(s / 86_400), "d"],
    [Math.floor((s % 86_400) / 3600), "h"],
    [Math.floor((s % 3600) / 60), "min"],
    [s % 60, "s"],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return inUnit(0, "s");
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => inUnit(n, unit))
    .join(" ");
}

/** A moment of an incident on its timeline. */
export interface Moment {
  moment: "began" | "detected" | "mitigated" | "remediated";
  at: string;
}

/** Entries and moments in order of time; moments come first at the same time. */
export function timelineOf(incident: Incident): (IncidentItem | Moment)[] {
  const moments = (["began", "detected", "mitigated", "remediated"] as const).flatMap((moment): Moment[] => {
    const at = incident[moment];
    return at === null ? [] : [{ moment, at }];
  });
  return [...moments, ...incident.items].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}
