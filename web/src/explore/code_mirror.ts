// CodeMirror as the query's editor: what it shows, what it tells, and what can be done to it.

import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { history, historyKeymap, isolateHistory, insertNewline, standardKeymap } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, keymap, placeholder, type DecorationSet } from "@codemirror/view";

import { t } from "../texts.ts";

/** What the editor begins with, and whom it tells. */
export interface Setup {
  /** What the editor is called, and its `data-testid`: the query of the page where nothing is said. */
  label?: string;
  testId?: string;
  text: string;
  /** Anchor and head. */
  selection: readonly [number, number];
  /** Shown while nothing is written. */
  placeholder: string;
  /** Parts of a text and the names of their colours. */
  colours: (text: string) => readonly { start: number; end: number; name: string }[];
  onText: (text: string, caret: number, isTyped: boolean) => void;
  /** Whether the key was taken. */
  onKey: (event: KeyboardEvent) => boolean;
  onBlur: () => void;
}

/** The editor, as far as the page uses it. Places count UTF-16 units, as the server's do. */
export interface CodeEditor {
  text: () => string;
  caret: () => number;
  /** Puts another text into the place of all; undo takes it back. */
  set: (text: string) => void;
  replace: (start: number, end: number, text: string) => void;
  /** Underlines a part as wrong, or none. */
  mark: (place: readonly [number, number] | null) => void;
  focus: () => void;
  destroy: () => void;
}

/** Names of parts that have the text's own colour. */
const UNCOLOURED = ["newline", "space", "name"];

/** The colours of a text. */
function colourField(colours: Setup["colours"]): StateField<DecorationSet> {
  const of = (text: string) =>
    Decoration.set(
      colours(text)
        .filter(({ name }) => !UNCOLOURED.includes(name))
        .map(({ start, end, name }) => Decoration.mark({ class: `tok-${name}` }).range(start, end)),
    );
  return StateField.define<DecorationSet>({
    create: (state) => of(state.doc.toString()),
    update: (now, change) => (change.docChanged ? of(change.newDoc.toString()) : now),
    provide: (field) => EditorView.decorations.from(field),
  });
}

const setWrong = StateEffect.define<readonly [number, number] | null>();

