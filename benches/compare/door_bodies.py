"""The corpus as each door's senders write it: bodies of the same events, made before any clock runs.

What a protocol has a place for goes there (time, level, text, ids of traces); the rest are its attributes, labels,
structured data. Forms without fields are lines as programs print them.
"""
import datetime
import itertools
import json
import re
import struct

import cramjam

# Names that every protocol has a place of its own for.
OWN = ("timestamp", "level", "message")

# Labels of a Loki stream: few values each. The group is the same one for all doors.
LABELS = ("service", "level")

SEVERITY_OF_LEVEL = {"trace": 7, "debug": 7, "info": 6, "warn": 4, "error": 3, "fatal": 2}
OTLP_OF_LEVEL = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
GROUP = "bench"

compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def nanoseconds(timestamp):
    """`2026-11-19T00:00:00.123Z` as nanoseconds since the epoch, exact."""
    seconds, _, fraction = timestamp.removesuffix("Z").partition(".")
    whole = datetime.datetime.fromisoformat(seconds + "+00:00").timestamp()
    return int(whole) * 1_000_000_000 + int(fraction.ljust(9, "0") or 0)


class Event:
    """One event of the corpus: its line, its object, and its time."""

    def __init__(self, line):
        self.line = line.rstrip(b"\n")
        self.record = json.loads(line)
        self.timestamp, self.level, self.message = (self.record[name] for name in OWN)
        self.ns = nanoseconds(self.timestamp)

    def attributes(self, without=()):
        return {name: value for name, value in self.record.items() if name not in OWN and name not in without}

    def texts(self, without=()):
        """The attributes as texts, of nested objects under dotted names: for protocols that know nothing else."""
        for name, value in self.attributes(without).items():
            if isinstance(value, dict):
                yield from ((f"{name}.{inner}", str(text)) for inner, text in value.items())
            else:
                yield name, value if isinstance(value, str) else compact(value)

    def printed(self):
        """As a program prints it; further lines of a message are indented, since that is what makes them part of it."""
        message = re.sub(r"\n(?!\t)", "\n\t", self.message)
        return f"{self.timestamp} {self.level.upper()} [{self.record['service']}] {message}"


def native(events):
    return b"".join(event.line + b"\n" for event in events)


def text(events):
    return "".join(event.printed() + "\n" for event in events).encode()


def elastic(events):
    return b"".join(b'{"create":{}}\n' + event.line + b"\n" for event in events)


def streams(events):
    """Events by their labels."""
    by_labels = {}
    for event in events:
        by_labels.setdefault(tuple(event.record.get(name, event.level) for name in LABELS), []).append(event)
    for values, members in by_labels.items():
        yield {"group": GROUP, **dict(zip(LABELS, values))}, members


def loki_json(events):
    listed = []
    for labels, members in streams(events):
        values = [[str(event.ns), event.message, dict(event.texts(LABELS))] for event in members]
        listed.append({"stream": labels, "values": values})
    return compact({"streams": listed}).encode()


def loki_protobuf(events):
    out = []
    for labels, members in streams(events):
        parts = [field(1, ("{" + ", ".join(f"{name}={json.dumps(value)}" for name, value in labels.items()) + "}").encode())]
        for event in members:
            time = b"\x08" + varint(event.ns // 1_000_000_000) + b"\x10" + varint(event.ns % 1_000_000_000)
            pairs = [field(3, field(1, name.encode()) + field(2, value.encode())) for name, value in event.texts(LABELS)]
            parts.append(field(2, field(1, time) + field(2, event.message.encode()) + b"".join(pairs)))
        out.append(field(1, b"".join(parts)))
    return bytes(cramjam.snappy.compress_raw(b"".join(out)))


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, content):
    return bytes([number << 3 | 2]) + varint(len(content)) + content


# Ids have fields of their own in OTLP.
IDS = ("trace_id", "span_id")


def otlp_value(value):
    if isinstance(value, str):
        return field(1, value.encode())
    if isinstance(value, int):
        return b"\x18" + varint(value)
    if isinstance(value, float):
        return b"\x21" + struct.pack("<d", value)
    return field(6, b"".join(field(1, otlp_pair(name, inner)) for name, inner in value.items()))


def otlp_pair(name, value):
    return field(1, name.encode()) + field(2, otlp_value(value))


def otlp_protobuf(events):
    records = []
    for event in events:
        parts = [b"\x09" + struct.pack("<Q", event.ns), b"\x10" + varint(OTLP_OF_LEVEL[event.level])]
        parts += [field(3, event.level.encode()), field(5, field(1, event.message.encode()))]
        parts += [field(6, otlp_pair(name, value)) for name, value in event.attributes(IDS).items()]
        for number, name in ((9, "trace_id"), (10, "span_id")):
            if name in event.record:
                parts.append(field(number, bytes.fromhex(event.record[name])))
        parts.append(b"\x59" + struct.pack("<Q", event.ns))
        records.append(field(2, b"".join(parts)))
    resource = field(1, field(1, otlp_pair("service.name", GROUP)))
    scope = field(1, field(1, b"bench"))
    return field(1, resource + field(2, scope + b"".join(records)))


