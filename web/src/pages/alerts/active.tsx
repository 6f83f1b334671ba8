// What fires, is about to, or has no data: with the lines' pattern, whom it was told, and what can be done about it.

import { useEffect, useRef } from "preact/hooks";

import { acknowledge, alerts, askAlerts, type Alert, type Pattern, type Told } from "../../api/alerts.ts";
import { patternText } from "../../explore/panel_parts.tsx";
import { count, oneLine, printable } from "../../format.ts";
import { told } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { Way } from "../../parts/way.tsx";
import { plural, rich, t } from "../../texts.ts";
import { view } from "../../view.ts";
import { clustersOf, failuresOf, type Cluster } from "./clusters.ts";
import { Labels, lengthText, State, Trouble, When } from "./parts.tsx";

/** The part. */
export function Active() {
  const lane = alerts.value;
  const all = lane.data ?? [];
  // Those that somebody must look at come first.
  const rest = failuresOf(all.filter(isQuiet));
  const failures = failuresOf(all.filter((alert) => !isQuiet(alert)));
  return (
    <section aria-labelledby="active">
      <h2 id="active">{t("Active")}</h2>
      <Trouble lane={lane} again={() => void askAlerts()} />
      {lane.data !== null && all.length === 0 && (
        <p class="calm" data-testid="no-alerts">
          <span class="dot state-ok" aria-hidden="true" /> {t("Nothing is firing.")}
        </p>
      )}
      {clustersOf(failures.map(([one]) => one)).map((cluster) => (
        <Together key={cluster.alerts[0]?.id} cluster={cluster} failures={failures} />
      ))}
      {rest.length > 0 && (
        <ul class="cards">
          {rest.map(([one, ...others]) => (
            <Card key={one.id} alert={one} others={others} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** Failures that began together; a head of their own from the second one on. */
function Together({
  cluster: { since, alerts: all },
  failures,
}: {
  cluster: Cluster;
  failures: readonly (readonly [Alert, ...Alert[]])[];
}) {
  const [first] = all;
  return (
    <div class="together" data-testid="together">
      {all.length > 1 && first && (
        <p class="together-head">
          <b>{plural(all.length, "{n} alert began together", "{n} alerts began together", count(all.length))}</b>{" "}
          <span class="dim">{rich("since {time}", { time: <When time={since} /> })}</span>{" "}
          <Way to={{ page: "first-look", open: first.id }}>{t("First look")}</Way>
        </p>
      )}
      <ul class="cards">
        {all.map((one) => (
          <Card key={one.id} alert={one} others={failures.find(([first]) => first === one)?.slice(1) ?? []} />
        ))}
      </ul>
    </div>
  );
}

/** Somebody knows of it already, or does not want to. */
function isQuiet(alert: Alert): boolean {
  return alert.silenced_by.length > 0 || alert.acknowledged !== null;
}

/** An alert, and the others of the same failure, which are opened one by one. */
function Card({ alert, others = [] }: { alert: Alert; others?: readonly Alert[] }) {
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
      <div class="card-head">
        <State state={alert.state} />
        <b>{titleOf(alert)}</b>
        {titleOf(alert) !== alert.rule && <span class="dim">{printable(alert.rule)}</span>}
        <span class="dim">{rich("since {time}", { time: <When time={alert.since} /> })}</span>
        {alert.began && (
          <span class="dim">{rich("its events since {time}", { time: <When time={alert.began} /> })}</span>
        )}
      </div>
      {Object.entries(alert.annotations).map(([name, value]) => (
        <p key={name} lang="">
          {annotationText(value, alert.labels["pattern"])}
        </p>
      ))}
      <Evidence of={alert} />
      <p class="labels" lang="">
        <Labels labels={alert.labels} />
        {alert.quiet_since !== null ? (
          <span class="label" data-testid="quiet">
            {rich("condition not met since {time}", { time: <When time={alert.quiet_since} /> })}
          </span>
        ) : alert.value !== null && alert.state !== "insufficient_data" ? (
          <span class="label">
            {alert.window === undefined ? t("value") : t("last {window}", { window: lengthText(alert.window) })}{" "}
            <b>{typeof alert.value === "string" ? printable(alert.value) : JSON.stringify(alert.value)}</b>
          </span>
        ) : null}
      </p>
      {alert.notified.length > 0 && (
        <p class="dim note">
          {alert.notified.map((one) => (
            <Heard key={one.channel} of={one} />
          ))}
        </p>
      )}
      <Acts alert={alert} others={others} />
      {others.length > 0 && (
        <details class="same-failure" data-testid="same-failure" open={others.some(({ id }) => id === view.value.open)}>
          <summary>
            {plural(
              others.length,
              "{n} more alert of the same failure",
              "{n} more alerts of the same failure",
              count(others.length),
            )}
            : <span lang="">{printable([...new Set(others.map(placeOf))].join(", "))}</span>
          </summary>
          <ul class="cards">
            {others.map((other) => (
              <Card key={other.id} alert={other} />
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

/** Where an alert is: its group, or the rule that it is of. */
function placeOf({ labels, rule }: Alert): string {
  return labels["@log"] ?? labels["service"] ?? rule;
}

/** A text for people, without the pattern that the title says by a line of it. */
function annotationText(text: string, pattern = ""): string {
  const rest = pattern === "" ? text : text.replaceAll(pattern, "").replace(/[:\s]+$/, "");
  return patternText(printable(rest));
}

/** Longest title of a card. */
const TITLE_CHARS_MAX = 240;

/** What it is about: the newest line of its pattern, whose values say what the pattern leaves out; else its rule. */
function titleOf(alert: Alert): string {
  const pattern = alert.labels["pattern"];
  if (pattern === undefined) return printable(alert.rule);
  return oneLine(alert.last?.["@message"] ?? patternText(pattern), TITLE_CHARS_MAX);
}

/** The pattern of its lines, unless the labels have it, where they come from, the first and the newest of them. */
function Evidence({ of }: { of: Alert }) {
  const { pattern, counts, first, last, labels } = of;
  const title = titleOf(of);
  const both =
    first !== null &&
    last !== null &&
    first["@message"] === last["@message"] &&
    first["@timestamp"] === last["@timestamp"]
      ? [last]
      : [first, last];
  const lines = both.filter((line) => line !== null && oneLine(line["@message"] ?? "", TITLE_CHARS_MAX) !== title);
  return (
    <>
      {pattern && (
        <p class="pattern">
          {labels["pattern"] === undefined && <code>{patternText(printable(pattern.text))}</code>}{" "}
          {pattern.is_new === true && <span class="badge state-pending">{t("new")}</span>}{" "}
          {typeof pattern.count === "number" && (
            <span class="dim note" data-testid="often">
              {often(pattern.count, pattern)}
            </span>
          )}
        </p>
      )}
      {lines.map(
        (line, at) =>
          line && (
            <p class="evidence" key={at} data-testid="evidence">
              <When time={line["@timestamp"]} /> <code>{printable(line["@message"] ?? "")}</code>
            </p>
          ),
      )}
      {counts && (
        <p class="labels" lang="">
          {counts.values.map(({ value, count: n }) => (
            <span class="label" key={value}>
              {printable(counts.field)}=<b>{printable(value)}</b> × {count(n)}
            </span>
          ))}
        </p>
      )}
    </>
  );
}

/** How often it came in the window in which it began, and in the time before that. */
function often(n: number, { before, window, baseline }: Pattern): string {
  const times = plural(n, "{n} time", "{n} times", count(n));
  const now =
    window === undefined
      ? t("{times} when it began", { times })
      : t("{times} in {window} when it began", { times, window: lengthText(window) });
  if (before === undefined || before === null) return now;
  if (before === 0) return `${now}, ${t("never before")}`;
  const earlier = plural(before, "{n} time", "{n} times", count(before));
  return `${now}, ${baseline === undefined ? t("{times} before", { times: earlier }) : t("{times} in the {baseline} before", { times: earlier, baseline: lengthText(baseline) })}`;
}

function Heard({ of }: { of: Told }) {
  const channel = <b>{printable(of.channel)}</b>;
  return (
    <span class="heard">
      {of.delivered_at === null
        ? rich("{channel} will be notified.", { channel })
        : rich("{channel} was notified {time}.", { channel, time: <When time={of.delivered_at} /> })}{" "}
    </span>
  );
}

/** What can be done about an alert; taking it on takes on the others of its failure. */
function Acts({ alert, others }: { alert: Alert; others: readonly Alert[] }) {
  const known = alert.acknowledged;
  const change = async (is: boolean) => {
    try {
      for (const one of [alert, ...others]) await acknowledge(one, is);
      tell(
        is
          ? t("No further notifications for {name}", { name: alert.rule })
          : t("Notifications for {name} resumed", { name: alert.rule }),
      );
    } catch (error) {
      tell(told(error));
    }
  };
  return (
    <div class="acts">
      {alert.state === "alarm" &&
        (known === null ? (
          <button type="button" class="button small" data-testid="acknowledge" onClick={() => void change(true)}>
            {t("I am on it")}
          </button>
        ) : (
          <span class="note">
            {rich("{name} is on it, since {time}.", {
              name: <b>{printable(known.by)}</b>,
              time: <When time={known.at} />,
            })}{" "}
            <Button label={t("Undo")} onClick={() => void change(false)} />
          </span>
        ))}
      {alert.silenced_by.length > 0 ? (
        <Way to={{ tab: "silences", open: "" }}>{t("silenced")}</Way>
      ) : (
        <Way to={{ tab: "silences", open: alert.id }} class="button small" data-testid="silence">
          {t("Silence…")}
        </Way>
      )}
      <Way to={{ page: "first-look", open: alert.id }} class="button small" data-testid="first-look-link">
        {t("First look")}
      </Way>
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
  const isShown = ["/", "/traces"].includes(pathname);
  return here.origin === location.origin && (origin === here.origin || isShown) ? (
    <a href={here.href}>{t("Show its events")}</a>
  ) : null;
}
