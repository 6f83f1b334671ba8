import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { ApiError, unreachable } from "../../api.ts";
import { choose } from "../../texts.ts";
import { EXPECTED, HINTS, PROBLEMS } from "./problems.ts";
import { ADVICE, FINDINGS } from "./doctor.ts";
import { sentence } from "./sentence.ts";

const TABLES = [...Object.values(PROBLEMS), HINTS, EXPECTED, FINDINGS, ADVICE];

test("what is wrong is said in Indonesian, and what it names stays", () => {
  const said = (code: string, english: string, indonesian: string) => assert.equal(sentence(code, english), indonesian);
  said("unknown-command", "there is no command `stat`", "tidak ada perintah `stat`");
  said("unknown-command", 'did you mean "stats"?', 'mungkin maksud Anda "stats"?');
  said(
    "unknown-field",
    "no event in these groups and this time range has the field `sevice`",
    "tidak ada peristiwa di grup dan rentang waktu ini yang memiliki bidang `sevice`",
  );
  said("unknown-field", "fields are a, b, c and 12 more", "bidang yang ada: a, b, c, dan 12 lagi");
  said("unknown-group", "did you mean app/web or app/db?", "mungkin maksud Anda app/web atau app/db?");
  said(
    "bad-time",
    'from: "foo" is no time; write now-1h, now/d, 2026-11-20T06:00:00Z, 2026-11-20 or seconds since 1970',
    'from: "foo" bukan waktu; tulis now-1h, now/d, 2026-11-20T06:00:00Z, 2026-11-20, atau detik sejak 1970',
  );
  said("not-allowed", "this needs a key with the role admin", "ini memerlukan kunci dengan peran admin");
  said("not-found", 'there is no dashboard "shop"', 'tidak ada dasbor "shop"');
  said(
    "query-memory",
    "query needs more than 1048576 bytes of memory (limits.query_memory); ask for a shorter range, fewer groups or a limit",
    "kueri memerlukan lebih dari 1048576 byte memori (limits.query_memory); pilih rentang yang lebih pendek, grup yang lebih sedikit, atau batasi dengan limit",
  );
  said(
    "doctor",
    "other users of this machine can read data/admin.key, which allows everything",
    "pengguna lain di mesin ini dapat membaca data/admin.key, yang membolehkan segalanya",
  );
  said("doctor", "mount a volume there", "pasang volume di sana");
  said("body-too-large", "see /docs/troubleshooting#body-too-large", "lihat /docs/troubleshooting#body-too-large");
});

test("findings are said in Indonesian, with its commas; what they name stays, and so does what has no form", () => {
  const said = (english: string, indonesian: string) => assert.equal(sentence("finding", english), indonesian);
  said(
    "started 27 s after: checkout on host-07: starting checkout v2.4.1",
    "mulai 27 dtk sesudahnya: checkout on host-07: starting checkout v2.4.1",
  );
  said(
    "status = 503: 84.8% of these events, 0% of others (the same events: duration_ms)",
    "status = 503: 84,8 % dari peristiwa ini, 0 % dari yang lain (peristiwa yang sama: duration_ms)",
  );
  said("events rose from 0.68 to 7.2 per minute", "peristiwa naik dari 0,68 menjadi 7,2 per menit");
  said("duration_ms: median 5021.5, of others 41", "duration_ms: median 5021,5, yang lain 41");
  said(
    "calls web → pay: 12.5% fail, 0.1% before; 95% within 5044 ms, 80.2 ms before",
    "panggilan web → pay: 12,5 % gagal, sebelumnya 0,1 %; 95 % dalam 5044 ms, sebelumnya 80,2 ms",
  );
  said("host db-1 sends nothing any more", "host db-1 tidak mengirim apa pun lagi");
  said("something else entirely", "something else entirely");
});

