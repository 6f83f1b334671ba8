// The form of a dashboard's title, time and variables.

import type { BoardText, Variable } from "../../api/dashboards.ts";
import { Button } from "../../parts/button.tsx";
import { Way } from "../../parts/way.tsx";
import { t } from "../../texts.ts";
import { view } from "../../view.ts";
import { ChoiceField, CodeField, LanguageField, NamesField, orNothing, SwitchField, TextField } from "./fields.tsx";
import { change } from "./state.ts";

/** Distances of refreshes, as the document writes them. */
const REFRESHES: readonly string[] = ["", "5s", "30s", "1m", "5m"];

type Changes<T> = { [K in keyof T]?: T[K] | undefined };

function merged<T extends object>(of: T, changes: Changes<T>): T {
  return Object.fromEntries(Object.entries({ ...of, ...changes }).filter(([, value]) => value !== undefined)) as T;
}

/** The form. */
export function SettingsForm({ text }: { text: BoardText }) {
  const set = (changes: Changes<BoardText>) =>
    change((now) => merged(now, changes), `settings ${Object.keys(changes).join()}`);
  const variables = text.variables ?? [];
  const refreshes = [...new Set([...REFRESHES, text.refresh ?? ""])];
  const setVariable = (at: number, changes: Changes<Variable>) =>
    change(
      (now) => ({
        ...now,
        variables: (now.variables ?? []).map((one, n) => (n === at ? merged(one, changes) : one)),
      }),
      `variable ${at} ${Object.keys(changes).join()}`,
    );
  return (
    <form
      class="board-form"
      aria-label={t("Title, time, variables")}
      data-testid="board-settings-form"
      onSubmit={(event) => event.preventDefault()}
    >
      <div class="board-fields">
        <TextField label={t("Title")} value={text.title} onText={(title) => set({ title })} testId="settings-title" />
        <TextField
          label={t("Description")}
          value={text.description ?? ""}
          onText={(description) => set({ description: orNothing(description) })}
        />
        <NamesField
          label={t("Tags")}
          names={text.tags ?? []}
          onNames={(tags) => set({ tags: tags.length === 0 ? undefined : tags })}
        />
        <TextField
          label={t("Default time range, from")}
          value={text.range.from}
          onText={(from) => set({ range: { ...text.range, from } })}
        />
        <TextField label={t("to")} value={text.range.to} onText={(to) => set({ range: { ...text.range, to } })} />
        <ChoiceField
          label={t("Refresh")}
          value={text.refresh ?? ""}
          choices={refreshes.map((one) => [one, one === "" ? t("only when asked") : one] as const)}
          onChoose={(refresh) => set({ refresh: orNothing(refresh) })}
        />
      </div>
      <h2>{t("Variables")}</h2>
      <p class="dim">{t("A query names a variable as $name. Several values need “in”, or a regular expression.")}</p>
      {variables.map((variable, at) => (
        <VariableFields
          key={at}
          variable={variable}
          set={(changes) => setVariable(at, changes)}
          onRemove={() => set({ variables: variables.filter((_, n) => n !== at) })}
        />
      ))}
      <p>
        <button
          type="button"
          class="link"
          data-testid="variable-add"
          onClick={() => set({ variables: [...variables, { name: `v${variables.length + 1}`, values: ["a", "b"] }] })}
        >
          {t("Add a variable")}
        </button>
      </p>
      <p class="buttons">
        <Way to={{ board: { ...view.value.board, edit: "1", panel: "" } }} class="button primary">
          {t("Back to the panels")}
        </Way>
      </p>
    </form>
  );
}

function VariableFields({
  variable,
  set,
  onRemove,
}: {
  variable: Variable;
  set: (changes: Changes<Variable>) => void;
  onRemove: () => void;
}) {
  const isQuery = variable.query !== undefined;
  return (
    <fieldset class="board-query">
      <legend>{`$${variable.name}`}</legend>
      <div class="board-fields">
        <TextField
          label={t("Name in queries")}
          value={variable.name}
          onText={(name) => /^[A-Za-z_]\w*$/.test(name) && set({ name })}
        />
        <TextField
          label={t("Label")}
          value={variable.label ?? ""}
          onText={(label) => set({ label: orNothing(label) })}
        />
        <ChoiceField
          label={t("Values")}
          value={isQuery ? "query" : "list"}
          choices={[
            ["list", t("a list")],
            ["query", t("the first column of a query")],
          ]}
          onChoose={(kind) =>
            set(
              kind === "query"
                ? { query: "stats count(*) by service", values: undefined }
                : { query: undefined, language: undefined, groups: undefined, values: ["a", "b"] },
            )
          }
        />
        {!isQuery && (
          <NamesField
            label={t("Values, between commas")}
            names={variable.values ?? []}
            onNames={(values) => set({ values })}
          />
        )}
      </div>
      {isQuery && (
        <>
          <CodeField label={t("Query")} value={variable.query ?? ""} onText={(query) => set({ query })} />
          <div class="board-fields">
            <LanguageField value={variable.language ?? "insights"} onChoose={(language) => set({ language })} />
            <NamesField
              label={t("Groups")}
              names={variable.groups ?? []}
              placeholder={t("all, or such as app/*, web/*")}
              onNames={(groups) => set({ groups: groups.length === 0 ? undefined : groups })}
            />
          </div>
        </>
      )}
      <div class="board-fields">
        <NamesField
          label={t("Default (optional)")}
          names={variable.default ?? []}
          onNames={(names) => set({ default: names.length === 0 ? undefined : names })}
        />
        <SwitchField
          label={t("Several values may be chosen")}
          value={variable.multiple === true}
          onSwitch={(multiple) => set({ multiple: multiple || undefined })}
        />
        <SwitchField
          label={t("All values may be chosen")}
          value={variable.all === true}
          onSwitch={(all) => set({ all: all || undefined })}
        />
      </div>
      <Button label={t("Remove the variable")} onClick={onRemove} />
    </fieldset>
  );
}
