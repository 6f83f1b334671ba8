// Users: people who sign in. Made, given another password, removed.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { list } from "../../api.ts";
import { start } from "../../ask.ts";
import { Dialog, tell } from "../../parts/layers.tsx";
import { send, who } from "../../session.ts";
import { Listed, Make, patterns, Scope, Sure, text, unasked, When, type Fields } from "./parts.tsx";
import { PasswordForm } from "./password.tsx";

const users = signal(unasked());
/** Whose password is being set. */
const chosen = signal("");

const ask = () => void start(users, (signal) => list("api/v1/users", "users", signal));

async function create(fields: Fields): Promise<void> {
  await send("POST", "api/v1/users", { name: fields.name, role: fields.role, password: fields.password, ...patterns(fields.groups) });
  tell(`${fields.name} may sign in`);
  ask();
}

async function remove(name: string): Promise<void> {
  await send("DELETE", `api/v1/users/${encodeURIComponent(name)}`);
  tell(`${name} is removed`);
  ask();
}

/** The section. */
export function Users() {
  useEffect(ask, []);
  const isSelf = (name: string) => who.value?.user === true && who.value.name === name;
  return (
    <section data-testid="users" aria-labelledby="users">
      <h2 id="users" tabIndex={-1}>Users</h2>
      <p class="dim">People who sign in to this page with a password.</p>
      <Listed lane={users.value} empty="There are no users yet." label="List of users" heads={["Name", "Role", "Groups", "Created"]} row={(item) => {
        const name = text(item["name"]);
        return (
          <tr key={name} data-testid="user">
            <th scope="row">{name}{isSelf(name) && <span class="dim"> (you)</span>}</th><td>{text(item["role"])}</td><td><Scope item={item} /></td><td class="wide"><When time={item["created"]} /></td>
            <td class="act">
              {!isSelf(name) && <button type="button" class="button small" aria-label={`Set password of ${name}`} onClick={() => (chosen.value = name)}>Set password</button>}
              <Sure what="Remove" name={name} run={() => remove(name)} />
            </td>
          </tr>
        );
      }} />
      <Make what="user" roles={["read", "operate", "admin"]} create={create} />
      <Dialog open={chosen.value !== ""} onClose={() => (chosen.value = "")} label={`Password of ${chosen.value}`}>
        <h2>Password of {chosen.value}</h2>
        <p class="dim">Whoever is signed in as {chosen.value} is signed out.</p>
        <PasswordForm name={chosen.value} isOwn={false} onDone={() => (chosen.value = "")} />
      </Dialog>
    </section>
  );
}
