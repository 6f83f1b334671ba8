// Sources whose clock or time zone is off, each with the button that mends it.

import { signal } from "@preact/signals";

import { clocks, setTimeZone, type Clock } from "../api/groups.ts";
import { start, type Lane } from "../ask.ts";
import { printable } from "../format.ts";
import { tell } from "../parts/layers.tsx";
import { usePoll } from "../parts/use_lane.ts";
import { t } from "../texts.ts";

const POLL_MS = 15000;

const lane = signal<Lane<Clock[]>>({ state: "idle", data: null, error: null, since: 0 });

function ask(): void {
  void start(lane, (signal) => clocks(signal));
}

/** The list; nothing where all clocks are right. */
export function Clocks() {
  usePoll(ask, POLL_MS);
  const off = lane.value.data ?? [];
  if (off.length === 0) return null;
  return (
    <section aria-labelledby="clocks" data-testid="clocks">
      <h2 id="clocks">{t("Wrong clocks")}</h2>
      <p class="dim">
        {t("The times of these events do not fit their arrival. Until this is fixed, searches by time miss them.")}
      </p>
      <ul class="cards">
        {off.map((clock) => (
          <Card key={`${clock.group} ${clock.stream}`} clock={clock} />
        ))}
      </ul>
    </section>
  );
}

function Card({ clock }: { clock: Clock }) {
  const set = async (zone: string) => {
    try {
      await setTimeZone(clock.group, zone);
      tell(t("Times without a zone in {group} are now read as {zone}", { group: clock.group, zone }));
      ask();
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error));
    }
  };
  const span = spanText(Math.abs(clock.offset_seconds));
  return (
    <li class="card" data-testid="clock">
      <div class="card-head">
        <b>{printable(clock.group)}</b>
        {clock.stream !== "" && <span class="dim">{printable(clock.stream)}</span>}
        <span class="badge state-pending">
          {clock.offset_seconds > 0 ? t("{span} ahead", { span }) : t("{span} behind", { span })}
        </span>
      </div>
      <p>
        {clock.time_zone !== null
          ? t("Its times have no zone; they fit {zone}.", { zone: clock.time_zone })
          : clock.certain
            ? t("Set the clock or the time zone of the sender.")
            : t("Its events come late, or the clock of the sender is wrong.")}
      </p>
      {clock.time_zone !== null && (
        <div class="acts">
          <button
            type="button"
            class="button small"
            data-testid="set-zone"
            onClick={() => void set(clock.time_zone ?? "")}
          >
            {t("Read its times as {zone}", { zone: clock.time_zone })}
          </button>
        </div>
      )}
    </li>
  );
}

function spanText(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.round((seconds % 3600) / 60)];
  return [hours > 0 ? t("{n} h", { n: String(hours) }) : "", minutes > 0 ? t("{n} min", { n: String(minutes) }) : ""]
    .filter((part) => part !== "")
    .join(" ");
}
