// Sends the questions of panels. Those of one moment share a request, since a request costs the browser as much as drawing a panel
// does; each answer arrives as soon as it is found.

import { ApiError, asker, json, refusal, request, unreachable, type Answer } from "../../api.ts";
import { LineCutter } from "../../stream/lines.ts";

/** A server that says nothing for so long is taken for unreachable. */
const ANSWER_MS_MAX = 120_000;
/** Questions of one request. */
const TOGETHER_MAX = 50;

const PATH = "api/v1/query";

interface Question {
  body: string;
  signal: AbortSignal;
  resolve: (answer: Partial<Answer>) => void;
  reject: (error: unknown) => void;
}

let gathered: Question[] = [];

/** Asks a question, together with those that are asked in the same moment. */
export function ask(body: string, signal: AbortSignal): Promise<Partial<Answer>> {
  return new Promise((resolve, reject) => {
    if (gathered.length === 0) setTimeout(send);
    gathered.push({ body, signal, resolve, reject });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Sends what was asked so far at once, and not only at the end of the moment. */
export function send(): void {
  const questions = gathered.filter(({ signal }) => !signal.aborted);
  gathered = [];
  for (let at = 0; at < questions.length; at += TOGETHER_MAX) {
    const some = questions.slice(at, at + TOGETHER_MAX);
    const [first] = some;
    if (some.length === 1 && first) void sendOne(first);
    else void sendSeveral(some);
  }
}

const post = (body: string, signal: AbortSignal): RequestInit => ({
  method: "POST",
  signal,
  headers: { "Content-Type": "application/json" },
  body,
});

async function sendOne({ body, signal, resolve, reject }: Question): Promise<void> {
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
    resolve(await json<Partial<Answer>>(PATH, post(body, limited)));
  } catch (error) {
    reject(error);
  }
}

/** A line of the answer to several questions. */
interface Line {
  query: number;
  status: number;
  answer: Partial<Answer>;
}

async function sendSeveral(questions: Question[]): Promise<void> {
  const controller = new AbortController();
  const end = () => controller.abort();
  let timer = setTimeout(end, ANSWER_MS_MAX);
  // The request ends when no panel waits for it any more.
  let left = questions.length;
  const leave = () => {
    if ((left -= 1) === 0) end();
  };
  for (const { signal } of questions) signal.addEventListener("abort", leave, { once: true });
  const by = asker();
  const take = (text: string) => {
    const { query, status, answer } = JSON.parse(text) as Line;
    const question = questions[query];
    if (status === 200) question?.resolve(answer);
    else question?.reject(refusal(PATH, status, "", JSON.stringify(answer), by));
  };
  let error: unknown = unreachable();
  try {
    const body = `{"queries":[${questions.map(({ body }) => body).join(",")}]}`;
    const response = await request(`${PATH}/several`, post(body, controller.signal));
    const [pieces, cutter] = [response.body?.getReader(), new LineCutter()];
    for (let piece = await pieces?.read(); piece && !piece.done; piece = await pieces?.read()) {
      // Later questions wait for earlier ones: all together may take longer.
      clearTimeout(timer);
      timer = setTimeout(end, ANSWER_MS_MAX);
      for (const line of cutter.push(piece.value)) take(line);
    }
    const rest = cutter.end();
    if (rest !== "") take(rest);
  } catch (thrown) {
    if (thrown instanceof ApiError) error = thrown;
  }
  clearTimeout(timer);
  // Fails the questions without an answer; a promise that is settled already ignores this.
  for (const { signal, reject } of questions) {
    signal.removeEventListener("abort", leave);
    reject(error);
  }
}
