// A text of any length as it was meant: its colours, its stack traces folded, its beginning first and the rest in steps.

import { useMemo, useState } from "preact/hooks";

import { bytes, count, cut } from "../format.ts";
import { plural, t } from "../texts.ts";
import { pieces, type Manner } from "./ansi.ts";
import { fold } from "./stack.ts";

/** Characters shown before somebody asks for more, and how many each asking adds: what a browser lays out at once. */
const TEXT_CHARS = 4096;
const STEP_CHARS = 262_144;

function styleOf({ color, back }: Manner): preact.CSSProperties | undefined {
  if (color === "" && back === "") return undefined;
  // Properties, set by script: an attribute in a string is what the policy forbids.
  return {
    ...(color === "" ? {} : { "--ink": color }),
    ...(back === "" ? {} : { "--ground": back }),
  } as preact.CSSProperties;
}

function Coloured({ text }: { text: string }) {
  const all = useMemo(() => pieces(text), [text]);
  return (
    <>
      {all.map(({ text: part, manner }, at) =>
        manner === null ? (
          part
        ) : (
          <span key={at} class={`ansi ${manner.classes}`} style={styleOf(manner)}>
            {part}
          </span>
        ),
      )}
    </>
  );
}

function Frames({ text, frames }: { text: string; frames: number }) {
  const [open, setOpen] = useState(false);
  const indent = /^\s*/.exec(text)?.[0].replace(/^.*\n/s, "") ?? "";
  return (
    <>
      {indent}
      <button type="button" class="frames" aria-expanded={open} data-testid="frames" onClick={() => setOpen(!open)}>
        {plural(frames, "{n} frame", "{n} frames", count(frames))}
      </button>
      {"\n"}
      {open && (
        <span class="library">
          <Coloured text={text} />
        </span>
      )}
    </>
  );
}

/** A text of any length. */
export function RichText({ text, limit = TEXT_CHARS }: { text: string; limit?: number }) {
  const [most, setMost] = useState(limit);
  const shown = cut(text, most);
  const parts = useMemo(() => fold(shown), [shown]);
  const left = text.length - shown.length;
  const step = Math.min(left, STEP_CHARS);
  return (
    <>
      {parts.map((part, at) =>
        part.frames > 0 ? (
          <Frames key={at} text={part.text} frames={part.frames} />
        ) : (
          <Coloured key={at} text={part.text} />
        ),
      )}
      {left > 0 && (
        <button type="button" class="link" data-testid="show-more" onClick={() => setMost(most + STEP_CHARS)}>
          {" … "}
          {step < left
            ? t("show {some} more of {all}", { some: bytes(step), all: bytes(text.length) })
            : t("show {some} more", { some: bytes(left) })}
        </button>
      )}
    </>
  );
}
