// A dashboard that was exported as one file. The server writes its frame, its data and their tables; this script draws the
// panels as the page does, in the places that the frame has for them. It asks nothing and leads nowhere.

import { render } from "preact";
import { useMemo } from "preact/hooks";

import type { Answer } from "../../api.ts";
import type { BoardPanel } from "../../api/dashboards.ts";
import { stepsOf } from "../../metrics/range.ts";
import { speakFrom, t, type Language } from "../../texts.ts";
import type { Zone } from "../../time.ts";
import { dataOf, withEnds, type QueryData } from "./answers.ts";
import type { BoardRange, PanelData } from "./ask.ts";
import { binOfAll } from "./bins.ts";
import { PanelBody, useDrawn } from "./panel_body.tsx";
import { filledText, type Choices } from "./variables.ts";

/** An answer as the server gave it, and how it was asked for. */
interface FileAnswer extends Answer {
  /** The query with the values of variables. */
  query: string;
  /** The distance of instants that series were asked for, in ms; 0 if none was. */
  step: number;
  /** The length of the bins whose ends the points are at, in ms; 0 if they are at the starts of bins. */
  ends: number;
}

/** What the file holds. */
interface FileData {
  language: Language;
  /** Its texts, by the English ones. */
  texts: Readonly<Record<string, string>>;
  zone: Zone;
  range: BoardRange;
  choices: Choices;
  panels: readonly { panel: BoardPanel; answers: readonly FileAnswer[] }[];
}

function dataIn(panel: BoardPanel, answers: readonly FileAnswer[], range: BoardRange): PanelData {
  const queries = answers.map(({ query }, at) => ({ ...panel.queries?.[at], query }));
  const data = answers.map((answer, at): QueryData => {
    const found = dataOf(answer, queries[at] ?? { query: "" });
    return answer.ends > 0 ? withEnds(found, answer.ends) : found;
  });
  const asked = answers.find(({ step }) => step > 0)?.step;
  return { data, map: null, range, step: asked ?? stepsOf([range.from, range.to]).step, bin: binOfAll(queries) };
}

function FilePanel({ panel, answers, of }: { panel: BoardPanel; answers: readonly FileAnswer[]; of: FileData }) {
  const answered = useMemo(() => dataIn(panel, answers, of.range), [panel]);
  const drawn = useDrawn(panel, answered);
  return (
    <PanelBody
      {...{ panel, answered, drawn }}
      choices={of.choices}
      title={filledText(panel.title ?? "", of.choices, t("all"))}
      asTable={false}
      zone={of.zone}
      waiting={null}
      nothing={null}
      ways={null}
    />
  );
}

const of = JSON.parse(document.getElementById("board-data")?.textContent ?? "{}") as FileData;
speakFrom(of.language, of.texts);
for (const place of document.querySelectorAll<HTMLElement>("[data-panel]")) {
  const shown = of.panels[Number(place.dataset["panel"])];
  if (!shown) continue;
  place.textContent = "";
  render(<FilePanel {...shown} of={of} />, place);
}
// Open for those who run no scripts.
for (const table of document.querySelectorAll("details")) table.open = false;
