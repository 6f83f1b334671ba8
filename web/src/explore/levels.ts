// The levels of an event, in the order of their weight.

import { t } from "../texts.ts";

/** Canonical levels, light to heavy. */
export const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** Stands for events without a level. */
export const NO_LEVEL = "none";

/** The class that gives a level its colour. */
export function levelClass(level: string): string {
  const name = level.toLowerCase();
  return (LEVELS as readonly string[]).includes(name) ? name : NO_LEVEL;
}

/** What a level is called. */
export function levelName(level: string): string {
  return level === NO_LEVEL ? t("no level") : level;
}
