#!/usr/bin/env python3
"""Asks a catat and a Loki the same questions over the same data, and tells where their answers differ.

    loki.py --catat http://127.0.0.1:22828 --loki http://127.0.0.1:3100 --questions 1000 --seed 1

Both have to run already: nothing is started here. The data is pushed to both (unless --no-push says that it lies there
from an earlier run, whose --run and --base then have to be given); each run has a label `run` of its own.
Ends with 0 if no answer is silently different and the share of equal ones is at least --share, else with 1.
"""
import argparse
import collections
import http.client
import json
import sys
import time
import urllib.parse

import loki_compare
from loki_data import MINUTE, MINUTES, Data
from loki_questions import Maker

EQUAL, BOTH, REFUSED, FAILED, SILENT, LENIENT, UNDEFINED = (
    "equal", "both refuse", "catat refuses, Loki answers", "catat fails with 5xx", "silently different", "catat answers, Loki refuses",
    "Loki contradicts itself")
# How often Loki is asked again where an answer differs.
TRIES = 6


class Server:
    """One of the two, over a connection that is kept."""

    def __init__(self, url):
        self.host = urllib.parse.urlsplit(url).netloc
        self.connection = None

    def ask(self, method, path, parameters, headers, body=None):
        """The status and the body of an answer: JSON where it is JSON, else its text."""
        target, headers = path, dict(headers)
        encoded = urllib.parse.urlencode(parameters)
        if method == "POST" and body is None:
            body, headers["Content-Type"] = encoded, "application/x-www-form-urlencoded"
        elif encoded:
            target = f"{path}?{encoded}"
        for attempt in (1, 2):
            try:
                self.connection = self.connection or http.client.HTTPConnection(self.host, timeout=120)
                self.connection.request(method, target, body, headers)
                answer = self.connection.getresponse()
                text = answer.read().decode("utf-8", "replace")
                break
            except (http.client.HTTPException, ConnectionError):
                self.connection = None
                if attempt == 2:
                    return 599, "the connection was lost without an answer"
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text


def push(server, data):
    for body in data.bodies():
        status, text = server.ask("POST", "/loki/api/v1/push", {}, {"Content-Type": "application/json"}, json.dumps(body))
        if status != 204:
            sys.exit(f"{server.host} refused the push of {body['streams'][0]['stream']}: {status} {text}")


def wait_for(server, data):
    """Waits until the last pushed line can be found."""
    query = {"query": f'count_over_time({{run="{data.run}"}}[3h])', "time": str(data.base_ns + 70 * MINUTE)}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status, body = server.ask("GET", "/loki/api/v1/query", query, {})
        if status == 200 and body["data"]["result"]:
            return
        time.sleep(0.5)
    sys.exit(f"{server.host} does not find what was pushed: {status} {body}")


def judge(question, ours, theirs):
    """The verdict on two answers, and its cause."""
    (status_ours, ours), (status_theirs, theirs) = ours, theirs
    if status_ours >= 500 and status_theirs != status_ours:
        return FAILED, f"{status_ours}: {loki_compare.normal_error(str(ours))}"
    if status_ours >= 400 and status_theirs >= 400:
        return BOTH, "" if status_ours == status_theirs else f"status {status_ours}, Loki {status_theirs}"
    if status_ours >= 400:
        return REFUSED, f"{status_ours}: {loki_compare.normal_error(str(ours))}"
    if status_theirs >= 400:
        return LENIENT, f"Loki {status_theirs}: {loki_compare.normal_error(str(theirs))}"
    difference = loki_compare.bodies(question, ours, theirs)
    return (EQUAL, "") if difference is None else (SILENT, difference)


def again(question, ours, loki, verdict):
    """The verdict on a different answer to a question about numbers, once Loki was asked again.

    Which of equal series `topk` takes, and which of two with the same labels comes first, is drawn by lot in Loki; it also
    cuts windows of more than an hour at an instant into hours, and then averages and extremes are those of the hours. One
    of its answers is enough; where it has several and none is ours, nobody can say what is right.
    """
    if not question.kind.startswith("metric") or verdict[0] != SILENT:
        return verdict
    ways = [(question.path, question.parameters)] * TRIES
    if question.path.endswith("/query"):
        at = question.parameters["time"]
        ways.append((f"{question.path}_range", {"query": question.parameters["query"], "start": at, "end": at, "step": "1"}))
    first = loki.ask("GET", question.path, question.parameters, {})
    is_other = False
    for path, parameters in ways:
        status, body = loki.ask("GET", path, parameters, {})
        if status == 200 and body["data"]["resultType"] == "matrix" and path != question.path:
            body["data"] = at_one_instant(body["data"])
        found, _ = judge(question, ours, (status, body))
        if found == EQUAL:
            return (EQUAL, "")
        is_other |= judge(question, first, (status, body))[0] != EQUAL
    return (UNDEFINED, verdict[1]) if is_other else verdict


