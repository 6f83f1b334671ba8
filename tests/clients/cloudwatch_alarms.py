#!/usr/bin/env python3
"""CloudWatch alarms and SNS: boto3 puts alarms, subscribes to topics and publishes."""
import datetime
import http.server
import json
import os
import threading
import time
import uuid

import boto3
import botocore.exceptions
import requests

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
ACCOUNT = "000000000000"
REGION = "eu-central-1"
STATES = {"StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp", "StateTransitionedTimestamp"}


def client(service, path="cloudwatch", **more):
    return boto3.client(service, endpoint_url=f"{URL}/{path}", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b", **more)


def topic(name):
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}{RUN}"


def wait_for(what, function, seconds=60):
    until = time.time() + seconds
    while time.time() < until:
        found = function()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what} within {seconds} s")


def alarm(cloudwatch, name):
    found = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    return (found["MetricAlarms"] + found["CompositeAlarms"])[0]


def put(cloudwatch, name, metric, **more):
    arguments = {"Namespace": f"Alarms{RUN}", "MetricName": metric, "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 5,
                 "ComparisonOperator": "GreaterThanThreshold", **more}
    cloudwatch.put_metric_alarm(AlarmName=name, **arguments)


def put_data(cloudwatch, metric, *values):
    """Puts a value into each of the last whole minutes, the latest first."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    data = [{"MetricName": metric, "Timestamp": now - datetime.timedelta(minutes=1 + ago), "Value": value} for ago, value in enumerate(values)]
    cloudwatch.put_metric_data(Namespace=f"Alarms{RUN}", MetricData=data)


class Receiver(http.server.BaseHTTPRequestHandler):
    posts = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Receiver.posts.append((self.path, dict(self.headers), body.decode()))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def receiver():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def posts(path, kind):
    return [(headers, body) for where, headers, body in Receiver.posts if where == path and headers.get("x-amz-sns-message-type") == kind]


def subscribed(sns, arn, path, **attributes):
    """Subscribes a receiver and lets it follow the link of the first message."""
    answer = sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=receiver() + path, Attributes=attributes)
    assert answer["SubscriptionArn"] == "pending confirmation", answer
    (headers, body), *_ = wait_for("a message that asks", lambda: posts(path, "SubscriptionConfirmation"))
    asked = json.loads(body)
    assert asked["Type"] == "SubscriptionConfirmation" and asked["TopicArn"] == arn and headers["x-amz-sns-topic-arn"] == arn, asked
    link = asked["SubscribeURL"]
    confirmed = requests.get(f"{URL}/sns/{link[link.index('?'):]}", timeout=10)
    assert confirmed.status_code == 200 and f"<SubscriptionArn>{arn}:" in confirmed.text, confirmed.text
    return asked


@check
def a_metric_alarm_goes_through_its_states_and_tells_its_topics():
    cloudwatch, sns, name = client("cloudwatch"), client("sns", "sns"), f"errors{RUN}"
    arn = sns.create_topic(Name=f"ops{RUN}")["TopicArn"]
    assert arn == topic("ops"), arn
    subscribed(sns, arn, "/alarm")
    put(cloudwatch, name, "Errors", AlarmDescription="Too {{ many }} errors", AlarmActions=[arn], OKActions=[arn], Tags=[{"Key": "team", "Value": "pay"}])
    put_data(cloudwatch, "Errors", 9)
    is_alarm = lambda: alarm(cloudwatch, name)["StateValue"] == "ALARM" and alarm(cloudwatch, name)
    shown = wait_for("the state ALARM", is_alarm)
    assert shown["StateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints [9.0 ("), shown
    assert shown["StateReason"].endswith("was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition)."), shown
    data = json.loads(shown["StateReasonData"])
    assert (data["version"], data["statistic"], data["recentDatapoints"], data["threshold"]) == ("1.0", "Sum", [9.0], 5.0), data
    headers, body = wait_for("the message of the action", lambda: posts("/alarm", "Notification"))[0]
    body = json.loads(body)
    message = json.loads(body["Message"])
    assert body["Subject"] == f'ALARM: "{name}" in {REGION}' and body["Signature"] == "", body
    assert (message["NewStateValue"], message["OldStateValue"], message["AlarmDescription"]) == ("ALARM", "INSUFFICIENT_DATA", "Too {{ many }} errors"), message
    assert message["Trigger"]["MetricName"] == "Errors" and message["Trigger"]["Statistic"] == "SUM", message
    alerts = requests.get(f"{URL}/api/v1/alerts", timeout=10).json()["alerts"]
    own = [one for one in alerts if one["rule"] == name]
    assert own and own[0]["state"] == "alarm" and own[0]["value"] == 9 and own[0]["annotations"]["summary"] == shown["StateReason"], alerts
    rule = requests.delete(f"{URL}/api/v1/rules/{name}", timeout=10)
    assert rule.status_code == 400 and "DeleteAlarms" in rule.text, rule.text
    put_data(cloudwatch, "Errors", -9)
    wait_for("the state OK", lambda: alarm(cloudwatch, name)["StateValue"] == "OK")
    wait_for("the second message", lambda: len(posts("/alarm", "Notification")) == 2)
    history = wait_for("a history", lambda: [one for one in [cloudwatch.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]] if len(one) >= 5])[0]
    assert history[-1]["HistorySummary"] == f'Alarm "{name}" created', history
    kinds = [one["HistorySummary"] for one in cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate", ScanBy="TimestampAscending")["AlarmHistoryItems"]]
    assert kinds == ["Alarm updated from INSUFFICIENT_DATA to ALARM", "Alarm updated from ALARM to OK"], kinds
    assert cloudwatch.list_tags_for_resource(ResourceARN=shown["AlarmArn"])["Tags"] == [{"Key": "team", "Value": "pay"}]
    cloudwatch.tag_resource(ResourceARN=shown["AlarmArn"], Tags=[{"Key": "a", "Value": "b"}])
    cloudwatch.untag_resource(ResourceARN=shown["AlarmArn"], TagKeys=["team"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=shown["AlarmArn"])["Tags"] == [{"Key": "a", "Value": "b"}]


@check
def an_alarm_reads_the_metric_of_a_filter_that_is_put_after_it():
    cloudwatch, logs, name, group = client("cloudwatch"), client("logs"), f"slow{RUN}", f"alarms-{RUN}"
    put(cloudwatch, name, "Slow", EvaluationPeriods=3, DatapointsToAlarm=1, TreatMissingData="notBreaching")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="web")
    transformation = {"metricNamespace": f"Alarms{RUN}", "metricName": "Slow", "metricValue": "$.ms"}
    logs.put_metric_filter(logGroupName=group, filterName="slow", filterPattern="{ $.ms > 3 }", metricTransformations=[transformation])
    at = int(time.time() // 60 * 60 - 30) * 1000
    logs.put_log_events(logGroupName=group, logStreamName="web", logEvents=[{"timestamp": at, "message": json.dumps({"ms": ms})} for ms in (4, 9, 1)])
    reason = wait_for("the state ALARM", lambda: alarm(cloudwatch, name)["StateValue"] == "ALARM" and alarm(cloudwatch, name)["StateReason"])
    assert "[13.0 (" in reason, reason


@check
def alarms_on_expressions_and_over_alarms_follow_their_metrics():
    cloudwatch, name = client("cloudwatch"), f"share{RUN}"
    stat = lambda metric: {"Metric": {"Namespace": f"Alarms{RUN}", "MetricName": metric}, "Period": 60, "Stat": "Sum"}
    cloudwatch.put_metric_alarm(AlarmName=name, EvaluationPeriods=2, DatapointsToAlarm=1, Threshold=10, ComparisonOperator="GreaterThanOrEqualToThreshold", Metrics=[
        {"Id": "bad", "MetricStat": stat("Bad"), "ReturnData": False}, {"Id": "all", "MetricStat": stat("All"), "ReturnData": False},
        {"Id": "share", "Expression": "100 * bad / all", "Label": "Share"}])
    put(cloudwatch, f"silent{RUN}", "Nothing", TreatMissingData="breaching")
    put(cloudwatch, f"unknown{RUN}", "Nothing")
    put_data(cloudwatch, "Bad", 1, 2)
    put_data(cloudwatch, "All", 100, 10)
    cloudwatch.put_composite_alarm(AlarmName=f"over{RUN}", AlarmRule=f'ALARM({name}) AND (ALARM("silent{RUN}") OR FALSE) AND NOT OK(unknown{RUN})')
    for wanted in (name, f"silent{RUN}", f"over{RUN}"):
        wait_for(f"{wanted} in ALARM", lambda: alarm(cloudwatch, wanted)["StateValue"] == "ALARM", 90)
    assert "3 missing datapoint" not in alarm(cloudwatch, f"silent{RUN}")["StateReason"]
    assert alarm(cloudwatch, f"silent{RUN}")["StateReason"].endswith("1 missing datapoint was treated as [Breaching]."), alarm(cloudwatch, f"silent{RUN}")
    assert "transitioned to ALARM" in alarm(cloudwatch, f"over{RUN}")["StateReason"]
    children = cloudwatch.describe_alarms(ChildrenOfAlarmName=f"over{RUN}")["MetricAlarms"]
    assert {one["AlarmName"] for one in children} == {name, f"silent{RUN}", f"unknown{RUN}"}, children
    assert [one["Id"] for one in alarm(cloudwatch, name)["Metrics"]] == ["bad", "all", "share"]
    try:
        cloudwatch.delete_alarms(AlarmNames=[name])
    except botocore.exceptions.ClientError as error:
        assert f"over{RUN}" in str(error), error
    else:
        raise AssertionError("an alarm that another depends on was deleted")
    cloudwatch.delete_alarms(AlarmNames=[name, f"silent{RUN}", f"unknown{RUN}", f"over{RUN}"])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


@check
def states_are_set_and_actions_switched():
    cloudwatch, name = client("cloudwatch"), f"set{RUN}"
    put(cloudwatch, name, "Unseen", AlarmActions=[topic("quiet")], TreatMissingData="ignore")
    assert alarm(cloudwatch, name)["StateValue"] == "INSUFFICIENT_DATA"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill", StateReasonData='{"by": "me"}')
    shown = alarm(cloudwatch, name)
    assert (shown["StateValue"], shown["StateReason"], shown["StateReasonData"]) == ("ALARM", "a drill", '{"by": "me"}'), shown
    assert isinstance(shown["StateUpdatedTimestamp"], datetime.datetime)
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    assert alarm(cloudwatch, name)["ActionsEnabled"] is False and alarm(cloudwatch, name)["StateValue"] == "ALARM"
    cloudwatch.enable_alarm_actions(AlarmNames=[name])
    found = cloudwatch.describe_alarms_for_metric(Namespace=f"Alarms{RUN}", MetricName="Unseen")["MetricAlarms"]
    assert [one["AlarmName"] for one in found] == [name] and found[0]["ActionsEnabled"] is True, found
    by_state = cloudwatch.describe_alarms(AlarmNamePrefix="set", StateValue="ALARM", ActionPrefix=topic("quiet"))["MetricAlarms"]
    assert [one["AlarmName"] for one in by_state] == [name], by_state


@check
def messages_reach_subscribers_until_they_end_their_subscription():
    sns = client("sns", "sns")
    arn = sns.create_topic(Name=f"news{RUN}", Attributes={"DisplayName": "News"})["TopicArn"]
    subscribed(sns, arn, "/json")
    subscribed(sns, arn, "/raw", RawMessageDelivery="true")
    listed = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert len(listed) == 2 and all(one["SubscriptionArn"].startswith(arn) and one["Protocol"] == "http" for one in listed), listed
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (attributes["DisplayName"], attributes["SubscriptionsConfirmed"]) == ("News", "2"), attributes
    id_ = sns.publish(TopicArn=arn, Subject="Hello", MessageStructure="json", Message=json.dumps({"default": "to all", "http": "to the web"}),
                      MessageAttributes={"n": {"DataType": "Number", "StringValue": "7"}})["MessageId"]
    headers, body = wait_for("the message", lambda: posts("/json", "Notification"))[0]
    message = json.loads(body)
    assert (message["MessageId"], message["Message"], message["Subject"]) == (id_, "to the web", "Hello"), message
    assert message["MessageAttributes"] == {"n": {"Type": "Number", "Value": "7"}} and headers["x-amz-sns-message-id"] == id_, message
    headers, body = wait_for("the raw message", lambda: posts("/raw", "Notification"))[0]
    assert body == "to the web" and headers["x-amz-sns-rawdelivery"] == "true", headers
    link = message["UnsubscribeURL"]
    assert requests.get(f"{URL}/sns/?Action=Unsubscribe&SubscriptionArn={listed[0]['SubscriptionArn']}&Proof=wrong", timeout=10).status_code == 404
    assert requests.get(f"{URL}/sns/{link[link.index('?'):]}", timeout=10).status_code == 200
    left = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert len(left) == 1, left
    sns.unsubscribe(SubscriptionArn=left[0]["SubscriptionArn"])
    # The same at CloudWatch's address.
    other = client("sns")
    assert other.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"] == []
    other.delete_topic(TopicArn=arn)
    assert arn not in [one["TopicArn"] for one in other.list_topics()["Topics"]]


@check
def shapes_are_those_of_moto():
    os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")
    from moto import mock_aws

    def shapes(cloudwatch, sns):
        put(cloudwatch, f"moto{RUN}", "Moto", Dimensions=[{"Name": "A", "Value": "b"}], AlarmActions=[topic("moto")])
        cloudwatch.set_alarm_state(AlarmName=f"moto{RUN}", StateValue="OK", StateReason="moto", StateReasonData="{}")
        shown = alarm(cloudwatch, f"moto{RUN}")
        arn = sns.create_topic(Name=f"moto{RUN}")["TopicArn"]
        published = sns.publish(TopicArn=arn, Message="m")
        return ({name: type(value) for name, value in shown.items() if name not in STATES},
                arn.split(":")[-1], set(published) - {"ResponseMetadata"})
    ours = shapes(client("cloudwatch"), client("sns", "sns"))
    with mock_aws():
        theirs = shapes(boto3.client("cloudwatch", region_name=REGION), boto3.client("sns", region_name=REGION))
    for name, kind in ours[0].items():
        assert theirs[0].get(name, kind) == kind, (name, kind, theirs[0])
    missing = set(theirs[0]) - set(ours[0])
    # What is not set is not there; moto has empty lists.
    assert missing <= {"Metrics", "EvaluationState"}, missing
    assert ours[1:] == theirs[1:], (ours, theirs)


@check
def what_is_not_done_is_refused_by_name():
    cloudwatch, sns = client("cloudwatch"), client("sns", "sns")
    metric = {"AlarmName": "r", "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "LessThanThreshold"}
    topic_arn = sns.create_topic(Name=f"refused{RUN}")["TopicArn"]
    refused = [
        (cloudwatch.put_metric_alarm, {**metric, "ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "b"}, "InvalidParameterCombination", "ThresholdMetricId"),
        (cloudwatch.put_metric_alarm, {**metric, "ComparisonOperator": "GreaterThanUpperThreshold"}, "InvalidParameterCombination", "needs ThresholdMetricId"),
        (cloudwatch.put_metric_alarm, {**metric, "EvaluationPeriods": 1441}, "ValidationError", "86400"),
        (cloudwatch.put_metric_alarm, {**metric, "DatapointsToAlarm": 2}, "ValidationError", "DatapointsToAlarm"),
        (cloudwatch.put_metric_alarm, {**metric, "AlarmActions": ["arn:aws:automate:eu-central-1:ec2:stop"]}, "ValidationError", "automate"),
        (cloudwatch.put_metric_alarm, {**metric, "Period": 45}, "InvalidParameterValue", "Period"),
        (cloudwatch.put_composite_alarm, {"AlarmName": "c", "AlarmRule": "ALARM(nowhere)"}, "ValidationError", "nowhere"),
        (cloudwatch.put_composite_alarm, {"AlarmName": "c", "AlarmRule": "ALARM(a) XOR"}, "ValidationError", "character 10"),
        (cloudwatch.put_composite_alarm, {"AlarmName": "c", "AlarmRule": "(" * 5000 + "TRUE"}, "ValidationError", "nested"),
        (cloudwatch.put_composite_alarm, {"AlarmName": "c", "AlarmRule": "TRUE", "ActionsSuppressor": "x"}, "InvalidParameterValue", "ActionsSuppressor"),
        (cloudwatch.set_alarm_state, {"AlarmName": "nowhere", "StateValue": "OK", "StateReason": "r"}, "ResourceNotFound", "nowhere"),
        (cloudwatch.delete_alarms, {"AlarmNames": ["nowhere"]}, "ResourceNotFound", "nowhere"),
        (cloudwatch.list_metric_streams, {}, "InvalidAction", "ListMetricStreams"),
        (sns.subscribe, {"TopicArn": topic_arn, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:a:b:c"}, "InvalidParameter", "sqs"),
        (sns.subscribe, {"TopicArn": topic_arn, "Protocol": "http", "Endpoint": "http://169.254.169.254/latest"}, "InvalidParameter", "link-local"),
        (sns.subscribe, {"TopicArn": topic("nowhere"), "Protocol": "http", "Endpoint": "http://example.org"}, "NotFound", "Topic does not exist"),
        (sns.publish, {"TopicArn": topic("nowhere"), "Message": "m"}, "NotFound", "Topic does not exist"),
        (sns.publish, {"PhoneNumber": "+6281", "Message": "m"}, "InvalidParameter", "PhoneNumber"),
        (sns.publish, {"TopicArn": topic_arn, "Message": "x" * 70_000}, "InvalidParameter", "too long"),
        (sns.confirm_subscription, {"TopicArn": topic_arn, "Token": "wrong"}, "InvalidParameter", "Token"),
        (sns.create_topic, {"Name": "a.fifo", "Attributes": {"FifoTopic": "true"}}, "InvalidParameter", ".fifo"),
        (sns.publish_batch, {"TopicArn": topic_arn, "PublishBatchRequestEntries": [{"Id": "1", "Message": "m"}]}, "InvalidAction", "PublishBatch"),
    ]
    for call, arguments, code, expected in refused:
        try:
            answer = call(**arguments)
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"].split("Exception")[0] in (code, code + "Value") and expected in str(error), (error.response["Error"], code, expected)
        else:
            raise AssertionError((arguments, answer))


main()
