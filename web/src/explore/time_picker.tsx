// The button that shows the time range and the zone; what it opens is a part of its own.

import { span } from "../format.ts";
import { Icon } from "../parts/icons.tsx";
import { later } from "../parts/later.tsx";
import { Menu } from "../parts/layers.tsx";
import { t } from "../texts.ts";
import { rangeLabel, zoneLabel } from "../time.ts";
import { askedAt, view } from "../view.ts";

const TimePanel = later(async () => (await import("./time_panel.tsx")).TimePanel, true);

/** The button and its panel. */
export function TimePicker() {
  const now = view.value;
  const range = rangeLabel(now, now.zone);
  const label = t("Time range: {range}", { range });
  const refresh = now.refresh > 0 ? ` · ${t("every {time}", { time: span(now.refresh * 1000) })}` : "";
  return (
    <Menu
      name="time"
      testId="time"
      label={label}
      class="time"
      align="right"
      button={
        <>
          <Icon name="clock" />
          <span class="sr-only">{t("Time range: {range}", { range: "" })}</span>
          <span>{range}</span>
          <span class="zone">
            {zoneLabel(askedAt.value, now.zone)}
            {refresh}
          </span>
        </>
      }
    >
      <TimePanel />
    </Menu>
  );
}
