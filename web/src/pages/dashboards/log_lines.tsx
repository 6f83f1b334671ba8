// Events of a panel; each leads to its row in Explore.

import { useState } from "preact/hooks";

import { levelClass } from "../../explore/levels.ts";
import { oneLine, textOf } from "../../format.ts";
import { Way } from "../../parts/way.tsx";
import { isNewestFirst } from "../../query/lex.ts";
import { t } from "../../texts.ts";
import { dayClock, fullText } from "../../time.ts";
import { view } from "../../view.ts";
import type { PanelQuery } from "../../api/dashboards.ts";
import type { QueryData } from "./answers.ts";
import { useSize } from "./size.ts";

const TEXT_CHARS_MAX = 500;
/** Time around an event that its link shows. */
const AROUND_MS = 300_000;

/** How many events are drawn before the height of the panel is known. */
const FIRST = 12;
/** How many more are drawn when the reader scrolls close to the last one. */
const MORE = 40;
/** The least height of an event, in pixels. */
const LINE_PX = 18;
/** How close to the last one that is, in pixels. */
const NEAR_PX = 400;

/** The events. */
export function LogLines({ data, query }: { data: QueryData; query: PanelQuery | undefined }) {
  const [root, { height }] = useSize();
  const [wanted, setWanted] = useState(FIRST);
  const drawn = Math.max(wanted, Math.ceil(height / LINE_PX) + 1);
  const at = (...names: string[]) => data.columns.findIndex(({ name }) => names.includes(name));
  const [time, level, message, id] = [at("@timestamp", "timestamp"), at("@level"), at("@message", "line"), at("@id")];
  const zone = view.value.zone;
  return (
    <div
      class="board-logs"
      ref={root}
      tabIndex={0}
      role="region"
      aria-label={isNewestFirst(query?.query ?? "") ? t("Events, newest first") : t("Events")}
      data-testid="board-logs"
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        if (scrollHeight - scrollTop - clientHeight < NEAR_PX && drawn < data.rows.length) setWanted(drawn + MORE);
      }}
    >
      <ul>
        {data.rows.slice(0, drawn).map((row, n) => {
          const ms = Date.parse(textOf(row[time]));
          const said = message >= 0 ? textOf(row[message]) : row.map((value) => textOf(value)).join(" ");
          const iso = (of: number) => new Date(of).toISOString();
          const to = Number.isNaN(ms)
            ? null
            : {
                page: "explore" as const,
                panel: "rows" as const,
                language: "insights" as const,
                query: "",
                groups: query?.groups ?? [],
                from: iso(ms - AROUND_MS),
                to: iso(ms + AROUND_MS),
                row: id >= 0 ? textOf(row[id]) : "",
                refresh: 0,
              };
          const word = level >= 0 ? textOf(row[level]) : "";
          return (
            <li key={n} class={`level-${levelClass(word)}`}>
              {to ? (
                <Way to={to} class="number">
                  <time dateTime={iso(ms)} title={fullText(ms, zone)}>
                    {dayClock(ms, zone)}
                  </time>
                </Way>
              ) : (
                <span />
              )}
              {level >= 0 && <span class="board-log-level">{word}</span>}
              <span class="board-log-text">{oneLine(said, TEXT_CHARS_MAX)}</span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
