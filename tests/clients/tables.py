#!/usr/bin/env python3
"""Groups as tables of Apache Iceberg: fifty questions, answered alike by catat and by PyIceberg with DuckDB, ClickHouse (chDB), Polars and
DataFusion; and a publisher that is killed again and again while events come and go.
"""
import atexit
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import chdb
import datafusion
import duckdb
import polars
import requests
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError
from pyiceberg.table import StaticTable

from check import check, main
from server import ENVIRONMENT, EXECUTABLE, Server, until

SEED = int(os.environ.get("TABLES_SEED") or random.SystemRandom().randrange(1 << 32))
KILLS = int(os.environ.get("TABLES_KILLS") or 10)
GROUP, NAME = "app/shop-1", "app_shop_1"
DAY = 86_400
NOW = int(time.time())


class TablesServer(Server):
    """A server that publishes each second what it flushes each second."""

    def settings(self):
        return {"CATAT_TABLES__URL": self.path("tables"), "CATAT_TABLES__INTERVAL": "1s", "CATAT_STORAGE__FLUSH_AGE": "1s"}

    def send(self, events, group=GROUP):
        body = "".join(json.dumps(event) + "\n" for event in events)
        answer = requests.post(f"{self.url}/api/v1/ingest?group={group}", data=body.encode(), timeout=60,
                               headers={"Content-Type": "application/x-ndjson"})
        assert answer.ok and answer.json()["accepted"] == len(events), answer.text

    def ask(self, query, group=GROUP):
        body = {"query": f'filter @log = "{group}" {query}', "from": NOW - 5 * DAY, "to": NOW + 3600, "limit": 10_000}
        answer = requests.post(f"{self.url}/api/v1/query", json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()["rows"]

    def table(self, group=GROUP):
        tables = requests.get(f"{self.url}/api/v1/tables", timeout=30).json()["tables"]
        return next((table for table in tables if table["group"] == group), None)

    def published(self, n_rows, group=GROUP):
        until(lambda: f"{group}: {self.table(group)}, not {n_rows}", lambda: (self.table(group) or {}).get("rows") == n_rows, 60)


def events(n, draw):
    for number in range(n):
        event = {
            "@timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(NOW - draw.randrange(3 * DAY)))}.{draw.randrange(10 ** 9):09}Z",
            "level": draw.choices(["info", "warn", "error"], [90, 8, 2])[0],
            "message": f"request {draw.randrange(10 ** 6)} of {draw.choice(['cart', 'checkout', 'search'])} done, π ≈ {draw.random():.3f}",
            "service": draw.choice(["api", "web", "cart", "mail", "db"]),
            "http.status": draw.choice([200, 200, 200, 404, 500, 503, "n/a"]),
            "ms": round(draw.expovariate(0.02), 3) if draw.random() < 0.9 else draw.randrange(500),
            "customer": f"u{draw.randrange(2000)}",
            "ok": draw.random() < 0.7,
            "big": (1 << 60) + draw.randrange(1 << 20),
            "n": number,
            "tags": [draw.choice("abc"), number % 7],
        }
        if draw.random() < 0.3:
            event["note"] = draw.choice(["", "late", "a \"quoted\" text", "line\nbreak"])
        if draw.random() < 0.2:
            event["delta"] = -draw.randrange(1 << 40)
        yield event


DRAW = random.Random(SEED)
EVENTS = list(events(6000, DRAW))
SERVER = TablesServer()
atexit.register(SERVER.stop)
for start in range(0, len(EVENTS), 1000):
    SERVER.send(EVENTS[start:start + 1000])
SERVER.published(len(EVENTS))
CATALOG = load_catalog("catat", uri=f"{SERVER.url}/iceberg", token="none")
ARROW = CATALOG.load_table(f"catat.{NAME}").scan().to_arrow()


def by_duckdb(sql):
    connection = duckdb.connect()
    connection.register("t", ARROW)
    return connection.execute(sql).fetchall()


def by_polars(sql):
    frame = polars.scan_iceberg(CATALOG.load_table(f"catat.{NAME}"))
    return polars.SQLContext(t=frame).execute(sql, eager=True).rows()


def by_datafusion(sql):
    context = datafusion.SessionContext()
    context.register_record_batches("t", [ARROW.to_batches()])
    return [tuple(row.values()) for row in context.sql(sql).to_pylist()]


def by_clickhouse(sql):
    # It reads below the working directory alone.
    os.chdir(SERVER.directory)
    answer = chdb.query(sql.replace(" t ", f" icebergLocal('{SERVER.path('tables')}/{NAME}') ") + " SETTINGS session_timezone = 'UTC'", "JSONCompactEachRow")
    return [tuple(json.loads(line)) for line in str(answer).splitlines()]


ENGINES = {"DuckDB": by_duckdb, "Polars": by_polars, "DataFusion": by_datafusion, "ClickHouse": by_clickhouse}

CONDITIONS = [
    ("_level = 'error'", '@level = "error"'),
    ("_level <> 'info'", '@level != "info"'),
    ("service = 'api'", 'service = "api"'),
    ("service IN ('api', 'web')", 'service in ["api", "web"]'),
    ("http_status = 200", "http.status = 200"),
    ("http_status >= 500", 'http.status >= 500 and http.status != "n/a"'),
    ("http_status_string = 'n/a'", 'http.status = "n/a"'),
    ("http_status IS NULL", 'http.status = "n/a"'),
    ("ms > 100.5", "ms > 100.5"),
    ("ms >= 10 AND ms < 20", "ms >= 10 and ms < 20"),
    ("ms = 7", "ms = 7"),
    ("ok", "ok = true"),
    ("NOT ok", "ok = false"),
    ("big = 1152921504606846977", "big = 1152921504606846977"),
    ("big > 1152921504607371264", "big > 1152921504607371264"),
    ("note IS NULL", "not ispresent(note)"),
    ("note IS NOT NULL", "ispresent(note)"),
    ("note = ''", 'note = ""'),
    ("note = 'a \"quoted\" text'", "note = 'a \"quoted\" text'"),
    ("delta < -1000000", "delta < -1000000"),
    ("delta IS NULL", "not ispresent(delta)"),
    ("customer = 'u77'", 'customer = "u77"'),
    ("_message LIKE '%checkout%'", '@message like "checkout"'),
    ("_message LIKE '%π ≈ 0.5%'", '@message like "π ≈ 0.5"'),
    ("_message LIKE 'request 99%'", "@message like /^request 99/"),
    ("n >= 100 AND n < 140 AND service = 'db'", 'n >= 100 and n < 140 and service = "db"'),
]
AGGREGATES = [
    ("sum(n)", "sum(n)"),
    ("min(ms)", "min(ms)"),
    ("max(ms)", "max(ms)"),
    ("avg(ms)", "avg(ms)"),
    ("sum(http_status)", "sum(http.status)"),
    ("min(big)", "min(big)"),
    ("max(big)", "max(big)"),
    ("count(DISTINCT customer)", "count_distinct(customer)"),
    ("count(DISTINCT service)", "count_distinct(service)"),
    ("count(note)", "count(note)"),
    ("min(delta)", "min(delta)"),
]
GROUPS = [
    ("service, count(*)", "count(*)", "service"),
    ("_level, count(*)", "count(*)", "@level"),
    ("ok, count(*)", "count(*)", "ok"),
    ("service, max(ms)", "max(ms)", "service"),
    ("service, count(DISTINCT customer)", "count_distinct(customer)", "service"),
    ("_level, sum(n)", "sum(n)", "@level"),
    ("tags, count(*)", "count(*)", "tags"),
]


def plain(value):
    """A value as all engines have it."""
    if isinstance(value, list):
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return float(value)
    if isinstance(value, bool):
        return str(value).lower()
    return float(value) if isinstance(value, (int, float)) else value


def same(found, wanted):
    found = sorted(([plain(value) for value in row] for row in found), key=str)
    wanted = sorted(([plain(value) for value in row] for row in wanted), key=str)
    near = lambda a, b: a == b or isinstance(a, float) and isinstance(b, float) and abs(a - b) <= 1e-9 * abs(b)
    return len(found) == len(wanted) and all(len(a) == len(b) and all(map(near, a, b)) for a, b in zip(found, wanted))


def questions():
    for sql, query in CONDITIONS:
        yield f"SELECT count(*) FROM t WHERE {sql}", SERVER.ask(f"and ({query}) | stats count(*)")
    for sql, query in AGGREGATES:
        yield f"SELECT {sql} FROM t ", SERVER.ask(f"| stats {query}")
    for sql, query, by in GROUPS:
        key = sql.split(",")[0]
        yield f"SELECT {sql} FROM t GROUP BY {key}", [row for row in SERVER.ask(f"| stats {query} by {by}")]
    yield "SELECT _message FROM t ORDER BY ms DESC, n LIMIT 20", SERVER.ask("| sort ms desc, n asc | limit 20 | fields @message")
    yield "SELECT n FROM t WHERE _level = 'error' ORDER BY n LIMIT 50", SERVER.ask('and @level = "error" | sort n asc | limit 50 | fields n')
    yield "SELECT customer, count(*) AS c FROM t GROUP BY customer ORDER BY c DESC, customer LIMIT 10", SERVER.ask(
        "| stats count(*) as c by customer | sort c desc, customer asc | limit 10")
    yield "SELECT n, big, delta FROM t WHERE delta IS NOT NULL ORDER BY n LIMIT 30", SERVER.ask(
        "and ispresent(delta) | sort n asc | limit 30 | fields n, big, delta")
    yield "SELECT count(*) FROM (SELECT service, customer FROM t GROUP BY service, customer) AS pairs", [
        [len(SERVER.ask("| stats count(*) by service, customer | limit 100000"))]]
    yield "SELECT _log, _level, service FROM t WHERE n = 4711", SERVER.ask("and n = 4711 | fields @log, @level, service")


@check
def fifty_questions_have_the_same_answers_in_every_engine():
    asked = list(questions())
    assert len(asked) >= 50, len(asked)
    wrong = []
    for name, ask in ENGINES.items():
        for sql, wanted in asked:
            try:
                found = ask(sql.replace("FROM t", "FROM t ") if name == "ClickHouse" else sql)
            except Exception as error:  # An engine that refuses a question has no answer.
                found = [[str(error).splitlines()[0]]]
            if not same(found, wanted):
                wrong.append(f"{name}: {sql}: {found[:3]}, not {wanted[:3]}")
    assert not wrong, "\n" + "\n".join(wrong)


@check
def times_have_their_precision():
    times = SERVER.ask("| sort @timestamp asc, n asc | limit 6000 | fields @timestamp, n")
    rows = ARROW.sort_by("n").select(["_timestamp", "_nanos", "n"]).to_pylist()
    of = {int(n): text for text, n in times}
    for row in rows[::97]:
        text = f"{row['_timestamp'].strftime('%Y-%m-%dT%H:%M:%S.%f')}{row['_nanos']:03}"
        assert of[row["n"]].rstrip("Z").ljust(29, "0") == text, (of[row["n"]], text)


@check
def percentiles_are_those_of_the_values():
    values = sorted(value for value in ARROW["ms"].to_pylist())
    [[p50, p99]] = SERVER.ask("| stats pct(ms, 50), pct(ms, 99)")
    for found, share in [(p50, 0.5), (p99, 0.99)]:
        wanted = values[int(share * len(values))]
        assert abs(found - wanted) <= 0.02 * wanted, (share, found, wanted)


@check
def files_are_left_out_by_time_and_by_value():
    table = CATALOG.load_table(f"catat.{NAME}")
    days = {task.file.partition[0] for task in table.scan().plan_files()}
    assert len(days) >= 3, days
    edge = time.strftime("%Y-%m-%dT00:00:00+00:00", time.gmtime(NOW))
    of_today = {task.file.partition[0] for task in table.scan(row_filter=f"_timestamp >= '{edge}'").plan_files()}
    assert of_today == {max(days)}, (of_today, days)
    assert not list(table.scan(row_filter="n > 1000000").plan_files())
    assert table.scan(row_filter="n < 10").to_arrow().num_rows == 10


@check
def the_catalog_lists_and_refuses():
    assert CATALOG.list_namespaces() == [("catat",)]
    assert ("catat", NAME) in CATALOG.list_tables("catat")
    for name, error in [("catat.nothing", NoSuchTableError), ("other.thing", (NoSuchTableError, NoSuchNamespaceError))]:
        try:
            CATALOG.load_table(name)
        except error:
            continue
        raise AssertionError(f"{name} was there")
    dropped = requests.delete(f"{SERVER.url}/iceberg/v1/namespaces/catat/tables/{NAME}", timeout=30)
    assert dropped.status_code == 405 and "error" in dropped.json(), dropped.text


@check
def deleted_events_are_not_in_the_next_snapshot():
    gone = len([event for event in EVENTS if event["customer"] == "u77"])
    body = {"query": 'filter customer = "u77"', "all_time": True, "reason": "test"}
    answer = requests.post(f"{SERVER.url}/api/v1/groups/{requests.utils.quote(GROUP, safe='')}/delete-events", json=body, timeout=60,
                           headers={"Authorization": f"Bearer {pathlib.Path(SERVER.path('data/admin.key')).read_text().strip()}"})
    assert answer.ok, answer.text
    SERVER.published(len(EVENTS) - gone)
    table = CATALOG.load_table(f"catat.{NAME}")
    assert table.scan(row_filter="customer = 'u77'").to_arrow().num_rows == 0
    assert table.scan().to_arrow().num_rows == len(EVENTS) - gone
    # Older snapshots are whole.
    counts = [table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()["_sequence"].to_pylist() for snapshot in table.snapshots()]
    assert all(len(set(sequences)) == len(sequences) for sequences in counts), [len(counted) for counted in counts]


@check
def a_publisher_that_is_killed_repeats_and_loses_nothing():
    scratch = pathlib.Path(SERVER.path("killed"))
    scratch.mkdir()
    environment = {**ENVIRONMENT, **SERVER.settings(), "CATAT_TABLES__URL": str(scratch / "tables")}
    draw, sent = random.Random(SEED + 1), 0
    command = [EXECUTABLE, "serve", "--data-dir", str(scratch / "data"), "--listen", "127.0.0.1:0"]
    for _ in range(KILLS + 1):
        log = scratch / "log"
        with open(log, "w", encoding="utf-8") as file:
            process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
        urls = until("no address", lambda: [w for w in log.read_text(encoding="utf-8").split() if w.startswith("http://127")])
        until("not ready", lambda: is_ready(urls[0]))
        for _ in range(draw.randrange(1, 5)):
            batch = [{"@timestamp": (NOW - draw.randrange(2 * DAY)) * 1000, "n": sent + n} for n in range(draw.randrange(1, 200))]
            body = "".join(json.dumps(event) + "\n" for event in batch)
            assert requests.post(f"{urls[0]}/api/v1/ingest?group=k", data=body, timeout=30).ok
            sent += len(batch)
            time.sleep(draw.random() * 0.7)
        process.send_signal(signal.SIGKILL)
        process.wait()
        every_snapshot_is_whole(scratch / "tables" / "k")
    with open(scratch / "log", "w", encoding="utf-8") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        until(lambda: f"{rows_in(scratch / 'tables' / 'k')} of {sent}", lambda: rows_in(scratch / "tables" / "k") == list(range(sent)), 60)
    finally:
        process.terminate()
        process.wait()
    every_snapshot_is_whole(scratch / "tables" / "k")


def is_ready(url):
    try:
        return requests.get(f"{url}/-/ready", timeout=5).ok
    except requests.ConnectionError:
        return False


def open_table(folder):
    """Opens a table as engines without a catalog do."""
    hint = folder / "metadata" / "version-hint.text"
    if not hint.exists():
        return None
    return StaticTable.from_metadata(str(folder / "metadata" / f"v{hint.read_text().strip()}.metadata.json"))


def rows_in(folder):
    table = open_table(folder)
    return table and sorted(table.scan().to_arrow()["n"].to_pylist())


def every_snapshot_is_whole(folder):
    """No snapshot that can be read repeats an event, and each has what the one before had: nothing is deleted here."""
    table = open_table(folder)
    before = set()
    for snapshot in table.snapshots() if table else []:
        numbers = table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()["n"].to_pylist()
        assert len(numbers) == len(set(numbers)), f"{snapshot.snapshot_id} repeats events"
        assert before <= set(numbers), f"{snapshot.snapshot_id} lost {len(before - set(numbers))} events"
        before = set(numbers)


print(f"TABLES_SEED={SEED} draws these events again", file=sys.stderr)
main()
