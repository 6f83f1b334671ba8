// Incidents: the list, one with its timeline, and a new one.

import { askIncident, askIncidents } from "../api/issues.ts";
import { Failure } from "../explore/waiting.tsx";
import { oneLine, printable } from "../format.ts";
import { Status } from "../parts/status.tsx";
import { adopt } from "../parts/style.ts";
import { Heads } from "../parts/table.tsx";
import { useLane } from "../parts/use_lane.ts";
import { Way } from "../parts/way.tsx";
import rules from "../style/issues.css?inline";
import { t } from "../texts.ts";
import { asked, view } from "../view.ts";
import { When } from "./alerts/parts.tsx";
import { IncidentForm } from "./incidents/form.tsx";
import { IncidentPage } from "./incidents/incident.tsx";
import { durationText, incidentState } from "./incidents/words.ts";

adopt(rules);

/** Stands in the address for an incident that is being made. */
const NEW = "new";

/** The page. */
export function Incidents() {
  const open = view.value.open;
  if (open === NEW) return <IncidentForm />;
  return open === "" ? <List /> : <One key={open} id={open} />;
}

function One({ id }: { id: string }) {
  const { lane, ask, state, data, error } = useLane((signal) => askIncident(id, signal), [asked.value]);
  return (
    <main class="page incident" data-testid="incident-page" aria-busy={state === "loading"}>
      <p>
        <Way to={{ page: "incidents", open: "", find: "" }}>{t("All incidents")}</Way>
      </p>
      {state === "error" && (
        <Failure
          what={t("The incident could not be loaded: {message}.", { message: error?.message ?? "" })}
          onAgain={ask}
        />
      )}
      {data === null && state === "loading" && <Status />}
      {data !== null && (
        <IncidentPage
          incident={data}
          onChange={(next) => (lane.value = { ...lane.peek(), state: "done", data: next, error: null })}
          again={ask}
        />
      )}
    </main>
  );
}

function List() {
  const { ask, state, data, error } = useLane(askIncidents, [asked.value]);
  return (
    <main class="page" data-testid="incidents-page" aria-busy={state === "loading"}>
      <div class="page-head">
        <h1>{t("Incidents")}</h1>
        <Way class="button" to={{ page: "ledger", tab: "" }} data-testid="to-ledger" label={t("Ledger")} />
        <Way class="button primary" to={{ open: NEW, find: "" }} data-testid="new-incident" label={t("New incident")} />
      </div>
      {state === "error" && (
        <Failure
          what={t("The incidents could not be loaded: {message}.", { message: error?.message ?? "" })}
          onAgain={ask}
        />
      )}
      {data === null && state === "loading" && <Status />}
      {data?.length === 0 && (
        <div class="state" data-testid="no-incidents">
          <h2>{t("No incidents")}</h2>
          <p>
            {t(
              "An incident holds the timeline of an outage: alerts, marks, pinned events, notes, and when it was detected, mitigated and remediated.",
            )}
          </p>
        </div>
      )}
      {data !== null && data.length > 0 && (
        <div class="table-box flat listed" tabIndex={0} role="region" aria-label={t("Incidents")}>
          <table>
            <Heads
              of={[
                [t("Incident")],
                [t("State")],
                [t("Began")],
                [t("Services"), "wide"],
                [t("Detected after"), "wide"],
                [t("Mitigated after"), "wide"],
                [t("Remediated after"), "wide"],
              ]}
            />
            <tbody>
              {data.map((one) => (
                <tr key={one.id} data-testid="incident" data-id={one.id}>
                  <th scope="row" lang="">
                    <Way to={{ open: one.id, find: "" }}>{oneLine(one.title, 200) || one.id}</Way>
                  </th>
                  <td>
                    <span class={`badge incident-${one.state}`}>{incidentState(one.state)}</span>
                  </td>
                  <td>
                    <When time={one.began} never="–" />
                  </td>
                  <td class="wide">{printable(one.services.join(", "))}</td>
                  <td class="wide">{durationText(one.ttd_ms)}</td>
                  <td class="wide">{durationText(one.ttm_ms)}</td>
                  <td class="wide">{durationText(one.ttr_ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </main>
  );
}
