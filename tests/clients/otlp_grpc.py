#!/usr/bin/env python3
"""Logs of OpenTelemetry's Python SDK, sent by its exporter over gRPC, and calls as grpcio makes them."""
import time
import urllib.parse
import uuid

import grpc
import requests
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
TARGET = urllib.parse.urlsplit(URL).netloc


def rows(query):
    answer = requests.post(f"{URL}/api/v1/query", json={"query": query, "from": "now-1h", "to": "now+1h"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def request_of(service, n):
    request = logs_service_pb2.ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    scope = resource.scope_logs.add()
    for number in range(n):
        scope.log_records.add(time_unix_nano=time.time_ns()).body.string_value = f"record {number}"
    return request


@check
def the_exporters_records_arrive_plain_and_packed():
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        service = f"grpc-{RUN}-{compression.name}"
        provider = LoggerProvider(resource=Resource.create({"service.name": service, "service.instance.id": "i-1"}))
        # Metadata may carry a key; before the first one is made, any is as good.
        exporter = OTLPLogExporter(endpoint=TARGET, insecure=True, compression=compression,
                                   headers=(("x-catat-key", "any"),))
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
        logger = provider.get_logger("shop.checkout", "1.2.3")
        for n in range(1_000):
            bad = n % 10 == 0
            logger.emit(LogRecord(
                timestamp=time.time_ns(), severity_text="ERROR" if bad else "INFO",
                severity_number=SeverityNumber.ERROR if bad else SeverityNumber.INFO, body=f"order {n}",
                attributes={"order.id": n, "paid": not bad}, trace_id=0x5B8EFFF798038103D269B633813FC60C,
                span_id=0xEEE19B7EC3C1B174))
        assert provider.force_flush(30_000)
        provider.shutdown()
        found = rows(f'filter @log = "{service}" | stats count(*) as n by @level, @logStream, trace_id | sort n')
        trace = "5b8efff798038103d269b633813fc60c"
        assert found == [["error", "i-1", trace, 100], ["info", "i-1", trace, 900]], found


@check
def many_calls_share_a_connection():
    service = f"grpc-{RUN}-many"
    with grpc.insecure_channel(TARGET) as channel:
        stub = logs_service_pb2_grpc.LogsServiceStub(channel)
        calls = [stub.Export.future(request_of(service, 5), timeout=60) for _ in range(300)]
        assert all(not call.result().partial_success.rejected_log_records for call in calls)
    assert rows(f'filter @log = "{service}" | stats count(*) as n') == [[1_500]]


@check
def a_large_request_arrives_whole():
    service = f"grpc-{RUN}-large"
    with grpc.insecure_channel(TARGET) as channel:
        logs_service_pb2_grpc.LogsServiceStub(channel).Export(request_of(service, 100_000), timeout=120)
    assert rows(f'filter @log = "{service}" | stats count(*) as n') == [[100_000]]


@check
def other_services_and_broken_messages_are_refused_for_good():
    with grpc.insecure_channel(TARGET) as channel:
        for path, message, code in (
            ("/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export", b"", grpc.StatusCode.UNIMPLEMENTED),
            ("/grpc.health.v1.Health/Check", b"", grpc.StatusCode.UNIMPLEMENTED),
            ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", b"\x0a\xff", grpc.StatusCode.INVALID_ARGUMENT),
        ):
            try:
                channel.unary_unary(path)(message, timeout=30)
            except grpc.RpcError as error:
                assert error.code() == code and error.details(), (path, error.code(), error.details())
            else:
                raise AssertionError(f"{path} was answered")


main()
