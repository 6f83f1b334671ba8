// That everything people read goes through the table of texts, and that the table says it in every language.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

import { INDONESIAN } from "./texts/id.ts";

const SOURCES = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".test.ts") && !/^texts[./\\]/.test(path))
  .map((path) => ({ path, source: readFileSync(`src/${path}`, "utf8") }));

/** A literal of TypeScript. */
const LITERAL = `("(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*')`;

/** What the literals after the opening of a call say. */
function said(source: string): string[] {
  const calls = new RegExp(
    `(?<![\\w.])(?:t|rich|text)\\(\\s*${LITERAL}|(?<![\\w.])plural\\([^"]*?,\\s*${LITERAL}\\s*,\\s*${LITERAL}`,
    "g",
  );
  return [...source.matchAll(calls)]
    .flatMap((call) => call.slice(1).filter((one) => one !== undefined))
    .map((one) => (one.startsWith("'") ? one.slice(1, -1) : (JSON.parse(one) as string)));
}

const SAID = new Map(SOURCES.flatMap(({ path, source }) => said(source).map((english) => [english, path] as const)));

test("every text has its Indonesian, and the Indonesian nothing that is said nowhere", () => {
  const missing = [...SAID]
    .filter(([english]) => !(INDONESIAN[english] ?? "").trim())
    .map(([english, path]) => `${path}: ${english}`);
  assert.deepEqual(missing, []);
  assert.deepEqual(
    Object.keys(INDONESIAN).filter((english) => !SAID.has(english)),
    [],
  );
});

test("marked places are the same in both", () => {
  const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((place) => place[1]).sort();
  for (const [english, indonesian] of Object.entries(INDONESIAN))
    assert.deepEqual(places(indonesian), places(english), english);
});

/** What a thing is called in Indonesian, everywhere: two words for one thing would be taken for two things. */
const TERMS: Readonly<Record<string, RegExp>> = {
  error: /galat/i,
  event: /peristiwa/i,
  group: /grup/i,
  query: /kueri/i,
  dashboard: /dasbor/i,
  alert: /peringatan/i,
  rule: /aturan/i,
  field: /bidang/i,
  channel: /saluran/i,
  service: /layanan/i,
  issue: /isu/i,
  incident: /insiden/i,
  pattern: /pola/i,
  mark: /penanda/i,
  silence: /bungkam/i,
  column: /kolom/i,
  file: /berkas/i,
  sample: /sampel|contoh/i,
};

/** Texts in which a word is code, a name, or no noun. */
const NO_TERMS = new Set([
  'Search: connection refused · filter @level >= "error" · stats count(*) by host',
  "Show remaining events around that time",
  "count, average, group",
  "Copy as catat query",
  "several values need “in”, as in: field in $name",
  "Extract key=value fields",
  "Add the mark",
]);

/** The noun alone: a verb such as *to query*, and an input that is a field to fill in, are other words. */
function hasTerm(english: string, term: string): boolean {
  const text = english.replaceAll(/\{\w+\}|or query |Leave a field empty/g, "");
  return new RegExp(`\\b${term.replace(/y$/, "(?:y|ie)")}s?\\b`, "i").test(text);
}

test("one thing has one word, in English and in Indonesian", () => {
  const wrong = Object.entries(INDONESIAN).flatMap(([english, indonesian]) =>
    Object.entries(TERMS)
      .filter(([term, word]) => !NO_TERMS.has(english) && hasTerm(english, term) && !word.test(indonesian))
      .map(([term]) => `${term}: ${english} => ${indonesian}`),
  );
  assert.deepEqual(wrong, []);
  const said = Object.values(INDONESIAN);
  // Words that the page does not use, and an abbreviation that no one reads.
  assert.deepEqual(
    said.filter((one) => /kesalahan|\beror|kejadian|dashboard|\bmd\b/i.test(one)),
    [],
  );
  // A verb on a button is no noun, and the other way round.
  assert.equal(INDONESIAN["Change"], "Perubahan");
  assert.equal(INDONESIAN["Edit"], "Ubah");
});

test("no text says a pattern's wildcard", () => {
  assert.deepEqual(
    [...SAID.keys(), ...Object.values(INDONESIAN)].filter((one) => one.includes("<*>")),
    [],
  );
});

test("calls have literal texts, so that they can be found", () => {
  // A name is where a table's text is shown: the text itself is marked in the table.
  const wrong = SOURCES.flatMap(({ path, source }) =>
    [...source.matchAll(/(?<![\w.])(?:t|rich)\((?:`|[^"'()]*\?[^?.][^()]*:)[^)]*\)/g)].map(
      (call) => `${path}: ${call[0]}`,
    ),
  );
  assert.deepEqual(wrong, []);
});

/** What stays as it is in every language: names, code, units, forms of files, and what is written in the language of queries. */
const AS_IT_IS = new Set([
  "catat",
  "UTC",
  "Enter",
  "fields",
  "JSON",
  "Alt",
  "stats",
  "catat keys create --name senders --role ingest",
  "catat keys create --name page --role read",
  "catat check",
  "catat doctor",
  "catat fleet status",
  "catat groups",
  "catat keys",
  "catat suggestions",
  "catat users",
  "rules/*.yaml",
  "http.route=/cart",
  "service=pay version=1.4.2",
  "pay, checkout",
  "/?q=",
  "none",
  "{host}",
  "now-20m",
  "now-5m",
  "app/*",
  "100ms",
  "2h · yesterday · 06:00..07:30 · now-3d..now-2d",
]);

/** Texts of elements and of attributes that people read, which are written where they stand. */
function bare(source: string): string[] {
  const code = source.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
  const attributes = [
    ...code.matchAll(/\s(?:aria-label|title|placeholder|label|alt|what|empty)=(?:"([^"]*)"|\{`([^`]*)`\})/g),
  ].map((one) => (one[1] ?? one[2] ?? "").replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, ""));
  // What is within quotes is said by a call, or is code.
  const shape = code.replaceAll(/"(?:[^"\\\n]|\\.)*"|`[^`]*`/g, '""');
  const elements = [
    ...shape.matchAll(
      /(?:<[a-zA-Z][^<>]*>|<\/[a-zA-Z]*>|\/>|\})([^<>{}()=;[\]]*[A-Za-z]{2}[^<>{}()=;[\]]*)(?=<\/?[a-zA-Z]|\{)/g,
    ),
  ]
    .map((one) => (one[1] ?? "").trim())
    .filter(
      (one) =>
        !/^(?:[:|?&]|,\s*\w+:$|document\.|(?:as|async|catch|const|else|export|finally|for|from|function|interface|return|try|type|while)\b)/.test(
          one,
        ),
    );
  return [...attributes, ...elements]
    .map((one) => one.trim())
    .filter((one) => /[A-Za-z]{2}/.test(one) && !AS_IT_IS.has(one));
}

test("nothing that people read is written beside the table", () => {
  assert.deepEqual(bare('<p class="dim">Nothing here.</p>'), ["Nothing here."]);
  assert.deepEqual(bare('<b title="Close" />'), ["Close"]);
  assert.deepEqual(bare("<b aria-label={`Copy ${name}`} />"), ["Copy"]);
  assert.deepEqual(bare("<p>{n} more</p>"), ["more"]);
  assert.deepEqual(bare('<p title={t("Close")}>{t("Nothing here.")}</p>'), []);
  const found = SOURCES.filter(({ path }) => path.endsWith(".tsx")).flatMap(({ path, source }) =>
    bare(source).map((one) => `${path}: ${one}`),
  );
  assert.deepEqual(found, []);
});
