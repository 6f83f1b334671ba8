"""The query set, in the language of every engine, and how answers are made comparable.

Each query has an answer of one of five kinds, so that engines that write times, keys and numbers differently can be
held against each other: `times` (the events found, by their time in milliseconds), `groups` (key and count), `counts`
(counts alone, where equal counts may carry other keys), `near` (numbers by key, within 3 %), `count` (one number).
"""
import dataclasses
import datetime

DAY = "2026-11-19"
RANGE = {"from": f"{DAY}T00:00:00Z", "to": "2026-11-20T00:00:00Z"}
LAST_HOUR = {"from": f"{DAY}T23:00:00Z", "to": "2026-11-20T00:00:00Z"}
TOLERANCE = 0.03


@dataclasses.dataclass(frozen=True)
class Query:
    """One shape of query. Texts hold `{trace}` where a trace id of the corpus is to stand."""

    name: str
    kind: str
    insights: str
    clickhouse: str
    duckdb: str
    logsql: str
    logql: str
    elastic: dict
    range: dict = dataclasses.field(default_factory=lambda: RANGE)
    rg: str | None = None

    def filled(self, trace_id):
        """The query with the trace id in its place."""
        texts = {name: getattr(self, name).replace("{trace}", trace_id) for name in ("insights", "clickhouse", "duckdb", "logsql", "logql")}
        elastic = fill(self.elastic, trace_id)
        return dataclasses.replace(self, elastic=elastic, rg=self.rg and self.rg.replace("{trace}", trace_id), **texts)


