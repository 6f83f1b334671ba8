#!/usr/bin/env python3
"""Splunk's event collector: a logging handler from PyPI, curl, and Docker's driver as it was recorded."""
import logging
import shutil
import subprocess
import time
import uuid

import requests
from splunk_handler import SplunkHandler

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
HOST, PORT = URL.removeprefix("http://").rsplit(":", 1)


def rows(query):
    answer = requests.post(f"{URL}/api/v1/query", json={"query": query, "from": "now-1h", "to": "now+1h"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


@check
def a_logging_handlers_records_arrive():
    index = f"hec-{RUN}"
    handler = SplunkHandler(host=HOST, port=PORT, token="11111111-2222-3333-4444-555555555555", index=index,
                            protocol="http", source="shop", sourcetype="app", hostname="h1", flush_interval=0.2)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("shop")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    for n in range(200):
        (logger.error if n % 10 == 0 else logger.info)("order %d", n)
    handler.force_flush()
    deadline = time.time() + 20
    while rows(f'filter @log = "{index}" | stats count(*) as n') != [[200]] and time.time() < deadline:
        time.sleep(0.2)
    found = rows(f'filter @log = "{index}" | stats count(*) as n by @level, host, source, sourcetype | sort n')
    assert found == [["error", "h1", "shop", "app", 20], ["info", "h1", "shop", "app", 180]], found
    logger.removeHandler(handler)


@check
def dockers_driver_finds_a_collector_and_sends_to_it():
    address = f"{URL}/services/collector/event/1.0"
    headers = {"Authorization": "Splunk 11111111-2222-3333-4444-555555555555"}
    assert requests.options(address, headers=headers, timeout=30).status_code == 200
    lines = "".join(
        '{"event":{"line":"step %d","source":"stdout","tag":"%s"},"time":"%.6f","host":"node-1"}' % (n, RUN, time.time())
        for n in range(10))
    answer = requests.post(address, data=lines, timeout=30, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"text": "Success", "code": 0}), answer.text
    assert rows(f'filter tag = "{RUN}" | stats count(*) as n by @log, source, host') == [["splunk", "stdout", "node-1", 10]]


@check
def curl_sends_lines_and_learns_what_is_wrong():
    if not shutil.which("curl"):
        print("left out: there is no curl")
        return

    def curl(path, body):
        command = ["curl", "-s", f"{URL}/services/collector{path}", "-H", "Authorization: Splunk x", "--data-binary", body]
        return requests.compat.json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)

    assert curl(f"/raw?index=hec-{RUN}-raw&sourcetype=syslog", "one\ntwo\n") == {"text": "Success", "code": 0}
    assert rows(f'filter @log = "hec-{RUN}-raw" | stats count(*) as n by sourcetype') == [["syslog", 2]]
    refused = curl("", '{"event":"good"}{"source":"no event"}')
    assert (refused["code"], refused["invalid-event-number"]) == (12, 1), refused
    assert curl("/event", "")["code"] == 5


main()
