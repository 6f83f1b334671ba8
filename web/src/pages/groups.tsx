// What is stored: groups with their sizes, times and limits, and what is expected of them.

import { signal } from "@preact/signals";
import { Fragment } from "preact";

import { kept, storeForecast, type KeptGroup, type StoreForecast } from "../api/groups.ts";
import { askGroups, groupList, start, type Lane } from "../ask.ts";
import { bytes, count, printable, tenths } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { Status } from "../parts/status.tsx";
import { usePoll } from "../parts/use_lane.ts";
import { plural, t, text } from "../texts.ts";
import { ago, exactText } from "../time.ts";
import { address, go, view, type View } from "../view.ts";
import { Manage } from "./groups/manage.tsx";
import { expected, inTime, limits } from "./groups/words.ts";

const POLL_MS = 5000;
const SHOWN = 500;
const sought = signal("");
const opened = signal("");
const forecast = signal<Lane<StoreForecast | null>>({ state: "idle", data: null, error: null, since: 0 });

/** A column: how it is called, by what it sorts, and whether small screens leave it out. */
interface Head {
  title: string;
  by: (group: KeptGroup) => number | string;
  numeric?: boolean;
  wide?: boolean;
}

const soon = (time: string | null) => (time === null ? Infinity : Date.parse(time));
const HEADS: readonly Head[] = [
  { title: text("Group"), by: (group) => group.name },
  { title: text("Events"), by: (group) => group.events, numeric: true },
  { title: text("Raw"), by: (group) => group.bytes_raw, numeric: true, wide: true },
  { title: text("Stored"), by: (group) => group.bytes_stored, numeric: true, wide: true },
  {
    title: text("Ratio"),
    by: (group) => (group.bytes_stored > 0 ? group.bytes_raw / group.bytes_stored : 0),
    numeric: true,
    wide: true,
  },
  { title: text("First"), by: (group) => group.first ?? "", wide: true },
  { title: text("Newest"), by: (group) => group.last ?? "" },
  { title: text("Kept"), by: (group) => soon(group.forecast.next), wide: true },
];
const order = signal<{ head: number; down: boolean }>({ head: 1, down: true });

function compare(a: KeptGroup, b: KeptGroup): number {
  const by = (HEADS[order.value.head] ?? HEADS[0])?.by;
  if (by === undefined) return 0;
  const [x, y] = [by(a), by(b)];
  return (x < y ? -1 : x > y ? 1 : a.name < b.name ? -1 : 1) * (order.value.down ? -1 : 1);
}

function ask(): void {
  askGroups();
  void start(forecast, storeForecast);
}

/** A link that stays in the page. */
export function PageLink({
  to,
  testId,
  class: kind,
  children,
}: {
  to: View;
  testId?: string;
  class?: string;
  children: preact.ComponentChildren;
}) {
  return (
    <a
      class={kind}
      data-testid={testId}
      href={address(to)}
      onClick={(event) => {
        if (!event.metaKey && !event.ctrlKey && event.button === 0) {
          event.preventDefault();
          go(to);
        }
      }}
    >
      {children}
    </a>
  );
}

/** The page. */
export function Groups() {
  usePoll(ask, POLL_MS);
  const lane = groupList.value;
  const all = lane.data?.map(kept);
  return (
    <main class="page" data-testid="groups-page">
      <div class="page-head">
        <h1>{t("Groups")}</h1>
        <PageLink class="button" testId="send-data" to={{ ...view.value, page: "start" }}>
          <Icon name="plus" />
          {t("Send data")}
        </PageLink>
      </div>
      {lane.state === "error" && (
        <p class="note error" role="alert">
          {lane.error?.message}
          {all !== undefined && ` ${t("The data below is older.")}`} <Button label={t("Try again")} onClick={ask} />
        </p>
      )}
      {all === undefined && lane.state !== "error" && (
        <Status text={t("Loading groups…")} data-testid="groups-loading" />
      )}
      {all?.length === 0 && (
        <div class="state" data-testid="no-groups">
          <h2>{t("There is no group yet")}</h2>
          <p>{t("A group is created with its first event; the sender names it.")}</p>
          <PageLink class="button primary" to={{ ...view.value, page: "start" }}>
            {t("Send data")}
          </PageLink>
        </div>
      )}
      {all !== undefined && all.length > 0 && <Found all={all} />}
    </main>
  );
}

function Found({ all }: { all: readonly KeptGroup[] }) {
  const total = (by: "events" | "bytes_raw" | "bytes_stored") => all.reduce((sum, group) => sum + group[by], 0);
  const text = sought.value.trim().toLowerCase();
  const found = all.filter((group) => group.name.toLowerCase().includes(text)).sort(compare);
  const store = forecast.value.data;
  return (
    <>
      <dl class="figures" data-testid="groups-figures">
        <div>
          <dt>{t("Groups")}</dt>
          <dd>{count(all.length)}</dd>
        </div>
        <div>
          <dt>{t("Events")}</dt>
          <dd>{count(total("events"))}</dd>
        </div>
        <div>
          <dt>{t("Raw")}</dt>
          <dd>{bytes(total("bytes_raw"))}</dd>
        </div>
        <div>
          <dt>{t("Stored")}</dt>
          <dd>{bytes(total("bytes_stored"))}</dd>
        </div>
        {store !== null && (
          <div>
            <dt>{t("Room")}</dt>
            <dd>
              {bytes(store.bytes_left)}{" "}
              <small class="dim">
                {store.full_at === null ? "" : t("full in {time}", { time: inTime(store.full_at) })}
              </small>
            </dd>
          </div>
        )}
      </dl>
      <input
        type="search"
        class="find"
        aria-label={t("Find a group")}
        placeholder={t("Find a group")}
        value={sought.value}
        onInput={(event) => (sought.value = event.currentTarget.value)}
      />
      {found.length === 0 ? <Status text={t("No group name contains this.")} /> : <GroupTable found={found} />}
    </>
  );
}