/** The part that is wrong. Beyond the end of the text stands nothing that could be underlined: then it is the last character. */
const wrong = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(now, change) {
    for (const effect of change.effects) {
      if (!effect.is(setWrong)) continue;
      if (effect.value === null) return Decoration.none;
      const length = change.newDoc.length;
      const start = Math.max(0, Math.min(effect.value[0], length - 1));
      const end = Math.min(Math.max(effect.value[1], start + 1), length);
      return end > start ? Decoration.set([Decoration.mark({ class: "wrong" }).range(start, end)]) : Decoration.none;
    }
    return change.docChanged ? now.map(change.changes) : now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const theme = EditorView.theme({
  "&": { color: "var(--text)", background: "none", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px", overflow: "visible" },
  ".cm-content": { minWidth: "0", padding: "6px 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 64px 0 10px" },
  ".cm-placeholder": {
    color: "var(--dim)",
    whiteSpace: "nowrap",
    display: "inline-block",
    maxWidth: "100%",
    overflow: "hidden",
    textOverflow: "ellipsis",
    verticalAlign: "top",
  },
  ".cm-content ::selection, .cm-line::selection": { background: "color-mix(in srgb, var(--accent) 30%, transparent)" },
  "&.cm-focused .cm-matchingBracket": { background: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  "&.cm-focused .cm-nonmatchingBracket": { background: "var(--wrong-soft)" },
  ".tok-command": { color: "light-dark(#7b2a8c, #dc9cec)", fontWeight: "600" },
  ".tok-keyword": { color: "light-dark(#7b2a8c, #dc9cec)" },
  ".tok-function": { color: "light-dark(#17639f, #74baf3)" },
  ".tok-system": { color: "light-dark(#0a6b5a, #4fcdb2)" },
  ".tok-string, .tok-regex": { color: "light-dark(#8a4b08, #eab675)" },
  ".tok-number": { color: "light-dark(#17639f, #8cc6f5)" },
  ".tok-comment": { color: "var(--dim)", fontStyle: "italic" },
  ".tok-pipe, .tok-operator, .tok-punctuation": { color: "var(--dim)" },
  ".wrong": {
    textDecoration: "underline wavy var(--wrong) 1.5px",
    textUnderlineOffset: "3px",
    textDecorationSkipInk: "none",
    background: "var(--wrong-soft)",
  },
});

/** Whether a part of the editor takes what is typed over a selection, such as a bracket put around it. */
function isTakenByPart(view: EditorView, from: number, to: number, text: string): boolean {
  const insert = () => view.state.update({ changes: { from, to, insert: text }, userEvent: "input.type" });
  return view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert));
}

/**
 * What the browser is about to replace, which may be newer than what the editor knows of the selection. In a shadow tree
 * Chromium's events do not say it; the selection does.
 */
function replacedRange(event: InputEvent, view: EditorView): StaticRange | undefined {
  const [told] = event.getTargetRanges();
  if (told || !(view.root instanceof ShadowRoot)) return told;
  return document.getSelection()?.getComposedRanges?.({ shadowRoots: [view.root] })[0];
}

/**
 * Replaces what is selected. A browser that does it keeps the look of what it replaces in an inline style, which the
 * policy forbids and tells of.
 */
function replacesSelection(event: InputEvent, view: EditorView): boolean {
  const text = event.data;
  if (event.inputType !== "insertText" || event.isComposing || text === null) return false;
  const range = replacedRange(event, view);
  if (
    !range ||
    range.collapsed ||
    !view.contentDOM.contains(range.startContainer) ||
    !view.contentDOM.contains(range.endContainer)
  )
    return false;
  const from = view.posAtDOM(range.startContainer, range.startOffset);
  const to = view.posAtDOM(range.endContainer, range.endOffset);
  if (!isTakenByPart(view, from, to, text)) {
    view.dispatch({
      changes: { from, to, insert: text },
      selection: { anchor: from + text.length },
      userEvent: "input.type",
      scrollIntoView: true,
    });
  }
  event.preventDefault();
  return true;
}

/** Puts the editor into a shadow root of `host`. */
export function makeEditor(host: HTMLElement, setup: Setup): CodeEditor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const keys = EditorView.domEventHandlers({
    keydown(event) {
      // Some browsers tell of the key that ends a composition when it has ended.
      if (event.isComposing || event.keyCode === 229 || !setup.onKey(event)) return false;
      event.preventDefault();
      return true;
    },
    beforeinput: replacesSelection,
    blur: () => setup.onBlur(),
  });
  const told = EditorView.updateListener.of((update) => {
    if (!update.docChanged) {
      if (update.selectionSet) setup.onBlur();
      return;
    }
    const isTyped = update.transactions.some((one) => one.isUserEvent("input.type") || one.isUserEvent("delete"));
    setup.onText(update.state.doc.toString(), update.state.selection.main.head, isTyped);
  });
  const named = EditorView.contentAttributes.of((view) => ({
    "data-testid": setup.testId ?? "query",
    "aria-label": setup.label ?? t("Query"),
    autocapitalize: "off",
    "aria-invalid": String(view.state.field(wrong, false) !== undefined && view.state.field(wrong).size > 0),
  }));
  // A return and a line feed are one line break in the editor, so places in a text from elsewhere may lie behind its end.
  const doc = EditorState.create({ doc: setup.text }).doc;
  const [anchor, head] = setup.selection.map((place) => Math.min(place, doc.length)) as [number, number];
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc,
      selection: { anchor, head },
      extensions: [
        Prec.highest(keys),
        Prec.high(keymap.of([{ key: "Shift-Enter", run: insertNewline }])),
        history(),
        EditorState.languageData.of(() => [{ closeBrackets: { brackets: ["(", "[", '"'] } }]),
        closeBrackets(),
        bracketMatching(),
        colourField(setup.colours),
        wrong,
        placeholder(setup.placeholder),
        EditorView.lineWrapping,
        theme,
        told,
        named,
        keymap.of([...closeBracketsKeymap, ...historyKeymap, ...standardKeymap]),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    caret: () => view.state.selection.main.head,
    set: (text) => {
      const insert = view.state.toText(text);
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert },
        selection: { anchor: insert.length },
        annotations: isolateHistory.of("full"),
      });
    },
    replace: (from, to, text) => {
      const insert = view.state.toText(text);
      view.dispatch({
        changes: { from, to, insert },
        selection: { anchor: from + insert.length },
        userEvent: "input.complete",
      });
    },
    mark: (place) => view.dispatch({ effects: setWrong.of(place) }),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
