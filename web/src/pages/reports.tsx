// A dashboard, or the ledger, by e-mail: when it is sent and to whom, what became of the last letter, and a form for another time.

import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { timeZone } from "../api.ts";
import {
  askMailTopics,
  askReports,
  deleteReport,
  putReport,
  sendReport,
  type Delivery,
  type Report,
} from "../api/reports.ts";
import { start, type Lane } from "../ask.ts";
import { oneLine } from "../format.ts";
import { told, Wrong } from "../parts/attempt.tsx";
import { Button } from "../parts/button.tsx";
import { tell } from "../parts/layers.tsx";
import { Options } from "../parts/options.tsx";
import { language, t, text } from "../texts.ts";
import { fullText } from "../time.ts";
import { view } from "../view.ts";
import { Sure } from "./settings/parts.tsx";

/** The days that the form offers, by what they are called. */
const DAYS: readonly { on: string; name: string }[] = [
  { on: "day", name: text("Every day") },
  { on: "weekday", name: text("Monday to Friday") },
  { on: "monday", name: text("Every Monday") },
  { on: "tuesday", name: text("Every Tuesday") },
  { on: "wednesday", name: text("Every Wednesday") },
  { on: "thursday", name: text("Every Thursday") },
  { on: "friday", name: text("Every Friday") },
  { on: "saturday", name: text("Every Saturday") },
  { on: "sunday", name: text("Every Sunday") },
  { on: "1", name: text("On the first of each month") },
];

const STATES: Readonly<Record<string, string>> = {
  delivered: text("delivered"),
  waiting: text("waiting"),
  failed: text("failed"),
};

interface Known {
  /** Those of everything else, too: their names are taken. */
  reports: Report[];
  topics: string[];
}

function daysOf(on: string): string {
  const known = DAYS.find((one) => one.on === on);
  return known ? t(known.name) : t("On day {n} of each month", { n: on });
}

/** What is sent: a dashboard, or the ledger with objectives. */
type Subject = { dashboard: string } | { dashboard: null; objective: string };

/** Reports of a dashboard or of the ledger, and a form. */
export function Reports({ of, onDone }: { of: Subject; onDone: () => void }) {
  const { dashboard } = of;
  const lane = useSignal<Lane<Known>>({ state: "loading", data: null, error: null, since: 0 });
  const load = () =>
    start(lane, async (signal) => ({ reports: await askReports(signal), topics: await askMailTopics(signal) }));
  useEffect(() => void load(), [dashboard]);
  const { data, error, state } = lane.value;
  const own = (data?.reports ?? []).filter((report) =>
    dashboard === null ? report.ledger : report.dashboard === dashboard,
  );
  return (
    <div class="key-form" data-testid="reports">
      <h2>{t("Send by e-mail")}</h2>
      {state === "error" && <Wrong text={error?.message} />}
      {data === null && state === "loading" && <p role="status">{t("Loading…")}</p>}
      {data && own.length === 0 && <p class="dim">{t("It is not sent yet.")}</p>}
      {own.length > 0 && (
        <ul class="short-list">
          {own.map((report) => (
            <ReportLine key={report.name} report={report} onChange={load} />
          ))}
        </ul>
      )}
      {data && <ReportForm of={of} known={data} onMade={load} />}
      <p class="buttons">
        <Button class="button" label={t("Close")} onClick={onDone} />
      </p>
    </div>
  );
}

function ReportLine({ report, onChange }: { report: Report; onChange: () => Promise<void> }) {
  const when = t("{days} at {time} ({zone})", { days: daysOf(report.on), time: report.at, zone: report.zone });
  const sendNow = async () => {
    try {
      await sendReport(report.name);
      tell(t("The letter is on its way"));
    } catch (error) {
      tell(told(error));
    }
    await onChange();
  };
  const next = Date.parse(report.next);
  return (
    <li data-testid="report-line">
      <b>{when}</b>{" "}
      <span class="dim">
        {t("topic {topic}", { topic: oneLine(report.topic, 60) })}
        {Number.isNaN(next) ? "" : ` · ${t("next: {time}", { time: fullText(next, view.value.zone) })}`}
      </span>
      {report.channels.length === 0 && <p class="note">{t("No channel of type email names this topic.")}</p>}
      {report.problem !== "" && (
        <p class="note error">
          {t("The letter could not be made: {message}", { message: oneLine(report.problem, 300) })}
        </p>
      )}
      {report.deliveries.map((delivery) => (
        <Delivered key={delivery.channel} delivery={delivery} due={report.lastDue} />
      ))}
      {report.own && (
        <p class="buttons">
          <Button class="button small" label={t("Send now")} onClick={() => void sendNow()} />
          <Sure
            what={t("Stop sending")}
            name={when}
            run={async () => {
              await deleteReport(report.name);
              await onChange();
            }}
          />
        </p>
      )}
    </li>
  );
}

