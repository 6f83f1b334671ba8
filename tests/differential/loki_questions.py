"""Questions to the Loki API, made at random from a seed: as many as are asked for, the same for the same seed.

A question fits the data of `loki_data.py`: parsers meet lines of their form (and, now and then, of another), labels and
fields that are named exist in most cases.
"""
import dataclasses
import random
import time

from loki_data import MINUTE, MINUTES, SECOND
from loki_metrics import Metrics

JSON_FIELDS = ["status", "msg", "level", "took", "ratio", "size", "user_name", "user_id", "ok", "_1st", "a_b", "level_extracted"]
LOGFMT_FIELDS = ["lvl", "n", "dur", "b", "msg"]
ACCESS = '`^(?P<ip>\\S+) - (?P<user>\\S+) \\[.*?\\] "(?P<method>\\S+) (?P<path>\\S+) .*" (?P<status>\\d+) (?P<size>\\d+)$`'


@dataclasses.dataclass
class Question:
    kind: str
    path: str
    parameters: dict
    headers: dict = dataclasses.field(default_factory=dict)
    method: str = "GET"
    features: tuple = ()
    # Whether the question is about all of the data.
    is_whole: bool = False


@dataclasses.dataclass
class Form:
    """Streams of one form: their selector's matchers, the parsers that fit, fields by kind."""
    app: str
    labels: list
    parsers: list
    texts: dict
    numbers: dict
    durations: list
    sizes: list
    words: list


