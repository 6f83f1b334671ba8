//! Rules in Prometheus' form: `alert` or `record`, `expr`, and templates of Go.
//!
//! A file of Prometheus is read as it is. Keys that only catat has (`topics`, `notify`, `enabled`, `missing`, `datapoints`, `groups`,
//! `interval`) may be among the others; those that ask in another way (`query`, `condition`, `window`, `kind`) may not.

use std::collections::{BTreeMap, BTreeSet};

use gotemplate::Template;
use plan::QueryErrors;
use serde_saphyr::{Location, Spanned};
use types::{GroupScope, Timestamp};

use crate::language::series_query;
use crate::recorder::RecordingRule;
use crate::rule::PrometheusForm;
use crate::rules::reader::{GroupText, Reader, RuleText, WINDOW_NS_DEFAULT, groups_of};
use crate::{Kind, Language, Rule};

/// A year, which Prometheus' durations have and ours do not.
const YEAR_NS: i64 = 365 * Timestamp::DAY;

/// What a group says for all of its rules.
pub(super) struct GroupSettings {
    pub(super) interval_ns: Option<i64>,
    name: String,
    query_offset_ns: i64,
    limit: usize,
    labels: BTreeMap<String, String>,
}

impl GroupSettings {
    /// Reads what a group says; `names` are those of the groups before it in its file.
    pub(super) fn read(reader: &mut Reader<'_>, group: &GroupText, names: &mut BTreeSet<String>) -> Self {
        let interval_ns = group.interval.as_ref().and_then(|text| reader.interval("interval", text));
        let is_prometheus = group.rules.iter().any(|rule| rule.expr.is_some());
        let keys = [
            ("query_offset", group.query_offset.as_ref().map(|text| text.referenced)),
            ("limit", group.limit.as_ref().map(|limit| limit.referenced)),
            ("labels", group.labels.as_ref().map(|labels| labels.referenced)),
        ];
        for (key, place) in keys.into_iter().filter(|_| !is_prometheus) {
            if let Some(place) = place {
                reader.error(place, format!("{key}: is for rules with expr:, and the group has none"));
            }
        }
        if !names.insert(group.name.value.clone()) && is_prometheus {
            reader.error(group.name.referenced, format!("group \"{}\" is there twice", group.name.value));
        }
        let offset = group.query_offset.as_ref().and_then(|text| reader.length("query_offset", text));
        let labels = group.labels.as_ref().map(|labels| labels.value.clone()).unwrap_or_default();
        check_label_names(reader, &labels, group.name.referenced);
        Self {
            interval_ns,
            name: group.name.value.clone(),
            query_offset_ns: offset.unwrap_or(0),
            limit: group.limit.as_ref().map_or(0, |limit| limit.value),
            labels,
        }
    }

    fn form(&self, alert: &str) -> PrometheusForm {
        let (group, limit, query_offset_ns) = (self.name.clone(), self.limit, self.query_offset_ns);
        PrometheusForm { alert: alert.to_owned(), group, limit, query_offset_ns }
    }

    /// Returns the labels of a rule; they take precedence over those of its group.
    fn labels(&self, own: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut labels = self.labels.clone();
        labels.extend(own);
        labels
    }
}

impl RuleText {
    /// Reports whether the rule asks in PromQL.
    pub(super) fn is_series(&self) -> bool {
        self.expr.is_some() || self.language.as_ref().is_some_and(|language| language.value == Language::PromQl.name())
    }
}

