//! Counts of what became of sample lines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Counts of what became of the lines.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) n_lines: usize,
    pub(super) n_events: usize,
    /// Whether the input has further lines.
    pub(super) has_more: bool,
    pub(super) without_time: usize,
    pub(super) fates: BTreeMap<String, usize>,
    pub(super) shapes: BTreeMap<String, usize>,
    pub(super) levels: BTreeMap<String, usize>,
    pub(super) groups: BTreeMap<String, usize>,
}

impl Summary {
    pub(super) fn add(&mut self, event: &Value) {
        self.n_events += 1;
        let mut count = |of: fn(&mut Self) -> &mut BTreeMap<String, usize>, name: &str| {
            *of(self).entry(name.to_owned()).or_default() += 1;
        };
        let fate = event["fate"].as_str().unwrap_or_default();
        count(|summary| &mut summary.fates, fate);
        count(|summary| &mut summary.shapes, event["recognised"]["as"].as_str().unwrap_or_default());
        if fate == "kept" {
            count(|summary| &mut summary.levels, event["event"]["@level"].as_str().unwrap_or("none"));
            count(|summary| &mut summary.groups, event["event"]["@log"].as_str().unwrap_or_default());
        }
        self.without_time += usize::from(event["recognised"]["has_time"] == false);
    }

    pub(super) fn as_json(&self) -> Value {
        json!({
            "lines": self.n_lines, "has_more": self.has_more, "events": self.n_events, "fates": self.fates,
            "shapes": self.shapes, "levels": self.levels, "groups": self.groups, "without_time": self.without_time,
        })
    }
}
