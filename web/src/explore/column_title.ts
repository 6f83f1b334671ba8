// What columns are called.

import { t } from "../texts.ts";

/** What a column is called in its head. */
export function columnTitle(name: string): string {
  return name === "@message" ? t("Message") : name === "@log" ? t("Group") : name;
}
