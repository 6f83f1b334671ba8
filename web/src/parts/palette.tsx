// Everything that can be done here, found by some letters of its name: commands and pages (from the table of keys), ranges,
// levels, groups, what was saved, and what was asked before.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { askBoards, boards } from "../api/dashboards.ts";
import { askViews } from "../api/views.ts";
import { askGroups, groupList } from "../ask.ts";
import { pastQueries } from "../explore/editor_state.ts";
import { LEVELS } from "../explore/levels.ts";
import { switchLanguage } from "../explore/query_language.ts";
import { all, isStarred, openView } from "../explore/saved_open.ts";
import { KEYS } from "../keys.ts";
import { oneLine } from "../format.ts";
import { choose, LANGUAGES, t, text } from "../texts.ts";
import { chooseTheme } from "../theme_choice.ts";
import { PRESETS } from "../time.ts";
import { boardAt, frozen, go, LANGUAGE_NAMES, run, view, type Panel, type QueryLanguage } from "../view.ts";
import { fuzzy } from "./fuzzy.ts";
import { keyName } from "./key_name.tsx";
import { Dialog, layer } from "./layers.tsx";
import { Status } from "./status.tsx";

/** One thing to do. */
export interface Entry {
  /** What sort of thing it is. */
  kind: string;
  name: string;
  keys: readonly string[];
  run: () => unknown;
  /** What else it is found by. */
  more?: string;
}

const SHOWN_MAX = 60;
const KINDS = {
  command: text("Command"),
  page: text("Page"),
  level: text("Level"),
  range: text("Time range"),
  group: text("Group"),
  board: text("Dashboard"),
  view: text("Saved view"),
  filter: text("Saved filter"),
  query: text("Earlier query"),
};

function commands(): Entry[] {
  const isHere = view.value.page === "explore";
  return KEYS.filter(
    ({ keys, everywhere }) => keys.length < 3 && keys[0] !== "Escape" && keys[0] !== "Mod+k" && (isHere || everywhere),
  ).map(({ keys, label, run, alt }) => ({
    kind: keys[0]?.startsWith("g ") ? KINDS.page : KINDS.command,
    name: t(label),
    keys: keys.map((key) => keyName(key, alt)),
    run: () => run(keys[0] ?? ""),
  }));
}

/** What one wants to do about what is on screen, and how the page looks and speaks. */
function actions(): Entry[] {
  const command = (name: string, run: () => unknown, more = ""): Entry => ({
    kind: KINDS.command,
    name,
    keys: [],
    run,
    more,
  });
  // With PromQL the events are those of the log lines.
  const events = () => (view.peek().language === "insights" ? {} : { query: view.peek().logs });
  const show = (panel: Panel) => () => go({ ...events(), page: "explore", panel, row: "", live: false });
  const look = () => {
    const { from, to } = frozen(view.peek());
    go({ page: "first-look", open: "", from, to });
  };
  const themes = { auto: text("Theme: system"), light: text("Theme: light"), dark: text("Theme: dark") };
  return [
    command(t("What changed"), show("changes")),
    command(t("What differs"), show("differs")),
    command(t("Patterns"), show("patterns")),
    command(t("First look"), look),
    command(t("Alert on this…"), () => go({ page: "alerts", tab: "rule", open: "" })),
    command(t("Add to a dashboard…"), () => (layer.value = "add-panel")),
    command(t("Add a mark…"), () => (layer.value = "mark")),
    ...(["auto", "light", "dark"] as const).map((one) => command(t(themes[one]), () => chooseTheme(one))),
    ...LANGUAGES.map(({ language, name }) =>
      command(t("Language: {name}", { name }), () => choose(language), "language"),
    ),
    ...Object.entries(LANGUAGE_NAMES).map(([language, name]) =>
      command(t("Explore in {language}", { language: name }), () => {
        go({ page: "explore" });
        switchLanguage(language as QueryLanguage);
      }),
    ),
  ];
}

function levels(): Entry[] {
  const key = KEYS.find(({ keys }) => keys.includes("1"));
  if (!key || view.value.page !== "explore") return [];
  return key.keys.map((name) => ({
    kind: KINDS.level,
    name: t("Level {level}", { level: LEVELS[LEVELS.length - Number(name)] ?? "" }),
    keys: [name],
    run: () => key.run(name),
  }));
}

