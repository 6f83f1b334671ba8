// The head of a dashboard: its title, its time, and what can be done with it; while it is changed, what is not saved.

import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";

import { ApiError } from "../../api.ts";
import { deleteBoard, isDerived, type BoardText } from "../../api/dashboards.ts";
import { oneLine } from "../../format.ts";
import { copyLink } from "../../keys.ts";
import { told, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { Icon } from "../../parts/icons.tsx";
import { Dialog, layer, Menu, tell } from "../../parts/layers.tsx";
import { Way } from "../../parts/way.tsx";
import { t } from "../../texts.ts";
import { ago } from "../../time.ts";
import { go, NO_BOARD, view } from "../../view.ts";
import { Reports } from "../reports.tsx";
import { Sure } from "../settings/parts.tsx";
import { fileName, saveFile } from "./picture.ts";
import {
  board,
  discard,
  draft,
  isChanged,
  loadBoard,
  pageOfBoard,
  redo,
  refresh,
  save,
  saveCopy,
  undo,
} from "./state.ts";
import { withTitles } from "./storable.ts";
import { Versions } from "./versions.tsx";

type Opened = "" | "copy" | "history" | "mail";

/** The head. */
export function Bar({
  name,
  text,
  isEdited,
  Time,
}: {
  name: string;
  text: BoardText;
  isEdited: boolean;
  Time: ComponentType;
}) {
  const open = useSignal<Opened>("");
  const kept = board.value.data;
  const to = (change: Partial<typeof NO_BOARD>) => ({ board: { ...view.value.board, ...change } });
  return (
    <>
      <div class="page-head board-head">
        <Way to={{ board: NO_BOARD }} class="dim" label={t("Dashboards")} />
        <h1 class="ellipsis" title={text.description}>
          {oneLine(text.title || name, 200)}
        </h1>
        {kept && !kept.own && <span class="label">{kept.source === "derived" ? t("ready-made") : t("not yours")}</span>}
        <span class="grow" />
        <Time />
        <button
          type="button"
          class="button"
          aria-label={t("Refresh all panels")}
          title={t("Refresh all panels (r)")}
          data-testid="board-refresh"
          onClick={() => refresh(true)}
        >
          <Icon name="history" />
        </button>
        <Way
          to={to({ edit: isEdited ? "" : "1", panel: "" })}
          class={`button${isEdited ? " primary" : ""}`}
          data-testid="board-edit"
        >
          {isEdited ? t("Done") : t("Edit")}
        </Way>
        <More name={name} open={open} />
      </div>
      <Unsaved name={name} open={open} />
      <Dialog open={open.value === "copy"} onClose={() => (open.value = "")} label={t("Save a copy")}>
        <CopyForm title={text.title} onDone={() => (open.value = "")} />
      </Dialog>
      <Dialog open={open.value === "mail"} onClose={() => (open.value = "")} label={t("Send by e-mail")}>
        <Reports of={{ dashboard: name }} onDone={() => (open.value = "")} />
      </Dialog>
      <Dialog open={open.value === "history"} onClose={() => (open.value = "")} label={t("Earlier versions")}>
        <Versions name={name} onDone={() => (open.value = "")} />
      </Dialog>
    </>
  );
}

function More({ name, open }: { name: string; open: { value: Opened } }) {
  const kept = board.value.data;
  const then = (action: () => void) => () => {
    layer.value = "";
    action();
  };
  const set = (change: Partial<typeof NO_BOARD>) => go({ board: { ...view.peek().board, ...change } });
  const remove = async () => {
    await deleteBoard(name);
    discard();
    tell(t("Dashboard deleted"));
    go({ board: NO_BOARD });
  };
  const toFile = async () => {
    tell(t("The file is being made"));
    try {
      saveFile(await pageOfBoard(name), fileName(kept?.text.title ?? name, "html"));
      tell(
        isChanged.peek()
          ? t("The browser saves the file, without the changes that are not saved")
          : t("The browser saves the file"),
      );
    } catch (error) {
      tell(told(error));
    }
  };
  const item = (text: string, testId: string, action: () => void) => (
    <li>
      <button type="button" data-testid={testId} onClick={then(action)}>
        {text}
      </button>
    </li>
  );
  return (
    <Menu
      name="board:more"
      label={t("More about this dashboard")}
      testId="board-more"
      isPicture
      align="right"
      button={<Icon name="more" />}
    >
      <ul class="actions-list">
        {item(t("Wallboard"), "board-wall", () => set({ wall: "1", edit: "", panel: "" }))}
        {item(t("Wallboard, one panel after the other"), "board-wall-panels", () =>
          set({ wall: "panels", edit: "", panel: "" }),
        )}
        {item(t("Copy a link with fixed times"), "board-link", copyLink)}
        {item(t("Save with its data as one HTML file"), "board-html", () => void toFile())}
        {item(t("Send by e-mail…"), "board-mail", () => (open.value = "mail"))}
        {isDerived(name) && !name.startsWith("host:") && (
          <li>
            <Way to={{ page: "for", open: name.slice(name.indexOf(":") + 1) }} data-testid="board-for">
              {t("In plain words, for everybody")}
            </Way>
          </li>
        )}
        {item(t("Title, time, variables…"), "board-settings", () => set({ edit: "settings", panel: "" }))}
        {item(t("Save a copy…"), "board-copy", () => (open.value = "copy"))}
        {kept?.source === "store" && item(t("Earlier versions…"), "board-history", () => (open.value = "history"))}
      </ul>
      {kept?.own && kept.source === "store" && <Sure what={t("Delete")} name={t("the dashboard")} run={remove} />}
    </Menu>
  );
}

/** Says that something is not saved, and saves it: under its name, or where that may not be, as a copy. */
function Unsaved({ name, open }: { name: string; open: { value: Opened } }) {
  const problem = useSignal("");
  const conflict = useSignal(false);
  const of = draft.value;
  const kept = board.value.data;
  if (of === null || (!isChanged.value && of.history.after.length === 0)) return null;
  const isStale = kept !== null && isChanged.value && of.version !== kept.version;
  const run = async () => {
    problem.value = "";
    try {
      await save();
      conflict.value = false;
      tell(t("Saved"));
    } catch (error) {
      conflict.value = error instanceof ApiError && error.status === 409;
      problem.value = withTitles(told(error), of.history.now);
    }
  };
  const mayStore = kept?.own === true && kept.source === "store";
  return (
    <div class="board-unsaved" role="region" aria-label={t("Changes")} data-testid="board-unsaved">
      <span role="status">
        {isChanged.value
          ? t("Unsaved changes from {ago}, kept in this browser.", { ago: ago(of.since, Date.now()) })
          : t("All changes are undone.")}
        {(isStale || conflict.value) && (
          <b> {t("The dashboard has been changed by another user: save a copy, or discard your changes.")}</b>
        )}
      </span>
      <span class="grow" />
      <button
        type="button"
        class="button small"
        disabled={of.history.before.length === 0}
        data-testid="board-undo"
        onClick={undo}
      >
        {t("Undo")}
      </button>
      <button
        type="button"
        class="button small"
        disabled={of.history.after.length === 0}
        data-testid="board-redo"
        onClick={redo}
      >
        {t("Redo")}
      </button>
      {isChanged.value && (
        <>
          <Sure
            what={t("Discard")}
            name={t("changes")}
            run={async () => {
              discard();
              conflict.value = false;
              problem.value = "";
              await loadBoard(name);
            }}
          />
          <button
            type="button"
            class="button small"
            data-testid="board-save-copy"
            onClick={() => (open.value = "copy")}
          >
            {t("Save a copy…")}
          </button>
          {mayStore && (
            <button type="button" class="button small primary" data-testid="board-save" onClick={() => void run()}>
              {t("Save")}
            </button>
          )}
        </>
      )}
      <Wrong text={problem.value} />
    </div>
  );
}

function CopyForm({ title: before, onDone }: { title: string; onDone: () => void }) {
  const title = useSignal(t("{title} (copy)", { title: before }));
  const problem = useSignal("");
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await saveCopy(title.peek());
      onDone();
      tell(t("Copy saved"));
    } catch (error) {
      problem.value = told(error);
    }
  };
  return (
    <form class="key-form" onSubmit={(event) => void submit(event)} data-testid="board-copy-form">
      <h2>{t("Save a copy")}</h2>
      <label>
        {t("Title")}{" "}
        <input required value={title.value} onInput={(event) => (title.value = event.currentTarget.value)} />
      </label>
      <Wrong text={problem.value} />
      <p class="buttons">
        <Button type="submit" class="button primary" label={t("Save a copy")} />
        <Button class="button quiet" label={t("Cancel")} onClick={onDone} />
      </p>
    </form>
  );
}
