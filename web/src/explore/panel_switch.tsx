// What Explore shows of the events that match.

import { t, text } from "../texts.ts";
import { go, view, type Panel } from "../view.ts";

const PANELS: readonly { panel: Panel; name: string }[] = [
  { panel: "rows", name: text("Rows") },
  { panel: "patterns", name: text("Patterns") },
  { panel: "changes", name: text("What changed") },
  { panel: "differs", name: text("What differs") },
];

/** Rows, patterns, or what changed. */
export function PanelSwitch() {
  const now = view.value.panel;
  return (
    <div class="tabs" role="group" aria-label={t("Show")} data-testid="panels">
      {PANELS.map(({ panel, name }) => (
        <button
          key={panel}
          type="button"
          aria-pressed={now === panel}
          data-testid={`panel-${panel}`}
          onClick={() => go({ panel, row: "" })}
        >
          {t(name)}
        </button>
      ))}
    </div>
  );
}
