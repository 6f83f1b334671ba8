// Saved views and filters: the row of switches below the query, the list of all, and the form that keeps one.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { askViews, partsOf, savedViews, saveView, type NewView } from "../api/views.ts";
import { printable } from "../format.ts";
import { Wrong } from "../parts/attempt.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog, layer, tell } from "../parts/layers.tsx";
import { Status } from "../parts/status.tsx";
import { adopt } from "../parts/style.ts";
import { isOn } from "../query/chips.ts";
import { conditions } from "../query/edit.ts";
import rules from "../style/keep.css?inline";
import { t } from "../texts.ts";
import { isAbsolute } from "../time.ts";
import { view } from "../view.ts";
import { NotRun } from "./not_run.tsx";
import { Entry, reason, tagsOf } from "./saved_entry.tsx";
import { all, chips, isStarred, openView } from "./saved_open.ts";

adopt(rules);

/** The row of switches and of starred views; nothing where nothing was saved. */
function Chips() {
  const conditionsOfChips = chips().map((one) => one.view["q"] ?? "");
  const starred = all().filter((one) => !one.chip && isStarred(one));
  if (conditionsOfChips.length === 0 && starred.length === 0) return null;
  return (
    <div class="chips-row" role="group" aria-label={t("Saved filters and views")} data-testid="chips">
      {chips().map((one) => {
        const on = isOn(
          view.value.language === "promql" ? view.value.logs : view.value.query,
          one.view["q"] ?? "",
          conditionsOfChips,
        );
        return (
          <button
            key={one.id}
            type="button"
            class={`switch${on ? " on" : ""}`}
            aria-pressed={on}
            title={one.view["q"]}
            onClick={() => openView(one)}
          >
            {printable(one.name)}
          </button>
        );
      })}
      {starred.map((one) => (
        <button
          key={one.id}
          type="button"
          class="link"
          title={one.description || (one.view["q"] ?? "")}
          onClick={() => openView(one)}
        >
          <span aria-hidden="true">★ </span>
          {printable(one.name)}
        </button>
      ))}
      <Button class="link all" label={t("All views")} data-layer="views" onClick={() => (layer.value = "views")} />
    </div>
  );
}

/** The only condition of a text, which then can be switched on and off by itself. */
function onlyCondition(text: string): string | null {
  const found = conditions(text);
  const first = found[0];
  return found.length === 1 && first && first.without.trim() === "" ? first.text : null;
}

function SaveForm() {
  const now = view.peek();
  const only = onlyCondition(now.query);
  const wanted = useSignal<NewView>({
    name: "",
    description: "",
    tags: [],
    star: false,
    chip: false,
    shared: false,
    view: {},
  });
  const tags = useSignal("");
  const withRange = useSignal(!isAbsolute(now.from));
  const error = useSignal("");
  const busy = useSignal(false);
  const set = (change: Partial<NewView>) => (wanted.value = { ...wanted.value, ...change });
  const submit = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    const parts = wanted.peek().chip && only !== null ? { q: only } : partsOf(now, withRange.peek());
    try {
      await saveView({ ...wanted.peek(), tags: tagsOf(tags.peek()), view: parts });
      layer.value = "";
      tell(t("Saved as {name}", { name: wanted.peek().name }));
    } catch (caught) {
      error.value = reason(caught);
    }
    busy.value = false;
  };
  return (
    <form class="keep-form" onSubmit={(event) => void submit(event)} data-testid="save-form">
      <h2>{t("Save this view")}</h2>
      <NotRun />
      <pre class="kept-query">{now.query.trim() === "" ? t("all events") : printable(now.query, true)}</pre>
      <label>
        {t("Name")}
        <input
          name="name"
          autoFocus
          required
          maxLength={100}
          value={wanted.value.name}
          onInput={(event) => set({ name: event.currentTarget.value })}
        />
      </label>
      <label>
        {t("Description")}
        <input
          name="description"
          maxLength={1000}
          value={wanted.value.description}
          onInput={(event) => set({ description: event.currentTarget.value })}
        />
      </label>
      <label>
        {t("Tags, separated by commas")}
        <input name="tags" value={tags.value} onInput={(event) => (tags.value = event.currentTarget.value)} />
      </label>
      {only !== null && (
        <label class="choice">
          <input
            type="checkbox"
            checked={wanted.value.chip}
            onChange={(event) => set({ chip: event.currentTarget.checked })}
            data-testid="as-chip"
          />
          {t("As a filter that can be switched on and off")}
        </label>
      )}
      {!wanted.value.chip && (
        <label class="choice">
          <input
            type="checkbox"
            checked={withRange.value}
            onChange={(event) => (withRange.value = event.currentTarget.checked)}
          />
          {t("With the time range")}
        </label>
      )}
      {!wanted.value.chip && (
        <label class="choice">
          <input
            type="checkbox"
            checked={wanted.value.star}
            onChange={(event) => set({ star: event.currentTarget.checked })}
          />
          {t("Starred: shown below the query")}
        </label>
      )}
      <label class="choice">
        <input
          type="checkbox"
          checked={wanted.value.shared}
          onChange={(event) => set({ shared: event.currentTarget.checked })}
        />
        {t("Others may see it")}
      </label>
      <Wrong text={printable(error.value)} />
      <div class="buttons">
        <button type="submit" class="button primary" disabled={busy.value} data-testid="save-submit">
          {t("Save")}
        </button>
        <Button class="button" label={t("Cancel")} onClick={() => (layer.value = "")} />
      </div>
    </form>
  );
}