function ranges(): Entry[] {
  return PRESETS.map(({ label, from }) => ({
    kind: KINDS.range,
    name: t(label),
    keys: [],
    run: () => go({ page: "explore", from, to: "now", row: "", live: false }),
  }));
}

function groups(): Entry[] {
  return (groupList.value.data ?? []).map(({ name }) => ({
    kind: KINDS.group,
    name,
    keys: [],
    run: () => go({ page: "explore", groups: [name], row: "" }),
  }));
}

/** Saved views, those with a star first; conditions are switched in Explore. */
function saved(): Entry[] {
  const isHere = view.value.page === "explore";
  return all()
    .filter((one) => !one.chip || isHere)
    .sort((a, b) => Number(isStarred(b)) - Number(isStarred(a)))
    .map((one) => ({
      kind: one.chip ? KINDS.filter : KINDS.view,
      name: one.name,
      keys: [],
      more: `${one.description} ${one.tags.join(" ")}`,
      run: () => openView(one),
    }));
}

/** Dashboards. */
function dashboards(): Entry[] {
  return (boards.value.data ?? []).map(({ name, title, tags }) => ({
    kind: KINDS.board,
    name: title,
    keys: [],
    more: tags.join(" "),
    run: () => go(boardAt(name)),
  }));
}

function queries(): Entry[] {
  const { query: here, language } = view.value;
  return pastQueries(language)
    .filter((query) => query !== here)
    .map((query) => ({
      kind: KINDS.query,
      name: query,
      keys: [],
      run: () => {
        go({ page: "explore", query, language, row: "" });
        run();
      },
    }));
}

/** Where entries come from that are found by some letters. */
const SOURCES: readonly (() => Entry[])[] = [actions, commands, levels, ranges, saved, dashboards, groups];

/** What there is for a text. Some letters of it are in every long query, so queries are found by whole words of it. */
function entriesFor(text: string): Entry[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const past = queries().filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const rest = Math.min(past.length, SHOWN_MAX / 4);
  const named = fuzzy(
    SOURCES.flatMap((source) => source()),
    text,
    (entry) => `${entry.name} ${t(entry.kind)} ${entry.more ?? ""}`,
  );
  return [...named.slice(0, SHOWN_MAX - rest), ...past].slice(0, SHOWN_MAX);
}

function Choice() {
  const sought = useSignal("");
  const chosen = useSignal(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const found = entriesFor(sought.value);
  const at = Math.min(chosen.value, found.length - 1);
  useEffect(() => {
    askGroups();
    askViews();
    askBoards();
    input.current?.focus();
  }, []);
  useEffect(() => list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at, sought.value]);
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    layer.value = "";
    // Where the focus was before has it again, and then the command may move it.
    requestAnimationFrame(() => entry.run());
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && found.length > 0) chosen.value = (at + step + found.length) % found.length;
    else if (event.key === "Enter") choose(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <div class="palette" data-testid="palette">
      <input
        type="search"
        role="combobox"
        list={undefined}
        aria-expanded={true}
        aria-controls="palette-list"
        aria-activedescendant={at < 0 ? undefined : `palette-${at}`}
        aria-autocomplete="list"
        aria-label={t("Find any command, page, range, group, view or earlier query")}
        placeholder={t("Find commands, groups, views, queries")}
        autocomplete="off"
        spellcheck={false}
        data-testid="palette-text"
        value={sought.value}
        onKeyDown={onKey}
        onInput={(event) => {
          sought.value = event.currentTarget.value;
          chosen.value = 0;
        }}
        ref={input}
      />
      <ul id="palette-list" role="listbox" aria-label={t("Search results")} ref={list}>
        {found.map((entry, n) => (
          <li
            key={`${n}\n${entry.name}`}
            id={`palette-${n}`}
            role="option"
            aria-selected={n === at}
            data-testid="palette-entry"
            onPointerMove={() => (chosen.value = n)}
            onClick={() => choose(entry)}
          >
            <span class="ellipsis">{oneLine(entry.name, 200)}</span>
            <span class="palette-keys">
              {entry.keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </span>
            <span class="dim kind">{t(entry.kind)}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <Status text={t("No match for “{text}”.", { text: sought.value })} />}
    </div>
  );
}

/** The dialog. */
export function Palette() {
  return (
    <Dialog
      open={layer.value === "palette"}
      onClose={() => {
        if (layer.peek() === "palette") layer.value = "";
      }}
      label={t("Commands")}
    >
      <Choice />
    </Dialog>
  );
}
