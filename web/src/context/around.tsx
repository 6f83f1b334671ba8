// What happened around an event: the lines before and after it, in its stream, its group, on its host, or everywhere.
// It lies above the rows that one came from; they keep their place under it.

import { batch, computed } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import type { Column } from "../api.ts";
import { stop } from "../ask.ts";
import type { ListProps } from "../explore/row_list.tsx";
import { count, cut, printable } from "../format.ts";
import { openFind } from "../find.ts";
import { contextKeys, cursor, filtered } from "../keys.ts";
import { Button } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { tell } from "../parts/layers.tsx";
import type { EventRow } from "../rows.ts";
import { soughtTexts } from "../query/lex.ts";
import { plural, t, text } from "../texts.ts";
import { clockText, dateText, exactText, fullText, zoneText } from "../time.ts";
import { go, view } from "../view.ts";
import { askAround, grow, growing, hasRoom, lines, NOTHING, type Lines, type Origin } from "./ask.ts";
import { msOfId, nsOf, offsetText, readScope, writeScope, type AroundScope, type Bond } from "./scope.ts";

/** The column with distances in time from the event. No field is called so. */
const OFFSET = "±";

/** Time after the last key before a filter is asked about. */
const TYPED_MS = 250;

const scope = computed(() => readScope(view.value.around));
const filter = computed(() => scope.value.filter);

function change(next: Partial<AroundScope>): void {
  go({ around: writeScope({ ...scope.peek(), ...next }) }, true);
}

/** The list of rows: it is the shell's, so this part is given it. */
type List = ComponentType<ListProps>;

/** The part of the page, while an event is chosen. */
export function Around({ List }: { List: List }) {
  return view.value.around === "" ? null : <AroundView List={List} />;
}

/** Goes back when the question above changes: then nobody is looking at this event any more. */
function useLeaving(): () => void {
  const of = view.value;
  const asked = JSON.stringify([of.query, of.from, of.to, of.groups, of.live, of.panel]);
  const first = useRef({ asked, row: view.peek().row, cursor: cursor.peek() });
  const leave = () => go({ around: "", row: first.current.row }, true);
  useEffect(() => {
    if (asked !== first.current.asked) go({ around: "" }, true);
  }, [asked]);
  useEffect(
    () => () => {
      const { cursor: before } = first.current;
      cursor.value = before;
      // Where one came from: the same row has the focus again, once the rows can have it.
      requestAnimationFrame(() =>
        document
          .querySelector<HTMLElement>(`[data-testid=row][data-id="${CSS.escape(before)}"]`)
          ?.focus({ preventScroll: true }),
      );
    },
    [],
  );
  return leave;
}

function AroundView({ List }: { List: List }) {
  const of = scope.value;
  const { columns, zone } = view.value;
  const leave = useLeaving();
  const asked = JSON.stringify([of, columns, zone]);
  useEffect(() => askAround(of, columns, zone), [asked]);
  useEffect(
    () => () => {
      stop(lines);
      lines.value = NOTHING;
    },
    [],
  );
  const lane = lines.value;
  const data = lane.data?.scope.id === of.id ? lane.data : null;
  useKeysHere(leave);
  const root = useRef<HTMLElement>(null);
  useEffect(() => root.current?.focus({ preventScroll: true }), []);
  return (
    <section
      class="around"
      ref={root}
      tabIndex={-1}
      aria-label={t("Around an event")}
      data-testid="around-view"
      aria-busy={lane.state === "loading"}
    >
      <Head of={of} origin={data?.origin ?? null} leave={leave} />
      <div class="around-tools" role="search">
        <FilterBox />
        <button
          type="button"
          class="button small"
          data-testid="around-find"
          title={t("Find in these lines (f)")}
          onClick={() => void openFind()}
        >
          <Icon name="search" />
          {t("Find")}
        </button>
        <span class="dim" role="status" data-testid="around-count">
          {data ? plural(data.events.length, "{n} line", "{n} lines", count(data.events.length)) : ""}
        </span>
      </div>
      {lane.state === "error" && data && (
        <p class="note error around-note" role="alert" data-testid="around-error">
          {printable(lane.error?.withHint(" – ") ?? "")}
        </p>
      )}
      {data && data.partial.length > 0 && (
        <p class="partial" role="alert">
          {t("Not everything could be read:")} {data.partial.map((reason) => printable(reason.message)).join(" ")}
        </p>
      )}
      {lane.state === "error" && !data && <NotThere of={of} leave={leave} retry={() => askAround(of, columns, zone)} />}
      {!data && lane.state !== "error" && (
        <div class="skeleton" aria-hidden="true">
          {Array.from({ length: 14 }, (_, n) => (
            <div key={n} style={{ width: `${94 - ((n * 41) % 52)}%` }} />
          ))}
        </div>
      )}
      {data && <Shown List={List} data={data} stale={lane.state === "loading"} />}
    </section>
  );
}

