// A line of each issue: its newest event, whose values say what the pattern leaves out.

import { signal } from "@preact/signals";

import { query } from "../../api.ts";
import type { Issue } from "../../api/issues.ts";
import { textOf } from "../../format.ts";
import { valueText } from "../../query/edit.ts";
import { view } from "../../view.ts";

/** Issues whose lines are asked for at once. */
const TOGETHER = 6;

/** Lines by the ids of issues. One that was found stays: the next one would say the same. */
export const samples = signal<ReadonlyMap<string, string>>(new Map());

const asked = new Set<string>();

async function askFor({ id, group, last_event: event, last_seen: at }: Issue): Promise<void> {
  const text = `filter @id = ${valueText(event)}\n| fields @message`;
  // The event is at this instant, so that the answer reads one block.
  const scope = { from: at, to: at, groups: [group] };
  try {
    const { columns, rows } = await query(text, scope, view.peek().zone, new AbortController().signal, 1);
    const line = textOf(rows[0]?.[columns.findIndex(({ name }) => name === "@message")]);
    if (line !== "") samples.value = new Map([...samples.peek(), [id, line]]);
  } catch {
    // The pattern stands for it.
  }
}

/** Asks for the lines of issues that are shown, each once. */
export async function askSamples(issues: readonly Issue[]): Promise<void> {
  const wanted = issues.filter(({ id, last_event: event }) => event !== "" && !asked.has(id));
  for (const { id } of wanted) asked.add(id);
  for (let at = 0; at < wanted.length; at += TOGETHER) await Promise.all(wanted.slice(at, at + TOGETHER).map(askFor));
}
