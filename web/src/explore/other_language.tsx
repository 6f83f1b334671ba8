// Explore with a query in a language beside Insights QL and PromQL, as panels of dashboards have them: its answer is one
// panel, whose picture is chosen above it.

import { signal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";

import type { ApiError } from "../api.ts";
import type { BoardPanel } from "../api/dashboards.ts";
import { filtered, type Filtered } from "../keys.ts";
import type { BoardRange } from "../pages/dashboards/ask.ts";
import { pictureOf, picturesOf } from "../pages/dashboards/from_explore.ts";
import { Panel } from "../pages/dashboards/panel.tsx";
import { PANEL_KINDS } from "../pages/dashboards/panel_form.tsx";
import { tell } from "../parts/layers.tsx";
import { SkipLink } from "../parts/skip_link.tsx";
import { adopt } from "../parts/style.ts";
import panelRules from "../style/board_panels.css?inline";
import causeRules from "../style/cause.css?inline";
import chartRules from "../style/charts.css?inline";
import rules from "../style/dashboards.css?inline";
import metricRules from "../style/metrics.css?inline";
import { t } from "../texts.ts";
import { asked, askedAt, go, LANGUAGE_NAMES, rangeMs, view, type View } from "../view.ts";
import { checked } from "./editor_state.ts";

for (const one of [causeRules, chartRules, metricRules, rules, panelRules]) adopt(one);

/** What was asked, when `now` was what it is in its range. */
interface Question {
  of: View;
  range: BoardRange;
  again: number;
}

const ID = "answer";

/** Conditions of Insights QL have no place in these languages. */
const NO_FILTERS: Filtered = {
  text: signal(""),
  ask: () => tell(t("Filters are for queries in Insights QL")),
};

function question(): Question {
  const of = view.peek();
  askedAt.value = Date.now();
  const [from, to] = rangeMs(of, askedAt.peek());
  return { of, range: { from, to, isOpen: of.to === "now" }, again: asked.peek() };
}

/** The work area of Explore. */
export function OtherLanguage() {
  const of = view.value;
  const [now, setNow] = useState<Question | null>(null);
  useEffect(() => setNow(question()), [of.language, of.query, of.from, of.to, of.groups.join(), of.zone, asked.value]);
  useEffect(() => {
    filtered.value = NO_FILTERS;
    return () => {
      if (filtered.peek() === NO_FILTERS) filtered.value = null;
    };
  }, []);
  return (
    <div class="work other-language">
      <SkipLink />
      <section class="results" aria-label={t("Results")} data-testid="other-language">
        {of.query.trim() === "" ? (
          <p class="board-nothing dim">
            {t("Write a query in {language}.", { language: LANGUAGE_NAMES[of.language] })}
          </p>
        ) : (
          // What was asked before may have been nothing.
          now !== null && now.of.query.trim() !== "" && <Answer now={now} />
        )}
      </section>
    </div>
  );
}

function Answer({ now: { of, range, again } }: { now: Question }) {
  const { chart } = view.value;
  const kind = pictureOf({ ...of, chart });
  const panel = useMemo((): BoardPanel => {
    const query = { query: of.query, language: of.language, groups: [...of.groups] };
    return { id: ID, title: t("Results"), kind, x: 0, y: 0, w: 24, h: 12, queries: [query] };
  }, [of, kind]);
  // The editor marks the place.
  const onAnswer = (_: string, __: number, error: ApiError | null) => {
    const isMistake = error !== null && error.status >= 400 && error.status < 500;
    checked.value = isMistake ? { text: of.query, error, warnings: [] } : null;
  };
  return (
    <Panel {...{ panel, range, again, onAnswer }} choices={{}} isEdited={false} hasMenu={false} isEager>
      <div class="tabs" role="group" aria-label={t("Picture")}>
        {picturesOf(of).map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === kind}
            data-testid={`picture-${one}`}
            onClick={() => go({ chart: one })}
          >
            {t(PANEL_KINDS[one])}
          </button>
        ))}
      </div>
    </Panel>
  );
}
