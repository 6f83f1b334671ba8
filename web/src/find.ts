// Finding a text among the rows that are loaded: it is marked in place, nothing is filtered away.

import { effect, signal } from "@preact/signals";

import { printable } from "./format.ts";
import type { EventRow } from "./rows.ts";
import { go, view } from "./view.ts";

/** What is sought among the rows; `null` while nobody seeks. */
export const find = signal<string | null>(view.peek().find || null);

/** Somebody has come by a link that says what is sought, and has not been led to it yet. */
export const linked = { isNew: view.peek().find !== "" };

/** Counts up for each step to the next find, down for each to the one before; the box takes it from there. */
export const step = signal({ n: 0, by: 1 });

/** Keeps it in the address, so that whoever follows a link sees the same marked; back and forward change it, too. */
export function keepFind(): void {
  effect(() => {
    const sought = view.value.find;
    if (sought !== (find.peek() ?? "")) find.value = sought || null;
  });
  effect(() => {
    const sought = find.value ?? "";
    if (sought !== view.peek().find) go({ find: sought }, true);
  });
}

/** Opens the box; gives whether it was open with the focus in it already. */
export function openFind(): boolean {
  const input = document.querySelector<HTMLInputElement>("[data-testid=find-text]");
  if (input && document.activeElement === input) return true;
  if (find.peek() === null) find.value = "";
  // Where the box is there it takes the focus, else it does when it comes.
  input?.select();
  return false;
}

/** Goes to the next find, or the one before; begins to seek where nobody does. */
export function stepFind(by: 1 | -1): void {
  if (find.peek() === null || find.peek() === "") void openFind();
  else step.value = { n: step.peek().n + 1, by };
}

/** The pattern of a text: as it stands, upper and lower case alike. */
export function patternOf(text: string): RegExp {
  return new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
}

/** Whether a row shows what is sought: in its message or a column. */
export function shows(event: EventRow, columns: readonly string[], pattern: RegExp): boolean {
  const message = event.message.includes("\u001b") ? printable(event.message) : event.message;
  if (pattern.test(message)) return true;
  return columns.some((name) => {
    const value = name === "@log" ? event.group : event.cells[name];
    return (
      value !== undefined && value !== null && pattern.test(typeof value === "string" ? value : JSON.stringify(value))
    );
  });
}
