#!/usr/bin/env python3
"""CloudWatch metrics: boto3 puts data and asks for their statistics."""
import datetime
import uuid

import boto3
import botocore.exceptions

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


@check
def what_is_not_done_is_refused_by_name():
    cloudwatch = client()
    refused = [
        (cloudwatch.get_metric_data, {"MetricDataQueries": [{"Id": "e", "Expression": "SUM(METRICS())"}], **HOUR}, "metric math"),
        (cloudwatch.put_metric_data, {"Namespace": "n", "MetricData": [{"MetricName": "a", "Value": float("nan")}]}, "finite"),
        (cloudwatch.describe_alarms, {}, "DescribeAlarms"),
    ]
    for call, arguments, expected in refused:
        try:
            answer = call(**arguments)
        except botocore.exceptions.ClientError as error:
            assert expected in str(error), error
        else:
            raise AssertionError(answer)


main()
