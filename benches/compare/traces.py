"""Spans: CPU at the door, bytes, searches, traces by id, the service map, beside chDB with ClickStack's tables.

Both engines store the same spans in the same run. Their answers are compared; a difference ends the run.
"""
import datetime
import itertools
import json
import pathlib
import random
import secrets
import statistics
import sys
import time
import urllib.parse

import measure
import spans
from catat import Catat
from doors import Http, Measured
from otel_tables import SpanTables

SPANS_TO_EVENTS_MIN = 0.8
BYTES_PER_SPAN_MAX = 30
BYTES_TO_CHDB_MAX = 0.5
TIME_TO_CHDB_MAX = 0.5
TRACE_WARM_MS_MAX, TRACE_FIRST_MS_MAX = 10, 30
MAP_MS_MAX = 100

TRACES_PER_SEARCH = 20
N_TRACE_IDS = 15
N_STARTS, N_COLD_STARTS = 7, 3
N_REPEATS = 3
HOUR = 3600 * spans.SECOND

# Searches by duration ask for spans of other services, slower than this share of the service's spans.
FASTER = [0.5, 0.9, 0.99, 0.999, 0.9, 0.99, 0.999]
ATTRIBUTES = [
    ("SpanAttributes", "app.order.id"), ("SpanAttributes", "app.user.id"), ("SpanAttributes", "session.id"), ("SpanAttributes", "db.query.text"),
    ("SpanAttributes", "http.response.status_code"), ("SpanAttributes", "guid:x-request-id"), ("ResourceAttributes", "k8s.pod.name"),
]
NUMBERS = {"http.response.status_code"}

# Kinds of the two sides of a call.
CALLS, ANSWERS = "'Client', 'Producer'", "'Server', 'Consumer'"


class SpanDoor(Http):
    """OTLP's door for spans; its sender obeys `Retry-After`."""

    def __init__(self):
        super().__init__("otlp spans", "/v1/traces", "application/x-protobuf", None)

    def request(self, connection, headers, body):
        while True:
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status not in (429, 503):
                break
            time.sleep(min(float(answer.headers.get("Retry-After", "1")), 1.0))
        if answer.status != 200 or b"rejected" in said:
            raise SystemExit(f"{answer.status} {said[:300]}")


LOGS = Http("otlp logs", "/v1/logs", "application/x-protobuf", None)
NATIVE = Http("native", "/api/v1/ingest?group=bench&format=ndjson", "application/x-ndjson", None)


def time_of(ns):
    return f"{spans.second(ns // spans.SECOND)}.{ns % spans.SECOND:09}Z"


class Engines:
    """catat and chDB with the same spans of one hour."""

    def __init__(self, options, work, generator):
        self.generator, self.work, self.n_spans = generator, pathlib.Path(work), 0
        # A slow answer is a missed mark; one that is cut off would end the run.
        self.catat = Catat(options.binary, work, with_cache=False, settings={"CATAT_LIMITS__QUERY_TIMEOUT": "10m"})
        self.chdb = SpanTables(self.work / "chdb")
        self.ask_between(generator.first, generator.last)

    def ask_between(self, first, last):
        """Sets the range of the questions that follow."""
        self.range = {"from": time_of(first), "to": time_of(last)}
        self.during = f"Timestamp >= fromUnixTimestamp64Nano({first}) and Timestamp < fromUnixTimestamp64Nano({last})"

    def fill(self, n_spans):
        started, cpu_before = time.monotonic(), self.catat.cpu_s()
        for chunk in spans.chunks(self.generator, n_spans, self.work):
            SpanDoor().send(self.catat, chunk.bodies())
            self.chdb.insert(chunk.rows)
            self.n_spans += chunk.n_spans
            chunk.remove()
        self.catat.settle()
        self.chdb.settle()
        stored = int(self.chdb.ask("select count() from otel_traces")[0][0])
        accepted = self.catat.status()["events_accepted"]
        rate = self.n_spans / (self.catat.cpu_s() - cpu_before)
        print(f"{self.n_spans:,} spans of {len(self.generator.company.services)} services, {self.generator.spans_per_trace:.0f} a trace, "
              f"stored in {time.monotonic() - started:.0f} s; catat: {rate:,.0f} a CPU-second, {self.catat.memory_peak_mb():.0f} MB peak", flush=True)
        if {stored, accepted} != {self.n_spans}:
            sys.exit(f"of {self.n_spans} spans chDB has {stored}, catat {accepted}")

    def get(self, path, **parameters):
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        return self.request("GET", path + query)

    def request(self, method, path, body=None):
        # One of its own each time: the server closes those that were idle while chDB was asked.
        connection = self.catat.connect()
        connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        payload = json.loads(answer.read())
        connection.close()
        if answer.status != 200 or payload.get("partial"):
            sys.exit(f"{method} {path}: {answer.status} {str(payload)[:500]}")
        return payload

    def close(self):
        self.catat.stop()
        self.chdb.close()


