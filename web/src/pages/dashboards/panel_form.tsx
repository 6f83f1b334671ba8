// The form of a panel, with the panel itself beside it as it will be.

import { useEffect, useState } from "preact/hooks";

import type {
  BoardPanel,
  BoardText,
  Grade,
  LegendValue,
  PanelKind,
  PanelQuery,
  Threshold,
} from "../../api/dashboards.ts";
import type { Scope } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { IconButton } from "../../parts/icons.tsx";
import { later } from "../../parts/later.tsx";
import { Options } from "../../parts/options.tsx";
import { t, text } from "../../texts.ts";
import { go, view } from "../../view.ts";
import { queryId } from "./answers.ts";
import { removePanel } from "./editing.ts";
import {
  ChoiceField,
  CodeField,
  LanguageField,
  NamesField,
  orNothing,
  Part,
  SwitchField,
  TextField,
} from "./fields.tsx";
import { LEGEND_VALUES } from "./legend.tsx";
import { Panel } from "./panel.tsx";
import { changePanel, range, round } from "./state.ts";
import { GRADES, UNITS } from "./units.ts";
import type { Choices } from "./variables.ts";

/** What the kinds are called. */
export const PANEL_KINDS: Readonly<Record<PanelKind, string>> = {
  line: text("Lines"),
  area: text("Areas"),
  bar: text("Bars"),
  pie: text("Pie"),
  number: text("Number"),
  table: text("Table"),
  logs: text("Events"),
  heatmap: text("Heatmap"),
  map: text("Service map"),
  text: text("Text"),
};

// The editor is much larger than the form: it comes when a form is opened.
const QueryField = later(async () => (await import("../../explore/query_field.tsx")).QueryField);

/** Kinds over time: they have scales, gaps and a legend. */
const OVER_TIME: readonly PanelKind[] = ["line", "area", "bar"];

/** Queries are asked when nobody has typed for so long. */
const PAUSE_MS = 600;

/** Returns the panel as it was when the last key was pressed some time ago. */
function useSettled(panel: BoardPanel): BoardPanel {
  const [settled, setSettled] = useState(panel);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(panel), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [panel]);
  // What asks nothing new is seen at once.
  return JSON.stringify(settled.queries) === JSON.stringify(panel.queries)
    ? panel
    : { ...panel, queries: settled.queries ?? [] };
}

/** What a kind cannot be without. */
function neededBy(kind: PanelKind, { queries = [], text: written = "", stack }: BoardPanel): Partial<BoardPanel> {
  // Bars are parts of a whole, unless somebody says otherwise; side by side they are hairlines.
  if (kind === "bar" && stack === undefined) return { ...neededBy("line", { queries } as BoardPanel), stack: true };
  if (kind === "text") return written === "" ? { text: t("Text") } : {};
  return kind === "map" || queries.length > 0
    ? {}
    : { queries: [{ id: "a", query: "stats count(*) by bin($__interval)" }] };
}

