// A dashboard out of another program's JSON: what was taken of it, panel by panel, before anything is stored.

import { useState } from "preact/hooks";

import { importBoard, saveNewBoard, type Imported } from "../../api/dashboards.ts";
import { count, oneLine } from "../../format.ts";
import { told, useAttempt, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { t } from "../../texts.ts";
import { boardAt, go } from "../../view.ts";

/** Most bytes of a file. */
const BYTES_MAX = 8e6;

/** Whether JSON is a dashboard of CloudWatch: widgets, and no panels. */
function formatOf(body: unknown): "grafana" | "cloudwatch" {
  return typeof body === "object" && body !== null && "widgets" in body ? "cloudwatch" : "grafana";
}

/** What a file of Grafana's API has around the dashboard. */
function unwrapped(body: unknown): unknown {
  if (typeof body !== "object" || body === null) return body;
  if ("dashboard" in body) return body.dashboard;
  // GetDashboard answers with the body as a text.
  return "DashboardBody" in body && typeof body.DashboardBody === "string" ? JSON.parse(body.DashboardBody) : body;
}

/** The form. */
export function ImportForm({ onDone }: { onDone: () => void }) {
  const [written, setWritten] = useState("");
  const [found, setFound] = useState<Imported | null>(null);
  const { problem, busy, attempt } = useAttempt((error) =>
    error instanceof SyntaxError ? t("Not valid JSON: {message}", { message: error.message }) : told(error),
  );
  const read = () =>
    attempt(async () => {
      const body = unwrapped(JSON.parse(written));
      setFound(await importBoard(formatOf(body), body));
    });
  const store = (of: Imported) =>
    attempt(async () => {
      const title = of.text.title || t("Imported dashboard");
      const name = await saveNewBoard({ ...of.text, title });
      onDone();
      go(boardAt(name));
    });
  const choose = async (file: File | undefined) => {
    if (!file) return;
    if (file.size > BYTES_MAX) return tell(t("The file is too large for a dashboard"));
    setWritten(await file.text());
    setFound(null);
  };
  const taken = found?.panels.filter((one) => one.taken).length ?? 0;
  return (
    <form
      class="key-form board-import"
      data-testid="board-import-form"
      onSubmit={(event) => {
        event.preventDefault();
        void (found ? store(found) : read());
      }}
    >
      <h2>{t("Import a dashboard")}</h2>
      <p class="dim">
        {t(
          "The JSON of a Grafana dashboard, or the body of a CloudWatch dashboard. Nothing is stored until you save it.",
        )}
      </p>
      <label>
        {t("File")}{" "}
        <input
          type="file"
          accept=".json,application/json"
          onChange={(event) => void choose(event.currentTarget.files?.[0])}
        />
      </label>
      <label>
        {t("or its text")}
        <textarea
          rows={8}
          spellcheck={false}
          class="mono"
          data-testid="board-import-text"
          value={written}
          onInput={(event) => {
            setWritten(event.currentTarget.value);
            setFound(null);
          }}
        />
      </label>
      <Wrong text={problem} />
      {found && (
        <div role="status" data-testid="board-import-report">
          <p>
            <b>
              {t("{taken} of {all} panels can be imported.", {
                taken: count(taken),
                all: count(found.panels.length),
              })}
            </b>
          </p>
          <ul class="short-list">
            {found.panels.map((one, at) => (
              <li key={at}>
                <span class={`badge ${one.taken ? "state-ok" : "state-pending"}`}>
                  {one.taken ? t("imported") : t("left out")}
                </span>{" "}
                <b>{oneLine(one.title, 100) || t("Panel without a title")}</b>{" "}
                {one.why !== "" && <span class="dim">{oneLine(one.why, 300)}</span>}
              </li>
            ))}
          </ul>
        </div>
      )}
      <p class="buttons">
        <button
          type="submit"
          class="button primary"
          disabled={busy || written.trim() === ""}
          data-testid="board-import-go"
        >
          {found ? t("Save as a dashboard") : t("Check it first")}
        </button>
        <Button class="button quiet" label={t("Cancel")} onClick={onDone} />
      </p>
    </form>
  );
}
