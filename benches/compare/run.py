#!/usr/bin/env python3
"""Side by side: the same corpus and the same queries through catat and through every engine at hand.

usage: run.py [--events N] [--seed S] [--engines catat,chdb,duckdb,files] [--victorialogs URL] [--loki URL]
              [--elasticsearch URL] [--binary FILE] [--work DIR] [--corpus FILE] [--no-marks] [--record]

catat takes the corpus over HTTP, every request acknowledged durably, then everything is flushed and compacted; chDB
and DuckDB load the file, `rg` and `zstd` read it; servers given by address are fed over HTTP. Costs are CPU-seconds of
all threads until the engine idles, background work included. A query is asked cold (a fresh process, the page cache
dropped where we may) and warm (the median of seven, catat without its cache of partial answers, the others as they
come), catat also once more with that cache, as a stream until the first row, and cold with the bytes that were read. Answers are compared before times are: where one engine says
something else than catat, or catat something else than the generator counted, that is an error.

Prints one table, each number also as its ratio to catat's. Ends with 1 and the names of what failed: a wrong answer,
a mark of `MARKS`, a ratio to chDB of `CHDB_RATIOS`.
"""
import argparse
import datetime
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

import corpus
import measure
from catat import Catat
from embedded import Embedded
from queries import QUERIES, agree, plain
from remote import Elasticsearch, Loki, VictoriaLogs

# What the engine has to reach on two cores at five million events, whoever else is measured.
MARKS = [
    ("ingested events per CPU-second", ">=", 250_000),
    ("bytes written per byte that stays", "<=", 4.0),
    ("disk bytes per raw byte", "<=", 0.065),
    ("peak memory while ingesting, MB", "<=", 350),
]
# What has to hold on any machine: catat's number is at most (or at least) so many times chDB's of the same run.
# chDB reads the file itself and syncs nothing, catat is sent it over HTTP and syncs every request.
CHDB_RATIOS = [
    ("ingested events per CPU-second", ">=", 1.5),
    ("disk bytes per raw byte", "<=", 0.5),
    ("peak memory while ingesting, MB", "<=", 0.5),
    *((f"{query.name}, warm ms", "<=", 1.0) for query in QUERIES),
]
# A query whose bytes come from the disk takes at most this many times what it takes warm, and the time that the disk
# needs for these bytes.
COLD_WARM_RATIO_MAX = 2.0
# The geometric mean, over all queries, of catat's warm time in that of the fastest engine of the run.
BEST_RATIO_MAX = 0.4
# Where queries are to get to on two quiet cores at five million events; shown, not judged: times mean nothing elsewhere.
TARGETS = [
    ("needle, warm ms", 4), ("newest 20 of 1,000, warm ms", 12), ("count by level, warm ms", 8),
    ("5 minutes by level, warm ms", 16), ("5 minutes by level, filtered, warm ms", 60), ("top paths of 5xx, warm ms", 28),
    ("percentiles by service, warm ms", 32), ("substring, warm ms", 75), ("regex, warm ms", 75), ("newest 100, warm ms", 4),
    ("distinct client_ip, warm ms", 15), ("phrase in errors by service, warm ms", 30), ("trace id, warm ms", 4),
    ("needle in any field, warm ms", 8), ("newest 50 errors of a service, last hour, warm ms", 5),
    *((f"{query.name}, asked again ms", 3) for query in QUERIES),
    *((f"{query.name}, first row ms", 50) for query in QUERIES),
    *((f"{query.name}, cold in what it may take", 1) for query in QUERIES),
]
MARKS_AT_EVENTS = 1_000_000
# The best of so many cold runs counts: a disk that others use too has its own moods.
N_COLD = 3


class Files:
    """The raw file: `rg` for what can be searched for, `zstd -3` for its size."""

    name = "rg + zstd -3"

    def __init__(self, path):
        self.path = path

    def ask(self, query):
        ms, found = measure.timed(lambda: subprocess.run(["rg", "-c", "--no-config", query.rg, self.path], check=False, capture_output=True))
        return ms, [[int(found.stdout or b"0")]]


def ingest(engine, path, facts, raw_bytes, numbers):
    """Loads an engine and takes down what that cost."""
    cpu_before, written_before = engine.cpu_s(), engine.written_bytes()
    engine.ingest(path, facts)
    peak = engine.memory_peak_mb()
    engine.settle()
    cpu, disk, written = engine.cpu_s() - cpu_before, engine.disk_bytes(), engine.written_bytes()
    numbers["ingested events per CPU-second"] = facts["events"] / cpu if cpu else None
    numbers["ingested MB per CPU-second"] = raw_bytes / cpu / 1e6 if cpu else None
    if disk:
        numbers["disk bytes per raw byte"] = disk / raw_bytes
        numbers["bytes written per byte that stays"] = None if written is None else (written - written_before) / disk
    numbers["peak memory while ingesting, MB"] = peak
    numbers["memory when idle, MB"] = engine.memory_now_mb()


