// Silences: times in which nobody is told of some alerts.

import { useEffect, useRef, useState } from "preact/hooks";

import {
  alerts,
  askSilences,
  endSilence,
  makeSilence,
  silences,
  type Matcher,
  type Silence,
} from "../../api/alerts.ts";
import { printable } from "../../format.ts";
import { told, useAttempt, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { tell } from "../../parts/layers.tsx";
import { Options } from "../../parts/options.tsx";
import { rich, t } from "../../texts.ts";
import { go, view } from "../../view.ts";
import { Sure } from "../settings/parts.tsx";
import { State, Trouble, When } from "./parts.tsx";

/** How long a silence may last, as it is offered. */
const LENGTHS = ["30m", "2h", "8h", "24h", "7d"] as const;

/** The part. */
export function Silences() {
  const lane = silences.value;
  return (
    <section aria-label={t("Silences")}>
      <h2 tabIndex={-1}>{t("Silences")}</h2>
      <p class="dim">{t("Silenced alerts are still evaluated and shown, but send no notifications.")}</p>
      <Make key={view.value.open} />
      <Trouble lane={lane} again={() => void askSilences()} />
      {lane.data?.length === 0 && <p class="dim">{t("Nothing is silenced.")}</p>}
      <ul class="cards">
        {lane.data?.map((one) => (
          <Card key={one.id} silence={one} />
        ))}
      </ul>
    </section>
  );
}

/** A matcher as people write it. */
function written({ name, value, is_regex: isRegex, is_equal: isEqual }: Matcher): string {
  return `${name}${isEqual ? (isRegex ? "=~" : "=") : isRegex ? "!~" : "!="}${JSON.stringify(value)}`;
}

/** Matchers on lines, `name=value` with the four operators of Prometheus. */
function readMatchers(text: string): Matcher[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const found = /^\s*([^=!~]+?)\s*(=~|!~|!=|=)\s*(.*?)\s*$/.exec(line);
      if (!found) throw new SyntaxError(t("{line} is not a matcher: write name=value", { line }));
      const [, name = "", operator = "=", value = ""] = found;
      return { name, value: unquoted(value), is_regex: operator.endsWith("~"), is_equal: operator.startsWith("=") };
    });
}

function unquoted(text: string): string {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "string" ? read : text;
  } catch {
    return text;
  }
}

function Make() {
  const [matchers, setMatchers] = useState("");
  const [length, setLength] = useState<string>("2h");
  const [comment, setComment] = useState("");
  const { problem, busy, attempt } = useAttempt((error) =>
    error instanceof SyntaxError ? error.message : told(error),
  );
  const isTouched = useRef(false);
  const note = useRef<HTMLInputElement>(null);
  const of = view.value.open === "" ? undefined : alerts.value.data?.find((alert) => alert.id === view.value.open);
  // Whoever comes from an alert finds its labels here.
  useEffect(() => {
    if (!of || isTouched.current) return;
    isTouched.current = true;
    setMatchers(
      Object.entries(of.labels)
        .map(([name, value]) => written({ name, value, is_regex: false, is_equal: true }))
        .join("\n"),
    );
    note.current?.focus();
  }, [of]);
  const submit = (event: Event) => {
    event.preventDefault();
    return attempt(async () => {
      await makeSilence(readMatchers(matchers), length, comment);
      tell(t("Silent for {time}", { time: length }));
      setMatchers("");
      setComment("");
      go({ open: "" }, true);
    });
  };
  return (
    <form
      class="make"
      data-testid="make-silence"
      aria-label={t("New silence")}
      onSubmit={(event) => void submit(event)}
    >
      <label class="long">
        {t("Labels, one per line")}{" "}
        <textarea
          required
          rows={Math.max(2, matchers.split("\n").length)}
          spellcheck={false}
          placeholder={'alertname="errors"'}
          value={matchers}
          onInput={(event) => {
            isTouched.current = true;
            setMatchers(event.currentTarget.value);
          }}
        />
      </label>
      <label>
        {t("For")}{" "}
        <select value={length} onInput={(event) => setLength(event.currentTarget.value)}>
          <Options of={LENGTHS.map((one) => [one, one])} />
        </select>
      </label>
      <label class="long">
        {t("Why")}{" "}
        <input
          required
          maxLength={1000}
          value={comment}
          ref={note}
          onInput={(event) => setComment(event.currentTarget.value)}
        />
      </label>
      <Button type="submit" class="button primary" label={t("Silence")} disabled={busy} />
      <Wrong text={printable(problem)} />
    </form>
  );
}

function Card({ silence }: { silence: Silence }) {
  const isOver = silence.status === "expired";
  return (
    <li class="card quiet" data-testid="silence">
      <div class="card-head">
        <State state={silence.status} />
        <span class="dim">
          {isOver
            ? rich("ended {time}", { time: <When time={silence.ends_at} /> })
            : rich("ends {time}", { time: <When time={silence.ends_at} /> })}
        </span>
      </div>
      <p class="labels">
        {silence.matchers.map((one) => (
          <span class="label mono" key={written(one)}>
            {printable(written(one))}
          </span>
        ))}
      </p>
      <p>
        {printable(silence.comment)} <span class="dim">{printable(silence.created_by)}</span>
      </p>
      {!isOver && (
        <div class="acts">
          <Sure what={t("End now")} name={printable(silence.comment)} run={() => endSilence(silence.id)} />
        </div>
      )}
    </li>
  );
}
