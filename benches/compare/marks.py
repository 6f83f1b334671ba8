#!/usr/bin/env python3
"""Marks that need a run of their own: flat costs, a thousand segments, real logs, doors, senders, the shipper, spans.

usage: marks.py [flat] [segments] [real-logs] [patterns] [free-text] [documents] [files] [doors] [senders] [ship] [differs] [dashboards] [fleet]
       [fleet-queries] [traces] [metrics] [--series N] [--steps N]
       [--events N] [--segments N] [--logs DIR] [--labels DIR] [--documents N] [--corpus FILE] [--door-events N]
       [--doors NAME,…] [--rounds N] [--keep-bodies DIR] [--senders N] [--seconds N] [--drawn N] [--drawn-seed N] [--spans N] [--span-seed N] [--record] [--binary FILE] [--work DIR]

flat       The corpus streams from the generator into one store. A million events into the empty store, and the last
           quarter of all events into the full one, each until the server idles: the latter may cost a ninth more.
           Bytes written per byte that stays are judged here too.
segments   A thousand days of events make a thousand segments. Seconds until ready after a restart with a cold page
           cache, memory when idle, and (where strace may watch) how many reads opening a segment takes and how long.
real-logs  Files below DIR, each folder its own group: bytes of segments against `zstd -3` of each file.
patterns   Labelled lines of real systems below DIR: grouping accuracy and F1 of groups, the same with more lines, lines per
           CPU-second. Corrected labels are used where DIR has some.
free-text  A million access lines that are stored as they are: words and substrings counted, against `rg`.
documents  JSON documents without a message, of JSONBench's shape: bytes, and its five questions beside chDB.
files      `catat query --file` over the corpus, plain and packed, and over access lines, against rg, zgrep, jq, awk, DuckDB.
doors      The same events through every door: CPU-seconds against those of the native one, syslog's alone.
senders    500 senders of ten events at a time: acknowledgements per sync, nobody turned away, none left behind.
ship       The shipper: MB of lines per CPU-second, memory, idle files, bytes written, milliseconds until a line is found.
differs    What differs over all fields of five million events of a company drawn for this run: cold, first, about other events
           once the baseline is known, and asked again.
dashboards A dashboard of thirty panels over a day of five million events of a company drawn for this run, in Chromium (/usr/bin/chromium, or
           CATAT_CHROMIUM): opened as the first question, and again.
fleet      Three nodes on a bucket and PostgreSQL: acknowledgements beside a slow bucket, CPU and objects for the same events as
           one machine, the same answers.
fleet-queries  Six nodes that answer together: CPU beside one machine, needles, the end of a node.
traces     Spans beside chDB with ClickStack's tables: CPU at the door, bytes, searches, traces by id, the service map.
metrics    Samples beside Prometheus in the same run: CPU, bytes, memory, the usual queries over a day.

Without a name all of them run. Ends with 1 and the names of the marks that were missed.
"""
import argparse
import datetime
import os
import pathlib
import re
import shutil
import sys
import tempfile
import urllib.parse

import corpus
import measure
from boards import boards
from catat import Catat
from differs import differs
from documents import documents
from doors import doors
from files import files
from fleet import fleet
from fleet_queries import fleet_queries
from free_text import free_text
from metrics import metrics
from patterns import patterns
from senders import senders
from ship import ship
from traces import traces

FLAT_SHARE_MIN = 0.9
WRITTEN_PER_STORED_MAX = 4.0
IDLE_MB_MAX = 100
READY_S_MAX = 1.0
OPEN_READS_MAX = 2
OPEN_MS_MAX = 3.0
ZSTD_RATIO_MAX = 1.1

FIRST_EVENTS = 1_000_000
DAYS_PER_FLUSH = 8
EVENTS_PER_DAY = 1000
TRAILER_BYTES = 32


class Judge:
    """Collects what was missed."""

    def __init__(self):
        self.missed = []

    def at_most(self, name, number, bound):
        self.say(name, number, number <= bound, f"<= {bound}")

    def at_least(self, name, number, bound):
        self.say(name, number, number >= bound, f">= {bound}")

    def say(self, name, number, holds, bound):
        print(f"{'ok  ' if holds else 'MISS'} {name} {bound}: {number:,.4g}")
        if not holds:
            self.missed.append(name)


def flat(options, work, judge):
    """Costs per event of an empty store and of a full one."""
    n_last = options.events // 4
    steps = [FIRST_EVENTS, options.events - n_last - FIRST_EVENTS, n_last]
    if min(steps) <= 0:
        sys.exit("flat needs at least two million events")
    server, stream = Catat(options.binary, work), corpus.Stream(options.events, options.seed)
    rates, n_stored, cpu_start = [], 0, server.cpu_s()
    try:
        for n_events in steps:
            cpu_before = server.cpu_s()
            accepted = server.send_all(stream.bodies(n_events))
            server.settle()
            cpu = server.cpu_s() - cpu_before
            n_stored += accepted
            rates.append(accepted / cpu)
            written = server.written_bytes() / server.disk_bytes()
            print(f"{n_stored:12,} events stored: {rates[-1]:10,.0f} events per CPU-second of the last {accepted:,}, "
                  f"{written:.2f} bytes written per byte that stays, {server.memory_peak_mb():.0f} MB peak, "
                  f"{server.status()['segments']} segments", flush=True)
        print(f"over all: {n_stored / (server.cpu_s() - cpu_start):,.0f} events per CPU-second")
        judge.at_least("events per CPU-second of a full store to an empty one", rates[-1] / rates[0], FLAT_SHARE_MIN)
        judge.at_most("bytes written per byte that stays", written, WRITTEN_PER_STORED_MAX)
    finally:
        stream.close()
        server.stop()


