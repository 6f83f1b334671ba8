// One rule: what it asks, when it fires, and when it would have fired.

import { useEffect, useState } from "preact/hooks";

import {
  askRules,
  backtest,
  channels,
  definitionOf,
  deleteRule,
  rules,
  saveRule,
  type Past,
  type Rule,
  type RuleText,
} from "../../api/alerts.ts";
import { askGroups, groupList } from "../../ask.ts";
import { count, oneLine, printable, span } from "../../format.ts";
import { tell } from "../../parts/layers.tsx";
import { Way } from "../../parts/way.tsx";
import { NotRun } from "../../explore/not_run.tsx";
import { isCompared } from "../../metrics/promql.ts";
import { useAttempt, Wrong } from "../../parts/attempt.tsx";
import { later } from "../../parts/later.tsx";
import { Options } from "../../parts/options.tsx";
import { Status } from "../../parts/status.tsx";
import { keepsEvents } from "../../query/lex.ts";
import { plural, rich, t } from "../../texts.ts";
import { go, view, type QueryLanguage } from "../../view.ts";
import { Sure } from "../settings/parts.tsx";
import { Labels, lengthText, Trouble, When } from "./parts.tsx";
import { Seen } from "./seen.tsx";
import { isMain, KINDS, keysOf, ruleOf, suggestedName, typedOf, type RuleKey } from "./rule_keys.ts";

const QueryField = later(async () => (await import("../../explore/query_field.tsx")).QueryField);

/** What the server tells of a rule, which nobody writes. */
const TOLD: readonly string[] = [
  "state",
  "why",
  "file",
  "last_evaluation",
  "last_error",
  "n_firing",
  "made_by",
  "version",
];

/** Times that a rule is tried over. */
const PASTS = [
  { length: "1h", ms: 3_600_000 },
  { length: "24h", ms: 86_400_000 },
  { length: "7d", ms: 604_800_000 },
] as const;

/** The form of the rule whose name the address has, or of a new one. */
export function RuleForm() {
  const name = view.value.open;
  const lane = rules.value;
  const found = name === "" ? undefined : lane.data?.find((one) => one.name === name);
  // As it was written: what the list says is what the server makes of it.
  const [definition, setDefinition] = useState<RuleText | null | undefined>(undefined);
  useEffect(() => {
    if (name !== "") definitionOf(name).then(setDefinition, () => setDefinition(null));
  }, [name]);
  // The suggested name is none of those that are there.
  if (name === "")
    return lane.data === null && lane.state !== "error" ? (
      <Trouble lane={lane} again={() => void askRules()} />
    ) : (
      <Form key={view.value.query} rule={null} />
    );
  if (found && definition !== undefined) return <Form key={found.name} rule={found} definition={definition} />;
  return (
    <section>
      {lane.state === "done" && !found ? (
        <p class="note error" role="alert">
          {t("There is no rule with the name {name}.", { name })}{" "}
          <Way to={{ tab: "rules", open: "" }}>{t("All rules")}</Way>
        </p>
      ) : (
        <Trouble lane={lane} again={() => void askRules()} />
      )}
    </section>
  );
}

/** What is written of a rule, without what it has come to. */
function written(rule: Rule): RuleText {
  return Object.fromEntries(
    Object.entries(rule).filter(([key, value]) => !TOLD.includes(key) && value !== null),
  ) as RuleText;
}

/** A new rule begins with what is asked in Explore. */
function begun(): RuleText {
  const { query, groups, language } = view.peek();
  const taken = (rules.peek().data ?? []).map((one) => one.name);
  if (language === "promql") {
    // The groups are those of the log lines.
    const named = { name: suggestedName(query, [], taken), query, language, groups: [] };
    return isCompared(query) ? named : { ...named, condition: "value > 5" };
  }
  const asked = query || 'filter @level >= "error"';
  // A query with a condition of its own over its rows has no count.
  const counts = keepsEvents(asked) ? { condition: "count > 5" } : {};
  return { name: suggestedName(asked, groups, taken), query: asked, groups: [...groups], ...counts };
}

