// What stands where rows would stand, or above them, when something is in the way: nothing found, an error, an answer that
// broke off, a question that the page did not survive. Each says what is the matter and what to do next.

import { useEffect, useState } from "preact/hooks";

import { rows } from "../ask.ts";
import * as api from "../api.ts";
import { count } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { conditions } from "../query/edit.ts";
import { commands } from "../query/lex.ts";
import type { Rows } from "../rows.ts";
import { plural, rich, t, text } from "../texts.ts";
import { ago, clockText, fullText, rangeLabel, resolve } from "../time.ts";
import { focusQuery } from "./editor_state.ts";
import { asked, draft, go, run, view, zoom, type View } from "../view.ts";

const again = () => {
  asked.value += 1;
};

/** Which trouble it is. */
export interface TroubleProps {
  kind: "held" | "failed" | "broken" | "empty";
  data: Rows | null;
}

/** The trouble. */
export function Trouble({ kind, data }: TroubleProps) {
  if (kind === "held") return <Held />;
  if (kind === "failed") return <Failed />;
  return data === null ? null : kind === "broken" ? <Broken data={data} /> : <NoMatch data={data} />;
}

/** The question ran when the page last ended: it may have been what ended it. */
function Held() {
  return (
    <div class="state" role="alert" data-testid="held">
      <h2>{t("This query was running when the page last closed")}</h2>
      <p>{t("It does not restart by itself, in case it overloaded the browser.")}</p>
      {view.value.query.trim() !== "" && (
        <p>
          <code>{view.value.query.slice(0, 300)}</code>
        </p>
      )}
      <p class="buttons">
        <Button class="button primary" label={t("Run it")} data-testid="held-run" onClick={again} />
        <Button class="button" label={t("Change it")} data-testid="held-change" onClick={focusQuery} />
      </p>
    </div>
  );
}

const TITLES: Readonly<Record<string, string>> = {
  cancelled: text("Cancelled"),
  unreachable: text("The server cannot be reached"),
  401: text("Sign in to see this"),
  400: text("The query could not be read"),
};

/** The word that was probably meant, and the text with it in place of the one that was written. */
function meantBy({ advice, start, end }: api.ApiError): { word: string; text: string } | null {
  const word = /did you mean "([^"]+)"/.exec(advice ?? "")?.[1];
  const written = view.value.query;
  if (!word || start === null || end === null || draft.value !== written) return null;
  return { word, text: written.slice(0, start) + word + written.slice(end) };
}

/** What to do about a text that could not be read. */
function Mend({ error }: { error: api.ApiError }) {
  const meant = meantBy(error);
  return (
    <p class="buttons">
      {meant && (
        <button
          type="button"
          class="button primary"
          data-testid="write-meant"
          onClick={() => {
            draft.value = meant.text;
            run();
          }}
        >
          {t("Write “{word}”", { word: meant.word })}
        </button>
      )}
      <button type="button" class={`button${meant ? "" : " primary"}`} data-testid="failed-change" onClick={focusQuery}>
        {t("Change it")}
      </button>
    </p>
  );
}

/** What to do, with a link where it names a page of the manual. */
function Hint({ text: said }: { text: string }) {
  const page = /\/docs\/[\w/#-]+/.exec(said);
  if (!page) return <>{said}</>;
  return (
    <>
      {said.slice(0, page.index)}
      <a href={page[0].slice(1)}>{page[0]}</a>
      {said.slice(page.index + page[0].length)}
    </>
  );
}

/** The question could not be answered. */
function Failed() {
  const error = rows.value.error;
  if (!error) return null;
  const title = TITLES[error.code] ?? TITLES[error.status];
  return (
    <div class="state" data-testid="failed">
      <h2>{title === undefined ? t("The query failed") : t(title)}</h2>
      {error.code === "cancelled" ? <p>{t("The server has been told to stop.")}</p> : <p>{error.sentence}</p>}
      {error.hint && (
        <p class="hint">
          <Hint text={error.hint} />
        </p>
      )}
      {error.status === 400 ? (
        <Mend error={error} />
      ) : (
        <p>
          <button type="button" class="button primary" onClick={again}>
            {error.status === 401 ? t("Sign in") : t("Try again")}
          </button>
        </p>
      )}
    </div>
  );
}

/** The answer broke off, or a newer question has no answer: what is shown, and what is not. */
function Broken({ data }: { data: Rows }) {
  const { error, at = 0 } = rows.value;
  if (!error) return null;
  const n = count(data.kind === "events" ? data.events.length : data.table.length);
  const time = clockText(at, view.value.zone);
  const isCancelled = error.code === "cancelled";
  const what = data.isWhole
    ? isCancelled
      ? t("Cancelled at {time}. These rows are from the previous query.", { time })
      : t("The query failed at {time}: {message}. These rows are from the previous query.", {
          time,
          message: error.message,
        })
    : isCancelled
      ? t("Cancelled at {time}, after {n} rows.", { time, n })
      : t("The answer broke off at {time}, after {n} rows: {message}.", { time, n, message: error.message });
  return (
    <div class={`partial${isCancelled ? "" : " grave"}`} role="alert" data-testid="broken">
      {what}
      {error.hint && error.status !== 0 && (
        <>
          {" "}
          <Hint text={error.hint} />.
        </>
      )}
      {!data.isWhole && !isCancelled ? ` ${t("The rows received so far are below; there may be more.")}` : ""}{" "}
      <Button class="button" label={t("Try again")} onClick={again} />
    </div>
  );
}

/** Conditions of which is asked what each leaves out. */
const COUNTED_MAX = 6;
const COUNT_MS_MAX = 10_000;

/** Counts what the text's first conditions find, whatever is done with it afterwards. */
function countingText(query: string): string {
  const all = commands(query);
  const rest = all.find(
    (command) => !["", "filter", "where", "filterindex", "fields", "parse", "eval", "source"].includes(command.name),
  );
  const head = (rest ? query.slice(0, rest.start) : query).replace(/\s*\|?\s*$/, "");
  return head === "" ? "stats count(*) as n" : `${head}\n| stats count(*) as n`;
}

/** How many events there would be without each condition, one after the other; `null` until it is known, -1 where it is not. */
function useCounts(parts: readonly { without: string }[], of: View, key: string): (number | null)[] {
  const [found, setFound] = useState<(number | null)[]>([]);
  useEffect(() => {
    const stopped = new AbortController();
    setFound([]);
    void (async () => {
      for (const [at, part] of parts.slice(0, COUNTED_MAX).entries()) {
        const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(COUNT_MS_MAX)]);
        const n = await api.query(countingText(part.without), of, of.zone, signal).then(
          (answer) => Number(answer.rows[0]?.[0] ?? 0),
          () => -1,
        );
        if (stopped.signal.aborted) return;
        setFound((now) => {
          const next = [...now];
          next[at] = n;
          return next;
        });
      }
    })();
    return () => stopped.abort();
  }, [key]);
  return found;
}

