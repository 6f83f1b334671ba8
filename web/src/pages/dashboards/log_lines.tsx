// Events of a panel; on the page, each leads to its row in Explore.

import type { ComponentChildren, ComponentType } from "preact";
import { useState } from "preact/hooks";

import { levelClass } from "../../explore/levels.ts";
import { oneLine, textOf } from "../../format.ts";
import { isNewestFirst } from "../../query/lex.ts";
import { t } from "../../texts.ts";
import { dayClock, fullText, type Zone } from "../../time.ts";
import type { PanelQuery } from "../../api/dashboards.ts";
import type { QueryData } from "./answers.ts";
import { useSize } from "./size.ts";

const TEXT_CHARS_MAX = 500;

/** How many events are drawn before the height of the panel is known. */
const FIRST = 12;
/** How many more are drawn when the reader scrolls close to the last one. */
const MORE = 40;
/** The least height of an event, in pixels. */
const LINE_PX = 18;
/** How close to the last one that is, in pixels. */
const NEAR_PX = 400;

/** A link to an event. */
export interface EventLinkProps {
  ms: number;
  id: string;
  groups: string[];
  children: ComponentChildren;
}

/** The events. Without links all are there at once: paper does not scroll. */
export function LogLines({
  data,
  query,
  zone,
  Link,
}: {
  data: QueryData;
  query: PanelQuery | undefined;
  zone: Zone;
  Link: ComponentType<EventLinkProps> | null;
}) {
  const [root, { height }] = useSize();
  const [wanted, setWanted] = useState(Link === null ? data.rows.length : FIRST);
  const drawn = Math.max(wanted, Math.ceil(height / LINE_PX) + 1);
  const at = (...names: string[]) => data.columns.findIndex(({ name }) => names.includes(name));
  const [time, level, message, id] = [at("@timestamp", "timestamp"), at("@level"), at("@message", "line"), at("@id")];
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
          const word = level >= 0 ? textOf(row[level]) : "";
          return (
            <li key={n} class={`level-${levelClass(word)}`}>
              {Number.isNaN(ms) ? (
                <span />
              ) : Link === null ? (
                <span class="number">
                  <Time ms={ms} zone={zone} />
                </span>
              ) : (
                <Link ms={ms} id={id >= 0 ? textOf(row[id]) : ""} groups={query?.groups ?? []}>
                  <Time ms={ms} zone={zone} />
                </Link>
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

function Time({ ms, zone }: { ms: number; zone: Zone }) {
  return (
    <time dateTime={new Date(ms).toISOString()} title={fullText(ms, zone)}>
      {dayClock(ms, zone)}
    </time>
  );
}
