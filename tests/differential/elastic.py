#!/usr/bin/env python3
"""Runs scenarios of requests and expected answers against a server that speaks Elasticsearch's API.

    tests/differential/elastic.py DIRECTORY --url http://127.0.0.1:7800/elasticsearch [--key KEY] [--only PREFIX…]

DIRECTORY holds YAML files in the form of Quickwit's REST tests. It is not part of this repository: bring your own. A
file is a list of steps, documents separated by `---`. A step has `method` (one or several), `endpoint`, `params`, `json`,
`ndjson`, `data` or `body_from_file`, `headers`, `status_code` (200 unless it says otherwise; null takes any), and
`expected`, a part of the answer. `{"$expect": "PYTHON"}` in it is evaluated with the answer as `val`, and
`{"$previous": "PYTHON"}` in a request with the answer before: run only scenarios that you trust. Files named `_ctx` give
defaults to the steps of their directory and those below, `_setup` and `_teardown` run before and after. Of files with an
engine in their name only those of `--engine` are read, and steps with other `engines` are left out.

A step that fails does not end its scenario. Each method of a step counts as one; what failed is grouped by cause.
"""
import argparse
import builtins
import collections
import json
import pathlib
import re
import sys

import requests
import yaml

BUILTINS = {name: getattr(builtins, name) for name in
            ("abs", "all", "any", "bool", "dict", "float", "int", "isinstance", "len", "list", "max", "min", "range",
             "round", "set", "sorted", "str", "sum", "tuple", "type", "zip")}
SENT = ("params", "data", "json", "headers")


class Mismatch(Exception):
    """What an answer has in another way than it must."""


def evaluate(expression, value):
    return eval(expression, {"__builtins__": BUILTINS}, {"val": value})  # noqa: S307, scenarios are trusted


def documents(path):
    """The documents of a file, each read by itself, so that one that cannot be read spoils no other."""
    for text in re.split(r"^---", path.read_text(), flags=re.MULTILINE):
        document = yaml.safe_load(text)
        if isinstance(document, dict):
            yield document


def filled(value, previous):
    """A request's part with what it takes from the answer before."""
    if isinstance(value, dict):
        if list(value) == ["$previous"]:
            return evaluate(value["$previous"], previous)
        return {name: filled(inner, previous) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, previous) for inner in value]
    return value


def compare(found, expected, at="answer"):
    """Raises where `found` lacks something of `expected`."""
    if isinstance(expected, dict) and "$expect" in expected:
        expectations = expected["$expect"]
        for one in [expectations] if isinstance(expectations, str) else expectations:
            if not evaluate(one, found):
                raise Mismatch(f"{at}: {one} does not hold of {shortened(found)}")
        return
    if type(found) is not type(expected):
        raise Mismatch(f"{at}: expected {shortened(expected)}, got {shortened(found)}")
    if isinstance(expected, dict):
        for name, inner in expected.items():
            if name not in found:
                raise Mismatch(f"{at}: there is no {name}")
            compare(found[name], inner, f"{at}.{name}")
    elif isinstance(expected, list):
        if len(found) != len(expected):
            raise Mismatch(f"{at}: expected {len(expected)} items, got {len(found)}: {shortened(found)}")
        for index, (left, right) in enumerate(zip(found, expected)):
            compare(left, right, f"{at}[{index}]")
    elif found != expected:
        raise Mismatch(f"{at}: expected {shortened(expected)}, got {shortened(found)}")


def shortened(value):
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:200] + "…"


