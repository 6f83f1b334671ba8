// Alerts: what fires, the rules behind it, silences, and whom alerts are told.

import { useEffect } from "preact/hooks";

import { alerts, askAlerts, askChannels, askRules, askSilences, channels, silences } from "../api/alerts.ts";
import { Way } from "../parts/way.tsx";
import { t } from "../texts.ts";
import { view } from "../view.ts";
import { Active } from "./alerts/active.tsx";
import { Channels } from "./alerts/channels.tsx";
import { RuleForm } from "./alerts/rule_form.tsx";
import { Rules } from "./alerts/rules.tsx";
import { Silences } from "./alerts/silences.tsx";

const POLL_MS = 5000;

function ask(): void {
  void askAlerts();
  void askRules();
  void askSilences();
  void askChannels();
}

/** The page. */
export function Alerts() {
  useEffect(() => {
    ask();
    const timer = setInterval(() => document.visibilityState === "visible" && ask(), POLL_MS);
    return () => clearInterval(timer);
  }, []);
  const tab = view.value.tab;
  const tabs = [
    { name: "", title: t("Active"), n: alerts.value.data?.length },
    { name: "silences", title: t("Silences"), n: silences.value.data?.filter((one) => one.status === "active").length },
    { name: "channels", title: t("Channels"), n: channels.value.data?.filter((one) => one.health.failing).length },
  ];
  return (
    <main class="page" data-testid="alerts-page">
      <div class="page-head">
        <h1>{t("Alerts")}</h1>
        <div class="tabs" role="navigation" aria-label={t("Parts of this page")}>
          {tabs.map(({ name, title, n }) => (
            <Way
              key={name}
              to={{ tab: name, open: "" }}
              aria-current={tab === name || (tab === "rule" && name === "") ? "page" : undefined}
              data-testid={`tab-${name || "active"}`}
            >
              {title}
              {n ? <span class="number"> {n}</span> : null}
            </Way>
          ))}
        </div>
      </div>
      {tab === "rule" ? (
        <RuleForm key={view.value.open} />
      ) : tab === "silences" ? (
        <Silences />
      ) : tab === "channels" ? (
        <Channels />
      ) : (
        <>
          <Active />
          <Rules />
        </>
      )}
    </main>
  );
}
