// One saved view in the list of all: opened, given a star, renamed, deleted.

import { useSignal } from "@preact/signals";

import { ApiError } from "../api.ts";
import { changeView, deleteView, type SavedView } from "../api/views.ts";
import { printable } from "../format.ts";
import { Wrong } from "../parts/attempt.tsx";
import { Button } from "../parts/button.tsx";
import { tell } from "../parts/layers.tsx";
import { t } from "../texts.ts";
import { isStarred, openView, toggleStar } from "./saved_open.ts";

/** Tags as they are written, with commas between them. */
export function tagsOf(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

/** Why it did not work, and what to do. */
export function reason(caught: unknown): string {
  return caught instanceof ApiError ? caught.withHint(" – ") : t("That did not work");
}

function failed(caught: unknown): void {
  tell(reason(caught));
}

/** Name, description and tags of a view, to be changed. */
function Rename({ of, onDone }: { of: SavedView; onDone: () => void }) {
  const wanted = useSignal({ name: of.name, description: of.description, tags: of.tags.join(", ") });
  const error = useSignal("");
  const set = (change: Partial<typeof wanted.value>) => (wanted.value = { ...wanted.value, ...change });
  const submit = async (event: Event) => {
    event.preventDefault();
    const { name, description, tags } = wanted.peek();
    try {
      await changeView(of, { name, description, tags: tagsOf(tags) });
      onDone();
    } catch (caught) {
      error.value = reason(caught);
    }
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    // The form is closed, not the list around it.
    event.preventDefault();
    event.stopPropagation();
    onDone();
  };
  return (
    <form class="keep-form rename" onSubmit={(event) => void submit(event)} onKeyDown={onKey} data-testid="rename-form">
      <label>
        {t("Name")}
        <input
          name="new-name"
          autoFocus
          required
          maxLength={100}
          value={wanted.value.name}
          onInput={(event) => set({ name: event.currentTarget.value })}
          ref={(input) => {
            if (input && document.activeElement?.closest("form") !== input.form) input.select();
          }}
        />
      </label>
      <label>
        {t("Description")}
        <input
          name="new-description"
          maxLength={1000}
          value={wanted.value.description}
          onInput={(event) => set({ description: event.currentTarget.value })}
        />
      </label>
      <label>
        {t("Tags, separated by commas")}
        <input
          name="new-tags"
          value={wanted.value.tags}
          onInput={(event) => set({ tags: event.currentTarget.value })}
        />
      </label>
      <Wrong text={printable(error.value)} />
      <div class="buttons">
        <Button type="submit" class="button primary small" label={t("Save")} />
        <Button class="button small" label={t("Cancel")} onClick={onDone} />
      </div>
    </form>
  );
}

/** One line of the list. */
export function Entry({ of }: { of: SavedView }) {
  const sure = useSignal(false);
  const renames = useSignal(false);
  const remove = () => (sure.value ? void deleteView(of).catch(failed) : (sure.value = true));
  if (renames.value)
    return (
      <li class="kept" data-testid="saved-view">
        <Rename of={of} onDone={() => (renames.value = false)} />
      </li>
    );
  const has = isStarred(of);
  return (
    <li class="kept" data-testid="saved-view">
      <button
        type="button"
        class="tiny star"
        aria-pressed={has}
        aria-label={t("Star on {name}", { name: of.name })}
        title={t("Starred views are shown below the query")}
        onClick={() => void toggleStar(of).catch(failed)}
      >
        {has ? "★" : "☆"}
      </button>
      <button type="button" class="kept-name" data-entry onClick={() => openView(of)}>
        <b>{printable(of.name)}</b>
        {of.chip && <span class="label">{t("filter")}</span>}
        {of.tags.map((tag) => (
          <span key={tag} class="label">
            {printable(tag)}
          </span>
        ))}
        {of.shared && <span class="dim">{of.own ? t("shared") : t("of {owner}", { owner: of.owner })}</span>}
        <span class="dim about">{printable(of.description || (of.view["q"] ?? t("all events")))}</span>
      </button>
      {of.own && (
        <button
          type="button"
          class="button small quiet"
          aria-label={t("Rename {name}", { name: of.name })}
          onClick={() => (renames.value = true)}
        >
          {t("Rename")}
        </button>
      )}
      {of.own && (
        <button
          type="button"
          class={`button small${sure.value ? " danger" : " quiet"}`}
          aria-label={t("Delete {name}", { name: of.name })}
          onBlur={() => (sure.value = false)}
          onClick={remove}
        >
          {sure.value ? t("Really delete") : t("Delete")}
        </button>
      )}
    </li>
  );
}
