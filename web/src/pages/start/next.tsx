// What comes once events are here: the newest of them, and what is worth doing next. What is done already is not offered.

import { useEffect } from "preact/hooks";

import { isOwn, query, type Group } from "../../api.ts";
import { askChannels, channels } from "../../api/alerts.ts";
import { kept } from "../../api/groups.ts";
import { groupList } from "../../ask.ts";
import { printable } from "../../format.ts";
import { Button } from "../../parts/button.tsx";
import { useLane } from "../../parts/use_lane.ts";
import { who } from "../../session.ts";
import { t } from "../../texts.ts";
import { dayClock } from "../../time.ts";
import { go, view } from "../../view.ts";

/** Events that are shown. */
const NEWEST = 3;
/** Characters of a message that are shown. */
const MESSAGE_CHARS = 200;

/** The newest events of groups; asked again when more have come. */
export function Newest({ groups, events }: { groups: readonly string[]; events: number }) {
  const text = `fields @timestamp, @level, @message | sort @timestamp desc | limit ${NEWEST}`;
  const lane = useLane(
    (signal) => query(text, { from: "1970-01-01T00:00:00Z", to: "now", groups }, view.value.zone, signal),
    [groups.join(","), events],
  );
  const rows = lane.data?.rows ?? [];
  if (rows.length === 0) return null;
  return (
    <ol class="newest" aria-label={t("Newest events")} data-testid="newest">
      {rows.map((row, at) => {
        const [time, level, message] = row.map((cell) => (cell === null ? "" : String(cell)));
        return (
          <li key={at} class={`level-${level || "none"}`} lang="">
            <span class="dim">{dayClock(Date.parse(time ?? ""), view.value.zone)}</span> <b>{level}</b>{" "}
            {printable((message ?? "").slice(0, MESSAGE_CHARS))}
          </li>
        );
      })}
    </ol>
  );
}

interface Step {
  id: string;
  title: string;
  why: string;
  act: string;
  open: () => void;
}

/** What is still to do for who may do it. */
function steps(groups: readonly Group[]): Step[] {
  const role = who.value?.role;
  const isOperator = role === "operate" || role === "admin";
  const found: Step[] = [];
  if (isOperator && channels.value.data?.length === 0) {
    found.push({
      id: "channel",
      title: t("Be told"),
      why: t("New error patterns raise alerts already, but nobody is told of them: no channel exists."),
      act: t("Add a channel"),
      open: () => go({ page: "alerts", tab: "channels" }),
    });
  }
  if (who.value?.name === "anonymous") {
    found.push({
      id: "key",
      title: t("Lock the door"),
      why: t("Everybody who reaches this address may read and send, since no key exists."),
      act: t("Create a key"),
      open: () => go({ page: "settings", tab: "" }),
    });
  }
  const isLimited = groups.some((group) => {
    const { age, size } = kept(group).retention;
    return age !== null || size !== null;
  });
  if (groups.length > 0 && !isLimited) {
    found.push({
      id: "retention",
      title: t("Say how long"),
      why: t(
        "No group has a limit of its own: events stay until those of the whole store are reached or the disk is nearly full.",
      ),
      act: t("Set a retention"),
      open: () => go({ page: "groups" }),
    });
  }
  return found;
}

/** Three things worth doing, as long as they are not done. */
export function Next() {
  const role = who.value?.role;
  useEffect(() => {
    if (role === "operate" || role === "admin") void askChannels();
  }, [role]);
  const todo = steps((groupList.value.data ?? []).filter((group) => !isOwn(group)));
  if (todo.length === 0) return null;
  return (
    <section class="next" aria-label={t("Worth doing next")} data-testid="next">
      <h2>{t("Worth doing next")}</h2>
      <ul class="cards">
        {todo.map((step) => (
          <li key={step.id} class="card quiet" data-testid={`next-${step.id}`}>
            <b>{step.title}</b>
            <p class="note">{step.why}</p>
            <div class="acts">
              <Button label={step.act} onClick={step.open} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