class Runner:
    def __init__(self, arguments):
        self.arguments = arguments
        self.session = requests.Session()
        if arguments.key:
            self.session.headers["Authorization"] = f"ApiKey {arguments.key}"
        self.passed, self.failures = 0, []

    def directory(self, path, context):
        for name in ("_ctx.yaml", f"_ctx.{self.arguments.engine}.yaml"):
            for document in documents(path / name) if (path / name).exists() else ():
                context = {**context, **document}
        context = {**context, "cwd": path}
        self.prepare(path, "_setup", context)
        for scenario in sorted(path.glob("*.yaml")):
            if not scenario.name.startswith("_") and self.is_wanted(scenario):
                self.scenario(scenario, context)
        for inner in sorted(path.iterdir()):
            if inner.is_dir() and self.has_wanted(inner):
                self.directory(inner, context)
        self.prepare(path, "_teardown", context)

    def is_wanted(self, path):
        relative = str(path.relative_to(self.arguments.directory))
        return not self.arguments.only or any(relative.startswith(prefix) for prefix in self.arguments.only)

    def has_wanted(self, path):
        return any(self.is_wanted(inner) for inner in path.rglob("*.yaml") if not inner.name.startswith("_"))

    def prepare(self, path, name, context):
        for file in (path / f"{name}.yaml", path / f"{name}.{self.arguments.engine}.yaml"):
            if file.exists():
                self.scenario(file, context)

    def scenario(self, path, context):
        previous = {}
        for number, document in enumerate(documents(path), 1):
            step = {**context, **document}
            if self.arguments.engine not in step.get("engines", [self.arguments.engine]):
                continue
            methods = step.get("method", [])
            for method in [methods] if isinstance(methods, str) else methods:
                place = f"{path.relative_to(self.arguments.directory)} step {number} {method} {step.get('endpoint', '')}"
                previous = self.one(place, method, step, previous)

    def one(self, place, method, step, previous):
        """Sends a request; gives its answer for the step behind it."""
        answer = None
        try:
            response = self.send(method, step, previous)
            answer = response.json() if "json" in response.headers.get("content-type", "") else response.text
            wanted = step.get("status_code", 200)
            if wanted is not None and response.status_code != wanted:
                raise Mismatch(f"status {response.status_code} instead of {wanted}: {reason_of(answer)}")
            if step.get("expected") is not None:
                compare(answer, step["expected"])
        except Exception as error:  # whatever it is, it is this step's
            self.failures.append((place, f"{type(error).__name__}: {error}" if not isinstance(error, Mismatch) else str(error)))
            if self.arguments.verbose:
                print(f"FAILED {place}: {error}\n       asked {shortened({k: step[k] for k in SENT if k in step})}")
        else:
            self.passed += 1
        return answer if answer is not None else previous

    def send(self, method, step, previous):
        sent = {name: filled(step[name], previous) for name in SENT if name in step}
        if "body_from_file" in step:
            sent["data"] = (step["cwd"] / step["body_from_file"]).read_bytes()
        lines = step.get("ndjson", step.get("shuffle_ndjson"))
        if lines is not None:
            sent["data"] = "".join(json.dumps(line) + "\n" for line in lines)
            sent["headers"] = {"Content-Type": "application/x-ndjson", **sent.get("headers", {})}
        url = f"{self.arguments.url.rstrip('/')}/{step.get('endpoint', '').lstrip('/')}"
        return self.session.request(method, url, timeout=60, **sent)


def reason_of(answer):
    error = answer.get("error") if isinstance(answer, dict) else None
    return f"{error.get('type')}: {error.get('reason')}" if isinstance(error, dict) else shortened(answer)


def cause_of(message):
    """A message without the values that differ from step to step."""
    return re.sub(r"\"(?:[^\"\\]|\\.)*\"|\b\d+(?:\.\d+)?\b", "…", re.sub(r"\[\d+\]", "[]", message))[:120]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--url", default="http://127.0.0.1:7800/elasticsearch")
    parser.add_argument("--key", help="an API key of the server")
    parser.add_argument("--engine", default="elasticsearch")
    parser.add_argument("--only", nargs="*", help="beginnings of the files to run, below DIRECTORY")
    parser.add_argument("--verbose", action="store_true")
    runner = Runner(parser.parse_args())
    runner.directory(runner.arguments.directory, {})
    causes = collections.defaultdict(list)
    for place, message in runner.failures:
        causes[cause_of(message)].append((place, message))
    for cause, failures in sorted(causes.items(), key=lambda item: -len(item[1])):
        print(f"{len(failures):4} × {cause}")
        for place, message in failures:
            print(f"       {place}: {message}")
    n = runner.passed + len(runner.failures)
    print(f"{runner.passed} of {n} steps passed ({100 * runner.passed / max(n, 1):.1f} %), {len(runner.failures)} failed")
    return 1 if runner.failures else 0


if __name__ == "__main__":
    sys.exit(main())
