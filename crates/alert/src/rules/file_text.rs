//! The keys of a rule file. Null entries of lists (`-` alone) are left out, as in Prometheus.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::group_limit::GroupLimit;
use super::text_map::TextMap;
use crate::metrics::MetricSettings;
use crate::rule::{Datapoints, MissingPolicy};
use crate::{ChannelSettings, Direction};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FileText {
    pub(super) groups: Vec<Option<Spanned<GroupText>>>,
    pub(super) channels: Vec<Spanned<ChannelSettings>>,
    pub(super) metrics: Vec<Spanned<MetricSettings>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupText {
    pub(super) name: Option<Spanned<String>>,
    pub(super) interval: Option<Spanned<String>>,
    /// Keys of Prometheus: they are about its rules in Prometheus' form alone.
    pub(super) query_offset: Option<Spanned<String>>,
    pub(super) limit: Option<Spanned<GroupLimit>>,
    pub(super) labels: Option<Spanned<TextMap>>,
    #[serde(default)]
    pub(super) rules: Vec<Option<Spanned<RuleText>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleText {
    pub(super) name: Option<Spanned<String>>,
    /// The name of gauges, where it is a recording rule.
    pub(super) record: Option<Spanned<String>>,
    /// The label `alertname`, and PromQL: Prometheus' form.
    pub(super) alert: Option<Spanned<String>>,
    pub(super) expr: Option<Spanned<String>>,
    pub(super) query: Option<Spanned<String>>,
    pub(super) language: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    pub(super) window: Option<Spanned<String>>,
    pub(super) interval: Option<Spanned<String>>,
    pub(super) condition: Option<Spanned<String>>,
    #[serde(rename = "for")]
    pub(super) for_: Option<Spanned<String>>,
    pub(super) keep_firing_for: Option<Spanned<String>>,
    pub(super) missing: Option<MissingPolicy>,
    pub(super) datapoints: Option<Spanned<Datapoints>>,
    #[serde(default)]
    pub(super) labels: TextMap,
    #[serde(default)]
    pub(super) annotations: TextMap,
    #[serde(default)]
    pub(super) topics: Vec<String>,
    pub(super) notify: Option<bool>,
    pub(super) enabled: Option<bool>,
    pub(super) kind: Option<Spanned<String>>,
    pub(super) baseline: Option<Spanned<String>>,
    pub(super) jump: Option<Spanned<f64>>,
    pub(super) min_count: Option<Spanned<u64>>,
    pub(super) limit: Option<Spanned<u64>>,
    pub(super) by: Option<Spanned<Vec<String>>>,
    pub(super) expect: Option<Spanned<Vec<BTreeMap<String, String>>>>,
    pub(super) forget: Option<Spanned<String>>,
    pub(super) bad: Option<Spanned<String>>,
    pub(super) objective: Option<Spanned<f64>>,
    pub(super) windows: Option<Spanned<Vec<WindowText>>>,
    pub(super) season: Option<Spanned<String>>,
    pub(super) history: Option<Spanned<String>>,
    pub(super) band: Option<Spanned<f64>>,
    pub(super) direction: Option<Spanned<Direction>>,
    pub(super) when: Option<Spanned<String>>,
}

impl RuleText {
    /// Drops the keys that name the rule and are empty: Prometheus takes them as absent.
    pub(super) fn drop_empty_names(&mut self) {
        for name in [&mut self.alert, &mut self.record] {
            name.take_if(|name| name.value.is_empty());
        }
    }

    pub(super) fn places(&self, name: Location) -> KeyLocations {
        let at = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.referenced);
        KeyLocations {
            name,
            query: at(&self.query),
            condition: at(&self.condition),
            window: at(&self.window),
            bad: at(&self.bad),
        }
    }
}

/// Positions of keys that not every kind has.
pub(super) struct KeyLocations {
    pub(super) name: Location,
    pub(super) query: Option<Location>,
    pub(super) condition: Option<Location>,
    pub(super) window: Option<Location>,
    pub(super) bad: Option<Location>,
}

/// A long and a short window, as a rule writes them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowText {
    pub(super) long: String,
    pub(super) short: String,
    pub(super) factor: f64,
}
