// One dashboard: what is chosen, its panels by sections, and what is being changed of it.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { BoardPanel, BoardText } from "../../api/dashboards.ts";
import { MarkList } from "../../explore/mark_lines.tsx";
import { Failure } from "../../explore/waiting.tsx";
import { oneLine } from "../../format.ts";
import { pageKeys } from "../../keys.ts";
import { Button } from "../../parts/button.tsx";
import { Icon } from "../../parts/icons.tsx";
import { Status } from "../../parts/status.tsx";
import { Way } from "../../parts/way.tsx";
import { language, t, text } from "../../texts.ts";
import { asked, askedAt, go, NO_BOARD, shift, view, zoomOut } from "../../view.ts";
import { useAlerts } from "./alert_lines.tsx";
import { askAhead, isAsking } from "./ask.ts";
import { Bar } from "./board_bar.tsx";
import { crosshair } from "./crosshair.ts";
import { addSection, moveSection, newPanel, renameSection } from "./editing.ts";
import { Grid } from "./grid_view.tsx";
import { ROW_PX, sectionsOf, type Section } from "./grid.ts";
import { Panel } from "./panel.tsx";
import { PanelForm } from "./panel_form.tsx";
import { SettingsForm } from "./settings_form.tsx";
import { board, followRange, isChanged, loadBoard, range, redo, refresh, round, shown, undo } from "./state.ts";
import { choicesOf, useOffers, VariableBar } from "./variable_bar.tsx";
import type { Choices } from "./variables.ts";

/** Refreshes all panels every so many seconds, as long as somebody looks. */
function useRefresh(): void {
  useEffect(() => {
    const timer = setInterval(() => {
      const { refresh: seconds, board: of } = view.peek();
      const isDue = seconds > 0 && Date.now() - askedAt.peek() >= seconds * 1000;
      // Who answers more slowly than that is not interrupted.
      if (isDue && document.visibilityState === "visible" && of.edit === "" && !isAsking()) refresh(false);
    }, 500);
    return () => clearInterval(timer);
  }, []);
  // What asks again elsewhere asks again here: a key that was typed in, the button of the time.
  const [first] = useState(asked.value);
  useEffect(() => {
    if (asked.value !== first) refresh(true);
  }, [asked.value]);
}

function isWritable(): boolean {
  return view.peek().board.edit !== "";
}

function useKeys(): void {
  useEffect(() => {
    const set = (change: Partial<typeof NO_BOARD>) => go({ board: { ...view.peek().board, ...change } });
    pageKeys.value = [
      { keys: ["r"], label: text("Refresh all panels"), run: () => refresh(true) },
      {
        keys: ["e"],
        label: text("Edit the dashboard, or stop editing"),
        run: () => set({ edit: isWritable() ? "" : "1", panel: "" }),
      },
      { keys: ["a"], label: text("Add a panel"), run: () => (isWritable() ? newPanel() : false) },
      { keys: ["u", "Mod+z"], label: text("Undo"), run: () => (isWritable() ? undo() : false) },
      { keys: ["U", "Mod+y"], label: text("Redo"), run: () => (isWritable() ? redo() : false) },
      { keys: ["w"], label: text("Wallboard"), run: () => set({ wall: "1", edit: "", panel: "" }) },
      { keys: ["z"], label: text("Zoom out to twice the time"), run: zoomOut },
      { keys: ["ArrowLeft"], alt: true, label: text("Half a range earlier"), run: () => shift(-1) },
      { keys: ["ArrowRight"], alt: true, label: text("Half a range later"), run: () => shift(1) },
      {
        keys: ["Backspace"],
        label: text("From one panel back to the dashboard"),
        run: () => view.peek().board.panel !== "" && set({ panel: "" }),
      },
    ];
    return () => {
      pageKeys.value = [];
      crosshair.value = null;
    };
  }, []);
}

/** The page. */
export function BoardPage({ Time }: { Time: ComponentType }) {
  const { name, panel, edit } = view.value.board;
  const { from, to } = view.value;
  useEffect(() => {
    askedAt.value = Date.now();
    void loadBoard(name);
  }, [name]);
  const { state, data, error } = board.value;
  useEffect(() => followRange(name), [name, from, to, state, language.value]);
  useRefresh();
  useKeys();
  const text = data?.name === name ? shown.value : null;
  useEffect(() => {
    if (text) document.title = `${text.title || name} – catat`;
  }, [text?.title, name, view.value]);
  if (text === null || view.value.from === "")
    return (
      <main class="page board-page" data-testid="board-page" aria-busy={state === "loading"}>
        {state === "error" ? (
          <Missing name={name} status={error?.status ?? 0} message={error?.message ?? ""} />
        ) : (
          <Status />
        )}
      </main>
    );
  return <Shown key={name} name={name} text={text} panel={panel} edit={edit} Time={Time} />;
}

function Missing({ name, status, message }: { name: string; status: number; message: string }) {
  const all = <Way to={{ board: NO_BOARD }}>{t("All dashboards")}</Way>;
  if (status === 404)
    return (
      <div class="state" data-testid="board-missing">
        <h1>{t("There is no dashboard “{name}”", { name: oneLine(name, 100) })}</h1>
        <p>
          {/^(?:group|service|host):/.test(name)
            ? t(
                "Ready-made dashboards cover what was sent in the last day. There was nothing of this name, or you may not read it.",
              )
            : t("It was deleted, never existed, or covers groups that you may not read.")}
        </p>
        <p>{all}</p>
      </div>
    );
  return (
    <>
      <Failure
        what={t("The dashboard could not be loaded: {message}.", { message })}
        onAgain={() => void loadBoard(name)}
      />
      <p>{all}</p>
    </>
  );
}

