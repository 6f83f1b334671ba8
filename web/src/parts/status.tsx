// A line that says what is going on.

import { t } from "../texts.ts";

/** Says that something loads, or another text. */
export function Status({ text = t("Loading…"), "data-testid": testId }: { text?: string; "data-testid"?: string }) {
  return (
    <p class="dim" role="status" data-testid={testId}>
      {text}
    </p>
  );
}
