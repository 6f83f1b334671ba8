// One incident: its times, its timeline, and what is added to it.

import { useState } from "preact/hooks";

import { request } from "../../api.ts";
import {
  addItem,
  changeIncident,
  deleteIncident,
  removeItem,
  saveFile,
  type Incident,
  type IncidentItem,
  type ItemKind,
  type NewItem,
} from "../../api/issues.ts";
import { oneLine, printable } from "../../format.ts";
import { told } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { Options } from "../../parts/options.tsx";
import { Way } from "../../parts/way.tsx";
import { language, rich, t } from "../../texts.ts";
import { fullText } from "../../time.ts";
import { go, view } from "../../view.ts";
import { When } from "../alerts/parts.tsx";
import { Sure } from "../settings/parts.tsx";
import { durationText, incidentState, itemKind, timelineOf, type Moment } from "./words.ts";

interface Props {
  incident: Incident;
  onChange: (next: Incident) => void;
  again: () => void;
}

/** Everything about it. */
export function IncidentPage({ incident, onChange, again }: Props) {
  const save = async (work: () => Promise<Incident>) => {
    try {
      onChange(await work());
    } catch (error) {
      tell(told(error));
      // Somebody else changed it in between: their version is shown.
      again();
    }
  };
  const export_ = () =>
    void saveFile(
      `api/v1/incidents/${encodeURIComponent(incident.id)}/post-mortem?lang=${language.peek()}`,
      `incident-${incident.id}.md`,
      request,
    ).catch((error: unknown) => tell(told(error)));
  return (
    <>
      <div class="page-head">
        <h1 lang="">{printable(incident.title)}</h1>
        <span class={`badge incident-${incident.state}`}>{incidentState(incident.state)}</span>
        <Button class="button" label={t("Post-mortem (Markdown)")} data-testid="post-mortem" onClick={export_} />
      </div>
      <p class="dim">
        {incident.services.length > 0 && <b lang="">{printable(incident.services.join(", "))} </b>}
        {rich("made by {name} {time}", {
          name: printable(incident.created_by),
          time: <When time={incident.created} />,
        })}
      </p>
      {incident.summary !== "" && <p lang="">{printable(incident.summary, true)}</p>}
      <Times incident={incident} save={save} />
      <section aria-labelledby="timeline">
        <h2 id="timeline" tabIndex={-1}>
          {t("Timeline")}
        </h2>
        <Timeline incident={incident} save={save} />
        <Add incident={incident} save={save} />
      </section>
      <section>
        <div class="buttons">
          <Sure
            what={t("Delete")}
            name={printable(incident.title)}
            run={async () => {
              await deleteIncident(incident.id);
              go({ open: "" });
            }}
          />
        </div>
      </section>
    </>
  );
}

type Save = (work: () => Promise<Incident>) => Promise<void>;

