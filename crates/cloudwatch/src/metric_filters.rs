//! Metric filters: counters of events that match a pattern, shown on `/metrics`.
//!
//! A metric is a number for each event, or one out of the event, by up to three dimensions.
//!
//! Documents of kind `cloudwatch-metric` in the control store, `GROUP:NAME`, each with the sequence of the last event that
//! was there before the filter. Counting, and keeping what was counted, is that of all metrics (`alert::metrics`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alert::metrics::{Meter, MeterCount, MeterThread, MissingLabel, Series, Shape, Tally, ValueOf};
use chrono_tz::Tz;
use execute::Tail;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use storage::{Store, StoreError};
use types::{GroupName, GroupPattern, GroupScope};

use super::OperationRequest;
use super::answer::CloudWatchProblem;
use super::describe::{page_of, with_next};
use super::events::showing;
use super::filters::{NAME_CHARS_MAX, document_name, filter_name, last_sequence};
use super::groups::milliseconds;
use super::input::Input;
use door::access::Role;
use door::exposition::Kind;
use door::exposition::Page;
use door::problem::Problem;
use door::server::Server;

const KIND: &str = "cloudwatch-metric";

/// Filters of a group, as Amazon has it, and in all: each reads what comes in once.
const OF_GROUP_MAX: usize = 100;
const FILTERS_MAX: usize = 200;

/// Filters of a page.
const PAGE_MAX: usize = 50;

/// Dimensions of a metric, and the longest name or value of one, as Amazon has it.
const DIMENSIONS_MAX: usize = 3;
const DIMENSION_CHARS_MAX: usize = 255;

/// Sets of dimensions of a filter. What comes beyond is counted as one: a dimension that is another for each event would fill
/// the page of metrics, and whoever reads it.
const SERIES_MAX: usize = 500;

/// How long who asks for numbers waits for what was accepted just now.
const SETTLE_MAX: Duration = Duration::from_secs(1);

/// Held by whoever changes filters.
pub(crate) struct MetricFilters(Mutex<()>);

/// A filter, and what it has counted.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Filter {
    group: String,
    name: String,
    pattern: String,
    namespace: String,
    metric: String,
    /// A number, or what names it: `$.property` or `$column`.
    value: String,
    default: Option<f64>,
    unit: Option<String>,
    created: i64,
    /// The last event that was there before the filter, or that was counted in what follows.
    sequence: u64,
    n_events: u64,
    sum: f64,
    /// Names of dimensions, and what their values are taken from.
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
    /// What was counted by values of the dimensions, in the order of their names.
    #[serde(default, with = "pairs")]
    series: BTreeMap<Vec<String>, (u64, f64)>,
}

/// JSON has texts alone as names of members.
mod pairs {
    use super::{BTreeMap, Deserialize, Serialize};

    type Series = BTreeMap<Vec<String>, (u64, f64)>;

