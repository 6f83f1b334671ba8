// What keys and users have in common: a list, a form for a new one, a button that asks twice.

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";

import type { Lane } from "../../ask.ts";
import { told, useAttempt, Wrong } from "../../parts/attempt.tsx";
import { tell } from "../../parts/layers.tsx";
import { Options } from "../../parts/options.tsx";
import { Status } from "../../parts/status.tsx";
import { Heads } from "../../parts/table.tsx";
import type { Json } from "../../query/edit.ts";
import { t } from "../../texts.ts";
import { ago, exactText } from "../../time.ts";
import { view } from "../../view.ts";

/** What the server lists. */
export type Item = Record<string, Json>;

/** A lane that nothing was asked in. */
export const unasked = (): Lane<Item[]> => ({ state: "idle", data: null, error: null, since: 0 });

export const text = (value: Json | undefined) => (typeof value === "string" ? value : "");

/** The groups of a key or user; all of them are `*`. */
export function Scope({ item }: { item: Item }) {
  const groups = Array.isArray(item["groups"]) ? item["groups"].map(String) : [];
  return groups.includes("*") ? (
    <span class="dim">{t("all")}</span>
  ) : (
    <>
      {groups.map((group) => (
        <code key={group} class="scope">
          {group}
        </code>
      ))}
    </>
  );
}

/** When something was, or will be. */
export function When({ time }: { time: Json | undefined }) {
  const at = Date.parse(text(time));
  return Number.isNaN(at) ? (
    <span class="dim">–</span>
  ) : (
    <time dateTime={text(time)} title={exactText(text(time), view.value.zone)}>
      {ago(at, Date.now())}
    </time>
  );
}

/** Small screens leave out the columns from this one on. */
const WIDE_FROM = 3;

interface ListedProps {
  lane: Lane<Item[]>;
  empty: string;
  /** Titles of the columns before the last one, which holds buttons. */
  heads: readonly string[];
  label: string;
  row: (item: Item) => ComponentChildren;
}

/** A list that loads, fails, is empty, or has rows. */
export function Listed({ lane, empty, heads, label, row }: ListedProps) {
  if (lane.data === null && lane.state !== "error") return <Status />;
  return (
    <>
      {lane.state === "error" && <Wrong text={lane.error?.message} />}
      {lane.data?.length === 0 && <p class="dim">{empty}</p>}
      {lane.data !== null && lane.data.length > 0 && (
        <div class="table-box flat listed" tabIndex={0} role="region" aria-label={label}>
          <table>
            <Heads
              of={[
                ...heads.map((head, at) => [head, at >= WIDE_FROM ? "wide" : ""] as const),
                [<span class="sr-only">{t("Actions")}</span>],
              ]}
            />
            <tbody>{lane.data.map(row)}</tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** A button that asks once more before it does something that cannot be undone; leaving it means no. */
export function Sure({ what, name, run }: { what: string; name: string; run: () => Promise<unknown> }) {
  const [sure, setSure] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const click = async (event: MouseEvent) => {
    // The second half of a double click answers nothing.
    if (event.detail > 1) return;
    if (!sure) return setSure(true);
    setSure(false);
    // The row goes: whoever works by keys goes on from the heading.
    const heading = button.current?.closest("section")?.querySelector<HTMLElement>("h2");
    try {
      await run();
      heading?.focus();
    } catch (error) {
      tell(told(error));
    }
  };
  return (
    <button
      type="button"
      ref={button}
      class={`button small${sure ? " danger" : ""}`}
      aria-label={sure ? t("Confirm: {what}", { what: `${what} ${name}` }) : `${what} ${name}`}
      onBlur={() => setSure(false)}
      onClick={(event) => void click(event)}
    >
      {sure ? t("Really {what}?", { what: what.toLowerCase() }) : what}
    </button>
  );
}

/** What is typed into the form for a new key or user. */
export interface Fields {
  name: string;
  role: string;
  groups: string;
  password: string;
  /** How long a key is valid; empty if it does not expire. */
  expires: string;
}

/** Patterns as they are typed; none are all groups. */
export function patterns(typed: string): { groups?: string[] } {
  const named = typed.split(/[\s,]+/).filter((one) => one !== "");
  return named.length > 0 ? { groups: named } : {};
}

/** What each role may, in one line. */
function mayDo(role: string): string {
  const known: Readonly<Record<string, string>> = {
    ingest: t("send events"),
    read: t("query"),
    operate: t("query, change lookups"),
    admin: t("everything, also keys and users"),
  };
  return known[role] ?? "";
}

/** The form for a new key or user. */
export function Make({
  kind,
  roles,
  create,
  children,
}: {
  kind: "key" | "user";
  roles: readonly string[];
  create: (fields: Fields) => Promise<void>;
  children?: ComponentChildren;
}) {
  const nothing: Fields = { name: "", role: "read", groups: "", password: "", expires: "" };
  const [fields, setFields] = useState(nothing);
  const { problem, busy, attempt } = useAttempt();
  // A browser may fill in several at once.
  const set = (name: keyof Fields) => (event: Event) => {
    const { value } = event.currentTarget as HTMLInputElement;
    setFields((now) => ({ ...now, [name]: value }));
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    return attempt(async () => {
      await create(fields);
      setFields(nothing);
    });
  };
  return (
    <form
      class="make"
      data-testid={`make-${kind}`}
      aria-label={kind === "key" ? t("New key") : t("New user")}
      onSubmit={(event) => void submit(event)}
    >
      <label>
        {t("Name")}{" "}
        <input
          required
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          maxLength={128}
          value={fields.name}
          onInput={set("name")}
        />
      </label>
      {kind === "user" && (
        <label>
          {t("Password")}{" "}
          <input
            required
            type="password"
            autocomplete="new-password"
            minLength={8}
            value={fields.password}
            onInput={set("password")}
          />
        </label>
      )}
      <label>
        {t("Role")}{" "}
        <select value={fields.role} onInput={set("role")}>
          <Options of={roles.map((role) => [role, `${role} – ${mayDo(role)}`])} />
        </select>
      </label>
      <label>
        {t("Groups")}{" "}
        <input
          placeholder={t("all, or such as app/*, web/*")}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={fields.groups}
          onInput={set("groups")}
        />
      </label>
      {kind === "key" && (
        <label>
          {t("Expires")}{" "}
          <select value={fields.expires} onInput={set("expires")}>
            <Options
              of={[
                ["", t("never")],
                ["30d", t("in {n} days", { n: 30 })],
                ["90d", t("in {n} days", { n: 90 })],
                ["365d", t("in a year")],
              ]}
            />
          </select>
        </label>
      )}
      {children}
      <button type="submit" class="button" disabled={busy}>
        {kind === "key" ? t("Create key") : t("Add user")}
      </button>
      <Wrong text={problem} />
    </form>
  );
}
