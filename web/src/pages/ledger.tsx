// The ledger of a month: how long incidents took to be detected, mitigated and remediated, by service, and availability.

import { useSignal } from "@preact/signals";

import { request, timeZone } from "../api.ts";
import { askLedger, ledgerPath, saveFile, type Ledger, type LedgerRow } from "../api/issues.ts";
import { Failure } from "../explore/waiting.tsx";
import { count, decimal, oneLine } from "../format.ts";
import { told } from "../parts/attempt.tsx";
import { Button } from "../parts/button.tsx";
import { Dialog, tell } from "../parts/layers.tsx";
import { Status } from "../parts/status.tsx";
import { adopt } from "../parts/style.ts";
import { Heads } from "../parts/table.tsx";
import { useLane } from "../parts/use_lane.ts";
import { Way } from "../parts/way.tsx";
import rules from "../style/issues.css?inline";
import { language, t } from "../texts.ts";
import { dateText } from "../time.ts";
import { asked, go, view } from "../view.ts";
import { durationText } from "./incidents/words.ts";
import { Reports } from "./reports.tsx";

adopt(rules);

/** The page. */
export function LedgerPage() {
  const { tab, zone } = view.value;
  const objective = useSignal(remembered());
  const isSending = useSignal(false);
  const month = /^\d{4}-\d\d$/.test(tab) ? tab : dateText(Date.now(), zone).slice(0, 7);
  const { ask, state, data, error } = useLane(
    (signal) => askLedger(month, timeZone(zone), objective.value, signal),
    [month, zone, objective.value, asked.value],
  );
  const save = (format: string, name: string) => () =>
    void saveFile(
      ledgerPath(month, timeZone(zone), { objective: objective.peek(), format, lang: language.peek() }),
      name,
      request,
    ).catch((failure: unknown) => tell(told(failure)));
  return (
    <main class="page" data-testid="ledger-page" aria-busy={state === "loading"}>
      <div class="page-head">
        <h1>{t("Ledger")}</h1>
        <Way class="button" to={{ page: "incidents", open: "", tab: "" }} label={t("Incidents")} />
      </div>
      <div class="ledger-tools">
        <label>
          {t("Month")}{" "}
          <input
            type="month"
            value={month}
            data-testid="month"
            onChange={(event) => event.currentTarget.value !== "" && go({ tab: event.currentTarget.value })}
          />
        </label>
        <label title={t("Services may have their own: 99.9, pay=99.95")}>
          {t("Objective (%)")}{" "}
          <input
            type="text"
            value={objective.value}
            size={12}
            spellcheck={false}
            data-testid="objective"
            onChange={(event) => {
              objective.value = event.currentTarget.value.trim() || OBJECTIVE;
              keep(objective.value);
            }}
          />
        </label>
        <Button class="button" label={t("CSV")} data-testid="ledger-csv" onClick={save("csv", `ledger-${month}.csv`)} />
        <button type="button" class="button" data-testid="ledger-html" onClick={save("html", `ledger-${month}.html`)}>
          {t("Report to print (HTML)")}
        </button>
        <button type="button" class="button" data-testid="ledger-mail" onClick={() => (isSending.value = true)}>
          {t("Send by e-mail…")}
        </button>
      </div>
      <Dialog open={isSending.value} onClose={() => (isSending.value = false)} label={t("Send by e-mail")}>
        <Reports of={{ dashboard: null, objective: objective.value }} onDone={() => (isSending.value = false)} />
      </Dialog>
      {state === "error" && (
        <Failure
          what={t("The ledger could not be loaded: {message}.", { message: error?.message ?? "" })}
          onAgain={ask}
        />
      )}
      {data === null && state === "loading" && <Status />}
      {data?.services.length === 0 && (
        <div class="state" data-testid="ledger-none">
          <h2>{t("No incidents in this month")}</h2>
          <p>{t("Services appear here when an incident names them.")}</p>
        </div>
      )}
      {data !== null && data.services.length > 0 && <Rows data={data} isStale={state === "loading"} />}
      <p class="dim note">
        {t("Means of the incidents that began in this month, counted from when they began. A dash: not known.")}{" "}
        {t("The error budget is the time of the whole month that the objective leaves for incidents.")}
      </p>
    </main>
  );
}

/** Percent of a month in which a service is to work, until somebody writes another objective; it stays in this browser. */
const OBJECTIVE = "99.9";
const KEY = "catat.objective";

function remembered(): string {
  try {
    return localStorage.getItem(KEY) ?? OBJECTIVE;
  } catch {
    return OBJECTIVE;
  }
}

function keep(objective: string): void {
  try {
    localStorage.setItem(KEY, objective);
  } catch {
    // It holds until the page is closed.
  }
}

/** `8 min of 43 min`; an overdrawn budget has a minus. */
function budgetText({ budget_ms: all, budget_left_ms: left }: LedgerRow): string {
  if (all === null || left === null) return "–";
  const shown = left < 0 ? `−${durationText(-left)}` : durationText(left);
  return t("{left} of {all}", { left: shown, all: durationText(all) });
}

/** Nothing below this share is rounded to all of the time. */
const ALMOST = 0.99999;

/** `99.95 %`: a share whose last digits matter. */
function availability(share: number | null): string {
  if (share === null) return "–";
  return share > ALMOST && share < 1 ? `> ${decimal(100 * ALMOST, 3)} %` : `${decimal(100 * share, 3)} %`;
}

function Rows({ data, isStale }: { data: Ledger; isStale: boolean }) {
  return (
    <div class={`table-box flat listed${isStale ? " stale" : ""}`} tabIndex={0} role="region" aria-label={t("Ledger")}>
      <table data-testid="ledger">
        <Heads
          of={[
            [t("Service")],
            [t("Incidents"), "numeric"],
            [t("Time to detect"), "numeric"],
            [t("Time to mitigate"), "numeric"],
            [t("Time to remediate"), "numeric wide"],
            [t("Downtime"), "numeric wide"],
            [t("Availability"), "numeric wide"],
            [t("Error budget left"), "numeric"],
          ]}
        />
        <tbody>
          {data.services.map((row) => (
            <tr key={row.service} data-testid="ledger-row">
              <th scope="row" lang="">
                {oneLine(row.service, 120)}
              </th>
              <td class="numeric">{count(row.incidents)}</td>
              <td class="numeric">{durationText(row.ttd_ms)}</td>
              <td class="numeric">{durationText(row.ttm_ms)}</td>
              <td class="numeric wide">{durationText(row.ttr_ms)}</td>
              <td class="numeric wide">{durationText(row.downtime_ms)}</td>
              <td class="numeric wide">{availability(row.availability)}</td>
              <td class="numeric" title={t("Objective: {n} %", { n: row.objective ?? "–" })}>
                <span class={(row.budget_left_ms ?? 0) < 0 ? "bad" : ""}>{budgetText(row)}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
