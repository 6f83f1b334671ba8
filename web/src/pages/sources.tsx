// Shippers: who is up, how far behind, and which bytes of which file never arrived.

import { signal } from "@preact/signals";
import { Fragment } from "preact";

import { json, type Notice } from "../api.ts";
import { start, type Lane } from "../ask.ts";
import { Incomplete } from "../explore/waiting.tsx";
import { bytes, count, printable } from "../format.ts";
import { Options } from "../parts/options.tsx";
import { Snippet } from "../parts/snippet.tsx";
import { Status } from "../parts/status.tsx";
import { Heads } from "../parts/table.tsx";
import { usePoll } from "../parts/use_lane.ts";
import { plural, t, text } from "../texts.ts";
import { ago, exactText } from "../time.ts";
import { address, go, view } from "../view.ts";
import { Clocks } from "./clocks.tsx";

/** A generation of a file that is not whole, or the one that it has now. */
interface Generation {
  generation: number;
  size: number | null;
  offset: number;
  lag_bytes: number;
  gaps: [number, number][];
  n_gaps: number;
  gap_bytes: number;
  complete: boolean | null;
  last_error: string | null;
}

interface File extends Generation {
  file: string;
  path: string;
  group: string;
  stream: string;
  generations: number;
  rate_bytes_per_s: number;
  earlier: Generation[];
}

interface Source {
  source: string;
  host: string;
  version: string | null;
  started: string | null;
  state: "up" | "down" | "stopped" | "unknown";
  last_seen: string;
  lag_bytes: number;
  rate_bytes_per_s: number;
  gap_bytes: number;
  last_error: string | null;
  refused: number;
  given_up: { lines: number; bytes: number };
  inputs: {
    name: string;
    lines: number;
    given_up: { lines: number; bytes: number };
    has_ended: boolean;
    last_error: string | null;
  }[];
  files: File[];
  files_left_out: number;
}

interface Sources {
  sources: Source[];
  forgotten: number | null;
  /** Why shippers may be missing: nodes of the fleet that did not answer. */
  partial_reasons: readonly Notice[];
}

const POLL_MS = 5000;
const SHOWN = 300;
const GAPS_SHOWN = 20;
const STATES = ["all", "up", "down", "stopped", "unknown"] as const;
const STATE_NAMES = {
  all: text("any state"),
  up: text("up"),
  down: text("down"),
  stopped: text("stopped"),
  unknown: text("unknown"),
} as const;
/** What a state looks like beside its name: never told by its colour alone. */
const BADGES = { up: "state-ok", down: "state-firing", stopped: "", unknown: "" } as const;

const lane = signal<Lane<Sources>>({ state: "idle", data: null, error: null, since: 0 });
/** `Date.now()` of the last answer. */
const answeredAt = signal(0);
const sought = signal("");
const state = signal<(typeof STATES)[number]>("all");
const open = signal<ReadonlySet<string>>(new Set());

function ask(): void {
  void start(lane, async (signal) => {
    const answer = await json<Sources>("api/v1/sources", { signal });
    answeredAt.value = Date.now();
    return {
      sources: answer.sources ?? [],
      forgotten: answer.forgotten ?? null,
      partial_reasons: answer.partial_reasons ?? [],
    };
  });
}

function isFound(source: Source): boolean {
  const typed = sought.value.trim().toLowerCase();
  const holds = (one: string) => one.toLowerCase().includes(typed);
  const names = () =>
    source.files.some((file) => holds(file.path) || holds(file.group)) ||
    source.inputs.some((input) => holds(input.name));
  return (
    (state.value === "all" || source.state === state.value) &&
    (typed === "" || holds(source.host) || holds(source.source) || names())
  );
}

/** The page. */
export function Sources() {
  usePoll(ask, POLL_MS);
  const { data, error } = lane.value;
  return (
    <main class="page" data-testid="sources-page">
      <h1>{t("Sources")}</h1>
      {lane.value.state === "error" && (
        <p class="note error" role="alert">
          {error?.message}
          {data !== null && ` ${t("The data below is from {ago}.", { ago: ago(answeredAt.value, Date.now()) })}`}
        </p>
      )}
      {data === null && lane.value.state === "loading" && <Status text={t("Loading shippers…")} />}
      {data !== null && data.partial_reasons.length > 0 && (
        <Incomplete what={t("This answer is incomplete.")} reasons={data.partial_reasons} />
      )}
      <Clocks />
      {data?.sources.length === 0 && <Nobody />}
      {data !== null && data.sources.length > 0 && <Found data={data} />}
    </main>
  );
}

function Nobody() {
  const origin = new URL(document.baseURI).href.replace(/\/$/, "");
  return (
    <div class="state" data-testid="no-sources">
      <h2>{t("No shipper has sent anything yet")}</h2>
      <p>{t("A shipper on each host follows its files and sends each line here once. It appears here by itself.")}</p>
      <Snippet label={t("ship files from another machine")} text={`catat ship --url ${origin} /var/log`} />
    </div>
  );
}

