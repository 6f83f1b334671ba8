// The list of events: a grid of fixed-height rows of which only those on screen exist, with open rows in between.

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { isReading } from "../ask.ts";
import type { Column } from "../api.ts";
import { openTraceOf } from "../detail/open_trace.ts";
import { find } from "../find.ts";
import { cut, oneLine, printable } from "../format.ts";
import { cursor, list } from "../keys.ts";
import { clockText, dateText, nanosText, type Zone } from "../time.ts";
import { later } from "../parts/later.tsx";
import { useNarrow } from "../parts/narrow.ts";
import type { EventRow } from "../rows.ts";
import { t } from "../texts.ts";
import { go, view } from "../view.ts";
import { useAnchor } from "./anchor.ts";
import { GROUP_CHARS_MAX, template } from "./columns.tsx";
import { arrange, type Placed } from "./layout.ts";
import { levelClass } from "./levels.ts";
import { clearSelection, selected, selectTo, toggleSelected } from "./select.ts";
import { rowAt, stretch, topOf } from "./window.ts";
import { useWrapped } from "./wrapped.ts";

const FindBox = later(async () => (await import("./find_box.tsx")).FindBox);
const RowDetail = later(async () => (await import("./row_detail.tsx")).RowDetail, true);

const ColumnHeads = later(async () => (await import("./column_heads.tsx")).ColumnHeads, true);
const SelectBar = later(async () => (await import("./select_bar.tsx")).SelectBar);

/** Characters of a broken line before the row is opened. */
const WRAPPED_CHARS_MAX = 4096;

/** Pieces of a text with marks, the last aside: a row has 40 nodes at most, also where it shows its day. */
const PIECES_MAX = 18;

/** What a list shows. */
export interface ListProps {
  events: readonly EventRow[];
  columns: readonly Column[];
  sought: readonly string[];
  label: string;
  /** Newest at the end, and the view follows it until somebody scrolls up. */
  live?: boolean;
  onEnd?: () => void;
  onFollow?: (follows: boolean) => void;
  footer?: ComponentChildren;
  /** Something lies above the list: it keeps its place and leaves the keys alone. */
  asleep?: boolean;
  /** The event that the list is about, by its id: marked, and in the middle at first. */
  centre?: string;
}

/** A group's name by its end, which tells it from its neighbours. */
function shortGroup(name: string): string {
  return name.length > GROUP_CHARS_MAX ? `…${name.slice(1 - GROUP_CHARS_MAX)}` : name;
}

/** A text with what the query looks for marked, and what is found in place marked differently. */
function Marked({ text, sought: ofQuery }: { text: string; sought: readonly string[] }) {
  const found = find.value ?? "";
  if (ofQuery.length === 0 && found === "") return <>{text}</>;
  const sought = found === "" ? ofQuery : [found, ...ofQuery];
  const lower = text.toLowerCase();
  const parts: (string | preact.JSX.Element)[] = [];
  let at = 0;
  while (at < text.length && parts.length < PIECES_MAX) {
    let best = -1;
    let length = 0;
    for (const one of sought) {
      const found = lower.indexOf(one.toLowerCase(), at);
      if (found >= 0 && (best < 0 || found < best)) [best, length] = [found, one.length];
    }
    if (best < 0) break;
    const isFound = found !== "" && lower.startsWith(found.toLowerCase(), best);
    parts.push(
      text.slice(at, best),
      <mark key={best} class={isFound ? "found" : ""}>
        {text.slice(best, best + length)}
      </mark>,
    );
    at = best + length;
  }
  parts.push(text.slice(at));
  return <>{parts}</>;
}

/** What a cell says: one line, or as many as there are. */
function cellText(event: EventRow, column: Column, wraps: boolean): string {
  if (column.name === "@log") return shortGroup(event.group);
  const value = column.name === "@message" ? event.message : event.cells[column.name];
  return wraps && typeof value === "string" ? printable(cut(value, WRAPPED_CHARS_MAX), true) : oneLine(value);
}

