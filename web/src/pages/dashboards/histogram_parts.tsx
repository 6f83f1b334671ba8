// What a panel says of native histograms: which one of several is drawn, and why another picture draws none.

import type { PanelKind } from "../../api/dashboards.ts";
import { Options } from "../../parts/options.tsx";
import { t } from "../../texts.ts";
import type { PanelHistogram } from "./histograms.ts";

/** The choice among several histograms: a heatmap has room for one. */
export function HistogramChoice({
  histograms,
  histogram,
  onChoose,
}: {
  histograms: readonly PanelHistogram[];
  histogram: PanelHistogram;
  onChoose: (name: string) => void;
}) {
  if (histograms.length < 2) return null;
  return (
    <p class="board-more">
      <label>
        {t("Histogram, one of {n}", { n: histograms.length })}{" "}
        <select
          value={histogram.name}
          data-testid="histogram-choice"
          onChange={(event) => onChoose(event.currentTarget.value)}
        >
          <Options of={histograms.map(({ name }) => [name, name])} />
        </select>
      </label>
    </p>
  );
}

/** Why native histograms are not drawn, and what to choose. */
export function NotDrawn({ kind, hasExpression }: { kind: PanelKind; hasExpression: boolean }) {
  return (
    <p class="board-remark" role="status" data-testid="histograms-not-drawn">
      {kind === "heatmap" && hasExpression
        ? t(
            "The answer has native histograms, and an expression computes with numbers alone. Remove the expression to draw them, or query numbers of them: histogram_quantile(0.95, …), histogram_avg(…).",
          )
        : t(
            "The answer has native histograms, which this type of panel does not draw. Choose the type “Heatmap”, or query numbers of them: histogram_quantile(0.95, …), histogram_avg(…), histogram_count(…).",
          )}
    </p>
  );
}
