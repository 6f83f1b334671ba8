"""Senders and askers that use all nodes at once, and what they saw."""
import collections
import http.client
import json
import random
import threading
import time

import machines
import oracle

N_SENDERS, N_ASKERS = 8, 3
BATCH_SIZES = [1, 5, 20, 50, 200]
# Senders that get no answer ask again after this, and leave the node alone for a while. Nothing depends on how long.
SENDER_TIMEOUT_S, ASKER_TIMEOUT_S, AVOIDED_S = 3, 10, 3
ABANDONED_SHARE, REPEATED_SHARE = 0.05, 0.1


class Load:
    """Senders and askers of one section. `with` runs them; [`settle`] compares everything at the end."""

    def __init__(self, lab, section):
        self.lab, self.section, self.ledger = lab, section, oracle.Ledger(section, N_SENDERS)
        self.over, self.lock = threading.Event(), threading.Lock()
        self.seen, self.problems, self.examples, self.avoided = collections.Counter(), collections.Counter(), {}, {}
        self.timeout_s = SENDER_TIMEOUT_S
        self.last_acknowledged, self.longest_gap_s = None, 0
        self.history = open(lab.work / f"history-{section}.log", "w", buffering=1)
        work = [(self.send, sender) for sender in range(N_SENDERS)] + [(self.ask, asker) for asker in range(N_ASKERS)]
        self.threads = [threading.Thread(target=self.guard, args=one, daemon=True) for one in work]

    def __enter__(self):
        self.last_acknowledged = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(machines.PATIENCE_S)

    def guard(self, work, number):
        try:
            work(number)
        except Exception as error:  # noqa: BLE001, whatever ends a sender is a failure of the run.
            self.problem(f"{work.__name__} {number} ended: {error!r}")
            raise

    def problem(self, text):
        with self.lock:
            self.problems[text] += 1
        self.write("PROBLEM", text)

    def write(self, *words):
        self.history.write(f"{time.time():.3f} {' '.join(map(str, words))}\n")

    def note(self, node, what, example=None):
        with self.lock:
            self.seen[node.name, what] += 1
            if example is not None:
                self.examples[node.name, what] = example
            if what == "acknowledged":
                now = time.monotonic()
                self.longest_gap_s = max(self.longest_gap_s, now - self.last_acknowledged)
                self.last_acknowledged = now

    def send(self, sender):
        choose = random.Random(f"{self.lab.seed}/{self.section}/{sender}")
        nodes = [node for node in self.lab.nodes if node.has("ingest")]
        while not self.over.is_set():
            batch = self.ledger.next(sender, choose.choice(BATCH_SIZES))
            body = batch.body()
            is_repeated, is_patient = choose.random() < REPEATED_SHARE, choose.random() >= ABANDONED_SHARE
            while not self.over.is_set():
                if self.deliver(self.one_of(nodes, choose), batch, body):
                    if not is_repeated:
                        break
                    is_repeated = False
                elif not is_patient and batch.state != oracle.ACKNOWLEDGED:
                    self.ledger.note(batch, oracle.ABANDONED)
                    break
                else:
                    self.over.wait(choose.uniform(0.02, 0.2))

    def one_of(self, nodes, choose):
        """A node, if possible one that has answered lately."""
        now = time.monotonic()
        return choose.choice([node for node in nodes if self.avoided.get(node.name, 0) <= now] or nodes)

    def deliver(self, node, batch, body):
        """Sends a batch to a node; whether the node acknowledged it."""
        path = f"/api/v1/ingest?group={self.ledger.group(batch.sender)}"
        name, before = f"{self.section}-{batch.sender}-{batch.first}", batch.state
        begun = time.time()
        try:
            status, headers, answer = machines.call(node.url, "POST", path, body, {"x-catat-batch": name}, self.timeout_s)
            answer = json.loads(answer)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.write(node.name, name, f"{begun:.3f}", repr(error))
            self.avoided[node.name] = time.monotonic() + AVOIDED_S
            self.note(node, "no answer")
            return False
        self.write(node.name, name, f"{begun:.3f}", status, answer)
        if status == 200:
            self.ledger.note(batch, oracle.ACKNOWLEDGED)
            if answer["rejected"] or (answer["accepted"], answer["duplicate"]) not in ((batch.n, False), (batch.n, True), (0, True)):
                self.problem(f"{name} with {batch.n} events was answered {answer}")
            if before == oracle.ACKNOWLEDGED and not answer["duplicate"]:
                self.problem(f"{name} was accepted again by {node.name}: {answer}")
            self.note(node, "acknowledged")
            return True
        if status not in (429, 503) or not headers.get("Retry-After"):
            self.problem(f"{node.name} answered a sender {status}, Retry-After {headers.get('Retry-After')}: {answer}")
        self.note(node, "refused", f"{status} {answer}")
        return False

    def ask(self, asker):
        choose = random.Random(f"{self.lab.seed}/{self.section}/asker/{asker}")
        nodes = [node for node in self.lab.nodes if node.has("query")]
        while not self.over.is_set():
            self.ask_one(self.one_of(nodes, choose), choose.randrange(N_SENDERS))
            self.over.wait(choose.uniform(0, 0.1))

    def ask_one(self, node, sender):
        """Asks a node for the number of events of a sender: all that were acknowledged before are in a whole answer."""
        at_least = self.ledger.n_acknowledged[sender]
        question = {"query": "stats count(*) as n, max(seq) as last", "groups": [self.ledger.group(sender)],
                    "from": oracle.time_of(oracle.FIRST_SECOND), "to": oracle.time_of(oracle.FIRST_SECOND + 10_000_000)}
        begun = time.time()
        try:
            headers = {"content-type": "application/json"}
            status, _, body = machines.call(node.url, "POST", "/api/v1/query", json.dumps(question), headers, max(ASKER_TIMEOUT_S, self.timeout_s))
            answer = json.loads(body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.write(node.name, "query", f"{begun:.3f}", repr(error))
            self.avoided[node.name] = time.monotonic() + AVOIDED_S
            return self.note(node, "query without answer")
        reasons = answer.get("partial_reasons") or answer.get("error")
        self.write(node.name, "query", sender, f"{begun:.3f}", status, answer.get("rows"), "at least", at_least, reasons)
        # 429: others wait at the node for what does not answer.
        if status in (429, 503):
            return self.note(node, "query refused", reasons)
        if status != 200:
            # A group exists with its first event.
            return None if status == 404 and at_least == 0 else self.problem(f"{node.name} answered a query {status}: {body[:300]}")
        if answer["partial"]:
            return self.note(node, "partial", reasons)
        n = answer["rows"][0][0] if answer["rows"] else 0
        if not at_least <= n <= self.ledger.n_sent(sender):
            self.problem(f"{node.name} counts {n} events of sender {sender} in a whole answer: {at_least} were acknowledged before the query, "
                         f"{self.ledger.n_sent(sender)} sent until its end")
        return self.note(node, "whole")

    def more(self, wanted, patience_s=machines.PATIENCE_S):
        """Waits until each of some (nodes, what, n) has happened n times more, at any of its nodes."""
        def counts():
            with self.lock:
                return [sum(self.seen[node.name, what] for node in nodes for what in whats.split("|")) for nodes, whats, _ in wanted]
        before = counts()

        def missing():
            now = counts()
            return [f"{n} × {what} at {[node.name for node in nodes]}, had {now[at] - before[at]}"
                    for at, (nodes, what, n) in enumerate(wanted) if now[at] - before[at] < n]
        machines.until(lambda: f"{self.section}: {'; '.join(missing())}", lambda: not missing(), patience_s)

    def is_served(self, nodes=None, n=2):
        """Waits until each of these nodes has acknowledged and answered again."""
        nodes = nodes or self.lab.nodes
        self.more([([node], "acknowledged", n) for node in nodes if node.has("ingest")]
                  + [([node], "whole", n) for node in nodes if node.has("query")])

    def settle(self):
        """Compares everything that was sent in this section with what all nodes answer; returns the verdict."""
        verdict, problems = self.ledger.verify([node for node in self.lab.nodes if node.has("query")])
        for text in problems:
            self.problem(text)
        return verdict