/** The form. */
export function PanelForm({ panel, text, choices }: { panel: BoardPanel; text: BoardText; choices: Choices }) {
  const shown = useSettled(panel);
  const set = (change: { [K in keyof BoardPanel]?: BoardPanel[K] | undefined }) =>
    changePanel(panel.id, change as Partial<BoardPanel>, `${panel.id} ${Object.keys(change).join()}`);
  const close = () => go({ board: { ...view.peek().board, panel: "" } });
  const { kind } = panel;
  const isPicture = kind !== "text" && kind !== "map" && kind !== "logs";
  const sections = [...new Set(text.panels.flatMap(({ section }) => (section === undefined ? [] : [section])))];
  return (
    <div class="board-form-page">
      <div class="board-preview" aria-label={t("Preview")} role="region">
        <Panel panel={shown} choices={choices} range={range.value} again={round.value} isEdited={false} isEager />
      </div>
      <form
        class="board-form"
        aria-label={t("Panel")}
        data-testid="panel-form"
        onSubmit={(event) => event.preventDefault()}
      >
        <div class="board-fields">
          <TextField
            label={t("Title")}
            value={panel.title ?? ""}
            onText={(title) => set({ title })}
            testId="panel-title"
          />
          <ChoiceField
            label={t("Type")}
            value={kind}
            choices={Object.entries(PANEL_KINDS).map(([one, name]) => [one as PanelKind, t(name)] as const)}
            onChoose={(next) => set({ kind: next, ...neededBy(next, panel) })}
            testId="panel-kind"
          />
        </div>
        {kind === "text" && (
          <CodeField
            label={t("Text, in Markdown")}
            rows={10}
            value={panel.text ?? ""}
            onText={(value) => set({ text: value })}
            testId="panel-text"
          />
        )}
        {kind !== "text" && kind !== "map" && <Queries panel={panel} onQueries={(queries) => set({ queries })} />}
        {isPicture && (panel.queries ?? []).length > 0 && (
          <TextField
            label={t("Expression over the queries (optional)")}
            placeholder="a / b * 100"
            value={panel.expression ?? ""}
            onText={(expression) => set({ expression: orNothing(expression) })}
            testId="panel-expression"
          />
        )}
        {isPicture && (
          <Part title={t("Numbers")} isOpen>
            <UnitField panel={panel} onUnit={(unit) => set({ unit })} />
            <TextField
              label={t("Decimals")}
              value={panel.decimals === undefined ? "" : String(panel.decimals)}
              onText={(value) => set({ decimals: /^\d$/.test(value) ? Number(value) : undefined })}
            />
            <Thresholds thresholds={panel.thresholds ?? []} onThresholds={(thresholds) => set({ thresholds })} />
          </Part>
        )}
        {(OVER_TIME.includes(kind) || kind === "heatmap") && <Drawing panel={panel} set={set} />}
        <Part title={t("Place")}>
          <label>
            {t("Section")}{" "}
            <input
              list="board-sections"
              value={panel.section ?? ""}
              onChange={(event) => set({ section: orNothing(event.currentTarget.value) })}
            />
          </label>
          <datalist id="board-sections">
            {sections.map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
          <TextField
            label={t("Where the title leads (optional)")}
            placeholder="/?q="
            value={panel.link ?? ""}
            onText={(link) => set({ link: orNothing(link) })}
          />
        </Part>
        <p class="buttons">
          <Button class="button primary" label={t("Done")} onClick={close} data-testid="panel-done" />
          <Button class="button" label={t("Remove")} onClick={() => removePanel(panel)} />
        </p>
      </form>
    </div>
  );
}

function Drawing({
  panel,
  set,
}: {
  panel: BoardPanel;
  set: (change: { [K in keyof BoardPanel]?: BoardPanel[K] | undefined }) => void;
}) {
  const toggle = (one: LegendValue, is: boolean) => {
    const before = panel.legend_values ?? [];
    set({ legend_values: is ? [...before, one] : before.filter((other) => other !== one) });
  };
  const scales = [
    ["linear", t("Linear")],
    ["log", t("Logarithmic")],
  ] as const;
  const scale = (
    <ChoiceField
      label={t("Scale")}
      value={panel.scale ?? "linear"}
      choices={scales}
      onChoose={(one) => set({ scale: one })}
    />
  );
  if (panel.kind === "heatmap") return <Part title={t("Display")}>{scale}</Part>;
  return (
    <Part title={t("Display")}>
      {scale}
      {panel.kind !== "line" && (
        <SwitchField label={t("Stacked")} value={panel.stack === true} onSwitch={(stack) => set({ stack })} />
      )}
      <ChoiceField
        label={t("Missing values")}
        value={panel.nulls ?? "gap"}
        choices={[
          ["gap", t("a gap")],
          ["zero", t("zero")],
          ["connect", t("a line to the next value")],
        ]}
        onChoose={(nulls) => set({ nulls })}
      />
      <ChoiceField
        label={t("Legend")}
        value={panel.legend ?? "bottom"}
        choices={[
          ["bottom", t("below")],
          ["right", t("at the right")],
          ["none", t("none")],
        ]}
        onChoose={(legend) => set({ legend })}
      />
      <fieldset>
        <legend>{t("Numbers in the legend")}</legend>
        {Object.entries(LEGEND_VALUES).map(([one, name]) => (
          <SwitchField
            key={one}
            label={t(name)}
            value={(panel.legend_values ?? []).includes(one as LegendValue)}
            onSwitch={(is) => toggle(one as LegendValue, is)}
          />
        ))}
      </fieldset>
    </Part>
  );
}

function UnitField({ panel, onUnit }: { panel: BoardPanel; onUnit: (unit: string | undefined) => void }) {
  return (
    <label>
      {t("Unit")}{" "}
      <input
        list="board-units"
        value={panel.unit ?? ""}
        placeholder="none"
        data-testid="panel-unit"
        onInput={(event) => onUnit(orNothing(event.currentTarget.value))}
      />
      <datalist id="board-units">
        <Options of={UNITS.map(({ unit, name }) => [unit, t(name)])} />
      </datalist>
    </label>
  );
}

function Thresholds({
  thresholds,
  onThresholds,
}: {
  thresholds: readonly Threshold[];
  onThresholds: (thresholds: Threshold[]) => void;
}) {
  const set = (at: number, change: Partial<Threshold>) =>
    onThresholds(thresholds.map((one, n) => (n === at ? { ...one, ...change } : one)));
  return (
    <fieldset>
      <legend>{t("Thresholds")}</legend>
      {thresholds.map((one, at) => (
        <div key={at} class="board-threshold">
          <label>
            <span class="sr-only">{t("From the value")}</span>
            <input
              type="number"
              step="any"
              value={one.value}
              onInput={(event) => {
                const value = event.currentTarget.valueAsNumber;
                if (!Number.isNaN(value)) set(at, { value });
              }}
            />
          </label>
          <select
            aria-label={t("Grade")}
            value={one.level}
            onChange={(event) => set(at, { level: event.currentTarget.value as Grade })}
          >
            <Options of={Object.entries(GRADES).map(([level, name]) => [level, t(name)])} />
          </select>
          <IconButton
            icon="close"
            aria-label={t("Remove the threshold")}
            onClick={() => onThresholds(thresholds.filter((_, n) => n !== at))}
          />
        </div>
      ))}
      <button
        type="button"
        class="link"
        data-testid="threshold-add"
        onClick={() => onThresholds([...thresholds, { value: 0, level: "warn" }])}
      >
        {t("Add a threshold")}
      </button>
    </fieldset>
  );
}

/** Where the editor looks for completions: in the range of the dashboard, and the groups of the query. */
function scopeOf({ groups = [] }: PanelQuery): Scope {
  const { from, to } = range.peek();
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), groups };
}

