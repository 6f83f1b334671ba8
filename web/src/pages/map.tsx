// The service map: which services call which, with rate, errors and latency, and what got worse.

import type { ComponentProps, ComponentType } from "preact";

import { serviceMap, type Calls, type MapNode, type ServiceMap } from "../api/traces.ts";
import { Failure, Incomplete } from "../explore/waiting.tsx";
import { count, percent, printable } from "../format.ts";
import { Status } from "../parts/status.tsx";
import { adopt } from "../parts/style.ts";
import { Heads } from "../parts/table.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { useLane } from "../parts/use_lane.ts";
import { Way } from "../parts/way.tsx";
import rules from "../style/traces.css?inline";
import { plural, t } from "../texts.ts";
import { fullText } from "../time.ts";
import { asked, askedAt, view, type View } from "../view.ts";
import { MapGraph } from "./map/graph.tsx";
import { worse } from "./map/layout.ts";
import { gapsText, kindText, latencyText, rateText, tracesOf, tracesThrough } from "./map/words.ts";

adopt(rules);

/** The page. `Time` is the button of the time range. */
export function ServiceMapPage({ Time }: { Time: ComponentType }) {
  const { from, to, zone, tab } = view.value;
  const { ask, state, data, error } = useLane(
    (signal) => {
      askedAt.value = Date.now();
      return serviceMap(view.peek(), signal);
    },
    [from, to, zone, asked.value],
  );
  const tabs = [
    { tab: "", title: t("Map") },
    { tab: "table", title: t("Table") },
  ];
  return (
    <main class="page map-page" data-testid="map-page" aria-busy={state === "loading"}>
      <div class="page-head">
        <h1>{t("Service map")}</h1>
        <Tabs of={tabs} shown={tab} testId={(tab) => `map-tab-${tab || "map"}`} />
        <Time />
      </div>
      {state === "error" && (
        <Failure
          what={
            data
              ? t("The map below is older: {message}.", { message: error?.message ?? "" })
              : t("The map could not be loaded: {message}.", { message: error?.message ?? "" })
          }
          onAgain={ask}
        />
      )}
      {data === null && state === "loading" && (
        <Status text={t("Reading calls between services…")} data-testid="map-loading" />
      )}
      {data !== null && <MapView map={data} asTable={tab === "table"} isStale={state === "loading"} />}
    </main>
  );
}

function MapView({ map, asTable, isStale }: { map: ServiceMap; asTable: boolean; isStale: boolean }) {
  const zone = view.value.zone;
  if (map.nodes.length === 0)
    return (
      <>
        {map.partial && <Incomplete what={t("This answer is incomplete.")} reasons={map.partial_reasons} />}
        <div class="state" data-testid="map-none">
          <h2>{t("No calls in this range")}</h2>
          <p>
            {t(
              "The map is drawn from spans and from log lines with trace ids. Widen the range, or send spans by OTLP, Zipkin or X-Ray.",
            )}
          </p>
          <Way class="button" to={{ page: "start" }} label={t("Send data")} />
        </div>
      </>
    );
  const bad = [...map.nodes, ...map.edges].filter((one) => {
    const { errors, latency } = worse(one, one.before);
    return errors || latency;
  }).length;
  return (
    <section class={isStale ? "stale" : ""}>
      {map.partial && <Incomplete what={t("This map is incomplete.")} reasons={map.partial_reasons} />}
      <p class="dim" data-testid="map-compared">
        {plural(map.nodes.length, "{n} node", "{n} nodes", count(map.nodes.length))}
        {", "}
        {plural(map.edges.length, "{n} edge", "{n} edges", count(map.edges.length))}
        {map.compare_from !== null && (
          <>
            {" · "}
            {t("compared with {from} – {to}", {
              from: fullText(Date.parse(map.compare_from), zone),
              to: fullText(Date.parse(map.compare_to ?? ""), zone),
            })}{" "}
            <b class={bad > 0 ? "bad" : ""}>
              {bad === 0
                ? t("nothing got worse")
                : plural(bad, "{n} got worse (red)", "{n} got worse (red)", count(bad))}
            </b>
          </>
        )}
      </p>
      <p class="dim note" data-testid="map-legend">
        {asTable
          ? t("Below each number is that of the time before.")
          : t("Each service and call has its requests, its share of errors and its 95th percentile.")}
      </p>
      {asTable ? <Tables map={map} /> : <MapGraph map={map} />}
    </section>
  );
}

function Change({ now, text, isBad }: { now: string; text: string | undefined; isBad: boolean }) {
  return (
    <td class="numeric">
      <span class={isBad ? "bad" : ""}>{now}</span>
      {text !== undefined && <div class="dim">{text}</div>}
    </td>
  );
}

/** The numbers of a row, with those of the range before below them. */
function Numbers({ of }: { of: Calls & { before?: Calls } }) {
  const bad = worse(of, of.before);
  return (
    <>
      <Change now={rateText(of.requests_per_s)} text={of.before && rateText(of.before.requests_per_s)} isBad={false} />
      <Change now={percent(of.error_share)} text={of.before && percent(of.before.error_share)} isBad={bad.errors} />
      <Change now={latencyText(of.p50_ms)} text={of.before && latencyText(of.before.p50_ms)} isBad={false} />
      <Change now={latencyText(of.p95_ms)} text={of.before && latencyText(of.before.p95_ms)} isBad={bad.latency} />
    </>
  );
}

/** What got worse comes first, then what fails most. */
function worstFirst<T extends Calls & { before?: Calls }>(all: readonly T[]): T[] {
  const badness = (of: T) => {
    const { errors, latency } = worse(of, of.before);
    return Number(errors) + Number(latency);
  };
  return [...all].sort((a, b) => badness(b) - badness(a) || b.error_share - a.error_share);
}

const headsOf = (title: string): ComponentProps<typeof Heads>["of"] => [
  [title],
  [t("Requests"), "numeric"],
  [t("Errors"), "numeric"],
  [t("Median"), "numeric"],
  ["p95", "numeric"],
];

function Row({
  title,
  to,
  note,
  of,
}: {
  title: string;
  to: Partial<View>;
  note: string[];
  of: Calls & { before?: Calls };
}) {
  return (
    <tr data-testid="map-row">
      <th scope="row">
        <Way to={to}>{printable(title)}</Way>
        {note.map((one) => (
          <div key={one} class="dim">
            {one}
          </div>
        ))}
      </th>
      <Numbers of={of} />
    </tr>
  );
}

/** The same map as tables: nodes, then calls. */
function Tables({ map }: { map: ServiceMap }) {
  const byName = new Map<string, MapNode>(map.nodes.map((node) => [node.service, node]));
  return (
    <>
      <div class="table-box flat map-table" tabIndex={0} role="region" aria-label={t("Services")}>
        <table data-testid="map-nodes">
          <Heads of={headsOf(t("Service"))} />
          <tbody>
            {worstFirst(map.nodes).map((node) => (
              <Row
                key={node.service}
                title={node.service}
                to={tracesThrough(node, map.edges)}
                note={[kindText(node), ...gapsText(node)]}
                of={node}
              />
            ))}
          </tbody>
        </table>
      </div>
      <div class="table-box flat map-table" tabIndex={0} role="region" aria-label={t("Calls")}>
        <table data-testid="map-edges">
          <Heads of={headsOf(t("Calls"))} />
          <tbody>
            {worstFirst(map.edges).map((edge) => (
              <Row
                key={`${edge.from}\n${edge.to}`}
                title={`${edge.from} → ${edge.to}`}
                to={tracesOf(edge, byName.get(edge.to))}
                note={[]}
                of={edge}
              />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