function Delivered({ delivery: { channel, state, error }, due }: { delivery: Delivery; due: string }) {
  const time = fullText(Date.parse(due), view.value.zone);
  const said = t(STATES[state] ?? state);
  return (
    <p class={`note${state === "failed" ? " error" : ""}`}>
      {t("Letter of {time}, {channel}: {state}", { time, channel: oneLine(channel, 60), state: said })}
      {error === "" ? "" : ` – ${oneLine(error, 300)}`}
    </p>
  );
}

/** Returns a name that no report has. */
function freeName(subject: string, taken: readonly string[]): string {
  const base = subject.replaceAll(/[^A-Za-z0-9_-]+/g, "-").slice(0, 80) || "dashboard";
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? base : `${base}-${n}`;
    if (!taken.includes(name)) return name;
  }
}

interface FormOf {
  of: Subject;
  known: Known;
  onMade: () => Promise<void>;
}

function ReportForm({ of, known, onMade }: FormOf) {
  const on = useSignal(of.dashboard === null ? "1" : "weekday");
  const at = useSignal("07:00");
  const topic = useSignal(known.topics[0] ?? "");
  const problem = useSignal("");
  if (known.topics.length === 0)
    return (
      <p class="note">
        {t("To send it, add a channel of type email that names a topic.")}{" "}
        <a href="docs/alerts#channels">{t("How channels are made")}</a>
      </p>
    );
  const zone = timeZone(view.value.zone);
  const submit = async (event: Event) => {
    event.preventDefault();
    problem.value = "";
    const subject =
      of.dashboard === null
        ? { ledger: true, objective: of.objective }
        : { dashboard: of.dashboard, variables: view.peek().board.chosen };
    const sent = { ...subject, on: on.value, at: at.value, time_zone: zone, topic: topic.value };
    try {
      const taken = known.reports.map((report) => report.name);
      await putReport(freeName(of.dashboard ?? "ledger", taken), { ...sent, lang: language.peek() });
      tell(t("It will be sent"));
      await onMade();
    } catch (error) {
      problem.value = told(error);
    }
  };
  return (
    <form class="key-form" onSubmit={(event) => void submit(event)} data-testid="report-form">
      <label>
        {t("Days")}{" "}
        <select value={on.value} onChange={(event) => (on.value = event.currentTarget.value)}>
          <Options of={DAYS.map((one) => [one.on, t(one.name)])} />
        </select>
      </label>
      <label>
        {t("Time ({zone})", { zone })}{" "}
        <input type="time" required value={at.value} onInput={(event) => (at.value = event.currentTarget.value)} />
      </label>
      <Topics topic={topic} topics={known.topics} />
      <p class="dim">
        {of.dashboard === null
          ? t("The letter has the ledger of the month before as a file, for this objective: {text}", {
              text: oneLine(of.objective, 100),
            })
          : t("The letter has the dashboard as a file, with its own range and what is chosen now.")}
      </p>
      <Wrong text={problem.value} />
      <p class="buttons">
        <Button type="submit" class="button primary" label={t("Send at this time")} />
      </p>
    </form>
  );
}

function Topics({ topic, topics }: { topic: Signal<string>; topics: readonly string[] }) {
  return (
    <label>
      {t("Topic of the channels")}{" "}
      <select value={topic.value} onChange={(event) => (topic.value = event.currentTarget.value)}>
        <Options of={topics.map((one) => [one, oneLine(one, 60)])} />
      </select>
    </label>
  );
}
