// A new dashboard: its title, and from it its name in the address.

import { useState } from "preact/hooks";

import { saveNewBoard } from "../../api/dashboards.ts";
import { useAttempt, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { t } from "../../texts.ts";
import { boardAt, go } from "../../view.ts";

/** The form. */
export function NewForm({ onDone }: { onDone: () => void }) {
  const [title, setTitle] = useState("");
  const { problem, busy, attempt } = useAttempt();
  const submit = async (event: Event) => {
    event.preventDefault();
    return attempt(async () => {
      const name = await saveNewBoard({ title: title.trim(), range: { from: "now-24h", to: "now" }, panels: [] });
      onDone();
      go(boardAt(name, { edit: "1" }));
    });
  };
  return (
    <form class="key-form" data-testid="board-new-form" onSubmit={(event) => void submit(event)}>
      <h2>{t("New dashboard")}</h2>
      <label>
        {t("Title")}{" "}
        <input
          required
          maxLength={200}
          autocomplete="off"
          data-testid="board-title"
          value={title}
          onInput={(event) => setTitle(event.currentTarget.value)}
        />
      </label>
      <Wrong text={problem} />
      <p class="buttons">
        <Button type="submit" class="button primary" label={t("Create")} disabled={busy || title.trim() === ""} />
        <Button class="button quiet" label={t("Cancel")} onClick={onDone} />
      </p>
    </form>
  );
}
