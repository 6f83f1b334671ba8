"""What differs over all fields of five million events of a company of its own: first, asked again, and about other events."""
import json
import pathlib
import random
import statistics

import corpus
import measure
from catat import Catat

WARM_MS_MAX = 100
N_REPEATS = 7

EVERYTHING = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}


def ends(server):
    """Times of the first and the last event."""
    answer = server.post_query({"query": "stats min(@timestamp) as first, max(@timestamp) as last", **EVERYTHING})
    return answer["rows"][0]


def questions(server, facts):
    """Names of questions with what each asks: selections of a few events, of many, and of a time."""
    name = lambda usual: facts["names"].get(usual, usual)
    first, last = ends(server)
    rest = lambda query: {"selection": {"query": query, **EVERYTHING}, "baseline": "rest"}
    day, hours = first[:11], sorted({first[11:13], last[11:13]})
    middle = (int(hours[0]) + int(hours[-1]) + 1) // 2
    now, before = {"from": f"{day}{middle:02}:00:00Z", "to": last}, {"from": first, "to": f"{day}{middle:02}:00:00Z"}
    return {
        "errors and the rest": rest("filter @level = 'error'"),
        "a service and the rest": rest(f"filter `{name('service')}` = '{facts['service']}'"),
        "slow events and the rest": rest(f"filter `{name('duration_ms')}` > 500"),
        "warnings and the rest": rest("filter @level = 'warn'"),
        "a time and the time before": {"selection": {"query": "", **now}, "baseline": {"query": "", **before}},
    }


def asked(server, question):
    """Milliseconds until the answer was there, and the answer without what it took."""
    def ask():
        answer = server.posted("/api/v1/differs", question)
        payload = answer.read()
        if answer.status != 200:
            raise SystemExit(f"differs: {answer.status} {payload[:500]}")
        return payload

    ms, payload = measure.timed(ask)
    answer = json.loads(payload)
    if answer["partial"]:
        raise SystemExit(f"partial: {answer['partial_reasons']}")
    answer.pop("stats")
    return ms, answer


def differs(options, work, judge):
    """Each question first, after another one about the same baseline, and asked again; all answers must be equal."""
    seed = random.SystemRandom().randrange(1 << 31) if options.drawn_seed is None else options.drawn_seed
    path = pathlib.Path(options.corpus or f"{work}/corpus.ndjson")
    facts = corpus.make(path, options.drawn, seed, "drawn")
    server = Catat(options.binary, work)
    try:
        server.ingest(path, facts)
        server.settle()
        print(f"seed {seed}: {facts['events']:,} events, {measure.bytes_below(server.data_dir / 'segments') / 1e6:.1f} MB of segments")
        asked_questions = questions(server, facts)
        cold, firsts, answers = {}, {}, {}
        for name, question in asked_questions.items():
            server.restart_cold()
            cold[name], answers[name] = asked(server, question)
            server.restart()
            firsts[name], answer = asked(server, question)
            if answer != answers[name]:
                judge.missed.append(f"{name}: another answer after a restart")
        server.restart()
        asked(server, asked_questions["errors and the rest"])
        for name, question in asked_questions.items():
            after_ms, answer = asked(server, question)
            repeats = [asked(server, question) for _ in range(N_REPEATS)]
            again_ms = statistics.median(ms for ms, _ in repeats)
            if any(other != answers[name] for _, other in [(0, answer), *repeats]):
                judge.missed.append(f"{name}: another answer from what was kept")
            n_selected, n_others = answer["selection"]["events"], answer["baseline"]["events"]
            print(f"{name} ({n_selected:,} and {n_others:,} events, {len(answer['fields'])} fields): cold {cold[name]:,.0f} ms, "
                  f"first {firsts[name]:,.0f} ms, after another question {after_ms:,.0f} ms, again {again_ms:,.1f} ms", flush=True)
            judge.at_most(f"ms of {name}, asked again", again_ms, WARM_MS_MAX)
        print(f"{server.memory_peak_mb():.0f} MB peak")
    finally:
        server.stop()
