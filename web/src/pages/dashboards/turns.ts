// What a wallboard shows one after the other, and what it says about the age of its data.

import type { BoardPanel } from "../../api/dashboards.ts";
import { bottomOf, COLUMNS, type Section } from "./grid.ts";

/** One picture of a wallboard: sections of one dashboard. */
export interface Turn {
  board: string;
  sections: Section[];
}

/** Rows of a picture: more would be too small to be read from afar. */
const ROWS_MAX = 24;

/** Cuts a section where no panel is cut, into parts that are not too tall. */
function partsOf({ name, panels }: Section): Section[] {
  const parts: Section[] = [];
  let part: BoardPanel[] = [];
  let top = 0;
  const sorted = [...panels].sort((a, b) => a.y - b.y || a.x - b.x);
  sorted.forEach((panel, at) => {
    const isCut = sorted.slice(0, at).every((one) => one.y + one.h <= panel.y);
    const end = sorted
      .slice(at)
      .filter((one) => one.y < panel.y + panel.h)
      .reduce((most, one) => Math.max(most, one.y + one.h), 0);
    if (isCut && part.length > 0 && end - top > ROWS_MAX) {
      parts.push({ name, panels: part });
      part = [];
    }
    if (part.length === 0) top = panel.y;
    part.push({ ...panel, y: panel.y - top });
  });
  return part.length > 0 ? [...parts, { name, panels: part }] : parts;
}

/** Returns the pictures of a dashboard: all of it, its sections, or its panels, one after the other. */
export function turnsOf(board: string, sections: readonly Section[], wall: string): Turn[] {
  if (wall === "panels")
    return sections.flatMap(({ name, panels }) =>
      panels
        .filter(({ kind }) => kind !== "text")
        .map((panel): Turn => ({ board, sections: [{ name, panels: [{ ...panel, x: 0, y: 0, w: COLUMNS }] }] })),
    );
  const turns: Turn[] = [];
  let rows = 0;
  for (const part of sections.flatMap(partsOf)) {
    const last = turns.at(-1);
    const tall = bottomOf(part.panels);
    if (last && wall !== "sections" && rows + tall <= ROWS_MAX) last.sections.push(part);
    else turns.push({ board, sections: [part] });
    rows = turns.at(-1) === last ? rows + tall : tall;
  }
  return turns;
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
type Freshness = "fresh" | "late" | "hidden";

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