def at_one_instant(matrix):
    """The answer for a range of one instant in the form of that for the instant."""
    return {"resultType": "vector", "result": [{"metric": one["metric"], "value": value} for one in matrix["result"] for value in one["values"]]}


def shown(answer, width):
    status, body = answer
    if isinstance(body, dict) and isinstance(body.get("data"), dict):
        body = {key: value for key, value in body["data"].items() if key != "stats"}
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, sort_keys=True)
    return f"{status} {text.strip()}"[:width]


def report(asked, arguments):
    """Prints counts, and the differences by cause with examples."""
    counts = collections.Counter(verdict for _, verdict, *_ in asked)
    groups = collections.defaultdict(list)
    for question, verdict, cause, ours, theirs in asked:
        if cause:
            groups[verdict, question.kind, cause].append((question, ours, theirs))
    order = [SILENT, FAILED, REFUSED, LENIENT, UNDEFINED, BOTH]
    for (verdict, kind, cause), cases in sorted(groups.items(), key=lambda item: (order.index(item[0][0]), -len(item[1]))):
        features = collections.Counter(feature for question, *_ in cases for feature in question.features)
        common = ", ".join(f"{name} {n}" for name, n in features.most_common(5))
        print(f"\n## {verdict}: {kind}: {cause} ({len(cases)}){' — ' + common if common else ''}")
        for question, ours, theirs in cases[:arguments.examples]:
            parameters = {name: value for name, value in question.parameters.items() if name != "query"}
            print(f"   {question.method} {question.path} {json.dumps(parameters)} {'categorized' if question.headers else ''}")
            print(f"   {question.parameters.get('query', '')}")
            print(f"     catat: {shown(ours, arguments.width)}\n     Loki:  {shown(theirs, arguments.width)}")
    n_right = counts[EQUAL] + counts[BOTH]
    share = 100 * n_right / max(len(asked) - counts[UNDEFINED], 1)
    print(f"\nrun {arguments.run}, base {arguments.base}, seed {arguments.seed}: {len(asked)} questions")
    for verdict in [EQUAL, *reversed(order)]:
        print(f"  {verdict}: {counts[verdict]}")
    by_kind = collections.defaultdict(collections.Counter)
    for question, verdict, *_ in asked:
        by_kind[question.kind][verdict in (EQUAL, BOTH, UNDEFINED)] += 1
    print("  equal by kind: " + ", ".join(f"{kind} {n[True]}/{n.total()}" for kind, n in sorted(by_kind.items())))
    print(f"  as Loki: {share:.1f} %")
    return share >= arguments.share and counts[SILENT] + counts[FAILED] == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--catat", required=True, help="address of the catat")
    parser.add_argument("--loki", required=True, help="address of the Loki")
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--run", help="value of the label `run` (default: from the time)")
    parser.add_argument("--base", type=int, help="nanoseconds where the data begins (default: 75 minutes ago)")
    parser.add_argument("--no-push", action="store_true", help="the data is there already")
    parser.add_argument("--only", help="ask only questions whose kind, path or query contains this")
    parser.add_argument("--query", action="append", help="ask this query as well, over the whole hour")
    parser.add_argument("--examples", type=int, default=2, help="examples of each cause")
    parser.add_argument("--width", type=int, default=600, help="characters of an answer in an example")
    parser.add_argument("--share", type=float, default=98.0, help="per cent that have to be as Loki's")
    parser.add_argument("--json", help="write every question with both answers to this file")
    arguments = parser.parse_args()
    arguments.run = arguments.run or f"r{int(time.time())}"
    arguments.base = arguments.base or (time.time_ns() - 75 * MINUTE) // MINUTE * MINUTE
    ours, theirs = Server(arguments.catat), Server(arguments.loki)
    data = Data(arguments.seed, arguments.base, arguments.run)
    if not arguments.no_push:
        for server in (ours, theirs):
            push(server, data)
            wait_for(server, data)
    maker = Maker(arguments.seed, arguments.base, arguments.run)
    questions = [] if arguments.query else maker.all(arguments.questions)
    for text in arguments.query or []:
        both = {"query": text.replace("$run", f'run="{arguments.run}"'), "start": str(arguments.base), "end": str(arguments.base + MINUTES * MINUTE)}
        questions.append(maker.question("given", "/loki/api/v1/query_range", {**both, "step": "60", "limit": "1000"}))
    if arguments.only:
        questions = [q for q in questions if any(arguments.only in part for part in (q.kind, q.path, q.parameters.get("query", "")))]
    asked = []
    for question in questions:
        answers = [server.ask(question.method, question.path, question.parameters, question.headers) for server in (ours, theirs)]
        verdict = again(question, answers[0], theirs, judge(question, *answers))
        asked.append((question, *verdict, *answers))
    if arguments.json:
        with open(arguments.json, "w") as file:
            for question, verdict, cause, *answers in asked:
                file.write(json.dumps({**question.__dict__, "verdict": verdict, "cause": cause, "answers": answers}, ensure_ascii=False) + "\n")
    sys.exit(0 if report(asked, arguments) else 1)


if __name__ == "__main__":
    main()
