// A stand-in for the server while the page is being worked on: the API's shapes with made-up events, and dist/.
// It understands just enough of the language for the page's own clicks. `node mock.mjs [port]`;
// POST /mock/empty, /mock/full, /mock/slow and /mock/broken switch its moods.

import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";

import { differsOf, firstLookOf, MARKS, onsetOf, patternOnsetsOf } from "./mock_cause.mjs";
import { answerFor } from "./mock_for.mjs";
import { dashboardsOf } from "./mock_dashboards.mjs";
import { answerOf } from "./mock_issues.mjs";
import { suggestionsOf } from "./mock_suggestions.mjs";
import { densityOf, mapOf, searchOf, traceOf } from "./mock_traces.mjs";

const PORT = Number(process.argv[2] ?? 22829);
const DIST = join(import.meta.dirname, "dist");
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const CSP = "default-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'";
let mood = "full";

let seed = 42;
const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
const pick = (list) => list[Math.floor(random() ** 1.6 * list.length)];

const PATHS = [
  "/",
  "/api/orders",
  "/api/orders/7731",
  "/login",
  "/static/app.js",
  "/api/cart",
  "/healthz",
  "/search?q=lamp",
];
const HOSTS = ["web-1", "web-2", "web-3", "db-1"];
const SERVICES = ["checkout", "catalogue", "mailer", "search"];

function makeWeb(at) {
  const status = pick([200, 200, 200, 200, 304, 404, 301, 500, 503]);
  const path = pick(PATHS);
  const fields = {
    status,
    path,
    method: pick(["GET", "GET", "POST"]),
    bytes: Math.floor(random() * 40_000),
    client: `203.0.113.${Math.floor(random() * 200)}`,
    host: pick(HOSTS),
  };
  return {
    group: "nginx/access",
    level: status >= 500 ? "error" : status >= 400 ? "warn" : "info",
    message: `${fields.client} - - [${new Date(at).toISOString()}] "${fields.method} ${path} HTTP/1.1" ${status} ${fields.bytes}`,
    fields,
  };
}

function makeApp() {
  const level = pick(["info", "info", "debug", "warn", "error", "fatal"]);
  const service = pick(SERVICES);
  const timeMs = Math.round(random() ** 3 * 2000);
  const texts = {
    info: ["order 7731 accepted for customer 4410", "cache refreshed in 12 ms", "session opened"],
    debug: ["select took 3 rows", "retry budget 0.92"],
    warn: ["slow answer from payment gateway", "connection pool at 90 %"],
    error: [
      "connection refused by db-1:5432",
      'payment failed: "card declined"\n  at charge (payment.js:88)\n  at checkout (cart.js:12)',
      '<img src=x onerror="alert(1)"> is not a name',
    ],
    fatal: ["out of memory, giving up"],
  };
  const message = pick(texts[level]);
  const fields = {
    service,
    host: pick(HOSTS),
    timeMs,
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    span_id: "0000000000000009",
    traceId: Math.floor(random() * 2 ** 48).toString(16),
    "user.id": Math.floor(random() * 900),
    "foo-bar": random() < 0.5,
    tags: ["a", "b"],
  };
  return { group: `app/${service}`, level, message, fields };
}

function makeSystem() {
  return {
    group: "syslog",
    level: pick(["info", "", "warn"]),
    message: `\u001b[32mkernel\u001b[0m: [${(random() * 9e5).toFixed(6)}] eth0: link is up`,
    fields: { host: pick(HOSTS), appname: "kernel" },
  };
}

let sequence = 0;
function makeEvent(at) {
  const kind = random();
  const event = kind < 0.5 ? makeWeb(at) : kind < 0.9 ? makeApp() : makeSystem();
  sequence += 1;
  return {
    id: `MOCK${sequence.toString(36).padStart(10, "0").toUpperCase()}`,
    at,
    time: `${new Date(at).toISOString().slice(0, -1)}${String(sequence % 1000).padStart(3, "0")}Z`,
    ...event,
  };
}

const events = [];
const listeners = new Set();
setInterval(() => {
  if (listeners.size === 0) return;
  const event = makeEvent(Date.now());
  events.unshift(event);
  for (const listener of listeners) listener(event);
}, 120);
for (
  let at = Date.now() - 86_400_000;
  at < Date.now();
  at += 400 + random() * 40_000 * (0.2 + Math.abs(Math.sin(at / 1.7e7)))
)
  events.push(makeEvent(at));
for (let at = Date.now() - 1_300_000; at < Date.now() - 1_000_000; at += 500)
  events.push({ ...makeEvent(at), group: "app/checkout", level: "error", message: "connection refused by db-1:5432" });
events.push({
  ...makeEvent(Date.now() - 30_000),
  group: "app/mailer",
  level: "info",
  message: `long line ${"lorem ipsum ".repeat(90_000)}`,
});
const newestFirst = (a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : a.id < b.id ? 1 : -1);
events.sort(newestFirst);

