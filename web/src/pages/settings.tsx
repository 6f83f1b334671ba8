// Who one is, and for administrators who else may ask and send: keys and users.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

import { ApiError, list } from "../api.ts";
import { keyWanted, start, type Lane } from "../ask.ts";
import { copy, tell } from "../parts/layers.tsx";
import type { Json } from "../query/edit.ts";
import { askWho, send, signOut, who } from "../session.ts";
import { ago, exactText } from "../time.ts";
import { view } from "../view.ts";

type Item = Record<string, Json>;

const keys = signal<Lane<Item[]>>({ state: "idle", data: null, error: null, since: 0 });
const users = signal<Lane<Item[]>>({ state: "idle", data: null, error: null, since: 0 });
/** A key that was just made: the only time that it is shown. */
const made = signal<Item | null>(null);

const askKeys = () => void start(keys, (signal) => list("api/v1/keys", "keys", signal));
const askUsers = () => void start(users, (signal) => list("api/v1/users", "users", signal));

const text = (value: Json | undefined) => (typeof value === "string" ? value : "");
const groupsOf = (item: Item) => (Array.isArray(item["groups"]) ? item["groups"].map(String).join(", ") : "");
const patterns = (typed: string) => {
  const named = typed.split(/[\s,]+/).filter((one) => one !== "");
  return named.length > 0 ? { groups: named } : {};
};
const told = (error: unknown) => (error instanceof ApiError ? [error.message, error.hint ?? ""].filter((one) => one !== "").join(": ") : "the page met a fault");

export function Settings() {
  useEffect(() => {
    void askWho();
    return () => (made.value = null);
  }, []);
  const isAdmin = who.value?.role === "admin";
  useEffect(() => {
    if (!isAdmin) return;
    askKeys();
    askUsers();
  }, [isAdmin]);
  return (
    <main class="page" data-testid="settings-page">
      <h1>Settings</h1>
      <You />
      {isAdmin ? <><Keys /><Users /></> : who.value !== undefined && <p class="dim">Keys and users are shown to administrators. On the server, <code>catat keys</code> and <code>catat users</code> do the same.</p>}
    </main>
  );
}

function You() {
  const now = who.value;
  if (now === undefined) return <p class="dim" role="status">Asking who you are…</p>;
  return (
    <section aria-label="You">
      <h2>You</h2>
      {now === null ? <p>Nobody is signed in.</p> : (
        <p>{now.name === "anonymous" ? "Nobody is signed in; this machine may" : <><strong>{now.name}</strong> may</>} <code>{now.role}</code> in {now.groups.includes("*") ? "all groups" : now.groups.join(", ")}.</p>
      )}
      <p>
        {now !== null && now.name !== "anonymous"
          ? <button type="button" class="button" data-testid="sign-out" onClick={() => void signOut()}>Sign out</button>
          : <button type="button" class="button primary" data-testid="sign-in-open" onClick={() => (keyWanted.value = true)}>Sign in</button>}
      </p>
    </section>
  );
}

/** A list that loads, fails, is empty, or has rows. */
function Listed({ lane, empty, heads, label, row }: { lane: Lane<Item[]>; empty: string; heads: readonly string[]; label: string; row: (item: Item) => ComponentChildren }) {
  if (lane.state === "error") return <p class="note error" role="alert">{lane.error?.message}</p>;
  if (lane.data === null) return <p class="dim" role="status">Loading…</p>;
  if (lane.data.length === 0) return <p class="dim">{empty}</p>;
  return (
    <div class="table-box flat" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead><tr>{heads.map((head) => <th key={head} scope="col">{head === "" ? <span class="sr-only">Action</span> : head}</th>)}</tr></thead>
        <tbody>{lane.data.map(row)}</tbody>
      </table>
    </div>
  );
}

function When({ time }: { time: Json | undefined }) {
  const at = Date.parse(text(time));
  return Number.isNaN(at) ? <span class="dim">–</span> : <time dateTime={text(time)} title={exactText(text(time), view.value.zone)}>{ago(at, Date.now())}</time>;
}

/** A button that asks once more before it does something that cannot be undone. */
function Sure({ what, name, run }: { what: string; name: string; run: () => Promise<unknown> }) {
  const [sure, setSure] = useState(false);
  const click = async () => {
    if (!sure) return setSure(true);
    setSure(false);
    try {
      await run();
    } catch (error) {
      tell(told(error));
    }
  };
  return <button type="button" class="button quiet" aria-label={`${what} ${name}${sure ? ", really" : ""}`} onBlur={() => setSure(false)} onClick={() => void click()}>{sure ? `Really ${what.toLowerCase()}?` : what}</button>;
}