def timed_best(work):
    """The least of some times of the same question in milliseconds, and its answer."""
    pairs = [measure.timed(work) for _ in range(N_REPEATS)]
    return min(ms for ms, _ in pairs), pairs[-1][1]


def same(what, ours, theirs):
    """Ends the run if answers differ."""
    if ours != theirs:
        only = lambda a, b: sorted(set(a) - set(b), key=str)[:3]
        sys.exit(f"{what}: answers differ; only catat has {only(ours, theirs)}, only chDB {only(theirs, ours)}")


def disk(engines, judge):
    """Bytes of the same spans in both engines after all compaction."""
    ours, tables = measure.bytes_below(engines.catat.data_dir / "segments"), engines.chdb.disk_bytes()
    theirs = sum(tables.values())
    print(f"chDB: {theirs / engines.n_spans:.1f} bytes per span (" + ", ".join(f"{name} {n / engines.n_spans:.1f}" for name, n in sorted(tables.items())) + ")")
    judge.at_most("bytes per span", ours / engines.n_spans, BYTES_PER_SPAN_MAX)
    judge.at_most("bytes of spans to chDB's", ours / theirs, BYTES_TO_CHDB_MAX)


def search(engines, condition, sql):
    """Milliseconds of one search in both engines: the newest traces with a span that meets a condition, their spans and their errors."""
    def ours():
        found = engines.request("POST", "/api/v1/traces/search", {**condition, **engines.range, "limit": TRACES_PER_SEARCH})["traces"]
        return [(trace["trace_id"], trace["spans"], trace["errors"]) for trace in found]

    # The second table has the times of traces, which limit where their spans are looked for.
    found = f"select TraceId from otel_traces where {sql} and {engines.during} group by TraceId order by max(Timestamp) desc limit {TRACES_PER_SEARCH}"
    whole = (f"with found as materialized ({found}), ids as (select TraceId from found)"
             " select TraceId, count(), countIf(StatusCode = 'Error') from otel_traces where TraceId in ids"
             " and Timestamp >= (select min(Start) from otel_traces_trace_id_ts where TraceId in ids)"
             " and Timestamp <= (select max(End) + 1 from otel_traces_trace_id_ts where TraceId in ids) group by TraceId")
    our_ms, our_rows = timed_best(ours)
    their_ms, their_rows = timed_best(lambda: engines.chdb.ask(whole))
    same(f"search by {sql}", sorted(our_rows), sorted((trace, int(n), int(n_errors)) for trace, n, n_errors in their_rows))
    print(f"  {sql[:90]}: {our_ms:.1f} ms, chDB {their_ms:.1f} ms, {len(our_rows)} traces")
    return our_ms, their_ms


