// What the live tail has received, newest at the end, and how it stands with the server.

import { compact, count } from "../format.ts";
import { Icon } from "../parts/icons.tsx";
import { soughtTexts } from "../query/lex.ts";
import { plural, t } from "../texts.ts";
import { view } from "../view.ts";
import { FieldsButton } from "./fields_button.tsx";
import { paused, togglePause } from "./paused.ts";
import { RowList } from "./row_list.tsx";
import { catchUp, following, tail, type Tail } from "./tail.ts";

/** How it stands, in a word or two. */
function stateOf(now: Tail): string {
  if (now.error !== "") return now.error;
  if (now.state === "waiting") return t("connection lost, retrying…");
  if (now.state === "connecting") return t("connecting…");
  return paused.value ? t("paused") : t("live");
}

function follow(follows: boolean): void {
  following.value = follows;
  if (follows && !paused.peek()) catchUp();
}

function showNewest(): void {
  catchUp();
  requestAnimationFrame(() => {
    const box = document.querySelector("[data-testid=rows]");
    if (box) box.scrollTop = box.scrollHeight;
  });
}

/** The list with its head, and the button that leads to what waits. */
export function LiveRows() {
  const now = tail.value;
  const waiting = now.pending.length;
  const n = now.events.length;
  return (
    <section class="result" aria-label={t("Live tail")} data-testid="live-results">
      <div class="result-head">
        <FieldsButton />
        <span class={`live-state ${now.state}${paused.value ? " paused" : ""}`} role="status" data-testid="live-state">
          <span class="pulse" aria-hidden="true" />
          {stateOf(now)}
        </span>
        <button
          type="button"
          class="button quiet"
          aria-pressed={paused.value}
          title={t("Space")}
          data-testid="pause"
          onClick={togglePause}
        >
          <Icon name={paused.value ? "play" : "pause"} />
          <span>{paused.value ? t("Resume") : t("Pause")}</span>
        </button>
        <span class="dim">
          {plural(n, "{n} event", "{n} events", count(n))}
          {now.rate > 0 ? ` · ${compact(now.rate)}/s` : ""}
        </span>
        {now.reconnected > 0 && (
          <span class="dim" data-testid="reconnected">
            {plural(now.reconnected, "reconnected once", "reconnected {n} times", count(now.reconnected))}
          </span>
        )}
        {now.dropped > 0 && (
          <span class="note warning" data-testid="dropped">
            {t("{n} not shown: narrow the query", { n: count(now.dropped) })}
          </span>
        )}
      </div>
      {n === 0 && (
        <div class="state">
          <h2>{t("Waiting for events…")}</h2>
          <p class="dim">{t("New events that match appear here as they are accepted.")}</p>
        </div>
      )}
      {n > 0 && (
        <RowList
          asleep={view.value.around !== ""}
          events={now.events}
          columns={now.columns}
          sought={soughtTexts(view.value.query)}
          label={t("Events, newest last")}
          live
          onFollow={follow}
        />
      )}
      {waiting > 0 && (
        <button type="button" class="pill" data-testid="pill" onClick={showNewest}>
          {t("{n} new", { n: count(waiting) })} <Icon name="down" />
        </button>
      )}
    </section>
  );
}
