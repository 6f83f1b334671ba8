import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ApiError } from "../../api.ts";
import { ask } from "./questions.ts";

interface Sent {
  path: string;
  body: string;
  signal: AbortSignal | null | undefined;
}

let sent: Sent[] = [];
let answerWith: (sent: Sent) => Promise<Response>;

beforeEach(() => {
  sent = [];
  Object.assign(globalThis, {
    document: { baseURI: "http://catat/" },
    window: {},
    fetch: (url: URL, { body, signal }: RequestInit) => {
      const one = { path: url.pathname, body: String(body), signal };
      sent.push(one);
      return answerWith(one);
    },
  });
});

const never = () => new AbortController().signal;
const lines = (...all: unknown[]) => new Response(all.map((line) => `${JSON.stringify(line)}\n`).join(""));

test("a question by itself is sent by itself", async () => {
  answerWith = () => Promise.resolve(new Response('{"rows":[[1]]}'));
  assert.deepEqual(await ask('{"query":"a"}', never()), { rows: [[1]] });
  assert.deepEqual([sent.length, sent[0]?.path, sent[0]?.body], [1, "/api/v1/query", '{"query":"a"}']);
});

test("questions of one moment go together, and each has its own answer", async () => {
  const error = { error: { code: "bad-query", message: "no", column: 7 } };
  answerWith = () =>
    Promise.resolve(
      lines({ query: 1, status: 200, answer: { rows: [[2]] } }, { query: 0, status: 400, answer: error }),
    );
  const [first, second, third] = await Promise.allSettled(
    ['{"query":"a"}', '{"query":"b"}', "{}"].map((body) => ask(body, never())),
  );
  assert.deepEqual([sent.length, sent[0]?.path], [1, "/api/v1/query/several"]);
  assert.equal(sent[0]?.body, '{"queries":[{"query":"a"},{"query":"b"},{}]}');
  assert.ok(first?.status === "rejected" && first.reason instanceof ApiError && first.reason.column === 7);
  assert.ok(second?.status === "fulfilled" && second.value.rows?.length === 1);
  // The answer ended without it.
  assert.ok(third?.status === "rejected" && third.reason instanceof ApiError && third.reason.code === "unreachable");
});

test("a refusal is that of every question", async () => {
  answerWith = () => Promise.resolve(new Response('{"error":{"code":"forbidden","message":"no"}}', { status: 403 }));
  const both = await Promise.allSettled(["{}", "{}"].map((body) => ask(body, never())));
  assert.ok(both.every((one) => one.status === "rejected" && (one.reason as ApiError).status === 403));
});

test("a request ends when nobody waits for it any more", async () => {
  answerWith = ({ signal }) =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError"))));
  const [one, other] = [new AbortController(), new AbortController()];
  const both = [ask("{}", one.signal), ask("{}", other.signal)].map((answer) =>
    answer.catch((error: unknown) => error),
  );
  await new Promise((resolve) => setTimeout(resolve));
  await new Promise((resolve) => setTimeout(resolve));
  one.abort();
  assert.equal(sent[0]?.signal?.aborted, false);
  other.abort();
  assert.equal(sent[0]?.signal?.aborted, true);
  assert.ok((await Promise.all(both)).every((error) => error instanceof DOMException && error.name === "AbortError"));
});

test("a request lasts as long as answers come, and ends when none comes for two minutes", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let stream!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (stream = controller) });
    answerWith = () => Promise.resolve(new Response(body));
    const taken = () => new Promise((resolve) => setImmediate(resolve));
    const line = (query: number) =>
      stream.enqueue(new TextEncoder().encode(`${JSON.stringify({ query, status: 200, answer: {} })}\n`));
    const answers = ["{}", "{}", "{}"].map((body) => ask(body, never()));
    const last = answers[2]?.catch((error: unknown) => error);
    mock.timers.tick(0);
    for (const query of [0, 1]) {
      await taken();
      mock.timers.tick(100_000);
      assert.equal(sent[0]?.signal?.aborted, false);
      line(query);
      await answers[query];
    }
    await taken();
    mock.timers.tick(120_000);
    assert.equal(sent[0]?.signal?.aborted, true);
    stream.error(new DOMException("", "AbortError"));
    assert.ok((await last) instanceof ApiError);
  } finally {
    mock.timers.reset();
  }
});
