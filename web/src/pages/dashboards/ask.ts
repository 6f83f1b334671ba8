// Fetches the data of panels that are on screen. Panels with the same question share one request.

import { signal, type Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo } from "preact/hooks";

import { ApiError, timeZone, type Answer } from "../../api.ts";
import type { BoardPanel, PanelQuery } from "../../api/dashboards.ts";
import type { Steps } from "../../api/metrics.ts";
import { serviceMap, type ServiceMap } from "../../api/traces.ts";
import { start, stop, type Lane } from "../../ask.ts";
import { stepsOf } from "../../metrics/range.ts";
import { withRowFields } from "../../query/edit.ts";
import { t } from "../../texts.ts";
import { offset } from "../../time.ts";
import { view } from "../../view.ts";
import { dataOf, isSeries, LOGS_MAX, withEnds, type QueryData } from "./answers.ts";
import { binOfAll, hasExpression, panelSteps } from "./bins.ts";
import { builtIns } from "./interval.ts";
import { ask as put, send } from "./questions.ts";
import { filled, FillError, type Choices } from "./variables.ts";

/** How long an answer waits for others: a frame for each of thirty answers takes far longer than one for all. */
const HELD_MS_MAX = 100;
/** Most rows of an answer that is drawn. */
const ROWS_MAX = 10_000;

/** The range that all panels are asked for, in ms. */
export interface BoardRange {
  from: number;
  to: number;
  /** Whether the end is now. */
  isOpen: boolean;
}

/** What a panel's queries found. */
export interface PanelData {
  /** By the panel's queries. */
  data: QueryData[];
  map: ServiceMap | null;
  range: BoardRange;
  /** The distance of instants that series were asked for. */
  step: number;
  /** The width of the bins that the queries count by; `null` if it is not known. */
  bin: number | null;
}

let running = 0;

/** Whether some panel waits for an answer. */
export function isAsking(): boolean {
  return running > 0;
}

/** Runs a task, which is an answer that some panel waits for. */
async function counted<T>(task: () => Promise<T>): Promise<T> {
  running += 1;
  try {
    return await task();
  } finally {
    running -= 1;
  }
}

interface Shared {
  answer: Promise<Answer>;
  controller: AbortController;
  users: number;
}

const asking = new Map<string, Shared>();

/** Asks a question, unless the same one is under way already; it is stopped when nobody waits for it any more. */
function ask(body: Record<string, unknown>, signal: AbortSignal): Promise<Answer> {
  const key = JSON.stringify(body);
  const shared = asking.get(key) ?? begin(key);
  shared.users += 1;
  const leave = () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    shared.controller.abort();
    if (asking.get(key) === shared) asking.delete(key);
  };
  signal.addEventListener("abort", leave, { once: true });
  return shared.answer.finally(() => signal.removeEventListener("abort", leave));
}

function begin(key: string): Shared {
  const controller = new AbortController();
  const none = { columns: [], rows: [], stats: {}, partial: false, partial_reasons: [], warnings: [] };
  const answer = counted(async () => ({ ...none, ...(await put(key, controller.signal)) }));
  const shared = { answer, controller, users: 0 };
  asking.set(key, shared);
  const forget = () => {
    if (asking.get(key) === shared) asking.delete(key);
  };
  answer.then(forget, forget);
  return shared;
}

/** Whether series are asked for at the last instant alone. */
const isInstant = (kind: BoardPanel["kind"]) => kind === "pie" || kind === "table";

/** Reports whether a query is asked for series at the instants of its panel. */
const hasSteps = ({ kind }: Pick<BoardPanel, "kind">, query: PanelQuery) => isSeries(query) && !isInstant(kind);

/** Returns the query that is asked: with the values of variables, and of events with what their rows show. */
export function askedText(
  panel: Pick<BoardPanel, "kind">,
  query: PanelQuery,
  choices: Choices,
  range: Pick<BoardRange, "from" | "to">,
  { step }: Pick<Steps, "step"> = stepsOf([range.from, range.to]),
): string {
  const language = query.language ?? "insights";
  const interval = hasSteps(panel, query) ? step : undefined;
  const text = filled(query.query, language, { ...choices, ...builtIns(range, interval) });
  return panel.kind === "logs" && language === "insights" ? (withRowFields(text, []) ?? text) : text;
}

/** What a panel asks. */
interface Questions {
  steps: ReturnType<typeof panelSteps>;
  /** By the panel's queries. */
  asked: { text: string; body: Record<string, unknown> }[];
}

/** Returns what a panel asks; throws where a variable does not fit. */
function questionsOf(panel: BoardPanel, choices: Choices, range: BoardRange): Questions {
  const queries = panel.queries ?? [];
  // Only the step of series depends on the bins, so the texts of the others are known before it.
  const binned = queries.map((query) =>
    hasSteps(panel, query) ? query : { ...query, query: askedText(panel, query, choices, range) },
  );
  const steps = panelSteps(panel, binned, range, offset(range.to, view.peek().zone));
  const asked = queries.map((query) => {
    const text = askedText(panel, query, choices, range, steps);
    return { text, body: bodyOf(panel, query, text, range, steps) };
  });
  return { steps, asked };
}

