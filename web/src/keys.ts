// The keys of the page. One table feeds both the handler and the list that `?` shows. Keys are off while an input has
// the focus, and never touch combinations that belong to the browser.

import { signal, type ReadonlySignal } from "@preact/signals";

import { focusQuery, submit } from "./explore/editor_state.ts";
import { switchLanguage } from "./explore/query_language.ts";
import { LEVELS } from "./explore/levels.ts";
import { togglePause } from "./explore/paused.ts";
import { find, openFind, stepFind } from "./find.ts";
import { layer, tell, copy } from "./parts/layers.tsx";
import { levelsOf, onlyFilter, toggleFilter, toggleLevel, type FilterKind, type Json } from "./query/edit.ts";
import { t, text } from "./texts.ts";
import { address, draft, frozen, go, isEdited, NO_BOARD, run, shift, view, zoomOut, type Page } from "./view.ts";

/** What the list of rows lets the keys do; set by the list that is on screen. */
export interface ListKeys {
  move: (by: number) => void;
  /** Goes by as many rows as are seen, from what is seen. */
  page: (by: 1 | -1) => void;
  toggle: () => void;
  isOpen: () => boolean;
  /** The row's event, by its id. */
  at: () => string;
  /** Opens the trace that the row's event belongs to. */
  trace: () => unknown;
  close: () => boolean;
  /** Selects the row, or the rows up to the next one in a direction. */
  select: (by: number) => void;
  /** Field and value in focus. */
  value: () => { field: string; value: string } | null;
}

/** A text that clicks on values edit in place of the query: that of the context. */
export interface Filtered {
  text: ReadonlySignal<string>;
  ask: (text: string) => void;
}

/** What clicks on values edit, where it is not the query. */
export const filtered = signal<Filtered | null>(null);

/** What the keys do in the context view; set by it while it is on screen. */
export interface ContextKeys {
  close: () => void;
  everything: () => void;
}

/** The context view on screen. */
export const contextKeys = signal<ContextKeys | null>(null);

/** The row that the keys act on, by its id. */
export const cursor = signal("");

/** The list on screen. */
export const list = signal<ListKeys | null>(null);

/** A key and what it does. */
export interface Key {
  /** As `KeyboardEvent.key` has them; `g e` for one after the other, `Mod+k` with Ctrl or ⌘. Several say the same. */
  keys: readonly string[];
  label: string;
  /** Is given the key that was pressed; says `false` where the key means nothing now and is the browser's. */
  run: (key: string) => unknown;
  alt?: boolean;
  /** Works on every page, not on Explore alone. */
  everywhere?: boolean;
}

/** Keys that only the page on screen has; they take precedence over those of the table. */
export const pageKeys = signal<readonly Key[]>([]);

/** Changes the text by a click on a value, and asks. */
export function filterBy(field: string, kind: FilterKind | "only", value: Json): void {
  const edit = (text: string) =>
    kind === "only" ? onlyFilter(text, field, value) : toggleFilter(text, field, kind, value);
  editFilters(edit, true);
}

/** Edits the text that chooses the events on screen, and asks. */
export function editFilters(edit: (text: string) => string, keepsRow = false): void {
  const other = filtered.peek();
  if (other) return other.ask(edit(other.text.peek()));
  draft.value = edit(draft.peek());
  run(keepsRow);
}

/** Whether it is known of a row which event it is. */
export function canShowAround(id: string): boolean {
  return id !== "" && !id.startsWith("#");
}

/** Shows what happened around an event. */
export function showAround(id: string): void {
  if (canShowAround(id)) go({ around: id });
  else tell(t("no row is focused"));
}

function byFocus(kind: "include" | "exclude" | "only"): void {
  const focus = list.peek()?.value();
  if (focus) filterBy(focus.field, kind, focus.value);
  else tell(t("no value is focused"));
}

/** Copies a link to what is on screen, with fixed times. */
export function copyLink(): void {
  const what = isEdited.peek() ? t("Link to what was run, not to the edited query,") : t("Link with fixed times");
  void copy(new URL(address(frozen(view.peek())), location.href).href, what);
}

function toPage(page: Page): () => void {
  return () => {
    layer.value = "";
    go({ page, tab: "", open: "", board: NO_BOARD });
  };
}

/** Opens the row in focus, or closes it. */
function openRow(opens: boolean): unknown {
  const now = list.peek();
  return now !== null && now.isOpen() !== opens && (opens ? now.toggle() : now.close());
}

/** Levels are counted from the heaviest, as the legend shows them. */
function clickLevel(key: string): void {
  const level = LEVELS[LEVELS.length - Number(key)];
  editFilters((text) => (level === undefined ? levelsOf(text).reduce(toggleLevel, text) : toggleLevel(text, level)));
}