def fill(node, trace_id):
    if isinstance(node, dict):
        return {key: fill(value, trace_id) for key, value in node.items()}
    if isinstance(node, list):
        return [fill(value, trace_id) for value in node]
    return node.replace("{trace}", trace_id) if isinstance(node, str) else node


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
REGEX = r"upstream \S+ gave no answer within \d+ms"
QUERIES = [
    Query("needle", "times",
          'fields @timestamp, @message | filter @message like "needle0one8c41f"',
          "select timestamp, message from e where hasToken(message, 'needle0one8c41f')",
          "select timestamp, message from e where contains(message, 'needle0one8c41f')",
          "needle0one8c41f | fields _time, _msg", f'{ALL} |= "needle0one8c41f"',
          newest(100, match("needle0one8c41f")), rg="needle0one8c41f"),
    Query("newest 20 of 1,000", "times",
          'fields @timestamp, @message | filter @message like "needle2kilo5d9ae" | sort @timestamp desc | limit 20',
          "select timestamp, message from e where hasToken(message, 'needle2kilo5d9ae') order by timestamp desc limit 20",
          "select timestamp, message from e where contains(message, 'needle2kilo5d9ae') order by timestamp desc limit 20",
          "needle2kilo5d9ae | sort by (_time desc) limit 20 | fields _time, _msg", f'newest 20 {ALL} |= "needle2kilo5d9ae"',
          newest(20, match("needle2kilo5d9ae")), rg="needle2kilo5d9ae"),
    Query("count by level", "groups",
          "stats count(*) as n by @level",
          "select level, count() from e group by level", "select level, count(*) from e group by 1",
          "* | stats by (level) count() n", f"sum by (level) (count_over_time({ALL}[24h]))",
          counted({"terms": {"field": "level", "size": 10}})),
    Query("5 minutes by level", "counts",
          "stats count(*) as n by bin(5m), @level",
          "select toStartOfInterval(timestamp, interval 5 minute) as t, level, count() from e group by t, level",
          "select time_bucket(interval '5 minutes', timestamp), level, count(*) from e group by 1, 2",
          "* | stats by (_time:5m, level) count() n", f"range 5m sum by (level) (count_over_time({ALL}[5m]))",
          counted({"date_histogram": {"field": "timestamp", "fixed_interval": "5m", "min_doc_count": 1}, "aggs": {"l": {"terms": {"field": "level", "size": 10}}}})),
    Query("5 minutes by level, filtered", "counts",
          'filter @message like "request" | stats count(*) as n by bin(5m), @level',
          "select toStartOfInterval(timestamp, interval 5 minute) as t, level, count() from e where position(message, 'request') > 0 group by t, level",
          "select time_bucket(interval '5 minutes', timestamp), level, count(*) from e where contains(message, 'request') group by 1, 2",
          '~"request" | stats by (_time:5m, level) count() n', f'range 5m sum by (level) (count_over_time({ALL} |= "request" [5m]))',
          counted({"date_histogram": {"field": "timestamp", "fixed_interval": "5m", "min_doc_count": 1}, "aggs": {"l": {"terms": {"field": "level", "size": 10}}}},
                  {"wildcard": {"message.whole": "*request*"}})),
    Query("top paths of 5xx", "counts",
          "filter status >= 500 and ispresent(path) | stats count(*) as n by path | sort n desc | limit 10",
          "select path, count() as n from e where status >= 500 and path is not null group by path order by n desc limit 10",
          "select path, count(*) as n from e where status >= 500 and path is not null group by 1 order by n desc limit 10",
          "status:>=500 path:* | stats by (path) count() n | sort by (n desc) limit 10",
          f'topk(10, sum by (path) (count_over_time({ALL} | status >= 500 | path != "" [24h])))',
          counted({"terms": {"field": "path", "size": 10}}, {"range": {"status": {"gte": 500}}}, {"exists": {"field": "path"}})),
    Query(
          "percentiles by service", "near",
          "filter ispresent(duration_ms) | stats pct(duration_ms, 50) as a, pct(duration_ms, 95) as b, pct(duration_ms, 99) as c by service",
          "select service, quantileTDigest(0.5)(duration_ms) as a, quantileTDigest(0.95)(duration_ms) as b, quantileTDigest(0.99)(duration_ms) as c from e where duration_ms is not null group by service",
          "select service, quantile_disc(duration_ms, 0.5), quantile_disc(duration_ms, 0.95), quantile_disc(duration_ms, 0.99) from e where duration_ms is not null group by 1",
          "duration_ms:* | stats by (service) quantile(0.5, duration_ms) a, quantile(0.95, duration_ms) b, quantile(0.99, duration_ms) c",
          # One quantile a query is all that LogQL gives; the one that costs most is asked for, and its answer is not compared.
          f"quantile_over_time(0.99, {ALL} | unwrap duration_ms [24h]) by (service)",
          counted({"terms": {"field": "service", "size": 1000}, "aggs": {"p": {"percentiles": {"field": "duration_ms", "percents": [50, 95, 99]}}}},
                  {"exists": {"field": "duration_ms"}})),
    Query("substring", "count",
          'filter @message like "nnection refu" | stats count(*) as n',
          "select count() from e where position(message, 'nnection refu') > 0",
          "select count(*) from e where contains(message, 'nnection refu')",
          '~"nnection refu" | stats count() n', f'sum(count_over_time({ALL} |= "nnection refu" [24h]))',
          counted({"value_count": {"field": "level"}}, {"wildcard": {"message.whole": "*nnection refu*"}}), rg="nnection refu"),
    Query("regex", "count",
          f"filter @message like /{REGEX}/ | stats count(*) as n",
          f"select count() from e where match(message, '{REGEX}')".replace("\\", "\\\\"),
          f"select count(*) from e where regexp_matches(message, '{REGEX}')",
          f"~`{REGEX}` | stats count() n", f"sum(count_over_time({ALL} |~ `{REGEX}` [24h]))",
          counted({"value_count": {"field": "level"}}, {"regexp": {"message.whole": ".*upstream [^ ]+ gave no answer within [0-9]+ms.*"}}), rg=REGEX),
    Query("newest 100", "times",
          "fields @timestamp, @message | sort @timestamp desc | limit 100",
          "select timestamp, message from e order by timestamp desc limit 100",
          "select timestamp, message from e order by timestamp desc limit 100",
          "* | sort by (_time desc) limit 100 | fields _time, _msg", f"newest 100 {ALL}", newest(100)),
    Query("distinct client_ip", "near",
          "stats count_distinct(client_ip) as n",
          "select uniq(client_ip) from e where client_ip != ''", "select count(distinct client_ip) from e",
          "client_ip:* | stats count_uniq(client_ip) n",
          f'count(sum by (client_ip) (count_over_time({ALL} | client_ip != "" [24h])))',
          counted({"cardinality": {"field": "client_ip"}})),
    Query("phrase in errors by service", "groups",
          'filter @message like "connection refused" and @level = "error" | stats count(*) as n by service',
          "select service, count() from e where hasToken(message, 'connection') and hasToken(message, 'refused') and position(message, 'connection refused') > 0 and level = 'error' group by service",
          "select service, count(*) from e where contains(message, 'connection refused') and level = 'error' group by 1",
          '"connection refused" level:=error | stats by (service) count() n',
          'sum by (service) (count_over_time({level="error"} |= "connection refused" [24h]))',
          counted({"terms": {"field": "service", "size": 1000}}, match("connection refused"), {"term": {"level": "error"}})),
    Query("trace id", "times",
          'fields @timestamp, @message | filter trace_id = "{trace}"',
          "select timestamp, message from e where trace_id = '{trace}'", "select timestamp, message from e where trace_id = '{trace}'",
          'trace_id:="{trace}" | fields _time, _msg', ALL + ' | trace_id = "{trace}"',
          newest(1000, {"term": {"trace_id": "{trace}"}}), rg="{trace}"),
    Query("error and word, last hour", "times",
          'fields @timestamp, @message | filter @level = "error" and @message like /\\brefused\\b/ | limit 10000',
          "select timestamp, message from e where level = 'error' and hasToken(message, 'refused') and timestamp >= '2026-11-19 23:00:00'",
          r"select timestamp, message from e where level = 'error' and regexp_matches(message, '\brefused\b') and timestamp >= '2026-11-19 23:00:00'",
          "refused level:=error | fields _time, _msg", '{level="error"} |~ `\\brefused\\b`',
          newest(10_000, match("refused"), {"term": {"level": "error"}}, {"range": {"timestamp": {"gte": f"{DAY}T23:00:00Z"}}}),
          range=LAST_HOUR),
    Query("newest 50 errors of a service, last hour", "times",
          'filter service = "api-gateway" and @level = "error" | sort @timestamp desc | limit 50',
          "select timestamp, message from e where service = 'api-gateway' and level = 'error' and timestamp >= '2026-11-19 23:00:00' order by timestamp desc limit 50",
          "select timestamp, message from e where service = 'api-gateway' and level = 'error' and timestamp >= '2026-11-19 23:00:00' order by timestamp desc limit 50",
          'service:="api-gateway" level:=error | sort by (_time desc) limit 50 | fields _time, _msg', 'newest 50 {service="api-gateway", level="error"}',
          newest(50, {"term": {"service": "api-gateway"}}, {"term": {"level": "error"}}, {"range": {"timestamp": {"gte": f"{DAY}T23:00:00Z"}}}),
          range=LAST_HOUR),
    Query("needle in any field", "times",
          'fields @timestamp, @message | filter @any like "{trace}"',
          "select timestamp, message from e where trace_id = '{trace}' or position(message, '{trace}') > 0",
          "select timestamp, message from e where trace_id = '{trace}' or contains(message, '{trace}')",
          '(trace_id:="{trace}" or "{trace}") | fields _time, _msg', ALL + ' | trace_id = "{trace}" or "{trace}"',
          newest(1000, {"multi_match": {"query": "{trace}"}}), rg="{trace}"),
]
