#!/usr/bin/env python3
"""What logcli's usual commands print, where CATAT_LOGCLI names a logcli; without one nothing is checked.

The expected output follows from the lines that are pushed and from Loki's documentation: a Loki passes the same checks.
"""
import json
import os
import subprocess
import sys
import time
import uuid

import requests

from check import URL, check, main

LOGCLI = os.environ.get("CATAT_LOGCLI")
RUN = f"logcli-{uuid.uuid4().hex[:8]}"
SECOND = 10**9
# Lines of the last hour, on a multiple of ten minutes.
START = (time.time_ns() // (600 * SECOND) - 7) * 600 * SECOND
SELECTOR = f'{{run="{RUN}",app="shop"}}'


def stamp(at_ns):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ns // SECOND))


SPAN = ["--from", stamp(START), "--to", stamp(START + 3600 * SECOND)]


def logcli(*arguments, status=0):
    """What a command prints; logcli writes its own words to the other stream."""
    done = subprocess.run([LOGCLI, f"--addr={URL}", *arguments], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "TZ": "UTC"})
    assert (done.returncode == 0) == (status == 0), (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


def push():
    shop = [[str(START + n * 60 * SECOND + 1), f"status={200 if n % 3 else 500} took={n}ms n={n}",
             {"trace_id": f"t{n % 4}"}] for n in range(60)]
    mail = [[str(START + n * 600 * SECOND + 2), "level=warn sent"] for n in range(6)]
    body = {"streams": [{"stream": {"run": RUN, "app": "shop", "env": "prod"}, "values": shop},
                        {"stream": {"run": RUN, "app": "mail"}, "values": mail}]}
    answer = requests.post(f"{URL}/loki/api/v1/push", json=body, timeout=30)
    assert answer.status_code == 204, answer.text


@check
def labels_and_series_are_those_pushed_and_the_service_name():
    push()
    assert {"app", "env", "run", "service_name"} <= set(logcli("labels", *SPAN).split())
    assert {"shop", "mail"} <= set(logcli("labels", "app", *SPAN).split())
    series = logcli("series", *SPAN, SELECTOR).strip()
    assert series == f'{{app="shop", env="prod", run="{RUN}", service_name="shop"}}', series
    analysed = logcli("series", "--analyze-labels", *SPAN, f'{{run="{RUN}"}}')
    rows = {tuple(line.split()) for line in analysed.splitlines()}
    assert {("app", "2", "2"), ("env", "1", "1"), ("run", "1", "2"), ("service_name", "2", "2")} <= rows, analysed
    assert "Total Streams:  2" in analysed, analysed


@check
def lines_come_with_their_labels():
    lines = logcli("query", *SPAN, SELECTOR + " |= `n=5`", "--limit", "3").splitlines()
    assert len(lines) == 3, lines
    assert lines[0].startswith(stamp(START + 59 * 60 * SECOND)) and lines[0].endswith("status=200 took=59ms n=59"), lines
    # Labels that all lines have stand in logcli's own words, not with the lines.
    assert '{trace_id="t3"}' in lines[0], lines


@check
def lines_come_raw_as_json_and_in_pages():
    raw = logcli("query", "-o", "raw", "--forward", *SPAN, SELECTOR, "--limit", "2").splitlines()
    assert raw == ["status=500 took=0ms n=0", "status=200 took=1ms n=1"], raw
    rows = [json.loads(line) for line in logcli("query", "-o", "jsonl", *SPAN, SELECTOR, "--limit", "2").splitlines()]
    assert [row["line"] for row in rows] == ["status=200 took=59ms n=59", "status=200 took=58ms n=58"], rows
    paged = logcli("query", "-o", "raw", "--batch", "7", "--limit", "50", *SPAN, SELECTOR).splitlines()
    assert [line.split("n=")[1] for line in paged] == [str(n) for n in range(59, 9, -1)], paged


@check
def metrics_are_matrices_vectors_and_scalars():
    counted = json.loads(logcli("query", *SPAN, f"sum by (app) (count_over_time({SELECTOR}[10m]))", "--step", "10m"))
    assert [series["metric"] for series in counted] == [{"app": "shop"}], counted
    assert [int(value) for _, value in counted[0]["values"]] == [10] * 6, counted
    assert counted[0]["values"][0][0] * SECOND == START + 600 * SECOND, counted
    now = ["--now", stamp(START + 3600 * SECOND)]
    vector = json.loads(logcli("instant-query", *now, f"sum(count_over_time({SELECTOR}[1h]))"))
    assert vector == [{"metric": {}, "value": [START // SECOND + 3600, "60"]}], vector
    scalar = json.loads(logcli("instant-query", *now, "1+1"))
    assert scalar[1] == "2", scalar


@check
def volumes_and_statistics_are_of_the_selector():
    volume = json.loads(logcli("volume", *SPAN, f'{{run="{RUN}"}}', "--targetLabels", "app"))
    assert [one["metric"] for one in volume] == [{"app": "shop"}, {"app": "mail"}], volume
    assert all(int(one["value"][1]) > 0 for one in volume), volume
    steps = json.loads(logcli("volume_range", *SPAN, SELECTOR, "--step", "20m"))
    assert [one["metric"] for one in steps] == [{"app": "shop", "run": RUN}], steps
    assert "entries:" in logcli("stats", *SPAN, SELECTOR)


@check
def detected_fields_have_types_and_cardinalities():
    lines = logcli("detected-fields", *SPAN, SELECTOR).splitlines()
    rows = {tuple(line.replace("label:", "").replace("type:", "").replace("cardinality:", "").split()) for line in lines}
    assert rows == {("detected_level", "string", "1"), ("trace_id", "string", "4"), ("status", "int", "2"),
                    ("took", "duration", "60"), ("n", "int", "60")}, lines
    assert logcli("detected-fields", *SPAN, SELECTOR, "status").split() == ["200", "500"]


@check
def mistakes_end_with_an_error():
    assert "parse error at line 1" in logcli("query", *SPAN, "{app=", status=1)


if LOGCLI:
    main()
print("logcli.py: skipped, CATAT_LOGCLI names no logcli")
sys.exit(0)
