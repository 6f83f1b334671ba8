#!/usr/bin/env python3
"""`/metrics` through the parser of the Prometheus client library."""
import requests
from prometheus_client.parser import text_string_to_metric_families

from check import URL, check, main


@check
def page_parses_and_every_family_has_type_and_help():
    answer = requests.get(f"{URL}/metrics", timeout=30)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain"), answer.headers
    families = list(text_string_to_metric_families(answer.text))
    assert families, "no metrics"
    for family in families:
        assert family.type != "unknown", family.name
        assert family.documentation, family.name


@check
def names_are_ours_and_counters_end_in_total():
    answer = requests.get(f"{URL}/metrics", timeout=30)
    for family in text_string_to_metric_families(answer.text):
        assert family.name.startswith(("catat_", "process_")), family.name
        if family.type == "counter":
            assert all(sample.name.endswith(("_total", "_created")) for sample in family.samples), family.samples


main()
