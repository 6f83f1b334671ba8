// What a saved view does when it is chosen, and which ones have a star: in the row below the query, in the list, in the palette.

import { signal } from "@preact/signals";

import { changeView, savedViews, viewOfParts, type SavedView } from "../api/views.ts";
import { layer } from "../parts/layers.tsx";
import { toggleChip } from "../query/chips.ts";
import { editFilters } from "../keys.ts";
import { go, run, view } from "../view.ts";

const STARRED = "catat.starred";
/** Views of others that have a star here, by their ids. */
const starred = signal<readonly string[]>(kept());

function kept(): readonly string[] {
  try {
    const ids: unknown = JSON.parse(localStorage.getItem(STARRED) ?? "[]");
    return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}

/** All views. */
export function all(): readonly SavedView[] {
  return savedViews.value.data ?? [];
}

/** The conditions among them. */
export function chips(): readonly SavedView[] {
  return all().filter((one) => one.chip);
}

/** A star is its reader's: on a view of one's own it goes with the view, on those of others it stays in this browser. */
export function isStarred(of: SavedView): boolean {
  return of.own ? of.star : starred.value.includes(of.id);
}

/** Gives a star, or takes it. */
export async function toggleStar(of: SavedView): Promise<void> {
  if (of.own) return changeView(of, { star: !of.star });
  const now = starred.peek();
  starred.value = now.includes(of.id) ? now.filter((id) => id !== of.id) : [...now, of.id];
  try {
    localStorage.setItem(STARRED, JSON.stringify(starred.peek()));
  } catch {
    // Storage is switched off: it has its star until the page is closed.
  }
}

/** Goes to a view, or switches a condition. */
export function openView(of: SavedView): void {
  if (layer.peek() === "views") layer.value = "";
  const conditions = chips().map((one) => one.view["q"] ?? "");
  if (of.chip) return editFilters((text) => toggleChip(text, of.view["q"] ?? "", conditions));
  go(viewOfParts(of.view, view.peek()));
  run();
}
