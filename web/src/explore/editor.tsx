// The query editor: a real text area over a coloured copy of its text. The copy gives it its height, shows the colours and
// underlines what the server could not read; the text area is what people and screen readers write in.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { counts, rows } from "../ask.ts";
import { format, type ApiError, type Notice } from "../api.ts";
import { Icon } from "../parts/icons.tsx";
import { tell } from "../parts/layers.tsx";
import { COMMANDS, KEYWORDS, lex, referenceAt, type Token } from "../query/lex.ts";
import { draft, run, view } from "../view.ts";
import { askedCompletions, completions, Suggestions, type Suggestion } from "./suggest.tsx";

const HISTORY = "catat.history";
const HISTORY_MAX = 50;

// Fast typing asks once, at its end.
const ASK_AFTER_MS = 60;

const suggestions = signal<Suggestion[]>([]);
const chosen = signal(-1);
let asking = new AbortController();

/** Closes the list; an answer that is on its way does not open it again. */
function closeSuggestions(): void {
  asking.abort();
  suggestions.value = [];
}

/** Suggests what is known here at once, and what the server knows when it has said so. */
function suggestAt(area: HTMLTextAreaElement): void {
  asking.abort();
  const mine = (asking = new AbortController());
  const [text, caret] = [area.value, area.selectionStart];
  chosen.value = -1;
  suggestions.value = completions(text, caret);
  setTimeout(() => {
    if (mine.signal.aborted || area.value !== text || area.selectionStart !== caret) return;
    askedCompletions(text, caret, mine.signal).then((asked) => {
      if (mine.signal.aborted || area.value !== text) return;
      const picked = suggestions.peek()[chosen.peek()]?.label;
      suggestions.value = asked;
      chosen.value = picked === undefined ? -1 : asked.findIndex((one) => one.label === picked);
    }, () => undefined);
  }, ASK_AFTER_MS);
}

function pastQueries(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(HISTORY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}

function remember(text: string): void {
  if (text.trim() === "" || text.length > 4000) return;
  try {
    localStorage.setItem(HISTORY, JSON.stringify([text, ...pastQueries().filter((one) => one !== text)].slice(0, HISTORY_MAX)));
  } catch {
    // Storage is switched off or full: no history then.
  }
}

/** The class of a token's colour. */
function colour(token: Token, next: Token | undefined, first: boolean): string {
  if (token.kind !== "word") return token.kind;
  const word = token.text.toLowerCase();
  if (first && COMMANDS.has(word)) return "command";
  if (KEYWORDS.has(word)) return "keyword";
  if (next?.text === "(") return "function";
  return token.text.startsWith("@") ? "system" : "name";
}

/** The text in colours, with the place of an error underlined. */
function Coloured({ text, error }: { text: string; error: ApiError | null }) {
  const from = error?.start ?? -1;
  const to = Math.max(error?.end ?? from, from + 1);
  const tokens = lex(text);
  let begins = true;
  const parts = tokens.map((token, at) => {
    const name = colour(token, tokens[at + 1], begins);
    begins = token.kind === "pipe" || token.kind === "newline" || (begins && (token.kind === "space" || token.kind === "comment"));
    const wrong = from >= 0 && token.start < to && token.end > from && token.kind !== "newline";
    return <span key={at} class={`tok-${name}${wrong ? " wrong" : ""}`}>{token.text}</span>;
  });
  return <pre class="coloured" aria-hidden="true">{parts}{from >= text.length && <span class="wrong"> &nbsp;</span>}{"\n"}</pre>;
}

function useHistory(area: { current: HTMLTextAreaElement | null }) {
  const at = useRef(-1);
  return (event: KeyboardEvent): boolean => {
    const past = pastQueries();
    const browsing = at.current >= 0 && draft.peek() === past[at.current];
    if (!browsing && draft.peek() !== "") return false;
    if (!browsing) at.current = -1;
    const next = at.current + (event.key === "ArrowUp" ? 1 : -1);
    if (next >= past.length || (next < 0 && !browsing)) return false;
    at.current = next;
    if (area.current) area.current.value = past[next] ?? "";
    draft.value = past[next] ?? "";
    return true;
  };
}

function accept(area: HTMLTextAreaElement | null): boolean {
  const suggestion = suggestions.peek()[chosen.peek()];
  if (!suggestion || !area) return false;
  // In the text area itself and at once: the next key may already be on its way.
  area.setRangeText(suggestion.insert, suggestion.start, suggestion.end, "end");
  draft.value = area.value;
  closeSuggestions();
  return true;
}

function onSuggestionKey(event: KeyboardEvent, area: HTMLTextAreaElement | null): boolean {
  const all = suggestions.peek();
  if (all.length === 0) return false;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const step = event.key === "ArrowDown" ? 1 : -1;
    chosen.value = (chosen.peek() + step + all.length + (chosen.peek() < 0 && step < 0 ? 1 : 0)) % all.length;
    return true;
  }
  if (event.key === "Escape") {
    closeSuggestions();
    return true;
  }
  if (event.key === "Tab" && !event.shiftKey) {
    if (chosen.peek() < 0) chosen.value = 0;
    return accept(area);
  }
  return event.key === "Enter" && !event.ctrlKey && !event.metaKey && accept(area);
}