/** When it began, was detected, mitigated, remediated, and how long that took. */
function Times({ incident, save }: { incident: Incident; save: Save }) {
  const moments = [
    { name: "began" as const, title: t("Began"), after: null },
    { name: "detected" as const, title: t("Detected"), after: incident.ttd_ms },
    { name: "mitigated" as const, title: t("Mitigated"), after: incident.ttm_ms },
    { name: "remediated" as const, title: t("Remediated"), after: incident.ttr_ms },
  ];
  return (
    <dl class="figures incident-times" data-testid="incident-times">
      {moments.map(({ name, title, after }) => (
        <div key={name}>
          <dt>{title}</dt>
          <dd>
            <span>
              {after === null ? (incident[name] === null ? "–" : "") : t("after {time}", { time: durationText(after) })}
            </span>
            <MomentField key={incident[name] ?? ""} incident={incident} name={name} title={title} save={save} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function MomentField({
  incident,
  name,
  title,
  save,
}: {
  incident: Incident;
  name: Moment["moment"];
  title: string;
  save: Save;
}) {
  const at = Date.parse(incident[name] ?? "");
  const shown = Number.isNaN(at) ? "" : fullText(at, view.value.zone);
  const [typed, setTyped] = useState(shown);
  const submit = (event: Event) => {
    event.preventDefault();
    const text = typed.trim();
    if (text === shown) return;
    void save(async () => {
      const value = text === "" ? null : await instantOf(text);
      return changeIncident(incident.id, { [name]: value, version: incident.version });
    });
  };
  return (
    <form class="moment-form" onSubmit={submit}>
      <input
        aria-label={t("{moment}: time", { moment: title })}
        placeholder="now-5m"
        autocomplete="off"
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      {typed.trim() !== shown && <Button type="submit" class="button small" label={t("Set")} />}
      {shown === "" && typed === "" && (
        <button
          type="button"
          class="button small"
          data-testid={`now-${name}`}
          onClick={() =>
            void save(() =>
              changeIncident(incident.id, { [name]: new Date().toISOString(), version: incident.version }),
            )
          }
        >
          {t("Now")}
        </button>
      )}
    </form>
  );
}

/** The instant that a text means: the server reads relative times itself, the page's own spelling needs its zone. */
async function instantOf(text: string): Promise<string> {
  if (/^now|T.*(?:Z|[+-]\d\d:?\d\d)$/.test(text)) return text;
  const { readRange } = await import("../../api/time.ts");
  return (await readRange(text, view.peek().zone, new AbortController().signal)).from_time;
}

function Timeline({ incident, save }: { incident: Incident; save: Save }) {
  const all = timelineOf(incident);
  const zone = view.value.zone;
  if (all.length === 0) return <p class="dim">{t("Nothing was recorded yet.")}</p>;
  const names = { began: t("Began"), detected: t("Detected"), mitigated: t("Mitigated"), remediated: t("Remediated") };
  return (
    <ol class="timeline" data-testid="timeline">
      {all.map((one) =>
        "moment" in one ? (
          <li key={one.moment} data-testid="moment">
            <time class="number dim">{fullText(Date.parse(one.at), zone)}</time>
            <span class="moment">{names[one.moment]}</span>
          </li>
        ) : (
          <li key={one.id} data-testid="timeline-item" data-kind={one.kind}>
            <time class="number dim">{fullText(Date.parse(one.at), zone)}</time>
            <span class="badge">{itemKind(one.kind)}</span>
            <span class="what" lang="">
              <What item={one} /> <span class="dim">{printable(one.by)}</span>
            </span>
            <button
              type="button"
              class="link"
              aria-label={t("Remove {text} from the timeline", { text: oneLine(one.text, 60) })}
              onClick={() => void save(() => removeItem(incident.id, one.id))}
            >
              {t("Remove")}
            </button>
          </li>
        ),
      )}
    </ol>
  );
}

/** What an entry says, with the way to it. */
function What({ item }: { item: IncidentItem }) {
  const shown = printable(item.text, true) || item.reference || "";
  if (item.kind === "issue" && item.reference !== null)
    return <Way to={{ page: "issues", tab: "all", open: item.reference, find: "" }}>{shown}</Way>;
  if (item.kind === "trace" && item.reference !== null)
    return <Way to={{ page: "trace", trace: item.reference, span: "", open: "" }}>{shown}</Way>;
  if (item.kind === "event" && item.reference !== null)
    return <Way to={{ page: "explore", around: item.reference, open: "", panel: "rows" }}>{shown}</Way>;
  if (item.kind === "query" && item.query !== null) {
    const at = Date.parse(item.at);
    const range = { from: new Date(at).toISOString(), to: item.until ?? new Date(at + 3_600_000).toISOString() };
    const groups = item.groups === null || item.groups === "" ? [] : item.groups.split(",");
    return (
      <Way to={{ page: "explore", panel: "rows", row: "", open: "", query: item.query, groups, ...range }}>
        {shown || item.query}
      </Way>
    );
  }
  if (item.kind === "alert" && item.reference !== null)
    return <Way to={{ page: "first-look", open: item.reference }}>{shown}</Way>;
  return <>{shown}</>;
}

/** Kinds that are added by hand. */
const ADDED: readonly ItemKind[] = ["note", "event", "query", "issue", "trace", "alert"];

function Add({ incident, save }: { incident: Incident; save: Save }) {
  const [kind, setKind] = useState<ItemKind>("note");
  const [text, setText] = useState("");
  const [at, setAt] = useState("now");
  const submit = (event: Event) => {
    event.preventDefault();
    const written = text.trim();
    void save(async () => {
      const item: NewItem =
        kind === "note"
          ? { kind, text: written }
          : kind === "query"
            ? { kind, query: written, text: written }
            : { kind, reference: written };
      // The server knows the times of events, alerts and issues.
      const isOwnTime = kind === "note" || kind === "query" || kind === "trace";
      const next = await addItem(incident.id, isOwnTime ? { ...item, at: await instantOf(at.trim() || "now") } : item);
      setText("");
      return next;
    });
  };
  const labels: Readonly<Record<ItemKind, string>> = {
    note: t("Note"),
    query: t("Query"),
    event: t("Id of the event (@id)"),
    issue: t("Id of the issue"),
    trace: t("Trace id"),
    alert: t("Id of the alert"),
    mark: t("Text"),
  };
  return (
    <form class="make" data-testid="timeline-add" onSubmit={submit}>
      <label>
        {t("Add")}
        <select value={kind} onChange={(event) => setKind(event.currentTarget.value as ItemKind)}>
          <Options of={ADDED.map((one) => [one, itemKind(one)])} />
        </select>
      </label>
      <label class="long">
        {labels[kind]}
        <textarea
          required
          rows={kind === "note" ? 2 : 1}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {(kind === "note" || kind === "query" || kind === "trace") && (
        <label>
          {t("Time")}
          <input autocomplete="off" value={at} onInput={(event) => setAt(event.currentTarget.value)} />
        </label>
      )}
      <Button type="submit" class="button" label={t("Add to the timeline")} />
    </form>
  );
}
