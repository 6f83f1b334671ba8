// Channels: whom alerts are told, whether they are reached, and a trial of each.

import { useEffect, useRef, useState } from "preact/hooks";

import { askChannels, channels, deleteChannel, saveChannel, tryChannel, type Channel } from "../../api/alerts.ts";
import { count, printable } from "../../format.ts";
import { told, useAttempt, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { Options } from "../../parts/options.tsx";
import type { Json } from "../../query/edit.ts";
import { plural, rich, t, text } from "../../texts.ts";
import { Sure } from "../settings/parts.tsx";
import { Trouble, When } from "./parts.tsx";

interface ChannelKey {
  key: string;
  label: string;
  placeholder?: string;
  isList?: boolean;
  isNeeded?: boolean;
}

const URL_KEY: ChannelKey = { key: "url", label: text("Address"), placeholder: "https://…", isNeeded: true };

/** What each type of channel needs. */
const TYPES: readonly { type: string; title: string; keys: readonly ChannelKey[] }[] = [
  {
    type: "webhook",
    title: text("JSON, signed if a secret is given"),
    keys: [URL_KEY, { key: "secret", label: text("Secret") }],
  },
  { type: "slack", title: text("a channel in Slack, Mattermost or Discord"), keys: [URL_KEY] },
  {
    type: "email",
    title: text("mail"),
    keys: [
      { ...URL_KEY, label: text("Mail server (SMTP)"), placeholder: "smtp://user:password@host:587" },
      { key: "from", label: text("Sender"), placeholder: "catat@example.com", isNeeded: true },
      { key: "to", label: text("Recipients"), placeholder: "ops@example.com", isList: true, isNeeded: true },
    ],
  },
  {
    type: "pagerduty",
    title: text("PagerDuty incidents"),
    keys: [{ key: "routing_key", label: text("Routing key"), isNeeded: true }],
  },
  {
    type: "alertmanager",
    title: text("Prometheus’s Alertmanager"),
    keys: [{ ...URL_KEY, placeholder: "http://alertmanager:9093" }],
  },
];

/** The part. */
export function Channels() {
  const lane = channels.value;
  const [changed, setChanged] = useState<Channel | null>(null);
  return (
    <section aria-label={t("Channels")}>
      <h2 tabIndex={-1}>{t("Channels")}</h2>
      <p class="dim">
        {t("A channel receives the alerts of rules with one of its topics; without topics, all alerts.")}
      </p>
      <Trouble lane={lane} again={() => void askChannels()} />
      {lane.data?.length === 0 && <p class="dim">{t("No channels yet: alerts are only shown here.")}</p>}
      <ul class="cards">
        {lane.data?.map((one) => (
          <Card key={one.name} channel={one} onChange={() => setChanged(one)} />
        ))}
      </ul>
      <ChannelForm key={changed?.name ?? ""} channel={changed} onDone={() => setChanged(null)} />
    </section>
  );
}

function Card({ channel, onChange }: { channel: Channel; onChange: () => void }) {
  const [said, setSaid] = useState<{ delivered: boolean; error: string | null } | null>(null);
  const [busy, setBusy] = useState(false);
  const attempt = async () => {
    setBusy(true);
    setSaid(null);
    try {
      setSaid(await tryChannel(channel.name));
    } catch (error) {
      setSaid({ delivered: false, error: told(error) });
    }
    setBusy(false);
    void askChannels();
  };
  const { last_success: success, last_failure: failure, last_error: error, waiting, failing } = channel.health;
  const topics = Array.isArray(channel.settings["topics"]) ? channel.settings["topics"].map(String).join(", ") : "";
  return (
    <li class={`card${failing ? "" : " quiet"}`} data-testid="channel">
      <div class="card-head">
        <b>{printable(channel.name)}</b>
        <span class="badge">{channel.type}</span>
        <span class="dim">{printable(channel.address ?? "")}</span>
        {topics !== "" && <span class="label">{printable(topics)}</span>}
      </div>
      <p class="note">
        {success === null
          ? t("Nothing was delivered yet.")
          : rich("Last delivery {time}.", { time: <When time={success} /> })}
        {waiting > 0 && ` ${plural(waiting, "{n} message is waiting.", "{n} messages are waiting.", count(waiting))}`}
      </p>
      {failing && (
        <p class="note error">
          {rich("Delivery failed {time}: {error}", { time: <When time={failure} />, error: printable(error ?? "") })}
        </p>
      )}
      {said !== null && (
        <p class={`note${said.delivered ? "" : " error"}`} role="status" data-testid="tried">
          {said.delivered ? t("Delivered.") : t("Delivery failed: {error}", { error: printable(said.error ?? "") })}
        </p>
      )}
      <div class="acts">
        <button
          type="button"
          class="button small"
          disabled={busy}
          aria-label={t("Test {name}", { name: channel.name })}
          onClick={() => void attempt()}
        >
          {busy ? t("Sending a test…") : t("Send a test")}
        </button>
        {channel.file === "" && TYPES.some(({ type }) => type === channel.type) && (
          <button
            type="button"
            class="button small"
            aria-label={t("Edit {name}", { name: channel.name })}
            onClick={onChange}
          >
            {t("Edit")}
          </button>
        )}
        {channel.file === "" ? (
          <Sure what={t("Delete")} name={printable(channel.name)} run={() => deleteChannel(channel.name)} />
        ) : (
          <span class="dim note">{rich("defined in {file}", { file: <code>{printable(channel.file)}</code> })}</span>
        )}
      </div>
    </li>
  );
}

/** What is known of a channel as it is typed: its address and secret stay with the server. */
function typedOf({ name, settings }: Channel): Record<string, string> {
  const text = (value: Json | undefined) => (Array.isArray(value) ? value.map(String).join(", ") : String(value ?? ""));
  const known = TYPES.flatMap(({ keys }) => keys).map(({ key }) => key);
  return {
    name,
    topics: text(settings["topics"]),
    ...Object.fromEntries(known.filter((key) => settings[key] !== undefined).map((key) => [key, text(settings[key])])),
  };
}

/** What has no field in the form, and stays as it is. Of headers only the names are known: they hold secrets. */
function keptOf(channel: Channel | null): Record<string, Json> {
  const isKept = ([key, value]: [string, Json]) =>
    key !== "headers" && value !== null && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(channel?.settings ?? {}).filter(isKept));
}

