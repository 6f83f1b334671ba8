// The rows of a trace on a common axis of time: a tree grid of fixed-height rows of which only those on screen exist, with
// the open one's details in between.

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import type { TraceProblem } from "../../api/traces.ts";
import { stretch, topOf, type Extras } from "../../explore/window.ts";
import { KEYS, list, pageKeys, type Key } from "../../keys.ts";
import { tell } from "../../parts/layers.tsx";
import { useNarrow } from "../../parts/narrow.ts";
import { t, text } from "../../texts.ts";
import { go, view } from "../../view.ts";
import { above, axisTicks, next, place, rowsOf, type TraceModel, type TraceNode, type TraceRow } from "./model.ts";
import { LineDetail, SpanDetail } from "./span_detail.tsx";
import { SpanRow, type RowLook } from "./span_row.tsx";
import { colourOf, durationText } from "./words.ts";

const HEAD = 26;

/** What the waterfall shows. */
export interface WaterfallProps {
  model: TraceModel;
  problems: readonly TraceProblem[];
  /** The element that scrolls. */
  box: { current: HTMLElement | null };
  /** Nodes that contain the sought text. */
  found: readonly number[];
  /** Whether all log lines have rows. */
  showsLines: boolean;
  /** Whether what is not on the critical path is dimmed. */
  showsPath: boolean;
  /** Shows and focuses a node; set by the waterfall. */
  reveal: { current: (node: number) => void };
}

/** Which nodes are closed, which show their lines, and which row is open. */
function useTree(model: TraceModel, showsLines: boolean) {
  const [closed, setClosed] = useState<ReadonlySet<number>>(new Set());
  const [lines, setLines] = useState<ReadonlySet<number>>(new Set());
  const [chosen, setChosen] = useState("");
  useEffect(() => setLines(new Set()), [showsLines]);
  const hasLines = useCallback(
    (node: TraceNode) =>
      node.kind === "lines" ? !closed.has(node.index) : node.logs.length > 0 && showsLines !== lines.has(node.index),
    [closed, lines, showsLines],
  );
  const rows = useMemo(() => rowsOf(model, closed, hasLines), [model, closed, hasLines]);
  const span = view.value.span;
  // Both sides of a call may have one id: what was clicked is open, not the first with its id.
  const isChosen = chosen.includes(".") || (chosen !== "" && model.nodes[Number(chosen)]?.id === span);
  const open = isChosen ? chosen : span === "" ? "" : String(model.nodes.findIndex((node) => node.id === span));
  const toggled = (set: ReadonlySet<number>, index: number) => {
    const after = new Set(set);
    if (!after.delete(index)) after.add(index);
    return after;
  };
  return {
    rows,
    closed,
    hasLines,
    open,
    fold: (index: number) => setClosed((now) => toggled(now, index)),
    unfold: (indexes: readonly number[]) =>
      setClosed((now) =>
        indexes.some((one) => now.has(one)) ? new Set([...now].filter((one) => !indexes.includes(one))) : now,
      ),
    lines: (index: number) => setLines((now) => toggled(now, index)),
    detail: (row: TraceRow) => {
      const opens = open !== row.key;
      setChosen(opens ? row.key : "");
      const id = opens && row.log === undefined ? row.node.id : "";
      if (id !== view.peek().span) go({ span: id }, true);
    },
  };
}

type Tree = ReturnType<typeof useTree>;

/** Follows scrolling and size of the box: where the rows are seen, in pixels from the first one. */
function usePlace(box: WaterfallProps["box"], body: { current: HTMLDivElement | null }) {
  const [seen, setSeen] = useState({ top: 0, height: 900, width: 900 });
  const read = useCallback(() => {
    const [outer, inner] = [box.current, body.current];
    if (!outer || !inner) return;
    const top = outer.getBoundingClientRect().top - inner.getBoundingClientRect().top;
    setSeen({ top: Math.max(0, top), height: outer.clientHeight, width: inner.clientWidth });
  }, []);
  useLayoutEffect(() => {
    const outer = box.current;
    if (!outer) return;
    read();
    outer.addEventListener("scroll", read, { passive: true });
    const observer = new ResizeObserver(read);
    observer.observe(outer);
    return () => {
      outer.removeEventListener("scroll", read);
      observer.disconnect();
    };
  }, []);
  return seen;
}

/** Keys of rows that the table of Explore has as well. */
const ROW_KEYS = ["j", "k", "PageDown", "PageUp", "Home", "End", "Enter"];

interface Moves {
  to: (index: number) => void;
  at: () => number;
  page: number;
  reveal: (node: number) => void;
}

/** What the keys act on, as of the last rendering. */
interface Latest {
  props: WaterfallProps;
  tree: Tree;
  moves: Moves;
}

const isFolder = ({ node, log }: TraceRow) => log === undefined && (node.end > node.index + 1 || node.kind === "lines");

