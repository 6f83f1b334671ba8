"""Nodes on one bucket and one database, beside one machine with the same events.

The bucket is one in this process, which takes as long for each request as it is told; the database is Debian's PostgreSQL.
"""
import glob
import http.server
import itertools
import json
import os
import pathlib
import pwd
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

import corpus
from catat import Catat

N_NODES = 3
N_SENDERS = 8
# Each waits for its acknowledgement, a quarter of a second or so; that many keep a node busy.
N_SENDERS_AT_FULL_LOAD = 48
SECONDS = 10
PUT_MS = 200
ACK_P99_MS_MAX = 450
PUTS_PER_S_MAX = 4.2
CPU_RATIO_MIN = 0.7
PUTS_PER_GB_MAX = 40

QUESTIONS = [
    "stats count(*) as n by @level | sort n desc",
    "stats count(*) as n by service | sort n desc, service | limit 20",
    "filter @message like \"failed\" | stats count(*) as n by bin(1h) as t | sort t",
    "fields @timestamp, @message, @id | sort @timestamp desc, @id | limit 50",
]


class Bucket:
    """An S3 bucket in memory that waits before it answers."""

    def __init__(self):
        self.objects, self.put_ms, self.get_ms, self.n_puts, self.lock = {}, 0, 0, 0, threading.Lock()
        bucket = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def reply(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in (("ETag", '"x"'), ("Last-Modified", "Fri, 20 Nov 2026 12:00:00 GMT"), *headers):
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_PUT(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(bucket.put_ms / 1000)
                name = self.path.split("?")[0]
                with bucket.lock:
                    bucket.n_puts += 1
                    if self.headers.get("If-None-Match") == "*" and name in bucket.objects:
                        return self.reply(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                    bucket.objects[name] = body
                return self.reply(200)

            def do_GET(self):
                time.sleep(bucket.get_ms / 1000)
                body = bucket.objects.get(self.path.split("?")[0])
                if body is None:
                    return self.reply(404, b"<Error><Code>NoSuchKey</Code></Error>")
                wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
                if not wanted:
                    return self.reply(200, body)
                first, last = int(wanted[1]), min(int(wanted[2]), len(body) - 1)
                return self.reply(206, body[first:last + 1], [("Content-Range", f"bytes {first}-{last}/{len(body)}")])

            do_HEAD = do_GET

            def do_DELETE(self):
                bucket.objects.pop(self.path.split("?")[0], None)
                self.reply(204)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()


class Database:
    """A PostgreSQL server of its own, on a socket."""

    def __init__(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not programs:
            raise SystemExit("there is no PostgreSQL (apt-get install postgresql)")
        self.dir = tempfile.mkdtemp(prefix="catat-postgres-")
        self.as_user = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.dir, user.pw_uid, user.pw_gid)
            self.as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        run = lambda *command: subprocess.run(command, check=True, cwd=self.dir, stdout=subprocess.DEVNULL, **self.as_user)
        run(f"{programs[-1]}/initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=catat", "-D", f"{self.dir}/data")
        self.process = subprocess.Popen(
            [f"{programs[-1]}/postgres", "-D", f"{self.dir}/data", "-k", self.dir, "-c", "listen_addresses="],
            cwd=self.dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.as_user)
        while subprocess.run([f"{programs[-1]}/pg_isready", "-q", "-h", self.dir], check=False, **self.as_user, cwd=self.dir).returncode:
            time.sleep(0.05)
        self.url = f"postgres://catat@{self.dir.replace('/', '%2F')}/postgres"

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def node(options, work, name, bucket, database, further=None):
    """A node that has joined."""
    directory = pathlib.Path(work) / name
    directory.mkdir(parents=True)
    settings = {
        "CATAT_FLEET__DATABASE": database.url, "CATAT_FLEET__NODE": name, "CATAT_STORAGE__OBJECT_STORE": "s3://logs/fleet",
        "CATAT_STORAGE__OBJECT_STORE_ENDPOINT": bucket.url, "CATAT_STORAGE__OBJECT_STORE_REGION": "us-east-1",
        "CATAT_STORAGE__OBJECT_STORE_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-secret",
        **(further or {}),
    }
    return Catat(options.binary, directory, with_cache=False, settings=settings)


def acknowledgements(server, bodies, seconds):
    """Milliseconds that senders waited, each of whom sends a body after the other."""
    waits, until = [], time.perf_counter() + seconds

    def send():
        connection = server.connect()
        while time.perf_counter() < until:
            body = next(bodies)
            began = time.perf_counter()
            server.send(connection, "/api/v1/ingest?group=bench&format=ndjson", body)
            waits.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=send) for _ in range(N_SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(waits)


def full_load(server, bucket, path):
    """Sends the corpus to one node, all senders at once; returns the objects and the bytes sent."""
    before = bucket.n_puts
    with open(path, "rb") as file:
        server.send_all(corpus.bodies(file), "/api/v1/ingest?group=full&format=ndjson", N_SENDERS_AT_FULL_LOAD)
    return bucket.n_puts - before, os.path.getsize(path)


def in_charge(nodes):
    """The node that does upkeep."""
    for server in nodes:
        listed = server.admin("GET", "/api/v1/fleet")["nodes"]
        mine = next(one for one in listed if one["answers_this"])
        if "upkeep" in mine["leases"]:
            return server
    raise SystemExit("no node does upkeep")


def fleet(options, work, judge):
    """Waits of senders beside a slow bucket, and what the same events cost one machine and several nodes."""
    path = os.path.join(work, "corpus.ndjson")
    facts = corpus.make(path, 1_000_000, options.seed, "drawn")
    alone = Catat(options.binary, os.path.join(work), with_cache=False)
    with open(path, "rb") as file:
        alone.send_all(corpus.bodies(file))
    alone.settle()
    alone_rate = facts["events"] / alone.cpu_s()
    bucket, database, nodes = Bucket(), Database(), []
    try:
        nodes = [node(options, work, f"node-{number}", bucket, database) for number in range(N_NODES)]
        before, puts_before, cpu_before = time.perf_counter(), bucket.n_puts, sum(server.cpu_s() for server in nodes)
        with open(path, "rb") as file:
            accepted = Catat.send_to(nodes, corpus.bodies(file))
        elapsed, n_puts = time.perf_counter() - before, bucket.n_puts - puts_before
        in_charge(nodes).settle()
        rate = accepted / (sum(server.cpu_s() for server in nodes) - cpu_before)
        print(f"{N_NODES} nodes: {accepted:,} events in {elapsed:.1f} s, {n_puts} objects; {rate:,.0f} events per CPU-second, one machine {alone_rate:,.0f}")
        judge.at_least("events per CPU-second of all nodes, in those of one machine", rate / alone_rate, CPU_RATIO_MIN)
        if accepted != facts["events"]:
            judge.missed.append(f"{accepted} of {facts['events']} events were accepted")
        for question in QUESTIONS:
            ask = lambda server, question=question: server.post_query({"query": question, "limit": 1000})["rows"]
            answers = [ask(server) for server in nodes]
            without_ids = lambda rows: [row[:2] for row in rows]
            if any(answer != answers[0] for answer in answers) or without_ids(answers[0]) != without_ids(ask(alone)):
                judge.missed.append(f"answers differ: {question}")
        bucket.put_ms = PUT_MS
        with open(path, "rb") as file:
            lines = list(itertools.islice(file, 100_000))
        bodies = itertools.cycle(b"".join(lines[at:at + 100]) for at in range(0, len(lines), 100))
        puts_before = bucket.n_puts
        waits = acknowledgements(nodes[0], bodies, SECONDS)
        p99, p50 = waits[int(len(waits) * 0.99)], statistics.median(waits)
        print(f"a bucket that takes {PUT_MS} ms: {len(waits)} acknowledgements, median {p50:.0f} ms, p99 {p99:.0f} ms")
        judge.at_most(f"p99 of acknowledgements beside a bucket that takes {PUT_MS} ms, in ms", p99, ACK_P99_MS_MAX)
        judge.at_most("objects a second of a node", (bucket.n_puts - puts_before) / SECONDS, PUTS_PER_S_MAX)
        bucket.put_ms = 0
        # A node has a machine to itself: the others, which would read its objects on the same processors, leave.
        for server in nodes[1:]:
            server.process.terminate()
            server.process.wait()
        n_puts, n_bytes = full_load(nodes[0], bucket, path)
        judge.at_most("objects stored per GB by a node at full load", n_puts / (n_bytes / 1e9), PUTS_PER_GB_MAX)
    finally:
        for server in [alone, *nodes]:
            server.process.kill()
        database.close()
        bucket.close()
