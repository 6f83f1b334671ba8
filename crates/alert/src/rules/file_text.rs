//! The keys of a rule file. Null entries of lists (`-` alone) are left out, as in Prometheus.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::group_limit::GroupLimit;
use super::text_map::TextMap;
use crate::kind::{KeyLocations, KindText, WindowText};
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
    baseline: Option<Spanned<String>>,
    jump: Option<Spanned<f64>>,
    min_count: Option<Spanned<u64>>,
    limit: Option<Spanned<u64>>,
    by: Option<Spanned<Vec<String>>>,
    expect: Option<Spanned<Vec<BTreeMap<String, String>>>>,
    forget: Option<Spanned<String>>,
    bad: Option<Spanned<String>>,
    objective: Option<Spanned<f64>>,
    windows: Option<Spanned<Vec<WindowText>>>,
    season: Option<Spanned<String>>,
    history: Option<Spanned<String>>,
    band: Option<Spanned<f64>>,
    direction: Option<Spanned<Direction>>,
    when: Option<Spanned<String>>,
}

impl RuleText {
    /// Drops the keys that name the rule and are empty: Prometheus takes them as absent.
    pub(super) fn drop_empty_names(&mut self) {
        for name in [&mut self.alert, &mut self.record] {
            name.take_if(|name| name.value.is_empty());
        }
    }

    /// Returns the keys that not every kind has.
    pub(super) fn take_kind(&mut self) -> KindText {
        KindText {
            kind: self.kind.take(),
            baseline: self.baseline.take(),
            jump: self.jump.take(),
            min_count: self.min_count.take(),
            limit: self.limit.take(),
            by: self.by.take(),
            expect: self.expect.take(),
            forget: self.forget.take(),
            bad: self.bad.take(),
            objective: self.objective.take(),
            windows: self.windows.take(),
            season: self.season.take(),
            history: self.history.take(),
            band: self.band.take(),
            direction: self.direction.take(),
            when: self.when.take(),
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
