// Where an issue occurs, and whom it affects: names with the number of events.

import { count, oneLine } from "../../format.ts";
import { t } from "../../texts.ts";

const LISTED_MAX = 8;

/** Names, each with the number of its events. */
export function Where({ title, all }: { title: string; all: readonly (readonly [string, number | null])[] }) {
  if (all.length === 0) return null;
  return (
    <p class="labels" lang="">
      <span class="dim">{title}</span>
      {all.slice(0, LISTED_MAX).map(([name, n]) => (
        <span key={name} class="label">
          {oneLine(name, 80)} {n !== null && <b>{count(n)}</b>}
        </span>
      ))}
      {all.length > LISTED_MAX && <span class="dim">{t("and {n} more", { n: count(all.length - LISTED_MAX) })}</span>}
    </p>
  );
}
