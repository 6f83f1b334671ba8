"""The way from each node to the bucket and to the database, which fails as it is told.

A node has two gates of its own. Bytes that a silent gate holds back arrive when it opens again, as after a break of a network.
"""
import asyncio
import collections
import random
import re
import socket
import struct
import threading
import time

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
INTERNAL = b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"
# What transactions contain, and what they do.
KINDS = {b"INSERT ": "change", b"UPDATE ": "change", b"DELETE ": "change", b"INTO segments": "flush", b"DELETE FROM segments": "compaction"}
# How long a database is not reached that lost a connection in a commit, as in a fail-over.
FAIL_OVER_S = 0.5
OPEN, REFUSING, SILENT = "open", "refusing", "silent"


def executed(chunk, statements):
    """What a message of a client has executed: statements are prepared once, under names, and then only named."""
    for name, text in re.findall(rb"P....([^\x00]+)\x00([^\x00]*)\x00", chunk, re.DOTALL):
        statements[name] = text
    rest = re.sub(rb"P....[^\x00]+\x00[^\x00]*\x00", b"", chunk, flags=re.DOTALL)
    named = [statements[name] for name in re.findall(rb"B....\x00([^\x00]+)\x00", rest, re.DOTALL) if name in statements]
    return b"\n".join([rest, *named])


class Gate:
    """A listening port through which one node reaches one server."""

    def __init__(self, network, address):
        self.network, self.address, self.writers = network, address, set()
        self.random = random.Random(0)
        self.n_failed, self.swallowed, self.refuses_until = 0, collections.Counter(), 0
        # Connections in a transaction that others wait for.
        self.locking = set()
        self.restore()

    def restore(self):
        self.state, self.delay_s, self.fail_share, self.swallow_share = OPEN, 0, 0, 0

    async def listen(self):
        server = await asyncio.start_server(self.accept, self.address, 0)
        self.port = server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        self.writers.add(writer)
        try:
            await self.until_open()
            await self.serve(reader, writer)
        except (OSError, EOFError):
            pass
        finally:
            self.writers.discard(writer)
            abort(writer)

    async def until_open(self):
        """Waits while nothing passes; the error ends the connection."""
        while self.state == SILENT:
            await asyncio.sleep(0.02)
        if self.state == REFUSING or time.monotonic() < self.refuses_until:
            raise ConnectionResetError

    def set(self, **values):
        """Changes what happens from now on; a refusing gate also ends the connections that there are."""
        def change():
            for name, value in values.items():
                assert hasattr(self, name), name
                setattr(self, name, value)
            if self.state == REFUSING:
                for writer in self.writers:
                    abort(writer)
        self.network.run(change)

    def is_hit(self):
        """Whether this request is one of those that fail."""
        hit = self.random.random() < self.fail_share
        self.n_failed += hit
        return hit

    def swallows(self, kind):
        """Whether the answer to this write is dropped; flushes and compactions are rare, so that few are spared."""
        swallows = self.random.random() < self.swallow_share * {"flush": 4, "compaction": 10}.get(kind, 1)
        self.swallowed[kind] += swallows
        return swallows


class BucketGate(Gate):
    """Forwards requests of HTTP, each over a connection of its own."""

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b""
        await asyncio.sleep(self.delay_s)
        await self.until_open()
        fate = self.random.choice(["slow down", "error", "cut", "cut after"]) if self.is_hit() else None
        if fate == "cut":
            return
        if fate in ("slow down", "error"):
            status, text = (b"503 Slow Down", SLOW_DOWN) if fate == "slow down" else (b"500 Internal Server Error", INTERNAL)
            writer.write(b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (status, len(text), text))
            await close(writer)
            return
        back, forth = await asyncio.open_connection("127.0.0.1", self.network.bucket_port)
        try:
            forth.write(head + body)
            answer = await back.read(-1)
        finally:
            abort(forth)
        await self.until_open()
        if fate is None and not (head.startswith(b"PUT") and self.swallows("put")):
            writer.write(answer)
            await close(writer)


class DatabaseGate(Gate):
    """Forwards a connection to PostgreSQL; a request is a transaction."""

    async def serve(self, reader, writer):
        back, forth = await asyncio.open_unix_connection(self.network.database_socket)
        session = {"fate": None, "swallowing": False, "kinds": set(), "statements": {}}
        ways = [asyncio.create_task(self.forth(reader, forth, writer, session)), asyncio.create_task(self.back(back, writer, session))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.locking.discard(writer)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            abort(forth)

    async def forth(self, reader, forth, writer, session):
        while chunk := await reader.read(1 << 16):
            await asyncio.sleep(self.delay_s)
            await self.until_open()
            text = executed(chunk, session["statements"])
            if b"BEGIN" in text:
                session["fate"] = self.random.choice(["begin", "before", "after"]) if self.is_hit() else None
                session["kinds"] = set()
            session["kinds"] |= {kind for word, kind in KINDS.items() if word in text}
            is_commit = b"COMMIT" in text
            if session["fate"] == ("before" if is_commit else "begin"):
                return
            kind = next((kind for kind in ("compaction", "flush", "change") if kind in session["kinds"]), None)
            if is_commit and (session["fate"] == "after" or kind and self.swallows(kind)):
                session["swallowing"] = True
            if b"FOR UPDATE" in text:
                self.locking.add(writer)
            elif is_commit:
                self.locking.discard(writer)
            forth.write(chunk)
            await forth.drain()

    async def back(self, back, writer, session):
        while chunk := await back.read(1 << 16):
            await self.until_open()
            if session["swallowing"]:
                self.refuses_until = time.monotonic() + FAIL_OVER_S
                return
            writer.write(chunk)
            await writer.drain()


class Network:
    """All gates, in a thread of their own."""

    def __init__(self, bucket_port, database_socket):
        self.bucket_port, self.database_socket = bucket_port, database_socket
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def gate(self, kind, address, seed):
        """Opens a gate at an address."""
        gate = kind(self, address)
        gate.random = random.Random(seed)
        asyncio.run_coroutine_threadsafe(gate.listen(), self.loop).result()
        return gate

    def run(self, change):
        """Changes something between two events of the network."""
        async def changing():
            change()
        asyncio.run_coroutine_threadsafe(changing(), self.loop).result()


def abort(writer):
    """Ends a connection with a reset."""
    if writer.is_closing():
        return
    plug = writer.get_extra_info("socket")
    if plug is not None and plug.family != socket.AF_UNIX and plug.fileno() >= 0:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def close(writer):
    """Ends a connection after everything was sent."""
    await writer.drain()
    writer.write_eof()
    # The other side closes once it has the answer; a reset before that might overtake it.
    await asyncio.sleep(0)
    writer.close()
    await writer.wait_closed()
