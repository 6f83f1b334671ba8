#!/usr/bin/env python3
"""Elasticsearch's Python client and its helpers, as programs use them to send documents."""
import datetime
import uuid
import warnings

import requests
from elasticsearch import ApiError, ConflictError, Elasticsearch, ElasticsearchWarning, NotFoundError, helpers

from check import URL, check, main

GROUP = f"clients-elastic-{uuid.uuid4().hex[:8]}"
NOW = datetime.datetime.now(datetime.timezone.utc)
CLIENTS = {"under its prefix": f"{URL}/elasticsearch", "at the root": URL}


def clients():
    return {name: Elasticsearch(url, http_compress=True, api_key=("id", "any")) for name, url in CLIENTS.items()}


def rows(query):
    answer = requests.get(f"{URL}/api/v1/query", params={"query": query, "groups": f"{GROUP}*", "from": "now-1d"}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def actions(group, n_documents, **more):
    for n in range(n_documents):
        yield {"_index": group, **({"_id": f"id-{n}"} if more.get("_op_type") == "create" else {}), **more,
               "@timestamp": NOW.isoformat(), "message": f"parcel {n}",
               "log": {"level": "error" if n % 3 == 0 else "info"}, "n": n}


@check
def the_client_takes_it_for_elasticsearch():
    for name, client in clients().items():
        assert client.info()["version"]["number"].startswith("8."), name
        assert client.ping(), name
        assert client.cluster.health(wait_for_status="yellow")["status"] == "green", name
        assert client.license.get()["license"]["status"] == "active", name


@check
def helpers_send_in_bulk():
    for name, client in clients().items():
        group = f"{GROUP}-bulk-{len(name)}"
        assert helpers.bulk(client, actions(group, 1_000), chunk_size=300) == (1_000, []), name
        counts = rows(f'filter @log = "{group}" | stats count(*) as n by @level | sort n')
        assert counts == [["error", 334], ["info", 666]], counts


@check
def what_is_created_twice_is_a_conflict_each():
    client = clients()["under its prefix"]
    group = f"{GROUP}-create"
    documents = list(actions(group, 50, _op_type="create"))
    assert helpers.bulk(client, documents) == (50, [])
    n_created, errors = helpers.bulk(client, documents + [{**documents[0], "_id": "new"}], raise_on_error=False)
    assert n_created == 1 and {error["create"]["status"] for error in errors} == {409}, errors
    try:
        client.create(index=group, id="id-1", document={"n": 1})
        raise AssertionError("it was created twice")
    except ConflictError as error:
        assert error.body["error"]["type"] == "version_conflict_engine_exception"
    assert rows(f'filter @log = "{group}" | stats count(*)') == [[51]]


@check
def one_bad_document_keeps_nobody_out():
    client = clients()["under its prefix"]
    group = f"{GROUP}-bad"
    documents = [{"_index": group, "n": 1}, {"_op_type": "delete", "_index": group, "_id": "x"},
                 {"_op_type": "update", "_index": group, "_id": "x", "doc": {"n": 1}}, {"_index": group, "n": 2}]
    results = [(ok, next(iter(item.values()))["status"]) for ok, item in
               helpers.streaming_bulk(client, documents, raise_on_error=False)]
    assert results == [(True, 201), (False, 400), (False, 400), (True, 201)], results


@check
def single_documents():
    client = clients()["at the root"]
    group = f"{GROUP}-one"
    answer = client.index(index=group, document={"message": "no id", "@timestamp": NOW}, refresh="wait_for")
    assert answer["result"] == "created" and answer["_id"], answer
    assert client.index(index=group, id="a/b c", document={"message": "with an id"})["_id"] == "a/b c"
    client.indices.refresh(index=group)
    assert client.indices.exists(index=group)
    found = rows(f'filter @log = "{group}" | sort @message | fields @message, _id')
    assert found == [["no id", None], ["with an id", "a/b c"]], found


@check
def what_agents_prepare_is_acknowledged():
    client = clients()["under its prefix"]
    warnings.simplefilter("ignore", ElasticsearchWarning)  # Of policies and pipelines each answer says that they are not kept.
    body = {"index_patterns": ["logs-*"], "template": {}}
    assert client.indices.put_index_template(name="x", **body)["acknowledged"]
    assert client.ilm.put_lifecycle(name="x", policy={"phases": {}})["acknowledged"]
    assert client.ingest.put_pipeline(id="x", processors=[])["acknowledged"]
    assert client.indices.create_data_stream(name="logs-x")["acknowledged"]
    assert client.indices.exists_index_template(name="x")
    assert client.indices.delete_index_template(name="x")["acknowledged"]
    assert not client.indices.exists_index_template(name="x")
    for ask in (lambda: client.ilm.get_lifecycle(name="x"), lambda: client.indices.get(index="nothing-here")):
        try:
            ask()
            raise AssertionError("it is there")
        except NotFoundError as error:
            assert error.status_code == 404


@check
def a_body_that_is_none_is_an_error_of_its_kind():
    try:
        clients()["under its prefix"].bulk(operations=[{"nonsense": {}}])
        raise AssertionError("it was taken")
    except ApiError as error:
        assert error.status_code == 400 and error.body["error"]["root_cause"], error


main()