/** The form of a new channel, or of one that is changed. */
function ChannelForm({ channel, onDone }: { channel: Channel | null; onDone: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const [type, setType] = useState(channel?.type ?? "webhook");
  const [typed, setTyped] = useState<Record<string, string>>(channel === null ? {} : typedOf(channel));
  useEffect(() => {
    if (channel === null) return;
    form.current?.scrollIntoView({ block: "nearest" });
    form.current?.querySelector<HTMLElement>("input:not([disabled])")?.focus();
  }, [channel]);
  const { problem, busy, attempt } = useAttempt();
  const keys = TYPES.find((one) => one.type === type)?.keys ?? [];
  const set = (key: string) => (event: Event) => {
    const { value } = event.currentTarget as HTMLInputElement;
    setTyped((now) => ({ ...now, [key]: value }));
  };
  const split = (value: string) => value.split(/[\s,]+/).filter((one) => one !== "");
  const submit = async (event: Event) => {
    event.preventDefault();
    const next: Record<string, Json> = {
      ...keptOf(channel),
      name: (typed["name"] ?? "").trim(),
      type,
      topics: split(typed["topics"] ?? ""),
    };
    for (const { key, isList } of keys) {
      const value = (typed[key] ?? "").trim();
      if (value !== "") next[key] = isList === true ? split(value) : value;
    }
    return attempt(async () => {
      await saveChannel(next, channel === null);
      tell(t("{name} now receives notifications", { name: typed["name"] ?? "" }));
      setTyped({});
      onDone();
    });
  };
  return (
    <form
      ref={form}
      class="make"
      data-testid="make-channel"
      aria-label={channel === null ? t("New channel") : t("Edit {name}", { name: channel.name })}
      onSubmit={(event) => void submit(event)}
    >
      <h3 class="whole">{channel === null ? t("New channel") : t("Edit {name}", { name: printable(channel.name) })}</h3>
      {channel !== null && (
        <p class="dim note">{t("Addresses and secrets are not shown: write them again, or they are removed.")}</p>
      )}
      <label>
        {t("Name")}{" "}
        <input
          required
          maxLength={200}
          autocomplete="off"
          disabled={channel !== null}
          value={typed["name"] ?? ""}
          onInput={set("name")}
        />
      </label>
      <label class="long">
        {t("Type")}{" "}
        <select value={type} disabled={channel !== null} onInput={(event) => setType(event.currentTarget.value)}>
          <Options of={TYPES.map((one) => [one.type, `${one.type} – ${t(one.title)}`])} />
        </select>
      </label>
      {keys.map(({ key, label, placeholder, isNeeded }) => (
        <label key={`${type} ${key}`} class="long">
          {t(label)}{" "}
          <input
            required={isNeeded === true}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            placeholder={placeholder ?? ""}
            value={typed[key] ?? ""}
            onInput={set(key)}
          />
        </label>
      ))}
      <label>
        {t("Topics")}{" "}
        <input
          placeholder={t("all, or such as ops, billing")}
          autocomplete="off"
          value={typed["topics"] ?? ""}
          onInput={set("topics")}
        />
      </label>
      <Button
        type="submit"
        class="button primary"
        label={channel === null ? t("Create channel") : t("Save channel")}
        disabled={busy}
      />
      {channel !== null && <Button class="button" label={t("Cancel")} onClick={onDone} />}
      <Wrong text={printable(problem)} />
    </form>
  );
}
