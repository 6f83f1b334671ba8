#!/usr/bin/env python3
"""Spans of OpenTelemetry's Python SDK (its OTLP exporters over HTTP and gRPC, its Zipkin exporter), of boto3's X-Ray client
and of the X-Ray SDK, which sends to a daemon's port; boto3's X-Ray client as a reader; and OTLP requests that say wrong things.

The X-Ray SDK's datagrams go to a server of this program's own.
"""
import atexit
import calendar
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.parse
import uuid

import boto3
import grpc
import requests
from aws_xray_sdk.core import xray_recorder
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
TARGET = urllib.parse.urlsplit(URL).netloc
EXECUTABLE = os.environ.get("CATAT_EXECUTABLE") or str(pathlib.Path(__file__).resolve().parents[2] / "target/debug/catat")
SPANS = 300


def rows(query, url=URL):
    answer = requests.post(f"{url}/api/v1/query", json={"query": query, "from": "now-1h", "to": "now+1h"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def nanoseconds(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(fraction.ljust(9, "0"))


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "what has to come does not come"
        time.sleep(0.05)
    return found


def make_spans(service, exporter):
    """Sends traces of a server's span with a client's below it; every tenth fails. Returns the ids of the last two spans."""
    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.instance.id": "i-1"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("shop.checkout", "1.2.3")
    elsewhere = SpanContext(0x5B8EFFF798038103D269B633813FC60C, 0xEEE19B7EC3C1B174, is_remote=True)
    for n in range(SPANS):
        with tracer.start_as_current_span("GET /cart", kind=SpanKind.SERVER, attributes={"order.id": n, "paid": True},
                                          links=[Link(elsewhere, {"why": "retry"})]) as above:
            with tracer.start_as_current_span("select", kind=SpanKind.CLIENT, attributes={"db.system": "postgresql"}) as below:
                if n % 10 == 0:
                    below.record_exception(ValueError(f"no order {n}"))
                    below.set_status(StatusCode.ERROR, "it broke")
    assert provider.force_flush(30_000)
    provider.shutdown()
    return above, below


def check_spans(service, above, below, stream="i-1"):
    group = f"traces/{service}"
    found = rows(f'filter @log = "{group}" | stats count(*) as n, count_distinct(trace_id) as t by @type, service, name, kind, '
                 "status, @level, @logStream, `scope.name`, `scope.version` | sort name, status")
    own = ["shop.checkout", "1.2.3"]
    expected = [
        ["span", service, "GET /cart", "server", "unset", "info", stream, *own, SPANS, SPANS],
        ["span", service, "select", "client", "error", "error", stream, *own, SPANS // 10, SPANS // 10],
        ["span", service, "select", "client", "unset", "info", stream, *own, SPANS - SPANS // 10, SPANS - SPANS // 10],
    ]
    assert found == expected, found
    trace_id, span_id, parent = (f"{above.context.trace_id:032x}", f"{below.context.span_id:016x}", f"{above.context.span_id:016x}")
    found = rows(f'filter trace_id = "{trace_id}" | sort name | fields span_id, parent_span_id, @timestamp, duration_ms')
    nanos = lambda span: (span.start_time, span.end_time - span.start_time)
    expected = [(parent, None, *nanos(above)), (span_id, parent, *nanos(below))]
    found = [(span, above_it, nanoseconds(began), round(ms * 1e6)) for span, above_it, began, ms in found]
    return found, expected


@check
def the_otlp_exporters_spans_arrive_with_all_they_carry():
    key = (("x-catat-key", "any"),)
    exporters = {
        "http": HttpExporter(endpoint=f"{URL}/v1/traces", compression=Compression.NoCompression),
        "http-gzip": HttpExporter(endpoint=f"{URL}/otlp/v1/traces", compression=Compression.Gzip),
        "grpc": GrpcExporter(endpoint=TARGET, insecure=True, compression=grpc.Compression.NoCompression, headers=key),
        "grpc-gzip": GrpcExporter(endpoint=TARGET, insecure=True, compression=grpc.Compression.Gzip, headers=key),
    }
    for name, exporter in exporters.items():
        service = f"spans-{RUN}-{name}"
        found, expected = check_spans(service, *make_spans(service, exporter))
        assert found == expected, (found, expected)
        group = f'filter @log = "traces/{service}"'
        [[event]] = rows(f'{group} and status = "error" | sort @timestamp | limit 1 | fields events')
        [event] = json.loads(event) if isinstance(event, str) else event
        assert event["name"] == "exception" and event["attributes"]["exception.message"] == "no order 0", event
        assert "ValueError" in event["attributes"]["exception.stacktrace"], event
        [[link]] = rows(f'{group} and kind = "server" | limit 1 | fields links')
        [link] = json.loads(link) if isinstance(link, str) else link
        assert link == {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174",
                        "attributes": {"why": "retry"}}, link
        assert rows(f'{group} and order.id >= 0 and paid and isempty(span_problem) | stats count(*)') == [[SPANS]]


@check
def the_zipkin_exporters_spans_arrive():
    service = f"spans-{RUN}-zipkin"
    above, below = make_spans(service, ZipkinExporter(endpoint=f"{URL}/api/v2/spans"))
    stream = rows(f'filter @log = "traces/{service}" | limit 1 | fields @logStream')[0][0]
    found, expected = check_spans(service, above, below, stream)
    # Zipkin's times are microseconds, which the exporter rounds.
    coarse = lambda spans: [(*ids, (began + 500) // 1_000, (duration + 500) // 1_000) for *ids, began, duration in spans]
    assert [span[:3] for span in coarse(found)] == [span[:3] for span in coarse(expected)], (found, expected)
    assert all(abs(a[3] - b[3]) <= 1 for a, b in zip(coarse(found), coarse(expected))), (found, expected)
    assert rows(f'filter @log = "traces/{service}" and status_message = "it broke" | stats count(*)') == [[SPANS // 10]]


def xray_client():
    return boto3.client("xray", endpoint_url=f"{URL}/xray", region_name="eu-west-1", aws_access_key_id="any",
                        aws_secret_access_key="any")


@check
def segments_of_boto3_become_spans_and_wrong_ones_are_listed():
    service, began = f"spans-{RUN}-xray", time.time() - 1
    trace = f"1-{int(began):08x}-{uuid.uuid4().hex[:24]}"
    segment = {
        "name": service, "id": uuid.uuid4().hex[:16], "trace_id": trace, "start_time": began, "end_time": began + 0.5,
        "fault": True, "http": {"request": {"method": "GET", "url": "http://shop/"}, "response": {"status": 503}},
        "annotations": {"customer": "acme"}, "metadata": {"default": {"cart": [1, 2]}},
        "cause": {"exceptions": [{"id": "1", "type": "KeyError", "message": "no such user"}]},
        "subsegments": [{"id": uuid.uuid4().hex[:16], "name": "DynamoDB", "namespace": "aws", "start_time": began + 0.1,
                         "end_time": began + 0.2, "aws": {"operation": "GetItem", "table_name": "users"}}],
    }
    wrong = {**segment, "id": "short", "subsegments": []}
    answer = xray_client().put_trace_segments(TraceSegmentDocuments=[json.dumps(segment), json.dumps(wrong), "{"])
    refused = [(one.get("Id"), one["ErrorCode"]) for one in answer["UnprocessedTraceSegments"]]
    assert refused == [("short", "InvalidSegment"), (None, "ParseError")], answer
    trace_id = trace[2:].replace("-", "")
    found = rows(f'filter trace_id = "{trace_id}" | sort @timestamp | fields name, kind, status, status_message, duration_ms, '
                 "customer, `http.response.status_code`, `rpc.method`, parent_span_id")
    expected = [
        [service, "server", "error", "no such user", 500.0, "acme", 503, None, None],
        ["DynamoDB", "client", "unset", None, 100.0, None, None, "GetItem", segment["id"]],
    ]
    # Microseconds of floats may be off by one.
    assert [row[:4] + row[5:] for row in found] == [row[:4] + row[5:] for row in expected], found
    assert all(abs(row[4] - wanted[4]) < 0.01 for row, wanted in zip(found, expected)), found


def xray_documents(service, began):
    """A segment that calls another service and a table, and the segment of that service."""
    trace, ids = f"1-{int(began):08x}-{uuid.uuid4().hex[:24]}", [uuid.uuid4().hex[:16] for _ in range(4)]
    front = {
        "name": f"{service}-front", "id": ids[0], "trace_id": trace, "start_time": began, "end_time": began + 0.75, "fault": True,
        "user": "ann", "origin": "AWS::ECS::Container", "service": {"version": "1.2"},
        "http": {"request": {"method": "GET", "url": f"http://shop/{service}"}, "response": {"status": 503}},
        "annotations": {"customer": service, "orders": 3, "paid": True}, "metadata": {"default": {"cart": [1, 2]}},
        "aws": {"account_id": "123456789012", "ec2": {"instance_id": "i-1", "availability_zone": "eu-west-1c"}},
        "cause": {"exceptions": [{"id": "2a5ea2ffb1c2d3e4", "type": "KeyError", "message": "no such user",
                                  "stack": [{"path": "app.py", "line": 7, "label": "get"}]}]},
        "subsegments": [
            {"id": ids[1], "name": f"{service}-back", "namespace": "remote", "start_time": began + 0.125, "end_time": began + 0.5},
            {"id": ids[2], "name": "DynamoDB", "namespace": "aws", "start_time": began + 0.5, "end_time": began + 0.625,
             "throttle": True, "aws": {"operation": "GetItem", "table_name": "users"}},
        ],
    }
    back = {"name": f"{service}-back", "id": ids[3], "parent_id": ids[1], "trace_id": trace, "start_time": began + 0.25,
            "end_time": began + 0.5}
    return trace, [front, back]


def all_summaries(client, **search):
    pages = client.get_paginator("get_trace_summaries").paginate(**search)
    return [summary for page in pages for summary in page["TraceSummaries"]]


@check
def boto3_reads_what_it_sent():
    # Quarters of a second are exact as floats.
    client, service, began = xray_client(), f"read-{RUN}", int(time.time()) - 5 + 0.25
    trace, documents = xray_documents(service, began)
    answer = client.put_trace_segments(TraceSegmentDocuments=[json.dumps(document) for document in documents])
    assert answer["UnprocessedTraceSegments"] == [], answer
    unknown = f"1-{int(began):08x}-{uuid.uuid4().hex[:24]}"
    answer = client.batch_get_traces(TraceIds=[trace, unknown])
    assert answer["UnprocessedTraceIds"] == [unknown], answer
    [found] = answer["Traces"]
    assert (found["Id"], found["Duration"], found["LimitExceeded"]) == (trace, 0.75, False), found
    assert [json.loads(segment["Document"]) for segment in found["Segments"]] == documents, found
    assert [segment["Id"] for segment in found["Segments"]] == [document["id"] for document in documents], found

    around = {"StartTime": began - 60, "EndTime": time.time()}
    wanted = f'annotation.customer = "{service}"'
    for more in ("", " AND fault", " AND responsetime >= 0.75 AND duration < 1", " AND service(\"DynamoDB\") { throttle }",
                 f' AND edge("{service}-front", "{service}-back") {{ ok }}', " AND user = \"ann\" !partial",
                 " AND annotation[orders] > 2 AND annotation[paid] = true", " AND http.url BEGINSWITH \"http://shop/\""):
        summaries = all_summaries(client, FilterExpression=wanted + more, Sampling=False, **around)
        assert [summary["Id"] for summary in summaries] == [trace], (more, summaries)
    [summary] = summaries
    assert (summary["Duration"], summary["ResponseTime"]) == (0.75, 0.75), summary
    assert (summary["HasFault"], summary["HasError"], summary["HasThrottle"], summary["IsPartial"]) == (True, False, False, False)
    assert summary["Http"] == {"HttpURL": f"http://shop/{service}", "HttpMethod": "GET", "HttpStatus": 503}, summary
    assert {one["Name"] for one in summary["ServiceIds"]} == {f"{service}-front", f"{service}-back", "DynamoDB"}, summary
    assert summary["EntryPoint"]["Type"] == "AWS::ECS::Container", summary
    assert summary["Annotations"]["orders"][0]["AnnotationValue"] == {"NumberValue": 3.0}, summary
    assert summary["Users"][0]["UserName"] == "ann" and summary["StartTime"].timestamp() == began, summary
    for other in (" AND ok", " AND service() { error }", " AND edge(\"DynamoDB\", \"x\")"):
        assert all_summaries(client, FilterExpression=wanted + other, **around) == [], other

    for services in (client.get_trace_graph(TraceIds=[trace])["Services"], client.get_service_graph(**around)["Services"]):
        by_name = {one["Name"]: one for one in services}
        front, back = by_name[f"{service}-front"], by_name[f"{service}-back"]
        assert (front["Root"], back["Root"]) == (True, False), services
        called = [one["Name"] for edge in front["Edges"] for one in services if one["ReferenceId"] == edge["ReferenceId"]]
        assert sorted(called) == sorted(["DynamoDB", f"{service}-back"]), services
        statistics = front["SummaryStatistics"]
        assert (statistics["TotalCount"], statistics["OkCount"]) == (1, 0), statistics
        assert statistics["FaultStatistics"]["TotalCount"] == 1, statistics
        assert abs(statistics["TotalResponseTime"] - 0.75) < 0.02, statistics


@check
def boto3_pages_through_summaries():
    client, service, began = xray_client(), f"pages-{RUN}", int(time.time()) - 30
    ids = [f"1-{began:08x}-{uuid.uuid4().hex[:24]}" for _ in range(230)]
    for chunk in (ids[at:at + 50] for at in range(0, len(ids), 50)):
        segments = [{"name": service, "id": uuid.uuid4().hex[:16], "trace_id": trace, "start_time": began, "end_time": began + 1}
                    for trace in chunk]
        client.put_trace_segments(TraceSegmentDocuments=[json.dumps(segment) for segment in segments])
    pages = list(client.get_paginator("get_trace_summaries").paginate(
        StartTime=began, EndTime=began, FilterExpression=f'service("{service}")'))
    found = [summary["Id"] for page in pages for summary in page["TraceSummaries"]]
    assert len(pages) == 3 and len(found) == len(ids) and set(found) == set(ids), (len(pages), len(found))


@check
def operations_and_filters_that_xray_has_and_catat_has_not_are_refused_by_name():
    client, around = xray_client(), {"StartTime": time.time() - 60, "EndTime": time.time()}
    unknown = {"TelemetryRecords": [{"Timestamp": 1}]}
    for code, call in (
        ("UnknownOperationException", lambda: client.put_telemetry_records(**unknown)),
        ("UnknownOperationException", lambda: client.get_insight_summaries(GroupName="x", **around)),
        ("InvalidRequestException", lambda: client.get_trace_summaries(FilterExpression="rootcause.fault.service { }", **around)),
        ("InvalidRequestException", lambda: client.get_trace_summaries(FilterExpression="falt", **around)),
        ("InvalidRequestException", lambda: client.get_trace_summaries(TimeRangeType="Service", **around)),
        ("InvalidRequestException", lambda: client.batch_get_traces(TraceIds=["1-2-3"])),
        ("InvalidRequestException", lambda: client.get_service_graph(GroupName="slow", **around)),
    ):
        try:
            call()
        except client.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == code, error.response
        else:
            raise AssertionError("it was answered")
    assert client.get_groups()["Groups"] == []


@check
def sdks_are_told_that_there_are_no_sampling_rules():
    client = xray_client()
    assert client.get_sampling_rules()["SamplingRuleRecords"] == []
    statistics = {"RuleName": "Default", "ClientID": "a" * 24, "Timestamp": time.time(), "RequestCount": 1, "SampledCount": 1}
    answer = client.get_sampling_targets(SamplingStatisticsDocuments=[statistics])
    assert answer["SamplingTargetDocuments"] == [] and answer["UnprocessedStatistics"][0]["RuleName"] == "Default", answer


class Server:
    """A server that listens for datagrams of the X-Ray SDK, on a fresh directory."""

    def __init__(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="catat-traces-")
        self.log = pathlib.Path(self.scratch.name) / "log"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.udp = "127.0.0.1:%d" % probe.getsockname()[1]
        command = [EXECUTABLE, "serve", "--data-dir", f"{self.scratch.name}/data", "--listen", "127.0.0.1:0"]
        with open(self.log, "w", encoding="utf-8") as log:
            environment = {**os.environ, "CATAT_XRAY__UDP": self.udp}
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        atexit.register(self.stop)
        self.url = until(self.ready)

    def ready(self):
        text = self.log.read_text(encoding="utf-8")
        assert self.process.poll() is None, text
        urls = [word for word in text.split() if word.startswith("http://127.0.0.1:")]
        try:
            return urls and requests.get(f"{urls[0]}/-/ready", timeout=5).ok and urls[0]
        except requests.ConnectionError:
            return None

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.scratch.cleanup()


@check
def datagrams_of_the_xray_sdk_become_spans():
    server = Server()
    xray_recorder.configure(service="pay", daemon_address=server.udp, sampling=False)
    for n in range(20):
        segment = xray_recorder.begin_segment("pay")
        segment.put_annotation("order", n)
        below = xray_recorder.begin_subsegment("charge", namespace="remote")
        below.put_metadata("amount", 7)
        xray_recorder.end_subsegment()
        xray_recorder.end_segment()
    query = 'filter @log = "traces/pay" | stats count(*) as n, count_distinct(trace_id) as t by name, kind | sort name'
    expected = [["charge", "client", 20, 20], ["pay", "server", 20, 20]]
    until(lambda: rows(query, server.url) == expected)
    assert rows('filter name = "pay" and order >= 0 | stats count(*)', server.url) == [[20]]
    assert "\ncatat_xray_datagrams_received_total 20\n" in requests.get(f"{server.url}/metrics", timeout=30).text


@check
def wrong_spans_are_rejected_by_number_and_the_rest_is_stored():
    service = f"spans-{RUN}-wrong"
    request = trace_service_pb2.ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    spans, now = resource.scope_spans.add().spans, time.time_ns()
    wrong = ((b"\x01" * 16, now + 5), (b"\x01" * 15, now + 5), (b"", now + 5), (b"\x01" * 16, now - 12_000_000))
    for number, (trace_id, end) in enumerate(wrong):
        span_id = b"\x02" * 7 + bytes([number])
        spans.add(trace_id=trace_id, span_id=span_id, name="a", start_time_unix_nano=now, end_time_unix_nano=end)
    with grpc.insecure_channel(TARGET) as channel:
        answer = trace_service_pb2_grpc.TraceServiceStub(channel).Export(request, timeout=30)
    assert answer.partial_success.rejected_spans == 2, answer
    assert answer.partial_success.error_message == "span 2: trace id has 15 bytes instead of 16", answer
    found = rows(f'filter @log = "traces/{service}" | sort duration_ms | fields duration_ms, span_problem')
    assert found == [[0.0, "ended 12 ms before it began; kept with a duration of 0"], [0.000005, None]], found


@check
def jaegers_own_protocol_is_refused_with_the_way_out():
    answer = requests.post(f"{URL}/api/traces?format=jaeger.thrift", data=b"x", timeout=30)
    assert answer.status_code == 404 and "/v1/traces" in answer.text, answer.text


main()
