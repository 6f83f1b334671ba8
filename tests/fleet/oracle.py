"""What was sent, what was promised for it, and the comparison with what the nodes give back.

An event carries its sender, its number, a text and the hash of that text, all of which follow from sender and number.
"""
import collections
import dataclasses
import hashlib
import json
import random
import threading
import time

import machines

# Noon of 17 November 2025; events of a sender that share a second; events of a sender that are read back at once.
FIRST_SECOND = 1_763_380_800
EVENTS_PER_SECOND = 50
PAGE_SECONDS = 400
MEANING = {"lost": "acknowledged and not there", "twice": "there more than once", "altered": "not as they were sent, or never sent",
           "torn": "of batches that are there in part"}
SENT, ABANDONED, ACKNOWLEDGED = "sent", "abandoned", "acknowledged"
SHOWN, READINGS = 5, 4


def text(sender, seq):
    source = random.Random(sender * 1_000_003 + seq)
    tail = source.choice(["", "", " – Größe überschritten\tagain", f' cause="{source.getrandbits(64):x}"' * source.randrange(12)])
    return f"sender {sender} took {source.randrange(90_000)}us for step {seq} of u{source.randrange(500)}{tail}"


def time_of(second):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def fields(sender, seq):
    """What the query of an event must answer, but for its id."""
    words = text(sender, seq)
    digest = hashlib.sha256(words.encode()).hexdigest()[:16]
    return [sender, seq, digest, words, time_of(FIRST_SECOND + seq // EVENTS_PER_SECOND)]


def line(sender, seq):
    _, _, digest, words, at = fields(sender, seq)
    return json.dumps({"@timestamp": at, "sender": sender, "seq": seq, "hash": digest, "message": words})


@dataclasses.dataclass
class Batch:
    sender: int
    first: int
    n: int
    state: str = SENT

    def body(self):
        return "".join(line(self.sender, seq) + "\n" for seq in range(self.first, self.first + self.n)).encode()


@dataclasses.dataclass
class Verdict:
    """What a comparison found. Lists hold (sender, number)."""
    n_acknowledged: int = 0
    lost: list = dataclasses.field(default_factory=list)
    twice: list = dataclasses.field(default_factory=list)
    altered: list = dataclasses.field(default_factory=list)
    torn: list = dataclasses.field(default_factory=list)

    def problems(self, kinds):
        found = [(getattr(self, kind), MEANING[kind]) for kind in kinds]
        return [f"{len(events)} events {words}: {events[:SHOWN]}" for events, words in found if events]

    def weight(self):
        return len(self.lost) + len(self.twice) + len(self.altered)


class Ledger:
    """The batches of one section of a run; each sender has a group of its own."""

    def __init__(self, section, n_senders):
        self.section, self.lock = section, threading.Lock()
        self.batches = [[] for _ in range(n_senders)]
        self.n_acknowledged = [0] * n_senders

    def group(self, sender):
        return f"lab/{self.section}/{sender}"

    def next(self, sender, n):
        with self.lock:
            mine = self.batches[sender]
            mine.append(Batch(sender, mine[-1].first + mine[-1].n if mine else 0, n))
            return mine[-1]

    def note(self, batch, state):
        with self.lock:
            if state == ACKNOWLEDGED and batch.state != ACKNOWLEDGED:
                self.n_acknowledged[batch.sender] += batch.n
            batch.state = state

    def n_sent(self, sender):
        with self.lock:
            mine = self.batches[sender]
            return mine[-1].first + mine[-1].n if mine else 0

    def judge(self, rows):
        """Compares rows of (sender, number, hash, text, time, group) with what was sent."""
        verdict = Verdict(sum(self.n_acknowledged))
        found = collections.Counter()
        for row in rows:
            sender, seq = row[0], row[1]
            is_sent = isinstance(sender, int) and isinstance(seq, int) and sender < len(self.batches) and seq < self.n_sent(sender)
            if not is_sent or row != [*fields(sender, seq), self.group(sender)]:
                verdict.altered.append((sender, seq))
            found[sender, seq] += 1
        verdict.twice = [event for event, n in found.items() if n > 1]
        for batch in (batch for mine in self.batches for batch in mine):
            missing = [(batch.sender, seq) for seq in range(batch.first, batch.first + batch.n) if not found[batch.sender, seq]]
            if batch.state == ACKNOWLEDGED:
                verdict.lost += missing
            elif 0 < len(missing) < batch.n:
                verdict.torn += missing
        return verdict

    def read(self, node):
        """Every event of the section, as a node gives it back: a list of lines."""
        lines = []
        for sender in range(len(self.batches)):
            last = self.n_sent(sender) // EVENTS_PER_SECOND
            for page in range(0, last + 1, PAGE_SECONDS):
                lines += export(node, self.group(sender), FIRST_SECOND + page, FIRST_SECOND + page + PAGE_SECONDS - 1)
        return lines

    def verify(self, nodes):
        """Compares the answers of nodes with each other and with what was sent; returns the worst verdict and all problems."""
        verdicts, problems = [], []
        for _ in range(READINGS):
            answers = {node.name: self.read(node) for node in nodes}
            reference = answers[nodes[0].name]
            others = {name: lines for name, lines in answers.items() if lines != reference}
            found = [self.judge([without_id(json.loads(line)) for line in lines]) for lines in (reference, *others.values())]
            verdicts += found
            # What no sender waits for any more may be accepted between two answers, but not for long.
            if not others and not any(verdict.torn for verdict in found):
                break
        else:
            problems += [f"{name} gives {len(lines)} rows, {len(set(lines) ^ set(reference))} other than {nodes[0].name}'s {len(reference)}"
                         for name, lines in others.items()]
            problems += [text for verdict in found for text in verdict.problems(["torn"])]
        for verdict in verdicts:
            problems += verdict.problems(["lost", "twice", "altered"])
        return max(verdicts, key=Verdict.weight), problems


def without_id(row):
    return [*row[:5], row[6]]


def export(node, group, first, last):
    """The events of a group between two seconds: lines of a whole answer."""
    question = {"query": "fields sender, seq, hash, @message, @timestamp, @id, @log | sort seq, @id", "limit": 100_000,
                "groups": [group], "from": time_of(first), "to": time_of(last).replace("Z", ".999999999Z")}
    headers = {"content-type": "application/json", "accept": "application/x-ndjson"}
    state = {}

    def whole():
        try:
            status, _, body = machines.call(node.url, "POST", "/api/v1/query", json.dumps(question), headers, timeout=60)
        except (OSError, machines.http.client.HTTPException) as error:
            state["last"] = repr(error)
            return None
        lines = body.decode().split("\n")[:-1]
        end = json.loads(lines[-1]) if status == 200 and lines else {}
        state["last"] = f"{status} {end or body[:300]}"
        if isinstance(end, dict) and end.get("partial") is False and not end.get("more"):
            # Columns, progress and the end are objects.
            return [[line for line in lines if line.startswith("[")]]
        return None

    return machines.until(lambda: f"{node.name} answers with all events of {group}: {state['last']}", whole)[0]


def check_itself():
    """Proves that the comparison finds one event that is lost, doubled, altered, or alone of its batch."""
    ledger = Ledger("self-check", 2)
    for sender in (0, 1):
        for state in (ACKNOWLEDGED, ACKNOWLEDGED, ABANDONED):
            ledger.note(ledger.next(sender, 10), state)
    rows = [[*fields(sender, seq), ledger.group(sender)] for sender in (0, 1) for seq in range(20)]
    half = [[*fields(1, 25), ledger.group(1)]]
    changed = [row[:3] + [row[3] + "x"] + row[4:] if row[:2] == [1, 7] else row for row in rows]
    elsewhere = [row[:5] + [ledger.group(0)] if row[:2] == [1, 7] else row for row in rows]
    expected = [(rows, {}), (rows[:-1], {"lost": [(1, 19)]}), ([*rows, rows[3]], {"twice": [(0, 3)]}), (changed, {"altered": [(1, 7)]}),
                (elsewhere, {"altered": [(1, 7)]}), ([*rows, [*fields(0, 40), ledger.group(0)]], {"altered": [(0, 40)]})]
    for given, wanted in expected:
        verdict = ledger.judge(given)
        if verdict != Verdict(40, **wanted):
            raise machines.Failed(f"the comparison found {verdict} and not {wanted}")
    if [event for event in ledger.judge(rows + half).torn if event[0] == 1] != [(1, seq) for seq in range(20, 30) if seq != 25]:
        raise machines.Failed("the comparison did not find a batch that is there in part")
