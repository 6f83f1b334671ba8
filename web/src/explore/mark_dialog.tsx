// The form of a new mark.

import { useEffect, useState } from "preact/hooks";

import { addMark } from "../api/cause.ts";
import { readRange } from "../api/time.ts";
import { printable } from "../format.ts";
import { useAttempt, Wrong } from "../parts/attempt.tsx";
import { Dialog, layer, tell } from "../parts/layers.tsx";
import { adopt } from "../parts/style.ts";
import { attributesOf } from "../pages/traces/search.ts";
import { Button } from "../parts/button.tsx";
import rules from "../style/cause.css?inline";
import { t } from "../texts.ts";
import { fullText, type Zone } from "../time.ts";
import { view } from "../view.ts";
import { askForMarks, newMark } from "./marks.ts";

adopt(rules);

const TEXT_CHARS_MAX = 500;

/** The dialog. */
export function MarkDialog() {
  return (
    <Dialog
      open={layer.value === "mark"}
      onClose={() => {
        if (layer.peek() === "mark") layer.value = "";
        newMark.value = null;
      }}
      label={t("Add a mark")}
    >
      <Form />
    </Dialog>
  );
}

/** The instant that a text means, as the server reads it. */
async function instantOf(text: string, zone: Zone): Promise<number> {
  if (text.trim() === "now") return Date.now();
  return Date.parse((await readRange(text.trim(), zone, new AbortController().signal)).from_time);
}

function Form() {
  const zone = view.value.zone;
  const written = (ms: number) => fullText(ms, zone);
  const begun = newMark.peek();
  const [typed, setTyped] = useState({
    text: "",
    at: begun === null ? "now" : written(begun.from),
    until: begun?.to == null ? "" : written(begun.to),
    fields: "",
  });
  const { problem, busy, attempt } = useAttempt((error) => (error instanceof Error ? error.message : String(error)));
  useEffect(() => document.querySelector<HTMLElement>("#mark-text")?.focus(), []);
  const set = (name: keyof typeof typed) => (event: { currentTarget: { value: string } }) => {
    const { value } = event.currentTarget;
    setTyped((now) => ({ ...now, [name]: value }));
  };
  const submit = (event: Event) => {
    event.preventDefault();
    return attempt(async () => {
      const at = await instantOf(typed.at, zone);
      const until = typed.until.trim() === "" ? null : await instantOf(typed.until, zone);
      if (until !== null && until < at) throw new Error(t("The end is before the start."));
      await addMark({
        text: typed.text.trim(),
        at: new Date(at).toISOString(),
        until: until === null ? null : new Date(until).toISOString(),
        fields: attributesOf(typed.fields),
      });
      layer.value = "";
      tell(t("Mark added"));
      askForMarks();
    });
  };
  return (
    <form class="make mark-form" data-testid="mark-form" onSubmit={(event) => void submit(event)}>
      <h2>{t("Add a mark")}</h2>
      <p class="dim note">{t("A deployment, a migration, a switched flag: drawn on every chart over time.")}</p>
      <label class="whole">
        {t("Text")}
        <input
          id="mark-text"
          required
          maxLength={TEXT_CHARS_MAX}
          autocomplete="off"
          value={typed.text}
          onInput={set("text")}
        />
      </label>
      <label>
        {t("Time")}
        <input required autocomplete="off" name="at" value={typed.at} onInput={set("at")} />
      </label>
      <label>
        {t("Until (optional)")}
        <input autocomplete="off" name="until" value={typed.until} onInput={set("until")} />
      </label>
      <label class="whole">
        {t("Fields (optional)")}
        <input
          autocomplete="off"
          autocapitalize="none"
          name="fields"
          placeholder="service=pay version=1.4.2"
          value={typed.fields}
          onInput={set("fields")}
        />
      </label>
      <Wrong text={printable(problem)} class="whole" />
      <div class="buttons whole">
        <Button type="submit" class="button primary" label={t("Add the mark")} disabled={busy} />
        <Button class="button" label={t("Cancel")} onClick={() => (layer.value = "")} />
      </div>
    </form>
  );
}