function Row({
  event,
  placed,
  sought,
  zone,
  dateChars,
  index,
  open,
  wraps,
  marked,
  onClick,
}: {
  event: EventRow;
  placed: readonly Placed[];
  sought: readonly string[];
  zone: Zone;
  dateChars: number;
  index: number;
  open: boolean;
  wraps: boolean;
  marked: boolean;
  onClick: (id: string, click: MouseEvent) => void;
}) {
  const chosen = selected.value.has(event.id);
  const here = cursor.value === event.id;
  const known = !Number.isNaN(event.ms);
  const level = levelClass(event.level);
  return (
    <div
      class={`row level-${level}${open ? " open" : ""}${chosen ? " selected" : ""}${here ? " here" : ""}${marked ? " original" : ""}`}
      role="row"
      aria-current={marked ? "true" : undefined}
      aria-level={1}
      aria-rowindex={index + 2}
      aria-expanded={open}
      aria-selected={chosen}
      tabIndex={here ? 0 : -1}
      data-testid="row"
      data-id={event.id}
      onMouseDown={(down) => {
        if (down.shiftKey) down.preventDefault();
      }}
      onClick={(click) => {
        if (getSelection()?.isCollapsed !== false || click.detail === 0) onClick(event.id, click);
      }}
    >
      <span role="gridcell" class="cell time">
        {known ? (
          <>
            {dateChars > 0 && <span class="date">{dateText(event.ms, zone).slice(1 - dateChars)} </span>}
            {view.value.nanos ? nanosText(event.time, zone) : clockText(event.ms, zone, true)}
          </>
        ) : (
          event.time
        )}
      </span>
      <span role="gridcell" class="cell level">
        {event.level === "" ? "·" : event.level.slice(0, 5)}
      </span>
      {placed.map(({ column }) => (
        <span
          role="gridcell"
          key={column.name}
          class={`cell${column.name === "@message" ? " message" : column.type === "integer" || column.type === "float" ? " numeric" : ""}`}
        >
          <Marked text={cellText(event, column, wraps)} sought={sought} />
        </span>
      ))}
    </div>
  );
}

function isAtEnd(element: HTMLDivElement | null): boolean {
  return element === null || element.scrollHeight - element.scrollTop - element.clientHeight < 30;
}

/** Follows scrolling and size of the box, and sticks to its end where asked. */
function useScroll(box: { current: HTMLDivElement | null }, props: ListProps, total: number, noteAnchor: () => void) {
  const [place, setPlace] = useState({ top: 0, height: 600 });
  const opened = view.value.row !== "";
  useEffect(() => {
    isReading.value = place.top > 0 || opened;
    return () => {
      isReading.value = false;
    };
  }, [place.top > 0, opened, props.asleep]);
  const follows = useRef(true);
  const read = useCallback(() => {
    const element = box.current;
    if (!element) return;
    setPlace({ top: element.scrollTop, height: element.clientHeight });
    noteAnchor();
    const atEnd = isAtEnd(element);
    if (props.live && follows.current !== atEnd) {
      follows.current = atEnd;
      props.onFollow?.(atEnd);
    }
    if (!props.live && element.scrollHeight - element.scrollTop - element.clientHeight < 1200) props.onEnd?.();
  }, [props.live, props.onEnd, props.onFollow]);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(read);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [read]);
  const end = useRef({ top: 0, height: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!props.live || !follows.current || !element) return;
    // Who has scrolled up since stays there, also where the browser has not told of it yet.
    if (element.scrollTop < end.current.top - 1 && element.scrollHeight >= end.current.height) return;
    element.scrollTop = element.scrollHeight;
    end.current = { top: element.scrollTop, height: element.scrollHeight };
  }, [props.live, total]);
  return { place, read };
}

/** How the list goes to rows. */
interface Moves {
  /** Has a row on screen. */
  show: (index: number) => void;
  /** Goes on by as many rows as are seen; gives the one that takes the place of `index`, or of the first one seen. */
  turn: (index: number, by: 1 | -1) => number;
}

