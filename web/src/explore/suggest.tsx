// Completion in the editor. The server knows what may stand at the caret; until it answers, and where it does not, there are
// commands where a command may stand, elsewhere functions and the fields that the sidebar knows.

import { complete, type Scope } from "../api.ts";
import { fieldList } from "../ask.ts";
import { oneLine, percent } from "../format.ts";
import { fieldText } from "../query/edit.ts";
import { lex } from "../query/lex.ts";
import { t, text } from "../texts.ts";
import { view } from "../view.ts";

/** One completion: the text that replaces a span. */
export interface Suggestion {
  start: number;
  end: number;
  insert: string;
  label: string;
  detail: string;
  /** Where it is described. */
  see?: string | undefined;
}

const COMMAND_HELP: Record<string, string> = {
  fields: text("choose and compute columns"),
  filter: text("keep matching rows"),
  stats: text("count, average, group"),
  sort: text("order rows"),
  limit: text("first n rows"),
  display: text("columns shown"),
  parse: text("take fields out of a text"),
  dedup: text("first row of each value"),
};
const FUNCTIONS = [
  "count(*)",
  "count_distinct()",
  "sum()",
  "avg()",
  "min()",
  "max()",
  "pct()",
  "median()",
  "bin(5m)",
  "ispresent()",
  "coalesce()",
  "strlen()",
  "tolower()",
  "concat()",
  "strcontains()",
  "round()",
  "earliest()",
  "latest()",
  "values()",
];
const SUGGESTIONS_MAX = 8;
const SYSTEM = ["@timestamp", "@message", "@level", "@log", "@logStream", "@ingestionTime", "@any", "@id"];

/** What may be meant by the word before the caret. */
export function completions(query: string, caret: number): Suggestion[] {
  const tokens = lex(query.slice(0, caret));
  const last = tokens.at(-1);
  if (!last || last.kind !== "word" || last.text.length < 1) return [];
  const rest = /^[\p{L}\p{N}_@.]*/u.exec(query.slice(caret))?.[0] ?? "";
  if (rest !== "") return [];
  const before = tokens
    .slice(0, -1)
    .filter((token) => token.kind !== "space" && token.kind !== "comment")
    .at(-1);
  const word = last.text.toLowerCase();
  const make = (insert: string, label: string, detail: string): Suggestion => ({
    start: last.start,
    end: caret,
    insert,
    label,
    detail,
  });
  const all: Suggestion[] = [];
  if (before === undefined || before.kind === "pipe" || before.kind === "newline") {
    for (const [name, help] of Object.entries(COMMAND_HELP))
      if (name.startsWith(word)) all.push(make(`${name} `, name, t(help)));
  } else {
    const known = fieldList.peek().data?.fields ?? [];
    for (const field of known) {
      if (field.name.toLowerCase().startsWith(word))
        all.push(make(fieldText(field.name), field.name, `${field.types.join(", ")} · ${percent(field.share)}`));
    }
    for (const name of SYSTEM)
      if (name.toLowerCase().startsWith(word) && !known.some((field) => field.name === name))
        all.push(make(name, name, t("system field")));
    for (const call of FUNCTIONS) if (call.startsWith(word)) all.push(make(call, call, t("function")));
  }
  const exact = all.some((one) => one.label.toLowerCase() === word);
  return exact && all.length === 1 ? [] : all.slice(0, SUGGESTIONS_MAX);
}

/** What the server says may stand at the caret. Without a word begun, only values: nobody wants a list after every blank. */
export async function askedCompletions(
  query: string,
  caret: number,
  signal: AbortSignal,
  scope: Scope = view.peek(),
): Promise<Suggestion[]> {
  const { from, to, groups } = scope;
  const { start, end, items } = await complete(query, caret, { from, to, groups }, view.peek().zone, signal);
  const wanted = start < caret ? items : items.filter((item) => item.kind === "value");
  const written = query.slice(start, caret);
  const useful = wanted.filter((item) => item.insert.trim() !== written);
  return useful.slice(0, SUGGESTIONS_MAX).map(({ insert, label, detail, share, see }) => ({
    start,
    end,
    insert,
    label,
    see,
    detail: share === undefined ? detail : `${detail} · ${percent(share)}`,
  }));
}

/** The list under the editor. */
export function Suggestions({
  all,
  chosen,
  onPick,
}: {
  all: readonly Suggestion[];
  chosen: number;
  onPick: (at: number) => void;
}) {
  if (all.length === 0) return null;
  const see = all[Math.max(chosen, 0)]?.see;
  return (
    <div class="suggestions" data-testid="suggestions">
      <ul role="listbox" aria-label={t("Completions")}>
        {all.map((one, at) => (
          <li
            key={one.label}
            role="option"
            aria-selected={at === chosen}
            onPointerDown={(event) => {
              event.preventDefault();
              onPick(at);
            }}
          >
            <span>{oneLine(one.label, 200)}</span>
            <span class="dim">{oneLine(one.detail, 200)}</span>
          </li>
        ))}
      </ul>
      <p class="dim">
        {t("Tab accepts")}
        {see !== undefined && (
          <>
            {" "}
            · F1:{" "}
            <a
              href={see}
              target="_blank"
              rel="noopener"
              tabIndex={-1}
              onPointerDown={(event) => event.preventDefault()}
            >
              {t("reference")}
            </a>
          </>
        )}
      </p>
    </div>
  );
}
