//! Metric filters: counters of events that match a pattern, shown on `/metrics`.
//!
//! Documents of kind `cloudwatch-metric` in the control store, `GROUP:NAME`. Each holds what it has counted together with
//! the sequence of the last event that it counted, so that a restart repeats and loses nothing. Nothing counts while
//! nobody asks: whoever reads the page of metrics lets each filter look at what was accepted since then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use chrono_tz::Tz;
use query::Tail;
use query::plan::{Expr, Name, Operator, Plan};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use storage::Store;
use types::{EventId, GroupName, GroupPattern, GroupScope, TimeRange, Timestamp, Value};

use super::Asked;
use super::answer::CloudWatchProblem;
use super::describe::{page_of, with_next};
use super::events::plan_of;
use super::groups::milliseconds;
use super::input::{Input, constraint};
use crate::access::Role;
use crate::problem::Problem;
use crate::routes::metrics::Page;
use crate::routes::status::Kind;
use crate::server::Server;

const KIND: &str = "cloudwatch-metric";

/// Filters of a group, as Amazon has it, and in all: each reads what comes in once.
const OF_GROUP_MAX: usize = 100;
const FILTERS_MAX: usize = 200;

/// Filters of a page.
const PAGE_MAX: usize = 50;

/// Longest name of a filter, a metric and a namespace.
const NAME_CHARS_MAX: usize = 512;

/// Held by whoever changes filters or their counts.
#[derive(Default)]
pub(crate) struct MetricFilters(Mutex<()>);

/// A filter, and what it has counted.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Filter {
    group: String,
    name: String,
    pattern: String,
    namespace: String,
    metric: String,
    /// A number, or `$.` and the field that has one.
    value: String,
    default: Option<f64>,
    unit: Option<String>,
    created: i64,
    /// The last event that was counted, or that was there before the filter.
    sequence: u64,
    n_events: u64,
    sum: f64,
}

impl MetricFilters {
    fn lock(&self) -> MutexGuard<'_, ()> {
        // It guards no value of its own.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    pub(super) async fn put_metric_filter(&self, input: Input) -> Result<Json, CloudWatchProblem> {
        self.require(&[Role::Operate])?;
        let group = self.known_group(&input).await?;
        self.change(&group)?;
        let mut filter = filter_of(&input, &group, milliseconds(self.server.now()))?;
        // What it counts with is made once here, so that mistakes are told at once.
        filter.tail()?;
        let server = self.server.clone();
        let work = move || -> Result<(), CloudWatchProblem> {
            let _held = server.metric_filters.lock();
            let store = &server.app.store;
            let all = filters(store)?;
            let others = all.iter().filter(|other| other.key() != filter.key());
            let n_of_group = others.clone().filter(|other| other.group == filter.group).count();
            if n_of_group >= OF_GROUP_MAX || others.count() >= FILTERS_MAX {
                let message = format!("Resource limit exceeded: {OF_GROUP_MAX} of a group, {FILTERS_MAX} in all.");
                return Err(CloudWatchProblem::new("LimitExceededException", message));
            }
            filter.sequence = last_sequence(store, &filter.group, server.now())?;
            filter.keep(store)
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
        let mut found = self.server.lookups.run(move || filters(&server.app.store)).await??;
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
        let key = key(group.as_str(), input.needed("filterName")?);
        let server = self.server.clone();
        let work = move || -> Result<(), CloudWatchProblem> {
            let _held = server.metric_filters.lock();
            let store = &server.app.store;
            if store.setting(KIND, &key)?.is_none() {
                let message = "The specified metric filter does not exist.";
                return Err(CloudWatchProblem::new("ResourceNotFoundException", message));
            }
            Ok(store.remove_setting(KIND, &key)?)
        };
        self.server.lookups.run(work).await??;
        Ok(Json::Null)
    }
}

