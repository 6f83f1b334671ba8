// What the page shows, as the address has it. The address is the only place where this lives: back, forward, reload
// and a copied link all come to the same view.

import { batch, computed, signal } from "@preact/signals";

import { isAbsolute, isZone, resolve, type Zone } from "./time.ts";

/** A page of the application. */
export type Page =
  | "explore"
  | "for"
  | "alerts"
  | "groups"
  | "sources"
  | "settings"
  | "start"
  | "traces"
  | "trace"
  | "map"
  | "first-look"
  | "issues"
  | "incidents"
  | "ledger"
  | "dashboards"
  | "nowhere";

/** Pages with a path of their own; the one without is Explore, any other path is nowhere. The paths of a trace and of an incident end with its id. */
const PATHS: readonly Page[] = [
  "for",
  "alerts",
  "groups",
  "sources",
  "settings",
  "start",
  "traces",
  "trace",
  "map",
  "first-look",
  "issues",
  "incidents",
  "ledger",
  "dashboards",
];

/** The conditions of a search for traces, by their names in the address. */
const SEARCH_NAMES = [
  "service",
  "name",
  "kind",
  "where",
  "query",
  "min",
  "max",
  "errors",
  "order",
  "through",
  "area",
] as const;

/** A search for traces. */
export type TraceSearch = Partial<Record<(typeof SEARCH_NAMES)[number], string>>;

/** What the address says about a dashboard. */
export interface BoardView {
  /** Its name; empty for the list of all. */
  name: string;
  /** What is chosen for its variables. */
  chosen: Readonly<Record<string, readonly string[]>>;
  /** The panel that is shown alone, or whose form is open, by its id. */
  panel: string;
  /** What is being changed: `1` for the panels, `settings` for the rest. */
  edit: string;
  /** The wallboard: `1` for the whole board, `panels` or `sections` one after the other, names of boards between commas. */
  wall: string;
  /** Seconds before the wallboard shows the next part. */
  every: number;
}

/** A language that Explore takes queries in: Insights QL about events, PromQL about metrics, or another. */
export type QueryLanguage = "insights" | "promql" | "logql" | "traceql" | "esql" | "lucene" | "kql" | "filter-pattern";

/** Languages by their names. */
export const LANGUAGE_NAMES: Readonly<Record<QueryLanguage, string>> = {
  insights: "Insights QL",
  promql: "PromQL",
  logql: "LogQL",
  traceql: "TraceQL",
  esql: "ES|QL",
  lucene: "Lucene",
  kql: "KQL",
  "filter-pattern": "CloudWatch filter pattern",
};

/** Everything that the address says. */
export interface View {
  page: Page;
  /** The language of `query`. */
  language: QueryLanguage;
  query: string;
  /** With PromQL: the Insights query of the log lines below the chart. */
  logs: string;
  /** With PromQL: the only line that is drawn, by its name; empty for all. */
  line: string;
  from: string;
  to: string;
  groups: readonly string[];
  columns: readonly string[];
  /** `@id` of the expanded row. */
  row: string;
  live: boolean;
  /** Seconds after which the question is asked again; 0 for never. */
  refresh: number;
  zone: Zone;
  /** What stands in place of the rows. */
  panel: Panel;
  /** The time that changes are against, as the server names it. */
  against: string;
  /** The part of the range that is compared, or with PromQL that of the log lines, as `from_to` in ms since the epoch; empty for the whole range. */
  selection: string;
  /** A condition on the events that are compared, beside the query. */
  chosen: string;
  /** What they are compared with; empty for what suits the selection. */
  baseline: string;
  /** `@id` of the event around which is shown what else happened. */
  around: string;
  /** How a table of results is drawn; empty for what suits it best. */
  chart: string;
  /** Whether long lines are broken instead of cut. */
  wrap: boolean;
  /** Whether rows show all digits of their times. */
  nanos: boolean;
  /** The column of a table that its rows are sorted by, with a `-` for the largest first. */
  sort: string;
  /** Whether rows stand close together. */
  dense: boolean;
  /** Order, widths and absence of columns: `name`, `name:120`, `-name`. Empty for what suits the answer. */
  layout: readonly string[];
  /** What is sought among the rows, without filtering any away. */
  find: string;
  /** The part of a page: of alerts, of settings. */
  tab: string;
  /** What is open there: an alert by its id, a rule or a channel by its name. */
  open: string;
  /** The trace shown, by its id. */
  trace: string;
  /** The open span, by its id. */
  span: string;
  /** The search on the page of traces. */
  sought: TraceSearch;
  board: BoardView;
}