function GroupTable({ found }: { found: readonly KeptGroup[] }) {
  const { head, down } = order.value;
  const most = found.reduce((top, group) => Math.max(top, group.events), 1);
  return (
    <div class="table-box flat group-table" tabIndex={0} role="region" aria-label={t("Groups")}>
      <table>
        <thead>
          <tr>
            {HEADS.map((one, at) => (
              <th
                key={one.title}
                scope="col"
                class={`${one.numeric === true ? "numeric" : ""}${one.wide === true ? " wide" : ""}`}
                aria-sort={at === head ? (down ? "descending" : "ascending") : "none"}
              >
                <button
                  type="button"
                  onClick={() => (order.value = { head: at, down: at === head ? !down : one.numeric === true })}
                >
                  {t(one.title)}
                  <span class="sort" aria-hidden="true">
                    {at === head ? (down ? "↓" : "↑") : ""}
                  </span>
                </button>
              </th>
            ))}
            <th scope="col">
              <span class="sr-only">{t("Actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {found
            .slice(0, SHOWN)
            .map((group) =>
              group.archive === undefined ? (
                <GroupRow key={group.name} group={group} most={most} />
              ) : (
                <ArchiveRow key={group.name} group={group} />
              ),
            )}
        </tbody>
      </table>
      {found.length > SHOWN && (
        <p class="dim">
          {plural(
            found.length - SHOWN,
            "{n} more; type to find it.",
            "{n} more; type to find one.",
            count(found.length - SHOWN),
          )}
        </p>
      )}
    </div>
  );
}

/**
 * What is asked when somebody opens a group: its last hour, or where that is empty, the hour before its newest event; all of an
 * archive, whose newest event nobody knows.
 */
function eventsOf(group: KeptGroup): View {
  const last = group.last === null ? NaN : Date.parse(group.last);
  const recent = Number.isNaN(last) || Date.now() - last < 3_600_000;
  const range =
    group.archive !== undefined
      ? { from: "1970-01-01T00:00:00Z", to: "now" }
      : recent
        ? { from: "now-1h", to: "now" }
        : { from: new Date(last - 3_600_000).toISOString(), to: new Date(last + 1000).toISOString() };
  return {
    ...view.value,
    ...range,
    page: "explore",
    groups: [group.name],
    query: "",
    columns: [],
    row: "",
    live: false,
  };
}

function Time({ text }: { text: string | null }) {
  if (text === null) return <span class="dim">–</span>;
  return (
    <time dateTime={text} title={exactText(text, view.value.zone)}>
      {ago(Date.parse(text), Date.now())}
    </time>
  );
}

/** An archive: it is read where it lies, and nothing of it is kept or deleted here. */
function ArchiveRow({ group }: { group: KeptGroup }) {
  return (
    <tr data-testid="group" data-name={group.name}>
      <th scope="row">
        <PageLink to={eventsOf(group)}>{printable(group.name)}</PageLink>
      </th>
      <td colSpan={HEADS.length}>
        {t("archive")} <span class="dim">{printable(group.archive ?? "")}</span>
      </td>
    </tr>
  );
}

function GroupRow({ group, most }: { group: KeptGroup; most: number }) {
  const isOpen = opened.value === group.name;
  const { bytes_raw: raw, bytes_stored: stored } = group;
  const next = expected(group);
  return (
    <Fragment>
      <tr data-testid="group" data-name={group.name}>
        <th scope="row">
          <PageLink to={eventsOf(group)}>{printable(group.name)}</PageLink>
        </th>
        <td class="numeric">
          <span class="meter wide" aria-hidden="true">
            <span style={{ width: `${(100 * group.events) / most}%` }} />
          </span>
          <span class="table-value">{count(group.events)}</span>
        </td>
        <td class="numeric wide">{bytes(raw)}</td>
        <td class="numeric wide">
          {stored > 0 ? (
            bytes(stored)
          ) : (
            <span class="dim" title={t("Not compressed yet: still in the write-ahead log")}>
              –
            </span>
          )}
        </td>
        <td class="numeric wide">
          {stored > 0 && raw > 0 ? (
            `${raw < 10 * stored ? tenths(raw / stored) : count(Math.round(raw / stored))} : 1`
          ) : (
            <span class="dim">–</span>
          )}
        </td>
        <td class="wide">
          <Time text={group.first} />
        </td>
        <td>
          <Time text={group.last} />
        </td>
        <td class="wide">
          {limits(group.retention)}
          {next !== "" && <div class="dim">{next}</div>}
        </td>
        <td class="act">
          <button
            type="button"
            class="button small"
            aria-expanded={isOpen}
            aria-label={isOpen ? t("Close {group}", { group: group.name }) : t("Manage {group}", { group: group.name })}
            data-testid="manage"
            onClick={() => (opened.value = isOpen ? "" : group.name)}
          >
            {isOpen ? t("Close") : t("Manage")}
          </button>
        </td>
      </tr>
      {isOpen && (
        <tr class="manage-row">
          <td colSpan={HEADS.length + 1}>
            <Manage
              group={group}
              onGone={() => {
                opened.value = "";
                ask();
              }}
              onChange={ask}
            />
          </td>
        </tr>
      )}
    </Fragment>
  );
}
