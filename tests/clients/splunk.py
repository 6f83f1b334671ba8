#!/usr/bin/env python3
"""Splunk's event collector: a logging handler from PyPI, and curl."""
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
