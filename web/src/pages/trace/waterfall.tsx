// The rows of a trace on a common axis of time: a tree grid of fixed-height rows of which only those on screen exist, with
// the open one's details in between.

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import type { TraceProblem } from "../../api/traces.ts";
import { stretch, topOf, type Extras } from "../../explore/window.ts";
import { KEYS, list, pageKeys, type Key } from "../../keys.ts";
import { tell } from "../../parts/layers.tsx";
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
  /** Goes to a node, which is shown and focused: set by the waterfall. */
  reveal: { current: (node: number) => void };
}

function usePhone(): boolean {
  const [phone, setPhone] = useState(() => matchMedia("(max-width: 700px)").matches);
  useEffect(() => {
    const media = matchMedia("(max-width: 700px)");
    const follow = () => setPhone(media.matches);
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, []);
  return phone;
}

/** Which nodes are closed, which show their lines, and which row is open. */
function useTree(model: TraceModel, showsLines: boolean) {
  const [closed, setClosed] = useState<ReadonlySet<number>>(new Set());
  const [lines, setLines] = useState<ReadonlySet<number>>(new Set());
  const [openLine, setOpenLine] = useState("");
  useEffect(() => setLines(new Set()), [showsLines]);
  const hasLines = useCallback(
    (node: TraceNode) =>
      node.kind === "lines" ? !closed.has(node.index) : node.logs.length > 0 && showsLines !== lines.has(node.index),
    [closed, lines, showsLines],
  );
  const rows = useMemo(() => rowsOf(model, closed, hasLines), [model, closed, hasLines]);
  const span = view.value.span;
  const open = openLine || String(span === "" ? "" : model.nodes.findIndex((node) => node.id === span));
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
      setOpenLine(row.log !== undefined && open !== row.key ? row.key : "");
      if (row.log === undefined) go({ span: open === row.key ? "" : row.node.id }, true);
      else if (view.peek().span !== "") go({ span: "" }, true);
    },
  };
}

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

/** Keys of rows that the table of Explore has, too. */
const ROW_KEYS = ["j", "k", "PageDown", "PageUp", "Home", "End", "Enter"];

interface Moves {
  to: (index: number, focuses?: boolean) => void;
  at: () => number;
  page: number;
  reveal: (node: number) => void;
}

