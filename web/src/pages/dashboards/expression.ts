// Arithmetic between the queries of a panel: `a / b * 100`, point by point. Series with equal labels are paired; a series
// without labels is paired with each of the other side.

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

/** Returns the points that both have; what is no number is left out. */
function joined(sign: string, left: PanelSeries, right: PanelSeries): PanelSeries["points"] {
  const other = new Map(right.points);
  return left.points.flatMap(([ms, value]) => {
    const second = other.get(ms);
    const answer = second === undefined ? NaN : computed(sign, value, second);
    return Number.isFinite(answer) ? [[ms, answer] as [number, number]] : [];
  });
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
    of.map((series) => ({
      ...series,
      points: series.points.flatMap(([ms, value]) => {
        const answer = by(value);
        return Number.isFinite(answer) ? [[ms, answer] as [number, number]] : [];
      }),
    }));
  if (typeof left === "number") return mapped(right as PanelSeries[], (value) => computed(sign, left, value));
  if (typeof right === "number") return mapped(left, (value) => computed(sign, value, right));
  return pairs(left, right).map(([one, other]) => {
    const named = Object.keys(one.labels).length > 0 ? one : other;
    return { ...named, points: joined(sign, one, other) };
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
