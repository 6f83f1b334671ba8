// The application: the frame around the pages, and what starts when the page does.

import { effect } from "@preact/signals";
import { render } from "preact";

import { keyWanted, signInProblem } from "./api.ts";
import { followView } from "./ask.ts";
import { Explore } from "./explore/explore.tsx";
import { TimePicker } from "./explore/time_picker.tsx";
import { keepFind } from "./find.ts";
import { showTests } from "./hook.ts";
import { followKeys } from "./keys.ts";
import { Icon, IconButton } from "./parts/icons.tsx";
import { later } from "./parts/later.tsx";
import { layer, Told } from "./parts/layers.tsx";
import { SkipLink } from "./parts/skip_link.tsx";
import { Way } from "./parts/way.tsx";
import { askWho, who } from "./session.ts";
import { beginToSpeak, t, text } from "./texts.ts";
import { nextTheme, theme } from "./theme_choice.ts";
import { rangeLabel } from "./time.ts";
import { followHistory, NO_BOARD, view, type Page } from "./view.ts";
import "./style/base.css";
import "./style/explore.css";
import "./style/rows.css";

const PAGES: readonly { page: Page; title: string }[] = [
  { page: "explore", title: text("Explore") },
  { page: "dashboards", title: text("Dashboards") },
  { page: "traces", title: text("Traces") },
  { page: "map", title: text("Map") },
  { page: "alerts", title: text("Alerts") },
  { page: "issues", title: text("Issues") },
  { page: "incidents", title: text("Incidents") },
  { page: "groups", title: text("Groups") },
  { page: "sources", title: text("Sources") },
  { page: "settings", title: text("Settings") },
  { page: "start", title: text("Send data") },
  { page: "first-look", title: text("First look") },
  { page: "ledger", title: text("Ledger") },
];

/** Pages that another page leads to. */
const UNLISTED: readonly Page[] = ["start", "first-look", "ledger"];

/** Pages that belong to another one in the list. */
const PARENTS: Partial<Record<Page, Page>> = { trace: "traces", "first-look": "alerts", ledger: "incidents" };

// What not everybody opens is no part of the shell.
const Alerts = later(async () => (await import("./pages/alerts.tsx")).Alerts);
const Groups = later(async () => (await import("./pages/groups.tsx")).Groups);
const Sources = later(async () => (await import("./pages/sources.tsx")).Sources);
const Trace = later(async () => (await import("./pages/trace.tsx")).TracePage);
const Traces = later(async () => (await import("./pages/traces.tsx")).Traces);
const ServiceMap = later(async () => (await import("./pages/map.tsx")).ServiceMapPage);
const Start = later(async () => (await import("./pages/start.tsx")).Start);
const Settings = later(async () => (await import("./pages/settings.tsx")).Settings);
const FirstLook = later(async () => (await import("./pages/first_look.tsx")).FirstLookPage);
const Issues = later(async () => (await import("./pages/issues.tsx")).Issues);
const Incidents = later(async () => (await import("./pages/incidents.tsx")).Incidents);
const Ledger = later(async () => (await import("./pages/ledger.tsx")).LedgerPage);
const Dashboards = later(async () => (await import("./pages/dashboards.tsx")).Dashboards);
const AddPanel = later(async () => (await import("./pages/dashboards/add_panel.tsx")).AddPanel);
const MarkDialog = later(async () => (await import("./explore/mark_dialog.tsx")).MarkDialog);
const ForEverybody = later(async () => (await import("./pages/for_everybody.tsx")).ForEverybody);
const Help = later(async () => (await import("./parts/help.tsx")).Help);
// What is typed right after its key must not go to the query.
const Palette = later(async () => (await import("./parts/palette.tsx")).Palette, true);
const Account = later(async () => (await import("./parts/account.tsx")).Account);
const SignIn = later(async () => (await import("./parts/sign_in.tsx")).SignIn);

