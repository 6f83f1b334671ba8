#!/usr/bin/env python3
"""CloudWatch's dashboards: boto3 puts bodies, gets them back as they were, and finds them among our own."""
import datetime
import json
import urllib.parse
import uuid

import boto3
import botocore.exceptions
import requests

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
BODY = json.dumps({"start": "-PT6H", "widgets": [
    {"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": "# Pay & <b>ship</b>"}},
    {"type": "metric", "x": 0, "y": 2, "width": 12, "height": 6, "properties": {
        "title": "Sign-ups", "stat": "Sum", "period": 300, "region": "eu-central-1", "metrics": [["SignUps", "UserSignUps", "Service", "pay"]]}},
    {"type": "log", "x": 12, "y": 2, "width": 12, "height": 6, "properties": {
        "title": "Errors", "region": "eu-central-1", "view": "table", "query": "SOURCE 'pay' | filter @level = \"error\" | stats count(*) by host"}},
    {"type": "metric", "properties": {"title": "Found", "metrics": [[{"expression": "SEARCH('{SignUps}', 'Sum', 300)"}]]}},
    {"type": "explorer", "properties": {}}]}, indent=1)


def client():
    return boto3.client("cloudwatch", endpoint_url=f"{URL}/cloudwatch", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")


def refusal(call, **arguments):
    try:
        answer = call(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response
    raise AssertionError(answer)


@check
def a_body_is_a_dashboard_and_comes_back_as_it_was_put():
    cloudwatch, name = client(), f"Pay-{RUN}"
    messages = cloudwatch.put_dashboard(DashboardName=name, DashboardBody=BODY)["DashboardValidationMessages"]
    assert [message["DataPath"] for message in messages] == ["/widgets/3", "/widgets/4"], messages
    assert "SEARCH" in messages[0]["Message"] and "explorer" in messages[1]["Message"], messages
    got = cloudwatch.get_dashboard(DashboardName=name)
    assert got["DashboardBody"] == BODY and got["DashboardName"] == name, got
    assert got["DashboardArn"] == f"arn:aws:cloudwatch::000000000000:dashboard/{name}", got
    # It is one of ours, which the page shows.
    ours = requests.get(f"{URL}/api/v1/dashboards/{name}", timeout=10).json()
    assert (ours["title"], [panel["kind"] for panel in ours["panels"]]) == (name, ["text", "line", "table"]), ours
    assert ours["range"]["from"] == "now-6h", ours
    # The same name again is a change.
    other = json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "empty"}}]})
    assert cloudwatch.put_dashboard(DashboardName=name, DashboardBody=other)["DashboardValidationMessages"] == []
    assert cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"] == other
    assert requests.get(f"{URL}/api/v1/dashboards/{name}", timeout=10).json()["version"] == 2


@check
def dashboards_are_listed_by_prefix_and_deleted_together():
    cloudwatch = client()
    names = [f"list-{RUN}-{number}" for number in range(3)]
    for name in names:
        cloudwatch.put_dashboard(DashboardName=name, DashboardBody=BODY)
    entries = cloudwatch.list_dashboards(DashboardNamePrefix=f"list-{RUN}")["DashboardEntries"]
    assert [entry["DashboardName"] for entry in entries] == names, entries
    assert all(entry["Size"] == len(BODY.encode()) for entry in entries), entries
    age = datetime.datetime.now(datetime.timezone.utc) - entries[0]["LastModified"]
    assert abs(age) < datetime.timedelta(minutes=5), entries
    # If one does not exist, none is deleted.
    refused = refusal(cloudwatch.delete_dashboards, DashboardNames=[names[0], f"none-{RUN}"])
    assert refused["Error"]["Code"] in ("ResourceNotFound", "DashboardNotFoundError") and refused["ResponseMetadata"]["HTTPStatusCode"] == 404, refused
    assert len(cloudwatch.list_dashboards(DashboardNamePrefix=f"list-{RUN}")["DashboardEntries"]) == 3
    cloudwatch.delete_dashboards(DashboardNames=names)
    assert cloudwatch.list_dashboards(DashboardNamePrefix=f"list-{RUN}")["DashboardEntries"] == []
    assert requests.get(f"{URL}/api/v1/dashboards/{names[0]}", timeout=10).status_code == 404


@check
def what_is_no_dashboard_is_refused():
    cloudwatch, name = client(), f"bad-{RUN}"
    for body in ["{", "[]", json.dumps({"panels": []}), json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "x"}}] * 201})]:
        error = refusal(cloudwatch.put_dashboard, DashboardName=name, DashboardBody=body)["Error"]
        assert error["Code"] in ("InvalidParameterInput", "DashboardInvalidInputError"), (body[:40], error)
    assert refusal(cloudwatch.put_dashboard, DashboardName="a b", DashboardBody=BODY)["Error"]["Code"] != "InternalFailure"
    assert refusal(cloudwatch.get_dashboard, DashboardName=name)["ResponseMetadata"]["HTTPStatusCode"] == 404
    # Dashboards that nobody put by this API have no body.
    document = {"title": "Own", "panels": [{"id": "a", "kind": "text", "text": "x", "x": 0, "y": 0, "w": 4, "h": 4}]}
    requests.put(f"{URL}/api/v1/dashboards/own-{RUN}", json=document, timeout=10).raise_for_status()
    assert refusal(cloudwatch.get_dashboard, DashboardName=f"own-{RUN}")["ResponseMetadata"]["HTTPStatusCode"] == 404


@check
def the_older_protocols_answer_in_their_own_forms():
    name = f"forms-{RUN}"
    form = {"Action": "PutDashboard", "Version": "2010-08-01", "DashboardName": name, "DashboardBody": BODY}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    asked = lambda form: requests.post(f"{URL}/cloudwatch", data=urllib.parse.urlencode(form), headers=kind, timeout=10)
    put = asked(form)
    assert put.status_code == 200 and "<DataPath>/widgets/3</DataPath>" in put.text and "<PutDashboardResult>" in put.text, put.text
    got = asked({"Action": "GetDashboard", "DashboardName": name})
    assert "# Pay &amp; &lt;b&gt;ship&lt;/b&gt;" in got.text, got.text
    deleted = asked({"Action": "DeleteDashboards", "DashboardNames.member.1": name})
    assert "<DeleteDashboardsResult>" in deleted.text, deleted.text
    gone = requests.post(f"{URL}/cloudwatch", json={"DashboardName": name}, headers={
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "GraniteServiceVersion20100801.GetDashboard"}, timeout=10)
    assert gone.status_code == 404 and gone.headers["x-amzn-query-error"] == "ResourceNotFound;Sender", gone.text


main()
