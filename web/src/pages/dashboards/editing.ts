// Changes of panels and sections: each is one step that can be undone.

import type { BoardPanel, BoardText } from "../../api/dashboards.ts";
import { tell } from "../../parts/layers.tsx";
import { t } from "../../texts.ts";
import { go, view } from "../../view.ts";
import { bottomOf, freeId, panelsOf, placed, roomFor, sectionsOf, type Place, type Section } from "./grid.ts";
import { change, shown } from "./state.ts";

/** Size of a new panel. */
const NEW = { w: 12, h: 8 };

/** Returns the document with its sections changed. */
function bySections(text: BoardText, edit: (sections: Section[]) => Section[]): BoardText {
  return { ...text, panels: panelsOf(edit(sectionsOf(text.panels))) };
}

/** Moves a panel within its section, or resizes it. */
export function placePanel(section: string, id: string, to: Place): void {
  change((text) =>
    bySections(text, (all) =>
      all.map((one) => (one.name === section ? { ...one, panels: placed(one.panels, id, to) } : one)),
    ),
  );
}

/** Adds a panel where there is room for it, and returns its id. */
function addPanel(panel: Omit<BoardPanel, "id" | "x" | "y" | "w" | "h">, section?: string): string {
  const id = freeId(shown.peek()?.panels ?? []);
  change((text) =>
    bySections(text, (all) => {
      const mine = all.find(({ name }) => name === (section ?? ""));
      const of = section === undefined ? {} : { section };
      const added: BoardPanel = { ...panel, ...of, id, ...roomFor(mine?.panels ?? [], NEW.w, NEW.h) };
      if (!mine) return [...all, { name: section ?? "", panels: [added] }];
      return all.map((one) => (one === mine ? { ...one, panels: [...one.panels, added] } : one));
    }),
  );
  return id;
}

/** Adds a panel and opens its form. */
export function newPanel(section?: string): void {
  const id = addPanel(
    { kind: "line", title: "", queries: [{ id: "a", query: "stats count(*) by bin($__interval)" }] },
    section,
  );
  go({ board: { ...view.peek().board, edit: "1", panel: id } });
}

/** Puts a copy of a panel beside it. */
export function copyPanel({ id: _, x: _x, y: _y, w, h, ...rest }: BoardPanel): void {
  const id = addPanel(rest, rest.section);
  placeSize(id, w, h);
  tell(t("Panel duplicated"));
}

function placeSize(id: string, w: number, h: number): void {
  const section = sectionsOf(shown.peek()?.panels ?? []).find(({ panels }) => panels.some((one) => one.id === id));
  const panel = section?.panels.find((one) => one.id === id);
  if (section && panel) placePanel(section.name, id, { ...panel, w, h });
}

/** Removes a panel. */
export function removePanel({ id }: BoardPanel): void {
  change((text) =>
    bySections(text, (all) => all.map((one) => ({ ...one, panels: one.panels.filter((panel) => panel.id !== id) }))),
  );
  if (view.peek().board.panel === id) go({ board: { ...view.peek().board, panel: "" } });
  tell(t("Panel removed; undo brings it back"));
}

/** Gives a section another name; without a name its panels stand above all sections. */
export function renameSection(section: string, name: string): void {
  change((text) => ({
    ...text,
    panels: text.panels.map(({ section: own, ...one }) =>
      (own ?? "") === section
        ? name === ""
          ? one
          : { ...one, section: name }
        : own === undefined
          ? one
          : { ...one, section: own },
    ),
  }));
}

/** Moves a section up or down. */
export function moveSection(section: string, by: -1 | 1): void {
  change((text) =>
    bySections(text, (all) => {
      const at = all.findIndex(({ name }) => name === section);
      const to = at + by;
      if (at < 0 || to < 0 || to >= all.length || all[to]?.name === "") return all;
      const next = [...all];
      next.splice(to, 0, ...next.splice(at, 1));
      return next;
    }),
  );
}

/** Adds a section with one panel: a section is what its panels say. */
export function addSection(): void {
  const names = new Set((shown.peek()?.panels ?? []).map(({ section }) => section));
  let n = names.size;
  const name = () => t("Section {n}", { n });
  while (names.has(name())) n += 1;
  addPanel({ kind: "text", title: "", text: t("About this section") }, name());
}

/** Puts panels of another document below those that there are. */
export function below(panels: readonly BoardPanel[], added: BoardPanel): BoardPanel[] {
  return [...panels, { ...added, id: freeId(panels), x: 0, y: bottomOf(panels) }];
}
