// Arithmetic between the queries of a panel: `a / b * 100`, point by point. Series with equal labels are paired; a series
// without labels is paired with each of the other side. A point at the end of a bin is computed with the point at its start,
// and a value without a time with every point of the other side.

import type { PanelSeries } from "./answers.ts";
import { text } from "../../texts.ts";

type Node =
  | { kind: "number"; value: number }
  | { kind: "name"; name: string }
  | { kind: "minus"; of: Node }
  | { kind: "operation"; sign: string; left: Node; right: Node };

/** Why an expression cannot be evaluated; `at` is the place in it. */
export class ExpressionError extends Error {
  constructor(
    readonly problem: string,
    readonly named: string,
    readonly at: number,
  ) {
    super(`${problem} ${named}`);
  }
}

const PROBLEMS = {
  unexpected: text("not expected here:"),
  end: text("something is missing at the end"),
  unknown: text("there is no query with the name"),
  deep: text("too many parentheses"),
};

const NO_VALUE = {
  empty: text("The expression has no value: query {name} found no numbers in this range."),
  labels: text("The expression has no value: no two series of the queries have the same labels."),
  times: text("The expression has no value: the queries have no points at the same time, or it divides by zero."),
};

const DEPTH_MAX = 50;

interface Token {
  text: string;
  at: number;
}

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+|[A-Za-z_]\w*|[-+*/()]|\S)/giy;
  for (let found = pattern.exec(expression); found; found = pattern.exec(expression))
    tokens.push({ text: found[1] ?? "", at: pattern.lastIndex - (found[1] ?? "").length });
  return tokens;
}

/** Reads one expression from its tokens. */
class Reader {
  #at = 0;
  #depth = 0;

  constructor(
    readonly tokens: readonly Token[],
    readonly end: number,
  ) {}

