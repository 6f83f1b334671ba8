//! Rules and alerts as the API and the page list them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value as Json, json};
use types::{Timestamp, format_duration_ns};

use super::{RuleEngine, annotations_of};
use crate::channel_state::DeliveredAlert;
use crate::evaluate::State;
use crate::silence::groups_of;
use crate::state::{Acknowledgement, AlertState, RuleState};
use crate::{MissingPolicy, PrometheusForm, Rule};

/// A rule, for the API and the page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleView {
    /// Its name.
    pub name: String,
    /// What it looks for.
    pub kind: &'static str,
    /// The keys that its kind has and others have not.
    #[serde(flatten)]
    pub keys: serde_json::Map<String, Json>,
    /// Its query.
    pub query: String,
    /// The language of the query.
    pub language: &'static str,
    /// Groups that it looks at.
    pub groups: Vec<String>,
    /// How far back it looks.
    pub window: String,
    /// How often.
    pub interval: String,
    /// Its condition.
    pub condition: Option<String>,
    /// How long the condition must hold.
    #[serde(rename = "for")]
    pub for_: String,
    /// How long an alert stays on.
    pub keep_firing_for: String,
    /// What missing data means.
    pub missing: Option<&'static str>,
    /// M of N.
    pub datapoints: Json,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations, as templates.
    pub annotations: BTreeMap<String, String>,
    /// Its topics.
    pub topics: Vec<String>,
    /// Whether channels are notified.
    pub notify: bool,
    /// Whether it is evaluated.
    pub enabled: bool,
    /// Where it is written; empty where it was made through the API.
    pub file: String,
    /// Who made it through the API.
    pub made_by: Option<String>,
    /// `ok`, `pending`, `alarm` or `insufficient_data`: the worst of its label sets.
    pub state: &'static str,
    /// Why.
    pub why: String,
    /// When it was evaluated last.
    pub last_evaluation: Option<String>,
    /// Why the last evaluation gave nothing, if it did not.
    pub last_error: Option<String>,
    /// How many label sets fire.
    pub n_firing: usize,
    /// What it has in Prometheus' form.
    #[serde(skip)]
    pub prometheus: Option<PrometheusForm>,
}

/// An alert, for the API and the page: a label set that is not well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertView {
    /// Identity of rule and labels.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// `pending`, `alarm` or `insufficient_data`.
    pub state: &'static str,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The value at the last evaluation that had one.
    pub value: Option<Json>,
    /// The window that the value is of.
    pub window: String,
    /// Since when it is in this state.
    pub since: String,
    /// When its events began to come, where a first look found that.
    pub began: Option<String>,
    /// The id of the first alert of the same failure: its own, if there is no earlier one.
    pub failure: String,
    /// Traces of its events.
    #[serde(skip)]
    pub traces: Vec<String>,
    /// Since when the condition has held, as far as it is known.
    #[serde(skip)]
    pub active_at: Timestamp,
    /// Since when the condition has not held, while the alert is kept on.
    pub quiet_since: Option<String>,
    /// Where the page shows its events.
    pub url: String,
    /// Ids of the silences that hold for it.
    pub silenced_by: Vec<String>,
    /// Who has taken it on, and when.
    pub acknowledged: Option<Acknowledgement>,
    /// Channels that know of it.
    pub notified: Vec<DeliveryView>,
    /// What was found when it began, as notifications say it: the pattern of its lines, how many came from where, the first
    /// and the newest of them.
    pub pattern: Option<Json>,
    /// See `pattern`.
    pub counts: Option<Json>,
    /// See `pattern`.
    pub first: Option<Json>,
    /// See `pattern`.
    pub last: Option<Json>,
}

/// The delivery of an alert to a channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeliveryView {
    /// The channel.
    pub channel: String,
    /// When it was delivered last; nothing while it waits.
    pub delivered_at: Option<String>,
}

impl RuleEngine {
    /// Returns all rules.
    pub(crate) fn rule_views(&self) -> Vec<RuleView> {
        let inner = self.locked();
        let empty = RuleState::default();
        let state_of = |rule: &Rule| inner.kept.rules.get(&rule.name).unwrap_or(&empty);
        inner.active.rules.iter().map(|rule| self.rule_view(rule, state_of(rule))).collect()
    }

