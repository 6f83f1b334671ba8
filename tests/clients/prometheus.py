#!/usr/bin/env python3
"""`/metrics` through Prometheus' client library, promtool's lint, and a Prometheus that scrapes it or is written to.

Metrics made of events and spans have a server of their own, which is killed and started again; CATAT_EXECUTABLE names its program.
"""
import contextlib
import functools
import glob
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from check import URL, check, main

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNPACKED = ROOT / "target" / "prometheus" / "usr" / "bin"
CATAT = os.environ.get("CATAT_EXECUTABLE", "target/debug/catat")
DEADLINE_S = 60

METRICS = [
    {"name": "shop_requests_total", "type": "counter", "query": "filter ispresent(ms)", "groups": ["shop/*"], "labels": ["service"]},
    {"name": "shop_took_seconds", "type": "histogram", "field": "took", "buckets": [0.01, 0.1], "help": "Time of requests."},
    {"name": "shop_lately_seconds", "type": "summary", "field": "took", "quantiles": [0.5]},
    {"name": "shop_queue_length", "type": "gauge", "field": "queue"},
]
RULES = """
groups: [{name: g, interval: 1s, rules: [{record: 'shop:requests:count', query: 'stats count(*) as n by service', window: 1h, labels: {team: a}}]}]
"""


def page(url=URL):
    answer = requests.get(f"{url}/metrics", timeout=30)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain"), answer.headers
    return answer.text


def open_metrics(url=URL):
    """The page as OpenMetrics, by a parser that is strict about it."""
    answer = requests.get(f"{url}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}, timeout=30)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text"), answer.headers
    return list(openmetrics.text_string_to_metric_families(answer.text))


def with_program(name):
    """Gives a check the path of a program of Debian's package, or leaves it out and says so."""
    def decorate(function):
        @functools.wraps(function)
        def run():
            path = shutil.which(name) or next(iter(glob.glob(str(UNPACKED / name))), None)
            if path:
                function(path)
            else:
                print(f"# left out: there is no {name}")
        return run
    return decorate


@check
def page_parses_and_every_family_has_type_and_help():
    families = list(text_string_to_metric_families(page()))
    assert families, "no metrics"
    for family in families:
        assert family.type != "unknown", family.name
        assert family.documentation, family.name


@check
def names_are_ours_and_counters_end_in_total():
    for family in text_string_to_metric_families(page()):
        assert family.name.startswith(("catat_", "process_")), family.name
        if family.type == "counter":
            assert all(sample.name.endswith(("_total", "_created")) for sample in family.samples), family.samples


@check
def both_formats_have_the_same_series():
    text = {sample.name for family in text_string_to_metric_families(page()) for sample in family.samples}
    assert text == {sample.name for family in open_metrics() for sample in family.samples}


@check
@with_program("promtool")
def promtool_finds_nothing_to_say(promtool):
    check_metrics(promtool, page())


def check_metrics(promtool, text):
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stdout + done.stderr


def free_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@contextlib.contextmanager
def prometheus_at_work(program, address=None, *more, target=URL, settings=None):
    """A Prometheus that scrapes a server every second; gives a function that asks it."""
    address = address or free_address()
    with tempfile.TemporaryDirectory() as directory:
        scrape = {"job_name": "catat", "scrape_interval": "1s", "static_configs": [{"targets": [urllib.parse.urlsplit(target).netloc]}]}
        file = pathlib.Path(directory, "prometheus.yml")
        # What is JSON is YAML.
        file.write_text(json.dumps({"scrape_configs": [scrape], **(settings or {})}), encoding="utf-8")
        log = pathlib.Path(directory, "log")
        with log.open("wb") as out:
            command = [program, f"--config.file={file}", f"--storage.tsdb.path={directory}/data", f"--web.listen-address={address}", *more]
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)

        def ask(query, path="query", **parameters):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            try:
                answer = requests.get(f"http://{address}/api/v1/{path}", params={"query": query, **parameters}, timeout=10)
            except requests.ConnectionError:
                return []
            data = answer.json()["data"] if answer.ok else []
            return data["result"] if path == "query" and data else data
        try:
            yield ask
        finally:
            process.terminate()
            process.wait(timeout=30)


