// Made-up issues and incidents, which the page's own requests change.

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

const ISSUE = {
  frames: [],
  service: null,
  state: "open",
  owner: null,
  note: null,
  until: null,
  version: null,
  decided_by: null,
  decided_at: null,
  regressed_at: null,
  regressed_in: null,
  last_event: "MOCK0000000001",
  restarts: [],
  versions: [],
  version_counts: [],
  hosts: [],
  host_counts: [],
  traces: [],
  merged: [],
};

/** What the last event of an issue says of its failure. */
const EXCEPTION = {
  exceptions: [
    {
      type: "CardError",
      message: "card declined <img src=x onerror=alert(1)>",
      frames: [
        { function: "charge", file: "payment.js", line: 12, own: true },
        { function: "checkout", file: "cart.js", line: 40, own: true },
      ],
      member: null,
    },
  ],
  runtime: "Node.js",
  program: 'filter @message like "checkout"',
  text: "CardError: card declined",
};

/** Issues, those with the newest events first. */
export const ISSUES = [
  {
    ...ISSUE,
    id: "i1",
    title: "connection refused by db-1:5432",
    pattern: "connection refused by db-1:<*>",
    group: "app/checkout",
    service: "checkout",
    count: 1204,
    trend: Array.from({ length: 24 }, (_, n) => (n > 20 ? 200 : n % 3)),
    first_seen: ago(2000),
    last_seen: ago(1),
    versions: ["v4.13.0", "v4.12.9"],
    version_counts: [
      { version: "v4.13.0", count: 1190, first_seen: ago(30), last_seen: ago(1) },
      { version: "v4.12.9", count: 14, first_seen: ago(2000), last_seen: ago(40) },
    ],
    hosts: ["host-14"],
    host_counts: [{ host: "host-14", count: 1204 }],
    traces: ["4bf92f3577b34da6a3ce929d0e0e4736"],
    query: 'filter @message like "connection refused by db-1:"',
  },
  {
    ...ISSUE,
    id: "i2",
    title: 'CardError: "card declined" <img src=x onerror=alert(1)>',
    pattern: "CardError: <*>",
    frames: ["charge (payment.js)", "checkout (cart.js)"],
    restarts: [
      {
        program: "checkout",
        host: "host-14",
        count: 83,
        since: ago(55),
        last: ago(0.3),
        every_ms: 40_120,
        ongoing: true,
      },
      {
        program: "checkout",
        host: "host-2",
        count: 9,
        since: ago(3000),
        last: ago(2990),
        every_ms: 70_000,
        ongoing: false,
      },
    ],
    group: "app/checkout",
    service: "checkout",
    state: "regressed",
    decided_by: "ani",
    decided_at: ago(4000),
    regressed_at: ago(12),
    regressed_in: "v4.13.0",
    count: 83,
    trend: Array.from({ length: 24 }, (_, n) => (n * 7) % 5),
    first_seen: ago(90_000),
    last_seen: ago(3),
    query: 'filter @message like "CardError"',
  },
  {
    ...ISSUE,
    id: "i3",
    title: "out of memory, giving up",
    pattern: "out of memory, giving up",
    group: "app/mailer",
    state: "acknowledged",
    owner: "budi",
    note: "the new image is on its way",
    decided_by: "budi",
    decided_at: ago(60),
    count: 9,
    trend: Array.from({ length: 24 }, () => 0),
    first_seen: ago(5000),
    last_seen: ago(200),
    query: 'filter @level = "fatal"',
  },
];

/** Incidents, the newest first. */
export const INCIDENTS = [
  {
    id: "c1",
    version: 3,
    title: "Payments fail on host-14",
    summary: "",
    services: ["payment", "checkout"],
    groups: ["app/*"],
    state: "mitigated",
    began: ago(30),
    detected: ago(28),
    mitigated: ago(9),
    remediated: null,
    ttd_ms: 120_000,
    ttm_ms: 1_260_000,
    ttr_ms: null,
    created_by: "ani",
    created: ago(27),
    items: [
      {
        id: "t1",
        kind: "alert",
        at: ago(28),
        until: ago(9),
        text: "errors in app/checkout",
        reference: "1",
        query: null,
        groups: "app/*",
        url: null,
        by: "ani",
      },
      {
        id: "t2",
        kind: "mark",
        at: ago(30.6),
        until: null,
        text: "deploy payment v4.13.0",
        reference: "m1",
        query: null,
        groups: null,
        url: null,
        by: "ani",
      },
      {
        id: "t3",
        kind: "issue",
        at: ago(29),
        until: null,
        text: "connection refused by db-1:5432",
        reference: "i1",
        query: null,
        groups: "app/checkout",
        url: null,
        by: "ani",
      },
      {
        id: "t4",
        kind: "note",
        at: ago(12),
        until: null,
        text: "rolled back to v4.12.9\non host-14",
        reference: null,
        query: null,
        groups: null,
        url: null,
        by: "budi",
      },
    ],
  },
];

