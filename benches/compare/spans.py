"""Spans of a drawn company as OTLP and as rows of ClickHouse's RowBinary; log records and JSON lines with the same content.

A chunk has all traces that begin in one part of the range. Its spans are sorted by their ends and sent in bodies of
`SPANS_PER_BODY`, in which the spans of an instance are together, as a collector with a batch processor sends them.
"""
import concurrent.futures
import datetime
import functools
import math
import multiprocessing
import os
import pathlib
import struct
import typing

import numpy

from company import CONSUMER, KIND_NAMES, Company
from door_bodies import compact, field, otlp_pair, varint

SPANS_PER_CHUNK = 50_000
SPANS_PER_BODY = 4_000
N_PROCESSES = 2
ERROR_SHARE = 0.015

# A child begins this long after what its parent did before.
GAP_NS = 60_000

SECOND = 1_000_000_000

# The four empty lists of a row without links.
NO_LINKS = b"\0\0\0\0"


class Attribute(typing.NamedTuple):
    """`n` attributes, encoded for each form."""

    n: int
    span: bytes
    log: bytes
    row: bytes
    json: str


def text(value):
    """A text of RowBinary."""
    content = value.encode()
    return varint(len(content)) + content


def attribute(name, value):
    pair = otlp_pair(name, value)
    as_text = value if isinstance(value, str) else compact(value)
    return Attribute(1, field(9, pair), field(6, pair), text(name) + text(as_text), f"{compact(name)}:{compact(value)}")


# Most values come again: they are encoded once.
known_attribute = functools.lru_cache(200_000)(attribute)


def joined(pairs):
    """Attributes that always come together."""
    parts = [attribute(*pair) for pair in pairs]
    encoded = (b"".join(part[form] for part in parts) for form in (1, 2, 3))
    return Attribute(len(parts), *encoded, ",".join(part.json for part in parts))


def row_map(attributes):
    return varint(sum(part.n for part in attributes)) + b"".join([part.row for part in attributes])


class Head:
    """What all spans of an operation have in common, encoded."""

    def __init__(self, operation):
        name, service = operation.name, operation.service
        self.operation, self.service, self.name = operation, service, name
        self.span = field(5, name.encode()) + bytes([0x30, operation.kind])
        self.flags = b"\x85\x01" + struct.pack("<I", 0x101) if service.has_flags else b""
        self.fixed = [joined([*operation.fixed, *outcome]) for outcome in operation.outcome]
        before = b"\0" + text(name) + text(KIND_NAMES[operation.kind]) + text(service.name)
        after = text(operation.scope[0]) + text(operation.scope[1])
        self.rows = [before + row_map([joined(resource)]) + after for resource in service.instances]
        self.event = operation.event

    def attributes(self, is_failed, randoms):
        return [self.fixed[is_failed], *(known_attribute(*draw(r)) for draw, r in zip(self.operation.varied, randoms))]


class Span(typing.NamedTuple):
    """One span; times in nanoseconds since the epoch."""

    head: Head
    instance: int
    trace_id: bytes
    span_id: bytes
    parent_id: bytes
    start: int
    end: int
    attributes: list
    failure: typing.Optional[int]
    is_origin: bool


def exception_of(span):
    """Type, message and stack trace of the exception of a failed span."""
    return span.head.service.exceptions[span.failure % len(span.head.service.exceptions)]


