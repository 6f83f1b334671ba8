// How rows are drawn: lines broken or cut, close together or not.

import { t } from "../texts.ts";
import { go, view } from "../view.ts";

/** The two switches. */
export function RowOptions() {
  const { wrap, dense } = view.value;
  return (
    <span class="row-options">
      <button
        type="button"
        class="button quiet"
        aria-pressed={wrap}
        title={t("Wrap long lines (w)")}
        data-testid="wrap"
        onClick={() => go({ wrap: !wrap })}
      >
        {t("Wrap")}
      </button>
      <button
        type="button"
        class="button quiet"
        aria-pressed={dense}
        title={t("Dense rows (d)")}
        data-testid="dense"
        onClick={() => go({ dense: !dense })}
      >
        {t("Dense")}
      </button>
    </span>
  );
}
