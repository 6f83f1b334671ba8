// Who the server takes one for, and what can be done about that.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { keyWanted } from "../../api.ts";
import { Description, SignOut } from "../../parts/account.tsx";
import { Status } from "../../parts/status.tsx";
import { who } from "../../session.ts";
import { t } from "../../texts.ts";
import { PasswordForm } from "./password.tsx";

/** The section. */
export function You() {
  const now = who.value;
  const [changes, setChanges] = useState(false);
  const opened = useRef(false);
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    // The form goes: the focus returns to what opened it.
    if (opened.current && !changes) button.current?.focus();
    opened.current = changes;
  }, [changes]);
  if (now === undefined) return <Status text={t("Loading your account…")} />;
  const isKnown = now !== null && now.name !== "anonymous";
  return (
    <section aria-label={t("You")} data-testid="you">
      <h2>{t("You")}</h2>
      {now === null ? <p>{t("You are not signed in.")}</p> : <Description now={now} />}
      {changes && now?.signIn === "password" ? (
        <PasswordForm name={now.name} isOwn onDone={() => setChanges(false)} />
      ) : (
        <p class="buttons">
          {isKnown ? (
            <SignOut now={now} testId="sign-out" />
          ) : (
            <button
              type="button"
              class="button primary"
              data-testid="sign-in-open"
              onClick={() => (keyWanted.value = "")}
            >
              {t("Sign in")}
            </button>
          )}
          {now?.signIn === "password" && (
            <button
              ref={button}
              type="button"
              class="button"
              data-testid="change-password"
              onClick={() => setChanges(true)}
            >
              {t("Change password")}
            </button>
          )}
        </p>
      )}
    </section>
  );
}
