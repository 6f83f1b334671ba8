import assert from "node:assert/strict";
import { test } from "node:test";

import { pieces } from "./ansi.ts";
import { fold } from "./stack.ts";
import { isTrace, traceQuery } from "./trace.ts";
import { asJson, grow, mayHold, twigs } from "./tree.ts";

const shown = (text: string) =>
  pieces(text)
    .map(({ text: part, manner }) =>
      manner
        ? `[${[manner.classes, manner.color, manner.back && `on ${manner.back}`].filter(Boolean).join(" ")}]${part}`
        : part,
    )
    .join("|");

test("escapes of terminals become classes and properties, and everything else of them goes", () => {
  const check = (text: string, expected: string) => assert.equal(shown(text), expected, JSON.stringify(text));
  check("plain <b>\ttext\n", "plain <b>\ttext\n");
  check("\u001b[31merror\u001b[0m: x", "[ansi-1]error|: x");
  check("\u001b[1;92mok\u001b[22m!\u001b[39m.", "[ansi-bold ansi-10]ok|[ansi-10]!|.");
  check(
    "\u001b[38;5;208mo\u001b[38;5;3mp\u001b[48;5;255mq",
    "[rgb(255,135,0)]o|[ansi-3]p|[ansi-3 on rgb(238,238,238)]q",
  );
  check("\u001b[38;2;1;2;3mt\u001b[48:2::4:5:6mu\u001b[mv", "[rgb(1,2,3)]t|[rgb(1,2,3) on rgb(4,5,6)]u|v");
  check("\u001b[7;31mi", "[ansi-back-1]i");
  check("\u001b[38;2;300;0;0ma\u001b[38;5;999mb\u001b[38mc\u001b[999md", "a|b|c|d");
  check(
    "\u001b]0;\u001b[31mtitle\u0007a\u001b[2Jb\u001b]8;;javascript:x\u001b\\c",
    "0;|[ansi-1]title␇a|[ansi-1]b|[ansi-1]c",
  );
  check("\u0000\u202e\u001b[32mx\u001b[0m\u001b", "␀[U+202E]|[ansi-2]x|␛");
});

test("a text of nothing but escapes makes a bounded number of pieces", () => {
  const text = Array.from({ length: 5000 }, (_, n) => `\u001b[3${n % 8}m${n}`).join("");
  const all = pieces(text);
  assert.equal(all.length, 501);
  assert.equal(all.map((piece) => piece.text).join(""), Array.from({ length: 5000 }, (_, n) => n).join(""));
});

const STACKS: Record<string, [text: string, folded: number[]]> = {
  java: [
    `java.lang.IllegalStateException: no
\tat com.shop.Cart.add(Cart.java:12)
\tat org.springframework.aop.Proxy.invoke(Proxy.java:1)
\tat java.base/java.lang.Thread.run(Thread.java:833)
\tat com.shop.Main.main(Main.java:3)
Caused by: java.io.IOException: gone
\tat com.shop.Db.read(Db.java:9)
\tat org.postgresql.jdbc.PgStatement.execute(PgStatement.java:90)
\t... 23 more`,
    [2, 2],
  ],
  python: [
    `Traceback (most recent call last):
  File "/app/shop.py", line 3, in <module>
    run()
  File "/usr/lib/python3/dist-packages/flask/app.py", line 2, in run
    return self.go()
           ^^^^^^^^^
  File "/venv/lib/python3.12/site-packages/werkzeug/x.py", line 9, in go
    raise E
  File "/app/cart.py", line 7, in add
    boom()
ValueError: boom`,
    [2],
  ],
  go: [
    `panic: nil map

goroutine 1 [running]:
runtime.gopanic({0x1, 0x2})
\t/usr/local/go/src/runtime/panic.go:770 +0x132
runtime.mapassign_faststr(0x0, 0x1)
\t/usr/local/go/src/runtime/map_faststr.go:223 +0x2a
main.(*Cart).Add(0xc000, 0x1)
\t/srv/shop/cart.go:12 +0x1d
net/http.(*conn).serve(0xc0001)
\t/usr/local/go/src/net/http/server.go:2009 +0x5f4
created by net/http.(*Server).Serve in goroutine 1
\t/usr/local/go/src/net/http/server.go:3086 +0x5cb`,
    [2, 2],
  ],
  rust: [
    `thread 'main' panicked at src/main.rs:3:5:
boom
stack backtrace:
   0: rust_begin_unwind
             at /rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/std/src/panicking.rs:665:5
   1: core::panicking::panic_fmt
             at /rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/core/src/panicking.rs:74:14
   2: shop::cart::add
             at ./src/cart.rs:9:5
   3: <alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once
   4: std::sys::thread::start
note: Some details are omitted`,
    [2, 2],
  ],
  node: [
    `TypeError: x is undefined
    at add (/srv/shop/cart.js:3:9)
    at Layer.handle [as handle_request] (/srv/shop/node_modules/express/lib/router/layer.js:95:5)
    at next (/srv/shop/node_modules/express/lib/router/route.js:149:13)
    at new Promise (<anonymous>)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
    at async file:///srv/shop/main.mjs:9:1`,
    [4],
  ],
};

