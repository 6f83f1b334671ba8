"""JSON documents without a message, of JSONBench's shape: bytes, and its five questions beside chDB's JSON type."""
import json
import os
import re
import subprocess
import sys

import corpus
import measure
from catat import Catat

DISK_MAX = 0.17
PEAK_MB_MAX = 300
TIME_RATIO_MAX = 1.0
ROUNDS = 5

TABLE = """create table bench.documents (data JSON(kind LowCardinality(String), commit.operation LowCardinality(String),
commit.collection LowCardinality(String), did String, time_us UInt64) codec(ZSTD(1))) engine = MergeTree
order by (data.kind, data.commit.operation, data.commit.collection, data.did, fromUnixTimestamp64Micro(data.time_us))"""

CREATED = "data.kind = 'commit' and data.commit.operation = 'create'"
CREATED_HERE = 'filter kind = "commit" and commit.operation = "create"'
POSTS, POSTS_HERE = f"{CREATED} and data.commit.collection = 'app.bsky.feed.post'", f'{CREATED_HERE} and commit.collection = "app.bsky.feed.post"'

# What is asked, in our words and in chDB's. Counts of distinct values are exact in both up to 16,384, beyond that ours are within 2 %.
QUESTIONS = [
    ("counts by collection",
     "stats count(*) as n by commit.collection | sort n desc",
     "select data.commit.collection as c, count() as n from bench.documents group by c order by n desc"),
    ("distinct users by collection",
     f"{CREATED_HERE} | stats count(*) as n, count_distinct(did) as users by commit.collection | sort n desc",
     f"select data.commit.collection as c, count() as n, uniqExact(data.did) as users from bench.documents where {CREATED} group by c order by n desc"),
    ("counts by collection and hour",
     f'{CREATED_HERE} and commit.collection in ["app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.feed.like"]'
     " | stats count(*) as n by commit.collection, hour(fromMillis(time_us / 1000)) as h | sort h asc, commit.collection asc",
     "select data.commit.collection as c, toHour(fromUnixTimestamp64Micro(data.time_us)) as h, count() as n from bench.documents"
     f" where {CREATED} and c in ['app.bsky.feed.post', 'app.bsky.feed.repost', 'app.bsky.feed.like'] group by c, h order by h, c"),
    ("first posts of users",
     f"{POSTS_HERE} | stats min(time_us) as first by did | sort first asc, did asc | limit 3",
     f"select data.did::String as u, min(data.time_us) as f from bench.documents where {POSTS} group by u order by f, u limit 3"),
    ("longest spans of users",
     f"{POSTS_HERE} | stats max(time_us) - min(time_us) as span by did | sort span desc, did asc | limit 3",
     f"select data.did::String as u, max(data.time_us) - min(data.time_us) as s from bench.documents where {POSTS} group by u order by s desc, u limit 3"),
]


def write(path, options):
    """Generates the documents, and returns one id out of them."""
    if options.corpus:
        os.symlink(os.path.abspath(options.corpus), path)
    else:
        subprocess.run(corpus.command(options.documents, path, options.seed, "documents"), cwd=corpus.ROOT, check=True)
    with open(path, encoding="utf-8") as file:
        return re.search(r'"cid":"(\w+)"\}\}', next(line for line in file if '"operation":"create"' in line))[1]


def cells(rows):
    """Rows as both engines give them: numbers as numbers, columns in one order."""
    number = lambda cell: int(cell) if re.fullmatch(r"-?\d+", str(cell)) else cell
    return [sorted(map(str, map(number, row))) for row in rows if row[0] not in ("", None) and None not in row]


def is_same(ours, theirs):
    """Whether answers are equal, counts of distinct values up to 2 %."""
    near = lambda a, b: a == b or (a.isdigit() and b.isdigit() and abs(int(a) - int(b)) <= 0.02 * int(b))
    return len(ours) == len(theirs) and all(len(a) == len(b) and all(map(near, a, b)) for a, b in zip(ours, theirs))


class ChDb:
    """chDB with JSONBench's own table."""

    def __init__(self, directory, path):
        from chdb import session
        self.session = session.Session(directory)
        self.session.query("create database if not exists bench")
        self.session.query(TABLE)
        self.session.query(f"insert into bench.documents select * from file('{path}', JSONAsObject)")
        self.session.query("optimize table bench.documents final")

    def ask(self, sql):
        return json.loads(self.session.query(sql, "JSONCompact").bytes())["data"]

    def disk_bytes(self):
        return int(self.ask("select sum(bytes_on_disk) from system.parts where active and table = 'documents'")[0][0])


def best_of(ask):
    """The first time and the least of several more, in milliseconds, and the answer."""
    first, rows = measure.timed(ask)
    return first, min(measure.timed(ask)[0] for _ in range(ROUNDS)), rows


def documents(options, work, judge):
    """Bytes stored, words found, and JSONBench's questions, as ratios to chDB in the same run."""
    path = os.path.join(work, "documents.ndjson")
    needle = write(path, options)
    raw = os.path.getsize(path)
    server = Catat(options.binary, work, with_cache=False)
    try:
        cpu_before = server.cpu_s()
        server.ingest(path, {"events": options.documents})
        server.settle()
        stored = measure.bytes_below(server.data_dir / "segments")
        print(f"{options.documents / (server.cpu_s() - cpu_before):,.0f} documents per CPU-second, {raw:,} bytes raw, {measure.zstd_bytes([path]):,} as zstd -3")
        judge.at_most("bytes of segments to raw", stored / raw, DISK_MAX)
        judge.at_most("peak memory in MB", server.memory_peak_mb(), PEAK_MB_MAX)
        ask = lambda query: server.post_query({"query": query, "limit": 100})["rows"]
        first, best, rows = best_of(lambda: ask(f'filter @message like "{needle}" | stats count(*) as n'))
        print(f"an id in the text: first {first:.1f} ms, then {best:.1f} ms, {rows[0][0]} documents")
        if rows[0][0] < 1:
            judge.missed.append("the id was not found")
        try:
            chdb = ChDb(os.path.join(work, "chdb"), path)
        except ImportError:
            print("left out: chDB (benches/compare/requirements.txt)")
            chdb = None
        if chdb:
            print(f"chDB stores {chdb.disk_bytes() / raw:.4f} of raw, catat {stored / raw:.4f}")
        for name, ours, theirs in QUESTIONS:
            first, best, rows = best_of(lambda ours=ours: ask(ours))
            print(f"{name}: first {first:.1f} ms, then {best:.1f} ms")
            if chdb:
                _, other, other_rows = best_of(lambda theirs=theirs: chdb.ask(theirs))
                judge.at_most(f"{name}, ms to chDB's {other:.1f}", best / other, TIME_RATIO_MAX)
                if not is_same(cells(rows), cells(other_rows)):
                    judge.missed.append(f"{name}: {rows[:3]} and {other_rows[:3]}")
    except RuntimeError as error:
        sys.exit(str(error))
    finally:
        server.stop()
