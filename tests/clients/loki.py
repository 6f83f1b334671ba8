#!/usr/bin/env python3
"""The questions that Grafana's Loki data source and logcli ask, with the parameters they send."""
import json
import time
import uuid

import requests

from check import URL, check, main

GROUP = f"clients-loki-{uuid.uuid4().hex[:8]}"
NOW_NS = time.time_ns()
RANGE = {"start": str(NOW_NS - 3600 * 10**9), "end": str(NOW_NS + 60 * 10**9)}


def get(path, **parameters):
    answer = requests.get(f"{URL}/loki/api/v1/{path}", params=parameters, timeout=30,
                          headers={"X-Loki-Response-Encoding-Flags": "categorize-labels"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["status"] == "success", body
    return body["data"]


@check
def push_is_accepted():
    values = [[str(NOW_NS - n * 10**9), f"level={'error' if n % 3 == 0 else 'info'} parcel {n}"] for n in range(30)]
    body = {"streams": [{"stream": {"job": GROUP, "host": "h1"}, "values": values}]}
    answer = requests.post(f"{URL}/loki/api/v1/push", json=body, timeout=30)
    assert answer.status_code == 204, (answer.status_code, answer.text)


@check
def save_and_test_gives_two():
    data = get("query", query="vector(1)+vector(1)", time=str(NOW_NS))
    assert data["resultType"] == "vector" and data["result"][0]["value"][1] == "2", data


@check
def labels_and_values():
    assert {"group", "level"} <= set(get("labels", **RANGE))
    assert GROUP in get("label/group/values", **RANGE)


@check
def log_lines_with_a_text_filter():
    data = get("query_range", query=f'{{group="{GROUP}"}} |= "parcel 2"', limit="100", direction="backward", **RANGE)
    assert data["resultType"] == "streams", data
    lines = [value for stream in data["result"] for value in stream["values"]]
    assert len(lines) == 11, lines
    assert all(len(value) >= 2 and value[0].isdigit() for value in lines)


@check
def histogram_by_level():
    data = get("query_range", query=f'sum by (level) (count_over_time({{group="{GROUP}"}}[5m]))', step="300", **RANGE)
    assert data["resultType"] == "matrix", data
    totals = {series["metric"].get("level"): sum(int(value[1]) for value in series["values"]) for series in data["result"]}
    assert totals == {"error": 10, "info": 20}, totals


@check
def bad_query_is_a_400_with_text():
    answer = requests.get(f"{URL}/loki/api/v1/query_range", params={"query": "{group=", **RANGE}, timeout=30)
    assert answer.status_code == 400 and answer.text, (answer.status_code, json.dumps(answer.text))


main()
