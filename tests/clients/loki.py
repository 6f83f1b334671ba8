#!/usr/bin/env python3
"""The questions that Grafana's Loki data source and logcli ask, with the parameters they send."""
import json
import time
import uuid

import requests
import websocket

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
    assert {"job", "host", "service_name"} <= set(get("labels", **RANGE))
    assert GROUP in get("label/job/values", **RANGE)


@check
def log_lines_with_a_text_filter():
    data = get("query_range", query=f'{{group="{GROUP}"}} |= "parcel 2"', limit="100", direction="backward", **RANGE)
    assert data["resultType"] == "streams", data
    lines = [value for stream in data["result"] for value in stream["values"]]
    assert len(lines) == 11, lines
    assert all(len(value) >= 2 and value[0].isdigit() for value in lines)


@check
def histogram_by_level():
    data = get("query_range", query=f'sum by (detected_level) (count_over_time({{group="{GROUP}"}}[5m]))', step="300", **RANGE)
    assert data["resultType"] == "matrix", data
    totals = {series["metric"].get("detected_level"): sum(int(value[1]) for value in series["values"]) for series in data["result"]}
    assert totals == {"error": 10, "info": 20}, totals


@check
def histogram_as_explore_asks_for_it():
    minute = 60 * 10**9
    start = (NOW_NS // minute - 10) * minute
    data = get("query_range", query=f'sum by (level, detected_level) (count_over_time({{group="{GROUP}"}} |= `` | drop __error__ [1m]))',
               start=str(start), end=str(start + 12 * minute), step="60000ms", direction="backward")
    totals = {series["metric"]["detected_level"]: sum(int(value[1]) for value in series["values"]) for series in data["result"]}
    assert totals == {"error": 10, "info": 20}, totals


@check
def labels_that_lines_name():
    data = get("query_range", query=f'{{group="{GROUP}"}} |= "parcel 3" | logfmt', limit="1", **RANGE)
    parsed = data["result"][0]["values"][0][2]["parsed"]
    assert parsed.get("level_extracted", parsed.get("level")) == "error", data


@check
def every_other_route_answers():
    selector = f'{{group="{GROUP}"}}'
    def raw(path, **parameters):
        answer = requests.get(f"{URL}/{path}", params=parameters, timeout=30)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer
    assert get("series", **{"match[]": selector}, **RANGE)
    assert get("index/volume", query=selector, limit="100", aggregateBy="labels", targetLabels="job", **RANGE)["resultType"] == "vector"
    volume = get("index/volume_range", query=selector, limit="100", step="60", targetLabels="job", **RANGE)
    assert volume["resultType"] == "matrix" and volume["result"], volume
    assert get("patterns", query=selector, step="10s", **RANGE), "no pattern"
    assert get("format_query", query=selector) == selector
    stats = raw("loki/api/v1/index/stats", query=selector, **RANGE).json()
    assert stats["entries"] == 30 and stats["streams"] == 1, stats
    found = {one["label"] for one in raw("loki/api/v1/detected_labels", query=selector, **RANGE).json()["detectedLabels"]}
    assert "job" in found, found
    fields = raw("loki/api/v1/detected_fields", query=selector, limit="1000", line_limit="1000", step="10s", **RANGE).json()
    for field in fields["fields"][:3]:
        assert "values" in raw(f"loki/api/v1/detected_field/{field['label']}/values", query=selector, limit="1000", **RANGE).json()
    assert raw("prometheus/api/v1/rules", type="alert", file="", rule_group="", rule_name="").json()["status"] == "success"
    assert raw("prometheus/api/v1/alerts").json()["status"] == "success"
    assert raw("loki/api/v1/rules").status_code == 200
    assert raw("loki/api/v1/status/buildinfo").json()["version"]
    assert raw("ready").text == "ready\n"
    # Grafana takes the first version of the tail unless this is a 400.
    assert requests.get(f"{URL}/loki/api/v2alpha/tail", timeout=30).status_code == 404


@check
def what_drilldown_asks_for():
    selector = f'{{job="{GROUP}"}}'
    form = {"query": selector, "targetBytesPerShard": "100MB", **RANGE}
    for path in ("labels", "label/job/values", "series", "patterns", "index/stats", "index/shards", "index/volume",
                 "index/volume_range", "detected_labels", "detected_fields", "detected_field/level/values", "format_query"):
        answer = requests.post(f"{URL}/loki/api/v1/{path}", data=form, timeout=30)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
    limits = requests.get(f"{URL}/loki/api/v1/drilldown-limits", headers={"X-Scope-OrgID": "fake"}, timeout=30).json()
    assert limits["limits"]["volume_enabled"] is True, limits
    assert "volume_enabled: true" in requests.get(f"{URL}/config", timeout=30).text
    fields = requests.post(f"{URL}/loki/api/v1/detected_fields", data={**form, "limit": "5"}, timeout=30).json()
    assert fields["limit"] == 5 and any("logfmt" in (field["parsers"] or []) for field in fields["fields"]), fields
    bytes_pushed = sum(len(f"level={'error' if n % 3 == 0 else 'info'} parcel {n}") for n in range(30))
    volume = get("index/volume", query=selector, targetLabels="job", **RANGE)["result"]
    assert volume == [{"metric": {"job": GROUP}, "value": volume[0]["value"]}], volume
    assert int(volume[0]["value"][1]) >= bytes_pushed, volume


@check
def tail_gives_old_and_new_lines():
    address = URL.replace("http", "ws", 1) + "/loki/api/v1/tail?" + requests.compat.urlencode(
        {"query": f'{{group="{GROUP}"}} |= "parcel"', "limit": "2", "delay_for": "0", "start": RANGE["start"]})
    socket = websocket.create_connection(address, timeout=30, suppress_origin=True)
    lines = []
    while len(lines) < 2:
        lines += [value[1] for stream in json.loads(socket.recv())["streams"] for value in stream["values"]]
    assert [line.split()[-1] for line in lines] == ["1", "0"], lines
    body = {"streams": [{"stream": {"job": GROUP}, "values": [[str(time.time_ns()), "parcel live"]]}]}
    assert requests.post(f"{URL}/loki/api/v1/push", json=body, timeout=30).status_code == 204
    frame = json.loads(socket.recv())
    assert frame["streams"][0]["values"][0][1] == "parcel live" and frame["streams"][0]["stream"]["job"] == GROUP, frame
    socket.close()
    try:
        websocket.create_connection(address, timeout=30, origin="https://elsewhere.example")
        raise AssertionError("a page of another site may tail")
    except websocket.WebSocketBadStatusException as refused:
        assert refused.status_code == 403, refused


@check
def bad_query_is_a_400_with_text():
    answer = requests.get(f"{URL}/loki/api/v1/query_range", params={"query": "{group=", **RANGE}, timeout=30)
    assert answer.status_code == 400 and answer.text, (answer.status_code, json.dumps(answer.text))


main()
