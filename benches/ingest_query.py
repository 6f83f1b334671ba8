#!/usr/bin/env python3
"""The first question: how fast does it take a million events in, how small does it keep them, how fast does it answer?

usage: ingest_query.py [--events N] [--corpus FILE] [--binary FILE] [--work DIR] [--record] [--no-marks]

End to end against the release executable, over HTTP, every request acknowledged durably. Beside every number stands a
baseline from the same run on the same machine: `rg` over the raw file, `zstd -3` of it, DuckDB holding the same events
in memory. Every answer is checked against what the corpus generator counted or against DuckDB's answer. Ends with 1
when an answer is wrong, a mark of MARKS is missed or a ratio of RATIOS does not hold.

Needs: cargo (for the corpus), rg, zstd, and DuckDB from PyPI, for which it makes a virtual environment of its own.
"""
import argparse
import datetime
import http.client
import json
import os
import pathlib
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / "tests" / ".venv"
DUCKDB = "duckdb>=1.4"

# Bodies of three megabytes: what a shipper with a second of backlog sends.
BODY_BYTES = 3 << 20
N_CONNECTIONS = 2
N_REPEATS = 7
RANGE = {"from": "2026-11-19T00:00:00Z", "to": "2026-11-20T00:00:00Z"}

# What the first release has to reach on two cores at a million events.
MARKS = [
    ("ingested events per CPU-second", ">=", 60_000),
    ("bytes on disk per raw byte", "<=", 0.20),
    ("Q1 needle, ms", "<=", 20),
    ("Q3 count by level, ms", "<=", 50),
    ("resident peak while ingesting, MB", "<=", 350),
]
# What must hold on any machine, since both sides run on it.
RATIOS = [
    ("Q1 needle, ms", "Q1 needle, rg ms", 1.0),
    ("Q2 newest 20 of 1,000, ms", "Q2 newest 20 of 1,000, rg ms", 1.0),
    ("bytes on disk per raw byte", "zstd -3 bytes per raw byte", 1.35),
]


class Query:
    """One shape of query: its text, the same in SQL, what rg would search, and how the answers are compared."""

    def __init__(self, name, text, sql, compare, rg=None):
        self.name, self.text, self.sql, self.compare, self.rg = name, text, sql, compare, rg


def same(ours, theirs):
    """Equal as sets of rows."""
    def plain(rows):
        return sorted([tuple("" if cell is None else str(cell) for cell in row) for row in rows])
    return plain(ours) == plain(theirs)


def same_counts(ours, theirs):
    """The last column agrees row by row; the keys of ties may differ."""
    return sorted(row[-1] for row in ours) == sorted(row[-1] for row in theirs)


def same_times(ours, theirs):
    """The first column agrees to the millisecond, whether or not closing zeros are written."""
    def milliseconds(row):
        whole, _, decimals = row[0].rstrip("Z").partition(".")
        return f"{whole}.{decimals[:3]:0<3}"
    return sorted(map(milliseconds, ours)) == sorted(map(milliseconds, theirs))


def near(tolerance):
    """Every number agrees within a share of it, rows matched by their text columns."""
    def compare(ours, theirs):
        def keyed(rows):
            return {tuple(c for c in row if isinstance(c, str)): [c for c in row if not isinstance(c, str)] for row in rows}
        left, right = keyed(ours), keyed([r for r in theirs if any(c is not None for c in r if not isinstance(c, str))])
        left = {key: row for key, row in left.items() if any(cell is not None for cell in row)}
        if left.keys() != right.keys():
            return False
        return all(abs(a - b) <= tolerance * max(abs(b), 1e-9)
                   for key in left for a, b in zip(left[key], right[key], strict=True))
    return compare


