// Rules with their state.

import { askRules, enableRule, rules, type Rule } from "../../api/alerts.ts";
import { patternText } from "../../explore/panel_parts.tsx";
import { printable, sentence } from "../../format.ts";
import { told } from "../../parts/attempt.tsx";
import { tell } from "../../parts/layers.tsx";
import { Heads } from "../../parts/table.tsx";
import { Way } from "../../parts/way.tsx";
import { rich, shortTimes, t } from "../../texts.ts";
import { view } from "../../view.ts";
import { lengthText, State, Trouble, When } from "./parts.tsx";

/** The part. */
export function Rules() {
  const lane = rules.value;
  return (
    <section aria-labelledby="rules">
      <h2 id="rules">{t("Rules")}</h2>
      <p class="lead">
        <Way to={{ tab: "rule", open: "", query: "" }} class="button" data-testid="new-rule" label={t("New rule")} />
        <span class="dim">
          {rich("Rules defined in {file} are changed there.", { file: <code>rules/*.yaml</code> })}
        </span>
      </p>
      <Trouble lane={lane} again={() => void askRules()} />
      {lane.data?.length === 0 && <p class="dim">{t("No rules yet: nothing is watched.")}</p>}
      {(lane.data?.length ?? 0) > 0 && (
        <div class="table-box flat stacked" tabIndex={0} role="region" aria-label={t("Rules")}>
          <table>
            <Heads
              of={[
                [t("State")],
                [t("Rule")],
                [t("Query")],
                [t("Checked")],
                [t("Why")],
                [<span class="sr-only">{t("Actions")}</span>],
              ]}
            />
            <tbody>
              {lane.data?.map((rule) => (
                <Row key={rule.name} rule={rule} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ rule }: { rule: Rule }) {
  return (
    <tr data-testid="rule">
      <td>
        <State state={rule.enabled ? rule.state : "off"} />
      </td>
      <th scope="row">
        <Way to={{ tab: "rule", open: rule.name }}>{printable(rule.name)}</Way>
        <div class="dim">{summary(rule)}</div>
      </th>
      <td>
        <Query rule={rule} />
      </td>
      <td>
        <When time={rule.last_evaluation} />
      </td>
      <td>
        {rule.why !== "" && shortTimes(sentence(patternText(printable(rule.why))))}
        {rule.last_error !== null && <div class="note error">{shortTimes(sentence(printable(rule.last_error)))}</div>}
      </td>
      <td class="act">{rule.file === "" && <Switch rule={rule} />}</td>
    </tr>
  );
}

function Switch({ rule }: { rule: Rule }) {
  const change = () => void enableRule(rule.name, !rule.enabled).catch((error: unknown) => tell(told(error)));
  return (
    <button
      type="button"
      class="button small"
      aria-label={
        rule.enabled ? t("Switch off {name}", { name: rule.name }) : t("Switch on {name}", { name: rule.name })
      }
      onClick={change}
    >
      {rule.enabled ? t("Switch off") : t("Switch on")}
    </button>
  );
}

/** A member of a rule that is a text. */
const word = (rule: Rule, name: string) => (typeof rule[name] === "string" ? printable(rule[name]) : "");

function summary(rule: Rule): string {
  const kind = word(rule, "kind");
  const parts = [
    kind === "threshold" ? "" : kind,
    word(rule, "condition"),
    word(rule, "window") && t("over {time}", { time: lengthText(word(rule, "window")) }),
    word(rule, "interval") && t("every {time}", { time: lengthText(word(rule, "interval")) }),
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

/** The rule's question, as a link to its answer now; in another language than that of the page, as it is written. */
function Query({ rule }: { rule: Rule }) {
  const query = typeof rule.query === "string" ? rule.query : "";
  if (query === "") return <code>{word(rule, "when")}</code>;
  const groups = Array.isArray(rule["groups"])
    ? rule["groups"].filter((one): one is string => typeof one === "string" && one !== "*")
    : [];
  if (rule["language"] !== undefined && rule["language"] !== "insights") return <code>{printable(query, true)}</code>;
  const shown = {
    ...view.value,
    page: "explore" as const,
    query,
    groups,
    from: "now-1h",
    to: "now",
    row: "",
    live: false,
    columns: [],
  };
  return (
    <Way to={shown}>
      <code>{printable(query, true)}</code>
    </Way>
  );
}
