// What can be done with a column, for those who do not drag.

import { useEffect, useRef } from "preact/hooks";

import { layer } from "../parts/layers.tsx";
import { t } from "../texts.ts";
import { columnTitle } from "./column_title.ts";
import type { Placed } from "./layout.ts";
import { hideColumn, moveColumn, resizeColumn, showColumn } from "./layout_edit.ts";

/** The menu of a column. */
export function ColumnMenu({
  placed,
  index,
  hidden,
}: {
  placed: readonly Placed[];
  index: number;
  hidden: readonly string[];
}) {
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const name = placed[index]?.column.name ?? "";
  const then = (action: () => void) => () => {
    layer.value = "";
    action();
  };
  return (
    <ul class="actions-list">
      <li>
        <button
          ref={first}
          type="button"
          disabled={placed.length < 2}
          data-testid="hide-column"
          onClick={then(() => hideColumn(placed, name))}
        >
          {t("Hide")}
        </button>
      </li>
      <li>
        <button
          type="button"
          disabled={index === 0}
          data-testid="column-left"
          onClick={then(() => moveColumn(placed, name, index - 1))}
        >
          {t("Move to the left")}
        </button>
      </li>
      <li>
        <button
          type="button"
          disabled={index === placed.length - 1}
          data-testid="column-right"
          onClick={then(() => moveColumn(placed, name, index + 1))}
        >
          {t("Move to the right")}
        </button>
      </li>
      <li>
        <button type="button" onClick={then(() => resizeColumn(placed, name, null))}>
          {t("Fit the content")}
        </button>
      </li>
      {hidden.map((one) => (
        <li key={one}>
          <button type="button" data-testid={`show-${one}`} onClick={then(() => showColumn(placed, one))}>
            {t("Show {name} again", { name: columnTitle(one) })}
          </button>
        </li>
      ))}
    </ul>
  );
}
