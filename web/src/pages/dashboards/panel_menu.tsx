// What can be done with a panel.

import type { BoardPanel } from "../../api/dashboards.ts";
import { Icon } from "../../parts/icons.tsx";
import { copy, layer, Menu, tell } from "../../parts/layers.tsx";
import { t } from "../../texts.ts";
import { address, frozen, go, view } from "../../view.ts";
import { csvOf, type Sheet } from "./csv.ts";
import { fileName, pictureOf, saveFile } from "./picture.ts";
import { copyPanel, removePanel } from "./editing.ts";

interface Props {
  panel: BoardPanel;
  title: string;
  sheet: (() => Sheet) | null;
  asTable: boolean;
  onTable: (() => void) | null;
  isEdited: boolean;
  onExplore: () => void;
}

function then(action: () => void): () => void {
  return () => {
    layer.value = "";
    action();
  };
}

async function savePicture(id: string, title: string): Promise<void> {
  const panel = document.querySelector<HTMLElement>(`[data-testid="board-panel"][data-id="${CSS.escape(id)}"]`);
  if (!panel) return;
  try {
    saveFile(await pictureOf(panel), fileName(title, "png"));
    tell(t("The browser saves the file"));
  } catch {
    tell(t("The picture could not be drawn"));
  }
}

/** The menu. */
export function PanelMenu({ panel, title, sheet, asTable, onTable, isEdited, onExplore }: Props) {
  const { board } = view.value;
  const isAlone = board.panel === panel.id && board.edit === "";
  const named = title || t("Panel");
  const item = (text: string, testId: string, action: () => void) => (
    <li>
      <button type="button" data-testid={testId} onClick={then(action)}>
        {text}
      </button>
    </li>
  );
  const toCsv = () =>
    sheet && saveFile(new Blob([csvOf(sheet())], { type: "text/csv;charset=utf-8" }), fileName(named, "csv"));
  const link = () =>
    void copy(
      new URL(address(frozen({ ...view.peek(), board: { ...board, panel: panel.id, edit: "" } })), location.href).href,
      t("Link with fixed times"),
    );
  return (
    <span class="board-panel-menu" data-no-picture>
      <Menu
        name={`board:${panel.id}`}
        label={t("Actions: {title}", { title: named })}
        testId="panel-menu"
        isPicture
        align="right"
        button={<Icon name="more" />}
      >
        <ul class="actions-list">
          {item(t("Edit…"), "panel-edit", () =>
            go({ board: { ...view.peek().board, panel: panel.id, edit: "1", wall: "" } }),
          )}
          {item(isAlone ? t("Back to the dashboard") : t("Show alone"), "panel-alone", () =>
            go({ board: { ...view.peek().board, panel: isAlone ? "" : panel.id } }),
          )}
          {onTable && item(asTable ? t("Show as a chart") : t("Show as a table"), "panel-table", onTable)}
          {panel.kind !== "text" && panel.kind !== "map" && item(t("Open in Explore"), "panel-explore", onExplore)}
          {sheet && item(t("Save as CSV"), "panel-csv", toCsv)}
          {item(t("Save as PNG"), "panel-png", () => void savePicture(panel.id, named))}
          {item(t("Copy link"), "panel-link", link)}
          {isEdited && item(t("Duplicate"), "panel-copy", () => copyPanel(panel))}
          {isEdited && item(t("Remove"), "panel-remove", () => removePanel(panel))}
        </ul>
      </Menu>
    </span>
  );
}
