#!/usr/bin/env python3
"""Scrapes beside a Prometheus with the same prometheus.yml: the same series, the same values, the same ends of series.

Both have a page server of our own as their targets, which changes its pages. CATAT_EXECUTABLE names our program.
"""
import base64
import contextlib
import glob
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import requests

from check import check, main

ROOT = pathlib.Path(__file__).resolve().parents[2]
CATAT = os.environ.get("CATAT_EXECUTABLE", "target/release/catat")
PROMETHEUS = shutil.which("prometheus") or next(iter(glob.glob(str(ROOT / "target" / "prometheus" / "usr" / "bin" / "prometheus"))), None)
DEADLINE_S = 60

PLAIN = """# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200",path="/a\\"b\\\\c\\nd"} 1027
requests_total{code="500",path="é"} 3
temperature NaN
ceiling +Inf
# TYPE took_seconds histogram
took_seconds_bucket{le="0.5"} 1
took_seconds_bucket{le="1.0"} 2
took_seconds_bucket{le="+Inf"} 2
took_seconds_sum 1.25
took_seconds_count 2
"""
LABELLED = 'owned{job="own",instance="there",exported_job="mine"} 1\nempty{job=""} 2\n'
PAGES = [
    {
        "/plain": PLAIN + "goes_away 1\n",
        "/labelled": LABELLED,
        "/breaks": "fine 1\nalso 2\n",
        "/grows": "one 1\ntwo 2\n",
        "/probe?module=icmp&target=10.0.0.7": "probe_success 1\n",
        "/twice": "a 1\na 2\n",
    },
    {
        "/plain": PLAIN + "comes_later 1\n",
        "/labelled": LABELLED,
        "/breaks": "<html>\n",
        "/grows": "one 1\ntwo 2\nthree 3\n",
        "/probe?module=icmp&target=10.0.0.7": "probe_success 0\n",
        "/twice": "a 1\na 2\n",
    },
]


def free_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


class Pages(http.server.ThreadingHTTPServer):
    daemon_threads = True
    pages = PAGES[0]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = self.server.pages.get(self.path)
        if self.path == "/guarded":
            wanted = "Basic " + base64.b64encode(b"ann:tea").decode()
            text = "secret 7\n" if self.headers["Authorization"] == wanted else None
        body = (text or "").encode()
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def jobs(address, directory):
    static = [{"targets": [address], "labels": {"env": "test"}}]
    return [
        {"job_name": "plain", "metrics_path": "/plain", "static_configs": static},
        {"job_name": "labelled", "metrics_path": "/labelled", "static_configs": static},
        {"job_name": "honored", "metrics_path": "/labelled", "honor_labels": True, "static_configs": static},
        {"job_name": "breaks", "metrics_path": "/breaks", "static_configs": static},
        {"job_name": "grows", "metrics_path": "/grows", "sample_limit": 2, "static_configs": static},
        {"job_name": "twice", "metrics_path": "/twice", "static_configs": static},
        {"job_name": "guarded", "metrics_path": "/guarded", "basic_auth": {"username": "ann", "password": "tea"}, "static_configs": static},
        {"job_name": "refused", "metrics_path": "/guarded", "static_configs": static},
        {"job_name": "down", "static_configs": [{"targets": ["127.0.0.1:1"]}]},
        {"job_name": "dropped", "static_configs": static, "relabel_configs": [{"source_labels": ["env"], "regex": "test", "action": "drop"}]},
        {"job_name": "probe", "metrics_path": "/probe", "params": {"module": ["icmp"]}, "static_configs": [{"targets": ["10.0.0.7"]}], "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": address}]},
        {"job_name": "relabelled", "metrics_path": "/plain", "static_configs": static,
         "relabel_configs": [
             {"source_labels": ["__address__"], "regex": r"(.*):\d+", "target_label": "host", "replacement": "${1}-x"},
             {"source_labels": ["__address__"], "modulus": 8, "target_label": "shard", "action": "hashmod"},
             {"source_labels": ["env"], "target_label": "ENV", "action": "uppercase"}],
         "metric_relabel_configs": [
             {"source_labels": ["__name__"], "regex": "took_.*", "action": "drop"},
             {"source_labels": ["code"], "regex": "(.)00", "target_label": "class", "replacement": "${1}xx"},
             {"regex": "code", "action": "labeldrop"},
             {"regex": "pa(th)", "replacement": "mapped_$1", "action": "labelmap"}]},
        {"job_name": "files", "metrics_path": "/twice", "file_sd_configs": [{"files": [f"{directory}/targets*.json"], "refresh_interval": "1s"}],
         "relabel_configs": [{"source_labels": ["__meta_filepath"], "regex": ".*/(.*)", "target_label": "file"}]},
    ]