    pub(super) fn serialize<S: serde::Serializer>(series: &Series, to: S) -> Result<S::Ok, S::Error> {
        series.iter().collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Series, D::Error> {
        Vec::deserialize(from).map(|pairs| pairs.into_iter().collect())
    }
}

impl MetricFilters {
    /// Lets all filters count on.
    pub(crate) fn start(server: &Server) -> Self {
        let all = filters(server.whole_store()).unwrap_or_default();
        for filter in &all {
            if let Err(problem) = filter.count(server.app.metrics.counting()) {
                tracing::warn!(filter = filter.key(), reason = problem.parts().2, "a metric filter cannot count");
            }
        }
        Self(Mutex::new(()))
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // It guards no value of its own.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the filters of a group away, which is no more.
    pub(super) fn forget(&self, server: &Server, group: &GroupName) -> Result<(), StoreError> {
        let (_held, store) = (self.lock(), server.whole_store());
        let of_group = document_name(group.as_str(), "");
        let names = store.settings(KIND)?.into_iter().map(|(name, _)| name);
        names
            .filter(|name| name.rsplit_once(':').is_some_and(|(group, _)| of_group.strip_suffix(':') == Some(group)))
            .try_for_each(|name| {
                store.remove_setting(KIND, &name)?;
                server.app.metrics.counting().remove(&(KIND, name));
                Ok(())
            })
    }
}

impl OperationRequest {
    pub(super) async fn put_metric_filter(&self, input: Input) -> Result<Json, CloudWatchProblem> {
        self.require(&[Role::Operate])?;
        let group = self.known_group(&input).await?;
        self.change(&group)?;
        let mut filter = filter_of(&input, &group, milliseconds(self.server.now()))?;
        // What it counts with is made once here, so that mistakes are told at once.
        filter.tail()?;
        let server = self.server.clone();
        let work = move || -> Result<(), CloudWatchProblem> {
            let _held = server.state.metric_filters.lock();
            let store = server.whole_store();
            let all = filters(store)?;
            let others = all.iter().filter(|other| other.key() != filter.key());
            let n_of_group = others.clone().filter(|other| other.group == filter.group).count();
            if n_of_group >= OF_GROUP_MAX || others.count() >= FILTERS_MAX {
                let message = format!("Resource limit exceeded: {OF_GROUP_MAX} of a group, {FILTERS_MAX} in all.");
                return Err(CloudWatchProblem::new("LimitExceededException", message));
            }
            filter.sequence = last_sequence(store, &filter.group);
            filter.keep(store)?;
            filter.count(server.app.metrics.counting())
        };
        self.server.lookups.run(work).await??;
        Ok(Json::Null)
    }

    pub(super) async fn describe_metric_filters(&self, input: Input) -> Result<Json, CloudWatchProblem> {
        self.require(&[Role::Read])?;
        let group = if input.text("logGroupName")?.is_some() { Some(self.known_group(&input).await?) } else { None };
        let prefix = input.text("filterNamePrefix")?.unwrap_or_default();
        let (metric, namespace) = (input.text("metricName")?, input.text("metricNamespace")?);
        let most = input.number("limit", PAGE_MAX, PAGE_MAX)?;
        let server = self.server.clone();
        let mut found = self.server.lookups.run(move || filters(server.whole_store())).await??;
        found.retain(|filter| {
            self.server.reaches(&filter.group)
                && group.as_ref().is_none_or(|group| group.as_str() == filter.group)
                && filter.name.starts_with(prefix)
                && metric.is_none_or(|metric| metric == filter.metric)
                && namespace.is_none_or(|namespace| namespace == filter.namespace)
        });
        let (page, next) = page_of(&found, most, &input)?;
        let shown: Vec<Json> = page.iter().map(Filter::to_json).collect();
        Ok(with_next(json!({"metricFilters": shown}), next))
    }

