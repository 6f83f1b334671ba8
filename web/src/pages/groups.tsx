// What is stored: groups with their sizes and times.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import type { Group } from "../api.ts";
import { askGroups, groupList } from "../ask.ts";
import { bytes, count } from "../format.ts";
import { Icon } from "../parts/icons.tsx";
import { later } from "../parts/later.tsx";
import { t } from "../texts.ts";
import { ago, exactText } from "../time.ts";
import { address, go, view } from "../view.ts";

const Onboarding = later(async () => (await import("./start.tsx")).Onboarding);

const POLL_MS = 5000;
const SHOWN = 500;
const sought = signal("");
const order = signal<{ by: keyof Group; down: boolean }>({ by: "events", down: true });

const HEADS: readonly { by: keyof Group; title: string; numeric: boolean }[] = [
  { by: "name", title: "Group", numeric: false }, { by: "events", title: "Events", numeric: true }, { by: "bytes_raw", title: "Raw", numeric: true },
  { by: "bytes_stored", title: "Stored", numeric: true }, { by: "streams", title: "Streams", numeric: true }, { by: "first", title: "First", numeric: false },
  { by: "last", title: "Newest", numeric: false },
];

function compare(a: Group, b: Group): number {
  const { by, down } = order.value;
  const [x, y] = by === "streams" ? [a.streams.length, b.streams.length] : [a[by] ?? "", b[by] ?? ""];
  return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
}

/** The page. */
export function Groups() {
  useEffect(() => {
    askGroups();
    const timer = setInterval(() => document.visibilityState === "visible" && askGroups(), POLL_MS);
    return () => clearInterval(timer);
  }, []);
  const all = groupList.value.data;
  const found = (all ?? []).filter((group) => group.name.toLowerCase().includes(sought.value.trim().toLowerCase())).sort(compare);
  const total = (by: "events" | "bytes_raw" | "bytes_stored") => (all ?? []).reduce((sum, group) => sum + group[by], 0);
  return (
    <main class="page" data-testid="groups-page">
      <div class="page-head">
        <h1>{t("Groups")}</h1>
        <a class="button" data-testid="send-data" href={address({ ...view.value, page: "start" })} onClick={(event) => { if (!event.metaKey && !event.ctrlKey) { event.preventDefault(); go({ page: "start" }); } }}><Icon name="plus" />{t("Send data")}</a>
      </div>
      {groupList.value.state === "error" && <p class="note error" role="alert">{groupList.value.error?.message}</p>}
      {all?.length === 0 && <Onboarding onShow={() => undefined} />}
      {all && all.length > 0 && (
        <>
          <dl class="figures">
            <div><dt>Groups</dt><dd>{count(all.length)}</dd></div>
            <div><dt>Events</dt><dd>{count(total("events"))}</dd></div>
            <div><dt>Raw</dt><dd>{bytes(total("bytes_raw"))}</dd></div>
            <div><dt>Stored</dt><dd>{bytes(total("bytes_stored"))}</dd></div>
          </dl>
          <input type="search" class="find" aria-label="Find a group" placeholder="Find a group" value={sought.value} onInput={(event) => (sought.value = event.currentTarget.value)} />
          <GroupTable found={found} />
        </>
      )}
    </main>
  );
}

function GroupTable({ found }: { found: readonly Group[] }) {
  const { by, down } = order.value;
  const most = found.reduce((top, group) => Math.max(top, group.events), 1);
  return (
    <div class="table-box flat" tabIndex={0} role="region" aria-label="Groups">
      <table>
        <thead>
          <tr>{HEADS.map((head) => (
            <th key={head.by} scope="col" class={head.numeric ? "numeric" : ""} aria-sort={by === head.by ? (down ? "descending" : "ascending") : "none"}>
              <button type="button" onClick={() => (order.value = { by: head.by, down: by === head.by ? !down : head.numeric })}>{head.title}<span class="sort" aria-hidden="true">{by === head.by ? (down ? "↓" : "↑") : ""}</span></button>
            </th>
          ))}</tr>
        </thead>
        <tbody>{found.slice(0, SHOWN).map((group) => <GroupRow key={group.name} group={group} most={most} />)}</tbody>
      </table>
      {found.length > SHOWN && <p class="dim">{count(found.length - SHOWN)} more; type to find one.</p>}
    </div>
  );
}

function GroupRow({ group, most }: { group: Group; most: number }) {
  const last = group.last === null ? NaN : Date.parse(group.last);
  const recent = Number.isNaN(last) || Date.now() - last < 3_600_000;
  const range = recent ? { from: "now-1h", to: "now" } : { from: new Date(last - 3_600_000).toISOString(), to: new Date(last + 1000).toISOString() };
  const next = { ...view.value, ...range, page: "explore" as const, groups: [group.name], query: "", columns: [], row: "", live: false };
  const time = (text: string | null) => (text === null ? <span class="dim">–</span> : <time dateTime={text} title={exactText(text, view.value.zone)}>{ago(Date.parse(text), Date.now())}</time>);
  return (
    <tr data-testid="group">
      <th scope="row"><a href={address(next)} onClick={(event) => { if (!event.metaKey && !event.ctrlKey) { event.preventDefault(); go(next); } }}>{group.name}</a></th>
      <td class="numeric"><span class="meter" aria-hidden="true"><span style={{ width: `${(100 * group.events) / most}%` }} /></span><span class="table-value">{count(group.events)}</span></td>
      <td class="numeric">{bytes(group.bytes_raw)}</td>
      <td class="numeric">{bytes(group.bytes_stored)}</td>
      <td class="numeric" title={group.streams.slice(0, 20).join("\n")}>{count(group.streams.length)}</td>
      <td>{time(group.first)}</td>
      <td>{time(group.last)}</td>
    </tr>
  );
}
