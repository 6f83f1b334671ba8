// The size of an element, followed, and whether it is on screen.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** Width and height of an element. */
export interface Size {
  width: number;
  height: number;
}

/** What is to be told of the sizes of elements. */
const followed = new Map<Element, () => void>();

/** One for all: elements that come in the same frame are measured after its layout, and none of them forces one of its own. */
const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => followed.get(target)?.()));

/** Returns the size of an element; nothing wide and nothing high until it was laid out. */
export function useSize(): [{ current: HTMLDivElement | null }, Size] {
  const root = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    followed.set(element, () => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => {
      observer.unobserve(element);
      followed.delete(element);
    };
  }, []);
  return [root, size];
}

/** How far below the screen a panel is asked for: it is there when somebody comes to it. */
const AHEAD_PX = 240;

/** Whether an element is on screen, or nearly. */
export function useSeen(): [{ current: HTMLElement | null }, boolean] {
  const root = useRef<HTMLElement>(null);
  const [isSeen, setSeen] = useState(false);
  // Effects of layout come before the first frame: what is on screen then is asked for while it is drawn.
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const { top, bottom } = element.getBoundingClientRect();
    setSeen(bottom > -AHEAD_PX && top < innerHeight + AHEAD_PX);
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting === true), {
      rootMargin: `${AHEAD_PX}px`,
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [root, isSeen];
}
