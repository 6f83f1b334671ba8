// Rules with their state, and the alerts that they have raised.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { list } from "../api.ts";
import { start, type Lane } from "../ask.ts";
import { printable } from "../format.ts";
import type { Json } from "../query/edit.ts";
import { rich, t } from "../texts.ts";
import { ago, exactText } from "../time.ts";
import { address, go, view } from "../view.ts";

type Item = Record<string, Json>;

const rules = signal<Lane<Item[]>>({ state: "idle", data: null, error: null, since: 0 });
const alerts = signal<Lane<Item[]>>({ state: "idle", data: null, error: null, since: 0 });
const POLL_MS = 5000;

function ask(): void {
  void start(rules, (signal) => list("api/v1/rules", "rules", signal));
  void start(alerts, (signal) => list("api/v1/alerts", "alerts", signal));
}

function text(item: Item, ...names: string[]): string {
  for (const name of names) {
    const value = item[name];
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
  }
  return "";
}

function pairs(value: Json | undefined): [string, string][] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [];
  return Object.entries(value).map(([name, one]) => [name, typeof one === "string" ? one : JSON.stringify(one)]);
}

function State({ state }: { state: string }) {
  const name = state === "" ? "unknown" : state;
  const known: Readonly<Record<string, string>> = { ok: t("ok"), pending: t("pending"), alarm: t("alarm"), insufficient_data: t("insufficient data"), off: t("off"), unknown: t("unknown") };
  return <span class={`badge state-${name}`} data-testid="state">{known[name] ?? name.replaceAll("_", " ")}</span>;
}

function When({ time }: { time: string }) {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? <span class="dim">{t("never")}</span> : <time dateTime={time} title={exactText(time, view.value.zone)}>{ago(ms, Date.now())}</time>;
}

/** The page. */
export function Alerts() {
  useEffect(() => {
    ask();
    const timer = setInterval(() => document.visibilityState === "visible" && ask(), POLL_MS);
    return () => clearInterval(timer);
  }, []);
  const active = alerts.value.data ?? [];
  return (
    <main class="page" data-testid="alerts-page">
      <h1>{t("Alerts")}</h1>
      <section aria-labelledby="active">
        <h2 id="active">{t("Active")}</h2>
        {alerts.value.state === "error" && <p class="note error" role="alert">{alerts.value.error?.message}</p>}
        {alerts.value.data !== null && active.length === 0 && <p class="calm" data-testid="no-alerts"><span class="dot state-ok" aria-hidden="true" /> {t("Nothing is firing.")}</p>}
        <ul class="cards">{active.map((alert, at) => <Alert key={text(alert, "id") || at} alert={alert} />)}</ul>
      </section>
      <section aria-labelledby="rules">
        <h2 id="rules">{t("Rules")}</h2>
        {rules.value.state === "error" && <p class="note error" role="alert">{rules.value.error?.message}</p>}
        {rules.value.data?.length === 0 && <p class="dim">{rich("There is no rule. Put one into {file}.", { file: <code>rules/*.yaml</code> })}</p>}
        {(rules.value.data?.length ?? 0) > 0 && <RuleTable />}
      </section>
    </main>
  );
}

function Alert({ alert }: { alert: Item }) {
  const labels = pairs(alert["labels"]);
  const annotations = pairs(alert["annotations"]);
  const name = text(alert, "rule", "name") || labels.find(([label]) => label === "alertname")?.[1] || t("alert");
  return (
    <li class="card" data-testid="alert">
      <div class="card-head"><State state={text(alert, "state", "status")} /><b>{printable(name)}</b>
        <span class="dim">{rich("since {time}", { time: <When time={text(alert, "since", "starts_at", "active_since")} /> })}</span></div>
      {annotations.map(([key, value]) => <p key={key}>{printable(value)}</p>)}
      <p class="labels">{labels.filter(([label]) => label !== "alertname").map(([label, value]) => <span class="label" key={label}>{printable(label)}=<b>{printable(value)}</b></span>)}
        {text(alert, "value") !== "" && <span class="label">{t("value")} <b>{text(alert, "value")}</b></span>}
        <Events url={text(alert, "url")} /></p>
    </li>
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

function RuleTable() {
  return (
    <div class="table-box flat stacked" tabIndex={0} role="region" aria-label={t("Rules")}>
      <table>
        <thead><tr><th scope="col">{t("State")}</th><th scope="col">{t("Rule")}</th><th scope="col">{t("Query")}</th><th scope="col">{t("Checked")}</th><th scope="col">{t("Why")}</th></tr></thead>
        <tbody>
          {(rules.value.data ?? []).map((rule) => (
            <tr key={text(rule, "id", "name")} data-testid="rule">
              <td><State state={rule["enabled"] === false ? "off" : text(rule, "state", "health")} /></td>
              <th scope="row">{printable(text(rule, "name"))}<div class="dim">{summary(rule)}</div></th>
              <td><Query rule={rule} /></td>
              <td><When time={text(rule, "last_evaluation", "last_evaluated", "evaluated_at")} /></td>
              <td>{printable(text(rule, "why", "reason"))}{text(rule, "last_error", "error") !== "" && <div class="note error">{printable(text(rule, "last_error", "error"))}</div>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function summary(rule: Item): string {
  const kind = text(rule, "kind");
  const parts = [kind === "threshold" ? "" : kind, text(rule, "condition"), text(rule, "window") && t("over {time}", { time: text(rule, "window") }), text(rule, "interval") && t("every {time}", { time: text(rule, "interval") })];
  return parts.filter((part) => part !== "").join(" · ");
}

/** The rule's question, as a link to its answer now. */
function Query({ rule }: { rule: Item }) {
  // What is not in the language of the page, or is put together of other rules, has no answer there.
  const query = text(rule, "query");
  if (query === "" || !["", "insights"].includes(text(rule, "language"))) return <code>{printable(query || text(rule, "when"), true)}</code>;
  const groups = Array.isArray(rule["groups"]) ? rule["groups"].filter((one): one is string => typeof one === "string" && one !== "*") : [];
  const next = { ...view.value, page: "explore" as const, query, groups, from: "now-1h", to: "now", row: "", live: false, columns: [] };
  return <a href={address(next)} onClick={(event) => { if (!event.metaKey && !event.ctrlKey) { event.preventDefault(); go(next); } }}><code>{printable(query, true)}</code></a>;
}
