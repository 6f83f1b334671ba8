import assert from "node:assert/strict";
import { test } from "node:test";

import type { Frame } from "../api/context.ts";
import { fold, linesBefore, placeOf, relation } from "./exception.ts";

const frame = (letter: string, at: number): Frame => ({
  function: `f${at}`,
  file: "a.py",
  line: at,
  own: letter === "o",
});

/** Frames as letters: `o` the program's own, `l` of a library. */
const folded = (letters: string) => {
  const { shown, hidden } = fold({ frames: [...letters].map(frame) });
  return `${shown.map((one) => (one.own ? "o" : "l")).join("")} ${hidden.length}`;
};

test("own frames are shown first, the rest is folded, and one frame alone is not", () => {
  for (const [letters, expected] of [
    ["", " 0"],
    ["o", "o 0"],
    ["lo", "lo 0"],
    ["llo", "o 2"],
    ["lolollll", "oo 6"],
    ["lll", "lll 0"],
    ["llll", "llll 0"],
    ["l".repeat(500), "lll 497"],
    ["o".repeat(500), `${"o".repeat(12)} 488`],
  ] as const)
    assert.equal(folded(letters), expected, letters.slice(0, 9));
});

test("causes follow each other, and members of a group begin again", () => {
  const of = (...members: (number | null)[]) => {
    const all = members.map((member) => ({ type: "E", message: "", frames: [], member }));
    return all.map((_, at) => relation(all, at));
  };
  assert.deepEqual(of(null, null, null), ["", "cause", "cause"]);
  assert.deepEqual(of(null, 1, 1, 2), ["", "member", "cause", "member"]);
});

test("a place has its line where there is one", () => {
  assert.equal(placeOf({ function: "f", file: "a.py", line: 3, own: true }), "a.py:3");
  assert.equal(placeOf({ function: "f", file: "a.py", line: null, own: true }), "a.py");
  assert.equal(placeOf({ function: "f", file: "", line: 3, own: true }), "");
});

test("the lines of the program are those of the minute before, in its group", () => {
  const none = { exceptions: [], thread: null, runtime: null, runtime_version: null, issue: null, text: "" };
  const found = { ...none, program: 'filter @logStream = "a"', group: "app", time: "2026-11-28T12:00:00.5Z" };
  const { query, groups, from, to } = linesBefore(found) ?? {};
  assert.deepEqual(
    [query, groups, from, to],
    [found.program, ["app"], "2026-11-28T11:59:00.500Z", "2026-11-28T12:00:01.500Z"],
  );
  assert.equal(linesBefore({ ...found, program: "" }), null);
  assert.equal(linesBefore({ ...found, time: "soon" }), null);
});
