"""The query set, in the language of every engine, and how answers are made comparable.

Names of fields, words and needles are those of the corpus, which are others in every run. A question is put to catat in
several spellings that mean the same: other names of one field, other operators, another aggregate, a condition too many.

Each query has an answer of one of five kinds, so that engines that write times, keys and numbers differently can be
held against each other: `times` (the events found, by their time in milliseconds), `groups` (key and count), `counts`
(counts alone, where equal counts may carry other keys), `near` (numbers by key, within 3 %), `count` (one number).
"""
import dataclasses
import datetime
import re

DAY = "2026-11-19"
RANGE = {"from": f"{DAY}T00:00:00Z", "to": "2026-11-20T00:00:00Z"}
LAST_HOUR = {"from": f"{DAY}T23:00:00Z", "to": "2026-11-20T00:00:00Z"}
TOLERANCE = 0.03


@dataclasses.dataclass(frozen=True)
class Query:
    """One question in every language."""

    name: str
    kind: str
    spellings: tuple
    clickhouse: str
    duckdb: str
    logsql: str
    logql: str
    elastic: dict
    range: dict = dataclasses.field(default_factory=lambda: RANGE)
    rg: str | None = None

    @property
    def insights(self):
        """What people write, the first of the spellings."""
        return self.spellings[0]


