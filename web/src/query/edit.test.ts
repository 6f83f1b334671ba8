import assert from "node:assert/strict";
import { test } from "node:test";

import {
  addFilter,
  canBeNamed,
  condition,
  conditions,
  headOf,
  levelsOf,
  onlyFilter,
  removeCommand,
  toggleFilter,
  toggleLevel,
  withRowFields,
} from "./edit.ts";
import { commands, isNewestFirst, keepsEvents, lex, soughtTexts } from "./lex.ts";

const names = (text: string) => commands(text).map((command) => command.name);

test("commands are separated by pipes and by newlines before a keyword only", () => {
  assert.deepEqual(names("stats avg(timeMs)\n  sort @timestamp desc\n  filter ispresent(timeMs)\n  limit 20"), [
    "stats",
    "sort",
    "filter",
    "limit",
  ]);
  assert.deepEqual(names("fields a,\n fields"), ["fields"]);
  assert.deepEqual(names('filter a like "x | y" | limit 5'), ["filter", "limit"]);
  assert.deepEqual(names("filter a like /x|y/ # | not this\n| limit 5"), ["filter", "limit"]);
  assert.deepEqual(names("connection refused | stats count(*)"), ["", "stats"]);
});

test("tokens follow each other without a gap, whatever the text", () => {
  for (const text of ['filter a = "open', "parse /(?<x>", "`", "a\u{1f600}b | ''", "\\ | ] ) ("]) {
    assert.equal(
      lex(text)
        .map((token) => token.text)
        .join(""),
      text,
    );
  }
});

test("a click adds a filter before what groups or cuts", () => {
  assert.equal(toggleFilter("", "status", "include", 500), "filter status = 500");
  assert.equal(
    toggleFilter("stats count(*) by host", "host", "include", "a"),
    'filter host = "a"\n| stats count(*) by host',
  );
  assert.equal(toggleFilter("fields a | limit 5", "b", "exclude", "x"), 'fields a\n| filter b != "x" | limit 5');
  assert.equal(addFilter("refused", "a = 1"), "refused\n| filter a = 1");
});

test("the same click twice leaves the text as it was", () => {
  for (const text of ["filter a = 1", "filter a = 1 and b = 2\n| stats count(*)", "fields x", "limit 3"]) {
    const once = toggleFilter(text, "c", "include", 'say "hi"\n');
    assert.notEqual(once, text);
    assert.equal(toggleFilter(once, "c", "include", 'say "hi"\n'), text);
  }
});

test("the opposite click turns the condition around where it stands", () => {
  assert.equal(toggleFilter('filter a="x" and b = 2', "a", "exclude", "x"), 'filter a != "x" and b = 2');
  assert.equal(toggleFilter('filter a = "x" and b = 2', "b", "include", 2), 'filter a = "x"');
  assert.equal(toggleFilter("filter a = 1 or b = 2", "b", "include", 2), "filter a = 1 or b = 2\n| filter b = 2");
});

test("odd names and values are quoted", () => {
  assert.equal(condition("foo-bar", "include", "a\\b"), '`foo-bar` = "a\\\\b"');
  assert.equal(condition("limit", "exists", null), "ispresent(`limit`)");
  assert.equal(condition("items.0.id", "exclude", true), "items.0.id != true");
  assert.equal(condition("x", "include", null), "not ispresent(x)");
});

test("levels gather in one condition", () => {
  const one = toggleLevel("stats count(*)", "error");
  assert.equal(one, 'filter @level = "error"\n| stats count(*)');
  const two = toggleLevel(one, "fatal");
  assert.deepEqual(levelsOf(two), ["error", "fatal"]);
  assert.equal(toggleLevel(toggleLevel(two, "error"), "fatal"), "stats count(*)");
});

