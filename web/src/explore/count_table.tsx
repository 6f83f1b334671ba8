// The counts over time as a table, for those who do not see bars.

import { count } from "../format.ts";
import { t } from "../texts.ts";
import { fullText } from "../time.ts";
import { go, view, zoom } from "../view.ts";
import type { Bucket } from "./buckets.ts";
import { selectionText } from "./comparison.ts";

/** The table; a row shows its time, or what differs in it. */
export function CountTable({
  buckets,
  levels: all,
  nameOf,
}: {
  buckets: readonly Bucket[];
  levels: readonly string[];
  nameOf: (level: string) => string;
}) {
  const levels = all.filter((level) => buckets.some((bucket) => (bucket.by[level] ?? 0) > 0));
  return (
    <div class="count-table" tabIndex={0} role="region" aria-label={t("Counts over time")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("From")}</th>
            {levels.map((level) => (
              <th scope="col" key={level}>
                {nameOf(level)}
              </th>
            ))}
            <th scope="col">{t("Total")}</th>
            <th scope="col">
              <span class="sr-only">{t("Compare")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {buckets
            .filter((bucket) => bucket.total > 0)
            .map((bucket) => (
              <tr key={bucket.from}>
                <th scope="row">
                  <button type="button" class="link" onClick={() => zoom(bucket.from, bucket.to)}>
                    {fullText(bucket.from, view.value.zone)}
                  </button>
                </th>
                {levels.map((level) => (
                  <td key={level}>{count(bucket.by[level] ?? 0)}</td>
                ))}
                <td>{count(bucket.total)}</td>
                <td>
                  <button
                    type="button"
                    class="link"
                    aria-label={t("What differs at {time}", { time: fullText(bucket.from, view.value.zone) })}
                    onClick={() =>
                      go({
                        panel: "differs",
                        selection: selectionText(bucket.from, bucket.to),
                        chosen: "",
                        baseline: "",
                        row: "",
                        live: false,
                      })
                    }
                  >
                    {t("What differs")}
                  </button>
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
