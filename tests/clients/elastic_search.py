#!/usr/bin/env python3
"""Elasticsearch's Python client as a reader: searches, aggregations, scrolling; and the requests that Grafana sends."""
import datetime
import json
import uuid

import requests
from elasticsearch import BadRequestError, Elasticsearch, NotFoundError, helpers

from check import URL, check, main

GROUP = f"clients-elastic-search-{uuid.uuid4().hex[:8]}"
# A whole minute, so that buckets of minutes are known.
NOW = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
N = 600


def client(url=f"{URL}/elasticsearch"):
    return Elasticsearch(url, http_compress=True, api_key=("id", "any"))


def native(query):
    answer = requests.get(f"{URL}/api/v1/query", params={"query": query, "groups": GROUP, "from": "now-1d"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def time_of(n):
    return NOW - datetime.timedelta(seconds=n + 60)


@check
def documents_are_there():
    def actions():
        for n in range(N):
            yield {"_index": GROUP, "_id": f"id-{n}", "@timestamp": time_of(n).isoformat(), "message": f"parcel {n} sent",
                   "log": {"level": "error" if n % 3 == 0 else "info"}, "service": f"s{n % 4}", "took": n / 2, "n": n}
    assert helpers.bulk(client(), actions()) == (N, [])


@check
def searches_find_hits_by_the_query_dsl():
    for url in (f"{URL}/elasticsearch", URL):
        answer = client(url).search(index=GROUP, query={"bool": {"filter": [{"term": {"service.keyword": "s1"}}],
                                    "must": [{"match": {"message": "parcel 5"}}]}}, size=3, sort=[{"@timestamp": "desc"}])
        assert answer["hits"]["total"] == {"value": N // 4, "relation": "eq"}, answer
        first = answer["hits"]["hits"][0]
        assert (first["_id"], first["_source"]["n"], first["_source"]["log"]["level"]) == ("id-1", 1, "info"), first
    phrase = client().search(index=GROUP, query={"match_phrase": {"message": "parcel 5 sent"}}, highlight={"fields": {"*": {}}})
    assert [hit["highlight"]["message"] for hit in phrase["hits"]["hits"]] == [["<em>parcel 5 sent</em>"]], phrase
    assert client().count(index=GROUP, query={"range": {"n": {"lt": 10}}})["count"] == 10
    assert client().search(index=GROUP, q="log.level:error AND n:[0 TO 29]", size=0)["hits"]["total"]["value"] == 10


@check
def scan_gives_each_document_once():
    found = [hit["_id"] for hit in helpers.scan(client(), index=GROUP, size=70, query={"query": {"match_all": {}}})]
    assert len(found) == N and set(found) == {f"id-{n}" for n in range(N)}, len(found)
    part = [hit["_source"]["n"] for hit in
            helpers.scan(client(), index=GROUP, query={"query": {"range": {"n": {"lt": 25}}}}, size=10, preserve_order=True)]
    assert part == list(range(25)), part


@check
def search_after_pages_through_all():
    found, after = [], None
    while True:
        more = {"search_after": after} if after else {}
        hits = client().search(index=GROUP, size=101, sort=[{"took": "asc"}, "_doc"], **more)["hits"]["hits"]
        if not hits:
            break
        found += [hit["_source"]["n"] for hit in hits]
        after = hits[-1]["sort"]
    assert found == list(range(N)), found[:20]


@check
def a_point_in_time_is_paged_through():
    index, n = f"pit-{GROUP}", 50
    actions = lambda numbers: ({"_index": index, "@timestamp": time_of(i % 7).isoformat(), "message": "x", "n": i} for i in numbers)
    helpers.bulk(client(), actions(range(n)))
    pit = client().open_point_in_time(index=index, keep_alive="1m")["id"]
    helpers.bulk(client(), actions(range(n, 2 * n)))
    for sort in ([{"n": "asc"}], [{"@timestamp": "desc"}], ["_shard_doc"]):
        found, after = [], None
        while True:
            hits = client().search(pit={"id": pit, "keep_alive": "1m"}, size=9, sort=sort, search_after=after)["hits"]["hits"]
            if not hits:
                break
            found += [hit["_source"]["n"] for hit in hits]
            after = hits[-1]["sort"]
        assert sorted(found) == list(range(n)), (sort, len(found), found[:5])
    assert client().close_point_in_time(id=pit)["succeeded"]
    assert client().count(index=index)["count"] == 2 * n


@check
def aliases_are_names_of_indices():
    alias = f"{GROUP}-alias"
    assert not client().indices.exists_alias(name=alias)
    client().indices.update_aliases(actions=[{"add": {"index": GROUP, "alias": alias}}])
    assert client().indices.exists_alias(name=alias)
    assert client().indices.get_alias(name=alias) == {GROUP: {"aliases": {alias: {}}}}
    assert client().count(index=alias, query={"exists": {"field": "took"}})["count"] == N
    assert client().indices.resolve_index(name=alias)["aliases"][0]["indices"] == [GROUP]
    client().indices.delete_alias(index=GROUP, name=alias)
    try:
        client().search(index=alias)
        raise AssertionError("it is there")
    except NotFoundError:
        pass


@check
def answers_are_shaped_as_asked():
    answer = client().search(index=GROUP, size=2, q="parcel", filter_path="hits.hits._id,hits.total", track_total_hits=100)
    assert answer.body == {"hits": {"total": {"value": 100, "relation": "gte"}, "hits": answer["hits"]["hits"]}}, answer
    assert all(list(hit) == ["_id"] for hit in answer["hits"]["hits"]), answer
    typed = client().search(index=GROUP, size=0, typed_keys=True, aggs={"s": {"terms": {"field": "service"}}})["aggregations"]
    assert list(typed) == ["sterms#s"], typed
    later = client().async_search.submit(index=GROUP, size=0, query={"term": {"service": "s1"}})
    assert not later["is_running"] and later["response"]["hits"]["total"]["value"] == N // 4, later
    assert client().indices.stats(index=GROUP)["_all"]["primaries"]["docs"]["count"] == N


@check
def aggregations_of_aggregations():
    found = client().search(index=GROUP, size=0, query={"exists": {"field": "took"}}, aggs={
        "t": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1m", "min_doc_count": 1},
              "aggs": {"r": {"rate": {"unit": "second"}}, "m": {"avg": {"field": "took"}},
                       "keep": {"bucket_selector": {"buckets_path": {"n": "_count"}, "script": "params.n == 60"}}}},
        "most": {"max_bucket": {"buckets_path": "t>m"}},
        "auto": {"auto_date_histogram": {"field": "@timestamp", "buckets": 5}},
        "pairs": {"multi_terms": {"terms": [{"field": "service"}, {"field": "log.level"}]}},
    })["aggregations"]
    assert [b["r"]["value"] for b in found["t"]["buckets"]] == [1.0] * 9, found["t"]
    assert len(found["auto"]["buckets"]) <= 5 and sum(b["doc_count"] for b in found["auto"]["buckets"]) == N, found["auto"]
    assert len(found["pairs"]["buckets"]) == 8 and sum(b["doc_count"] for b in found["pairs"]["buckets"]) == N
    assert found["most"]["keys"] == [found["t"]["buckets"][0]["key_as_string"]], found["most"]


@check
def aggregations_have_the_numbers_of_the_native_door():
    aggregations = {
        "services": {"terms": {"field": "service", "order": {"took": "desc"}},
                     "aggs": {"took": {"avg": {"field": "took"}}, "levels": {"terms": {"field": "log.level"}}}},
        "stats": {"extended_stats": {"field": "took"}}, "distinct": {"cardinality": {"field": "service"}},
        "spread": {"percentiles": {"field": "took", "percents": [50, 95]}},
        "steps": {"histogram": {"field": "n", "interval": 250}},
        "parts": {"range": {"field": "n", "ranges": [{"to": 100}, {"from": 100, "to": 200}, {"from": 200}]}},
        "kinds": {"filters": {"filters": {"bad": {"term": {"log.level": "error"}}, "low": {"range": {"n": {"lt": 5}}}}}},
    }
    found = client().search(index=GROUP, size=0, aggs=aggregations)["aggregations"]
    expected = native("stats avg(took) as took, count(*) as n by service | sort took desc")
    assert [[b["key"], b["took"]["value"], b["doc_count"]] for b in found["services"]["buckets"]] == expected, found["services"]
    levels = native('filter service = "s3" | stats count(*) as n by log.level | sort n desc')
    assert [[b["key"], b["doc_count"]] for b in found["services"]["buckets"][0]["levels"]["buckets"]] == levels, found
    [[low, high, mean, total, deviation]] = native("stats min(took), max(took), avg(took), sum(took), stddev(took)")
    stats = found["stats"]
    assert [stats[k] for k in ("min", "max", "avg", "sum", "count")] == [low, high, mean, total, N], stats
    assert abs(stats["std_deviation_sampling"] - deviation) < 1e-9, stats
    assert found["distinct"]["value"] == 4
    assert list(found["spread"]["values"].values()) == native("stats pct(took, 50), pct(took, 95)")[0], found["spread"]
    assert [(b["key"], b["doc_count"]) for b in found["steps"]["buckets"]] == [(0, 250), (250, 250), (500, 100)]
    assert [(b["key"], b["doc_count"]) for b in found["parts"]["buckets"]] == [("*-100.0", 100), ("100.0-200.0", 100), ("200.0-*", 400)], found["parts"]
    assert {key: b["doc_count"] for key, b in found["kinds"]["buckets"].items()} == {"bad": N // 3, "low": 5}


@check
def composite_pages_through_all_combinations():
    found, after = [], None
    while True:
        composite = {"size": 3, "sources": [{"service": {"terms": {"field": "service"}}}, {"level": {"terms": {"field": "log.level"}}}]}
        if after:
            composite["after"] = after
        page = client().search(index=GROUP, size=0, aggs={"c": {"composite": composite}})["aggregations"]["c"]
        found += [(b["key"]["service"], b["key"]["level"], b["doc_count"]) for b in page["buckets"]]
        after = page.get("after_key")
        if not after:
            break
    assert len(found) == 8 and sum(n for *_, n in found) == N, found


@check
def mistakes_are_errors_of_their_kind():
    for ask, kind in ((lambda: client().search(index=GROUP, query={"nested": {"path": "x"}}), "parsing_exception"),
                      (lambda: client().search(index=GROUP, from_=10_000), "illegal_argument_exception"),
                      (lambda: client().search(index=GROUP, size=0, aggs={"t": {"date_histogram": {
                          "field": "@timestamp", "fixed_interval": "1ms", "min_doc_count": 0}}}), "too_many_buckets_exception")):
        try:
            ask()
            raise AssertionError(kind)
        except BadRequestError as error:
            assert error.body["error"]["type"] == kind, error
    try:
        client().search(index="nothing-here")
        raise AssertionError("it is there")
    except NotFoundError as error:
        assert error.body["error"]["type"] == "index_not_found_exception", error


def grafana(queries):
    """What Grafana's backend sends, and the answers to each query."""
    header = {"search_type": "query_then_fetch", "ignore_unavailable": True, "index": f"{GROUP},gone-2026.01.01"}
    body = "".join(f"{json.dumps(header)}\n{json.dumps(query)}\n" for query in queries)
    answer = requests.post(f"{URL}/elasticsearch/_msearch?max_concurrent_shard_requests=5", data=body,
                           headers={"content-type": "application/x-ndjson"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["responses"]


def panel(aggregations, lucene="*", **more):
    start, end = (int((NOW + datetime.timedelta(minutes=m)).timestamp() * 1000) for m in (-20, 0))
    filters = [{"range": {"@timestamp": {"gte": start, "lte": end, "format": "epoch_millis"}}},
               {"query_string": {"analyze_wildcard": True, "query": lucene}}]
    return {"size": 0, "query": {"bool": {"filter": filters}}, "aggs": aggregations, **more}


def by_time(interval, inner):
    start, end = (int((NOW + datetime.timedelta(minutes=m)).timestamp() * 1000) for m in (-20, 0))
    return {"date_histogram": {"field": "@timestamp", "fixed_interval": interval, "min_doc_count": 0, "format": "epoch_millis",
                               "extended_bounds": {"min": start, "max": end}}, "aggs": inner}


@check
def esql_answers_with_types_and_names_mistakes():
    esql = lambda query, **more: client().esql.query(query=query, **more)
    answer = esql(f'FROM "{GROUP}" | STATS n = COUNT(*), most = MAX(n) BY service | SORT service')
    assert [(c["name"], c["type"]) for c in answer["columns"]] == [("n", "long"), ("most", "long"), ("service", "text")], answer
    assert sum(row[0] for row in answer["values"]) == N, answer
    assert answer["values"] == sorted(answer["values"], key=lambda row: row[2]), answer
    some = esql(f'FROM "{GROUP}" METADATA _index | WHERE n < ? | SORT n DESC | KEEP n, _index', params=[3])
    assert some["values"] == [[2, GROUP], [1, GROUP], [0, GROUP]], some
    hours = esql(f'FROM "{GROUP}" | STATS c = COUNT(*) BY t = BUCKET(@timestamp, 1 hour)', columnar=True)
    assert sum(hours["values"][0]) == N, hours
    everything = esql(f'FROM "{GROUP}" | KEEP n | LIMIT 100000', filter={"range": {"n": {"gte": 10}}})
    assert sorted(row[0] for row in everything["values"]) == list(range(10, N)), everything["values"][:5]
    text = esql("ROW a = 1, b = 1.5", format="csv")
    assert str(text) == "a,b\r\n1,1.5\r\n", repr(str(text))
    for query, part in [(f'FROM "{GROUP}" | KEEP servise', "Unknown column [servise], did you mean [service]?"),
                        ("FROM nowhere-at-all", "Unknown index [nowhere-at-all]"),
                        ("ROW a = 1 | MV_EXPAND a", "line 1:13: the command [MV_EXPAND] is not supported here")]:
        try:
            esql(query)
            raise AssertionError(f"{query} was answered")
        except BadRequestError as error:
            assert part in error.info["error"]["reason"], error.info


@check
def grafana_saves_and_tests_its_data_source():
    assert requests.get(f"{URL}/elasticsearch/_cluster/health?wait_for_status=yellow", timeout=30).json()["status"] == "green"
    mapping = requests.get(f"{URL}/elasticsearch/{GROUP}/_mapping", timeout=30).json()
    assert mapping[GROUP]["mappings"]["properties"]["@timestamp"]["type"] == "date", mapping
    assert mapping[GROUP]["mappings"]["properties"]["log"]["properties"]["level"]["type"] == "text", mapping
    capabilities = requests.get(f"{URL}/elasticsearch/{GROUP}/_field_caps?fields=@timestamp", timeout=30).json()
    assert capabilities["fields"]["@timestamp"]["date"]["searchable"], capabilities


@check
def grafana_draws_counts_metrics_and_pipelines():
    inner = {"1": {"avg": {"field": "took"}}, "2": {"derivative": {"buckets_path": "1"}},
             "3": {"cumulative_sum": {"buckets_path": "_count"}},
             "4": {"bucket_script": {"buckets_path": {"a": "1", "n": "_count"}, "script": "params.a * params.n"}},
             "5": {"moving_fn": {"buckets_path": "1", "window": 2, "script": "MovingFunctions.unweightedAvg(values)"}},
             "6": {"serial_diff": {"buckets_path": "_count", "lag": 1}}}
    by_level = {"7": {"terms": {"field": "log.level.keyword", "size": 500, "order": {"_key": "asc"}, "min_doc_count": 1},
                      "aggs": {"8": by_time("5m", inner)}}}
    plain, nested = grafana([panel({"8": by_time("1m", inner)}), panel(by_level, "service:s*")])
    buckets = plain["aggregations"]["8"]["buckets"]
    counts = [b["doc_count"] for b in buckets]
    assert len(buckets) == 21 and sum(counts) == N and counts[9:20] == [59] + [60] * 9 + [1], counts
    full = buckets[11]
    assert full["4"]["value"] == full["1"]["value"] * 60 and full["3"]["value"] == sum(counts[:12]), full
    assert full["2"]["value"] == -30 and full["6"]["value"] == 0, full
    levels = nested["aggregations"]["7"]["buckets"]
    assert [(b["key"], b["doc_count"]) for b in levels] == [("error", N // 3), ("info", 2 * N // 3)], levels
    assert sum(b["doc_count"] for b in levels[0]["8"]["buckets"]) == N // 3


@check
def grafana_shows_logs_with_marks_and_their_context():
    order = lambda o: [{"@timestamp": {"order": o, "unmapped_type": "boolean"}}, {"_doc": {"order": o}}]
    more = {"size": 50, "docvalue_fields": ["@timestamp"], "script_fields": {},
            "fields": [{"field": "@timestamp", "format": "strict_date_optional_time_nanos"}],
            "highlight": {"fields": {"*": {}}, "pre_tags": ["@HIGHLIGHT@"], "post_tags": ["@/HIGHLIGHT@"], "fragment_size": 2147483647}}
    [logs] = grafana([{**panel({"1": by_time("1m", {})}, "parcel AND level:error"), **more, "sort": order("desc")}])
    hits = logs["hits"]["hits"]
    assert len(hits) == 50 and all(hit["_source"]["n"] % 3 == 0 for hit in hits)
    assert hits[0]["highlight"]["message"] == ["@HIGHLIGHT@parcel@/HIGHLIGHT@ 0 sent"], hits[0]
    assert hits[0]["fields"]["@timestamp"][0].endswith("000Z"), hits[0]
    row = hits[10]
    [before] = grafana([{**panel({}), **more, "size": 5, "sort": order("desc"), "search_after": row["sort"]}])
    [after] = grafana([{**panel({}), **more, "size": 5, "sort": order("asc"), "search_after": row["sort"]}])
    n = row["_source"]["n"]
    assert [hit["_source"]["n"] for hit in before["hits"]["hits"]] == [n + 1, n + 2, n + 3, n + 4, n + 5]
    assert [hit["_source"]["n"] for hit in after["hits"]["hits"]] == [n - 1, n - 2, n - 3, n - 4, n - 5]


@check
def indices_are_listed():
    assert [row["docs.count"] for row in client().cat.indices(index=f"{GROUP}*", format="json")] == [str(N)]
    assert client().indices.resolve_index(name=f"{GROUP}*")["indices"][0]["name"] == GROUP
    assert client().indices.get_mapping(index=GROUP)[GROUP]
    assert "service.keyword" in client().field_caps(index=GROUP, fields="*")["fields"]
    assert client().msearch(searches=[{"index": GROUP}, {"size": 1}])["responses"][0]["hits"]["total"]["value"] == N


main()
