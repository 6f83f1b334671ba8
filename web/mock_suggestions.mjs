// Made-up suggestions, and pipelines that are made of them and removed.

const MADE = [];

const definition = (name, match, steps) => ({ name, match: { group: "app/checkout", ...match }, steps });

const outcome = (matched, counts, examples) => ({
  matched,
  kept: matched - (counts.dropped ?? 0),
  dropped: 0,
  sampled_out: 0,
  changed: 0,
  masked: 0,
  routed: 0,
  failed: 0,
  bytes_after: 0,
  ...counts,
  examples: examples.map((one) => ({ time: new Date().toISOString(), kept: true, changes: [], ...one })),
});

const SUGGESTIONS = [
  {
    id: "card app/checkout 1a2b3c",
    kind: "mask",
    reason: "card",
    title: "mask card numbers",
    pattern: null,
    fields: [],
    events: 3,
    event_share: 0.000021,
    bytes: 214,
    byte_share: 0.000018,
    definition: definition("card app/checkout 1a2b3c", {}, [{ mask: ["card"] }]),
    dry_run: outcome(142_000, { changed: 3, masked: 3, bytes_before: 214, bytes_after: 178 }, [
      {
        text: "charged 4111 1111 1111 1111",
        changes: [{ field: "@message", before: "charged 4111 1111 1111 1111", after: "charged [card]" }],
      },
    ]),
  },
  {
    id: "health-check app/checkout 4d5e6f",
    kind: "drop",
    reason: "health_check",
    title: "drop health checks",
    pattern: "GET /healthz <*> <*>",
    fields: [],
    events: 58_300,
    event_share: 0.41,
    bytes: 2_100_000,
    byte_share: 0.18,
    definition: definition("health-check app/checkout 4d5e6f", { matches: "(?s)^\\s*GET\\s+/healthz\\s+[0-9]+\\s*$" }, [
      { drop: "event" },
    ]),
    dry_run: outcome(58_300, { dropped: 58_300, bytes_before: 2_100_000 }, [
      { text: "GET /healthz 200 3", kept: false },
      { text: "GET /healthz 200 \u202e\u001b[31m<img src=x onerror=alert(1)>", kept: false },
    ]),
  },
  {
    id: "key-value app/checkout 778899",
    kind: "fields",
    reason: "key_value",
    title: "extract key=value fields",
    pattern: "paid user=<*> amount=<*>",
    fields: ["user", "amount"],
    events: 31_000,
    event_share: 0.22,
    bytes: 1_400_000,
    byte_share: 0.12,
    definition: definition("key-value app/checkout 778899", {}, [{ parse: "grok:…" }]),
    dry_run: outcome(31_000, { changed: 31_000, bytes_before: 1_400_000, bytes_after: 1_900_000 }, [
      {
        text: "paid user=u1 amount=3.50",
        changes: [
          { field: "amount", before: null, after: 3.5 },
          { field: "user", before: null, after: "u1" },
        ],
      },
    ]),
  },
];

const WITHHELD = [
  {
    id: "debug app/checkout aabbcc",
    kind: "drop",
    reason: "debug",
    title: "drop events of levels debug and trace",
    pattern: null,
    fields: [],
    events: 20_100,
    event_share: 0.14,
    bytes: 3_000_000,
    byte_share: 0.26,
    used_by: [
      { kind: "rule", name: "slow cursors" },
      { kind: "view", name: null },
    ],
  },
];

/** The answer about suggestions or pipelines, and its status. */
export function suggestionsOf(path, ask, method, mood) {
  if (mood === "broken") return [{ error: { code: "internal", message: "the store does not answer" } }, 500];
  if (path === "/api/v1/suggestions") {
    const isEmpty = mood === "empty";
    return [
      {
        group: ask.group,
        events: isEmpty ? 0 : 142_000,
        bytes: isEmpty ? 0 : 11_600_000,
        suggestions: isEmpty ? [] : SUGGESTIONS.filter((one) => !MADE.some((made) => made.name === one.id)),
        withheld: isEmpty ? [] : WITHHELD,
        note: isEmpty ? "There are no events of this group in the range." : null,
        partial: mood === "partial",
        partial_reasons: mood === "partial" ? [{ code: "timeout", message: "the time limit was reached" }] : [],
      },
    ];
  }
  const none = { events: 0, dropped: 0, sampled_out: 0, masked: 0, routed: 0 };
  if (method === "POST") {
    MADE.push({ ...none, name: ask.definition.name, made_by: "ani", definition: ask.definition });
    return [MADE.at(-1), 201];
  }
  if (method === "DELETE") {
    const at = MADE.findIndex((one) => one.name === decodeURIComponent(path.split("/").at(-1)));
    if (at >= 0) MADE.splice(at, 1);
    return [{ deleted: at >= 0 }];
  }
  const configured = { ...none, name: "shop", events: 1204, dropped: 17, masked: 40, made_by: null, definition: {} };
  return [{ pipelines: mood === "empty" ? [] : [configured, ...MADE] }];
}