QUERIES = [
    Query("Q1 needle", 'fields @timestamp, @message | filter @message like "needle0one8c41f"',
          "select timestamp, message from e where contains(message, 'needle0one8c41f')", same_times, "needle0one8c41f"),
    Query("Q2 newest 20 of 1,000", 'fields @timestamp, @message | filter @message like "needle2kilo5d9ae" | sort @timestamp desc | limit 20',
          "select timestamp, message from e where contains(message, 'needle2kilo5d9ae') order by timestamp desc limit 20", same_times, "needle2kilo5d9ae"),
    Query("Q3 count by level", "stats count(*) as n by @level",
          "select level, count(*) from e group by 1", same),
    Query("Q4 5 minutes by level", "stats count(*) as n by bin(5m), @level",
          "select timestamp[:15] || (timestamp[16:16]::int // 5 * 5)::text, level, count(*) from e group by 1, 2", same_counts),
    Query("Q5 top paths of 5xx", "filter status >= 500 and ispresent(path) | stats count(*) as n by path | sort n desc | limit 10",
          "select path, count(*) as n from e where status >= 500 and path is not null group by 1 order by n desc limit 10", same_counts),
    Query("Q6 percentiles by service", "filter ispresent(duration_ms) | stats pct(duration_ms, 50) as a, pct(duration_ms, 95) as b, pct(duration_ms, 99) as c by service",
          "select service, quantile_disc(duration_ms, 0.5), quantile_disc(duration_ms, 0.95), quantile_disc(duration_ms, 0.99) from e where duration_ms is not null group by 1", near(0.03)),
    Query("Q7 substring", 'filter @message like "nnection refu" | stats count(*) as n',
          "select count(*) from e where contains(message, 'nnection refu')", same, "nnection refu"),
    Query("Q7b regex", r"filter @message like /upstream \S+ gave no answer within \d+ms/ | stats count(*) as n",
          r"select count(*) from e where regexp_matches(message, 'upstream \S+ gave no answer within \d+ms')", same, r"upstream \S+ gave no answer within \d+ms"),
    Query("Q8 newest 100", "fields @timestamp, @message | sort @timestamp desc | limit 100",
          "select timestamp, message from e order by timestamp desc limit 100", same_times),
    Query("Q9 distinct client_ip", "stats count_distinct(client_ip) as n",
          "select count(distinct client_ip) from e", near(0.03)),
    Query("Q10 phrase in errors by service", 'filter @message like "connection refused" and @level = "error" | stats count(*) as n by service',
          "select service, count(*) from e where contains(message, 'connection refused') and level = 'error' group by 1", same),
]


def duckdb_module():
    """Imports DuckDB, making the virtual environment at the first run."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    if subprocess.run([str(python), "-c", "import duckdb"], capture_output=True, check=False).returncode:
        subprocess.run([str(python), "-m", "pip", "install", "-q", DUCKDB], check=True)
    if pathlib.Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(str(python), [str(python), *sys.argv])
    import duckdb
    return duckdb


def make_corpus(path, n_events):
    """Writes the corpus unless it is there with its facts, and returns the facts."""
    facts = pathlib.Path(f"{path}.facts.json")
    if not (pathlib.Path(path).exists() and facts.exists()):
        command = ["cargo", "bench", "-q", "-p", "catat", "--bench", "write_corpus", "--", str(n_events), str(path)]
        facts.write_bytes(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return json.loads(facts.read_text())


class Server:
    """The executable under test on a fresh directory and a free port."""

    def __init__(self, binary, data_dir):
        self.data_dir = pathlib.Path(data_dir)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = open(f"{data_dir}.log", "wb")
        self.process = subprocess.Popen(
            [binary, "serve", "--data-dir", str(data_dir), "--listen", f"127.0.0.1:{self.port}"],
            stdout=self.log, stderr=self.log, cwd=pathlib.Path(data_dir).parent)
        self.wait_ready()

    def wait_ready(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                connection = self.connect()
                connection.request("GET", "/-/ready")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.02)
        sys.exit(f"the server did not get ready, see {self.log.name}")

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)

    def cpu_s(self):
        """User and system time of the process so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, name):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        return float("nan")

    def flush(self):
        key = (self.data_dir / "admin.key").read_text().strip()
        connection = self.connect()
        connection.request("POST", "/api/v1/status/flush?compact=true", headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status >= 300:
            sys.exit(f"flush: {answer.status} {body[:500]}")

    def bytes_on_disk(self):
        """Bytes of all files below the data directory, by its first-level entries."""
        sizes = {}
        for path in self.data_dir.rglob("*"):
            if path.is_file():
                top = path.relative_to(self.data_dir).parts[0]
                sizes[top] = sizes.get(top, 0) + path.stat().st_size
        return sizes

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=60)


def bodies(path):
    """Yields the corpus in bodies of whole lines."""
    with open(path, "rb") as file:
        while True:
            part = file.read(BODY_BYTES)
            if not part:
                return
            yield part + file.readline()