/** What Explore shows of the events that match: the rows, what changed, their patterns, what differs from others. */
export type Panel = "rows" | "changes" | "patterns" | "differs";

const PANELS: readonly Panel[] = ["rows", "changes", "patterns", "differs"];

/** Seconds that may lie between two askings of the same question. */
export const REFRESHES: readonly number[] = [0, 5, 30, 60, 300];

/** No dashboard. */
export const NO_BOARD: BoardView = { name: "", chosen: {}, panel: "", edit: "", wall: "", every: 20 };

const DEFAULT: View = {
  page: "explore",
  language: "insights",
  query: "",
  logs: "",
  line: "",
  from: "now-1h",
  to: "now",
  groups: [],
  columns: [],
  row: "",
  live: false,
  refresh: 0,
  zone: "local",
  panel: "rows",
  against: "previous",
  selection: "",
  chosen: "",
  baseline: "",
  around: "",
  chart: "",
  wrap: false,
  nanos: false,
  sort: "",
  dense: false,
  layout: [],
  find: "",
  tab: "",
  open: "",
  trace: "",
  span: "",
  sought: {},
  board: NO_BOARD,
};

/** Whether a page takes a language beside Insights QL: Explore all, the form of a new rule PromQL. */
function takes({ page, tab }: Pick<View, "page" | "tab">, language: string): boolean {
  return page === "explore"
    ? Object.hasOwn(LANGUAGE_NAMES, language)
    : language === "promql" && page === "alerts" && tab === "rule";
}

const INSIGHTS = { language: "insights", logs: "", line: "", selection: "" } as const;

function basePath(): string {
  return new URL(document.baseURI).pathname;
}

function fromAddress(): View {
  const path = location.pathname.slice(basePath().length).replace(/\/+$/, "");
  const [first, id = ""] = path.split("/", 2);
  const page = PATHS.find((one) => one === first) ?? (first === "" ? "explore" : "nowhere");
  const of = viewOf(page, new URLSearchParams(location.search));
  if (page === "nowhere") return { ...of, open: path };
  if (page === "incidents" || page === "for") return { ...of, open: decoded(id) };
  // A dashboard has a range of its own.
  if (page === "dashboards")
    return boardView({ ...of, board: { ...of.board, name: decoded(id) } }, location.search.includes("from="));
  return { ...of, trace: id, span: new URLSearchParams(location.hash.slice(1)).get("span") ?? "" };
}

function boardView(of: View, hasRange: boolean): View {
  return of.board.name === "" || hasRange ? of : { ...of, from: "", to: "" };
}

/** A name out of an address, in which single percent signs may stand. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll(/%(?![0-9a-f]{2})/gi, "%25"));
  } catch {
    return name;
  }
}

/** A list's names, each with its commas and percent signs back. */
function unpacked(names: readonly string[]): string[] {
  return names.map(decoded);
}

function packed(names: readonly string[]): string {
  return names.map((one) => one.replaceAll("%", "%25").replaceAll(",", "%2C")).join(",");
}

/** What the parts of an address mean. */
export function viewOf(page: Page, params: URLSearchParams): View {
  const names = (name: string) =>
    (params.get(name) ?? "")
      .split(",")
      .filter((one) => one !== "")
      .slice(0, 200);
  // Messages lead to an alert by what is to be done about it.
  const tab = params.get("tab") ?? params.get("month") ?? (params.has("silence") ? "silences" : "");
  const lang = params.get("lang") ?? "";
  const language = takes({ page, tab }, lang) ? (lang as QueryLanguage) : "insights";
  const isPromql = language === "promql";
  return {
    ...DEFAULT,
    page,
    language,
    query: params.get("q") ?? params.get("query") ?? "",
    logs: isPromql ? (params.get("logs") ?? "") : "",
    line: isPromql ? (params.get("line") ?? "") : "",
    from: params.get("from") || DEFAULT.from,
    to: params.get("to") || DEFAULT.to,
    groups: language === "esql" ? [] : names("groups"),
    columns: unpacked(names("columns")),
    row: params.get("row") ?? "",
    live: params.get("live") === "1" && language === "insights",
    refresh: REFRESHES.includes(Number(params.get("refresh"))) ? Number(params.get("refresh")) : 0,
    zone: isZone(params.get("tz") ?? "") ? (params.get("tz") ?? DEFAULT.zone) : DEFAULT.zone,
    panel: PANELS.find((one) => one === params.get("show")) ?? DEFAULT.panel,
    against: params.get("against") || DEFAULT.against,
    selection: params.get("sel") ?? "",
    chosen: params.get("cond") ?? "",
    baseline: params.get("base") ?? "",
    around: params.get("around") ?? "",
    chart: params.get("chart") ?? "",
    wrap: params.get("wrap") === "1",
    nanos: params.get("ns") === "1",
    sort: params.get("sort") ?? "",
    dense: params.get("dense") === "1",
    layout: unpacked(names("layout")),
    find: params.get("find") ?? "",
    tab,
    open: params.get("open") ?? params.get("alert") ?? params.get("silence") ?? params.get("acknowledge") ?? "",
    board: page === "dashboards" ? boardOf(params) : NO_BOARD,
    sought: Object.fromEntries(SEARCH_NAMES.flatMap((name) => (params.get(name) ? [[name, params.get(name)]] : []))),
  };
}

