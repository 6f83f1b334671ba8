"""What is done to a fleet under load. Each scenario ends when what must go on has gone on; no time is asserted."""
import collections
import random
import subprocess
import time

import machines
import oracle
import proxy
from load import Load

KINDS = ["kill", "pause", "cut"]
HOUR_S = 3600
# How long what is slow or fails half of the time may take.
SLOW_S = 600
# How long the others may need to go on: leases take 15 s to end, a transaction that nobody ends takes 60 s.
OTHERS_S = 45
# How long senders wait for an answer while something is away.
AWAY_TIMEOUT_S = 90


class Plan:
    """How much is done."""

    def __init__(self, rounds):
        self.is_long = rounds is not None
        self.rounds = rounds or 4
        self.rounds_of_section = 10
        self.away_s = 60 if self.is_long else 5
        # Longer than a lease, for nodes that must find theirs gone when they are back; the short form ends it itself.
        self.gone_s = (16, 30)


class Run:
    """A run of the laboratory: the sections that were compared, and what was wrong."""

    def __init__(self, lab, plan):
        self.lab, self.plan, self.random = lab, plan, random.Random(lab.seed)
        self.n_rounds, self.loads, self.problems = 0, [], []
        self.verdicts = {}

    def section(self, name, scenario):
        """Runs a scenario under load, makes everything whole again, and compares."""
        began, load = time.monotonic(), Load(self.lab, name)
        try:
            with load:
                load.is_served(n=1)
                scenario(load)
                self.lab.restore()
                load.is_served()
        except (machines.Failed, OSError, subprocess.SubprocessError) as error:
            load.problem(str(error))
            self.repair()
        self.loads.append(load)
        self.compare(load)
        self.report(load, time.monotonic() - began)

    def compare(self, load):
        try:
            verdict = load.settle()
            worst = self.verdicts.setdefault(load.section, verdict)
            self.verdicts[load.section] = max(worst, verdict, key=oracle.Verdict.weight)
        except machines.Failed as error:
            load.problem(str(error))

    def total(self, name):
        """The number of events that were lost, or twice, in all sections."""
        return sum(len(getattr(verdict, name)) for verdict in self.verdicts.values())

    def report(self, load, took_s):
        seen = {what: sum(n for (_, one), n in load.seen.items() if one == what) for what in sorted({what for _, what in load.seen})}
        print(f"{'not ok' if load.problems else 'ok'} - {load.section}: {sum(load.ledger.n_acknowledged):,} events acknowledged, "
              f"{took_s:.0f} s, at most {load.longest_gap_s:.1f} s without an acknowledgement; "
              + ", ".join(f"{n} {what}" for what, n in seen.items()), flush=True)
        for text, n in load.problems.items():
            print(f"    {f'{n} × ' if n > 1 else ''}{text}", flush=True)
        self.problems += [f"{load.section}: {text}" for text in load.problems]

    def repair(self):
        """Brings every node back, whatever a scenario that failed has left."""
        self.lab.restore()
        for node in self.lab.nodes:
            if node.is_cut:
                node.cut(False)
            if node.is_paused:
                node.pause(False)
            if node.process.poll() is not None:
                node.start()

    def compare_again(self):
        """Compares all sections once more: what was flushed, compacted and read by other processes since."""
        for load in self.loads:
            before = set(load.problems)
            self.compare(load)
            for text in sorted(set(load.problems) - before):
                print(f"not ok - {load.section}, at the end: {text}", flush=True)
                self.problems.append(f"{load.section}, at the end: {text}")

    def nodes_fail(self, kinds):
        """One node after the other is killed, paused or cut off; the others go on."""
        def scenario(load):
            for kind in kinds:
                self.n_rounds += 1
                self.one_fails(load, self.random.choice(self.lab.nodes), kind)
        return scenario

    def one_fails(self, load, node, kind):
        others = [other for other in self.lab.nodes if other is not node]
        is_long_gone = self.plan.is_long and self.random.random() < 0.5
        load.write("ROUND", self.n_rounds, kind, node.name, "for long" if is_long_gone else "")
        if node.has("ingest") and self.random.random() < 0.5:
            # In the middle of a commit, where it is in the way of all others. Nodes without senders may have none for minutes.
            machines.until(f"{node.name} commits", lambda: node.database.locking)
        {"kill": node.kill, "pause": node.pause, "cut": node.cut}[kind]()
        if not is_long_gone and kind != "kill" and self.random.random() < 0.7:
            node.end_leases()
        # Through the others everything goes on.
        load.more([(others, "acknowledged", 5), (others, "whole", 2)], OTHERS_S)
        time.sleep(self.random.uniform(*self.plan.gone_s) if is_long_gone else self.random.uniform(0, 0.5))
        if kind == "kill":
            node.start(is_empty=self.random.random() < 0.5)
        elif kind == "pause":
            node.pause(False)
        else:
            node.cut(False)
        load.write("BACK", node.name)
        load.is_served([node], n=1)

    def away(self, kind, state):
        """All nodes lose the bucket or the database."""
        def scenario(load):
            # What is silent is given up after a while only; senders are told then.
            load.timeout_s = AWAY_TIMEOUT_S
            for gate in self.lab.gates(kind):
                gate.set(state=state)
            load.write("AWAY", kind, state)
            began, nodes = time.monotonic(), self.lab.nodes
            # Every node says so to senders, and goes on answering queries from what it knows, or says why not.
            load.more([([node], "refused", 1) for node in nodes if node.has("ingest")]
                      + [([node], "whole|partial|query refused", 1) for node in nodes if node.has("query")])
            time.sleep(max(0, began + self.plan.away_s - time.monotonic()))
            for node in nodes:
                said = [load.examples.get((node.name, what)) for what in ("partial", "query refused")]
                load.write("SAID", node.name, *said)
                refusal = load.examples.get((node.name, "refused"), "503")
                if not refusal.startswith("503"):
                    load.problem(f"while the {kind} is away {node.name} refuses senders with {refusal[:200]}, and not with 503")
        return scenario

    def slow(self, load):
        """Every request to the bucket takes a second, and every message to the database a part of one."""
        delays, load.timeout_s = (1, 1) if self.plan.is_long else (1, 0.05), 60
        for kind, delay_s in zip(("bucket", "database"), delays):
            for gate in self.lab.gates(kind):
                gate.set(delay_s=delay_s)
            load.more([(self.lab.nodes, "acknowledged", 5), (self.lab.nodes, "whole", 2)], SLOW_S)
            self.lab.restore()
            load.write("FAST", kind)

    def half_fails(self, load):
        """Half of the requests to the bucket and of the transactions fail."""
        gates = [gate for kind in ("bucket", "database") for gate in self.lab.gates(kind)]
        before = [gate.n_failed for gate in gates]
        for gate in gates:
            gate.set(fail_share=0.5)
        load.more([(self.lab.nodes, "acknowledged", 20)], SLOW_S)
        machines.until("requests of every gate to the database fail",
                       lambda: all(gate.n_failed > n for gate, n in zip(gates, before) if isinstance(gate, proxy.DatabaseGate)))

    def answers_lost(self, load):
        """Answers to commits and to PUTs that succeeded are lost, also to those of flushes and compactions."""
        # Who only answers queries writes nothing to the bucket.
        writers = [node.bucket for node in self.lab.nodes if node.has("ingest") or node.has("upkeep")]
        n, gates = (10 if self.plan.is_long else 1), writers + self.lab.gates("database")
        before = [gate.swallowed.copy() for gate in gates]

        def lost():
            """How many answers of each kind were lost, and at how few of any gate."""
            each = [gate.swallowed - old for gate, old in zip(gates, before)]
            return sum(each, collections.Counter()), min(one.total() for one in each)
        for gate in gates:
            gate.set(swallow_share=0.1)

        def is_enough():
            kinds, at_each = lost()
            # Of two nodes with the role for upkeep, the one without the lease writes seldom.
            return at_each > 0 and min(kinds["flush"], kinds["compaction"]) >= n
        machines.until(lambda: f"answers are lost: {lost()}", is_enough, SLOW_S)
        load.write("LOST", *lost())

    def clock_off(self, load):
        """The clock of one node is an hour off, and it is the only one for a while that others can do without."""
        library, offset = self.lab.work / "clock.so", self.lab.work / "clock"
        source = machines.HERE.parent / "it" / "lab" / "clock.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
        by = self.random.choice([-HOUR_S, HOUR_S])
        offset.write_bytes(by.to_bytes(8, "little", signed=True))
        node = self.random.choice(self.lab.nodes)
        load.write("CLOCK", node.name, by)
        node.stop()
        node.start(environment={"LD_PRELOAD": str(library), "LAB_CLOCK": str(offset)})
        load.is_served([node], n=5)
        # Upkeep and leases change hands between clocks.
        for other in (node, self.random.choice([other for other in self.lab.nodes if other is not node])):
            other.end_leases()
            load.is_served(n=2)
        node.stop()
        node.start()

    def upgraded(self, load):
        """Every node of the previous build is replaced by one of this build while all others go on."""
        for node in self.lab.nodes:
            node.stop()
            node.start()
            load.write("REPLACED", node.name)
            load.is_served()
