#!/usr/bin/env python3
"""`config/grafana` as Grafana uses it, without a Grafana: its files are read, variables filled in, and each panel's query is
sent in the form in which its source sends it. Answers are decoded as Grafana's backends do it, by number and kind of
columns, and compared with the native door. Needs the events of tests/demo_data.py.
"""
import datetime
import json
import os
import pathlib
import re
import string
import time

import boto3
import requests
import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from check import URL, check, main

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "config" / "grafana"
# All of the demo events, in whole steps of any panel.
STEP_S = 900
TO = (int(time.time()) // STEP_S + 2) * STEP_S
FROM = TO - 26 * 3600
# Pixels, which are the points that a panel asks for.
WIDTH = 1000
GRAFANA_PREFIX = ("fields @timestamp,ltrim(@log) as __log__grafana_internal__,"
                  "ltrim(@logStream) as __logstream__grafana_internal__|")


def environment():
    """What grafana.env says, with the address of this server."""
    lines = (CONFIG / "grafana.env").read_text(encoding="utf-8").splitlines()
    named = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return named | {"CATAT_URL": os.environ.get("CATAT_URL", URL)}


def provisioned(kind):
    text = (CONFIG / "provisioning" / kind / "catat.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(string.Template(text).substitute(environment()))


SOURCES = {source["uid"]: source for source in provisioned("datasources")["datasources"]}
DASHBOARDS = [json.loads(path.read_text(encoding="utf-8"))
              for path in sorted((CONFIG / "provisioning" / "dashboards" / "catat").glob("*.json"))]


class Frame:
    """A table as a source gives it to a panel: columns with a kind, and labels of a series."""

    def __init__(self, columns, labels=None):
        self.columns, self.labels = columns, labels or {}
        assert len({len(values) for _, values in columns.values()}) <= 1, "columns of different lengths"

    def column(self, name):
        return self.columns[name][1]

    def numbers(self):
        return [value for kind, values in self.columns.values() if kind == "number" for value in values if value is not None]

    def n_rows(self):
        return len(next(iter(self.columns.values()))[1]) if self.columns else 0


def native(query, groups):
    asked = {"query": query, "groups": groups, "limit": 10_000,
             "from": datetime.datetime.fromtimestamp(FROM, datetime.timezone.utc).isoformat(),
             "to": datetime.datetime.fromtimestamp(TO, datetime.timezone.utc).isoformat()}
    answer = requests.post(f"{URL}/api/v1/query", json=asked, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


# --- Variables ----------------------------------------------------------------------------------------------------

def loki_text(variable, value):
    """A value in LogQL: of variables with several values each is escaped for a regular expression within a string."""
    if not variable.get("multi"):
        return value.replace("'", "\\\\'")
    one = lambda text: re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", text.replace("\\", "\\\\\\\\"))
    return "|".join(one(text) for text in value)


def lucene_text(_variable, value):
    one = lambda text: re.sub(r'[!*+\-=<>\s&|()\[\]{}^~?:\\/"]', r"\\\g<0>", text)
    return one(value) if isinstance(value, str) else "(" + " OR ".join(f'"{one(text)}"' for text in value) + ")"


def plain_text(_variable, value):
    return value if isinstance(value, str) else "{" + ",".join(value) + "}"


class Variables:
    """The variables of a dashboard with all that they can have."""

    def __init__(self, dashboard):
        self.all = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
        self.values = {}
        for name, variable in self.all.items():
            self.values[name] = self.asked(variable) if variable["type"] == "query" else variable["query"]

    def asked(self, variable):
        query = variable["query"]
        assert variable["datasource"]["uid"] == "catat-loki" and query["type"] == 1, variable
        more = {"query": self.fill(query["stream"], loki_text)} if query["stream"] else {}
        found = loki_get(f"label/{query['label']}/values", start=FROM * 10**9, end=TO * 10**9, **more)["data"]
        found = [value for value in found if query["label"] != "group" or value.startswith("demo/")]
        assert found, f"the variable {variable['name']} has no values: are the demo events there?"
        return found

    def fill(self, text, form):
        def value(found):
            name = found[1] or found[2]
            if name not in self.all:
                return found[0]
            every = self.all[name].get("allValue")
            return every if every else form(self.all[name], self.values[name])
        return re.sub(r"\$(?:(\w+)|\{(\w+)\})", value, text)

    def list(self, text):
        """The values of a text that is one variable."""
        value = self.values[text.lstrip("$")]
        return [value] if isinstance(value, str) else value


# --- Loki ---------------------------------------------------------------------------------------------------------

def loki_get(path, **parameters):
    source = SOURCES["catat-loki"]
    headers = {"User-Agent": "Grafana/12.3.0", "Accept-Encoding": "gzip", "X-Loki-Response-Encoding-Flags": "categorize-labels"}
    login = (source["basicAuthUser"], source["secureJsonData"]["basicAuthPassword"])
    answer = requests.get(f"{source['url']}/loki/api/v1/{path}", params=parameters, headers=headers, auth=login, timeout=60)
    assert answer.status_code == 200, (path, parameters, answer.text)
    return answer.json()


def rounded_interval_s():
    """The interval of a panel: the range over its points, to one that people count in."""
    raw = (TO - FROM) / WIDTH
    return next(step for step, below in [(1, 1.5), (2, 3.5), (5, 7.5), (10, 12.5), (15, 17.5), (20, 25), (30, 45), (60, 90),
                                         (120, 210), (300, 450), (600, 750)] if raw < below)


def loki_query(target, variables):
    step = rounded_interval_s()
    is_instant = target["queryType"] == "instant"
    text = variables.fill(target["expr"], loki_text)
    for name, value in (("$__range_s", str(TO - FROM)), ("$__range", f"{TO - FROM}s"), ("$__interval", f"{step}s"),
                        ("$__auto", f"{TO - FROM}s" if is_instant else f"{step}s")):
        text = text.replace(name, value)
    sent = {"query": text, "direction": "backward"}
    if target.get("maxLines"):
        sent["limit"] = target["maxLines"]
    if is_instant:
        answer = loki_get("query", time=TO * 10**9, **sent)
    else:
        answer = loki_get("query_range", start=FROM * 10**9, end=TO * 10**9, step=f"{step * 1000}ms", **sent)
    assert answer["status"] == "success", answer
    return loki_frames(answer["data"])


def loki_frames(data):
    if data["resultType"] == "streams":
        return loki_lines(data)
    frames = []
    for series in data["result"]:
        points = [series["value"]] if data["resultType"] == "vector" else series["values"]
        assert all(len(point) == 2 and isinstance(point[1], str) for point in points), points[:3]
        frames.append(Frame({"Time": ("time", [float(when) for when, _ in points]),
                             "Value": ("number", [float(value) for _, value in points])}, series["metric"]))
    return frames


def loki_lines(data):
    assert data["encodingFlags"] == ["categorize-labels"], data.keys()
    labels, times, lines = [], [], []
    for stream in data["result"]:
        for nanoseconds, line, more in stream["values"]:
            assert set(more) <= {"structuredMetadata", "parsed"}, more
            labels.append(stream["stream"] | more.get("structuredMetadata", {}) | more.get("parsed", {}))
            assert all(isinstance(value, str) for value in labels[-1].values()), labels[-1]
            times.append(int(nanoseconds))
            lines.append(line)
    return [Frame({"labels": ("json", labels), "Time": ("time", times), "Line": ("string", lines)})]


# --- Elasticsearch ------------------------------------------------------------------------------------------------

def elastic(method, path, **more):
    source = SOURCES["catat-elasticsearch"]
    login = (source["basicAuthUser"], source["secureJsonData"]["basicAuthPassword"])
    answer = requests.request(method, f"{source['url']}/{path}", auth=login, timeout=60, **more)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def elastic_query(target, variables):
    """One `_msearch`, as the backend puts it together."""
    target = target | {"query": variables.fill(target["query"], lucene_text)}
    target = json.loads(variables.fill(json.dumps(target), plain_text))
    index, field = SOURCES["catat-elasticsearch"]["jsonData"]["index"], target["timeField"]
    head = {"search_type": "query_then_fetch", "ignore_unavailable": True, "index": index}
    between = {"gte": FROM * 1000, "lte": TO * 1000, "format": "epoch_millis"}
    body = {"size": 0, "query": {"bool": {"filter": [
        {"range": {field: between}}, {"query_string": {"analyze_wildcard": True, "query": target["query"]}}]}}}
    metric = target["metrics"][0]
    over_time = {"field": field, "fixed_interval": f"{rounded_interval_s() * 1000}ms", "min_doc_count": 0,
                 "extended_bounds": {"min": FROM * 1000, "max": TO * 1000}, "format": "epoch_millis"}
    if metric["type"] == "logs":
        body |= {"size": int(metric["settings"]["limit"]), "docvalue_fields": [field], "script_fields": {},
                 "sort": [{field: {"order": "desc", "unmapped_type": "boolean"}}, {"_doc": {"order": "desc"}}],
                 "fields": [{"field": field, "format": "strict_date_optional_time_nanos"}],
                 "highlight": {"fields": {"*": {}}, "pre_tags": ["@HIGHLIGHT@"], "post_tags": ["@/HIGHLIGHT@"],
                               "fragment_size": 2147483647},
                 "aggs": {"1": {"date_histogram": over_time}}}
    else:
        body["aggs"] = elastic_aggregations(target, over_time)
    sent = f"{json.dumps(head)}\n{json.dumps(body)}\n"
    answer = elastic("POST", "_msearch?max_concurrent_shard_requests=5", data=sent,
                     headers={"Content-Type": "application/x-ndjson"})["responses"]
    assert len(answer) == 1 and answer[0]["status"] == 200, answer
    if metric["type"] == "logs":
        return elastic_lines(answer[0], field)
    frames = []
    elastic_frames(answer[0]["aggregations"], target["bucketAggs"], target["metrics"], {}, frames)
    return frames


def elastic_aggregations(target, over_time):
    inner = {metric["id"]: {metric["type"]: {"field": metric["field"], **metric.get("settings", {})}}
             for metric in target["metrics"] if metric["type"] != "count"}
    for bucket in reversed(target["bucketAggs"]):
        if bucket["type"] == "date_histogram":
            one = {"date_histogram": over_time}
        elif bucket["type"] == "terms":
            settings = bucket["settings"]
            one = {"terms": {"field": bucket["field"], "size": int(settings["size"]), "min_doc_count": int(settings["min_doc_count"]),
                             "order": {settings["orderBy"]: settings["order"]}}}
        else:
            assert bucket["type"] == "filters", bucket
            one = {"filters": {"filters": {one["label"]: {"query_string": {"query": one["query"], "analyze_wildcard": True}}
                                           for one in bucket["settings"]["filters"]}}}
        inner = {bucket["id"]: one | ({"aggs": inner} if inner else {})}
    return inner


def elastic_frames(found, buckets, metrics, labels, frames):
    """Buckets over time become series with the keys around them as labels; others a table."""
    (bucket, *within), parts = buckets, found[buckets[0]["id"]]["buckets"]
    if within:
        for key, part in parts.items() if isinstance(parts, dict) else ((part["key"], part) for part in parts):
            elastic_frames(part, within, metrics, labels | {bucket.get("field", "filter"): key}, frames)
        return
    for metric in metrics:
        of = [[(str(percent), part[metric["id"]]["values"].get(f"{float(percent)}")) for percent in metric["settings"]["percents"]]
              if metric["type"] == "percentiles" else [("Value", part["doc_count"])] for part in parts]
        for at, (name, _) in enumerate(of[0] if of else []):
            keys = ("time", [part["key"] for part in parts]) if bucket["type"] == "date_histogram" else \
                ("string", [str(part["key"]) for part in parts])
            more = {"percent": name} if metric["type"] == "percentiles" else {}
            frames.append(Frame({"key": keys, "Value": ("number", [row[at][1] for row in of])}, labels | more))


def elastic_lines(answer, field):
    hits = answer["hits"]["hits"]
    histogram = answer["aggregations"]["1"]["buckets"]
    assert sum(part["doc_count"] for part in histogram) == answer["hits"]["total"]["value"], answer["hits"]["total"]
    for hit in hits:
        assert set(hit) >= {"_index", "_id", "_source", "sort", "fields"} and len(hit["sort"]) == 2, hit
        assert {"message", "level"} <= set(hit["_source"]), hit
    when = [hit["fields"][field][0] for hit in hits]
    assert when == sorted(when, reverse=True)
    return [Frame({"@timestamp": ("time", when), "line": ("string", [hit["_source"]["message"] for hit in hits])})]


# --- CloudWatch ---------------------------------------------------------------------------------------------------

def cloudwatch():
    source = SOURCES["catat-cloudwatch"]
    config = Config(retries={"max_attempts": 0})
    return boto3.client("logs", endpoint_url=source["jsonData"]["endpoint"], region_name=source["jsonData"]["defaultRegion"],
                        aws_access_key_id=source["secureJsonData"]["accessKey"],
                        aws_secret_access_key=source["secureJsonData"]["secretKey"], config=config)


def cloudwatch_query(target, variables):
    logs = cloudwatch()
    groups = [group for chosen in target["logGroups"] for group in variables.list(chosen["arn"])]
    text = GRAFANA_PREFIX + variables.fill(target["expression"], plain_text)
    started = logs.start_query(queryString=text, startTime=FROM, endTime=TO, logGroupIdentifiers=groups,
                               queryLanguage=target["queryLanguage"])
    while True:
        answer = logs.get_query_results(queryId=started["queryId"])
        if answer["status"] in ("Complete", "Cancelled", "Failed"):
            break
        # Grafana's own shortest time between two looks.
        time.sleep(0.1)
    assert answer["status"] == "Complete" and answer["statistics"]["recordsScanned"] >= 0, answer
    frame = cloudwatch_frame(answer["results"])
    is_over_time = any(kind == "time" for kind, _ in frame.columns.values())
    return grouped(frame, target["statsGroups"]) if is_over_time and target["statsGroups"] else [frame]


def cloudwatch_frame(results):
    """Columns in the order in which they are first seen; the first value decides the kind of its column."""
    rows = [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in results]
    columns = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        cells = [row.get(name) for row in rows]
        kind = kind_of(next(cell for cell in cells if cell is not None))
        if kind == "number" and not all(cell is None or kind_of(cell) == "number" for cell in cells):
            kind = "string"
        # A time that cannot be read is an error of the whole answer.
        read = {"time": time_of, "number": float, "string": str}[kind]
        columns[name] = (kind, [None if cell is None else read(cell) for cell in cells])
    return Frame(columns)


def time_of(cell):
    return datetime.datetime.strptime(cell, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=datetime.timezone.utc).timestamp()


def kind_of(cell):
    for kind, read in (("time", time_of), ("number", float)):
        try:
            read(cell)
            return kind
        except ValueError:
            continue
    return "string"


def grouped(frame, names):
    """One series for each set of values of the columns that the query groups by, but for that of time."""
    missing = [name for name in names if name not in frame.columns]
    assert not missing, f"{missing} are not columns: {list(frame.columns)}"
    keys = [name for name in names if frame.columns[name][0] != "time"]
    parts = {}
    for at in range(frame.n_rows()):
        parts.setdefault(tuple(frame.column(name)[at] for name in keys), []).append(at)
    left = {name: column for name, column in frame.columns.items() if name not in keys}
    return [Frame({name: (kind, [values[at] for at in rows]) for name, (kind, values) in left.items()}, dict(zip(keys, key)))
            for key, rows in parts.items()]


# --- Panels -------------------------------------------------------------------------------------------------------

ASK = {"loki": loki_query, "elasticsearch": elastic_query, "cloudwatch": cloudwatch_query}


def total(frames):
    return sum(sum(frame.numbers()) for frame in frames)


def by(label):
    return lambda frames: {frame.labels[label]: sum(frame.numbers()) for frame in frames if sum(frame.numbers())}


def counts(frames):
    return sorted(frames[0].numbers(), reverse=True)


def column(name):
    return lambda frames: frames[0].column(name)


def one_row_each(frames):
    return frames[0].n_rows()


def percentiles(frames):
    """The percents that are shown, each of which is nowhere below the one before."""
    for smaller, larger in zip(frames, frames[1:]):
        values = [both for both in zip(smaller.column("Value"), larger.column("Value")) if None not in both]
        assert values and all(one <= other for one, other in values), values
    return [frame.labels["percent"] for frame in frames]


# What is compared of the native door's rows.
ONE_CELL, PAIRS, LAST_CELLS = (lambda rows: rows[0][0]), dict, (lambda rows: [row[-1] for row in rows])

IS_REQUEST = 'filter ispresent(method) and method != ""'
# What each panel must come to: its numbers, and those of a query of the native door.
NUMBERS = {
    ("catat-logs", "Events"): (total, "stats count(*)", ONE_CELL),
    ("catat-logs", "Errors"): (total, 'filter @level >= "error" | stats count(*)', ONE_CELL),
    ("catat-logs", "Events by level"): (by("level"), "stats count(*) by @level", PAIRS),
    ("catat-logs", "Errors by group"): (by("@log"), 'filter @level >= "error" | stats count(*) by @log', PAIRS),
    ("catat-logs", "Services with most errors"):
        (counts, 'filter @level >= "error" and ispresent(service) | stats count(*) as n by service | sort n desc | limit 10', LAST_CELLS),
    ("catat-logs", "Top errors"):
        (column("@sampleCount"), 'filter @level >= "error" | pattern @message | sort @sampleCount desc | limit 50 | display @sampleCount',
         LAST_CELLS),
    ("catat-logs", "Groups"): (column("events"), "stats count(*) as n by @log | sort n desc | limit 100", LAST_CELLS),
    ("catat-logs", "Lines"): (one_row_each, "fields @message | limit 500", len),
    ("catat-http", "Requests"): (total, f"{IS_REQUEST} and status >= 100 | stats count(*)", ONE_CELL),
    ("catat-http", "Answered with an error"):
        (total, "filter ispresent(method) and ispresent(status) | stats round(100 * sum(if(status >= 500, 1, 0)) / count(*), 3)", ONE_CELL),
    ("catat-http", "Requests by status"):
        (by("filter"), "filter ispresent(method) and status >= 200 and status < 600 | "
         "stats count(*) by concat(substr(tostring(status), 0, 1), 'xx')", PAIRS),
    ("catat-http", "Duration"): (percentiles, None, ["50", "95", "99"]),
    ("catat-http", "Bytes sent by service"): (by("service_name"), f"{IS_REQUEST} and bytes > 0 | stats sum(bytes) by service", PAIRS),
    ("catat-http", "Slowest paths"):
        (column("p95"), "filter ispresent(path) | stats round(pct(duration_ms, 95), 1) as p, count(*) as n by method, path | "
         "sort p desc, n desc | limit 50 | display p", LAST_CELLS),
    ("catat-http", "Failing paths"):
        (column("server_errors"), "filter ispresent(path) and status >= 400 | stats sum(if(status >= 500, 1, 0)) as n, count(*) as m by "
         "method, path | sort n desc, m desc | limit 50 | display n", LAST_CELLS),
    ("catat-http", "Clients with most requests"):
        (counts, "filter ispresent(method) and ispresent(client_ip) | stats count(*) as n by client_ip | sort n desc | limit 15", LAST_CELLS),
    ("catat-http", "Failed requests"):
        (one_row_each, "filter ispresent(method) and status >= 500 and status < 600 | fields @message | limit 200", len),
}


def close(one, other):
    if isinstance(one, dict):
        return set(one) == set(other) and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(close(*both) for both in zip(one, other))
    return one == other or abs(float(one) - float(other)) <= 1e-6 * abs(float(other))


def panel_check(dashboard, panel):
    def run():
        variables = Variables(dashboard)
        frames = [frame for target in panel["targets"] for frame in ASK[target["datasource"]["type"]](target, variables)]
        assert sum(frame.n_rows() for frame in frames) > 0, "no data"
        shown, query, expected = NUMBERS[(dashboard["uid"], panel["title"])]
        found = shown(frames)
        wanted = expected if query is None else expected(native(query, variables.values["group"]))
        assert close(found, wanted), f"{found} instead of {wanted}"
    run.__name__ = f"{dashboard['uid']}: {panel['title']}"
    return run


@check
def every_source_that_a_dashboard_names_is_there_and_every_panel_has_its_numbers():
    for dashboard in DASHBOARDS:
        for part in dashboard["panels"] + [v for v in dashboard["templating"]["list"] if v["type"] == "query"]:
            for named in [part["datasource"]] + [target["datasource"] for target in part.get("targets", [])]:
                assert SOURCES[named["uid"]]["type"] == named["type"], part
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids)
    panels = {(dashboard["uid"], panel["title"]) for dashboard in DASHBOARDS for panel in dashboard["panels"]}
    assert panels == set(NUMBERS), panels ^ set(NUMBERS)
    assert provisioned("dashboards")["providers"][0]["type"] == "file"


@check
def loki_is_healthy():
    data = loki_get("query", query="vector(1)+vector(1)", direction="backward", time="4000000000")["data"]
    # One frame of one row, whose value is 2.
    assert data["resultType"] == "vector" and [frame.column("Value") for frame in loki_frames(data)] == [[2.0]], data


@check
def elasticsearch_is_healthy():
    assert elastic("GET", "")["version"]["number"].startswith("8.")
    assert elastic("GET", "_cluster/health?wait_for_status=yellow")["status"] in ("green", "yellow")
    settings = SOURCES["catat-elasticsearch"]["jsonData"]
    caps = elastic("GET", f"{settings['index']}/_field_caps?fields={settings['timeField']}")
    assert set(caps["fields"][settings["timeField"]]) & {"date", "date_nanos"}, caps


@check
def cloudwatch_is_healthy_and_its_pickers_find_groups_and_fields():
    source = SOURCES["catat-cloudwatch"]
    # A map of two texts, as newer SDKs write it.
    text = lambda value: bytes([0x60 | len(value)]) + value if len(value) < 24 else bytes([0x78, len(value)]) + value
    body = b"\xa2" + b"".join(map(text, (b"Namespace", b"AWS/Billing", b"MetricName", b"EstimatedCharges")))
    request = AWSRequest("POST", f"{source['jsonData']['endpoint']}/service/GraniteServiceVersion20100801/operation/ListMetrics",
                         data=body, headers={"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Accept": "application/cbor"})
    keys = Credentials(source["secureJsonData"]["accessKey"], source["secureJsonData"]["secretKey"])
    SigV4Auth(keys, "monitoring", source["jsonData"]["defaultRegion"]).add_auth(request)
    answer = requests.post(request.url, data=body, headers=dict(request.headers), timeout=30)
    assert answer.status_code == 200 and answer.headers["Smithy-Protocol"] == "rpc-v2-cbor", answer.content
    assert answer.content == b"\xa1" + text(b"Metrics") + b"\x80", answer.content
    logs = cloudwatch()
    assert len(logs.describe_log_groups(limit=1)["logGroups"]) == 1
    picked = logs.describe_log_groups(logGroupNamePattern="demo/", limit=50)["logGroups"]
    assert picked and all("demo/" in group["logGroupName"] for group in picked), picked
    fields = logs.get_log_group_fields(logGroupName="demo/edge-proxy", time=TO - 12 * 3600)["logGroupFields"]
    assert "@message" in {field["name"] for field in fields}, fields


for _dashboard in DASHBOARDS:
    for _panel in _dashboard["panels"]:
        check(panel_check(_dashboard, _panel))

main()
