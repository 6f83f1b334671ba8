// The decisions about an issue: acknowledge, resolve, ignore, reopen, owner and note.

import { useState } from "preact/hooks";

import { changeIssue, type Issue, type IssueChange } from "../../api/issues.ts";
import { printable } from "../../format.ts";
import { useAttempt, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { who } from "../../session.ts";
import { t } from "../../texts.ts";

const NOTE_CHARS_MAX = 4000;

/** What an issue is ignored until, as it is chosen. */
type Wait = "" | "count" | "time" | "version";

/** The forms. */
export function Decide({ issue, onChange }: { issue: Issue; onChange: () => void }) {
  const [owner, setOwner] = useState(issue.owner ?? "");
  const [note, setNote] = useState(issue.note ?? "");
  const [version, setVersion] = useState("");
  const [wait, setWait] = useState<Wait>("");
  const [until, setUntil] = useState("");
  const { problem, busy, attempt } = useAttempt();
  const change = async (what: IssueChange) => {
    return attempt(async () => {
      await changeIssue(issue.id, what);
      tell(t("Issue saved"));
      onChange();
    });
  };
  const ignore = () => {
    if (wait === "") return change({ state: "ignored" });
    if (wait === "version") return change({ state: "ignored", version: until.trim() });
    return change({ state: "ignored", until: wait === "count" ? Number(until) : until.trim() });
  };
  const isOver = issue.state === "resolved" || issue.state === "ignored";
  const button = (label: string, what: IssueChange, testId: string, isPrimary = false) => (
    <button
      type="button"
      class={`button small${isPrimary ? " primary" : ""}`}
      disabled={busy}
      data-testid={testId}
      onClick={() => void change(what)}
    >
      {label}
    </button>
  );
  return (
    <div class="decide">
      <div class="buttons">
        {!isOver &&
          issue.state !== "acknowledged" &&
          button(
            t("Acknowledge"),
            { state: "acknowledged", ...(issue.owner === null && who.value?.user ? { owner: who.value.name } : {}) },
            "issue-acknowledge",
            true,
          )}
        {(isOver || issue.state === "acknowledged") && button(t("Reopen"), { state: "open" }, "issue-reopen")}
      </div>
      {!isOver && (
        <form
          class="make"
          onSubmit={(event) => {
            event.preventDefault();
            void change({ state: "resolved", ...(version.trim() === "" ? {} : { version: version.trim() }) });
          }}
        >
          <label>
            {t("Repaired in version (optional)")}
            <input autocomplete="off" value={version} onInput={(event) => setVersion(event.currentTarget.value)} />
          </label>
          <Button type="submit" class="button small" label={t("Resolve")} disabled={busy} data-testid="issue-resolve" />
        </form>
      )}
      {!isOver && (
        <form
          class="make"
          onSubmit={(event) => {
            event.preventDefault();
            void ignore();
          }}
        >
          <label>
            {t("Ignore until")}
            <select value={wait} onChange={(event) => setWait(event.currentTarget.value as Wait)}>
              <option value="">{t("reopened by hand")}</option>
              <option value="count">{t("a number of further events")}</option>
              <option value="time">{t("a time")}</option>
              <option value="version">{t("a version")}</option>
            </select>
          </label>
          {wait !== "" && (
            <label>
              {wait === "count" ? t("Further events") : wait === "time" ? t("Time") : t("Version")}
              <input
                required
                autocomplete="off"
                inputMode={wait === "count" ? "numeric" : "text"}
                pattern={wait === "count" ? "[1-9][0-9]*" : undefined}
                placeholder={wait === "count" ? "1000" : wait === "time" ? "now+7d" : "1.4.2"}
                value={until}
                onInput={(event) => setUntil(event.currentTarget.value)}
              />
            </label>
          )}
          <Button type="submit" class="button small" label={t("Ignore")} disabled={busy} data-testid="issue-ignore" />
        </form>
      )}
      <form
        class="make"
        onSubmit={(event) => {
          event.preventDefault();
          void change({ owner: owner.trim() || null, note: note.trim() || null });
        }}
      >
        <label>
          {t("Owner")}
          <input
            autocomplete="off"
            maxLength={200}
            value={owner}
            onInput={(event) => setOwner(event.currentTarget.value)}
          />
        </label>
        <label class="long">
          {t("Note")}
          <textarea
            rows={2}
            maxLength={NOTE_CHARS_MAX}
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
          />
        </label>
        <Button type="submit" class="button small" label={t("Save")} disabled={busy} data-testid="issue-save" />
      </form>
      <Wrong text={printable(problem)} />
    </div>
  );
}
