// All patterns of the messages: how many, since when, and how that was before.

import { useState } from "preact/hooks";

import type { Pattern, Patterns } from "../api/changes.ts";
import { count, oneLine, percent } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { IconButton } from "../parts/icons.tsx";
import { Heads } from "../parts/table.tsx";
import { t } from "../texts.ts";
import { dayClock, exactText } from "../time.ts";
import { view } from "../view.ts";
import { levelClass } from "./levels.ts";
import { narrow, Nothing, PatternText, showRow, Spark } from "./panel_parts.tsx";

const STEP = 100;
const TEXT_CHARS_MAX = 400;

/** The change in words and colour; nothing where there is none to speak of. */
function Change({ pattern }: { pattern: Pattern }) {
  const factor = /[\d.]+/.exec(pattern.description)?.[0] ?? "";
  const name = { new: t("new"), gone: t("gone"), up: `×${factor}`, down: `÷${factor}`, unchanged: "" }[pattern.change];
  return (
    <>
      <span class={`change-state ${pattern.change}`}>{name}</span>{" "}
      <span class="dim number">{pattern.change === "new" ? "" : t("was {n}", { n: count(pattern.previous) })}</span>
    </>
  );
}

/** Patterns as a table. */
export function PatternTable({ data }: { data: Patterns }) {
  const [shown, setShown] = useState(STEP);
  const zone = view.value.zone;
  if (data.patterns.length === 0)
    return <Nothing title={t("No event matches here")} hint={t("Choose a longer range or remove a condition.")} />;
  return (
    <div class="patterns-table">
      <table class="listed">
        <Heads
          of={[
            [t("Events"), "right"],
            [t("Share"), "wide right"],
            [t("Over time"), "wide"],
            [t("Level"), "level-head"],
            [t("Pattern")],
            [t("First and last"), "wide"],
            [t("Change")],
            [<span class="sr-only">{t("Filter")}</span>],
          ]}
        />
        <tbody>
          {data.patterns.slice(0, shown).map((pattern) => {
            const level = levelClass(pattern.level ?? "");
            const { condition, first, first_id: id } = pattern;
            return (
              <tr key={pattern.id} class={`level-${level}`} data-testid="pattern" data-pattern={pattern.pattern}>
                <td class="right number">{count(pattern.count)}</td>
                <td class="wide right number dim">{percent(pattern.ratio)}</td>
                <td class="wide">
                  <Spark counts={pattern.counts} level={level} />
                </td>
                <td class="change-level">{pattern.level ?? ""}</td>
                <td class="pattern-text">
                  <span class="mono">
                    <PatternText pattern={oneLine(pattern.pattern, TEXT_CHARS_MAX)} />
                  </span>
                  {pattern.sample !== null && pattern.sample !== pattern.pattern && (
                    <span class="mono dim ellipsis" title={t("The newest event")}>
                      {oneLine(pattern.sample, TEXT_CHARS_MAX)}
                    </span>
                  )}
                </td>
                <td class="wide seen">
                  {first && id && (
                    <button
                      type="button"
                      class="link"
                      title={`${t("Go to this line")}: ${exactText(first, zone)}`}
                      onClick={() => showRow(id, first)}
                    >
                      {dayClock(Date.parse(first), zone)}
                    </button>
                  )}
                  {pattern.last && (
                    <span class="dim" title={exactText(pattern.last, zone)}>
                      {" "}
                      – {dayClock(Date.parse(pattern.last), zone)}
                    </span>
                  )}
                </td>
                <td class="pattern-change">
                  <Change pattern={pattern} />
                </td>
                <td class="change-acts">
                  {condition && (
                    <>
                      <IconButton
                        icon="plus"
                        aria-label={t("Only events like this")}
                        title={t("Only events like this")}
                        data-testid="pattern-include"
                        onClick={() => narrow(condition, false)}
                      />
                      <IconButton
                        icon="minus"
                        aria-label={t("Exclude events like this")}
                        title={t("Exclude events like this")}
                        data-testid="pattern-exclude"
                        onClick={() => narrow(condition, true)}
                      />
                    </>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {data.patterns.length > shown && (
        <p>
          <Button class="button" label={t("Show more")} onClick={() => setShown(shown + STEP)} />
        </p>
      )}
    </div>
  );
}
