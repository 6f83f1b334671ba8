// Dashboards: the list of all, one of them, or one as a wallboard.

import type { ComponentType } from "preact";

import { adopt } from "../parts/style.ts";
import panelRules from "../style/board_panels.css?inline";
import causeRules from "../style/cause.css?inline";
import chartRules from "../style/charts.css?inline";
import rules from "../style/dashboards.css?inline";
import metricRules from "../style/metrics.css?inline";
import traceRules from "../style/traces.css?inline";
import { view } from "../view.ts";
import { BoardPage } from "./dashboards/board.tsx";
import { BoardList } from "./dashboards/list.tsx";
import { Wall } from "./dashboards/wall.tsx";

for (const one of [causeRules, chartRules, metricRules, traceRules, rules, panelRules]) adopt(one);

/** The page. `Time` is the button of the time range. */
export function Dashboards({ Time }: { Time: ComponentType }) {
  const { name, wall } = view.value.board;
  if (name === "") return <BoardList />;
  return wall === "" ? <BoardPage key={name} Time={Time} /> : <Wall key={name} />;
}
