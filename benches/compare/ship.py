"""What `catat ship` costs the host it stands on, beside rsyslog (imfile to omelasticsearch) where that is installed.

rate       MB of plain lines per CPU-second: read, cut into events, compressed, sent to a sink that acknowledges at once.
busy       MB resident at most while a hundred files are written to, twenty lines each ten times a second.
idle       Per cent of a core with 10,000 files to which nobody writes.
writes     Bytes that go to disk per batch acknowledged while a few of the 10,000 files are written to now and then.
latency    Milliseconds until an appended line is found by a query at a real server.

Costs are CPU-seconds of all threads, so work of others on the machine matters little; latencies are to be taken on a quiet one.
"""
import os
import pathlib
import random
import shutil
import tempfile
import time

import corpus
import measure
from agents import Catat as Shipper
from agents import Rsyslog, Sink, wait_quiet
from catat import Catat
from door_bodies import Event

RATE = "MB of plain lines per CPU-second"
BUSY_MIB = "MiB at most with 100 busy files"
IDLE = "per cent of a core with 10,000 idle files"
WRITTEN = "bytes written per batch with 10,000 files"
P99 = "milliseconds until a line is found, 99th of 100"

# What is asked of catat.
AT_LEAST = {RATE: 250}
AT_MOST = {BUSY_MIB: 32, IDLE: 3, WRITTEN: 8 << 10, P99: 300}

N_EVENTS = 300_000
N_COPIES = 4
N_BUSY, LINES_AT_ONCE, BUSY_ROUNDS = 100, 20, 100
N_IDLE, IDLE_S = 10_000, 20
WRITE_S = 30
N_LINES_TIMED = 200
YESTERDAY_S = 24 * 3600


def lines_of(options):
    """Lines as programs print them, of the corpus."""
    stream = corpus.Stream(N_EVENTS, options.seed)
    lines = [(Event(line).printed() + "\n").encode() for line in stream.file]
    stream.close()
    return lines


def rate(make, work, lines):
    """A few files that are there already, until all of them have arrived."""
    text = b"".join(lines)
    logs = pathlib.Path(work) / "logs"
    logs.mkdir()
    for number in range(N_COPIES):
        (logs / f"{number}.log").write_bytes(text)
    sink = Sink()
    agent = make.start(logs, sink.port, work)
    # Of lines that are one event together some agents make several: the bytes are the same.
    sink.wait_for_lines(N_COPIES * text.count(b"\n"), agent)
    n_bytes, cpu, peak_mb = N_COPIES * len(text), agent.cpu_s(), agent.memory_peak_mb()
    agent.stop()
    return {RATE: n_bytes / 1e6 / cpu, "MiB at most while reading them": peak_mb, "bytes sent per byte read": sink.n_sent / n_bytes}


def busy(make, work, lines):
    """Files to which a program each writes a few lines at a time."""
    logs = pathlib.Path(work) / "logs"
    logs.mkdir()
    files = [open(logs / f"{number}.log", "ab", buffering=0) for number in range(N_BUSY)]
    sink = Sink()
    agent = make.start(logs, sink.port, work)
    n_lines = 0
    for at in range(BUSY_ROUNDS):
        for number, file in enumerate(files):
            start = (at * N_BUSY + number) * LINES_AT_ONCE % (len(lines) - LINES_AT_ONCE)
            text = b"".join(lines[start : start + LINES_AT_ONCE])
            n_lines += text.count(b"\n")
            file.write(text)
        time.sleep(0.1)
    sink.wait_for_lines(n_lines, agent)
    peak_mb, cpu = agent.memory_peak_mb(), agent.cpu_s()
    agent.stop()
    return {BUSY_MIB: peak_mb, "CPU-milliseconds per MB with them": cpu * 1e9 / sink.n_bytes}


def many_files(work, n_files):
    """A directory of files that were written to yesterday, some hundred bytes each."""
    logs = pathlib.Path(work) / "logs"
    then = time.time() - YESTERDAY_S
    for number in range(n_files):
        path = logs / f"{number % 100:02}" / f"app-{number}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"2026-11-19T00:00:00Z INFO [app-{number}] started\n" * 5)
        os.utime(path, (then, then))
    return logs