    pub(super) async fn delete_metric_filter(&self, input: Input) -> Result<Json, CloudWatchProblem> {
        self.require(&[Role::Operate])?;
        let group = self.known_group(&input).await?;
        self.change(&group)?;
        let key = document_name(group.as_str(), input.needed("filterName")?);
        let server = self.server.clone();
        let work = move || -> Result<(), CloudWatchProblem> {
            let _held = server.state.metric_filters.lock();
            let store = server.whole_store();
            if store.setting(KIND, &key)?.is_none() {
                let message = "The specified metric filter does not exist.";
                return Err(CloudWatchProblem::new("ResourceNotFoundException", message));
            }
            store.remove_setting(KIND, &key)?;
            server.app.metrics.counting().remove(&(KIND, key));
            Ok(())
        };
        self.server.lookups.run(work).await??;
        Ok(Json::Null)
    }
}

/// The filter that is asked for.
fn filter_of(input: &Input, group: &GroupName, created: i64) -> Result<Filter, CloudWatchProblem> {
    let name = filter_name(input)?;
    let transformations = input.objects("metricTransformations")?;
    let [transformation] = transformations.as_slice() else {
        return Err(CloudWatchProblem::parameter("metricTransformations has exactly one member."));
    };
    let text = |member: &str| transformation[member].as_str().filter(|text| text.chars().count() <= NAME_CHARS_MAX);
    let needed = |member: &str| {
        let missing = || CloudWatchProblem::parameter(format!("metricTransformations needs {member}."));
        text(member).filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(missing)
    };
    let value = needed("metricValue")?;
    let dimensions = dimensions_of(&transformation["dimensions"])?;
    let default = transformation["defaultValue"].as_f64();
    if default.is_some() && !dimensions.is_empty() {
        return Err(CloudWatchProblem::parameter("A metric with dimensions has no defaultValue."));
    }
    Ok(Filter {
        group: group.as_str().to_owned(),
        name: name.to_owned(),
        pattern: input.needed("filterPattern")?.to_owned(),
        namespace: needed("metricNamespace")?,
        metric: needed("metricName")?,
        value,
        default,
        unit: text("unit").map(str::to_owned),
        created,
        sequence: 0,
        n_events: 0,
        sum: 0.0,
        dimensions,
        series: BTreeMap::new(),
    })
}

/// Names of dimensions, and what their values are taken from.
fn dimensions_of(given: &Json) -> Result<BTreeMap<String, String>, CloudWatchProblem> {
    let given = given.as_object().into_iter().flatten();
    let pairs = given.map(|(name, from)| {
        let is_fit = (1..=DIMENSION_CHARS_MAX).contains(&name.chars().count());
        let from = from.as_str().filter(|_| is_fit).ok_or_else(|| {
            CloudWatchProblem::parameter(
                "A dimension has a name of 1 to 255 characters and takes its value from $.NAME or $NAME.",
            )
        })?;
        Ok((name.clone(), from.to_owned()))
    });
    let dimensions = pairs.collect::<Result<BTreeMap<_, _>, CloudWatchProblem>>()?;
    if dimensions.len() > DIMENSIONS_MAX {
        return Err(CloudWatchProblem::parameter(format!("A metric has {DIMENSIONS_MAX} dimensions at most.")));
    }
    Ok(dimensions)
}

/// All filters, by group and name.
fn filters(store: &Store) -> Result<Vec<Filter>, Problem> {
    let documents = store.settings(KIND)?;
    // A document of another version, or one that was spoilt, counts nothing.
    let mut all: Vec<Filter> = documents.iter().filter_map(|(_, json)| serde_json::from_str(json).ok()).collect();
    all.sort_by_key(Filter::key);
    Ok(all)
}

/// A set of dimensions of a filter, and what it has counted.
struct DimensionCount<'f> {
    dimensions: Vec<(&'f str, &'f str)>,
    n_events: u64,
    sum: f64,
}

/// A metric that filters make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Metric {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: Vec<(String, String)>,
}

/// The metrics that filters of some groups make, as far as they were counted, each once. Blocks.
pub(super) fn metrics(server: &Server, reaches: impl Fn(&str) -> bool) -> Result<BTreeSet<Metric>, Problem> {
    let filters = counted(server)?;
    let within = filters.iter().filter(|filter| reaches(&filter.group));
    Ok(within
        .flat_map(|filter| {
            filter.metrics().into_iter().map(|counted| Metric {
                namespace: filter.namespace.clone(),
                name: filter.metric.clone(),
                dimensions: counted
                    .dimensions
                    .iter()
                    .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                    .collect(),
            })
        })
        .collect())
}

/// How many filters each group has.
pub(super) fn counts(store: &Store) -> Result<BTreeMap<String, usize>, Problem> {
    let mut counts = BTreeMap::new();
    filters(store)?.into_iter().for_each(|filter| *counts.entry(filter.group).or_default() += 1);
    Ok(counts)
}

impl Filter {
    fn key(&self) -> String {
        document_name(&self.group, &self.name)
    }

