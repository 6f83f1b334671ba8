"""`catat query --file` against what people use where there is no server: rg, zgrep, jq, awk, DuckDB, on the same files."""
import gzip
import os
import re
import shutil
import statistics
import subprocess
import time

import corpus
import free_text
import measure

N_EVENTS = 1_000_000
N_REPEATS = 5
MEMORY_MB_MAX = 256

# What is asked, and beside whom: a shell command or, where it begins with `select`, DuckDB; `{}` is the file. The number
# is how many times the other's time ours may be. DuckDB is told which columns there are and what they hold, so that it
# need not guess and reads no others.
NDJSON = [
    ("a literal, counted", 'filter @message like "refused" | stats count(*) as n', [("rg -c refused {}", 1.5)]),
    ("a regex, counted", r"filter @message like /refused by [a-z]+-\d/ | stats count(*) as n", [(r"rg -c 'refused by [a-z]+-\d' {}", 1.5)]),
    ("a needle in any field, its row", 'filter @any like "needle0one8c41f"', [("rg needle0one8c41f {}", 1.5)]),
    ("two fields, counted", 'filter service = "checkout" and status >= 500 | stats count(*) as n', [
        ("""jq -c 'select(.service == "checkout" and .status >= 500)' {} | wc -l""", 0.2),
        ("select count(*) from {service: 'varchar', status: 'bigint'} where service = 'checkout' and status >= 500", 1.0)]),
    ("by a field", "stats count(*) as n by service", [
        ("jq -r .service {} | sort | uniq -c", 0.2),
        ("select service, count(*) from {service: 'varchar'} group by all", 1.0)]),
    ("percentiles by a field", "stats pct(duration_ms, 50), pct(duration_ms, 99) by service", [
        ("select service, quantile_cont(duration_ms, [0.5, 0.99]) from {service: 'varchar', duration_ms: 'double'} group by all", 1.0)]),
    ("top paths of a condition", "filter status >= 500 | stats count(*) as n by path | sort n desc | limit 10", [
        ("jq -r 'select(.status >= 500) | .path' {} | sort | uniq -c | sort -rn | head", 0.2),
        ("select path, count(*) n from {path: 'varchar', status: 'bigint'} where status >= 500 group by all order by n desc limit 10", 1.0)]),
    ("newest ten", "limit 10", []),
    ("patterns", "pattern @message | limit 10", []),
]
PACKED = [
    ("gzip, a literal, counted", ".gz", 'filter @message like "refused" | stats count(*) as n', [("zgrep -c refused {}", 1.0), ("gzip -dc {} | rg -c refused", 1.0)]),
    ("zstd, a literal, counted", ".zst", 'filter @message like "refused" | stats count(*) as n', [("zstd -dcq {} | rg -c refused", 1.25)]),
    ("zstd, by a field", ".zst", "stats count(*) as n by service", [("zstd -dcq {} | jq -r .service | sort | uniq -c", 0.2)]),
]
ACCESS = [
    ("access log, a literal, counted", 'filter @message like "sesame" | stats count(*) as n', [("rg -c sesame {}", 1.5)]),
    ("access log, by status", r"parse @message /HTTP\/1.1\" (?<status>\d+) / | stats count(*) as n by status", [
        ("awk '{print $9}' {} | sort | uniq -c", 1.0)]),
]


class Ran:
    """What a command took: seconds of the wall and of processors, most memory, and what it printed."""

    def __init__(self, command):
        started = time.perf_counter()
        process = subprocess.Popen(command, shell=isinstance(command, str), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.printed = process.stdout.read().decode(errors="replace")
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        self.wall_ms = (time.perf_counter() - started) * 1000
        self.cpu_ms = (usage.ru_utime + usage.ru_stime) * 1000
        self.peak_mb = usage.ru_maxrss / 1024


class Asked:
    """What DuckDB took, inside this process: its start is not counted."""

    def __init__(self, database, query, path):
        kinds = re.search(r"\{.*\}", query)[0]
        query = query.replace(kinds, f"read_json('{path}', format = 'newline_delimited', columns = {kinds})")
        self.wall_ms, rows = measure.timed(lambda: database.execute(query).fetchall())
        self.printed = str(rows)


def first_number(printed):
    """The first number in what was printed; programs that count nothing print nothing."""
    found = re.search(r"\d+", printed)
    return int(found[0]) if found else 0


def compare(name, path, query, others, binary, judge):
    """Asks catat and the others in turn, several times, so that whoever else is at work disturbs all of them alike."""
    ours, theirs = [], {command: [] for command, _ in others}
    database = None
    for _ in range(N_REPEATS):
        ours.append(Ran([binary, "query", "--file", path, "--limit", "0", "--output", "json", query]))
        for command, ran in theirs.items():
            if command.startswith("select"):
                if database is None:
                    import duckdb
                    database = duckdb.connect()
                ran.append(Asked(database, command, path))
            elif shutil.which(command.split()[0]):
                ran.append(Ran(command.replace("{}", path)))
    wall_ms = statistics.median(run.wall_ms for run in ours)
    print(f"{name}: {wall_ms:,.0f} ms, {statistics.median(run.cpu_ms for run in ours):,.0f} ms of processors")
    for command, bound in others:
        if not theirs[command]:
            print(f"left out: {command}")
            continue
        their_ms = statistics.median(run.wall_ms for run in theirs[command])
        who = "DuckDB" if command.startswith("select") else command.replace(" {}", "")
        judge.at_most(f"{name}: ratio to {who} ({their_ms:,.0f} ms)", wall_ms / their_ms, bound)
        counted = first_number(ours[-1].printed), first_number(theirs[command][-1].printed)
        if name.endswith(", counted") and counted[0] != counted[1]:
            judge.missed.append(f"{name}: {counted[0]} counted, {who} says {counted[1]}")


def packed(path):
    """The same file as gzip and as zstd, beside it."""
    with open(path, "rb") as plain, gzip.open(path + ".gz", "wb", compresslevel=6) as file:
        shutil.copyfileobj(plain, file, 1 << 20)
    subprocess.run(["zstd", "-3", "-q", "-f", path, "-o", path + ".zst"], check=True)


def memory(path, work, binary, judge):
    """Peaks of memory. What a child had before it became another program counts, so this comes before DuckDB is loaded."""
    for name, query, _ in NDJSON:
        judge.at_most(f"{name}: peak MB", Ran([binary, "query", "--file", path, query]).peak_mb, MEMORY_MB_MAX)
    few = Ran([binary, "query", "--file", path, "stats count(*) by service"]).peak_mb
    many = [os.path.join(work, f"copy-{number}.ndjson") for number in range(5)]
    for copy in many:
        os.link(path, copy)
    all_of_them = Ran([binary, "query", *(part for copy in many for part in ("--file", copy)), "stats count(*) by service"]).peak_mb
    judge.at_most("peak MB of five times the bytes to that of one", all_of_them / few, 1.5)


def files(options, work, judge):
    """The corpus as a file, plain and packed, and an access log; a file five times as long must not need more memory."""
    path = os.path.join(work, "corpus.ndjson")
    corpus.make(path, N_EVENTS, options.seed)
    packed(path)
    memory(path, work, options.binary, judge)
    for name, query, others in NDJSON:
        compare(name, path, query, others, options.binary, judge)
    for name, ending, query, others in PACKED:
        compare(name, path + ending, query, others, options.binary, judge)
    access = os.path.join(work, "access.log")
    with open(access, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for _, line in free_text.lines(options.seed))
    for name, query, others in ACCESS:
        compare(name, access, query, others, options.binary, judge)
