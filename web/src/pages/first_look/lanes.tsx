// One axis of time for everything that began close to the onset: a lane for each kind, the onset with its uncertainty as
// a band. The same times are in the list below it.

import type { AlsoBegan, FirstLook } from "../../api/cause.ts";
import { Axis, AXIS, useWidth } from "../../explore/axis.tsx";
import { patternText } from "../../explore/panel_parts.tsx";
import { oneLine } from "../../format.ts";
import { Way } from "../../parts/way.tsx";
import { t } from "../../texts.ts";
import { dayClock, fullText } from "../../time.ts";
import { view } from "../../view.ts";
import { eventsOfQuery, kindName, relative } from "./findings.tsx";

/** Order of the lanes: causes first. */
const ORDER: readonly string[] = [
  "mark",
  "restart",
  "pattern",
  "new-pattern",
  "jump",
  "silence",
  "clock",
  "alert",
  "trace",
];
/** Kinds that tell of the same thing in two ways. */
const FAMILIES: Readonly<Record<string, string>> = { "new-pattern": "pattern", jump: "pattern" };
const LANE = 24;
const LEFT = 104;
const LEFT_SMALL = 84;
const RIGHT = 12;
const WHAT_CHARS_MAX = 200;
const LISTED_MAX = 30;

/** Everything with a time, from the onset and the findings, each once. */
export function eventsOf({ onset, findings }: Pick<FirstLook, "onset" | "findings">): AlsoBegan[] {
  const found = findings.flatMap(({ kind, at, title, query }): AlsoBegan[] =>
    at === null || kind === "onset" || kind === "differs" || kind === "call" || Number.isNaN(Date.parse(at))
      ? []
      : [{ kind, at, what: title, query }],
  );
  const keyOf = ({ kind, at }: AlsoBegan) => `${FAMILIES[kind] ?? kind} ${Date.parse(at)}`;
  const known = new Set(onset.also.map(keyOf));
  const merged = [...onset.also, ...found.filter((one) => !known.has(keyOf(one)))];
  return merged
    .map((one) => ({ ...one, what: patternText(one.what) }))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** The range that contains all times, with a margin. */
export function rangeOf(times: readonly number[]): { from: number; to: number } {
  const [least, most] = [Math.min(...times), Math.max(...times)];
  const margin = Math.max(30_000, (most - least) * 0.08);
  return { from: least - margin, to: most + margin };
}

/** The axis and the list. */
export function Lanes({ data }: { data: FirstLook }) {
  const [root, measured] = useWidth();
  const all = eventsOf(data);
  const { began, ended, uncertainty_ms: unsure } = data.onset;
  const zone = view.value.zone;
  const ends = [began, ended].flatMap((one) => (one === null ? [] : [Date.parse(one)]));
  if (all.length + ends.length === 0) return null;
  const width = Math.max(1, measured);
  const left = width < 500 ? LEFT_SMALL : LEFT;
  const range = rangeOf([...ends, ...all.map(({ at }) => Date.parse(at))]);
  const x = (ms: number) => left + ((ms - range.from) / (range.to - range.from)) * Math.max(1, width - left - RIGHT);
  const kinds = [...new Set(all.map(({ kind }) => kind))].sort((a, b) => rank(a) - rank(b));
  const height = Math.max(1, kinds.length) * LANE;
  const onset = Date.parse(began ?? "");
  return (
    <section aria-labelledby="first-look-lanes">
      <h2 id="first-look-lanes">{t("What began then")}</h2>
      <div class="first-look-box lanes">
        <div ref={root} />
        <svg
          width={width}
          height={height + AXIS + 4}
          role="img"
          aria-label={t("Times of everything that began close to the onset; the list below has the same")}
          data-testid="lanes"
        >
          {!Number.isNaN(onset) && (
            <>
              <rect
                class="unsure"
                x={x(onset - unsure)}
                y={0}
                width={Math.max(2, x(onset + unsure) - x(onset - unsure))}
                height={height}
              />
              <line class="onset" x1={x(onset)} x2={x(onset)} y1={0} y2={height} />
            </>
          )}
          {kinds.map((kind, lane) => (
            <g key={kind}>
              <line class="lane" x1={left} x2={width - RIGHT} y1={(lane + 0.5) * LANE} y2={(lane + 0.5) * LANE} />
              <text x={0} y={(lane + 0.5) * LANE + 4}>
                {kindName(kind)}
              </text>
              {all
                .filter((one) => one.kind === kind)
                .map((one, at) => (
                  <circle
                    key={at}
                    class={`event kind-${kind}`}
                    cx={x(Date.parse(one.at))}
                    cy={(lane + 0.5) * LANE}
                    r={5}
                  >
                    <title>{`${oneLine(one.what, WHAT_CHARS_MAX)} · ${fullText(Date.parse(one.at), zone)}`}</title>
                  </circle>
                ))}
            </g>
          ))}
          <Axis scale={{ ...range, width }} x={x} zone={zone} height={height} />
        </svg>
        <List all={all} began={began} />
      </div>
    </section>
  );
}

function rank(kind: string): number {
  const at = ORDER.indexOf(kind);
  return at < 0 ? ORDER.length : at;
}

function List({ all, began }: { all: readonly AlsoBegan[]; began: string | null }) {
  const zone = view.value.zone;
  return (
    <ol class="lane-list">
      {all.slice(0, LISTED_MAX).map((one, at) => (
        <li key={at} data-testid="began" data-kind={one.kind}>
          <time class="number" dateTime={one.at} title={fullText(Date.parse(one.at), zone)}>
            {dayClock(Date.parse(one.at), zone)}
          </time>
          <span class="badge">{kindName(one.kind)}</span>
          <span class="lane-what" lang="">
            {one.query === null ? (
              oneLine(one.what, WHAT_CHARS_MAX)
            ) : (
              <Way to={eventsOfQuery(one.query, one.at, began)}>{oneLine(one.what, WHAT_CHARS_MAX)}</Way>
            )}
          </span>
          <span class="dim">{relative(one.at, began)}</span>
        </li>
      ))}
    </ol>
  );
}
