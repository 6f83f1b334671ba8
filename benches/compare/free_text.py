"""Texts that fall into no templates: a million access lines, stored as they are, against `rg` over the raw file."""
import datetime
import json
import random
import subprocess

import measure
from catat import Catat

N_LINES = 1_000_000
LINES_PER_BODY = 20_000
RG_RATIO_MAX = 2.0

PLACES = ["cart", "search", "static", "login", "items", "orders", "images", "feed", "help", "admin"]
AGENTS = ["Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/{}.0", "curl/8.{}.1", "probe/{}.2 (+health)",
          "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_{}) AppleWebKit/605.1.15 Safari/605.1.15"]

# What is asked for: a name, the filter, and the same for rg.
COUNTS = [
    ("a rare word", r"@message like /\bsesame\b/", ["-w", "sesame"]),
    ("a frequent word", r"@message like /\bFirefox\b/", ["-w", "Firefox"]),
    ("a rare substring", '@message like "esam"', ["esam"]),
    ("a substring across words", '@message like "1\\" 404"', ['1" 404']),
] + [
    # Pieces that mix digits and separators, most of which begin in one variable of a line and end in another.
    (f"the piece {piece}", f"@message like '{piece}'", ["-F", "-e", piece])
    for piece in ["10.3.", "3.17 - - [", "- - [", "03/Nov", "19/Nov/2026:07:1", 'HTTP/1.1" 50', '" 304 7', '/cart" "Mo', "Firefox/99"]
]


def lines(seed):
    """Yields access lines in the combined form; every two of them differ in most of their words."""
    chance = random.Random(seed)
    began = datetime.datetime(2026, 11, 19, tzinfo=datetime.timezone.utc)
    for number in range(N_LINES):
        at = began + datetime.timedelta(milliseconds=number * 80)
        address = ".".join(str(chance.randrange(1, 255)) for _ in range(4))
        path = "/".join(chance.choices(PLACES, k=chance.randrange(1, 5))) + f"/{chance.getrandbits(28):x}"
        query = f"?q={chance.getrandbits(40):x}&page={chance.randrange(90)}" if chance.random() < 0.4 else ""
        path += "/sesame" if chance.random() < 0.0005 else query
        status = chance.choices([200, 304, 404, 500, 302], [80, 8, 7, 2, 3])[0]
        agent = chance.choice(AGENTS).format(chance.randrange(20, 140))
        yield at, (f'{address} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /{path} HTTP/1.1" {status} {chance.randrange(90, 90_000)} '
                   f'"https://shop.example/{chance.choice(PLACES)}" "{agent}"')


def bodies(seed, file):
    """Yields NDJSON bodies in which the lines are messages and nothing else, and writes the raw lines to a file."""
    body = []
    for at, line in lines(seed):
        file.write(line + "\n")
        body.append(json.dumps({"timestamp": at.isoformat(), "message": line}))
        if len(body) == LINES_PER_BODY:
            yield "\n".join(body).encode()
            body.clear()


def rg_count(path, arguments):
    """How many lines `rg` counts."""
    found = subprocess.run(["rg", "-c", "--no-config", *arguments, path], check=False, capture_output=True)
    return int(found.stdout or b"0")


def free_text(options, work, judge):
    """Counts of lines with a word or a substring, each at most twice what `rg` takes for the raw file."""
    server, raw = Catat(options.binary, work, with_cache=False), f"{work}/access.log"
    try:
        with open(raw, "w", encoding="utf-8") as file:
            server.send_all(bodies(options.seed, file), "/api/v1/ingest?group=access&format=ndjson")
        server.settle()
        print(f"{measure.bytes_below(server.data_dir / 'segments') / 1e6:.1f} MB of segments")
        for name, condition, arguments in COUNTS:
            request = {"query": f"filter {condition} | stats count(*) as n", "from": "2026-11-19T00:00:00Z", "to": "2026-11-20T00:00:00Z"}
            ours, answer = measure.median_of(lambda request=request: measure.timed(lambda: server.post_query(request)))
            theirs, n_lines = measure.median_of(lambda arguments=arguments: measure.timed(lambda: rg_count(raw, arguments)))
            if answer["rows"] != [[n_lines]]:
                judge.missed.append(f"{name}: {answer['rows']} counted, rg {n_lines}")
            print(f"{name}: {n_lines:,} lines, {ours:.1f} ms, rg {theirs:.1f} ms")
            judge.at_most(f"{name} to rg", ours / theirs, RG_RATIO_MAX)
    finally:
        server.stop()
