// Asks the worker that reads answers, and takes what it tells.

import { ApiError, asker, authorization, granted, refusal, unreachable, type Stats } from "../api.ts";
import type { Shape } from "../rows.ts";
import { t } from "../texts.ts";
import type { Line } from "./lines.ts";
import type { Batch, Question, Told } from "./worker.ts";

/** Who takes an answer while it arrives. */
export interface Taker {
  batch: (batch: Batch) => void;
  progress: (stats: Partial<Stats>) => void;
}

const PATH = "api/v1/query";

let worker: Worker | null = null;
/** The worker has answered once, so its script is there. */
let isUp = false;
let asked = 0;
const open = new Map<
  number,
  { taker: Taker; by: number; hasBegun: boolean; done: (end: Line) => void; fail: (error: Error) => void }
>();

/** Whether a body can be handed to a worker while it arrives. */
function canHandOver(): boolean {
  try {
    const stream = new ReadableStream();
    structuredClone(stream, { transfer: [stream] });
    return true;
  } catch {
    return false;
  }
}

function hear(told: Told): void {
  isUp = true;
  const answer = open.get(told.id);
  if (!answer) return;
  if ("batch" in told) return answer.taker.batch(told.batch);
  if ("progress" in told) {
    answer.hasBegun = true;
    granted();
    return answer.taker.progress(told.progress);
  }
  open.delete(told.id);
  if ("end" in told) answer.done(told.end);
  else if ("refused" in told)
    answer.fail(refusal(PATH, told.refused.status, told.refused.statusText, told.refused.text, answer.by));
  else if (told.code === "cut")
    answer.fail(answer.hasBegun ? new ApiError(0, "cut", t("the connection broke off")) : unreachable());
  else answer.fail(new ApiError(500, told.code, told.broken, null, null, null, null, told.hint));
}

function started(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "answers" });
  worker.onmessage = ({ data }: MessageEvent<Told>) => hear(data);
  worker.onerror = () => {
    // Its script is not there (any more), or it has come to its end: the next question starts another one.
    worker?.terminate();
    worker = null;
    isUp = false;
    for (const answer of open.values())
      answer.fail(answer.hasBegun ? new ApiError(0, "cut", t("the connection broke off")) : unreachable());
    open.clear();
  };
  return worker;
}

/** Sends a question from the page, and hands the answer to the worker as it arrives. */
async function askHere(question: Question, signal: AbortSignal): Promise<void> {
  const { url, headers, body } = question;
  const answered = fetch(url, { method: "POST", headers, body, signal, cache: "no-store" });
  const reader = started();
  try {
    const { status, statusText, headers: heads, body: pieces } = await answered;
    const answer = { status, statusText, type: heads.get("content-type") ?? "", body: pieces };
    if (open.has(question.id)) reader.postMessage({ ...question, answer }, pieces === null ? [] : [pieces]);
  } catch {
    const waiting = open.get(question.id);
    open.delete(question.id);
    waiting?.fail(unreachable());
  }
}

/** Asks, and gives what stands behind the rows; throws `ApiError`, also where the answer breaks off in the middle. */
export function ask(
  body: Record<string, unknown>,
  accept: string,
  shape: Shape,
  taker: Taker,
  signal: AbortSignal,
): Promise<Line> {
  return new Promise((done, fail) => {
    const stopped = new DOMException("nobody waits for it any more", "AbortError");
    if (signal.aborted) return fail(stopped);
    asked += 1;
    const id = asked;
    open.set(id, { taker, by: asker(), hasBegun: false, done, fail });
    signal.addEventListener("abort", () => {
      if (open.delete(id)) worker?.postMessage({ stop: id });
      fail(stopped);
    });
    const headers = { "Content-Type": "application/json", Accept: accept, ...authorization() };
    const question: Question = {
      id,
      url: new URL(PATH, document.baseURI).href,
      headers,
      body: JSON.stringify(body),
      shape,
    };
    if (isUp || !canHandOver()) return started().postMessage(question);
    // The first question does not wait for the worker's script, and leaves before those for counts and fields.
    void askHere(question, signal);
  });
}
