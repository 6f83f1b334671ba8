// The fleet that this server is part of: its nodes, what each of them does, what waits and what it costs.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { ApiError, json } from "../../api.ts";
import { start, type Lane } from "../../ask.ts";
import { bytes, count, oneLine, printable } from "../../format.ts";
import { told } from "../../parts/attempt.tsx";
import { Snippet } from "../../parts/snippet.tsx";
import { Status } from "../../parts/status.tsx";
import { Heads } from "../../parts/table.tsx";
import type { Json } from "../../query/edit.ts";
import { language, plural, rich, t } from "../../texts.ts";
import { ago } from "../../time.ts";

interface Node {
  node: string;
  epoch: number;
  address: string;
  /** Names with commas. */
  roles: string;
  zone: string;
  joined_s: number;
  silent_s: number;
  leases: string[];
  answers_this: boolean;
  draining?: boolean;
  /** `null` where it is not known. */
  changes_behind?: number | null;
  /** What it did for other nodes, by name. */
  does?: Record<string, Json>;
}

interface Fleet {
  nodes: Node[];
  objects_waiting?: number;
  object_bytes_waiting?: number;
  objects_written?: number;
  bytes_stored?: number;
  puts_per_day?: number;
  cost_per_day_usd?: number;
}

interface Answer {
  /** `null` for a server of its own, `undefined` as long as there was no answer. */
  fleet: Fleet | null | undefined;
  problem: string;
}

const POLL_MS = 5000;
/** Seconds for which a node that is not heard of keeps its leases. */
const LEASE_S = 15;
const NAMES_SHOWN = 10;
const CONFIGURATION = `[storage]
object_store = "s3://logs"
object_store_region = "eu-central-1"

[fleet]
database = "postgres://catat:PASSWORD@db.example.org/catat?sslmode=verify-full"`;

const lane = signal<Lane<Answer>>({ state: "idle", data: null, error: null, since: 0 });

/** The answer, or the one before with what went wrong since. */
async function answer(signal: AbortSignal): Promise<Answer> {
  try {
    return { fleet: await json<Fleet>("api/v1/fleet", { signal }), problem: "" };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return { fleet: null, problem: "" };
    return { fleet: lane.peek().data?.fleet, problem: told(error) };
  }
}

const ask = () => void start(lane, answer);

/** The part. */
export function Fleet() {
  useEffect(() => {
    ask();
    // An answer may take longer than that: it is waited for.
    const isDue = () => document.visibilityState === "visible" && lane.peek().state !== "loading";
    const timer = setInterval(() => isDue() && ask(), POLL_MS);
    return () => clearInterval(timer);
  }, []);
  const { fleet, problem } = lane.value.data ?? { fleet: undefined, problem: "" };
  return (
    <section aria-label={t("Fleet")} data-testid="fleet">
      {problem !== "" && (
        <p class="note error" role="alert">
          {problem}. {t("Retried every {n} seconds.", { n: POLL_MS / 1000 })} {fleet && t("The data below is older.")}
        </p>
      )}
      {lane.value.data === null && <Status />}
      {fleet === null && <Alone />}
      {fleet && <Figures fleet={fleet} />}
      {fleet && <Nodes nodes={fleet.nodes ?? []} />}
    </section>
  );
}

function Alone() {
  return (
    <div class="state" data-testid="no-fleet">
      <h2>{t("This server is not part of a fleet")}</h2>
      <p>
        {rich(
          "Servers with the same bucket and the same PostgreSQL database are a fleet. Set {bucket} and {database} in the configuration of each, and restart it. {manual} describes it.",
          {
            bucket: <code>[storage] object_store</code>,
            database: <code>[fleet] database</code>,
            manual: <a href="docs/fleet">{t("The manual")}</a>,
          },
        )}
      </p>
      <Snippet label={t("configuration of a server in a fleet")} text={CONFIGURATION} />
    </div>
  );
}