FORMS = [
    Form("web", [("env", ["prod", "staging"]), ("job", ["nginx", "envoy"])],
         [f"regexp {ACCESS}", '`<ip> - <user> [<_>] "<method> <path> <_>" <status> <size>`', '`<ip> - <_> "<method> <_>" <_>`'],
         {"method": ["GET", "POST"], "path": ["/", "/health", "/api.*"], "user": ["ann", "-"]},
         {"status": [200, 404, 500], "size": [100, 50000]}, [], [], ["GET", "POST", "500", "/api/v1", "10.0.0.7", "HTTP/1.1"]),
    Form("api", [("env", ["prod", "staging"]), ("level", ["info", "Error", "WARNING"])],
         ["json", "json", 'json status, first="user.name"', 'json t="user.tags[0]", s="size"', 'json user="user"'],
         {"msg": ["request done", "cache.*"], "user_name": ["ann", "bob", ""], "level_extracted": ["error", "info"], "ok": ["true"]},
         {"status": [200, 404, 500], "ratio": [0.5, 0.1], "user_id": [2], "_1st": [1]}, ["took"], ["size"],
         ["slow", "cache", "error", '"status":500', "ann", "Čeněk"]),
    Form("worker", [("env", ["prod", "staging"])],
         ["logfmt", "logfmt", "logfmt --strict", "logfmt --keep-empty", 'logfmt lvl, number="n"', "logfmt n, b"],
         {"lvl": ["info", "error|warn"], "msg": ["job done", "retry"], "trace_id": ["t00.*", "t012"], "pod": ["w-1"]},
         {"n": [10, 50], "number": [50]}, ["dur"], ["b"], ["lvl=error", "job", "retry", "dur", "broken"]),
    Form("clash", [("env", ["prod"])], ["json", "logfmt"], {"app": ["clash", "inner"], "app_extracted": ["inner"], "level": ["error"], "env": ["prod"]},
         {"n": [1]}, [], [], ["inner", "level"]),
    Form("k8s", [("stream", ["stdout", "stderr"]), ("container", ["main", "sidecar"]), ("namespace", ["shop"])],
         ["pattern `<sev>1122 <_> <file>:<line>] <rest>`", "regexp `(?P<stream>std\\w+)?(?P<word>pod|info)`"],
         {"stream": ["stdout"], "sev": ["I"], "stream_extracted": [""], "container": ["main"]}, {"line": [1800]}, [], [], ["pod", "error", "main.go"]),
    Form("nums", [("host", ["h1", "h2"])], ["logfmt", "logfmt", "logfmt v, code", "pattern `v=<v> d=<d> b=<b> code=<code> path=<path>`"],
         {"path": ["/a", "/b"], "host": ["h1"]}, {"v": [10, 50], "code": [200, 404]}, ["d"], ["b"], ["code=200", "/a", "v=abc"]),
    Form("edge", [], ["logfmt", "pattern `tick <t> <_>`"], {}, {"n": [10, 30], "t": [5]}, [], [], ["tick", "tick 1"]),
    Form("plain", [("env", ["prod"]), ("service", ["checkout"])], ["regexp `(?P<level>ERROR|INFO)`", "pattern `order <order> served`", "logfmt"],
         {"detected_level": ["error", "warn", "info", "unknown"], "level": ["ERROR"], "order": ["17"]}, {"order": [17]}, [], [], ["ERROR", "order", "user"]),
    Form("packed", [], ["unpack", "json", "unpack | logfmt"], {"pod": ["p1", "p2"], "level": ["error"], "x": ["no entry"]}, {"n": [1]}, [], [], ["inner", "packed"]),
    Form("ansi", [], ["decolorize", "decolorize | logfmt"], {"level": ["warn"]}, {}, [], [], ["red", "green", "warn"]),
    Form("odd", [("group", ["g1", "g2"]), ("message", ["m1", "m2"]), ("timestamp", ["2020"]), ("time", ["noon"]), ("level", ["notice", "err"]),
                 ("host", ["h1"])], ["logfmt", "pattern `message <t> <_>`"],
         {"group": ["g1"], "message": ["m1"], "time": ["noon"], "time_extracted": ["now"], "level": ["err"]}, {"t": [500]}, [], [], ["message", "now"]),
    Form("texts", [("env", ["prod"])], ["logfmt", "pattern `<a> <b>`"], {"x": ["1"], "a": ["100%"]}, {"x": [1]}, [], [], ["kůň", "🐎", "\\\"quotes\\\"", "\\t", "sure", "brace"]),
    Form("rare", [("env", ["staging"])], ["logfmt"], {"level": ["error"]}, {}, [], [], ["second", "nothing"]),
    Form("counter", [("host", ["h1", "h2"])], ["logfmt"], {"host": ["h1"]}, {"c": [10]}, [], [], ["c=1"]),
    Form("again", [], ["pattern `repeated <n>`"], {}, {"n": [1800]}, [], [], ["repeated", "more"]),
    Form("spelt", [("level", ["WARN", "critical", "Fatal", "trace", "strange"])], ["logfmt"],
         {"level": ["WARN", "warn", "critical|Fatal"], "level_extracted": ["Info", "warning"], "detected_level": ["warn", "critical", "fatal", "trace"]},
         {}, [], [], ["Info", "spelt"]),
    Form("nested", [("region", ["eu"])], ["json", 'json code="resp.code", sku="items[1].sku"', 'json h="request.headers[\\"x-id\\"]"'],
         {"request_method": ["GET"], "user_id": ["1", "2"], "sku": ["s9"], "request_headers_x_id": ["1"], "span_id": ["sp1"]},
         {"resp_code": [201], "code": [202], "f": [0.5]}, ["resp_dur"], [], ["GET", "s9", '"flag":true']),
]

