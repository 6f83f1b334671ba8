// What a written range means, as the server reads it.

import { json, timeZone } from "../api.ts";
import type { RangeText, Zone } from "../time.ts";

/** Both ends as the address has them, and the instants that they are now. */
export interface ReadRange extends RangeText {
  from_time: string;
  to_time: string;
}

/** Reads a range; throws `ApiError` with the place of what is wrong. */
export function readRange(text: string, zone: Zone, signal: AbortSignal): Promise<ReadRange> {
  return json<ReadRange>(`api/v1/time?${new URLSearchParams({ text, time_zone: timeZone(zone) }).toString()}`, {
    signal,
  });
}
