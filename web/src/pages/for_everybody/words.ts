// How something is, in sentences for people who know neither queries nor percentiles. Nothing here touches the document.

import type { HowItIs, LastMonth, Person, Speed, Up, Wrong } from "../../api/for_everybody.ts";
import { count, decimal } from "../../format.ts";
import { language, plural, t, text } from "../../texts.ts";

/** A part of the page: the answer in a few words, and what else is known. */
export interface Part {
  mood: "good" | "warn" | "bad" | "unsure";
  short: string;
  more: string[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** An instant as people say it: `09:14 today`. */
export function when(rfc3339: string | null, now: number, zone: string): string {
  const at = Date.parse(rfc3339 ?? "");
  if (Number.isNaN(at)) return t("an unknown time");
  const day = (ms: number) => new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(ms);
  const clock = written(at, zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (day(at) === day(now)) return t("{clock} today", { clock });
  if (day(at) === day(now - DAY_MS)) return t("{clock} yesterday", { clock });
  return t("{clock} on {day}", { day: written(at, zone, { day: "numeric", month: "long" }), clock });
}

function written(ms: number, zone: string, parts: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(language.value === "id" ? "id-ID" : "en-GB", { timeZone: zone, ...parts }).format(ms);
}

/** A length of time with its largest unit, written out. */
export function lasting(ms: number): string {
  const of = (length: number) => Math.round(ms / length);
  if (ms >= 2 * DAY_MS) return plural(of(DAY_MS), "{n} day", "{n} days", count(of(DAY_MS)));
  if (ms >= 2 * HOUR_MS) return plural(of(HOUR_MS), "{n} hour", "{n} hours", count(of(HOUR_MS)));
  if (ms >= MINUTE_MS) return plural(of(MINUTE_MS), "{n} minute", "{n} minutes", count(of(MINUTE_MS)));
  return t("less than a minute");
}

/** How long one waits for an answer. */
export function waiting(ms: number): string {
  if (ms < 100) return t("less than a tenth of a second");
  if (ms >= 2 * MINUTE_MS) return lasting(ms);
  const seconds = ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1000);
  return plural(seconds, "{n} second", "{n} seconds", decimal(seconds, seconds % 1 === 0 ? 0 : 1));
}

/** Is it up? */
export function upPart(up: Up, now: number, zone: string): Part {
  const failed = up.failed_of_100;
  const since = when(up.since, now, zone);
  if (up.state === "down") {
    const short =
      up.since === null
        ? t("No, most requests fail.")
        : t("No. Most requests have failed since {time}.", { time: since });
    return { mood: "bad", short, more: failedText(failed) };
  }
  if (up.state === "trouble") {
    const short =
      up.since === null
        ? t("Partly: there is a problem.")
        : t("Partly: there has been a problem since {time}.", { time: since });
    return { mood: "warn", short, more: failedText(failed) };
  }
  if (up.state === "silent") {
    const more = t("It usually reports more often. It may be switched off, or only its reports are missing.");
    return {
      mood: "unsure",
      short: t("We cannot tell: nothing has been heard since {time}.", { time: since }),
      more: [more],
    };
  }
  if (up.known_by === "requests") return { mood: "good", short: t("Yes, it answers."), more: failedText(failed) };
  const last = t("It last reported something at {time}.", { time: when(up.last, now, zone) });
  return {
    mood: "good",
    short: t("Yes, as far as we can see."),
    more: [last, t("We do not measure whether its answers are right.")],
  };
}

function failedText(failed: number | null): string[] {
  if (failed === null) return [];
  if (failed === 0) return [t("None of the requests of the last 15 minutes failed.")];
  if (failed < 1) return [t("Fewer than 1 in 100 requests of the last 15 minutes failed.")];
  return [t("About {n} in 100 requests of the last 15 minutes failed.", { n: count(Math.round(failed)) })];
}

/** Is it slow? */
export function speedPart({ state, ms, slow_ms: slow, usual_slow_ms: usual }: Speed): Part {
  if (state === "unknown" || ms === null)
    return { mood: "unsure", short: t("We have no measurements of its speed."), more: [] };
  const time = waiting(ms);
  if (state === "slower")
    return {
      mood: "warn",
      short: t("Yes, slower than usual."),
      more: [t("Half of all answers take longer than {time}.", { time })],
    };
  const more = [t("Half of all answers come within {time}.", { time })];
  if (state === "slower-for-some" && slow !== null && usual !== null)
    return {
      mood: "warn",
      short: t("Yes, for some."),
      more: [
        t("One in twenty answers takes longer than {time}; usually that is {usual}.", {
          time: waiting(slow),
          usual: waiting(usual),
        }),
        ...more,
      ],
    };
  if (state === "faster") return { mood: "good", short: t("No, it is faster than usual."), more };
  if (state === "usual") return { mood: "good", short: t("No, it is as fast as usual."), more };
  const earlier = t("Earlier today, half of all answers came within {time}.", { time });
  return { mood: "unsure", short: t("Too few requests came in the last hour to say."), more: [earlier] };
}

/** What went wrong? */
export function wrongPart({ wrong, open }: Pick<HowItIs, "wrong" | "open">, now: number, zone: string): Part {
  if (wrong.length === 0)
    return {
      mood: "good",
      short: t("Nothing that we know of."),
      more: [t("No errors in the last day, no incidents in the last week.")],
    };
  // Several signs may be of one problem; only people say which ones are several.
  const incidents = wrong.filter((one) => one.kind === "incident" && one.open).length;
  const short = !open
    ? t("No problem is open.")
    : incidents > 1
      ? plural(incidents, "{n} problem is not solved yet.", "{n} problems are not solved yet.", count(incidents))
      : t("There is a problem that is not solved yet.");
  return { mood: open ? "bad" : "unsure", short, more: wrong.map((one) => wrongText(one, now, zone)) };
}

const SIGNS: Readonly<Record<Exclude<Wrong["kind"], "errors">, string>> = {
  incident: text("A problem"),
  alert: text("An automatic check reports a problem"),
  requests: text("Requests fail"),
  slow: text("Answers take longer than usual"),
  silent: text("Nothing is heard of it"),
};

function wrongText(one: Wrong, now: number, zone: string): string {
  const [since, until] = [when(one.since, now, zone), when(one.until, now, zone)];
  if (one.kind === "errors") return errorsText(one, since, until);
  const what = one.text ?? t(SIGNS[one.kind] ?? SIGNS.incident);
  if (one.until !== null) return t("{what}: from {time} to {end}.", { what, time: since, end: until });
  return one.since === null
    ? t("{what}: not solved yet.", { what })
    : t("{what}: since {time}, not solved yet.", { what, time: since });
}

function errorsText({ count: n, different, sudden, until }: Wrong, since: string, end: string): string {
  const errors = plural(n ?? 0, "{n} error in the last day", "{n} errors in the last day", count(n ?? 0));
  const kinds = different !== null && different > 1 ? ` ${t("({n} different ones)", { n: count(different) })}` : "";
  if (!sudden)
    return `${errors}${kinds}. ${t("They came now and then, without a sudden rise; the first at {time}.", { time: since })}`;
  if (until === null)
    return `${errors}${kinds}. ${t("They rose suddenly at {time} and have not stopped.", { time: since })}`;
  return `${errors}${kinds}. ${t("They rose suddenly at {time} and stopped at {end}.", { time: since, end })}`;
}

const DOES: Readonly<Record<Person["what"], string>> = {
  incident: text("{name} works on the problem."),
  alert: text("{name} has taken on what an automatic check reported."),
  errors: text("{name} works on the errors."),
};

/** Who is on it? */
export function peoplePart({ people, open }: Pick<HowItIs, "people" | "open">): Part {
  const names = [...new Set(people.map(({ name }) => name))];
  if (names.length > 0) {
    const all = new Intl.ListFormat(language.value).format(names);
    return {
      mood: "good",
      short: `${all}.`,
      more: people.map(({ name, what }) => t(DOES[what] ?? DOES.errors, { name })),
    };
  }
  return open
    ? { mood: "bad", short: t("Nobody has been named yet."), more: [] }
    : { mood: "good", short: t("Nobody has to be at the moment."), more: [] };
}

/** How was last month? */
export function monthPart({ incidents, down_ms: down, repair_ms: repair }: LastMonth): Part {
  if (incidents === 0 && (down ?? 0) === 0) return { mood: "good", short: t("No incident was recorded."), more: [] };
  const short = plural(incidents, "{n} incident was recorded.", "{n} incidents were recorded.", count(incidents));
  const more =
    down === null
      ? t("How long it did not work was not recorded.")
      : t("It did not work, or not well, for {time} in all.", { time: lasting(down) });
  const repaired = repair === null ? [] : [t("A repair took {time} on average.", { time: lasting(repair) })];
  return { mood: "unsure", short, more: [more, ...repaired] };
}

/** `October 2026`. */
export function monthName(month: string): string {
  const at = Date.parse(`${month}-15T00:00:00Z`);
  return Number.isNaN(at) ? month : written(at, "UTC", { month: "long", year: "numeric" });
}