function typedAll(rule: RuleText): Record<string, string> {
  const keys = KINDS.flatMap(({ kind }) => keysOf(kind));
  return {
    name: rule.name,
    kind: rule.kind ?? "threshold",
    query: rule.query ?? "",
    ...Object.fromEntries(keys.map(({ key, typed }) => [key, typedOf(rule[key], typed)])),
  };
}

function Form({ rule, definition = null }: { rule: Rule | null; definition?: RuleText | null }) {
  const before = rule === null ? begun() : (definition ?? written(rule));
  const [typed, setTyped] = useState(() => typedAll(before));
  const [copied, setCopied] = useState(false);
  const { problem, busy, attempt } = useAttempt();
  useEffect(askGroups, []);
  const isNew = rule === null || copied;
  const isFixed = !isNew && rule.file !== "";
  const set = (key: string) => (event: Event) => {
    const { value } = event.currentTarget as HTMLInputElement;
    setTyped((now) => ({ ...now, [key]: value }));
  };
  const now = () => ruleOf(before, typed);
  const submit = async (event: Event) => {
    event.preventDefault();
    return attempt(async () => {
      await saveRule(now(), isNew);
      tell(t("Rule {name} saved", { name: typed["name"] ?? "" }));
      go({ tab: "rules", open: "", query: "" });
    });
  };
  const kind = typed["kind"] ?? "threshold";
  const input = (one: RuleKey) => (
    <Input key={one.key} of={one} value={typed[one.key] ?? ""} isFixed={isFixed} onInput={set(one.key)} />
  );
  return (
    <section aria-label={t("Rule")} data-testid="rule-form">
      <h2 tabIndex={-1}>{isNew ? t("New rule") : printable(rule.name)}</h2>
      {isFixed && (
        <p class="dim">
          {rich("This rule is defined in {file}; change it there.", { file: <code>{printable(rule.file)}</code> })}{" "}
          <button
            type="button"
            class="link"
            onClick={() => {
              setCopied(true);
              setTyped((all) => ({ ...all, name: `${rule.name} 2` }));
            }}
          >
            {t("Duplicate")}
          </button>
        </p>
      )}
      {rule === null && <NotRun />}
      <form class="make rule-form" onSubmit={(event) => void submit(event)}>
        <label>
          {t("Name")}{" "}
          <input
            required
            maxLength={200}
            autocomplete="off"
            disabled={!isNew}
            value={typed["name"]}
            onInput={set("name")}
          />
        </label>
        {keysOf(kind).filter(isMain).map(input)}
        {kind !== "composite" && (
          <p class="whole rule-about" lang="">
            <span class="dim">{typed["language"] === "promql" ? t("Samples:") : t("Events:")}</span>{" "}
            <code>{oneLine((typed["query"] ?? "").trim() || "*", 300)}</code> <span class="dim">{typed["groups"]}</span>
          </p>
        )}
        <details class="whole" open={!isNew} data-testid="rule-more">
          <summary>{t("More: query, time, notifications")}</summary>
          <div class="make rule-form">
            <label class="long">
              {t("Watches for")}{" "}
              <select disabled={isFixed} value={kind} onInput={set("kind")}>
                <Options of={KINDS.map((one) => [one.kind, `${one.kind} – ${t(one.title)}`])} />
              </select>
            </label>
            {kind !== "composite" && (
              <RuleQuery typed={typed} isFixed={isFixed} onText={(query) => setTyped((now) => ({ ...now, query }))} />
            )}
            {keysOf(kind)
              .filter((one) => !isMain(one))
              .map(input)}
          </div>
        </details>
        {problem !== "" && (
          <p class="note error whole" role="alert">
            {printable(problem)}
          </p>
        )}
        <div class="buttons whole">
          {!isFixed && (
            <button type="submit" class="button primary" disabled={busy}>
              {isNew ? t("Create rule") : t("Save rule")}
            </button>
          )}
          <Way to={{ tab: "rules", open: "", query: "" }} class="button" label={t("Back")} />
          {!isNew && !isFixed && (
            <Sure
              what={t("Delete")}
              name={printable(rule.name)}
              run={async () => {
                await deleteRule(rule.name);
                go({ tab: "rules", open: "" });
              }}
            />
          )}
        </div>
      </form>
      <Trial rule={now} />
    </section>
  );
}

