// The page for everybody: how a group or service is, in plain words, for people without a key, too, who have a link.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { timeZone, type ApiError } from "../api.ts";
import { askHowItIs, type HowItIs } from "../api/for_everybody.ts";
import { start, stop, type Lane } from "../ask.ts";
import { Failure } from "../explore/waiting.tsx";
import { Button } from "../parts/button.tsx";
import { Status } from "../parts/status.tsx";
import { adopt } from "../parts/style.ts";
import rules from "../style/for_everybody.css?inline";
import { choose, language, LANGUAGES, t } from "../texts.ts";
import { asked, view } from "../view.ts";
import { ShareLinks } from "./for_everybody/share.tsx";
import {
  monthName,
  monthPart,
  peoplePart,
  speedPart,
  upPart,
  when,
  wrongPart,
  type Part,
} from "./for_everybody/words.ts";

adopt(rules);

/** How often the page is brought up to date while somebody looks at it. */
const EVERY_MS = 60_000;

/** The token of a link; it stands after the `#`, so that no server and no other site is told of it. */
function linkToken(): string {
  return new URLSearchParams(location.hash.slice(1)).get("link") ?? "";
}

/** The page. */
export function ForEverybody() {
  const lane = useSignal<Lane<HowItIs>>({ state: "loading", data: null, error: null, since: 0 });
  const shares = useSignal(false);
  const name = view.value.open;
  const zone = timeZone(view.value.zone);
  const token = linkToken();
  const ask = () => void start(lane, (signal) => askHowItIs(name, zone, token, signal));
  useEffect(() => {
    ask();
    const timer = setInterval(() => document.visibilityState === "visible" && ask(), EVERY_MS);
    return () => {
      clearInterval(timer);
      stop(lane);
    };
  }, [name, zone, token, asked.value]);
  const { state, data, error } = lane.value;
  return (
    <main
      class={`page for-everybody${token === "" ? "" : " by-link"}`}
      data-testid="for-everybody"
      aria-busy={state === "loading"}
    >
      <div class="page-head">
        <h1 lang="">{data?.name ?? name}</h1>
        <span class="grow" />
        <Tools data={data} shares={shares.value} onShare={() => (shares.value = !shares.peek())} />
      </div>
      {error !== null && state === "error" && <Trouble error={error} name={name} onAgain={ask} />}
      {data === null && state === "loading" && <Status />}
      {data !== null && shares.value && <ShareLinks name={name} />}
      {data !== null && !isOver(error) && <Answers data={data} zone={zone} />}
    </main>
  );
}

/** Whether what was shown before may not be shown any more. */
function isOver(error: ApiError | null): boolean {
  return error !== null && [401, 403, 404, 410].includes(error.status);
}

function Tools({ data, shares, onShare }: { data: HowItIs | null; shares: boolean; onShare: () => void }) {
  return (
    <div class="for-tools">
      <label>
        <span class="sr-only">{t("Language")}</span>
        <select
          value={language.value}
          data-testid="for-language"
          onChange={(event) => void choose(event.currentTarget.value === "id" ? "id" : "en")}
        >
          {LANGUAGES.map((one) => (
            <option key={one.language} value={one.language} lang={one.language}>
              {one.name}
            </option>
          ))}
        </select>
      </label>
      {data !== null && <Button class="button" label={t("Print")} data-testid="print" onClick={() => print()} />}
      {data?.may_share && (
        <button type="button" class="button" aria-expanded={shares} data-testid="share" onClick={onShare}>
          {t("Share by link")}
        </button>
      )}
    </div>
  );
}

function Trouble({ error, name, onAgain }: { error: ApiError; name: string; onAgain: () => void }) {
  if (error.status === 410)
    return (
      <div class="state" role="alert" data-testid="for-expired">
        <h2>{t("This link has expired or was withdrawn.")}</h2>
        <p>{t("Ask whoever sent it to you for a new one.")}</p>
      </div>
    );
  if (error.status === 404)
    return (
      <div class="state" role="alert" data-testid="for-unknown">
        <h2>{t("Nothing is known of {name}.", { name })}</h2>
        <p>{t("In the last week nothing with this name has reported anything.")}</p>
      </div>
    );
  return (
    <Failure what={t("How it is could not be found out: {message}.", { message: error.message })} onAgain={onAgain} />
  );
}

function Answers({ data, zone }: { data: HowItIs; zone: string }) {
  const now = Date.parse(data.at);
  return (
    <>
      <p class="dim for-at" data-testid="for-at">
        {t("As of {time}", { time: when(data.at, now, zone) })}
      </p>
      {data.partial && (
        <p class="note" role="status" data-testid="for-partial">
          {t("Some of the data could not be read: there may be more errors than are told here.")}
        </p>
      )}
      <Answer id="up" question={t("Is it up?")} part={upPart(data.up, now, zone)} />
      <Answer id="speed" question={t("Is it slow?")} part={speedPart(data.speed)} />
      <Answer id="wrong" question={t("What went wrong?")} part={wrongPart(data, now, zone)} />
      <Answer id="people" question={t("Who is on it?")} part={peoplePart(data)} />
      <Answer
        id="month"
        question={t("How was {month}?", { month: monthName(data.month.month) })}
        part={monthPart(data.month)}
      />
      <p class="dim note">
        {t("Worked out from what the system itself reports, and from what people have recorded about it.")}
      </p>
    </>
  );
}

function Answer({ id, question, part }: { id: string; question: string; part: Part }) {
  return (
    <section class={`for-answer ${part.mood}`} aria-labelledby={`for-${id}`} data-testid={`for-${id}`}>
      <h2 id={`for-${id}`}>{question}</h2>
      <p class="for-short">{part.short}</p>
      {part.more.length === 1 && <p>{part.more[0]}</p>}
      {part.more.length > 1 && (
        <ul>
          {part.more.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