/** Connects the keys with this list. */
function useKeys(
  events: readonly EventRow[],
  toggle: (id: string) => void,
  open: ReadonlyMap<string, number>,
  { show, turn }: Moves,
  asleep: boolean,
) {
  // Before anybody sees what has changed: a key that follows at once is about what is on screen.
  useLayoutEffect(() => {
    if (asleep) return;
    const at = () => events.findIndex((event) => event.id === cursor.peek());
    const focus = (id: string) =>
      requestAnimationFrame(() =>
        document
          .querySelector<HTMLElement>(`[data-testid=row][data-id="${CSS.escape(id)}"]`)
          ?.focus({ preventScroll: true }),
      );
    const own = {
      move(by: number) {
        own.goTo(at() < 0 && Number.isFinite(by) ? 0 : at() + by);
      },
      page: (by: 1 | -1) => own.goTo(turn(at(), by)),
      goTo(index: number) {
        const next = Math.max(0, Math.min(events.length - 1, index));
        const event = events[next];
        if (!event) return;
        cursor.value = event.id;
        show(next);
        focus(event.id);
      },
      select(by: number) {
        const from = cursor.peek();
        if (by === 0) return toggleSelected(from);
        own.move(by);
        selectTo(cursor.peek(), from, events);
      },
      toggle: () => {
        if (at() >= 0) toggle(cursor.peek());
      },
      isOpen: () => open.has(cursor.peek()),
      at: () => events[at()]?.id ?? "",
      trace: () => void openTraceOf(events[at()]),
      close() {
        if (clearSelection()) return true;
        if (!open.has(cursor.peek())) return false;
        toggle(cursor.peek());
        focus(cursor.peek());
        return true;
      },
      value() {
        const field = document.activeElement?.closest<HTMLElement>("[data-field]");
        if (field) return { field: field.dataset["field"] ?? "", value: field.dataset["value"] ?? "" };
        const event = events[at()];
        return event && event.level !== "" ? { field: "@level", value: event.level } : null;
      },
    };
    list.value = own;
    return () => {
      if (list.peek() === own) list.value = null;
    };
  }, [events, toggle, open, show, turn, asleep]);
}

/** Has the event that the list is about in the middle at first. */
function useCentre(
  box: { current: HTMLDivElement | null },
  centre: string | undefined,
  events: readonly EventRow[],
  rowHeight: number,
) {
  useLayoutEffect(() => {
    const element = box.current;
    if (centre === undefined || !element) return;
    const at = events.findIndex((event) => event.id === centre);
    element.scrollTop = topOf(at, rowHeight, []) - element.clientHeight / 2 + rowHeight;
    cursor.value = centre;
  }, [centre]);
}

function useOpenRows(first: string) {
  const [open, setOpen] = useState<ReadonlyMap<string, number>>(() => new Map(first === "" ? [] : [[first, 0]]));
  const toggle = useCallback((id: string) => {
    setOpen((now) => {
      const next = new Map(now);
      if (!next.delete(id)) next.set(id, 0);
      go({ row: next.has(id) ? id : ([...next.keys()].at(-1) ?? "") }, true);
      return next;
    });
  }, []);
  const measured = useCallback((id: string, height: number) => {
    setOpen((now) => (now.has(id) && now.get(id) !== height ? new Map(now).set(id, height) : now));
  }, []);
  return { open, toggle, measured };
}

