// What `catat doctor` finds: what is wrong with the server and its machine, and what to do. What is right is folded away.

import { json } from "../../api.ts";
import { count, printable } from "../../format.ts";
import { Wrong, told as wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { Snippet } from "../../parts/snippet.tsx";
import { Status } from "../../parts/status.tsx";
import { useLane } from "../../parts/use_lane.ts";
import { plural, t, text, told } from "../../texts.ts";

interface Finding {
  severity: keyof typeof SEVERITIES;
  check: string;
  message: string;
  advice: string;
}

/** What a severity is called, and what it looks like beside its name: never told by its colour alone. */
const SEVERITIES = {
  problem: [text("Problem"), "state-firing"],
  warning: [text("Warning"), "state-pending"],
  note: [text("Note"), ""],
  ok: [text("Nothing wrong"), "state-ok"],
} as const;

/** The part. */
export function Health() {
  const { ask, state, data, error } = useLane(
    async (signal) => (await json<{ findings: Finding[] }>("api/v1/doctor", { signal })).findings ?? [],
    [],
  );
  const wanting = data?.filter((one) => one.severity !== "ok") ?? [];
  const right = data?.filter((one) => one.severity === "ok") ?? [];
  return (
    <section aria-labelledby="health" data-testid="health">
      <h2 id="health">{t("Health")}</h2>
      {error !== null && <Wrong text={wrong(error)} />}
      {state === "loading" && <Status text={t("Looking at the machine, the settings and the store…")} />}
      {data !== null && state !== "loading" && (
        <>
          <p class="dim" role="status">
            {wanting.length === 0
              ? t("Nothing is wrong.")
              : plural(wanting.length, "{n} finding.", "{n} findings.", count(wanting.length))}{" "}
            <Button label={t("Look again")} onClick={ask} />
          </p>
          <List of={wanting} />
          <details>
            <summary>
              {plural(right.length, "{n} check found nothing", "{n} checks found nothing", count(right.length))}
            </summary>
            <List of={right} />
          </details>
          <Snippet
            label={t("the same on the server, and everything that helps others to help, without secrets")}
            text={"catat doctor\ncatat support-bundle"}
          />
        </>
      )}
    </section>
  );
}

function List({ of }: { of: readonly Finding[] }) {
  return (
    <ul class="cards">
      {of.map((one) => {
        const bad = one.severity === "problem" || one.severity === "warning";
        const [name, look] = SEVERITIES[one.severity] ?? [one.severity, ""];
        return (
          <li key={`${one.check} ${one.message}`} class={`card ${bad ? "" : "quiet"}`} data-testid="finding">
            <div class="card-head">
              <span class={`badge ${look}`}>{t(name)}</span>
              <b>{printable(one.check)}</b>
            </div>
            <p>{printable(told("doctor", one.message))}</p>
            {one.advice !== "" && <p class="dim">{printable(told("doctor", one.advice))}</p>}
          </li>
        );
      })}
    </ul>
  );
}
