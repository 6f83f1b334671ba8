// What is shown of an exception before somebody asks for the rest, and where it leads.

import type { EventException, Exception, Frame } from "../api/context.ts";
import type { View } from "../view.ts";

/** The program's own frames that are shown at first. Where it has none, a few frames show where it failed. */
const OWN_SHOWN = 12;
const OTHERS_SHOWN = 3;

/** Time before and after an exception in which the lines of its program are shown. */
const BEFORE_MS = 60_000;
const AFTER_MS = 1000;

/** The frames of an exception: those that are shown at first, and the others. */
interface Fold {
  shown: readonly Frame[];
  hidden: readonly Frame[];
}

/** Chooses the frames that are shown at first. One alone is not worth folding. */
export function fold({ frames }: Pick<Exception, "frames">): Fold {
  const own = frames.filter((frame) => frame.own);
  const shown = own.length > 0 ? own.slice(0, OWN_SHOWN) : frames.slice(0, OTHERS_SHOWN);
  const hidden = frames.filter((frame) => !shown.includes(frame));
  return hidden.length > 1 ? { shown, hidden } : { shown: frames, hidden: [] };
}

/** How an exception relates to the one before it. */
export function relation(all: readonly Exception[], at: number): "" | "cause" | "member" {
  if (at === 0) return "";
  const member = all[at]?.member ?? null;
  return member !== null && member !== (all[at - 1]?.member ?? null) ? "member" : "cause";
}

/** The place of a frame: the file and its line. */
export function placeOf({ file, line }: Frame): string {
  return file === "" || line === null ? file : `${file}:${line}`;
}

/** The lines of the program in the minute before; `null` where the event says too little for it. */
export function linesBefore({ program, group, time }: EventException): Partial<View> | null {
  const ms = Date.parse(time);
  if (program === "" || group === "" || Number.isNaN(ms)) return null;
  const iso = (at: number) => new Date(at).toISOString();
  return {
    page: "explore",
    panel: "rows",
    language: "insights",
    query: program,
    groups: [group],
    from: iso(ms - BEFORE_MS),
    to: iso(ms + AFTER_MS),
    row: "",
    tab: "",
    open: "",
    around: "",
    live: false,
  };
}
