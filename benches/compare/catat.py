"""The executable under test: over HTTP, durable, on a directory and a port of its own."""
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

import measure
from corpus import bodies

N_CONNECTIONS = 2

# Where events are sent.
INGEST = "/api/v1/ingest?group=bench&format=ndjson"

# The setting that lets every query be worked out anew.
WITHOUT_CACHE = {"CATAT_QUERY__CACHE": "0"}


class Catat(measure.Costs):
    """A running server and its data directory."""

    name = "catat"

    def __init__(self, binary, work, arguments=(), with_cache=True, settings=None):
        super().__init__()
        self.binary, self.arguments = os.path.abspath(binary), list(arguments)
        self.data_dir = pathlib.Path(work) / "catat-data"
        self.process, self.connection = None, None
        self.with_cache = with_cache
        self.settings = settings or {}
        self.start()

    def start(self, wrapper=()):
        """Starts the server and returns the seconds until it was ready."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [*wrapper, self.binary, "serve", "--data-dir", str(self.data_dir), "--listen", f"127.0.0.1:{self.port}", *self.arguments]
        environment = os.environ | self.settings | ({} if self.with_cache else WITHOUT_CACHE)
        started = time.perf_counter()
        with open(f"{self.data_dir}.log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.data_dir.parent, env=environment)
        while time.perf_counter() - started < 120 and self.process.poll() is None:
            try:
                self.connection = self.connect()
                self.connection.request("GET", "/-/ready")
                answer = self.connection.getresponse()
                answer.read()
                if answer.status == 200:
                    return time.perf_counter() - started
            except OSError:
                time.sleep(0.005)
        sys.exit(f"the server did not get ready, see {self.data_dir}.log")

    @property
    def pid(self):
        return self.process.pid

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=1800)

    def stop(self):
        """Ends the server as an operator does; what it has cost so far is remembered."""
        self.remember_costs()
        self.connection.close()
        self.process.terminate()
        status = self.process.wait(timeout=60)
        if status != 0:
            sys.exit(f"SIGTERM ended the server with {status}")

    def restart(self):
        """A fresh process; what it reads lies in the page cache, as far as that holds it."""
        self.stop()
        self.start()

    def restart_cold(self):
        """A fresh process whose first reads come from the disk, as far as that is permitted."""
        self.stop()
        measure.drop_page_cache()
        measure.drop_files(self.data_dir)
        self.start()

    def admin(self, method, path, body=None):
        """Calls a route that needs the administrator's key."""
        key = (self.data_dir / "admin.key").read_text().strip()
        connection = self.connect()
        connection.request(method, path, body, {"Authorization": f"Bearer {key}"} | ({"Content-Type": "application/json"} if body else {}))
        answer = connection.getresponse()
        payload = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {payload[:500]}")
        return json.loads(payload)

    def settle(self):
        """Flushes, compacts, and waits until nothing is left to do."""
        self.admin("POST", "/api/v1/status/flush?compact=true")
        measure.wait_idle(self.cpu_s)

    def status(self):
        return self.admin("GET", "/api/v1/status")["store"]

    def send(self, connection, path, body):
        """Sends one body until it is taken; returns how many events were accepted."""
        while True:
            connection.request("POST", path, body)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status in (429, 503):
                # Back-pressure is an answer, not a failure; the wait counts.
                time.sleep(min(float(answer.headers.get("Retry-After", "1")), 1.0))
            elif answer.status == 200:
                return json.loads(text)["accepted"]
            else:
                raise SystemExit(f"ingest: {answer.status} {text[:300]}")

    def send_all(self, source, path=INGEST, n_connections=N_CONNECTIONS):
        """Sends every body of an iterator over several connections; returns the events accepted."""
        return Catat.send_to([self], source, path, n_connections)

    @staticmethod
    def send_to(servers, source, path=INGEST, n_connections=N_CONNECTIONS):
        """Sends every body of an iterator to one of several servers, over several connections to each."""
        lock, accepted, failures = threading.Lock(), [], []

        def work(server):
            connection = server.connect()
            while not failures:
                with lock:
                    body = next(source, None)
                if body is None:
                    return
                try:
                    accepted.append(server.send(connection, path, body))
                except (SystemExit, OSError) as failure:
                    failures.append(failure)

        threads = [threading.Thread(target=work, args=(server,)) for server in servers for _ in range(n_connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            sys.exit(str(failures[0]))
        return sum(accepted)

    def ingest(self, path, facts):
        with open(path, "rb") as file:
            accepted = self.send_all(bodies(file))
        if accepted != facts["events"]:
            sys.exit(f"{accepted} of {facts['events']} events were accepted")

    def posted(self, path, request):
        self.connection.request("POST", path, json.dumps(request), {"Content-Type": "application/json"})
        return self.connection.getresponse()

    def post_query(self, request):
        try:
            answer = self.posted("/api/v1/query", request)
        except ConnectionError:
            # The server closes connections that nobody uses; the next request opens another.
            self.connection.close()
            answer = self.posted("/api/v1/query", request)
        payload = answer.read()
        if answer.status != 200:
            raise RuntimeError(payload.decode(errors="replace")[:500])
        return json.loads(payload)

    def ask(self, query, spelling=None):
        """Milliseconds until the whole answer was there, and its rows."""
        ms, answer = measure.timed(lambda: self.post_query({"query": spelling or query.insights, "limit": 10_000, **query.range}))
        if answer.get("partial"):
            raise RuntimeError(f"partial: {answer.get('partial_reasons')}")
        return ms, answer["rows"]

    def ask_inside(self, query):
        """As `ask`, in the milliseconds that the server counted."""
        answer = self.post_query({"query": query.insights, "limit": 10_000, **query.range})
        return answer["stats"]["elapsed_ms"], answer["rows"]

    def ask_cold(self, query):
        """Milliseconds of a query whose bytes all come from the disk, and how many bytes came."""
        self.restart_cold()
        before = measure.read_bytes(self.pid)
        ms, _ = self.ask(query)
        return ms, measure.read_bytes(self.pid) - before

    def restart_with_cache(self):
        """From now on what was worked out for one query serves the next, as an operator has it."""
        self.stop()
        self.with_cache = True
        self.start()

    def first_row_ms(self, query):
        """Milliseconds until the first row of a streamed answer was there; none where no row came."""
        request = json.dumps({"query": query.insights, "limit": 10_000, **query.range})
        started = time.perf_counter()
        self.connection.request("POST", "/api/v1/query", request, {"Content-Type": "application/json", "Accept": "application/x-ndjson"})
        answer = self.connection.getresponse()
        first = None
        for line in answer:
            if first is None and line.startswith(b"["):
                first = (time.perf_counter() - started) * 1000
        answer.read()
        return first
