#!/usr/bin/env python3
"""Holds the generated corpus against a reference corpus of the same kind, and fails where they differ by more than 5 %.

usage: compare_corpus.py OURS REFERENCE [--tolerance 0.05]

Both are NDJSON files of the same number of events. Compared: bytes per event, fields per event (nested
objects count their leaves), the distinct values of every field, the share of every level, and the ratio that
`zstd -3` reaches. Speed and size of catat measured on ours then mean the same as those measured on the reference.
What it does not compare: the words themselves; ours are our own.
"""
import argparse
import collections
import json
import re
import subprocess
import sys

try:
    from orjson import loads
except ImportError:
    from json import loads

# Fields with fewer values than this are pools of a handful; one value more or less is no difference in kind.
DISTINCT_SLACK = 2


def leaves(event, prefix=""):
    """Yields (dotted path, value) of every leaf of one event."""
    for key, value in event.items():
        if isinstance(value, dict):
            yield from leaves(value, prefix + key + ".")
        else:
            yield prefix + key, value


def measure(path):
    """Returns the numbers of one corpus: a dict of name -> number, in the order of the table."""
    n_events = n_bytes = n_fields = message_bytes = 0
    distinct = collections.defaultdict(set)
    levels = collections.Counter()
    templates = set()
    numbers = re.compile(r"[0-9a-f]*[0-9][0-9a-f]*")
    with open(path, "rb") as lines:
        for line in lines:
            n_events += 1
            n_bytes += len(line)
            for name, value in leaves(loads(line)):
                n_fields += 1
                distinct[name].add(value)
                if name == "level":
                    levels[value] += 1
                elif name == "message":
                    message_bytes += len(value.encode())
                    templates.add(numbers.sub("#", value))
    packed = int(subprocess.run(f"zstd -3 -q -c '{path}' | wc -c", shell=True, check=True, capture_output=True).stdout)
    table = {
        "events": n_events,
        "bytes per event": n_bytes / n_events,
        "fields per event": n_fields / n_events,
        "message bytes per event": message_bytes / n_events,
        "zstd -3 ratio": packed / n_bytes,
        "messages without numbers": len(templates),
    }
    for level, n in sorted(levels.items()):
        table[f"share of {level}"] = n / n_events
    for name in sorted(distinct):
        table[f"distinct {name}"] = len(distinct[name])
    return table


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("ours")
    arguments.add_argument("reference", help="a corpus file, or the JSON that --save wrote")
    arguments.add_argument("--tolerance", type=float, default=0.05)
    arguments.add_argument("--save", help="write the reference's numbers as JSON, to compare again without it")
    options = arguments.parse_args()
    if options.reference.endswith(".json"):
        with open(options.reference, encoding="utf-8") as file:
            reference = json.load(file)
    else:
        reference = measure(options.reference)
    if options.save:
        with open(options.save, "w", encoding="utf-8") as file:
            json.dump(reference, file, indent=1)
    ours = measure(options.ours)
    failed = 0
    for name in sorted(reference.keys() | ours.keys(), key=lambda key: (list(reference) + [key]).index(key)):
        want, have = reference.get(name), ours.get(name)
        if want is None or have is None:
            verdict = "MISSING"
        else:
            slack = DISTINCT_SLACK if name.startswith("distinct ") else 0
            # Shares of rare levels are noise of a few events; a tenth of a percent point is no difference.
            slack = 0.001 if name.startswith("share ") else slack
            verdict = "ok" if abs(have - want) <= max(slack, options.tolerance * abs(want)) else "DIFFERS"
        failed += verdict != "ok"
        ratio = f"{have / want - 1:+8.1%}" if want and have is not None else "       -"
        print(f"{name:32} {want if want is not None else '-':>18.10} {have if have is not None else '-':>18.10} {ratio}  {verdict}"
              if isinstance(want, str) or want is None or have is None
              else f"{name:32} {want:18,.4f} {have:18,.4f} {ratio}  {verdict}")
    print(f"{failed} of {len(reference)} numbers differ by more than {options.tolerance:.0%}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