@check
@with_program("prometheus")
def a_prometheus_scrapes_every_family(program):
    expected = {sample.name for family in text_string_to_metric_families(page()) for sample in family.samples}
    with prometheus_at_work(program) as ask:
        until = time.monotonic() + DEADLINE_S
        is_up, names = [], set()
        while time.monotonic() < until and not (is_up and expected <= names):
            is_up = [series for series in ask('up{job="catat"}') if series["value"][1] == "1"]
            names = {series["metric"]["__name__"] for series in ask('{job="catat"}')}
            # Each look is a request; this is how often it looks.
            time.sleep(0.1)
        assert is_up and expected <= names, f"not scraped: {sorted(expected - names)}"
        version = ask("catat_build_info")
        assert version and version[0]["metric"]["version"] and version[0]["value"][1] == "1", version


# Answered by both programs over the same samples, at the same time.
QUERIES = [
    "up", "count({job=\"catat\"})", "sum by (__name__) ({__name__=~\"process_.+\"})", "max_over_time(up[1m])",
    "rate(process_cpu_seconds_total[10s])", "topk(3, {__name__=~\"catat_.+\"})", "absent(up{job=\"none\"})",
    "up and on (instance) process_start_time_seconds", "label_replace(up, \"host\", \"$1\", \"instance\", \"(.*):.*\")",
]


def same(ours, theirs):
    """The same series with the same numbers, whatever the order."""
    series = [sorted(json.dumps([one["metric"], one["value"]], sort_keys=True) for one in rows) for rows in (ours, theirs)]
    return series[0] == series[1]


@check
@with_program("prometheus")
def a_prometheus_writes_to_us_and_both_answer_alike(program):
    with tempfile.TemporaryDirectory() as data, server_at_work(data) as (_, url):
        remote = {"remote_write": [{"url": f"{url}/prometheus/api/v1/write", "queue_config": {"batch_send_deadline": "200ms"}}]}
        with prometheus_at_work(program, settings=remote) as ask:
            def ours(query, **parameters):
                answer = requests.post(f"{url}/prometheus/api/v1/query", data={"query": query, **parameters}, timeout=10)
                assert answer.ok, answer.text
                return answer.json()["data"]["result"]
            until("samples arrive", lambda: ours("count_over_time(up[1m]) >= 5"))
            # What both have: samples that lie some seconds back.
            at = float(ours("timestamp(up)")[0]["value"][1]) - 2
            for query in QUERIES:
                assert same(ours(query, time=at), ask(query, time=at)), f"{query}: {ours(query, time=at)} {ask(query, time=at)}"
            labels = requests.get(f"{url}/prometheus/api/v1/label/job/values", timeout=10).json()
            assert labels["data"] == ["catat"], labels
            series = requests.get(f"{url}/prometheus/api/v1/series", params={"match[]": "up"}, timeout=10).json()
            assert [one["job"] for one in series["data"]] == ["catat"], series
            rows = requests.post(f"{url}/api/v1/query", json={"query": "filter name = 'up' | stats max(value) as top by job"}, timeout=10).json()
            assert rows["rows"] == [["catat", 1]], rows


# Read by both programs as it is. What it asks does not change from scrape to scrape, so that it does not matter when it is asked.
RULE_FILE = r"""
groups:
  - name: both
    interval: 1s
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
        labels: {source: rules}
      - record: job:up:third
        expr: job:up:sum / 3
      - alert: Scraped
        expr: up == 1
        for: 2s
        labels:
          severity: page
          where: "{{ $labels.instance | stripPort }}"
        annotations:
          summary: "{{ $labels.job }} has {{ $value | humanizePercentage }} ({{ printf \"%.2f\" $value }})"
          counted: "{{ with query \"count(up)\" }}{{ . | first | value | humanize }}{{ end }}"
          long: "{{ 93784.5 | humanizeDuration }}, {{ 1572864.0 | humanize1024 }}, {{ if gt $value 0.5 }}up{{ else }}down{{ end }}"
      - alert: Scraped
        expr: up > bool 0
        labels: {severity: info}
      - alert: Lost
        expr: up == 0
"""
# What Prometheus computes is computed here again and not taken from it.
COMPUTED = [{"source_labels": ["__name__"], "regex": "job:.+|ALERTS.*", "action": "drop"}]


