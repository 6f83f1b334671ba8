#!/usr/bin/env python3
"""Senders of protocols with sockets of their own, to a server of this program's own: GELF by graypy, Fluentd's forward protocol by
fluent-logger, Beats' protocol and lines by python-logstash-async. Of each it is asked what became of its events.
"""
import atexit
import logging
import pathlib
import socket
import time

import graypy
import requests
from fluent import asyncsender, handler as fluent_handler, sender
from logstash_async.handler import AsynchronousLogstashHandler

from check import check, main
from server import Server, free_port, until

EVENTS = 200
BEGAN = time.time()


class DoorServer(Server):
    """A server with all listeners but syslog's."""

    def settings(self):
        self.ports = {door: free_port(socket.SOCK_STREAM) for door in ["gelf", "forward", "lumberjack", "lines"]}
        self.udp = free_port(socket.SOCK_DGRAM)
        settings = {f"CATAT_{door.upper()}__TCP": f"127.0.0.1:{port}" for door, port in self.ports.items()}
        return {**settings, "CATAT_GELF__UDP": f"127.0.0.1:{self.udp}"}

    def metric(self, name):
        lines = requests.get(f"{self.url}/metrics", timeout=30).text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


SERVER = DoorServer()
atexit.register(SERVER.stop)


def logger_of(name, handler):
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    return logger


def check_stored(group, condition, expected, by):
    """Numbered events are all there, once, at about now, with these values of `by`."""
    mine = f'filter @log = "{group}" and {condition}'
    counted = f"{mine} | stats count(*), count_distinct(@message), min(toMillis(@timestamp)), max(toMillis(@timestamp))"
    until(lambda: f"{group}: {SERVER.rows(counted)}", lambda: SERVER.rows(counted)[0][:2] == [EVENTS, EVENTS])
    first, last = SERVER.rows(counted)[0][2:]
    assert BEGAN - 2 <= first / 1000 <= last / 1000 <= time.time() + 2, (group, first, last)
    found = SERVER.rows(f"{mine} | stats count(*) as n by {by}")
    assert found == [[*expected, EVENTS]], (group, found)


class AnsweredHandler(graypy.GELFHTTPHandler):
    """Reads the answers. graypy closes its connections instead, perhaps before the server has stored what came."""

    def emit(self, record):
        headers = {"Content-Encoding": self.headers["Content-Encoding"]}
        answer = requests.post(f"{SERVER.url}{self.path}", data=self.makePickle(record), headers=headers, timeout=self.timeout)
        assert answer.status_code == 202, answer.text


@check
def graypy_sends_by_datagram_connection_and_request():
    port = SERVER.ports["gelf"]
    handlers = {
        "gelf-udp": graypy.GELFUDPHandler("127.0.0.1", SERVER.udp),
        "gelf-udp-plain": graypy.GELFUDPHandler("127.0.0.1", SERVER.udp, compress=False),
        "gelf-tcp": graypy.GELFTCPHandler("127.0.0.1", port),
        "gelf-http": AnsweredHandler("127.0.0.1", int(SERVER.url.rsplit(":", 1)[1]), path="/gelf"),
    }
    for name, handler in handlers.items():
        logger = logger_of(name, handler)
        for n in range(EVENTS):
            logger.error("parcel %d", n, extra={"run": name, "n": n})
        handler.close()
        host = socket.gethostname()
        check_stored("gelf", f'run = "{name}"', ["error", "err", host, host, name], "@level, severity, host, @logStream, facility")


@check
def graypy_sends_long_messages_in_chunks():
    text = "".join(chr(97 + n * 7919 % 26) + str(n) for n in range(9000))
    for compress in [True, False]:
        name = f"chunks-{compress}"
        handler = graypy.GELFUDPHandler("127.0.0.1", SERVER.udp, compress=compress)
        logger_of(name, handler).warning(text, extra={"run": name})
        handler.close()
        query = f'filter run = "{name}" | fields @level, message'
        until(lambda: SERVER.rows(query), lambda: SERVER.rows(query) == [["warn", text]])


@check
def fluent_logger_sends_records_with_and_without_a_fraction_of_time():
    port = SERVER.ports["forward"]
    senders = {
        "seconds": sender.FluentSender("app.seconds", port=port),
        "nanos": sender.FluentSender("app.nanos", port=port, nanosecond_precision=True),
        "async": asyncsender.FluentSender("app.async", port=port, queue_maxsize=10 * EVENTS),
    }
    for name, client in senders.items():
        for n in range(EVENTS):
            assert client.emit("web", {"message": f"parcel {n}", "level": "warn", "n": n, "in": {"a": [1, None]}})
        client.close()
        check_stored(f"forward/app.{name}.web", "n >= 0", ["warn", f"app.{name}.web", "127.0.0.1", 1], "@level, tag, @logStream, in.a.0")


@check
def fluent_loggers_handler_sends_what_logging_has():
    handler = fluent_handler.FluentHandler("py.log", port=SERVER.ports["forward"])
    handler.setFormatter(fluent_handler.FluentRecordFormatter({"level": "%(levelname)s", "where": "%(module)s"}))
    logger = logger_of("fluent", handler)
    for n in range(EVENTS):
        logger.error("parcel %d", n)
    handler.close()
    check_stored("forward/py.log", "ispresent(@message)", ["error", "doors"], "@level, where")


@check
def python_logstash_async_sends_windows_and_lines():
    ways = {"lumberjack": "BeatsTransport", "lines": "TcpTransport"}
    for door, transport in ways.items():
        handler = AsynchronousLogstashHandler("127.0.0.1", SERVER.ports[door], None, transport=f"logstash_async.transport.{transport}")
        logger = logger_of(f"logstash-{door}", handler)
        for n in range(EVENTS):
            logger.error("parcel %d", n, extra={"n": n})
        handler.flush()
        handler.close()
        check_stored(door, "ispresent(logsource)", ["error"], "@level")


@check
def nothing_was_malformed_or_lost():
    for door in SERVER.ports:
        for name in ["messages_malformed", "messages_lost", "datagrams_dropped"]:
            assert SERVER.metric(f"catat_{door}_{name}_total") == 0, (door, name, pathlib.Path(SERVER.path("log")).read_text(encoding="utf-8"))


main()
