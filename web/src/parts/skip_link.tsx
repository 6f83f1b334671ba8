// The link that leads past what stands before the results.

import { t } from "../texts.ts";
import { view } from "../view.ts";

/** The first stop of the Tab key: past the head and the fields, to the rows or to the page's own part. */
export function SkipLink() {
  const skip = (event: MouseEvent) => {
    event.preventDefault();
    const target = document.querySelector<HTMLElement>("[data-testid=rows], .table-box, .panel-body, main");
    if (target === null) return;
    if (target.tabIndex < 0) target.tabIndex = -1;
    target.focus();
  };
  return (
    <a class="skip" href="#results" onClick={skip} data-testid="skip">
      {view.value.page === "explore" ? t("Skip to the results") : t("Skip to the content")}
    </a>
  );
}
