// Opens the fields where the screen has no room for them beside the rows.

import { Icon } from "../parts/icons.tsx";
import { layer } from "../parts/layers.tsx";
import { t } from "../texts.ts";
import { view } from "../view.ts";

/** The button above the rows. */
export function FieldsButton() {
  return (
    <button
      type="button"
      class="button quiet fields-button"
      aria-label={view.value.language === "promql" ? t("Metrics") : t("Fields")}
      aria-expanded={layer.value === "fields"}
      data-layer="fields"
      onClick={() => (layer.value = layer.value === "fields" ? "" : "fields")}
    >
      <Icon name="sidebar" />
      <span>{view.value.language === "promql" ? t("Metrics") : t("Fields")}</span>
    </button>
  );
}
