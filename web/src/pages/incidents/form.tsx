// The form of a new incident: a title is enough.

import { useEffect, useState } from "preact/hooks";

import { askIssue, makeIncident } from "../../api/issues.ts";
import { patternText } from "../../explore/panel_parts.tsx";
import { printable } from "../../format.ts";
import { useAttempt, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { Way } from "../../parts/way.tsx";
import { t } from "../../texts.ts";
import { go, view } from "../../view.ts";

/** Names out of a text with commas. */
export function namesOf(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

const TITLE_CHARS_MAX = 300;
/** The first event of an older issue is not when the incident began. */
const RECENT_MS = 24 * 3_600_000;

/** The page. A link may name an issue that the incident is about. */
export function IncidentForm() {
  const issue = view.value.find;
  const [typed, setTyped] = useState({ title: "", services: "", began: "now", groups: view.peek().groups.join(", ") });
  const { problem, busy, attempt } = useAttempt();
  const set = (name: keyof typeof typed) => (event: { currentTarget: { value: string } }) => {
    const { value } = event.currentTarget;
    setTyped((now) => ({ ...now, [name]: value }));
  };
  useEffect(() => {
    if (issue === "") return;
    const controller = new AbortController();
    askIssue(issue, controller.signal).then(
      ({ title, pattern, service, group, first_seen: first }) =>
        setTyped((now) => ({
          title: now.title || patternText(title || pattern).slice(0, TITLE_CHARS_MAX),
          services: now.services || (service ?? ""),
          groups: now.groups || group,
          began: now.began === "now" && Date.now() - Date.parse(first) < RECENT_MS ? first : now.began,
        })),
      // Without it the form is empty, and works.
      () => undefined,
    );
    return () => controller.abort();
  }, [issue]);
  const submit = (event: Event) => {
    event.preventDefault();
    return attempt(async () => {
      const made = await makeIncident({
        title: typed.title.trim(),
        services: namesOf(typed.services),
        groups: namesOf(typed.groups),
        ...(typed.began.trim() === "" ? {} : { began: typed.began.trim() }),
        ...(issue === "" ? {} : { items: [{ kind: "issue" as const, reference: issue }] }),
      });
      go({ open: made.id, find: "" });
    });
  };
  return (
    <main class="page incident" data-testid="incident-form">
      <h1>{t("New incident")}</h1>
      <form class="make" onSubmit={(event) => void submit(event)}>
        <label class="long">
          {t("Title")}
          <input required maxLength={TITLE_CHARS_MAX} autocomplete="off" value={typed.title} onInput={set("title")} />
        </label>
        <label>
          {t("Services")}
          <input autocomplete="off" placeholder="pay, checkout" value={typed.services} onInput={set("services")} />
        </label>
        <label>
          {t("Began")}
          <input autocomplete="off" placeholder="now-20m" value={typed.began} onInput={set("began")} />
        </label>
        <label>
          {t("Groups")}
          <input autocomplete="off" placeholder="app/*" value={typed.groups} onInput={set("groups")} />
        </label>
        <Wrong text={printable(problem)} />
        <div class="buttons">
          <Button type="submit" class="button primary" label={t("Create incident")} disabled={busy} />
          <Way class="button" to={{ open: "", find: "" }} label={t("Back")} />
        </div>
      </form>
    </main>
  );
}
