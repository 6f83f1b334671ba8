// From an event to the page of its trace.

import { fullEvent } from "../event.ts";
import { tell } from "../parts/layers.tsx";
import type { EventRow } from "../rows.ts";
import { t } from "../texts.ts";
import { go, view } from "../view.ts";
import { traceIdOf } from "./trace.ts";

/** Opens the trace that a row's event names; shows a message if it names none. */
export async function openTraceOf(row: EventRow | undefined): Promise<void> {
  if (row === undefined) return tell(t("no row is focused"));
  try {
    const of = view.peek();
    const { fields } = await fullEvent(row, of, new AbortController().signal);
    const trace = fields.map(({ name, value }) => traceIdOf(name, value)).find((id) => id !== "");
    // A user who has left the page meanwhile stays where they are.
    if (view.peek().page !== of.page) return;
    if (trace === undefined) return tell(t("this event has no trace id"));
    const span = fields.find(({ name }) => name === "span_id")?.value;
    go({ page: "trace", trace, span: typeof span === "string" ? span : "", find: "" });
  } catch (error) {
    tell(t("The trace could not be loaded: {message}.", { message: error instanceof Error ? error.message : "" }));
  }
}
