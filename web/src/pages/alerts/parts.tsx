// What the parts of the page of alerts have in common.

import { signal } from "@preact/signals";

import type { Lane } from "../../ask.ts";
import { printable, span } from "../../format.ts";
import { Button } from "../../parts/button.tsx";
import { Status } from "../../parts/status.tsx";
import { t } from "../../texts.ts";
import { ago, exactText } from "../../time.ts";
import { view } from "../../view.ts";

/** What time it is, so that ages go on while nothing else changes. */
const clock = signal(Date.now());
setInterval(() => {
  clock.value = Date.now();
}, 5000);

/** A length of time as rules have it (`5m`, `1d`), in the words of the page. */
export function lengthText(text: string): string {
  const [, amount, unit] = /^(\d+)(ms|s|m|h|d|w)$/.exec(text) ?? [];
  const sizes: Readonly<Record<string, number>> = {
    ms: 1,
    s: 1000,
    m: 60_000,
    h: 3_600_000,
    d: 86_400_000,
    w: 604_800_000,
  };
  return amount && unit ? span(Number(amount) * (sizes[unit] ?? 1)) : printable(text);
}

/** A state, by its name and colour. */
export function State({ state }: { state: string }) {
  const name = state === "" ? "unknown" : state;
  const known: Readonly<Record<string, string>> = {
    ok: t("ok"),
    pending: t("pending"),
    alarm: t("alarm"),
    insufficient_data: t("insufficient data"),
    off: t("off"),
    unknown: t("unknown"),
    active: t("active"),
    expired: t("ended"),
  };
  return (
    <span class={`badge state-${name}`} data-testid="state">
      {known[name] ?? name.replaceAll("_", " ")}
    </span>
  );
}

/** How long ago something was, or how soon it will be. */
export function When({ time, never = t("never") }: { time: string | null | undefined; never?: string }) {
  const ms = Date.parse(time ?? "");
  return Number.isNaN(ms) ? (
    <span class="dim">{never}</span>
  ) : (
    <time dateTime={time ?? ""} title={exactText(time ?? "", view.value.zone)}>
      {ago(ms, Math.max(clock.value, ms))}
    </time>
  );
}

/** A label whose value is an object is one label for each of its members. */
function flat([name, value]: readonly [string, string]): [string, string][] {
  try {
    const parts: unknown = value.startsWith("{") ? JSON.parse(value) : null;
    if (typeof parts === "object" && parts !== null)
      return Object.entries(parts).map(([part, one]) => [
        `${name}.${part}`,
        typeof one === "string" ? one : JSON.stringify(one),
      ]);
  } catch {
    // A text that only begins like an object.
  }
  return [[name, value]];
}

/** Labels, but for those that the title has: the rule's name, and the pattern of the line. */
export function Labels({ labels }: { labels: Readonly<Record<string, string>> }) {
  const shown = Object.entries(labels)
    .filter(([name]) => name !== "alertname" && name !== "pattern")
    .flatMap(flat);
  return (
    <>
      {shown.map(([name, value]) => (
        <span class="label" key={name}>
          {printable(name)}=<b>{printable(value)}</b>
        </span>
      ))}
    </>
  );
}

/** What stands in place of a list that loads or failed; nothing where it is there. */
export function Trouble({ lane, again }: { lane: Lane<unknown[]>; again: () => void }) {
  if (lane.state === "error")
    return (
      <p class="note error" role="alert">
        {lane.error?.message} <Button label={t("Try again")} onClick={again} />
      </p>
    );
  return lane.data === null ? <Status /> : null;
}
