#!/usr/bin/env python3
"""`/metrics` through Prometheus' client library, promtool's lint, and a Prometheus that scrapes it."""
import contextlib
import functools
import glob
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

import requests
from prometheus_client.parser import text_string_to_metric_families

from check import URL, check, main

UNPACKED = pathlib.Path(__file__).resolve().parents[2] / "target" / "prometheus" / "usr" / "bin"
DEADLINE_S = 60


def page():
    answer = requests.get(f"{URL}/metrics", timeout=30)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain"), answer.headers
    return answer.text


def with_program(name):
    """Gives a check the path of a program of Debian's package, or leaves it out and says so."""
    def decorate(function):
        @functools.wraps(function)
        def run():
            path = shutil.which(name) or next(iter(glob.glob(str(UNPACKED / name))), None)
            if path:
                function(path)
            else:
                print(f"# left out: there is no {name}")
        return run
    return decorate


@check
def page_parses_and_every_family_has_type_and_help():
    families = list(text_string_to_metric_families(page()))
    assert families, "no metrics"
    for family in families:
        assert family.type != "unknown", family.name
        assert family.documentation, family.name


@check
def names_are_ours_and_counters_end_in_total():
    for family in text_string_to_metric_families(page()):
        assert family.name.startswith(("catat_", "process_")), family.name
        if family.type == "counter":
            assert all(sample.name.endswith(("_total", "_created")) for sample in family.samples), family.samples


@check
@with_program("promtool")
def promtool_finds_nothing_to_say(promtool):
    done = subprocess.run([promtool, "check", "metrics"], input=page(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stdout + done.stderr


@contextlib.contextmanager
def prometheus_at_work(program):
    """A Prometheus that scrapes the server every second; gives a function that asks it."""
    with tempfile.TemporaryDirectory() as directory, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        scrape = {"job_name": "catat", "scrape_interval": "1s", "static_configs": [{"targets": [urllib.parse.urlsplit(URL).netloc]}]}
        settings = pathlib.Path(directory, "prometheus.yml")
        # What is JSON is YAML.
        settings.write_text(json.dumps({"scrape_configs": [scrape]}), encoding="utf-8")
        log = pathlib.Path(directory, "log")
        with log.open("wb") as out:
            command = [program, f"--config.file={settings}", f"--storage.tsdb.path={directory}/data", f"--web.listen-address={address}"]
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)

        def ask(query):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            try:
                answer = requests.get(f"http://{address}/api/v1/query", params={"query": query}, timeout=10)
            except requests.ConnectionError:
                return []
            return answer.json()["data"]["result"] if answer.ok else []
        try:
            yield ask
        finally:
            process.terminate()
            process.wait(timeout=30)


@check
@with_program("prometheus")
def a_prometheus_scrapes_every_family(program):
    expected = {sample.name for family in text_string_to_metric_families(page()) for sample in family.samples}
    with prometheus_at_work(program) as ask:
        until = time.monotonic() + DEADLINE_S
        is_up, names = [], set()
        while time.monotonic() < until and not (is_up and expected <= names):
            is_up = [series for series in ask('up{job="catat"}') if series["value"][1] == "1"]
            names = {series["metric"]["__name__"] for series in ask('{job="catat"}')}
            # Each look is a request; this is how often it looks.
            time.sleep(0.1)
        assert is_up and expected <= names, f"not scraped: {sorted(expected - names)}"
        version = ask("catat_build_info")
        assert version and version[0]["metric"]["version"] and version[0]["value"][1] == "1", version


main()