function List() {
  const sought = useSignal("");
  const root = useRef<HTMLDivElement>(null);
  useEffect(askViews, []);
  const lane = savedViews.value;
  const words = sought.value
    .toLowerCase()
    .split(/\s+/)
    .filter((one) => one !== "");
  const found = all().filter((one) =>
    words.every((word) =>
      [one.name, one.description, one.view["q"] ?? "", one.owner, ...one.tags].some((text) =>
        text.toLowerCase().includes(word),
      ),
    ),
  );
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const entries = [...(root.current?.querySelectorAll<HTMLElement>("[data-entry]") ?? [])];
    const at = entries.findIndex((one) => one.closest("li")?.contains(document.activeElement));
    const next = entries[at + (event.key === "ArrowDown" ? 1 : -1)];
    (next ?? (event.key === "ArrowUp" ? root.current?.querySelector<HTMLElement>("input") : null))?.focus();
    event.preventDefault();
  };
  return (
    <div class="keep-list" ref={root} onKeyDown={onKey} data-testid="views-dialog">
      <div class="help-head">
        <h2>{t("Saved views")}</h2>
        <Button class="button quiet" label={t("Close")} onClick={() => (layer.value = "")} />
      </div>
      <input
        type="search"
        autoFocus
        aria-label={t("Find a view by name, tag or query")}
        placeholder={t("Find by name, tag or query")}
        value={sought.value}
        onInput={(event) => (sought.value = event.currentTarget.value)}
      />
      {lane.state === "error" && (
        <p class="note error" role="alert">
          {t("The views could not be loaded: {reason}", { reason: lane.error?.message ?? "" })}{" "}
          <Button label={t("Try again")} onClick={askViews} />
        </p>
      )}
      {lane.data === null && lane.state === "loading" && <Status text={t("loading…")} />}
      {lane.data?.length === 0 && (
        <p>
          {t("Nothing is saved yet.")}{" "}
          <Button label={t("Save what is on screen")} onClick={() => (layer.value = "save-view")} />
        </p>
      )}
      {all().length > 0 && found.length === 0 && <Status text={t("No view matches.")} />}
      <ul>
        {found.map((one) => (
          <Entry key={one.id} of={one} />
        ))}
      </ul>
    </div>
  );
}

/** The row of switches, and the dialogs. */
export function Saved() {
  useEffect(askViews, []);
  const close = (name: typeof layer.value) => () => {
    if (layer.peek() === name) layer.value = "";
  };
  return (
    <>
      <Chips />
      <Dialog open={layer.value === "views"} onClose={close("views")} label={t("Saved views")}>
        <List />
      </Dialog>
      <Dialog open={layer.value === "save-view"} onClose={close("save-view")} label={t("Save this view")}>
        <SaveForm key={view.value.query} />
      </Dialog>
    </>
  );
}