/** Turns the live tail, which only Insights QL has, on for what the editor holds, or off. */
export function toggleLive(): unknown {
  const { live, language, query } = view.peek();
  return language === "insights" && go({ live: !live, row: "", query: live ? query : draft.peek() });
}

/** Enter runs what was edited, also where the caret has left the editor. */
function onEnter(): void {
  if (isEdited.peek() && contextKeys.peek() === null) submit();
  else list.peek()?.toggle();
}

/** The browser's own search sees the few rows that are mounted, so it is asked only from within the box of this one. */
function beginFind(): unknown {
  return list.peek() !== null && document.querySelector("dialog[open]") === null && !openFind();
}

/** Rows that are not seen are not there, and the focus with them: so the browser's own scrolling would end after a page or two. */
function byPage(by: 1 | -1): boolean {
  list.peek()?.page(by);
  return list.peek() !== null;
}

function byRows(by: number): boolean {
  list.peek()?.move(by);
  return list.peek() !== null;
}

/** Every key. */
export const KEYS: readonly Key[] = [
  { keys: ["/"], label: text("Write the query"), run: focusQuery },
  { keys: ["h"], label: text("Earlier queries"), run: () => (layer.value = "history") },
  {
    keys: ["Mod+k"],
    label: text("Find any command, page, range, group, view or earlier query"),
    run: () => (layer.value = layer.peek() === "palette" ? "" : "palette"),
    everywhere: true,
  },
  { keys: ["p"], label: text("Switch between events and metrics (PromQL)"), run: () => switchLanguage() },
  { keys: ["t"], label: text("Choose the time range"), run: () => (layer.value = "time") },
  { keys: ["o"], label: text("Choose groups"), run: () => (layer.value = "groups") },
  { keys: ["r"], label: text("Run again"), run: () => run() },
  { keys: ["j", "ArrowDown"], label: text("Next row"), run: () => list.peek()?.move(1) },
  { keys: ["k", "ArrowUp"], label: text("Previous row"), run: () => list.peek()?.move(-1) },
  { keys: ["PageDown"], label: text("A page of rows down"), run: () => byPage(1) },
  { keys: ["PageUp"], label: text("A page of rows up"), run: () => byPage(-1) },
  { keys: ["Home"], label: text("First row"), run: () => byRows(-Infinity) },
  { keys: ["End"], label: text("Last loaded row"), run: () => byRows(Infinity) },
  { keys: ["J", "Shift+ArrowDown"], label: text("Select the next row too"), run: () => list.peek()?.select(1) },
  { keys: ["K", "Shift+ArrowUp"], label: text("Select the previous row too"), run: () => list.peek()?.select(-1) },
  { keys: ["Enter"], label: text("Run the edited query; else open or close the row"), run: onEnter },
  { keys: ["ArrowRight"], label: text("Open the row"), run: () => openRow(true) },
  { keys: ["ArrowLeft"], label: text("Close the row"), run: () => openRow(false) },
  { keys: ["c"], label: text("Show what happened around the event"), run: () => showAround(list.peek()?.at() ?? "") },
  {
    keys: ["a"],
    label: text("Around an event: everything at that time, or only its stream"),
    run: () => contextKeys.peek()?.everything(),
  },
  { keys: ["T"], label: text("Open the trace of the row"), run: () => list.peek()?.trace() },
  { keys: ["i"], label: text("Include the focused value, or the row’s level"), run: () => byFocus("include") },
  {
    keys: ["I"],
    label: text("Only the focused value, instead of other filters on its field"),
    run: () => byFocus("only"),
  },
  { keys: ["x"], label: text("Exclude the focused value, or the row’s level"), run: () => byFocus("exclude") },
  {
    keys: ["1", "2", "3", "4", "5", "6"],
    label: text("Show only one level, or all again: 1 is fatal, 6 is trace"),
    run: clickLevel,
  },
  { keys: ["0"], label: text("All levels"), run: clickLevel },
  { keys: ["l"], label: text("Live tail on or off"), run: toggleLive },
  {
    keys: [" "],
    label: text("Pause or resume the live tail; elsewhere: select the row"),
    run: () => (view.peek().live ? togglePause() : list.peek()?.select(0)),
  },
  { keys: ["z"], label: text("Zoom out to twice the time"), run: zoomOut },
  { keys: ["ArrowLeft"], alt: true, label: text("Half a range earlier"), run: () => shift(-1) },
  { keys: ["ArrowRight"], alt: true, label: text("Half a range later"), run: () => shift(1) },
  { keys: ["Mod+f", "f"], label: text("Find in the loaded rows"), run: beginFind },
  { keys: ["n"], label: text("Next match"), run: () => stepFind(1) },
  { keys: ["N"], label: text("Previous match"), run: () => stepFind(-1) },
  { keys: ["y"], label: text("Copy a link with fixed times"), run: copyLink },
  { keys: ["w"], label: text("Wrap or cut long lines"), run: () => go({ wrap: !view.peek().wrap }) },
  { keys: ["d"], label: text("Dense or loose rows"), run: () => go({ dense: !view.peek().dense }) },
  { keys: ["s"], label: text("Save this view"), run: () => (layer.value = "save-view") },
  { keys: ["v"], label: text("Saved views"), run: () => (layer.value = "views") },
  { keys: ["b"], label: text("Add this to a dashboard"), run: () => (layer.value = "add-panel") },
  { keys: ["g e"], label: text("Go to Explore"), run: toPage("explore"), everywhere: true },
  { keys: ["g d"], label: text("Go to Dashboards"), run: toPage("dashboards"), everywhere: true },
  { keys: ["g a"], label: text("Go to Alerts"), run: toPage("alerts"), everywhere: true },
  { keys: ["g i"], label: text("Go to Issues"), run: toPage("issues"), everywhere: true },
  { keys: ["g n"], label: text("Go to Incidents"), run: toPage("incidents"), everywhere: true },
  { keys: ["g g"], label: text("Go to Groups"), run: toPage("groups"), everywhere: true },
  { keys: ["g s"], label: text("Go to Sources"), run: toPage("sources"), everywhere: true },
  { keys: ["g r"], label: text("Go to Traces"), run: toPage("traces"), everywhere: true },
  { keys: ["g m"], label: text("Go to Map"), run: toPage("map"), everywhere: true },
  { keys: ["g t"], label: text("Go to Settings"), run: toPage("settings"), everywhere: true },
  {
    keys: ["?", "F1"],
    label: text("This list"),
    run: () => (layer.value = layer.peek() === "help" ? "" : "help"),
    everywhere: true,
  },
  { keys: ["Escape"], label: text("Close what is open"), run: () => false, everywhere: true },
];