function bodyOf(
  panel: BoardPanel,
  query: PanelQuery,
  text: string,
  range: BoardRange,
  { from, step }: Pick<Steps, "from" | "step"> = stepsOf([range.from, range.to]),
): Record<string, unknown> {
  const language = query.language ?? "insights";
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    query: text,
    language,
    from: iso(hasSteps(panel, query) ? from : range.from),
    // Without an end the server takes in what runs slightly ahead of its clock, too.
    ...(range.isOpen ? {} : { to: iso(range.to) }),
    ...(hasSteps(panel, query) ? { step: `${step / 1000}s` } : {}),
    ...((query.groups ?? []).length > 0 ? { groups: query.groups } : {}),
    time_zone: timeZone(view.peek().zone),
    limit: panel.kind === "logs" ? LOGS_MAX : ROWS_MAX,
  };
}

/** A value that does not fit is an error of the query in which it is named. */
function problemOf(error: unknown): unknown {
  if (!(error instanceof FillError)) return error;
  const message = t("the variable {name} does not fit: {problem}", {
    name: error.variable,
    problem: t(error.problem),
  });
  return new ApiError(400, "variable", message);
}

async function askPanel(
  panel: BoardPanel,
  choices: Choices,
  range: BoardRange,
  signal: AbortSignal,
): Promise<PanelData> {
  if (panel.kind === "map") {
    const map = await counted(() => serviceMap(view.peek(), signal));
    return { data: [], map, range, step: stepsOf([range.from, range.to]).step, bin: null };
  }
  const queries = panel.queries ?? [];
  try {
    const { steps, asked } = questionsOf(panel, choices, range);
    const answers = await Promise.all(asked.map(({ body }) => ask(body, signal)));
    const data = answers.map((answer, at) => {
      const query = { ...queries[at], query: asked[at]?.text ?? "" };
      const found = dataOf(answer, query);
      return steps.isBin && hasSteps(panel, query) ? withEnds(found, steps.step) : found;
    });
    const bin = binOfAll(queries.map((query, at) => ({ ...query, query: asked[at]?.text ?? "" })));
    return { data, map: null, range, step: steps.step, bin };
  } catch (error) {
    throw problemOf(error);
  }
}

/** Asks what panels will ask as soon as they are there, so that the server finds it while they are made. */
export function askAhead(panels: readonly BoardPanel[], choices: Choices, range: BoardRange): void {
  for (const panel of panels)
    try {
      for (const { body } of panel.kind === "map" ? [] : questionsOf(panel, choices, range).asked) {
        const key = JSON.stringify(body);
        // Who asks it then says what is wrong with it.
        if (!asking.has(key)) begin(key).answer.catch(() => undefined);
      }
    } catch (error) {
      if (!(error instanceof FillError)) throw error;
    }
  send();
}

/** Panels that wait for their answers. */
let nAsking = 0;
/** Answers that are held until others can be drawn with them. */
let held: { isLet: Promise<void>; letGo: () => void } | null = null;

function hold(): { isLet: Promise<void>; letGo: () => void } {
  let letGo = () => {};
  const isLet = new Promise<void>((resolve) => {
    const timer = setTimeout(() => letGo(), HELD_MS_MAX);
    letGo = () => {
      clearTimeout(timer);
      held = null;
      resolve();
    };
  });
  return { isLet, letGo };
}

/** Gives what a task gives or throws at the same moment as others do: when all are done, or the first has waited long enough. */
async function together<T>(task: () => Promise<T>): Promise<T> {
  nAsking += 1;
  try {
    return await task();
  } finally {
    nAsking -= 1;
    held ??= hold();
    const { isLet, letGo } = held;
    if (nAsking === 0) letGo();
    await isLet;
  }
}

/** What decides about a panel's data: its queries, and how they are asked. */
function questionOf(panel: BoardPanel, choices: Choices, range: BoardRange): string {
  const { kind, queries } = panel;
  return JSON.stringify([
    kind === "map",
    kind === "logs",
    isInstant(kind),
    hasExpression(panel),
    queries,
    choices,
    range,
  ]);
}

/** The data of a panel, asked for when the panel is on screen and has something else to show. */
export function usePanelData(
  panel: BoardPanel,
  choices: Choices,
  range: BoardRange,
  again: number,
  isSeen: boolean,
): Signal<Lane<PanelData>> {
  const lane = useMemo(() => signal<Lane<PanelData>>({ state: "idle", data: null, error: null, since: 0 }), [panel.id]);
  const key = panel.kind === "text" ? "" : `${again} ${questionOf(panel, choices, range)}`;
  const shown = useMemo(() => ({ key: "" }), [lane]);
  useLayoutEffect(() => {
    if (!isSeen || key === "" || key === shown.key) return;
    shown.key = key;
    void start(lane, (signal) => together(() => askPanel(panel, choices, range, signal)));
  }, [lane, key, isSeen]);
  useEffect(
    () => () => {
      if (stop(lane)) shown.key = "";
    },
    [lane],
  );
  return lane;
}

/** Asks for the values that a variable offers. */
export async function askOffers(
  query: PanelQuery,
  choices: Choices,
  range: BoardRange,
  signal: AbortSignal,
): Promise<string[]> {
  const table: BoardPanel = { id: "", kind: "table", x: 0, y: 0, w: 0, h: 0 };
  try {
    const text = askedText(table, query, choices, range);
    const { columns, rows } = await ask(bodyOf(table, query, text, range), signal);
    // A label is what one chooses in PromQL, not its value.
    const at = Math.max(
      0,
      columns.findIndex(({ name, type }) => type !== "timestamp" && name !== "__name__"),
    );
    const values = rows.map((row) => row[at]).filter((value) => value !== null && value !== undefined && value !== "");
    return [...new Set(values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))))];
  } catch (error) {
    throw problemOf(error);
  }
}