function Head() {
  const themes = { auto: text("system"), light: text("light"), dark: text("dark") };
  const themeSaid = t("Theme: {theme}", { theme: t(themes[theme.value]) });
  return (
    <header class="top">
      <a class="brand" href={document.baseURI} aria-label={t("catat, start page")}>
        <span class="mark" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
        catat
      </a>
      <nav aria-label={t("Pages")}>
        {PAGES.filter(({ page }) => !UNLISTED.includes(page)).map(({ page, title }) => (
          <Way
            key={page}
            to={{ page, tab: "", open: "", board: NO_BOARD }}
            aria-current={(PARENTS[view.value.page] ?? view.value.page) === page ? "page" : undefined}
            data-testid={`nav-${page}`}
          >
            {t(title)}
          </Way>
        ))}
      </nav>
      <span class="grow" />
      <Account wanted={who.value?.user === true} />
      <span class="tools">
        <button
          type="button"
          class="button quiet"
          aria-label={themeSaid}
          title={themeSaid}
          data-testid="theme"
          onClick={nextTheme}
        >
          <Icon name={theme.value === "auto" ? "auto" : theme.value === "dark" ? "moon" : "sun"} />
        </button>
        <IconButton
          icon="help"
          class="button quiet"
          aria-label={t("Keys and language")}
          title={t("Keys and language (?)")}
          data-testid="help"
          data-layer="help"
          onClick={() => (layer.value = "help")}
        />
      </span>
    </header>
  );
}

/** What an address shows that no page has. */
function Nowhere() {
  return (
    <main class="page">
      <div class="state" data-testid="nowhere">
        <h1>{t("There is no page here")}</h1>
        <p>
          {t("Nothing has the address /{path}. It may be mistyped, or of another version.", { path: view.value.open })}
        </p>
        <Way class="button" to={{ page: "explore", open: "" }} label={t("Go to Explore")} />
      </div>
    </main>
  );
}

function App() {
  const page = view.value.page;
  return (
    <>
      <SkipLink />
      {view.value.board.wall === "" && <Head />}
      {page === "for" ? (
        <ForEverybody />
      ) : page === "alerts" ? (
        <Alerts />
      ) : page === "trace" ? (
        <Trace key={view.value.trace} />
      ) : page === "traces" ? (
        <Traces Time={TimePicker} />
      ) : page === "map" ? (
        <ServiceMap Time={TimePicker} />
      ) : page === "first-look" ? (
        <FirstLook />
      ) : page === "issues" ? (
        <Issues />
      ) : page === "incidents" ? (
        <Incidents />
      ) : page === "ledger" ? (
        <Ledger />
      ) : page === "dashboards" ? (
        <Dashboards Time={TimePicker} />
      ) : page === "groups" ? (
        <Groups />
      ) : page === "sources" ? (
        <Sources />
      ) : page === "settings" ? (
        <Settings />
      ) : page === "start" ? (
        <Start />
      ) : page === "nowhere" ? (
        <Nowhere />
      ) : (
        <Explore />
      )}
      <Help wanted={layer.value === "help"} />
      <MarkDialog wanted={layer.value === "mark"} />
      <AddPanel wanted={layer.value === "add-panel"} />
      <Palette wanted={layer.value === "palette"} />
      <SignIn wanted={keyWanted.value !== null} />
      <Told />
    </>
  );
}

/** The title tells tabs apart: what is asked, and about when. */
function followTitle(): void {
  effect(() => {
    const now = view.value;
    const what =
      now.query.replaceAll(/\s+/g, " ").trim() || (now.groups.length > 0 ? now.groups.join(", ") : t("all events"));
    const short = what.length > 50 ? `${what.slice(0, 49)}…` : what;
    const when = now.live ? t("live") : rangeLabel(now, now.zone);
    document.title =
      now.page === "explore"
        ? `${short} · ${when} – catat`
        : now.page === "for"
          ? `${now.open} – catat`
          : now.page === "nowhere"
            ? "catat"
            : `${t(PAGES.find(({ page }) => page === now.page)?.title ?? text("Trace"))} – catat`;
  });
}

/** Removes the problem of a failed sign-in from the address that the server redirected to, and shows it. */
function takeProblem(): void {
  const url = new URL(location.href);
  signInProblem.value = url.searchParams.get("sign_in_problem") ?? "";
  if (signInProblem.value === "") return;
  url.searchParams.delete("sign_in_problem");
  history.replaceState(history.state, "", url);
  keyWanted.value = "";
}

takeProblem();
followHistory();
followTitle();
followKeys();
keepFind();
followView();
void askWho();
showTests();
const root = document.getElementById("app");
await beginToSpeak();
if (root) render(<App />, root);
