// What Explore shows of the events that match, and the way to the first look at them.

import { Way } from "../parts/way.tsx";
import { headOf } from "../query/edit.ts";
import { t, text } from "../texts.ts";
import { frozen, go, view, type Panel } from "../view.ts";

const PANELS: readonly { panel: Panel; name: string }[] = [
  { panel: "rows", name: text("Rows") },
  { panel: "patterns", name: text("Patterns") },
  { panel: "changes", name: text("What changed") },
  { panel: "differs", name: text("What differs") },
];

/** Rows, patterns, or what changed. Errors need not rise for a first look, so it can be reached from here. */
export function PanelSwitch() {
  const { panel: now, language } = view.value;
  const { query, from, to } = frozen(view.value);
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
      {language === "insights" && (
        <Way to={{ page: "first-look", open: "", query: headOf(query), from, to }} data-testid="panel-first-look">
          {t("First look")}
        </Way>
      )}
    </div>
  );
}
