// Says, where the query that was run is used, that the editor holds another one.

import { oneLine } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { rich, t } from "../texts.ts";
import { isEdited, view } from "../view.ts";
import { submit } from "./editor_state.ts";

/** The note; nothing while what the editor holds was run. */
export function NotRun() {
  if (!isEdited.value) return null;
  const { query } = view.value;
  return (
    <p class="note warning" data-testid="not-run">
      {rich("The query in the editor was not run. This uses the query before it: {query}.", {
        query: query.trim() === "" ? t("all events") : <code lang="">{oneLine(query, 120)}</code>,
      })}{" "}
      <Button label={t("Run the edited query")} data-testid="run-edited" onClick={submit} />
    </p>
  );
}
