// Heights of rows whose lines are broken instead of cut. They are known once a row was on screen; until then a row counts
// as one line. The list's anchor sees to it that what is learnt of rows above moves nothing in sight.

import { useLayoutEffect, useMemo, useState } from "preact/hooks";

import type { EventRow } from "../rows.ts";
import type { Extras } from "./window.ts";

/** Heights beyond one line by id, those of open rows included where there are some. */
export function useWrapped(
  box: { current: HTMLDivElement | null },
  wraps: boolean,
  events: readonly EventRow[],
  open: ReadonlyMap<string, number>,
  rowHeight: number,
  look: string,
): Extras {
  const [heights, setHeights] = useState<ReadonlyMap<string, number>>(new Map());
  // Other columns break lines elsewhere.
  useLayoutEffect(() => setHeights(new Map()), [look, wraps]);
  useLayoutEffect(() => {
    const element = box.current;
    if (!wraps || !element) return;
    const measure = () => {
      const next = new Map(heights);
      for (const row of element.querySelectorAll<HTMLElement>("[data-testid=row]")) {
        const [id, extra] = [row.dataset["id"] ?? "", Math.max(0, row.offsetHeight - rowHeight)];
        next.set(id, extra);
      }
      if (next.size === heights.size && [...next].every(([id, extra]) => heights.get(id) === extra)) return;
      setHeights(next);
    };
    measure();
  });
  return useMemo(() => {
    if (!wraps && open.size === 0) return [];
    return events.flatMap((event, at): [number, number][] => {
      const extra = (wraps ? (heights.get(event.id) ?? 0) : 0) + (open.get(event.id) ?? 0);
      return extra > 0 ? [[at, extra]] : [];
    });
  }, [events, open, wraps, heights]);
}
