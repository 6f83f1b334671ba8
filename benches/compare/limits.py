#!/usr/bin/env python3
"""Queries of death against a full store: what they are answered, how soon, and what everybody else notices of it.

usage: limits.py [--events N] [--binary FILE] [--work DIR] [--keep]

Stores N events (10 million by default), each with an `id` and an address of its own, then asks

groups     for one group per event, and for distinct ids: an answer or a refusal that names its limit within 10 s, the
           process never above 1 GiB, and back within 64 MiB of where it was within 30 s.
cancel     DELETE, disconnecting, and running out of time: idle again within 1 s. Then 200 queries, 50 at a time, each
           cancelled at another moment: as many threads as before, memory back.
heavy      200 queries at once that take seconds each, and light ones beside them: light ones p99 <= 1 s; who finds no
           place is told so with 429 and Retry-After.
ingest     small batches while queries of death run without a pause: p99 <= 2 x that without them.

Ends with 1 and the names of the marks that were missed.
"""
import argparse
import http.client
import json
import os
import pathlib
import random
import socket
import statistics
import sys
import tempfile
import threading
import time

import corpus
import measure
from catat import Catat
from marks import Judge

RESIDENT_MB_MAX = 1024
ANSWER_S_MAX = 10.0
BACK_MB_MAX = 64
BACK_S_MAX = 30
IDLE_AGAIN_S_MAX = 1.0
LIGHT_S_MAX = 1.0
INGEST_RATIO_MAX = 2.0

BODY_EVENTS = 20_000
FIRST_NS = 1_795_132_800_000_000_000

ALL_TIME = {"from": "1970-01-01T00:00:00Z", "to": "2261-12-31T00:00:00Z"}

GROUPS = [
    "stats count(*) by id",
    "stats count(*) as n, max(took) by id | sort n desc | limit 20",
    "stats count_distinct(id)",
    "stats count_distinct(id), count_distinct(ip) by bin(1h)",
    "stats count(*) by id, ip",
    "dedup id | stats count(*)",
    "top 10 id",
    "sort id | limit 1000000",
]

# Each takes seconds, and none of them is kept as a partial result: the number makes it another query.
HEAVY = 'fields strlen(replace(@message, "e", "{n}ee")) as l | stats pct(l, 99), max(l) by bin(1s)'
LIGHT = "stats count(*) by @level"
LONG = [
    'filter @message like /[a-z]+{n}[0-9]+x/ | stats count(*)',
    "stats count(*) as n by bin(100ms) | sort n desc, bin(100ms) | limit 5",
    "fields @message | sort @message desc | limit 200000",
    "stats count(*) as n by bin(1s) as t | autoregress n p=1-5 | outlier n | addtotals n",
    HEAVY,
]


