#!/usr/bin/env python3
"""Sentry's SDK from PyPI: structured logs, an error with its stack, a message."""
import logging
import time
import uuid

import requests
import sentry_sdk
from sentry_sdk import logger

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]
PROJECT = int(RUN, 16)
HOST = URL.removeprefix("http://")


def rows(query):
    answer = requests.post(f"{URL}/api/v1/query", json={"query": query, "from": "now-1h", "to": "now+1h"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def wait_for(query, expected):
    deadline = time.time() + 20
    while (found := rows(f'filter @log = "sentry/{PROJECT}" | {query}')) != expected:
        assert time.time() < deadline, found
        time.sleep(0.2)


@check
def structured_logs_arrive_with_their_attributes():
    for n in range(250):
        (logger.error if n % 10 == 0 else logger.info)("order {n} is here", n=n, attributes={"shop": "eu", "paid": n % 2 == 0})
    sentry_sdk.flush()
    wait_for("filter shop = \"eu\" | stats count(*) as n by @level, host, sentry.environment, sentry.release | sort n",
             [["error", "h1", "test", "shop@1", 25], ["info", "h1", "test", "shop@1", 225]])
    wait_for("filter @message = \"order 7 is here\" | stats count(*) as n by sentry.message.template, paid",
             [["order {n} is here", False, 1]])
    wait_for("filter shop = \"eu\" and trace_id like /^[0-9a-f]{32}$/ | stats count(*) as n", [[250]])


@check
def an_error_becomes_an_issue():
    def pay(order):
        raise PermissionError(f"no money for {order}")

    sentry_sdk.set_tag("region", "north")
    try:
        try:
            pay("order 7")
        except PermissionError as cause:
            raise RuntimeError("checkout failed") from cause
    except RuntimeError:
        event_id = sentry_sdk.capture_exception()
    assert event_id
    sentry_sdk.flush()
    wait_for("filter exception.type = \"RuntimeError\" | stats count(*) as n by @level, exception.message, region, event_id",
             [["error", "checkout failed", "north", event_id, 1]])
    wait_for("filter exception.type = \"RuntimeError\" | filter @message like \"no money for order 7\" | stats count(*) as n by code.line.number > 0", [[True, 1]])
    deadline = time.time() + 60
    while True:
        issues = requests.get(f"{URL}/api/v1/issues", params={"groups": f"sentry/{PROJECT}"}, timeout=30)
        if issues.status_code == 200 and "RuntimeError" in issues.text:
            break
        assert time.time() < deadline, issues.text[:500]
        time.sleep(0.5)


@check
def messages_and_records_of_logging_arrive():
    sentry_sdk.capture_message("deployed", level="warning")
    logging.getLogger("shop").error("user %s is unknown", "u1")
    sentry_sdk.flush()
    wait_for("filter @message in [\"deployed\", \"user u1 is unknown\"] | filter ispresent(event_id) | stats count(*) as n by @message, @level | sort @message",
             [["deployed", "warn", 1], ["user u1 is unknown", "error", 1]])


# Brotli, which it takes where it is installed, is refused.
sentry_sdk.init(f"http://11111111222222223333333344444444@{HOST}/{PROJECT}", enable_logs=True, server_name="h1", environment="test",
                release="shop@1", _experiments={"transport_compression_algo": "gzip"})
main()
