// What the time button opens: one free text, ranges by name and of late, two ends, the zone, and how often to ask again.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { ApiError } from "../api.ts";
import { readRange, type ReadRange } from "../api/time.ts";
import { span } from "../format.ts";
import { Button } from "../parts/button.tsx";
import { layer } from "../parts/layers.tsx";
import { Options } from "../parts/options.tsx";
import { t } from "../texts.ts";
import { absolute, exactText, fullText, isZone, PRESETS, rangeLabel, zoneText, type RangeText } from "../time.ts";
import { askedAt, asked, go, REFRESHES, view } from "../view.ts";

const RECENT = "catat.ranges";
const RECENT_MAX = 6;
/** Fast typing asks once, at its end. */
const ASK_AFTER_MS = 150;

const typed = signal("");
const from = signal<string | null>(null);
const to = signal<string | null>(null);
const wrong = signal<{ text: string; error: ApiError } | null>(null);
const meant = signal<ReadRange | null>(null);
const unknownZone = signal("");
let asking = new AbortController();

/** Ranges chosen before, the last one first. */
function recent(): RangeText[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    return Array.isArray(kept)
      ? kept
          .filter((one): one is RangeText => typeof one?.from === "string" && typeof one?.to === "string")
          .slice(0, RECENT_MAX)
      : [];
  } catch {
    return [];
  }
}

function remember(range: RangeText): void {
  if (PRESETS.some((preset) => preset.from === range.from && range.to === "now")) return;
  const others = recent().filter((one) => one.from !== range.from || one.to !== range.to);
  try {
    localStorage.setItem(RECENT, JSON.stringify([{ from: range.from, to: range.to }, ...others].slice(0, RECENT_MAX)));
  } catch {
    // Storage is switched off or full: nothing is remembered then.
  }
}

function choose(next: RangeText): void {
  typed.value = "";
  from.value = to.value = wrong.value = meant.value = null;
  layer.value = "";
  remember(next);
  const same = next.from === view.peek().from && next.to === view.peek().to;
  go({ from: next.from, to: next.to, row: "", live: false });
  if (same) asked.value += 1;
}

/** Asks the server what a text means; what was asked before no longer counts. */
function read(text: string, then: (range: ReadRange) => void, failed: (error: ApiError) => void, after = 0): void {
  asking.abort();
  const { signal } = (asking = new AbortController());
  setTimeout(() => {
    if (signal.aborted) return;
    readRange(text, view.peek().zone, signal).then(
      (range) => signal.aborted || then(range),
      (error: unknown) => {
        if (!signal.aborted && error instanceof ApiError) failed(error);
      },
    );
  }, after);
}

function apply(text: string): void {
  read(text, choose, (error) => (wrong.value = { text, error }));
}

function preview(text: string): void {
  typed.value = text;
  wrong.value = meant.value = null;
  if (text.trim() !== "")
    read(
      text,
      (range) => (meant.value = range),
      () => undefined,
      ASK_AFTER_MS,
    );
}

/** A typed text with what is wrong in it underlined, and what to write instead. */
function Wrong({ text, error }: { text: string; error: ApiError }) {
  const [start, end] = [error.start ?? 0, error.end ?? 0];
  return (
    <p class="note error" role="alert" data-testid="time-error">
      {end > start && (
        <code>
          {text.slice(0, start)}
          <span class="wrong">{text.slice(start, end)}</span>
          {text.slice(end)}
        </code>
      )}{" "}
      {error.message}
      {error.hint !== null && <span class="hint"> {error.hint}</span>}
    </p>
  );
}

function readable(text: string): string {
  const ms = absolute(text);
  return ms === null ? text : fullText(ms, view.value.zone);
}