def bodies(n_events):
    """Bodies of events, each with an id and an address that no other has."""
    for first in range(0, n_events, BODY_EVENTS):
        lines = []
        for n in range(first, min(first + BODY_EVENTS, n_events)):
            mixed = (n * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
            level = "error" if n % 50 == 0 else "info"
            lines.append(
                '{"@timestamp":%d,"level":"%s","message":"request %d took %d ms","id":"%016x","ip":"10.%d.%d.%d","took":%d}'
                % ((FIRST_NS + n * 1_000_000) // 1_000_000, level, n % 1000, mixed % 977, mixed, n >> 16 & 255, n >> 8 & 255, n & 255, mixed % 977)
            )
        yield ("\n".join(lines) + "\n").encode()


def n_threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def post(port, query, timeout=120, accept="application/json"):
    """Asks; returns status, headers, body, seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    started = time.perf_counter()
    request = json.dumps({"query": query, "limit": 10_000, **ALL_TIME})
    connection.request("POST", "/api/v1/query", request, {"Content-Type": "application/json", "Accept": accept})
    answer = connection.getresponse()
    payload = answer.read()
    took = time.perf_counter() - started
    connection.close()
    return answer.status, answer.headers, payload, took


class Resident:
    """Watches the resident memory of a process while something is done."""

    def __init__(self, pid):
        self.pid, self.peak, self.done = pid, 0.0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.done.wait(0.02):
            self.peak = max(self.peak, measure.memory_mb(self.pid, "VmRSS"))

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def seconds_until(condition, at_most):
    started = time.perf_counter()
    while not condition() and time.perf_counter() - started < at_most:
        time.sleep(0.05)
    return time.perf_counter() - started


def base_mb(server):
    measure.wait_idle(server.cpu_s)
    return measure.memory_mb(server.pid, "VmRSS")


def groups(server, judge):
    # What queries read stays decompressed, within a bound: that is no query's memory.
    for warm in ("stats count(took), count(ip), max(id)", 'filter @message like "x9x" | stats count(*)'):
        post(server.port, warm)
    for query in GROUPS:
        before = base_mb(server)
        cpu = server.cpu_s()
        with Resident(server.pid) as resident:
            status, _, payload, took = post(server.port, query)
        cpu = server.cpu_s() - cpu
        body = json.loads(payload)
        said = body["error"]["message"] if status != 200 else f"{len(body['rows'])} rows, first {body['rows'][:1]}, {[c for c in body['columns'] if c.get('approximate')]}"
        back = seconds_until(lambda: measure.memory_mb(server.pid, "VmRSS") <= before + BACK_MB_MAX, BACK_S_MAX)
        print(f"{query}: {status} in {took:.2f} s ({cpu:.2f} CPU-seconds), {before:.0f} -> {resident.peak:.0f} MB, back after {back:.1f} s: {said}")
        judge.at_most(f"seconds of {query}", took, ANSWER_S_MAX)
        judge.at_most(f"resident MB of {query}", resident.peak, RESIDENT_MB_MAX)
        judge.at_most(f"seconds until memory is back after {query}", back, BACK_S_MAX - 0.1)
        judge.say(f"answer of {query}", status, status == 200 or (status in (422, 503) and "memory" in said), "an answer or a named limit")


def running(server):
    return {query["id"]: query for query in server.admin("GET", "/api/v1/queries")["queries"]}


def cpu_idle(server):
    """Whether the server has used less than a tenth of a core in the last 50 ms."""
    before = server.cpu_s()
    time.sleep(0.05)
    return server.cpu_s() - before < 0.011


def cancelled_at(server, query, delay, how):
    """Begins a query and cancels it; returns the seconds from there until the server idled."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    body = json.dumps({"query": query, **ALL_TIME}).encode()
    connection.sendall(b"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/x-ndjson\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    time.sleep(delay)
    ids = list(running(server))
    started = time.perf_counter()
    if how == "delete":
        for number in ids:
            server.admin("DELETE", f"/api/v1/queries/{number}")
    else:
        connection.close()
    gone = seconds_until(lambda: not running(server), 10)
    idle = seconds_until(lambda: cpu_idle(server), 10)
    connection.close()
    return bool(ids), gone, time.perf_counter() - started


def cancel(server, judge, seed=7):
    chance = random.Random(seed)
    gone, idle, n_hit = [], [], 0
    for how in ("delete", "disconnect"):
        for query in LONG + GROUPS[:2] + GROUPS[-2:]:
            for delay in (0.02, 0.2, 0.6, 1.2):
                hit, seconds_gone, seconds_idle = cancelled_at(server, query.replace("{n}", str(chance.randrange(10**6))), delay, how)
                if hit:
                    n_hit += 1
                    gone.append((seconds_gone, how, delay, query))
                    idle.append(seconds_idle)
    print(f"{n_hit} cancelled under way; gone after median {statistics.median(g for g, *_ in gone):.3f} s, at most {max(gone)}; idle after at most {max(idle):.2f} s")
    judge.at_least("queries cancelled under way", n_hit, 20)
    judge.at_most("seconds until a cancelled query is gone", max(gone)[0], IDLE_AGAIN_S_MAX)
    before, threads_before = base_mb(server), n_threads(server.pid)
    many_cancelled(server, chance)
    threads = seconds_until(lambda: n_threads(server.pid) <= threads_before + 2, 30)
    back = seconds_until(lambda: measure.memory_mb(server.pid, "VmRSS") <= before + BACK_MB_MAX, BACK_S_MAX)
    print(f"200 cancelled: {threads_before} -> {n_threads(server.pid)} threads after {threads:.1f} s, {before:.0f} -> {measure.memory_mb(server.pid, 'VmRSS'):.0f} MB after {back:.1f} s")
    judge.at_most("seconds until memory is back after 200 cancelled", back, BACK_S_MAX - 0.1)
    judge.at_most("queries left after 200 cancelled", len(running(server)), 0)


def many_cancelled(server, chance):
    def work(numbers):
        for number in numbers:
            connection = socket.create_connection(("127.0.0.1", server.port))
            body = json.dumps({"query": LONG[number % len(LONG)].replace("{n}", str(number)), **ALL_TIME}).encode()
            connection.sendall(b"POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            time.sleep(chance.random() * 0.5)
            connection.close()

    threads = [threading.Thread(target=work, args=(range(n, 200, 50),)) for n in range(50)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]


def percentile(numbers, share):
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def heavy(server, judge):
    statuses, lock = {}, threading.Lock()

    def one(number):
        status, headers, _, _ = post(server.port, HEAVY.replace("{n}", str(number)))
        with lock:
            statuses[status] = statuses.get(status, 0) + 1
            if status == 429 and not headers.get("Retry-After"):
                statuses["429 without Retry-After"] = 1

    threads = [threading.Thread(target=one, args=(number,)) for number in range(200)]
    [thread.start() for thread in threads]
    light = []
    with Resident(server.pid) as resident:
        while any(thread.is_alive() for thread in threads):
            status, _, _, took = post(server.port, LIGHT)
            light.append(took if status == 200 else 60.0)
    print(f"200 heavy at once: {statuses}; {len(light)} light ones beside them: median {statistics.median(light):.3f} s, p99 {percentile(light, 0.99):.3f} s, worst {max(light):.3f} s; {resident.peak:.0f} MB")
    judge.at_most("p99 of light queries beside 200 heavy ones, seconds", percentile(light, 0.99), LIGHT_S_MAX)
    judge.at_most("resident MB beside 200 heavy queries", resident.peak, RESIDENT_MB_MAX)
    judge.say("statuses of heavy queries", len(statuses), set(statuses) <= {200, 429, 503}, "200, or 429 with Retry-After")


def batches(server, seconds):
    """Milliseconds of small batches sent for so long."""
    connection, took = server.connect(), []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        body = "".join(f'{{"message":"beside {n}","k":{n}}}\n' for n in range(20)).encode()
        ms, _ = measure.timed(lambda: server.send(connection, "/api/v1/ingest?group=beside&format=ndjson", body))
        took.append(ms)
        time.sleep(0.01)
    connection.close()
    return took


def ingest(server, judge):
    alone, stop = batches(server, 20), threading.Event()

    def ask():
        number = 0
        while not stop.is_set():
            number += 1
            post(server.port, (LONG + GROUPS)[number % (len(LONG) + len(GROUPS))].replace("{n}", str(number)))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    [thread.start() for thread in threads]
    beside = batches(server, 40)
    stop.set()
    [thread.join() for thread in threads]
    a, b = percentile(alone, 0.99), percentile(beside, 0.99)
    print(f"batches alone: median {statistics.median(alone):.1f} ms, p99 {a:.1f}; beside queries of death: median {statistics.median(beside):.1f} ms, p99 {b:.1f}")
    judge.at_most("p99 of ingest beside queries of death, times", b / a, INGEST_RATIO_MAX)


PARTS = {"groups": groups, "cancel": cancel, "heavy": heavy, "ingest": ingest}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("names", nargs="*", metavar="|".join(PARTS))
    arguments.add_argument("--events", type=int, default=10_000_000)
    arguments.add_argument("--binary", default=str(corpus.ROOT / "target" / "release" / "catat"))
    arguments.add_argument("--work", help="where the data directory goes; one that is there is used again")
    options = arguments.parse_args()
    judge = Judge()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as scratch:
        work = pathlib.Path(options.work or scratch)
        work.mkdir(parents=True, exist_ok=True)
        server = Catat(options.binary, work)
        if not server.status().get("events"):
            print(f"{server.send_all(bodies(options.events)):,} events")
            server.settle()
        for name in options.names or PARTS:
            print(f"== {name}")
            PARTS[name](server, judge)
        server.stop()
    if judge.missed:
        sys.exit("missed: " + ", ".join(judge.missed))


if __name__ == "__main__":
    main()
