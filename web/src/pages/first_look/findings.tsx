// The findings of a first look, best first, each with its time relative to the onset and the way to its events.

import type { Finding, FirstLook } from "../../api/cause.ts";
import { patternText } from "../../explore/panel_parts.tsx";
import { oneLine } from "../../format.ts";
import { Way } from "../../parts/way.tsx";
import { t, text, told } from "../../texts.ts";
import { ago, distance, fullText } from "../../time.ts";
import { view, type View } from "../../view.ts";

const TITLE_CHARS_MAX = 400;

/** What findings, and things that began, are called. */
const KINDS: Readonly<Record<string, string>> = {
  onset: text("onset"),
  "new-pattern": text("new pattern"),
  pattern: text("pattern"),
  jump: text("more frequent"),
  differs: text("differs"),
  restart: text("restart"),
  mark: text("mark"),
  alert: text("alert"),
  silence: text("went silent"),
  clock: text("clock jumped"),
  trace: text("trace"),
  call: text("calls"),
  usual: text("usual"),
};

/** The name of a kind; one that this page does not know by its own name. */
export function kindName(kind: string): string {
  return KINDS[kind] === undefined ? oneLine(kind, 40) : t(KINDS[kind]);
}

/** `36 s before`, `2 min after`: a time as seen from the onset; `5 min ago` where nothing began. */
export function relative(at: string | null, began: string | null): string {
  const [ms, from] = [Date.parse(at ?? ""), Date.parse(began ?? "")];
  if (Number.isNaN(ms)) return "";
  if (Number.isNaN(from)) return ago(ms, Date.now());
  if (Math.abs(ms - from) < 500) return t("at the onset");
  const time = distance(ms - from);
  return ms < from ? t("{time} before the onset", { time }) : t("{time} after the onset", { time });
}

/** The part of an address that leads to this page; `null` for another server's. */
function ownAddress(url: string | null): string | null {
  if (url === null || !URL.canParse(url, document.baseURI)) return null;
  const { pathname, search, hash, origin } = new URL(url, document.baseURI);
  // The server knows itself by one address; people may reach it by another.
  const isShown = /\/(?:traces|map|alerts|issues|incidents|trace)?(?:\/[^/]*)?$/.test(pathname);
  return origin === location.origin || isShown ? new URL(pathname + search + hash, location.href).href : null;
}

/** Time around an instant in which its events are shown. */
const AROUND_MS = 30 * 60_000;

/** The view of a query's events: around an instant, or since the onset, or in the range that the address names. */
export function eventsOfQuery(query: string, at: string | null, began: string | null): Partial<View> {
  const shown: Partial<View> = { page: "explore", panel: "rows", row: "", live: false, query };
  const iso = (ms: number) => new Date(ms).toISOString();
  const [middle, since] = [Date.parse(at ?? ""), Date.parse(began ?? "")];
  if (!Number.isNaN(middle)) return { ...shown, from: iso(middle - AROUND_MS), to: iso(middle + AROUND_MS) };
  return Number.isNaN(since) ? shown : { ...shown, from: iso(since - AROUND_MS), to: "now" };
}

/** The list. */
export function Findings({ data: { findings, onset } }: { data: FirstLook }) {
  return (
    <section aria-labelledby="first-look-findings">
      <h2 id="first-look-findings">{t("Findings")}</h2>
      {findings.length === 0 ? (
        <p class="dim">{t("No single thing explains it.")}</p>
      ) : (
        <ol class="findings first-look-box">
          {findings.map((one, at) => (
            <li
              key={`${at} ${one.title}`}
              class={`finding kind-${one.kind}`}
              data-testid="finding"
              data-kind={one.kind}
            >
              <span class="badge">{kindName(one.kind)}</span>
              <Title finding={one} began={onset.began} />
              <span
                class="dim finding-time"
                title={one.at === null ? "" : fullText(Date.parse(one.at), view.value.zone)}
              >
                {relative(one.at, onset.began)}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Title({ finding: { title, query, url, at }, began }: { finding: Finding; began: string | null }) {
  const shown = patternText(oneLine(told("finding", title), TITLE_CHARS_MAX));
  const address = ownAddress(url);
  return (
    <span class="finding-title" lang="">
      {query !== null ? (
        <Way to={eventsOfQuery(query, at, began)}>{shown}</Way>
      ) : address !== null ? (
        <a href={address}>{shown}</a>
      ) : (
        shown
      )}
    </span>
  );
}
