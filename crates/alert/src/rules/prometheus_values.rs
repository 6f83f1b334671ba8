//! Values in Prometheus' form: durations, names of labels, templates of Go.

use serde_saphyr::Spanned;
use types::Timestamp;

use crate::prometheus_text;
use crate::rules::reader::{INTERVAL_NS_MIN, Reader};
use crate::rules::text_map::TextMap;

impl Reader<'_> {
    /// Reads a duration as Prometheus writes them.
    pub(super) fn length(&mut self, key: &str, text: &Spanned<String>) -> Option<i64> {
        let Ok(length_ms) = promql::duration(&text.value) else {
            let rule = "whole numbers with units from y to ms, the longest first, 292y at most";
            let message = format!("{key}: \"{}\" is no duration such as 5m or 1h30m: {rule}", text.value);
            self.error(text.referenced, message);
            return None;
        };
        Some(length_ms * Timestamp::MILLISECOND)
    }

    /// Reads the interval of a group of Prometheus; `None` for the usual one, which zero means there. A shorter interval than
    /// the shortest is that one, so that the file is read unchanged.
    pub(super) fn group_interval(&mut self, text: &Spanned<String>) -> Option<i64> {
        let interval_ns = self.length("interval", text)?;
        (interval_ns > 0).then(|| interval_ns.max(INTERVAL_NS_MIN))
    }

    /// Reports names that no label may have: an empty one, and that of the metric.
    pub(super) fn check_label_names(&mut self, labels: &TextMap) {
        for (name, text) in labels.iter().filter(|(name, _)| name.is_empty() || *name == promql::METRIC_NAME) {
            self.error(text.referenced, format!("labels: \"{name}\" is not a label name"));
        }
    }

    /// Reports templates that cannot be parsed.
    pub(super) fn check_templates(&mut self, key: &str, templates: &TextMap) {
        for (name, text) in templates.iter() {
            if let Err(error) = prometheus_text::parse(&text.value) {
                self.error(text.referenced, format!("{key}: {name}: {error}"));
            }
        }
    }
}