function boardOf(params: URLSearchParams): BoardView {
  const named = [...params.keys()].filter((name) => name.startsWith("var."));
  return {
    name: "",
    chosen: Object.fromEntries(named.map((name) => [name.slice(4), params.getAll(name)])),
    panel: params.get("panel") ?? "",
    edit: params.get("edit") ?? "",
    wall: params.get("wall") ?? "",
    every: Math.max(3, Number(params.get("every")) || NO_BOARD.every),
  };
}

function boardAddress({ board, from, to, refresh }: View, params: URLSearchParams): string {
  if (from !== "") {
    params.set("from", from);
    params.set("to", to);
  }
  if (refresh > 0) params.set("refresh", String(refresh));
  for (const name of ["panel", "edit", "wall"] as const) if (board[name] !== "") params.set(name, board[name]);
  if (board.every !== NO_BOARD.every) params.set("every", String(board.every));
  for (const [name, values] of Object.entries(board.chosen))
    for (const value of values) params.append(`var.${name}`, value);
  return `${basePath()}dashboards/${encodeURIComponent(board.name)}${params.size > 0 ? `?${params.toString()}` : ""}`;
}

/** The address of a view, relative to the page's base. */
export function address(view: View): string {
  const params = new URLSearchParams();
  const set = (name: string, value: string, standard = "") => {
    if (value !== standard) params.set(name, value);
  };
  set("tz", view.zone, DEFAULT.zone);
  set("find", view.find);
  if (view.page === "trace") {
    const span = view.span === "" ? "" : `#span=${view.span}`;
    return `${basePath()}trace/${view.trace}${params.size > 0 ? `?${params.toString()}` : ""}${span}`;
  }
  if (view.page === "dashboards" && view.board.name !== "") return boardAddress(view, params);
  const rest = () => (params.size > 0 ? `?${params.toString()}` : "");
  if (view.page === "incidents" && view.open !== "")
    return `${basePath()}incidents/${encodeURIComponent(view.open)}${rest()}`;
  if (view.page === "nowhere") return `${basePath()}${view.open}`;
  if (view.page === "for") return `${basePath()}for/${encodeURIComponent(view.open)}${rest()}`;
  if (view.page === "first-look" && view.open !== "") {
    set("alert", view.open);
    return `${basePath()}first-look${rest()}`;
  }
  if (view.language !== "insights" && takes(view, view.language)) params.set("lang", view.language);
  if (view.page === "explore" && view.language === "promql") {
    set("logs", view.logs);
    set("line", view.line);
    set("sel", view.selection);
  }
  set("q", view.query);
  set("from", view.from, DEFAULT.from);
  set("to", view.to, DEFAULT.to);
  set("groups", view.groups.join(","));
  set("columns", packed(view.columns));
  set("row", view.row);
  set("live", view.live ? "1" : "");
  set("refresh", view.refresh > 0 ? String(view.refresh) : "");
  set("show", view.panel, DEFAULT.panel);
  set("against", view.against, DEFAULT.against);
  if (view.panel === "differs" && view.language === "insights") {
    set("sel", view.selection);
    set("cond", view.chosen);
    set("base", view.baseline);
  }
  set("around", view.around);
  set("chart", view.chart);
  set("wrap", view.wrap ? "1" : "");
  set("ns", view.nanos ? "1" : "");
  set("sort", view.sort);
  set("dense", view.dense ? "1" : "");
  set("layout", packed(view.layout));
  if (["alerts", "settings", "map", "issues"].includes(view.page)) set("tab", view.tab);
  if (view.page === "ledger") set("month", view.tab);
  if (view.page === "traces") for (const name of SEARCH_NAMES) set(name, view.sought[name] ?? "");
  if (["alerts", "settings", "issues"].includes(view.page)) set("open", view.open);
  const text = params
    .toString()
    .replaceAll("%2F", "/")
    .replaceAll("%3A", ":")
    .replaceAll("%40", "@")
    .replaceAll("%2C", ",");
  return basePath() + (view.page === "explore" ? "" : view.page) + (text === "" ? "" : `?${text}`);
}

