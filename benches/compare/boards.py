"""A dashboard of thirty panels over a day of the drawn corpus, in Chromium: opened first, and again."""
import json
import pathlib
import random
import statistics
import subprocess

import corpus
from catat import Catat

AGAIN_MS_MAX = 300
N_AGAIN = 7
DAY = {"from": "2026-11-19T00:00:00Z", "to": "2026-11-20T00:00:00Z"}
PROGRAM = corpus.ROOT / "tests" / "browser" / "board_time.mjs"


def panels(facts):
    """Kinds and queries of thirty panels: what people put on a board of a company's services."""
    name = lambda usual: f"`{facts['names'].get(usual, usual)}`"
    status, service, host, took, size, path, method = (name(usual) for usual in ("status", "service", "host", "duration_ms", "bytes", "path", "method"))
    asked = [
        ("area", "stats count(*) as n by bin($__interval), @level"),
        ("line", f"filter ispresent({status}) | stats count(*) as n by bin($__interval), {status}"),
        ("line", f"stats pct({took}, 50) as p50, pct({took}, 95) as p95, pct({took}, 99) as p99 by bin($__interval)"),
        ("line", f"stats sum({size}) as bytes by bin($__interval)"),
        ("bar", f"stats count(*) as n by {service} | sort n desc | limit 10"),
        ("bar", f"filter {status} >= 500 | stats count(*) as n by {path} | sort n desc | limit 10"),
        ("pie", f"filter ispresent({method}) | stats count(*) as n by {method}"),
        ("table", f"stats count(*) as n, avg({took}) as mean, max({took}) as most by {service} | sort n desc | limit 20"),
        ("heatmap", f"filter ispresent({status}) | stats count(*) as n by bin($__interval), {status}"),
        ("number", f"stats count_distinct({host}) as hosts"),
        ("number", "filter @level = 'error' | stats count(*) as n"),
        ("number", f"stats pct({took}, 99) as p99"),
        ("table", f"filter @level = 'error' | stats count(*) as n by {service}, {host} | sort n desc | limit 20"),
        ("line", f"filter @message like 'error' | stats count(*) as n by bin($__interval)"),
        ("logs", "filter @level = 'error'"),
    ]
    # The same of one service.
    only = f"filter {service} = '{facts['service']}'"
    return asked + [(kind, f"{only} | {query}") for kind, query in asked]


def board(facts):
    """The document of the dashboard."""
    width, height = 4, 5
    place = lambda number: {"x": number % 6 * width, "y": number // 6 * height, "w": width, "h": height}
    made = [{"id": f"p{number}", "title": f"{kind} {number}", "kind": kind, "queries": [{"id": "a", "query": query}], **place(number)}
            for number, (kind, query) in enumerate(panels(facts))]
    return {"title": "Thirty panels", "range": DAY, "panels": made}


def boards(options, work, judge):
    """Opens the board as the first question after a start, and again."""
    seed = random.SystemRandom().randrange(1 << 31) if options.drawn_seed is None else options.drawn_seed
    path = pathlib.Path(options.corpus or f"{work}/corpus.ndjson")
    facts = corpus.make(path, options.drawn, seed, "drawn")
    print(f"dashboards: {facts['events']:,} events of a day, seed {seed}", flush=True)
    server = Catat(options.binary, work)
    server.ingest(path, facts)
    server.settle()
    server.restart()
    server.admin("PUT", "/api/v1/dashboards/thirty", json.dumps(board(facts)))
    n_panels = len(board(facts)["panels"])
    command = ["node", str(PROGRAM), f"http://127.0.0.1:{server.port}", "thirty", str(n_panels), str(1 + N_AGAIN)]
    times = json.loads(subprocess.run(command, cwd=PROGRAM.parent, check=True, stdout=subprocess.PIPE).stdout)
    server.stop()
    print(f"  {n_panels} panels first after a start: {times[0]:.0f} ms; again: {', '.join(f'{ms:.0f}' for ms in times[1:])} ms")
    judge.at_most(f"milliseconds until {n_panels} panels of a day are drawn again, median of {N_AGAIN}", statistics.median(times[1:]), AGAIN_MS_MAX)