/** Where the event came from, through the shadow of an editor. */
function origin(event: Event): EventTarget | null {
  return event.composedPath()[0] ?? event.target;
}

function writes(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

function onEscape(event: KeyboardEvent): void {
  if (layer.peek() !== "") {
    const name = layer.peek();
    layer.value = "";
    document.querySelector<HTMLElement>(`[data-layer="${name}"], .menu > [aria-expanded="true"]`)?.focus();
    event.preventDefault();
  } else if (writes(origin(event))) {
    (origin(event) as HTMLElement).blur();
  } else if (find.peek() !== null) {
    find.value = null;
  } else if (list.peek()?.close()) {
    event.preventDefault();
  } else if (contextKeys.peek()) {
    contextKeys.peek()?.close();
    event.preventDefault();
  }
}

/** Longest time between two keys that belong together. */
const BETWEEN_MS_MAX = 3000;

/** The first of two keys, as `g `, and when it was pressed. */
let first = { key: "", at: 0 };

/** The key's name in the table; empty for the first of two, after which it is said what may follow. */
function named(event: KeyboardEvent): string {
  const before = event.timeStamp - first.at < BETWEEN_MS_MAX ? first.key : "";
  first = { key: "", at: 0 };
  if (before !== "") return before + event.key;
  if (event.ctrlKey || event.metaKey) return `Mod+${event.key}`;
  if (event.shiftKey && event.key.startsWith("Arrow")) return `Shift+${event.key}`;
  const following = KEYS.filter((one) => one.keys[0]?.startsWith(`${event.key} `) && event.key !== " ");
  if (following.length === 0 || event.altKey) return event.key;
  first = { key: `${event.key} `, at: event.timeStamp };
  tell(following.map((one) => `${one.keys[0]}: ${t(one.label)}`).join(" · "));
  return "";
}

/** Whether the key belongs to what has the focus. */
function isTheirs(event: KeyboardEvent, key: Key): boolean {
  const target = origin(event);
  if (key.keys[0]?.startsWith("Mod+")) return false;
  if (writes(target)) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog") !== null) return !key.everywhere;
  return (
    target.closest("button, a, summary, .panel") !== null && /^(?:Enter| |Arrow.*|Page.*|Home|End)$/.test(event.key)
  );
}

/** Starts listening. */
export function followKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || /^(?:Shift|Control|Alt|Meta)$/.test(event.key)) return;
    if (event.key === "Escape") return onEscape(event);
    // Whoever writes presses no first key of two.
    if (writes(origin(event)) && !event.ctrlKey && !event.metaKey) return;
    const name = named(event);
    const own = pageKeys.peek();
    const key = [...own, ...KEYS].find((one) => one.keys.includes(name) && (one.alt ?? false) === event.altKey);
    if (!key) return;
    if ((view.peek().page !== "explore" && !key.everywhere && !own.includes(key)) || isTheirs(event, key)) return;
    if (key.run(event.key) !== false) event.preventDefault();
  });
}
