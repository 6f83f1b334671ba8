//! What `PutAnomalyDetector` takes: read, checked, stored, and shown as `DescribeAnomalyDetectors` does.
//!
//! A document of kind `anomaly-detector` is named by a digest of what the detector is of, spelled so that the ids of queries do not
//! matter:
//!
//! ```text
//! {"shown":{"SingleMetricAnomalyDetector":{…},"Configuration":{…}},"groups":["metrics/cloudwatch/App"],"made_ms":1}
//! ```

use std::collections::BTreeSet;

use chrono_tz::Tz;
use ingest::datum::MetricName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use storage::Settings;
use types::{GroupName, ensure, group_name_of_outside};
use xxhash_rust::xxh3::xxh3_128;

use super::super::band::BandConfig;
use super::super::data::query::{DataQuery, MetricQuery, QuerySource, shown_dimensions, spelled};
use super::super::error::{bad_combination, bad_value, missing};
use super::super::get::{check_account, metric};
use super::super::math::{MathExpression, MathProblem};
use super::super::parameters::Parameters;
use super::super::statistic::Statistic;
use crate::answer::Result;

type Read<T> = Result<T>;

/// The kind of documents that are detectors.
pub(in crate::metrics) const DETECTOR: &str = "anomaly-detector";

/// Limits, as at Amazon.
const RANGES_MAX: usize = 10;
const ZONE_CHARS_MAX: usize = 50;
const STAT_CHARS_MAX: usize = 50;
const QUERIES_MAX: usize = 20;

/// The period for which a detector of one metric is trained or not, in ms.
const PERIOD_MS: i64 = 60_000;

/// The id of the only query of a detector of one metric.
const METRIC_ID: &str = "m1";

/// Members that name a single metric in the older form.
const OLDER: [&str; 4] = ["Namespace", "MetricName", "Dimensions", "Stat"];
const SINGLE: &str = "SingleMetricAnomalyDetector";
const MATH: &str = "MetricMathAnomalyDetector";

/// A detector as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DetectorDocument {
    /// What is shown, but for its state.
    pub(super) shown: Value,
    /// The groups with its data.
    pub(super) groups: Vec<String>,
    /// When it was made, in ms since the epoch.
    pub(super) made_ms: i64,
}

/// What anomalies are detected of.
pub(super) struct DetectorTarget {
    pub(super) queries: Vec<DataQuery>,
    /// The query that gives the series.
    pub(super) id: String,
    /// The name of its document.
    pub(super) name: String,
    /// The metric, if it is a single one.
    pub(super) metric: Option<MetricName>,
    shown: Value,
}

impl DetectorTarget {
    /// Reads what a request names, or a document has.
    pub(super) fn read(input: &Parameters<'_>) -> Read<Self> {
        let older: Vec<&str> = OLDER.into_iter().filter(|name| input.get(name).is_some()).collect();
        match (input.structure(SINGLE)?, input.structure(MATH)?, older.first()) {
            (Some(_), Some(_), _) => Err(bad_combination(format!("{SINGLE} excludes {MATH}."))),
            (Some(_), None, Some(other)) => Err(bad_combination(format!("{SINGLE} excludes {other}."))),
            (None, Some(_), Some(other)) => Err(bad_combination(format!("{MATH} excludes {other}."))),
            (Some(single), None, None) => Self::single(&single),
            (None, Some(math), None) => Self::math(&math),
            (None, None, Some(_)) => Self::single(input),
            (None, None, None) => Err(missing(SINGLE)),
        }
    }

    fn single(of: &Parameters<'_>) -> Read<Self> {
        check_account(of, "AccountId")?;
        let stat = of.needed_text("Stat", STAT_CHARS_MAX)?.to_owned();
        let metric = metric(of)?;
        let shown = json!({
            "Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": shown_dimensions(&metric), "Stat": stat,
        });
        let mut whole = shown.clone();
        whole[SINGLE] = shown;
        let statistic = Statistic::read(&stat)?;
        let query = MetricQuery { metric: metric.clone(), unit: None, period_ms: PERIOD_MS, statistic, stat };
        let name = name_of(&query.spelled());
        let source = QuerySource::Metric(query);
        let queries = vec![DataQuery { id: METRIC_ID.to_owned(), label: None, source, is_returned: true }];
        Ok(Self { queries, id: METRIC_ID.to_owned(), name, metric: Some(metric), shown: whole })
    }

