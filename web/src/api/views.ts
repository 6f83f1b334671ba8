// `/api/v1/views`: what people have saved.

import { signal } from "@preact/signals";

import { start, type Lane } from "../ask.ts";
import { send } from "../session.ts";
import { address, viewOf, type View } from "../view.ts";
import * as api from "../api.ts";

/** What a view is made of. */
export interface NewView {
  name: string;
  description: string;
  tags: string[];
  star: boolean;
  /** A condition to switch on and off, in `view.q`, rather than a place to go to. */
  chip: boolean;
  shared: boolean;
  /** Parts of the page's address. */
  view: Record<string, string>;
}

/** A view as it is kept. */
export interface SavedView extends NewView {
  id: string;
  version: number;
  owner: string;
  own: boolean;
  changed: string;
}

/** All of them. */
export const savedViews = signal<Lane<SavedView[]>>({ state: "idle", data: null, error: null, since: 0 });

/** Asks for them. */
export function askViews(): void {
  void start(savedViews, async (signal) => {
    const found = (await api.json<{ views?: Partial<SavedView>[] }>("api/v1/views", { signal })).views ?? [];
    return found.map((one) => ({
      id: "",
      name: "",
      description: "",
      tags: [],
      star: false,
      chip: false,
      shared: false,
      version: 1,
      owner: "",
      own: false,
      changed: "",
      ...one,
      view: one.view ?? {},
    }));
  });
}

/** Keeps a new one. */
export async function saveView(wanted: NewView): Promise<void> {
  await send("POST", "api/v1/views", wanted);
  askViews();
}

/** Changes one, unless somebody else has meanwhile. */
export async function changeView(of: SavedView, change: Partial<NewView>): Promise<void> {
  const { name, description, tags, star, chip, shared, view, version } = { ...of, ...change };
  try {
    await send("PUT", `api/v1/views/${encodeURIComponent(of.id)}`, {
      name,
      description,
      tags,
      star,
      chip,
      shared,
      view,
      version,
    });
  } finally {
    askViews();
  }
}

/** Takes one away. */
export async function deleteView(of: SavedView): Promise<void> {
  try {
    await send("DELETE", `api/v1/views/${encodeURIComponent(of.id)}`);
  } finally {
    askViews();
  }
}

/** The parts of a view that are kept: not the open row, and the range only where it is wanted. */
export function partsOf(of: View, withRange: boolean): Record<string, string> {
  const parts = Object.fromEntries(
    new URL(address({ ...of, page: "explore", row: "", around: "", find: "", live: false }), location.href)
      .searchParams,
  );
  if (!withRange) {
    delete parts["from"];
    delete parts["to"];
  } else {
    Object.assign(parts, { from: of.from, to: of.to });
  }
  return parts;
}

/** The view that kept parts stand for; the range stays as it is where none was kept. */
export function viewOfParts(parts: Record<string, string>, now: View): View {
  const found = viewOf("explore", new URLSearchParams(parts));
  return parts["from"] === undefined && parts["to"] === undefined ? { ...found, from: now.from, to: now.to } : found;
}
