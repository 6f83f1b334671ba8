// Dashboards of the mock: one with every kind of panel, ready-made ones, versions, and an import that takes what has a query.

const RANGE = { from: "now-24h", to: "now" };
const panel = (id, kind, title, x, y, w, h, query, more = {}) => ({
  id,
  kind,
  title,
  x,
  y,
  w,
  h,
  ...(query === "" ? {} : { queries: [{ id: "a", query }] }),
  ...more,
});
const BY_HOST = "stats count(*) as n by bin(30m), host";

const EVERYTHING = {
  title: "Web shop",
  description: "What the web servers and the services behind them do",
  tags: ["web", "pay"],
  range: RANGE,
  refresh: "30s",
  variables: [
    { name: "host", label: "Host", values: ["web-1", "web-2", "web-3"], multiple: true, all: true },
    { name: "level", label: "Level", values: ["error", "warn", "info"], default: ["error"] },
  ],
  panels: [
    panel("p1", "number", "Requests", 0, 0, 6, 5, "filter ispresent(status) | stats count(*) as n by bin(30m)", {
      unit: "count",
    }),
    panel("p2", "number", "Failures", 6, 0, 6, 5, "filter status >= 500 | stats count(*) as n by bin(30m)", {
      thresholds: [
        { value: 1, level: "warn" },
        { value: 40, level: "error" },
      ],
    }),
    panel("p3", "text", "What this is", 12, 0, 12, 5, "", {
      text: "## Read this first\n\nNumbers are of **$host**. Runbook: [open it](/docs/alerts).\n\n- failures above 40 per half hour: `page` somebody\n- everything else waits",
    }),
    panel("p4", "line", "By host", 0, 5, 12, 9, BY_HOST, {
      legend_values: ["last", "max", "mean"],
      thresholds: [{ value: 60, level: "warn" }],
    }),
    panel("p5", "area", "By level", 12, 5, 12, 9, "stats count(*) as n by bin(30m), @level", {
      stack: true,
      nulls: "zero",
    }),
    panel(
      "p6",
      "bar",
      "Status codes",
      0,
      14,
      8,
      8,
      "filter ispresent(status) | stats count(*) as n by bin(1h), status",
      {
        stack: true,
      },
    ),
    panel("p7", "pie", "Share of paths", 8, 14, 8, 8, "filter ispresent(path) | stats count(*) as n by path"),
    panel("p8", "bar", "Busiest hosts", 16, 14, 8, 8, "stats count(*) as n by host"),
    panel("p9", "heatmap", "Hosts over time", 0, 22, 12, 8, BY_HOST),
    panel(
      "p10",
      "table",
      "Slow paths",
      12,
      22,
      12,
      8,
      "filter ispresent(path) | stats count(*) as n, avg(bytes) as size by path",
    ),
    panel("p11", "line", "Share of failures", 0, 30, 12, 8, "filter status >= 500 | stats count(*) as n by bin(1h)", {
      queries: [
        { id: "a", query: "filter status >= 500 | stats count(*) as n by bin(1h)" },
        { id: "b", query: "filter ispresent(status) | stats count(*) as n by bin(1h)" },
      ],
      expression: "a / b * 100",
      unit: "percent",
      section: "Details",
    }),
    panel("p12", "logs", "Newest of the level", 12, 30, 12, 8, "filter @level = $level", { section: "Details" }),
    panel("p13", "map", "Calls", 0, 38, 12, 9, "", { section: "Details" }),
    panel("p14", "line", "A query with a mistake", 12, 38, 12, 9, "stast count(*)", { section: "Details" }),
  ],
};

const NOW = () => new Date().toISOString();
const kept = new Map([
  ["web-shop", { version: 3, owner: "ana", own: true, source: "store", changed: NOW(), text: EVERYTHING }],
  [
    "on-call",
    {
      version: 1,
      owner: "budi",
      own: false,
      source: "file",
      changed: NOW(),
      text: { title: "On call", range: RANGE, panels: EVERYTHING.panels.slice(0, 3) },
    },
  ],
]);
const versions = new Map([["web-shop", [{ version: 3, text: EVERYTHING, changed: NOW(), by: "ana" }]]]);

