// The editor that takes the place of the plain text area: colours, completion, brackets, history, and mistakes underlined
// where they stand, before the query is run. It lives in a shadow root, whose style sheets are made by script: the page's
// policy allows no others.

import { effect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { ApiError } from "../api.ts";
import { Icon, IconButton } from "../parts/icons.tsx";
import { layer, Menu, tell } from "../parts/layers.tsx";
import { oneLine } from "../format.ts";
import { t } from "../texts.ts";
import { draft, view } from "../view.ts";
import { makeEditor, type CodeEditor } from "./code_mirror.ts";
import { checked, focusBy, focusQuery, isEquipped, pastQueries, placeholder, submit } from "./editor_state.ts";
import { tools } from "./language_tools.ts";
import { Suggestions } from "./suggest.tsx";
import { makeSuggesting } from "./suggesting.ts";

// Nobody wants to be told of a word that is being written.
const CHECK_AFTER_MS = 500;

const suggesting = makeSuggesting(
  (text, caret) => tools().completions(text, caret),
  (...of) => tools().asked(...of),
);
let checking = new AbortController();

/** Asks what is wrong with a text that has rested for a moment. */
function checkSoon(text: string): void {
  checking.abort();
  if (text.trim() === "" || text === view.peek().query) return;
  const { signal } = (checking = new AbortController());
  setTimeout(() => {
    if (signal.aborted) return;
    tools()
      .check(text, signal)
      .then(
        (answer) => {
          if (!signal.aborted) checked.value = { text, ...answer };
        },
        () => undefined,
      );
  }, CHECK_AFTER_MS);
}

function ask(): void {
  suggesting.close();
  submit();
}

/** Which of the earlier queries is shown; -1 while none is. */
let shownBefore = -1;

/** ↑ in the empty editor shows the query before, ↓ the one after. */
function browse(event: KeyboardEvent, editor: CodeEditor): boolean {
  const past = pastQueries();
  const isBrowsing = shownBefore >= 0 && draft.peek() === past[shownBefore];
  if (!isBrowsing && draft.peek() !== "") return false;
  if (!isBrowsing) shownBefore = -1;
  const next = shownBefore + (event.key === "ArrowUp" ? 1 : -1);
  if (next >= past.length || (next < 0 && !isBrowsing)) return false;
  shownBefore = next;
  editor.set(past[next] ?? "");
  return true;
}

/** Puts the query into the one layout; the editor's own undo takes it back. */
async function tidy(editor: CodeEditor): Promise<void> {
  const text = draft.peek();
  if (text.trim() === "") return;
  try {
    const tidied = await tools().format(text);
    if (draft.peek() !== text || tidied === text) return;
    editor.set(tidied);
    editor.focus();
    suggesting.close();
  } catch (error) {
    tell(error instanceof Error ? error.message : t("That did not work."));
  }
}

/** Shows what the reference says about the suggestion chosen, or about what stands at the caret. */
function explain(editor: CodeEditor): void {
  const see = suggesting.read()?.see ?? tools().reference(draft.peek(), editor.caret());
  open(new URL(see, document.baseURI), "_blank", "noopener");
}

function onKey(event: KeyboardEvent, editor: CodeEditor): boolean {
  if (suggesting.onKey(event, editor)) return true;
  if (event.key === "F1") explain(editor);
  else if (event.shiftKey && event.altKey && event.code === "KeyF") void tidy(editor);
  else if (event.key === "Enter" && !event.shiftKey) ask();
  else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && !event.shiftKey) return browse(event, editor);
  else return false;
  return true;
}

/** Takes over from the text area: at once, or as soon as nobody composes a character in it. */
function takeOver(begin: (from: HTMLTextAreaElement | null) => void): void {
  const area = document.querySelector<HTMLTextAreaElement>("textarea[data-testid=query]");
  let isComposing = false;
  if (area) {
    area.addEventListener("compositionstart", () => (isComposing = true));
    area.addEventListener(
      "compositionend",
      () => {
        isComposing = false;
        begin(area);
      },
      { once: true },
    );
  }
  // Somebody who was composing before this part was there is still doing so with the next key; a frame is enough to know.
  requestAnimationFrame(() => {
    if (!isComposing) begin(area);
  });
}

function useEditor(host: { current: HTMLDivElement | null }): { current: CodeEditor | null } {
  const editor = useRef<CodeEditor | null>(null);
  useLayoutEffect(() => {
    let isGone = false;
    let stop = (): void => undefined;
    takeOver((area) => {
      if (isGone || editor.current !== null || !host.current) return;
      const made = makeEditor(host.current, {
        text: area?.value ?? draft.peek(),
        selection: area ? [area.selectionStart, area.selectionEnd] : [0, 0],
        placeholder: placeholder(),
        colours: (text) => tools().colours(text),
        onText: (text, caret, isTyped) => {
          draft.value = text;
          if (isTyped) suggesting.at(text, caret);
          else suggesting.close();
          checkSoon(text);
        },
        onKey: (event) => onKey(event, made),
        onBlur: suggesting.close,
      });
      editor.current = made;
      const hadFocus = document.activeElement === area;
      isEquipped.value = true;
      focusBy(made.focus);
      if (hadFocus) made.focus();
      // What is changed elsewhere, by a click on a value or by the browser's back. At once: the next key may be on its way.
      stop = effect(() => {
        if (made.text() !== draft.value) made.set(draft.peek());
      });
    });
    return () => {
      isGone = true;
      stop();
      isEquipped.value = false;
      editor.current?.destroy();
    };
  }, []);
  return editor;
}

/** What was run here before; read anew whenever it is opened. */
function PastQueries() {
  const past = pastQueries();
  const use = (query: string) => {
    layer.value = "";
    draft.value = query;
    focusQuery();
    ask();
  };
  if (past.length === 0) return <p class="dim">{t("No query was run in this browser yet.")}</p>;
  return (
    <ul class="actions-list">
      {past.map((query, at) => (
        <li key={query}>
          <button
            type="button"
            data-testid="past-query"
            {...(at === 0 ? { "data-autofocus": true } : {})}
            onClick={() => use(query)}
          >
            <code>{oneLine(query, 200)}</code>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The editor, with its buttons and its list of completions. */
export function QueryEditor({ error }: { error: ApiError | null }) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useEditor(host);
  const text = draft.value;
  const equipped = isEquipped.value;
  useEffect(() => {
    const end = error === null ? 0 : Math.max(error.end ?? 0, (error.start ?? 0) + 1);
    editor.current?.mark(error === null || error.start === null ? null : [error.start, end]);
  }, [error, text, equipped]);
  return (
    <>
      <div ref={host} class="code-editor" />
      <div class="editor-buttons">
        {text.trim() !== "" && (
          <IconButton
            icon="format"
            data-testid="format"
            aria-label={t("Format the query")}
            title={t("Format (Shift Alt F)")}
            onClick={() => editor.current && void tidy(editor.current)}
          />
        )}
        <Menu
          name="history"
          testId="history"
          label={t("Earlier queries")}
          isPicture
          align="right"
          button={<Icon name="history" />}
        >
          <PastQueries />
        </Menu>
      </div>
      <Suggestions
        all={suggesting.all.value}
        chosen={suggesting.chosen.value}
        onPick={(at) => {
          if (editor.current) suggesting.pick(at, editor.current);
          focusQuery();
        }}
      />
    </>
  );
}