function Keys() {
  const revoke = (item: Item) => async () => {
    await send("DELETE", `api/v1/keys/${encodeURIComponent(text(item["id"]))}`);
    tell(`${text(item["name"])} is revoked`);
    askKeys();
  };
  const create = async (fields: Fields) => {
    made.value = await send<Item>("POST", "api/v1/keys", { name: fields.name, role: fields.role, ...patterns(fields.groups) });
    askKeys();
  };
  return (
    <section data-testid="keys">
      <h2>Keys</h2>
      <p class="dim">For senders and programs. The first one ends access without a key, on this machine too.</p>
      <Listed lane={keys.value} empty="There are no keys yet." label="Keys" heads={["Name", "Role", "Groups", "Created", "Last used", ""]} row={(item) => (
        <tr key={text(item["id"])} data-testid="key">
          <th scope="row">{text(item["name"])}</th><td>{text(item["role"])}</td><td>{groupsOf(item)}</td>
          <td><When time={item["created"]} /></td><td><When time={item["last_used"]} /></td>
          <td><Sure what="Revoke" name={text(item["name"])} run={revoke(item)} /></td>
        </tr>
      )} />
      {made.value && (
        <div class="made" role="status" data-testid="made-key">
          <p>The key <strong>{text(made.value["name"])}</strong> is shown this once:</p>
          <code>{text(made.value["key"])}</code>
          <p><button type="button" class="button primary" onClick={() => void copy(text(made.value?.["key"]), "key")}>Copy</button> <button type="button" class="button" onClick={() => (made.value = null)}>Done</button></p>
        </div>
      )}
      <Make what="key" roles={["ingest", "read", "operate", "admin"]} create={create} />
    </section>
  );
}

function Users() {
  const remove = (item: Item) => async () => {
    await send("DELETE", `api/v1/users/${encodeURIComponent(text(item["name"]))}`);
    tell(`${text(item["name"])} is removed`);
    askUsers();
  };
  const create = async (fields: Fields) => {
    await send("POST", "api/v1/users", { name: fields.name, role: fields.role, password: fields.password, ...patterns(fields.groups) });
    askUsers();
  };
  return (
    <section data-testid="users">
      <h2>Users</h2>
      <p class="dim">People who sign in to this page with a password.</p>
      <Listed lane={users.value} empty="There are no users yet." label="Users" heads={["Name", "Role", "Groups", "Created", ""]} row={(item) => (
        <tr key={text(item["name"])} data-testid="user">
          <th scope="row">{text(item["name"])}</th><td>{text(item["role"])}</td><td>{groupsOf(item)}</td><td><When time={item["created"]} /></td>
          <td><Sure what="Remove" name={text(item["name"])} run={remove(item)} /></td>
        </tr>
      )} />
      <Make what="user" roles={["read", "operate", "admin"]} create={create} />
    </section>
  );
}

interface Fields { name: string; role: string; groups: string; password: string }

function Make({ what, roles, create }: { what: "key" | "user"; roles: readonly string[]; create: (fields: Fields) => Promise<void> }) {
  const nothing: Fields = { name: "", role: "read", groups: "", password: "" };
  const [fields, setFields] = useState(nothing);
  const [problem, setProblem] = useState("");
  const set = (name: keyof Fields) => (event: Event) => setFields({ ...fields, [name]: (event.currentTarget as HTMLInputElement).value });
  const submit = async (event: Event) => {
    event.preventDefault();
    setProblem("");
    try {
      await create(fields);
      setFields(nothing);
    } catch (error) {
      setProblem(told(error));
    }
  };
  return (
    <form class="make" data-testid={`make-${what}`} onSubmit={(event) => void submit(event)}>
      <label>Name <input required autocomplete="off" spellcheck={false} maxLength={128} value={fields.name} onInput={set("name")} /></label>
      {what === "user" && <label>Password <input required type="password" autocomplete="new-password" minLength={8} value={fields.password} onInput={set("password")} /></label>}
      <label>Role <select value={fields.role} onInput={set("role")}>{roles.map((role) => <option key={role}>{role}</option>)}</select></label>
      <label>Groups <input placeholder="all" autocomplete="off" spellcheck={false} value={fields.groups} onInput={set("groups")} /></label>
      <button type="submit" class="button">{what === "key" ? "Create key" : "Add user"}</button>
      {problem !== "" && <p class="note error" role="alert">{problem}</p>}
    </form>
  );
}
