// The dashboard on screen: what the server has, what was changed of it, and what is chosen.

import { computed, signal } from "@preact/signals";

import { timeZone } from "../../api.ts";
import {
  askBoard,
  askPage,
  isDerived,
  saveBoard,
  saveNewBoard,
  type Board,
  type BoardPanel,
  type BoardText,
} from "../../api/dashboards.ts";
import { start, type Lane } from "../../ask.ts";
import { language } from "../../texts.ts";
import { resolve } from "../../time.ts";
import { askedAt, go, NO_BOARD, REFRESHES, view } from "../../view.ts";
import type { BoardRange } from "./ask.ts";
import { storable } from "./storable.ts";
import { begun, changedTo, redone, undone, type History } from "./history.ts";

/** The dashboard as the server has it. */
export const board = signal<Lane<Board>>({ state: "idle", data: null, error: null, since: 0 });

/** Changes that are not saved, and since when. */
interface Draft {
  name: string;
  /** The version that was changed. */
  version: number;
  history: History<BoardText>;
  since: number;
}

/** The changes; `null` for none. */
export const draft = signal<Draft | null>(null);

/** Counts up when the panels shall be asked again. */
export const round = signal(0);

/** What is shown: with the changes. */
export const shown = computed<BoardText | null>(() => {
  const of = draft.value;
  const kept = board.value.data;
  return of !== null && of.name === kept?.name ? of.history.now : (kept?.text ?? null);
});

const keyOf = (name: string) => `catat.dashboard.${name}`;

function keep(of: Draft | null, name: string): void {
  try {
    if (of === null) localStorage.removeItem(keyOf(name));
    else
      localStorage.setItem(keyOf(name), JSON.stringify({ version: of.version, since: of.since, text: of.history.now }));
  } catch {
    // Storage is switched off: changes last as long as the page.
  }
}

function kept(name: string): Draft | null {
  try {
    const found = JSON.parse(localStorage.getItem(keyOf(name)) ?? "null") as {
      version: number;
      since: number;
      text: BoardText;
    } | null;
    if (!found || !Array.isArray(found.text.panels)) return null;
    return { name, version: found.version, since: found.since, history: begun(found.text) };
  } catch {
    return null;
  }
}

/** The range and the language that a ready-made dashboard was asked for: what it has follows from them. */
let askedRange = "";

const rangeKey = () => JSON.stringify([view.peek().from, view.peek().to, language.peek()]);

/** Asks for the dashboard; what was changed of it earlier and not saved is there again. */
export async function loadBoard(name: string): Promise<void> {
  if (board.peek().data?.name !== name) {
    board.value = { state: "idle", data: null, error: null, since: 0 };
    draft.value = null;
  }
  const { from, to } = view.peek();
  askedRange = from === "" ? "" : rangeKey();
  await start(board, (signal) => askBoard(name, signal, from === "" ? {} : { range: { from, to } }));
  const { state, data } = board.peek();
  if (state !== "done" || data === null) return;
  if (draft.peek() === null) {
    const before = kept(name);
    if (before !== null && JSON.stringify(before.history.now) !== JSON.stringify(data.text))
      draft.value = { ...before, history: changedTo(begun(data.text), before.history.now, "", 0) };
    else keep(null, name);
  }
  takeRange(data.text);
  // Without a range, it was asked for its own.
  if (askedRange === "") askedRange = rangeKey();
}

/** Asks for a ready-made dashboard again when the range or the language is another one. */
export function followRange(name: string): void {
  const isLoaded = board.peek().data?.name === name && board.peek().state !== "loading";
  if (isDerived(name) && isLoaded && view.peek().from !== "" && rangeKey() !== askedRange) void loadBoard(name);
}

/** Seconds of a refresh, of those that the page offers. */
function refreshOf(text = ""): number {
  const [, n, unit] = /^(\d+)\s*(s|m|h)$/.exec(text) ?? [];
  if (n === undefined) return 0;
  const seconds = Number(n) * (unit === "h" ? 3600 : unit === "m" ? 60 : 1);
  return seconds === 0 ? 0 : (REFRESHES.find((one) => one >= seconds) ?? REFRESHES.at(-1) ?? 0);
}

