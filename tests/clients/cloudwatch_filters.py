#!/usr/bin/env python3
"""Metric and subscription filters of CloudWatch Logs with boto3, and what becomes of them outside: the page of metrics, and a
receiver."""
import gzip
import http.server
import json
import queue
import threading
import time
import uuid

import boto3
import requests
from botocore.config import Config
from prometheus_client.parser import text_string_to_metric_families

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
GROUP = f"/cwf/{RUN}/pay"
DEADLINE_S = 30


def client(service="logs"):
    config = Config(retries={"max_attempts": 0}, inject_host_prefix=False)
    return boto3.client(service, endpoint_url=f"{URL}/cloudwatch", region_name="eu-west-1", aws_access_key_id="any",
                        aws_secret_access_key="any", config=config)


def put(texts, stream="web-1"):
    events = [{"timestamp": int(time.time() * 1000), "message": text} for text in texts]
    client().put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


def numbers(family):
    """What the page of metrics says of a family for this group, by the other labels."""
    page = requests.get(f"{URL}/metrics", timeout=30).text
    samples = [sample for found in text_string_to_metric_families(page) for sample in found.samples if sample.name == family]
    return {tuple(sorted((name, text) for name, text in sample.labels.items() if name != "group")): sample.value
            for sample in samples if sample.labels["group"] == GROUP}


class Receiver:
    """Takes what is posted to it."""

    def __init__(self):
        taken = self.taken = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Encoding"] == "gzip", self.headers
                taken.put(json.loads(gzip.decompress(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/logs"

    def next(self):
        return self.taken.get(timeout=DEADLINE_S)


@check
def a_group_with_two_streams_is_there():
    logs = client()
    logs.create_log_group(logGroupName=GROUP)
    for stream in ("web-1", "web-2"):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)


@check
def a_subscription_filter_delivers_what_matches():
    logs, receiver = client(), Receiver()
    logs.put_subscription_filter(logGroupName=GROUP, filterName="errors", filterPattern="?ERROR ?FATAL",
                                 destinationArn=receiver.address)
    assert receiver.next()["messageType"] == "CONTROL_MESSAGE"
    put(["ERROR one", "INFO two", "FATAL three"])
    put(["ERROR four"], "web-2")
    found = {}
    while sum(map(len, found.values())) < 3:
        message = receiver.next()
        assert (message["messageType"], message["logGroup"], message["subscriptionFilters"]) == ("DATA_MESSAGE", GROUP, ["errors"])
        found.setdefault(message["logStream"], []).extend(event["message"] for event in message["logEvents"])
    assert found == {"web-1": ["ERROR one", "FATAL three"], "web-2": ["ERROR four"]}, found
    shown = logs.describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"]
    assert [(one["filterName"], one["destinationArn"]) for one in shown] == [("errors", receiver.address)], shown
    logs.delete_subscription_filter(logGroupName=GROUP, filterName="errors")
    assert logs.describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"] == []


@check
def an_address_that_takes_nothing_is_told_at_once():
    logs = client()
    for address in ("http://127.0.0.1:9/", "http://169.254.169.254/", "arn:aws:firehose:eu-west-1:1:deliverystream/d"):
        try:
            logs.put_subscription_filter(logGroupName=GROUP, filterName="errors", filterPattern="", destinationArn=address)
        except logs.exceptions.InvalidParameterException:
            continue
        raise AssertionError(f"{address} was accepted")


@check
def metric_filters_count_by_dimensions():
    logs = client()
    transformation = {"metricName": "spent", "metricNamespace": f"check/{RUN}", "metricValue": "$.ms", "dimensions": {"Path": "$.path"}}
    logs.put_metric_filter(logGroupName=GROUP, filterName="spent", filterPattern="{ $.ms >= 0 }", metricTransformations=[transformation])
    logs.put_metric_filter(logGroupName=GROUP, filterName="sizes", filterPattern="[ip, verb = GET, ..., size > 0]", metricTransformations=[
        {"metricName": "sizes", "metricNamespace": f"check/{RUN}", "metricValue": "$size", "unit": "Bytes"}])
    put(['{"ms":2,"path":"/a"}', '{"ms":3,"path":"/a"}', '{"ms":5,"path":"/b"}', "10.0.0.1 GET /x 12", "10.0.0.2 GET /y 30"])
    found = numbers("catat_metric_filter_value")
    by_filter = {}
    for labels, value in found.items():
        by_filter.setdefault(dict(labels)["filter"], {})[dict(labels).get("dimension_Path")] = value
    assert by_filter == {"spent": {"/a": 5, "/b": 5}, "sizes": {None: 42}}, found
    described = logs.describe_metric_filters(logGroupName=GROUP, metricName="spent", metricNamespace=f"check/{RUN}")["metricFilters"]
    assert [one["metricTransformations"] for one in described] == [[transformation]], described
    metrics = client("cloudwatch").get_paginator("list_metrics").paginate(Namespace=f"check/{RUN}")
    listed = sorted((one["MetricName"], [pair["Value"] for pair in one["Dimensions"]]) for page in metrics for one in page["Metrics"])
    assert listed == [("sizes", []), ("spent", ["/a"]), ("spent", ["/b"])], listed
    for name in ("spent", "sizes"):
        logs.delete_metric_filter(logGroupName=GROUP, filterName=name)
    assert logs.describe_metric_filters(logGroupName=GROUP)["metricFilters"] == [] and not numbers("catat_metric_filter_value")


main()