def ask_all(engine, queries, numbers, answers):
    """Asks every query cold, then all of them warm; keeps answers that can be compared."""
    for query in queries:
        try:
            engine.restart_cold()
            numbers[f"{query.name}, cold ms"], _ = engine.ask(query)
        except (RuntimeError, OSError) as error:
            answers[query.name] = error
    for query in queries:
        if isinstance(answers.get(query.name), Exception):
            continue
        numbers[f"{query.name}, warm ms"], rows = measure.median_of(lambda query=query: engine.ask(query))
        answers[query.name] = plain(query.kind, rows)


def ask_again(server, queries, numbers):
    """Asks catat alone as an operator has it: what was asked before, and until the first row of a stream is there."""
    server.restart_with_cache()
    for query in queries:
        server.ask(query)
        numbers[f"{query.name}, asked again ms"], _ = measure.median_of(lambda query=query: server.ask(query))
        numbers[f"{query.name}, first row ms"] = server.first_row_ms(query)


def ask_cold(server, queries, numbers):
    """Asks catat with nothing of its files in memory, and compares that with what it takes warm."""
    rate = measure.read_rate(server.data_dir / "segments")
    numbers["disk MB/s, read file by file"] = rate / 1000
    for query in queries:
        colds = [server.ask_cold(query) for _ in range(N_COLD)]
        ms, n_bytes = min(colds)
        allowed = COLD_WARM_RATIO_MAX * numbers[f"{query.name}, warm ms"] + n_bytes / rate
        numbers[f"{query.name}, cold ms"] = ms
        numbers[f"{query.name}, cold MB read"] = n_bytes / 1e6
        numbers[f"{query.name}, cold in what it may take"] = ms / allowed


def ask_files(files, queries, numbers, answers):
    """As `ask_all`; what rg counts is compared where the whole answer is a count of lines."""
    for query in queries:
        if query.rg is None:
            continue
        measure.drop_page_cache()
        numbers[f"{query.name}, cold ms"], _ = files.ask(query)
        numbers[f"{query.name}, warm ms"], rows = measure.median_of(lambda query=query: files.ask(query), 3)
        if query.kind == "count":
            answers[query.name] = plain("count", rows)


def wrong_answers(table, answers, queries, facts):
    """Says where an engine disagrees with catat, and catat with what the generator counted."""
    wrong = []
    ours = answers["catat"]
    levels = ours.get("count by level")
    if levels != sorted(facts["levels"].items()):
        wrong.append(f"count by level: catat says {levels}, the generator {sorted(facts['levels'].items())}")
    found = len(ours["needle"]) if isinstance(ours.get("needle"), list) else ours.get("needle")
    if found != facts["needles"]["needle0one8c41f"]:
        wrong.append(f"needle: catat found {found}")
    for name in table:
        for query in queries:
            answer = answers[name].get(query.name)
            if answer is None:
                continue
            if isinstance(answer, Exception):
                wrong.append(f"{query.name}: {name} says {answer}")
            elif name != "catat" and not (name == "loki" and query.kind == "near") and not agree(query.kind, ours.get(query.name), answer):
                wrong.append(f"{query.name}: catat says {str(ours.get(query.name))[:200]}, {name} {str(answer)[:200]}")
    return wrong


def print_table(table):
    """One line a number, one column an engine; beside each peer's number how many times catat's it is."""
    names = list(dict.fromkeys(number for numbers in table.values() for number in numbers))
    print(f"\n{'':40}{'catat':>12}" + "".join(f"{name:>22}" for name in table if name != "catat"))
    for name in names:
        ours = table["catat"].get(name)
        print(f"{name:40}{shown(ours):>12}" + "".join(f"{beside(numbers.get(name), ours):>22}" for engine, numbers in table.items() if engine != "catat"))


def shown(number):
    if number is None:
        return "–"
    return f"{number:,.0f}" if number >= 1000 else f"{number:,.4g}"


def beside(number, ours):
    ratio = f" ({number / ours:.3g}x)" if number is not None and ours else ""
    return shown(number) + ratio


def ratio_to_best(table):
    """The geometric mean over queries of our warm time in that of the fastest peer; none without a peer."""
    ours, ratios = table["catat"], []
    for query in QUERIES:
        name = f"{query.name}, warm ms"
        peers = [numbers[name] for engine, numbers in table.items() if engine != "catat" and numbers.get(name)]
        if peers and ours.get(name):
            ratios.append(ours[name] / min(peers))
    return statistics.geometric_mean(ratios) if ratios else None


def judge(table, n_events, with_marks):
    """Prints every mark and ratio; returns the names of those that failed."""
    failed = []
    ours, theirs = table["catat"], table.get("chdb", {})
    judged = [(f"{name} {relation} {bound:,}", ours.get(name), relation, bound) for name, relation, bound in MARKS]
    if not with_marks or n_events < MARKS_AT_EVENTS:
        judged = []
    for name, relation, factor in CHDB_RATIOS:
        if theirs.get(name):
            judged.append((f"{name} {relation} {factor} x chDB", ours[name] / theirs[name], relation, factor))
    ratio = ratio_to_best(table)
    if ratio is not None and with_marks:
        judged.append((f"geometric mean of warm times in the fastest peer's <= {BEST_RATIO_MAX}", ratio, "<=", BEST_RATIO_MAX))
    for label, number, relation, bound in judged:
        holds = number is not None and (number >= bound if relation == ">=" else number <= bound)
        print(f"{'ok  ' if holds else 'MISS'} {label}: {shown(number)}")
        if not holds:
            failed.append(label)
    for name, bound in TARGETS if n_events >= MARKS_AT_EVENTS else []:
        if ours.get(name) is not None:
            print(f"{'ok  ' if ours[name] <= bound else 'far '} target, not judged: {name} <= {bound}: {shown(ours[name])}")
    return failed


