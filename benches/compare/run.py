#!/usr/bin/env python3
"""Side by side: the same corpus and the same questions through catat and through every engine at hand.

usage: run.py [--events N] [--seed S] [--seeds K] [--engines catat,chdb,duckdb,files] [--victorialogs URL] [--loki URL]
              [--elasticsearch URL] [--binary FILE] [--work DIR] [--corpus FILE] [--no-marks] [--record]

The corpus is drawn anew: services, statements, names of fields, cardinalities, words and needles come from the seed,
which is another one in every run and stands in the table. catat takes it over HTTP, every request acknowledged durably,
then everything is flushed and compacted; chDB and DuckDB load the file, `rg` and `zstd` read it; servers given by address
are fed over HTTP. Costs are CPU-seconds of all threads until the engine idles, background work included.

A question is asked warm (the median of seven, catat without its cache of partial answers, the others as they come), as
the first one after a start, and cold (a fresh process, the page cache dropped where we may). catat is also asked in every
spelling, once more with its cache, as a stream until the first row, and for the bytes that a cold question read. Answers
are compared before times are: where one engine or one spelling says something else than catat, or catat something else
than the generator counted, that is an error.

Prints one table, each number also as its ratio to catat's. Ends with 1 and the names of what failed: a wrong answer or a
mark. Machines differ, so that the marks are ratios to the fastest engine of the same run; sizes are sizes.
"""
import argparse
import os
import pathlib
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile

import corpus
import measure
from catat import Catat
from embedded import Embedded
from queries import agree, plain, queries
from remote import Elasticsearch, Loki, VictoriaLogs

# What has to hold whoever else is measured.
MARKS = [
    ("bytes written per byte that stays", "<=", 4.0),
    ("disk bytes per raw byte", "<=", 0.065),
    ("peak memory while ingesting, MB", "<=", 350),
]
# Events per CPU-second in those of the best engine. The others read the file themselves and need not sync; catat is sent
# it over HTTP and syncs every request.
INGEST_RATIO_MIN = 2.5
# Our time in that of the fastest engine: the geometric mean over all questions, and the worst of them.
WARM_MEAN_MAX, WARM_WORST_MAX = 0.30, 0.8
FIRST_MEAN_MAX, FIRST_WORST_MAX = 0.5, 1.2
# A question whose bytes come from the disk takes at most this many times what it takes warm, and the time that the disk
# needs for these bytes.
COLD_WARM_RATIO_MAX = 2.0
# No spelling of a question may take more than this many times what its fastest one takes.
SPELLING_RATIO_MAX = 1.5
# Times below this are those of a request that does nothing.
FLOOR_MS = 1.0
ASKED_AGAIN_MS_MAX = 1.0
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


def ask_all(engine, questions, numbers, answers):
    """Asks every question cold, as the first one, then all of them warm; keeps answers that can be compared."""
    for question in questions:
        try:
            engine.restart_cold()
            numbers[f"{question.name}, cold ms"], _ = engine.ask(question)
            if engine.restart:
                engine.restart()
                numbers[f"{question.name}, first ms"], _ = engine.ask(question)
        except (RuntimeError, OSError) as error:
            answers[question.name] = error
    for question in questions:
        if isinstance(answers.get(question.name), Exception):
            continue
        numbers[f"{question.name}, warm ms"], rows = measure.median_of(lambda question=question: engine.ask(question))
        answers[question.name] = plain(question.kind, rows)


def ask_spellings(server, questions, numbers, answers):
    """Asks catat in every spelling; returns where one of them gives another answer than the first."""
    wrong = []
    for question in questions:
        times = []
        for spelling in question.spellings:
            try:
                ms, rows = measure.median_of(lambda question=question, spelling=spelling: server.ask(question, spelling))
            except RuntimeError as error:
                wrong.append(f"{question.name}: `{spelling}`: {error}")
                continue
            times.append(max(ms, FLOOR_MS))
            answer = plain(question.kind, rows)
            if not agree(question.kind, answers.get(question.name), answer):
                wrong.append(f"{question.name}: `{spelling}` says {str(answer)[:200]}, the first spelling {str(answers.get(question.name))[:200]}")
        numbers[f"{question.name}, slowest spelling in the fastest"] = max(times) / min(times) if times else None
        for spelling, ms in zip(question.spellings, times):
            if ms > SPELLING_RATIO_MAX * min(times):
                print(f"  {ms:8.1f} ms, {ms / min(times):.1f} of the fastest: {spelling}")
    return wrong


def ask_again(server, questions, numbers):
    """Asks catat alone as an operator has it: what was asked before, and until the first row of a stream is there."""
    server.restart_with_cache()
    for question in questions:
        server.ask(question)
        numbers[f"{question.name}, asked again, server's ms"], _ = measure.median_of(lambda question=question: server.ask_inside(question))
        numbers[f"{question.name}, first row ms"] = server.first_row_ms(question)


