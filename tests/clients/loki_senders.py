#!/usr/bin/env python3
"""What sends to Loki: python-logging-loki from PyPI, and pushes in the forms of Promtail and Alloy, Fluent Bit, Vector."""
import json
import logging
import time
import uuid
from queue import Queue

import logging_loki
import requests
import snappy

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
PUSH = f"{URL}/loki/api/v1/push"


def rows(query):
    answer = requests.post(f"{URL}/api/v1/query", json={"query": query, "from": "now-1h", "to": "now+1h"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def logger_of(name, handler):
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    return logger


@check
def a_logging_handlers_records_arrive():
    group = f"loki-py-{RUN}"
    handler = logging_loki.LokiHandler(url=PUSH, tags={"job": group, "host": "h1"}, auth=("any", "any"), version="1")
    refused = []
    handler.handleError = refused.append
    logger = logger_of("shop", handler)
    for n in range(20):
        (logger.error if n % 10 == 0 else logger.warning)("order %d", n, extra={"tags": {"order.id": n, "paid": n > 3}})
    logger.info("grüße, “welt”", extra={"tags": {"gone": None}})
    assert not refused, refused
    found = rows(f'filter @log = "{group}" | stats count(*) as n, count_distinct(order_id) as d by @level, host, logger | sort n')
    assert found == [["info", "h1", "shop", 1, 0], ["error", "h1", "shop", 2, 2], ["warn", "h1", "shop", 18, 18]], found
    assert rows(f'filter @log = "{group}" and paid = "true" | stats count(*)') == [[16]]
    assert rows(f'filter @log = "{group}" and @level = "info" | fields @message, gone') == [["grüße, “welt”", None]]


@check
def a_handler_with_a_queue_loses_nothing():
    group = f"loki-py-queue-{RUN}"
    handler = logging_loki.LokiQueueHandler(Queue(-1), url=PUSH, tags={"service": group}, version="1")
    logger = logger_of("queue", handler)
    for n in range(300):
        logger.debug("parcel %d", n)
    handler.listener.stop()
    found = rows(f'filter @log = "{group}" | stats count(*), count_distinct(@message) by @level')
    assert found == [["debug", 300, 300]], found
    lines = [row[0] for row in rows(f'filter @log = "{group}" | fields @message | sort @timestamp asc | limit 1000')]
    assert lines == [f"parcel {n}" for n in range(300)], lines[:5]


def varint(number):
    text = b""
    while number > 127:
        text += bytes([number & 127 | 128])
        number >>= 7
    return text + bytes([number])


def field(number, content):
    """A field of a protobuf message: a text or message by its bytes, a number as varint."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def entry(time_ns, line, metadata):
    """`logproto.EntryAdapter`: timestamp 1, line 2, structured metadata 3."""
    timestamp = field(1, time_ns // 10**9) + field(2, time_ns % 10**9)
    pairs = b"".join(field(3, field(1, name) + field(2, value)) for name, value in metadata.items())
    return field(1, timestamp) + field(2, line) + pairs


def push_request(streams):
    """`logproto.PushRequest`: streams 1, each with labels 1, entries 2 and a hash 3 that the server need not read."""
    parts = (field(1, labels) + b"".join(field(2, one) for one in entries) + field(3, 1234567) for labels, entries in streams)
    return b"".join(field(1, part) for part in parts)


@check
def promtails_and_alloys_pushes_are_stored_once_with_their_metadata():
    group, now = f"loki-alloy-{RUN}", time.time_ns()
    labels = f'{{filename="/var/log/a \\"b\\".log", job="{group}", service_name="pay"}}'
    entries = [entry(now + n, f"level=error msg=\"order {n}\"", {"trace_id": f"t{n % 3}", "pod": "p-1"}) for n in range(100)]
    plain = push_request([(labels, entries), (f'{{job="{group}"}}', [entry(now + 500, "bare", {})])])
    headers = {"Content-Type": "application/x-protobuf", "User-Agent": "Alloy/v1.11.0 (linux; docker)", "X-Scope-OrgID": "tenant"}
    for _ in range(2):
        answer = requests.post(PUSH, data=snappy.compress(plain), headers=headers, timeout=30)
        assert (answer.status_code, answer.text) == (204, ""), answer.text
    found = rows(f'filter @log = "{group}" | stats count(*) as n by @level, trace_id, pod, service_name | sort n, trace_id')
    assert found == [[None, None, None, None, 1], ["error", "t1", "p-1", "pay", 33], ["error", "t2", "p-1", "pay", 33],
                     ["error", "t0", "p-1", "pay", 34]], found
    ordered = rows(f'filter @log = "{group}" and filename = "/var/log/a \\"b\\".log" | fields msg | sort @timestamp asc | limit 1000')
    assert ordered == [[f"order {n}"] for n in range(100)], ordered[:3]
    query = f'{{job="{group}", filename=~".+"}} | trace_id="t1"'
    answer = requests.get(f"{URL}/loki/api/v1/query_range", params={"query": query, "limit": 1000}, timeout=30).json()
    assert sum(len(stream["values"]) for stream in answer["data"]["result"]) == 33, answer
    broken = requests.post(PUSH, data=snappy.compress(plain)[:-9], headers=headers, timeout=30)
    assert broken.status_code == 400 and broken.text, broken.status_code


@check
def fluent_bits_pushes_arrive():
    group, now = f"loki-fluent-bit-{RUN}", time.time_ns()
    assert requests.get(f"{URL}/ready", timeout=30).status_code == 200
    values = [[str(now + n), json.dumps({"log": f"order {n}", "level": "warn"}), {"trace": f"t{n}"}] for n in range(50)]
    body = json.dumps({"streams": [{"stream": {"job": group, "container": "web"}, "values": values}]})
    headers = {"Content-Type": "application/json", "User-Agent": "Fluent-Bit", "Authorization": "Basic YW55OmFueQ=="}
    answer = requests.post(PUSH, data=body, headers=headers, timeout=30)
    assert answer.status_code == 204, answer.text
    found = rows(f'filter @log = "{group}" | stats count(*), count_distinct(trace), count_distinct(log) by @level, container')
    assert found == [["warn", "web", 50, 50, 50]], found


@check
def vectors_pushes_arrive_as_json_and_as_protobuf():
    group, now = f"loki-vector-{RUN}", time.time_ns()
    assert requests.get(f"{URL}/ready", headers={"User-Agent": "Vector/0.49.0"}, timeout=30).status_code == 200
    line = json.dumps({"message": "order", "level": "error", "host": "v-1"})
    body = {"streams": [{"stream": {"service": group, "form": "json"}, "values": [[str(now + n), line] for n in range(40)]}]}
    answer = requests.post(PUSH, json=body, headers={"User-Agent": "Vector/0.49.0"}, timeout=30)
    assert answer.status_code == 204, answer.text
    plain = push_request([(f'{{form="protobuf",service="{group}"}}', [entry(now + n, line, {}) for n in range(60)])])
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "User-Agent": "Vector/0.49.0"}
    answer = requests.post(PUSH, data=snappy.compress(plain), headers=headers, timeout=30)
    assert answer.status_code == 204, answer.text
    found = rows(f'filter @log = "{group}" | stats count(*) as n by @level, form, host, message | sort n')
    assert found == [["error", "json", "v-1", "order", 40], ["error", "protobuf", "v-1", "order", 60]], found


main()
