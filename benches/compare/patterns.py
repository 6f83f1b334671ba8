"""Patterns of real lines against the groups that people found in them: LogPAI's labelled sets of 2,000 lines.

GA (grouping accuracy) is the share of lines whose group has exactly the lines of a labelled group. FGA is the F1 of
groups: the harmonic mean of the share of found groups that are labelled ones, and of labelled groups that were found.
"""
import csv
import datetime
import json
import os
import pathlib
import random
import re
import statistics

import corpus
import measure
from catat import Catat
from files import Ran

LABELS = corpus.ROOT.parent / "shared" / "data" / "loghub"
GA_MIN = 0.90
FGA_MIN = 0.85
LINES_PER_CPU_S_MIN = 229_000

# Lines that come later may not change how those before are grouped, nor what a line costs.
STABLE_MIN = 0.95
RATE_SHARE_MIN = 0.9
N_COPIES = (8, 64)
N_REPEATS = 5

EVERYTHING = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z", "limit": 10_000}


class System:
    """The lines of one system, and which of them people grouped together."""

    def __init__(self, name, path):
        self.name = name
        with open(path, encoding="utf-8-sig", newline="", errors="replace") as file:
            rows = list(csv.DictReader(file))
        self.lines = [" ".join(row["Content"].splitlines()) for row in rows]
        self.truth = [row["EventTemplate"] for row in rows]

    def events(self):
        """The lines as events a second apart, and all of them once more: `copy` is 0, then the number of the line."""
        first = datetime.datetime(2026, 11, 1, 1)
        for is_copy in (False, True):
            for number, line in enumerate(self.lines, 1):
                at = (first + datetime.timedelta(seconds=number)).isoformat() + "Z"
                yield json.dumps({"timestamp": at, "line": number, "copy": number if is_copy else 0, "message": line})


def systems(folder):
    """All labelled sets below a folder, with corrected labels where there are some."""
    for directory in sorted(path for path in pathlib.Path(folder).iterdir() if path.is_dir()):
        labelled = directory / f"{directory.name}_2k.log_structured.csv"
        corrected = labelled.with_name(f"{labelled.stem}_corrected.csv")
        path = next((path for path in (corrected, labelled) if path.exists()), None)
        if path:
            yield System(directory.name, path)


def expression(pattern):
    """What the lines of a pattern look like."""
    parts = pattern.split("<*>")
    words = [r"\s+".join(re.escape(word) for word in part.split(" ")) for part in parts]
    return re.compile(r"\s*" + ".*".join(words) + r"\s*", re.DOTALL)


def counted(server, system, n_lines, condition="copy = 0"):
    """Patterns, each with its count, of those of the first lines for which a condition holds."""
    query = f"filter line <= {n_lines} and ({condition}) | pattern @message"
    answer = server.post_query({"query": query, "groups": [system.name], **EVERYTHING})
    names = [column["name"] for column in answer["columns"]]
    rows = [dict(zip(names, row)) for row in answer["rows"]]
    return {row["@pattern"]: row["@sampleCount"] for row in rows}


class Grouping:
    """The pattern of each of the first lines of a system, as the server groups them without any others."""

    def __init__(self, server, system, n_lines):
        self.server, self.system, self.n_lines = server, system, n_lines
        self.counts = counted(server, system, n_lines)
        self.expressions = [(expression(pattern), pattern) for pattern in self.counts]
        known = {}
        for number, line in enumerate(system.lines[:n_lines], 1):
            if line not in known:
                known[line] = self.pattern_of(number, line)
        self.found = [known[line] for line in system.lines[:n_lines]]

    def pattern_of(self, number, line):
        """The only pattern that the line matches, or the one that counts one more when the line is there twice."""
        matching = [pattern for regex, pattern in self.expressions if regex.fullmatch(line)]
        if len(matching) == 1:
            return matching[0]
        twice = counted(self.server, self.system, self.n_lines, f"copy = 0 or copy = {number}")
        return next(pattern for pattern, count in twice.items() if count > self.counts.get(pattern, 0))

    def n_in_doubt(self):
        """How many lines more or fewer the patterns have here than the server counted."""
        return sum(abs(self.found.count(pattern) - count) for pattern, count in self.counts.items())


def groups(keys):
    """The lines that have the same key, for each key."""
    lines = {}
    for number, key in enumerate(keys):
        lines.setdefault(key, []).append(number)
    return {tuple(numbers) for numbers in lines.values()}


def accuracy(truth, found):
    """GA and FGA."""
    truth, found = groups(truth), groups(found)
    right = truth & found
    return sum(map(len, right)) / sum(map(len, truth)), 2 * len(right) / (len(truth) + len(found))