@contextlib.contextmanager
def running(command, log):
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield
        assert process.poll() is None, log.read_text(encoding="utf-8")
    finally:
        process.terminate()
        process.wait(timeout=30)


def instant(base):
    """Every series that has not ended, and its value; what no two servers can have in common is left out."""
    try:
        answer = requests.get(f"{base}/api/v1/query", params={"query": '{job!=""}'}, timeout=10)
    except requests.ConnectionError:
        return {}
    rows = answer.json()["data"]["result"] if answer.ok else []
    series = {tuple(sorted(row["metric"].items())): row["value"][1] for row in rows}
    return {labels: value for labels, value in series.items() if ("__name__", "scrape_duration_seconds") not in labels}


def until_equal(what, ours, theirs, is_done):
    """Waits until both have the same, and that is what is waited for."""
    end, settled = time.monotonic() + DEADLINE_S, 0
    while time.monotonic() < end:
        own, other = instant(ours), instant(theirs)
        settled = settled + 1 if own == other and is_done(other) else 0
        if settled == 3:
            return other
        # Each look is a request; this is how often it looks.
        time.sleep(0.5)
    different = {labels: (own.get(labels), other.get(labels)) for labels in own.keys() | other.keys() if own.get(labels) != other.get(labels)}
    raise AssertionError(f"{what}: {len(own)} and {len(other)} series; ours and Prometheus': {json.dumps([[dict(k), v] for k, v in different.items()], indent=1)}")


def names(series):
    return {dict(labels)["__name__"] for labels in series}


@check
def series_are_those_of_a_prometheus():
    if not PROMETHEUS:
        print("# left out: there is no prometheus")
        return
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        directory = pathlib.Path(directory)
        pages = Pages(("127.0.0.1", 0), Handler)
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        stack.callback(pages.shutdown)
        address = f"127.0.0.1:{pages.server_address[1]}"
        targets = directory / "targets.json"
        targets.write_text(json.dumps([{"targets": [address], "labels": {"from": "file"}}]), encoding="utf-8")
        config = directory / "prometheus.yml"
        # What is JSON is YAML.
        settings = {"global": {"scrape_interval": "1s", "external_labels": {"region": "eu"}}, "rule_files": [], "scrape_configs": jobs(address, directory)}
        config.write_text(json.dumps(settings), encoding="utf-8")
        (directory / "catat.toml").write_text(f'[[input]]\ntype = "scrape"\nconfig = "{config}"\n', encoding="utf-8")
        own, other = free_address(), free_address()
        stack.enter_context(running([CATAT, "up", "--config", str(directory / "catat.toml"), "--data-dir", str(directory / "data"), "--listen", own], directory / "log"))
        stack.enter_context(running([PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={directory}/tsdb", f"--web.listen-address={other}"], directory / "log2"))
        bases = f"http://{own}/prometheus", f"http://{other}"
        started = until_equal("at first", *bases, lambda series: {"goes_away", "also", "two", "secret", "probe_success"} <= names(series))
        ups = {dict(labels)["job"]: value for labels, value in started.items() if ("__name__", "up") in labels}
        assert ups["down"] == ups["refused"] == "0" and ups["plain"] == ups["guarded"] == "1" and "dropped" not in ups, ups
        pages.pages = PAGES[1]
        targets.write_text("[]", encoding="utf-8")

        def has_changed(series):
            files = [labels for labels in series if ("job", "files") in labels]
            return "comes_later" in names(series) and not names(series) & {"goes_away", "also", "fine"} and not files
        changed = until_equal("after the pages changed", *bases, has_changed)
        ups = {dict(labels)["job"]: value for labels, value in changed.items() if ("__name__", "up") in labels}
        assert ups["breaks"] == ups["grows"] == "0", ups
        counts = {(dict(labels)["job"], dict(labels)["__name__"]): value for labels, value in changed.items()}
        assert counts["grows", "scrape_samples_scraped"] == "3", counts
        # Back again, also what was broken.
        pages.pages = PAGES[0]
        until_equal("after the pages were back", *bases, lambda series: {"goes_away", "also", "fine", "two"} <= names(series))


main()
