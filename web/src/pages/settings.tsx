// Who one is, how the page looks in this browser, and for administrators who else may ask and send: keys and users.

import { useEffect } from "preact/hooks";

import { askWho, who } from "../session.ts";
import { rich, t } from "../texts.ts";
import { Keys } from "./settings/keys.tsx";
import { Looks } from "./settings/looks.tsx";
import { Users } from "./settings/users.tsx";
import { You } from "./settings/you.tsx";

/** The page. */
export function Settings() {
  useEffect(() => void askWho(), []);
  const now = who.value;
  return (
    <main class="page" data-testid="settings-page">
      <h1>{t("Settings")}</h1>
      <You />
      <Looks />
      {now?.role === "admin" ? (
        <>
          <Keys />
          <Users />
        </>
      ) : (
        now !== undefined && (
          <p class="dim">
            {rich("Keys and users are shown to administrators. On the server, {keys} and {users} do the same.", {
              keys: <code>catat keys</code>,
              users: <code>catat users</code>,
            })}
          </p>
        )
      )}
    </main>
  );
}
