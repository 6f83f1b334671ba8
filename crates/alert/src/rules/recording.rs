//! Recording rules in a file: read as rules that alert, of which they have only the question.

use serde_saphyr::{Location, Spanned};

use crate::Kind;
use crate::metrics::Recording;
use crate::rules::file_text::RuleText;
use crate::rules::reader::Reader;

impl Reader<'_> {
    pub(super) fn recording(&mut self, mut text: RuleText, group_interval_ns: Option<i64>) -> Option<Recording> {
        let (record, labels) = (text.record.take()?, std::mem::take(&mut text.labels));
        let at = record.referenced;
        if text.name.replace(record).is_some() {
            self.error(at, "a rule has either a name or a record".into());
        }
        self.refuse_keys_of_alerts(&text, at);
        if text.query.is_none() && text.kind.is_none() {
            self.error(
                at,
                "expr: is missing; a recording rule has a query in PromQL, or query: in another language".into(),
            );
            return None;
        }
        let rule = self.rule(text, at, group_interval_ns)?;
        if rule.kind != Kind::Threshold {
            self.error(at, "kind: is for an alert, not for a recording rule".into());
        }
        Recording::new(rule, labels.into_texts()).map_err(|message| self.error(at, message)).ok()
    }

    /// Reports keys that only alerts have, in a recording rule whose name is at `at`.
    pub(super) fn refuse_keys_of_alerts(&mut self, text: &RuleText, at: Location) {
        let of_text = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.referenced);
        let of_alerts = [
            ("condition", of_text(&text.condition)),
            ("for", of_text(&text.for_)),
            ("keep_firing_for", of_text(&text.keep_firing_for)),
            ("missing", text.missing.map(|_| at)),
            ("datapoints", text.datapoints.as_ref().map(|datapoints| datapoints.referenced)),
            ("annotations", text.annotations.iter().next().map(|(_, text)| text.referenced)),
            ("topics", (!text.topics.is_empty()).then_some(at)),
            ("notify", text.notify.map(|_| at)),
        ];
        for (key, place) in of_alerts {
            if let Some(place) = place {
                self.error(place, format!("{key}: is for an alert, not for a recording rule"));
            }
        }
    }
}