/// The filter that is asked for.
fn filter_of(input: &Input, group: &GroupName, created: i64) -> Result<Filter, CloudWatchProblem> {
    let name = input.needed("filterName")?;
    if name.is_empty() || name.contains([':', '*']) || name.chars().count() > NAME_CHARS_MAX {
        let rule = format!("Member must have length between 1 and {NAME_CHARS_MAX} and neither ':' nor '*'");
        return Err(constraint(name, "filterName", &rule));
    }
    let transformations = input.objects("metricTransformations")?;
    let [transformation] = transformations.as_slice() else {
        return Err(CloudWatchProblem::parameter("metricTransformations has exactly one member."));
    };
    let text = |member: &str| transformation[member].as_str().filter(|text| text.chars().count() <= NAME_CHARS_MAX);
    let needed = |member: &str| {
        let missing = || CloudWatchProblem::parameter(format!("metricTransformations needs {member}."));
        text(member).filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(missing)
    };
    if transformation["dimensions"].as_object().is_some_and(|dimensions| !dimensions.is_empty()) {
        return Err(CloudWatchProblem::parameter("dimensions of metric filters are not supported here."));
    }
    let value = needed("metricValue")?;
    if value.parse::<f64>().is_err() && value.strip_prefix("$.").is_none_or(str::is_empty) {
        return Err(CloudWatchProblem::parameter("metricValue is a number or $.FIELD here."));
    }
    Ok(Filter {
        group: group.as_str().to_owned(),
        name: name.to_owned(),
        pattern: input.needed("filterPattern")?.to_owned(),
        namespace: needed("metricNamespace")?,
        metric: needed("metricName")?,
        value,
        default: transformation["defaultValue"].as_f64(),
        unit: text("unit").map(str::to_owned),
        created,
        sequence: 0,
        n_events: 0,
        sum: 0.0,
    })
}

fn key(group: &str, name: &str) -> String {
    format!("{group}:{name}")
}

/// All filters, by group and name.
fn filters(store: &Store) -> Result<Vec<Filter>, Problem> {
    let documents = store.settings(KIND)?;
    // A document of another version, or one that was spoilt, counts nothing.
    let mut all: Vec<Filter> = documents.iter().filter_map(|(_, json)| serde_json::from_str(json).ok()).collect();
    all.sort_by_key(Filter::key);
    Ok(all)
}

/// How many filters each group has.
pub(super) fn counts(store: &Store) -> Result<BTreeMap<String, usize>, Problem> {
    let mut counts = BTreeMap::new();
    filters(store)?.into_iter().for_each(|filter| *counts.entry(filter.group).or_default() += 1);
    Ok(counts)
}

/// The last event of a group that was accepted. Hot events are looked through: their run does not say it.
fn last_sequence(store: &Store, group: &str, now: Timestamp) -> Result<u64, CloudWatchProblem> {
    let snapshot = store.snapshot_within(&[GroupPattern::new(group)], &GroupScope::All, TimeRange::ALL);
    let tail = tail_of("", None)?;
    let mut last = 0;
    for run in snapshot.runs {
        match run.last_sequence() {
            u64::MAX => {
                let mut take = |found: query::TailRows| {
                    let sequences = found.ids.iter().filter_map(|id| EventId::decode(id)).map(|id| id.sequence);
                    last = sequences.max().unwrap_or(0).max(last);
                };
                // What is damaged is told by the store itself.
                let _ = tail.rows_by_block(run, now, &mut take);
            }
            sequence => last = last.max(sequence),
        }
    }
    Ok(last)
}

/// What finds the events of a pattern, and of each the value of a field.
fn tail_of(pattern: &str, field: Option<&str>) -> Result<Tail, CloudWatchProblem> {
    let mut plan: Plan = plan_of(pattern)?;
    if let Some(Operator::Project { columns, .. }) = plan.operators.last_mut() {
        *columns = field.map(Name::from).into_iter().map(|name| (name.clone(), Expr::Field(name))).collect();
    }
    Tail::new(&plan, Tz::UTC).map_err(|error| CloudWatchProblem::parameter(error.to_string()))
}

