#!/usr/bin/env python3
"""Debian's Alertmanager is told of an error in a log, groups it, tells its own receiver, and takes it for ended.

Starts a server and an Alertmanager of its own, with short times. CATAT_EXECUTABLE names the server's program.
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests

from check import check, main

ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
CATAT = os.environ.get("CATAT_EXECUTABLE", "target/debug/catat")
DEADLINE_SECONDS = 60

RULES = """
groups:
  - name: test
    interval: 1s
    rules:
      - name: errors
        query: filter @level >= "error" | stats count(*) as count by @log
        window: 5s
        labels: {severity: page}
        annotations: {summary: "{{ .value }} in {{ index .labels `@log` }}"}
channels:
  - {name: am, type: alertmanager, url: "http://127.0.0.1:%d"}
"""

CONFIGURATION = """
route: {receiver: told, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: told, webhook_configs: [{url: "http://127.0.0.1:%d/", send_resolved: true}]}]
"""


class Told(BaseHTTPRequestHandler):
    """What Alertmanager tells its own receiver."""

    messages = []

    def do_POST(self):
        Told.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(what, ask):
    """Asks until there is an answer."""
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        try:
            answer = ask()
            if answer:
                return answer
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {DEADLINE_SECONDS} s")


@check
def an_error_reaches_the_receiver_behind_alertmanager_and_ends_there():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        ports = {"alertmanager": free_port(), "catat": free_port()}
        receiver = HTTPServer(("127.0.0.1", 0), Told)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        (folder / "alertmanager.yml").write_text(CONFIGURATION % receiver.server_port)
        (folder / "data" / "rules").mkdir(parents=True)
        (folder / "data" / "rules" / "test.yaml").write_text(RULES % ports["alertmanager"])
        url, manager = (f"http://127.0.0.1:{ports[name]}" for name in ("catat", "alertmanager"))
        commands = [
            [ALERTMANAGER, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/am", "--cluster.listen-address=",
             f"--web.listen-address=127.0.0.1:{ports['alertmanager']}"],
            [CATAT, "serve", "--data-dir", f"{folder}/data", "--listen", f"127.0.0.1:{ports['catat']}"],
        ]
        with open(folder / "log", "w") as log:
            processes = [subprocess.Popen(command, stdout=log, stderr=log) for command in commands]
        try:
            until("both are ready", lambda: requests.get(f"{url}/-/ready", timeout=5).ok and requests.get(f"{manager}/-/ready", timeout=5).ok)
            body = json.dumps({"message": "disk on fire", "level": "error"})
            requests.post(f"{url}/api/v1/ingest?group=app/a", data=body, timeout=30).raise_for_status()
            alerts = until("Alertmanager has the alert", lambda: requests.get(f"{manager}/api/v2/alerts", timeout=5).json())
            assert alerts[0]["labels"] == {"alertname": "errors", "log": "app/a", "severity": "page"}, alerts
            assert alerts[0]["annotations"]["summary"] == "1 in app/a", alerts
            firing = until("its receiver is told", lambda: [one for one in Told.messages if one["status"] == "firing"])[0]
            assert firing["alerts"][0]["generatorURL"].startswith("http"), firing
            until("its receiver is told of the end", lambda: [one for one in Told.messages if one["status"] == "resolved"])
            begun = [one for one in Told.messages if one["status"] == "firing"]
            assert len(begun) == 1, Told.messages
        except AssertionError:
            print((folder / "log").read_text()[-4000:])
            raise
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)
            receiver.shutdown()


if ALERTMANAGER is None:
    print("left out: there is no alertmanager (Debian: prometheus-alertmanager)")
else:
    main()
