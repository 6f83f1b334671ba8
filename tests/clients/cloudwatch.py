#!/usr/bin/env python3
"""CloudWatch Logs' sending side: boto3, a logging handler, and Amazon's command line from PyPI."""
import json
import logging
import os
import pathlib
import subprocess
import sys
import time
import uuid

import boto3
import requests
import watchtower
from botocore.config import Config

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
GROUP = f"/cw/{RUN}"


def client():
    # Until somebody makes a key, any signature will do on this machine.
    return boto3.client("logs", endpoint_url=f"{URL}/cloudwatch", region_name="eu-west-1", aws_access_key_id="any",
                        aws_secret_access_key="any", config=Config(retries={"max_attempts": 0}))


def rows(query):
    answer = requests.post(f"{URL}/api/v1/query", json={"query": query, "from": "now-1h", "to": "now+1h"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def refused(kind, call, **arguments):
    try:
        call(**arguments)
    except Exception as error:  # boto3 makes the classes of its errors as it reads its model.
        assert type(error).__name__ == kind, repr(error)
    else:
        raise AssertionError(f"{kind} was expected")


@check
def boto3_makes_a_group_and_a_stream_and_sends_events():
    logs = client()
    now = int(time.time() * 1000)
    events = [{"timestamp": now - 1000, "message": "ERROR it broke"}, {"timestamp": now, "message": '{"level":"info","n":1}'}]
    refused("ResourceNotFoundException", logs.put_log_events, logGroupName=GROUP, logStreamName="s", logEvents=events)
    logs.create_log_group(logGroupName=GROUP, tags={"team": "a"})
    refused("ResourceAlreadyExistsException", logs.create_log_group, logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)
    refused("InvalidParameterException", logs.put_log_events, logGroupName=GROUP, logStreamName="s", logEvents=events[::-1])
    found = rows(f'filter @log = "{GROUP}" | fields @level, @logStream, n | sort @timestamp')
    assert found == [["error", "s", None], ["info", "s", 1]], found


@check
def boto3_lists_pages_and_tags():
    logs = client()
    for n in range(7):
        logs.create_log_group(logGroupName=f"{GROUP}/page/{n}")
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"{GROUP}/page", PaginationConfig={"PageSize": 3})
    pages = [[group["logGroupName"][-1] for group in page["logGroups"]] for page in pages]
    assert pages == [["0", "1", "2"], ["3", "4", "5"], ["6"]], pages
    arn = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"tier": "gold"})
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "a", "tier": "gold"}
    stream = logs.describe_log_streams(logGroupName=GROUP)["logStreams"][0]
    assert stream["logStreamName"] == "s" and stream["lastEventTimestamp"] >= stream["firstEventTimestamp"], stream


@check
def what_is_an_administrators_matter_is_refused_to_others():
    refused("AccessDeniedException", client().put_retention_policy, logGroupName=GROUP, retentionInDays=7)


@check
def a_logging_handlers_records_arrive():
    handler = watchtower.CloudWatchLogHandler(log_group_name=f"{GROUP}/handler", log_stream_name="w", boto3_client=client())
    logger = logging.getLogger("cloudwatch-check")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    for n in range(200):
        logger.info("order %d", n)
    handler.flush()
    handler.close()
    found = rows(f'filter @log = "{GROUP}/handler" | stats count(*)')
    assert found == [[200]], found


def aws(*arguments):
    """Runs Amazon's command line, which lies beside this Python; gives what it says as JSON, and its complaint."""
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "eu-west-1"}
    program = pathlib.Path(sys.executable).parent / "aws"
    command = [str(program), "logs", "--endpoint-url", f"{URL}/cloudwatch", "--output", "json", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode == 0) == (not done.stderr), done
    return json.loads(done.stdout or "{}"), done.stderr


@check
def amazons_command_line_makes_groups_and_sends():
    place = ["--log-group-name", f"{GROUP}/cli", "--log-stream-name", "s"]
    events = json.dumps([{"timestamp": int(time.time() * 1000), "message": f"ERROR step {n}"} for n in range(3)])
    assert "ResourceNotFoundException" in aws("put-log-events", *place, "--log-events", events)[1]
    aws("create-log-group", *place[:2])
    aws("create-log-stream", *place)
    aws("put-log-events", *place, "--log-events", events)
    found = aws("describe-log-groups", "--log-group-name-prefix", f"{GROUP}/cli")[0]["logGroups"]
    assert [group["logGroupName"] for group in found] == [f"{GROUP}/cli"], found
    assert rows(f'filter @log = "{GROUP}/cli" | stats count(*) by @level, @logStream') == [["error", "s", 3]]


main()
