#!/usr/bin/env python3
"""Scrapes beside a Prometheus with the same prometheus.yml: the same series, values and ends of series, targets, metadata and exemplars.

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
CATAT = os.environ.get("CATAT_EXECUTABLE", "target/debug/catat")
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
OPEN = """# TYPE visits counter
# HELP visits Visits of \\"pages\\".
visits_total{path="/"} 17 # {trace_id="4bf92f35"} 1 %d.5
# TYPE weight_grams histogram
# UNIT weight_grams grams
weight_grams_bucket{le="1.0"} 1 # {trace_id="77aa",span_id="b7ad"} 0.25
weight_grams_bucket{le="+Inf"} 2 # {} 3
weight_grams_sum 3.25
weight_grams_count 2
# TYPE build info
build_info{version="1"} 1
# EOF
""" % (time.time() - 60)
LABELLED = 'owned{job="own",instance="there",exported_job="mine"} 1\nempty{job=""} 2\n'
PAGES = [
    {
        "/plain": PLAIN + "goes_away 1\n",
        "/labelled": LABELLED,
        "/breaks": "fine 1\nalso 2\n",
        "/grows": "one 1\ntwo 2\n",
        "/probe?module=icmp&target=10.0.0.7": "probe_success 1\n",
        "/twice": "a 1\na 2\n",
        "/open": OPEN,
    },
    {
        "/plain": PLAIN + "comes_later 1\n",
        "/labelled": LABELLED,
        "/breaks": "<html>\n",
        "/grows": "one 1\ntwo 2\nthree 3\n",
        "/probe?module=icmp&target=10.0.0.7": "probe_success 0\n",
        "/twice": "a 1\na 2\n",
        "/open": OPEN,
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
        kind = "application/openmetrics-text; version=1.0.0" if self.path == "/open" else "text/plain; version=0.0.4"
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
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
        {"job_name": "open", "metrics_path": "/open", "static_configs": static},
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


@contextlib.contextmanager
def both():
    """Starts a page server, and us and a Prometheus that scrape it; gives the pages, a file of targets, and both addresses."""
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
        stack.enter_context(running([PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={directory}/tsdb", f"--web.listen-address={other}",
                                     "--enable-feature=exemplar-storage"], directory / "log2"))
        yield pages, targets, (f"http://{own}/prometheus", f"http://{other}")


def data_of(base, path, **params):
    """The answer to a request; None before there is a server."""
    try:
        answer = requests.get(f"{base}/api/v1/{path}", params=params, timeout=10)
    except requests.ConnectionError:
        return None
    return answer.json().get("data") if answer.ok else None


def targets_of(base):
    """Active and dropped targets without times and texts of errors, each as JSON and in order."""
    data = data_of(base, "targets") or {"activeTargets": [], "droppedTargets": []}
    varying = {"lastError", "lastScrape", "lastScrapeDuration"}
    active = [{key: value for key, value in target.items() if key not in varying} | {"fails": bool(target["lastError"])} for target in data["activeTargets"]]
    dropped = [target["discoveredLabels"] for target in data["droppedTargets"]]
    return [sorted(json.dumps(target, sort_keys=True) for target in targets) for targets in (active, dropped)]


def described(base):
    """What is known of metrics, and of the metrics of each target; about scrapes only a Prometheus says nothing."""
    metrics, of_targets = data_of(base, "metadata") or {}, data_of(base, "targets/metadata") or []
    # A Prometheus also knows what it read of pages that failed as a whole, and of metrics that relabelling dropped.
    failed = [target["labels"] for target in (data_of(base, "targets") or {"activeTargets": []})["activeTargets"] if target["health"] == "down"]
    of_targets = [one for one in of_targets if one["target"] not in failed and (one["target"]["job"], one["metric"]) != ("relabelled", "took_seconds")]
    open_page = data_of(base, "targets/metadata", match_target='{job="open"}', metric="weight_grams")
    return metrics, sorted(json.dumps(one, sort_keys=True) for one in of_targets), open_page


def exemplars_of(base):
    rows = data_of(base, "query_exemplars", query='{job="open"}', start=time.time() - 3600, end=time.time()) or []
    # Without a time of its own an exemplar has that of a scrape.
    return sorted(json.dumps([row["seriesLabels"], [[one["labels"], float(one["value"])] for one in row["exemplars"]]], sort_keys=True) for row in rows)


def until_same(what, ask, bases, is_done):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        own, other = (ask(base) for base in bases)
        if own == other and is_done(other):
            return
        time.sleep(0.5)
    raise AssertionError(f"{what}: ours and Prometheus':\n{json.dumps(own, indent=1)}\n{json.dumps(other, indent=1)}")


@check
def targets_metadata_and_exemplars_are_those_of_a_prometheus():
    if not PROMETHEUS:
        print("# left out: there is no prometheus")
        return
    with both() as (_, _, bases):
        until_same("targets", targets_of, bases, lambda found: len(found[0]) == 13 and len(found[1]) == 1 and "unknown" not in str(found))
        until_same("pools", lambda base: (data_of(base, "scrape_pools") or {}).get("scrapePools"), bases, lambda found: found is None or len(found) == 14)
        until_same("metadata", described, bases, lambda found: "weight_grams" in found[0] and found[2])
        until_same("exemplars", exemplars_of, bases, lambda found: len(found) == 3)


@check
def series_are_those_of_a_prometheus():
    if not PROMETHEUS:
        print("# left out: there is no prometheus")
        return
    with both() as (pages, targets, bases):
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
