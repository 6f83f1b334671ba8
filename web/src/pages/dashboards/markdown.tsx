// The text of a panel, in Markdown: headings, lists, quotes, code, bold, italics, links. Everything becomes elements, never
// markup: what is no Markdown is text. Links lead to pages of this server, to http(s) and to mail.

import type { ComponentChild } from "preact";

import { printable } from "../../format.ts";
import { t } from "../../texts.ts";
import { linkOf } from "./links.ts";
import { encoded, filledText, type Choices } from "./variables.ts";

const INLINE =
  /(`+)([^`]|[^`].*?[^`])\1(?!`)|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s][^*]*?)\*|\b_([^_\s][^_]*?)_\b|\[([^\]]*)\]\(([^()\s]+)\)|(https?:\/\/[^\s<>"')]+)/;
const DEPTH_MAX = 6;

function Link({ to, words, children }: { to: string; words: Words; children: ComponentChild }) {
  const address = linkOf(to);
  const isOther = address !== null && /^[a-z]+:/i.test(address);
  if (address === null || !(isOther || words.hasPages)) return <>{children}</>;
  return (
    <a href={address} {...(isOther ? { rel: "noopener noreferrer", target: "_blank" } : {})}>
      {children}
    </a>
  );
}

/** What is said of a text: with the values of variables, which are text and never Markdown. */
interface Words {
  text: (of: string, keepsLines?: boolean) => string;
  address: (of: string) => string;
  /** Whether links to pages of the server lead there: in a file they would lead to other files. */
  hasPages: boolean;
}

function inline(text: string, words: Words, depth = 0): ComponentChild[] {
  const parts: ComponentChild[] = [];
  let rest = text;
  for (let found = next(rest, depth); found; found = next(rest, depth)) {
    parts.push(words.text(rest.slice(0, found.index)), elementOf(found, words, depth));
    rest = rest.slice(found.index + found[0].length);
  }
  return [...parts, words.text(rest)];
}

function next(text: string, depth: number): RegExpExecArray | null {
  return depth < DEPTH_MAX ? INLINE.exec(text) : null;
}

function elementOf(found: RegExpExecArray, words: Words, depth: number): ComponentChild {
  const [, , code, bold, strong, italic, emphasis, label, target, bare] = found;
  const inner = (of: string) => inline(of, words, depth + 1);
  if (code !== undefined) return <code>{words.text(code)}</code>;
  if (bold !== undefined || strong !== undefined) return <b>{inner(bold ?? strong ?? "")}</b>;
  if (italic !== undefined || emphasis !== undefined) return <em>{inner(italic ?? emphasis ?? "")}</em>;
  if (target !== undefined)
    return (
      <Link to={words.address(target)} words={words}>
        {inner(label ?? "")}
      </Link>
    );
  return (
    <Link to={words.address(bare ?? "")} words={words}>
      {words.text(bare ?? "")}
    </Link>
  );
}

type Block =
  | { kind: "heading"; level: number; text: string }
  | { kind: "list"; isOrdered: boolean; items: string[] }
  | { kind: "quote"; text: string }
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "rule" };

/** Cuts a text into its blocks. */
function blocksOf(text: string): Block[] {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const heading = /^(#{1,4})\s+(.*)$/.exec(line);
    const item = /^\s*(?:([-*+])|\d+[.)])\s+(.*)$/.exec(line);
    const last = blocks.at(-1);
    const isAfterBreak = (lines[at - 1] ?? "").trim() === "";
    if (/^```/.test(line)) {
      const end = lines.findIndex((one, n) => n > at && /^```/.test(one));
      const stop = end < 0 ? lines.length : end;
      blocks.push({ kind: "code", text: lines.slice(at + 1, stop).join("\n") });
      at = stop;
    } else if (heading) blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, text: heading[2] ?? "" });
    else if (/^\s*(?:-{3,}|\*{3,})\s*$/.test(line)) blocks.push({ kind: "rule" });
    else if (item) {
      const isOrdered = item[1] === undefined;
      if (last?.kind === "list" && last.isOrdered === isOrdered) last.items.push(item[2] ?? "");
      else blocks.push({ kind: "list", isOrdered, items: [item[2] ?? ""] });
    } else if (/^>\s?/.test(line)) {
      const quoted = line.replace(/^>\s?/, "");
      if (last?.kind === "quote" && !isAfterBreak) last.text += `\n${quoted}`;
      else blocks.push({ kind: "quote", text: quoted });
    } else if (line.trim() !== "") {
      if (last?.kind === "text" && !isAfterBreak) last.text += `\n${line}`;
      else blocks.push({ kind: "text", text: line });
    }
  }
  return blocks;
}

function lined(text: string, words: Words): ComponentChild[] {
  return text
    .split("\n")
    .flatMap((line, at) => (at === 0 ? inline(line, words) : [<br key={at} />, ...inline(line, words)]));
}

function List({ isOrdered, items, words }: { isOrdered: boolean; items: readonly string[]; words: Words }) {
  const lines = items.map((item, at) => <li key={at}>{inline(item, words)}</li>);
  return isOrdered ? <ol>{lines}</ol> : <ul>{lines}</ul>;
}

function Shown({ of, words }: { of: Block; words: Words }) {
  if (of.kind === "list") return <List isOrdered={of.isOrdered} items={of.items} words={words} />;
  if (of.kind === "quote") return <blockquote>{lined(of.text, words)}</blockquote>;
  if (of.kind === "code") return <pre>{words.text(of.text, true)}</pre>;
  if (of.kind === "rule") return <hr />;
  if (of.kind === "text") return <p>{lined(of.text, words)}</p>;
  // The panel's title is above it.
  return <h4 class={of.level === 1 ? "large" : ""}>{inline(of.text, words)}</h4>;
}

/** The text, with what was chosen for the variables that it names. */
export function Markdown({ text, choices, hasPages }: { text: string; choices: Choices; hasPages: boolean }) {
  const words: Words = {
    text: (of, keepsLines = false) => printable(filledText(of, choices, t("all")), keepsLines),
    address: (of) => filledText(of, encoded(choices), "*"),
    hasPages,
  };
  return (
    <div class="markdown" data-testid="markdown">
      {blocksOf(text).map((block, at) => (
        <Shown key={at} of={block} words={words} />
      ))}
    </div>
  );
}