def record(table, facts, load, path):
    """Appends the table to a file."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=corpus.ROOT, capture_output=True, text=True, check=False).stdout.strip()
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")), platform.machine())
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"\n## compare, {datetime.date.today()}, {commit}\n\n{os.cpu_count()} cores, {model}; {facts['events']:,} events, "
                   f"{facts['bytes']:,} bytes; load before: {load:.1f}\n\n| number | " + " | ".join(table) + " |\n" + "|---" * (len(table) + 1) + "|\n")
        for name in dict.fromkeys(number for numbers in table.values() for number in numbers):
            file.write(f"| {name} | " + " | ".join(shown(numbers.get(name)) for numbers in table.values()) + " |\n")


def engines_of(options, work):
    """Yields what makes each engine; one runs at a time, so that none disturbs another."""
    chosen = options.engines.split(",")
    if "catat" not in chosen:
        sys.exit("catat is what the others are compared with")
    yield "catat", lambda: Catat(options.binary, work, with_cache=False)
    for name in ("chdb", "duckdb"):
        if name in chosen:
            yield name, lambda name=name: Embedded(name, work)
    for name, kind in (("victorialogs", VictoriaLogs), ("loki", Loki), ("elasticsearch", Elasticsearch)):
        if url := getattr(options, name):
            yield name, lambda kind=kind, url=url: kind(url)


def compare(options, work):
    """Runs every engine; returns the table, what is wrong, and what is known of the corpus."""
    path = options.corpus or os.path.join(work, f"corpus-{options.events}-{options.seed}.ndjson")
    facts = corpus.make(path, options.events, options.seed)
    raw_bytes = os.path.getsize(path)
    queries = [query.filled(corpus.trace_of(path)) for query in QUERIES]
    table, answers = {}, {}
    for name, make in engines_of(options, work):
        print(f"{name} …", flush=True)
        for left in ("catat-data", f"{name}-data"):
            shutil.rmtree(os.path.join(work, left), ignore_errors=True)
        engine = make()
        try:
            ingest(engine, path, facts, raw_bytes, table.setdefault(name, {}))
            ask_all(engine, queries, table[name], answers.setdefault(name, {}))
            table[name]["memory after the queries, MB"] = engine.memory_now_mb()
            if name == "catat":
                ask_cold(engine, queries, table[name])
                ask_again(engine, queries, table[name])
        finally:
            engine.stop()
    if "files" in options.engines:
        files = Files(path)
        table[files.name] = {"disk bytes per raw byte": measure.zstd_bytes([path]) / raw_bytes}
        ask_files(files, queries, table[files.name], answers.setdefault(files.name, {}))
    return table, wrong_answers(table, answers, queries, facts), facts


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=5_000_000)
    arguments.add_argument("--seed", type=int, default=43)
    arguments.add_argument("--engines", default="catat,chdb,duckdb,files")
    for name in ("victorialogs", "loki", "elasticsearch"):
        arguments.add_argument(f"--{name}", metavar="URL")
    arguments.add_argument("--corpus", help="an NDJSON file of the generator, with FILE.facts.json beside it")
    arguments.add_argument("--binary", default=str(corpus.ROOT / "target" / "release" / "catat"))
    arguments.add_argument("--work", help="where corpus and data directories go; kept (default: a temporary directory)")
    arguments.add_argument("--no-marks", action="store_true", help="check answers and ratios, not the absolute marks")
    arguments.add_argument("--record", action="store_true", help="append the table to benches/RESULTS.md")
    options = arguments.parse_args()
    # Others at work on the machine make every number worse; whoever reads a row should know.
    load = os.getloadavg()[0]
    work = os.path.abspath(options.work or tempfile.mkdtemp(prefix="catat-compare-"))
    os.makedirs(work, exist_ok=True)
    try:
        table, wrong, facts = compare(options, work)
    finally:
        if not options.work:
            shutil.rmtree(work, ignore_errors=True)
    print_table(table)
    print(f"\n{facts['events']:,} events, {facts['bytes']:,} bytes, load before {load:.1f} on {os.cpu_count()} cores\n")
    failed = judge(table, facts["events"], not options.no_marks)
    for text in wrong:
        print(f"WRONG {text}")
    if options.record:
        record(table, facts, load, pathlib.Path(corpus.ROOT) / "benches" / "RESULTS.md")
    print(f"{len(failed)} marks or ratios missed, {len(wrong)} answers wrong" + "".join(f"\n  {name}" for name in [*failed, *wrong]))
    return 1 if failed or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