function Queries({ panel, onQueries }: { panel: BoardPanel; onQueries: (queries: PanelQuery[]) => void }) {
  const queries = panel.queries ?? [];
  const set = (at: number, change: { [K in keyof PanelQuery]?: PanelQuery[K] | undefined }) =>
    onQueries(
      queries.map((one, n) =>
        n === at
          ? (Object.fromEntries(
              Object.entries({ ...one, ...change }).filter(([, value]) => value !== undefined),
            ) as unknown as PanelQuery)
          : one,
      ),
    );
  const add = () => {
    const taken = queries.map(queryId);
    let n = 0;
    while (taken.includes(String.fromCharCode(97 + n))) n += 1;
    onQueries([...queries, { id: String.fromCharCode(97 + n), query: "stats count(*) by bin($__interval)" }]);
  };
  return (
    <>
      {queries.map((query, at) => (
        <fieldset key={at} class="board-query">
          <legend>{t("Query {name}", { name: queryId(query, at) })}</legend>
          <QueryField
            label={t("Query")}
            value={query.query}
            language={query.language ?? "insights"}
            scope={scopeOf(query)}
            onText={(value) => set(at, { query: value })}
            testId={`panel-query-${at}`}
          />
          <div class="board-fields">
            <LanguageField
              value={query.language ?? "insights"}
              onChoose={(language) => set(at, { language })}
              testId={`panel-language-${at}`}
            />
            <NamesField
              label={t("Groups")}
              names={query.groups ?? []}
              placeholder={t("all, or such as app/*, web/*")}
              onNames={(groups) => set(at, { groups: groups.length === 0 ? undefined : groups })}
            />
            <TextField
              label={t("Series name (optional)")}
              placeholder="{host}"
              value={query.label ?? ""}
              onText={(label) => set(at, { label: orNothing(label) })}
            />
          </div>
          {queries.length > 1 && (
            <Button label={t("Remove the query")} onClick={() => onQueries(queries.filter((_, n) => n !== at))} />
          )}
        </fieldset>
      ))}
      <p>
        <Button label={t("Add a query")} onClick={add} data-testid="query-add" />
      </p>
    </>
  );
}
