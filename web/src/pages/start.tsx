// How events get here: where to send to, a key where one is needed, what to write for each sender, and what has arrived
// since one looks. Explore shows it while nothing is stored; it has an address of its own for later.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";

import { isOwn, keyWanted, type Group } from "../api.ts";
import { askGroups, groupList } from "../ask.ts";
import { count } from "../format.ts";
import { useAttempt, Wrong } from "../parts/attempt.tsx";
import { Button } from "../parts/button.tsx";
import { Snippet } from "../parts/snippet.tsx";
import { usePoll } from "../parts/use_lane.ts";
import { send, who } from "../session.ts";
import { plural, rich, t } from "../texts.ts";
import { go, run } from "../view.ts";
import { SENDERS, type To } from "./senders.ts";
import { Newest, Next } from "./start/next.tsx";

const POLL_MS = 2000;
/** Groups named beside the count. */
const NAMED = 3;

/** Whose lines are shown. */
const chosen = signal("curl");

/** The key that the lines carry: made here, or put in by hand. It goes with the page. */
interface SendersKey {
  key: string;
  access_key_id?: string;
  secret_access_key?: string;
  isMade?: boolean;
}
const senders = signal<SendersKey | null>(null);

/** Where the lines send to. */
function destination(): To {
  const url = new URL(document.baseURI);
  const path = url.pathname.replace(/\/$/, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const own = senders.value;
  // Whom the server lets in without a key needs none to send from here either.
  const isFree = own === null && who.value?.name === "anonymous";
  const given = (value: string | undefined, placeholder: string) => value ?? (isFree ? "any" : placeholder);
  return {
    origin: url.origin + path,
    explicit: `${url.protocol}//${url.hostname}:${port}${path}`,
    host: url.hostname,
    port,
    path,
    secure: url.protocol === "https:",
    key: own?.key ?? (isFree ? "" : "KEY"),
    accessKey: given(own?.access_key_id, "ACCESS_KEY_ID"),
    secretKey: given(own?.secret_access_key, "SECRET_ACCESS_KEY"),
  };
}

/** The page. */
export function Start() {
  return (
    <main class="page" data-testid="start-page">
      <Onboarding title={t("Send data")} onShow={() => undefined} />
    </main>
  );
}

/** The same where rows would stand; `onShow` is told when somebody wants to see what has arrived. */
export function Onboarding({ title, onShow }: { title?: string; onShow: () => void }) {
  usePoll(askGroups, POLL_MS);
  const to = destination();
  return (
    <div class="onboarding" data-testid="onboarding">
      <div>
        {title === undefined ? <h2 class="title">{t("No data yet")}</h2> : <h1>{title}</h1>}
        <p class="dim">{t("Choose a sender. Address and key are filled in; arriving events are counted below.")}</p>
      </div>
      <KeyBox to={to} />
      <Senders to={to} />
      <Arriving onShow={onShow} />
      {(groupList.value.data ?? []).some((group) => group.events > 0 && !isOwn(group)) && <Next />}
    </div>
  );
}

/** Whether a key is needed, and a way to one. */
function KeyBox({ to }: { to: To }) {
  const now = who.value;
  const own = senders.value;
  const isNear = /^(?:localhost|127\.|\[::1\])/.test(to.host);
  return (
    <section class="key-box" aria-label={t("Address and key")}>
      <p>
        <span class="dim">{t("Address")}</span> <code data-testid="address">{to.origin}</code>
        {isNear && (
          <span class="dim">
            {" "}
            {t("– for programs on this machine. Others need an address that the server listens on, and a key.")}
          </span>
        )}
      </p>
      {own !== null && (
        <p role="status" data-testid="key-in-use">
          {own.isMade === true
            ? t("The new key is in every line below. It is shown only on this page; copy what you need.")
            : t("Your key is in every line below.")}{" "}
          <Button label={t("Remove it")} onClick={() => (senders.value = null)} />
        </p>
      )}
      {own === null && now?.role === "admin" && <MakeKey />}
      {own === null && now !== undefined && (
        <details open={now?.name !== "anonymous" && now?.role !== "admin"}>
          <summary>
            {now?.name === "anonymous"
              ? t("This machine needs no key until the first one is created. Other machines:")
              : t("An existing key")}
          </summary>
          {now?.role !== "admin" && (
            <p>
              {rich("{button} and create a key here, or on the server: {command}", {
                button: (
                  <button type="button" class="link" data-testid="as-admin" onClick={() => (keyWanted.value = "")}>
                    {t("Sign in as an administrator")}
                  </button>
                ),
                command: <code>catat keys create --name senders --role ingest</code>,
              })}
            </p>
          )}
          <OwnKey />
        </details>
      )}
    </section>
  );
}

/** A key for senders, made by whoever may. */
function MakeKey() {
  const [groups, setGroups] = useState("");
  const { problem, attempt } = useAttempt();
  const submit = (event: Event) => {
    event.preventDefault();
    const named = groups.split(/[\s,]+/).filter((one) => one !== "");
    return attempt(async () => {
      const made = await send<SendersKey>("POST", "api/v1/keys", {
        name: "senders",
        role: "ingest",
        ...(named.length > 0 ? { groups: named } : {}),
      });
      senders.value = { ...made, isMade: true };
    });
  };
  return (
    <form
      class="make"
      data-testid="make-senders-key"
      aria-label={t("A key for senders")}
      onSubmit={(event) => void submit(event)}
    >
      <label>
        {t("Groups it may send to")}{" "}
        <input
          placeholder={t("all, or such as app/*, web/*")}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={groups}
          onInput={(event) => setGroups(event.currentTarget.value)}
        />
      </label>
      <Button type="submit" class="button primary" label={t("Create a key for senders")} />
      <p class="dim">{t("It can only send. Once a key exists, every request needs one, even on this machine.")}</p>
      <Wrong text={problem} />
    </form>
  );
}

/** A key that somebody has already: it stays in this page. */
function OwnKey() {
  const [key, setKey] = useState("");
  const take = (event: Event) => {
    event.preventDefault();
    if (key.trim() !== "") senders.value = { key: key.trim() };
  };
  return (
    <form class="make" data-testid="own-key" onSubmit={take}>
      <label>
        {t("Your key")}{" "}
        <input
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </label>
      <Button type="submit" class="button" label={t("Use it in the lines")} />
      <p class="dim">{t("It is not sent anywhere.")}</p>
    </form>
  );
}

/** The senders as tabs, and the lines of the chosen one. */
function Senders({ to }: { to: To }) {
  const list = useRef<HTMLDivElement>(null);
  const now = SENDERS.find((one) => one.id === chosen.value) ?? SENDERS[0];
  if (now === undefined) return null;
  const onKey = (event: KeyboardEvent) => {
    const at = SENDERS.indexOf(now);
    const next = {
      ArrowDown: at + 1,
      ArrowRight: at + 1,
      ArrowUp: at - 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: SENDERS.length - 1,
    }[event.key];
    const found = next === undefined ? undefined : SENDERS[(next + SENDERS.length) % SENDERS.length];
    if (found === undefined) return;
    event.preventDefault();
    chosen.value = found.id;
    list.current?.querySelector<HTMLElement>(`[data-id="${found.id}"]`)?.focus();
  };
  return (
    <div class="senders">
      <div class="sender-list" role="tablist" aria-label={t("Type of sender")} ref={list} onKeyDown={onKey}>
        {SENDERS.map((one) => (
          <button
            key={one.id}
            type="button"
            role="tab"
            id={`sender-${one.id}`}
            data-id={one.id}
            aria-selected={one === now}
            aria-controls="sender"
            tabIndex={one === now ? 0 : -1}
            onClick={() => (chosen.value = one.id)}
          >
            {one.name}
          </button>
        ))}
      </div>
      <div class="sender" role="tabpanel" id="sender" aria-labelledby={`sender-${now.id}`} data-testid="sender">
        {now.note !== "" && <p class="dim">{t(now.note)}</p>}
        {now.pieces(to).map((piece) => (
          <div key={piece.title} class="piece">
            <h3>{t(piece.title)}</h3>
            <Snippet text={piece.code} label={`${now.name}, ${t(piece.title)}`} />
          </div>
        ))}
      </div>
    </div>
  );
}

/** What has arrived since the page was opened. */
interface Arrived {
  events: number;
  groups: readonly Group[];
}

/** Groups with more events than `before`, and how many more. */
function arrived(groups: readonly Group[], before: ReadonlyMap<string, number>): Arrived {
  const grown = groups.filter((group) => group.events > (before.get(group.name) ?? 0));
  const events = grown.reduce((sum, group) => sum + group.events - (before.get(group.name) ?? 0), 0);
  return { events, groups: grown };
}

/** Shows what has arrived: the last hour, or where it is older, all of it. */
function show({ groups }: Arrived, onShow: () => void): void {
  const times = (name: "first" | "last") =>
    groups.map((group) => Date.parse(group[name] ?? "")).filter((ms) => !Number.isNaN(ms));
  const [first, last] = [Math.min(...times("first")), Math.max(...times("last"))];
  const isOld = Number.isFinite(first) && last < Date.now() - 3_600_000;
  const range = isOld
    ? { from: new Date(first).toISOString(), to: new Date(last + 1000).toISOString() }
    : { from: "now-1h", to: "now" };
  go({
    page: "explore",
    query: "",
    groups: groups.slice(0, 20).map((group) => group.name),
    columns: [],
    row: "",
    live: false,
    ...range,
  });
  run();
  onShow();
}

/** Waits for the first event, and goes on counting. */
function Arriving({ onShow }: { onShow: () => void }) {
  const lane = groupList.value;
  const before = useRef<ReadonlyMap<string, number> | null>(null);
  const [began] = useState(() => Date.now());
  const [now, setNow] = useState(began);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const groups = lane.data?.filter((group) => !isOwn(group));
  if (before.current === null && groups !== undefined)
    before.current = new Map(groups.map((group) => [group.name, group.events]));
  const what = arrived(groups ?? [], before.current ?? new Map());
  if (lane.state === "error") {
    return (
      <p class="arriving note error" role="alert">
        {lane.error?.message}. {t("Updated every two seconds.")}
      </p>
    );
  }
  if (what.events === 0) {
    const seconds = Math.round((now - began) / 1000);
    return (
      <p class="arriving" role="status" data-testid="waiting">
        <span class="pulse" aria-hidden="true" />
        {before.current !== null && [...before.current.values()].some((n) => n > 0)
          ? t("Waiting for new events…")
          : t("Waiting for the first event…")}{" "}
        <span class="dim" aria-hidden="true">
          {seconds >= 4 ? `${seconds} s` : ""}
        </span>
      </p>
    );
  }
  const names = what.groups
    .slice(0, NAMED)
    .map((group) => group.name)
    .join(", ");
  const more = what.groups.length - NAMED;
  return (
    <div class="arriving some">
      <p role="status" data-testid="received">
        <span class="pulse" aria-hidden="true" />
        <b>{plural(what.events, "Received {n} event", "Received {n} events", count(what.events))}</b>{" "}
        <span class="dim">
          {more > 0
            ? t("in {groups} and {n} more", { groups: names, n: count(more) })
            : t("in {groups}", { groups: names })}
        </span>
      </p>
      <button type="button" class="button primary" data-testid="show-received" onClick={() => show(what, onShow)}>
        {t("Show them")}
      </button>
      <Newest groups={what.groups.slice(0, 20).map((group) => group.name)} events={what.events} />
    </div>
  );
}