    fn math(of: &Parameters<'_>) -> Read<Self> {
        let place = of.at("MetricDataQueries");
        let queries = DataQuery::read_all(of, "MetricDataQueries", QUERIES_MAX)?;
        let mut returned = queries.iter().filter(|query| query.is_returned);
        let id = match (returned.next(), returned.next()) {
            (Some(query), None) if query.metric().is_none() => query.id.clone(),
            _ => return Err(bad_value(format!("{place}: exactly one query must return data, an expression."))),
        };
        let periods: BTreeSet<i64> = queries.iter().filter_map(|query| Some(query.metric()?.period_ms)).collect();
        ensure!(periods.len() == 1, bad_value(format!("{place} must have metrics, all with the same Period.")));
        let spelled = spelled(&queries, &MathExpression::Word(id.clone()));
        let (spelled, _) = spelled.map_err(|problem| bad_value(format!("{place}: {problem}.")))?;
        let shown: Vec<Value> = queries.iter().map(DataQuery::shown).collect();
        let shown = json!({MATH: {"MetricDataQueries": shown}});
        Ok(Self { queries, id, name: name_of(&spelled), metric: None, shown })
    }

    /// Returns the groups with its data.
    fn groups(&self) -> Vec<String> {
        let metrics = self.queries.iter().filter_map(DataQuery::metric);
        let group =
            |query: &MetricQuery| group_name_of_outside(&format!("{}{}", GroupName::DATA, query.metric.namespace));
        metrics.map(|query| group(query).to_string()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Returns the document of a detector with the configuration of a request.
    pub(super) fn document(&self, input: &Parameters<'_>, made_ms: i64) -> Read<DetectorDocument> {
        // It is checked here and read again when it is used.
        BandConfig::read(input)?;
        let mut shown = self.shown.clone();
        for name in ["Configuration", "MetricCharacteristics"] {
            if let Some(value) = input.get(name) {
                shown[name] = value.clone();
            }
        }
        let ranges = shown.pointer_mut("/Configuration/ExcludedTimeRanges").and_then(Value::as_array_mut);
        for range in ranges.into_iter().flatten() {
            let times = Parameters::new(range);
            let (start, end) = (times.needed_time("StartTime")?, times.needed_time("EndTime")?);
            *range = json!({"StartTime": start as f64 / 1e3, "EndTime": end as f64 / 1e3});
        }
        Ok(DetectorDocument { shown, groups: self.groups(), made_ms })
    }
}

impl BandConfig {
    /// Reads the configuration of a request, or of a document.
    pub(super) fn read(input: &Parameters<'_>) -> Read<Self> {
        let mut config = Self::default();
        if let Some(of) = input.structure("Configuration")? {
            for range in of.structures("ExcludedTimeRanges", RANGES_MAX)? {
                let (start, end) = (range.needed_time("StartTime")?, range.needed_time("EndTime")?);
                if start >= end {
                    let place = range.at("StartTime");
                    return Err(bad_value(format!("{place} must be before the EndTime of the range.")));
                }
                config.excluded.push((start, end));
            }
            if let Some(zone) = of.text("MetricTimezone", ZONE_CHARS_MAX)? {
                let unknown = |_| bad_value(format!("The value {zone:?} of MetricTimezone is not a time zone."));
                config.zone = zone.parse::<Tz>().map_err(unknown)?;
            }
        }
        if let Some(of) = input.structure("MetricCharacteristics")? {
            config.has_spikes = of.flag("PeriodicSpikes")?.unwrap_or(false);
        }
        Ok(config)
    }
}

/// Returns the name of the document of a detector, from what it is of.
fn name_of(spelled: &str) -> String {
    format!("{:032x}", xxh3_128(spelled.as_bytes()))
}

/// Returns the configuration for what is spelled so: that of its detector, or the usual one.
///
/// # Errors
/// If it cannot be read.
pub(in crate::metrics) fn config_of(settings: Settings<'_>, spelled: &str) -> Result<BandConfig, MathProblem> {
    let problem = |error: String| MathProblem(format!("the anomaly detector cannot be read: {error}"));
    let text = settings.get(DETECTOR, &name_of(spelled)).map_err(|error| problem(error.to_string()))?;
    let Some(text) = text else { return Ok(BandConfig::default()) };
    let document: DetectorDocument = serde_json::from_str(&text).map_err(|error| problem(error.to_string()))?;
    BandConfig::read(&Parameters::new(&document.shown)).map_err(|error| problem(error.parts().2.to_owned()))
}
