// A dashboard on a wall: large, without buttons, one part after the other. It says when its data are from, and hides what is
// too old to be taken for the present.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import type { ApiError } from "../../api.ts";
import { askBoard, type Board } from "../../api/dashboards.ts";
import { oneLine } from "../../format.ts";
import { pageKeys } from "../../keys.ts";
import { t, text } from "../../texts.ts";
import { ago, clockText, dateText, distance, fullText } from "../../time.ts";
import { askedAt, go, view } from "../../view.ts";
import { useAlerts } from "./alert_lines.tsx";
import { isAsking } from "./ask.ts";
import { Grid } from "./grid_view.tsx";
import { bottomOf, ROW_PX, sectionsOf, type Section } from "./grid.ts";
import { loadBoard, range, refresh, round } from "./state.ts";
import { choicesOf, useOffers } from "./variable_bar.tsx";
import { asks, boardsOf, freshness, turnsOf, type Turn } from "./turns.ts";

/** Seconds between refreshes where the dashboard has none. */
const REFRESH_S = 30;
/** How often it is looked whether dashboards were changed. */
const RELOAD_MS = 300_000;
/** Smallest and largest enlargement. */
const ZOOM = { least: 0.6, most: 2.5 };

/** Loads the dashboards of the wall again and again; what cannot be loaded stays as it was. */
function useBoards(names: readonly string[]): Board[] {
  const [boards, setBoards] = useState<Readonly<Record<string, Board>>>({});
  useEffect(() => {
    const controller = new AbortController();
    const load = () => {
      for (const name of names)
        askBoard(name, controller.signal).then(
          (found) => setBoards((now) => ({ ...now, [name]: found })),
          () => undefined,
        );
    };
    load();
    const timer = setInterval(load, RELOAD_MS);
    return () => {
      controller.abort();
      clearInterval(timer);
    };
  }, [names.join(",")]);
  return names.flatMap((name) => boards[name] ?? []);
}

