"""Spans in chDB, in the tables of ClickStack: those that the OpenTelemetry collector's ClickHouse exporter makes.

Columns, codecs, indexes and order are those of its documentation (clickhouse.com/docs/clickstack/ingesting-data/schemas, and
exporter/clickhouseexporter of the collector), without a lifetime; the form with Bloom filters, which every version has.
"""
import json

ZSTD = "codec(ZSTD(1))"
LABEL, TEXT, LABELS = f"LowCardinality(String) {ZSTD}", f"String {ZSTD}", f"Map(LowCardinality(String), String) {ZSTD}"

# Columns that are inserted, in the order in which spans.as_row writes them.
COLUMNS = {
    "Timestamp": "DateTime64(9) codec(Delta(8), ZSTD(1))",
    "TraceId": TEXT, "SpanId": TEXT, "ParentSpanId": TEXT, "TraceState": TEXT,
    "SpanName": LABEL, "SpanKind": LABEL, "ServiceName": LABEL,
    "ResourceAttributes": LABELS, "ScopeName": TEXT, "ScopeVersion": TEXT, "SpanAttributes": LABELS,
    "Duration": f"UInt64 {ZSTD}", "StatusCode": LABEL, "StatusMessage": TEXT,
    "Events.Timestamp": f"Array(DateTime64(9)) {ZSTD}", "Events.Name": f"Array(LowCardinality(String)) {ZSTD}",
    "Events.Attributes": f"Array(Map(LowCardinality(String), String)) {ZSTD}",
    "Links.TraceId": f"Array(String) {ZSTD}", "Links.SpanId": f"Array(String) {ZSTD}", "Links.TraceState": f"Array(String) {ZSTD}",
    "Links.Attributes": f"Array(Map(LowCardinality(String), String)) {ZSTD}",
}
DERIVED = {
    "__hdx_materialized_rum.sessionId": f"String materialized ResourceAttributes['rum.sessionId'] {ZSTD}",
    "SampleRate": "UInt64 materialized greatest(toUInt64OrZero(SpanAttributes['SampleRate']), 1) codec(T64, ZSTD(1))",
}
INDEXES = {
    "idx_trace_id": "TraceId type bloom_filter(0.001) granularity 1",
    "idx_rum_session_id": "`__hdx_materialized_rum.sessionId` type bloom_filter(0.001) granularity 1",
    "idx_res_attr_key": "mapKeys(ResourceAttributes) type bloom_filter(0.01) granularity 1",
    "idx_res_attr_value": "mapValues(ResourceAttributes) type bloom_filter(0.01) granularity 1",
    "idx_span_attr_key": "mapKeys(SpanAttributes) type bloom_filter(0.01) granularity 1",
    "idx_span_attr_value": "mapValues(SpanAttributes) type bloom_filter(0.01) granularity 1",
    "idx_duration": "Duration type minmax granularity 1",
    "idx_lower_span_name": "lower(SpanName) type tokenbf_v1(32768, 3, 0) granularity 8",
}
SETTINGS = "settings index_granularity = 8192, ttl_only_drop_parts = 1"


def statements():
    columns = [f"`{name}` {kind}" for name, kind in (COLUMNS | DERIVED).items()] + [f"index {name} {what}" for name, what in INDEXES.items()]
    yield "create database otel"
    yield "use otel"
    yield (f"create table otel_traces ({', '.join(columns)}) engine = MergeTree partition by toDate(Timestamp)"
           f" order by (ServiceName, SpanName, toDateTime(Timestamp)) {SETTINGS}")
    yield ("create table otel_traces_trace_id_ts (TraceId String codec(ZSTD(1)), Start DateTime codec(Delta(4), ZSTD(1)), End DateTime codec(Delta(4), ZSTD(1)),"
           " index idx_trace_id TraceId type bloom_filter(0.01) granularity 1)"
           f" engine = MergeTree partition by toDate(Start) order by (TraceId, Start) {SETTINGS}")
    yield ("create materialized view otel_traces_trace_id_ts_mv to otel_traces_trace_id_ts as"
           " select TraceId, min(Timestamp) as Start, max(Timestamp) as End from otel_traces where TraceId != '' group by TraceId")


class SpanTables:
    """The tables in a directory."""

    def __init__(self, directory):
        from chdb import session
        self.session = session.Session(str(directory))
        # It keeps which granules a condition excluded; catat runs without its cache of answers, too.
        self.session.query("set use_query_condition_cache = 0")
        for statement in statements():
            self.session.query(statement)

    def insert(self, path):
        """Inserts the rows of a file."""
        structure = ", ".join(f"`{name}` {kind.split(' codec')[0]}" for name, kind in COLUMNS.items())
        names = ", ".join(f"`{name}`" for name in COLUMNS)
        self.session.query(f"insert into otel_traces ({names}) select * from file('{path}', 'RowBinary', '{structure}')")

    def settle(self):
        for table in ("otel_traces", "otel_traces_trace_id_ts"):
            self.session.query(f"optimize table {table} final")

    def ask(self, sql):
        return json.loads(self.session.query(sql, "JSONCompact").bytes())["data"]

    def disk_bytes(self):
        """Bytes by table."""
        sql = "select table, sum(bytes_on_disk) from system.parts where active and database = 'otel' group by table"
        return {table: int(n_bytes) for table, n_bytes in self.ask(sql)}

    def close(self):
        self.session.close()
