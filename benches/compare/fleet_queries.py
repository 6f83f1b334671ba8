"""Six nodes that answer together, beside one machine with the same events; a needle in a bucket that is far away; a node
that ends while it is asked.
"""
import os
import pathlib
import statistics
import threading
import time

import corpus
from catat import Catat
from fleet import Bucket, Database, in_charge, node
from queries import queries

N_NODES = 6
N_EVENTS = 5_000_000
CPU_RATIO_MAX = 1.3
GET_MS = 50
COLD_NEEDLE_S_MAX = 1.0
WARM_NEEDLE_RATIO_MAX = 2.0
REPLACED_S_MAX = 2.0
N_WARM = 21
N_ROUNDS = 3


def cpu_of_all(servers):
    return sum(server.cpu_s() for server in servers)


def needle(questions):
    return next(question for question in questions if "needle" in question.name)


def asked_while_one_ends(nodes, question):
    """The longest time that anybody waited who asked the first node while the last one was killed."""
    waits, is_over = [], threading.Event()

    def ask():
        while not is_over.is_set():
            waits.append(nodes[0].ask(question)[0] / 1000)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(1)
    nodes[-1].process.kill()
    time.sleep(4)
    is_over.set()
    thread.join()
    return max(waits)


def fleet_queries(options, work, judge):
    """The query set on six nodes and on one machine: CPU, answers; needles; the end of a node."""
    path = os.path.join(work, "corpus.ndjson")
    facts = corpus.make(path, N_EVENTS, options.seed, "drawn")
    questions = queries(facts, corpus.trace_of(path, facts["names"].get("trace_id", "trace_id")))
    alone = Catat(options.binary, work, with_cache=False)
    alone.ingest(path, facts)
    alone.settle()
    secret = pathlib.Path(work) / "secret"
    secret.write_text("a secret that is long enough for a benchmark")
    bucket, database, nodes = Bucket(), Database(), []
    shared = {"CATAT_FLEET__SECRET_FILE": str(secret)}
    start = lambda number: node(options, work, f"node-{number}", bucket, database, shared)
    try:
        nodes = [start(number) for number in range(N_NODES)]
        nodes[0].ingest(path, facts)
        in_charge(nodes).settle()
        wrong = []
        for server in nodes:
            # Whatever a start costs is paid, and what lies in the bucket is here.
            for question in questions:
                if server.ask(question)[1] != alone.ask(question)[1] and question.kind != "times":
                    wrong.append(question.name)
        if wrong:
            judge.missed.append(f"answers differ: {sorted(set(wrong))}")
        before, before_alone = cpu_of_all(nodes), alone.cpu_s()
        n_shared = 0
        for question in questions * N_ROUNDS:
            answer = nodes[0].post_query({"query": question.insights, "limit": 10_000, **question.range})
            n_shared += answer["stats"]["events_shared"]
            alone.ask(question)
        cpu, cpu_alone = cpu_of_all(nodes) - before, alone.cpu_s() - before_alone
        print(f"{len(questions)} questions, {N_ROUNDS} times: {cpu:.2f} CPU-seconds on {N_NODES} nodes, {cpu_alone:.2f} on one machine; {n_shared:,} events were looked at for others")
        judge.at_most(f"CPU of {N_NODES} nodes for the query set, in that of one machine", cpu / cpu_alone, CPU_RATIO_MAX)
        judge.at_most("seconds that somebody waited while a node ended", asked_while_one_ends(nodes, questions[0]), REPLACED_S_MAX)
        nodes.pop()
        wanted = needle(questions)
        # In turn, so that what else the machine does at the time concerns both.
        warm, warm_alone = (statistics.median(times) for times in zip(*(
            (nodes[0].ask(wanted)[0], alone.ask(wanted)[0]) for _ in range(N_WARM))))
        judge.at_most("a needle asked again, in the time of one machine", warm / warm_alone, WARM_NEEDLE_RATIO_MAX)
        for server in nodes[1:]:
            server.process.kill()
        bucket.get_ms = GET_MS
        cold = start(N_NODES)
        nodes.append(cold)
        seconds = cold.ask(wanted)[0] / 1000
        judge.at_most(f"seconds of a needle with nothing cached and {GET_MS} ms a GET", seconds, COLD_NEEDLE_S_MAX)
    finally:
        for server in [alone, *nodes]:
            server.process.kill()
        database.close()
        bucket.close()
