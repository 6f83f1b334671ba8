"""Many senders at once, each with a few events at a time: who waits for whom.

Every sender has a connection of its own, sends a small body, waits for the acknowledgement, and sends the next one, as fast
as it is let. Judged are how many acknowledgements share a sync of the write-ahead log, that nobody is turned away, and how
far the slowest sender lags behind: in acknowledgements over the whole run, where the median of all senders may be at most
four times the fewest of one. A sender that starves has none.
"""
import itertools
import json
import selectors
import socket
import statistics
import time

import corpus
from catat import Catat

EVENTS_PER_BODY = 10
ACKS_PER_SYNC_MIN = 50
MEDIAN_TO_SLOWEST_MAX = 4
PATH = "/api/v1/ingest?group=bench&format=ndjson"


class Sender:
    """One connection, its next bodies, and how long it waited for each answer."""

    def __init__(self, number, port, bodies):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.bodies, self.answer = itertools.islice(bodies, number, None), b""
        self.waits, self.refused = [], 0

    def send(self):
        self.sent_at = time.perf_counter()
        # A small body fits into the socket's buffer: this does not wait.
        self.socket.sendall(next(self.bodies))

    def receive(self):
        """Takes what has come; whether that was the rest of an answer."""
        part = self.socket.recv(65536)
        if not part:
            raise SystemExit("the server closed a sender's connection")
        self.answer += part
        head, has_head, body = self.answer.partition(b"\r\n\r\n")
        if not has_head:
            return False
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        if len(body) < length:
            return False
        if head.startswith(b"HTTP/1.1 200 ") and json.loads(body)["accepted"] == EVENTS_PER_BODY:
            self.waits.append(time.perf_counter() - self.sent_at)
        else:
            self.refused += 1
        self.answer = b""
        return True


def requests(lines):
    """Requests of a few events each, again and again."""
    made = []
    for start in range(0, len(lines) - EVENTS_PER_BODY, EVENTS_PER_BODY):
        body = b"".join(lines[start : start + EVENTS_PER_BODY])
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        made.append(head.encode() + body)
    return made


def run(senders, seconds):
    """Lets all of them send for so long, and waits for the last answers."""
    end = time.perf_counter() + seconds
    with selectors.DefaultSelector() as selector:
        for sender in senders:
            selector.register(sender.socket, selectors.EVENT_READ, sender)
            sender.send()
        n_waiting = len(senders)
        while n_waiting:
            for key, _ in selector.select(timeout=60):
                if key.data.receive():
                    if time.perf_counter() < end:
                        key.data.send()
                    else:
                        n_waiting -= 1


def senders(options, work, judge):
    """Senders of small batches, all at once."""
    stream = corpus.Stream(50_000, options.seed)
    made = requests(stream.file.readlines())
    stream.close()
    server = Catat(options.binary, work)
    try:
        all_senders = [Sender(number, server.port, itertools.cycle(made)) for number in range(options.senders)]
        before, cpu_before = server.status(), server.cpu_s()
        run(all_senders, options.seconds)
        after, cpu = server.status(), server.cpu_s() - cpu_before
        peak_mb = server.memory_peak_mb()
    finally:
        server.stop()
    n_acks = after["batches_accepted"] - before["batches_accepted"]
    n_syncs = after["wal_syncs"] - before["wal_syncs"]
    counts = sorted(len(sender.waits) for sender in all_senders)
    waits = sorted(wait for sender in all_senders for wait in sender.waits)
    print(f"{n_acks:,} acknowledgements in {n_syncs:,} syncs, {n_acks * EVENTS_PER_BODY / cpu:,.0f} events per CPU-second, {peak_mb:.0f} MB peak")
    print(f"acknowledgements of a sender: {counts[0]:,} fewest, {statistics.median(counts):,.0f} median, {counts[-1]:,} most")
    print(f"milliseconds to an acknowledgement: {waits[len(waits) // 2] * 1000:.1f} median, {waits[len(waits) * 99 // 100] * 1000:.1f} 99th of 100, {waits[-1] * 1000:.0f} longest")
    judge.at_least(f"acknowledgements per sync of {len(all_senders)} senders", n_acks / n_syncs, ACKS_PER_SYNC_MIN)
    judge.at_most("requests turned away", sum(sender.refused for sender in all_senders), 0)
    judge.at_least("acknowledgements of the slowest sender", counts[0], 1)
    judge.at_most("median of the senders to the slowest, in acknowledgements", statistics.median(counts) / max(counts[0], 1), MEDIAN_TO_SLOWEST_MAX)