test("only: one value of a field in place of all that was said of it", () => {
  const check = (before: string, after: string) => {
    assert.equal(onlyFilter(before, "host", "a"), after);
    assert.equal(onlyFilter(after, "host", "a"), after, "once is enough");
  };
  check("", 'filter host = "a"');
  check('filter host = "b" and status = 1', 'filter status = 1\n| filter host = "a"');
  check(
    'filter host != "b"\n| filter host like "c" and not ispresent(host)\n| limit 3',
    'filter host = "a"\n| limit 3',
  );
  check('filter host = "b" or host = "c"', 'filter host = "a"');
  check('filter host in ["b", "c"] and (host = "b" or host = "a")', 'filter host = "a"');
  check('filter host = "a" and host = "b" | filter host = "a"', 'filter host = "a"');
  check('filter host = "b" or status = 1', 'filter host = "b" or status = 1\n| filter host = "a"');
  check("filter strlen(host) > 3 and `host` = `other`", 'filter `host` = `other`\n| filter host = "a"');
  check("stats count(*) by host", 'filter host = "a"\n| stats count(*) by host');
  assert.equal(onlyFilter("filter `a-b` = 1 and a = 2", "a-b", 3), "filter a = 2\n| filter `a-b` = 3");
});

test("each condition can be left out", () => {
  assert.deepEqual(
    conditions("filter a = 1 and b = 2 | limit 3").map((one) => one.without),
    ["filter b = 2 | limit 3", "filter a = 1 | limit 3"],
  );
  assert.deepEqual(
    conditions("refused").map((one) => one.without),
    [""],
  );
  const [first] = commands("limit 3\n| filter x = 1");
  assert.equal(first && removeCommand("limit 3\n| filter x = 1", first), "filter x = 1");
});

test("rows get the fields they are shown with, unless the query shapes them itself", () => {
  assert.equal(
    withRowFields("", ["host", "a-b"]),
    "fields @timestamp, @level, @log, @logStream, @message, @id, host, `a-b`",
  );
  assert.equal(
    withRowFields("filter a = 1 # why", []),
    "filter a = 1 # why\n| fields @timestamp, @level, @log, @logStream, @message, @id",
  );
  assert.equal(
    withRowFields("display @message, a | limit 3", ["b"]),
    "display @message, a, @timestamp, @level, @log, @logStream, @id, b | limit 3",
  );
  assert.equal(withRowFields("stats count(*)", []), null);
  assert.equal(keepsEvents("filter stats = 1"), true);
  assert.equal(keepsEvents("STATS count(*)"), false);
});

test("what the query looks for is marked, what it excludes is not", () => {
  assert.deepEqual(soughtTexts('filter a like "refu\\"sed" and b not like "ok" and c like /time out/i'), [
    'refu"sed',
    "time out",
  ]);
  assert.deepEqual(soughtTexts("connection refused"), ["connection refused"]);
});

test("a name with a backtick or a line break cannot be written, every other one can", () => {
  for (const name of ["a`b", "a\nb", "a\r\nb", ""]) assert.equal(canBeNamed(name), false, JSON.stringify(name));
  for (const name of ["a", "<b evil>", "\u0000\u001b[31m", "a b|c"])
    assert.equal(canBeNamed(name), true, JSON.stringify(name));
});

test("the head of a query is what says which events are meant", () => {
  assert.equal(
    headOf('filter a = 1 | fields b, c | parse d "*" as e\n| stats count(*) by e | filter n > 2'),
    'filter a = 1\n| parse d "*" as e',
  );
  assert.equal(headOf("out of memory"), "out of memory");
  assert.equal(headOf("stats count(*)"), "");
  assert.equal(headOf("limit 5 | filter a = 1"), "");
});

test("events are newest first unless the query orders them otherwise", () => {
  for (const query of [
    "",
    "filter sort = 1",
    "sort @timestamp desc | limit 5",
    "sort took | ORDER BY `@timestamp` DESC",
  ])
    assert.equal(isNewestFirst(query), true, query);
  for (const query of ["sort @timestamp asc", "sort @timestamp", "filter a = 1\nsort took desc", "tail 5"])
    assert.equal(isNewestFirst(query), false, query);
});
