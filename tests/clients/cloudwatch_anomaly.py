#!/usr/bin/env python3
"""CloudWatch's anomaly detection: boto3 puts detectors, asks for bands, and puts alarms on them."""
import datetime
import json
import time
import uuid

import boto3
import botocore.exceptions

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
NAMESPACE = f"Anomalies{RUN}"
NOW = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
WEEK = datetime.timedelta(days=7)


def client():
    return boto3.client("cloudwatch", endpoint_url=f"{URL}/cloudwatch", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")


def wait_for(what, function, seconds=90):
    until = time.time() + seconds
    while time.time() < until:
        found = function()
        if found:
            return found
        time.sleep(0.3)
    raise AssertionError(f"{what} within {seconds} s")


def put_values(cloudwatch, metric, values):
    """Puts values with their times."""
    data = [{"MetricName": metric, "Timestamp": at, "Value": value} for at, value in values]
    for start in range(0, len(data), 500):
        cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data[start:start + 500])


def around(when, low, high):
    """A value in each minute of five whole hours, the lower and the higher one in turn."""
    first = when.replace(minute=0) - datetime.timedelta(hours=2)
    minutes = [first + datetime.timedelta(minutes=n) for n in range(300)]
    return [(at, high if int(at.timestamp()) // 60 % 2 else low) for at in minutes]


def stat(metric):
    return {"Metric": {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": []}, "Period": 60, "Stat": "Average"}


def band_queries(metric, n=2):
    return [{"Id": "m1", "MetricStat": stat(metric)}, {"Id": "ad1", "Expression": f"ANOMALY_DETECTION_BAND(m1, {n})", "Label": "band"}]


def band(cloudwatch, queries):
    results = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=NOW - datetime.timedelta(minutes=2), EndTime=NOW)["MetricDataResults"]
    found = [result["Values"] for result in results if result["Id"] == "ad1"]
    assert len(found) == 2, results
    return found


def near(found, expected):
    return all(abs(value - expected) < 1e-6 for value in found) and len(found) == 2


@check
def bands_are_the_median_of_the_same_hours_with_what_a_detector_says():
    cloudwatch = client()
    # A week ago 200 and 204 in turn, two weeks ago 100 and 104: the median is 152, the median distance 50.
    put_values(cloudwatch, "Orders", around(NOW - WEEK, 200, 204) + around(NOW - 2 * WEEK, 100, 104))
    upper, lower = band(cloudwatch, band_queries("Orders"))
    assert near(upper, 152 + 2 * 50 * 1.4826) and near(lower, 152 - 2 * 50 * 1.4826), (upper, lower)
    # Without the week ago: 102, and 2.
    metric = {"Namespace": NAMESPACE, "MetricName": "Orders", "Dimensions": [], "Stat": "Average"}
    excluded = {"StartTime": NOW - WEEK - datetime.timedelta(hours=3), "EndTime": NOW - WEEK + datetime.timedelta(hours=3)}
    configuration = {"ExcludedTimeRanges": [excluded], "MetricTimezone": "Europe/Berlin"}
    cloudwatch.put_anomaly_detector(SingleMetricAnomalyDetector=metric, Configuration=configuration)
    upper, lower = band(cloudwatch, band_queries("Orders", 1.5))
    assert near(upper, 102 + 1.5 * 2 * 1.4826) and near(lower, 102 - 1.5 * 2 * 1.4826), (upper, lower)
    shown = cloudwatch.describe_anomaly_detectors(Namespace=NAMESPACE, MetricName="Orders")["AnomalyDetectors"]
    assert len(shown) == 1 and shown[0]["StateValue"] == "TRAINED", shown
    assert shown[0]["SingleMetricAnomalyDetector"] == metric and {name: shown[0][name] for name in metric} == metric, shown
    ranges = shown[0]["Configuration"]["ExcludedTimeRanges"]
    assert ranges == [excluded] and shown[0]["Configuration"]["MetricTimezone"] == "Europe/Berlin", shown
    # A detector that is put again is changed; it is not a second one.
    cloudwatch.put_anomaly_detector(**metric, MetricCharacteristics={"PeriodicSpikes": True})
    shown = cloudwatch.describe_anomaly_detectors(Namespace=NAMESPACE)["AnomalyDetectors"]
    assert len(shown) == 1 and shown[0]["MetricCharacteristics"] == {"PeriodicSpikes": True} and "Configuration" not in shown[0], shown
    upper, lower = band(cloudwatch, band_queries("Orders", 0.1))
    assert near(upper, 204) and near(lower, 100), (upper, lower)
    cloudwatch.delete_anomaly_detector(**metric)
    upper, _ = band(cloudwatch, band_queries("Orders"))
    assert near(upper, 152 + 2 * 50 * 1.4826), upper


@check
def expressions_have_detectors_too():
    cloudwatch = client()
    put_values(cloudwatch, "Errors", around(NOW - WEEK, 4, 8) + around(NOW - 2 * WEEK, 4, 8))
    put_values(cloudwatch, "Requests", around(NOW - WEEK, 2, 2) + around(NOW - 2 * WEEK, 2, 2))
    share = lambda first, second, shown: [
        {"Id": first, "MetricStat": stat("Errors"), "ReturnData": False}, {"Id": second, "MetricStat": stat("Requests"), "ReturnData": False},
        {"Id": "e1", "Expression": f"{first} / {second}", "ReturnData": shown}]
    asked = share("x", "y", False) + [{"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(e1, 1)"}]
    upper, lower = band(cloudwatch, asked)
    # 2 and 4 in turn.
    assert near(upper, 3 + 1.4826) and near(lower, 3 - 1.4826), (upper, lower)
    detector = {"MetricMathAnomalyDetector": {"MetricDataQueries": share("a", "b", True)}}
    cloudwatch.put_anomaly_detector(**detector, MetricCharacteristics={"PeriodicSpikes": True})
    upper, lower = band(cloudwatch, asked[:-1] + [{"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(x / y, 0.1)"}])
    assert near(upper, 4) and near(lower, 2), (upper, lower)
    assert all("MetricMathAnomalyDetector" not in one for one in cloudwatch.describe_anomaly_detectors()["AnomalyDetectors"])
    shown = cloudwatch.describe_anomaly_detectors(AnomalyDetectorTypes=["METRIC_MATH"])["AnomalyDetectors"]
    own = [one for one in shown if one["MetricMathAnomalyDetector"] == detector["MetricMathAnomalyDetector"]]
    assert len(own) == 1 and own[0]["StateValue"] == "TRAINED", shown
    cloudwatch.delete_anomaly_detector(**detector)


@check
def alarms_compare_with_the_band():
    cloudwatch = client()
    recent = [(NOW - datetime.timedelta(minutes=n), 500) for n in range(1, 10)]
    put_values(cloudwatch, "Load", around(NOW - WEEK, 100, 104) + around(NOW - 2 * WEEK, 100, 104) + recent)
    def put(name, comparison, metric="Load", **more):
        cloudwatch.put_metric_alarm(AlarmName=name + RUN, ComparisonOperator=comparison, EvaluationPeriods=3, DatapointsToAlarm=1, ThresholdMetricId="ad1",
                                    Metrics=band_queries(metric), **more)
    put("outside", "LessThanLowerOrGreaterThanUpperThreshold")
    put("above", "GreaterThanUpperThreshold")
    put("below", "LessThanLowerThreshold")
    put("young", "GreaterThanUpperThreshold", "Young", TreatMissingData="breaching")
    put_values(cloudwatch, "Young", recent)
    alarm = lambda name: cloudwatch.describe_alarms(AlarmNames=[name + RUN])["MetricAlarms"][0]
    for name in ("outside", "above"):
        shown = wait_for(f"{name} in ALARM", lambda: alarm(name)["StateValue"] == "ALARM" and alarm(name))
        assert shown["StateReason"].startswith("Thresholds Crossed: ") and "500.0 (" in shown["StateReason"], shown
        assert "greater than the upper thresholds [107.93" in shown["StateReason"], shown
        data = json.loads(shown["StateReasonData"])
        assert abs(data["recentUpperThresholds"][-1] - 107.9304) < 1e-6 and abs(data["recentLowerThresholds"][-1] - 96.0696) < 1e-6, data
        assert "threshold" not in data and data["recentDatapoints"][-1] == 500, data
        assert shown["ThresholdMetricId"] == "ad1" and "Threshold" not in shown and shown["Metrics"][1]["Expression"] == "ANOMALY_DETECTION_BAND(m1, 2)", shown
    shown = wait_for("below in OK", lambda: alarm("below")["StateValue"] == "OK" and alarm("below"))
    assert "not less than the lower thresholds [96.0696" in shown["StateReason"], shown
    # A reason changes with the state alone.
    cloudwatch.set_alarm_state(AlarmName="young" + RUN, StateValue="OK", StateReason="a drill")
    shown = wait_for("a judgement without a band", lambda: "anomaly" in alarm("young")["StateReason"] and alarm("young"))
    assert shown["StateValue"] == "INSUFFICIENT_DATA", shown
    cloudwatch.delete_alarms(AlarmNames=[name + RUN for name in ("outside", "above", "below", "young")])


@check
def states_of_detectors_are_true_and_pages_complete():
    cloudwatch = client()
    for n in range(3):
        cloudwatch.put_anomaly_detector(Namespace=NAMESPACE, MetricName=f"New{n}", Stat="p99", Dimensions=[{"Name": "Host", "Value": "a"}])
    pages = cloudwatch.get_paginator("describe_anomaly_detectors").paginate(Namespace=NAMESPACE, Dimensions=[{"Name": "Host", "Value": "a"}], PaginationConfig={"PageSize": 2})
    found = [one for page in pages for one in page["AnomalyDetectors"]]
    assert {(one["MetricName"], one["StateValue"]) for one in found} == {(f"New{n}", "PENDING_TRAINING") for n in range(3)}, found
    assert cloudwatch.describe_anomaly_detectors(Namespace=NAMESPACE, Dimensions=[{"Name": "Host", "Value": "b"}])["AnomalyDetectors"] == []
    for n in range(3):
        cloudwatch.delete_anomaly_detector(Namespace=NAMESPACE, MetricName=f"New{n}", Stat="p99", Dimensions=[{"Name": "Host", "Value": "a"}])


@check
def mistakes_are_named():
    cloudwatch = client()
    single = {"Namespace": NAMESPACE, "MetricName": "m", "Stat": "Sum"}
    query = {"Id": "m1", "MetricStat": stat("m")}
    bands = {"AlarmName": "r", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "ad1"}
    math = lambda *queries: {"MetricMathAnomalyDetector": {"MetricDataQueries": list(queries)}}
    refused = [
        (cloudwatch.put_anomaly_detector, {"Namespace": NAMESPACE, "MetricName": "m"}, "MissingParameter", "Stat"),
        (cloudwatch.put_anomaly_detector, {**single, "SingleMetricAnomalyDetector": single}, "InvalidParameterCombination", "Namespace"),
        (cloudwatch.put_anomaly_detector, {**single, "Configuration": {"MetricTimezone": "Mars/Olympus"}}, "InvalidParameterValue", "Mars/Olympus"),
        (cloudwatch.put_anomaly_detector, {**single, "Configuration": {"ExcludedTimeRanges": [{"StartTime": NOW, "EndTime": NOW}]}}, "InvalidParameterValue", "before the EndTime"),
        (cloudwatch.put_anomaly_detector, {"SingleMetricAnomalyDetector": {**single, "AccountId": "123456789012"}}, "InvalidParameterValue", "other accounts"),
        (cloudwatch.put_anomaly_detector, math(query), "InvalidParameterValue", "an expression"),
        (cloudwatch.put_anomaly_detector, math({**query, "ReturnData": False}, {"Id": "e", "Expression": "SUM(METRICS())"}), "InvalidParameterValue", "METRICS is not supported"),
        (cloudwatch.delete_anomaly_detector, single, "ResourceNotFound", "Unknown anomaly detector"),
        (cloudwatch.describe_anomaly_detectors, {"AnomalyDetectorTypes": ["OTHER"]}, "InvalidParameterValue", "OTHER"),
        (cloudwatch.describe_anomaly_detectors, {"NextToken": "x"}, "InvalidNextToken", "NextToken"),
        (cloudwatch.put_metric_alarm, {**bands, "Metrics": [query, {"Id": "ad1", "Expression": "m1 * 2"}]}, "ValidationError", "must be ANOMALY_DETECTION_BAND"),
        (cloudwatch.put_metric_alarm, {**bands, "Metrics": band_queries("m"), "Threshold": 1}, "InvalidParameterCombination", "excludes Threshold"),
        (cloudwatch.put_metric_alarm, {**bands, "Metrics": band_queries("m"), "ComparisonOperator": "LessThanThreshold"}, "InvalidParameterCombination", "LessThanThreshold"),
        (cloudwatch.get_metric_data, {"MetricDataQueries": band_queries("m", 0), "StartTime": NOW - WEEK, "EndTime": NOW}, "bad-expression", "above 0"),
    ]
    for call, arguments, code, expected in refused:
        try:
            answer = call(**arguments)
        except botocore.exceptions.ClientError as error:
            found = error.response["Error"]
            assert (code == "bad-expression" or found["Code"].startswith(code)) and expected in str(error), (found, code, expected)
        else:
            raise AssertionError((arguments, answer))


main()
