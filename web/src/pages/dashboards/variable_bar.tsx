// The choices of a dashboard's variables, and what each offers: a list, or the first column of a query's answer.

import { useEffect, useMemo, useState } from "preact/hooks";

import type { Variable } from "../../api/dashboards.ts";
import { count, oneLine } from "../../format.ts";
import { Menu } from "../../parts/layers.tsx";
import { Options } from "../../parts/options.tsx";
import { t } from "../../texts.ts";
import { go, view } from "../../view.ts";
import { askOffers, type BoardRange } from "./ask.ts";
import { ALL, chosen, namesIn, type Choice, type Choices } from "./variables.ts";

/** Values that are listed of a variable at once. */
const LISTED_MAX = 200;

/** What a variable offers, and what is wrong with its query. */
export interface Offer {
  variable: Variable;
  values: readonly string[];
  choice: Choice;
  state: "done" | "loading" | "error";
  problem: string;
}

interface Answered {
  key: string;
  values: readonly string[];
  problem: string;
}

/** Returns what the variables offer and what is chosen, in their order: a query may name those before it. */
export function useOffers(variables: readonly Variable[], range: BoardRange, again: number): Offer[] {
  const asked = view.value.board.chosen;
  const [answers, setAnswers] = useState<Readonly<Record<string, Answered>>>({});
  // Values come and go slowly: a longer range or another refresh asks again, not every second.
  const minute = Math.floor(range.to / 60_000);
  const offers = useMemo(() => {
    const found: Offer[] = [];
    let isReady = true;
    for (const variable of variables) {
      const { query } = variable;
      const answer = answers[variable.name];
      const values = query === undefined ? (variable.values ?? []) : (answer?.values ?? []);
      const known = query === undefined || answer !== undefined;
      const state = known && isReady ? (answer?.problem ? "error" : "done") : "loading";
      if (!known && query !== undefined) isReady = false;
      const choice = chosen(variable, values, asked[variable.name]);
      found.push({ variable, values, choice, state, problem: answer?.problem ?? "" });
    }
    return found;
  }, [variables, answers, asked]);
  const choices = choicesOf(offers);
  const keys = offers.map(({ variable }) => {
    const before = namesIn(variable.query ?? "").map((name) => [name, choices[name]]);
    return variable.query === undefined ? "" : JSON.stringify([variable, before, range.from - range.to, minute, again]);
  });
  useEffect(() => {
    const controller = new AbortController();
    const next = offers.findIndex(({ variable }, at) => keys[at] !== "" && answers[variable.name]?.key !== keys[at]);
    const variable = offers[next]?.variable;
    const key = keys[next] ?? "";
    if (!variable) return;
    const done = (values: readonly string[], problem: string) => {
      if (!controller.signal.aborted) setAnswers((now) => ({ ...now, [variable.name]: { key, values, problem } }));
    };
    const query = {
      query: variable.query ?? "",
      ...(variable.language ? { language: variable.language } : {}),
      ...(variable.groups ? { groups: variable.groups } : {}),
    };
    askOffers(query, choices, range, controller.signal).then(
      (values) => done(values, ""),
      (error: unknown) =>
        done(answers[variable.name]?.values ?? [], error instanceof Error ? error.message : String(error)),
    );
    return () => controller.abort();
  }, [keys.join("\n"), answers]);
  return offers;
}

/** Returns what is chosen, by the names of variables. */
export function choicesOf(offers: readonly Offer[]): Choices {
  return Object.fromEntries(offers.map(({ variable, choice }) => [variable.name, choice]));
}

function choose(name: string, values: readonly string[]): void {
  const { board } = view.peek();
  go({ board: { ...board, chosen: { ...board.chosen, [name]: values } } });
}

/** The bar. */
export function VariableBar({ offers }: { offers: readonly Offer[] }) {
  if (offers.length === 0) return null;
  return (
    <div class="board-variables" role="group" aria-label={t("Variables")} data-testid="board-variables">
      {offers.map((offer) =>
        offer.variable.multiple ? (
          <Several key={offer.variable.name} offer={offer} />
        ) : (
          <One key={offer.variable.name} offer={offer} />
        ),
      )}
    </div>
  );
}

const labelOf = ({ label, name }: Variable) => label || name;

function Problem({ offer }: { offer: Offer }) {
  if (offer.state === "loading") return <span class="dim">{t("Loading…")}</span>;
  if (offer.problem === "") return null;
  return (
    <span class="note error" role="alert">
      {t("{name} has no values: {message}", { name: labelOf(offer.variable), message: offer.problem })}
    </span>
  );
}

function One({ offer }: { offer: Offer }) {
  const { variable, values, choice } = offer;
  const now = choice.isAll ? ALL : (choice.values[0] ?? "");
  // What a link asks for is shown though it is not offered.
  const listed = now === "" || now === ALL || values.includes(now) ? values : [now, ...values];
  return (
    <label class="board-variable" data-testid={`var-${variable.name}`}>
      <span class="dim">{labelOf(variable)}</span>
      <select value={now} onChange={(event) => choose(variable.name, [event.currentTarget.value])}>
        {variable.all && <option value={ALL}>{t("all")}</option>}
        <Options of={listed.map((value) => [value, oneLine(value, 80)])} />
      </select>
      <Problem offer={offer} />
    </label>
  );
}

function Several({ offer }: { offer: Offer }) {
  const { variable, values, choice } = offer;
  const [sought, setSought] = useState("");
  const name = labelOf(variable);
  const said = choice.isAll ? t("all") : choice.values.map((one) => oneLine(one, 30)).join(", ") || t("none");
  const listed = [...new Set([...(choice.isAll ? [] : choice.values), ...values])].filter((value) =>
    value.toLowerCase().includes(sought.toLowerCase()),
  );
  const toggle = (value: string) => {
    const before = choice.isAll ? [] : choice.values;
    choose(variable.name, before.includes(value) ? before.filter((one) => one !== value) : [...before, value]);
  };
  return (
    <span class="board-variable" data-testid={`var-${variable.name}`}>
      <span class="dim" aria-hidden="true">
        {name}
      </span>
      <Menu
        name={`board:var:${variable.name}`}
        label={`${name}: ${said}`}
        testId={`var-${variable.name}-menu`}
        button={<span class="ellipsis">{said}</span>}
      >
        <input
          type="search"
          data-autofocus
          aria-label={t("Find a value")}
          placeholder={t("Find a value")}
          value={sought}
          onInput={(event) => setSought(event.currentTarget.value)}
        />
        <div class="checklist">
          {variable.all && (
            <label class="choice">
              <input type="checkbox" checked={choice.isAll} onChange={() => choose(variable.name, [ALL])} />
              {t("all")}
            </label>
          )}
          {listed.slice(0, LISTED_MAX).map((value) => (
            <label key={value} class="choice">
              <input
                type="checkbox"
                checked={!choice.isAll && choice.values.includes(value)}
                onChange={() => toggle(value)}
              />
              {oneLine(value, 80)}
            </label>
          ))}
          {listed.length > LISTED_MAX && (
            <p class="dim">{t("{n} more; type to find it.", { n: count(listed.length - LISTED_MAX) })}</p>
          )}
          {listed.length === 0 && <p class="dim">{t("No match for “{text}”.", { text: sought })}</p>}
        </div>
      </Menu>
      <Problem offer={offer} />
    </span>
  );
}
