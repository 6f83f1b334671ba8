#!/usr/bin/env python3
"""CloudWatch metrics: boto3 puts data and asks for their statistics."""
import contextlib
import datetime
import io
import json
import os
import time
import uuid

# Metrics are printed, not sent to an agent.
os.environ["AWS_EMF_ENVIRONMENT"] = "local"

import boto3
import botocore.exceptions
import requests
from aws_embedded_metrics import metric_scope
from aws_embedded_metrics.storage_resolution import StorageResolution

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
NOW = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
DIMENSIONS = [{"Name": "SIGNUP_SERVICE", "Value": "CoolWebApp"}, {"Name": "SERVICE_VERSION", "Value": "1.0"}]
HOUR = {"StartTime": NOW - datetime.timedelta(hours=1), "EndTime": NOW + datetime.timedelta(minutes=5)}


def client():
    return boto3.client("cloudwatch", endpoint_url=f"{URL}/cloudwatch", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")


def query(name, namespace, metric, stat, dimensions=()):
    return {"Id": name, "MetricStat": {"Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": list(dimensions)}, "Period": 60, "Stat": stat}}


@check
def data_are_put_listed_and_asked_for():
    cloudwatch, namespace = client(), f"SignUps{RUN}"
    signed_up = {"MetricName": "UserSignUps", "Dimensions": DIMENSIONS, "Unit": "Count", "Timestamp": NOW}
    # Equal values at one time all count.
    for _ in range(2):
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{**signed_up, "Value": 1}])
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[
        {**signed_up, "Values": [1.5, 2, 3], "Counts": [1, 2, 1]},
        {"MetricName": "Latency", "Timestamp": NOW, "Unit": "Seconds", "StatisticValues": {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4}}])
    listed = {metric["MetricName"]: metric["Dimensions"] for metric in cloudwatch.list_metrics(Namespace=namespace)["Metrics"]}
    assert listed == {"Latency": [], "UserSignUps": sorted(DIMENSIONS, key=lambda pair: pair["Name"])}, listed
    only = cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "SERVICE_VERSION"}])["Metrics"]
    assert [metric["MetricName"] for metric in only] == ["UserSignUps"], only
    asked = {"Namespace": namespace, "MetricName": "UserSignUps", "Dimensions": DIMENSIONS, "Period": 60, **HOUR}
    points = cloudwatch.get_metric_statistics(Statistics=["SampleCount", "Sum", "Average", "Minimum", "Maximum"], **asked)["Datapoints"]
    assert points == [{"Timestamp": NOW, "SampleCount": 6.0, "Sum": 10.5, "Average": 1.75, "Minimum": 1.0, "Maximum": 3.0, "Unit": "Count"}], points
    results = cloudwatch.get_metric_data(MetricDataQueries=[
        query("signups", namespace, "UserSignUps", "Sum", DIMENSIONS), query("slow", namespace, "Latency", "Maximum"),
        query("p", namespace, "Latency", "p90")], **HOUR)["MetricDataResults"]
    assert [(result["Id"], result["Values"]) for result in results] == [("signups", [10.5]), ("slow", [4.0]), ("p", [])], results
    # What cannot be said of sets of statistics is not said.
    assert "statistic sets" in results[2]["Messages"][0]["Value"], results[2]


def expression(name, text, **more):
    return {"Id": name, "Expression": text, **more}


@check
def expressions_are_evaluated_over_metrics_and_searches():
    cloudwatch, namespace = client(), f"Math{RUN}"
    minutes = [NOW - datetime.timedelta(minutes=number) for number in (3, 2, 1)]
    for service, metric, values in [("a", "Errors", [1, None, 4]), ("b", "Errors", [2, 3, None]), ("a", "Requests", [10, 20, 0])]:
        data = [{"MetricName": metric, "Dimensions": [{"Name": "Service", "Value": service}], "Timestamp": at, "Value": value}
                for at, value in zip(minutes, values) if value is not None]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    hidden = [query("errors", namespace, "Errors", "Sum", [{"Name": "Service", "Value": "a"}]), query("requests", namespace, "Requests", "Sum", [{"Name": "Service", "Value": "a"}])]
    search = f"SEARCH('{{{namespace},Service}} MetricName=\"Errors\"', 'Sum', 60)"
    window = {"StartTime": minutes[0], "EndTime": NOW}

    def ask(*queries, **more):
        answer = cloudwatch.get_metric_data(MetricDataQueries=[*({**one, "ReturnData": False} for one in hidden), *queries], ScanBy="TimestampAscending", **window, **more)
        return [(one["Id"], one["Label"], [minutes.index(at) for at in one["Timestamps"]], one["Values"]) for one in answer["MetricDataResults"]], answer.get("NextToken")
    share, token = ask(expression("share", "100 * FILL(errors, 0) / requests", Label="${LABEL} max ${MAX}"), expression("all", f"SUM({search})"),
                       expression("each", search), expression("ends", "RUNNING_SUM(FILL(errors, REPEAT))"), expression("bad", "IF(requests > 5, 1, 0)"))
    assert token is None and share == [
        ("share", "share max 10", [0, 1], [10.0, 0.0]),
        ("all", "all", [0, 1, 2], [3.0, 3.0, 4.0]),
        ("each", "a", [0, 2], [1.0, 4.0]),
        ("each", "b", [0, 1], [2.0, 3.0]),
        ("ends", "ends", [0, 1, 2], [1.0, 2.0, 6.0]),
        ("bad", "bad", [0, 1, 2], [1.0, 1.0, 0.0]),
    ], share
    first, token = ask(expression("each", search), MaxDatapoints=3)
    rest, last = ask(expression("each", search), MaxDatapoints=3, NextToken=token)
    assert [values for *_, values in first + rest] == [[1.0, 4.0], [2.0], [3.0]] and last is None, (first, rest)


