#!/usr/bin/env python3
"""CloudWatch Logs' asking side with boto3: queries as people and Grafana's data source ask them, compared with the
native door."""
import time
import uuid

import boto3
import requests
from botocore.config import Config

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
GROUP = f"/cwq/{RUN}/pay"
NOW = int(time.time())

# What Grafana puts before every query.
GRAFANA = ("fields @timestamp,ltrim(@log) as __log__grafana_internal__,"
           "ltrim(@logStream) as __logstream__grafana_internal__|")


def client(service="logs"):
    # Until somebody makes a key, any signature will do on this machine. Hosts have no prefixes here.
    config = Config(retries={"max_attempts": 0}, inject_host_prefix=False)
    return boto3.client(service, endpoint_url=f"{URL}/cloudwatch", region_name="eu-west-1", aws_access_key_id="any",
                        aws_secret_access_key="any", config=config)


def native(query, groups=(GROUP,)):
    asked = {"query": query, "groups": list(groups), "from": "now-1d", "to": "now+1h"}
    answer = requests.post(f"{URL}/api/v1/query", json=asked, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ask(query, group=GROUP, **more):
    """Runs a query to its end; gives its rows as dictionaries, and the last answer."""
    logs = client()
    started = logs.start_query(logGroupName=group, queryString=query, startTime=NOW - 86_400, endTime=NOW + 3_600, **more)
    while True:
        answer = logs.get_query_results(queryId=started["queryId"])
        if answer["status"] not in ("Running", "Scheduled"):
            return [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]], answer
        time.sleep(0.05)


@check
def events_are_sent_that_the_rest_asks_for():
    logs = client()
    logs.create_log_group(logGroupName=GROUP)
    for stream in ("web-1", "web-2"):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        events = [{"timestamp": (NOW - 600 + n) * 1000,
                   "message": f'{{"level":"{"error" if n % 4 == 0 else "info"}","n":{n},"path":"/p{n % 3}"}}'}
                  for n in range(200)]
        logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


@check
def save_and_test_of_grafana_finds_what_it_asks():
    assert client("cloudwatch").list_metrics(Namespace="AWS/Billing", MetricName="EstimatedCharges")["Metrics"] == []
    assert len(client().describe_log_groups(limit=1)["logGroups"]) == 1


@check
def counts_are_those_of_the_native_door():
    query = "filter @level = 'error' | stats count(*), avg(n) as mean by path | sort path"
    rows, answer = ask(query)
    expected = [[path, str(count), float(mean)] for path, count, mean in native(query)["rows"]]
    assert [[row["path"], row["count(*)"], float(row["mean"])] for row in rows] == expected, (rows, expected)
    assert answer["status"] == "Complete" and answer["statistics"]["recordsMatched"] == 100, answer


@check
def grafanas_rewritten_queries_give_names_and_types_that_it_reads():
    rows, _ = ask(GRAFANA + "fields @message | sort @timestamp desc | limit 20")
    assert len(rows) == 20 and all(row["__log__grafana_internal__"] == GROUP for row in rows), rows[0]
    assert list(rows[0])[:4] == ["@timestamp", "__log__grafana_internal__", "__logstream__grafana_internal__", "@message"]
    time.strptime(rows[0]["@timestamp"].split(".")[0], "%Y-%m-%d %H:%M:%S")
    assert len(rows[0]["@timestamp"].split(".")[1]) == 3 and rows[0]["@ptr"], rows[0]
    rows, _ = ask(GRAFANA + "stats count(*) by bin(5m)")
    assert all(list(row) == ["bin(5m)", "count(*)"] for row in rows), rows
    assert sum(int(row["count(*)"]) for row in rows) == 400, rows


@check
def mistakes_come_with_their_place():
    logs = client()
    try:
        logs.start_query(logGroupName=GROUP, queryString="fields a | statz count(*)", startTime=0, endTime=NOW)
    except logs.exceptions.MalformedQueryException as error:
        place = error.response["queryCompileError"]["location"]
        assert (place["startCharOffset"], place["endCharOffset"]) == (11, 16), error.response
    else:
        raise AssertionError("a mistake was accepted")
    for group, kind in ((f"/cwq/{RUN}/none", logs.exceptions.ResourceNotFoundException),):
        try:
            logs.start_query(logGroupName=group, queryString="", startTime=0, endTime=NOW)
        except kind:
            continue
        raise AssertionError(f"{kind} was expected")


