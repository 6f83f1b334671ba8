// The panels on their grid. While the dashboard is changed, they are moved and resized by pointer or by keys.

import { useRef, useState } from "preact/hooks";

import type { BoardPanel } from "../../api/dashboards.ts";
import { Icon } from "../../parts/icons.tsx";
import { tell } from "../../parts/layers.tsx";
import { t } from "../../texts.ts";
import type { BoardRange } from "./ask.ts";
import { placePanel } from "./editing.ts";
import { COLUMNS, placed, ROW_PX, stepped, within, type Place, type Section } from "./grid.ts";
import { Panel, type PanelProps } from "./panel.tsx";
import type { Choices } from "./variables.ts";

/** What a section of the grid is shown with. */
interface GridProps {
  section: Section;
  choices: Choices;
  range: BoardRange;
  again: number;
  isEdited: boolean;
  /** Whether panels have menus, which a wallboard has not. */
  hasMenus?: boolean;
  /** Whether panels ask though they are not on screen. */
  isEager?: boolean;
  onAnswer?: PanelProps["onAnswer"];
}

interface Drag {
  id: string;
  isResize: boolean;
  /** Where the pointer was, in pixels, and the place then. */
  x: number;
  y: number;
  place: Place;
  to: Place;
}

/** The grid of a section. */
export function Grid({ section, isEdited, hasMenus = true, onAnswer, ...rest }: GridProps) {
  const root = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const panels = drag === null ? section.panels : placed(section.panels, drag.id, drag.to);
  // What is dragged stays where it is in the document: moved, it would lose the pointer.
  const order = [...section.panels].sort((a, b) => a.y - b.y || a.x - b.x);
  const ordered = order.flatMap(({ id }) => panels.find((one) => one.id === id) ?? []);
  const begin = (panel: BoardPanel, isResize: boolean) => (event: PointerEvent) => {
    if (event.button !== 0) return;
    event.preventDefault();
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    const { x, y, w, h } = panel;
    setDrag({ id: panel.id, isResize, x: event.clientX, y: event.clientY, place: { x, y, w, h }, to: { x, y, w, h } });
  };
  const move = (event: PointerEvent) => {
    if (drag === null) return;
    const column = (root.current?.clientWidth ?? 1) / COLUMNS;
    const [dx, dy] = [(event.clientX - drag.x) / column, (event.clientY - drag.y) / ROW_PX];
    const { x, y, w, h } = drag.place;
    const to = within(
      drag.isResize ? { x, y, w: Math.min(w + dx, COLUMNS - x), h: h + dy } : { x: x + dx, y: y + dy, w, h },
    );
    if (JSON.stringify(to) !== JSON.stringify(drag.to)) setDrag({ ...drag, to });
  };
  const end = () => {
    if (drag && JSON.stringify(drag.to) !== JSON.stringify(drag.place)) placePanel(section.name, drag.id, drag.to);
    setDrag(null);
  };
  const handlers = (panel: BoardPanel, isResize: boolean) => ({
    onPointerDown: begin(panel, isResize),
    onPointerMove: move,
    onPointerUp: end,
    onPointerCancel: () => setDrag(null),
  });
  const onKeyDown = (panel: BoardPanel, isResize: boolean) => (event: KeyboardEvent) => {
    if (event.key === "Escape" && drag !== null) setDrag(null);
    const to = stepped(section.panels, panel, event.key, isResize || event.shiftKey);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    const handle = event.currentTarget as HTMLElement;
    placePanel(section.name, panel.id, to);
    // The panel may have got another place in the document, and lost the focus with it.
    requestAnimationFrame(() => handle.focus());
    tell(t("column {x}, row {y}, {w} wide, {h} high", { x: to.x + 1, y: to.y + 1, w: to.w, h: to.h }));
  };
  return (
    <div class={`board-grid${isEdited ? " edited" : ""}${drag ? " dragging" : ""}`} ref={root} data-testid="board-grid">
      {ordered.map((panel) => (
        <div
          key={panel.id}
          class={`board-cell${drag?.id === panel.id ? " moving" : ""}`}
          style={{ "--x": panel.x + 1, "--y": panel.y + 1, "--w": panel.w, "--h": panel.h }}
        >
          <Panel panel={panel} isEdited={isEdited} hasMenu={hasMenus} {...(onAnswer ? { onAnswer } : {})} {...rest}>
            {isEdited && (
              <button
                type="button"
                class="tiny board-move"
                aria-label={t("Move {title}: arrow keys, with Shift they resize", {
                  title: panel.title || t("Panel"),
                })}
                title={t("Drag to move; arrow keys move, with Shift they resize")}
                data-testid="panel-move"
                data-no-picture
                {...handlers(panel, false)}
                onKeyDown={onKeyDown(panel, false)}
              >
                <Icon name="move" />
              </button>
            )}
          </Panel>
          {isEdited && (
            <button
              type="button"
              class="board-resize"
              aria-label={t("Resize {title}: arrow keys", { title: panel.title || t("Panel") })}
              title={t("Drag to resize")}
              data-testid="panel-resize"
              {...handlers(panel, true)}
              onKeyDown={onKeyDown(panel, true)}
            />
          )}
        </div>
      ))}
    </div>
  );
}
