// Whether somebody has stopped the live tail: known apart from the tail, which is loaded when it is wanted.

import { signal } from "@preact/signals";

/** Somebody has stopped the list until they say otherwise; what arrives is kept, and counted. */
export const paused = signal(false);

/** Pauses the list, or lets it go on with what has arrived since. */
export function togglePause(): void {
  paused.value = !paused.peek();
}