def rules_of(base):
    """Groups of rules without what depends on time: name, type, query and labels of each."""
    groups = requests.get(f"{base}/api/v1/rules", timeout=10).json()["data"]["groups"]
    keys = ["name", "type", "query", "labels", "duration", "keepFiringFor", "annotations", "health", "state"]
    def one(value):
        return float(value) if isinstance(value, int) else value
    # A recording rule without labels has the key in some versions of Prometheus.
    rules = [{**{key: one(rule.get(key)) for key in keys}, "labels": rule.get("labels", {})} for group in groups if group["name"] == "both" for rule in group["rules"]]
    return sorted(json.dumps(rule, sort_keys=True) for rule in rules)


def alerts_of(base):
    """Alerts without their times; none while the program starts."""
    answer = requests.get(f"{base}/api/v1/alerts", timeout=10)
    alerts = answer.json()["data"]["alerts"] if answer.ok else []
    alerts = [{key: alert[key] for key in ["labels", "annotations", "state", "value"]} for alert in alerts]
    return sorted(json.dumps(alert, sort_keys=True) for alert in alerts)


@check
@with_program("prometheus")
def a_rule_file_of_prometheus_fires_and_records_here_as_there(program):
    address = free_address()
    with tempfile.TemporaryDirectory() as data:
        rules = pathlib.Path(data, "rules")
        rules.mkdir()
        (rules / "both.yaml").write_text(RULE_FILE, encoding="utf-8")
        with server_at_work(data) as (_, url):
            write = {"url": f"{url}/prometheus/api/v1/write", "queue_config": {"batch_send_deadline": "200ms"}, "write_relabel_configs": COMPUTED}
            with prometheus_at_work(program, address, settings={"remote_write": [write], "rule_files": [str(rules / "both.yaml")]}) as ask:
                ours, theirs = f"{url}/prometheus", f"http://{address}"
                def both():
                    firing = [one for one in alerts_of(theirs) if '"firing"' in one]
                    return firing if len(firing) == 2 else None
                firing = until("both alerts fire there", both)
                until("all alerts fire here", lambda: alerts_of(ours) == firing)
                assert rules_of(ours) == rules_of(theirs), f"{rules_of(ours)}\n{rules_of(theirs)}"

                def series(base, query):
                    answer = requests.get(f"{base}/api/v1/query", params={"query": query}, timeout=10).json()
                    return sorted(json.dumps([one["metric"], one["value"][1]], sort_keys=True) for one in answer["data"]["result"])
                for query in ['{__name__=~"job:up:.+"}', "ALERTS", "count(ALERTS_FOR_STATE)"]:
                    assert ask(query), query
                    until(query, lambda query=query: series(ours, query) == series(theirs, query))
                # What is recorded equals what Prometheus computes over the same samples at the same times.
                found = requests.get(f"{ours}/api/v1/query", params={"query": "job:up:third[10s]"}, timeout=10).json()["data"]["result"]
                for time_s, value in found[0]["values"]:
                    assert ask("sum by (job) (up) / 3", time=time_s)[0]["value"][1] == value, (time_s, value)
                rows = requests.post(f"{url}/api/v1/query", json={"query": "job:up:sum", "language": "promql"}, timeout=10).json()
                assert [column["name"] for column in rows["columns"]] == ["@timestamp", "__name__", "job", "source", "value"], rows
                assert rows["rows"][0][1:] == ["job:up:sum", "catat", "rules", 1.0], rows
        promtool = str(pathlib.Path(program).with_name("promtool"))
        checked = subprocess.run([promtool, "check", "rules", str(rules / "both.yaml")], capture_output=True, text=True, timeout=60)
        assert checked.returncode == 0, checked.stdout + checked.stderr


