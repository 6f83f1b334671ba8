// Variables in queries: that every value stands as what it is, and none changes what is asked.

import assert from "node:assert/strict";
import { test } from "node:test";

import { builtIns } from "./interval.ts";
import { chosen, filled, FillError, filledText, namesIn, type Choices } from "./variables.ts";

const one = (value: string): Choices => ({ v: { values: [value], isAll: false } });
const two: Choices = { v: { values: ["a.b", 'c"d'], isAll: false } };
const all: Choices = { v: { values: ["a", "b"], isAll: true } };

test("a value stands in quotes outside of texts, and cannot end them", () => {
  assert.equal(filled("filter s = $v | stats count(*)", "insights", one("pay")), 'filter s = "pay" | stats count(*)');
  assert.equal(filled("filter s = ${v}x", "insights", one("pay")), 'filter s = "pay"x');
  const hostile = '" or 1 = 1 | delete\n#\\';
  assert.equal(filled("filter s = $v", "insights", one(hostile)), 'filter s = "\\" or 1 = 1 | delete\\n#\\\\"');
  assert.equal(filled('filter s = "x $v y"', "insights", one('a"b\\')), 'filter s = "x a\\"b\\\\ y"');
  assert.equal(filled("host:$v", "lucene", one('x" OR *')), 'host:"x\\" OR *"');
});

test("several values are a list after `in`, alternatives in a regular expression, and refused elsewhere", () => {
  assert.equal(filled("filter s in $v", "insights", two), 'filter s in ["a.b", "c\\"d"]');
  assert.equal(filled("filter s in $v", "insights", one("a")), 'filter s in ["a"]');
  assert.equal(filled("filter s like /^$v$/", "insights", two), 'filter s like /^(?:a\\.b|c"d)$/');
  assert.equal(filled('up{host=~"$v"}', "promql", two), 'up{host=~"(?:a\\\\.b|c\\"d)"}');
  assert.equal(filled("host:$v", "kql", two), 'host:("a.b" OR "c\\"d")');
  for (const [query, language] of [
    ["filter s = $v", "insights"],
    ['filter s = "$v"', "insights"],
    ['up{host="$v"}', "promql"],
    ["topk($v, up)", "promql"],
  ] as const)
    assert.throws(() => filled(query, language, two), FillError, query);
});

test("all values are everything in a regular expression, and the list of them after `in`", () => {
  assert.equal(filled('up{host=~"$v"}', "promql", all), 'up{host=~".*"}');
  assert.equal(filled("filter s in $v", "insights", all), 'filter s in ["a", "b"]');
  assert.equal(filledText("Errors of $v", all, "all"), "Errors of all");
});

test("outside of texts PromQL takes names and numbers alone", () => {
  assert.equal(filled("topk($v, up)", "promql", one("5")), "topk(5, up)");
  assert.throws(() => filled("topk($v, up)", "promql", one("1, up) or vector(1")), FillError);
});

test("a slash that ends a regular expression is escaped, a name without variable and a comment stay", () => {
  assert.equal(filled("filter p like /$v/", "insights", one("/api/x")), "filter p like /\\/api\\/x/");
  assert.equal(filled("filter a / $w > 1 # $v", "insights", one("x")), "filter a / $w > 1 # $v");
  assert.equal(
    filled('label_replace(x, "a", "$1", "b", "$v")', "promql", one("y")),
    'label_replace(x, "a", "$1", "b", "y")',
  );
  assert.deepEqual(namesIn("$a ${b} $1 $$c"), ["a", "b", "c"]);
});

test("without a choice it is the default, then all, then the first value", () => {
  assert.deepEqual(chosen({ default: ["x"] }, ["a", "x"], undefined), { values: ["x"], isAll: false });
  assert.deepEqual(chosen({ all: true }, ["a", "b"], undefined), { values: ["a", "b"], isAll: true });
  assert.deepEqual(chosen({}, ["a", "b"], undefined), { values: ["a"], isAll: false });
  assert.deepEqual(chosen({ all: true, multiple: true }, ["a", "b"], ["b"]), { values: ["b"], isAll: false });
  assert.deepEqual(chosen({}, ["a", "b"], ["b", "a"]), { values: ["b"], isAll: false });
});

test("built-in variables suit the range, and stand without quotes", () => {
  const of = (seconds: number) =>
    Object.values(builtIns({ from: 0, to: seconds * 1000 })).map(({ values }) => values[0]);
  assert.deepEqual(of(60), ["1s", "60s", "60s"]);
  assert.deepEqual(of(3600), ["30s", "60s", "3600s"]);
  assert.deepEqual(of(86_400), ["600s", "615s", "86400s"]);
  assert.deepEqual(of(365 * 86_400), ["604800s", "604815s", "31536000s"]);
  const choices = builtIns({ from: 0, to: 3_600_000 });
  assert.equal(filled("stats count(*) by bin($__interval)", "insights", choices), "stats count(*) by bin(30s)");
  assert.equal(filled("rate(x[$__rate_interval])", "promql", choices), "rate(x[60s])");
});

test("TraceQL and ES|QL have values in their own form, and comments of their own", () => {
  assert.equal(filled('{ .a =~ "$v" } | rate()', "traceql", two), '{ .a =~ "(?:a\\\\.b|c\\"d)" } | rate()');
  assert.equal(filled('// $v\n/* $v */ { .a = "$v" }', "traceql", one('x"y')), '// $v\n/* $v */ { .a = "x\\"y" }');
  assert.throws(() => filled("{ $v }", "traceql", one("a || b")), FillError);
  assert.equal(filled("FROM a | WHERE s == $v", "esql", one('a"b')), 'FROM a | WHERE s == "a\\"b"');
  assert.equal(filled("FROM a | WHERE s IN $v", "esql", two), 'FROM a | WHERE s IN ("a.b", "c\\"d")');
  const nested = "FROM a /* /* $v */ $v */ | WHERE s == $v // $v";
  assert.equal(filled(nested, "esql", one("x")), 'FROM a /* /* $v */ $v */ | WHERE s == "x" // $v');
  assert.equal(
    filled('FROM a /*/ $v */ | WHERE s == "" AND t == $v', "esql", one("x")),
    'FROM a /*/ $v */ | WHERE s == "" AND t == "x"',
  );
  assert.throws(() => filled('FROM a | WHERE s == """$v"""', "esql", one("x")), FillError);
  const choices = builtIns({ from: 0, to: 3_600_000 });
  assert.equal(
    filled("FROM a | STATS COUNT(*) BY BUCKET(@timestamp, $__interval)", "esql", choices),
    "FROM a | STATS COUNT(*) BY BUCKET(@timestamp, 30s)",
  );
});