def ingest(server, path):
    """Sends the whole corpus over N_CONNECTIONS connections; returns seconds and accepted events."""
    source, lock, accepted, failures = bodies(path), threading.Lock(), [], []

    def send():
        connection = server.connect()
        while not failures:
            with lock:
                body = next(source, None)
            if body is None:
                return
            while True:
                connection.request("POST", "/api/v1/ingest?group=bench&format=ndjson", body)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status in (429, 503):
                    # Back-pressure is an answer, not a failure; the wait counts.
                    time.sleep(min(float(answer.headers.get("Retry-After", "1")), 1.0))
                    continue
                if answer.status != 200:
                    failures.append(f"{answer.status} {text[:300]}")
                    return
                accepted.append(json.loads(text)["accepted"])
                break

    started = time.perf_counter()
    threads = [threading.Thread(target=send) for _ in range(N_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(f"ingest failed: {failures[0]}")
    return time.perf_counter() - started, sum(accepted)


def ask(connection, text):
    """Runs one query; returns milliseconds and the answer."""
    body = json.dumps({"query": text, "limit": 10_000, **RANGE})
    started = time.perf_counter()
    connection.request("POST", "/api/v1/query", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    payload = answer.read()
    elapsed_ms = (time.perf_counter() - started) * 1000
    if answer.status != 200:
        return elapsed_ms, {"error": payload.decode(errors="replace")[:500], "rows": []}
    return elapsed_ms, json.loads(payload)


def timed(repeats, work):
    """Returns the first time, the median of the repeats, and the last result, in milliseconds."""
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        result = work()
        times.append((time.perf_counter() - started) * 1000)
    return times[0], statistics.median(times[1:]), result


def measure_ingest(server, corpus, facts, numbers):
    """Ingests and flushes; fills `numbers` and returns whether every event was accepted."""
    raw = os.path.getsize(corpus)
    cpu_before = server.cpu_s()
    seconds, accepted = ingest(server, corpus)
    cpu_ingest = server.cpu_s() - cpu_before
    peak = server.memory_mb("VmHWM")
    started = time.perf_counter()
    server.flush()
    flush_s = time.perf_counter() - started
    cpu = server.cpu_s() - cpu_before
    sizes = server.bytes_on_disk()
    numbers["ingested events per second"] = accepted / seconds
    numbers["ingested MB per second"] = raw / seconds / 1e6
    numbers["ingested events per CPU-second"] = accepted / cpu
    numbers["ingested MB per CPU-second"] = raw / cpu / 1e6
    numbers["CPU-seconds until acknowledged"] = cpu_ingest
    numbers["seconds of the last flush"] = flush_s
    numbers["resident peak while ingesting, MB"] = peak
    numbers["bytes on disk per raw byte"] = sum(sizes.values()) / raw
    numbers["bytes of segments per raw byte"] = sizes.get("segments", 0) / raw
    packed = subprocess.run(f"zstd -3 -q -c '{corpus}' | wc -c", shell=True, check=True, capture_output=True)
    numbers["zstd -3 bytes per raw byte"] = int(packed.stdout) / raw
    return accepted == facts["events"]


def measure_queries(server, corpus, database, numbers):
    """Runs every query on every side; returns the names of wrong answers."""
    connection, wrong = server.connect(), []
    for query in QUERIES:
        first, repeated, (_, answer) = timed(N_REPEATS, lambda: ask(connection, query.text))
        numbers[f"{query.name}, first ms"] = first
        numbers[f"{query.name}, ms"] = repeated
        _, numbers[f"{query.name}, DuckDB ms"], theirs = timed(3, lambda: database.execute(query.sql).fetchall())
        if query.rg:
            _, numbers[f"{query.name}, rg ms"], _ = timed(3, lambda: subprocess.run(
                ["rg", "-c", "--no-config", query.rg, corpus], check=False, capture_output=True))
        if "error" in answer or answer.get("partial") or not query.compare(answer["rows"], theirs):
            wrong.append(f"{query.name}: {answer.get('error') or answer['rows'][:3]} instead of {theirs[:3]}")
    return wrong


def print_table(numbers):
    print(f"\n{'query, ms':34}{'catat first':>12}{'repeated':>10}{'rg':>10}{'DuckDB':>10}")
    for query in QUERIES:
        cells = [numbers.get(f"{query.name}, {key}") for key in ("first ms", "ms", "rg ms", "DuckDB ms")]
        print(f"{query.name:34}" + "".join(f"{cell:{width}.2f}" if cell is not None else " " * (width - 1) + "-"
                                           for cell, width in zip(cells, (12, 10, 10, 10), strict=True)))
    print()
    for name, number in numbers.items():
        if not name.startswith("Q"):
            print(f"{name:44} {number:14,.4f}")


def judge(numbers, with_marks):
    """Prints and counts the marks and ratios that do not hold."""
    missed = 0
    for name, relation, bound in MARKS if with_marks else []:
        holds = numbers[name] >= bound if relation == ">=" else numbers[name] <= bound
        missed += not holds
        print(f"{'ok  ' if holds else 'MISS'} {name} {relation} {bound:,}: {numbers[name]:,.4f}")
    for name, baseline, factor in RATIOS:
        holds = numbers[name] <= factor * numbers[baseline]
        missed += not holds
        print(f"{'ok  ' if holds else 'MISS'} {name} <= {factor} x {baseline}: {numbers[name]:,.4f} to {numbers[baseline]:,.4f}")
    return missed


def record(numbers, facts, load):
    """Appends this run to RESULTS.md."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")), platform.machine())
    with open(ROOT / "benches" / "RESULTS.md", "a", encoding="utf-8") as file:
        file.write(f"\n## ingest_query, {datetime.date.today()}, {commit}\n\n")
        file.write(f"{os.cpu_count()} cores, {model}; {facts['events']:,} events, {facts['bytes']:,} bytes; load before: {load:.1f}\n\n")
        file.write("| number | value |\n|---|---|\n")
        for name, number in numbers.items():
            if not name.startswith("Q"):
                file.write(f"| {name} | {number:,.4g} |\n" if number < 1000 else f"| {name} | {number:,.0f} |\n")
        file.write("\n| query | first ms | repeated ms | rg ms | DuckDB ms |\n|---|---|---|---|---|\n")
        for query in QUERIES:
            cells = [numbers.get(f"{query.name}, {key}") for key in ("first ms", "ms", "rg ms", "DuckDB ms")]
            file.write(f"| {query.name} | " + " | ".join(f"{cell:.2f}" if cell is not None else "–" for cell in cells) + " |\n")


def load_duckdb(duckdb, corpus, numbers):
    """Loads the corpus into DuckDB in memory, times as texts so that both sides compare the same characters."""
    started, cpu = time.perf_counter(), time.process_time()
    database = duckdb.connect()
    columns = {"timestamp": "varchar", "level": "varchar", "service": "varchar", "message": "varchar", "client_ip": "varchar",
               "path": "varchar", "status": "integer", "duration_ms": "double"}
    listed = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    database.execute(f"create table e as select * from read_json('{corpus}', format='newline_delimited', columns={{{listed}}})")
    numbers["DuckDB seconds to load eight columns"] = time.perf_counter() - started
    numbers["DuckDB CPU-seconds to load"] = time.process_time() - cpu
    return database


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--corpus", help="an NDJSON file of the generator (or of the same shape, then with FILE.facts.json)")
    arguments.add_argument("--binary", default=str(ROOT / "target" / "release" / "catat"))
    arguments.add_argument("--work", help="where the corpus and the data directory go (default: a temporary directory)")
    arguments.add_argument("--record", action="store_true", help="append the numbers to benches/RESULTS.md")
    arguments.add_argument("--no-marks", action="store_true", help="check answers and ratios, not the absolute marks")
    options = arguments.parse_args()
    duckdb = duckdb_module()
    # Others at work on the machine make every number worse; whoever reads a row should know.
    load = os.getloadavg()[0]
    work = options.work or tempfile.mkdtemp(prefix="catat-bench-")
    os.makedirs(work, exist_ok=True)
    corpus = options.corpus or os.path.join(work, f"corpus-{options.events}.ndjson")
    facts = make_corpus(corpus, options.events)
    data_dir = os.path.join(work, "data")
    shutil.rmtree(data_dir, ignore_errors=True)
    server, numbers = Server(os.path.abspath(options.binary), data_dir), {}
    try:
        is_complete = measure_ingest(server, corpus, facts, numbers)
        database = load_duckdb(duckdb, corpus, numbers)
        wrong = measure_queries(server, corpus, database, numbers)
        numbers["resident after the queries, MB"] = server.memory_mb("VmRSS")
        connection = server.connect()
        levels = {row[0]: row[1] for row in ask(connection, "stats count(*) as n by @level")[1]["rows"]}
        if levels != facts["levels"]:
            wrong.append(f"counts by level: {levels} instead of {facts['levels']}")
    finally:
        status = server.stop()
        if not options.work:
            shutil.rmtree(work, ignore_errors=True)
    print_table(numbers)
    missed = judge(numbers, not options.no_marks)
    for text in wrong:
        print(f"WRONG {text}")
    if not is_complete or status != 0:
        print(f"WRONG not every event was accepted, or SIGTERM ended with {status}")
    if options.record:
        record(numbers, facts, load)
    n_failed = missed + len(wrong) + (not is_complete) + (status != 0)
    print(f"{len(QUERIES) - len(wrong)} of {len(QUERIES)} answers right, {missed} marks or ratios missed")
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