function useRowKeys(props: WaterfallProps, tree: ReturnType<typeof useTree>, moves: Moves) {
  useLayoutEffect(() => {
    const { rows, closed } = tree;
    const now = () => rows[moves.at()];
    const isFolder = (row: TraceRow) =>
      row.log === undefined && (row.node.end > row.node.index + 1 || row.node.kind === "lines");
    const jump = (all: readonly number[], by: 1 | -1, none: string) => {
      const to = next(all, now()?.node.index ?? -1, by);
      if (to < 0) tell(none);
      else moves.reveal(to);
    };
    const right = () => {
      const row = now();
      if (!row || !isFolder(row)) return;
      if (closed.has(row.node.index)) tree.fold(row.node.index);
      else moves.to(moves.at() + 1);
    };
    const left = () => {
      const row = now();
      if (row && isFolder(row) && !closed.has(row.node.index)) tree.fold(row.node.index);
      else if (row) moves.reveal(row.log === undefined ? Math.max(0, row.node.parent) : row.node.index);
    };
    const error = (by: 1 | -1) => () => jump(props.model.errors, by, t("No span of this trace failed."));
    const match = (by: 1 | -1) => () => jump(props.found, by, t("Nothing in this trace contains the text."));
    const own: Key[] = [
      {
        keys: ["/"],
        label: text("Search in the trace"),
        run: () => document.querySelector<HTMLElement>("[data-testid=trace-find]")?.focus(),
      },
      { keys: ["e"], label: text("Next error of the trace"), run: error(1) },
      { keys: ["E"], label: text("Previous error of the trace"), run: error(-1) },
      { keys: ["n"], label: text("Next match"), run: match(1) },
      { keys: ["N"], label: text("Previous match"), run: match(-1) },
      { keys: ["ArrowRight"], label: text("Expand the span, or go to the first span below it"), run: right },
      { keys: ["ArrowLeft"], label: text("Collapse the span, or go to the span above it"), run: left },
      {
        keys: ["l"],
        label: text("Show or hide the log lines of the span"),
        run: () => now() && tree.lines((now() as TraceRow).node.index),
      },
    ];
    pageKeys.value = [...own, ...KEYS.filter((key) => ROW_KEYS.includes(key.keys[0] ?? ""))];
    const mine = {
      move: (by: number) => moves.to(moves.at() + by),
      page: (by: 1 | -1) => moves.to(moves.at() + by * moves.page),
      toggle: () => {
        const row = now();
        if (row) tree.detail(row);
      },
      isOpen: () => now()?.key === tree.open,
      at: () => "",
      trace: () => undefined,
      close: () => {
        if (view.peek().span === "" && !tree.open.includes(".")) return false;
        const row = rows.find((one) => one.key === tree.open);
        if (row) tree.detail(row);
        return true;
      },
      select: () => undefined,
      value: () => null,
    };
    list.value = mine;
    return () => {
      pageKeys.value = [];
      if (list.peek() === mine) list.value = null;
    };
  });
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

/** The waterfall. */
export function Waterfall(props: WaterfallProps) {
  const { model, box } = props;
  const body = useRef<HTMLDivElement>(null);
  const isPhone = usePhone();
  const rowHeight = isPhone ? 46 : 27;
  const tree = useTree(model, props.showsLines);
  const { rows, open } = tree;
  const [cursor, setCursor] = useState("0");
  const [height, setHeight] = useState(0);
  const seen = usePlace(box, body);
  const at = Math.max(
    0,
    rows.findIndex((row) => row.key === cursor),
  );
  const openAt = open === "" ? -1 : rows.findIndex((row) => row.key === open);
  const extras: Extras = useMemo(() => (openAt < 0 ? [] : [[openAt, height]]), [openAt, height]);
  const total = topOf(rows.length, rowHeight, extras);
  const wanted = useRef({ key: "", focuses: false });
  const show = (index: number) => {
    const [outer, inner] = [box.current, body.current];
    if (!outer || !inner) return;
    const top = topOf(index, rowHeight, extras) + inner.getBoundingClientRect().top - outer.getBoundingClientRect().top;
    if (top < HEAD) outer.scrollTop += top - HEAD - rowHeight;
    else if (top + rowHeight > outer.clientHeight) outer.scrollTop += top + 3 * rowHeight - outer.clientHeight;
  };
  // After the rows that lead to it were opened.
  useLayoutEffect(() => {
    const { key, focuses } = wanted.current;
    const index = rows.findIndex((row) => row.key === key);
    if (key === "" || index < 0) return;
    wanted.current = { key: "", focuses: false };
    show(index);
    if (focuses)
      requestAnimationFrame(() =>
        body.current?.querySelector<HTMLElement>(`[data-key="${key}"]`)?.focus({ preventScroll: true }),
      );
  });
  const to = (index: number, focuses = true) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!row) return;
    wanted.current = { key: row.key, focuses };
    setCursor(row.key);
  };
  const reveal = (node: number, focuses = true) => {
    tree.unfold(above(model.nodes, node));
    wanted.current = { key: String(node), focuses };
    setCursor(String(node));
  };
  props.reveal.current = (node) => reveal(node);
  useRowKeys(props, tree, { to, at: () => at, page: Math.max(1, Math.floor(seen.height / rowHeight) - 3), reveal });
  useEffect(() => {
    const asked = model.nodes.findIndex((node) => node.id !== "" && node.id === view.peek().span);
    reveal(Math.max(0, asked));
  }, [model]);
  const colour = useMemo(() => colourOf(model.services), [model]);
  const found = useMemo(() => new Set(props.found), [props.found]);
  const { first, end } = stretch(seen.top, seen.height, rows.length, rowHeight, extras);
  const click = useRef<RowLook["onClick"]>(() => undefined);
  click.current = (row, what) => {
    setCursor(row.key);
    if (what === "lines") tree.lines(row.node.index);
    else if (what === "fold" || (row.node.kind !== "span" && row.log === undefined)) tree.fold(row.node.index);
    else tree.detail(row);
  };
  const onClick = useCallback<RowLook["onClick"]>((row, what) => click.current(row, what), []);
  const ticks = axisTicks(model.duration, Math.max(3, Math.floor((seen.width * (isPhone ? 1 : 0.6)) / 110)));
  return (
    <div
      class="waterfall"
      role="treegrid"
      aria-label={t("Spans of the trace")}
      aria-rowcount={rows.length + 1}
      aria-colcount={2}
      data-testid="waterfall"
      style={
        {
          "--row": `${rowHeight}px`,
          "--step": `${place(ticks[1] ?? model.duration, model.duration)}%`,
        } as preact.CSSProperties
      }
    >
      <Head model={model} ticks={ticks} />
      <div class="span-body" role="rowgroup" ref={body} style={{ height: `${total}px` }}>
        {rows.slice(first, end).map((row, n) => (
          <div
            key={row.key}
            class="span-place"
            role="none"
            style={{ transform: `translateY(${topOf(first + n, rowHeight, extras)}px)` }}
          >
            <SpanRow
              row={row}
              look={{
                index: first + n,
                duration: model.duration,
                colour: colour(row.node.service),
                isOpen: row.key === open,
                isClosed: tree.closed.has(row.node.index),
                isHere: row.key === cursor,
                isFound: row.log === undefined && found.has(row.node.index),
                isDimmed: props.showsPath && row.node.critical === 0,
                hasLines: tree.hasLines(row.node),
                onClick,
              }}
            />
            {row.key === open &&
              (row.log === undefined ? (
                <SpanDetail node={row.node} base={model.startText} problems={props.problems} onHeight={setHeight} />
              ) : (
                <LineDetail log={row.log} onHeight={setHeight} />
              ))}
          </div>
        ))}
      </div>
    </div>
  );
}
