import assert from "node:assert/strict";
import { test } from "node:test";

import { RowMaker } from "../rows.ts";
import { LineCutter, typeOf } from "./lines.ts";

test("lines are the same however they are cut into pieces", () => {
  const bytes = new TextEncoder().encode('{"columns":[]}\n["Grüße – 日本"]\n\n{"stats":{}}');
  for (let size = 1; size <= bytes.length; size += 1) {
    const cutter = new LineCutter();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) lines.push(...cutter.push(bytes.slice(at, at + size)));
    assert.deepEqual([...lines, cutter.end()], ['{"columns":[]}', '["Grüße – 日本"]', '{"stats":{}}']);
  }
});

test("types of values that are known so far", () => {
  assert.equal(typeOf([1, null, 2]), "integer");
  assert.equal(typeOf([1, 2.5]), "float");
  assert.equal(typeOf(["2026-11-20T12:00:00Z", "2026-11-20T12:00:00.123456789Z"]), "timestamp");
  assert.equal(typeOf(["2026-11-20T12:00:00Z", "no"]), "string");
  assert.equal(typeOf([1, "a"]), "any");
  assert.equal(typeOf([null]), "any");
});

test("rows keep what is shown, and say their group where several meet", () => {
  const columns = ["host", "@timestamp", "@level", "@log", "@logStream", "@message", "@id"].map((name) => ({
    name,
    type: "any",
  }));
  const shape = { query: "fields host", columns: [], withFields: true };
  const maker = new RowMaker(columns, shape, false);
  const event = maker.event(
    ["x".repeat(5000), "2026-11-20T12:00:00Z", "info", "a", "s", "m".repeat(1_000_000), "id1"],
    undefined,
    0,
  );
  assert.deepEqual([event.id, event.message.length, String(event.cells["host"]).length], ["id1", 4096, 4096]);
  assert.deepEqual(
    maker.columns.map((column) => column.name),
    ["host"],
  );
  const bare = new RowMaker(columns.slice(1), { query: "", columns: [], withFields: true }, false);
  const row = (group: string) =>
    bare.event(["2026-11-20T12:00:00Z", "info", group, "s", '{"message":"hello","n":1}', `id ${group}`], undefined, 0);
  assert.equal(row("a").message, "hello");
  assert.deepEqual(
    bare.columns.map((column) => column.name),
    ["@message"],
  );
  row("b");
  assert.deepEqual(
    bare.columns.map((column) => column.name),
    ["@log", "@message"],
  );
  assert.equal(
    new RowMaker([{ name: "n", type: "any" }], { query: "stats count(*) as n", columns: [], withFields: false }, false)
      .kind,
    "table",
  );
});