/** The query, as Explore's editor shows it; of a rule of a file as it is. */
function RuleQuery({
  typed,
  isFixed,
  onText,
}: {
  typed: Readonly<Record<string, string>>;
  isFixed: boolean;
  onText: (text: string) => void;
}) {
  const query = typed["query"] ?? "";
  if (isFixed)
    return (
      <label class="whole">
        {t("Query")} <textarea rows={Math.min(8, 1 + query.split("\n").length)} disabled value={query} />
      </label>
    );
  const groups = (typed["groups"] ?? "").split(",").flatMap((one) => (one.trim() === "" ? [] : [one.trim()]));
  return (
    <div class="whole">
      <QueryField
        label={t("Query")}
        value={query}
        language={(typed["language"] || "insights") as QueryLanguage}
        scope={{ from: "now-24h", to: "now", groups }}
        testId="rule-query"
        onText={onText}
      />
    </div>
  );
}

/** Offers for an input: groups that there are, topics that channels have. */
function offersFor(key: string): string[] {
  if (key === "groups") return (groupList.value.data ?? []).map(({ name }) => name);
  if (key !== "topics") return [];
  const topics = (channels.value.data ?? []).flatMap(({ settings }) => settings["topics"]);
  return [...new Set(topics.flatMap((one) => (typeof one === "string" ? [one] : [])))];
}

/** `M` and `N` as two numbers. */
function MofN({
  of,
  value,
  isFixed,
  onText,
}: {
  of: RuleKey;
  value: string;
  isFixed: boolean;
  onText: (text: string) => void;
}) {
  const read = (): { to_alarm?: number; of?: number } => {
    try {
      return (JSON.parse(value || "{}") ?? {}) as { to_alarm?: number; of?: number };
    } catch {
      return {};
    }
  };
  const now = read();
  const field = (key: "to_alarm" | "of", label: string, placeholder: string) => (
    <input
      type="number"
      min={1}
      max={100}
      aria-label={label}
      disabled={isFixed}
      placeholder={placeholder}
      value={now[key] ?? ""}
      onInput={(event) => {
        const n = event.currentTarget.valueAsNumber;
        const next = { ...now, [key]: Number.isNaN(n) ? undefined : n };
        onText(next.to_alarm === undefined && next.of === undefined ? "" : JSON.stringify(next));
      }}
    />
  );
  return (
    <fieldset class="m-of-n">
      <legend>{t(of.label)}</legend>
      {field("to_alarm", t("Evaluations that have to fire"), "3")} / {field("of", t("Evaluations looked at"), "5")}
    </fieldset>
  );
}

