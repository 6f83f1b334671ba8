// Senders without a key: whom the first key cuts off, and who may go on for some time.

import { signal } from "@preact/signals";

import { printable } from "../../format.ts";
import { Options } from "../../parts/options.tsx";
import { Heads } from "../../parts/table.tsx";
import { send } from "../../session.ts";
import { rich, t } from "../../texts.ts";
import { Sure, text, When, type Item } from "./parts.tsx";

/** What may be done without a key, and who does it. */
export interface Anonymous {
  access: "open" | "sending" | "closed";
  until: string | null;
  since: string;
  senders: Item[];
  left_out: boolean;
  node: string | null;
}

export const anonymous = signal<Anonymous | null>(null);

/** How long senders without a key may go on if the next key is the first. */
export const grace = signal("7d");

/** Whether somebody has to say that. */
export const isGraceAsked = () => anonymous.value?.access === "open" && anonymous.value.senders.length > 0;

function names(item: Item, member: string): string {
  const all = item[member];
  return printable((Array.isArray(all) ? all.map(String) : []).join(", "));
}

/** Those who sent. */
function Senders({ of }: { of: Anonymous }) {
  if (of.senders.length === 0)
    return <p class="dim">{rich("No one has sent without a key since {time}.", { time: <When time={of.since} /> })}</p>;
  return (
    <>
      <div
        class="table-box flat listed"
        tabIndex={0}
        role="region"
        aria-label={t("Senders without a key")}
        data-testid="keyless"
      >
        <table>
          <Heads of={[[t("Sender")], [t("Address")], [t("Groups")], [t("Last sent")]]} />
          <tbody>
            {of.senders.map((item) => (
              <tr key={`${text(item["address"])} ${text(item["agent"])}`} title={names(item, "routes")}>
                <th scope="row">{printable(text(item["agent"])) || "–"}</th>
                <td>{text(item["address"]) || "–"}</td>
                <td>
                  {names(item, "groups") || "–"}
                  {item["more_groups"] === true && ", …"}
                </td>
                <td>
                  <When time={item["last"]} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {of.left_out && <p class="dim">{t("There are others, which are not listed.")}</p>}
      {of.node !== null && (
        <p class="dim">
          {rich("These are the senders of the node {node}; other nodes list their own.", {
            node: <b>{printable(of.node)}</b>,
          })}
        </p>
      )}
    </>
  );
}

/** A part of the form for the first key: who is cut off, and when. */
export function GraceQuestion() {
  const of = anonymous.value;
  if (of === null || !isGraceAsked()) return null;
  return (
    <div class="made" data-testid="grace-question">
      <p>{t("The first key ends access without a key. These sent without one in the last day:")}</p>
      <Senders of={of} />
      <label>
        {t("Without a key they may send")}{" "}
        <select value={grace.value} onInput={(event) => (grace.value = event.currentTarget.value)}>
          <Options
            of={[
              ["1d", t("for another day")],
              ["7d", t("for another {n} days", { n: 7 })],
              ["30d", t("for another {n} days", { n: 30 })],
              ["0s", t("no longer")],
            ]}
          />
        </select>
      </label>
      <p class="dim">{t("Reading without a key ends at once.")}</p>
    </div>
  );
}

/** Says how long senders without a key may go on, and who still does. */
export function GracePeriod({ ask }: { ask: () => void }) {
  const of = anonymous.value;
  if (of?.access !== "sending") return null;
  return (
    <div class="made" data-testid="grace-period">
      <p>
        {rich("Senders without a key may go on; that ends {time}.", { time: <When time={of.until} /> })}{" "}
        <Sure
          what={t("End now")}
          name=""
          run={async () => {
            await send("DELETE", "api/v1/keys/anonymous");
            ask();
          }}
        />
      </p>
      <Senders of={of} />
    </div>
  );
}