def events_of(span):
    """Triples of time, name and attributes."""
    events = [(span.start + (span.end - span.start) // 2, span.head.event, [("app.items.count", span.start % 9)])] if span.head.event else []
    if span.is_origin:
        kind, message, stack = exception_of(span)
        events.append((span.end, "exception", [("exception.type", kind), ("exception.message", message), ("exception.stacktrace", stack)]))
    return events


def as_span(span):
    """Field 2 of OTLP's ScopeSpans."""
    parts = [b"\x0a\x10", span.trace_id, b"\x12\x08", span.span_id, b"\x22\x08" + span.parent_id if span.parent_id else b"", span.head.span,
             b"\x39", span.start.to_bytes(8, "little"), b"\x41", span.end.to_bytes(8, "little")]
    parts += [part.span for part in span.attributes]
    for at, name, pairs in events_of(span):
        parts.append(field(11, b"\x09" + at.to_bytes(8, "little") + field(2, name.encode()) + b"".join(field(3, otlp_pair(*pair)) for pair in pairs)))
    if span.failure is not None:
        message = field(2, exception_of(span)[1].encode()) if span.is_origin else b""
        parts.append(field(15, message + b"\x18\x02"))
    parts.append(span.head.flags)
    return field(2, b"".join(parts))


def as_row(span):
    """A row of RowBinary."""
    parts = [span.start.to_bytes(8, "little"), b"\x20", span.trace_id.hex().encode(), b"\x10", span.span_id.hex().encode()]
    parts.append(b"\x10" + span.parent_id.hex().encode() if span.parent_id else b"\0")
    parts += [span.head.rows[span.instance], row_map(span.attributes), (span.end - span.start).to_bytes(8, "little")]
    parts += [b"\x05Unset" if span.failure is None else b"\x05Error", text(exception_of(span)[1] if span.is_origin else "")]
    events = events_of(span)
    n = varint(len(events))
    parts += [n, *(at.to_bytes(8, "little") for at, _, _ in events), n, *(text(name) for _, name, _ in events)]
    parts += [n, *(row_map([joined(pairs)]) for _, _, pairs in events), NO_LINKS]
    return b"".join(parts)


def line(span):
    return f"{span.head.name} {(span.end - span.start) / 1e6:.3f} ms"


def as_log(span):
    """Field 2 of OTLP's ScopeLogs: a record with the ids, the attributes and a line about the span."""
    severity = b"\x10\x09" if span.failure is None else b"\x10\x11"
    parts = [b"\x09", span.start.to_bytes(8, "little"), severity, field(5, field(1, line(span).encode()))]
    parts += [part.log for part in span.attributes]
    parts += [b"\x4a\x10", span.trace_id, b"\x52\x08", span.span_id, b"\x59", span.end.to_bytes(8, "little")]
    return field(2, b"".join(parts))


@functools.lru_cache(8192)
def second(number):
    return datetime.datetime.fromtimestamp(number, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


@functools.lru_cache(4096)
def resource_json(head, instance):
    return joined(head.service.instances[instance]).json


def as_json(span):
    """A line of the native API with the content of the log record and its resource."""
    at = f"{second(span.start // SECOND)}.{span.start % SECOND:09}Z"
    level = "info" if span.failure is None else "error"
    parts = [f'{{"timestamp":"{at}","level":"{level}","message":{compact(line(span))},"trace_id":"{span.trace_id.hex()}","span_id":"{span.span_id.hex()}"']
    return ",".join([*parts, *(part.json for part in span.attributes if part.n), resource_json(span.head, span.instance)]) + "}\n"


def bodies(spans, encode):
    """OTLP requests of spans or log records, whose message types have the same numbers."""
    for first in range(0, len(spans), SPANS_PER_BODY):
        by_instance = {}
        for span in spans[first:first + SPANS_PER_BODY]:
            scopes = by_instance.setdefault((span.head.service, span.instance), {})
            scopes.setdefault(span.head.operation.scope, []).append(encode(span))
        out = []
        for (service, instance), scopes in by_instance.items():
            resource = field(1, b"".join(field(1, otlp_pair(*pair)) for pair in service.instances[instance]))
            scoped = (field(2, field(1, field(1, name.encode()) + field(2, version.encode())) + b"".join(members)) for (name, version), members in scopes.items())
            out.append(field(1, resource + b"".join(scoped)))
        yield len(spans[first:first + SPANS_PER_BODY]), b"".join(out)


class Generator:
    """Chunks of spans between two times, in nanoseconds since the epoch. The same seed and number give the same chunk."""

    def __init__(self, seed, n_spans, first, last):
        self.seed, self.first, self.last = seed, first, last
        self.company = Company(seed)
        self.heads, self.shapes = {}, []
        for shape in self.company.shapes:
            self.shapes.append([(parent, self.head(operation)) for parent, operation in shape])
        shares = numpy.array(self.company.shares)
        self.shares = shares / shares.sum()
        self.spans_per_trace = float(sum(share * len(shape) for share, shape in zip(self.shares, self.shapes)))
        self.n_chunks = max(1, math.ceil(n_spans / SPANS_PER_CHUNK))
        self.n_traces = math.ceil(n_spans / self.n_chunks / self.spans_per_trace)

    def head(self, operation):
        if operation not in self.heads:
            self.heads[operation] = Head(operation)
        return self.heads[operation]

    def chunk(self, number):
        """The spans of a chunk in the order of their ends."""
        drawn = numpy.random.default_rng([self.seed, number])
        length = (self.last - self.first) // self.n_chunks
        counts = drawn.multinomial(self.n_traces, self.shares)
        spans = []
        for shape, n_traces in zip(self.shapes, counts):
            if n_traces:
                spans += traces(shape, int(n_traces), self.first + number * length, length, drawn)
        spans.sort(key=lambda span: span.end)
        return spans


def times(shape, n_traces, drawn):
    """Start after the trace's and duration of each span: arrays of (spans, traces) in nanoseconds."""
    n = len(shape)
    medians, sigmas = (numpy.array([getattr(head.operation, name) for _, head in shape])[:, None] for name in ("median_ns", "sigma"))
    own = (medians * numpy.exp(sigmas * drawn.standard_normal((n, n_traces)))).astype(numpy.int64)
    duration, start = own.copy(), numpy.zeros((n, n_traces), numpy.int64)
    for place in range(n - 1, 0, -1):
        parent, head = shape[place]
        # A producer does not wait for its consumers.
        if head.operation.kind != CONSUMER:
            duration[parent] += duration[place] + GAP_NS
    free = own // 4
    for place in range(1, n):
        parent = shape[place][0]
        start[place] = start[parent] + free[parent] + drawn.integers(0, GAP_NS, n_traces)
        free[parent] += duration[place] + GAP_NS
        free[place] = own[place] // 4
    return start, duration


def traces(shape, n_traces, first, length, drawn):
    """Spans of traces of one shape that begin at random."""
    n = len(shape)
    start, duration = times(shape, n_traces, drawn)
    start += first + drawn.integers(0, length, n_traces)
    starts, ends = start.T.tolist(), (start + duration).T.tolist()
    randoms = drawn.integers(0, 1 << 62, (n_traces, n, 6)).tolist()
    failing = numpy.where(drawn.random(n_traces) < ERROR_SHARE, drawn.integers(0, n, n_traces), -1).tolist()
    ids = drawn.bytes(n_traces * (16 + 8 * n))
    spans = []
    for trace in range(n_traces):
        at = trace * (16 + 8 * n)
        trace_id, span_ids = ids[at:at + 16], [ids[place:place + 8] for place in range(at + 16, at + 16 + 8 * n, 8)]
        failed, place = set(), failing[trace]
        while place >= 0:
            failed.add(place)
            place = shape[place][0]
        for place, (parent, head) in enumerate(shape):
            r = randoms[trace][place]
            is_failed = place in failed
            # All spans of a trace in one service are of one instance.
            instance = randoms[trace][0][5] % len(head.service.instances)
            spans.append(Span(head, instance, trace_id, span_ids[place], span_ids[parent] if parent >= 0 else b"", starts[trace][place], ends[trace][place],
                              head.attributes(is_failed, r), randoms[trace][0][4] if is_failed else None, place == failing[trace]))
    return spans


class Chunk(typing.NamedTuple):
    """A chunk that lies on the disk."""

    n_spans: int
    otlp: pathlib.Path
    rows: pathlib.Path

    def bodies(self):
        with open(self.otlp, "rb") as file:
            while length := file.read(4):
                yield file.read(int.from_bytes(length, "little"))

    def remove(self):
        os.remove(self.otlp)
        os.remove(self.rows)


generator_of_process = None


def begin(*arguments):
    global generator_of_process
    generator_of_process = Generator(*arguments)


def write_chunk(directory, number):
    spans = generator_of_process.chunk(number)
    chunk = Chunk(len(spans), pathlib.Path(directory) / f"{number}.otlp", pathlib.Path(directory) / f"{number}.rows")
    with open(chunk.otlp, "wb") as file:
        for _, body in bodies(spans, as_span):
            file.write(len(body).to_bytes(4, "little") + body)
    with open(chunk.rows, "wb") as file:
        file.writelines(map(as_row, spans))
    return chunk


def chunks(generator, n_spans, directory):
    """Yields chunks in order, made by other processes; at most a few exist at a time."""
    arguments = (generator.seed, n_spans, generator.first, generator.last)
    with concurrent.futures.ProcessPoolExecutor(N_PROCESSES, multiprocessing.get_context("spawn"), begin, arguments) as pool:
        waiting, numbers = [], iter(range(generator.n_chunks))
        for number in numbers:
            waiting.append(pool.submit(write_chunk, directory, number))
            if len(waiting) > N_PROCESSES + 1:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()