def many(make, work, _):
    """Ten thousand files: nobody writes, then somebody writes a line now and then."""
    n_files = min(N_IDLE, make.n_files_max)
    if n_files < N_IDLE:
        print(f"{make.name} follows {n_files:,} files, as it is not through with more in any time")
    logs = many_files(work, n_files)
    sink = Sink()
    agent = make.start(make.below(logs), sink.port, work)
    sink.wait_for_lines(n_files * 5, agent)
    wait_quiet(agent)
    idle_cpu = cpu_over(agent, lambda: time.sleep(IDLE_S))
    n_before, written_before = sink.n_batches, agent.written_bytes()
    busy_cpu = cpu_over(agent, lambda: write_now_and_then(logs, sink, agent))
    n_batches, written = sink.n_batches - n_before, agent.written_bytes() - written_before
    peak_mb = agent.memory_peak_mb()
    agent.stop()
    return {
        IDLE: idle_cpu * 100,
        "the same with two lines a second": busy_cpu * 100,
        WRITTEN: written / n_batches,
        "MiB at most with 10,000 files": peak_mb,
        "bytes on disk of what it remembers": measure.bytes_below(pathlib.Path(work) / "state"),
    }


def cpu_over(agent, work):
    """CPU-seconds per second while something goes on."""
    began, before = time.perf_counter(), agent.cpu_s()
    work()
    return (agent.cpu_s() - before) / (time.perf_counter() - began)


def write_now_and_then(logs, sink, agent):
    """A line to one of a few files twice a second, until what that made the agent write is on the disk."""
    touched, chance = sorted(logs.rglob("*.log"))[::50], random.Random(43)
    n_lines, ends = sink.n_lines, time.monotonic() + WRITE_S
    while time.monotonic() < ends:
        with open(chance.choice(touched), "ab") as file:
            file.write(b"2026-11-20T00:00:00Z INFO [app] one more line\n")
        n_lines += 1
        time.sleep(chance.uniform(0.2, 0.8))
    sink.wait_for_lines(n_lines, agent)
    time.sleep(2)


def latency(make, work, options):
    """Lines appended one by one, each as soon as the one before was found at a real server."""
    server = Catat(options.binary, work)
    logs = pathlib.Path(work) / "logs"
    logs.mkdir()
    chance, waits = random.Random(44), []
    agent = make.start(logs, server.port, work)
    try:
        with open(logs / "a.log", "ab", buffering=0) as file:
            for number in range(N_LINES_TIMED + 1):
                waits.append(ms_until_found(server, file, f"arrival{number}x"))
                time.sleep(chance.uniform(0, 0.15))
    finally:
        agent.stop()
        server.stop()
    # The first waits for the file to be noticed.
    waits = sorted(waits[1:])
    return {"milliseconds until a line is found, median": waits[len(waits) // 2], P99: waits[len(waits) * 99 // 100]}


def ms_until_found(server, file, word):
    """Appends a line with a word and asks for it until it is there."""
    query = f'filter @message like "{word}" | stats count(*) as n'
    request = {"query": query, "from": "2001-01-01T00:00:00Z", "to": "2037-01-01T00:00:00Z"}
    file.write(f"2026-11-20T00:00:00Z INFO [app] {word} is here\n".encode())
    began = time.perf_counter()
    while not server.post_query(request)["rows"][0][0]:
        if time.perf_counter() - began > 60:
            raise SystemExit(f"a line is not found after 60 s: {word}")
        time.sleep(0.002)
    return (time.perf_counter() - began) * 1000


def ship(options, work, judge):
    """The shipper's costs."""
    makers = [Shipper(options.binary)] + ([Rsyslog()] if Rsyslog.is_there() else [])
    if len(makers) == 1:
        print("left out: rsyslog (rsyslogd, imfile and omelasticsearch are not all installed)")
    lines, found = lines_of(options), {}
    for measured, given in [(rate, lines), (busy, lines), (many, None), (latency, options)]:
        for make in makers:
            place = tempfile.mkdtemp(dir=work)
            try:
                numbers = measured(make, place, given)
                found.setdefault(make.name, {}).update(numbers)
                print(f"{make.name}: " + ", ".join(f"{name} {number:,.4g}" for name, number in numbers.items()), flush=True)
            finally:
                shutil.rmtree(place, ignore_errors=True)
    print("| number | " + " | ".join(found) + " |")
    for name in found[makers[0].name]:
        print(f"| {name} | " + " | ".join(f"{found[who][name]:,.4g}" for who in found) + " |")
    for name, bound in AT_LEAST.items():
        judge.at_least(name, found["catat"][name], bound)
    for name, bound in AT_MOST.items():
        judge.at_most(name, found["catat"][name], bound)