@check
@with_program("promtool")
def promtool_queries_us(promtool):
    with tempfile.TemporaryDirectory() as data, server_at_work(data) as (_, url):
        def of(*command):
            done = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout.strip()
        assert of("query", "instant", f"{url}/prometheus", "vector(7)").startswith("{} => 7 @["), of("query", "instant", f"{url}/prometheus", "vector(7)")
        assert of("query", "range", "--step=1m", f"{url}/prometheus", "vector(7)").count("7 @[") >= 4
        assert of("query", "labels", f"{url}/prometheus", "job") == ""


@contextlib.contextmanager
def server_at_work(data, **settings):
    """A server of one's own; gives its process and its address."""
    address = free_address()
    environment = os.environ | {f"CATAT_METRICS__{name.upper()}": value for name, value in settings.items()}
    with pathlib.Path(data, "log").open("ab") as log:
        command = [CATAT, "serve", "--data-dir", str(data), "--listen", address]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    url = f"http://{address}"
    try:
        until("the server is ready", lambda: requests.get(f"{url}/-/ready", timeout=5).ok)
        yield process, url
    finally:
        process.terminate()
        process.wait(timeout=30)


def until(what, ask):
    """Asks until there is an answer."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        with contextlib.suppress(requests.ConnectionError):
            if answer := ask():
                return answer
        # Each look is a request; this is how often it looks.
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {DEADLINE_S} s")


def send(url, n, service="api"):
    events = ({"message": "request", "service": service, "ms": 5 + at % 2, "took": 0.005 + at % 2, "queue": at} for at in range(n))
    body = "\n".join(json.dumps(event) for event in events)
    requests.post(f"{url}/api/v1/ingest?group=shop/web", data=body, timeout=60).raise_for_status()


def values(url):
    """All samples of a page, by name and labels."""
    families = text_string_to_metric_families(page(url))
    return {(sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples}


REQUESTS = ("shop_requests_total", ("service", "api"))


@check
@with_program("promtool")
def what_is_made_of_events_counts_what_was_sent_also_over_a_kill_and_promtool_has_nothing_to_say(promtool):
    with tempfile.TemporaryDirectory() as data:
        with server_at_work(data) as (process, url):
            send(url, 7)
            for metric in METRICS:
                requests.post(f"{url}/api/v1/metrics", json=metric, timeout=30).raise_for_status()
            send(url, 1000)
            found = values(url)
            assert found[REQUESTS] == 1000, found
            assert found["shop_took_seconds_bucket", ("le", "0.01")] == 500, found
            assert found["shop_took_seconds_count",] == 1000 and found["shop_queue_length",] == 999, found
            assert abs(found["shop_lately_seconds", ("quantile", "0.5")] - 0.005) < 0.0001, found
            check_metrics(promtool, page(url))
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=30)
        with server_at_work(data) as (process, url):
            assert values(url)[REQUESTS] == 1000
            send(url, 5)
            assert values(url)[REQUESTS] == 1005
        with server_at_work(data) as (process, url):
            assert values(url)[REQUESTS] == 1005
            check_metrics(promtool, page(url))


@check
@with_program("prometheus")
def a_prometheus_is_written_to_and_gets_what_it_missed(program):
    receiver = free_address()
    with tempfile.TemporaryDirectory() as data:
        pathlib.Path(data, "rules").mkdir()
        pathlib.Path(data, "rules", "record.yaml").write_text(RULES, encoding="utf-8")
        settings = {"remote_write": f"http://{receiver}/api/v1/write", "remote_write_interval": "1s", "remote_write_own": "true"}
        with server_at_work(data, **settings) as (_, url):
            requests.post(f"{url}/api/v1/metrics", json=METRICS[0], timeout=30).raise_for_status()
            send(url, 3)
            send(url, 4, "db")

            def failures():
                return values(url)["catat_remote_write_failures_total",]
            before = failures()
            # It waits longer each time, and writes down what there is meanwhile.
            until("it fails and goes on", lambda: failures() >= before + 3)
            started = time.time()
            with prometheus_at_work(program, receiver, "--web.enable-remote-write-receiver") as ask:
                of_server = f'job="catat",instance="{urllib.parse.urlsplit(url).netloc}"'

                def value(query):
                    found = ask(query)
                    return float(found[0]["value"][1]) if found else None
                until("the counter", lambda: value(f'shop_requests_total{{service="api",{of_server}}}') == 3)
                until("another one", lambda: value(f'shop_requests_total{{service="db",{of_server}}}') == 4)
                until("what was recorded", lambda: value(f'shop:requests:count{{service="db",team="a",{of_server}}}') == 4)
                until("its own", lambda: value(f"catat_events_accepted_total{{{of_server}}}"))
                # From before it was there.
                oldest = ask(f'shop_requests_total{{service="api",{of_server}}}[5m]')[0]["values"][0][0]
                assert oldest < started, (oldest, started)
                assert values(url)["catat_remote_write_dropped_samples_total",] == 0


def send_spans(url):
    """Sends two quick spans and a slow one that failed; gives the trace of the latter."""
    provider = TracerProvider(resource=Resource.create({"service.name": "checkout"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{url}/v1/traces")))
    now = time.time_ns()
    for at, ms in enumerate([5, 5, 3000]):
        span = provider.get_tracer("test").start_span("POST /pay", kind=SpanKind.SERVER, start_time=now + at)
        if ms > 1000:
            span.set_status(StatusCode.ERROR)
        span.end(end_time=now + at + ms * 1_000_000)
    provider.shutdown()
    return f"{span.get_span_context().trace_id:032x}"


def metrics_of_spans_reach(program, is_written):
    receiver = free_address()
    settings = {"remote_write": f"http://{receiver}/api/v1/write", "remote_write_interval": "1s"} if is_written else {}
    options = ["--enable-feature=exemplar-storage", "--web.enable-remote-write-receiver"]
    with tempfile.TemporaryDirectory() as data:
        pathlib.Path(data, "rules").mkdir()
        shutil.copy(ROOT / "config" / "rules" / "packs" / "span-metrics.yaml", pathlib.Path(data, "rules"))
        with server_at_work(data, **settings) as (_, url):
            slow = send_spans(url)
            failed = {"service": "checkout", "span_name": "POST /pay", "span_kind": "SPAN_KIND_SERVER", "status_code": "STATUS_CODE_ERROR"}
            found = [sample for family in open_metrics(url) for sample in family.samples if sample.exemplar]
            found = [sample for sample in found if sample.labels == failed | {"le": "4.096"}]
            assert len(found) == 1 and found[0].exemplar.labels == {"trace_id": slow} and found[0].exemplar.value == 3, found
            with prometheus_at_work(program, receiver, *options, target=URL if is_written else url) as ask:
                def value(query):
                    answer = ask(query)
                    return float(answer[0]["value"][1]) if answer else None
                until("the spans", lambda: value("sum(traces_spanmetrics_calls_total)") == 3)
                assert value('traces_spanmetrics_calls_total{status_code="STATUS_CODE_ERROR"}') == 1
                assert abs(value("sum(traces_spanmetrics_latency_sum)") - 3.01) < 1e-9
                p95 = "histogram_quantile(0.95, sum by (le) (traces_spanmetrics_latency_bucket))"
                assert 2.048 < value(p95) <= 4.096, value(p95)
                exemplars = ask(p95, "query_exemplars", start=time.time() - 600, end=time.time() + 60)
                assert slow in {one["labels"]["trace_id"] for series in exemplars for one in series["exemplars"]}, exemplars


@check
@with_program("prometheus")
def a_prometheus_scrapes_the_metrics_of_spans_with_exemplars(program):
    metrics_of_spans_reach(program, is_written=False)


@check
@with_program("prometheus")
def a_prometheus_is_written_the_metrics_of_spans_with_exemplars(program):
    metrics_of_spans_reach(program, is_written=True)


main()
