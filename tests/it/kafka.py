"""A cluster of three brokers within librdkafka, and a producer for each compression.

Writes the addresses of the brokers, then reads orders such as
{"topic": "orders", "from": 0, "to": 1000, "compression": "zstd"} and answers each with a line when its messages are there.
"""

import json
import sys

from confluent_kafka import Producer

cluster = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 3})
brokers = ",".join(f"{broker.host}:{broker.port}" for broker in cluster.list_topics(timeout=20).brokers.values())
print(brokers, flush=True)


def value(n):
    if n % 2:
        return json.dumps({"level": "error", "message": f"order {n} failed", "serial": n})
    return f"serial={n} and no time\n  nor level in its second line"


producers = {}
for line in sys.stdin:
    order = json.loads(line)
    compression = order.get("compression", "none")
    options = {"bootstrap.servers": brokers, "compression.type": compression, "linger.ms": 5, "partitioner": "random"}
    producer = producers.setdefault(compression, Producer({**options, "batch.num.messages": 100}))
    for n in range(order["from"], order["to"]):
        about = {"key": f"key-{n % 7}", "headers": {"trace": f"trace-{n}"}, "timestamp": 1796000000000 + n * 1000}
        producer.produce(order["topic"], value(n), **about)
        producer.poll(0)
    producer.flush()
    print("done", flush=True)
