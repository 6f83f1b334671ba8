#!/usr/bin/env python3
"""Native histograms: a Prometheus and we get the same samples by remote write and answer the same queries alike; a Prometheus reads ours by
remote read; exponential histograms of OpenTelemetry's SDK. CATAT_EXECUTABLE names our program."""
import contextlib
import glob
import json
import os
import pathlib
import random
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time

import requests
import snappy
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource

from check import check, main

ROOT = pathlib.Path(__file__).resolve().parents[2]
CATAT = os.environ.get("CATAT_EXECUTABLE", "target/debug/catat")
PROMETHEUS = shutil.which("prometheus") or next(iter(glob.glob(str(ROOT / "target" / "prometheus" / "usr" / "bin" / "prometheus"))), None)
DEADLINE_S = 60
STEP_MS = 15_000
N_STEPS = 40


@contextlib.contextmanager
def at_work(command, ready):
    """A program that listens; `command` is given its address and a directory, `ready` is the path that answers. Gives its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as directory:
        log = pathlib.Path(directory, "log")
        with log.open("wb") as out:
            process = subprocess.Popen(command(address, directory), stdout=out, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + DEADLINE_S
            while True:
                assert process.poll() is None and time.monotonic() < end, log.read_text(encoding="utf-8")
                with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                    if requests.get(f"http://{address}{ready}", timeout=5).ok:
                        break
                # Each look is a request; this is how often it looks.
                time.sleep(0.1)
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def catat():
    return at_work(lambda address, directory: [CATAT, "serve", "--data-dir", f"{directory}/data", "--listen", address], "/-/ready")


def prometheus(settings):
    def command(address, directory):
        file = pathlib.Path(directory, "prometheus.yml")
        # What is JSON is YAML.
        file.write_text(json.dumps(settings), encoding="utf-8")
        options = ["--web.enable-remote-write-receiver", "--enable-feature=native-histograms"]
        return [PROMETHEUS, f"--config.file={file}", f"--storage.tsdb.path={directory}/data", f"--web.listen-address={address}", *options]
    return at_work(command, "/-/ready")


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def number(field, value):
    return varint(field << 3) + varint(value & (1 << 64) - 1)


def signed(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def double(field, value):
    return varint(field << 3 | 1) + struct.pack("<d", value)


def part(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def side(fields, counts, is_float):
    """Spans and counts of one side; `counts` are by index of bucket."""
    out, end, last, packed = b"", 0, 0, b""
    for index in sorted(counts):
        out += part(fields[0], number(1, signed(index - end)) + number(2, 1))
        end = index + 1
        packed += struct.pack("<d", counts[index]) if is_float else varint(signed(counts[index] - last))
        last = counts[index]
    return out + part(fields[2 if is_float else 1], packed)


def histogram(time_ms, counts, *, schema=0, total, negative=None, zero=0, is_float=False, hint=0):
    """A histogram in the form of remote write."""
    count = sum(counts.values()) + sum((negative or {}).values()) + zero
    out = double(2, count) if is_float else number(1, count)
    out += double(3, total) + number(4, signed(schema)) + double(5, 0.001)
    out += double(7, zero) if is_float else number(6, zero)
    out += side((8, 9, 10), negative or {}, is_float) + side((11, 12, 13), counts, is_float)
    return out + number(14, hint) + number(15, time_ms)


def series(labels, histograms):
    out = b"".join(part(1, part(1, name.encode()) + part(2, labels[name].encode())) for name in sorted(labels))
    return part(1, out + b"".join(part(4, one) for one in histograms))


def samples(start_ms):
    """Counters that grow and are reset, one whose resolution falls, and a gauge of decimals with both sides."""
    chosen = random.Random(23)
    message = b""
    for route in ("/", "/pay", "/cart"):
        counts, total, found = {}, 0.0, []
        for step in range(N_STEPS):
            if route == "/cart" and step == 22:
                counts, total = {}, 0.0
            for _ in range(chosen.randrange(1, 20)):
                index = chosen.randrange(-6, 9)
                counts[index] = counts.get(index, 0) + 1
                total += 2.0 ** (index / 2)
            merged, schema = counts, 1
            if route == "/pay" and step >= 25:
                # A client that has too many buckets halves its resolution and goes on.
                merged, schema = {}, 0
                for index, n in counts.items():
                    merged[(index + 1) // 2] = merged.get((index + 1) // 2, 0) + n
            found.append(histogram(start_ms + step * STEP_MS, merged, schema=schema, total=total, zero=step))
        message += series({"__name__": "took_seconds", "job": "api", "route": route}, found)
    gauge = []
    for step in range(N_STEPS):
        counts = {index: 0.5 + chosen.randrange(9) for index in range(-3, 4)}
        gauge.append(histogram(start_ms + step * STEP_MS, counts, total=chosen.uniform(-9, 9), negative={1: 2.25, 5: 1.5}, zero=0.75, is_float=True, hint=3))
    return message + series({"__name__": "balance", "job": "api"}, gauge)


def write(url, message):
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
    answer = requests.post(f"{url}/api/v1/write", data=snappy.compress(message), headers=headers, timeout=30)
    assert answer.ok, answer.text


# Queries with the first version of Prometheus that answers them as today's do.
QUERIES = [
    ("took_seconds", (2, 40)), ("balance", (2, 40)), ("rate(took_seconds[2m])", (2, 40)), ("increase(took_seconds[5m])", (2, 40)),
    ("sum(took_seconds)", (2, 40)), ("sum by (job) (rate(took_seconds[2m]))", (2, 40)), ("histogram_count(took_seconds)", (2, 40)),
    ("histogram_sum(rate(took_seconds[3m]))", (2, 40)), ("took_seconds + on (route) took_seconds", (2, 40)),
    ("histogram_count(sum(increase(took_seconds[10m])))", (3, 0)), ("count_over_time(took_seconds[4m])", (2, 42)),
    ("last_over_time(took_seconds[4m])", (3, 0)), ("count(took_seconds)", (2, 40)), ("histogram_fraction(1, 4, took_seconds)", (2, 40)),
    ("avg(took_seconds)", (3, 0)), ("took_seconds * 2", (2, 45)), ("took_seconds / 4", (2, 45)), ("avg_over_time(balance[3m])", (3, 0)),
    ("sum_over_time(balance[3m])", (3, 0)), ("delta(balance[3m])", (3, 0)), ("resets(took_seconds[8m])", (3, 0)),
    ("changes(took_seconds[8m])", (3, 0)), ("irate(took_seconds[1m])", (3, 2)), ("idelta(balance[1m])", (3, 2)),
    ("histogram_quantile(0.9, sum(rate(took_seconds[5m])))", (3, 0)), ("histogram_quantile(0.3, balance)", (3, 0)),
    ("histogram_fraction(0.3, 3, took_seconds)", (3, 0)), ("histogram_avg(took_seconds)", (3, 0)), ("histogram_stddev(took_seconds)", (3, 0)),
    ("histogram_stdvar(balance)", (3, 0)), ("took_seconds == took_seconds", (3, 0)), ("took_seconds != took_seconds offset 1m", (3, 0)),
    ("-took_seconds", (3, 0)), ("took_seconds - took_seconds offset 1m", (3, 0)), ("group(took_seconds)", (2, 40)),
]


def version():
    found = re.search(r"version (\d+)\.(\d+)", subprocess.run([PROMETHEUS, "--version"], capture_output=True, text=True, check=True).stdout)
    return int(found[1]), int(found[2])


def result(base, query, path="query", **parameters):
    answer = requests.get(f"{base}/api/v1/{path}", params={"query": query, **parameters}, timeout=10)
    assert answer.ok, f"{query}: {answer.text}"
    return answer.json()["data"]["result"]


def near(a, b):
    a, b = float(a), float(b)
    return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b)) or (a != a and b != b)


def same_histogram(a, b):
    buckets = [one.get("buckets", []) for one in (a, b)]
    return near(a["count"], b["count"]) and near(a["sum"], b["sum"]) and len(buckets[0]) == len(buckets[1]) and all(
        x[0] == y[0] and all(near(*pair) for pair in zip(x[1:], y[1:])) for x, y in zip(*buckets))


def same(ours, theirs):
    """The same series with the same samples, whatever the order."""
    by_labels = [{tuple(sorted(one["metric"].items())): one for one in rows} for rows in (ours, theirs)]
    if by_labels[0].keys() != by_labels[1].keys():
        return False
    for labels, one in by_labels[0].items():
        other = by_labels[1][labels]
        values = [[row["value"]] if "value" in row else row.get("values", []) for row in (one, other)]
        histograms = [[row["histogram"]] if "histogram" in row else row.get("histograms", []) for row in (one, other)]
        if not (len(values[0]) == len(values[1]) and all(x[0] == y[0] and near(x[1], y[1]) for x, y in zip(*values))):
            return False
        if not (len(histograms[0]) == len(histograms[1]) and all(x[0] == y[0] and same_histogram(x[1], y[1]) for x, y in zip(*histograms))):
            return False
    return True


@check
def a_prometheus_and_we_answer_alike_over_the_same_histograms():
    if not PROMETHEUS:
        print("# left out: there is no prometheus")
        return
    end_ms = int(time.time()) * 1000
    start_ms = end_ms - (N_STEPS - 1) * STEP_MS
    message, known = samples(start_ms), version()
    with catat() as url, prometheus({}) as theirs:
        ours = f"{url}/prometheus"
        write(ours, message)
        write(theirs, message)
        queries = [query for query, since in QUERIES if known >= since]
        others = []
        for query in queries:
            # No window begins at a sample: before Prometheus 3 such a sample was in it.
            for at in (end_ms / 1000 - 1, start_ms / 1000 + 333):
                found, expected = result(ours, query, time=at), result(theirs, query, time=at)
                if not expected or not same(found, expected):
                    others.append(f"{query} at {at}:\n{found}\n{expected}")
            times = {"start": start_ms / 1000 + 1, "end": end_ms / 1000, "step": 20}
            found, expected = result(ours, query, "query_range", **times), result(theirs, query, "query_range", **times)
            if not expected or not same(found, expected):
                others.append(f"{query} over a range:\n{found}\n{expected}")
        assert not others, "\n\n".join(others)
        print(f"# {len(queries)} of {len(QUERIES)} queries asked: this is Prometheus {known[0]}.{known[1]}")
        if known < (2, 44):
            print("# remote read left out: before 2.44 a Prometheus skips histograms in it")
            return
        # Another one reads them from us.
        with prometheus({"remote_read": [{"url": f"{ours}/api/v1/read", "read_recent": True}]}) as reader:
            for query in ("took_seconds", "balance", "histogram_sum(rate(took_seconds[3m]))"):
                found, read = result(ours, query, time=end_ms / 1000), result(reader, query, time=end_ms / 1000)
                assert read and same(found, read), f"{query} by remote read:\n{found}\n{read}"


@check
def exponential_histograms_of_the_sdk_become_native_ones():
    with catat() as url:
        exporter = OTLPMetricExporter(endpoint=f"{url}/v1/metrics", preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation()})
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)
        provider = MeterProvider([reader], resource=Resource.create({"service.name": "shop"}))
        took = provider.get_meter("shop").create_histogram("took", unit="s")
        for n in range(1, 1001):
            took.record(n / 100, {"route": "/pay"})
        assert provider.force_flush(30_000)
        provider.shutdown()
        base = f"{url}/prometheus"
        row = result(base, "took_seconds")[0]
        assert (row["metric"]["job"], row["metric"]["route"]) == ("shop", "/pay"), row
        buckets = row["histogram"][1]["buckets"]
        assert row["histogram"][1]["count"] == "1000" and sum(float(bucket[3]) for bucket in buckets) == 1000, row
        assert near(result(base, "histogram_sum(took_seconds)")[0]["value"][1], 5005.0)
        half = float(result(base, "histogram_quantile(0.5, took_seconds)")[0]["value"][1])
        assert abs(half - 5) < 0.1, half


main()
