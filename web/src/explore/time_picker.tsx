// The time range: presets, two typed times, or one free text; and the zone that everything is shown in.

import { signal } from "@preact/signals";

import { span } from "../format.ts";
import { Icon } from "../parts/icons.tsx";
import { layer, Menu } from "../parts/layers.tsx";
import { fullText, PRESETS, range, rangeLabel, resolve, zoneText, type RangeText } from "../time.ts";
import { askedAt, asked, go, REFRESHES, view } from "../view.ts";

const typed = signal("");
const from = signal<string | null>(null);
const to = signal<string | null>(null);
const wrong = signal("");

function choose(next: RangeText): void {
  typed.value = "";
  from.value = null;
  to.value = null;
  wrong.value = "";
  layer.value = "";
  const same = next.from === view.peek().from && next.to === view.peek().to;
  go({ ...next, row: "", live: false });
  if (same) asked.value += 1;
}

function readable(text: string): string {
  const ms = text.startsWith("now") ? null : resolve(text, 0);
  return ms === null ? text : fullText(ms, view.value.zone);
}

function applyTyped(text: string): void {
  const next = range(text, view.peek().zone, Date.now());
  if (next) choose(next);
  else wrong.value = `“${text}” is no time range. Try 2h, yesterday, now-3d..now-2d or 2026-11-20 06:00..07:00.`;
}

/** The button that shows the range, and its panel. */
export function TimePicker() {
  const now = view.value;
  const label = rangeLabel(now, now.zone);
  return (
    <Menu name="time" testId="time" label={`Time range: ${label}`} class="time" align="right" button={<><Icon name="clock" /><span class="sr-only">Time range: </span><span>{label}</span><span class="zone">{zoneText(askedAt.value, now.zone)}{now.refresh > 0 ? ` · every ${span(now.refresh * 1000)}` : ""}</span></>}>
      <form class="time-form" onSubmit={(event) => { event.preventDefault(); applyTyped(typed.peek()); }}>
        <label>Any range
          <input data-autofocus data-testid="time-text" placeholder="2h · yesterday · 06:00..07:30 · now-3d..now-2d" value={typed.value}
            onInput={(event) => { typed.value = event.currentTarget.value; wrong.value = ""; }} />
        </label>
      </form>
      {wrong.value !== "" && <p class="note error" role="alert">{wrong.value}</p>}
      <div class="time-columns">
        <ul class="presets" aria-label="Ranges">
          {PRESETS.map((preset) => (
            <li key={preset.from}>
              <button type="button" aria-pressed={now.from === preset.from && now.to === "now"} onClick={() => choose({ from: preset.from, to: "now" })}>{preset.label}</button>
            </li>
          ))}
        </ul>
        <form class="time-form" onSubmit={(event) => { event.preventDefault(); applyTyped(`${from.peek() ?? readable(now.from)} .. ${to.peek() ?? readable(now.to)}`); }}>
          <label>From
            <input data-testid="time-from" value={from.value ?? readable(now.from)} onInput={(event) => (from.value = event.currentTarget.value)} />
          </label>
          <label>To
            <input data-testid="time-to" value={to.value ?? readable(now.to)} onInput={(event) => (to.value = event.currentTarget.value)} />
          </label>
          <button type="submit" class="button primary" data-testid="time-apply">Apply</button>
          <fieldset>
            <legend>Time zone</legend>
            <label class="choice"><input type="radio" name="zone" checked={now.zone === "local"} onChange={() => go({ zone: "local" })} /> This browser’s ({zoneText(askedAt.value, "local")})</label>
            <label class="choice"><input type="radio" name="zone" checked={now.zone === "utc"} onChange={() => go({ zone: "utc" })} /> UTC</label>
          </fieldset>
          <label>Ask again
            <select data-testid="refresh" value={String(now.refresh)} onChange={(event) => go({ refresh: Number(event.currentTarget.value) }, true)}>
              {REFRESHES.map((seconds) => <option key={seconds} value={String(seconds)}>{seconds === 0 ? "when I say so" : `every ${span(seconds * 1000)}`}</option>)}
            </select>
          </label>
        </form>
      </div>
    </Menu>
  );
}
