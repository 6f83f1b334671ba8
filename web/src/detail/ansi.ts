// Colours of terminals: what a text says between its escapes, and how each piece is meant. Only colours and weights are
// taken from escapes (SGR); every other escape is taken out. What comes of it is text and properties, never markup.

import { ANSI, printable } from "../format.ts";

/** How a piece of text is meant. */
export interface Manner {
  /** Classes: `ansi-bold`, `ansi-3` (a colour of the palette). */
  classes: string;
  /** A colour outside of the palette, as CSS writes it; empty for none. */
  color: string;
  /** The same behind the text. */
  back: string;
}

/** A piece of text in one manner; `null` is plain. */
export interface Piece {
  text: string;
  manner: Manner | null;
}

/** Pieces made of one text; what is beyond is plain. */
const PIECES_MAX = 500;

interface State {
  marks: Set<string>;
  color: string;
  back: string;
}

const MARKS: Readonly<Record<number, string>> = {
  1: "bold",
  2: "faint",
  3: "italic",
  4: "under",
  7: "inverse",
  9: "strike",
};
const MARKS_OFF: Readonly<Record<number, readonly string[]>> = {
  22: ["bold", "faint"],
  23: ["italic"],
  24: ["under"],
  27: ["inverse"],
  29: ["strike"],
};
const STEPS = [0, 95, 135, 175, 215, 255];

/** A colour of the 256: of the palette by its number, else as CSS writes it. */
function indexed(n: number): string {
  if (!Number.isInteger(n) || n < 0 || n > 255) return "";
  if (n < 16) return String(n);
  if (n >= 232) {
    const grey = 8 + (n - 232) * 10;
    return `rgb(${grey},${grey},${grey})`;
  }
  const [r, g, b] = [Math.floor((n - 16) / 36), Math.floor((n - 16) / 6) % 6, (n - 16) % 6].map(
    (step) => STEPS[step] ?? 0,
  );
  return `rgb(${r},${g},${b})`;
}

/** Reads `5;n` or `2;r;g;b` behind 38 or 48; gives the colour and how many numbers it took. */
function extended(codes: readonly number[], at: number): [string, number] {
  if (codes[at] === 5) return [indexed(codes[at + 1] ?? -1), 2];
  if (codes[at] !== 2) return ["", 0];
  const [r, g, b] = codes.slice(at + 1, at + 4);
  const valid = [r, g, b].every((one) => one !== undefined && one >= 0 && one <= 255);
  return [valid ? `rgb(${r},${g},${b})` : "", 4];
}

/** What an escape changes. `38:2::r:g:b` has an empty place for a colour space. */
function follow(state: State, parameters: string): void {
  const codes = parameters
    .replaceAll("::", ":")
    .split(/[;:]/)
    .map((one) => (one === "" ? 0 : Number(one)));
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 0) {
      state.marks.clear();
      state.color = "";
      state.back = "";
    } else if (MARKS[code] !== undefined) state.marks.add(MARKS[code]);
    else if (MARKS_OFF[code] !== undefined) MARKS_OFF[code].forEach((mark) => state.marks.delete(mark));
    else if (code >= 30 && code <= 37) state.color = String(code - 30);
    else if (code >= 90 && code <= 97) state.color = String(code - 82);
    else if (code >= 40 && code <= 47) state.back = String(code - 40);
    else if (code >= 100 && code <= 107) state.back = String(code - 92);
    else if (code === 39) state.color = "";
    else if (code === 49) state.back = "";
    else if (code === 38 || code === 48) {
      const [color, taken] = extended(codes, at + 1);
      if (code === 38) state.color = color;
      else state.back = color;
      at += taken;
    }
  }
}

function mannerOf(state: State): Manner | null {
  if (state.marks.size === 0 && state.color === "" && state.back === "") return null;
  const swapped = state.marks.has("inverse");
  const [color, back] = swapped ? [state.back, state.color || "7"] : [state.color, state.back];
  const marks = [...state.marks].filter((mark) => mark !== "inverse").map((mark) => `ansi-${mark}`);
  const named = (name: string, kind: string) => (/^\d+$/.test(name) ? [`${kind}-${name}`] : []);
  const classes = [...marks, ...named(color, "ansi"), ...named(back, "ansi-back")].join(" ");
  return { classes, color: color.startsWith("rgb") ? color : "", back: back.startsWith("rgb") ? back : "" };
}

/** Cuts a text into pieces, each printable. */
export function pieces(text: string): Piece[] {
  if (!text.includes("\u001b")) return [{ text: printable(text, true), manner: null }];
  const found: Piece[] = [];
  const state: State = { marks: new Set(), color: "", back: "" };
  let at = 0;
  const add = (end: number) => {
    const part = printable(text.slice(at, end), true);
    if (part !== "") found.push({ text: part, manner: mannerOf(state) });
  };
  for (const escape of text.matchAll(ANSI)) {
    if (found.length >= PIECES_MAX) break;
    add(escape.index);
    at = escape.index + escape[0].length;
    const colour = /^\u001b\[([0-9;:]*)m$/.exec(escape[0]);
    if (colour) follow(state, colour[1] ?? "");
  }
  if (found.length >= PIECES_MAX) (state.marks.clear(), (state.color = ""), (state.back = ""));
  add(text.length);
  return found;
}
