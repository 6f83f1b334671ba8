// The size of an element, followed, and whether it is on screen.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Width and height of an element. */
export interface Size {
  width: number;
  height: number;
}

/** Returns the size of an element. */
export function useSize(): [{ current: HTMLDivElement | null }, Size] {
  const root = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = root.current;
    if (!element) return;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return [root, size];
}

/** How far below the screen a panel is asked for: it is there when somebody comes to it. */
const AHEAD = "240px";

/** Whether an element is on screen, or nearly. */
export function useSeen(): [{ current: HTMLElement | null }, boolean] {
  const root = useRef<HTMLElement>(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const element = root.current;
    if (!element) return;
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting === true), {
      rootMargin: AHEAD,
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [root, isSeen];
}