def bodies_of_days(n_days, seed):
    """Yields bodies of events of `DAYS_PER_FLUSH` days each: the corpus with its day moved."""
    stream = corpus.Stream(n_days * EVENTS_PER_DAY, seed)
    first = datetime.date(2026, 11, 19) - datetime.timedelta(days=n_days)
    try:
        for number in range(0, n_days, DAYS_PER_FLUSH):
            days = []
            for day in range(number, min(number + DAYS_PER_FLUSH, n_days)):
                lines = b"".join(stream.file.readline() for _ in range(EVENTS_PER_DAY))
                moved = str(first + datetime.timedelta(days=day)).encode()
                days.append(lines.replace(b'"timestamp":"2026-11-19', b'"timestamp":"' + moved))
            yield b"".join(days)
    finally:
        stream.close()


def segments(options, work, judge):
    """Starting, idling and opening with a thousand segments."""
    server = Catat(options.binary, work)
    connection = server.connect()
    for body in bodies_of_days(options.segments, options.seed):
        server.send(connection, "/api/v1/ingest?group=bench&format=ndjson", body)
        server.admin("POST", "/api/v1/status/flush")
    measure.wait_idle(server.cpu_s)
    files = [str(path) for path in (server.data_dir / "segments").rglob("*.seg")]
    print(f"{len(files)} segments, {measure.bytes_below(server.data_dir) / 1e6:.1f} MB")
    server.stop()
    is_cold = measure.drop_page_cache()
    judge.at_most(f"seconds until ready with {len(files)} segments" + (", cold" if is_cold else ""), server.start(), READY_S_MAX)
    measure.wait_idle(server.cpu_s)
    judge.at_most(f"MB resident when idle with {len(files)} segments", server.memory_now_mb(), IDLE_MB_MAX)
    everything = {"query": "stats count(*) as n by @level", "from": "2001-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
    ms, answer = measure.timed(lambda: server.post_query(everything))
    n_events = sum(row[1] for row in answer["rows"])
    measure.wait_idle(server.cpu_s)
    print(f"count by level over all of them: {ms:.0f} ms, {n_events:,} events; {server.memory_now_mb():.0f} MB resident after it")
    if n_events != options.segments * EVENTS_PER_DAY:
        judge.missed.append(f"{n_events} events counted")
    server.stop()
    opening(server, files, work, judge)


def opening(server, files, work, judge):
    """Watches the start and a query over everything by strace: reads of a segment's end are what opening it costs."""
    if not shutil.which("strace"):
        print("left out: reads that opening takes (no strace)")
        return
    traces = os.path.join(work, "trace")
    os.makedirs(traces, exist_ok=True)
    footers = {path: footer_offset(path) for path in files}
    measure.drop_page_cache()
    # The server is a child of strace, so it is ended through its own process id.
    server.start(["strace", "-ff", "-ttt", "-T", "-y", "-s", "0", "-e", "trace=openat,read,pread64,preadv", "-o", f"{traces}/t"])
    server.post_query({"query": 'filter @message like "no such text" | stats count(*) as n', "from": "2001-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"})
    end_child_of(server.process.pid)
    server.process.wait(timeout=60)
    calls = []
    for trace in pathlib.Path(traces).iterdir():
        calls += filter(None, (call_of(line, footers) for line in trace.read_text(errors="replace").splitlines()))
    openings = openings_of(sorted(calls))
    if not openings:
        print("left out: reads that opening takes (strace saw no segment opened)")
        return
    judge.at_most(f"reads to open a segment, the most of {len(openings)} openings", max(n_reads for n_reads, _ in openings), OPEN_READS_MAX)
    spans = sorted(ms for _, ms in openings)
    print(f"milliseconds to open one under strace: {spans[0]:.2f} least, {spans[len(spans) * 99 // 100]:.2f} 99th of 100")
    judge.at_most("milliseconds to open a segment under strace, the median", spans[len(spans) // 2], OPEN_MS_MAX)


def end_child_of(pid):
    """Ends the process that strace runs."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), 15)


def footer_offset(path):
    """Where a segment's footer begins, from its trailer."""
    with open(path, "rb") as file:
        file.seek(-TRAILER_BYTES, os.SEEK_END)
        return int.from_bytes(file.read(8), "little")


CALL = re.compile(r"^(?P<at>[\d.]+) (?P<call>\w+)\((?P<rest>.*)\) += (?P<result>-?\d+)\S* <(?P<took>[\d.]+)>$")


def call_of(line, footers):
    """What a line of strace says of a segment: when, until when, which, and whether it is opened or read at its end."""
    call = CALL.match(line)
    path = call and re.search(r'[<"](/[^>"]+\.seg)[>"]', call["rest"])
    if not path or path[1] not in footers:
        return None
    began = float(call["at"])
    if call["call"] == "pread64":
        length, offset = (int(part) for part in call["rest"].rsplit(", ", 2)[1:])
        if offset + length <= footers[path[1]]:
            return None
    return began, began + float(call["took"]), path[1], call["call"] == "openat"


def openings_of(calls):
    """Reads at the end and milliseconds of each opening of a segment, from calls in order of time."""
    current, openings = {}, []
    for began, ended, path, is_open in calls:
        if is_open:
            current[path] = [0, began, ended]
            openings.append(current[path])
        elif path in current:
            current[path][0] += 1
            current[path][2] = ended
    return [(n_reads, (ended - began) * 1000) for n_reads, began, ended in openings if n_reads]


def real_logs(options, work, judge):
    """Real logs, each folder its own group, against what zstd makes of the files one by one."""
    if not options.logs or not os.path.isdir(options.logs):
        print("left out: real logs (name a folder with --logs)")
        return
    root = pathlib.Path(options.logs)
    logs = sorted(path for path in root.rglob("*") if path.is_file() and re.search(r"\.log(\.|$)", path.name))
    server = Catat(options.binary, work)
    connection = server.connect()
    for path in logs:
        group = str(path.parent.relative_to(root)).replace(" ", "_")
        query = urllib.parse.urlencode({"group": group, "stream": path.name, "format": "text"})
        server.send(connection, f"/api/v1/ingest?{query}", path.read_bytes())
    server.settle()
    stored, packed = measure.bytes_below(server.data_dir / "segments"), measure.zstd_bytes(logs)
    raw = sum(path.stat().st_size for path in logs)
    print(f"{raw:,} bytes raw, {packed:,} as zstd -3, {stored:,} as segments ({stored / raw:.4f} of raw)")
    judge.at_most("bytes of segments to zstd -3 of the files", stored / packed, ZSTD_RATIO_MAX)
    server.stop()


MARKS = {"flat": flat, "segments": segments, "real-logs": real_logs, "patterns": patterns, "free-text": free_text, "documents": documents, "files": files, "doors": doors, "senders": senders, "ship": ship, "differs": differs, "dashboards": boards, "fleet": fleet, "fleet-queries": fleet_queries, "traces": traces, "metrics": metrics}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("names", nargs="*", metavar="|".join(MARKS))
    arguments.add_argument("--events", type=int, default=20_000_000, help="how many events flat stores")
    arguments.add_argument("--segments", type=int, default=1000)
    arguments.add_argument("--documents", type=int, default=1_000_000, help="how many JSON documents")
    arguments.add_argument("--corpus", help="a file of documents, or of the events of differs and dashboards, that has been generated")
    arguments.add_argument("--door-events", type=int, default=300_000, help="how many events each door is sent")
    arguments.add_argument("--doors", help="only doors whose names have one of these in them")
    arguments.add_argument("--keep-bodies", help="a folder for what is sent, to be profiled with door_rate of crates/ingest")
    arguments.add_argument("--rounds", type=int, default=3, help="how often each door is measured")
    arguments.add_argument("--senders", type=int, default=500)
    arguments.add_argument("--seconds", type=float, default=20, help="how long the senders send")
    arguments.add_argument("--seed", type=int, default=43)
    arguments.add_argument("--logs", help="a folder of real logs")
    arguments.add_argument("--labels", help="a folder of labelled lines, one folder for each system")
    arguments.add_argument("--drawn", type=int, default=5_000_000, help="how many events differs and dashboards store")
    arguments.add_argument("--drawn-seed", type=int, help="repeats the events of a run of differs or dashboards (default: others each time)")
    arguments.add_argument("--spans", type=int, default=5_000_000, help="how many spans traces stores")
    arguments.add_argument("--span-seed", type=int, help="repeats the spans of a run (default: others each time)")
    arguments.add_argument("--series", type=int, default=10_000, help="how many series metrics stores")
    arguments.add_argument("--steps", type=int, default=1440, help="how many minutes of them")
    arguments.add_argument("--record", action="store_true", help="append the table of patterns to benches/RESULTS.md")
    arguments.add_argument("--binary", default=str(corpus.ROOT / "target" / "release" / "catat"))
    arguments.add_argument("--work", help="where data directories go (default: a temporary directory)")
    options = arguments.parse_args()
    if options.work:
        os.makedirs(options.work, exist_ok=True)
    judge = Judge()
    for name in options.names or MARKS:
        if name not in MARKS:
            arguments.error(f"no mark is called {name}; there are {', '.join(MARKS)}")
        print(f"\n== {name}", flush=True)
        work = tempfile.mkdtemp(prefix=f"catat-{name}-", dir=options.work)
        try:
            MARKS[name](options, work, judge)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    print(f"\n{len(judge.missed)} marks missed" + "".join(f"\n  {name}" for name in judge.missed))
    return 1 if judge.missed else 0


if __name__ == "__main__":
    sys.exit(main())