function derived(name) {
  const [kind, what] = [name.slice(0, name.indexOf(":")), name.slice(name.indexOf(":") + 1)];
  if (!["group", "service", "host"].includes(kind)) return null;
  const groups = kind === "group" ? { groups: [what] } : {};
  const query = kind === "host" ? `filter host = "${what}" | ` : "";
  const of = (id, as, title, x, y, w, h, text, more) =>
    panel(id, as, title, x, y, w, h, text, { queries: [{ query: query + text, ...groups }], ...more });
  const panels = [
    of("p1", "bar", "Events by level", 0, 0, 16, 8, "stats count(*) as n by bin(30m), @level", { stack: true }),
    of("p2", "number", "Events", 16, 0, 8, 8, "stats count(*) as n by bin(30m)"),
    of("p3", "logs", "Errors", 0, 8, 24, 8, 'filter @level = "error"'),
  ];
  return {
    version: 0,
    owner: "",
    own: false,
    source: "derived",
    changed: "",
    text: { title: what, range: RANGE, panels },
  };
}

const NAMES = [
  "group:nginx/access",
  "group:app/checkout",
  "service:checkout",
  "service:search",
  "host:web-1",
  "host:db-1",
];

const shown = (name, { text, ...of }) => ({ ...text, name, ...of });
const refusal = (code, message) => ({ error: { code, message } });

/** Answers a request about dashboards: a body and a status. */
export function dashboardsOf(path, ask, method, mood) {
  const [, , , , encoded = "", part = ""] = path.split("/");
  const name = decodeURIComponent(encoded);
  if (mood === "broken") return [refusal("internal", "the catalog is locked"), 500];
  if (name === "") {
    const all = mood === "empty" ? [] : [...kept, ...NAMES.map((one) => [one, derived(one)])];
    return [
      {
        dashboards: all.map(([of, one]) => {
          const { title, description = "", tags = [] } = one.text;
          const { owner, own, source, version, changed } = one;
          return { name: of, title, description, tags, owner, own, source, version, changed };
        }),
      },
    ];
  }
  if (name === "import") return [imported(ask)];
  const found = kept.get(name) ?? derived(name);
  if (method === "PUT") return stored(name, ask);
  if (!found) return [refusal("not-found", `dashboard ${name}: not found`), 404];
  if (method === "DELETE") {
    kept.delete(name);
    return [{}];
  }
  const history = versions.get(name) ?? [];
  if (part === "history") return [{ versions: history.map(({ version, changed, by }) => ({ version, changed, by })) }];
  const old = history.find(({ version }) => String(version) === ask.version);
  return [shown(name, old ? { ...found, ...old } : found)];
}

function stored(name, ask) {
  const { version, body: _, ...text } = ask;
  const before = kept.get(name);
  if ((before?.version ?? 0) !== (version ?? 0))
    return [refusal("conflict", `dashboard ${name}: changed meanwhile, its version is ${before?.version ?? 0}`), 409];
  const bad = (text.panels ?? []).findIndex(({ kind }) => !kind);
  if (bad >= 0) return [refusal("bad-dashboard", `panels[${bad}].kind: missing`), 400];
  const now = { version: (version ?? 0) + 1, owner: "ana", own: true, source: "store", changed: NOW(), text };
  kept.set(name, now);
  versions.set(name, [...(versions.get(name) ?? []), { version: now.version, text, changed: now.changed, by: "ana" }]);
  return [shown(name, now), version === undefined ? 201 : 200];
}

function imported({ format, body }) {
  const all = (format === "cloudwatch" ? body.widgets : body.panels) ?? [];
  const isTaken = (one) => one.type !== "news";
  const panels = all.filter(isTaken).map((one, n) => ({
    ...panel(
      `p${n + 1}`,
      "line",
      one.title ?? "",
      (n % 2) * 12,
      Math.floor(n / 2) * 8,
      12,
      8,
      "stats count(*) as n by bin(1h)",
    ),
  }));
  return {
    dashboard: { title: body.title ?? "", range: RANGE, panels },
    panels: all.map((one) => ({
      title: one.title ?? "",
      taken: isTaken(one),
      why: isTaken(one) ? "" : `no panel is like “${one.type}”`,
    })),
  };
}