test("the server says findings in these forms", () => {
  const rust = readFileSync("../crates/cause/src/first_look/rank.rs", "utf8");
  for (const form of [
    '"events {verb} from {} to {} per minute"',
    '"started {}: {}"',
    '"{length} before"',
    '"{has}: {p} of these events, {q} of others{same}"',
    '"{}: median {a}, of others {b}{same}"',
    '"trace {} took {} ms"',
    '" (the same events: {})"',
  ])
    assert.ok(rust.includes(form), form);
});

test("what was expected in a query is told kind by kind", () => {
  assert.equal(
    sentence("syntax", "the query ends where a field, a value or a function was expected"),
    "kueri berakhir, padahal diharapkan bidang, nilai, atau fungsi",
  );
  assert.equal(
    sentence("syntax", "`foo` stands where an operator, `,` or `|` was expected"),
    "ada `foo`, padahal diharapkan operator, `,`, atau `|`",
  );
  const other = "`foo` stands where a label or a duration was expected";
  assert.equal(sentence("syntax", other), other);
});

test("a hint that is a query is told as it is, and no half of a sentence is translated", () => {
  assert.equal(
    sentence("unknown-command", "write dedup user, or stats count(*) by user"),
    "tulis dedup user, atau stats count(*) by user",
  );
  assert.equal(sentence("unknown-function", "write list(a), or values(a)"), "tulis list(a), atau values(a)");
  assert.equal(
    sentence("phrase-search", "`take` is no command; write limit 10"),
    "`take` bukan perintah; tulis limit 10",
  );
  for (const prose of [
    'write a subquery in brackets: filter id in (source "group" | fields id)',
    "write the number without quotes",
    "write count_distinct(a), or values(a) for the values themselves",
    "put a filter before it",
  ])
    assert.equal(sentence("syntax", prose), prose);
});

test("an error speaks the language of whoever reads it; what the page reads out of it stays English", async () => {
  Object.assign(globalThis, { document: { documentElement: {} } });
  const error = new ApiError(400, "unknown-command", "there is no command `stat`", 0, 4, 1, 1, 'did you mean "stats"?');
  assert.equal(error.message, "there is no command `stat`");
  await choose("id");
  assert.equal(error.message, "tidak ada perintah `stat`");
  assert.equal(error.hint, 'mungkin maksud Anda "stats"?');
  assert.equal(error.advice, 'did you mean "stats"?');
  await choose("en");
  assert.equal(error.hint, 'did you mean "stats"?');
  assert.equal(new ApiError(404, "not-found", "gone").hint, null);
  assert.equal(error.sentence, "there is no command `stat`", "the server's words stay");
  assert.equal(error.withHint(" – "), 'there is no command `stat` – did you mean "stats"?');
  const gone = unreachable();
  assert.equal(gone.sentence, "The server does not answer.");
  assert.equal(gone.withHint(" – "), "The server does not answer. Is catat still running?");
  assert.equal(gone.clause, "the server does not answer");
});

test("marked places are the same in both", () => {
  const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((place) => place[1]).sort();
  for (const table of TABLES)
    for (const [english, indonesian] of Object.entries(table))
      assert.deepEqual(places(indonesian), places(english), english);
});

test("the server says every one of these sentences", () => {
  const rust = readdirSync("../crates", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".rs"))
    .map((path) => readFileSync(`../crates/${path}`, "utf8"))
    .join("\n")
    // A literal that goes on in the next line, and what is written with a backslash in one.
    .replaceAll(/\\\n\s*/g, "")
    .replaceAll(/\\(["\\])/g, "$1");
  // Two sentences are put together from parts that stand apart.
  const places = /\{\w+\}|(?<=no event )|(?= has the field)|(?<=is no time)/;
  const pieces = TABLES.flatMap((table) => Object.keys(table)).flatMap((english) => english.split(places));
  assert.deepEqual(
    pieces.filter((piece) => piece.length > 3 && !rust.includes(piece)),
    [],
  );
});
