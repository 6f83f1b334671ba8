// What charts of a dashboard share.

import { signal } from "@preact/signals";

/** The instant that is read in one chart, and shown in all. */
export const crosshair = signal<{ ms: number; panel: string } | null>(null);
