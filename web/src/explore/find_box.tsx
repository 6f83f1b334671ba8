// The box to find a text among the loaded rows, and the way from one find to the next.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import type { Column } from "../api.ts";
import { find, linked, patternOf, shows, step, stepFind } from "../find.ts";
import { count } from "../format.ts";
import { Icon, IconButton } from "../parts/icons.tsx";
import type { EventRow } from "../rows.ts";
import { t } from "../texts.ts";

/** Rows that are looked through at once: the page stays able to answer in between. */
const AT_ONCE = 2000;

/** The indexes of rows that show a text, growing while more is looked through. */
function useFound(
  events: readonly EventRow[],
  columns: readonly Column[],
  text: string,
): { found: readonly number[]; isDone: boolean } {
  const names = useMemo(() => columns.map((column) => column.name).filter((name) => name !== "@message"), [columns]);
  const [state, setState] = useState({ found: [] as number[], next: 0, first: "", text: "" });
  const first = events[0]?.id ?? "";
  // The same rows with more at their end are looked through from where it ended.
  const isSame = state.text === text && state.first === first && state.next <= events.length;
  const now = isSame ? state : { found: [], next: 0, first, text };
  const isDone = text === "" || now.next >= events.length;
  useEffect(() => {
    if (isDone) return;
    const timer = setTimeout(() => {
      const pattern = patternOf(text);
      const end = Math.min(events.length, now.next + AT_ONCE);
      const found = [...now.found];
      for (let at = now.next; at < end; at += 1) if (shows(events[at] as EventRow, names, pattern)) found.push(at);
      setState({ found, next: end, first, text });
    }, 0);
    return () => clearTimeout(timer);
  }, [state, events, text, names, isDone]);
  return { found: now.found, isDone };
}

/** The box. `onGo` shows a row and puts the cursor on it; `at` is where the cursor is. */
export function FindBox({
  events,
  columns,
  at,
  onGo,
}: {
  events: readonly EventRow[];
  columns: readonly Column[];
  at: number;
  onGo: (index: number) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const text = find.value ?? "";
  const { found, isDone } = useFound(events, columns, text);
  const taken = useRef(step.peek().n);
  const isFresh = useRef(false);
  useLayoutEffect(() => {
    isFresh.current = linked.isNew;
    linked.isNew = false;
  }, []);
  useLayoutEffect(() => input.current?.select(), []);
  useEffect(() => {
    const { n, by } = step.value;
    if (n === taken.current || found.length === 0) return;
    taken.current = n;
    const next =
      by > 0
        ? (found.find((index) => index > at) ?? found[0])
        : (found.findLast((index) => index < at) ?? found.at(-1));
    if (next !== undefined) onGo(next);
  }, [step.value, found]);
  useEffect(() => {
    // What is typed goes to the first find from the cursor on; the cursor stays where it already shows it.
    if (!isFresh.current || found.length === 0) return;
    isFresh.current = false;
    const next = found.find((index) => index >= at) ?? found[0];
    if (next !== undefined) onGo(next);
  }, [found]);
  const place = found.indexOf(at);
  const close = () => {
    find.value = null;
    document.querySelector<HTMLElement>("[data-testid=row].here")?.focus({ preventScroll: true });
  };
  return (
    <div class="find" role="search" aria-label={t("Find in the loaded rows")} data-testid="find">
      <input
        ref={input}
        type="search"
        data-testid="find-text"
        aria-label={t("Find in the loaded rows")}
        placeholder={t("Find in {n} loaded rows", { n: count(events.length) })}
        value={text}
        maxLength={200}
        onInput={(event) => {
          isFresh.current = true;
          find.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.isComposing) return;
          if (event.key === "Enter") stepFind(event.shiftKey ? -1 : 1);
          else if (event.key === "Escape") close();
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
      <span class="dim" role="status" data-testid="find-count">
        {text === ""
          ? ""
          : found.length === 0
            ? isDone
              ? t("none")
              : "…"
            : `${t("{at} of {n}", { at: place < 0 ? "–" : count(place + 1), n: count(found.length) })}${isDone ? "" : "+"}`}
      </span>
      <button
        type="button"
        class="tiny"
        aria-label={t("Previous match")}
        title={t("Previous match (N)")}
        onClick={() => stepFind(-1)}
      >
        <span class="up">
          <Icon name="down" />
        </span>
      </button>
      <IconButton
        icon="down"
        aria-label={t("Next match")}
        title={t("Next match (n)")}
        data-testid="find-next"
        onClick={() => stepFind(1)}
      />
      <IconButton icon="close" aria-label={t("Close search")} title={t("Close search (Esc)")} onClick={close} />
    </div>
  );
}