def otlp_json_value(value):
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"kvlistValue": {"values": [{"key": name, "value": otlp_json_value(inner)} for name, inner in value.items()]}}


def otlp_json(events):
    records = []
    for event in events:
        record = {"timeUnixNano": str(event.ns), "observedTimeUnixNano": str(event.ns)}
        record |= {"severityNumber": OTLP_OF_LEVEL[event.level], "severityText": event.level}
        record["body"] = {"stringValue": event.message}
        record["attributes"] = [{"key": name, "value": otlp_json_value(value)} for name, value in event.attributes(IDS).items()]
        record |= {member: event.record[name] for member, name in (("traceId", IDS[0]), ("spanId", IDS[1])) if name in event.record}
        records.append(record)
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": GROUP}}]}
    scope_logs = [{"scope": {"name": "bench"}, "logRecords": records}]
    return compact({"resourceLogs": [{"resource": resource, "scopeLogs": scope_logs}]}).encode()


def cloudwatch(message_of, events):
    listed = [{"timestamp": event.ns // 1_000_000, "message": message_of(event)} for event in events]
    # Sorted by time already; the SDKs write what is beyond ASCII as escapes.
    return json.dumps({"logGroupName": GROUP, "logStreamName": "doors", "logEvents": listed}, separators=(",", ":")).encode()


def cloudwatch_json(events):
    return cloudwatch(lambda event: event.line.decode(), events)


def cloudwatch_text(events):
    return cloudwatch(lambda event: f"{event.level.upper()} [{event.record['service']}] {event.message}", events)


def hec_time(event):
    return f"{event.ns // 1_000_000_000}.{event.ns % 1_000_000_000:09}"


def hec(event, payload, **more):
    members = {"host": event.record["host"], "index": GROUP, "event": payload, **more}
    return f'{{"time":{hec_time(event)},{compact(members)[1:]}'


def hec_objects(events):
    """The record as `event`, as loggers of structured records send it."""
    payload = lambda event: {name: value for name, value in event.record.items() if name not in ("timestamp", "host")}
    return "".join(hec(event, payload(event)) for event in events).encode()


def hec_fields(events):
    """The text as `event` and the rest as `fields`, as collectors send it."""
    rest = lambda event: {"level": event.level, **dict(event.attributes(("host",)))}
    return "".join(hec(event, event.message, fields=rest(event)) for event in events).encode()


def datadog(events):
    """As Datadog's agent and libraries send them: what has no place of its own are members beside the text."""
    log = lambda event: {
        "message": event.message, "status": event.level, "timestamp": event.ns // 1_000_000, "hostname": event.record["host"],
        "ddsource": "bench", "ddtags": "env:bench,team:doors", **event.attributes(("host", "status")),
    }
    return compact([log(event) for event in events]).encode()


TYPES = {bool: "boolean", int: "integer", float: "double"}


def sentry(events):
    """Structured logs in one envelope; attributes are texts, numbers and booleans with their types."""

    def log(event):
        attributes = {"server.address": event.record["host"], **event.attributes(("host",))}
        flat = lambda value: value if type(value) in TYPES or isinstance(value, str) else compact(value)
        typed = lambda value: {"value": flat(value), "type": TYPES.get(type(value), "string")}
        return {"timestamp": event.ns / 1e9, "level": event.level, "body": event.message, "attributes": {name: typed(value) for name, value in attributes.items()}}

    item = '{"type":"log","content_type":"application/vnd.sentry.items.log+json"}'
    return f'{{}}\n{item}\n{compact({"items": [log(event) for event in events]})}\n'.encode()


# As rsyslog writes line feeds where a frame ends with one.
LINE_FEED = "#012"


def frames(messages, is_counted):
    if is_counted:
        return b"".join(b"%d %s" % (len(frame), frame) for frame in (message.encode() for message in messages))
    return "".join(message.replace("\n", LINE_FEED) + "\n" for message in messages).encode()


def priority(event):
    return 16 * 8 + SEVERITY_OF_LEVEL[event.level]


def rfc5424(event):
    escaped = lambda value: re.sub(r'(["\\\]])', r"\\\1", value)
    params = " ".join(f'{name}="{escaped(value)}"' for name, value in event.texts(("service", "host", "pid")))
    data = f"[bench@32473 {params}]" if params else "-"
    head = f"<{priority(event)}>1 {event.timestamp} {event.record['host']} {event.record['service']} {event.record.get('pid', '-')} -"
    return f"{head} {data} {event.message}"


def rfc3164(event):
    time = datetime.datetime.fromisoformat(event.timestamp[:19])
    pid = f"[{event.record['pid']}]" if "pid" in event.record else ""
    stamp = f"{time:%b} {time.day:2} {time:%H:%M:%S}"
    return f"<{priority(event)}>{stamp} {event.record['host']} {event.record['service']}{pid}: {event.message}"


def syslog(form, is_counted):
    return lambda events: frames(map(form, events), is_counted)


def bodies(events, encode, n_per_body):
    """The bodies of all events."""
    events = iter(events)
    while part := list(itertools.islice(events, n_per_body)):
        yield encode(part)
