// Who one is, how the page looks in this browser, and for administrators who else may ask and send: keys and users.

import { useEffect } from "preact/hooks";

import { askWho, who } from "../session.ts";
import { t } from "../texts.ts";
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
      {now?.role === "admin" ? <><Keys /><Users /></> : now !== undefined && (
        <p class="dim">Keys and users are shown to administrators. On the server, <code>catat keys</code> and <code>catat users</code> do the same.</p>
      )}
    </main>
  );
}
