#!/usr/bin/env bash
# moto 5.2.5 (PyPI): of a query of CloudWatch Logs Insights it obeys `fields`, `sort` and `limit`. `filter` and `stats` are passed over without
# a word: all events come back with the status Complete. Times are milliseconds since 1970, where CloudWatch writes `2026-11-30 06:00:00.000`.
# Whoever tests a program that counts with Insights gets rows of another shape, and no error.
# Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet 'moto[logs]==5.2.5' boto3==1.44.8
AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret "$scratch/venv/bin/python" - <<'PY'
import time

import boto3
from moto import mock_aws

with mock_aws():
    logs = boto3.client("logs", region_name="eu-central-1")
    logs.create_log_group(logGroupName="shop")
    logs.create_log_stream(logGroupName="shop", logStreamName="s")
    now = int(time.time())
    levels = ["error", "info", "info", "info"]
    events = [{"timestamp": now * 1000 + n, "message": f"{level} {n}"} for n, level in enumerate(levels)]
    logs.put_log_events(logGroupName="shop", logStreamName="s", logEvents=events)

    def rows(query):
        asked = logs.start_query(logGroupName="shop", startTime=now - 60, endTime=now + 60, queryString=query)
        answer = logs.get_query_results(queryId=asked["queryId"])
        assert answer["status"] == "Complete", answer
        return [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]

    for query, n_rows, n_right in [
        ("fields @message | limit 1", 1, 1),
        ("fields @message | filter @message like /error/", 4, 1),
        ("stats count(*) as n", 4, 1),
    ]:
        found = rows(query)
        print(f"moto: {query}: {len(found)} rows, right would be {n_right}")
        assert len(found) == n_rows, found
    assert all("n" not in row for row in rows("stats count(*) as n"))
    assert rows("fields @timestamp | sort @timestamp asc")[0]["@timestamp"] == str(now * 1000)
PY