def ask_cold(server, questions, numbers):
    """Asks catat with nothing of its files in memory, and compares that with what it takes warm."""
    rate = measure.read_rate(server.data_dir / "segments")
    numbers["disk MB/s, read file by file"] = rate / 1000
    for question in questions:
        colds = [server.ask_cold(question) for _ in range(N_COLD)]
        ms, n_bytes = min(colds)
        allowed = COLD_WARM_RATIO_MAX * numbers[f"{question.name}, warm ms"] + n_bytes / rate
        numbers[f"{question.name}, cold ms"] = ms
        numbers[f"{question.name}, cold MB read"] = n_bytes / 1e6
        numbers[f"{question.name}, cold in what it may take"] = ms / allowed


def ask_files(files, questions, numbers, answers):
    """As `ask_all`; what rg counts is compared where the whole answer is a count of lines."""
    for query in questions:
        if query.rg is None:
            continue
        measure.drop_page_cache()
        numbers[f"{query.name}, cold ms"], _ = files.ask(query)
        numbers[f"{query.name}, warm ms"], rows = measure.median_of(lambda query=query: files.ask(query), 3)
        if query.kind == "count":
            answers[query.name] = plain("count", rows)


def wrong_answers(table, answers, questions, facts):
    """Says where an engine disagrees with catat, and catat with what the generator counted."""
    wrong = []
    ours = answers["catat"]
    levels = ours.get("count by level")
    if levels != sorted(facts["levels"].items()):
        wrong.append(f"count by level: catat says {levels}, the generator {sorted(facts['levels'].items())}")
    found = len(ours["needle"]) if isinstance(ours.get("needle"), list) else ours.get("needle")
    if found != facts["needles"][facts["tokens"][0]]:
        wrong.append(f"needle: catat found {found}")
    for name in table:
        for query in questions:
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


def ratios_to_best(table, questions, when):
    """Question → our time in that of the fastest other engine."""
    ratios = {}
    for question in questions:
        name = f"{question.name}, {when} ms"
        peers = [numbers[name] for engine, numbers in table.items() if engine != "catat" and numbers.get(name)]
        if peers and table["catat"].get(name):
            ratios[question.name] = table["catat"][name] / min(peers)
    return ratios


def judged(table, questions):
    """Yields (label, number, relation, bound) of every mark."""
    ours = table["catat"]
    for name, relation, bound in MARKS:
        yield f"{name} {relation} {bound:,}", ours.get(name), relation, bound
    name = "ingested events per CPU-second"
    if peers := [numbers[name] for engine, numbers in table.items() if engine != "catat" and numbers.get(name)]:
        yield f"{name} in those of the best engine >= {INGEST_RATIO_MIN}", ours[name] / max(peers), ">=", INGEST_RATIO_MIN
    for when, mean_max, worst_max in [("warm", WARM_MEAN_MAX, WARM_WORST_MAX), ("first", FIRST_MEAN_MAX, FIRST_WORST_MAX)]:
        if ratios := ratios_to_best(table, questions, when):
            yield f"{when}, geometric mean in the fastest engine's <= {mean_max}", statistics.geometric_mean(ratios.values()), "<=", mean_max
            for name, ratio in ratios.items():
                yield f"{when}, {name} <= {worst_max} of the fastest engine's", ratio, "<=", worst_max
    for question in questions:
        yield f"{question.name}, slowest spelling <= {SPELLING_RATIO_MAX} of the fastest", ours.get(f"{question.name}, slowest spelling in the fastest"), "<=", SPELLING_RATIO_MAX
        yield f"{question.name}, cold in what it may take <= 1", ours.get(f"{question.name}, cold in what it may take"), "<=", 1
        yield f"{question.name}, asked again, server's ms <= {ASKED_AGAIN_MS_MAX}", ours.get(f"{question.name}, asked again, server's ms"), "<=", ASKED_AGAIN_MS_MAX


def judge(table, questions, n_events, with_marks):
    """Prints every mark; returns the names of those that failed."""
    failed = []
    for label, number, relation, bound in judged(table, questions) if with_marks and n_events >= MARKS_AT_EVENTS else []:
        holds = number is not None and (number >= bound if relation == ">=" else number <= bound)
        print(f"{'ok  ' if holds else 'MISS'} {label}: {shown(number)}")
        if not holds:
            failed.append(f"{label}: {shown(number)}")
    return failed


