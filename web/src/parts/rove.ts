// One stop of the Tab key for a list: ↑ and ↓ move among its rows, ← and → among the buttons of a row.

import { useLayoutEffect, useState } from "preact/hooks";

/** The rows that have buttons, each with its buttons. */
function rowsOf(list: HTMLElement, selector: string): HTMLElement[][] {
  return [...list.querySelectorAll<HTMLElement>(selector)]
    .map((row) => [...row.querySelectorAll<HTMLElement>("button")])
    .filter((buttons) => buttons.length > 0);
}

/** Only the button in focus, else the one that had it last, else the first, is a stop. */
function settle(list: HTMLElement, selector: string): void {
  const buttons = rowsOf(list, selector).flat();
  const stop =
    buttons.find((one) => one === document.activeElement) ??
    buttons.find((one) => one.dataset["stop"] === "") ??
    buttons[0];
  for (const one of buttons) {
    one.tabIndex = one === stop ? 0 : -1;
    if (one === stop) one.dataset["stop"] = "";
    else delete one.dataset["stop"];
  }
}

/** The button that a key leads to from a button. */
function next(rows: readonly HTMLElement[][], from: Element | null, key: string): HTMLElement | undefined {
  const row = rows.findIndex((buttons) => buttons.some((one) => one === from));
  const buttons = rows[row];
  if (!buttons) return undefined;
  const at = buttons.findIndex((one) => one === from);
  const within = (n: number, length: number) => Math.max(0, Math.min(length - 1, n));
  if (key === "ArrowRight" || key === "ArrowLeft")
    return buttons[within(at + (key === "ArrowRight" ? 1 : -1), buttons.length)];
  const to = { ArrowDown: row + 1, ArrowUp: row - 1, Home: 0, End: rows.length - 1 }[key];
  return to === undefined ? undefined : rows[within(to, rows.length)]?.[0];
}

/** Returns the properties of a list whose rows, chosen by `selector`, are one stop of the Tab key. */
export function useRove(selector: string) {
  const [list, setList] = useState<HTMLElement | null>(null);
  useLayoutEffect(() => {
    if (list === null) return;
    settle(list, selector);
    // Rows come and go with what is found.
    const observer = new MutationObserver(() => settle(list, selector));
    observer.observe(list, { childList: true, subtree: true });
    return () => observer.disconnect();
  }, [list, selector]);
  return {
    ref: setList,
    onFocusIn: () => list && settle(list, selector),
    onKeyDown: (event: KeyboardEvent) => {
      if (list === null || event.altKey || event.ctrlKey || event.metaKey) return;
      const to = next(rowsOf(list, selector), document.activeElement, event.key);
      if (!to) return;
      to.focus();
      event.preventDefault();
      event.stopPropagation();
    },
  };
}
