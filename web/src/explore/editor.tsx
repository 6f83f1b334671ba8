// The query's place: a plain text area that can be written in at once, in whose place the editor comes when it has been
// loaded (text, caret and focus are handed over), and below it what the server said about the text.

import { useEffect, useRef } from "preact/hooks";

import { counts, rows, type Lane } from "../ask.ts";
import type { ApiError, Notice } from "../api.ts";
import { sentence } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { later } from "../parts/later.tsx";
import { referenceAt } from "../query/lex.ts";
import type { Rows } from "../rows.ts";
import { t, told } from "../texts.ts";
import { draft, view } from "../view.ts";
import { checked, focusBy, isEquipped, manualOf, placeholder, queryBefore, submit, undoQuery } from "./editor_state.ts";

const NO_ANSWER: Lane<Rows> = { state: "idle", data: null, error: null, since: 0 };

const QueryEditor = later(async () => (await import("./query_editor.tsx")).QueryEditor, true);

/** What is wrong with the text as it stands: what the server said when it was run, else when it was looked at. */
function errorNow(): ApiError | null {
  const lane = answerNow();
  const ran = draft.value === view.value.query;
  if (ran && lane.state === "error") return lane.error?.status === 400 ? lane.error : null;
  return checked.value?.text === draft.value && !(ran && lane.state === "done") ? checked.value.error : null;
}

/** The lane of the rows; in other languages nothing is known of them. */
function answerNow(): Lane<Rows> {
  return view.value.language === "insights" ? rows.value : NO_ANSWER;
}

function TextArea({ error }: { error: boolean }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing || event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    submit();
  };
  useEffect(() => {
    focusBy(() => area.current?.focus());
    // A person who opens the page wants to ask; somebody who came by a link wants to read.
    if (view.peek().query === "" && view.peek().row === "" && matchMedia("(pointer: fine)").matches)
      area.current?.focus({ preventScroll: true });
  }, []);
  return (
    <textarea
      ref={area}
      data-testid="query"
      aria-label={t("Query")}
      aria-describedby="query-notes"
      aria-invalid={error}
      placeholder={placeholder()}
      spellcheck={false}
      autocomplete="off"
      autocapitalize="off"
      rows={draft.value.split("\n").length}
      value={draft.value}
      onInput={(event) => (draft.value = event.currentTarget.value)}
      onKeyDown={onKey}
    />
  );
}

/** The editor with what the server said about the text. */
export function Editor() {
  const lane = answerNow();
  const error = errorNow();
  const isDone = error === null && lane.state === "done" && lane.data !== null && draft.value === view.value.query;
  return (
    <div class="editor">
      <div class={`editor-box${error ? " has-error" : ""}`}>
        {!isEquipped.value && <TextArea error={error !== null} />}
        <QueryEditor key={view.value.language} error={error} />
      </div>
      <div id="query-notes" class="notes" aria-live="polite">
        {error && <ErrorNote error={error} />}
        {isDone && lane.data && <Notices all={lane.data.answer.warnings} more={lane.data.more} />}
        {!error &&
          view.value.language === "insights" &&
          counts.value.state === "error" &&
          counts.value.error?.status === 400 &&
          lane.state !== "error" && (
            <p class="note">{t("No histogram for this query: {reason}", { reason: counts.value.error.message })}</p>
          )}
      </div>
    </div>
  );
}

/** What the reference says about a mistake: about the word that was probably meant, or about its place. */
function seeOf(error: ApiError): string {
  const { language } = view.peek();
  if (language !== "insights") return manualOf(language);
  const meant = /did you mean .(\w+)/.exec(error.advice ?? "")?.[1];
  return meant ? `reference#${meant.toLowerCase()}` : referenceAt(draft.peek(), error.start ?? 0);
}

function ErrorNote({ error }: { error: ApiError }) {
  const [line, column] = [error.line ?? 0, error.column ?? 0];
  const place =
    error.line === null
      ? ""
      : error.column === null
        ? t("Line {line}: ", { line })
        : t("Line {line}, column {column}: ", { line, column });
  return (
    <p class="note error" data-testid="query-error">
      <span>{sentence(place + error.message)}</span>
      {error.hint && (
        <span class="hint" data-testid="query-hint">
          {" "}
          {sentence(error.hint)}
        </span>
      )}{" "}
      <a href={seeOf(error)} target="_blank" rel="noopener" data-testid="query-see">
        {t("See the reference")}
      </a>
    </p>
  );
}

/** Clocks that differ by less than this are no clocks that are wrong. */
const AHEAD_MS_MIN = 5000;

/** Whether a notice is about events that are hardly ahead of the clock: they arrived while the question was asked. */
function isHurry({ code, message }: Notice): boolean {
  const [to, newest] = (message.match(/\d{4}-\d\d-\d\dT[\d:.]+Z/g) ?? []).map((time) => Date.parse(time));
  return code === "events-ahead" && (newest ?? Infinity) - (to ?? 0) < AHEAD_MS_MIN;
}

function Notices({ all, more }: { all: readonly Notice[]; more: boolean }) {
  const shown = all.filter(
    (notice) =>
      !(more && notice.code === "more") && !/^(newest-event|no-events)$/.test(notice.code) && !isHurry(notice),
  );
  return (
    <>
      {shown.map((notice, at) =>
        notice.code === "phrase-search" ? (
          <Phrase key={at} notice={notice} />
        ) : (
          <p key={at} class="note warning" data-testid="query-warning">
            {notice.line ? t("Line {line}: ", { line: notice.line }) : ""}
            {sentence(told(notice.code, notice.message))}
            {notice.hint && <span class="hint"> {sentence(told(notice.code, notice.hint))}</span>}
            <Meant notice={notice} />
          </p>
        ),
      )}
    </>
  );
}

/** The field that was probably meant, as a button that writes it. */
function Meant({ notice: { message, hint } }: { notice: Notice }) {
  const wrong = /field `([^`]+)`/.exec(message)?.[1];
  const word = /did you mean `([^`]+)`/.exec(hint ?? "")?.[1];
  const { query } = view.value;
  if (wrong === undefined || word === undefined || query.split(wrong).length !== 2) return null;
  const write = () => {
    draft.value = query.replace(wrong, () => word);
    submit();
  };
  return (
    <>
      {" "}
      <Button label={t("Write “{word}”", { word })} data-testid="write-field" onClick={write} />
    </>
  );
}

/** The words were no query: what was done with them, and the way back. */
function Phrase({ notice }: { notice: Notice }) {
  return (
    <p class="note warning" data-testid="query-warning">
      {t("Searched as a phrase.")}
      {notice.hint && <span class="dim"> {sentence(told(notice.code, notice.hint))}</span>}
      {queryBefore.value !== null && (
        <>
          {" "}
          <Button label={t("Undo")} data-testid="undo-query" onClick={undoQuery} />
        </>
      )}
    </p>
  );
}
