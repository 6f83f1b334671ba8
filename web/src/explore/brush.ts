// A part of a chart's time, chosen by dragging over it or by keys, and what can be done with it.

import { useEffect } from "preact/hooks";

import { view } from "../view.ts";
import { useDrag } from "./drag.ts";

/** The same as `useDrag`; nothing is chosen any more once the page asks for something else. */
export function useBrush(timeAt: (x: number) => number, onClick: (ms: number) => void): ReturnType<typeof useDrag> {
  const brush = useDrag(timeAt, onClick);
  const { from, to, query } = view.value;
  useEffect(() => brush.setPart(null), [from, to, query]);
  return brush;
}
