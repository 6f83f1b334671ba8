// What an event says of a failure: type and message, the program's own frames first, causes, and where it leads.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { askException, type EventException, type Exception, type Frame } from "../api/context.ts";
import { count, oneLine, printable } from "../format.ts";
import { copy } from "../parts/layers.tsx";
import { useLane } from "../parts/use_lane.ts";
import { Way } from "../parts/way.tsx";
import { plural, t } from "../texts.ts";
import { fold, linesBefore, placeOf, relation } from "./exception.ts";
import { RichText } from "./rich_text.tsx";

/** Characters of a message and of a name that are shown at first. */
const MESSAGE_CHARS = 600;
const NAME_CHARS = 240;

interface Options {
  id: string;
  instead?: ComponentChildren;
  /** Whether it is shown on the page of its issue. */
  isOnIssue?: boolean;
}

/** The exceptions of an event; `instead` is shown where it has none. */
export function ExceptionOf({ id, instead = null, isOnIssue = false }: Options) {
  const { lane } = useLane((signal) => askException(id, signal), [id]);
  const found = lane.value.data;
  return found === null || found.exceptions.length === 0 ? (
    <>{instead}</>
  ) : (
    <Shown found={isOnIssue ? { ...found, issue: null } : found} />
  );
}

function Shown({ found }: { found: EventException }) {
  const before = linesBefore(found);
  const runtime = [found.runtime, found.runtime_version].filter(Boolean).join(" ");
  return (
    <section class="exception" aria-label={t("Exception")} data-testid="exception">
      {found.exceptions.map((one, at) => (
        <Cause key={at} one={one} relation={relation(found.exceptions, at)} />
      ))}
      {(found.thread !== null || runtime !== "") && (
        <p class="dim labels">
          {found.thread !== null && <span>{t("thread {name}", { name: oneLine(found.thread, NAME_CHARS) })}</span>}
          {runtime !== "" && <span lang="">{oneLine(runtime, NAME_CHARS)}</span>}
        </p>
      )}
      <p class="buttons">
        {found.issue !== null && (
          <Way
            class="button small"
            data-testid="exception-issue"
            to={{ page: "issues", tab: "all", open: found.issue, find: "" }}
          >
            {t("Open its issue")}
          </Way>
        )}
        {before !== null && (
          <Way class="button small" data-testid="exception-before" to={before}>
            {t("All lines of this program in the minute before")}
          </Way>
        )}
        <button
          type="button"
          class="button small"
          data-testid="exception-copy"
          onClick={() => void copy(found.text, t("Stack trace"))}
        >
          {t("Copy as text")}
        </button>
      </p>
    </section>
  );
}

function Cause({ one, relation: how }: { one: Exception; relation: ReturnType<typeof relation> }) {
  return (
    <div class="cause" data-testid="cause">
      <p lang="">
        {how !== "" && (
          <span class="dim">
            {how === "cause" ? t("caused by") : t("exception {n} of the group", { n: count(one.member ?? 0) })}{" "}
          </span>
        )}
        <b>{one.type === "" ? t("error") : oneLine(one.type, NAME_CHARS)}</b>
        {one.message !== "" && (
          <span class="message">
            {": "}
            <RichText text={one.message} limit={MESSAGE_CHARS} />
          </span>
        )}
      </p>
      <Frames one={one} />
    </div>
  );
}

function Frames({ one }: { one: Exception }) {
  const [open, setOpen] = useState(false);
  const { shown, hidden } = fold(one);
  if (one.frames.length === 0) return null;
  return (
    <>
      <ol class="trace-frames mono" lang="" data-testid="trace-frames">
        {(open ? one.frames : shown).map((frame, at) => (
          <FrameLine key={at} frame={frame} />
        ))}
      </ol>
      {hidden.length > 0 && (
        <button
          type="button"
          class="frames"
          aria-expanded={open}
          data-testid="other-frames"
          onClick={() => setOpen(!open)}
        >
          {hidden.some((frame) => frame.own)
            ? t("{n} more frames", { n: count(hidden.length) })
            : plural(
                hidden.length,
                "{n} frame of the runtime and libraries",
                "{n} frames of the runtime and libraries",
                count(hidden.length),
              )}
        </button>
      )}
    </>
  );
}

function FrameLine({ frame }: { frame: Frame }) {
  const place = printable(placeOf(frame));
  return (
    <li class={frame.own ? "" : "library"}>
      {frame.function === "" ? place : oneLine(frame.function, NAME_CHARS)}
      {frame.function !== "" && place !== "" && <span class="dim"> {place}</span>}
    </li>
  );
}