/** The keys of this page. */
function keysOf(latest: { current: Latest }): Key[] {
  const row = () => latest.current.tree.rows[latest.current.moves.at()];
  const jump = (all: readonly number[], by: 1 | -1, none: string) => {
    const to = next(all, row()?.node.index ?? -1, by);
    if (to < 0) tell(none);
    else latest.current.moves.reveal(to);
  };
  const right = () => {
    const { tree, moves } = latest.current;
    const now = row();
    if (now === undefined || !isFolder(now)) return;
    if (tree.closed.has(now.node.index)) tree.fold(now.node.index);
    else moves.to(moves.at() + 1);
  };
  const left = () => {
    const { tree, moves } = latest.current;
    const now = row();
    if (now === undefined) return;
    if (isFolder(now) && !tree.closed.has(now.node.index)) tree.fold(now.node.index);
    else moves.reveal(now.log === undefined ? Math.max(0, now.node.parent) : now.node.index);
  };
  const lines = () => {
    const now = row();
    if (now !== undefined) latest.current.tree.lines(now.node.index);
  };
  const search = () => document.querySelector<HTMLElement>("[data-testid=trace-find]")?.focus();
  const error = (by: 1 | -1) => () => jump(latest.current.props.model.errors, by, t("No span of this trace failed."));
  const match = (by: 1 | -1) => () =>
    jump(latest.current.props.found, by, t("Nothing in this trace contains the text."));
  return [
    { keys: ["/"], label: text("Search in the trace"), run: search },
    { keys: ["e"], label: text("Next error of the trace"), run: error(1) },
    { keys: ["E"], label: text("Previous error of the trace"), run: error(-1) },
    { keys: ["n"], label: text("Next match"), run: match(1) },
    { keys: ["N"], label: text("Previous match"), run: match(-1) },
    { keys: ["ArrowRight"], label: text("Expand the span, or go to the first span below it"), run: right },
    { keys: ["ArrowLeft"], label: text("Collapse the span, or go to the span above it"), run: left },
    { keys: ["l"], label: text("Show or hide the log lines of the span"), run: lines },
    ...KEYS.filter((key) => ROW_KEYS.includes(key.keys[0] ?? "")),
  ];
}

/** Connects the keys with this list. */
function useRowKeys(now: Latest): void {
  const latest = useRef(now);
  latest.current = now;
  useLayoutEffect(() => {
    const own = {
      move: (by: number) => latest.current.moves.to(latest.current.moves.at() + by),
      page: (by: 1 | -1) => latest.current.moves.to(latest.current.moves.at() + by * latest.current.moves.page),
      toggle: () => {
        const row = latest.current.tree.rows[latest.current.moves.at()];
        if (row) latest.current.tree.detail(row);
      },
      isOpen: () => latest.current.tree.rows[latest.current.moves.at()]?.key === latest.current.tree.open,
      at: () => "",
      trace: () => undefined,
      close: () => {
        const { tree } = latest.current;
        const row = tree.rows.find((one) => one.key === tree.open);
        if (row) tree.detail(row);
        return row !== undefined;
      },
      select: () => undefined,
      value: () => null,
    };
    pageKeys.value = keysOf(latest);
    list.value = own;
    return () => {
      pageKeys.value = [];
      if (list.peek() === own) list.value = null;
    };
  }, []);
}

function Head({ model, ticks }: { model: TraceModel; ticks: readonly number[] }) {
  return (
    <div class="span-row span-head" role="row" aria-rowindex={1}>
      <span role="columnheader" class="span-name">
        {t("Service and span")}
      </span>
      <span role="columnheader" class="span-time" aria-label={t("Time from the start of the trace")}>
        {ticks.map((at) => {
          const where = place(at, model.duration);
          return (
            <i
              key={at}
              class={where > 92 ? "last" : ""}
              style={where > 92 ? { right: `${100 - where}%` } : { left: `${where}%` }}
            >
              {durationText(at)}
            </i>
          );
        })}
      </span>
    </div>
  );
}