function Found({ data }: { data: Sources }) {
  const found = data.sources.filter(isFound);
  const n = (wanted: string) => data.sources.filter((source) => source.state === wanted).length;
  const sum = (by: "lag_bytes" | "gap_bytes") => data.sources.reduce((total, source) => total + source[by], 0);
  return (
    <>
      <dl class="figures" data-testid="sources-figures">
        <div>
          <dt>{t("Up")}</dt>
          <dd>{count(n("up"))}</dd>
        </div>
        <div>
          <dt>{t("Down")}</dt>
          <dd>{count(n("down"))}</dd>
        </div>
        <div>
          <dt>{t("Behind")}</dt>
          <dd>{bytes(sum("lag_bytes"))}</dd>
        </div>
        <div>
          <dt>{t("Never arrived")}</dt>
          <dd>{bytes(sum("gap_bytes"))}</dd>
        </div>
      </dl>
      <div class="buttons">
        <input
          type="search"
          class="find"
          aria-label={t("Find a host, a file or a group")}
          placeholder={t("Find a host, a file or a group")}
          value={sought.value}
          onInput={(event) => (sought.value = event.currentTarget.value)}
        />
        <select
          aria-label={t("State")}
          data-testid="sources-state"
          value={state.value}
          onChange={(event) => (state.value = STATES.find((one) => one === event.currentTarget.value) ?? "all")}
        >
          <Options of={STATES.map((one) => [one, t(STATE_NAMES[one])])} />
        </select>
      </div>
      {found.length === 0 ? (
        <p class="dim" role="status">
          {plural(
            data.sources.length,
            "None of {n} shipper matches.",
            "None of {n} shippers matches.",
            count(data.sources.length),
          )}
        </p>
      ) : (
        <Table found={found} />
      )}
      {(data.forgotten ?? 0) > 0 && (
        <p class="dim">{t("{n} more have not reported for 30 days.", { n: count(data.forgotten ?? 0) })}</p>
      )}
    </>
  );
}

function Table({ found }: { found: readonly Source[] }) {
  return (
    <div class="table-box flat listed" tabIndex={0} role="region" aria-label={t("Sources")}>
      <table>
        <Heads
          of={[
            [t("Host")],
            [t("State")],
            [t("Behind"), "numeric"],
            [t("Rate"), "numeric wide"],
            [t("Never arrived"), "numeric"],
            [t("Last seen"), "wide"],
            [t("Problem"), "wide"],
          ]}
        />
        <tbody>
          {found.slice(0, SHOWN).map((source) => (
            <Row key={source.source} source={source} />
          ))}
        </tbody>
      </table>
      {found.length > SHOWN && (
        <p class="dim">{t("{n} more; type to find one.", { n: count(found.length - SHOWN) })}</p>
      )}
    </div>
  );
}

function toggle(id: string): void {
  const next = new Set(open.value);
  if (!next.delete(id)) next.add(id);
  open.value = next;
}

/** Bytes, where there are some; a dash where there are none. */
function Bytes({ n, bad = false }: { n: number; bad?: boolean }) {
  if (n === 0) return <span class="dim">–</span>;
  return (
    <span class={bad ? "note error" : undefined} title={t("{n} bytes", { n: count(n) })}>
      {bytes(n)}
    </span>
  );
}

