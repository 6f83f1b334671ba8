"""The same events and queries on one machine and on the nodes of a fleet: the same bytes."""
import json
import random

import machines
import oracle

NUMBER = "number {}".format
N_EVENTS, BATCH_EVENTS = 3000, 150
SERVICES = ["cart", "pay", "search", "Größe", "mail"]
LEVELS = ["debug", "info", "warn", "error"]
NUMBERS = ["ms", "cost", "n", "user.id"]
TEXTS = ["service", "level", "user.name", "maybe"]
FUNCTIONS = ["count(*)", "count({number})", "sum({number})", "avg({number})", "min({number})", "max({number})", "stddev({number})",
             "pct({number}, 95)", "median({number})", "count_distinct({text})", "min({text})", "earliest({number})", "latest({text})"]
FILTERS = ['level = "{level}"', 'service in ["{service}", "mail"]', "ms > {value}", "cost between 0.5 and {value}", 'maybe = ""',
           "ispresent(maybe)", "not ispresent(user.name)", '@message like "step {digit}"', "@message like /u{digit}\\d+ /", 'user.name != "ann"',
           'service = "pay" and (ms < {value} or level = "{level}")']


def event(source, number):
    made = {"@timestamp": f"{oracle.time_of(oracle.FIRST_SECOND + number // 7 * 13)[:-1]}.{number % 1000:03}Z", "serial": number,
            "message": f"step {number} of u{source.randrange(90)} took {source.randrange(5000)}us", "service": source.choice(SERVICES),
            "level": source.choice(LEVELS), "ms": source.randrange(2000), "cost": source.random() * 10 ** source.randrange(-9, 9),
            "n": source.choice([source.randrange(5), -1, 2**53 + source.randrange(9)]), "user": {"id": source.randrange(40)}}
    if source.random() < 0.5:
        made["user"]["name"] = source.choice(["ann", "bob", "Zoë"])
    if source.random() < 0.1:
        made["maybe"] = source.choice(["", "x", 7, 1.5, True])
    return made


def send(urls, n_events, seed):
    """Sends the same events in the same order to some servers in turn."""
    source, batches = random.Random(seed), []
    for first in range(0, n_events, BATCH_EVENTS):
        lines = [json.dumps(event(source, number)) for number in range(first, min(first + BATCH_EVENTS, n_events))]
        batches.append(("\n".join(lines)).encode())
    for at, body in enumerate(batches):
        def is_taken():
            answer = machines.call(urls[at % len(urls)], "POST", f"/api/v1/ingest?group=same/{at % 2}", body, {"x-catat-batch": f"same-{at}"})
            return answer[0] == 200
        machines.until(f"batch {at} is taken", is_taken)


def query(source):
    """A random query whose answer the events determine."""
    pick = lambda text: text.format(number=source.choice(NUMBERS), text=source.choice(TEXTS), level=source.choice(LEVELS),
                                    service=source.choice(SERVICES), value=source.randrange(2000), digit=source.randrange(10))
    parts = [f"filter {pick(source.choice(FILTERS))}" for _ in range(source.randrange(3))]
    if source.random() < 0.4:
        order = source.choice(["", "desc"])
        first = f"{source.choice(NUMBERS + TEXTS)} {order}, " if source.random() < 0.7 else ""
        parts += [f"fields serial, @timestamp, @message, {source.choice(NUMBERS)}, {source.choice(TEXTS)}, @log",
                  f"sort {first}serial {order}", f"limit {source.choice([1, 10, 100, 1000])}"]
        return " | ".join(parts)
    values = [f"{pick(source.choice(FUNCTIONS))} as v{at}" for at in range(source.randrange(1, 4))]
    by = source.choice([[], ["service"], ["level", "user.name"], [f"bin({source.choice(['1m', '10m', '1h'])})"], ["user.id"], ["maybe"]])
    parts.append(f"stats {', '.join(values)}" + (f" by {', '.join(f'{name} as k{at}' for at, name in enumerate(by))}" if by else ""))
    if by:
        parts.append(f"sort {', '.join(f'k{at}' for at in range(len(by)))}")
    return " | ".join(parts)


def answer(url, text):
    """The columns and rows of an answer as text, with numbers as they were written; a refusal is an answer, too."""
    question = {"query": text, "groups": ["same/*"], "from": oracle.time_of(oracle.FIRST_SECOND - 1),
                "to": oracle.time_of(oracle.FIRST_SECOND + 1_000_000), "limit": 1000}
    kept = []

    def whole():
        status, _, body = machines.call(url, "POST", "/api/v1/query", json.dumps(question), {"content-type": "application/json"}, 60)
        found = json.loads(body, parse_float=NUMBER, parse_int=NUMBER)
        if status == 503 or found.get("partial"):
            return False
        kept[:] = [json.dumps([found["columns"], *found["rows"]] if status == 200 else [status, found])]
        return True
    machines.until(f"{url} answers whole: {text}", whole)
    return kept[0]


def n_hot(url):
    return json.loads(machines.call(url, "GET", "/api/v1/status")[2])["store"]["hot_events"]


def run(lab, n_queries):
    """Asks one machine and all nodes the same; returns how many answers there were and the problems."""
    directory, address = lab.work / "alone", machines.HUB if lab.has_spaces else "127.0.0.1"
    directory.mkdir()
    url = f"http://{address}:{machines.free_port(address)}"
    alone = machines.start_server(lab.binary, directory, url, {})
    problems, n_rows, n_refused, nodes = [], 0, 0, [node for node in lab.nodes if node.has("query")]
    try:
        machines.until_ready(alone, url, "the single machine")
        send([url], N_EVENTS, lab.seed)
        send([node.url for node in lab.nodes if node.has("ingest")], N_EVENTS, lab.seed)
        source = random.Random(f"{lab.seed}/queries")
        for at in range(n_queries):
            if at == n_queries // 2:
                # The second half is asked of segments; the single machine still has what it was sent.
                machines.until("events are in segments", lambda: all(n_hot(node.url) == 0 for node in nodes))
            text = query(source)
            expected = answer(url, text)
            n_rows += len(json.loads(expected)) - 1
            n_refused += not expected.startswith("[[")
            for node in nodes:
                given = answer(node.url, text)
                if given != expected:
                    problems.append(f"{node.name} answers otherwise than one machine: {text}\n        {given[:300]}\n        {expected[:300]}")
    finally:
        alone.kill()
        alone.wait()
    if n_refused > n_queries // 2:
        problems.append(f"{n_refused} of {n_queries} queries are refused: these are no queries")
    return n_queries * len(nodes), n_rows, n_refused, problems