FORMS += [
    Form("cart", [("namespace", ["shop"]), ("pod", ["cart-7d9f-x1", "cart-7d9f-x2"]), ("stream", ["stdout", "stderr"]), ("container", ["main"])],
         ["json", "json", 'json code="http.status_code", ua="http.headers[\\"User-Agent\\"]", tag="items[0].tags[1]"', 'json items, second="items[1]", h="http.headers"', "json | logfmt"],
         {"severity": ["INFO", "ERR|Warning"], "http_method": ["GET"], "stream": ["stdout"], "stream_extracted": ["inner"], "http_url": ["/health"], "k8s_node_name": ["n1"], "detected_level": ["info", "warn|error"],
          "http_headers_User_Agent": ["curl.*"]}, {"http_status_code": [200, 404], "latency_ms": [10, 50.5], "code": [404]}, [], [], ["ERR", "GET", '"status_code":503', "inner", "cart"]),
    Form("mail", [("namespace", ["shop"]), ("pod", ["mail-0"]), ("stream", ["stderr"])], ["json", 'json severity, m="http.method"'],
         {"severity": ["notice"], "http_method": ["PUT"], "trace_id": ["0.*"]}, {"latency_ms": [100]}, [], [], ["PUT", "notice", "items"]),
    Form("broken", [("env", ["prod"])], ["json", "json", 'json a, b', 'json d="a.c.d", e="[0].a"', 'json x="a[1]", y="b"', "unpack", "logfmt | json", "json | logfmt"],
         {"a": ["1", "cut", "5| 5 "], "b": ["x"], "app_extracted": ["x"], "a_b": ["d", "c"], "_1": ["2"]}, {"a": [0, 1], "b": [2]}, [], [], ["cut", '"a":1', "{", "null", "a"]),
    Form("tagged", [("env", ["prod"])], ["logfmt", "json", "logfmt | json", "logfmt n", 'logfmt env="n"', 'json env="n", n'],
         {"trace_id": ["t1", "line"], "env": ["prod"], "env_extracted": ["inner", "line"], "a_b": ["dash", "dot"], "detected_level": ["warn", "odd", "error"], "level": ["Error", "info"], "_x": ["é"], "key_9th": ["x"],
          "n_extracted": ["7", "8"], "empty": [""]}, {"n": [5, 7], "severity_number": [12]}, ["took"], [], ["line", "plain", "ip"]),
    Form("levels", [], ["logfmt", "json", "pattern `<a> <b>`"], {"detected_level": ["error", "warn", "info", "debug", "critical|fatal", "unknown"], "level": ["error", "30"], "b": ["a"]}, {"level": [10]}, [], [], ["err", "level", "ERROR", "info", "msg"]),
    Form("quoted", [("env", ["staging"])], ["logfmt", "logfmt", "logfmt --strict", "logfmt --keep-empty", "logfmt --strict --keep-empty", 'logfmt a, x="b"', 'logfmt a="b", b="a"', "logfmt --strict a"],
         {"a": ["x y", "5|6", ""], "b": ["2"], "k_e_y": ["1"], "c": ["é"]}, {"a": [1, 5], "b": [1]}, ["took"], ["size"], ["a=", "long", "took", '"', "no end"]),
]

