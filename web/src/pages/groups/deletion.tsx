// What is deleted for good: events that a query chooses, with a receipt, or the whole group. Both are counted first and
// made only by whoever types the group's name.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { timeZone } from "../../api.ts";
import { deleteEvents, deleteGroup, deletions, type KeptGroup, type Order, type Receipt } from "../../api/groups.ts";
import { start, type Lane } from "../../ask.ts";
import { bytes, count, printable } from "../../format.ts";
import { useAttempt, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { plural, t } from "../../texts.ts";
import { exactText } from "../../time.ts";
import { view } from "../../view.ts";

interface DeletionProps {
  group: KeptGroup;
  onChange: () => void;
  onGone: () => void;
}

/** Both ways to delete. */
export function Deletion({ group, onChange, onGone }: DeletionProps) {
  return (
    <>
      <Events group={group} onChange={onChange} />
      <Whole group={group} onGone={onGone} />
    </>
  );
}

/** A button that waits for the name to be typed. */
function Typed({ name, what, testId, run }: { name: string; what: string; testId: string; run: () => Promise<void> }) {
  const [typed, setTyped] = useState("");
  const { problem, attempt } = useAttempt();
  const submit = (event: Event) => {
    event.preventDefault();
    return attempt(run);
  };
  return (
    <form class="make" data-testid={testId} onSubmit={(event) => void submit(event)}>
      <label>
        {t("To go on, type the group's name: {name}", { name: printable(name) })}{" "}
        <input
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="button danger" disabled={typed !== name}>
        {what}
      </button>
      <Wrong text={problem} />
    </form>
  );
}

/** Events that a query chooses. */
function Events({ group, onChange }: { group: KeptGroup; onChange: () => void }) {
  const receipts = useState(() => signal<Lane<Receipt[]>>({ state: "idle", data: null, error: null, since: 0 }))[0];
  const [query, setQuery] = useState("");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [reason, setReason] = useState("");
  const [counted, setCounted] = useState<{ order: Order; receipt: Receipt } | null>(null);
  const { problem, attempt } = useAttempt();
  const ask = () => void start(receipts, (abort) => deletions(group.name, abort));
  useEffect(ask, [group.name]);
  const range =
    from.trim() === "" ? { all_time: true } : { from: from.trim(), ...(to.trim() === "" ? {} : { to: to.trim() }) };
  const order: Order = { query, ...range, reason, time_zone: timeZone(view.value.zone) };
  const isSame = counted !== null && JSON.stringify(counted.order) === JSON.stringify(order);
  const look = (event: Event) => {
    event.preventDefault();
    return attempt(async () => {
      setCounted(null);
      setCounted({ order, receipt: await deleteEvents(group.name, { ...order, dry_run: true }) });
    });
  };
  const remove = async (counted: Order) => {
    const receipt = await deleteEvents(group.name, counted);
    tell(plural(receipt.deleted, "{n} event is deleted", "{n} events are deleted", count(receipt.deleted)));
    setCounted(null);
    ask();
    onChange();
  };
  const field = (value: string, set: (value: string) => void, placeholder = "") => (
    <input
      placeholder={placeholder}
      autocomplete="off"
      autocapitalize="none"
      spellcheck={false}
      value={value}
      onInput={(event) => set(event.currentTarget.value)}
    />
  );
  return (
    <section aria-label={t("Delete events")}>
      <h2>{t("Delete events")}</h2>
      <p class="dim">
        {t(
          "Deleted events disappear from answers at once, and from files when the receipt says so. Earlier backups still contain them.",
        )}
      </p>
      <form class="make" data-testid="delete-events" onSubmit={(event) => void look(event)}>
        <label class="long">
          {t("Query")} {field(query, setQuery, 'filter user = "ann"')}
        </label>
        <label>
          {t("From")} {field(from, setFrom, t("all time, or e.g. now-30d"))}
        </label>
        <label>
          {t("To")} {field(to, setTo, t("now"))}
        </label>
        <label>
          {t("Reason, for the receipt")} {field(reason, setReason)}
        </label>
        <Button type="submit" class="button" label={t("Count them")} disabled={query.trim() === ""} />
        <Wrong text={problem} />
      </form>
      {counted !== null && isSame && (
        <>
          <p class="effect" role="status" data-testid="counted">
            {plural(counted.receipt.matched, "{n} event matches.", "{n} events match.", count(counted.receipt.matched))}
          </p>
          {counted.receipt.matched > 0 && (
            <Typed
              name={group.name}
              testId="confirm-events"
              what={plural(
                counted.receipt.matched,
                "Delete {n} event",
                "Delete {n} events",
                count(counted.receipt.matched),
              )}
              run={() => remove(counted.order)}
            />
          )}
        </>
      )}
      <Receipts lane={receipts.value} />
    </section>
  );
}

function Receipts({ lane }: { lane: Lane<Receipt[]> }) {
  if (lane.state === "error")
    return (
      <p class="note error" role="alert">
        {lane.error?.message}
      </p>
    );
  if (lane.data === null || lane.data.length === 0) return null;
  const zone = view.value.zone;
  return (
    <ul class="receipts" data-testid="receipts" aria-label={t("Receipts")}>
      {lane.data.map((one) => (
        <li key={one.id} data-testid="receipt">
          <code>{one.id}</code> {one.created === undefined ? "" : exactText(one.created, zone)} ·{" "}
          {plural(one.deleted, "{n} event", "{n} events", count(one.deleted))}
          {one.reason !== undefined && one.reason !== "" && <> · {printable(one.reason)}</>} ·{" "}
          {one.state === "reclaimed" && one.reclaimed
            ? t("removed from all files at {time}", { time: exactText(one.reclaimed, zone) })
            : t("hidden from answers; files are being rewritten")}
        </li>
      ))}
    </ul>
  );
}

/** The whole group. */
function Whole({ group, onGone }: { group: KeptGroup; onGone: () => void }) {
  const [isSure, setSure] = useState(false);
  const remove = async () => {
    await deleteGroup(group.name);
    tell(t("{group} deleted", { group: group.name }));
    onGone();
  };
  return (
    <section aria-label={t("Delete the group")}>
      <h2>{t("Delete the group")}</h2>
      {!isSure ? (
        <p class="buttons">
          <button type="button" class="button" data-testid="delete-group" onClick={() => setSure(true)}>
            {t("Delete the group…")}
          </button>
        </p>
      ) : (
        <>
          <p class="effect grave" role="status" data-testid="group-counted">
            {t("{events} in {streams} ({bytes}) and the group’s limits are deleted. Only a backup brings them back.", {
              events: plural(group.events, "{n} event", "{n} events", count(group.events)),
              streams: plural(group.streams.length, "{n} stream", "{n} streams", count(group.streams.length)),
              bytes: bytes(group.bytes_raw),
            })}
          </p>
          <Typed name={group.name} testId="confirm-group" what={t("Delete the group")} run={remove} />
        </>
      )}
    </section>
  );
}
