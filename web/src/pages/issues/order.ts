// Which issues a list shows, and in which order.

import type { Issue } from "../../api/issues.ts";

/** What issues are sorted by, as the address has it; a `-` before it turns the order. */
export type IssueSort = "last" | "first" | "count" | "title";

/** Whether all words are in the texts of an issue. */
function isSought(issue: Issue, words: readonly string[], sample: string): boolean {
  const { title, pattern, service, group, owner, note } = issue;
  const text = [title, pattern, service, group, owner, note, sample, ...issue.frames, ...issue.hosts]
    .join("\n")
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

const KEYS: Readonly<Record<IssueSort, (issue: Issue) => number | string>> = {
  last: ({ last_seen: at }) => -Date.parse(at),
  first: ({ first_seen: at }) => -Date.parse(at),
  count: ({ count }) => -count,
  title: ({ title, pattern }) => (title || pattern).toLowerCase(),
};

/** Reads the order out of the address; `null` for the server's own. */
export function sortOf(text: string): { by: IssueSort; isTurned: boolean } | null {
  const isTurned = text.startsWith("-");
  const by = isTurned ? text.slice(1) : text;
  return Object.hasOwn(KEYS, by) ? { by: by as IssueSort, isTurned } : null;
}

/** Returns the issues with all words of `sought`, in the order that is wanted. `samples` are lines by the ids of issues. */
export function listed(
  issues: readonly Issue[],
  sought: string,
  sort: string,
  samples: ReadonlyMap<string, string> = new Map(),
): Issue[] {
  const words = sought
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const found = issues.filter((issue) => isSought(issue, words, samples.get(issue.id) ?? ""));
  const order = sortOf(sort);
  if (order === null) return found;
  const key = KEYS[order.by];
  const sign = order.isTurned ? -1 : 1;
  return found.sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
}