  all(): Node {
    const node = this.#sum();
    const rest = this.tokens[this.#at];
    if (rest) throw new ExpressionError(PROBLEMS.unexpected, rest.text, rest.at);
    return node;
  }

  #takes(signs: string): string | null {
    const token = this.tokens[this.#at];
    if (!token || !signs.includes(token.text)) return null;
    this.#at += 1;
    return token.text;
  }

  #sum(): Node {
    let left = this.#product();
    for (let sign = this.#takes("+-"); sign !== null; sign = this.#takes("+-"))
      left = { kind: "operation", sign, left, right: this.#product() };
    return left;
  }

  #product(): Node {
    let left = this.#one();
    for (let sign = this.#takes("*/"); sign !== null; sign = this.#takes("*/"))
      left = { kind: "operation", sign, left, right: this.#one() };
    return left;
  }

  #one(): Node {
    const token = this.tokens[this.#at];
    if (!token) throw new ExpressionError(PROBLEMS.end, "", this.end);
    this.#at += 1;
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new ExpressionError(PROBLEMS.deep, "", token.at);
    const node = this.#of(token);
    this.#depth -= 1;
    return node;
  }

  #of(token: Token): Node {
    if (token.text === "-") return { kind: "minus", of: this.#one() };
    if (token.text === "(") {
      const node = this.#sum();
      if (this.#takes(")") !== null) return node;
      const next = this.tokens[this.#at];
      throw next
        ? new ExpressionError(PROBLEMS.unexpected, next.text, next.at)
        : new ExpressionError(PROBLEMS.end, "", this.end);
    }
    if (/^[\d.]/.test(token.text)) return { kind: "number", value: Number(token.text) };
    if (/^[A-Za-z_]/.test(token.text)) return { kind: "name", name: token.text };
    throw new ExpressionError(PROBLEMS.unexpected, token.text, token.at);
  }
}

type Value = number | PanelSeries[];

function computed(sign: string, a: number, b: number): number {
  return sign === "+" ? a + b : sign === "-" ? a - b : sign === "*" ? a * b : a / b;
}

const keyOf = (series: PanelSeries) =>
  JSON.stringify(Object.entries(series.labels).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));

/** Returns the points with other values; what is no number is left out. */
function withValues(points: PanelSeries["points"], by: (value: number, ms: number) => number): PanelSeries["points"] {
  return points.flatMap(([ms, value]) => {
    const answer = by(value, ms);
    return Number.isFinite(answer) ? [[ms, answer] as [number, number]] : [];
  });
}

/** Returns the value that counts for every time; `undefined` if the series has a time. */
function valueOfAllTime({ only, points }: PanelSeries): number | undefined {
  return only === null && points.length === 1 ? points[0]?.[1] : undefined;
}

/** The points of a series, and the length of the bins whose ends they are at. */
type Timed = Pick<PanelSeries, "points" | "ends" | "only">;

/** Returns the series of one instant with its time. */
function atItsTime(series: PanelSeries): Timed {
  const { only, points, ends = 0 } = series;
  return typeof only !== "number" ? series : { points: points.map(([, value]) => [only, value]), ends };
}

/** Returns the series with its points at the starts of bins. */
function atStarts({ points, ends = 0 }: Timed): Timed {
  return { points: points.map(([ms, value]) => [ms - ends, value]) };
}

/** Returns the points of both series at times that mean the same. */
function atSameTimes(left: PanelSeries, right: PanelSeries): [Timed, Timed] {
  // Two answers that are not by time are computed whatever their times are.
  if (left.only !== undefined && right.only !== undefined)
    return [{ ...(left.only === null ? right : left), points: left.points }, right];
  const both: [Timed, Timed] = [atItsTime(left), atItsTime(right)];
  return (left.ends ?? 0) === (right.ends ?? 0) ? both : [atStarts(both[0]), atStarts(both[1])];
}

/** Returns the points that both have; what is no number is left out. */
function joined(sign: string, left: PanelSeries, right: PanelSeries): Timed {
  const [one, other] = [valueOfAllTime(left), valueOfAllTime(right)];
  if (one !== undefined && right.only === undefined)
    return { ...right, points: withValues(right.points, (value) => computed(sign, one, value)) };
  if (other !== undefined && left.only === undefined)
    return { ...left, points: withValues(left.points, (value) => computed(sign, value, other)) };
  const [first, second] = atSameTimes(left, right);
  const values = new Map(second.points);
  return {
    ...first,
    points: withValues(first.points, (value, ms) => computed(sign, value, values.get(ms) ?? NaN)),
  };
}

function pairs(left: readonly PanelSeries[], right: readonly PanelSeries[]): [PanelSeries, PanelSeries][] {
  const bare = (all: readonly PanelSeries[]) =>
    all.length === 1 && all[0] && Object.keys(all[0].labels).length === 0 ? all[0] : null;
  const [one, other] = [bare(left), bare(right)];
  if (other) return left.map((series) => [series, other]);
  if (one) return right.map((series) => [one, series]);
  const byKey = new Map(right.map((series) => [keyOf(series), series]));
  return left.flatMap((series) => {
    const found = byKey.get(keyOf(series));
    return found ? [[series, found] as [PanelSeries, PanelSeries]] : [];
  });
}

function applied(sign: string, left: Value, right: Value): Value {
  if (typeof left === "number" && typeof right === "number") return computed(sign, left, right);
  const mapped = (of: readonly PanelSeries[], by: (value: number) => number) =>
    of.map((series) => ({ ...series, points: withValues(series.points, by) }));
  if (typeof left === "number") return mapped(right as PanelSeries[], (value) => computed(sign, left, value));
  if (typeof right === "number") return mapped(left, (value) => computed(sign, value, right));
  return pairs(left, right).map(([one, other]) => {
    const { name, labels } = Object.keys(one.labels).length > 0 ? one : other;
    const { points, ends, only } = joined(sign, one, other);
    return { name, labels, points, ...(ends ? { ends } : {}), ...(only === undefined ? {} : { only }) };
  });
}

function valueOf(node: Node, series: Readonly<Record<string, readonly PanelSeries[]>>): Value {
  switch (node.kind) {
    case "number":
      return node.value;
    case "name":
      if (!Object.hasOwn(series, node.name)) throw new ExpressionError(PROBLEMS.unknown, node.name, 0);
      return [...(series[node.name] ?? [])];
    case "minus":
      return applied("*", -1, valueOf(node.of, series));
    case "operation":
      return applied(node.sign, valueOf(node.left, series), valueOf(node.right, series));
  }
}

/** Evaluates an expression over the series of queries by their ids; throws `ExpressionError`. */
export function evaluated(expression: string, series: Readonly<Record<string, readonly PanelSeries[]>>): PanelSeries[] {
  const value = valueOf(new Reader(tokensOf(expression), expression.length).all(), series);
  if (typeof value !== "number") return value;
  // A number alone is a line at every instant that there is.
  const instants = [
    ...new Set(Object.values(series).flatMap((all) => all.flatMap((one) => one.points.map(([ms]) => ms)))),
  ];
  return [{ name: expression, labels: {}, points: instants.sort((a, b) => a - b).map((ms) => [ms, value]) }];
}

/** Returns why an expression over answers gave no value, `null` if it gave one. */
export function whyNoValue(
  expression: string,
  results: readonly Pick<PanelSeries, "points">[],
  answers: Readonly<Record<string, readonly PanelSeries[]>>,
): { text: string; name: string } | null {
  if (results.some(({ points }) => points.length > 0)) return null;
  const named = tokensOf(expression).map((token) => token.text);
  const empty = named.find((name) => answers[name]?.every(({ points }) => points.length === 0));
  if (empty !== undefined) return { text: NO_VALUE.empty, name: empty };
  return { text: results.length === 0 ? NO_VALUE.labels : NO_VALUE.times, name: "" };
}