function Head({ of, origin, leave }: { of: AroundScope; origin: Origin | null; leave: () => void }) {
  const zone = view.value.zone;
  const ms = msOfId(of.id) ?? (origin && !Number.isNaN(Date.parse(origin.time)) ? Date.parse(origin.time) : null);
  const all = of.bonds.length === 0;
  return (
    <header class="around-head">
      <button
        type="button"
        class="button small"
        data-testid="around-back"
        title={t("Back to the rows (Esc)")}
        onClick={leave}
      >
        <span class="back">
          <Icon name="chevron" />
        </span>
        {t("Back")}
      </button>
      <h2 title={origin ? exactText(origin.time, zone) : undefined}>
        {ms === null ? t("Around an event") : t("Around {time}", { time: clockText(ms, zone, true) })}
      </h2>
      {ms !== null && (
        <span class="dim date">
          {dateText(ms, zone)} {zoneText(ms, zone)}
        </span>
      )}
      <span class="bonds" role="group" aria-label={t("Only lines of the same")}>
        <Bonded of={of} bond="stream" label={text("stream")} value={origin?.stream ?? ""} />
        <Bonded of={of} bond="group" label={text("group")} value={origin?.group ?? ""} />
        {origin?.host && <Bonded of={of} bond="host" label={text("host")} value={String(origin.host.value)} />}
        <button
          type="button"
          class="chip"
          aria-pressed={all}
          data-testid="bond-none"
          title={t("Everything at this instant, in all groups (a)")}
          onClick={everything}
        >
          {t("everything")}
        </button>
      </span>
    </header>
  );
}

function everything(): void {
  change({ bonds: scope.peek().bonds.length === 0 ? ["stream", "group"] : [] });
}

function Bonded({ of, bond, label, value }: { of: AroundScope; bond: Bond; label: string; value: string }) {
  const on = of.bonds.includes(bond);
  const toggle = () => change({ bonds: on ? of.bonds.filter((one) => one !== bond) : [...of.bonds, bond] });
  return (
    <button
      type="button"
      class="chip"
      aria-pressed={on}
      data-testid={`bond-${bond}`}
      title={on ? t("Remove this limit") : t("Limit to this")}
      onClick={toggle}
    >
      <span class="dim">{t(label)}</span>
      <span class="ellipsis">{value === "" ? "–" : printable(cut(value, 60))}</span>
      {on && <Icon name="close" />}
    </button>
  );
}

