// The keys of the page. One table feeds both the handler and the list that `?` shows. Keys are off while an input has
// the focus, and never touch combinations that belong to the browser.

import { signal } from "@preact/signals";

import { toggleFilter } from "./query/edit.ts";
import { layer, tell, copy } from "./parts/layers.tsx";
import { address, draft, frozen, go, run, shift, view, zoomOut } from "./view.ts";

/** What the list of rows lets the keys do; set by the list that is on screen. */
export interface ListKeys {
  move: (by: number) => void;
  toggle: () => void;
  close: () => boolean;
  /** Field and value in focus. */
  value: () => { field: string; value: string } | null;
}

/** The list on screen. */
export const list = signal<ListKeys | null>(null);

/** A key and what it does. */
export interface Key {
  keys: readonly string[];
  label: string;
  run: () => void;
  alt?: boolean;
}

/** Changes the text by a click on a value, and asks. */
export function filterBy(field: string, kind: "include" | "exclude" | "exists" | "missing", value: Parameters<typeof toggleFilter>[3]): void {
  draft.value = toggleFilter(draft.peek(), field, kind, value);
  run(true);
}

function byFocus(kind: "include" | "exclude"): void {
  const focus = list.peek()?.value();
  if (focus) filterBy(focus.field, kind, focus.value);
  else tell("no value has the focus");
}

/** Copies a link to what is on screen, with fixed times. */
export function copyLink(): void {
  void copy(new URL(address(frozen(view.peek())), location.href).href, "Link with fixed times");
}

/** Every key. */
export const KEYS: readonly Key[] = [
  { keys: ["/"], label: "Write the query", run: () => document.querySelector<HTMLElement>("[data-testid=query]")?.focus() },
  { keys: ["t"], label: "Choose the time range", run: () => (layer.value = "time") },
  { keys: ["g"], label: "Choose groups", run: () => (layer.value = "groups") },
  { keys: ["r"], label: "Run again", run: () => run() },
  { keys: ["l"], label: "Live tail on or off", run: () => go({ live: !view.peek().live, page: "explore" }) },
  { keys: ["j", "ArrowDown"], label: "Next row", run: () => list.peek()?.move(1) },
  { keys: ["k", "ArrowUp"], label: "Row before", run: () => list.peek()?.move(-1) },
  { keys: ["Enter"], label: "Open or close the row", run: () => list.peek()?.toggle() },
  { keys: ["i"], label: "Include the value in focus (of a row: its level)", run: () => byFocus("include") },
  { keys: ["x"], label: "Exclude the value in focus (of a row: its level)", run: () => byFocus("exclude") },
  { keys: ["z"], label: "Zoom out to twice the time", run: zoomOut },
  { keys: ["ArrowLeft"], alt: true, label: "Half a range earlier", run: () => shift(-1) },
  { keys: ["ArrowRight"], alt: true, label: "Half a range later", run: () => shift(1) },
  { keys: ["y"], label: "Copy a link with fixed times", run: copyLink },
  { keys: ["?", "F1"], label: "This list", run: () => (layer.value = layer.peek() === "help" ? "" : "help") },
  { keys: ["Escape"], label: "Close what is open", run: () => undefined },
];

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function onEscape(event: KeyboardEvent): void {
  if (layer.peek() !== "") {
    const name = layer.peek();
    layer.value = "";
    document.querySelector<HTMLElement>(`[data-layer="${name}"], .menu > [aria-expanded="true"]`)?.focus();
    event.preventDefault();
  } else if (writes(event.target)) {
    (event.target as HTMLElement).blur();
  } else if (list.peek()?.close()) {
    event.preventDefault();
  }
}

/** Starts listening. */
export function followKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") return onEscape(event);
    if (writes(event.target)) return;
    const onControl = event.target instanceof HTMLElement && event.target.closest("button, a, summary, dialog, .panel") !== null;
    if (onControl && (event.key === "Enter" || event.key.startsWith("Arrow"))) return;
    if (view.peek().page !== "explore" && !/^(\?|F1)$/.test(event.key)) return;
    const key = KEYS.find((one) => one.keys.includes(event.key) && (one.alt ?? false) === event.altKey);
    if (!key) return;
    event.preventDefault();
    key.run();
  });
}