test("frames of libraries are folded in the stack traces of five languages, and nothing is lost", () => {
  for (const [language, [text, folded]] of Object.entries(STACKS)) {
    const parts = fold(text);
    assert.equal(parts.map((part) => part.text).join(""), text, language);
    assert.deepEqual(
      parts.filter((part) => part.frames > 0).map((part) => part.frames),
      folded,
      language,
    );
    const own = parts
      .filter((part) => part.frames === 0)
      .map((part) => part.text)
      .join("");
    assert.match(own, /[Cc]art/, `${language}: what is one's own stays`);
  }
  for (const text of [
    "one line",
    "two\nlines",
    "at home\nat work\nat sea",
    "  File is\n  File was",
    "1: first\n2: second\n3: third",
    "a b\n\n\n",
  ]) {
    assert.deepEqual(fold(text), [{ text, frames: 0 }], text);
  }
});

test("a trace is known by many names and by nothing else", () => {
  for (const name of [
    "trace_id",
    "traceId",
    "trace.id",
    "dd.trace_id",
    "x-request-id",
    "request_id",
    "requestId",
    "headers.x-request-id",
    "TraceID",
    "otelTraceID",
    "http.request.id",
    "correlation_id",
    "@requestId",
    "X-Amzn-Trace-Id",
  ]) {
    assert.ok(isTrace(name, "4bf92f3577b34da6"), name);
  }
  for (const [name, value] of [
    ["id", "4bf92f"],
    ["span_id", "4bf92f"],
    ["tracing", "on"],
    ["trace_id", ""],
    ["trace_id", "0000000000000000"],
    ["trace_id", ["a"]],
    ["prerequisite_id2", "abc"],
    ["@id", "abcdef"],
  ] as const) {
    assert.ok(!isTrace(name, value as string), name);
  }
  assert.equal(traceQuery("trace_id", "4bf92f3577b34da6"), 'filter @any like "4bf92f3577b34da6"');
  assert.equal(traceQuery("x-request-id", "17"), 'filter `x-request-id` = "17"');
  assert.equal(traceQuery("requestId", 123456789012), "filter requestId = 123456789012");
});

test("dotted names grow into branches, whatever they are called", () => {
  const tree = grow([
    { name: "@message", value: "a.b" },
    { name: "user.id", value: 7 },
    { name: "user.address.city", value: "Bandung" },
    { name: "a", value: 1 },
    { name: "a.b", value: 2 },
    { name: "c.d", value: 3 },
    { name: "c", value: 4 },
    { name: "__proto__.polluted", value: true },
    { name: "list", value: [{ x: 1 }] },
    { name: "", value: 0 },
  ]);
  const paths = (path: string | null, of: Parameters<typeof twigs>[0]): (string | null)[] =>
    twigs(of, path).flatMap((twig) => [twig.path, ...(mayHold(twig.value) ? paths(twig.path, twig.value) : [])]);
  assert.deepEqual(
    paths("", tree).filter((path) => !path?.startsWith("__")),
    [
      "@message",
      "user",
      "user.id",
      "user.address",
      "user.address.city",
      "a",
      "a.b",
      "c",
      "c.d",
      "c",
      "list",
      "list.0",
      "list.0.x",
      "",
    ],
  );
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  assert.deepEqual(asJson(grow([{ name: "user.id", value: 7 }])), { user: { id: 7 } });
});

test("a text that is JSON opens as such, and what is inside of it has no name", () => {
  const text = '{"inner":{"deep":[1]}}';
  assert.ok(mayHold(text));
  assert.deepEqual(twigs(text, "note"), [{ key: "inner", path: null, value: { deep: [1] } }]);
  assert.deepEqual(twigs({ deep: [1] }, null), [{ key: "deep", path: null, value: [1] }]);
  for (const no of ["{", "[info] started", "{x}", "plain", "", "[]", 7, null, {}, []])
    assert.ok(!mayHold(no), JSON.stringify(no));
  assert.deepEqual(twigs('{"broken', "note"), []);
});