const current = signal<View>(fromAddress());

/** The view shown now. */
export const view = computed(() => current.value);

/** Counts up when the same view shall be asked again. */
export const asked = signal(0);

/** The editor's text, which becomes the view's query when it is run. */
export const draft = signal(current.peek().query);

/** Whether the editor holds another query than the one that was run. */
export const isEdited = computed(() => draft.value.trim() !== current.value.query.trim());

/** When the shown answers were asked for: what `now` means until they are asked again. */
export const askedAt = signal(Date.now());

/** The view with a change. A query is in Insights QL unless its language is given; pages that do not take it get the query of the log lines. */
export function changed(of: View, change: Partial<View>): View {
  const next = { ...of, ...change };
  if (next.page !== "dashboards" || next.board.name === "") {
    next.board = NO_BOARD;
    // A dashboard's own range is known to its page alone.
    if (next.from === "") Object.assign(next, { from: DEFAULT.from, to: DEFAULT.to });
  }
  if (next.language === "insights") return next;
  // A query in ES|QL names its groups itself.
  if (next.language === "esql") next.groups = [];
  if (change.query !== undefined && change.language === undefined) return { ...next, ...INSIGHTS, ...change };
  if (!takes(next, next.language)) return { ...next, ...INSIGHTS, query: next.logs };
  // A part of another range is chosen no more.
  const isMoved = next.from !== of.from || next.to !== of.to;
  return isMoved && change.selection === undefined ? { ...next, selection: "" } : next;
}

/** Changes the view: a new entry of the history, unless told to replace the present one. */
export function go(change: Partial<View>, replace = false): void {
  const next = changed(current.peek(), change);
  const to = address(next);
  if (to !== location.pathname + location.search + location.hash)
    history[replace ? "replaceState" : "pushState"](null, "", to);
  batch(() => {
    if (next.query !== current.peek().query || change.query !== undefined) draft.value = next.query;
    current.value = next;
  });
}

/** Runs what the editor holds; the same question again when nothing has changed. The open row stays open if told so. */
export function run(keepsRow = false): void {
  const query = draft.peek();
  batch(() => {
    const { language } = current.peek();
    if (query !== current.peek().query) go(keepsRow ? { query, language } : { query, language, row: "" });
    asked.value += 1;
  });
}

/** Follows the browser's back and forward. */
export function followHistory(): void {
  addEventListener("popstate", () => {
    const next = fromAddress();
    batch(() => {
      draft.value = next.query;
      current.value = next;
    });
  });
}

/** Shows a dashboard as it opens, or with what `change` says. */
export function boardAt(name: string, change: Partial<BoardView> = {}): Partial<View> {
  return { page: "dashboards", from: "", to: "", refresh: 0, query: "", board: { ...NO_BOARD, ...change, name } };
}

/** The range shown, in ms since the epoch, as well as the page can know it. */
export function rangeMs(of: View, now: number): [number, number] {
  const to = resolve(of.to, now, of.zone) ?? now;
  return [resolve(of.from, now, of.zone) ?? to - 3_600_000, to];
}

/** The same view with fixed times, for a link that shows tomorrow what it shows today. */
export function frozen(of: View): View {
  const [from, to] = rangeMs(of, askedAt.peek());
  const fix = (text: string, ms: number) => (isAbsolute(text) ? text : new Date(ms).toISOString());
  return { ...of, from: fix(of.from, from), to: fix(of.to, to), live: false, refresh: 0 };
}

function zoomTo(from: number, to: number): void {
  const iso = (ms: number) => new Date(Math.round(ms)).toISOString().replace(".000Z", "Z");
  go({ from: iso(from), to: iso(to), row: "", live: false });
}

/** Shows a range of instants. */
export function zoom(from: number, to: number): void {
  zoomTo(Math.max(0, from), Math.max(from + 1, to));
}

/** Shows twice as much time around the same middle; never beyond now. */
export function zoomOut(): void {
  const [from, to] = rangeMs(current.peek(), Date.now());
  const half = (to - from) / 2;
  const end = Math.min(to + half, Math.max(to, Date.now()));
  zoom(end - 4 * half, end);
}

/** Moves the range by half of its length. */
export function shift(direction: -1 | 1): void {
  const [from, to] = rangeMs(current.peek(), Date.now());
  const half = ((to - from) / 2) * direction;
  zoom(from + half, to + half);
}
