"""Lines that a comparison of two Loki servers is made over: streams of many shapes, the same for the same seed.

Every stream has the label `run`, so that a server may hold the data of several runs. Times of different streams never
coincide, except where a stream is meant to lie exactly on full minutes: which line a limit cuts off is then defined.
"""
import json
import random

SECOND = 10**9
MINUTE = 60 * SECOND
MINUTES = 60

LEVELS = ["info", "warn", "error", "debug"]
USERS = ["ann", "bob", "Čeněk", "d o t", ""]
PATHS = ["/", "/api/v1/users", "/api/v1/orders/17", "/health", "/static/app.js", "/search?q=a+b"]


class Data:
    """Streams by label set; each entry is a time, a line and structured metadata."""

    def __init__(self, seed, base_ns, run):
        self.random = random.Random(f"data-{seed}")
        self.base_ns, self.run = base_ns, run
        self.streams = []
        for fill in (web, api, worker, clash, k8s, nums, edge, plain, packed, ansi, odd, texts, rare, counter, again,
                     homeless, spelt, nested, pods, broken, tagged, levels, quoted):
            fill(self)

    def stream(self, entries, **labels):
        """Adds a stream; entries are (seconds after the base, line) or (seconds, line, metadata)."""
        offset = (len(self.streams) + 1) * 1_000_003
        values = []
        for entry in entries:
            seconds, line, metadata = (*entry, {})[:3]
            at = self.base_ns + int(seconds * SECOND) + (0 if labels.get("app") == "edge" else offset)
            values.append((at, line, metadata))
        self.streams.append(({"run": self.run, **labels}, sorted(values, key=lambda value: value[0])))

    def times(self, count, first=0, last=MINUTES * 60):
        """`count` different whole seconds in order, some of them on full minutes."""
        chosen = set(self.random.sample(range(first, last), count))
        chosen.update(range(first // 60 * 60 + 60, last, 600))
        return sorted(chosen)

    def bodies(self, lines_max=200):
        """The pushes, as bodies of Loki's JSON form."""
        for labels, values in self.streams:
            for at in range(0, len(values), lines_max):
                part = [[str(t), line] + ([metadata] if metadata else []) for t, line, metadata in values[at:at + lines_max]]
                yield {"streams": [{"stream": labels, "values": part}]}


def web(data):
    draw = data.random
    for env, job in (("prod", "nginx"), ("staging", "nginx"), ("prod", "envoy")):
        entries = []
        for t in data.times(90):
            ip, path = draw.choice(["10.0.0.7", "10.0.1.200", "192.168.4.11", "::1"]), draw.choice(PATHS)
            status = draw.choice([200, 200, 200, 301, 404, 500, 503])
            entries.append((t, f'{ip} - {draw.choice(["-", "ann", "bob"])} [20/Nov/2026:06:{t // 60 % 60:02}:{t % 60:02} +0000] '
                               f'"{draw.choice(["GET", "POST"])} {path} HTTP/1.1" {status} {draw.randrange(10, 90000)}'))
        data.stream(entries, app="web", env=env, job=job)


def api(data):
    draw = data.random
    for env, level in (("prod", "info"), ("prod", "Error"), ("staging", "WARNING")):
        entries = []
        for t in data.times(70):
            line = {"msg": draw.choice(["request done", "slow request", "cache miss", "db \"down\""]),
                    "level": draw.choice(LEVELS), "status": draw.choice([200, 201, 404, 500]),
                    "took": f"{draw.randrange(1, 4000)}ms", "size": draw.choice(["117kb", "1.5MB", "900B", "12KiB"]),
                    "ratio": round(draw.random(), 3), "big": 9007199254740993, "exp": 1e21, "ok": draw.random() < 0.5,
                    "user": {"name": draw.choice(USERS), "id": draw.randrange(5), "tags": ["x", "y"]},
                    "none": None, "1st": draw.randrange(3), "a-b": "dash", "a.b": "dot", "empty": ""}
            if draw.random() < 0.2:
                del line["level"], line["took"]
            text = json.dumps(line, ensure_ascii=draw.random() < 0.5)
            entries.append((t, text if draw.random() < 0.92 else text[:draw.randrange(5, 60)]))
        data.stream(entries, app="api", env=env, level=level)


def worker(data):
    draw = data.random
    for env in ("prod", "staging"):
        entries = []
        for t in data.times(110):
            parts = [f"lvl={draw.choice(LEVELS)}", f"n={draw.randrange(100)}", f"dur={draw.randrange(1, 900)}ms",
                     f"b={draw.choice(['117kb', '2MB', '1KiB', '10', '3.5GB'])}",
                     draw.choice(['msg="job done"', 'msg=retry', 'msg="say \\"hi\\""', 'msg=""', "msg"])]
            if draw.random() < 0.1:
                parts.append('broken="no end')
            if draw.random() < 0.1:
                parts.insert(0, 'a==b')
            entries.append((t, " ".join(parts), {"trace_id": f"t{draw.randrange(40):03}", "pod": f"w-{draw.randrange(3)}"}
                            if draw.random() < 0.8 else {}))
        data.stream(entries, app="worker", env=env)


def clash(data):
    entries = []
    for t in data.times(24):
        entries.append(data.random.choice([
            (t, '{"app":"inner","env":"dev","level":"error","n":1}'), (t, "app=inner env=dev level=warn n=2"),
            (t, "plain text", {"app": "inner", "host": "h9", "level": "debug"}), (t, "app inner")]))
    data.stream(entries, app="clash", env="prod")


def k8s(data):
    for stream in ("stdout", "stderr"):
        for container in ("main", "sidecar"):
            entries = [(t, f"{data.random.choice(['I', 'E'])}1122 06:00:00.1 main.go:{t}] {data.random.choice(LEVELS)} pod event")
                       for t in data.times(25)]
            data.stream(entries, app="k8s", namespace="shop", stream=stream, container=container, pod=f"{container}-0")


def nums(data):
    draw = data.random
    for host in ("h1", "h2"):
        entries = []
        for t in data.times(150):
            v = draw.choice([f"{draw.random() * 100:.2f}", str(draw.randrange(50)), f"-{draw.randrange(9)}"])
            if draw.random() < 0.04:
                v = "abc"
            entries.append((t, f"v={v} d={draw.randrange(1, 3000)}ms b={draw.randrange(1, 500)}KB code={draw.choice([200, 404, 500])} "
                               f"path={draw.choice(['/a', '/b', '/c'])}"))
        data.stream(entries, app="nums", host=host)


def edge(data):
    data.stream([(60 * m, f"tick {m} n={m}") for m in range(MINUTES + 1)], app="edge")


def plain(data):
    texts = ["ERROR failed to connect to db-1: timeout", "warn: disk 91% full", "user ann logged in from 10.1.2.3",
             "INFO started in 35ms", "Exception in thread main", "debug cache hit ratio 0.93", "order 17 served", "order 18 served"]
    data.stream([(t, data.random.choice(texts)) for t in data.times(120)], app="plain", service="checkout", env="prod")


def packed(data):
    lines = ['{"_entry":"level=error inner line","pod":"p1","deep":{"no":1}}', '{"pod":"p2","x":"no entry"}', "not packed",
             '{"_entry":"second inner","pod":"p2","n":3}']
    data.stream([(t, data.random.choice(lines)) for t in data.times(40)], app="packed")


def ansi(data):
    lines = ["\x1b[31mred\x1b[0m and \x1b[1;32mgreen\x1b[0m", "no colour", "\x1b[33mwarn\x1b[0m level=warn"]
    data.stream([(t, data.random.choice(lines)) for t in data.times(30)], app="ansi")


def odd(data):
    for n in (1, 2):
        data.stream([(t, f"message {t} time=now") for t in data.times(15)], app="odd", group=f"g{n}", message=f"m{n}",
                    timestamp="2020", time="noon", level="notice" if n == 1 else "err", host=f"h{n}")


def texts(data):
    lines = ["žluťoučký kůň 🐎", "", "tab\tand \"quotes\" and \\ back", "`ticks`", "100% sure", "a" * 3000, "line\nbreak", "{{.brace}}",
             "[2026] <html> & co", "x=1 y='two words' z=\"3\""]
    data.stream([(t, data.random.choice(lines)) for t in data.times(40)], app="texts", env="prod")


def rare(data):
    data.stream([(130, "first"), (1900, "second level=error"), (3400, "third")], app="rare", env="staging")


def counter(data):
    for host in ("h1", "h2"):
        value, entries = 0, []
        for t in range(5, MINUTES * 60, 20):
            value = 0 if data.random.random() < 0.02 else value + data.random.randrange(9)
            entries.append((t, f"c={value}"))
        data.stream(entries, app="counter", host=host)


def again(data):
    first = [(t, f"repeated {t}") for t in data.times(20)]
    data.stream(first, app="again")
    labels, values = data.streams[-1]
    data.streams.append((labels, values[5:15] + [(values[15][0] + 7, "one more", {})]))


def homeless(data):
    data.stream([(t, "no known service level=info") for t in data.times(12)], cluster="c1", zone="z-1")
    data.stream([(t, "container line") for t in data.times(12)], container="box", empty_is_dropped="")


def spelt(data):
    for level in ("WARN", "critical", "Fatal", "trace", "strange"):
        data.stream([(t, f"level={data.random.choice(['Info', 'ERR', 'warning'])} spelt") for t in data.times(8)], app="spelt", level=level)


def nested(data):
    entries = []
    for t in data.times(40):
        n = data.random.randrange(4)
        entries.append((t, json.dumps({"request": {"method": "GET", "headers": {"x-id": str(n)}}, "items": [{"sku": f"s{n}"}, {"sku": "s9"}],
                                       "resp": {"code": 200 + n, "dur": f"{n + 0.5}s"}, "flag": n > 1, "f": n / 3}, separators=(",", ":")),
                        {"user_id": str(n), "span.id": f"sp{n}"} if n else {}))
    data.stream(entries, app="nested", region="eu")


def pods(data):
    """Containers of a cluster as agents of Grafana send them."""
    draw = data.random
    for pod, node in (("cart-7d9f-x1", "n1"), ("cart-7d9f-x2", "n2"), ("mail-0", "n1")):
        for stream in ("stdout", "stderr"):
            entries = []
            for t in data.times(20):
                line = {"ts": f"2026-11-22T06:{t // 60 % 60:02}:{t % 60:02}Z", "severity": draw.choice(["INFO", "Warning", "ERR", "dbg", "notice"]),
                        "http": {"method": draw.choice(["GET", "PUT"]), "status_code": draw.choice([200, 404, 503]), "url": draw.choice(PATHS),
                                 "headers": {"User-Agent": "curl/8", "x": ["1", "2"]}},
                        "items": [{"id": draw.randrange(9), "tags": ["a", "b\"c"]}, {"id": 7}], "latency_ms": draw.randrange(900) / 8, "stream": "inner"}
                entries.append((t, json.dumps(line, separators=(",", ":")), {"trace_id": f"{draw.randrange(1 << 32):08x}", "k8s.node.name": node}))
            data.stream(entries, app=pod.split("-")[0], namespace="shop", pod=pod, container="main", stream=stream, filename=f"/var/log/pods/{pod}/{stream}.log")


def broken(data):
    """JSON that is none, or nearly."""
    lines = ['{"a":"tab\there \\"q\\"","b":1}', '{"a":1,"a":2,"b":"\\ud83d\\ude00","b":"x"}', '{"a":"\\x","b":3}', '{"a":{"b":1,"c":{"d":', '{"a":1 "b":2}', '{"a":01,"b":1.}',
             '[{"a":1},{"a":2}]', '{"a":tru,"b":2}', '"text"', '{"a":"1"} {"b":2}', '{"":1," b ":2,"a":{"":3," ":{"x":4}}}', "{", "{}", '{"a":', '{"a":"cut', '{"a":[1,2', ' {"a":" 5 "}',
             '{"a":null,"b":[],"c":{}}', '{"app":"x","run":"y","app_extracted":"z"}', '{"ž":"é","a b":"c","a-b":"d","1":2}', "a=b {\"a\":1}", '{"a":-0.5e3,"b":"1e3","c":"0x10"}']
    data.stream([(t, data.random.choice(lines)) for t in data.times(90)], app="broken", env="prod")


def tagged(data):
    """Structured metadata of all kinds, names and values that clash among them."""
    draw = data.random
    entries = []
    for t in data.times(60):
        metadata = draw.choice([{"trace_id": "t1", "empty": ""}, {"env": "inner", "n": "5"}, {"a.b": "dot", "a-b": "dash"}, {"detected_level": draw.choice(["WARN", "odd"])},
                                {"level": "Error"}, {"severity_number": str(draw.randrange(26))}, {"9th": "x", "žx": "é"}, {"n": "12", "took": "1.5s", "addr": "10.1.2.3:80"}, {}])
        entries.append((t, draw.choice(["n=7 trace_id=line took=3ms", '{"n":8,"trace_id":"line","env":"line"}', "plain words", "ip 10.0.0.9 level=info"]), metadata))
    data.stream(entries, app="tagged", env="prod")


def levels(data):
    """Levels in odd spellings and places."""
    lines = ["[ERROR] a", "WARN: b", "level=Warning c", "<3>err d", "severity=NOTICE e", "2026-11-22 06:00:00,123 - mod - CRITICAL - f", "E1122 g", '{"log":{"level":"WRN"}}', '{"level":30,"msg":"info"}',
             '{"LEVEL":"Fatal"}', '{"a":{"b":{"level":"debug"}}}', "lvl=dbg msg=\"error inside\"", "no level, an (error) there", "trace_id=5 x", "information", "ERRORS", 'msg="level=warn" x', "error=nil ok",
             "level=\"ERR\" x=1", "Level=INF", 'x "y level=error', "info|warn", "panic: x", "level: error", "{'level': 'warn'}", '{"msg":"x","level":"strange error"}']
    data.stream([(t, data.random.choice(lines)) for t in data.times(100)], app="levels")


def quoted(data):
    """Pairs with quotes, escapes, bytes, durations and addresses; some lines are very long."""
    draw = data.random
    lines = ['a="x y" b="q\\"q" c=\'single\' d="tab\\tq"', 'a= b="" c="\\u00e9" =x d', 'a="no end', "k.e-y=1 ž=2 9a=3 a:b=4 a=5 a=6", 'a="bad \\q escape" b=2', "a==1 b=2", 'x"y=1 z=2', "a=1,b=2; c=3",
             "took=1m30s size=1.5KiB addr=10.0.0.7:443", "took=90 size=12parsecs addr=::1", "took=-5ms size=1,024 addr=192.168.4.300", 'took="" size="" addr=""', "a=" + "long " * 4000, 'a="b\nc"\nd=e']
    data.stream([(t, draw.choice(lines)) for t in data.times(90)], app="quoted", env="staging")