function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** The wallboard. */
export function Wall() {
  const { name, wall, every } = view.value.board;
  const names = useMemo(() => boardsOf(wall, name), [wall, name]);
  const boards = useBoards(names);
  const now = useNow();
  const seconds = view.value.refresh || REFRESH_S;
  useEffect(() => {
    askedAt.value = Date.now();
    // Takes the range of the dashboard that the address names.
    void loadBoard(name);
  }, [name]);
  useEffect(() => {
    const timer = setInterval(() => !isAsking() && refresh(true), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
  useAlerts(askedAt.value);
  const [at, setAt] = useState(0);
  const turns = useMemo(
    () =>
      boards.flatMap((one) =>
        turnsOf(one.name, sectionsOf(one.text.panels), wall).map((turn) => ({ turn, board: one })),
      ),
    [boards.map(({ name: of, version }) => `${of} ${version}`).join(), wall],
  );
  useEffect(() => {
    if (turns.length < 2) return;
    const timer = setInterval(() => setAt((n) => n + 1), every * 1000);
    return () => clearInterval(timer);
  }, [turns.length, every]);
  useEffect(() => {
    const end = () => go({ board: { ...view.peek().board, wall: "" } });
    pageKeys.value = [
      { keys: ["w"], label: text("Leave the wallboard"), run: end },
      { keys: ["ArrowRight"], label: text("Next part"), run: () => setAt((n) => n + 1) },
      { keys: ["ArrowLeft"], label: text("Previous part"), run: () => setAt((n) => n - 1) },
      { keys: ["f"], label: text("Full screen"), run: () => void document.documentElement.requestFullscreen?.() },
    ];
    return () => {
      pageKeys.value = [];
    };
  }, []);
  const shown = turns.length === 0 ? undefined : turns[((at % turns.length) + turns.length) % turns.length];
  const title = shown?.board.text.title ?? name;
  useEffect(() => {
    document.title = `${title} – catat`;
  }, [title, view.value]);
  return (
    <main class="board-wall" data-testid="board-wall">
      {shown && view.value.from !== "" ? (
        <Shown
          key={`${shown.board.name} ${shown.turn.sections.map((one) => `${one.name}${one.panels.map(({ id }) => id).join()}`).join()}`}
          turn={shown.turn}
          board={shown.board}
          now={now}
          refreshMs={seconds * 1000}
          place={turns.length > 1 ? `${(((at % turns.length) + turns.length) % turns.length) + 1}/${turns.length}` : ""}
        />
      ) : (
        <p class="board-wall-note" role="status">
          {t("Waiting for the server…")}
        </p>
      )}
    </main>
  );
}

/** When the data of a panel are from (0: there are none), and whether the server could not be asked for newer ones. */
interface Age {
  at: number;
  isLost: boolean;
}

/** Whether an error says that nothing can be known at present, rather than that a query is wrong. */
function isLost(error: ApiError | null): boolean {
  return error !== null && (error.status === 0 || error.status === 401 || error.status >= 500);
}

function Shown({
  turn,
  board,
  now,
  refreshMs,
  place,
}: {
  turn: Turn;
  board: Board;
  now: number;
  refreshMs: number;
  place: string;
}) {
  const offers = useOffers(board.text.variables ?? [], range.value, 0);
  const choices = choicesOf(offers);
  const isReady = offers.every(({ state }) => state !== "loading");
  const answers = useRef(new Map<string, Age>());
  const [, redraw] = useState(0);
  const began = useRef(Date.now());
  const onAnswer = (id: string, at: number, error: ApiError | null) => {
    const before = answers.current.get(id);
    // A question that failed leaves the age of what is shown as it is.
    answers.current.set(id, { at: error === null ? at : (before?.at ?? 0), isLost: isLost(error) });
    redraw((n) => n + 1);
  };
  const asking = turn.sections.flatMap(({ panels }) => panels.filter(asks));
  const known = asking.flatMap(({ id }) => answers.current.get(id) ?? []);
  const lost = known.some((one) => one.isLost);
  // What never had an answer is as old as the wait for it.
  const ages = known.flatMap((one) => (one.at > 0 ? [one.at] : one.isLost ? [began.current] : []));
  const oldest = ages.reduce((least, at) => Math.min(least, at), now);
  const zone = view.value.zone;
  const state =
    asking.length === 0 ? "fresh" : freshness(oldest, now, refreshMs, dateText(oldest, zone) === dateText(now, zone));
  return (
    <>
      <header class={`board-wall-head ${state}${lost ? " failed" : ""}`}>
        <h1 class="ellipsis">{oneLine(board.text.title || board.name, 120)}</h1>
        <span class="grow" />
        {place !== "" && <span class="number dim">{place}</span>}
        <span class="number" data-testid="wall-age">
          {known.length === 0
            ? t("loading…")
            : t("as of {time}", {
                time: dateText(oldest, zone) === dateText(now, zone) ? clockText(oldest, zone) : fullText(oldest, zone),
              })}
        </span>
        <span class="number board-wall-clock">{clockText(now, zone).slice(0, 5)}</span>
      </header>
      {(lost || state !== "fresh") && (
        <p class="board-wall-lost" role="alert" data-testid="wall-lost">
          {state === "hidden"
            ? t("No new data since {time} ({ago}). Older numbers are hidden.", {
                time: fullText(oldest, zone),
                ago: ago(oldest, now),
              })
            : t("No connection. The data shown is {age} old.", { age: distance(now - oldest) })}
        </p>
      )}
      {state !== "hidden" && isReady && (
        <div class={`board-wall-body${state === "late" || lost ? " late" : ""}`}>
          <Fitted sections={turn.sections}>
            {turn.sections.map((section) => (
              <section key={section.name}>
                {section.name !== "" && <h2>{oneLine(section.name, 100)}</h2>}
                <Grid
                  section={section}
                  choices={choices}
                  range={range.value}
                  again={round.value}
                  isEdited={false}
                  hasMenus={false}
                  isEager
                  onAnswer={onAnswer}
                />
              </section>
            ))}
          </Fitted>
        </div>
      )}
    </>
  );
}

/** Height of the name of a section, in pixels before they are enlarged. */
const HEAD_PX = 44;

/** Enlarges the panels until they fill the screen: type grows with them, and beyond that their rows alone. */
function Fitted({ sections, children }: { sections: readonly Section[]; children: preact.ComponentChildren }) {
  const root = useRef<HTMLDivElement>(null);
  const [fit, setFit] = useState({ zoom: 1, row: ROW_PX });
  const heads = sections.filter(({ name }) => name !== "").length * HEAD_PX;
  const rows = sections.reduce((sum, { panels }) => sum + bottomOf(panels), 0);
  useEffect(() => {
    const measure = () => {
      const room = root.current?.parentElement?.clientHeight ?? innerHeight;
      const zoom = Math.max(ZOOM.least, Math.min(ZOOM.most, room / Math.max(1, rows * ROW_PX + heads)));
      setFit({ zoom, row: Math.max(ROW_PX, Math.floor((room / zoom - heads) / Math.max(1, rows))) });
    };
    measure();
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, [rows, heads]);
  return (
    <div ref={root} style={{ zoom: fit.zoom, "--row": `${fit.row}px` }}>
      {children}
    </div>
  );
}