@check
def pages_lists_and_stops_work():
    logs = client()
    _, answer = ask("fields n", limit=250)
    assert len(answer["results"]) == 250
    query = logs.describe_queries(logGroupName=GROUP)["queries"][0]
    assert query["status"] == "Complete" and query["queryString"] == "fields n", query
    seen, token = 0, {}
    while True:
        page = logs.get_query_results(queryId=query["queryId"], maxItems=100, **token)
        seen += len(page["results"])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert seen == 250, seen
    try:
        logs.stop_query(queryId=query["queryId"])
    except logs.exceptions.InvalidParameterException:
        pass
    else:
        raise AssertionError("an ended query was stopped")


@check
def events_are_filtered_page_by_page():
    logs = client()
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, filterPattern='{ $.level = "error" && $.n >= 100 }', PaginationConfig={"PageSize": 9})
    events = [event for page in pages for event in page["events"]]
    expected = native('filter level = "error" and n >= 100 | stats count(*)')["rows"][0][0]
    assert len(events) == expected == 50 and len({event["eventId"] for event in events}) == 50, len(events)
    assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
    newest = logs.filter_log_events(logGroupName=GROUP, startFromHead=False, startTime=(NOW - 86_400) * 1000, limit=1)
    assert '"n":199' in newest["events"][0]["message"], newest


@check
def a_stream_is_walked_to_both_ends():
    logs = client()
    place = {"logGroupName": GROUP, "logStreamName": "web-2", "limit": 60}
    page = logs.get_log_events(**place, startFromHead=True)
    walked = list(page["events"])
    while True:
        following = logs.get_log_events(**place, startFromHead=True, nextToken=page["nextForwardToken"])
        walked += following["events"]
        if following["nextForwardToken"] == page["nextForwardToken"]:
            break
        page = following
    assert len(walked) == 200, len(walked)
    last = logs.get_log_events(**place)
    assert last["events"] == walked[-60:]
    assert logs.get_log_events(**place, nextToken=last["nextBackwardToken"])["events"] == walked[-120:-60]


@check
def fields_and_records_are_there():
    logs = client()
    fields = {field["name"]: field["percent"] for field in logs.get_log_group_fields(logGroupName=GROUP)["logGroupFields"]}
    assert fields["@message"] == 100 and fields["n"] == 100, fields
    rows, _ = ask("filter n = 7 | fields path | limit 1")
    record = logs.get_log_record(logRecordPointer=rows[0]["@ptr"])["logRecord"]
    assert record["n"] == "7" and record["path"] == rows[0]["path"] and record["@log"] == GROUP, record


@check
def a_live_tail_tells_what_is_sent_meanwhile():
    logs = client()
    arn = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["logGroupArn"]
    stream = logs.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="%live[0-9]%")["responseStream"]
    found, has_started = [], False
    for event in stream:
        if "sessionStart" in event:
            has_started = True
            events = [{"timestamp": int(time.time() * 1000), "message": text} for text in ("live1", "other", "live2")]
            logs.put_log_events(logGroupName=GROUP, logStreamName="web-1", logEvents=events)
        elif "sessionUpdate" in event:
            found += [line["message"] for line in event["sessionUpdate"]["sessionResults"]]
            if len(found) >= 2:
                break
    stream.close()
    assert has_started and found == ["live1", "live2"], found


@check
def queries_are_written_down_and_patterns_tested():
    logs = client()
    name = f"check/{RUN}"
    made = logs.put_query_definition(name=name, queryString="stats count(*)", logGroupNames=[GROUP])
    found = logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"]
    assert [one["queryDefinitionId"] for one in found] == [made["queryDefinitionId"]], found
    assert logs.delete_query_definition(queryDefinitionId=made["queryDefinitionId"])["success"]
    texts = ['{"status":503}', '{"status":200}']
    matches = logs.test_metric_filter(filterPattern="{ $.status > 500 }", logEventMessages=texts)["matches"]
    assert [match["eventNumber"] for match in matches] == [0] and matches[0]["extractedValues"] == {"$.status": "503"}


main()
