//! One rule, checked, and the error of one that is wrong.

use crate::{Kind, Language};
use serde::Deserialize;
use std::collections::BTreeMap;
use types::{GroupPattern, GroupScope, TimeRange, Timestamp};

/// A rule, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, unique; every alert has it as the label `alertname`.
    pub name: String,
    /// What it looks for.
    pub kind: Kind,
    /// The query; empty where the kind has none.
    pub query: String,
    /// The language that it is written in.
    pub language: Language,
    /// Which log groups it looks at.
    pub groups: Vec<GroupPattern>,
    /// How far back it looks.
    pub window_ns: i64,
    /// How often it is evaluated; `None` for the usual interval.
    pub interval_ns: Option<i64>,
    /// An expression over a row of the result.
    pub condition: Option<String>,
    /// How long the condition must hold.
    pub for_ns: i64,
    /// How long the alert stays on after the condition last held.
    pub keep_firing_for_ns: i64,
    /// What a missing label set means; `None` for `ok` of counts and `insufficient` of the rest.
    pub missing: Option<MissingPolicy>,
    /// M of N.
    pub datapoints: Datapoints,
    /// Labels of every alert.
    pub labels: BTreeMap<String, String>,
    /// Templates for people.
    pub annotations: BTreeMap<String, String>,
    /// What its alerts are about; channels subscribe.
    pub topics: Vec<String>,
    /// Whether channels receive its alerts; else only the page and rules of kind composite see them.
    pub notify: bool,
    /// Whether it is evaluated.
    pub enabled: bool,
    /// The file that it comes from; empty of one that was made through the API.
    pub file: String,
    /// Who made it through the API.
    pub maker: Option<String>,
    /// The groups that exist for its author: it sees no others, whatever it names.
    pub scope: GroupScope,
    /// What it has in Prometheus' form.
    pub prometheus: Option<PrometheusForm>,
}

/// What only rules in Prometheus' form have. Their labels and annotations are templates of Go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrometheusForm {
    /// The label `alertname`, or the metric that is recorded. Several rules may have the same.
    pub alert: String,
    /// The name of its group.
    pub group: String,
    /// Most alerts, or series that are recorded; 0 for no limit.
    pub limit: usize,
    /// How long before the evaluation lies the instant that the query is about.
    pub query_offset_ns: i64,
}

impl Rule {
    /// Reports whether the rule is visible within `scope`.
    pub(crate) fn is_within(&self, scope: &GroupScope) -> bool {
        let is_any = !self.groups.is_empty();
        scope.is_everything() || is_any && self.groups.iter().all(|group| scope.admits(group.as_str()))
    }

    /// Returns the label `alertname` of its alerts.
    pub(crate) fn alertname(&self) -> &str {
        self.prometheus.as_ref().map_or(&self.name, |form| &form.alert)
    }

    /// Reports whether alerts have a label from the rule, whatever their events say.
    pub(crate) fn gives_label(&self, name: &str) -> bool {
        name == "alertname" || self.labels.contains_key(name)
    }

    /// Stands for what the rule asks: as long as it is the same, its label sets mean the same. How long, how often and
    /// the receivers are not part of it.
    pub(crate) fn meaning(&self) -> u64 {
        let groups: Vec<&str> = self.groups.iter().map(GroupPattern::as_str).collect();
        // As these two were called when the first states were kept.
        let language = match self.language {
            Language::Logql => "LogQl".to_owned(),
            Language::Promql => "PromQl".to_owned(),
            other => format!("{other:?}"),
        };
        // An alarm that is changed stays in its state, as at Amazon.
        let kind = if matches!(self.kind, Kind::Alarm(_)) { Default::default() } else { self.kind.shown() };
        let groups = if matches!(self.kind, Kind::Alarm(_)) { Vec::new() } else { groups };
        let mut asked = serde_json::json!([self.query, language, groups, self.condition, self.labels, kind]);
        if let (Some(form), Some(asked)) = (&self.prometheus, asked.as_array_mut()) {
            asked.push(form.alert.as_str().into());
        }
        xxhash_rust::xxh3::xxh3_64(asked.to_string().as_bytes())
    }
}

types::named! {
    /// What it means when a label set is not in the result.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum MissingPolicy {
        /// All is well.
        Ok = "ok",
        /// That is the alarm.
        Alarm = "alarm",
        /// The state stays as it is.
        Keep = "keep",
        /// The state is `insufficient_data`.
        Insufficient = "insufficient",
    }
}

/// So many of the last so many evaluations must fulfil the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Datapoints {
    /// M.
    pub to_alarm: u8,
    /// N.
    pub of: u8,
}

/// What is wrong with a rule file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", place(*.line, *.column))]
pub struct RuleError {
    /// The file.
    pub file: String,
    /// Line from 1, if there is one.
    pub line: Option<u64>,
    /// Column from 1, if there is one.
    pub column: Option<u64>,
    /// What is wrong.
    pub message: String,
}

pub(crate) fn place(line: Option<u64>, column: Option<u64>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(":{line}:{column}"),
        (Some(line), None) => format!(":{line}"),
        _ => String::new(),
    }
}

pub(crate) fn window_of(rule: &Rule, now: Timestamp) -> TimeRange {
    TimeRange { from: Timestamp(now.0.saturating_sub(rule.window_ns)), to: Timestamp(now.0.saturating_add(1)) }
}
