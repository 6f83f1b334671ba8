// Made-up traces for mock.mjs: a small shop, a large trace (`/trace/ffff…`), one of log lines alone, and the service map.
// For the development of the page only.

const START = Date.now() - 600_000;
const SERVICES = ["web", "cart", "checkout", "payment", "search"];
const NAMES = { web: "GET /cart", cart: "GetCart", checkout: "PlaceOrder", payment: "Charge", search: "Query" };

const iso = (ms) => {
  const whole = Math.floor(ms);
  const nanos = String(Math.round((ms - whole) * 1e6)).padStart(6, "0");
  return `${new Date(whole).toISOString().slice(0, -1)}${nanos}Z`;
};
const hex = (n, digits) => n.toString(16).padStart(digits, "0");

function spanOf(trace_id, id, parent, at, service, name, kind, duration_ms, more = {}) {
  return {
    "@timestamp": iso(at),
    "@message": `${name} ${Math.round(duration_ms)} ms`,
    "@level": more.status === "error" ? "error" : "info",
    "@log": `traces/${service}`,
    "@id": `SPAN${id}`,
    "@type": "span",
    trace_id,
    span_id: hex(id, 16),
    ...(parent ? { parent_span_id: hex(parent, 16) } : {}),
    ...{ name, kind, status: "unset", service, duration_ms, "service.version": "1.4.2", "scope.name": "shop" },
    ...more,
  };
}

