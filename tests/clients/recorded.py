#!/usr/bin/env python3
"""Conversations of agents that no package registry has, as their protocols describe them: from the first question to the push.

Each file of recorded/ is one agent. `>` begins a request's line and headers, its body follows behind an empty line; `<` says
what must be in the answer: its status, then pieces of its headers and body. `?` is a query, `=` the rows that it must give.
`${run}` is this run's own name, `${ms}`, `${seconds}`, `${nanoseconds}` and `${time}` are now. Bodies are packed as
their Content-Encoding says; those of OTLP stand there as JSON and go as protobuf.
"""
import datetime
import gzip
import http.client
import json
import pathlib
import string
import time
import urllib.parse
import uuid

import requests
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

import check
from check import URL, main

ADDRESS = urllib.parse.urlsplit(URL)


def names():
    now = time.time_ns()
    moment = datetime.datetime.fromtimestamp(now / 1e9, datetime.timezone.utc)
    return {"run": uuid.uuid4().hex[:8], "ms": now // 10**6, "seconds": f"{now / 1e9:.6f}", "nanoseconds": now,
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")}


def packed(body, headers):
    """The body as it goes over the wire."""
    kind, encoding = headers.get("content-type", ""), headers.get("content-encoding", "")
    if kind == "application/x-protobuf":
        body = json_format.Parse(body, ExportLogsServiceRequest()).SerializeToString()
    else:
        body = body.encode()
    return gzip.compress(body) if encoding == "gzip" else body


def ask(head, body):
    """Sends one request with no header but those that it names and those that HTTP needs; gives all of the answer as text."""
    method, path = head[0].split(" ")
    headers = dict((name.lower(), value) for name, value in (line.split(": ", 1) for line in head[1:]))
    content = packed(body, headers) if body else b""
    connection = http.client.HTTPConnection(ADDRESS.hostname, ADDRESS.port, timeout=30)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    if body or method in ("POST", "PUT"):
        connection.putheader("content-length", str(len(content)))
    connection.endheaders(content)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return f"{answer.status}\n" + "".join(f"{name.lower()}: {value}\n" for name, value in answer.getheaders()) + text


def rows(query):
    answer = requests.post(f"{URL}/api/v1/query", json={"query": query, "from": "now-1h", "to": "now+1h"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


class Conversation:
    """A file on its way through: what was read of a request that is not sent yet, and of an answer that came."""

    def __init__(self):
        self.head, self.body, self.answer, self.query = [], [], None, None
        self.n_checked = 0

    def line(self, line):
        kind, text = line[:2], line[2:]
        if kind == "> ":
            self.answer = None
            self.head.append(text)
        elif kind == "< ":
            self.expect(text)
        elif kind == "? ":
            self.query = text
        elif kind == "= ":
            found = rows(self.query)
            assert found == json.loads(text), f"{self.query}\n{json.dumps(found)}\nis not\n{text}"
            self.n_checked += 1
        elif self.head and (line or self.body):
            self.body.append(line)

    def expect(self, text):
        if self.answer is None:
            body = "\n".join(self.body).strip("\n")
            self.answer, self.asked = ask(self.head, body + "\n" if body else ""), self.head[0]
            self.head, self.body = [], []
            assert self.answer.split("\n")[0] == text, f"{self.asked}: {text} was expected\n{self.answer}"
        else:
            assert text in self.answer, f"{self.asked}: {text} is missing in\n{self.answer}"
        self.n_checked += 1


def converse(path):
    conversation = Conversation()
    for line in string.Template(path.read_text(encoding="utf-8")).substitute(names()).split("\n"):
        if not line.startswith("# "):
            conversation.line(line)
    assert conversation.n_checked > 3 and not conversation.head, "the conversation says too little"


def register(path):
    def recorded():
        converse(path)
    recorded.__name__ = f"{path.stem.replace('-', '_')}_says_what_it_says_and_is_understood"
    check.check(recorded)


for one in sorted((pathlib.Path(__file__).parent / "recorded").glob("*.http")):
    register(one)
main()
