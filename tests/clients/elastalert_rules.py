#!/usr/bin/env python3
"""elastalert2: its indices made by its own command, and rules of four kinds over events of an hour, one of them over more
hits than a page of a scroll has. Runs in the environment of elastalert.txt."""
import datetime
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid

import requests

from check import URL, check, main

GROUP = f"clients-elastalert-{uuid.uuid4().hex[:8]}"
WRITEBACK = f"clients-elastalert-status-{uuid.uuid4().hex[:8]}"
ADDRESS = urllib.parse.urlsplit(URL)
START = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=3)
MANY = 12_000
ALERTS = []

RULES = {
    "many": {"type": "frequency", "num_events": MANY, "timeframe": {"minutes": 30},
             "filter": [{"term": {"kind": "flood"}}]},
    "too-many": {"type": "frequency", "num_events": MANY + 1, "timeframe": {"minutes": 30},
                 "filter": [{"term": {"kind": "flood"}}]},
    "quiet": {"type": "flatline", "threshold": 1, "timeframe": {"minutes": 5}, "use_count_query": True, "doc_type": "_doc",
              "filter": [{"query_string": {"query": "kind:heartbeat"}}], "forget_keys": True},
    "spike": {"type": "spike", "spike_height": 5, "spike_type": "up", "timeframe": {"minutes": 10}, "threshold_cur": 20,
              "threshold_ref": 2, "filter": [{"term": {"kind": "burst"}}]},
    "change": {"type": "change", "compare_key": "country", "query_key": "user", "ignore_null": True,
               "filter": [{"term": {"kind": "login"}}]},
}


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps the alerts that come."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        ALERTS.append((self.path.strip("/"), json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def events():
    def at(seconds, **fields):
        time = START + datetime.timedelta(seconds=seconds)
        return {"@timestamp": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"), **fields}
    for n in range(MANY):
        yield at(600 + n * 0.05, kind="flood", message=f"refused {n}")
    # Nobody hears of the heart in the second half hour.
    for minute in range(30):
        yield at(60 * minute + 5, kind="heartbeat", message="alive")
    for n in range(4):
        yield at(120 * n + 60, kind="burst", message="one")
    for n in range(60):
        yield at(1300 + n, kind="burst", message="many")
    for n, country in enumerate(["DE", "DE", "FR"]):
        yield at(300 * n + 30, kind="login", user="ann", country=country, message="login")
    for n in range(3):
        yield at(300 * n + 40, kind="login", user="bob", country="ID", message="login")


@check
def events_are_there():
    lines = [line for event in events() for line in ('{"create":{}}', json.dumps(event))]
    answer = requests.post(f"{URL}/elasticsearch/{GROUP}/_bulk", data="\n".join(lines) + "\n",
                           headers={"content-type": "application/x-ndjson"}, timeout=60)
    assert answer.status_code == 200 and answer.json()["errors"] is False, answer.text[:500]


def configure(directory, port):
    rules = directory / "rules"
    rules.mkdir()
    common = {"rules_folder": str(rules), "run_every": {"minutes": 5}, "buffer_time": {"minutes": 30},
              "es_host": ADDRESS.hostname, "es_port": ADDRESS.port, "es_url_prefix": "elasticsearch", "use_ssl": False,
              "writeback_index": WRITEBACK, "alert_time_limit": {"minutes": 5}}
    config = directory / "config.yaml"
    config.write_text(json.dumps(common))
    for name, rule in RULES.items():
        whole = {"name": f"{GROUP}-{name}", "index": GROUP, "realert": {"minutes": 0}, "alert": ["post2"],
                 "http_post2_url": f"http://127.0.0.1:{port}/{name}", "http_post2_all_values": True, **rule}
        (rules / f"{name}.yaml").write_text(json.dumps(whole))
    return config


def environment():
    return {key: value for key, value in os.environ.items() if not key.startswith("ES_")}


def run(module, *arguments):
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, timeout=600,
                          env=environment(), check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout + done.stderr


def run_until_all_rules_ran(config, log):
    """Runs it as a service does: from a time in the past, without an end. With --end it exits before its threads are done
    with their rules."""
    command = [sys.executable, "-m", "elastalert.elastalert", "--config", str(config), "--verbose",
               "--start", f"{START:%Y-%m-%dT%H:%M:%S}+00:00"]
    with log.open("w") as out:
        service = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment())
        try:
            for _ in range(300):
                said = log.read_text()
                if all(f"Ran {GROUP}-{name} from" in said for name in RULES) or service.poll() is not None:
                    break
                time.sleep(1)
        finally:
            service.terminate()
            service.wait(timeout=60)
    return log.read_text()


@check
def its_command_makes_its_indices_and_its_rules_find_what_happened():
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        config = configure(directory, receiver.server_address[1])
        made = run("elastalert.create_index", "--config", str(config), "--no-auth")
        assert "Done!" in made, made
        again = run("elastalert.create_index", "--config", str(config), "--no-auth")
        assert "already exists" in again, again
        said = run_until_all_rules_ran(config, directory / "log")
    receiver.shutdown()
    not_run = [name for name in RULES if f"Ran {GROUP}-{name} from" not in said]
    assert not not_run, (not_run, said[-3000:])
    found = sorted({name for name, _ in ALERTS})
    assert found == ["change", "many", "quiet", "spike"], (found, said[-3000:])
    many = [body for name, body in ALERTS if name == "many"]
    assert len(many) == 1 and many[0]["num_hits"] >= MANY, many
    change = [body for name, body in ALERTS if name == "change"]
    assert [(body["user"], body["old_value"], body["new_value"]) for body in change] == [("ann", ["DE"], ["FR"])], change
    assert "Traceback" not in said and "ERROR" not in said, said[-3000:]


@check
def what_it_did_is_in_its_indices():
    answer = requests.get(f"{URL}/elasticsearch/{WRITEBACK}/_search", params={"q": "alert_sent:true", "size": 0}, timeout=30)
    assert answer.json()["hits"]["total"]["value"] >= 4, answer.text


if __name__ == "__main__":
    main()
