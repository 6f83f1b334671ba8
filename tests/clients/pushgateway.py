#!/usr/bin/env python3
"""Pushgateway's API: Prometheus' client library pushes groups of samples, replaces, updates and deletes them."""
import time
import urllib.error
import uuid

import requests
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, delete_from_gateway, push_to_gateway, pushadd_to_gateway

from check import URL, check, main

RUN = uuid.uuid4().hex[:8]


def registry(**values):
    """A registry of gauges with these values."""
    made = CollectorRegistry()
    for name, value in values.items():
        Gauge(name, f"The gauge {name}.", registry=made).set(value)
    return made


def ask(query):
    answer = requests.get(f"{URL}/prometheus/api/v1/query", params={"query": query, "time": time.time() + 1}, timeout=30)
    assert answer.ok, answer.text
    return {row["metric"].get("__name__"): (row["metric"], row["value"][1]) for row in answer.json()["data"]["result"]}


def values(job):
    return {name: value for name, (_, value) in ask(f'{{job="{job}",__name__!~"push_.*"}}').items()}


@check
def groups_are_replaced_updated_and_deleted():
    job = f"backup-{RUN}"
    push_to_gateway(URL, job=job, registry=registry(a=1, b=2))
    assert values(job) == {"a": "1", "b": "2"}, values(job)
    pushadd_to_gateway(URL, job=job, registry=registry(b=3))
    assert values(job) == {"a": "1", "b": "3"}, values(job)
    push_to_gateway(URL, job=job, registry=registry(c=4))
    assert values(job) == {"c": "4"}, values(job)
    pushed = float(ask(f'push_time_seconds{{job="{job}"}}')["push_time_seconds"][1])
    assert abs(time.time() - pushed) < 60, pushed
    delete_from_gateway(URL, job=job)
    assert ask(f'{{job="{job}"}}') == {}


@check
def labels_of_any_text_come_back():
    job, key = f"dir/{RUN}", {"instance": "a b/é", "empty": "", "zone": "x=y"}
    push_to_gateway(URL, job=job, registry=registry(a=1), grouping_key=key)
    labels = ask(f'a{{job="{job}"}}')["a"][0]
    assert labels == {"__name__": "a", "job": job, "instance": "a b/é", "zone": "x=y"}, labels
    delete_from_gateway(URL, job=job, grouping_key=key)
    assert ask(f'{{job="{job}"}}') == {}


@check
def counters_and_histograms_are_pushed_whole():
    job, made = f"kinds-{RUN}", CollectorRegistry()
    Counter("work", "Work.", registry=made).inc(5)
    Histogram("took_seconds", "Time.", buckets=[1, 2], registry=made).observe(1.5)
    push_to_gateway(URL, job=job, registry=made)
    assert ask(f'work_total{{job="{job}"}}')["work_total"][1] == "5"
    assert ask(f'took_seconds_bucket{{job="{job}",le="2.0"}}')["took_seconds_bucket"][1] == "1"
    types = requests.get(f"{URL}/prometheus/api/v1/metadata", timeout=30).json()["data"]
    assert types["took_seconds"][0]["type"] == "histogram", types["took_seconds"]
    delete_from_gateway(URL, job=job)


@check
def what_cannot_be_read_is_refused():
    try:
        push_to_gateway(f"{URL}/metrics/no", job="x", registry=registry(a=1))
    except urllib.error.HTTPError as error:
        assert error.code == 400, error
    else:
        raise AssertionError("pushed")


main()