function Input({
  of,
  value,
  isFixed,
  onInput,
}: {
  of: RuleKey;
  value: string;
  isFixed: boolean;
  onInput: (event: Event) => void;
}) {
  const shared = { disabled: isFixed, value, onInput, placeholder: of.placeholder ?? "", spellcheck: false };
  if (of.key === "datapoints") {
    const onText = (value: string) => onInput({ currentTarget: { value } } as unknown as Event);
    return <MofN of={of} value={value} isFixed={isFixed} onText={onText} />;
  }
  if (of.typed === "choice" || of.typed === "flag")
    return (
      <label>
        {t(of.label)}{" "}
        <select disabled={isFixed} value={value} onInput={onInput}>
          <option value="">{t("default")}</option>
          {of.choices?.map((one) => (
            <option key={one} value={one}>
              {of.typed === "choice" ? one : one === "true" ? t("yes") : t("no")}
            </option>
          ))}
        </select>
      </label>
    );
  if (of.typed === "pairs")
    return (
      <label class="long">
        {t(of.label)} <textarea rows={Math.max(2, value.split("\n").length)} {...shared} />
      </label>
    );
  const offers = offersFor(of.key);
  const list = offers.length > 0 ? `rule-${of.key}` : undefined;
  return (
    <label>
      {t(of.label)} <input autocomplete="off" autocapitalize="none" list={list} {...shared} />
      {list && (
        <datalist id={list}>
          {offers.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </label>
  );
}

/** When the rule would have fired. */
function Trial({ rule }: { rule: () => RuleText }) {
  const [past, setPast] = useState<Past | null>(null);
  const [tried, setTried] = useState<{ ms: number; rule: RuleText } | null>(null);
  const { problem, busy, attempt } = useAttempt();
  useEffect(() => () => setPast(null), []);
  const run = (length: string, ms: number) =>
    attempt(async () => {
      setPast(null);
      const now = { ...rule(), name: rule().name || t("New rule") };
      setTried({ ms, rule: now });
      setPast(await backtest(now, `now-${length}`, "now"));
    });
  const isOfEvents = (tried?.rule["language"] ?? "insights") === "insights" && (tried?.rule.query ?? "") !== "";
  const groups = tried?.rule["groups"];
  return (
    <div class="trial" data-testid="trial">
      <h3>{t("When it would have fired")}</h3>
      <p class="buttons">
        {PASTS.map(({ length, ms }) => (
          <button key={length} type="button" class="button small" disabled={busy} onClick={() => void run(length, ms)}>
            {t("The last {time}", { time: span(ms) })}
          </button>
        ))}
      </p>
      {busy && <Status text={t("Running the backtest…")} />}
      <Wrong text={printable(problem)} />
      {past && tried && isOfEvents && (
        <Seen
          query={tried.rule.query ?? ""}
          groups={Array.isArray(groups) ? groups.map(String) : []}
          ms={tried.ms}
          past={past}
        />
      )}
      {past && <Fired past={past} />}
    </div>
  );
}

/** Firings that are listed. */
const LISTED = 50;

function Fired({ past }: { past: Past }) {
  const { alerts, evaluations, step, n_notifications: n } = past;
  const howOften = plural(evaluations, "evaluated once", "evaluated {n} times, every {step}", count(evaluations), {
    step: lengthText(step),
  });
  return (
    <div role="status" data-testid="fired">
      <p>
        {alerts.length === 0
          ? t("It would not have fired.")
          : plural(
              alerts.length,
              "It would have fired once.",
              "It would have fired {n} times.",
              count(alerts.length),
            )}{" "}
        <span class="dim">
          {howOften}
          {n > 0 && `, ${plural(n, "{n} message", "{n} messages", count(n))}`}
        </span>
      </p>
      {past.partial === true && (
        <p class="note warning">{past.partial_reasons?.map((one) => printable(one.message)).join("; ")}</p>
      )}
      <ul class="fired">
        {alerts.slice(0, LISTED).map((one, at) => (
          <li key={at}>
            <span>
              <When time={one.starts_at} />{" "}
              {one.ends_at === null ? t("until now") : rich("until {time}", { time: <When time={one.ends_at} /> })}
            </span>{" "}
            <Labels labels={one.labels} />
            {one.peak_value !== null && (
              <span class="label">
                {t("value")}{" "}
                <b>{typeof one.peak_value === "string" ? printable(one.peak_value) : JSON.stringify(one.peak_value)}</b>
              </span>
            )}
          </li>
        ))}
      </ul>
      {alerts.length > LISTED && <p class="dim">{t("and {n} more", { n: count(alerts.length - LISTED) })}</p>}
    </div>
  );
}