function Figures({ fleet }: { fleet: Fleet }) {
  const dollars = (n: number) => n.toLocaleString(language.value, { style: "currency", currency: "USD" });
  const figures: [string, number | undefined, (n: number) => string][] = [
    [t("Up"), fleet.nodes?.filter((one) => one.silent_s <= LEASE_S).length, count],
    [
      t("Objects in no segment yet"),
      fleet.objects_waiting,
      (n) => `${count(n)} (${bytes(fleet.object_bytes_waiting ?? 0)})`,
    ],
    [t("Objects written by this server"), fleet.objects_written, count],
    [t("Stored"), fleet.bytes_stored, bytes],
    [t("PUTs per day"), fleet.puts_per_day, (n) => count(Math.round(n))],
    [t("Cost per day"), fleet.cost_per_day_usd, dollars],
  ];
  return (
    <dl class="figures" data-testid="fleet-figures">
      {figures.map(
        ([title, n, written]) =>
          typeof n === "number" && (
            <div key={title}>
              <dt>{title}</dt>
              <dd>{written(n)}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Nodes({ nodes }: { nodes: readonly Node[] }) {
  const hasBehind = nodes.some((one) => one.changes_behind !== undefined);
  const hasDone = nodes.some((one) => one.does);
  return (
    <div class="table-box flat listed nodes" tabIndex={0} role="region" aria-label={t("Nodes")}>
      <table>
        <Heads
          of={[
            [t("Node")],
            [t("State")],
            [t("Leases")],
            [t("Roles"), "wide"],
            ...(hasBehind ? [[t("Behind"), "numeric wide"] as const] : []),
            [t("Joined"), "wide"],
            ...(hasDone ? [[t("Done for others"), "wide"] as const] : []),
          ]}
        />
        <tbody>
          {nodes.map((node) => (
            <tr key={node.epoch} data-testid="node">
              <th scope="row">
                {printable(node.node)} {node.answers_this && <span class="dim">{t("(answers you)")}</span>}
                <div class="dim">
                  {[node.address, node.zone]
                    .filter(Boolean)
                    .map((one) => printable(one))
                    .join(", ")}
                </div>
              </th>
              <td>
                <State node={node} nodes={nodes} />
              </td>
              <td>
                <Names names={node.leases ?? []} />
              </td>
              <td class="wide">
                <Names names={(node.roles ?? "").split(/[\s,]+/).filter(Boolean)} />
              </td>
              {hasBehind && (
                <td class="numeric wide">
                  <Behind n={node.changes_behind} />
                </td>
              )}
              <td class="wide">{seconds(node.joined_s)}</td>
              {hasDone && (
                <td class="wide">
                  <Done does={node.does ?? {}} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** So many seconds ago, by the clock of the database. */
const seconds = (n: number) => ago(-1000 * n, 0);

/** Whether a node is there, and if not, since when. */
function State({ node, nodes }: { node: Node; nodes: readonly Node[] }) {
  const isReplaced = nodes.some((one) => one.node === node.node && one.epoch > node.epoch);
  const isSilent = node.silent_s > LEASE_S;
  const [name, look] = isSilent
    ? isReplaced
      ? [t("replaced"), ""]
      : [t("silent"), "state-firing"]
    : node.draining
      ? [t("draining"), "state-pending"]
      : [t("up"), "state-ok"];
  return (
    <>
      <span class={`badge ${look}`} data-testid="node-state">
        {name}
      </span>
      {isSilent && <div class="dim">{seconds(node.silent_s)}</div>}
    </>
  );
}

/** Names as the configuration and the command line have them. */
function Names({ names }: { names: readonly string[] }) {
  if (names.length === 0) return <span class="dim">–</span>;
  const left = names.length - NAMES_SHOWN;
  return (
    <>
      {names
        .slice(0, NAMES_SHOWN)
        .map((name) => printable(name))
        .join(", ")}
      {left > 0 && ` ${t("and {n} more", { n: count(left) })}`}
    </>
  );
}

/** Changes of the catalog that a node has not seen yet. */
function Behind({ n }: { n: number | null | undefined }) {
  if (n === 0) return <span class="dim">–</span>;
  if (typeof n !== "number") return <span class="dim">{t("not known yet")}</span>;
  return <>{plural(n, "{n} change", "{n} changes", count(n))}</>;
}

/** What was done, under the names that the server gives it. */
function Done({ does }: { does: Readonly<Record<string, Json>> }) {
  return (
    <span class="labels">
      {Object.entries(does).map(([name, n]) => (
        <span key={name} class="label" lang="en">
          {printable(name.replaceAll("_", " "))} <b>{typeof n === "number" ? count(n) : oneLine(n)}</b>
        </span>
      ))}
    </span>
  );
}