function valueOf(event, name) {
  const system = {
    "@timestamp": event.time,
    "@message": event.message,
    "@level": event.level || null,
    "@log": event.group,
    "@logStream": `web-1:/var/log/${event.group}`,
    "@id": event.id,
    "@ingestionTime": new Date(event.at + 240).toISOString(),
  };
  return name in system ? system[name] : (event.fields[name] ?? null);
}

class QueryError extends Error {
  constructor(text, start, end, message, hint) {
    super(message);
    const before = text.slice(0, start).split("\n");
    this.place = { line: before.length, column: before.at(-1).length + 1, start, end, hint };
  }
}

const COMMANDS = ["fields", "filter", "stats", "sort", "limit", "display", "parse"];
const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"];

function literal(text) {
  if (/^["']/.test(text)) return text.slice(1, -1).replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
  return text === "true" ? true : text === "false" ? false : text === "null" ? null : Number(text);
}

function conditionOf(text) {
  const exists = /^(not )?ispresent\(`?([^)`]+)`?\)$/.exec(text);
  if (exists) return (event) => (valueOf(event, exists[2]) !== null) !== Boolean(exists[1]);
  const form = /^`?([@\w.-]+)`?\s*(=|!=|>=|>|<=|<|not like|like|in)\s*([\s\S]+)$/.exec(text);
  if (!form) throw new Error("condition");
  const [, name, operator, right] = form;
  if (operator === "in") {
    const list = [...right.matchAll(/"([^"]*)"/g)].map((one) => one[1]);
    return (event) => list.includes(valueOf(event, name));
  }
  const wanted = /^\//.test(right)
    ? new RegExp(right.replace(/^\/|\/i?$/g, ""), right.endsWith("i") ? "i" : "")
    : literal(right);
  const rank = (value) => (name === "@level" ? LEVELS.indexOf(value) : value);
  return (event) => {
    const value = valueOf(event, name);
    const holds = () => (wanted instanceof RegExp ? wanted.test(String(value)) : String(value).includes(wanted));
    switch (operator) {
      case "=":
        return value === wanted;
      case "!=":
        return value !== wanted;
      case "like":
        return value !== null && holds();
      case "not like":
        return value === null || !holds();
      case ">=":
        return value !== null && rank(value) >= rank(wanted);
      case ">":
        return value !== null && rank(value) > rank(wanted);
      case "<=":
        return value !== null && rank(value) <= rank(wanted);
      default:
        return value !== null && rank(value) < rank(wanted);
    }
  };
}

function planOf(text) {
  const plan = { filters: [], fields: [], display: null, by: null, limit: null };
  let at = 0;
  for (const part of text.split(/\||\n(?=\s*(?:fields|filter|stats|sort|limit|display|parse)\b)/)) {
    const start = text.indexOf(part, at) + (part.length - part.trimStart().length);
    at = start + part.trim().length;
    const [, word, rest] = /^(\w*)\s*([\s\S]*)$/.exec(part.trim());
    if (part.trim() === "") continue;
    if (!COMMANDS.includes(word)) {
      const near = COMMANDS.find(
        (name) =>
          [...name].filter((c) => word.includes(c)).length >= name.length - 1 &&
          Math.abs(name.length - word.length) < 2,
      );
      if (near)
        throw new QueryError(text, start, start + word.length, `unknown command “${word}”`, `did you mean "${near}"?`);
      plan.filters.push((event) =>
        `${event.message} ${Object.values(event.fields).join(" ")}`.toLowerCase().includes(part.trim().toLowerCase()),
      );
    }
    if (word === "filter") {
      for (const one of rest.split(/\s+and\s+/)) {
        try {
          plan.filters.push(conditionOf(one.trim()));
        } catch {
          throw new QueryError(
            text,
            start + 7,
            Math.max(start + 8, at),
            `“${one}” is no condition`,
            "write for example status = 500",
          );
        }
      }
    }
    if (word === "fields")
      plan.fields.push(
        ...rest
          .split(",")
          .map((name) => name.trim().replaceAll("`", ""))
          .filter((name) => !plan.fields.includes(name)),
      );
    if (word === "display") plan.display = rest.split(",").map((name) => name.trim());
    if (word === "stats")
      plan.by = {
        by: (/\bby\s+([\s\S]+)$/.exec(rest)?.[1] ?? "")
          .split(",")
          .map((name) => name.trim())
          .filter(Boolean),
        aggregate: rest.replace(/\s+by\s[\s\S]*$/, "").replace(/^.*\sas\s+/, ""),
      };
    if (word === "limit") plan.limit = Number(rest);
  }
  return plan;
}

