// Rows of an answer as the page shows them. Nothing here touches the document: the worker that reads answers makes its
// rows with it, and so does the live tail.

import type { Answer, Column, Notice, Stats } from "./api.ts";
import { cut, textOf } from "./format.ts";
import { ROW_FIELDS, type Json } from "./query/edit.ts";
import { commands, keepsEvents } from "./query/lex.ts";

/** Most characters of a text that a row keeps: what is open shows as much at first, and asks for the rest. */
const TEXT_CHARS_MAX = 4096;

/** An event as a row shows it. */
export interface EventRow {
  id: string;
  time: string;
  ms: number;
  level: string;
  group: string;
  stream: string;
  message: string;
  /** What further columns show, by their names. */
  cells: Readonly<Record<string, Json>>;
}

/** What an answer says beside its rows. */
export interface Ending {
  stats: Partial<Stats>;
  partial: boolean;
  partial_reasons: Notice[];
  warnings: Notice[];
}

/** The answer to the view's query. */
export interface Rows {
  /** Events, or rows of an aggregation. */
  kind: "events" | "table";
  columns: Column[];
  events: EventRow[];
  table: Json[][];
  more: boolean;
  answer: Ending;
  /** The text that was asked about. */
  query: string;
  /** Whether the answer has come to its end. */
  isWhole: boolean;
}

/** What was asked: the text as written, columns added by hand, and whether the text was given what rows need. */
export interface Shape {
  query: string;
  columns: readonly string[];
  withFields: boolean;
}

/** The part of a JSON line that people read, where the line is one. */
function readable(message: string): string {
  if (message.charCodeAt(0) !== 0x7b || message.length > 65_536) return message;
  try {
    const object = JSON.parse(message) as Record<string, Json>;
    const part = object["message"] ?? object["msg"];
    return typeof part === "string" && part !== "" ? part : message;
  } catch {
    return message;
  }
}

function short(value: Json): Json {
  return typeof value === "string" ? cut(value, TEXT_CHARS_MAX) : value;
}

/** Makes rows out of the arrays of an answer, whose columns it knows. */
export class RowMaker {
  /** Events, or rows of an aggregation. */
  readonly kind: Rows["kind"];
  readonly #places: readonly number[];
  readonly #idPlace: number;
  readonly #own: Column[];
  readonly #cells: readonly (readonly [string, number])[];
  #group: string | null = null;
  #isMixed = false;

  constructor(
    readonly all: Column[],
    shape: Shape,
    hasIds: boolean,
  ) {
    const at = (name: string) => all.findIndex((column) => column.name === name);
    this.#idPlace = at("@id");
    this.kind = keepsEvents(shape.query) && (hasIds || this.#idPlace >= 0) ? "events" : "table";
    this.#places = ROW_FIELDS.map(at);
    this.#own = ownColumns(all, shape);
    this.#cells = this.#own
      .filter(({ name }) => name !== "@message" && name !== "@log")
      .map(({ name }) => [name, at(name)]);
  }

  /** The columns to show. Where events of several groups meet, each row says whose it is. */
  get columns(): Column[] {
    if (this.kind === "table") return this.all;
    const isBare = this.#own.length === 1 && this.#own[0]?.name === "@message";
    return this.#isMixed && isBare ? [{ name: "@log", type: "string" }, ...this.#own] : this.#own;
  }

  /** The event of a row. */
  event(row: readonly Json[], id: string | undefined, n: number): EventRow {
    const [time, level, group, stream, message] = this.#places.map((place) => textOf(row[place])) as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    this.#isMixed ||= this.#group !== null && this.#group !== group;
    this.#group = group;
    const cells = Object.fromEntries(this.#cells.map(([name, place]) => [name, short(row[place] ?? null)]));
    return {
      id: id ?? (textOf(row[this.#idPlace]) || `#${n}`),
      time,
      ms: Date.parse(time),
      level,
      group,
      stream,
      message: cut(readable(message), TEXT_CHARS_MAX),
      cells,
    };
  }
}

/** Makes rows of a whole answer. */
export function toRows(answer: Answer, shape: Shape): Rows {
  const maker = new RowMaker(answer.columns, shape, answer.ids !== undefined);
  const events = maker.kind === "events" ? answer.rows.map((row, n) => maker.event(row, answer.ids?.[n], n)) : [];
  return {
    kind: maker.kind,
    columns: maker.columns,
    events,
    table: maker.kind === "events" ? [] : answer.rows,
    more: answer.more === true,
    answer,
    query: shape.query,
    isWhole: true,
  };
}

/** The columns to show: those the query names, those added by hand, else the message alone. */
function ownColumns(columns: readonly Column[], shape: Shape): Column[] {
  const all = columns.filter((column) => column.name !== "@id");
  const named = commands(shape.query).some((command) => command.name === "fields" || command.name === "display");
  const wanted = (
    shape.withFields
      ? ownNames(
          columns.map((column) => column.name),
          shape.columns,
        )
      : all.map((column) => column.name)
  ).filter((name) => name !== "@timestamp" && name !== "@level" && name !== "@id");
  const names = [...wanted, ...shape.columns];
  if (!named || wanted.length === 0) names.push("@message");
  return [...new Set(names)].flatMap((name) => all.find((column) => column.name === name) ?? []);
}

/** The names before those that the page has added itself, which stand at the end in the page's order. */
function ownNames(all: readonly string[], columns: readonly string[]): readonly string[] {
  for (let end = 0; end <= all.length; end += 1) {
    const own = all.slice(0, end);
    const added = [...new Set([...ROW_FIELDS, ...columns])].filter((name) => !own.includes(name));
    if (all.length - end === added.length && added.every((name, n) => all[end + n] === name)) return own;
  }
  return [];
}
