#!/usr/bin/env python3
"""Logs and metrics of OpenTelemetry's Python SDK, sent by its exporters, and requests as a collector makes them."""
import gzip
import time
import uuid

import requests
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]


def rows(query):
    answer = requests.post(f"{URL}/api/v1/query", json={"query": query, "from": "now-1h", "to": "now+1h"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def export(service, compression, endpoint):
    resource = Resource.create({"service.name": service, "service.instance.id": "i-1", "deployment.environment": "test"})
    provider = LoggerProvider(resource=resource)
    exporter = OTLPLogExporter(endpoint=f"{URL}{endpoint}", compression=compression)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("shop.checkout", "1.2.3")
    for n in range(1_000):
        bad = n % 10 == 0
        logger.emit(LogRecord(
            timestamp=time.time_ns(), severity_text="ERROR" if bad else "INFO",
            severity_number=SeverityNumber.ERROR if bad else SeverityNumber.INFO,
            body=f"order {n}", attributes={"order.id": n, "items": ["a", "b"], "share": 0.5, "paid": not bad},
            trace_id=0x5B8EFFF798038103D269B633813FC60C, span_id=0xEEE19B7EC3C1B174))
    logger.emit(LogRecord(timestamp=time.time_ns(), body={"path": "/p", "took": {"ms": 7}}, event_name="request"))
    assert provider.force_flush(30_000)
    provider.shutdown()


@check
def the_exporters_records_arrive_with_all_they_carry():
    for compression in (Compression.NoCompression, Compression.Gzip):
        service = f"otlp-{RUN}-{compression.value}"
        export(service, compression, "/v1/logs")
        found = rows(f'filter @log = "{service}" and paid | stats count(*) as n, sum(share) as s by @level, @logStream, '
                     "`deployment.environment`, `scope.name`, `scope.version`, trace_id, span_id, severity_number")
        assert found == [["info", "i-1", "test", "shop.checkout", "1.2.3", "5b8efff798038103d269b633813fc60c",
                          "eee19b7ec3c1b174", 9, 900, 450]], found
        assert rows(f'filter @log = "{service}" | stats count(*) as n by @level | sort n') \
            == [[None, 1], ["error", 100], ["info", 900]]
        found = rows(f'filter @log = "{service}" and order.id = 7 | fields @message, items.1')
        assert [row[:2] for row in found] == [["order 7", "b"]], found
        found = rows(f'filter @log = "{service}" and event_name = "request" | fields path, took.ms, @message')
        assert [row[:3] for row in found] == [["/p", 7, '{"path":"/p","took":{"ms":7}}']], found


@check
def the_address_below_otlp_is_the_same():
    service = f"otlp-{RUN}-below"
    export(service, Compression.Gzip, "/otlp/v1/logs")
    assert rows(f'filter @log = "{service}" | stats count(*) as n') == [[1_001]]


@check
def a_collectors_json_is_taken_packed():
    record = {"timeUnixNano": str(time.time_ns()), "observedTimeUnixNano": str(time.time_ns()), "severityNumber": 13,
              "body": {"stringValue": "from a collector"}, "traceId": "", "spanId": "",
              "attributes": [{"key": "log.file.name", "value": {"stringValue": "a.log"}}]}
    body = {"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": [record]}]}]}
    answer = requests.post(f"{URL}/v1/logs", data=gzip.compress(requests.compat.json.dumps(body).encode()), timeout=30,
                           headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})
    assert (answer.status_code, answer.text) == (200, "{}"), answer.text
    found = rows('filter @log = "otlp" and `log.file.name` = "a.log" | fields @level, @message | limit 1')
    assert found and found[0][:2] == ["warn", "from a collector"], found


def promql(query):
    answer = requests.get(f"{URL}/prometheus/api/v1/query", params={"query": query}, timeout=30)
    assert answer.status_code == 200, answer.text
    return {tuple(sorted(row["metric"].items())): float(row["value"][1]) for row in answer.json()["data"]["result"]}


@check
def the_metric_exporters_instruments_are_asked_with_promql():
    exporters = {"http": OTLPMetricExporter(endpoint=f"{URL}/v1/metrics", compression=Compression.Gzip),
                 "grpc": GrpcMetricExporter(endpoint=URL, insecure=True)}
    for name, exporter in exporters.items():
        service = f"meter-{RUN}-{name}"
        resource = Resource.create({"service.name": service, "service.instance.id": "i-1", "deployment.environment": "test"})
        provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=1e9)], resource=resource)
        meter = provider.get_meter("shop.checkout")
        orders = meter.create_counter("shop.orders", unit="{order}", description="Orders taken.")
        waiting = meter.create_up_down_counter("shop.waiting")
        meter.create_observable_gauge("shop.load", unit="1", callbacks=[lambda _: [Observation(0.25)]])
        took = meter.create_histogram("shop.took", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1, 10])
        for n in range(10):
            orders.add(2, {"shop.kind": "new" if n % 2 else "old"})
            waiting.add(-1)
            took.record(n / 2)
        assert provider.force_flush(30_000)
        series = (("instance", "i-1"), ("job", service))
        of = f'{{job="{service}"}}'
        assert promql(f"sum without (otel_scope_name) (shop_orders_total{of})") == {
            (*series, ("shop_kind", kind)): 10.0 for kind in ("new", "old")}, promql(f"shop_orders_total{of}")
        assert list(promql(f"shop_waiting{of}").values()) == [-10.0]
        assert list(promql(f"shop_load_ratio{of}").values()) == [0.25]
        assert [round(value, 6) for value in promql(f"histogram_quantile(0.5, shop_took_seconds_bucket{of})").values()] == [3.571429]
        assert list(promql(f"shop_took_seconds_sum{of}").values()) == [22.5]
        info = promql(f"target_info{of}")
        assert dict(next(iter(info)))["deployment_environment"] == "test", info
        provider.shutdown()


@check
def what_cannot_be_read_is_refused_for_good():
    answer = requests.post(f"{URL}/v1/logs", data=b"\x0a\xff", timeout=30,
                           headers={"Content-Type": "application/x-protobuf"})
    assert answer.status_code == 400 and answer.headers["Content-Type"] == "application/x-protobuf"


main()
