//! Metric filters: counters of matching events, exposed on `/metrics`, and metrics of CloudWatch (`metrics/filter_data`).
//!
//! A metric adds a fixed number for each event, or a number from the event, by up to three dimensions.
//!
//! Filters are documents of kind `cloudwatch-metric` in the control store, named `GROUP:NAME`, each with the sequence of the
//! last event before the filter. Counting, and saving the counts, is done by `alert::metrics`, as for all metrics.

pub(super) mod counters;
mod filter;

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use storage::Settings;
use types::GroupName;

use self::counters::filters;
pub(super) use self::filter::Filter;
use self::filter::KIND;
use super::answer::{CloudWatchProblem, Result};
use super::filters::{FilterLimits, NAME_CHARS_MAX, document_name, filter_name, last_sequence};
use super::input::Input;
use super::metrics::alarms;
use super::paging::{page_of, with_next};
use super::request::OperationRequest;
use super::time::milliseconds;
use door::Problem;

/// Filters of a group, as Amazon has it, and in all: each reads what comes in once.
const LIMITS: FilterLimits = FilterLimits { of_group: 100, total: 200 };

/// Limit on the filters of a page.
const PAGE_MAX: usize = 50;

/// Dimensions of a metric, and the longest name or value of one, as Amazon has it.
const DIMENSIONS_MAX: usize = 3;
const DIMENSION_CHARS_MAX: usize = 255;

/// Returns group, name and pattern of all filters.
pub(super) fn patterns(settings: Settings<'_>) -> Result<Vec<(String, String, String)>, Problem> {
    let pattern = |filter: Filter| (filter.group, filter.name, filter.pattern);
    Ok(filters(settings)?.into_iter().map(pattern).collect())
}

impl OperationRequest {
    pub(super) fn put_metric_filter(&self, input: &Input) -> Result<Json> {
        let group = self.known_group(input)?;
        self.change(&group)?;
        let mut filter = filter_of(input, &group, milliseconds(self.server.now()))?;
        // Errors in the pattern are returned to the caller.
        filter.tail()?;
        let mut known = self.server.state.metric_filters.lock();
        let store = self.server.whole_store();
        let all = filters(store.settings())?;
        let others = all.iter().filter(|other| other.key() != filter.key()).map(|other| &*other.group);
        LIMITS.check(others, &filter.group)?;
        filter.sequence = last_sequence(store, &filter.group);
        let text = filter.save(store.settings())?;
        known.insert(filter.key(), text);
        filter.count(self.server.app.metrics.counting())?;
        drop(known);
        // Alarms may read the metrics of filters that were put after them.
        alarms::follow_filters(&self.server).map(|()| Json::Null)
    }

    pub(super) fn describe_metric_filters(&self, input: &Input) -> Result<Json> {
        let group = input.text("logGroupName")?.map(|_| self.known_group(input)).transpose()?;
        let prefix = input.text("filterNamePrefix")?.unwrap_or_default();
        let (metric, namespace) = (input.text("metricName")?, input.text("metricNamespace")?);
        let most = input.number("limit", PAGE_MAX, PAGE_MAX)?;
        let mut found = filters(self.server.settings())?;
        found.retain(|filter| {
            self.server.reaches(&filter.group)
                && group.as_ref().is_none_or(|group| group.as_str() == filter.group)
                && filter.name.starts_with(prefix)
                && metric.is_none_or(|metric| metric == filter.metric)
                && namespace.is_none_or(|namespace| namespace == filter.namespace)
        });
        let (page, next) = page_of(&found, most, input)?;
        let shown: Vec<Json> = page.iter().map(Filter::to_json).collect();
        Ok(with_next(json!({"metricFilters": shown}), next))
    }

    pub(super) fn delete_metric_filter(&self, input: &Input) -> Result<Json> {
        let group = self.known_group(input)?;
        self.change(&group)?;
        let key = document_name(group.as_str(), input.needed("filterName")?);
        let mut known = self.server.state.metric_filters.lock();
        let settings = self.server.settings();
        if settings.get(KIND, &key)?.is_none() {
            let message = "The specified metric filter does not exist.";
            return Err(CloudWatchProblem::new("ResourceNotFoundException", message));
        }
        settings.remove(KIND, &key)?;
        known.remove(&key);
        self.server.app.metrics.counting().remove(&(KIND, key));
        Ok(Json::Null)
    }
}

/// Reads the filter of a request.
fn filter_of(input: &Input, group: &GroupName, created: i64) -> Result<Filter> {
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
    if value.parse().is_ok_and(|number: f64| !number.is_finite()) {
        return Err(CloudWatchProblem::parameter("metricValue is a finite number, $.NAME or $NAME."));
    }
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

/// Reads the dimensions of a metric: names, and the selectors of their values.
fn dimensions_of(given: &Json) -> Result<BTreeMap<String, String>> {
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
    let dimensions = pairs.collect::<Result<BTreeMap<_, _>>>()?;
    if dimensions.len() > DIMENSIONS_MAX {
        return Err(CloudWatchProblem::parameter(format!("A metric has {DIMENSIONS_MAX} dimensions at most.")));
    }
    Ok(dimensions)
}