/** Ranges that may reach further back than one without events. */
const WIDER = [
  [text("Last 24 hours"), "now-24h"],
  [text("Last 7 days"), "now-7d"],
  [text("All time"), "1970-01-01T00:00:00Z"],
] as const;

/** The query found nothing in the range. */
function NoMatch({ data }: { data: Rows }) {
  const of = view.value;
  const told = data.answer.warnings.find((warning) => warning.code === "newest-event")?.hint;
  const newest = told ? Date.parse(told) : NaN;
  const parts = conditions(data.query);
  const counts = useCounts(parts, of, JSON.stringify([data.query, of.from, of.to, of.groups, asked.value]));
  const now = Date.now();
  const begins = resolve(of.from, now, of.zone) ?? Infinity;
  const wider = WIDER.filter(([, from]) => (resolve(from, now, of.zone) ?? 0) < begins);
  return (
    <div class="state" data-testid="no-match">
      <h2>
        {data.query.trim() === ""
          ? t("No event in “{range}”", { range: rangeLabel(of, of.zone) })
          : t("No event matches in “{range}”", { range: rangeLabel(of, of.zone) })}
      </h2>
      {!Number.isNaN(newest) && (
        <p data-testid="newest">
          {rich("The newest event here is from {time} ({ago}).", {
            time: <b>{fullText(newest, of.zone)}</b>,
            ago: ago(newest, Date.now()),
          })}{" "}
          <button
            type="button"
            class={`button${parts.length === 0 ? " primary" : ""}`}
            data-testid="jump"
            onClick={() => zoom(newest - 3_600_000, newest + 1000)}
          >
            {t("Jump to it")}
          </button>
        </p>
      )}
      {parts.length > 0 && (
        <>
          <p>{t("Matches without one of the conditions:")}</p>
          <ul class="conditions counted">
            {parts.map((part, at) => (
              <li key={at} class={(counts[at] ?? 0) > 0 ? "found" : ""}>
                <button
                  type="button"
                  class="chip"
                  data-testid="condition"
                  onClick={() => {
                    draft.value = part.without;
                    run();
                  }}
                >
                  <code>{part.text.slice(0, 200)}</code>
                  <Icon name="close" />
                  <span class="sr-only">{t("remove")}</span>
                </button>
                {at < COUNTED_MAX && (
                  <span class="dim" data-testid="without">
                    {counts[at] === undefined || counts[at] === null
                      ? t("counting…")
                      : counts[at] < 0
                        ? t("could not be counted")
                        : plural(counts[at], "{n} event", "{n} events", count(counts[at]))}
                  </span>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
      {wider.length > 0 && (
        <p class="wider">
          {t("Look further back:")}{" "}
          {wider.map(([label, from]) => (
            <button key={from} type="button" class="link" onClick={() => go({ from, to: "now", row: "" })}>
              {t(label)}
            </button>
          ))}
        </p>
      )}
      {of.groups.length > 0 && (
        <p>
          {t("Only {groups} was searched.", { groups: of.groups.join(", ") })}{" "}
          <Button label={t("Search all groups")} onClick={() => go({ groups: [], row: "" })} />
        </p>
      )}
    </div>
  );
}
