"""The tools are tested before anything is tested with them."""
import concurrent.futures
import http.client
import subprocess
import time

import oracle
import proxy
from machines import Failed, call

RACES, WRITERS = 20, 8
# moto verifies no signature, but what is signed belongs to someone.
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=an-id/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"}


def expect(condition, what):
    if not condition:
        raise Failed(what)


def fails(work, *errors):
    """Whether something ends with one of these errors."""
    try:
        work()
    except errors:
        return True
    return False


def one_writer_wins(lab):
    """Of writers that race for a name exactly one wins, also through the gates, and its object stays."""
    urls = [lab.bucket.url] + [f"http://{gate.address}:{gate.port}" for gate in lab.gates("bucket")]

    def put(race, writer):
        name, headers = f"/logs/race/{race}", SIGNED | {"If-None-Match": "*"}
        return call(urls[writer % len(urls)], "PUT", name, str(writer), headers)[0]

    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        for race in range(RACES):
            answers = list(pool.map(put, [race] * WRITERS, range(WRITERS)))
            winners = [writer for writer, status in enumerate(answers) if status == 200]
            kept = call(lab.bucket.url, "GET", f"/logs/race/{race}", headers=SIGNED)[2].decode()
            expect(len(winners) == 1 and kept == str(winners[0]) and sorted(set(answers)) == [200, 412],
                   f"race {race} for a name: {answers}, {kept!r} is kept")


def bucket_gate_fails(lab):
    """A gate to the bucket delays, refuses, swallows, fails, and holds back."""
    gate = lab.nodes[0].bucket
    url, lost = f"http://{gate.address}:{gate.port}/", (OSError, http.client.HTTPException)
    is_there = lambda name: call(lab.bucket.url, "GET", name, headers=SIGNED)[0] == 200
    put = lambda name, timeout=10: call(url.rstrip("/"), "PUT", name, b"x", SIGNED, timeout)[0]
    gate.set(delay_s=0.2)
    began = time.monotonic()
    expect(put("/logs/gate/slow") == 200 and time.monotonic() - began >= 0.2, "a slow gate is not slow")
    gate.set(delay_s=0, swallow_share=1)
    expect(fails(lambda: put("/logs/gate/swallowed"), *lost) and is_there("/logs/gate/swallowed"), "no answer was swallowed")
    gate.set(state=proxy.REFUSING, swallow_share=0)
    expect(fails(lambda: put("/logs/gate/refused"), *lost) and not is_there("/logs/gate/refused"), "a refusing gate is open")
    gate.set(state=proxy.SILENT)
    expect(fails(lambda: put("/logs/gate/held", 0.3), TimeoutError) and not is_there("/logs/gate/held"), "a silent gate answers")
    gate.set(state=proxy.OPEN, fail_share=0.5)
    seen = set()
    while seen != {200, 500, 503, None}:
        try:
            seen.add(put("/logs/gate/half"))
        except lost:
            seen.add(None)
    gate.set(fail_share=0)
    expect(put("/logs/gate/last") == 200, "an open gate fails")


def database_gate_fails(lab):
    """A gate to the database swallows the answer to a commit that happened, refuses, fails."""
    gate = lab.nodes[0].database
    sql = lambda *statements: lab.database.sql(*statements, host=gate.address, port=gate.port)
    insert = lambda number: sql("BEGIN", f"INSERT INTO trial VALUES ({number})", "COMMIT")
    lost = subprocess.CalledProcessError
    lab.database.sql("CREATE TABLE trial(number integer)")
    insert(1)
    gate.set(swallow_share=1)
    expect(fails(lambda: insert(2), lost), "no answer was swallowed")
    gate.set(state=proxy.REFUSING, swallow_share=0)
    expect(fails(lambda: insert(3), lost), "a refusing gate is open")
    gate.set(state=proxy.OPEN, fail_share=1, refuses_until=0)
    before = gate.n_failed
    expect(fails(lambda: insert(4), lost) and gate.n_failed > before, "a failing gate is open")
    gate.set(fail_share=0, refuses_until=0)
    insert(5)
    found = lab.database.sql("SELECT number FROM trial WHERE number <> 4 ORDER BY number").split()
    expect(found == ["1", "2", "5"], f"behind the gate there is {found}")
    lab.database.sql("DROP TABLE trial")


def run(lab):
    oracle.check_itself()
    for check in (one_writer_wins, bucket_gate_fails, database_gate_fails):
        check(lab)