def milliseconds(cell):
    """A time as milliseconds since the epoch, however it was written."""
    if isinstance(cell, datetime.datetime):
        return int(cell.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
    if isinstance(cell, (int, float)):
        return int(cell)
    whole, _, decimals = str(cell).rstrip("Z").replace("T", " ").partition(".")
    seconds = datetime.datetime.strptime(whole, "%Y-%m-%d %H:%M:%S").replace(tzinfo=datetime.timezone.utc).timestamp()
    return int(seconds) * 1000 + int(f"{decimals[:3]:0<3}")


def plain(kind, rows):
    """Rows in a form that is equal for equal answers."""
    if kind == "times":
        return sorted(milliseconds(row[0]) for row in rows)
    if kind == "count":
        return [int(float(row[-1])) for row in rows] or [0]
    if kind == "counts":
        return sorted(int(float(row[-1])) for row in rows)
    if kind == "groups":
        return sorted((*("" if cell is None else str(cell) for cell in row[:-1]), int(float(row[-1]))) for row in rows)
    return numbers_by_key(rows)


def numbers_by_key(rows):
    """Rows as texts → numbers; groups in which no event has the field are left out."""
    table = {}
    for row in rows:
        numbers = [float(cell) for cell in row if isinstance(cell, (int, float)) and not isinstance(cell, bool)]
        if numbers and all(number == number for number in numbers):
            table[tuple(cell for cell in row if isinstance(cell, str))] = numbers
    return table


def agree(kind, ours, theirs):
    """Whether two answers of a kind, both `plain`, say the same."""
    if kind != "near":
        return ours == theirs
    if ours.keys() != theirs.keys():
        return False
    close = lambda a, b: abs(a - b) <= TOLERANCE * max(abs(b), 1e-9)
    return all(len(ours[key]) == len(theirs[key]) and all(map(close, ours[key], theirs[key])) for key in ours)


def match(text, field="message"):
    return {"match_phrase": {field: text}}


def newest(n, *filters):
    query = {"bool": {"filter": list(filters)}} if filters else {"match_all": {}}
    return {"size": n, "query": query, "sort": [{"timestamp": "desc"}], "_source": ["timestamp"]}


def counted(aggregation, *filters):
    return {"size": 0, "track_total_hits": True, "query": {"bool": {"filter": list(filters)}}, "aggs": {"a": aggregation}}


ALL = '{service=~".+"}'
HOUR_FROM = f"{DAY} 23:00:00"


def escaped(text):
    """A text as a regular expression that every engine reads alike."""
    return re.sub(r"([^A-Za-z0-9 _=:,/%-])", r"\\\1", text)


def texts(text, condition=""):
    """Conditions that the message holds a text."""
    pattern = escaped(text).replace("/", "\\/")
    return [f'@message like "{text}"{condition}', f"@message like /{pattern}/{condition}", f'strcontains(@message, "{text}"){condition}',
            f'@message like "{text}" and ispresent(@message){condition}']


def queries(facts, trace_id):
    """All questions about one corpus: what its generator told of it, and a trace id that stands in it."""
    name = lambda usual: facts["names"].get(usual, usual)
    service, status, path, took, trace = name("service"), name("status"), name("path"), name("duration_ms"), name("trace_id")
    ip, host, agent, size = name("client_ip"), name("host"), name("user_agent"), name("bytes")
    one, _, many = facts["tokens"]
    common, piece, phrase, word, edge = (facts[key] for key in ("common", "piece", "phrase", "word", "service"))
    before, after = facts["around"]
    regex = escaped(before) + r"\S+" + escaped(after)
    sql_regex = regex.replace("\\", "\\\\")
    insights_regex = regex.replace("/", "\\/")
    phrase_words = " and ".join(f"hasToken(message, '{part}')" for part in phrase.split(" ") if part.isalnum())
    matched = lambda found: [f"fields @timestamp, @message | filter {condition}" for condition in found]
    counted_as = lambda found: [f"filter {condition} | stats count(*) as n" for condition in found] + [f"filter {found[0]} | stats sum(1) as n"]
    by_time = {"date_histogram": {"field": "timestamp", "fixed_interval": "5m", "min_doc_count": 1}}
    by_hour = {"date_histogram": {"field": "timestamp", "fixed_interval": "1h", "min_doc_count": 1}}
    by_level = {"terms": {"field": "level", "size": 10}}
    last_hour = {"range": {"timestamp": {"gte": f"{DAY}T23:00:00Z"}}}
    terms = lambda field, size=10_000: {"terms": {"field": field, "size": size}}
    return [
        Query("needle", "times", (*matched(texts(one)), f'fields @timestamp, @message | filter @any like "{one}"'),
              f"select timestamp, message from e where hasToken(message, '{one}')",
              f"select timestamp, message from e where contains(message, '{one}')",
              f"{one} | fields _time, _msg", f'{ALL} |= "{one}"', newest(100, match(one)), rg=one),
        Query("newest 20 of 1,000", "times", tuple(f"{text} | sort @timestamp desc | limit 20" for text in matched(texts(many))),
              f"select timestamp, message from e where hasToken(message, '{many}') order by timestamp desc limit 20",
              f"select timestamp, message from e where contains(message, '{many}') order by timestamp desc limit 20",
              f"{many} | sort by (_time desc) limit 20 | fields _time, _msg", f'newest 20 {ALL} |= "{many}"', newest(20, match(many)), rg=many),
        Query("count by level", "groups",
              ("stats count(*) as n by level", "stats count(*) as n by @level", "stats sum(1) as n by level",
               "filter ispresent(level) | stats count(level) as n by level"),
              "select level, count() from e group by level", "select level, count(*) from e group by 1",
              "* | stats by (level) count() n", f"sum by (level) (count_over_time({ALL}[24h]))", counted(by_level)),
        Query("5 minutes by level", "counts",
              ("stats count(*) as n by bin(5m), level", "stats count(*) as n by bin(5m), @level", "stats count(level) as n by datefloor(@timestamp, 5m), level",
               "filter ispresent(@timestamp) | stats sum(1) as n by level, bin(5m)"),
              "select toStartOfInterval(timestamp, interval 5 minute) as t, level, count() from e group by t, level",
              "select time_bucket(interval '5 minutes', timestamp), level, count(*) from e group by 1, 2",
              "* | stats by (_time:5m, level) count() n", f"range 5m sum by (level) (count_over_time({ALL}[5m]))",
              counted(by_time | {"aggs": {"l": by_level}})),
        Query("5 minutes by level, filtered", "counts",
              tuple(f"filter {text} | stats count(*) as n by bin(5m), {field}" for text, field in zip(texts(common), ["level", "@level", "level", "level"])),
              f"select toStartOfInterval(timestamp, interval 5 minute) as t, level, count() from e where position(message, '{common}') > 0 group by t, level",
              f"select time_bucket(interval '5 minutes', timestamp), level, count(*) from e where contains(message, '{common}') group by 1, 2",
              f'~"{common}" | stats by (_time:5m, level) count() n', f'range 5m sum by (level) (count_over_time({ALL} |= "{common}" [5m]))',
              counted(by_time | {"aggs": {"l": by_level}}, {"wildcard": {"message.whole": f"*{common}*"}})),
        Query("count by service", "groups",
              (f"stats count(*) as n by {service}", f"stats sum(1) as n by {service}", f"filter ispresent({service}) | stats count({service}) as n by {service}"),
              f"select {service}, count() from e group by {service}", f"select {service}, count(*) from e group by 1",
              f"* | stats by ({service}) count() n", f"sum by ({service}) (count_over_time({ALL}[24h]))", counted(terms(service))),
        Query("count by status", "groups",
              (f"filter ispresent({status}) | stats count(*) as n by {status}", f"filter {status} >= 0 | stats count({status}) as n by {status}",
               f"filter ispresent({status}) | stats sum(1) as n by {status}"),
              f"select {status}, count() from e where {status} is not null group by {status}",
              f"select {status}, count(*) from e where {status} is not null group by 1",
              f"{status}:* | stats by ({status}) count() n", f'sum by ({status}) (count_over_time({ALL} | {status} != "" [24h]))',
              counted(terms(status), {"exists": {"field": status}})),
        Query("hours by service", "counts",
              (f"stats count(*) as n by bin(1h), {service}", f"stats sum(1) as n by {service}, bin(1h)", f"filter ispresent({service}) | stats count({service}) as n by bin(1h), {service}"),
              f"select toStartOfInterval(timestamp, interval 1 hour) as t, {service}, count() from e group by t, {service}",
              f"select time_bucket(interval '1 hour', timestamp), {service}, count(*) from e group by 1, 2",
              f"* | stats by (_time:1h, {service}) count() n", f"range 1h sum by ({service}) (count_over_time({ALL}[1h]))",
              counted(by_hour | {"aggs": {"s": terms(service)}})),
        Query("top paths of 5xx", "counts",
              tuple(f"filter {condition} | stats count(*) as n by {path} | sort n desc | limit 10"
                    for condition in (f"{status} >= 500 and ispresent({path})", f"{status} > 499 and ispresent({path})",
                                      f'{status} >= 500 and {status} < 600 and strlen({path}) > 0', f"ispresent({path}) | filter {status} like /^5/")),
              f"select {path}, count() as n from e where {status} >= 500 and {path} is not null group by {path} order by n desc limit 10",
              f"select {path}, count(*) as n from e where {status} >= 500 and {path} is not null group by 1 order by n desc limit 10",
              f"{status}:>=500 {path}:* | stats by ({path}) count() n | sort by (n desc) limit 10",
              f'topk(10, sum by ({path}) (count_over_time({ALL} | {status} >= 500 | {path} != "" [24h])))',
              counted(terms(path, 10), {"range": {status: {"gte": 500}}}, {"exists": {"field": path}})),
        Query("top 10 addresses", "counts",
              (f"filter ispresent({ip}) | stats count(*) as n by {ip} | sort n desc | limit 10", f"filter ispresent({ip}) | stats sum(1) as n by {ip} | sort n desc | limit 10",
               f'filter {ip} like /./ | stats count({ip}) as n by {ip} | sort n desc | limit 10'),
              f"select {ip}, count() as n from e where {ip} != '' group by {ip} order by n desc limit 10",
              f"select {ip}, count(*) as n from e where {ip} is not null group by 1 order by n desc limit 10",
              f"{ip}:* | stats by ({ip}) count() n | sort by (n desc) limit 10",
              f'topk(10, sum by ({ip}) (count_over_time({ALL} | {ip} != "" [24h])))', counted(terms(ip, 10))),
        Query("percentiles by service", "near",
              tuple(f"filter {condition} | stats pct({took}, 50) as a, pct({took}, 95) as b, pct({took}, 99) as c by {service}"
                    for condition in (f"ispresent({took})", f"{took} >= 0")) +
              (f"filter ispresent({took}) | stats median({took}) as a, p95({took}) as b, p99({took}) as c by {service}",),
              f"select {service}, quantileTDigest(0.5)({took}) as a, quantileTDigest(0.95)({took}) as b, quantileTDigest(0.99)({took}) as c from e where {took} is not null group by {service}",
              f"select {service}, quantile_disc({took}, 0.5), quantile_disc({took}, 0.95), quantile_disc({took}, 0.99) from e where {took} is not null group by 1",
              f"{took}:* | stats by ({service}) quantile(0.5, {took}) a, quantile(0.95, {took}) b, quantile(0.99, {took}) c",
              # One quantile a query is all that LogQL gives; the one that costs most is asked for, and its answer is not compared.
              f"quantile_over_time(0.99, {ALL} | unwrap {took} [24h]) by ({service})",
              counted(terms(service) | {"aggs": {"p": {"percentiles": {"field": took, "percents": [50, 95, 99]}}}}, {"exists": {"field": took}})),
        Query("average and largest by agent", "near",
              (f"filter ispresent({agent}) | stats avg({took}) as a, max({size}) as b by {agent}",
               f"filter ispresent({agent}) | stats sum({took}) / count({took}) as a, max({size}) as b by {agent}",
               f'filter {agent} like /./ | stats avg({took}) as a, max({size}) as b by {agent}'),
              f"select {agent}, avg({took}), max({size}) from e where {agent} is not null group by {agent}",
              f"select {agent}, avg({took}), max({size}) from e where {agent} is not null group by 1",
              f"{agent}:* | stats by ({agent}) avg({took}) a, max({size}) b",
              f"avg_over_time({ALL} | {agent} != \"\" | unwrap {took} [24h]) by ({agent})",
              counted(terms(agent) | {"aggs": {"a": {"avg": {"field": took}}, "b": {"max": {"field": size}}}}, {"exists": {"field": agent}})),
        Query("substring", "count", tuple(counted_as(texts(piece))),
              f"select count() from e where position(message, '{piece}') > 0", f"select count(*) from e where contains(message, '{piece}')",
              f'~"{piece}" | stats count() n', f'sum(count_over_time({ALL} |= "{piece}" [24h]))',
              counted({"value_count": {"field": "level"}}, {"wildcard": {"message.whole": f"*{piece}*"}}), rg=escaped(piece)),
        Query("regex", "count",
              tuple(counted_as([f"@message like /{insights_regex}/", f"@message =~ /{insights_regex}/", f'@message like /{insights_regex}/ and @message like "{before}"'])),
              f"select count() from e where match(message, '{sql_regex}')", f"select count(*) from e where regexp_matches(message, '{regex}')",
              f"~`{regex}` | stats count() n", f"sum(count_over_time({ALL} |~ `{regex}` [24h]))",
              counted({"value_count": {"field": "level"}}, {"regexp": {"message.whole": f".*{before}[^ ]+{after}.*"}}), rg=regex),
        Query("newest 100", "times",
              ("fields @timestamp, @message | sort @timestamp desc | limit 100", "fields @timestamp, @message | limit 100",
               "filter ispresent(@message) | fields @timestamp, @message | sort @timestamp desc | limit 100"),
              "select timestamp, message from e order by timestamp desc limit 100", "select timestamp, message from e order by timestamp desc limit 100",
              "* | sort by (_time desc) limit 100 | fields _time, _msg", f"newest 100 {ALL}", newest(100)),
        Query("distinct addresses", "near",
              (f"stats count_distinct({ip}) as n", f"filter ispresent({ip}) | stats count_distinct({ip}) as n", f'filter {ip} like /./ | stats count_distinct({ip}) as n'),
              f"select uniq({ip}) from e where {ip} != ''", f"select count(distinct {ip}) from e", f"{ip}:* | stats count_uniq({ip}) n",
              f'count(sum by ({ip}) (count_over_time({ALL} | {ip} != "" [24h])))', counted({"cardinality": {"field": ip}})),
        Query("phrase in errors by service", "groups",
              tuple(f"filter {condition} | stats count(*) as n by {service}" for condition in
                    (f'@message like "{phrase}" and level = "error"', f'@message like "{phrase}" and @level = "error"',
                     f'level = "error" | filter @message like /{escaped(phrase)}/', f'strcontains(@message, "{phrase}") and level in ["error"]')),
              f"select {service}, count() from e where {phrase_words} and position(message, '{phrase}') > 0 and level = 'error' group by {service}",
              f"select {service}, count(*) from e where contains(message, '{phrase}') and level = 'error' group by 1",
              f'~"{phrase}" level:=error | stats by ({service}) count() n',
              f'sum by ({service}) (count_over_time({{level="error"}} |= "{phrase}" [24h]))',
              counted(terms(service, 1000), match(phrase), {"term": {"level": "error"}})),
        Query("slow requests by host", "groups",
              tuple(f"filter {condition} | stats count(*) as n by {host}" for condition in
                    (f"{took} > 500", f"{took} > 500 and ispresent({took})", f"not {took} <= 500 and ispresent({took})")),
              f"select {host}, count() from e where {took} > 500 group by {host}", f"select {host}, count(*) from e where {took} > 500 group by 1",
              f"{took}:>500 | stats by ({host}) count() n", f"sum by ({host}) (count_over_time({ALL} | {took} > 500 [24h]))",
              counted(terms(host), {"range": {took: {"gt": 500}}})),
        Query("trace id", "times",
              tuple(matched([f'{trace} = "{trace_id}"', f'{trace} in ["{trace_id}"]', f'{trace} like "{trace_id}"', f"{trace} like /^{trace_id}$/"])),
              f"select timestamp, message from e where {trace} = '{trace_id}'", f"select timestamp, message from e where {trace} = '{trace_id}'",
              f'{trace}:="{trace_id}" | fields _time, _msg', f'{ALL} | {trace} = "{trace_id}"', newest(1000, {"term": {trace: trace_id}}), rg=trace_id),
        Query("error and word, last hour", "times",
              tuple(f"{text} | limit 10000" for text in
                    matched([f'level = "error" and @message like /\\b{word}\\b/', f'@level = "error" and @message like /\\b{word}\\b/',
                             f'@message like /\\b{word}\\b/ and @message like "{word}" and level = "error"'])),
              f"select timestamp, message from e where level = 'error' and hasToken(message, '{word}') and timestamp >= '{HOUR_FROM}'",
              rf"select timestamp, message from e where level = 'error' and regexp_matches(message, '\b{word}\b') and timestamp >= '{HOUR_FROM}'",
              f"{word} level:=error | fields _time, _msg", f'{{level="error"}} |~ `\\b{word}\\b`',
              newest(10_000, match(word), {"term": {"level": "error"}}, last_hour), range=LAST_HOUR),
        Query("newest 50 warnings of a service, last hour", "times",
              tuple(f"filter {condition} | sort @timestamp desc | limit 50" for condition in
                    (f'{service} = "{edge}" and level = "warn"', f'{service} = "{edge}" and @level = "warn"', f'level = "warn" | filter {service} in ["{edge}"]')),
              f"select timestamp, message from e where {service} = '{edge}' and level = 'warn' and timestamp >= '{HOUR_FROM}' order by timestamp desc limit 50",
              f"select timestamp, message from e where {service} = '{edge}' and level = 'warn' and timestamp >= '{HOUR_FROM}' order by timestamp desc limit 50",
              f'{service}:="{edge}" level:=warn | sort by (_time desc) limit 50 | fields _time, _msg', f'newest 50 {{{service}="{edge}", level="warn"}}',
              newest(50, {"term": {service: edge}}, {"term": {"level": "warn"}}, last_hour), range=LAST_HOUR),
        Query("needle in any field", "times",
              tuple(matched([f'@any like "{trace_id}"', f"@any like /{trace_id}/", f'{trace} like "{trace_id}" or @message like "{trace_id}"'])),
              f"select timestamp, message from e where {trace} = '{trace_id}' or position(message, '{trace_id}') > 0",
              f"select timestamp, message from e where {trace} = '{trace_id}' or contains(message, '{trace_id}')",
              f'({trace}:="{trace_id}" or "{trace_id}") | fields _time, _msg', f'{ALL} | {trace} = "{trace_id}" or "{trace_id}"',
              newest(1000, {"multi_match": {"query": trace_id}}), rg=trace_id),
    ]