/** The list. */
export function RowList(props: ListProps) {
  const { events, columns, sought } = props;
  const box = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();
  const { zone, wrap, dense, layout } = view.value;
  const rowHeight = narrow ? 46 : dense ? 20 : 25;
  const { open, toggle, measured } = useOpenRows(props.centre === undefined ? view.peek().row : "");
  const placed = useMemo(() => arrange(columns, layout), [columns, layout]);
  const extras = useWrapped(
    box,
    wrap,
    events,
    open,
    rowHeight,
    `${layout.join()} ${columns.map((column) => column.name).join()} ${dense}`,
  );
  const total = topOf(events.length, rowHeight, extras);
  useCentre(box, props.centre, events, rowHeight);
  const anchor = useAnchor(box, events, rowHeight, extras, !props.live || !isAtEnd(box.current));
  const { place, read } = useScroll(box, props, total, anchor.note);
  // The day is shown unless it is today for all rows, the year unless it is this one.
  const dateChars = useMemo(() => {
    let [least, most] = [Date.now(), Date.now()];
    for (const { ms } of events) {
      if (ms < least) least = ms;
      if (ms > most) most = ms;
    }
    const [a, b] = [dateText(least, zone), dateText(most, zone)];
    return a === b ? 0 : a.slice(0, 4) === b.slice(0, 4) ? "11-20 ".length : "2026-11-20 ".length;
  }, [events, zone]);
  const grid = useMemo(
    () => template(placed, events, dateChars),
    [placed, events.length > 0, dateChars, view.value.nanos],
  );
  const show = useCallback(
    (index: number) => {
      const element = box.current;
      if (!element) return;
      const top = topOf(index, rowHeight, extras);
      const head = narrow ? 0 : 27;
      if (top < element.scrollTop) element.scrollTop = top;
      else if (top + rowHeight + head > element.scrollTop + element.clientHeight)
        element.scrollTop = top + rowHeight + head - element.clientHeight + rowHeight;
    },
    [rowHeight, extras, narrow],
  );
  const turn = useCallback(
    (index: number, by: 1 | -1) => {
      const element = box.current;
      if (!element) return index;
      const seen = Math.max(1, Math.floor((element.clientHeight - (narrow ? 0 : 27)) / rowHeight) - 1);
      const first = rowAt(element.scrollTop + rowHeight - 1, rowHeight, extras);
      const from = index >= first && index <= first + seen ? index : first;
      const next = Math.max(0, Math.min(events.length - 1, from + by * seen));
      element.scrollTop += topOf(next, rowHeight, extras) - topOf(from, rowHeight, extras);
      return next;
    },
    [events.length, rowHeight, extras, narrow],
  );
  useKeys(events, toggle, open, { show, turn }, props.asleep === true);
  useEffect(() => () => void clearSelection(), []);
  const onClick = useCallback(
    (id: string, click: MouseEvent) => {
      if (click.shiftKey) selectTo(id, cursor.peek(), events);
      else if (click.ctrlKey || click.metaKey) toggleSelected(id);
      else toggle(id);
      cursor.value = id;
    },
    [events, toggle],
  );
  useEffect(() => {
    if (props.live || props.centre !== undefined) return;
    const at = events.findIndex((event) => event.id === view.peek().row);
    if (at > 0) show(at);
    cursor.value = events[Math.max(at, 0)]?.id ?? "";
  }, [events[0]?.id]);
  const at = find.value === null ? -1 : events.findIndex((event) => event.id === cursor.value);
  const goTo = (index: number) => {
    cursor.value = events[index]?.id ?? "";
    show(index);
    // An open row above it may still grow.
    anchor.hold(index);
  };
  const { first, end } = stretch(place.top, place.height, events.length, rowHeight, extras);
  return (
    <>
      {find.value !== null && !props.asleep && <FindBox events={events} columns={columns} at={at} onGo={goTo} />}
      {selected.value.size > 0 && <SelectBar events={events} placed={placed} />}
      <div
        class={`rows${wrap ? " wraps" : ""}${dense ? " dense" : ""}`}
        ref={box}
        onScroll={read}
        tabIndex={-1}
        data-testid="rows"
      >
        <div
          class="grid"
          role="treegrid"
          aria-label={props.label}
          aria-multiselectable="true"
          aria-rowcount={events.length + 1}
          aria-colcount={placed.length + 2}
          style={{ "--columns": grid, "--row": `${rowHeight}px` } as preact.CSSProperties}
        >
          <div class="row head" role="row" aria-rowindex={1}>
            <span role="columnheader" class="cell">
              {t("Time")}
            </span>
            <span role="columnheader" class="cell">
              {t("Level")}
            </span>
            <ColumnHeads placed={placed} columns={columns} />
          </div>
          <div class="body" role="rowgroup" style={{ height: `${total}px` }}>
            {events.slice(first, end).map((event, n) => (
              <div
                key={event.id}
                class="place"
                role="none"
                style={{ transform: `translateY(${topOf(first + n, rowHeight, extras)}px)` }}
              >
                <Row
                  event={event}
                  placed={placed}
                  sought={sought}
                  zone={zone}
                  dateChars={dateChars}
                  index={first + n}
                  open={open.has(event.id)}
                  wraps={wrap}
                  marked={event.id === props.centre}
                  onClick={onClick}
                />
                {open.has(event.id) && <RowDetail event={event} columns={columns} onHeight={measured} />}
              </div>
            ))}
          </div>
        </div>
        {props.footer && <p class="rows-end dim">{props.footer}</p>}
      </div>
    </>
  );
}