def grouped(server, system, numbers):
    """Groups of one system, of all its lines and of the first half alone, in hot events and in a segment."""
    connection = server.connect()
    body = "".join(event + "\n" for event in system.events()).encode()
    server.send(connection, f"/api/v1/ingest?group={system.name}&format=ndjson", body)
    hot = counted(server, system, len(system.lines))
    server.admin("POST", "/api/v1/status/flush")
    whole, half = Grouping(server, system, len(system.lines)), Grouping(server, system, len(system.lines) // 2)
    ga, fga = accuracy(system.truth, whole.found)
    stable, _ = accuracy(whole.found[:half.n_lines], half.found)
    numbers[system.name] = {
        "GA": ga, "FGA": fga, "half the lines grouped as among all": stable, "patterns": len(whole.counts),
        "labelled": len(groups(system.truth)), "lines in doubt": whole.n_in_doubt() + half.n_in_doubt(),
        "hot events as segments": float(hot == whole.counts),
    }
    print(system.name + ": " + ", ".join(f"{name} {number:.4g}" for name, number in numbers[system.name].items()), flush=True)


def write_copies(path, lines, n_copies, seed):
    """Writes the lines several times over, all but the first time with other digits."""
    drawn = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        for copy in range(n_copies):
            for line in lines:
                file.write((re.sub(r"\d", lambda _: drawn.choice("0123456789"), line) if copy else line) + "\n")


def rates(options, work, lines):
    """Lines per CPU-second of `pattern` over files, reading included, for each number of copies; and the patterns."""
    measured, patterns = [], []
    for n_copies in N_COPIES:
        path = os.path.join(work, f"lines-{n_copies}.log")
        write_copies(path, lines, n_copies, options.seed)
        command = [options.binary, "query", "--file", path, "--limit", "0", "--output", "json", "pattern @message"]
        runs = [Ran(command) for _ in range(N_REPEATS)]
        cpu_s = statistics.median(run.cpu_ms for run in runs) / 1000
        measured.append(n_copies * len(lines) / cpu_s)
        patterns.append({row["@pattern"] for row in json.loads(runs[0].printed)})
    return measured, patterns


def record(numbers, averages):
    """Appends the table to benches/RESULTS.md."""
    columns = list(next(iter(numbers.values())))
    with open(corpus.ROOT / "benches" / "RESULTS.md", "a", encoding="utf-8") as file:
        file.write(f"\n## patterns, {measure.provenance()}\n\n")
        file.write(", ".join(f"{name}: {number:,.4g}" for name, number in averages.items()) + "\n\n")
        file.write("| system | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 1) + "|\n")
        for name, row in numbers.items():
            file.write(f"| {name} | " + " | ".join(f"{row[column]:.4g}" for column in columns) + " |\n")


def patterns(options, work, judge):
    """Groups and speed of `pattern` over labelled lines of real systems."""
    folder = options.labels or LABELS
    found = list(systems(folder)) if os.path.isdir(folder) else []
    if not found:
        print(f"left out: no labelled sets in {folder} (name a folder with --labels)")
        return
    server, numbers = Catat(options.binary, work), {}
    try:
        for system in found:
            grouped(server, system, numbers)
    finally:
        server.stop()
    average = {name: statistics.mean(row[name] for row in numbers.values()) for name in next(iter(numbers.values()))}
    measured, shown = rates(options, work, [line for system in found for line in system.lines])
    averages = {
        "GA": average["GA"], "FGA": average["FGA"],
        "half the lines grouped as among all": average["half the lines grouped as among all"],
        f"patterns the same among {N_COPIES[1] // N_COPIES[0]} × as many lines": len(shown[0] & shown[1]) / len(shown[0] | shown[1]),
        "lines per CPU-second": measured[0],
        f"the same among {N_COPIES[1] // N_COPIES[0]} × as many lines": measured[1],
    }
    bounds = [GA_MIN, FGA_MIN, STABLE_MIN, STABLE_MIN, LINES_PER_CPU_S_MIN, max(LINES_PER_CPU_S_MIN, measured[0] * RATE_SHARE_MIN)]
    for (name, number), bound in zip(averages.items(), bounds):
        judge.at_least(f"patterns of {len(found)} systems: {name}", number, bound)
    judge.at_least("hot events have the patterns of segments", average["hot events as segments"], 1.0)
    judge.at_most("lines whose pattern is in doubt, of all systems", sum(row["lines in doubt"] for row in numbers.values()), 0)
    if options.record:
        record(numbers, averages)
