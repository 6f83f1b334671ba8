// Made-up answers about causes: what differs, the onset, the first look, marks. Differences are computed from the mock's
// own events, without a test of significance.

const VALUES_MAX = 5;

/** Marks, newest last. */
export const MARKS = [
  {
    id: "m1",
    text: "deploy payment v4.13.0",
    at: new Date(Date.now() - 1_336_000).toISOString(),
    until: null,
    fields: { service: "payment", version: "v4.13.0" },
  },
  {
    id: "m2",
    text: "migration 42 <img src=x onerror=alert(1)>",
    at: new Date(Date.now() - 2_400_000).toISOString(),
    until: new Date(Date.now() - 2_000_000).toISOString(),
    fields: {},
  },
];

function counted(events, valueOf, field) {
  const all = new Map();
  for (const event of events) {
    const value = valueOf(event, field);
    if (value !== null) all.set(JSON.stringify(value), (all.get(JSON.stringify(value)) ?? 0) + 1);
  }
  return all;
}

function quantiles(events, valueOf, field, side) {
  const numbers = events
    .map((event) => valueOf(event, field))
    .filter((value) => typeof value === "number")
    .sort((a, b) => a - b);
  const at = (share) => numbers[Math.floor(share * (numbers.length - 1))] ?? null;
  return Object.fromEntries([5, 25, 50, 75, 95].map((part) => [`${side}_p${part}`, at(part / 100)]));
}

/** Compares two sets of events. */
export function differsOf(inside, outside, valueOf) {
  const names = new Set(["@level", "@log", ...inside.flatMap((event) => Object.keys(event.fields))]);
  const fields = [];
  for (const field of names) {
    const [a, b] = [counted(inside, valueOf, field), counted(outside, valueOf, field)];
    if (a.size > 200) continue;
    const values = [...new Set([...a.keys(), ...b.keys()])]
      .map((key) => {
        const [selection, baseline] = [a.get(key) ?? 0, b.get(key) ?? 0];
        const [selection_share, baseline_share] = [
          selection / Math.max(1, inside.length),
          baseline / Math.max(1, outside.length),
        ];
        const lift = baseline === 0 ? null : selection_share / baseline_share;
        return { value: JSON.parse(key), selection, selection_share, baseline, baseline_share, lift };
      })
      .filter((one) => Math.abs(one.selection_share - one.baseline_share) > 0.05)
      .sort((x, y) => Math.abs(y.selection_share - y.baseline_share) - Math.abs(x.selection_share - x.baseline_share))
      .slice(0, VALUES_MAX);
    const isNumeric = inside.some((event) => typeof valueOf(event, field) === "number");
    if (values.length === 0) continue;
    const numbers = isNumeric
      ? {
          ...quantiles(inside, valueOf, field, "selection"),
          ...quantiles(outside, valueOf, field, "baseline"),
        }
      : null;
    const event = inside.find((one) => JSON.stringify(valueOf(one, field)) === JSON.stringify(values[0].value));
    fields.push({
      field,
      score: Math.abs(values[0].selection_share - values[0].baseline_share),
      values,
      numbers,
      query: `filter ${field} = ${JSON.stringify(values[0].value)}`,
      event: event ? { "@id": event.id, "@timestamp": event.time, "@message": event.message.slice(0, 300) } : null,
    });
  }
  return {
    selection: { events: inside.length },
    baseline: { events: outside.length },
    fields: fields.sort((x, y) => y.score - x.score),
    approximate: false,
    partial: false,
    stats: { events_scanned: inside.length + outside.length, elapsed_ms: 14 },
  };
}

/** The onset of the mock's own incident. */
export function onsetOf() {
  const began = Date.now() - 1_300_000;
  const at = (ms) => new Date(began + ms).toISOString();
  return {
    began: at(0),
    ended: null,
    uncertainty_ms: 4000,
    before_per_minute: 0.4,
    after_per_minute: 119,
    also: [
      { kind: "mark", at: MARKS[0].at, what: "deploy payment v4.13.0", query: null },
      {
        kind: "restart",
        at: at(-30_000),
        what: "payment v4.13.0 on host-14",
        query: 'filter service = "payment" and host = "host-14"',
      },
      {
        kind: "pattern",
        at: at(0),
        what: "connection refused by db-1:<*>",
        query: 'filter @message like "connection refused by db-1"',
      },
      { kind: "silence", at: at(45_000), what: "db-1:/var/log/postgresql/main.log", query: null },
      { kind: "alert", at: at(60_000), what: "errors", query: null },
    ],
  };
}

/** When each pattern began. */
export function patternOnsetsOf() {
  const { began } = onsetOf();
  const at = (ms) => new Date(Date.parse(began) + ms).toISOString();
  return {
    measure: "patterns",
    patterns: [
      {
        pattern: "connection refused by db-1:<*>",
        query: 'filter @message like "connection refused by db-1"',
        events: 600,
        began,
        began_between: [at(-2000), at(2000)],
        ended: null,
        ended_between: null,
        before_per_minute: 0,
        after_per_minute: 28,
      },
      {
        pattern: "order <*> paid",
        query: null,
        events: 4000,
        began: at(30_000),
        began_between: [at(0), at(60_000)],
        ended: at(600_000),
        ended_between: [at(540_000), at(660_000)],
        before_per_minute: 240,
        after_per_minute: 90,
      },
    ],
    n_patterns: 41,
    note: null,
    also: [],
  };
}

/** A first look, whose comparison is given. */
export function firstLookOf(differs) {
  const onset = onsetOf();
  return {
    title: "errors",
    query: 'filter @level >= "error"',
    findings: [
      {
        kind: "restart",
        title: "payment v4.13.0 on host-14 restarted 30 s before",
        at: onset.also[1].at,
        query: onset.also[1].query,
        url: null,
        score: 0.97,
      },
      {
        kind: "new-pattern",
        title: "connection refused by db-1:<*> (600 events, never before)",
        at: onset.began,
        query: onset.also[2].query,
        url: null,
        score: 0.93,
      },
      {
        kind: "differs",
        title: "host = host-14 in 98 % of the errors, 7 % before",
        at: null,
        query: 'filter host = "host-14"',
        url: null,
        score: 0.9,
      },
      {
        kind: "trace",
        title: "POST /api/orders failed after 5.0 s",
        at: onset.began,
        query: null,
        url: "/trace/4bf92f3577b34da6a3ce929d0e0e4736",
        score: 0.5,
      },
    ],
    onset,
    differs,
    calls: [
      {
        from: "payment",
        to: "orders-db",
        failing: true,
        slower: true,
        last: true,
        requests: 840,
        before_requests: 900,
        error_share: 0.42,
        before_error_share: 0.003,
        p95_ms: 5020,
        before_p95_ms: 14,
        query: 'filter service = "payment" and kind = "client" and status = "error"',
      },
      {
        from: "web",
        to: "payment",
        failing: true,
        slower: false,
        last: false,
        requests: 900,
        before_requests: 950,
        error_share: 0.36,
        before_error_share: 0.002,
        p95_ms: 90,
        before_p95_ms: 80,
        query: null,
      },
    ],
    usual: {
      per_minute: 119,
      median_per_minute: 0.5,
      least_per_minute: 0.1,
      most_per_minute: 1.2,
      days: Array.from({ length: 6 }, () => ({})),
    },
    elapsed_ms: 41,
  };
}