impl Filter {
    fn key(&self) -> String {
        key(&self.group, &self.name)
    }

    fn keep(&self, store: &Store) -> Result<(), CloudWatchProblem> {
        let json = serde_json::to_string(self).map_err(|error| Problem::internal(error.to_string()))?;
        Ok(store.put_setting(KIND, &self.key(), &json)?)
    }

    /// What finds the events, and of each the value that counts where that is a field.
    fn tail(&self) -> Result<Tail, CloudWatchProblem> {
        tail_of(&self.pattern, self.value.strip_prefix("$."))
    }

    /// Counts what was accepted since it looked last; `true` where there was something to count.
    fn catch_up(&mut self, store: &Store, now: Timestamp) -> Result<bool, CloudWatchProblem> {
        let groups = [GroupPattern::new(self.group.as_str())];
        let mut snapshot = store.snapshot_within(&groups, &GroupScope::All, TimeRange::ALL);
        snapshot.runs.retain(|run| run.last_sequence() > self.sequence);
        let (tail, number) = (self.tail()?, self.value.parse::<f64>().ok());
        let (mut n_events, mut sum, mut last) = (0, 0.0, self.sequence);
        for run in snapshot.runs {
            let mut take = |found: query::TailRows| {
                for (id, row) in found.ids.iter().zip(&found.rows) {
                    let Some(id) = EventId::decode(id).filter(|id| id.sequence > self.sequence) else { continue };
                    last = last.max(id.sequence);
                    n_events += 1;
                    sum += number.or_else(|| number_of(row.first()?.as_ref()?)).unwrap_or(0.0);
                }
            };
            // What is damaged is told by the store itself; the rest counts.
            let _ = tail.rows_by_block(Arc::clone(&run), now, &mut take);
        }
        self.n_events += n_events;
        self.sum += sum;
        self.sequence = last;
        Ok(n_events > 0)
    }

    fn to_json(&self) -> Json {
        let mut transformation =
            json!({"metricName": self.metric, "metricNamespace": self.namespace, "metricValue": self.value});
        if let Some(default) = self.default {
            transformation["defaultValue"] = default.into();
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

fn number_of(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Integer(number) => *number as f64,
        Value::Float(number) => *number,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// Writes what all filters have counted onto the page of metrics. Blocks. Where somebody else counts at this moment,
/// their last numbers are shown.
pub(crate) fn write(server: &Server, page: &mut Page) {
    let store = &server.app.store;
    let held = match server.metric_filters.0.try_lock() {
        Ok(held) => Some(held),
        Err(TryLockError::Poisoned(held)) => Some(held.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    };
    let Ok(mut all) = filters(store) else { return };
    if held.is_some() {
        for filter in &mut all {
            let done = filter.catch_up(store, server.now()).and_then(
                |is_new| {
                    if is_new { filter.keep(store) } else { Ok(()) }
                },
            );
            if let Err(problem) = done {
                tracing::warn!(filter = filter.key(), reason = problem.parts().2, "a metric filter could not count");
            }
        }
    }
    drop(held);
    if all.is_empty() {
        return;
    }
    type Number = fn(&Filter) -> f64;
    let families: [(&str, Kind, &str, Number); 2] = [
        ("catat_metric_filter_events_total", Kind::Counter, "Events that a metric filter has matched.", |filter| {
            filter.n_events as f64
        }),
        // The values of fields may be negative.
        ("catat_metric_filter_value", Kind::Gauge, "Their metric values, summed up.", |filter| filter.sum),
    ];
    for (name, kind, help, number) in families {
        page.family(name, kind, help);
        for filter in &all {
            let labels = [
                ("namespace", filter.namespace.as_str()),
                ("metric", &filter.metric),
                ("group", &filter.group),
                ("filter", &filter.name),
            ];
            page.sample(name, &labels, number(filter));
        }
    }
}
