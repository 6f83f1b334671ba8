"""chDB (ClickHouse in a process) and DuckDB: each in a process of its own, so that its costs can be told.

Run as a program it is that process: `embedded.py ENGINE DIRECTORY FACTS` reads one JSON request a line and answers with
one. `FACTS` is what the generator told of the corpus, as JSON: how its fields are called.
Times are taken inside it, so that neither HTTP nor the pipe is charged to these engines.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

import measure

# Fields by the type that suits them, under their usual names.
TEXTS = ["referer", "user_agent", "span_id", "parent_span_id", "path"]
LABELS = ["method", "pod", "namespace", "component", "thread", "event_id", "env", "user_id", "version", "region", "interface_id", "action"]
ADDRESSES = ["client_ip", "dst_addr"]
INTEGERS = ["status", "bytes", "pid", "src_port", "dst_port", "protocol", "packets"]


def named(facts, usual):
    """What fields are called in this corpus."""
    return [facts["names"].get(name, name) for name in usual]


class Embedded(measure.Costs):
    """One engine, loaded from the corpus file itself."""

    def __init__(self, name, work, facts):
        super().__init__()
        self.name, self.data_dir, self.facts = name, pathlib.Path(work) / f"{name}-data", facts
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), self.name, str(self.data_dir), json.dumps(self.facts)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.call("ping")

    @property
    def pid(self):
        return self.process.pid

    def call(self, operation, argument=""):
        self.process.stdin.write(json.dumps([operation, argument]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended: {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def ingest(self, path, _facts):
        self.call("load", path)

    def settle(self):
        self.call("settle")
        measure.wait_idle(self.cpu_s)

    def ask(self, query):
        answer = self.call("ask", query.clickhouse if self.name == "chdb" else query.duckdb)
        return answer["ms"], answer["rows"]

    def restart(self):
        """A fresh process; what it reads lies in the page cache, as far as that holds it."""
        self.stop()
        self.start()

    def restart_cold(self):
        """A fresh process whose first reads come from the disk, as far as that is permitted."""
        self.stop()
        measure.drop_page_cache()
        measure.drop_files(self.data_dir)
        self.start()

    def stop(self):
        self.remember_costs()
        self.process.stdin.close()
        self.process.wait(timeout=120)


class ChDb:
    """ClickHouse as a careful user sets it up: typed columns in order of time, a text index on the message.

    Data parts are not synced (`fsync_after_insert = 0`, its default): what it takes in is not durable.
    """

    def __init__(self, directory, facts):
        from chdb import session
        self.facts = facts
        self.session = session.Session(directory)
        self.session.query("create database if not exists bench")
        self.session.query("use bench")

    def query(self, sql):
        return self.session.query(sql, "JSONCompact")

    def columns(self):
        of = lambda usual, kind: dict.fromkeys(named(self.facts, usual), kind)
        kinds = {"timestamp": "DateTime64(9, 'UTC') codec(Delta, ZSTD(1))", "message": "String codec(ZSTD(1))"}
        kinds |= of(["trace_id"], "String codec(ZSTD(1))") | of(["level", "service", "host"], "LowCardinality(String)")
        kinds |= of(TEXTS, "Nullable(String) codec(ZSTD(1))") | of(LABELS, "LowCardinality(Nullable(String))")
        kinds |= of(ADDRESSES, "String codec(ZSTD(1))") | of(INTEGERS, "Nullable(Int64) codec(ZSTD(1))")
        kinds |= of(["duration_ms"], "Nullable(Float64) codec(ZSTD(1))")
        kinds |= {"k8s": "Tuple(node LowCardinality(String), container LowCardinality(String))"}
        kinds |= dict.fromkeys(self.facts["extras"], "Nullable(String) codec(ZSTD(1))")
        return ", ".join(f"{name} {kind}" for name, kind in kinds.items())

    def load(self, path):
        trace = named(self.facts, ["trace_id"])[0]
        indexes = f"index words message type text(tokenizer = 'splitByNonAlpha'), index traces {trace} type bloom_filter(0.01) granularity 1"
        self.session.query(f"create table e ({self.columns()}, {indexes}) engine = MergeTree order by timestamp")
        self.session.query(f"insert into e select * from file('{path}', 'JSONEachRow', '{self.structure()}') settings date_time_input_format = 'best_effort', input_format_json_read_numbers_as_strings = 1")

    def structure(self):
        """The columns and types of the table, as the argument of `file()`."""
        sql = "select name, type from system.columns where database = 'bench' and table = 'e'"
        return ", ".join(f"{name} {kind}" for name, kind in self.ask(sql)).replace("'", "\\'")

    def settle(self):
        while int(self.ask("select count() from system.merges")[0][0]):
            time.sleep(0.2)

    def ask(self, sql):
        return json.loads(self.query(sql).bytes())["data"]


class DuckDb:
    """DuckDB with all columns typed, in a database file. It has no index over words: texts are scanned."""

    def __init__(self, directory, facts):
        import duckdb
        self.facts = facts
        os.makedirs(directory, exist_ok=True)
        self.database = duckdb.connect(os.path.join(directory, "events.duckdb"))

    def load(self, path):
        of = lambda usual, kind: dict.fromkeys(named(self.facts, usual), kind)
        kinds = {"timestamp": "timestamp_ns", "k8s": "struct(node varchar, container varchar)"} | of(["duration_ms"], "double")
        kinds |= of(["level", "service", "host", "message", "trace_id", *TEXTS, *LABELS, *ADDRESSES], "varchar") | of(INTEGERS, "bigint")
        kinds |= dict.fromkeys(self.facts["extras"], "varchar")
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in kinds.items())
        self.database.execute(f"create table e as select * from read_json('{path}', format = 'newline_delimited', columns = {{{columns}}})")

    def settle(self):
        self.database.execute("checkpoint")

    def ask(self, sql):
        rows = self.database.execute(sql).fetchall()
        return [[cell if cell is None or isinstance(cell, (int, float, str)) else str(cell) for cell in row] for row in rows]


def main():
    engine = {"chdb": ChDb, "duckdb": DuckDb}[sys.argv[1]](sys.argv[2], json.loads(sys.argv[3]))
    answers = os.fdopen(os.dup(1), "w")
    # Libraries that print must not print into the answers.
    os.dup2(2, 1)
    for line in sys.stdin:
        operation, argument = json.loads(line)
        try:
            answer = {}
            if operation == "ask":
                answer["ms"], answer["rows"] = measure.timed(lambda: engine.ask(argument))
            elif operation != "ping":
                getattr(engine, operation)(*([argument] if argument else []))
        except Exception as error:  # pylint: disable=broad-except
            answer = {"error": f"{type(error).__name__}: {str(error)[:500]}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    if hasattr(engine, "session"):
        engine.session.close()


if __name__ == "__main__":
    main()
