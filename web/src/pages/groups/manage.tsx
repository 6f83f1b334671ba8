// One group: its limits, and what can be deleted of it. All of it is for administrators; others are told how to become one.

import { useRef, useState } from "preact/hooks";

import { keyWanted } from "../../api.ts";
import { setRetention, type Change, type KeptGroup, type Removal, type Retention } from "../../api/groups.ts";
import { bytes, count } from "../../format.ts";
import { useAttempt, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { Way } from "../../parts/way.tsx";
import { who } from "../../session.ts";
import { plural, rich, t } from "../../texts.ts";
import { exactText, fullText } from "../../time.ts";
import { view } from "../../view.ts";
import { Deletion } from "./deletion.tsx";
import { expected } from "./words.ts";

/** Streams that are named. */
const STREAMS = 12;

interface ManageProps {
  group: KeptGroup;
  onChange: () => void;
  onGone: () => void;
}

/** The part below a group's row. */
export function Manage({ group, onChange, onGone }: ManageProps) {
  return (
    <div class="manage" data-testid="manage-panel">
      <Facts group={group} />
      {who.value?.role === "admin" ? (
        <>
          <p>
            <Way to={{ page: "settings", tab: "suggestions", open: group.name }} data-testid="group-suggestions">
              {t("Suggestions for this group")}
            </Way>
          </p>
          <Limits group={group} onChange={onChange} />
          <Deletion group={group} onChange={onChange} onGone={onGone} />
        </>
      ) : (
        <p data-testid="not-admin">
          {rich("Only administrators can set limits and delete: {button}, or use {command} on the server.", {
            button: <Button label={t("sign in, or use the key in admin.key")} onClick={() => (keyWanted.value = "")} />,
            command: <code>catat groups</code>,
          })}
        </p>
      )}
    </div>
  );
}

function Facts({ group }: { group: KeptGroup }) {
  const {
    streams,
    forecast: { bytes_per_day: perDay, next },
  } = group;
  const zone = view.value.zone;
  return (
    <dl class="facts">
      <div>
        <dt>{t("From")}</dt>
        <dd>{group.first === null ? "–" : exactText(group.first, zone)}</dd>
      </div>
      <div>
        <dt>{t("To")}</dt>
        <dd>{group.last === null ? "–" : exactText(group.last, zone)}</dd>
      </div>
      <div>
        <dt>{t("Growth per day")}</dt>
        <dd>{perDay === null ? t("not known yet") : bytes(perDay)}</dd>
      </div>
      <div>
        <dt>{t("Expected")}</dt>
        <dd>
          {next === null ? t("nothing expires at present") : `${expected(group)} (${fullText(Date.parse(next), zone)})`}
        </dd>
      </div>
      <div>
        <dt>{plural(streams.length, "{n} stream", "{n} streams", count(streams.length))}</dt>
        <dd class="mono">
          {streams.slice(0, STREAMS).join(", ")}
          {streams.length > STREAMS && ` ${t("and {n} more", { n: count(streams.length - STREAMS) })}`}
        </dd>
      </div>
    </dl>
  );
}

/** What goes or comes back, in a sentence. */
function Moved({ removal, comes }: { removal: Removal; comes: boolean }) {
  const what = `${plural(removal.events, "{n} event", "{n} events", count(removal.events))} (${bytes(removal.bytes)})`;
  const zone = view.value.zone;
  const times =
    removal.first !== null && removal.last !== null
      ? t(", from {first} to {last}", {
          first: fullText(Date.parse(removal.first), zone),
          last: fullText(Date.parse(removal.last), zone),
        })
      : "";
  return (
    <>{comes ? t("{what} are restored{times}.", { what, times }) : t("{what} are deleted{times}.", { what, times })}</>
  );
}

/** What a change does: before it is made, or after. */
function Effect({ change, isDone }: { change: Change; isDone: boolean }) {
  const { removes, restores } = change;
  return (
    <div class={`effect${change.warnings.length > 0 ? " grave" : ""}`} role="status" data-testid="effect">
      {removes.events === 0 && restores.events === 0 && (
        <p>{isDone ? t("Saved. No events were deleted.") : t("No events would be deleted now.")}</p>
      )}
      {removes.events > 0 && (
        <p>
          <Moved removal={removes} comes={false} />{" "}
          {t("Restoring the previous limits before {time} brings them back.", {
            time: fullText(Date.parse(change.undo_until), view.value.zone),
          })}
        </p>
      )}
      {restores.events > 0 && (
        <p>
          <Moved removal={restores} comes />
        </p>
      )}
      {change.warnings.length > 0 && <p class="note error">{t("That is more than half of the group.")}</p>}
    </div>
  );
}

/** The limits: what a change would do is shown before it can be made. */
function Limits({ group, onChange }: { group: KeptGroup; onChange: () => void }) {
  const [age, setAge] = useState(group.retention.age ?? "");
  const [size, setSize] = useState(group.retention.size ?? "");
  /** What was looked at: only that is made. */
  const [preview, setPreview] = useState<{ wanted: Retention; change: Change } | null>(null);
  const [done, setDone] = useState<{ before: Retention; change: Change } | null>(null);
  const { problem, attempt } = useAttempt();
  const form = useRef<HTMLFormElement>(null);
  const wanted: Retention = { age: age.trim() || null, size: size.trim() || null };
  const isSame = wanted.age === group.retention.age && wanted.size === group.retention.size;
  const shown =
    preview !== null && preview.wanted.age === wanted.age && preview.wanted.size === wanted.size ? preview : null;
  const look = (event: Event) => {
    event.preventDefault();
    void attempt(async () => {
      setDone(null);
      setPreview({ wanted, change: await setRetention(group.name, wanted, true) });
    });
  };
  const apply = (to: Retention) =>
    attempt(async () => {
      const before = group.retention;
      setDone({ before, change: await setRetention(group.name, to, false) });
      setPreview(null);
      setAge(to.age ?? "");
      setSize(to.size ?? "");
      onChange();
      form.current?.querySelector<HTMLElement>("input")?.focus();
    });
  return (
    <section aria-label={t("Limits")}>
      <h2>{t("Limits")}</h2>
      <p class="dim">
        {t(
          "Events beyond the age or size limit are deleted automatically, oldest first. Leave a field empty to use the store’s limit.",
        )}
      </p>
      <form class="make" ref={form} data-testid="limits" onSubmit={look}>
        <label>
          {t("Age")}{" "}
          <input
            placeholder={t("such as 7d, 12h")}
            autocomplete="off"
            spellcheck={false}
            value={age}
            onInput={(event) => setAge(event.currentTarget.value)}
          />
        </label>
        <label>
          {t("Stored size")}{" "}
          <input
            placeholder={t("such as 6GiB, 500MB")}
            autocomplete="off"
            spellcheck={false}
            value={size}
            onInput={(event) => setSize(event.currentTarget.value)}
          />
        </label>
        <Button type="submit" class="button" label={t("Preview")} disabled={isSame} />
        <Wrong text={problem} />
      </form>
      {shown !== null && (
        <>
          <Effect change={shown.change} isDone={false} />
          <p class="buttons">
            <button
              type="button"
              class={`button ${shown.change.removes.events > 0 ? "danger" : "primary"}`}
              data-testid="apply-limits"
              onClick={() => void apply(shown.wanted)}
            >
              {t("Save limits")}
            </button>
          </p>
        </>
      )}
      {done !== null && (
        <>
          <Effect change={done.change} isDone />
          <p class="buttons">
            <button type="button" class="button" data-testid="undo-limits" onClick={() => void apply(done.before)}>
              {t("Restore previous limits")}
            </button>
          </p>
        </>
      )}
    </section>
  );
}
