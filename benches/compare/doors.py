"""What an event costs at each door, beside the native one: the same events, the server's CPU until they are compacted.

Bodies are made before the clock runs, and sent over two connections. Each door has a fresh store. Doors are measured in
rounds, one after the other, and the best round of each counts: work of others on the machine only ever adds.
"""
import http.client
import itertools
import json
import pathlib
import socket
import sys
import tempfile
import threading
import time

import corpus
import door_bodies
import measure
from catat import N_CONNECTIONS, Catat

EVENTS_PER_BODY = 2_000
SHARE_OF_NATIVE_MIN = 0.8
SYSLOG_EVENTS_PER_CPU_S_MIN = 100_000
EVERYTHING = {"query": "stats count(*) as n by @level", "from": "2001-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}


class Http:
    """A door of HTTP."""

    def __init__(self, name, path, content_type, encode, headers=(), prepare=(), status=200):
        self.name, self.path, self.encode, self.prepare, self.status = name, path, encode, prepare, status
        self.headers = {"Content-Type": content_type, **dict(headers)}

    def send(self, server, bodies):
        for headers, body in self.prepare:
            self.request(server.connect(), headers, body)
        bodies, lock, failures = iter(bodies), threading.Lock(), []

        def work():
            connection = server.connect()
            try:
                while not failures:
                    with lock:
                        body = next(bodies, None)
                    if body is None:
                        return
                    self.request(connection, self.headers, body)
            except (OSError, http.client.HTTPException, SystemExit) as failure:
                failures.append(failure)

        run_all([threading.Thread(target=work) for _ in range(N_CONNECTIONS)])
        if failures:
            sys.exit(f"{self.name}: {failures[0]}")

    def request(self, connection, headers, body):
        connection.request("POST", self.path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != self.status and headers is self.headers or b'"errors":true' in said[:40]:
            raise SystemExit(f"{answer.status} {said[:300]}")


class Syslog:
    """A way to write syslog over TCP."""

    def __init__(self, name, encode):
        self.name, self.encode = name, encode

    def send(self, server, bodies):
        bodies = list(bodies)

        def work(part):
            with socket.create_connection(("127.0.0.1", server.syslog_port)) as connection:
                for body in part:
                    connection.sendall(body)

        run_all([threading.Thread(target=work, args=(bodies[n::N_CONNECTIONS],)) for n in range(N_CONNECTIONS)])


def run_all(threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Server(Catat):
    """A server that also listens for syslog."""

    def __init__(self, binary, work):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.syslog_port = probe.getsockname()[1]
        super().__init__(binary, work, settings={"CATAT_SYSLOG__TCP": f"127.0.0.1:{self.syslog_port}"})


AMAZON = "application/x-amz-json-1.1"


def amazon(operation, **members):
    headers = {"Content-Type": AMAZON, "X-Amz-Target": f"Logs_20140328.{operation}"}
    return headers, json.dumps(members).encode()


PUT = {"X-Amz-Target": "Logs_20140328.PutLogEvents"}.items()
PLACES = (
    amazon("CreateLogGroup", logGroupName=door_bodies.GROUP),
    amazon("CreateLogStream", logGroupName=door_bodies.GROUP, logStreamName="doors"),
)
NATIVE_TEXT = f"/api/v1/ingest?group={door_bodies.GROUP}&format=text"
NATIVE = Http("native", f"/api/v1/ingest?group={door_bodies.GROUP}&format=ndjson", "application/x-ndjson", door_bodies.native)
# The native door with the work of a door whose messages are records: it keeps the line beside the fields.
NATIVE_LINES = Http("native lines of records", NATIVE_TEXT, "text/plain", door_bodies.native)
HTTP = [
    NATIVE_LINES,
    Http("text", NATIVE_TEXT, "text/plain", door_bodies.text),
    Http("elasticsearch", f"/elasticsearch/{door_bodies.GROUP}/_bulk", "application/x-ndjson", door_bodies.elastic),
    Http("loki protobuf", "/loki/api/v1/push", "application/x-protobuf", door_bodies.loki_protobuf, status=204),
    Http("loki json", "/loki/api/v1/push", "application/json", door_bodies.loki_json, status=204),
    Http("otlp protobuf", "/v1/logs", "application/x-protobuf", door_bodies.otlp_protobuf),
    Http("otlp json", "/v1/logs", "application/json", door_bodies.otlp_json),
    Http("cloudwatch json", "/cloudwatch", AMAZON, door_bodies.cloudwatch_json, PUT, PLACES),
    Http("cloudwatch text", "/cloudwatch", AMAZON, door_bodies.cloudwatch_text, PUT, PLACES),
    Http("hec objects", "/services/collector/event", "application/json", door_bodies.hec_objects),
    Http("hec fields", "/services/collector/event", "application/json", door_bodies.hec_fields),
    Http("datadog", "/api/v2/logs", "application/json", door_bodies.datadog, status=202),
    Http("sentry", "/api/1/envelope/", "application/x-sentry-envelope", door_bodies.sentry),
    Http("hec raw", f"/services/collector/raw?index={door_bodies.GROUP}", "text/plain", door_bodies.text),
]
SYSLOG = [
    Syslog("syslog 5424 counted", door_bodies.syslog(door_bodies.rfc5424, True)),
    Syslog("syslog 5424 lines", door_bodies.syslog(door_bodies.rfc5424, False)),
    Syslog("syslog 3164 counted", door_bodies.syslog(door_bodies.rfc3164, True)),
    Syslog("syslog 3164 lines", door_bodies.syslog(door_bodies.rfc3164, False)),
]


class Measured:
    """What a door cost in its best round."""

    def __init__(self):
        self.cpu_s, self.bytes_per_event, self.levels = float("inf"), 0.0, {}

    def round(self, options, work, door, bodies, n_events):
        with tempfile.TemporaryDirectory(dir=work) as directory:
            server = Server(options.binary, directory)
            try:
                before = server.cpu_s()
                door.send(server, bodies)
                await_accepted(server, n_events)
                server.settle()
                self.cpu_s = min(self.cpu_s, server.cpu_s() - before)
                self.bytes_per_event = measure.bytes_below(server.data_dir / "segments") / n_events
                self.levels = dict(server.post_query(EVERYTHING)["rows"])
            finally:
                server.stop()
        if sum(self.levels.values()) != n_events:
            sys.exit(f"{door.name}: {sum(self.levels.values())} of {n_events} events are stored")


def await_accepted(server, n_events, patience_s=60):
    """Waits until everything is in the store: syslog has no answers."""
    deadline = time.monotonic() + patience_s
    while server.status()["events_accepted"] < n_events and time.monotonic() < deadline:
        time.sleep(0.1)


def doors(options, work, judge):
    """Events per CPU-second of each door, against those of the native one."""
    stream = corpus.Stream(options.door_events, options.seed)
    events = [door_bodies.Event(line) for line in itertools.islice(stream.file, options.door_events)]
    stream.close()
    chosen = [door for door in HTTP + SYSLOG if not options.doors or any(name in door.name for name in options.doors.split(","))]
    if any(baseline(door) is NATIVE_LINES for door in chosen) and NATIVE_LINES not in chosen:
        chosen.insert(0, NATIVE_LINES)
    results = {door.name: Measured() for door in [NATIVE, *chosen]}
    if options.keep_bodies:
        keep(options.keep_bodies, events, [NATIVE, *chosen])
    for n_round in range(options.rounds):
        for door in [NATIVE, *chosen]:
            bodies = list(door_bodies.bodies(events, door.encode, EVENTS_PER_BODY))
            results[door.name].round(options, work, door, bodies, len(events))
            print(f"round {n_round + 1} {door.name}: {results[door.name].cpu_s:.2f} CPU-seconds at best", flush=True)
    show(results, len(events))
    rate = lambda door: len(events) / results[door.name].cpu_s
    for door in chosen:
        if isinstance(door, Syslog):
            judge.at_least(f"events per CPU-second of {door.name}", rate(door), SYSLOG_EVENTS_PER_CPU_S_MIN)
        elif door is not NATIVE_LINES:
            name = f"events per CPU-second of {door.name} to {baseline(door).name}"
            judge.at_least(name, rate(door) / rate(baseline(door)), SHARE_OF_NATIVE_MIN)


def baseline(door):
    """The form of the native door that does what the door has to do: a line that is a record is kept beside its fields."""
    return NATIVE_LINES if door.name == "cloudwatch json" else NATIVE


def keep(directory, events, kept):
    """Writes each door's bodies to a file, each behind its length: what `door_rate` of crates/ingest takes."""
    for door in kept:
        path = pathlib.Path(directory) / f"{door.name.replace(' ', '-')}.bodies"
        with open(path, "wb") as file:
            for body in door_bodies.bodies(events, door.encode, EVENTS_PER_BODY):
                file.write(len(body).to_bytes(4, "little") + body)


def show(results, n_events):
    native = results[NATIVE.name]
    print(f"\n| door | events per CPU-second | to native | bytes stored per event | levels as native |\n|---|---|---|---|---|")
    for name, measured in results.items():
        rate, share = n_events / measured.cpu_s, native.cpu_s / measured.cpu_s
        same = "yes" if measured.levels == native.levels else "no"
        print(f"| {name} | {rate:,.0f} | {share:.2f} | {measured.bytes_per_event:.1f} | {same} |")
    print(flush=True)