impl Reader<'_> {
    /// Reads an alerting rule with `expr`.
    pub(super) fn prometheus_alert(&mut self, text: RuleText, group: &GroupSettings) -> Option<Rule> {
        let n_errors = self.errors.len();
        let expr = text.expr.as_ref()?;
        let place = expr.referenced;
        if let Some(name) = &text.name {
            let message = "name: a rule with expr: is named by alert: or record:; with name: it asks by query:";
            self.error(name.referenced, message.to_owned());
            return None;
        }
        let Some(alert) = &text.alert else {
            self.error(place, "a rule with expr has an alert or a record".to_owned());
            return None;
        };
        if alert.value.is_empty() {
            self.error(alert.referenced, "alert: the name is empty".to_owned());
        }
        for (name, template) in &group.labels(text.labels.clone()) {
            self.template("labels", name, template, place);
        }
        for (name, template) in &text.annotations {
            self.template("annotations", name, &template.value, template.referenced);
        }
        let rule = self.series_rule(self.free_name(&alert.value), &alert.value.clone(), text, group)?;
        self.names.insert(rule.name.clone());
        (self.errors.len() == n_errors).then_some(rule)
    }

    /// Returns a name for the state of an alert: several rules of Prometheus may be about the same alert.
    fn free_name(&self, alert: &str) -> String {
        let numbered = (2..).map(|n| format!("{alert} ({n})"));
        let mut names = std::iter::once(alert.to_owned()).chain(numbered);
        names.find(|name| !self.names.contains(name)).unwrap_or_default()
    }

    /// Reads a recording rule in PromQL: with `expr`, or with `query` and `language`.
    pub(super) fn series_recording(&mut self, mut text: RuleText, group: &GroupSettings) -> Option<RecordingRule> {
        let n_errors = self.errors.len();
        let record = text.record.take()?;
        let at = record.referenced;
        if text.name.is_some() || text.alert.is_some() {
            self.error(at, "a rule has either a name, an alert or a record".to_owned());
        }
        self.refuse_keys_of_alerts(&text, at);
        if !is_metric_name(&record.value) {
            self.error(at, format!("record: \"{}\" is not a metric name", record.value));
        }
        if text.expr.is_none() {
            text.expr = text.query.take();
            text.language = None;
        }
        let rule = self.series_rule(record.value.clone(), &record.value, text, group)?;
        (self.errors.len() == n_errors).then_some(RecordingRule { rule })
    }

    fn series_rule(&mut self, name: String, alert: &str, mut text: RuleText, group: &GroupSettings) -> Option<Rule> {
        let expr = text.expr.take()?;
        let place = expr.referenced;
        if text.language.as_ref().is_some_and(|language| language.value != Language::PromQl.name()) {
            self.error(place, "expr: is PromQL; write query: in another language".to_owned());
        }
        let others = [
            ("query", text.query.is_some()),
            ("condition", text.condition.is_some()),
            ("window", text.window.is_some()),
            ("kind", text.kind.is_some()),
        ];
        for (key, _) in others.iter().filter(|(_, is_set)| *is_set) {
            self.error(place, format!("{key}: a rule with expr has no such key"));
        }
        // The remaining keys of other kinds are refused with the reason that they have there.
        let places = text.places(place);
        let mut kind = text.take_kind();
        kind.kind = None;
        let kind = self.kind(kind, WINDOW_NS_DEFAULT, &crate::kind::KeyLocations { query: Some(place), ..places });
        if let Err(errors) = series_query(&expr.value) {
            self.query_errors(place, &errors);
        }
        let labels = group.labels(std::mem::take(&mut text.labels));
        check_label_names(self, &labels, place);
        let length = |reader: &mut Self, key: &str, text: &Option<Spanned<String>>| {
            text.as_ref().and_then(|text| reader.length(key, text)).unwrap_or(0)
        };
        let interval_ns = text.interval.as_ref().and_then(|text| self.interval("interval", text));
        Some(Rule {
            name,
            kind: kind.unwrap_or(Kind::Threshold),
            query: expr.value,
            language: Language::PromQl,
            groups: groups_of(text.groups, Language::PromQl),
            window_ns: WINDOW_NS_DEFAULT,
            interval_ns: interval_ns.or(group.interval_ns),
            condition: None,
            for_ns: length(self, "for", &text.for_),
            keep_firing_for_ns: length(self, "keep_firing_for", &text.keep_firing_for),
            missing: text.missing,
            datapoints: self.datapoints(text.datapoints),
            labels,
            annotations: text.annotations.into_iter().map(|(name, text)| (name, text.value)).collect(),
            topics: text.topics,
            notify: text.notify.unwrap_or(true),
            enabled: text.enabled.unwrap_or(true),
            file: self.file.into(),
            maker: None,
            scope: GroupScope::All,
            prometheus: Some(group.form(alert)),
        })
    }

    fn query_errors(&mut self, place: Location, errors: &QueryErrors) {
        self.error(place, format!("expr: {errors}"));
    }

    fn template(&mut self, key: &str, name: &str, text: &str, place: Location) {
        if let Err(error) = Template::parse(text) {
            self.error(place, format!("{key}: {name}: {error}"));
        }
    }

    /// Reads a duration as Prometheus writes them.
    fn length(&mut self, key: &str, text: &Spanned<String>) -> Option<i64> {
        if text.value == "0" {
            return Some(0);
        }
        let (years, rest) = match text.value.split_once('y') {
            Some((years, rest)) => (years.parse::<i64>().ok(), rest),
            None => (Some(0), text.value.as_str()),
        };
        let years_ns = years.and_then(|years| years.checked_mul(YEAR_NS));
        let rest_ns = if rest.is_empty() { Ok(0) } else { types::parse_duration_ns(rest) };
        match (years_ns, rest_ns) {
            (Some(years_ns), Ok(rest_ns)) if !text.value.is_empty() && rest_ns >= 0 => {
                Some(years_ns.saturating_add(rest_ns))
            }
            _ => {
                self.error(text.referenced, format!("{key}: \"{}\" is no duration such as 5m", text.value));
                None
            }
        }
    }
}

fn check_label_names(reader: &mut Reader<'_>, labels: &BTreeMap<String, String>, place: Location) {
    let is_wrong = |name: &&String| name.is_empty() || name.as_str() == promql::METRIC_NAME;
    for name in labels.keys().filter(is_wrong) {
        reader.error(place, format!("labels: \"{name}\" is not a label name"));
    }
}

/// Reports whether a text may name a metric: any text without braces, as Prometheus 3 has it.
fn is_metric_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['{', '}']) && !name.chars().any(char::is_control)
}
