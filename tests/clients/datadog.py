#!/usr/bin/env python3
"""Datadog's API client from PyPI: logs plain and in each of its packings, what is refused, and the key."""
import uuid

import requests
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.model.content_encoding import ContentEncoding
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.http_log_item import HTTPLogItem

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]


def client():
    configuration = Configuration(host=URL)
    # Each operation has hosts of its own, which Datadog's sites are.
    configuration.server_operation_index = {"submit_log": 1, "validate": 1}
    configuration.server_operation_variables = {
        name: {"name": URL.removeprefix("http://"), "protocol": "http"} for name in ("submit_log", "validate")}
    configuration.api_key["apiKeyAuth"] = "11111111222222223333333344444444"
    return ApiClient(configuration)


def rows(query):
    answer = requests.post(f"{URL}/api/v1/query", json={"query": query, "from": "now-1h", "to": "now+1h"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def item(message, **more):
    return HTTPLogItem(message=message, service=f"dd-{RUN}", hostname="h1", ddsource="python", **more)


@check
def logs_in_every_packing_arrive():
    packings = [None, ContentEncoding.GZIP, ContentEncoding.DEFLATE]
    with client() as api:
        for n, packing in enumerate(packings):
            body = HTTPLog([item(f"order {n}.{i}", ddtags=f"env:prod,n:{n},n:{n + 1}", status="error") for i in range(50)])
            LogsApi(api).submit_log(body, **({"content_encoding": packing} if packing else {}))
    group = f'filter @log = "dd-{RUN}"'
    assert rows(f"{group} | stats count(*) as n by @level, host, source, service, env") == [
        ["error", "h1", "python", f"dd-{RUN}", "prod", 150]]
    assert rows(f"{group} | filter @message = \"order 2.7\" | fields n") == [[["2", "3"]]]


@check
def parameters_hold_for_all_logs():
    with client() as api:
        LogsApi(api).submit_log(HTTPLog([HTTPLogItem(message="it is", shop="eu", ms=12, ddsource="py")]), ddtags=f"run:{RUN}")
    assert rows(f'filter run = "{RUN}" | fields @log, source, shop, ms') == [["datadog", "py", "eu", 12]]


@check
def the_client_learns_which_log_is_wrong():
    with client() as api:
        assert AuthenticationApi(api).validate().valid
    body = [{"message": "good", "service": f"dd-{RUN}-b"}, 7]
    answer = requests.post(f"{URL}/api/v2/logs", json=body, timeout=30)
    assert answer.status_code == 400 and answer.json()["errors"][0]["detail"].startswith("event 2: "), answer.text
    assert rows(f'filter @log = "dd-{RUN}-b" | fields @message') == [["good"]]
    try:
        with client() as api:
            api.default_headers["X-Catat-Key"] = "another"
            LogsApi(api).submit_log(HTTPLog([item("two keys")]))
        raise AssertionError("it was taken")
    except ApiException as error:
        assert error.status == 400 and "one key" in error.body["errors"][0]["detail"], error


main()
