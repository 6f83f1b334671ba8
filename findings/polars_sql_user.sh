#!/usr/bin/env bash
# Polars 2.1.0 (PyPI): in SQL, `user` without quotes is a function even where the frame has a column of this name, and so is `t.user`, with
# the table before it; with quotes it is the column. DuckDB 2.0.1 and DataFusion 55.0.0 take the column in each of the three.
# Whoever queries logs with a field `user` has to quote it for Polars.
# Source: https://docs.pola.rs/api/python/stable/reference/sql/, which lists no function of this name.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet polars==2.1.0 duckdb==2.0.1 datafusion==55.0.0 pyarrow==26.0.1
"$scratch/venv/bin/python" - <<'PY'
import datafusion
import duckdb
import polars
import pyarrow

table = pyarrow.table({"user": ["ani", "budi"], "n": [1, 2]})


def by_polars(sql):
    return [row[0] for row in polars.SQLContext(t=polars.from_arrow(table)).execute(sql, eager=True).rows()]


def by_duckdb(sql):
    connection = duckdb.connect()
    connection.register("t", table)
    return [row[0] for row in connection.execute(sql).fetchall()]


def by_datafusion(sql):
    context = datafusion.SessionContext()
    context.register_record_batches("t", [table.to_batches()])
    return [row["user"] for row in context.sql(sql).to_pylist()]


for sql, expected in [
    ('SELECT user FROM t', "unsupported function 'user'"),
    ('SELECT t.user FROM t', "unsupported function 't'"),
    ('SELECT "user" FROM t', ["ani", "budi"]),
]:
    for other in (by_duckdb, by_datafusion):
        assert sorted(other(sql)) == ["ani", "budi"], (other, sql)
    try:
        found = by_polars(sql)
    except polars.exceptions.SQLInterfaceError as error:
        found = str(error).splitlines()[0]
    print(f"Polars: {sql}: {found}")
    assert found == expected, found
PY
