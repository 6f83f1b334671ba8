"""Samples beside Prometheus in one run: CPU until idle, bytes, memory, and what dashboards of hosts ask."""
import collections
import http.client
import itertools
import json
import math
import os
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse

import corpus
import measure
from catat import Catat
from samples import bodies

CPU_RATIO_MAX = 1.0
DISK_RATIO_MAX = 0.7
MEMORY_RATIO_MAX = 1.0
QUERY_RATIO_MAX = 1.0
QUERIES_RATIO_MAX = 0.7
REFRESH_RATIO_MAX = 0.7
SAMPLE_BYTES_MAX = 1.5
SAMPLES_PER_CPU_S_MIN = 1_500_000
N_REPEATS = 5
# Requests that are ready before the first of them is sent: making one takes as long as taking it in, and a server that waits for each
# has cold caches, which is another thing to measure.
PREPARED = 500
STEP_MS = 60_000
POINTS = 288

QUERIES = [
    ("CPU by mode", "sum by (mode) (rate(node_cpu_seconds_total[5m]))"),
    ("CPU in use", '100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m])))'),
    ("memory", "1 - node_memory_MemAvailable_bytes / node_memory_Cached_bytes"),
    ("network in", 'sum by (instance) (rate(node_network_receive_bytes_total{device!="lo"}[5m]))'),
    ("disk time", "max by (device) (rate(node_disk_io_time_seconds_total[5m]))"),
    ("disk left", 'min by (mountpoint) (node_filesystem_avail_bytes{fstype="ext4"})'),
    ("load", "quantile(0.95, node_load1)"),
    ("top counters", "topk(5, sum by (instance) (increase(node_disk_written_bytes_total[1h])))"),
    ("one host", 'node_load5{instance="host-0:9100"}'),
    ("disk full", 'count(predict_linear(node_filesystem_free_bytes[1h], 4 * 3600) < 0) or vector(0)'),
]


