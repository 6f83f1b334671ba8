// What would be wrong with a query, were it run.

import { ApiError, post, timeZone, type Notice } from "../api.ts";
import type { Zone } from "../time.ts";

/** A located mistake as the server tells it. */
interface Mistake {
  code: string;
  message: string;
  start?: number;
  end?: number;
  line?: number;
  column?: number;
  hint?: string;
}

/** Asks for the first mistake of a query, and for what would be said about it. */
export async function checkQuery(
  query: string,
  zone: Zone,
  signal: AbortSignal,
): Promise<{ error: ApiError | null; warnings: Notice[] }> {
  const answer = await post<{ errors?: Mistake[]; warnings?: Notice[] }>(
    "api/v1/check",
    { query, time_zone: timeZone(zone) },
    signal,
  );
  const first = answer.errors?.[0];
  const error =
    first === undefined
      ? null
      : new ApiError(
          400,
          first.code,
          first.message,
          first.start ?? null,
          first.end ?? null,
          first.line ?? null,
          first.column ?? null,
          first.hint ?? null,
        );
  return { error, warnings: answer.warnings ?? [] };
}
