// Alerts: what fires, the rules behind it, silences, and whom alerts are told.

import { alerts, askAlerts, askChannels, askRules, askSilences, channels, rules, silences } from "../api/alerts.ts";
import { Tabs } from "../parts/tabs.tsx";
import { usePoll } from "../parts/use_lane.ts";
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
  usePoll(ask, POLL_MS);
  const tab = view.value.tab;
  const tabs = [
    { tab: "", title: t("Active"), n: alerts.value.data?.length },
    { tab: "rules", title: t("Rules"), n: rules.value.data?.filter((one) => one.last_error !== null).length },
    { tab: "silences", title: t("Silences"), n: silences.value.data?.filter((one) => one.status === "active").length },
    { tab: "channels", title: t("Channels"), n: channels.value.data?.filter((one) => one.health.failing).length },
  ];
  return (
    <main class="page" data-testid="alerts-page">
      <div class="page-head">
        <h1>{t("Alerts")}</h1>
        <Tabs of={tabs} shown={tab === "rule" ? "rules" : tab} testId={(tab) => `tab-${tab || "active"}`} />
      </div>
      {tab === "rule" ? (
        <RuleForm key={view.value.open} />
      ) : tab === "silences" ? (
        <Silences />
      ) : tab === "channels" ? (
        <Channels />
      ) : tab === "rules" ? (
        <Rules />
      ) : (
        <Active />
      )}
    </main>
  );
}