TEMPLATES = [
    "{{.A}}", "{{ .A }} - {{.B}}", "{{__line__}}", "{{__timestamp__ | unixEpoch}}", "{{.A | ToUpper}}", "{{.A | upper | lower | title}}", "{{.nosuch}}x",
    "{{if .A}}yes{{else}}no{{end}}", '{{if eq .A "info"}}I{{else if ne .B ""}}B{{else}}-{{end}}', '{{with .A}}<{{.}}>{{end}}', "{{ len .A }}",
    '{{printf "%-10s|%5s" .A .B}}', '{{printf "%q %d %05.2f" .A 42 3.14159}}', '{{range $i, $e := (fromJson "[1,2]")}}{{$i}}:{{$e}} {{end}}',
    '{{ .A | replace "o" "0" }}', '{{ substr 0 3 .A }}', '{{ trunc 3 .A }}{{ trunc -3 .B }}', '{{ .A | trimPrefix "i" | trimSuffix "o" }}', '{{ trim "  x " }}',
    '{{ regexReplaceAll "[aeiou]" .A "<$0>" }}', '{{ regexReplaceAllLiteral "(a)" .A "$1" }}', '{{ .A | contains "r" }}{{ hasPrefix "e" .A }}{{ hasSuffix "o" .A }}',
    '{{ add 1 2 3 }}{{ sub 5 2 }}{{ mul 2 3 }}{{ div 7 2 }}{{ mod 7 4 }}', '{{ addf 1.5 2 }} {{ subf 5 2.5 }} {{ mulf 2 3.5 }} {{ divf 7 2 }}', '{{ max 1 2 3 }}{{ min 1 2 }}{{ maxf 1 2.5 }}{{ minf 1 2.5 }}',
    '{{ ceil 1.2 }} {{ floor 1.8 }} {{ round 1.2345 2 }}', '{{ int "3" }} {{ int "3.7" }} {{ float64 "1.5" }}', '{{ .A | default "-" }}', '{{ count "o" .A }}',
    '{{ .A | b64enc }} {{ "aGk=" | b64dec }}', '{{ .A | urlencode }} {{ "a%20b" | urldecode }}', '{{ alignLeft 8 .A }}|{{ alignRight 8 .B }}|', '{{ indent 2 .A }}', '{{ repeat 2 .A }}',
    '{{ bytes "1 MB" }} {{ duration "1m30s" }} {{ duration_seconds "90s" }}', '{{ date "2006-01-02" (unixToTime "1700000000") }}', '{{ toDate "2006" "2021" | unixEpoch }}',
    '{{ eq 1 1 }} {{ lt 1 2 }} {{ and true .A }} {{ or "" .B }} {{ not .nosuch }}', '{{ index (fromJson "{\\"a\\":\\"b\\"}") "a" }}', '{{/* comment */}}{{- .A -}} x', '{{ print .A 1 2 "x" }}',
    '{{ $x := .A }}{{ $x }}{{ $x = "n" }}{{ $x }}', "{{ .A | html }} {{ js .B }} {{ urlquery .A }}", "{{ slice .A 0 2 }}", "{{ sha256sum .A }}",
]


