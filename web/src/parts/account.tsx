// Who is signed in, in the frame: name, role, and the way out.

import { printable } from "../format.ts";
import { signOut, who, type Who } from "../session.ts";
import { rich, t } from "../texts.ts";
import { told } from "./attempt.tsx";
import { Menu, tell } from "./layers.tsx";

/** Says as whom, with which role and for which groups somebody is here. */
export function Description({ now }: { now: Who }) {
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

/** Ends the session or forgets the key. A proxy that signs people in signs them out. */
export function SignOut({ now, testId }: { now: Who; testId: string }) {
  if (now.signIn === "proxy") return <span class="dim">{t("A proxy has signed you in: sign out there.")}</span>;
  const leave = async () => {
    try {
      await signOut();
    } catch (error) {
      tell(told(error));
    }
  };
  return (
    <button type="button" class="button" data-testid={testId} onClick={() => void leave()}>
      {now.user ? t("Sign out") : t("Forget the key")}
    </button>
  );
}

/** The button with the user's name, and what it opens. */
export function Account() {
  const now = who.value;
  if (!now?.user) return null;
  const name = printable(now.name);
  return (
    <Menu
      name="account"
      class="account"
      label={t("Signed in as {name}", { name })}
      button={<span>{name}</span>}
      testId="account"
      align="right"
    >
      <Description now={now} />
      <p class="buttons">
        <SignOut now={now} testId="account-sign-out" />
      </p>
    </Menu>
  );
}
