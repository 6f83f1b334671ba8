// Steps there and back, and what the form leaves alone.

import assert from "node:assert/strict";
import { test } from "node:test";

import { definitionOf, draftOf, draftOfStep, mistakesOf, stepOf } from "./pipeline_draft.ts";

test("a step is written as people do and read as the server does", () => {
  const cases = [
    [{ parse: "logfmt" }, "parse", "logfmt"],
    [{ rename: { usr: "user", a: "b" } }, "rename", "usr = user\na = b"],
    [
      { set: { env: "prod", rack: 7, ok: true, who: "{user}=1" } },
      "set",
      "env = prod\nrack = 7\nok = true\nwho = {user}=1",
    ],
    [{ mask: ["email", { pattern: "[0-9]{6}" }] }, "mask", "email\n/[0-9]{6}/"],
    [{ drop: "event" }, "drop", "event"],
    [{ drop: ["auth", "debug.*"] }, "drop", "auth\ndebug.*"],
    [{ sample: 10 }, "sample", "10"],
    [{ route: "audit/{app}" }, "route", "audit/{app}"],
  ] as const;
  for (const [step, kind, text] of cases) {
    const draft = draftOfStep(step as never);
    assert.deepEqual([draft.kind, draft.text], [kind, text]);
    assert.deepEqual(stepOf(draft), step);
  }
});

test("what the form has no place for stays as it is", () => {
  for (const step of [
    { mask: ["ip"], hash_key: "0123456789abcdef" },
    { drop: "event", when: { not: { has: "a" } } },
    { drop: "event", when: { contains: "a", level: "debug" } },
    { set: { a: "7" } },
    { mask: [{ pattern: "a", replacement: "b" }] },
    { parse: "logfmt", into: "kv" },
    { nothing: 1 },
    "text",
  ]) {
    const draft = draftOfStep(step as never);
    assert.equal(draft.kind, "json", JSON.stringify(step));
    assert.deepEqual(stepOf(draft), step);
  }
  assert.equal(stepOf({ kind: "json", text: "{", only: "", onlyText: "" }), "{");
});

test("a condition is one text or several, and an expression is one", () => {
  const step = { drop: "event", when: { contains: ["/healthz", "/ready"] } };
  assert.deepEqual(stepOf(draftOfStep(step)), step);
  const draft = { kind: "drop", text: "event", only: "matches", onlyText: "^GET\n" } as const;
  assert.deepEqual(stepOf(draft), { drop: "event", when: { matches: "^GET" } });
});

test("a definition there and back", () => {
  const definition = {
    name: "shop",
    match: { group: ["shop/*", "web"], level: "debug" },
    steps: [{ sample: 10 }],
    stop: true,
  };
  assert.deepEqual(definitionOf(draftOf(definition)), definition);
  const empty = { name: "", steps: [] };
  assert.deepEqual(definitionOf(draftOf(empty)), empty);
});

test("mistakes stand at their steps", () => {
  const message = 'pipeline[0]: "name" is missing\npipeline[0].steps[1].mask[0]: unknown rule "x"\nelse';
  assert.deepEqual(
    [...mistakesOf(message)],
    [
      [-1, ['"name" is missing', "else"]],
      [1, ['mask[0]: unknown rule "x"']],
    ],
  );
});