class Maker(Metrics):
    """Makes questions at random."""

    forms = FORMS

    def __init__(self, seed, base_ns, run):
        self.random = random.Random(f"questions-{seed}")
        self.base_ns, self.run = base_ns, run

    def chance(self, share):
        return self.random.random() < share

    def pick(self, of):
        return self.random.choice(of)

    # Selectors, stages.

    def selector(self, form):
        matchers = [f'run="{self.run}"', self.pick([f'app="{form.app}"'] * 6 + [f'app=~"{form.app}|none"', f'service_name="{"checkout" if form.app == "plain" else form.app}"'])]
        for name, values in form.labels:
            if self.chance(0.3):
                value = self.pick(values)
                matchers.append(self.pick([f'{name}="{value}"'] * 3 + [f'{name}=~"{value}.*"', f'{name}!="{value}"', f'{name}!~"{value}|x"', f'{name}=~"(?i){value}"']))
        if self.chance(0.05):
            matchers.append(self.pick(['nosuch=""', 'nosuch!="x"', 'env=~".*"']))
        self.random.shuffle(matchers)
        return "{" + self.pick([",", ", "]).join(matchers) + "}"

    def line_filter(self, form):
        word, other = self.pick(form.words), self.pick(form.words)
        if '"' in word + other and "\\" not in word + other:
            return self.pick([f"|= `{word}`", f"!= `{word}`", f"|~ `{word}.?`", f"|= `{word}` or `{other}`", f"|> `<_>{word}<_>`", f"!> `<_> {word}<_>`"])
        return self.pick([f'|= "{word}"'] * 4 + [f'!= "{word}"', f'!= "{word}"', f'|~ "{word}.?"', f'!~ "(?i){word}"', f'|~ "(?i){word}"', f'|= "{word}" or "{other}"',
                          f'|= `{other}`' if "\\" not in other else f'|= "{other}"', f'|> "<_>{word}<_>"', f'!> "<_> {word}<_>"', '|= ""', f'|= ip("10.0.0.0/8")'])

    def parser(self, form):
        parser = self.pick(form.parsers)
        if self.chance(0.04):
            parser = self.pick(["json", "logfmt", "unpack", "pattern `<a> <b>`"])
        return f"| pattern {parser}" if parser.startswith("`") else f"| {parser}"

    def label_filter(self, form):
        choices = [f'nosuch="x"', '__error__=""', '__error__!=""', 'nosuch!="x"', 'detected_level="info"', 'detected_level=~"error|warn"']
        for name, values in form.texts.items():
            value = self.pick(values)
            choices += [f'{name}="{value}"', f'{name}!="{value}"', f'{name}=~"{value}"', f'{name}!~"{value}"'] * 2
        for name, values in form.numbers.items():
            value = self.pick(values)
            choices += [f"{name}{self.pick(['>', '>=', '<', '<=', '==', '=', '!='])}{value}", f"{name} > {value}"] * 2
        for name in form.durations:
            choices += [f"{name} > 500ms", f"{name} <= 1.5s", f"{name} >= 0.2s", f"{name} < 1m"] * 2
        for name in form.sizes:
            choices += [f"{name} > 1KB", f"{name} <= 200KiB", f"{name} > 1.5MB"] * 2
        first = self.pick(choices)
        if self.chance(0.2):
            join = self.pick([" and ", " or ", ", ", " "])
            first = f"{first}{join}{self.pick(choices)}"
        return f"| {first}"

    def a_field(self, form):
        names = [*form.texts, *form.numbers, *form.durations, *form.sizes] + ["app", "nosuch"]
        return self.pick(names)

    def ip_filter(self, form):
        name = self.pick(["addr", "ip", "a", "user", "nosuch"])
        address = self.pick(["10.0.0.0/8", "10.0.0.7", "192.168.4.0-192.168.4.255", "::1", "10.1.2.3"])
        return f'| {name} {self.pick(["=", "!="])} ip("{address}")'

    def long_pipeline(self, form):
        """Many stages in any order, as people try things out."""
        makers = [self.line_filter] * 3 + [self.parser] * 3 + [self.label_filter] * 3 + [self.format] * 3 + [self.ip_filter, lambda _: "| decolorize", lambda _: "| unpack",
                  lambda _: self.pick(["| drop __error__", "| __error__=`` ", "| __error_details__=``", "| line_format `{{.__error__}}`", "| line_format `e {{.__error__}} {{.__error_details__}}`", "| keep level, app, detected_level"])]
        return " ".join(self.pick(makers)(form) for _ in range(self.pick([2, 3, 4, 5])))

    def format(self, form):
        a, b = self.a_field(form), self.a_field(form)
        template = self.pick(TEMPLATES[:8] if self.chance(0.5) else TEMPLATES).replace(".A", f".{a}").replace(".B", f".{b}")
        return self.pick([f"| line_format `{template}`"] * 3 + [f"| label_format new=`{template}`", f"| label_format {b}={a}" if a != b else "| label_format x=app",
                                                              f"| label_format new={a}", f"| drop {a}", f"| keep {a}, {b}", f'| drop {a}="x"', f"| keep {a}", "| drop __error__, __error_details__"])

    def pipeline(self, form, can_format=True):
        stages = []
        for _ in range(self.pick([0, 0, 1, 1, 2])):
            stages.append(self.line_filter(form))
        if self.chance(0.65):
            stages.append(self.parser(form))
            for _ in range(self.pick([0, 0, 1, 1, 2])):
                stages.append(self.label_filter(form))
        elif self.chance(0.2):
            stages.append(self.label_filter(form))
        if can_format and self.chance(0.35):
            stages.append(self.format(form))
            if self.chance(0.15):
                stages.append(self.pick([self.line_filter, self.label_filter])(form))
        return " ".join(stages)

    def log_query(self):
        form = self.pick(FORMS)
        pipeline = self.long_pipeline(form) if self.chance(0.3) else self.pipeline(form)
        return " ".join(f"{self.selector(form)} {pipeline}".split())

    # Times and parameters.

    def spell(self, at_ns):
        if at_ns % SECOND == 0 and self.chance(0.3):
            return self.pick([str(at_ns // SECOND), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ns // SECOND)), f"{at_ns / SECOND:.3f}"])
        return str(at_ns)

    def times(self):
        """A start and an end, on full minutes or not."""
        first = self.random.randrange(-10, MINUTES - 5)
        width = self.pick([5, 10, 30, 60])
        start, end = self.base_ns + first * MINUTE, self.base_ns + min(first + width, MINUTES + 5) * MINUTE
        if self.chance(0.5):
            start += self.random.randrange(60 * SECOND) if self.chance(0.3) else self.random.randrange(60) * SECOND
            end += self.random.randrange(60) * SECOND
        return start, end

    def categories(self):
        return {"X-Loki-Response-Encoding-Flags": "categorize-labels"} if self.chance(0.4) else {}

    def logs(self):
        start, end = self.times()
        parameters = {"query": self.log_query(), "start": self.spell(start), "end": self.spell(end), "limit": str(self.pick([5, 30, 100, 1000, 5000]))}
        if self.chance(0.1):
            del parameters["limit"]
        if self.chance(0.6):
            parameters["direction"] = self.pick(["forward", "backward", "FORWARD"])
        if self.chance(0.04):
            # With a smaller limit the answer depends on where Loki's lines are: those that are not yet in chunks are cut off
            # before the interval is looked at.
            parameters["interval"], parameters["limit"] = self.pick(["5m", "30s"]), "5000"
        return self.question("logs", "/loki/api/v1/query_range", parameters, self.categories())

    def metric_range(self):
        start, end = self.times()
        parameters = {"query": self.metric_query(), "start": self.spell(start), "end": self.spell(end)}
        if self.chance(0.93):
            parameters["step"] = self.pick(["15", "15", "60", "60", "30s", "14", "7", "300", "1m", "5m", "20", "12.5", "90", "2m", "1h", "3600", "1", "0.5", "250ms"])
        return self.question("metric range", "/loki/api/v1/query_range", parameters)

    def metric_instant(self):
        _, end = self.times()
        return self.question("metric instant", "/loki/api/v1/query", {"query": self.metric_query(), "time": self.spell(end)})

    def route(self):
        form = self.pick(FORMS)
        selector = self.selector(form)
        start, end = self.times()
        is_whole = self.chance(0.7)
        if is_whole:
            start, end = min(start, self.base_ns), max(end, self.base_ns + (MINUTES + 1) * MINUTE)
        both = {"start": self.spell(start), "end": self.spell(end)}
        field = self.pick(["status", "lvl", "n", "took", "user_name", "request_method", "trace_id", "detected_level", "nosuch", "size", "app"])
        label = self.pick(["app", "env", "level", "stream", "group", "service_name", "detected_level", "nosuch", "message", "status"])
        target = {"targetLabels": self.pick(["app", "env", "app,env", "service_name", "nosuch"])} if self.chance(0.6) else {}
        by = {"aggregateBy": self.pick(["labels", "series"])} if self.chance(0.5) else {}
        step = {"step": self.pick(["60", "5m", "15", "600"])}
        query = f"{selector} {self.pipeline(form, False)}".strip() if self.chance(0.4) else selector
        choices = [
            ("labels", "/loki/api/v1/labels", {"query": selector, **both}, 2), ("values", f"/loki/api/v1/label/{label}/values", {"query": selector, **both}, 3),
            ("series", "/loki/api/v1/series", {"match[]": selector, **both}, 3),
            ("volume", "/loki/api/v1/index/volume", {"query": selector, **both, **target, **by}, 2),
            ("volume_range", "/loki/api/v1/index/volume_range", {"query": selector, **both, **step, **target, **by}, 2),
            ("stats", "/loki/api/v1/index/stats", {"query": selector, **both}, 1),
            ("detected_fields", "/loki/api/v1/detected_fields", {"query": query, **both, **({"line_limit": self.pick(["10", "1000"])} if self.chance(0.5) else {})}, 3),
            ("field_values", f"/loki/api/v1/detected_field/{field}/values", {"query": query, **both}, 2),
            ("detected_labels", "/loki/api/v1/detected_labels", {"query": selector, **both}, 2),
            ("format_query", "/loki/api/v1/format_query", {"query": self.pick([self.log_query, self.metric_query])()}, 2),
        ]
        kind, path, parameters, _ = self.random.choices(choices, [weight for *_, weight in choices])[0]
        question = self.question(kind, path, parameters)
        question.method = "POST" if self.chance(0.2) else "GET"
        question.is_whole = is_whole
        return question

    def refusable(self):
        """A query that Loki refuses, or nearly."""
        selector = self.selector(self.pick(FORMS))
        text = self.pick([
            "{}", '{app=~".*"}', '{app!="web"}', f"{selector[:-1]},}}", f"rate({selector}[0s])", f"rate({selector}[0.5h])", f"count_over_time({selector} | logfmt | unwrap n [5m])",
            f"rate({selector}[5m]) by (app)", f"sum_over_time({selector} | logfmt | unwrap n [5m]) by (app)", f"topk(1.5, rate({selector}[5m]))", f"{selector} | logfmt | unwrap n",
            f"{selector} | label_format a=b,a=c", "vector(-1.5)", "count(1)", f"{selector} | logfmt | n < 1e-1", f"{selector} // comment", f"+5 * rate({selector}[1m])", f"{selector} |= ",
            f"sum(rate({selector}[5m])", f"{selector} | json | ", f"nosuch({selector}[5m])", f"{selector} | line_format `{{{{.x`", f"{selector} | regexp `(`", f"{selector} | regexp `x`",
            f"{selector} | pattern `<_>`", f"{selector} | pattern `x`", f"quantile_over_time({selector} | logfmt | unwrap n [5m])", f"quantile_over_time(1.5, {selector} | logfmt | unwrap n | __error__=`` [5m])",
            f"sum by (app) ({selector})", f"{selector} |~ `[`", f"{selector}[5m]", f"rate({selector})", f"avg_over_time({selector}[5m])", f"{selector} | logfmt --bogus", f"{selector} | label_format app",
            f"{selector} | __error__", "", "sum(", f"{selector} | decolorize | unpack | json", f"stddev({selector}[1m])", f"rate({selector}[5m] offset)", f"{selector} | drop", "1 + ", "label_replace(vector(1), `a`, `b`)",
        ])
        start, end = self.times()
        both = {"start": str(start), "end": str(end)}
        if self.chance(0.1):
            both = self.pick([{"start": str(end), "end": str(start)}, {**both, "limit": "0"}, {**both, "limit": "x"}, {**both, "step": "0"}, {**both, "step": "-1"}, {"start": "yesterday"},
                              {**both, "direction": "sideways"}, {**both, "limit": "999999"}])
            text = self.log_query() if "direction" in both or "limit" in both else self.metric_query()
        if self.chance(0.15):
            return self.question("refusable", "/loki/api/v1/query", {"query": self.log_query(), "time": str(end)})
        return self.question("refusable", "/loki/api/v1/query_range", {"query": text, **both})

    def question(self, kind, path, parameters, headers=None):
        text = parameters.get("query", "")
        words = ["json", "logfmt", "regexp", "pattern", "unpack", "decolorize", "line_format", "label_format", "drop", "keep", "unwrap", "offset", "without", "topk", "|>", "!>",
                 "detected_level", "__error__", "service_name", "quantile", "{{"]
        return Question(kind, path, parameters, headers or {}, features=tuple(word for word in words if word in text))

    def all(self, count):
        """`count` questions of all kinds."""
        makers = [self.logs] * 38 + [self.metric_range] * 30 + [self.metric_instant] * 14 + [self.route] * 13 + [self.refusable] * 5
        return [self.pick(makers)() for _ in range(count)]
