// Puts what Explore shows on a dashboard: as its rows, as its counts over time, or as the chart of its answer.

import { useEffect, useMemo, useState } from "preact/hooks";

import { askBoard, askBoards, boards, saveBoard, saveNewBoard, type BoardPanel } from "../../api/dashboards.ts";
import { rows } from "../../ask.ts";
import { Dialog, layer, tell } from "../../parts/layers.tsx";
import { adopt } from "../../parts/style.ts";
import panelRules from "../../style/board_panels.css?inline";
import causeRules from "../../style/cause.css?inline";
import chartRules from "../../style/charts.css?inline";
import rules from "../../style/dashboards.css?inline";
import metricRules from "../../style/metrics.css?inline";
import { t } from "../../texts.ts";
import { asked, boardAt, go, rangeMs, view, type View } from "../../view.ts";
import { kindOf } from "../../explore/kinds.ts";
import { NotRun } from "../../explore/not_run.tsx";
import { useAttempt, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { below } from "./editing.ts";
import { ChoiceField, TextField } from "./fields.tsx";
import { Panel } from "./panel.tsx";
import { storable } from "./storable.ts";
import { panelsFor } from "./from_explore.ts";
import { PANEL_KINDS } from "./panel_form.tsx";

for (const one of [causeRules, chartRules, metricRules, rules, panelRules]) adopt(one);

const SIZE = { x: 0, y: 0, w: 12, h: 8 };

/** The dialog. */
export function AddPanel() {
  const close = () => {
    if (layer.peek() === "add-panel") layer.value = "";
  };
  return (
    <Dialog open={layer.value === "add-panel"} onClose={close} label={t("Add to a dashboard")}>
      <Form key={view.value.query} onDone={close} />
    </Dialog>
  );
}

const NEW = "";

function Form({ onDone }: { onDone: () => void }) {
  const of = useMemo(() => view.peek(), []);
  const data = rows.peek().data;
  const offered = useMemo(() => panelsFor(of, data?.kind === "table" ? kindOf(data, of.chart) : ""), []);
  const [id, setId] = useState(offered[0]?.id ?? "");
  const [title, setTitle] = useState(of.query.split("\n")[0]?.slice(0, 60) ?? "");
  const [chosen, setTarget] = useState<string>();
  const [name, setName] = useState("");
  const { problem, busy, attempt } = useAttempt();
  useEffect(askBoards, []);
  const own = (boards.value.data ?? []).filter((one) => one.own && one.source === "store");
  // Until somebody chooses: what was chosen holds, also where the dashboards come later.
  const target = chosen ?? own[0]?.name ?? NEW;
  const nameNew = (text: string) => {
    setTarget(NEW);
    setName(text);
  };
  const panel: BoardPanel = { ...(offered.find((one) => one.id === id) ?? offered[0]), title, ...SIZE } as BoardPanel;
  const [from, to] = rangeMs(of, Date.now());
  const range = useMemo(() => ({ from, to, isOpen: of.to === "now" }), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    return attempt(async () => {
      const added = await put(target, name.trim(), panel, of);
      onDone();
      tell(t("Added to the dashboard"));
      go(boardAt(added));
      asked.value += 1;
    });
  };
  return (
    <form class="key-form board-add" data-testid="add-panel-form" onSubmit={(event) => void submit(event)}>
      <h2>{t("Add to a dashboard")}</h2>
      <NotRun />
      <div class="board-fields">
        <ChoiceField
          label={t("Dashboard")}
          value={target}
          choices={[...own.map((one) => [one.name, one.title] as const), [NEW, t("a new one")] as const]}
          onChoose={setTarget}
          testId="add-target"
        />
        {target === NEW && (
          <TextField label={t("Title of the dashboard")} value={name} onText={nameNew} testId="add-name" />
        )}
        <TextField label={t("Title of the panel")} value={title} onText={setTitle} testId="add-title" />
        <ChoiceField
          label={t("Type")}
          value={id}
          choices={offered.map((one) => [one.id, t(PANEL_KINDS[one.kind])] as const)}
          onChoose={setId}
          testId="add-kind"
        />
      </div>
      <div class="board-preview">
        <Panel key={id} panel={panel} choices={{}} range={range} again={0} isEdited={false} hasMenu={false} isEager />
      </div>
      <Wrong text={problem} />
      <p class="buttons">
        <button
          type="submit"
          class="button primary"
          data-testid="add-go"
          disabled={busy || (target === NEW && name.trim() === "")}
        >
          {t("Add")}
        </button>
        <Button class="button quiet" label={t("Cancel")} onClick={onDone} />
      </p>
    </form>
  );
}

/** Stores the panel on a dashboard, and returns the dashboard's name. */
async function put(target: string, title: string, panel: BoardPanel, of: View): Promise<string> {
  if (target === NEW) {
    const range = of.from.startsWith("now") ? { from: of.from, to: of.to } : { from: "now-24h", to: "now" };
    return saveNewBoard(storable({ title, range, panels: [{ ...panel, id: "p1" }] }));
  }
  const { text, version } = await askBoard(target);
  await saveBoard(target, storable({ ...text, panels: below(text.panels, panel) }), version);
  return target;
}