function instantOf(text, fallback) {
  const relative = /^now(?:-(\d+)([smhd]))?$/.exec(text ?? "");
  if (relative)
    return Date.now() - (relative[1] ? Number(relative[1]) * { s: 1e3, m: 6e4, h: 36e5, d: 864e5 }[relative[2]] : 0);
  return text ? Date.parse(text) : fallback;
}

function found(ask, filters) {
  const groups = ask.groups ?? [];
  const from = instantOf(ask.from, Date.now() - 36e5);
  const to = instantOf(ask.to, Date.now());
  const matches = (name) =>
    groups.length === 0 || groups.some((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(name));
  if (mood === "empty") return [];
  return events.filter(
    (event) => event.at >= from - 1 && event.at <= to + 1 && matches(event.group) && filters.every((one) => one(event)),
  );
}

const statsOf = (n, matched) => ({
  events_scanned: n,
  events_matched: matched,
  bytes_read: n * 180,
  segments_total: 12,
  segments_pruned: 7,
  segments_opened: 5,
  elapsed_ms: 3.4,
});

function typeOf(value) {
  return value === null
    ? "any"
    : Array.isArray(value)
      ? "list"
      : typeof value === "number"
        ? Number.isInteger(value)
          ? "integer"
          : "float"
        : typeof value;
}

function answer(ask) {
  const plan = planOf(ask.query ?? "");
  const all = found(ask, plan.filters);
  const base = {
    stats: statsOf(events.length, all.length),
    partial: mood === "partial",
    partial_reasons:
      mood === "partial"
        ? [{ code: "damaged", message: "segment 01J8.seg: the checksum of block 7 does not hold" }]
        : [],
    warnings: [],
  };
  if (plan.by) {
    const rows = new Map();
    for (const event of all) {
      const bin = (name) => {
        const size = Number(/^bin\((\d+)m\)$/.exec(name)?.[1] ?? 0) * 60_000;
        return size ? new Date(Math.floor(event.at / size) * size).toISOString() : valueOf(event, name);
      };
      const key = JSON.stringify(plan.by.by.map(bin));
      rows.set(key, (rows.get(key) ?? 0) + 1);
    }
    if (plan.by.by.length === 0 && rows.size === 0) rows.set("[]", 0);
    const columns = [
      ...plan.by.by.map((name) => ({ name, type: name.startsWith("bin(") ? "timestamp" : "string" })),
      { name: plan.by.aggregate, type: "integer" },
    ];
    return {
      columns,
      rows: [...rows].map(([key, n]) => [...JSON.parse(key), n]).sort((a, b) => b.at(-1) - a.at(-1)),
      ...base,
    };
  }
  const names = plan.display ?? (plan.fields.length > 0 ? plan.fields : ["@timestamp", "@message"]);
  const limit = Math.min(plan.limit ?? Infinity, ask.limit ?? 1000);
  const shown = all.slice(0, limit);
  const columns = names.map((name) => ({
    name,
    type:
      name === "@timestamp"
        ? "timestamp"
        : typeOf(shown.map((event) => valueOf(event, name)).find((value) => value !== null) ?? null),
  }));
  return {
    columns,
    rows: shown.map((event) => names.map((name) => valueOf(event, name))),
    ids: shown.map((event) => event.id),
    more: all.length > limit && plan.limit === null,
    ...base,
  };
}

function around(ask) {
  const at = events.findIndex((event) => event.id === ask.id);
  if (at < 0) return null;
  const event = events[at];
  const { filters, fields } = planOf(ask.query ?? "");
  const groups = ask.stream === "*" ? (ask.groups ?? []) : [event.group];
  const near = events
    .filter(
      (one) =>
        one === event ||
        ((groups.length === 0 || groups.includes(one.group)) && filters.every((filter) => filter(one))),
    )
    .reverse();
  const place = near.indexOf(event);
  const [before, after] = [Number(ask.before ?? 50), Number(ask.after ?? 50)];
  const shown = near.slice(Math.max(0, place - before), place + after + 1);
  return {
    columns: fields.map((name) => ({
      name,
      type: typeOf(shown.map((one) => valueOf(one, name)).find((value) => value !== null) ?? null),
    })),
    rows: shown.map((one) => fields.map((name) => valueOf(one, name))),
    ids: shown.map((one) => one.id),
    event: {
      "@id": event.id,
      "@timestamp": event.time,
      "@log": event.group,
      "@logStream": valueOf(event, "@logStream"),
      exception: exceptionOf(event),
    },
    place: Math.min(place, before),
    more_before: place > before,
    more_after: near.length > place + after + 1,
    stats: statsOf(near.length, near.length),
    partial: false,
    partial_reasons: [],
    warnings: [],
  };
}

/** What a trace of Node's says, as the server reads it. */
function exceptionOf({ message, group }) {
  const [head, ...lines] = message.split("\n");
  const frames = lines.flatMap((line) => {
    const [, name, file, number] = /^ +at (\S+) \((.*):(\d+)\)$/.exec(line) ?? [];
    return file ? [{ function: name, file, line: Number(number), own: !file.includes("node_modules") }] : [];
  });
  if (frames.length === 0) return null;
  const exceptions = [{ type: "Error", message: head, frames, member: null }];
  const program = `filter @log = "${group}"`;
  return { exceptions, thread: null, runtime: null, runtime_version: null, issue: "i2", program, text: message };
}

function histogram(ask) {
  const all = found(ask, planOf(ask.query ?? "").filters);
  let from = instantOf(ask.from, 0);
  if (from < events.at(-1).at) from = events.at(-1).at;
  const to = instantOf(ask.to, Date.now());
  const steps = [1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5];
  const interval = steps.find((step) => (to - from) / step <= Number(ask.buckets ?? 60) - 1) ?? 36e5;
  const buckets = [];
  for (let at = Math.floor(from / interval) * interval; at <= to; at += interval)
    buckets.push({ from: new Date(at).toISOString(), to: new Date(at + interval).toISOString(), total: 0, by: {} });
  for (const event of all) {
    const bucket = buckets[Math.floor((event.at - Date.parse(buckets[0].from)) / interval)];
    if (!bucket) continue;
    bucket.total += 1;
    if (event.level) bucket.by[event.level] = (bucket.by[event.level] ?? 0) + 1;
  }
  return { buckets, interval_ms: interval, stats: statsOf(events.length, all.length) };
}

function fieldsOf(ask) {
  const all = found(ask, []);
  const counts = new Map();
  for (const event of all)
    for (const [name, value] of Object.entries(event.fields)) {
      const one = counts.get(name) ?? { name, types: [], events: 0 };
      one.events += 1;
      if (!one.types.includes(typeOf(value))) one.types.push(typeOf(value));
      counts.set(name, one);
    }
  return {
    fields: [...counts.values()].map((one) => ({
      ...one,
      share: one.events / all.length,
      distinct: 12,
      approximate: false,
    })),
  };
}

function valuesOf(ask, name) {
  const all = found(ask, planOf(ask.query ?? "").filters).filter((event) => valueOf(event, name) !== null);
  const counts = new Map();
  for (const event of all)
    counts.set(JSON.stringify(valueOf(event, name)), (counts.get(JSON.stringify(valueOf(event, name))) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  return {
    values: sorted
      .slice(0, Number(ask.limit ?? 10))
      .map(([value, count]) => ({ value: JSON.parse(value), count, share: count / all.length })),
    distinct: counts.size,
    total: all.length,
  };
}

// Commands behind a pipe, fields and functions elsewhere, values behind `=`: enough to see the list at work.
function completion(ask) {
  const cursor = ask.cursor ?? ask.query.length;
  const head = ask.query.slice(0, cursor);
  const word = /[\p{L}\p{N}_@.]*$/u.exec(head)[0];
  const item = (kind, label, insert, detail, more = {}) => ({ kind, label, insert, detail, ...more });
  const see = (name) => ({ see: `reference#${name.toLowerCase()}` });
  const compared = /`?([@\w.-]+)`?\s*!?=\s*"?[^"\s]*$/.exec(head);
  const begins = /(?:^|\||\n)\s*[\w]*$/.test(head);
  const items = compared
    ? valuesOf({ ...ask, query: "", limit: 10 }, compared[1]).values.map(({ value, count, share }) =>
        item("value", String(value), JSON.stringify(value), `${count} events`, { count, share }),
      )
    : begins
      ? COMMANDS.map((name) => item("command", name, `${name} `, "a command", see(name)))
      : [
          ...fieldsOf(ask).fields.map(({ name, types, share }) =>
            item("field", name, /^[\w.]+$/.test(name) ? name : `\`${name}\``, types.join(", "), { share }),
          ),
          ...["count_distinct", "avg", "max"].map((name) =>
            item("aggregate", name, `${name}(`, `${name}(field)`, see(name)),
          ),
        ];
  return {
    start: cursor - word.length,
    end: cursor,
    items: items.filter((one) => one.label.toLowerCase().includes(word.toLowerCase())),
    more: false,
    partial: false,
    partial_reasons: [],
  };
}

// One command per line; a word that is no command is the server's kind of error.
function formatted(text) {
  planOf(text);
  return text
    .split(/\s*\|\s*/)
    .map((part) => part.trim().replaceAll(/\s+/g, " "))
    .join("\n| ");
}

// The frame of the reference with the bare text: the server makes a page of it.
function reference() {
  const text = readFileSync(join(import.meta.dirname, "../grammar/README.md"), "utf8")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;");
  const sections = text.split(/\n(?=#+ )/).map((part) => {
    const title = /^#+ (.*)/.exec(part)[1];
    return { title, id: /\w+/.exec(title)[0].toLowerCase(), part };
  });
  const contents = sections
    .map(({ title, id }) => `<li class="h2"><a href="reference#${id}">${title}</a></li>`)
    .join("\n");
  const body = sections
    .map(
      ({ title, id, part }) =>
        `<section><h2 id="${id}">${title}</h2><pre tabindex="0">${part.slice(part.indexOf("\n"))}</pre></section>`,
    )
    .join("\n");
  return readFileSync(join(DIST, "reference.html"), "utf8")
    .replace("<!-- contents -->", () => contents)
    .replace("<!-- text -->", () => body);
}

function groupsOf() {
  if (mood === "empty") return { groups: [] };
  const all = new Map();
  for (const event of events) {
    const one = all.get(event.group) ?? {
      name: event.group,
      events: 0,
      bytes_raw: 0,
      bytes_stored: 0,
      first: event.time,
      last: event.time,
      streams: [`web-1:/var/log/${event.group}`],
    };
    one.events += 1;
    one.bytes_raw += event.message.length;
    one.bytes_stored = Math.round(one.bytes_raw * 0.07);
    one.first = event.time;
    all.set(event.group, one);
  }
  return { groups: [...all.values()] };
}

function ingest(ask) {
  const lines = ask.body.split("\n").filter(Boolean);
  for (const line of lines) {
    const {
      "@timestamp": time,
      message,
      level,
      ...fields
    } = ask.format === "text" ? { message: line } : JSON.parse(line);
    const at = time ? Date.parse(time) : Date.now();
    const event = {
      ...makeEvent(at),
      group: ask.group,
      level: level ?? "",
      message,
      fields: { ...fields, message, ...(level ? { level } : {}) },
    };
    events.push(event);
    for (const listener of listeners) listener(event);
  }
  events.sort(newestFirst);
  mood = mood === "empty" ? "full" : mood;
  return { accepted: lines.length, duplicate: false, rejected: [] };
}

const RULES = [
  {
    name: "errors",
    query: 'filter @level >= "error"\n| stats count(*) as count by @log',
    groups: ["*"],
    window: "5m",
    interval: "30s",
    condition: "count > 5",
    state: "alarm",
    last_evaluation: new Date(Date.now() - 4000).toISOString(),
    why: "count is 41 for @log=app/checkout",
  },
  {
    name: "slow answers",
    query: "stats pct(timeMs, 95) as p95 by service",
    groups: ["app/*"],
    window: "15m",
    interval: "1m",
    condition: "p95 > 1500",
    state: "ok",
    last_evaluation: new Date(Date.now() - 12_000).toISOString(),
    why: "no row meets the condition",
  },
];
const VIEWS = [
  {
    id: "v0",
    name: "errors",
    description: "",
    tags: ["oncall"],
    star: false,
    chip: true,
    shared: false,
    view: { q: '@level >= "error"' },
    version: 1,
    owner: "ani",
    own: true,
  },
  {
    id: "v1",
    name: "slow answers",
    description: "by service, a line each",
    tags: [],
    star: true,
    chip: false,
    shared: true,
    view: { q: "stats avg(timeMs) by bin(5m), service", chart: "line" },
    version: 1,
    owner: "budi",
    own: false,
  },
];
const ALERTS = [
  {
    id: "1",
    rule: "errors",
    state: "alarm",
    labels: { alertname: "errors", "@log": "app/checkout" },
    annotations: { summary: "41 errors in app/checkout" },
    value: 41,
    since: new Date(Date.now() - 240_000).toISOString(),
  },
];

const SOURCES = () => {
  const file = (path, more = {}) => ({
    file: `fd00-${path.length}`,
    path,
    group: "nginx/access",
    stream: `web-1:${path}`,
    first_seen: new Date(0).toISOString(),
    last_seen: new Date().toISOString(),
    rate_bytes_per_s: 1200,
    generations: 1,
    generation: 0,
    size: 40_000_000,
    offset: 40_000_000,
    bytes: 40_000_000,
    lag_bytes: 0,
    gaps: [],
    n_gaps: 0,
    gap_bytes: 0,
    complete: true,
    last_error: null,
    earlier: [],
    ...more,
  });
  const torn = { gaps: [[10_000_000, 20_000_000]], n_gaps: 1, gap_bytes: 10_000_000, complete: false };
  const source = (host, state, more = {}) => ({
    source: `${host}0123456789abcdef`,
    host,
    version: "0.1.0",
    started: new Date(Date.now() - 9e6).toISOString(),
    state,
    first_seen: new Date(Date.now() - 9e7).toISOString(),
    last_seen: new Date(Date.now() - (state === "up" ? 4000 : 400_000)).toISOString(),
    lag_bytes: 0,
    rate_bytes_per_s: 1200,
    gap_bytes: 0,
    last_error: null,
    refused: 0,
    given_up: { lines: 0, bytes: 0 },
    inputs: [],
    files: [file("/var/log/nginx/access.log")],
    files_left_out: 0,
    ...more,
  });
  const behind = file("/var/log/nginx/error.log", { lag_bytes: 2_400_000, size: 42_400_000, complete: false });
  return {
    sources: [
      source("web-1", "up", {
        gap_bytes: 10_000_000,
        files: [
          file("/var/log/app.log", torn),
          file("/var/log/nginx/access.log", {
            earlier: [{ ...torn, generation: 0, last_error: null, lag_bytes: 0 }],
            generations: 2,
            generation: 1,
          }),
        ],
        inputs: [
          { name: "journal", lines: 41_022, given_up: { lines: 0, bytes: 0 }, has_ended: false, last_error: null },
        ],
      }),
      source("web-2", "down", {
        lag_bytes: 2_400_000,
        last_error: "503 Service Unavailable: disk is full <img src=x onerror=alert(1)>",
        files: [behind],
      }),
      source("db-1", "unknown", {
        version: null,
        started: null,
        files: [file("/var/log/postgresql/main.log", { size: null, complete: null })],
      }),
    ],
    forgotten: 2,
  };
};

function tail(request, response, ask) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const filters = planOf(ask.query ?? "").filters;
  const groups = ask.groups ?? [];
  const listener = (event) => {
    if (!filters.every((one) => one(event))) return;
    if (
      groups.length > 0 &&
      !groups.some((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(event.group))
    )
      return;
    const data = {
      ...Object.fromEntries(
        ["@timestamp", "@level", "@log", "@logStream", "@message"].map((name) => [name, valueOf(event, name)]),
      ),
      ...event.fields,
    };
    response.write(`event: event\nid: ${event.id}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  listeners.add(listener);
  request.on("close", () => listeners.delete(listener));
  response.write(": live\n\n");
}

const NODE = { roles: "ingest,query,upkeep,alert,page", zone: "a", silent_s: 2.1, draining: false, changes_behind: 0 };
const finding = (severity, check, message, advice = "") => ({ severity, check, message, advice });
const FINDINGS = [
  finding(
    "problem",
    "sync",
    "/data is in memory (tmpfs): everything is lost when the machine stops",
    "choose a directory on a disk in storage.dir",
  ),
  finding(
    "warning",
    "backup",
    "`catat backup` has not copied this store, which is 9d old",
    "`catat backup` copies a store while it is in use",
  ),
  finding("note", "files", "not read: /var/log/a.log: named by no input", "add an [[input]] if they matter"),
  finding("ok", "clock", "the clock is synchronised"),
];
const FLEET = {
  nodes: [
    {
      node: "catat-1",
      epoch: 11,
      joined_s: 260_000,
      leases: ["upkeep"],
      answers_this: true,
      does: { parts_answered: 4812, parts_bytes: 91_000_000 },
    },
    {
      node: "catat-2",
      epoch: 9,
      joined_s: 812_000,
      silent_s: 912,
      leases: [],
      answers_this: false,
      changes_behind: null,
    },
    {
      node: "catat-2",
      epoch: 14,
      joined_s: 880,
      zone: "b",
      leases: ["alerts"],
      answers_this: false,
      changes_behind: 12,
    },
    {
      node: "catat-3",
      epoch: 12,
      joined_s: 90_000,
      zone: "b",
      leases: [],
      answers_this: false,
      draining: true,
      roles: "ingest",
    },
    { node: "catat-4", epoch: 13, joined_s: 90_000, silent_s: 48, leases: [], answers_this: false, roles: "query" },
  ].map((one) => ({ ...NODE, address: `https://${one.node}.example.org:22828`, ...one })),
  objects_waiting: 37,
  object_bytes_waiting: 81_200_000,
  objects_written: 48_211,
  puts_per_day: 186_400,
  bytes_stored: 1_840_000_000_000,
  cost_per_day_usd: 2.41,
};

function api(path, ask, response, request) {
  const send = (body, status = 200) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  };
  try {
    if (path === "/api/v1/query")
      return setTimeout(
        () => {
          try {
            send(answer(ask));
          } catch (error) {
            fail(error);
          }
        },
        mood === "slow" ? 3000 : 0,
      );
    if (path === "/api/v1/query/several") {
      const lines = ask.queries.map((one, query) => JSON.stringify({ query, status: 200, answer: answer(one) }));
      response.writeHead(200, { "Content-Type": "application/x-ndjson" });
      return response.end(lines.map((line) => `${line}\n`).join(""));
    }
    if (path === "/api/v1/histogram")
      return mood === "broken"
        ? send({ error: { code: "internal", message: "the histogram failed" } }, 500)
        : send(histogram(ask));
    if (["/api/v1/differs", "/api/v1/onset", "/api/v1/first-look", "/api/v1/marks"].includes(path))
      return cause(path, ask, send, request.method);
    if (/^\/api\/v1\/(?:issues|incidents|ledger)(?:\/|$)/.test(path))
      return send(...answerOf(path, ask, request.method, mood));
    if (path.startsWith("/api/v1/for/"))
      return send(...answerFor(path, request.method, request.headers["x-catat-link"], mood));
    if (path.startsWith("/api/v1/dashboards")) return send(...dashboardsOf(path, ask, request.method, mood));
    if (/^\/api\/v1\/(?:suggestions$|pipelines(?:\/|$))/.test(path))
      return send(...suggestionsOf(path, ask, request.method, mood));
    if (path === "/api/v1/silences") return send({ silences: [] });
    if (path === "/api/v1/channels") return send({ channels: [] });
    if (path === "/api/v1/time") return send(timeOf(ask.text));
    if (path === "/api/v1/fields") return send(fieldsOf(ask));
    if (path === "/api/v1/context")
      return around(ask)
        ? send(around(ask))
        : send({ error: { code: "event-gone", message: "the event is no longer there" } }, 404);
    const values = /^\/api\/v1\/fields\/([^/]+)\/values$/.exec(path);
    if (values) return send(valuesOf(ask, decodeURIComponent(values[1])));
    if (path === "/api/v1/service-map" || path.startsWith("/api/v1/traces/")) return traces(path, ask, send);
    if (path === "/api/v1/complete") return send(completion(ask));
    if (path === "/api/v1/format") return send({ query: formatted(ask.query ?? "") });
    if (path === "/api/v1/groups") return send(groupsOf());
    if (path === "/api/v1/ingest") return send(ingest(ask));
    if (path === "/api/v1/sources")
      return mood === "broken"
        ? send({ error: { code: "internal", message: "the sources failed" } }, 500)
        : send(mood === "empty" ? { sources: [], forgotten: 0 } : SOURCES());
    if (path === "/api/v1/doctor")
      return mood === "broken"
        ? send({ error: { code: "internal", message: "the checks failed" } }, 500)
        : send({ findings: mood === "empty" ? FINDINGS.slice(-1) : FINDINGS });
    if (path === "/api/v1/fleet")
      return mood === "broken"
        ? send({ error: { code: "unavailable", message: "the database does not answer" } }, 503)
        : mood === "empty"
          ? send({ error: { code: "not-found", message: "this server is no node of a fleet" } }, 404)
          : send(FLEET);
    if (path === "/api/v1/rules") return send({ rules: RULES });
    if (path === "/api/v1/alerts") return send({ alerts: ALERTS });
    if (path === "/api/v1/session")
      return send(
        request.method === "DELETE" ? { signed_out: true } : { name: "ani", role: "admin", groups: ["*"], user: true },
      );
    if (path === "/api/v1/keys" && request.method === "POST")
      return send({ id: "k2", name: ask.name, key: "catat_made_up_0123456789abcdef0123456789abcdef" }, 201);
    if (path === "/api/v1/keys")
      return send({
        keys: [
          {
            id: "k1",
            name: "ci",
            role: "ingest",
            groups: ["app/*"],
            created: new Date(Date.now() - 9e7).toISOString(),
            last_used: null,
          },
        ],
      });
    if (path === "/api/v1/users")
      return send({
        users: [{ name: "ani", role: "admin", groups: ["*"], created: new Date(Date.now() - 9e8).toISOString() }],
      });
    if (path === "/api/v1/views" && request.method === "GET") return send({ views: VIEWS });
    if (path === "/api/v1/views") {
      VIEWS.push({ ...ask, body: undefined, id: `v${Date.now()}`, version: 1, owner: "ani", own: true });
      return send(VIEWS.at(-1), 201);
    }
    const at = path.startsWith("/api/v1/views/") ? VIEWS.findIndex((one) => one.id === path.slice(14)) : -1;
    if (at >= 0 && request.method === "DELETE") {
      VIEWS.splice(at, 1);
      return send({ deleted: true });
    }
    if (at >= 0) {
      VIEWS[at] = { ...VIEWS[at], ...ask, body: undefined, version: VIEWS[at].version + 1 };
      return send(VIEWS[at]);
    }
    if (path.startsWith("/mock/")) {
      mood = path.slice(6);
      return send({ mood });
    }
    return send({ error: { code: "not_found", message: "no such route" } }, 404);
  } catch (error) {
    fail(error);
  }
  function fail(error) {
    send({ error: { code: "query", message: error.message, ...(error.place ?? {}) } }, error.place ? 400 : 500);
  }
}

/** What a written time means, as far as the mock reads it. */
function timeOf(text) {
  const at = instantOf(text.replace(" ", "T"), NaN);
  if (Number.isNaN(at)) throw new QueryError(text, 0, text.length, `"${text}" is no time`);
  return { from: text, to: "now", from_time: new Date(at).toISOString(), to_time: new Date().toISOString() };
}

/** Causes and marks, in the present mood. */
function cause(path, ask, send, method) {
  if (mood === "broken") return send({ error: { code: "internal", message: "block 7 could not be read" } }, 500);
  const partial =
    mood === "partial"
      ? {
          partial: true,
          partial_reasons: [{ code: "damaged", message: "segment 01J8.seg: the checksum of block 7 does not hold" }],
        }
      : {};
  if (path === "/api/v1/marks" && method === "POST") {
    MARKS.push({ id: `m${MARKS.length + 1}`, until: null, fields: {}, text: ask.text, at: ask.at, ...ask });
    return send(MARKS.at(-1), 201);
  }
  if (path === "/api/v1/marks") return send({ marks: mood === "empty" ? [] : MARKS });
  if (path === "/api/v1/onset")
    return send(
      mood === "empty"
        ? { began: null, also: [], uncertainty_ms: 0 }
        : ask.of === "patterns"
          ? patternOnsetsOf()
          : { ...onsetOf(), measure: ask.of ?? "count" },
    );
  const query = ask.selection ?? { query: 'filter @level >= "error"', from: "now-1h", ...ask };
  const inside = found(query, planOf(query.query.replaceAll(/filter not \(.*\)/g, "")).filters);
  const from = instantOf(query.from, 0);
  const base = typeof ask.baseline === "object" ? ask.baseline : null;
  const outside = (
    base ? found(base, []) : found({ ...query, from: new Date(from - 36e5).toISOString(), to: query.from }, [])
  ).filter((event) => !inside.includes(event));
  const differs = { ...differsOf(inside, outside, valueOf), ...partial };
  const answer = path === "/api/v1/differs" ? differs : firstLookOf(differs);
  const none = { findings: [], calls: [], usual: null, onset: { began: null, also: [] } };
  return setTimeout(
    () => send(mood === "empty" && path !== "/api/v1/differs" ? { ...answer, ...none } : answer),
    mood === "slow" ? 3000 : 0,
  );
}

/** Traces and the map, in the present mood. */
function traces(path, ask, send) {
  if (mood === "broken") return send({ error: { code: "internal", message: "the spans could not be read" } }, 500);
  const others = {
    "/api/v1/service-map": mapOf,
    "/api/v1/traces/search": searchOf,
    "/api/v1/traces/density": densityOf,
  };
  const isTrace = others[path] === undefined;
  const answer = isTrace ? traceOf(path.slice(15)) : others[path](ask);
  if (answer === null || (isTrace && mood === "empty"))
    return send(
      {
        error: { code: "not-found", message: "no event has this trace id", hint: "it may be older than the retention" },
      },
      404,
    );
  const none = mood === "empty" ? { traces: [], nodes: [], edges: [] } : {};
  const partial =
    mood === "partial"
      ? {
          partial: true,
          partial_reasons: [{ code: "damaged", message: "segment 01J8.seg: the checksum of block 7 does not hold" }],
        }
      : {};
  return send({ ...answer, ...none, ...partial });
}

createServer((request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`);
  if (url.pathname.startsWith("/api/") || url.pathname.startsWith("/mock/")) {
    const params = Object.fromEntries(url.searchParams);
    if (params.groups) params.groups = params.groups.split(",");
    if (url.pathname === "/api/v1/tail") return tail(request, response, params);
    let body = "";
    request.on("data", (piece) => (body += piece));
    return request.on("end", () =>
      api(
        url.pathname,
        url.pathname !== "/api/v1/ingest" && body.startsWith("{")
          ? { ...params, ...JSON.parse(body) }
          : { ...params, body },
        response,
        request,
      ),
    );
  }
  if (url.pathname === "/reference") {
    response.writeHead(200, {
      "Content-Type": TYPES[".html"],
      "Content-Security-Policy": CSP,
      "X-Content-Type-Options": "nosniff",
    });
    return response.end(reference());
  }
  const name =
    [
      "/",
      "/alerts",
      "/groups",
      "/sources",
      "/settings",
      "/traces",
      "/map",
      "/first-look",
      "/issues",
      "/incidents",
      "/ledger",
      "/dashboards",
    ].includes(url.pathname) || /^\/(?:for|trace|incidents|dashboards)\//.test(url.pathname)
      ? "/index.html"
      : url.pathname;
  try {
    const body = readFileSync(join(DIST, name));
    response.writeHead(200, {
      "Content-Type": TYPES[extname(name)] ?? "application/octet-stream",
      "Content-Security-Policy": CSP,
      "X-Content-Type-Options": "nosniff",
    });
    response.end(body);
  } catch {
    response.writeHead(404);
    response.end("not found");
  }
}).listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}`));