function Row({ source }: { source: Source }) {
  const isOpen = open.value.has(source.source);
  const id = `of-${source.source}`;
  const files = source.files.length + source.files_left_out;
  return (
    <Fragment>
      <tr data-testid="source">
        <th scope="row">
          <button
            type="button"
            class="link"
            aria-expanded={isOpen}
            aria-controls={id}
            data-testid="source-open"
            onClick={() => toggle(source.source)}
          >
            {printable(source.host) || t("unknown host")}
          </button>
          <div class="dim">
            {plural(files, "{n} file", "{n} files", count(files))}
            {source.inputs.length > 0 &&
              `, ${plural(source.inputs.length, "{n} input", "{n} inputs", count(source.inputs.length))}`}
          </div>
        </th>
        <td>
          <span class={`badge ${BADGES[source.state] ?? ""}`} data-testid="source-state">
            {STATE_NAMES[source.state] === undefined ? source.state : t(STATE_NAMES[source.state])}
          </span>
        </td>
        <td class="numeric">
          <Bytes n={source.lag_bytes} />
        </td>
        <td class="numeric wide">
          {source.rate_bytes_per_s === 0 ? <span class="dim">–</span> : `${bytes(source.rate_bytes_per_s)}/s`}
        </td>
        <td class="numeric">
          <Bytes n={source.gap_bytes} bad />
        </td>
        <td class="wide">
          <When time={source.last_seen} />
        </td>
        <td class="wide">
          {source.last_error !== null && <span class="note error">{printable(source.last_error)}</span>}
        </td>
      </tr>
      {isOpen && (
        <tr data-testid="source-detail">
          <td colSpan={7} id={id}>
            <Detail source={source} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

function When({ time }: { time: string | null }) {
  const ms = Date.parse(time ?? "");
  return Number.isNaN(ms) ? (
    <span class="dim">–</span>
  ) : (
    <time dateTime={time ?? ""} title={exactText(time ?? "", view.value.zone)}>
      {ago(ms, Date.now())}
    </time>
  );
}

function Detail({ source }: { source: Source }) {
  const given = source.given_up;
  return (
    <>
      <p class="labels">
        <span class="label">
          {t("id")} <b>{printable(source.source)}</b>
        </span>
        {source.version !== null && (
          <span class="label">
            {t("version")} <b>{printable(source.version)}</b>
          </span>
        )}
        {source.started !== null && (
          <span class="label">
            {t("started")}{" "}
            <b>
              <When time={source.started} />
            </b>
          </span>
        )}
        <span class="label">
          {t("last seen")}{" "}
          <b>
            <When time={source.last_seen} />
          </b>
        </span>
        {source.refused > 0 && (
          <span class="label">
            {t("refused")} <b>{count(source.refused)}</b>
          </span>
        )}
        {given.lines + given.bytes > 0 && (
          <span class="label">
            {t("abandoned")}{" "}
            <b>
              {plural(given.lines, "{n} line", "{n} lines", count(given.lines))}, {bytes(given.bytes)}
            </b>
          </span>
        )}
      </p>
      {source.last_error !== null && <p class="note error">{printable(source.last_error)}</p>}
      {source.inputs.map((input) => (
        <p key={input.name}>
          {t("Input")} <b>{printable(input.name)}</b>:{" "}
          {plural(input.lines, "{n} line", "{n} lines", count(input.lines))}
          {input.has_ended && `, ${t("has ended")}`}
          {input.given_up.lines > 0 &&
            `, ${plural(input.given_up.lines, "{n} line abandoned", "{n} lines abandoned", count(input.given_up.lines))}`}
          {input.last_error !== null && <span class="note error"> {printable(input.last_error)}</span>}
        </p>
      ))}
      {source.files.length > 0 && <Files files={source.files} />}
      {source.files_left_out > 0 && (
        <p class="dim">
          {plural(
            source.files_left_out,
            "{n} more file; those with problems come first.",
            "{n} more files; those with problems come first.",
            count(source.files_left_out),
          )}
        </p>
      )}
    </>
  );
}

function Files({ files }: { files: readonly File[] }) {
  return (
    <table data-testid="source-files">
      <Heads of={[[t("File")], [t("Size"), "numeric wide"], [t("Behind"), "numeric"], [t("Here")]]} />
      <tbody>
        {files.map((file) => (
          <tr key={file.file} data-testid="source-file">
            <th scope="row">
              {printable(file.path) || <span class="dim">{printable(file.stream) || file.file}</span>}
              <div>
                <GroupLink group={file.group} />
              </div>
            </th>
            <td class="numeric wide">{file.size === null ? <span class="dim">–</span> : <Bytes n={file.size} />}</td>
            <td class="numeric">
              <Bytes n={file.lag_bytes} />
            </td>
            <td>
              <Whole of={file} />
              {file.earlier.map((one) => (
                <div key={one.generation}>
                  {t("Before it was replaced:")} <Whole of={one} />
                </div>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function GroupLink({ group }: { group: string }) {
  const next = {
    ...view.value,
    page: "explore" as const,
    groups: [group],
    query: "",
    from: "now-1h",
    to: "now",
    columns: [],
    row: "",
    live: false,
  };
  return (
    <a
      href={address(next)}
      onClick={(event) => {
        if (!event.metaKey && !event.ctrlKey) {
          event.preventDefault();
          go(next);
        }
      }}
    >
      {printable(group)}
    </a>
  );
}

/** What of a generation is here, in words. */
function Whole({ of }: { of: Generation }) {
  const shown = of.gaps.slice(0, GAPS_SHOWN);
  return (
    <span data-testid="whole">
      {of.n_gaps > 0 ? (
        <span class="note error">
          {t("✗ never arrived: {what}", {
            what: shown
              .map(([from, to]) =>
                t("bytes {from}–{to} ({size})", { from: count(from), to: count(to), size: bytes(to - from) }),
              )
              .join(", "),
          })}
          {of.n_gaps > shown.length && ` ${t("and {n} more", { n: count(of.n_gaps - shown.length) })}`}
        </span>
      ) : of.complete === true ? (
        <span>{t("✓ complete")}</span>
      ) : of.complete === null ? (
        <span class="dim">{t("no gap")}</span>
      ) : (
        <span>{t("on its way")}</span>
      )}
      {of.last_error !== null && <span class="note error"> {printable(of.last_error)}</span>}
    </span>
  );
}
