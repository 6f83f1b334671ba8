// Who the server takes one for, and what can be done about that.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { keyWanted } from "../../api.ts";
import { printable } from "../../format.ts";
import { told } from "../../parts/attempt.tsx";
import { tell } from "../../parts/layers.tsx";
import { Status } from "../../parts/status.tsx";
import { signOut, who, type Who } from "../../session.ts";
import { rich, t } from "../../texts.ts";
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
  const leave = async () => {
    try {
      await signOut();
    } catch (error) {
      tell(told(error));
    }
  };
  return (
    <section aria-label={t("You")} data-testid="you">
      <h2>{t("You")}</h2>
      <Description now={now} />
      {changes && now?.user ? (
        <PasswordForm name={now.name} isOwn onDone={() => setChanges(false)} />
      ) : (
        <p class="buttons">
          {isKnown ? (
            <button type="button" class="button" data-testid="sign-out" onClick={() => void leave()}>
              {now.user ? t("Sign out") : t("Forget the key")}
            </button>
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
          {now?.user && (
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

function Description({ now }: { now: Who | null }) {
  if (now === null) return <p>{t("You are not signed in.")}</p>;
  const where = now.groups.includes("*") ? t("all groups") : now.groups.join(", ");
  const parts = { name: <strong>{printable(now.name)}</strong>, role: <code>{now.role}</code>, where };
  if (now.name === "anonymous")
    return <p>{rich("You are not signed in. Everyone on this machine has the role {role} for {where}.", parts)}</p>;
  return (
    <p>
      {now.user
        ? rich("Signed in as {name}, role {role}, for {where}.", parts)
        : rich("With the key {name}, role {role}, for {where}.", parts)}
    </p>
  );
}
