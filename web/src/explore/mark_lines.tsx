// Marks on a chart: a line and a flag each, and below the chart their texts as a list.

import type { Mark } from "../api/cause.ts";
import { oneLine } from "../format.ts";
import { adopt } from "../parts/style.ts";
import rules from "../style/cause.css?inline";
import { t } from "../texts.ts";
import { dayClock, fullText } from "../time.ts";
import { view, zoom } from "../view.ts";
import { useMarks } from "./marks.ts";
import { onsetMarks } from "./onset.ts";

adopt(rules);

/** Marks listed below a chart. */
const LISTED_MAX = 6;
const TEXT_CHARS_MAX = 80;
/** Time around a mark that a click shows. */
const BEFORE_MS = 300_000;
const AFTER_MS = 900_000;

interface Place {
  from: number;
  to: number;
  /** Shows when errors rose and what restarted then, too: the chart is that of the events explored. */
  hasOnsets?: boolean;
  /** Other marks that no person made. */
  more?: readonly Shown[];
}

/** A mark, of a kind of its own where no person made it. */
export type Shown = Mark & { kind?: string };

function useShown({ from, to, hasOnsets = false, more = [] }: Place): Shown[] {
  const all: readonly Shown[] = [...useMarks(), ...(hasOnsets ? onsetMarks.value : []), ...more];
  return all
    .filter((mark) => Date.parse(mark.at) <= to && Date.parse(mark.until ?? mark.at) >= from)
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** Shows the time around a mark. */
function zoomTo(at: number): void {
  zoom(at - BEFORE_MS, Math.min(at + AFTER_MS, Math.max(Date.now(), at + 1)));
}

/** Lines in a chart that shows `from` to `to`. */
export function MarkLines({ height, x, ...place }: Place & { height: number; x: (ms: number) => number }) {
  const zone = view.value.zone;
  const { from, to } = place;
  return (
    <g class="mark-lines" aria-hidden="true">
      {useShown(place).map((mark) => {
        const at = Math.max(from, Date.parse(mark.at));
        const until = mark.until === null ? NaN : Math.min(to, Date.parse(mark.until));
        const left = x(at);
        return (
          <g key={mark.id || mark.at + mark.text} class={mark.kind} data-testid="mark-line">
            <title>{`${oneLine(mark.text, TEXT_CHARS_MAX)} · ${fullText(Date.parse(mark.at), zone)}`}</title>
            {until > at && <rect x={left} y={0} width={Math.max(0, x(until) - left)} height={height} />}
            <line x1={left} x2={left} y1={0} y2={height} />
            <path d={`M${left} 0h7l-2 3.5 2 3.5h-7Z`} />
            {/* The list below the chart has the same as a button. */}
            <rect
              class="mark-target"
              x={left - 4}
              y={-4}
              width={16}
              height={16}
              onPointerDown={(event) => event.stopPropagation()}
              onClick={() => zoomTo(Date.parse(mark.at))}
            />
          </g>
        );
      })}
    </g>
  );
}

/** The texts of the marks within a chart; nothing if there are none. */
export function MarkList(place: Place) {
  const shown = useShown(place);
  const zone = view.value.zone;
  if (shown.length === 0) return null;
  return (
    <ul class="mark-list" aria-label={t("Marks")} data-testid="marks">
      {shown.slice(-LISTED_MAX).map((mark) => {
        const at = Date.parse(mark.at);
        return (
          <li key={mark.id || mark.at + mark.text} class={mark.kind}>
            <button
              type="button"
              class="chip"
              title={[
                t("Show the time around it"),
                ...Object.entries(mark.fields).map(([name, value]) => `${name}=${oneLine(value, 60)}`),
              ].join("\n")}
              onClick={() => zoomTo(at)}
            >
              <span class="flag" aria-hidden="true" />
              <span class="number">{dayClock(at, zone)}</span>
              <span class="ellipsis">{oneLine(mark.text, TEXT_CHARS_MAX)}</span>
            </button>
          </li>
        );
      })}
      {shown.length > LISTED_MAX && <li class="dim">{t("and {n} earlier", { n: shown.length - LISTED_MAX })}</li>}
    </ul>
  );
}
