#!/usr/bin/env python3
"""Writes a data directory like those in this folder, to be kept when a format changes.

    write.py EXECUTABLE GROUP_PREFIX TARGET

A flushed segment with values of every type, spans, samples, some of them in a large block, and positions of a shipped file, hot events and samples in the WAL, a deleted group,
deleted events that are not reclaimed yet, limits of a group, batch ids; taken with `catat backup` after a `kill -9`.
"""

import http.client
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import time

executable, prefix, target = sys.argv[1:]
scratch = tempfile.mkdtemp()
directory = f"{scratch}/data"
port = 29333
server = subprocess.Popen([executable, "serve", "--data-dir", directory, "--listen", f"127.0.0.1:{port}"])


def ask(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    text = response.read().decode()
    if response.status >= 300:
        sys.exit(f"{method} {path}: {response.status} {text}")
    return text


def until_ready():
    while True:
        try:
            return ask("GET", "/-/ready")
        except OSError:
            time.sleep(0.05)


def event(n):
    mixed = [n, f"text {n}", n + 0.5, None][n % 4]
    return {
        "timestamp": f"2025-11-20T06:{n // 60:02}:{n % 60:02}.{n % 1000:03}Z",
        "message": f"order {n} of user u{7 * n} took {n}ms from 10.0.1.{n % 250 + 1}",
        "level": ["info", "warn", "error"][n % 3],
        "n": n,
        "price": n / 4,
        "ok": n % 2 == 0,
        "tags": ["a", n],
        "req": {"id": f"{n:032x}"},
        **({} if mixed is None else {"mixed": mixed}),
    }


def span(n):
    pod = n * n % 7
    us = n * n * 977 % 100_000
    return {
        "timestamp": f"2025-11-20T06:00:{n // 10:02}.{n % 10}Z",
        "message": f"GET /cart 200 {us / 1000:.3g} ms" if us >= 1000 else f"GET /cart 200 {us} µs",
        "duration_ms": us / 1000,
        "span_id": f"{(n + 1) * 0x9E3779B97F4A7C15 % 2**64:016x}",
        "parent_span_id": f"{(n - n % 2 or 999) * 0x9E3779B97F4A7C15 % 2**64:016x}",
        "pod": f"shop-{pod}",
        "node": ["north", "south", "east"][pod % 3],
    }


def post(group, events, batch):
    body = "\n".join(json.dumps(event) for event in events)
    ask("POST", f"/api/v1/ingest?group={prefix}/{group}&format=ndjson", body, {"x-catat-batch": batch})


def samples(first, n):
    """Some samples of three series, in the form of OTLP."""
    points = [
        {"timeUnixNano": str((1_763_618_400 + 15 * at) * 10**9), "asDouble": at * (pod + 1) / 4, "attributes": [
            {"key": "pod", "value": {"stringValue": f"shop-{pod} \"{pod}\""}}]}
        for at in range(first, first + n)
        for pod in range(3)
    ]
    metric = {"name": f"{prefix}.used", "unit": "By", "gauge": {"dataPoints": points}}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": prefix}}]}
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}
    ask("POST", "/v1/metrics", json.dumps(body), {"content-type": "application/json"})


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def many_samples(n_series, n_steps):
    """Samples of many series in one remote write: more than a block had before format 7."""
    body = b""
    for pod in range(n_series):
        labels = {"__name__": f"{prefix}_many_bytes", "job": prefix, "pod": f"shop-{pod}"}
        pairs = (field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in labels.items())
        times = ((1_763_618_400 + 15 * at) * 1000 for at in range(n_steps))
        points = (b"\x09" + struct.pack("<d", at * (pod + 1) / 4) + b"\x10" + varint(time) for at, time in enumerate(times))
        body += field(1, b"".join(pairs) + b"".join(field(2, point) for point in points))
    # Snappy as literals alone, of up to 64 KiB each.
    pieces = (body[start:start + 65536] for start in range(0, len(body), 65536))
    packed = varint(len(body)) + b"".join(b"\xf4" + struct.pack("<H", len(piece) - 1) + piece for piece in pieces)
    headers = {"content-encoding": "snappy", "content-type": "application/x-protobuf"}
    ask("POST", "/prometheus/api/v1/write", packed, headers)


until_ready()
with open(f"{directory}/admin.key") as key:
    admin = {"authorization": f"Bearer {key.read().strip()}", "content-type": "application/json"}
post("gone", [event(n) for n in range(50)], "gone")
for part in range(6):
    post("shop", [event(n) for n in range(part * 100, part * 100 + 100)], f"batch-{part}")
post("spans", [span(n) for n in range(500)], "batch-spans")
samples(0, 100)
many_samples(300, 1000)
ann = {"timestamp": "2025-11-20T06:30:00Z", "user": "ann", "level": "debug"}
post("shop", [{**ann, "message": f"secret {n}"} for n in range(10)], "batch-ann")
header = {"source": "0123456789abcdef", "file": "f1", "generation": 1, "start": 0, "path": "/var/log/x.log", "host": "h"}
shipped = "".join(f"2025-11-20T07:00:{n:02}Z line {n}\n" for n in range(20))
ask("POST", f"/api/v1/ingest?group={prefix}/shipped&format=lines", json.dumps(header) + "\n" + shipped)
ask("POST", "/api/v1/status/flush", "", admin)
ask("DELETE", f"/api/v1/groups/{prefix}%2Fgone", None, admin)
ask("PUT", f"/api/v1/groups/{prefix}%2Fshop", json.dumps({"retention": {"age": "36500d"}}), admin)
fatal = [{"timestamp": f"2025-11-20T08:00:{n:02}Z", "message": f"panic {n}", "level": "fatal", "n": 1000 + n} for n in range(40)]
post("shop", fatal, "batch-hot")
samples(100, 20)
chosen = {"query": 'filter user = "ann"', "all_time": True}
ask("POST", f"/api/v1/groups/{prefix}%2Fshop/delete-events", json.dumps(chosen), admin)
server.kill()
server.wait()
subprocess.run([executable, "backup", "--data-dir", directory, "--to", target], check=True)
subprocess.run([executable, "verify", "--data-dir", target], check=True)
shutil.rmtree(scratch)
