// What fires, is about to, or has no data: with the lines' pattern, whom it was told, and what can be done about it.

import { useEffect, useRef } from "preact/hooks";

import { acknowledge, alerts, askAlerts, type Alert, type Told } from "../../api/alerts.ts";
import { count, printable } from "../../format.ts";
import { tell } from "../../parts/layers.tsx";
import { plural, rich, t } from "../../texts.ts";
import { view } from "../../view.ts";
import { told } from "../settings/parts.tsx";
import { Labels, State, Trouble, Way, When } from "./parts.tsx";

/** The part. */
export function Active() {
  const lane = alerts.value;
  const all = lane.data ?? [];
  // Those that somebody must look at come first.
  const rest = all.filter(isQuiet);
  return (
    <section aria-labelledby="active">
      <h2 id="active">{t("Active")}</h2>
      <Trouble lane={lane} again={() => void askAlerts()} />
      {lane.data !== null && all.length === 0 && <p class="calm" data-testid="no-alerts"><span class="dot state-ok" aria-hidden="true" /> {t("Nothing is firing.")}</p>}
      <ul class="cards">{[...all.filter((alert) => !isQuiet(alert)), ...rest].map((alert) => <Card key={alert.id} alert={alert} />)}</ul>
    </section>
  );
}

/** Somebody knows of it already, or does not want to. */
function isQuiet(alert: Alert): boolean {
  return alert.silenced_by.length > 0 || alert.acknowledged !== null;
}

function Card({ alert }: { alert: Alert }) {
  const card = useRef<HTMLLIElement>(null);
  const isOpen = view.value.open === alert.id;
  // A link in a message leads to this alert.
  useEffect(() => {
    if (!isOpen) return;
    card.current?.scrollIntoView({ block: "nearest" });
    card.current?.querySelector<HTMLElement>("button")?.focus();
  }, [isOpen]);
  return (
    <li class={`card${isQuiet(alert) ? " quiet" : ""}${isOpen ? " opened" : ""}`} data-testid="alert" ref={card}>
      <div class="card-head"><State state={alert.state} /><b>{printable(alert.rule)}</b><span class="dim">{rich("since {time}", { time: <When time={alert.since} /> })}</span></div>
      {Object.entries(alert.annotations).map(([name, value]) => <p key={name} lang="">{printable(value)}</p>)}
      <Evidence of={alert} />
      <p class="labels" lang=""><Labels labels={alert.labels} />
        {alert.value !== null && <span class="label">{t("value")} <b>{typeof alert.value === "string" ? printable(alert.value) : JSON.stringify(alert.value)}</b></span>}</p>
      {alert.notified.length > 0 && <p class="dim note">{alert.notified.map((one) => <Heard key={one.channel} of={one} />)}</p>}
      <Acts alert={alert} />
    </li>
  );
}

/** The pattern of its lines, unless the labels have it, where they come from, the first and the newest of them. */
function Evidence({ of: { pattern, counts, first, last, labels } }: { of: Alert }) {
  const lines = first !== null && last !== null && first["@message"] === last["@message"] && first["@timestamp"] === last["@timestamp"] ? [last] : [first, last];
  return (
    <>
      {pattern && <p class="pattern">{labels["pattern"] === undefined && <code>{printable(pattern.text)}</code>} {pattern.is_new === true && <span class="badge state-pending">{t("new")}</span>} {typeof pattern.count === "number" && <span class="dim note">{often(pattern.count, pattern.before)}</span>}</p>}
      {lines.map((line, at) => line && <p class="evidence" key={at} data-testid="evidence"><When time={line["@timestamp"]} /> <code>{printable(line["@message"] ?? "")}</code></p>)}
      {counts && <p class="labels" lang="">{counts.values.map(({ value, count: n }) => <span class="label" key={value}>{printable(counts.field)}=<b>{printable(value)}</b> × {count(n)}</span>)}</p>}
    </>
  );
}

function often(n: number, before: number | undefined): string {
  const now = plural(n, "{n} time", "{n} times", count(n));
  if (before === undefined) return now;
  return `${now}, ${before === 0 ? t("never before") : plural(before, "{n} time before", "{n} times before", count(before))}`;
}

function Heard({ of }: { of: Told }) {
  const channel = <b>{printable(of.channel)}</b>;
  return <span class="heard">{of.delivered_at === null ? rich("{channel} will be told.", { channel }) : rich("{channel} was told {time}.", { channel, time: <When time={of.delivered_at} /> })} </span>;
}

function Acts({ alert }: { alert: Alert }) {
  const known = alert.acknowledged;
  const change = async (is: boolean) => {
    try {
      await acknowledge(alert, is);
      tell(is ? t("Nobody is told again of {name}", { name: alert.rule }) : t("{name} is told of again", { name: alert.rule }));
    } catch (error) {
      tell(told(error));
    }
  };
  return (
    <div class="acts">
      {alert.state === "alarm" && (known === null
        ? <button type="button" class="button small" data-testid="acknowledge" onClick={() => void change(true)}>{t("I am on it")}</button>
        : <span class="note">{rich("{name} is on it, since {time}.", { name: <b>{printable(known.by)}</b>, time: <When time={known.at} /> })} <button type="button" class="link" onClick={() => void change(false)}>{t("Undo")}</button></span>)}
      {alert.silenced_by.length > 0
        ? <Way to={{ tab: "silences", open: "" }}>{t("silenced")}</Way>
        : <Way to={{ tab: "silences", open: alert.id }} class="button small" data-testid="silence">{t("Silence…")}</Way>}
      <Events url={alert.url} />
      <Way to={{ tab: "rule", open: alert.rule }}>{t("Rule")}</Way>
    </div>
  );
}

/** A link to the alert's events, if it leads to this page. */
function Events({ url }: { url: string }) {
  if (!URL.canParse(url)) return null;
  const { pathname, search, origin } = new URL(url);
  // The server knows itself by one address; people may reach it by another.
  const here = new URL(pathname + search, document.baseURI);
  return here.origin === location.origin && (origin === here.origin || pathname === "/") ? <a href={here.href}>{t("Show its events")}</a> : null;
}
