// What a wallboard shows one after the other, and what it says about the age of its data.

import type { BoardPanel } from "../../api/dashboards.ts";
import type { Section } from "./grid.ts";

/** One picture of a wallboard: sections of one dashboard. */
export interface Turn {
  board: string;
  sections: Section[];
}

/** Returns the pictures of a dashboard: the whole of it, its sections, or its panels, one after the other. */
export function turnsOf(board: string, sections: readonly Section[], wall: string): Turn[] {
  if (wall === "sections") return sections.map((one) => ({ board, sections: [one] }));
  if (wall === "panels")
    return sections.flatMap(({ name, panels }) =>
      panels
        .filter(({ kind }) => kind !== "text")
        .map((panel): Turn => ({ board, sections: [{ name, panels: [{ ...panel, x: 0, y: 0, w: 24 }] }] })),
    );
  return [{ board, sections: [...sections] }];
}

/** Returns the dashboards of a wallboard: those named between commas, else the one of the address. */
export function boardsOf(wall: string, name: string): string[] {
  if (wall === "1" || wall === "panels" || wall === "sections") return [name];
  const others = wall.split(",").filter((one) => one !== "");
  return [...new Set([name, ...others])];
}

/** How old data may be before it is said large, in refreshes. */
const LATE_REFRESHES = 3;
/** Data older than this are hidden: whoever passes by takes them for the present. */
const HIDDEN_MS = 3_600_000;

/** What a wallboard says about its data. */
export type Freshness = "fresh" | "late" | "hidden";

/** Returns what is said of data of an instant: late after some refreshes that brought nothing, hidden after an hour, or on another day. */
export function freshness(at: number, now: number, refreshMs: number, isSameDay: boolean): Freshness {
  if (at === 0) return "fresh";
  const age = now - at;
  if (age > HIDDEN_MS || (!isSameDay && age > LATE_REFRESHES * refreshMs)) return "hidden";
  return age > LATE_REFRESHES * refreshMs + 5000 ? "late" : "fresh";
}

/** Whether a panel asks something, so that its data have an age. */
export function asks({ kind, queries }: BoardPanel): boolean {
  return kind === "map" || (kind !== "text" && (queries ?? []).length > 0);
}