function FilterBox() {
  const asked = filter.value;
  const [typed, setTyped] = useState(asked);
  useEffect(() => setTyped(asked), [asked]);
  useEffect(() => {
    if (typed === filter.peek()) return;
    const timer = setTimeout(() => change({ filter: typed }), TYPED_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <input
      type="search"
      aria-label={t("Show only these lines")}
      placeholder={t("Show only… words, or filter status >= 500")}
      value={typed}
      data-testid="around-filter"
      onInput={(event) => setTyped(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") change({ filter: typed });
      }}
    />
  );
}

function useKeysHere(leave: () => void): void {
  useEffect(() => {
    const own = { close: leave, everything };
    contextKeys.value = own;
    filtered.value = { text: filter, ask: (next) => change({ filter: next }) };
    return () =>
      batch(() => {
        if (contextKeys.peek() === own) contextKeys.value = filtered.value = null;
      });
  });
}

/** The columns that tell lines apart, and the message. */
function columnsOf(data: Lines): Column[] {
  const differ = (value: (event: EventRow) => unknown) => new Set(data.events.map(value)).size > 1;
  const host = data.cells.find((cell) => cell.name === data.origin.host?.name);
  const named = data.cells.filter((cell) => view.value.columns.includes(cell.name) && cell.name !== "@message");
  const groups = differ((event) => event.group);
  return [
    { name: OFFSET, type: "offset" },
    ...(groups ? [{ name: "@log", type: "string" }] : []),
    ...(!groups && differ((event) => event.stream) ? [{ name: "@logStream", type: "string" }] : []),
    ...(host && differ((event) => event.cells[host.name]) ? [host] : []),
    ...named,
    { name: "@message", type: "string" },
  ];
}

function Shown({ List, data, stale }: { List: List; data: Lines; stale: boolean }) {
  const zone = view.value.zone;
  const columns = useMemo(() => columnsOf(data), [data, view.value.columns]);
  const events = useMemo(() => {
    const middle = nsOf(data.origin.time);
    return data.events.map((event) => {
      const at = nsOf(event.time);
      const offset = middle === null || at === null ? "" : offsetText(at - middle);
      return { ...event, cells: { ...event.cells, [OFFSET]: offset } };
    });
  }, [data]);
  const id = data.scope.id;
  useEffect(() => {
    document
      .querySelector<HTMLElement>(`.around [data-testid=row][data-id="${CSS.escape(id)}"]`)
      ?.focus({ preventScroll: true });
  }, [id]);
  const more = (side: "before" | "after") => () =>
    void grow(side, zone).catch((error: unknown) => tell(error instanceof Error ? error.message : String(error)));
  return (
    <div class={`around-lines${stale ? " stale" : ""}`}>
      <Edge side="before" more={data.moreBefore && hasRoom(data)} isCut={data.moreBefore} onMore={more("before")} />
      <List
        key={JSON.stringify(data.scope)}
        events={events}
        columns={columns}
        sought={soughtTexts(data.scope.filter)}
        label={t("Lines around the event, oldest first")}
        centre={id}
      />
      <Edge side="after" more={data.moreAfter && hasRoom(data)} isCut={data.moreAfter} onMore={more("after")} />
    </div>
  );
}

function Edge({
  side,
  more,
  isCut,
  onMore,
}: {
  side: "before" | "after";
  more: boolean;
  isCut: boolean;
  onMore: () => void;
}) {
  const before = side === "before";
  if (!more) {
    return (
      <p class="edge dim">
        {isCut ? t("This view holds no more lines.") : before ? t("Nothing before.") : t("Nothing after.")}
      </p>
    );
  }
  return (
    <button type="button" class="edge" data-testid={`more-${side}`} aria-busy={growing.value === side} onClick={onMore}>
      {growing.value === side ? t("loading…") : before ? t("Show 100 earlier lines") : t("Show 100 later lines")}
    </button>
  );
}

/** Nothing to show: the event is gone, or nobody answers. */
function NotThere({ of, leave, retry }: { of: AroundScope; leave: () => void; retry: () => void }) {
  const error = lines.value.error;
  const ms = msOfId(of.id);
  const gone = error?.code === "event-gone" && ms !== null;
  const near = () => {
    const at = ms ?? Date.now();
    go({
      around: "",
      query: "",
      from: new Date(at - 60_000).toISOString(),
      to: new Date(at + 60_000).toISOString(),
      row: "",
      live: false,
    });
  };
  return (
    <div class="state" data-testid="around-failed">
      <h2>{gone ? t("This event is no longer here") : t("Surrounding events could not be loaded")}</h2>
      <p>
        {gone
          ? t("It was from {time}. Its retention ended, or it was deleted.", { time: fullText(ms, view.value.zone) })
          : printable(error?.sentence ?? "")}
      </p>
      {!gone && error?.hint && <p class="hint">{printable(error.hint)}</p>}
      <p class="buttons">
        {gone ? (
          <Button class="button primary" label={t("Show remaining events around that time")} onClick={near} />
        ) : (
          <button
            type="button"
            class="button primary"
            onClick={() => (of.filter !== "" && error?.status === 400 ? change({ filter: "" }) : retry())}
          >
            {of.filter !== "" && error?.status === 400 ? t("Without the filter") : t("Try again")}
          </button>
        )}
        <Button class="button" label={t("Back")} onClick={leave} />
      </p>
    </div>
  );
}
