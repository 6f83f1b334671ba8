// Marks on a chart: a line and a flag each, and below the chart their texts as a list.

import type { Mark } from "../api/cause.ts";
import { oneLine } from "../format.ts";
import { adopt } from "../parts/style.ts";
import rules from "../style/cause.css?inline";
import { t } from "../texts.ts";
import { dayClock, fullText } from "../time.ts";
import { view, zoom } from "../view.ts";
import { useMarks } from "./marks.ts";

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
}

function within(marks: readonly Mark[], { from, to }: Place): Mark[] {
  return marks.filter((mark) => Date.parse(mark.at) <= to && Date.parse(mark.until ?? mark.at) >= from);
}

/** Lines in a chart that shows `from` to `to`. */
export function MarkLines({ from, to, height, x }: Place & { height: number; x: (ms: number) => number }) {
  const zone = view.value.zone;
  return (
    <g class="mark-lines" aria-hidden="true">
      {within(useMarks(), { from, to }).map((mark) => {
        const at = Math.max(from, Date.parse(mark.at));
        const until = mark.until === null ? NaN : Math.min(to, Date.parse(mark.until));
        const left = x(at);
        return (
          <g key={mark.id || mark.at + mark.text} data-testid="mark-line">
            <title>{`${oneLine(mark.text, TEXT_CHARS_MAX)} · ${fullText(Date.parse(mark.at), zone)}`}</title>
            {until > at && <rect x={left} y={0} width={Math.max(0, x(until) - left)} height={height} />}
            <line x1={left} x2={left} y1={0} y2={height} />
            <path d={`M${left} 0h7l-2 3.5 2 3.5h-7Z`} />
          </g>
        );
      })}
    </g>
  );
}

/** The texts of the marks within a chart; nothing if there are none. */
export function MarkList({ from, to }: Place) {
  const shown = within(useMarks(), { from, to });
  const zone = view.value.zone;
  if (shown.length === 0) return null;
  return (
    <ul class="mark-list" aria-label={t("Marks")} data-testid="marks">
      {shown.slice(-LISTED_MAX).map((mark) => {
        const at = Date.parse(mark.at);
        return (
          <li key={mark.id || mark.at + mark.text}>
            <button
              type="button"
              class="chip"
              title={[
                t("Show the time around it"),
                ...Object.entries(mark.fields).map(([name, value]) => `${name}=${oneLine(value, 60)}`),
              ].join("\n")}
              onClick={() => zoom(at - BEFORE_MS, Math.min(at + AFTER_MS, Math.max(Date.now(), at + 1)))}
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
