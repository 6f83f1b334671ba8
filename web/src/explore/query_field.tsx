// A query in a form, with what Explore's editor has: colours, completion, and mistakes underlined where they stand.

import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";

import type { Scope } from "../api.ts";
import type { QueryLanguage } from "../view.ts";
import { makeEditor, type CodeEditor } from "./code_mirror.ts";
import { tools } from "./language_tools.ts";
import { Suggestions } from "./suggest.tsx";
import { makeSuggesting } from "./suggesting.ts";

const CHECK_AFTER_MS = 500;

interface Props {
  label: string;
  value: string;
  language: QueryLanguage;
  /** Where completions are looked for. */
  scope: Scope;
  testId: string;
  onText: (text: string) => void;
}

/** The text with intervals in place of the built-in variables, each part at its place; `null` where other variables stand. */
function checkable(text: string): string | null {
  const known = text.replaceAll(/\$(?:__\w+|\{__\w+\})/g, (variable) => "5m".padEnd(variable.length));
  return known.includes("$") || known.trim() === "" ? null : known;
}

/** The field. */
export function QueryField({ label, value, language, scope, testId, onText }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<CodeEditor | null>(null);
  // Texts that were told and have not come back as the value: who types fast is ahead of what is drawn.
  const told = useRef<string[]>([]);
  // What the editor calls later is that of the latest drawing.
  const now = useRef({ onText, scope });
  now.current = { onText, scope };
  const suggesting = useMemo(
    () =>
      makeSuggesting(
        (text, caret) => tools(language).completions(text, caret),
        (text, caret, signal) => tools(language).asked(text, caret, signal, now.current.scope),
      ),
    [language],
  );
  useLayoutEffect(() => {
    if (!host.current) return;
    const made: CodeEditor = makeEditor(host.current, {
      label,
      testId,
      text: value,
      selection: [0, 0],
      placeholder: "",
      colours: (text) => tools(language).colours(text),
      onText: (text, caret, isTyped) => {
        told.current.push(text);
        now.current.onText(text);
        if (isTyped) suggesting.at(text, caret);
        else suggesting.close();
      },
      onKey: (event) => {
        const isTaken = suggesting.onKey(event, made);
        if (isTaken) event.stopPropagation();
        return isTaken;
      },
      onBlur: suggesting.close,
    });
    editor.current = made;
    return () => {
      suggesting.close();
      made.destroy();
    };
  }, [language]);
  useEffect(() => {
    const at = told.current.lastIndexOf(value);
    if (at >= 0) told.current.splice(0, at + 1);
    else if (editor.current && editor.current.text() !== value) {
      // Undone, or changed elsewhere.
      editor.current.set(value);
      told.current = [];
    }
    editor.current?.mark(null);
    const text = checkable(value);
    if (text === null) return;
    const asks = new AbortController();
    const timer = setTimeout(() => {
      tools(language)
        .check(text, asks.signal)
        .then(
          ({ error }) => {
            if (asks.signal.aborted || error === null || error.start === null) return;
            editor.current?.mark([error.start, Math.max(error.end ?? 0, error.start + 1)]);
          },
          () => undefined,
        );
    }, CHECK_AFTER_MS);
    return () => {
      asks.abort();
      clearTimeout(timer);
    };
  }, [value, language]);
  return (
    <div class="wide-field query-field">
      <span aria-hidden="true">{label}</span>
      <div class="query-field-box">
        <div ref={host} class="code-editor" />
        <Suggestions
          all={suggesting.all.value}
          chosen={suggesting.chosen.value}
          onPick={(at) => {
            if (editor.current) suggesting.pick(at, editor.current);
            editor.current?.focus();
          }}
        />
      </div>
    </div>
  );
}
