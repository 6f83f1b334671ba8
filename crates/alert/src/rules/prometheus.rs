//! Rules in Prometheus' form: `alert` or `record`, `expr`, and templates of Go.
//!
//! A file of Prometheus is read as it is. Keys that only catat has (`topics`, `notify`, `enabled`, `missing`, `datapoints`, `groups`,
//! `interval`) may be among the others; those that ask in another way (`query`, `condition`, `window`, `kind`) may not.

use plan::QueryErrors;
use serde_saphyr::{Location, Spanned};
use types::GroupScope;

use crate::language::series_query;
use crate::recorder::RecordingRule;
use crate::rules::file_text::{KeyLocations, RuleText};
use crate::rules::group::GroupSettings;
use crate::rules::reader::{Reader, WINDOW_NS_DEFAULT, groups_of};
use crate::{Kind, Language, Rule};

impl RuleText {
    /// Reports whether the rule asks in PromQL.
    pub(super) fn is_series(&self) -> bool {
        self.expr.is_some() || self.language.as_ref().is_some_and(|language| language.value == Language::Promql.name())
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
        self.check_templates("labels", &text.labels);
        self.check_templates("annotations", &text.annotations);
        if let Some((_, unnamed)) = text.annotations.iter().find(|(name, _)| name.is_empty()) {
            self.error(unnamed.referenced, "annotations: the name is empty".to_owned());
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
        // A length of zero is none, as in Prometheus.
        for length in [&mut text.for_, &mut text.keep_firing_for] {
            length.take_if(|length| promql::duration(&length.value) == Ok(0));
        }
        self.refuse_keys_of_alerts(&text, at);
        (text.for_, text.keep_firing_for) = (None, None);
        if !is_metric_name(&record.value) {
            self.error(at, format!("record: \"{}\" is not a metric name", record.value));
        }
        if text.expr.is_none() {
            text.expr = text.query.take();
            text.language = None;
        }
        if text.expr.is_none() {
            self.error(at, "expr: is missing; a recording rule has a query in PromQL".to_owned());
        }
        let rule = self.series_rule(record.value.clone(), &record.value, text, group)?;
        (self.errors.len() == n_errors).then_some(RecordingRule { rule })
    }

    fn series_rule(&mut self, name: String, alert: &str, mut text: RuleText, group: &GroupSettings) -> Option<Rule> {
        let expr = text.expr.take()?;
        let place = expr.referenced;
        if text.language.as_ref().is_some_and(|language| language.value != Language::Promql.name()) {
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
        text.kind = None;
        let kind = self.kind(&text, WINDOW_NS_DEFAULT, &KeyLocations { query: Some(place), ..places });
        if let Err(errors) = series_query(&expr.value) {
            self.query_errors(place, &errors);
        }
        self.check_label_names(&text.labels);
        let length = |reader: &mut Self, key: &str, text: &Option<Spanned<String>>| {
            text.as_ref().and_then(|text| reader.length(key, text)).unwrap_or(0)
        };
        let interval_ns = text.interval.as_ref().and_then(|text| self.interval("interval", text));
        Some(Rule {
            name,
            kind: kind.unwrap_or(Kind::Threshold),
            query: expr.value,
            language: Language::Promql,
            groups: groups_of(text.groups, Language::Promql),
            window_ns: WINDOW_NS_DEFAULT,
            interval_ns: interval_ns.or(group.interval_ns),
            condition: None,
            for_ns: length(self, "for", &text.for_),
            keep_firing_for_ns: length(self, "keep_firing_for", &text.keep_firing_for),
            missing: text.missing,
            datapoints: self.datapoints(text.datapoints),
            labels: group.labels(text.labels),
            annotations: text.annotations.into_texts(),
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
}

/// Reports whether a text may name a metric: any text without braces, as Prometheus 3 has it.
fn is_metric_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['{', '}']) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