    fn keep(&self, store: &Store) -> Result<(), CloudWatchProblem> {
        let json = serde_json::to_string(self).map_err(|error| Problem::internal(error.to_string()))?;
        Ok(store.put_setting(KIND, &self.key(), &json)?)
    }

    /// What finds the events, and of each the value that counts and those of the dimensions.
    fn tail(&self) -> Result<Tail, CloudWatchProblem> {
        let value = Some(self.value.as_str()).filter(|value| value.parse::<f64>().is_err());
        let selectors: Vec<&str> = value.into_iter().chain(self.dimensions.values().map(String::as_str)).collect();
        let plan = showing(&self.pattern, &selectors)?;
        Tail::new(&plan, Tz::UTC).map_err(|error| CloudWatchProblem::parameter(error.to_string()))
    }

    /// Lets it count, from where its document says on, or from where it had come to.
    fn count(&self, counting: &MeterThread) -> Result<(), CloudWatchProblem> {
        let meter = Meter {
            groups: vec![GroupPattern::new(self.group.as_str())],
            within: GroupScope::All,
            tail: self.tail()?,
            value: self.value.parse().map_or(ValueOf::ColumnOrZero, ValueOf::Constant),
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
        let document = serde_json::to_string(self).map_err(|error| Problem::internal(error.to_string()))?;
        counting.add((KIND, self.key()), &document, meter, tally);
        Ok(())
    }

    /// Takes over what was counted.
    fn take(&mut self, counted: &MeterCount) {
        let tally = &counted.tally;
        let sums = || tally.series.values().map(|series| (series.n_events, series.sum));
        (self.n_events, self.sum) = sums().fold((0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
        if !self.dimensions.is_empty() {
            self.series = tally.series.keys().cloned().zip(sums()).collect();
        }
    }

    /// The metrics that it makes.
    fn metrics(&self) -> Vec<DimensionCount<'_>> {
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

    fn to_json(&self) -> Json {
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

/// All filters with what they have counted. Blocks.
fn counted(server: &Server) -> Result<Vec<Filter>, Problem> {
    let mut all = filters(server.whole_store())?;
    if !all.is_empty() {
        server.app.metrics.counting().settle(SETTLE_MAX);
        let counted = server.app.metrics.counting().counted(KIND);
        for filter in &mut all {
            let key = filter.key();
            counted.get(&key).into_iter().for_each(|counted| filter.take(counted));
        }
    }
    Ok(all)
}

/// Writes what all filters have counted onto the page of metrics. Blocks.
pub(crate) fn write(server: &Server, page: &mut Page) {
    let Ok(all) = counted(server) else { return };
    if all.is_empty() {
        return;
    }
    let families = [
        ("catat_metric_filter_events_total", Kind::Counter, "Events that a metric filter has matched."),
        // The values of fields may be negative.
        ("catat_metric_filter_value", Kind::Gauge, "Their metric values, summed up."),
    ];
    for (name, kind, help) in families {
        page.family(name, kind, help);
        for filter in &all {
            for DimensionCount { dimensions, n_events, sum } in filter.metrics() {
                let value = if kind == Kind::Counter { n_events as f64 } else { sum };
                let of_dimensions: Vec<(String, &str)> =
                    dimensions.iter().map(|(name, text)| (label_of(name), *text)).collect();
                let mut labels = vec![
                    ("namespace", filter.namespace.as_str()),
                    ("metric", &filter.metric),
                    ("group", &filter.group),
                    ("filter", &filter.name),
                ];
                labels.extend(of_dimensions.iter().map(|(name, text)| (name.as_str(), *text)));
                page.sample(name, &labels, value);
            }
        }
    }
}

/// The label of a dimension: Prometheus has letters, digits and `_` in names.
fn label_of(dimension: &str) -> String {
    let fit = |char: char| if char.is_ascii_alphanumeric() { char } else { '_' };
    format!("dimension_{}", dimension.chars().map(fit).collect::<String>())
}
