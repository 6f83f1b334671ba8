// Places on the grid: 24 columns, rows of 30 pixels. Panels never overlap, and nothing floats: what is moved pushes others
// down, and everything falls up to what is above it.

import type { BoardPanel } from "../../api/dashboards.ts";

/** Columns of the grid. */
export const COLUMNS = 24;
/** Pixels of a row. */
export const ROW_PX = 30;
/** Least size of a panel. */
export const WIDTH_MIN = 2;
const HEIGHT_MIN = 2;
/** Most rows of a panel. */
const HEIGHT_MAX = 60;

/** A place and its size. */
export interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

const bounded = (n: number, least: number, most: number) => Math.max(least, Math.min(most, Math.round(n)));

/** Returns a place within the grid. */
export function within({ x, y, w, h }: Place): Place {
  const wide = bounded(w, WIDTH_MIN, COLUMNS);
  return {
    w: wide,
    h: bounded(h, HEIGHT_MIN, HEIGHT_MAX),
    x: bounded(x, 0, COLUMNS - wide),
    y: Math.max(0, Math.round(y)),
  };
}

/** Whether two places overlap. */
export function overlap(a: Place, b: Place): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

const byPlace = (a: Place, b: Place) => a.y - b.y || a.x - b.x;

/** Lets everything fall up, in reading order; `first` is settled before the others at the same height. */
function fallen<T extends Place & { id: string }>(panels: readonly T[], first = ""): T[] {
  const settled: T[] = [];
  const order = [...panels].sort((a, b) => a.y - b.y || Number(b.id === first) - Number(a.id === first) || a.x - b.x);
  for (const panel of order) {
    let y = panel.y;
    while (y > 0 && !settled.some((one) => overlap(one, { ...panel, y: y - 1 }))) y -= 1;
    // What was there before it is in its way.
    for (let hit = hitBy(settled, { ...panel, y }); hit; hit = hitBy(settled, { ...panel, y })) y = hit.y + hit.h;
    settled.push({ ...panel, y });
  }
  return settled;
}

function hitBy(settled: readonly Place[], place: Place): Place | undefined {
  return settled.find((one) => overlap(one, place));
}

/** Whether a panel that is moved down has passed the middle of one below it, which then goes up to where it was. */
function hasPassed(before: Place, now: Place, one: Place): boolean {
  return now.y > before.y && one.y >= before.y + before.h && now.y + now.h > one.y + one.h / 2;
}

/** Returns the panels with one at another place or of another size; those in its way go below it, or above where it has passed them. */
export function placed<T extends Place & { id: string }>(panels: readonly T[], id: string, to: Place): T[] {
  const before = panels.find((one) => one.id === id);
  if (!before) return [...panels];
  const mine = { ...before, ...within(to) };
  const others = panels.filter((one) => one.id !== id);
  const passed = others.filter((one) => overlap(one, mine) && hasPassed(before, mine, one));
  const hit = others.filter((one) => overlap(one, mine) && !passed.includes(one));
  const top = hit.reduce((least, { y }) => Math.min(least, y), Infinity);
  // What is pushed keeps its order.
  const pushed = others.map((one) =>
    passed.includes(one)
      ? { ...one, y: before.y }
      : hit.includes(one)
        ? { ...one, y: mine.y + mine.h + one.y - top }
        : one,
  );
  const all = fallen([...pushed, mine], passed.length > 0 ? "" : id);
  return panels.map((one) => all.find(({ id: other }) => other === one.id) ?? one);
}

/** Returns the panels without gaps above them, and none over another. */
export function settled<T extends Place & { id: string }>(panels: readonly T[]): T[] {
  const all = fallen(panels.map((one) => ({ ...one, ...within(one) })));
  return panels.map((one) => all.find(({ id }) => id === one.id) ?? one);
}

/** Returns the first place with room for a panel of a size. */
export function roomFor(panels: readonly Place[], w: number, h: number): Place {
  const end = bottomOf(panels);
  for (let y = 0; y <= end; y += 1)
    for (let x = 0; x + w <= COLUMNS; x += 1) {
      const place = { x, y, w, h };
      if (!panels.some((one) => overlap(one, place)) && (y === end || restsOn(panels, place))) return place;
    }
  return { x: 0, y: end, w, h };
}

/** Whether a place is at the top, or below another panel without a gap. */
function restsOn(panels: readonly Place[], place: Place): boolean {
  return place.y === 0 || panels.some((one) => overlap(one, { ...place, y: place.y - 1 }));
}

/** Returns the row below all panels. */
export function bottomOf(panels: readonly Place[]): number {
  return panels.reduce((end, { y, h }) => Math.max(end, y + h), 0);
}

/** Returns where a key moves one of the panels, or with Shift its lower right corner; `null` for other keys. */
export function stepped<T extends Place & { id: string }>(
  panels: readonly T[],
  { id, x, y, w, h }: T,
  key: string,
  isResize: boolean,
): Place | null {
  const dx = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
  const dy = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
  if (dx === 0 && dy === 0) return null;
  if (isResize) return within({ x, y, w: Math.min(w + dx, COLUMNS - x), h: h + dy });
  const below = panels.filter((one) => one.id !== id && one.y >= y + h && one.x < x + w && x < one.x + one.w);
  const next = below.reduce<T | null>((near, one) => (near === null || one.y < near.y ? one : near), null);
  // One row down would fall up again: it goes as far as it takes to pass what is below it.
  const down = next === null ? y + 1 : Math.max(y + 1, Math.floor(next.y + next.h / 2) - h + 1);
  return within({ x: x + dx, y: dy > 0 ? down : y + dy, w, h });
}

/** A section: panels with one name above them; the first may have none. */
export interface Section {
  name: string;
  panels: BoardPanel[];
}

/** Returns the sections in the order of their first panels, each with rows of its own from 0. */
export function sectionsOf(panels: readonly BoardPanel[]): Section[] {
  const found = new Map<string, BoardPanel[]>();
  // Panels without a section stand above all sections.
  for (const panel of [...panels].sort((a, b) => Number(a.section !== undefined) - Number(b.section !== undefined))) {
    const name = panel.section ?? "";
    found.set(name, [...(found.get(name) ?? []), panel]);
  }
  return [...found].map(([name, all]) => {
    const top = all.reduce((least, { y }) => Math.min(least, y), Infinity);
    return { name, panels: settled(all.map((one) => ({ ...one, y: one.y - top }))) };
  });
}

/** Returns the panels of sections as the document has them: one below the other, in reading order. */
export function panelsOf(sections: readonly Section[]): BoardPanel[] {
  let top = 0;
  return sections.flatMap(({ panels }) => {
    const shifted = [...panels].sort(byPlace).map((one) => ({ ...one, y: one.y + top }));
    top += bottomOf(panels);
    return shifted;
  });
}

/** Returns an id that no panel has. */
export function freeId(panels: readonly { id: string }[]): string {
  let n = panels.length + 1;
  while (panels.some(({ id }) => id === `p${n}`)) n += 1;
  return `p${n}`;
}