class Prometheus(measure.Costs):
    """A Prometheus that takes remote writes, on a directory and a port of its own."""

    prefix = ""

    def __init__(self, work):
        super().__init__()
        self.data_dir = pathlib.Path(work) / "prometheus"
        self.data_dir.mkdir()
        (self.data_dir / "prometheus.yml").write_text("global: {}\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        program = shutil.which("prometheus") or str(corpus.ROOT / "target/prometheus/usr/bin/prometheus")
        if not os.access(program, os.X_OK):
            sys.exit("there is no prometheus; tests/run clients unpacks one under target")
        command = [program, f"--config.file={self.data_dir}/prometheus.yml", f"--storage.tsdb.path={self.data_dir}/data",
                   f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver", "--log.level=warn"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                if call(self, "GET", "/-/ready")[0] == 200:
                    break
            except OSError:
                time.sleep(0.05)

    @property
    def pid(self):
        return self.process.pid

    def bytes_per_sample(self):
        """Of the blocks that are finished; the last hours are in the head."""
        blocks = [path.parent for path in (self.data_dir / "data").glob("*/meta.json")]
        n_samples = sum(json.loads((block / "meta.json").read_text())["stats"]["numSamples"] for block in blocks)
        return sum(measure.bytes_below(block) for block in blocks) / n_samples

    def stop(self):
        self.remember_costs()
        self.process.terminate()
        self.process.wait()


def call(server, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def send(connection, path, body, headers):
    """Sends a write as often as it takes."""
    while True:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status in (200, 204):
            return
        if answer.status not in (429, 503):
            sys.exit(f"a write was refused: {answer.status} {text[:300]}")
        time.sleep(0.2)


def feed(server, seed, n_series, n_steps, end_ms):
    """Sends everything in order; returns the number of samples."""
    connection, n_samples = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600), 0
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    requests = bodies(seed, n_series, n_steps, end_ms, STEP_MS)
    while prepared := list(itertools.islice(requests, PREPARED)):
        for body, n in prepared:
            send(connection, server.prefix + "/api/v1/write", body, headers)
            n_samples += n
    return n_samples


def step_of(span_ms):
    return span_ms // POINTS


def ask(server, query, end_ms, span_ms):
    """Milliseconds, and the answer as a dictionary of series."""
    parameters = {"query": query, "start": (end_ms - span_ms) / 1000, "end": end_ms / 1000, "step": step_of(span_ms) / 1000}
    path = f"{server.prefix}/api/v1/query_range?{urllib.parse.urlencode(parameters)}"
    ms, (status, text) = measure.timed(lambda: call(server, "GET", path))
    if status != 200:
        sys.exit(f"{query}: {status} {text[:300]}")
    rows = json.loads(text)["data"]["result"]
    return ms, {json.dumps(row["metric"], sort_keys=True): [(time, float(value)) for time, value in row["values"]] for row in rows}


def close(a, b):
    return a[0] == b[0] and (a[1] == b[1] or math.isclose(a[1], b[1], rel_tol=1e-9, abs_tol=1e-12) or a[1] != a[1])


def is_same_choice(ours, theirs):
    """Whether topk has the same values at each instant, of the same series but for those that share the smallest value: of several
    with the same value Prometheus chooses by the order of its series, which depends on where they are stored."""
    def instants(answer):
        found = collections.defaultdict(list)
        for key, points in answer.items():
            for time, value in points:
                found[time].append((value, key))
        return {time: sorted(values) for time, values in found.items()}
    ours, theirs = instants(ours), instants(theirs)
    above = lambda values: {key for value, key in values if not math.isclose(value, values[0][0], rel_tol=1e-9)}
    return ours.keys() == theirs.keys() and all(
        len(ours[time]) == len(theirs[time]) and above(ours[time]) == above(theirs[time])
        and all(close((0, a[0]), (0, b[0])) for a, b in zip(ours[time], theirs[time])) for time in ours)


def is_same(query, ours, theirs):
    if query.startswith("topk"):
        return is_same_choice(ours, theirs)
    return ours.keys() == theirs.keys() and all(
        len(ours[key]) == len(theirs[key]) and all(map(close, ours[key], theirs[key])) for key in ours)


def metrics(options, work, judge):
    """The same samples for both, then the same queries."""
    seed = options.span_seed or random.SystemRandom().randrange(1 << 30)
    print(f"seed: {seed}")
    end_ms = int(time.time() // 60 * 60_000)
    n_series, n_steps = options.series, options.steps
    span_ms = (n_steps - 1) * STEP_MS
    ours, theirs = Catat(options.binary, work), Prometheus(work)
    ours.prefix = "/prometheus"
    cpu = {}
    for server in (ours, theirs):
        before = server.cpu_s()
        n_samples = feed(server, seed, n_series, n_steps, end_ms)
        measure.wait_idle(server.cpu_s)
        cpu[server] = server.cpu_s() - before
    peak = {server: server.memory_peak_mb() for server in (ours, theirs)}
    print(f"{n_samples:,} samples of {n_series:,} series; Prometheus: {n_samples / cpu[theirs]:,.0f} per CPU-second, {peak[theirs]:.0f} MB; "
          f"catat {peak[ours]:.0f} MB, {ours.status()['hot_events']:,} samples in no segment yet")
    judge.at_least("samples per CPU-second", n_samples / cpu[ours], SAMPLES_PER_CPU_S_MIN)
    judge.at_most("CPU beside Prometheus", cpu[ours] / cpu[theirs], CPU_RATIO_MAX)
    judge.at_most("memory beside Prometheus", peak[ours] / peak[theirs], MEMORY_RATIO_MAX)
    ratios, refreshed = [], []
    for name, query in QUERIES:
        answers = {}
        ms = {}
        for server in (ours, theirs):
            # At other instants each time, of which nobody has kept an answer.
            pairs = [ask(server, query, end_ms - n * 1000, span_ms) for n in range(N_REPEATS)]
            ms[server], answers[server] = statistics.median(ms for ms, _ in pairs), pairs[-1][1]
        if not answers[theirs] or not is_same(query, answers[ours], answers[theirs]):
            judge.missed.append(f"{name}: the answers differ")
        ratios.append(ms[ours] / ms[theirs])
        print(f"  {name}: {ms[ours]:.1f} ms, Prometheus {ms[theirs]:.1f} ms")
        judge.at_most(f"{name} beside Prometheus", ratios[-1], QUERY_RATIO_MAX)
        # As a panel asks: the same instants, and one that is new.
        later = [ask(ours, query, end_ms - n * step_of(span_ms), span_ms)[0] for n in range(N_REPEATS, -1, -1)]
        refreshed.append(statistics.median(later[1:]) / ms[ours])
    judge.at_most("range queries beside Prometheus", statistics.geometric_mean(ratios), QUERIES_RATIO_MAX)
    judge.at_most("a step later beside the first time", statistics.geometric_mean(refreshed), REFRESH_RATIO_MAX)
    their_bytes = theirs.bytes_per_sample()
    for server in (ours, theirs):
        server.stop()
    our_bytes = measure.bytes_below(ours.data_dir / "segments") / n_samples
    print(f"{our_bytes:.2f} bytes a sample, Prometheus {their_bytes:.2f}")
    judge.at_most("bytes a sample", our_bytes, SAMPLE_BYTES_MAX)
    judge.at_most("bytes beside Prometheus", our_bytes / their_bytes, DISK_RATIO_MAX)
