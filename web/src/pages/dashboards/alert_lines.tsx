// Alerts that are active, drawn over time: from when each began.

import { useEffect } from "preact/hooks";

import { alerts, askAlerts } from "../../api/alerts.ts";
import { oneLine } from "../../format.ts";
import { t } from "../../texts.ts";
import { fullText } from "../../time.ts";
import { view } from "../../view.ts";

/** Room that the word at a line needs. */
const TEXT_PIXELS = 70;

/** Asks for the alerts whenever the panels are asked again. */
export function useAlerts(again: unknown): void {
  useEffect(() => {
    void askAlerts();
  }, [again]);
}

/** Lines in a chart that shows `from` to `to`; a server that tells no alerts leaves charts as they are. */
export function AlertLines({
  from,
  to,
  x,
  height,
}: {
  from: number;
  to: number;
  x: (ms: number) => number;
  height: number;
}) {
  const zone = view.value.zone;
  const found = (alerts.value.data ?? []).filter(({ since }) => {
    const at = Date.parse(since);
    return at >= from && at <= to;
  });
  return (
    <g class="alert-lines" aria-hidden="true">
      {found.map(({ id, rule, since }) => {
        const left = x(Date.parse(since));
        return (
          <g key={id || rule} data-testid="alert-line">
            <title>{`${oneLine(rule, 80)} · ${fullText(Date.parse(since), zone)}`}</title>
            <rect x={left} y={0} width={Math.max(0, x(to) - left)} height={3} />
            <line x1={left} x2={left} y1={0} y2={height} />
            {x(to) - left > TEXT_PIXELS ? (
              <text x={left + 4} y={14}>
                {t("alert")}
              </text>
            ) : (
              <text x={left - 4} y={14} text-anchor="end">
                {t("alert")}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}