/** Puts the query into the one layout. It is typed in, so that the editor's own undo takes it back. */
async function tidy(area: HTMLTextAreaElement | null): Promise<void> {
  const text = draft.peek();
  if (!area || text.trim() === "") return;
  try {
    const tidied = await format(text);
    if (draft.peek() !== text || tidied === text) return;
    area.focus();
    area.select();
    if (!document.execCommand("insertText", false, tidied)) area.setRangeText(tidied, 0, text.length, "end");
    draft.value = area.value;
    closeSuggestions();
  } catch (error) {
    tell(error instanceof Error ? error.message : "that did not work");
  }
}

/** Shows what the reference says about the suggestion chosen, or about what stands at the caret. */
function explain(area: HTMLTextAreaElement | null): void {
  const see = suggestions.peek()[Math.max(chosen.peek(), 0)]?.see ?? referenceAt(draft.peek(), area?.selectionStart ?? 0);
  open(new URL(see, document.baseURI), "_blank", "noopener");
}

/** Asks what the editor holds. */
export function submit(): void {
  closeSuggestions();
  remember(draft.peek());
  run();
}

/** The editor with what the server said about the text. */
export function Editor() {
  const area = useRef<HTMLTextAreaElement>(null);
  const browse = useHistory(area);
  const lane = rows.value;
  const error = lane.state === "error" && lane.error?.status === 400 && draft.value === view.value.query ? lane.error : null;
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    let taken = onSuggestionKey(event, area.current);
    if (event.key === "F1" || (event.shiftKey && event.altKey && event.code === "KeyF")) {
      if (event.key === "F1") explain(area.current);
      else void tidy(area.current);
      taken = true;
    }
    if (!taken && event.key === "Enter" && !event.shiftKey) {
      submit();
      taken = true;
    } else if (!taken && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      taken = browse(event);
    }
    if (taken) event.preventDefault();
  };
  useEffect(() => {
    // A person who opens the page wants to ask; somebody who came by a link wants to read.
    if (view.peek().query === "" && view.peek().row === "" && matchMedia("(pointer: fine)").matches) area.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="editor">
      <div class={`editor-box${error ? " has-error" : ""}`}>
        <div class="editor-text">
          <Coloured text={draft.value} error={error} />
          <textarea ref={area} data-testid="query" aria-label="Query" aria-describedby="query-notes" aria-invalid={error !== null}
            placeholder={'Search: connection refused · filter @level >= "error" · stats count(*) by host'}
            spellcheck={false} autocomplete="off" autocapitalize="off" rows={1} value={draft.value}
            onInput={(event) => { draft.value = event.currentTarget.value; suggestAt(event.currentTarget); }}
            onKeyDown={onKey} onBlur={closeSuggestions} />
        </div>
        {draft.value.trim() !== "" && <button type="button" class="tiny" data-testid="format" aria-label="Format the query" title="Format (Shift Alt F)" onClick={() => void tidy(area.current)}><Icon name="format" /></button>}
      </div>
      <Suggestions all={suggestions.value} chosen={chosen.value} onPick={(at) => { chosen.value = at; accept(area.current); area.current?.focus(); }} />
      <div id="query-notes" class="notes" aria-live="polite">
        {error && <ErrorNote error={error} />}
        {!error && lane.state === "done" && lane.data && <Notices all={lane.data.answer.warnings} more={lane.data.more} />}
        {!error && counts.value.state === "error" && counts.value.error?.status === 400 && lane.state !== "error" &&
          <p class="note">No histogram for this query: {counts.value.error.message}</p>}
      </div>
    </div>
  );
}

/** What the reference says about a mistake: about the word that was probably meant, or about its place. */
function seeOf(error: ApiError): string {
  const meant = /did you mean .(\w+)/.exec(error.hint ?? "")?.[1];
  return meant ? `reference#${meant.toLowerCase()}` : referenceAt(draft.peek(), error.start ?? 0);
}

function ErrorNote({ error }: { error: ApiError }) {
  const place = error.line === null ? "" : `Line ${error.line}${error.column === null ? "" : `, column ${error.column}`}: `;
  return (
    <p class="note error" role="alert" data-testid="query-error">
      <span>{place}{error.message}</span>
      {error.hint && <span class="hint" data-testid="query-hint"> {error.hint}</span>}
      {" "}<a href={seeOf(error)} target="_blank" rel="noopener" data-testid="query-see">See the reference</a>
    </p>
  );
}

function Notices({ all, more }: { all: readonly Notice[]; more: boolean }) {
  const shown = all.filter((notice) => !(more && notice.code === "more") && !/^(newest-event|no-events)$/.test(notice.code));
  return (
    <>
      {shown.map((notice, at) => (
        <p key={at} class="note warning" data-testid="query-warning">
          {notice.line ? `Line ${notice.line}: ` : ""}{notice.message}
          {notice.hint && <span class="hint"> {notice.hint}</span>}
        </p>
      ))}
    </>
  );
}
