// Reads answers away from the page's own thread: takes the lines apart, makes rows of them, and hands these over in
// batches, the first as soon as there is one. What is asked no more is broken off, which ends it at the server, too.

import { RowMaker, type EventRow, type Shape } from "../rows.ts";
import type { Column, Stats } from "../api.ts";
import type { Json } from "../query/edit.ts";
import { LineCutter, typeOf, type Line } from "./lines.ts";

/** A question for the worker. */
export interface Question {
  id: number;
  url: string;
  headers: Record<string, string>;
  body: string;
  shape: Shape;
  /** The answer, if the page itself has asked already. */
  answer?: Answered;
}

/** An answer that the page hands over: its head, and its body as it arrives. */
export interface Answered {
  status: number;
  statusText: string;
  type: string;
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
}

/** Rows on their way to the page. */
export interface Batch {
  kind: "events" | "table";
  columns: Column[];
  events: EventRow[];
  table: Json[][];
  /** The rows of an aggregation that is under way stand in place of those before. */
  replaces: boolean;
}

/** What the page is told, in this order: batches and progress, then one of the others. */
export type Told = { id: number } & (
  | { batch: Batch }
  | { progress: Partial<Stats> }
  | { end: Line }
  | { refused: { status: number; statusText: string; text: string } }
  | { broken: string; code: string; hint: string | null }
);

/** Between two batches, so that the page draws a few times a second, not for every piece that arrives. */
const BATCH_MS = 60;
const ROWS_TYPED = 200;

const scope = self as unknown as {
  postMessage(told: Told): void;
  onmessage: (event: { data: Question | { stop: number } }) => void;
};
const running = new Map<number, AbortController>();

/** Takes the lines of one answer. */
class Reader {
  #maker: RowMaker | null = null;
  #head: Column[] = [];
  #events: EventRow[] = [];
  #table: Json[][] = [];
  #replaces = false;
  #hasPreview = false;
  #count = 0;
  #sent = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  end: Line | null = null;
  error: Line["error"] | null = null;

  constructor(
    readonly id: number,
    readonly shape: Shape,
  ) {}

  take(text: string): void {
    const line = JSON.parse(text) as Json[] | Line;
    if (Array.isArray(line)) return this.#row(line);
    if (line.columns) {
      this.#head = line.columns;
      this.#maker = new RowMaker(line.columns, this.shape, line.ids !== undefined);
    }
    line.rows?.forEach((row, n) => this.#row(row, line.ids?.[n]));
    if (line.progress) this.#progress(line.progress);
    if (line.error) this.error = line.error;
    if (line.stats) {
      const { columns: _, rows: __, ids: ___, ...end } = line;
      this.end = end;
      if (line.schema) this.#head = line.schema;
    }
  }

  #row(row: Json[], id?: string): void {
    if (this.#hasPreview) {
      // Rows of the answer itself: what was shown until now was on the way to it.
      [this.#hasPreview, this.#replaces, this.#table] = [false, true, []];
    }
    this.#count += 1;
    if (this.#maker?.kind === "events") this.#events.push(this.#maker.event(row, id, this.#count));
    else this.#table.push(row);
  }

  #progress({ rows, ...stats }: NonNullable<Line["progress"]>): void {
    scope.postMessage({ id: this.id, progress: stats });
    if (!rows) return;
    [this.#table, this.#hasPreview, this.#replaces] = [rows, true, true];
    this.flush(true);
  }

  /** Hands over what is there, now or in a moment. */
  flush(isLast = false): void {
    if (!this.#maker) return;
    const wait = BATCH_MS - (performance.now() - this.#sent);
    if (!isLast && this.#sent > 0 && wait > 0) {
      this.#timer ??= setTimeout(() => this.flush(true), wait);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#events.length + this.#table.length === 0 && !this.#replaces && this.end === null) return;
    this.#sent = performance.now();
    const { kind } = this.#maker;
    scope.postMessage({
      id: this.id,
      batch: { kind, columns: this.#columns(), events: this.#events, table: this.#table, replaces: this.#replaces },
    });
    [this.#events, this.#table, this.#replaces] = [[], [], false];
  }

  #columns(): Column[] {
    if (this.#maker?.kind === "events") return this.#maker.columns;
    const sample = this.#table.slice(0, ROWS_TYPED);
    return this.#head.map((column, at) =>
      column.type === "any" && sample.length > 0
        ? { ...column, type: typeOf(sample.map((row) => row[at] ?? null)) }
        : column,
    );
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

/** Reads an answer to its end, or to where it breaks off. */
async function read(question: Question, reader: Reader, signal: AbortSignal): Promise<void> {
  const { id, url, headers, body, answer } = question;
  const response = answer
    ? new Response(answer.body, {
        status: answer.status,
        statusText: answer.statusText,
        headers: { "content-type": answer.type },
      })
    : await fetch(url, { method: "POST", headers, body, signal, cache: "no-store" });
  if (!response.ok) {
    scope.postMessage({
      id,
      refused: {
        status: response.status,
        statusText: response.statusText,
        text: (await response.text()).slice(0, 4000),
      },
    });
    return;
  }
  // Headers are there; a body that says nothing for long is progress, too: the server has taken the question.
  scope.postMessage({ id, progress: {} });
  if (response.headers.get("content-type")?.startsWith("application/json")) {
    reader.take(await response.text());
  } else {
    const pieces = response.body?.getReader();
    const cutter = new LineCutter();
    for (let piece = await pieces?.read(); piece && !piece.done; piece = await pieces?.read()) {
      for (const line of cutter.push(piece.value)) reader.take(line);
      reader.flush();
    }
    const rest = cutter.end();
    if (rest !== "") reader.take(rest);
  }
  reader.flush(true);
  if (reader.error)
    scope.postMessage({
      id,
      broken: reader.error.message ?? "",
      code: reader.error.code ?? "",
      hint: reader.error.hint ?? null,
    });
  else if (reader.end) scope.postMessage({ id, end: reader.end });
  else scope.postMessage({ id, broken: "", code: "cut", hint: null });
}

scope.onmessage = async ({ data }) => {
  if ("stop" in data) {
    running.get(data.stop)?.abort();
    running.delete(data.stop);
    return;
  }
  const controller = new AbortController();
  const reader = new Reader(data.id, data.shape);
  running.set(data.id, controller);
  try {
    await read(data, reader, controller.signal);
  } catch {
    if (controller.signal.aborted) return;
    // Where nothing had come the server is not there; else it, or the way to it, broke in between.
    reader.flush(true);
    scope.postMessage({ id: data.id, broken: "", code: "cut", hint: null });
  } finally {
    reader.close();
    running.delete(data.id);
  }
};
