#!/usr/bin/env python3
"""The native API through `requests`, as a script of an operator would use it."""
import gzip
import json
import time
import uuid

import requests

from check import URL, check, main

GROUP = f"clients/native-{uuid.uuid4().hex[:8]}"
NOW_MS = int(time.time() * 1000)


def query(text, **more):
    answer = requests.post(f"{URL}/api/v1/query", json={"query": text, "groups": [GROUP], **more}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


@check
def ndjson_is_accepted_and_found_at_once():
    events = [{"ts": NOW_MS - n, "level": "info" if n % 5 else "error", "message": f"letter {n}", "n": n} for n in range(100)]
    body = "\n".join(json.dumps(event) for event in events)
    answer = requests.post(f"{URL}/api/v1/ingest", params={"group": GROUP, "format": "ndjson"}, data=gzip.compress(body.encode()),
                           headers={"Content-Encoding": "gzip"}, timeout=30)
    assert answer.status_code == 200 and answer.json()["accepted"] == 100, answer.text
    assert query("stats count(*) as n")["rows"] == [[100]]


@check
def counts_by_level_add_up():
    rows = dict(query("stats count(*) as n by @level")["rows"])
    assert rows == {"error": 20, "info": 80}, rows


@check
def streamed_answer_has_columns_rows_and_an_end():
    answer = requests.post(f"{URL}/api/v1/query", json={"query": "fields n | sort n asc", "groups": [GROUP], "limit": 10},
                           headers={"Accept": "application/x-ndjson"}, stream=True, timeout=30)
    lines = [json.loads(line) for line in answer.iter_lines()]
    assert lines[0]["columns"][0]["name"] == "n", lines[0]
    assert [line for line in lines if isinstance(line, list)] == [[n] for n in range(10)]
    assert lines[-1]["partial"] is False and "stats" in lines[-1], lines[-1]


@check
def error_is_located():
    answer = requests.post(f"{URL}/api/v1/query", json={"query": "fields n | sotr n"}, timeout=30)
    error = answer.json()["error"]
    assert answer.status_code == 400 and error["line"] == 1 and error["column"] == 12, answer.text


@check
def tail_sends_an_accepted_event():
    marker = uuid.uuid4().hex
    with requests.get(f"{URL}/api/v1/tail", params={"groups": GROUP, "query": f'filter @message like "{marker}"'},
                      stream=True, timeout=30) as stream:
        # Headers have arrived, so the subscription stands.
        requests.post(f"{URL}/api/v1/ingest", params={"group": GROUP}, data=json.dumps({"message": f"live {marker}"}), timeout=30)
        for line in stream.iter_lines():
            if line.startswith(b"data:"):
                assert marker in json.loads(line[5:])["@message"], line
                return
    raise AssertionError("the stream ended without the event")


@check
def openapi_lists_every_route_with_its_role():
    paths = requests.get(f"{URL}/api/openapi.json", timeout=30).json()["paths"]
    assert "/api/v1/ingest" in paths and "/api/v1/query" in paths, list(paths)
    for path, operations in paths.items():
        for method, operation in operations.items():
            if method in ("get", "post", "put", "delete"):
                assert operation.get("x-catat-role") in ("none", "any", "ingest", "read", "operate", "admin"), (path, method)


main()
