// Keys: made, replaced and revoked. A key is shown once, in the answer that makes it.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { json } from "../../api.ts";
import { start } from "../../ask.ts";
import { printable } from "../../format.ts";
import { copy, tell } from "../../parts/layers.tsx";
import { send } from "../../session.ts";
import { rich, t } from "../../texts.ts";
import { anonymous, grace, GracePeriod, GraceQuestion, isGraceAsked, type Anonymous } from "./anonymous.tsx";
import { Listed, Make, patterns, Scope, Sure, text, unasked, When, type Fields, type Item } from "./parts.tsx";

const keys = signal(unasked());
/** A key that was just made, the only time that it is shown. */
const made = signal<{ key: Item; replaces: string } | null>(null);

const ask = () =>
  void start(keys, async (signal) => {
    const answer = await json<{ keys: Item[]; anonymous: Anonymous }>("api/v1/keys", { signal });
    anonymous.value = answer.anonymous;
    return answer.keys;
  });
const path = (item: Item) => `api/v1/keys/${encodeURIComponent(text(item["id"]))}`;

async function create(fields: Fields): Promise<void> {
  const order = {
    name: fields.name,
    role: fields.role,
    ...patterns(fields.groups),
    ...(fields.expires !== "" && { expires: fields.expires }),
    ...(isGraceAsked() && { anonymous_grace: grace.value }),
  };
  made.value = { key: await send<Item>("POST", "api/v1/keys", order), replaces: "" };
  ask();
}

async function replace(item: Item): Promise<void> {
  made.value = { key: await send<Item>("POST", `${path(item)}/rotate`, {}), replaces: text(item["id"]) };
  ask();
}

async function revoke(item: Item): Promise<void> {
  await send("DELETE", path(item));
  tell(t("{name} revoked", { name: text(item["name"]) }));
  ask();
}

/** The section. */
export function Keys() {
  useEffect(() => {
    ask();
    return () => (made.value = null);
  }, []);
  return (
    <section data-testid="keys" aria-labelledby="keys">
      <h2 id="keys" tabIndex={-1}>
        {t("API keys")}
      </h2>
      {/* The first key shuts out all who send without one: that is no small print. */}
      <p class={keys.value.data?.length === 0 ? "note warning" : "dim"}>
        {t(
          "For senders and programs. Once a key exists, every request needs a key or a password, even on this machine.",
        )}
      </p>
      <Listed
        lane={keys.value}
        empty={t("There are no keys yet.")}
        label={t("List of keys")}
        heads={[t("Name"), t("Role"), t("Groups"), t("Created"), t("Last used"), t("Expires")]}
        row={(item) => (
          <tr key={text(item["id"])} data-testid="key">
            <th scope="row">{printable(text(item["name"]))}</th>
            <td>{text(item["role"])}</td>
            <td>
              <Scope item={item} />
            </td>
            <td class="wide">
              <When time={item["created"]} />
            </td>
            <td class="wide">
              <When time={item["last_used"]} />
            </td>
            <td class="wide">
              <When time={item["expires"]} />
              {item["state"] === "expired" && <span class="badge state-alarm">{t("expired")}</span>}
              {item["state"] === "expiring" && <span class="badge state-firing">{t("soon")}</span>}
            </td>
            <td class="act">
              {(item["state"] === "valid" || item["state"] === "expiring") && (
                <Sure what={t("Replace")} name={printable(text(item["name"]))} run={() => replace(item)} />
              )}
              <Sure what={t("Revoke")} name={printable(text(item["name"]))} run={() => revoke(item)} />
            </td>
          </tr>
        )}
      />
      {made.value && <Made />}
      <GracePeriod ask={ask} />
      <Make kind="key" roles={["ingest", "read", "operate", "admin"]} create={create}>
        <GraceQuestion />
      </Make>
    </section>
  );
}

/** The new key, to be copied. */
function Made() {
  const box = useRef<HTMLDivElement>(null);
  const { key, replaces } = made.value ?? { key: {}, replaces: "" };
  useEffect(() => box.current?.focus(), [key]);
  const old = replaces === "" ? undefined : keys.value.data?.find((item) => text(item["id"]) === replaces);
  return (
    <div class="made" ref={box} tabIndex={-1} role="group" aria-label={t("The new key")} data-testid="made-key">
      <p>
        {rich("The key {name} is shown only once. Copy it now.", {
          name: <strong>{printable(text(key["name"]))}</strong>,
        })}
      </p>
      <p>
        <code data-testid="key-text">{text(key["key"])}</code>
      </p>
      {replaces !== "" && (
        <p>
          {old
            ? rich("The old key still works and ends {time}, so that programs can be changed one by one.", {
                time: <When time={old["expires"]} />,
              })
            : t("The old key works for another day, so that programs can be changed one by one.")}
        </p>
      )}
      {text(key["access_key_id"]) !== "" && (
        <details>
          <summary>{t("For programs that sign their requests, such as CloudWatch’s")}</summary>
          <p>
            {t("Access key id")} <code>{text(key["access_key_id"])}</code>
          </p>
          <p>
            {t("Secret access key")} <code>{text(key["secret_access_key"])}</code>
          </p>
        </details>
      )}
      <p class="buttons">
        <button
          type="button"
          class="button primary"
          data-testid="copy-key"
          onClick={() => void copy(text(key["key"]), t("Key"))}
        >
          {t("Copy")}
        </button>
        <button
          type="button"
          class="button"
          data-testid="key-done"
          onClick={() => {
            made.value = null;
            document.getElementById("keys")?.focus();
          }}
        >
          {t("Done")}
        </button>
      </p>
    </div>
  );
}