def record(table, facts, seed, load, path):
    """Appends the table to a file."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"\n## compare, {measure.provenance()}; {facts['events']:,} events, "
                   f"{facts['bytes']:,} bytes, seed {seed}; load before: {load:.1f}\n\n| number | " + " | ".join(table) + " |\n" + "|---" * (len(table) + 1) + "|\n")
        for name in dict.fromkeys(number for numbers in table.values() for number in numbers):
            file.write(f"| {name} | " + " | ".join(shown(numbers.get(name)) for numbers in table.values()) + " |\n")


def engines_of(options, work, facts):
    """Yields what makes each engine; one runs at a time, so that none disturbs another."""
    chosen = options.engines.split(",")
    if "catat" not in chosen:
        sys.exit("catat is what the others are compared with")
    yield "catat", lambda: Catat(options.binary, work, with_cache=False)
    for name in ("chdb", "duckdb"):
        if name in chosen:
            yield name, lambda name=name: Embedded(name, work, facts)
    for name, kind in (("victorialogs", VictoriaLogs), ("loki", Loki), ("elasticsearch", Elasticsearch)):
        if url := getattr(options, name):
            yield name, lambda kind=kind, url=url: kind(url)


def compare(options, seed, work):
    """Runs every engine; returns the table, what is wrong, the questions, and what is known of the corpus."""
    path = options.corpus or os.path.join(work, f"corpus-{options.events}-{seed}.ndjson")
    facts = corpus.make(path, options.events, seed, "drawn")
    raw_bytes = os.path.getsize(path)
    questions = queries(facts, corpus.trace_of(path, facts["names"].get("trace_id", "trace_id")))
    table, answers, wrong = {}, {}, []
    for name, make in engines_of(options, work, facts):
        print(f"{name} …", flush=True)
        for left in ("catat-data", f"{name}-data"):
            shutil.rmtree(os.path.join(work, left), ignore_errors=True)
        engine = make()
        try:
            ingest(engine, path, facts, raw_bytes, table.setdefault(name, {}))
            ask_all(engine, questions, table[name], answers.setdefault(name, {}))
            table[name]["memory after the questions, MB"] = engine.memory_now_mb()
            if name == "catat":
                wrong += ask_spellings(engine, questions, table[name], answers[name])
                ask_cold(engine, questions, table[name])
                ask_again(engine, questions, table[name])
        finally:
            engine.stop()
    if "files" in options.engines:
        files = Files(path)
        table[files.name] = {"disk bytes per raw byte": measure.zstd_bytes([path]) / raw_bytes}
        ask_files(files, questions, table[files.name], answers.setdefault(files.name, {}))
    return table, wrong + wrong_answers(table, answers, questions, facts), questions, facts


def compare_once(options, seed, work):
    """One corpus through all engines; returns the names of what failed."""
    # Others at work on the machine make every number worse; whoever reads a row should know.
    load = os.getloadavg()[0]
    table, wrong, questions, facts = compare(options, seed, work)
    print_table(table)
    print(f"\n{facts['events']:,} events, {facts['bytes']:,} bytes, seed {seed}, load before {load:.1f} on {os.cpu_count()} cores\n")
    failed = judge(table, questions, facts["events"], not options.no_marks)
    for text in wrong:
        print(f"WRONG {text}")
    if options.record:
        record(table, facts, seed, load, pathlib.Path(corpus.ROOT) / "benches" / "RESULTS.md")
    return failed, wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=5_000_000)
    arguments.add_argument("--seed", type=int, help="repeats a corpus (default: one that nobody has seen)")
    arguments.add_argument("--seeds", type=int, default=1, help="how many corpora, one after the other")
    arguments.add_argument("--engines", default="catat,chdb,duckdb,files")
    for name in ("victorialogs", "loki", "elasticsearch"):
        arguments.add_argument(f"--{name}", metavar="URL")
    arguments.add_argument("--corpus", help="an NDJSON file of the generator, with FILE.facts.json beside it")
    arguments.add_argument("--binary", default=str(corpus.ROOT / "target" / "release" / "catat"))
    arguments.add_argument("--work", help="where corpus and data directories go; kept (default: a temporary directory)")
    arguments.add_argument("--no-marks", action="store_true", help="check answers and nothing else")
    arguments.add_argument("--record", action="store_true", help="append the table to benches/RESULTS.md")
    options = arguments.parse_args()
    failed, wrong = [], []
    for idx in range(options.seeds):
        seed = options.seed + idx if options.seed is not None else secrets.randbelow(1 << 32)
        work = os.path.abspath(options.work or tempfile.mkdtemp(prefix="catat-compare-"))
        os.makedirs(work, exist_ok=True)
        try:
            missed, false = compare_once(options, seed, work)
        finally:
            if not options.work:
                shutil.rmtree(work, ignore_errors=True)
        failed += [f"seed {seed}: {name}" for name in missed]
        wrong += [f"seed {seed}: {name}" for name in false]
    print(f"{len(failed)} marks missed, {len(wrong)} answers wrong" + "".join(f"\n  {name}" for name in [*failed, *wrong]))
    return 1 if failed or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