@check
def functions_of_time_have_a_value_for_each_period():
    cloudwatch, namespace = client(), f"Times{RUN}"
    minutes = [NOW - datetime.timedelta(minutes=number) for number in (3, 2, 1)]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "Load", "Timestamp": minutes[1], "Value": 7}])
    parts = {"minute": [at.minute for at in minutes], "hour": [at.hour for at in minutes], "day": [at.isoweekday() for at in minutes],
             "date": [at.day for at in minutes], "month": [at.month for at in minutes], "year": [at.year for at in minutes],
             "epoch": [at.timestamp() for at in minutes], "chosen": [1.0, 7.0, 1.0]}
    texts = {name: f"{name.upper()}(m1)" for name in parts} | {"chosen": f"IF(EPOCH(m1) == {minutes[1].timestamp():.0f}, m1, DATAPOINT_COUNT(m1))"}
    answer = cloudwatch.get_metric_data(MetricDataQueries=[{**query("m1", namespace, "Load", "Sum"), "ReturnData": False}, *(expression(name, text) for name, text in texts.items())],
                                        ScanBy="TimestampAscending", StartTime=minutes[0], EndTime=NOW)
    results = {one["Id"]: one for one in answer["MetricDataResults"]}
    assert {name: one["Values"] for name, one in results.items()} == parts, answer
    assert all(one["Timestamps"] == minutes for one in results.values()), answer


@check
def embedded_metrics_of_lines_are_metrics():
    namespace, out = f"Embedded{RUN}", io.StringIO()

    @metric_scope
    def handle(metrics):
        metrics.set_namespace(namespace)
        metrics.set_dimensions({"Service": "pay"}, {"Service": "pay", "Zone": "a"}, use_default=False)
        for took in (12.5, 14, 14):
            metrics.put_metric("Latency", took, "Milliseconds")
        metrics.put_metric("Requests", 1, "Count", StorageResolution.HIGH)
        metrics.set_property("RequestId", "r-1")
    with contextlib.redirect_stdout(out):
        handle()
    line = out.getvalue().strip()
    assert json.loads(line)["_aws"]["CloudWatchMetrics"], line
    logs = boto3.client("logs", endpoint_url=f"{URL}/cloudwatch", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    group = f"/aws/lambda/pay{RUN}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[{"timestamp": now, "message": line}])
    # The same line once more, by another way.
    requests.post(f"{URL}/api/v1/ingest", params={"format": "text", "group": f"app{RUN}"}, data=line, timeout=10).raise_for_status()
    cloudwatch = client()
    listed = {(metric["MetricName"], *(one["Name"] for one in metric["Dimensions"])) for metric in cloudwatch.list_metrics(Namespace=namespace)["Metrics"]}
    assert listed == {(name, *names) for name in ("Latency", "Requests") for names in [("Service",), ("Service", "Zone")]}, listed
    service = [{"Name": "Service", "Value": "pay"}]
    results = cloudwatch.get_metric_data(MetricDataQueries=[
        query("latency", namespace, "Latency", "Average", service), query("p", namespace, "Latency", "p10", service),
        query("n", namespace, "Latency", "SampleCount", service), query("requests", namespace, "Requests", "Sum", service)], **HOUR)["MetricDataResults"]
    assert [result["Values"] for result in results] == [[13.5], [12.5], [6.0], [2.0]], results
    events = logs.filter_log_events(logGroupName=group)["events"]
    assert [event["message"] for event in events] == [line], events


@check
def what_is_not_done_is_refused_by_name():
    cloudwatch = client()
    refused = [
        (cloudwatch.get_metric_data, {"MetricDataQueries": [{"Id": "e", "Expression": "LAMBDA('f')"}], **HOUR}, "LAMBDA"),
        (cloudwatch.get_metric_data, {"MetricDataQueries": [{"Id": "e", "Expression": "SELECT AVG(a) FROM SCHEMA(\"n\")"}], **HOUR}, "Metrics Insights"),
        (cloudwatch.get_metric_data, {"MetricDataQueries": [{"Id": "e", "Expression": "m1 +"}], **HOUR}, "character 5"),
        (cloudwatch.get_metric_data, {"MetricDataQueries": [{"Id": "e", "Expression": "m1 + 1"}], **HOUR}, "m1"),
        (cloudwatch.put_metric_data, {"Namespace": "n", "MetricData": [{"MetricName": "a", "Value": float("nan")}]}, "finite"),
        (cloudwatch.list_metric_streams, {}, "ListMetricStreams"),
    ]
    for call, arguments, expected in refused:
        try:
            answer = call(**arguments)
        except botocore.exceptions.ClientError as error:
            assert expected in str(error), error
        else:
            raise AssertionError(answer)


main()
