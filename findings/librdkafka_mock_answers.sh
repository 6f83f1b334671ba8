#!/usr/bin/env bash
# librdkafka 2.16.0 (in confluent-kafka 2.16.1, PyPI): the cluster that `test.mock.num.brokers` starts answers otherwise than the protocol says.
# The list of tags that ends Metadata version 12 comes twice. To SyncGroup for a group that does not exist it sends a null assignment, where the
# protocol has bytes that cannot be null. librdkafka reads both; a client in another language that looks for bytes left over, or for null, fails. Source: https://kafka.apache.org/protocol#The_Messages_Metadata
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet confluent-kafka==2.16.1
"$scratch/venv/bin/python" - <<'PY'
import socket
import struct

import confluent_kafka

version = confluent_kafka.libversion()[0]
cluster = confluent_kafka.Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1})
broker = next(iter(cluster.list_topics(timeout=20).brokers.values()))
connection = socket.create_connection((broker.host, broker.port), timeout=20)


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def asked(key, api_version, body):
    request = struct.pack(">hhi", key, api_version, 7) + text("finding") + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    data = connection.makefile("rb")
    answer = data.read(struct.unpack(">i", data.read(4))[0])
    assert struct.unpack(">i", answer[:4])[0] == 7
    return answer[4:]


# Metadata, version 12, in the encoding with tags: no topics are asked for, so that brokers, cluster and controller are all that comes.
answer = asked(3, 12, b"\0" + b"\1" + b"\0\0" + b"\0")
place = 1 + 4
n_brokers, place = answer[place] - 1, place + 1
for _ in range(n_brokers):
    place += 4 + 1 + (answer[place + 4] - 1) + 4
    place += max(answer[place], 1) + 1
place += max(answer[place], 1) + 4
n_topics, place = answer[place] - 1, place + 1
left = answer[place:]
print(f"librdkafka {version}: Metadata 12: {n_brokers} broker, {n_topics} topics, then {left.hex(' ')}, right would be 00")
assert (n_brokers, n_topics, left) == (1, 0, b"\0\0"), answer

# SyncGroup, version 1: throttle time, an error code, and bytes with their length.
answer = asked(14, 1, text("absent") + struct.pack(">i", 1) + text("member") + struct.pack(">i", 0))
_, code, length = struct.unpack(">ihi", answer[:10])
print(f"librdkafka {version}: SyncGroup 1: error {code}, an assignment of {length} bytes, right would be 0")
assert code != 0 and length == -1, answer
PY
