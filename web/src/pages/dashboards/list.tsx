// All dashboards: those that people made, and those that are there for each group, service and host.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { askBoards, boards, fileProblems, type ListedBoard } from "../../api/dashboards.ts";
import { Failure } from "../../explore/waiting.tsx";
import { count, oneLine } from "../../format.ts";
import { pageKeys } from "../../keys.ts";
import { fuzzy } from "../../parts/fuzzy.ts";
import { Icon } from "../../parts/icons.tsx";
import { Dialog } from "../../parts/layers.tsx";
import { Status } from "../../parts/status.tsx";
import { Way } from "../../parts/way.tsx";
import { plural, t, text } from "../../texts.ts";
import { ago } from "../../time.ts";
import { asked, boardAt } from "../../view.ts";
import { ImportForm } from "./import_form.tsx";
import { NewForm } from "./new_form.tsx";

/** Ready-made dashboards of a kind that are listed before somebody seeks. */
const LISTED_MAX = 24;

/** Kinds of dashboards, by the beginning of their names. */
const KINDS: readonly { prefix: string; title: string }[] = [
  { prefix: "service:", title: text("Services") },
  { prefix: "group:", title: text("Groups") },
  { prefix: "host:", title: text("Hosts") },
];

/** The page. */
export function BoardList() {
  const sought = useSignal("");
  const open = useSignal<"" | "new" | "import">("");
  useEffect(() => {
    askBoards();
  }, [asked.value]);
  useEffect(() => {
    pageKeys.value = [
      { keys: ["n"], label: text("New dashboard"), run: () => (open.value = "new") },
      { keys: ["i"], label: text("Import a dashboard"), run: () => (open.value = "import") },
      {
        keys: ["/"],
        label: text("Find a dashboard"),
        run: () => document.querySelector<HTMLInputElement>("[data-testid=board-find]")?.focus(),
      },
    ];
    return () => {
      pageKeys.value = [];
    };
  }, []);
  const { state, data, error } = boards.value;
  const found = fuzzy(
    data ?? [],
    sought.value,
    (one) => `${one.title} ${one.name} ${one.tags.join(" ")} ${one.description}`,
  );
  const made = found.filter(({ source }) => source !== "derived");
  return (
    <main class="page boards-page" data-testid="boards-page" aria-busy={state === "loading"}>
      <div class="page-head">
        <h1>{t("Dashboards")}</h1>
        <span class="grow" />
        <button type="button" class="button primary" data-testid="board-new" onClick={() => (open.value = "new")}>
          <Icon name="plus" />
          {t("New dashboard")}
        </button>
        <button type="button" class="button" data-testid="board-import" onClick={() => (open.value = "import")}>
          {t("Import…")}
        </button>
      </div>
      {state === "error" && (
        <Failure
          what={t("The dashboards could not be loaded: {message}.", { message: error?.message ?? "" })}
          onAgain={askBoards}
        />
      )}
      {fileProblems.value.length > 0 && (
        <div class="partial" role="alert" data-testid="board-file-problems">
          <b>{t("Dashboard files with errors:")}</b>
          {fileProblems.value.slice(0, 5).map((one) => (
            <span key={one}> {oneLine(one, 300)}.</span>
          ))}
        </div>
      )}
      {data === null && state === "loading" && <Status />}
      {data !== null && data.length > 0 && (
        <input
          type="search"
          class="find"
          aria-label={t("Find a dashboard")}
          placeholder={t("Find a dashboard")}
          data-testid="board-find"
          value={sought.value}
          onInput={(event) => (sought.value = event.currentTarget.value)}
        />
      )}
      {data !== null && found.length === 0 && sought.value !== "" && (
        <p role="status">{t("No match for “{text}”.", { text: sought.value })}</p>
      )}
      {data !== null && (made.length > 0 || sought.value === "") && (
        <section aria-label={t("Saved dashboards")}>
          <h2>{t("Saved dashboards")}</h2>
          {made.length === 0 ? (
            <div class="state" data-testid="no-boards">
              <p>
                {t(
                  "No dashboard has been saved yet. Start with an empty one, import one from Grafana or CloudWatch, or press b in Explore to add what it shows.",
                )}
              </p>
            </div>
          ) : (
            <Cards boards={made} />
          )}
        </section>
      )}
      {KINDS.map(({ prefix, title }) => (
        <ReadyMade
          key={prefix}
          title={t(title)}
          isSought={sought.value !== ""}
          boards={found.filter(({ source, name }) => source === "derived" && name.startsWith(prefix))}
        />
      ))}
      <ReadyMade
        title={t("Ready-made")}
        isSought={sought.value !== ""}
        boards={found.filter(
          ({ source, name }) => source === "derived" && !KINDS.some(({ prefix }) => name.startsWith(prefix)),
        )}
      />
      <Dialog open={open.value === "new"} onClose={() => (open.value = "")} label={t("New dashboard")}>
        <NewForm onDone={() => (open.value = "")} />
      </Dialog>
      <Dialog open={open.value === "import"} onClose={() => (open.value = "")} label={t("Import a dashboard")}>
        <ImportForm onDone={() => (open.value = "")} />
      </Dialog>
    </main>
  );
}

function ReadyMade({
  title,
  boards: all,
  isSought,
}: {
  title: string;
  boards: readonly ListedBoard[];
  isSought: boolean;
}) {
  const more = useSignal(false);
  if (all.length === 0) return null;
  const shown = more.value || isSought ? all : all.slice(0, LISTED_MAX);
  return (
    <section aria-label={title}>
      <h2>
        {title} <span class="dim">{t("ready-made")}</span>
      </h2>
      <Cards boards={shown} />
      {all.length > shown.length && (
        <button type="button" class="link" onClick={() => (more.value = true)}>
          {plural(all.length - shown.length, "{n} more", "{n} more dashboards", count(all.length - shown.length))}
        </button>
      )}
    </section>
  );
}

function Cards({ boards: all }: { boards: readonly ListedBoard[] }) {
  return (
    <ul class="board-cards">
      {all.map((one) => (
        <li key={one.name} data-testid="board-card">
          <Way to={boardAt(one.name)} class="board-card">
            <b class="ellipsis">{oneLine(one.title, 120)}</b>
            {one.description !== "" && <span class="dim board-card-text">{oneLine(one.description, 200)}</span>}
            <span class="dim board-card-foot">
              {one.tags.slice(0, 4).map((tag) => (
                <span key={tag} class="label">
                  {oneLine(tag, 30)}
                </span>
              ))}
              {one.source === "file" && <span class="label">{t("from a file")}</span>}
              {one.owner !== "" && (
                <span>{one.own ? t("yours") : t("by {name}", { name: oneLine(one.owner, 40) })}</span>
              )}
              {one.changed !== "" && one.source !== "derived" && (
                <span>{ago(Date.parse(one.changed), Date.now())}</span>
              )}
            </span>
          </Way>
        </li>
      ))}
    </ul>
  );
}
