"""A server of a program's own, on a fresh directory, with listeners that are off by default."""
import os
import pathlib
import socket
import subprocess
import tempfile
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXECUTABLE = os.environ.get("CATAT_EXECUTABLE") or str(ROOT / "target/debug/catat")
# Times of old protocols have no zone.
ENVIRONMENT = {**os.environ, "TZ": "UTC"}


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, condition, seconds=30):
    """Asks until the condition holds, and gives what it gave; `what` says what is wrong otherwise."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.05)
    return found


class Server:
    """A server that is ready. A subclass gives the environment with its settings."""

    def __init__(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="catat-doors-")
        self.directory = pathlib.Path(self.scratch.name)
        settings = self.settings()
        with open(self.path("log"), "w", encoding="utf-8") as log:
            command = [EXECUTABLE, "serve", "--data-dir", self.path("data"), "--listen", "127.0.0.1:0"]
            self.process = subprocess.Popen(command, env={**ENVIRONMENT, **settings}, stdout=log, stderr=log)
        self.url = until("the server does not get ready", self.ready)

    def settings(self):
        return {}

    def path(self, name):
        return str(self.directory / name)

    def ready(self):
        text = pathlib.Path(self.path("log")).read_text(encoding="utf-8")
        assert self.process.poll() is None, text
        urls = [word for word in text.split() if word.startswith("http://127.0.0.1:")]
        try:
            return urls and requests.get(f"{urls[0]}/-/ready", timeout=5).ok and urls[0]
        except requests.ConnectionError:
            return None

    def rows(self, query):
        body = {"query": query, "from": "now-1h", "to": "now+1h"}
        answer = requests.post(f"{self.url}/api/v1/query", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"]

    def stop(self):
        self.process.terminate()
        status = self.process.wait(20)
        self.scratch.cleanup()
        return status
