// Links to the page for everybody: made, listed, withdrawn.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { timeZone } from "../../api.ts";
import { askLinks, makeLink, withdrawLink, type SharedLink } from "../../api/for_everybody.ts";
import { told, Wrong } from "../../parts/attempt.tsx";
import { Button } from "../../parts/button.tsx";
import { copy } from "../../parts/layers.tsx";
import { Options } from "../../parts/options.tsx";
import { t, text } from "../../texts.ts";
import { view } from "../../view.ts";
import { when } from "./words.ts";

const LENGTHS: readonly { lasts: string; name: string }[] = [
  { lasts: "1d", name: text("one day") },
  { lasts: "7d", name: text("one week") },
  { lasts: "30d", name: text("one month") },
];

/** The form of a link, and the links that are there. */
export function ShareLinks({ name }: { name: string }) {
  const lasts = useSignal("7d");
  const made = useSignal("");
  const problem = useSignal("");
  const links = useSignal<SharedLink[]>([]);
  const busy = useSignal(false);
  const zone = timeZone(view.value.zone);
  const attempt = async (work: () => Promise<void>) => {
    busy.value = true;
    try {
      await work();
      links.value = await askLinks(name);
      problem.value = "";
    } catch (error) {
      problem.value = told(error);
    }
    busy.value = false;
  };
  useEffect(() => void attempt(async () => {}), [name]);
  const make = () =>
    attempt(async () => {
      const { token } = await makeLink(name, lasts.peek());
      made.value = `${new URL(`for/${encodeURIComponent(name)}`, document.baseURI).href}#link=${token}`;
    });
  const withdraw = (id: string) => () =>
    attempt(async () => {
      await withdrawLink(name, id);
      made.value = "";
    });
  return (
    <section class="for-share" aria-labelledby="for-share-title" data-testid="share-links">
      <h2 id="for-share-title">{t("Share this page by a link")}</h2>
      <p class="dim">
        {t("Whoever has the link sees this page without signing in, and nothing else, until the link expires.")}
      </p>
      <p class="for-form">
        <label>
          {t("It lasts")}{" "}
          <select
            value={lasts.value}
            data-testid="lasts"
            onChange={(event) => (lasts.value = event.currentTarget.value)}
          >
            <Options of={LENGTHS.map((one) => [one.lasts, t(one.name)])} />
          </select>
        </label>
        <Button class="button" label={t("Make a link")} disabled={busy.value} data-testid="make-link" onClick={make} />
      </p>
      {made.value !== "" && (
        <p class="for-form">
          <input
            readOnly
            value={made.value}
            aria-label={t("The link")}
            data-testid="made-link"
            onFocus={(event) => event.currentTarget.select()}
          />
          <Button class="button" label={t("Copy")} onClick={() => void copy(made.peek(), t("Link"))} />
        </p>
      )}
      <Wrong text={problem.value} />
      {links.value.length > 0 && (
        <ul data-testid="links">
          {links.value.map(({ id, by, expires }) => (
            <li key={id}>
              <span>{t("Made by {name}, expires at {time}", { name: by, time: when(expires, Date.now(), zone) })}</span>{" "}
              <Button label={t("Withdraw")} disabled={busy.value} data-testid="withdraw" onClick={withdraw(id)} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
