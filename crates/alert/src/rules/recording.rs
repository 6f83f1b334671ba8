//! Recording rules in a file: read as rules that alert, of which they have only the question.

use crate::Kind;
use crate::metrics::Recording;
use crate::rules::reader::{Reader, RuleText};

impl Reader<'_> {
    pub(super) fn recording(&mut self, mut text: RuleText, group_interval_ns: Option<i64>) -> Option<Recording> {
        let (record, labels) = (text.record.take()?, std::mem::take(&mut text.labels));
        let at = record.referenced;
        if text.name.replace(record).is_some() {
            self.error(at, "a rule has either a name or a record".into());
        }
        self.refuse_keys_of_alerts(&text, at);
        let rule = self.rule(text, group_interval_ns)?;
        if rule.kind != Kind::Threshold {
            self.error(at, "kind: is for an alert, not for a recording rule".into());
        }
        Recording::new(rule, labels).map_err(|message| self.error(at, message)).ok()
    }

    /// Reports keys that only alerts have.
    pub(super) fn refuse_keys_of_alerts(&mut self, text: &RuleText, at: serde_saphyr::Location) {
        let of_alerts = [
            ("condition", text.condition.is_some()),
            ("for", text.for_.is_some()),
            ("keep_firing_for", text.keep_firing_for.is_some()),
            ("missing", text.missing.is_some()),
            ("datapoints", text.datapoints.is_some()),
            ("annotations", !text.annotations.is_empty()),
            ("topics", !text.topics.is_empty()),
            ("notify", text.notify.is_some()),
        ];
        for (key, _) in of_alerts.iter().filter(|(_, is_set)| *is_set) {
            self.error(at, format!("{key}: is for an alert, not for a recording rule"));
        }
    }
}
