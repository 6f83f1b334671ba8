//! A metric filter: its document, the plan that finds its events, and what it has counted.

use std::collections::BTreeMap;

use alert::metrics::{Meter, MeterCount, MeterThread, MissingLabel, Series, Shape, Tally, ValueOf};
use chrono_tz::Tz;
use execute::Tail;
use ingest::datum::MetricName;
use plan::Plan;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use storage::Settings;
use types::{GroupPattern, GroupScope};

use crate::answer::{CloudWatchProblem, Result};
use crate::filters::document_name;
use crate::patterns::showing;
use door::to_json;

pub(super) const KIND: &str = "cloudwatch-metric";

/// Sets of dimensions of a filter. What comes beyond is counted as one: a dimension that is another for each event would fill
/// the page of metrics, and whoever reads it.
const SERIES_MAX: usize = 500;

/// A filter and its counts.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Filter {
    pub(crate) group: String,
    pub(super) name: String,
    pub(crate) pattern: String,
    pub(crate) namespace: String,
    pub(crate) metric: String,
    /// A number, or what names it: `$.property` or `$column`.
    pub(crate) value: String,
    pub(crate) default: Option<f64>,
    pub(crate) unit: Option<String>,
    pub(super) created: i64,
    /// The last event that was there before the filter, or that was counted in what follows.
    pub(super) sequence: u64,
    pub(super) n_events: u64,
    pub(super) sum: f64,
    /// Names of dimensions, and what their values are taken from.
    #[serde(default)]
    pub(crate) dimensions: BTreeMap<String, String>,
    /// What was counted by values of the dimensions, in the order of their names.
    #[serde(default, with = "alert::metrics::pairs")]
    pub(super) series: BTreeMap<Vec<String>, (u64, f64)>,
}

impl Filter {
    /// Reports whether it makes a metric.
    pub(crate) fn makes(&self, metric: &MetricName) -> bool {
        self.namespace == metric.namespace
            && self.metric == metric.name
            && self.dimensions.keys().eq(metric.dimensions.keys())
    }

    /// Returns the value of each event, if it is always the same.
    pub(crate) fn constant(&self) -> Option<f64> {
        self.value.parse().ok()
    }

    pub(super) fn key(&self) -> String {
        document_name(&self.group, &self.name)
    }

    /// Saves its document and returns the document's text.
    pub(super) fn save(&self, settings: Settings<'_>) -> Result<String> {
        let text = to_json(self)?;
        settings.put(KIND, &self.key(), &text)?;
        Ok(text)
    }

    /// Returns the plan that finds matching events. The columns are the value, unless it is constant, and the dimensions.
    pub(crate) fn plan(&self) -> Result<Plan> {
        let value = Some(self.value.as_str()).filter(|_| self.constant().is_none());
        let selectors: Vec<&str> = value.into_iter().chain(self.dimensions.values().map(String::as_str)).collect();
        showing(&self.pattern, &selectors)
    }

    /// Returns what follows the events of the plan.
    pub(super) fn tail(&self) -> Result<Tail> {
        let plan = self.plan()?;
        Tail::new(&plan, Tz::UTC).map_err(|error| CloudWatchProblem::parameter(error.to_string()))
    }

    /// Starts counting at the position of the document, or where counting stopped.
    pub(super) fn count(&self, counting: &MeterThread) -> Result<()> {
        let meter = Meter {
            groups: vec![GroupPattern::new(self.group.as_str())],
            within: GroupScope::All,
            tail: self.tail()?,
            value: self.constant().map_or(ValueOf::ColumnOrZero, ValueOf::Constant),
            labels: self.dimensions.keys().cloned().collect(),
            shape: Shape::Sum,
            // As with Amazon, an event without one of the dimensions is none of the metric.
            missing_label: MissingLabel::IsNone,
            series_max: SERIES_MAX,
        };
        let mut series: BTreeMap<Vec<String>, (u64, f64)> = self.series.clone();
        if self.dimensions.is_empty() && self.n_events > 0 {
            series.insert(Vec::new(), (self.n_events, self.sum));
        }
        let series = series.into_iter().map(|(texts, (n_events, sum))| (texts, Series::of_sum(n_events, sum)));
        let tally = Tally { sequence: self.sequence, series: series.collect(), ..Tally::default() };
        counting.add((KIND, self.key()), &to_json(self)?, meter, tally);
        Ok(())
    }

    /// Updates the counts.
    pub(super) fn take(&mut self, counted: &MeterCount) {
        let tally = &counted.tally;
        let sums = || tally.series.values().map(|series| (series.n_events, series.sum));
        (self.n_events, self.sum) = sums().fold((0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
        if !self.dimensions.is_empty() {
            self.series = tally.series.keys().cloned().zip(sums()).collect();
        }
    }

    /// Returns the counts by dimensions.
    pub(super) fn metrics(&self) -> Vec<DimensionCount<'_>> {
        if self.dimensions.is_empty() {
            return vec![DimensionCount { dimensions: Vec::new(), n_events: self.n_events, sum: self.sum }];
        }
        let names = || self.dimensions.keys().map(String::as_str);
        let counted = self.series.iter().map(|(texts, (n_events, sum))| DimensionCount {
            dimensions: names().zip(texts.iter().map(String::as_str)).collect(),
            n_events: *n_events,
            sum: *sum,
        });
        counted.collect()
    }

    pub(super) fn to_json(&self) -> Json {
        let mut transformation =
            json!({"metricName": self.metric, "metricNamespace": self.namespace, "metricValue": self.value});
        if let Some(default) = self.default {
            transformation["defaultValue"] = default.into();
        }
        if !self.dimensions.is_empty() {
            transformation["dimensions"] = json!(self.dimensions);
        }
        if let Some(unit) = &self.unit {
            transformation["unit"] = unit.clone().into();
        }
        json!({
            "filterName": self.name, "filterPattern": self.pattern, "logGroupName": self.group,
            "creationTime": self.created, "metricTransformations": [transformation],
        })
    }
}

/// A set of dimensions of a filter, and what it has counted.
pub(super) struct DimensionCount<'f> {
    pub(super) dimensions: Vec<(&'f str, &'f str)>,
    pub(super) n_events: u64,
    pub(super) sum: f64,
}