const LEDGER = [
  {
    service: "payment",
    incidents: 2,
    ttd_ms: 90_000,
    ttm_ms: 1_100_000,
    ttr_ms: 90_000_000,
    availability: 0.99931,
    downtime_ms: 2_200_000,
    objective: 99.95,
    budget_ms: 1_339_200,
    budget_left_ms: -860_800,
  },
  {
    service: "checkout",
    incidents: 1,
    ttd_ms: 120_000,
    ttm_ms: null,
    ttr_ms: null,
    availability: null,
    downtime_ms: 0,
    objective: 99.9,
    budget_ms: 2_678_400,
    budget_left_ms: 2_678_400,
  },
];

/** Issues that became parts of others. */
const MERGED = new Map();

/** Answers a request about them: a body and a status. */
export function answerOf(path, ask, method, mood) {
  if (mood === "broken") return [{ error: { code: "internal", message: "the store does not answer" } }, 500];
  if (path === "/api/v1/context")
    return [{ event: { "@log": "app/checkout", "@timestamp": ago(1), exception: EXCEPTION } }];
  const none = [{ error: { code: "not-found", message: `there is nothing at ${path}` } }, 404];
  const [, kind, id, act, item] =
    /^\/api\/v1\/(issues|incidents|ledger)(?:\/([^/]+))?(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path) ?? [];
  const { body: _, id: __, ...change } = ask;
  if (kind === "ledger") return [{ month: ask.month ?? "", services: mood === "empty" ? [] : LEDGER }];
  if (kind === "issues") {
    if (id === undefined) {
      const states = (ask.state ?? "").split(",").filter(Boolean);
      const found = ISSUES.filter((one) => mood !== "empty" && (states.length === 0 || states.includes(one.state)));
      return [{ issues: found, total: found.length }];
    }
    if (id === "merge") {
      const [first, ...rest] = ask.ids;
      const at = ISSUES.findIndex((one) => one.id === first);
      ISSUES[at] = { ...ISSUES[at], merged: [...ISSUES[at].merged, ...rest] };
      for (const other of rest) {
        const [part] = ISSUES.splice(
          ISSUES.findIndex((one) => one.id === other),
          1,
        );
        MERGED.set(other, part);
      }
      return [ISSUES.find((one) => one.id === first)];
    }
    const at = ISSUES.findIndex((one) => one.id === id || one.merged.includes(id));
    if (at < 0) return none;
    if (ask.users !== undefined) {
      const values = [
        { value: "ann@example.com", events: 4 },
        { value: '<img src=x onerror="alert(1)">', events: 2 },
      ];
      const users = ask.users === "user_id" ? { count: 1312, values } : { count: 0, values: [] };
      return [{ ...ISSUES[at], users: { field: ask.users, more: false, partial: false, ...users } }];
    }
    if (act === "split") {
      ISSUES.push(MERGED.get(ISSUES[at].merged.at(-1)));
      ISSUES[at] = { ...ISSUES[at], merged: ISSUES[at].merged.slice(0, -1) };
    }
    if (method === "PATCH") ISSUES[at] = { ...ISSUES[at], ...change, decided_by: "ani", decided_at: ago(0) };
    return [ISSUES[at]];
  }
  if (id === undefined && method === "POST") {
    INCIDENTS.unshift({ ...INCIDENTS[0], ...change, id: `c${INCIDENTS.length + 1}`, items: [] });
    return [INCIDENTS[0], 201];
  }
  if (id === undefined) return [{ incidents: mood === "empty" ? [] : INCIDENTS }];
  const at = INCIDENTS.findIndex((one) => one.id === id);
  if (at < 0) return none;
  if (method === "DELETE" && act === undefined) return [{ deleted: INCIDENTS.splice(at, 1).length > 0 }];
  const now = INCIDENTS[at];
  if (method === "PATCH") INCIDENTS[at] = { ...now, ...change, version: now.version + 1 };
  if (act === "items" && method === "POST")
    INCIDENTS[at] = {
      ...now,
      items: [
        ...now.items,
        {
          ...now.items[0],
          id: `t${Date.now()}`,
          reference: null,
          until: null,
          by: "ani",
          at: ago(0),
          text: ask.text ?? ask.reference ?? "",
          kind: ask.kind,
        },
      ],
    };
  if (act === "items" && method === "DELETE")
    INCIDENTS[at] = { ...now, items: now.items.filter((one) => one.id !== item) };
  return [INCIDENTS[at]];
}