function Ranges({ ranges, name }: { ranges: readonly RangeText[]; name: string }) {
  const now = view.value;
  return (
    <ul class="presets" aria-label={name}>
      {ranges.map((range) => (
        <li key={`${range.from} ${range.to}`}>
          <button
            type="button"
            aria-pressed={now.from === range.from && now.to === range.to}
            onClick={() => choose(range)}
          >
            {rangeLabel(range, now.zone)}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The zone that a person means: its name in any case, also an old one, or its city alone. */
function zoneMeant(text: string): string | null {
  const sought = text.trim().replaceAll(" ", "_");
  const regions = new Set(Intl.supportedValuesOf("timeZone").map((zone) => zone.slice(0, zone.lastIndexOf("/"))));
  const found = [sought, ...[...regions].map((region) => `${region}/${sought}`)].find(
    (zone) => zone !== "local" && isZone(zone),
  );
  return found === undefined ? null : new Intl.DateTimeFormat("en", { timeZone: found }).resolvedOptions().timeZone;
}

function chooseZone(text: string): void {
  const zone = zoneMeant(text);
  unknownZone.value = zone === null && text.trim() !== "" ? text : "";
  if (zone !== null) go({ zone: zone === "UTC" ? "utc" : zone });
}

function Zones() {
  const { zone } = view.value;
  const isNamed = zone !== "local" && zone !== "utc";
  return (
    <fieldset>
      <legend>{t("Time zone")}</legend>
      <label class="choice">
        <input type="radio" name="zone" checked={zone === "local"} onChange={() => go({ zone: "local" })} />{" "}
        {t("This browser’s ({zone})", { zone: zoneText(askedAt.value, "local") })}
      </label>
      <label class="choice">
        <input type="radio" name="zone" checked={zone === "utc"} onChange={() => go({ zone: "utc" })} /> UTC
      </label>
      <label>
        {t("Another time zone")}
        <input
          data-testid="time-zone"
          list="time-zones"
          autocomplete="off"
          placeholder={t("Asia/Jakarta, Berlin …")}
          value={isNamed ? zone : ""}
          onChange={(event) => chooseZone(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") {
              event.preventDefault();
              chooseZone(event.currentTarget.value);
            }
          }}
        />
      </label>
      <datalist id="time-zones">
        {Intl.supportedValuesOf("timeZone").map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {unknownZone.value !== "" && (
        <p class="note error" role="alert">
          {t("No time zone is called “{text}”.", { text: unknownZone.value })}
        </p>
      )}
    </fieldset>
  );
}

function Ends() {
  const now = view.value;
  const submit = (event: Event) => {
    event.preventDefault();
    apply(`${from.peek() ?? readable(now.from)} .. ${to.peek() ?? readable(now.to)}`);
  };
  return (
    <form class="time-form" onSubmit={submit}>
      <label>
        {t("From")}
        <input
          data-testid="time-from"
          value={from.value ?? readable(now.from)}
          onInput={(event) => (from.value = event.currentTarget.value)}
        />
      </label>
      <label>
        {t("To")}
        <input
          data-testid="time-to"
          value={to.value ?? readable(now.to)}
          onInput={(event) => (to.value = event.currentTarget.value)}
        />
      </label>
      <Button type="submit" class="button primary" label={t("Apply")} data-testid="time-apply" />
      <Zones />
      <label class="choice">
        <input
          type="checkbox"
          data-testid="nanos"
          checked={now.nanos}
          onChange={() => go({ nanos: !now.nanos }, true)}
        />{" "}
        {t("Nanoseconds in rows")}
      </label>
      <label>
        {t("Refresh")}
        <select
          data-testid="refresh"
          value={String(now.refresh)}
          onChange={(event) => go({ refresh: Number(event.currentTarget.value) }, true)}
        >
          <Options
            of={REFRESHES.map((seconds) => [
              String(seconds),
              seconds === 0 ? t("manually") : t("every {time}", { time: span(seconds * 1000) }),
            ])}
          />
        </select>
      </label>
    </form>
  );
}

/** The panel. */
export function TimePanel() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    input.current?.focus();
    return () => asking.abort();
  }, []);
  const range = meant.value;
  const before = recent();
  return (
    <>
      <form
        class="time-form"
        onSubmit={(event) => {
          event.preventDefault();
          apply(typed.peek());
        }}
      >
        <label>
          {t("Any range")}
          <input
            ref={input}
            data-testid="time-text"
            placeholder="2h · yesterday · 06:00..07:30 · now-3d..now-2d"
            value={typed.value}
            autocomplete="off"
            spellcheck={false}
            aria-describedby="time-meant"
            onInput={(event) => preview(event.currentTarget.value)}
          />
        </label>
      </form>
      <div id="time-meant" class="time-meant" aria-live="polite">
        {wrong.value !== null && <Wrong {...wrong.value} />}
        {range !== null && (
          <p class="dim" data-testid="time-meant">
            {exactText(range.from_time, view.value.zone)} – {exactText(range.to_time, view.value.zone)}
          </p>
        )}
      </div>
      <div class="time-columns">
        <div>
          <Ranges ranges={PRESETS.map(({ from }) => ({ from, to: "now" }))} name={t("Ranges")} />
          {before.length > 0 && (
            <>
              <h3>{t("Recent")}</h3>
              <div data-testid="recent-ranges">
                <Ranges ranges={before} name={t("Recent")} />
              </div>
            </>
          )}
        </div>
        <Ends />
      </div>
    </>
  );
}
