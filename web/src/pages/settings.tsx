// Who one is, how the page looks in this browser, and for administrators who else may ask and send, what pipelines may be
// worth it, the fleet, and what is wrong with the server.

import { useEffect } from "preact/hooks";

import { Tabs } from "../parts/tabs.tsx";
import { askWho, who } from "../session.ts";
import { rich, t, text } from "../texts.ts";
import { view } from "../view.ts";
import { Fleet } from "./settings/fleet.tsx";
import { Health } from "./settings/health.tsx";
import { Keys } from "./settings/keys.tsx";
import { Looks } from "./settings/looks.tsx";
import { PipelineEditor } from "./settings/pipelines.tsx";
import { Suggestions } from "./settings/suggestions.tsx";
import { Users } from "./settings/users.tsx";
import { You } from "./settings/you.tsx";

const TABS = [
  { tab: "", title: text("General") },
  { tab: "suggestions", title: text("Suggestions") },
  { tab: "pipelines", title: text("Pipelines") },
  { tab: "fleet", title: text("Fleet") },
  { tab: "health", title: text("Health") },
] as const;

/** The page. */
export function Settings() {
  useEffect(() => void askWho(), []);
  const isAdmin = who.value?.role === "admin";
  const shown = TABS.find(({ tab }) => tab === view.value.tab)?.tab ?? "";
  return (
    <main class="page" data-testid="settings-page">
      <div class="page-head">
        <h1>{t("Settings")}</h1>
        <Tabs
          of={TABS.map(({ tab, title }) => ({ tab, title: t(title) }))}
          shown={shown}
          testId={(tab) => `tab-${tab || "general"}`}
        />
      </div>
      {shown === "fleet" && isAdmin ? (
        <Fleet />
      ) : shown === "health" && isAdmin ? (
        <Health />
      ) : shown === "suggestions" && isAdmin ? (
        <Suggestions />
      ) : shown === "pipelines" && isAdmin ? (
        <PipelineEditor />
      ) : (
        <>
          <You />
          {shown === "" && <Looks />}
          {isAdmin ? (
            <>
              <Keys />
              <Users />
            </>
          ) : (
            who.value !== undefined && <NotShown tab={shown} />
          )}
        </>
      )}
    </main>
  );
}

/** What only administrators see, and where else it is. */
function NotShown({ tab }: { tab: (typeof TABS)[number]["tab"] }) {
  return (
    <p class="dim" data-testid="not-shown">
      {tab === "fleet" &&
        rich("The fleet is shown to administrators. On the server, {command} does the same.", {
          command: <code>catat fleet status</code>,
        })}
      {tab === "health" &&
        rich("What is wrong with the server is shown to administrators. On the server, {command} does the same.", {
          command: <code>catat doctor</code>,
        })}
      {tab === "pipelines" &&
        rich("Pipelines are shown to administrators. On the server, {command} tries them.", {
          command: <code>catat check</code>,
        })}
      {tab === "suggestions" &&
        rich("Suggestions are shown to administrators. On the server, {command} does the same.", {
          command: <code>catat suggestions</code>,
        })}
      {tab === "" &&
        rich("Keys and users are shown to administrators. On the server, {keys} and {users} do the same.", {
          keys: <code>catat keys</code>,
          users: <code>catat users</code>,
        })}
    </p>
  );
}