    fn rule_view(&self, rule: &Rule, state: &RuleState) -> RuleView {
        let worst = state.sets.values().map(|set| set.state).max().unwrap_or(State::Ok);
        let worst = if state.evaluated_at.is_none() { State::InsufficientData } else { worst };
        let why = match (rule.enabled, state.evaluated_at) {
            (false, _) => "disabled".to_string(),
            (true, None) => "not evaluated yet".to_string(),
            (true, Some(_)) => state.why.clone(),
        };
        RuleView {
            name: rule.name.clone(),
            kind: rule.kind.name(),
            keys: rule.kind.shown(),
            query: rule.query.trim().to_string(),
            language: rule.language.name(),
            groups: rule.groups.iter().map(|group| group.as_str().to_string()).collect(),
            window: format_duration_ns(rule.window_ns),
            interval: format_duration_ns(rule.interval_ns.unwrap_or(self.interval_ns)),
            condition: rule.condition.clone(),
            for_: format_duration_ns(rule.for_ns),
            keep_firing_for: format_duration_ns(rule.keep_firing_for_ns),
            missing: rule.missing.map(MissingPolicy::name),
            datapoints: json!({"to_alarm": rule.datapoints.to_alarm, "of": rule.datapoints.of}),
            labels: rule.labels.clone(),
            annotations: rule.annotations.clone(),
            topics: rule.topics.clone(),
            notify: rule.notify,
            enabled: rule.enabled,
            file: rule.file.clone(),
            made_by: rule.maker.clone(),
            state: worst.name(),
            why,
            last_evaluation: state.evaluated_at.map(|at| Timestamp(at).to_string()),
            last_error: state.error.clone(),
            n_firing: state.sets.values().filter(|set| set.state == State::Alarm).count(),
            prometheus: rule.prometheus.clone(),
        }
    }

    /// Returns all label sets that are not well, the worst first.
    pub(crate) fn alert_views(&self, now: Timestamp) -> Vec<AlertView> {
        let (kept, active, silences) = {
            let inner = self.locked();
            (inner.kept.clone(), inner.active.clone(), inner.silences.clone())
        };
        let mut views = Vec::new();
        for rule in &active.rules {
            let Some(state) = kept.rules.get(&rule.name) else { continue };
            let evaluated_at = Timestamp(state.evaluated_at.unwrap_or_default());
            let url = self.url_of(rule, evaluated_at);
            let groups = groups_of(rule);
            let unwell = state.sets.iter().filter(|(_, set)| set.state != State::Ok);
            views.extend(unwell.map(|(key, set)| {
                let holding = silences.iter().filter(|silence| silence.holds(&groups, &set.labels, now));
                let fired = kept.fired.get(key);
                let found = |name: &str| fired?.body.get(name).filter(|found| !found.is_null()).cloned();
                let url = match found("url").as_ref().and_then(Json::as_str) {
                    Some(known) if set.state == State::Alarm => super::links::until(known, evaluated_at),
                    _ => url.clone(),
                };
                let view = AlertView {
                    id: id_of(key),
                    rule: rule.name.clone(),
                    state: set.state.name(),
                    labels: set.labels.clone(),
                    annotations: annotations_of(rule, set, &[], &url),
                    value: set.value.clone(),
                    window: format_duration_ns(rule.window_ns),
                    since: Timestamp(set.since).to_string(),
                    began: found("first_look").and_then(|look| Some(look["began"].as_str()?.to_owned())),
                    failure: id_of(key),
                    traces: fired.map(|fired| fired.traces.clone()).unwrap_or_default(),
                    active_at: Timestamp(set.active_since()),
                    quiet_since: set.quiet_since.map(|since| Timestamp(since).to_string()),
                    url,
                    silenced_by: holding.map(|silence| silence.kept.id.clone()).collect(),
                    acknowledged: fired.and_then(|fired| fired.acknowledged.clone()),
                    notified: delivered(&kept, key),
                    pattern: found("pattern"),
                    counts: found("counts"),
                    first: found("first"),
                    last: found("last"),
                };
                (set.state, set.since, view)
            }));
        }
        views.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.cmp(&a.1)));
        views.into_iter().map(|(_, _, view)| view).collect()
    }
}

/// Returns the id under which an alert is shown.
pub(super) fn id_of(key: &str) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(key.as_bytes()))
}

fn delivered(kept: &AlertState, key: &str) -> Vec<DeliveryView> {
    let told =
        kept.channels.iter().filter_map(|(channel, channel_state)| Some((channel, channel_state.told.get(key)?)));
    let view = |(channel, told): (&String, &DeliveredAlert)| DeliveryView {
        channel: channel.clone(),
        delivered_at: told.delivered_at.map(|at| Timestamp(at).to_string()),
    };
    told.map(view).collect()
}