/** The row that keys act on, and functions that move to others: they are scrolled to, and focused once rendered. */
function useCursor(
  { model, box, reveal: revealed }: WaterfallProps,
  tree: Tree,
  body: { current: HTMLDivElement | null },
  { rowHeight, extras }: { rowHeight: number; extras: Extras },
) {
  const { rows } = tree;
  const [cursor, setCursor] = useState("0");
  const at = useMemo(() => {
    const found = rows.findIndex((row) => row.key === cursor);
    return Math.max(0, found);
  }, [rows, cursor]);
  const wanted = useRef("");
  const show = (index: number) => {
    const [outer, inner] = [box.current, body.current];
    if (!outer || !inner) return;
    const top = topOf(index, rowHeight, extras) + inner.getBoundingClientRect().top - outer.getBoundingClientRect().top;
    if (top < HEAD) outer.scrollTop += top - HEAD - rowHeight;
    else if (top + rowHeight > outer.clientHeight) outer.scrollTop += top + 3 * rowHeight - outer.clientHeight;
  };
  // After the rows that lead to it were opened.
  useLayoutEffect(() => {
    const key = wanted.current;
    const index = key === "" ? -1 : rows.findIndex((row) => row.key === key);
    if (index < 0) return;
    wanted.current = "";
    show(index);
    const focus = () => body.current?.querySelector<HTMLElement>(`[data-key="${key}"]`)?.focus({ preventScroll: true });
    requestAnimationFrame(focus);
  });
  const to = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!row) return;
    wanted.current = row.key;
    setCursor(row.key);
  };
  const reveal = (node: number) => {
    tree.unfold(above(model.nodes, node));
    wanted.current = String(node);
    setCursor(String(node));
  };
  revealed.current = reveal;
  useEffect(() => {
    const asked = model.nodes.findIndex((node) => node.id !== "" && node.id === view.peek().span);
    reveal(Math.max(0, asked));
  }, [model]);
  return { cursor, setCursor, at, to, reveal };
}

/** What a click on a row does; the function stays the same, so that rows are not rendered again. */
function useClick(tree: Tree, setCursor: (key: string) => void): RowLook["onClick"] {
  const latest = useRef<RowLook["onClick"]>(() => undefined);
  latest.current = (row, what) => {
    setCursor(row.key);
    if (what === "lines") tree.lines(row.node.index);
    else if (what === "fold" || (row.node.kind !== "span" && row.log === undefined)) tree.fold(row.node.index);
    else tree.detail(row);
  };
  return useCallback((row, what) => latest.current(row, what), []);
}

/** The waterfall. */
export function Waterfall(props: WaterfallProps) {
  const { model } = props;
  const body = useRef<HTMLDivElement>(null);
  const isPhone = useNarrow();
  const rowHeight = isPhone ? 46 : 27;
  const tree = useTree(model, props.showsLines);
  const { rows, open } = tree;
  const [height, setHeight] = useState(0);
  const seen = usePlace(props.box, body);
  const openAt = useMemo(() => (open === "" ? -1 : rows.findIndex((row) => row.key === open)), [rows, open]);
  const extras: Extras = useMemo(() => (openAt < 0 ? [] : [[openAt, height]]), [openAt, height]);
  const { cursor, setCursor, at, to, reveal } = useCursor(props, tree, body, { rowHeight, extras });
  const page = Math.max(1, Math.floor(seen.height / rowHeight) - 3);
  useRowKeys({ props, tree, moves: { to, at: () => at, page, reveal } });
  const onClick = useClick(tree, setCursor);
  const colour = useMemo(() => colourOf(model.services), [model]);
  const found = useMemo(() => new Set(props.found), [props.found]);
  const lookOf = (row: TraceRow, index: number): RowLook => ({
    index,
    duration: model.duration,
    colour: colour(row.node.service),
    isOpen: row.key === open,
    isClosed: tree.closed.has(row.node.index),
    isHere: row.key === cursor,
    isFound: row.log === undefined && found.has(row.node.index),
    isDimmed: props.showsPath && row.node.critical === 0,
    hasLines: tree.hasLines(row.node),
    onClick,
  });
  const { first, end } = stretch(seen.top, seen.height, rows.length, rowHeight, extras);
  const ticks = axisTicks(model.duration, Math.max(3, Math.floor((seen.width * (isPhone ? 1 : 0.6)) / 110)));
  const step = `${place(ticks[1] ?? model.duration, model.duration)}%`;
  return (
    <div
      class="waterfall"
      role="treegrid"
      aria-label={t("Spans of the trace")}
      aria-rowcount={rows.length + 1}
      aria-colcount={2}
      data-testid="waterfall"
      style={{ "--row": `${rowHeight}px`, "--step": step } as preact.CSSProperties}
    >
      <Head model={model} ticks={ticks} />
      <div
        class="span-body"
        role="rowgroup"
        ref={body}
        style={{ height: `${topOf(rows.length, rowHeight, extras)}px` }}
      >
        {rows.slice(first, end).map((row, n) => {
          const transform = `translateY(${topOf(first + n, rowHeight, extras)}px)`;
          return (
            <div key={row.key} class="span-place" role="none" style={{ transform }}>
              <SpanRow row={row} look={lookOf(row, first + n)} />
              {row.key === open && <Detail row={row} props={props} onHeight={setHeight} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Detail({
  row,
  props,
  onHeight,
}: {
  row: TraceRow;
  props: WaterfallProps;
  onHeight: (height: number) => void;
}) {
  if (row.log !== undefined) return <LineDetail log={row.log} onHeight={onHeight} />;
  return <SpanDetail node={row.node} base={props.model.startText} problems={props.problems} onHeight={onHeight} />;
}