interface ShownProps {
  name: string;
  text: BoardText;
  panel: string;
  edit: string;
  Time: ComponentType;
}

const NOTHING: readonly never[] = [];

function Shown({ name, text, panel: id, edit, Time }: ShownProps) {
  const offers = useOffers(text.variables ?? NOTHING, range.value, round.value);
  const choices = choicesOf(offers);
  const isReady = offers.every(({ state }) => state !== "loading");
  useAlerts(askedAt.value);
  const alone = text.panels.find((one) => one.id === id);
  const isEdited = edit !== "";
  return (
    <main class={`page board-page${isEdited ? " edited" : ""}`} data-testid="board-page" data-changed={isChanged.value}>
      <Bar name={name} text={text} isEdited={isEdited} Time={Time} />
      {edit === "settings" ? (
        <SettingsForm text={text} />
      ) : (
        <>
          <VariableBar offers={offers} />
          {edit === "1" && alone ? (
            <PanelForm key={id} panel={alone} text={text} choices={choices} />
          ) : isReady ? (
            <Panels text={text} alone={alone} isMissing={id !== "" && !alone} choices={choices} isEdited={isEdited} />
          ) : null}
        </>
      )}
      <MarkList from={range.value.from} to={range.value.to} />
    </main>
  );
}

/** Up to this width panels stand below each other, wherever they are on the grid. */
const STACKED_PX_MAX = 700;

/** The panels that are surely on screen once they are there. */
function seenFirst([first]: readonly Section[]): BoardPanel[] {
  if (first === undefined || innerWidth <= STACKED_PX_MAX || folded.has(keyOf(first))) return [];
  return first.panels.filter(({ y }) => y * ROW_PX < innerHeight);
}

function Panels({
  text,
  alone,
  isMissing,
  choices,
  isEdited,
}: {
  text: BoardText;
  alone: BoardPanel | undefined;
  isMissing: boolean;
  choices: Choices;
  isEdited: boolean;
}) {
  const common = { choices, range: range.value, again: round.value, isEdited };
  const sections = sectionsOf(text.panels);
  // Once, before the panels are made.
  useState(() => askAhead(alone ? [alone] : seenFirst(sections), choices, range.value));
  if (alone)
    return (
      <div class="board-alone">
        <Way to={{ board: { ...view.value.board, panel: "" } }} class="link" label={t("Back to the dashboard")} />
        <Panel panel={alone} {...common} />
      </div>
    );
  return (
    <>
      {isMissing && (
        <p class="note warning" role="status">
          {t("The panel that this link names is no longer on the dashboard.")}
        </p>
      )}
      {isEdited && (
        <p class="buttons">
          <button type="button" class="button" data-testid="panel-add" onClick={() => newPanel()}>
            <Icon name="plus" />
            {t("Add a panel")}
          </button>
          <Button class="button" label={t("Add a section")} data-testid="section-add" onClick={addSection} />
        </p>
      )}
      {text.panels.length === 0 && <Empty isEdited={isEdited} />}
      {sections.map((section) => (
        <SectionView key={section.name} section={section} {...common} />
      ))}
    </>
  );
}

function Empty({ isEdited }: { isEdited: boolean }) {
  return (
    <div class="state" data-testid="board-empty">
      <h2>{t("This dashboard is empty")}</h2>
      <p>{t("Add a panel here, or press b in Explore to add what it shows.")}</p>
      {!isEdited && (
        <Way to={{ board: { ...view.value.board, edit: "1" } }} class="button primary" label={t("Change it")} />
      )}
    </div>
  );
}

/** Sections that are folded, until the page is closed. */
const folded = new Set<string>();
const keyOf = (section: Section) => `${view.peek().board.name}\n${section.name}`;

function SectionView({ section, ...common }: { section: Section } & Omit<Parameters<typeof Grid>[0], "section">) {
  const key = keyOf(section);
  const [isOpen, setOpen] = useState(!folded.has(key));
  if (section.name === "") return <Grid section={section} {...common} />;
  const toggle = () => {
    if (isOpen) folded.add(key);
    else folded.delete(key);
    setOpen(!isOpen);
  };
  return (
    <section class="board-section" aria-label={section.name} data-testid="board-section">
      <h2>
        <button type="button" aria-expanded={isOpen} onClick={toggle} data-testid="section-fold">
          <Icon name="chevron" />
          {oneLine(section.name, 100)}
        </button>
        {common.isEdited && <SectionTools key={section.name} name={section.name} />}
      </h2>
      {isOpen && <Grid section={section} {...common} />}
    </section>
  );
}

function SectionTools({ name }: { name: string }) {
  const [written, setWritten] = useState(name);
  return (
    <span class="section-tools">
      <input
        aria-label={t("Name of the section")}
        value={written}
        onInput={(event) => setWritten(event.currentTarget.value)}
        onChange={() => renameSection(name, written.trim())}
      />
      <button type="button" class="button small" onClick={() => moveSection(name, -1)} aria-label={t("Section up")}>
        ↑
      </button>
      <button type="button" class="button small" onClick={() => moveSection(name, 1)} aria-label={t("Section down")}>
        ↓
      </button>
      <Button class="button small" label={t("Add a panel")} onClick={() => newPanel(name)} />
    </span>
  );
}
