// One row of the waterfall: a span, a missing span, or a log line.

import { Component } from "preact";

import { levelClass } from "../../explore/levels.ts";
import { count, oneLine, printable } from "../../format.ts";
import { plural, t } from "../../texts.ts";
import { place, type TraceNode, type TraceRow } from "./model.ts";
import { durationText, offsetText } from "./words.ts";

/** Deeper spans are not indented further and show their depth as a number. */
const DEPTH_MAX = 16;
/** Most ticks of log lines on one row: more could not be told apart. */
const TICKS_MAX = 60;
const NAME_CHARS_MAX = 200;

/** How a row is shown. */
export interface RowLook {
  index: number;
  duration: number;
  colour: string;
  isOpen: boolean;
  isClosed: boolean;
  isHere: boolean;
  isFound: boolean;
  isDimmed: boolean;
  hasLines: boolean;
  onClick: (row: TraceRow, what: "detail" | "fold" | "lines") => void;
}

/** The name of a node. */
export function nameOf(node: TraceNode): string {
  if (node.kind === "missing") return t("Missing span {id}", { id: node.id });
  if (node.kind === "lines") return t("Log lines without a span of this trace");
  return oneLine(node.name, NAME_CHARS_MAX) || t("no name");
}

function Ticks({ node, duration }: { node: TraceNode; duration: number }) {
  const every = Math.ceil(node.logs.length / TICKS_MAX);
  return (
    <>
      {node.logs
        .filter((_, n) => n % every === 0)
        .map((log, n) => (
          <i
            key={n}
            class={`log-tick level-${levelClass(log.level)}`}
            style={{ left: `${place(log.at, duration)}%` }}
            title={`${offsetText(log.at)} ${oneLine(log.message, NAME_CHARS_MAX)}`}
          />
        ))}
    </>
  );
}

function Bar({ node, duration }: { node: TraceNode; duration: number }) {
  const from = place(node.start, duration);
  const to = place(node.start + node.duration, duration);
  const isLeft = to > 82 && from > 18;
  const isOver = to > 82 && !isLeft;
  const at = isLeft ? { right: `${100 - from}%` } : isOver ? { right: "0" } : { left: `${to}%` };
  return (
    <>
      <i
        class={`span-bar${node.critical > 0 ? " critical" : ""}${node.kind === "span" ? "" : " gap"}`}
        style={{ left: `${from}%`, width: `${to - from}%` }}
      />
      <b class={`span-took${isOver ? " over" : ""}`} style={at}>
        {node.kind === "lines" ? "" : durationText(node.duration)}
      </b>
    </>
  );
}

function Name({ row, look }: { row: TraceRow; look: RowLook }) {
  const { node } = row;
  const isFolder = node.end > node.index + 1 || (node.kind === "lines" && node.logs.length > 0);
  const lines = node.kind === "lines" ? 0 : node.logs.length;
  const below = look.isClosed ? node.errorsBelow : 0;
  const click = (what: "fold" | "lines") => (event: MouseEvent) => {
    event.stopPropagation();
    look.onClick(row, what);
  };
  return (
    <>
      {/* The arrow keys do the same. */}
      <span
        class={`fold${look.isClosed ? " closed" : ""}`}
        aria-hidden="true"
        onClick={isFolder ? click("fold") : undefined}
      >
        {isFolder ? "›" : ""}
      </span>
      {node.depth > DEPTH_MAX && <span class="deep">{t("level {n}", { n: count(node.depth + 1) })}</span>}
      {node.isError && <span class="span-error">{t("error")}</span>}
      <span class="ellipsis">
        {node.service !== "" && <span class="span-service">{printable(node.service)} </span>}
        <span class={node.kind === "span" ? "" : "dim"}>{nameOf(node)}</span>
      </span>
      {below > 0 && <span class="span-error">{plural(below, "{n} error", "{n} errors", count(below))}</span>}
      {lines > 0 && (
        <span class="line-count" aria-hidden="true" onClick={click("lines")} title={t("Log lines of the span (l)")}>
          {plural(lines, "{n} line", "{n} lines", count(lines))}
        </span>
      )}
    </>
  );
}

function said(row: TraceRow, look: RowLook): string {
  const { node } = row;
  const parts = [t("begins at {time}", { time: offsetText(node.start) })];
  if (node.critical > 0) parts.push(t("on the critical path"));
  if (node.moved !== 0) parts.push(t("moved by {time} because clocks differ", { time: offsetText(node.moved) }));
  if (look.isClosed && node.errorsBelow > 0) parts.push(t("contains errors"));
  return parts.join(", ");
}

function RowView({ row, look }: { row: TraceRow; look: RowLook }) {
  const { node, log } = row;
  const isFolder = log === undefined && (node.end > node.index + 1 || node.kind === "lines");
  const depth = Math.min(node.depth + (log === undefined ? 0 : 1), DEPTH_MAX);
  const classes = [
    "span-row",
    log === undefined ? look.colour : `log-row level-${levelClass(log.level)}`,
    node.isError && log === undefined ? "failed" : "",
    look.isOpen ? "open" : "",
    look.isHere ? "here" : "",
    look.isFound ? "found" : "",
    look.isDimmed ? "dimmed" : "",
  ];
  return (
    <div
      class={classes.join(" ")}
      role="row"
      aria-level={node.depth + (log === undefined ? 1 : 2)}
      aria-rowindex={look.index + 2}
      aria-expanded={isFolder ? !look.isClosed : undefined}
      tabIndex={look.isHere ? 0 : -1}
      data-testid={log === undefined ? "span" : "log-line"}
      data-key={row.key}
      data-id={node.id}
      onClick={() => {
        if (getSelection()?.isCollapsed !== false) look.onClick(row, "detail");
      }}
    >
      <span role="gridcell" class="span-name" style={{ paddingLeft: `${6 + depth * 13}px` }}>
        {log === undefined ? (
          <Name row={row} look={look} />
        ) : (
          <>
            <span class="log-level">{log.level.slice(0, 5) || "·"}</span>
            <span class="ellipsis">{oneLine(log.message, 400)}</span>
          </>
        )}
      </span>
      <span role="gridcell" class="span-time">
        {log === undefined ? (
          <>
            <Bar node={node} duration={look.duration} />
            {!look.hasLines && <Ticks node={node} duration={look.duration} />}
            <span class="sr-only">{said(row, look)}</span>
          </>
        ) : (
          <>
            <i class={`log-tick level-${levelClass(log.level)}`} style={{ left: `${place(log.at, look.duration)}%` }} />
            <b
              class="span-took"
              style={
                place(log.at, look.duration) > 82
                  ? { right: `${100 - place(log.at, look.duration)}%` }
                  : { left: `${place(log.at, look.duration)}%` }
              }
            >
              {offsetText(log.at)}
            </b>
          </>
        )}
      </span>
    </div>
  );
}

/** A row, rendered again only when it has changed: scrolling leaves most of them unchanged. */
export class SpanRow extends Component<{ row: TraceRow; look: RowLook }> {
  override shouldComponentUpdate(next: { row: TraceRow; look: RowLook }): boolean {
    const { row, look } = this.props;
    const isSame = (Object.keys(look) as (keyof RowLook)[]).every((name) => look[name] === next.look[name]);
    return !isSame || row.node !== next.row.node || row.log !== next.row.log;
  }

  override render() {
    return <RowView {...this.props} />;
  }
}
