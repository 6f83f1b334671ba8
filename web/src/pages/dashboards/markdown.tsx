// The text of a panel, in Markdown: headings, lists, quotes, code, bold, italics, links. Everything becomes elements, never
// markup: what is no Markdown is text. Links lead to pages of this server, to http(s) and to mail.

import type { ComponentChild } from "preact";

import { printable } from "../../format.ts";
import { linkOf } from "./links.ts";

const INLINE =
  /(`+)([^`]|[^`].*?[^`])\1(?!`)|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s][^*]*?)\*|\b_([^_\s][^_]*?)_\b|\[([^\]]*)\]\(([^()\s]+)\)|(https?:\/\/[^\s<>"')]+)/;
const DEPTH_MAX = 6;

function Link({ to, children }: { to: string; children: ComponentChild }) {
  const address = linkOf(to);
  if (address === null) return <>{children}</>;
  const isOther = /^[a-z]+:/i.test(address);
  return (
    <a href={address} {...(isOther ? { rel: "noopener noreferrer", target: "_blank" } : {})}>
      {children}
    </a>
  );
}

function inline(text: string, depth = 0): ComponentChild[] {
  const found = depth < DEPTH_MAX ? INLINE.exec(text) : null;
  if (!found) return [printable(text)];
  const [whole, , code, bold, strong, italic, emphasis, label, target, bare] = found;
  const inner = (of: string) => inline(of, depth + 1);
  const element =
    code !== undefined ? (
      <code>{printable(code)}</code>
    ) : (bold ?? strong) !== undefined ? (
      <b>{inner(bold ?? strong ?? "")}</b>
    ) : (italic ?? emphasis) !== undefined ? (
      <em>{inner(italic ?? emphasis ?? "")}</em>
    ) : target !== undefined ? (
      <Link to={target}>{inner(label ?? "")}</Link>
    ) : (
      <Link to={bare ?? ""}>{printable(bare ?? "")}</Link>
    );
  return [printable(text.slice(0, found.index)), element, ...inline(text.slice(found.index + whole.length), depth)];
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

function lined(text: string): ComponentChild[] {
  return text.split("\n").flatMap((line, at) => (at === 0 ? inline(line) : [<br key={at} />, ...inline(line)]));
}

function List({ isOrdered, items }: { isOrdered: boolean; items: readonly string[] }) {
  const lines = items.map((item, at) => <li key={at}>{inline(item)}</li>);
  return isOrdered ? <ol>{lines}</ol> : <ul>{lines}</ul>;
}

function Shown({ of }: { of: Block }) {
  if (of.kind === "list") return <List isOrdered={of.isOrdered} items={of.items} />;
  if (of.kind === "quote") return <blockquote>{lined(of.text)}</blockquote>;
  if (of.kind === "code") return <pre>{printable(of.text, true)}</pre>;
  if (of.kind === "rule") return <hr />;
  if (of.kind === "text") return <p>{lined(of.text)}</p>;
  // The panel's title is above it.
  return <h4 class={of.level === 1 ? "large" : ""}>{inline(of.text)}</h4>;
}

/** The text. */
export function Markdown({ text }: { text: string }) {
  return (
    <div class="markdown" data-testid="markdown">
      {blocksOf(text).map((block, at) => (
        <Shown key={at} of={block} />
      ))}
    </div>
  );
}
