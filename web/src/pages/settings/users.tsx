// Users: people who sign in. Made, given another password, removed.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { list } from "../../api.ts";
import { start } from "../../ask.ts";
import { Dialog, tell } from "../../parts/layers.tsx";
import { send, who } from "../../session.ts";
import { t } from "../../texts.ts";
import { Listed, Make, patterns, Scope, Sure, text, unasked, When, type Fields } from "./parts.tsx";
import { PasswordForm } from "./password.tsx";

const users = signal(unasked());
/** Whose password is being set. */
const chosen = signal("");

const ask = () => void start(users, (signal) => list("api/v1/users", "users", signal));

async function create(fields: Fields): Promise<void> {
  await send("POST", "api/v1/users", {
    name: fields.name,
    role: fields.role,
    password: fields.password,
    ...patterns(fields.groups),
  });
  tell(t("{name} can sign in now", { name: fields.name }));
  ask();
}

async function remove(name: string): Promise<void> {
  await send("DELETE", `api/v1/users/${encodeURIComponent(name)}`);
  tell(t("{name} removed", { name }));
  ask();
}

/** Whether a user signs in with an account at a provider, and has no password. */
const isOfProvider = (item: Record<string, unknown>) => item["sign_in"] === "provider";

/** The section. */
export function Users() {
  useEffect(ask, []);
  const isSelf = (name: string) => who.value?.user === true && who.value.name === name;
  return (
    <section data-testid="users" aria-labelledby="users">
      <h2 id="users" tabIndex={-1}>
        {t("Users")}
      </h2>
      <p class="dim">{t("People who sign in to this page.")}</p>
      <Listed
        lane={users.value}
        empty={t("There are no users yet.")}
        label={t("List of users")}
        heads={[t("Name"), t("Role"), t("Groups"), t("Created")]}
        row={(item) => {
          const name = text(item["name"]);
          return (
            <tr key={name} data-testid="user">
              <th scope="row">
                {name}
                {isSelf(name) && <span class="dim"> {t("(you)")}</span>}
                {isOfProvider(item) && <span class="dim"> {t("(provider)")}</span>}
              </th>
              <td>{text(item["role"])}</td>
              <td>
                <Scope item={item} />
              </td>
              <td class="wide">
                <When time={item["created"]} />
              </td>
              <td class="act">
                {!isSelf(name) && !isOfProvider(item) && (
                  <button
                    type="button"
                    class="button small"
                    aria-label={t("Set password of {name}", { name })}
                    onClick={() => (chosen.value = name)}
                  >
                    {t("Set password")}
                  </button>
                )}
                <Sure what={t("Remove")} name={name} run={() => remove(name)} />
              </td>
            </tr>
          );
        }}
      />
      <Make kind="user" roles={["read", "operate", "admin"]} create={create} />
      <Dialog
        open={chosen.value !== ""}
        onClose={() => (chosen.value = "")}
        label={t("Password of {name}", { name: chosen.value })}
      >
        <h2>{t("Password of {name}", { name: chosen.value })}</h2>
        <p class="dim">{t("All sessions of {name} end.", { name: chosen.value })}</p>
        <PasswordForm name={chosen.value} isOwn={false} onDone={() => (chosen.value = "")} />
      </Dialog>
    </section>
  );
}