def searches(engines, judge, drawn):
    """Searches by service and duration, and by attribute."""
    by_size = [name for name, _ in engines.chdb.ask("select ServiceName, count() from otel_traces group by 1 order by 2 desc")]
    by_duration, by_attribute = [], []
    for number, share in enumerate(FASTER):
        service = by_size[number * len(by_size) // len(FASTER)]
        least = int(float(engines.chdb.ask(f"select quantileExact({share})(Duration) from otel_traces where ServiceName = '{service}'")[0][0]))
        by_duration.append(search(engines, {"service": service, "min_duration_ms": least / 1e6}, f"ServiceName = '{service}' and Duration >= {least}"))
    for column, name in ATTRIBUTES:
        values = engines.chdb.ask(f"select {column}['{name}'] as v from otel_traces where v != '' group by v order by cityHash64(v) limit 100")
        if not values:
            print(f"  no span has {name}")
            continue
        value = drawn.choice(values)[0]
        ours = int(value) if name in NUMBERS else value
        by_attribute.append(search(engines, {"attributes": {name: ours}}, f"{column}['{name}'] = '{value}'"))
    for what, times in (("service and duration", by_duration), ("attribute", by_attribute)):
        judge_times(judge, f"searches by {what}", times)


def judge_times(judge, what, times):
    ours, theirs = (statistics.median(column) for column in zip(*times))
    judge.at_most(f"{what}, median of {len(times)}, {ours:.1f} ms to chDB's {theirs:.1f}", ours / theirs, TIME_TO_CHDB_MAX)


def trace_ids(engines, drawn):
    """Ids of some traces."""
    order = f"cityHash64(TraceId, {drawn.randrange(1 << 32)})"
    rows = engines.chdb.ask(f"select distinct TraceId from otel_traces order by {order} limit {N_TRACE_IDS + N_STARTS}")
    return [row[0] for row in rows]


def one_trace(engines, trace_id):
    return engines.get(f"/api/v1/traces/{trace_id}")


def traces_by_id(engines, judge, drawn):
    """Whole traces, warm and as the first question after a start."""
    ids = trace_ids(engines, drawn)
    times = []
    for trace_id in ids[N_STARTS:]:
        # The query of Grafana's data source for ClickHouse.
        when = f"from otel_traces_trace_id_ts where TraceId = '{trace_id}'"
        whole = (f"with (select min(Start) {when}) as first, (select max(End) + 1 {when}) as last"
                 f" select SpanId, SpanName, Duration, * from otel_traces where TraceId = '{trace_id}' and Timestamp >= first and Timestamp <= last")
        our_ms, answer = timed_best(lambda trace_id=trace_id: one_trace(engines, trace_id))
        their_ms, rows = timed_best(lambda whole=whole: engines.chdb.ask(whole))
        ours = [(span["span_id"], span["name"], round(span["duration_ms"] * 1e6)) for span in answer["spans"]]
        same(f"trace {trace_id}", sorted(ours), sorted((span_id, name, int(ns)) for span_id, name, ns, *_ in rows))
        times.append((our_ms, their_ms))
    judge_times(judge, "traces by id", times)
    judge.at_most(f"milliseconds of a trace by id, median of {len(times)}", statistics.median(ms for ms, _ in times), TRACE_WARM_MS_MAX)
    # Cold starts come last: what they leave in the page cache is only what one question reads.
    starts = [(engines.catat.restart, N_STARTS), (engines.catat.restart_cold, N_COLD_STARTS)]
    first, cold = [], []
    for (restart, n_starts), times in zip(starts, (first, cold)):
        for trace_id in ids[:n_starts]:
            restart()
            times.append(measure.timed(lambda trace_id=trace_id: one_trace(engines, trace_id))[0])
    print(f"  a trace by id first after a start with a cold page cache: {statistics.median(cold):.1f} ms")
    judge.at_most(f"milliseconds of the first trace by id after a start, median of {len(first)}", statistics.median(first), TRACE_FIRST_MS_MAX)


def service_map(engines):
    """Requests by service, and calls by pairs of services that both have spans."""
    answer = engines.get("/api/v1/service-map", **engines.range)
    nodes = {node["service"]: node["requests"] for node in answer["nodes"] if node["kind"] == "service"}
    edges = {(edge["from"], edge["to"]): edge["requests"] for edge in answer["edges"] if edge["from"] in nodes and edge["to"] in nodes}
    return nodes, edges


def their_map(engines):
    """The same numbers from a join of calls with their answers."""
    nodes = engines.chdb.ask(f"select ServiceName, count() from otel_traces where {engines.during} and (SpanKind in ({ANSWERS}) or ParentSpanId = '') group by 1")
    # A call that no span answers goes to the service that it names.
    side = lambda kinds, key, more="": (f"(select cityHash64(TraceId, {key}) as id, ServiceName as service{more} from otel_traces"
                                        f" where SpanKind in ({kinds}) and {engines.during})")
    named = ", if(mapContains(SpanAttributes, 'db.system.name') or mapContains(SpanAttributes, 'messaging.system'), '', SpanAttributes['server.address']) as named"
    edges = engines.chdb.ask("select caller.service, if(callee.service != '', callee.service, caller.named) as target, count()"
                             f" from {side(CALLS, 'SpanId', named)} as caller left join {side(ANSWERS, 'ParentSpanId')} as callee on caller.id = callee.id"
                             " where target in (select ServiceName from otel_traces) group by 1, 2")
    return {name: int(n) for name, n in nodes}, {(caller, callee): int(n) for caller, callee, n in edges}


def same_map(ours, theirs):
    for what, our_numbers, their_numbers in zip(("requests", "calls"), ours, theirs):
        same(f"{what} of the service map", sorted(our_numbers.items()), sorted(their_numbers.items()))


def map_marks(engines, judge):
    """The service map of the hour: the first one, the next, and one after new spans have come."""
    engines.catat.restart()
    first, (nodes, edges) = measure.timed(lambda: service_map(engines))
    again, found = timed_best(lambda: service_map(engines))
    their_ms, theirs = measure.timed(lambda: their_map(engines))
    same_map((nodes, edges), theirs)
    same_map(found, theirs)
    print(f"service map of {len(nodes)} services and {len(edges)} pairs: first {first:.0f} ms, again {again:.1f} ms; requests and calls in chDB {their_ms:.0f} ms")
    generator = engines.generator
    length = (generator.last - generator.first) // 120
    grown = [span for span in generator.chunk(generator.n_chunks) if span.start < generator.last + length]
    SpanDoor().send(engines.catat, (body for _, body in spans.bodies(grown, spans.as_span)))
    engines.ask_between(generator.first + length, generator.last + length)
    after, found = measure.timed(lambda: service_map(engines))
    rows = engines.work / "later.rows"
    rows.write_bytes(b"".join(map(spans.as_row, grown)))
    engines.chdb.insert(rows)
    same_map(found, their_map(engines))
    judge.at_most("milliseconds of the first service map after a start", first, MAP_MS_MAX)
    judge.at_most("milliseconds of the next service map", again, MAP_MS_MAX)
    judge.at_most(f"milliseconds of the service map after {len(grown):,} new spans", after, MAP_MS_MAX)


def door(options, work, judge, generator):
    """Spans at their door beside log records and lines with the same content at theirs."""
    chunks, found = itertools.count(), []
    while len(found) < min(options.door_events, options.spans):
        found += generator.chunk(next(chunks))
    bodies = {
        SpanDoor(): [body for _, body in spans.bodies(found, spans.as_span)],
        LOGS: [body for _, body in spans.bodies(found, spans.as_log)],
        NATIVE: ["".join(map(spans.as_json, found[first:first + spans.SPANS_PER_BODY])).encode() for first in range(0, len(found), spans.SPANS_PER_BODY)],
    }
    results = {what: Measured() for what in bodies}
    for _ in range(options.rounds):
        for what, sent in bodies.items():
            results[what].round(options, work, what, sent, len(found))
    rates = {what.name: len(found) / measured.cpu_s for what, measured in results.items()}
    for what, measured in results.items():
        sent = sum(map(len, bodies[what])) / len(found)
        print(f"  {what.name}: {rates[what.name]:,.0f} a CPU-second, {sent:.0f} bytes sent and {measured.bytes_per_event:.1f} stored for each")
    print(f"  to lines with the same content at the native door: {rates['otlp spans'] / rates['native']:.2f}")
    judge.at_least("spans per CPU-second to the log door's events (OTLP, the same content)", rates["otlp spans"] / rates["otlp logs"], SPANS_TO_EVENTS_MIN)


def traces(options, work, judge):
    """Marks of spans."""
    seed = options.span_seed or secrets.randbelow(1 << 32)
    drawn = random.Random(seed)
    print(f"seed {seed}", flush=True)
    last_hour = int(datetime.datetime.now(datetime.timezone.utc).timestamp()) // 3600 * 3600 * spans.SECOND - HOUR
    generator = spans.Generator(seed, options.spans, last_hour - HOUR, last_hour)
    door(options, work, judge, generator)
    try:
        engines = Engines(options, work, generator)
    except ImportError:
        sys.exit("there is no chDB (benches/compare/requirements.txt)")
    try:
        engines.fill(options.spans)
        disk(engines, judge)
        searches(engines, judge, drawn)
        traces_by_id(engines, judge, drawn)
        map_marks(engines, judge)
    finally:
        engines.close()