/** A dashboard opens with its own range, unless the address has one. */
function takeRange({ range, refresh }: BoardText): void {
  if (view.peek().from !== "") return;
  go({ from: range.from, to: range.to, refresh: refreshOf(refresh) }, true);
}

/** Changes the dashboard; `about` names what, so that typing is one step. */
export function change(edit: (text: BoardText) => BoardText, about = ""): void {
  const data = board.peek().data;
  if (data === null) return;
  const before = draft.peek() ?? {
    name: data.name,
    version: data.version,
    history: begun(data.text),
    since: Date.now(),
  };
  const history = changedTo(before.history, edit(before.history.now), about, Date.now());
  if (history === before.history) return;
  draft.value = { ...before, history, since: before.since };
  keep(draft.peek(), data.name);
}

/** Changes one panel. */
export function changePanel(id: string, change_: Partial<BoardPanel>, about = ""): void {
  change(
    (text) => ({ ...text, panels: text.panels.map((one) => (one.id === id ? cleaned({ ...one, ...change_ }) : one)) }),
    about,
  );
}

/** A document has no keys without a value. */
function cleaned<T extends object>(of: T): T {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as T;
}

/** Takes one step back or forward. */
function step(by: (of: History<BoardText>) => History<BoardText>): void {
  const of = draft.peek();
  if (of === null) return;
  const history = by(of.history);
  const isAsBefore = JSON.stringify(history.now) === JSON.stringify(board.peek().data?.text);
  draft.value = { ...of, history };
  keep(isAsBefore ? null : draft.peek(), of.name);
}

/** Takes the last change back. */
export const undo = () => step(undone);

/** Does it again. */
export const redo = () => step(redone);

/** Whether something is not saved. */
export const isChanged = computed(
  () => draft.value !== null && JSON.stringify(draft.value.history.now) !== JSON.stringify(board.value.data?.text),
);

/** Forgets the changes. */
export function discard(): void {
  const name = draft.peek()?.name ?? "";
  draft.value = null;
  keep(null, name);
}

/** Saves the changes; throws what the server says against it. */
export async function save(): Promise<void> {
  const of = draft.peek();
  if (of === null) return;
  const saved = await saveBoard(of.name, storable(of.history.now), of.version);
  keep(null, of.name);
  draft.value = null;
  board.value = { ...board.peek(), state: "done", data: saved, error: null };
}

/** Saves what is shown under another name, and leaves the original as it is. */
export async function saveCopy(title: string): Promise<void> {
  const text = shown.peek();
  if (text === null) return;
  const name = await saveNewBoard(storable({ ...text, title }));
  discard();
  go({ board: { ...NO_BOARD, name, chosen: view.peek().board.chosen } });
}

/** Asks for the dashboard as the server has it, with the time and the values that are chosen, as one file. */
export function pageOfBoard(name: string): Promise<Blob> {
  const { from, to, zone, board: of } = view.peek();
  const named: [string, string][] = [
    ["from", from || "now-24h"],
    ["to", to || "now"],
    ["time_zone", timeZone(zone)],
  ];
  for (const [variable, values] of Object.entries(of.chosen))
    for (const value of values) named.push([`var.${variable}`, value]);
  return askPage(name, [...named, ["lang", language.peek()]]);
}

/** What `now` means for the range that was last shown. */
let present = { key: "", now: 0 };

/** The range that panels are asked for: one that ends now ends when they were last asked, or when it was chosen. */
export const range = computed<BoardRange>(() => {
  const { from, to, zone } = view.value;
  const asked = askedAt.value;
  const key = JSON.stringify([from, to, zone]);
  present = { key, now: key === present.key ? Math.max(asked, present.now) : Math.max(asked, Date.now()) };
  const end = resolve(to || "now", present.now, zone) ?? present.now;
  return {
    from: resolve(from || "now-24h", present.now, zone) ?? end - 86_400_000,
    to: end,
    isOpen: (to || "now") === "now",
  };
});

/** Asks all panels again; a range with fixed ends has nothing new, unless it is `forced`. */
export function refresh(forced: boolean): void {
  const { from, to } = view.peek();
  const isMoving = from.startsWith("now") || to.startsWith("now");
  if (!forced && !isMoving) return;
  askedAt.value = Date.now();
  round.value += 1;
}
