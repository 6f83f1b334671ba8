"""Engines that run elsewhere and are named by an address: VictoriaLogs, Loki, Elasticsearch.

They are fed and asked through their documented HTTP interfaces. Their own metrics tell CPU, memory and disk; what they
do not tell stays empty. They have to be started empty and so that they take in events of the corpus's day:

    victoria-logs -retentionPeriod=100y -futureRetention=100y
    loki with reject_old_samples: false, allow_structured_metadata: true, max_query_length: 0, max_query_series: 100000,
         ingestion_rate_mb and ingestion_burst_size_mb high
    elasticsearch with security off
"""
import json
import urllib.parse
import urllib.request

import measure
from corpus import bodies
from queries import RANGE, milliseconds


class Remote:
    """What the three have in common."""

    cpu_metric = "process_cpu_seconds_total"
    memory_metric = "process_resident_memory_bytes"

    def __init__(self, url):
        self.url = url.rstrip("/")
        self.peak_mb = 0.0
        self.cpu_at_start = self.counter(self.cpu_metric) or 0.0
        self.written_at_start = self.counter("process_io_storage_written_bytes_total")

    def call(self, path, body=None, kind="application/json"):
        request = urllib.request.Request(self.url + path, body, {"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=1800) as answer:
            return answer.read()

    def counter(self, name):
        """The sum of a metric over its labels, or nothing where it is not told."""
        lines = self.call("/metrics").decode().splitlines()
        found = [float(line.rsplit(None, 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name]
        return sum(found) if found else None

    def ingest(self, path, _facts):
        with open(path, "rb") as file:
            for number, body in enumerate(bodies(file)):
                self.push(body)
                if number % 16 == 0:
                    self.peak_mb = max(self.peak_mb, self.memory_now_mb() or 0.0)

    def settle(self):
        measure.wait_idle(self.cpu_s)

    # Whether it can be asked as a process that has just started.
    restart = None

    def restart_cold(self):
        """It cannot be restarted from here; a page cache on this machine can be dropped all the same."""
        measure.drop_page_cache()

    def stop(self):
        pass

    def cpu_s(self):
        return (self.counter(self.cpu_metric) or 0.0) - self.cpu_at_start

    def written_bytes(self):
        written = self.counter("process_io_storage_written_bytes_total")
        return None if written is None else written - self.written_at_start

    def memory_now_mb(self):
        memory = self.counter(self.memory_metric)
        return memory and memory / (1 << 20)

    def memory_peak_mb(self):
        return max(self.peak_mb, self.memory_now_mb() or 0.0) or None

    def disk_bytes(self):
        return None


class VictoriaLogs(Remote):
    """Streams by service and level, everything else fields."""

    name = "victorialogs"

    def push(self, body):
        self.call("/insert/jsonline?_stream_fields=service,level&_time_field=timestamp&_msg_field=message", body, "application/stream+json")

    def settle(self):
        self.call("/internal/force_flush")
        super().settle()

    def disk_bytes(self):
        return self.counter("vl_data_size_bytes")

    def ask(self, query):
        body = urllib.parse.urlencode({"query": query.logsql, "start": query.range["from"], "end": query.range["to"]}).encode()
        ms, lines = measure.timed(lambda: self.call("/select/logsql/query", body, "application/x-www-form-urlencoded").splitlines())
        return ms, [self.row(query.kind, json.loads(line)) for line in lines]

    def row(self, kind, event):
        if kind == "times":
            return [event["_time"]]
        numeric = ("n", "a", "b", "c")
        return [value for key, value in event.items() if key not in numeric] + [float(event[key]) for key in numeric if key in event]


class Loki(Remote):
    """Labels service and level; the message is the line, all other fields are structured metadata."""

    name = "loki"

    def push(self, body):
        streams = {}
        for line in body.splitlines():
            event = json.loads(line)
            time_ns = str(nanoseconds(event.pop("timestamp")))
            labels = (event.pop("service"), event.pop("level"))
            event.update({f"k8s_{key}": value for key, value in event.pop("k8s", {}).items()})
            message = event.pop("message")
            streams.setdefault(labels, []).append([time_ns, message, {key: str(value) for key, value in event.items()}])
        pushed = [{"stream": {"service": service, "level": level}, "values": values} for (service, level), values in streams.items()]
        self.call("/loki/api/v1/push", json.dumps({"streams": pushed}).encode())

    def settle(self):
        self.call("/flush", b"")
        super().settle()

    def ask(self, query):
        text, path = query.logql, "/loki/api/v1/query"
        parameters = {"time": query.range["to"]}
        first = text.split(" ", 2)
        if query.kind == "times":
            limit, text = (first[1], first[2]) if first[0] == "newest" else ("5000", text)
            path, parameters = "/loki/api/v1/query_range", {"start": query.range["from"], "end": query.range["to"], "limit": limit, "direction": "backward"}
        elif first[0] == "range":
            # Each step looks back over five minutes, so that the first one ends after the first five.
            path, text = "/loki/api/v1/query_range", first[2]
            parameters = {"start": RANGE["from"].replace("00:00Z", "05:00Z"), "end": RANGE["to"], "step": first[1]}
        url = f"{path}?{urllib.parse.urlencode({'query': text, **parameters})}"
        ms, answer = measure.timed(lambda: json.loads(self.call(url))["data"]["result"])
        return ms, self.rows(query.kind, answer)

    def rows(self, kind, result):
        if kind == "times":
            return [[int(value[0]) // 1_000_000] for stream in result for value in stream["values"]]
        rows = []
        for series in result:
            values = series.get("values") or [series["value"]]
            rows += [[*series["metric"].values(), float(value)] for _, value in values]
        return rows


class Elasticsearch(Remote):
    """Keywords for what is counted, text for the message and a wildcard field for parts of words."""

    name = "elasticsearch"

    def __init__(self, url):
        self.url = url.rstrip("/")
        keywords = {"type": "keyword"}
        mapping = {"dynamic_templates": [{"texts": {"match_mapping_type": "string", "mapping": keywords}}],
                   "properties": {"timestamp": {"type": "date_nanos"}, "message": {"type": "text", "fields": {"whole": {"type": "wildcard"}}}}}
        request = urllib.request.Request(f"{self.url}/bench", json.dumps({"mappings": mapping}).encode(), {"Content-Type": "application/json"}, method="PUT")
        urllib.request.urlopen(request, timeout=60).close()
        super().__init__(url)

    def process(self):
        nodes = json.loads(self.call("/_nodes/stats/process,jvm"))["nodes"]
        return next(iter(nodes.values()))

    def counter(self, name):
        if name == self.cpu_metric:
            return self.process()["process"]["cpu"]["total_in_millis"] / 1000
        if name == self.memory_metric:
            jvm = self.process()["jvm"]["mem"]
            return jvm["heap_committed_in_bytes"] + jvm["non_heap_committed_in_bytes"]
        return None

    def push(self, body):
        lines = body.splitlines()
        answer = self.call("/bench/_bulk?filter_path=errors", b"".join(b'{"create":{}}\n' + line + b"\n" for line in lines), "application/x-ndjson")
        if json.loads(answer)["errors"]:
            raise RuntimeError("elasticsearch refused events")

    def settle(self):
        self.call("/bench/_flush", b"")
        self.call("/bench/_refresh", b"")
        super().settle()

    def disk_bytes(self):
        return json.loads(self.call("/bench/_stats/store"))["_all"]["total"]["store"]["size_in_bytes"]

    def ask(self, query):
        body = json.dumps(query.elastic).encode()
        ms, answer = measure.timed(lambda: json.loads(self.call("/bench/_search?request_cache=false", body)))
        if query.kind == "times":
            return ms, [[milliseconds(hit["_source"]["timestamp"])] for hit in answer["hits"]["hits"]]
        return ms, self.rows(answer["aggregations"]["a"])

    def rows(self, aggregation):
        if "buckets" not in aggregation:
            return [[aggregation["value"]]]
        rows = []
        for bucket in aggregation["buckets"]:
            for inner in bucket.get("l", {}).get("buckets", []):
                rows.append([bucket["key"], inner["key"], inner["doc_count"]])
            if "p" in bucket:
                rows.append([bucket["key"], *bucket["p"]["values"].values()])
            elif "l" not in bucket:
                rows.append([bucket["key"], bucket["doc_count"]])
        return rows


def nanoseconds(text):
    """An RFC 3339 time of the corpus in nanoseconds since the epoch."""
    decimals = text.rstrip("Z").partition(".")[2]
    return milliseconds(text) // 1000 * 1_000_000_000 + int(f"{decimals:0<9}")