/** The answer for spans whose parents precede them. */
function answerOf(trace_id, spans, logs, problems = [], missing = {}) {
  const children = new Map();
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  for (const span of spans) {
    const parent = span.parent_span_id ?? "";
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const tree = [];
  const add = (stack) => {
    while (stack.length > 0) {
      const { span, gap, parent, depth } = stack.pop();
      const at = tree.length;
      const id = gap ?? span.span_id;
      const below = children.get(id) ?? [];
      const self_ms = gap ? 0 : Math.max(0, span.duration_ms - below.reduce((sum, one) => sum + one.duration_ms, 0));
      const own = gap ? { missing_span_id: gap } : { span: spans.indexOf(span), span_id: id, ...(missing[id] ?? {}) };
      tree.push({ parent, depth, self_ms, critical_ms: !gap && at % 3 === 0 ? span.duration_ms * 0.4 : 0, ...own });
      for (const one of [...below].reverse()) stack.push({ span: one, parent: at, depth: depth + 1 });
      if (at === 0)
        for (const lost of new Set(spans.map((one) => one.parent_span_id).filter((one) => one && !byId.has(one))))
          stack.push({ gap: lost, parent: 0, depth: 1 });
    }
  };
  add((children.get("") ?? []).map((span) => ({ span, parent: null, depth: 0 })).reverse());
  const root = spans[0];
  return {
    trace_id,
    start: root?.["@timestamp"] ?? logs[0]["@timestamp"],
    duration_ms: root?.duration_ms ?? 900,
    root: root ? { span_id: root.span_id, name: root.name, service: root.service } : null,
    services: [...new Set(spans.map((span) => span.service))],
    n_spans: spans.length,
    errors: spans.filter((span) => span.status === "error").length,
    ...{ problems, partial: false, partial_reasons: [], stats: {}, spans, tree, logs },
  };
}

function shop(id) {
  const at = START;
  const stack =
    "Error: card declined\n    at charge (/srv/payment/charge.js:88:11)\n    at retry (/srv/node_modules/retry/index.js:4:9)\n    at process.run (node:internal/process:21:3)\n    at checkout (/srv/payment/cart.js:12:5)";
  const spans = [
    spanOf(id, 1, 0, at, "web", "GET /cart", "server", 485.2, {
      "http.response.status_code": 503,
      status: "error",
      "http.route": "/cart",
      "user.id": 4410,
    }),
    spanOf(id, 2, 1, at + 12.25, "web", "GET cart", "client", 130.5, { "server.address": "cart" }),
    spanOf(id, 3, 2, at + 14.1, "cart", "GetCart", "server", 122, { "rpc.system": "grpc" }),
    spanOf(id, 4, 3, at + 20, "cart", "SELECT items", "client", 3.211, {
      "db.system": "postgresql",
      "db.statement": "select * from items where cart = $1",
    }),
    spanOf(id, 5, 3, at + 30, "cart", "SELECT prices", "client", 88.4, { "db.system": "postgresql" }),
    spanOf(id, 6, 1, at + 150, "web", "POST checkout", "client", 320, { status: "error" }),
    spanOf(id, 7, 6, at + 152, "checkout", "PlaceOrder", "server", 312, {
      status: "error",
      status_message: "payment failed",
    }),
    spanOf(id, 8, 7, at + 160, "checkout", "validate order", "internal", 0.043),
    spanOf(id, 9, 7, at + 170, "payment", "Charge", "server", 270, {
      status: "error",
      status_message: "card declined",
      events: [
        { timestamp: iso(at + 180), name: "retry", attributes: { attempt: 2 } },
        {
          timestamp: iso(at + 431),
          name: "exception",
          attributes: {
            "exception.type": "CardError",
            "exception.message": "card declined",
            "exception.stacktrace": stack,
          },
        },
      ],
      links: [{ trace_id: "a".repeat(32), span_id: "b".repeat(16), attributes: { reason: "retry of" } }],
    }),
    spanOf(id, 10, 77, at + 200, "search", "suggest", "consumer", 44),
    spanOf(id, 11, 77, at + 230, "search", "<img src=x onerror=alert(1)>", "internal", 12),
  ];
  const line = (ms, level, message, span) => ({
    "@timestamp": iso(at + ms),
    "@message": message,
    "@level": level,
    "@log": "app/shop",
    "@id": `LINE${ms}`,
    trace_id: id,
    ...(span ? { span_id: hex(span, 16) } : {}),
  });
  const logs = [
    line(-3, "debug", "request accepted", 0),
    line(15, "info", "cart 7731 loaded", 3),
    line(60, "warn", "slow prices: 88 ms", 3),
    line(175, "info", "charging 12.90 EUR", 9),
    line(300, "warn", "card gateway: retry 2", 9),
    line(431, "error", `payment failed: card declined\n${stack}`, 9),
    line(470, "error", "order 7731 refused", 7),
  ];
  const problems = [
    {
      code: "missing-parent",
      span_id: hex(77, 16),
      message: `span ${hex(77, 16)} is missing: 2 spans name it as their parent`,
    },
    {
      code: "clock-skew",
      span_id: hex(9, 16),
      message:
        "the clock of payment is about 8 ms behind that of checkout; its span is shown within the call, its own times are unchanged",
    },
  ];
  return answerOf(id, spans, logs, problems, { [hex(9, 16)]: { adjusted_start: iso(at + 178) } });
}

function large(id) {
  const spans = [spanOf(id, 1, 0, START, "web", "POST /batch", "server", 60_000)];
  for (let n = 2; n <= 10_000; n += 1) {
    const parent = n % 7 === 0 ? n - 1 : Math.max(1, Math.floor(n / 9));
    const service = SERVICES[n % SERVICES.length];
    const more = n % 1500 === 0 ? { status: "error", status_message: `item ${n} failed` } : {};
    spans.push(
      spanOf(
        id,
        n,
        parent,
        START + n * 5.9,
        service,
        `${NAMES[service]} ${n}`,
        "internal",
        3 + ((n * 7919) % 900),
        more,
      ),
    );
  }
  return answerOf(id, spans, []);
}

function linesAlone(id) {
  const logs = [0, 120, 900].map((ms) => ({
    "@timestamp": iso(START + ms),
    "@message": `line at ${ms} ms`,
    "@level": "info",
    "@log": "app/old",
    trace_id: id,
  }));
  return answerOf(id, [], logs);
}

/** A trace; `null` where there is none. */
export function traceOf(id) {
  if (/^f+$/.test(id)) return large(id);
  if (/^e+$/.test(id)) return linesAlone(id);
  return /^0*$/.test(id) ? null : shop(id);
}

let seed = 7;
const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
const SUMMARIES = Array.from({ length: 700 }, (_, n) => {
  const root_service = SERVICES[Math.floor(random() ** 2 * SERVICES.length)];
  const isSlow = random() < 0.07;
  return {
    trace_id: hex(n + 4096, 32),
    root_service,
    root_name: NAMES[root_service],
    root_missing: n % 97 === 0,
    age: random() * 3_500_000,
    duration_ms: (isSlow ? 2000 : 40) * Math.exp((random() - 0.5) * 3),
    spans: 3 + Math.floor(random() * 40),
    errors: isSlow && random() < 0.6 ? 1 + Math.floor(random() * 3) : 0,
    services: isSlow ? [root_service, "payment"] : [root_service, ...(random() < 0.3 ? ["cart"] : [])],
  };
});

/** The answer to a search. */
export function searchOf(ask, now = Date.now()) {
  const traces = SUMMARIES.map(({ age, ...one }) => ({ ...one, start: iso(now - age) }))
    .filter(
      (one) =>
        (!ask.service || one.services.includes(ask.service)) &&
        (!ask.errors || one.errors > 0) &&
        one.duration_ms >= (ask.min_duration_ms ?? 0),
    )
    .sort((a, b) => (ask.order === "slowest" ? b.duration_ms - a.duration_ms : a.start < b.start ? 1 : -1));
  return {
    traces: traces.slice(0, ask.limit ?? 20),
    from: iso(now - 3_600_000),
    to: iso(now),
    partial: false,
    partial_reasons: [],
    stats: {},
  };
}

/** All traces that a search finds, counted by start and duration. */
export function densityOf(ask, now = Date.now()) {
  const { traces, from, to } = searchOf({ ...ask, limit: Infinity }, now);
  const [width_ms, cells] = [30_000, new Map()];
  for (const trace of traces) {
    const column = Math.floor((Date.parse(trace.start) - Date.parse(from)) / width_ms);
    const row = Math.floor(Math.log10(trace.duration_ms) * 8);
    const key = `${column} ${row}`;
    const cell = cells.get(key) ?? {
      at: iso(Date.parse(from) + column * width_ms),
      min_ms: 10 ** (row / 8),
      max_ms: 10 ** ((row + 1) / 8),
      traces: 0,
      errors: 0,
      example: null,
      error_example: null,
    };
    cell.traces += 1;
    cell.errors += trace.errors > 0 ? 1 : 0;
    cell[trace.errors > 0 ? "error_example" : "example"] ??= trace.trace_id;
    cells.set(key, cell);
  }
  const errors = traces.filter((trace) => trace.errors > 0).length;
  return {
    ...{ from, to, width_ms, traces: traces.length, errors },
    cells: [...cells.values()],
    partial: false,
    partial_reasons: [],
  };
}

const calls = (requests, errors, p95_ms) => ({
  requests,
  requests_per_s: requests / 3600,
  errors,
  error_share: errors / Math.max(1, requests),
  p50_ms: p95_ms === null ? null : p95_ms / 4,
  p95_ms,
});

/** The service map. */
export function mapOf(now = Date.now()) {
  const node = (service, kind, numbers, before, more = {}) => ({
    service,
    kind,
    ...calls(...numbers),
    before: calls(...before),
    logs_only: false,
    callers_unknown: 0,
    targets_unknown: 0,
    ...more,
  });
  const edge = (from, to, numbers, before) => ({ from, to, ...calls(...numbers), before: calls(...before) });
  return {
    ...{
      from: iso(now - 3_600_000),
      to: iso(now),
      compare_from: iso(now - 7_200_000),
      compare_to: iso(now - 3_600_000),
    },
    nodes: [
      node("web", "service", [36_000, 410, 480], [35_000, 350, 460]),
      node("cart", "service", [21_000, 12, 40], [20_500, 20, 38]),
      node("checkout", "service", [4_100, 390, 900], [4_000, 41, 310], { callers_unknown: 120 }),
      node("payment", "service", [4_000, 380, 700], [3_900, 20, 210]),
      node("search", "service", [9_000, 0, 25], [9_100, 0, 24], { targets_unknown: 14 }),
      node("mailer", "service", [900, 3, null], [850, 2, null], { logs_only: true }),
      node("postgresql", "database", [52_000, 4, 6], [50_000, 3, 6]),
      node("kafka", "queue", [4_050, 0, 3], [3_950, 0, 3]),
      node("api.bank.example", "external", [4_000, 360, 600], [3_900, 18, 180]),
    ],
    edges: [
      edge("web", "cart", [21_000, 12, 44], [20_500, 20, 42]),
      edge("web", "checkout", [4_100, 390, 910], [4_000, 41, 320]),
      edge("web", "search", [9_000, 0, 27], [9_100, 0, 26]),
      edge("cart", "postgresql", [40_000, 2, 5], [39_000, 1, 5]),
      edge("checkout", "payment", [4_000, 380, 705], [3_900, 20, 214]),
      edge("checkout", "kafka", [4_050, 0, 3], [3_950, 0, 3]),
      edge("checkout", "postgresql", [12_000, 2, 8], [11_000, 2, 8]),
      edge("payment", "api.bank.example", [4_000, 360, 600], [3_900, 18, 180]),
      edge("payment", "checkout", [3_800, 0, 12], [3_700, 0, 12]),
      edge("search", "kafka", [0, 0, null], [40, 0, 4]),
    ],
    ...{ approximate: ["p50_ms", "p95_ms"], partial: false, partial_reasons: [], stats: {} },
  };
}
