// An answer in lines of JSON, as it comes in pieces: columns, rows, progress in between, and an end or an error. A whole
// answer in one JSON object is a line of all that.

import type { Column, Notice, Stats } from "../api.ts";
import type { Json } from "../query/edit.ts";

/** An error as a line tells it. */
export interface ToldError {
  code?: string;
  message?: string;
  hint?: string;
}

/** A line that is no row. */
export interface Line {
  columns?: Column[];
  rows?: Json[][];
  ids?: string[];
  progress?: Partial<Stats> & { rows?: Json[][] };
  error?: ToldError;
  stats?: Partial<Stats>;
  schema?: Column[];
  more?: boolean;
  partial?: boolean;
  partial_reasons?: Notice[];
  warnings?: Notice[];
}

/** Cuts a stream of bytes into lines; keeps the one that is not finished. */
export class LineCutter {
  readonly #decoder = new TextDecoder();
  #rest: string[] = [];

  /** The lines that a piece completes. */
  push(piece: Uint8Array): string[] {
    const lines = this.#decoder.decode(piece, { stream: true }).split("\n");
    if (lines.length === 1) {
      // A long line comes in many pieces, which are put together once.
      this.#rest.push(lines[0] ?? "");
      return [];
    }
    lines[0] = this.#rest.join("") + (lines[0] ?? "");
    this.#rest = [lines.pop() ?? ""];
    return lines.filter((line) => line !== "");
  }

  /** What stands behind the last line break. */
  end(): string {
    return this.#rest.join("") + this.#decoder.decode();
  }
}

/** What the values of a column are, while the server does not know of all of them. */
export function typeOf(values: readonly Json[]): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return "any";
  if (known.every((value) => typeof value === "number")) return known.every(Number.isInteger) ? "integer" : "float";
  if (known.every((value) => typeof value === "string"))
    return known.every((value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(value)) ? "timestamp" : "string";
  return "any";
}
